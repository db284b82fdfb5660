/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Graph client share:
 *
 *     graph_client.c   who asks, and who shares an answer
 *     graph_memory.c   what a user got, for that user alone
 *     graph_breaker.c  a host that fails is left alone
 *     graph.c          one request
 *     graph_hosts.c    which hosts there are
 *     graph_user.c     a user object as a tool's result
 */
#ifndef VL_ENTRA_GRAPH_INSIDE_H
#define VL_ENTRA_GRAPH_INSIDE_H

#include "core/list.h"
#include "core/map.h"
#include "crypto/digest.h"
#include "entra/graph.h"

/* What came of a request, as it is told to whoever asked. */
struct vl_graph_outcome {
    valet_status status;
    struct vl_graph_answer answer;
    valet_error err; /* unless VALET_OK */
    int http;        /* 0: the host was not reached */
    bool unsent;     /* nothing is known of the host */
};

/* --- one request --- */

struct vl_graph_ask;

struct vl_graph_ask_request {
    struct vl_fetcher *fetcher;
    const char *url, *select, *correlation; /* the last two may be NULL */
    const struct vl_secret *token;
    bool once; /* not again when it fails */
};
/* The outcome is borrowed for the call. */
typedef void
vl_graph_ask_done(const struct vl_graph_outcome *outcome, void *ctx);
struct vl_graph_ask *
vl_graph_ask_start(const struct vl_graph_ask_request *request,
                   vl_graph_ask_done *done, void *ctx);
void vl_graph_ask_abort(struct vl_graph_ask **ask); /* NULL is fine */

/* --- the breaker --- */

/* Consecutive failures, each of all its attempts, after which it opens. */
#define VL_GRAPH_FAILURES 5
/* How long it stays open at first: then twice that, and so on up to the
 * longest; longer only as the host itself says, up to the most. */
#define VL_GRAPH_PAUSE_MS         5000
#define VL_GRAPH_PAUSE_LONGEST_MS 60000
#define VL_GRAPH_PAUSE_MOST_MS    300000

/* Zeroed, it is closed. */
struct vl_graph_breaker {
    unsigned failures;          /* in a row */
    unsigned pauses;            /* in a row: the next one is longer */
    int64_t since_ms, until_ms; /* of the pause */
    bool has_trial;             /* after it: one is under way */
};

enum vl_graph_way {
    VL_GRAPH_FREE,
    VL_GRAPH_TRIAL, /* go, and tell how it ended: all others wait for it */
    VL_GRAPH_CLOSED,
    VL_GRAPH_WAY_COUNT
};

/* May the host be asked? Closed: `*ret_wait_ms` is when to come back. */
enum vl_graph_way vl_graph_breaker_ask(struct vl_graph_breaker *breaker,
                                       int64_t now_ms, int64_t *ret_wait_ms);
void
vl_graph_breaker_note(struct vl_graph_breaker *breaker, bool is_trial,
                      const struct vl_graph_outcome *outcome, int64_t now_ms);
/* The trial was taken back: the next one may try. */
void vl_graph_breaker_release(struct vl_graph_breaker *breaker);

/* --- the memory --- */

/* Of one user and one selection, each by its hash: neither can be made to look
 * like another, and neither stands in a table. */
#define VL_GRAPH_KEY_SIZE ((size_t)2 * VL_SHA256_SIZE)
struct vl_graph_key {
    unsigned char user[VL_SHA256_SIZE], select[VL_SHA256_SIZE];
};
struct vl_graph_key vl_graph_key_of(struct vl_str user, struct vl_str select);

static inline struct vl_str
vl_graph_key_str(const struct vl_graph_key *key)
{
    return vl_str_of(key, sizeof *key);
}

/* Profiles of a lane, and what they may take; the ones that were not asked for
 * longest go first. */
#define VL_GRAPH_MEMORY_USERS 1000
#define VL_GRAPH_MEMORY_SIZE  ((size_t)2 * 1024 * 1024)
/* The largest profile that is worth it. */
#define VL_GRAPH_MEMORY_ONE ((size_t)64 * 1024)
/* Loops ask many times a second; people who were given a right ask again after
 * some. */
#define VL_GRAPH_REFUSED_MS 5000
/* The longest that Graph may have one user wait. */
#define VL_GRAPH_HELD_MS 60000

struct vl_graph_memory {
    int64_t ttl_ms;
    struct vl_map map;
    struct vl_list entries; /* the one not asked for longest first */
    size_t size;            /* of what is remembered */
};

void vl_graph_memory_init(struct vl_graph_memory *memory, int64_t ttl_ms);
/* Wipes all. */
void vl_graph_memory_done(struct vl_graph_memory *memory);
/* `json` gets a copy, which the outcome points to. */
bool vl_graph_memory_find(struct vl_graph_memory *memory,
                          const struct vl_graph_key *key,
                          const struct vl_secret *token, int64_t now_ms,
                          struct vl_graph_outcome *ret, struct vl_buf *json);
/* Remembers what is worth it; a refused token has all of its user forgotten. */
void vl_graph_memory_note(struct vl_graph_memory *memory,
                          const struct vl_graph_key *key,
                          const struct vl_secret *token, int64_t now_ms,
                          const struct vl_graph_outcome *outcome);
void vl_graph_memory_forget(struct vl_graph_memory *memory,
                            const unsigned char user[VL_SHA256_SIZE]);
/* Drops what is too old to be given. False: nothing is left. */
bool vl_graph_memory_sweep(struct vl_graph_memory *memory, int64_t now_ms);

#endif
