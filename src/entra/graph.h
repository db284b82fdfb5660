/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Graph, as far as it is needed: GET /v1.0/me (@spec S-42 S-43 S-78
 * S-100). One client of a loop serves all who ask it:
 *
 *   - the token goes to the configured host alone, which is one of Graph's in
 *     Microsoft's clouds or a loopback, never along a redirect;
 *   - size and time are capped; 429 and 5xx are tried again as they say;
 *   - a host that fails again and again is left alone for a while (a circuit
 *     breaker), so that callers hear so at once and it can recover;
 *   - what a user got is remembered for that user alone (S-100), for `ttl_ms`.
 */
#ifndef VL_ENTRA_GRAPH_H
#define VL_ENTRA_GRAPH_H

#include "core/principal.h"
#include "core/sys.h"
#include "http/fetch.h"
#include "io/loop.h"

struct vl_graph;
struct vl_graph_me;

/* May it be asked? https of a Graph host of Microsoft's clouds, without path,
 * query or user; http or https of a loopback; anything else only if `own` (an
 * explicit choice of the configuration). VALET_INVALID: the sentence is to
 * follow the name of the option. */
valet_status
vl_graph_check_url(const char *url, bool own, valet_error *err) VALET_CHECK;
/* "https://graph.microsoft.com", by the host of the authority; NULL: none is
 * known. */
const char *vl_graph_of_authority(struct vl_str authority_host);
/* False: both are Microsoft's, and of different clouds, so that a token of the
 * one is of no use in the other, and has no business there. */
bool vl_graph_fits(const char *url, const char *authority);

/* All borrowed. */
struct vl_graph_config {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher; /* freed after the client */
    const struct vl_clock *clock;
    const char *url; /* checked */
    int64_t ttl_ms;  /* 0: nothing is remembered */
};
struct vl_graph *vl_graph_new(const struct vl_graph_config *config);
void vl_graph_free(struct vl_graph *graph); /* silently; NULL is fine */

/* All copied. */
struct vl_graph_request {
    const struct vl_upstream_token *token;
    /* Whose profile it is, as whoever believes the token knows them; not empty.
     * The only one who gets what is remembered for it. */
    struct vl_str user;
    const char *select;      /* "displayName,mail"; "" or NULL: all */
    const char *correlation; /* sent as client-request-id; or NULL */
    bool anew;               /* not what is remembered */
};

/* Borrowed for the call. */
struct vl_graph_answer {
    struct vl_str json;  /* the user object as Graph gave it, selected */
    char request_id[64]; /* Graph's, "" if none */
    unsigned throttled;  /* attempts that had to be, or should be, repeated */
    bool token_refused;  /* 401: a fresh token may help */
    bool remembered;     /* Graph was not asked: it is what it said before */
    int64_t retry_after_ms; /* -1: not told */
    /* The claims challenge of a 401 (JSON), or "". */
    const char *claims;
};

/* VALET_OK with the object; VALET_DENIED (401, 403), VALET_RETRY (throttled,
 * unreachable, 5xx after all attempts, or left alone for now: the code is then
 * "circuit_open"), VALET_INTERNAL (no usable answer, or a request that is not
 * sent).
 * `err->code` is Graph's code, the message is safe to show. */
typedef void
vl_graph_done(valet_status status, const struct vl_graph_answer *answer,
              const valet_error *err, void *ctx);
struct vl_graph_me *vl_graph_me_start(struct vl_graph *graph,
                                      const struct vl_graph_request *request,
                                      vl_graph_done *done, void *ctx);
/* Silences and frees; *op becomes NULL. NULL is fine, and so is its own
 * callback. */
void vl_graph_me_abort(struct vl_graph_me **op);
/* The user has signed out, or is somebody else: nothing is remembered. */
void vl_graph_forget(struct vl_graph *graph, struct vl_str user);

#endif
