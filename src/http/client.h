/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 as a client on our own streams and parser, for what is asked often
 * and has to be small: MCP servers. Connections are kept and used again.
 * fetch.h decides who asks by this and who by libcurl, which knows proxies.
 *
 * Contract of callbacks and threads: io/loop.h.
 */
#ifndef VL_HTTP_CLIENT_H
#define VL_HTTP_CLIENT_H

#include "http/message.h"
#include "http/url.h"
#include "io/tls.h"

struct vl_http_client;
struct vl_http_call;

/* One per loop. `trust` is borrowed; it is needed for https. */
struct vl_http_client *vl_http_client_new(struct vl_loop *loop);
void
vl_http_client_trust(struct vl_http_client *client, struct vl_tls_trust *trust);
/* Aborts what runs, silently. NULL is fine. */
void vl_http_client_free(struct vl_http_client *client);

/* Copied, but for the hooks. */
struct vl_http_ask {
    const char *method;
    const struct vl_url *url; /* http or https */
    struct vl_str lines;      /* "Name: value\r\n" …: all but Host, Connection
                                 and Content-Length */
    struct vl_str body;       /* of POST */
    /* Not if its name leads to this machine or a network that is not
     * everybody's: VALET_DENIED. */
    bool only_public;
    int64_t connect_ms; /* for one address, and a proxy's answer; not TLS */
    int64_t total_ms;   /* for all of it … */
    bool until_head;    /* … or until the head is there */
};

struct vl_http_hooks {
    /* Once, of the final answer; interim ones are passed over. */
    void (*head)(int status, const struct vl_headers *headers, void *ctx);
    void (*piece)(struct vl_str bytes, void *ctx);
    /* Once. VALET_OK: that was all of it. VALET_RETRY: not to be reached, broke
     * off, too late; VALET_INVALID: no HTTP; VALET_LIMIT: its head is too long;
     * VALET_DENIED. */
    void (*end)(valet_status status, const valet_error *err, void *ctx);
};

struct vl_http_call *
vl_http_call_start(struct vl_http_client *client, const struct vl_http_ask *ask,
                   const struct vl_http_hooks *hooks, void *ctx);
/* Silences and frees it, and closes its connection; *call becomes NULL. NULL is
 * fine. */
void vl_http_call_abort(struct vl_http_call **call);
/* Once there is a head: is the address of who answers not everybody's? False of
 * a proxy. */
bool vl_http_call_is_private(const struct vl_http_call *call);
/* No pieces come until it is let go on. */
void vl_http_call_hold(struct vl_http_call *call, bool is_held);

#endif
