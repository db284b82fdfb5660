/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Graph, as far as it is needed: GET /v1.0/me (@spec S-42 S-43 S-78
 * S-100). The token goes to the configured host only, never along a redirect.
 */
#ifndef VL_ENTRA_GRAPH_H
#define VL_ENTRA_GRAPH_H

#include "core/principal.h"
#include "http/fetch.h"

struct vl_graph_me;

struct vl_graph_request {
    struct vl_fetcher *fetcher;
    const char *graph_url; /* https://graph.microsoft.com */
    const char *select;    /* "displayName,mail,userPrincipalName" */
    const struct vl_upstream_token *token;
    const char *correlation; /* sent as client-request-id */
};

/* Borrowed for the call. */
struct vl_graph_answer {
    struct vl_str json;  /* the user object as Graph gave it, selected */
    char request_id[64]; /* Graph's, "" if none */
    unsigned throttled;  /* attempts that had to be, or should be, repeated */
    bool token_refused;  /* 401: a fresh token may help */
};

/* VALET_OK with the object; VALET_DENIED (401, 403), VALET_RETRY (throttled,
 * unreachable, 5xx after all attempts), VALET_INTERNAL (no usable answer, or a
 * request that is not sent).
 * `err->code` is Graph's code, the message is safe to show. */
typedef void
vl_graph_done(valet_status status, const struct vl_graph_answer *answer,
              const valet_error *err, void *ctx);
struct vl_graph_me *vl_graph_me_start(const struct vl_graph_request *request,
                                      vl_graph_done *done, void *ctx);
/* Silences and frees; *op becomes NULL. NULL is fine, and so is its own
 * callback. */
void vl_graph_me_abort(struct vl_graph_me **op);

#endif
