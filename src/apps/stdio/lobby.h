/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tools of the local server stand on: whom to ask for tokens, the
 * doorman, Microsoft Graph. All of it comes into being at the first call and
 * not before, so that a client that only lists tools costs nothing and asks
 * nobody (@spec S-41 S-25); and a server that was started without a
 * configuration says so to who calls, and works once there is one.
 */
#ifndef VL_APPS_STDIO_LOBBY_H
#define VL_APPS_STDIO_LOBBY_H

#include "apps/stdio/doorman.h"
#include "entra/graph.h"

/* Whom to ask; borrowed, and stays until the lobby is closed. */
struct vl_lobby_whom {
    valet_client *client;
    const char *authority_host; /* NULL: the public cloud's */
    const char *ca_file;        /* or NULL */
};
/* Fills `ret`. Not VALET_OK: the sentence says what has to be done; the next
 * call will ask again. */
typedef valet_status
vl_lobby_ask_whom(struct vl_lobby_whom *ret, valet_error *err, void *ctx);

/* Borrowed. */
struct vl_lobby_config {
    vl_lobby_ask_whom *whom;
    void *ctx;
    const char *const *scopes;                        /* ends in NULL */
    const char *account;                              /* or NULL */
    const char *const *named_scopes, *const *command; /* as of doorman.h */
    unsigned methods;
    int timeout_s;
    enum vl_consent consent;
    int parent;            /* getppid() at the start */
    const char *graph_url; /* NULL: the authority's cloud's */
    const char *select;    /* as of graph.h; not NULL */
    int64_t ttl_ms;
};

struct vl_lobby {
    const struct vl_lobby_config *config;
    struct vl_loop *loop;
    struct vl_doorman *doorman; /* NULL: nobody has called yet */
    struct vl_fetcher *fetcher;
    struct vl_graph *graph; /* NULL until vl_lobby_graph() */
};

void vl_lobby_init(struct vl_lobby *lobby, const struct vl_lobby_config *config,
                   struct vl_loop *loop);
/* Makes the doorman, if there is none. */
valet_status
vl_lobby_open(struct vl_lobby *lobby, valet_error *err) VALET_CHECK;
/* The same, and the way to Graph. */
valet_status
vl_lobby_graph(struct vl_lobby *lobby, valet_error *err) VALET_CHECK;
/* After all visits have left and nobody asks Graph. */
void vl_lobby_done(struct vl_lobby *lobby);

#endif
