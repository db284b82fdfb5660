/* SPDX-License-Identifier: Apache-2.0
 *
 * A client on standard input and output, and a remote server: what the one says
 * is told to the other, whichever eras they speak (docs/connect.md). Each
 * request of the client gets one answer, whatever becomes of the server.
 *
 * Contract of callbacks and threads: io/loop.h.
 */
#ifndef VL_APPS_CONNECT_BRIDGE_H
#define VL_APPS_CONNECT_BRIDGE_H

#include "remote/remote.h"

struct vl_bridge;

/* Borrowed but for `url`. */
struct vl_bridge_config {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    const char *url;
    int in, out;        /* the client */
    int64_t timeout_ms; /* a request may go so long without news; 0: for ever */
    /* As of vl_remote_hooks. */
    const struct vl_secret *(*bearer)(void *ctx);
    void (*authorize)(const struct vl_remote_refusal *refusal,
                      struct vl_remote_retry *retry, void *ctx);
    /* The server has taken what was sent. */
    void (*worked)(void *ctx);
    /* For the operator: a sentence without a secret. NULL: nobody is told. */
    void (*note)(const char *text, void *ctx);
    /* The client is gone; once. */
    void (*on_end)(void *ctx);
    void *ctx;
};

valet_status
vl_bridge_new(const struct vl_bridge_config *config, struct vl_bridge **ret,
              valet_error *err) VALET_CHECK;
/* Gives up what is under way, ends the session with the server, writes what
 * waits, all that within about a second; then `done`, once. It is still to be
 * freed. */
void
vl_bridge_finish(struct vl_bridge *bridge, void (*done)(void *ctx), void *ctx);
void vl_bridge_free(struct vl_bridge *bridge); /* NULL is fine */

/* Shows it as the progress of all requests that wait and asked for progress. */
void vl_bridge_tell(struct vl_bridge *bridge, const char *text);

#endif
