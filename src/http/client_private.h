/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to client*.c:
 *
 *   client.c       one call: its time, its hooks, its end
 *   client_link.c  one connection: what is written, what is read, when it is
 *                  used again
 *   client_dial.c  from the name of a host to a connection
 *   client_proxy.c which proxy is in between, if any
 */
#ifndef VL_HTTP_CLIENT_PRIVATE_H
#define VL_HTTP_CLIENT_PRIVATE_H

#include "core/list.h"
#include "http/client.h"
#include "http/parse.h"
#include "io/network.h"
#include "io/stream.h"

/* A server's name has at most 255 bytes (RFC 1035). */
#define VL_HTTP_HOST_MAX 256

struct vl_http_client {
    struct vl_loop *loop;
    struct vl_tls_trust *trust;
    struct vl_list idle;  /* links, the latest used first */
    struct vl_list calls; /* all that may still call back */
    size_t idle_count;
};

/* Where a connection leads. */
struct vl_http_place {
    char host[VL_HTTP_HOST_MAX];
    uint16_t port;
    bool is_secure;
};

struct vl_link {
    struct vl_list node;
    struct vl_http_client *client;
    struct vl_http_call *call; /* NULL: idle */
    struct vl_stream *stream;
    struct vl_http_place place;
    bool is_public; /* its address is everybody's */
    bool is_used;   /* it has carried an answer before */
    bool is_idle;   /* in the client's list */
    int64_t good_until;
    bool *gone; /* set when it is freed, for who is at work on it */

    struct vl_buf head;     /* of the answer that comes */
    struct vl_buf unread;   /* of its body, while it is held */
    struct vl_timer *later; /* when it is let go on; NULL: there is no need */
    struct vl_parser parser;
    struct vl_body body;
    bool has_head;
};

struct vl_http_call {
    struct vl_list node;
    struct vl_http_client *client;
    const struct vl_http_hooks *hooks;
    void *ctx;
    struct vl_http_place place;
    struct vl_buf request; /* until it is written */
    enum vl_parse_kind kind;
    bool only_public, until_head, is_held, is_repeatable;
    int64_t connect_ms;
    struct vl_timer *timer;
    struct vl_dial *dial; /* one of the two, or none while it ends */
    struct vl_link *link;
    valet_status status; /* what the timer tells when it fires early */
    valet_error err;
};

/* client.c */
void vl_http_call_end(struct vl_http_call *call, valet_status status,
                      const valet_error *err);
/* The head is there: from now on it may take its time, if it is so. */
void vl_http_call_has_head(struct vl_http_call *call);
void vl_http_call_dial(struct vl_http_call *call);

/* client_link.c */
/* One that leads there, idle and fresh; NULL: there is none. */
struct vl_link *
vl_link_find(struct vl_http_client *client, const struct vl_http_place *place,
             bool only_public);
/* Takes the stream. */
struct vl_link *
vl_link_new(struct vl_http_client *client, const struct vl_http_place *place,
            struct vl_stream *stream, bool is_public);
/* Sends the call's request and reads its answer. */
void vl_link_begin(struct vl_link *link, struct vl_http_call *call);
void vl_link_hold(struct vl_link *link, bool is_held);
void vl_link_close(struct vl_link *link);

/* client_proxy.c */
struct vl_http_proxy {
    char host[VL_HTTP_HOST_MAX]; /* "": none */
    uint16_t port;
    struct vl_buf credentials; /* a header line, or empty */
};
/* By whom to go there; `always`: also to what no_proxy lists, so that the proxy
 * has the say. VALET_INVALID: the environment names what is none. */
valet_status
vl_http_proxy_for(const struct vl_http_place *place, bool always,
                  struct vl_http_proxy *ret, valet_error *err) VALET_CHECK;
static inline void
vl_http_proxy_done(struct vl_http_proxy *proxy)
{
    vl_buf_done(&proxy->credentials);
}
/* The CONNECT that it is sent. */
void vl_http_proxy_write(const struct vl_http_proxy *proxy,
                         const struct vl_http_place *place, struct vl_buf *out);

/* client_dial.c */
struct vl_dial;
/* `stream` (TLS has begun on it), or NULL and why. */
typedef void
vl_dial_done(struct vl_stream *stream, bool is_public, valet_status status,
             const valet_error *err, void *ctx);
struct vl_dial *
vl_dial_start(struct vl_http_client *client, const struct vl_http_place *place,
              bool only_public, int64_t each_ms, vl_dial_done *done, void *ctx);
void vl_dial_abort(struct vl_dial **dial);

#endif
