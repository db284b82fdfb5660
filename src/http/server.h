/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP/1.1 server (RFC 9112) of one loop: connections, keep-alive,
 * pipelining (answers in order, one request at a time), chunked bodies both
 * ways, time-outs. What a request means is the site's: the server calls
 * `handle` when head and body are complete.
 *
 *     static void
 *     handle(struct vl_exchange *x, void *ctx)
 *     {
 *         vl_exchange_reply(x, &(struct vl_reply){
 *             .status = 200, .type = "text/plain", .body = VL_STR("hi\n")});
 *     }
 *
 * Every exchange is answered exactly once, by vl_exchange_reply(), or by
 * vl_exchange_start() … vl_exchange_finish(); at once or later, but always:
 * when the peer is gone the answer is dropped, and the exchange is freed by
 * it. After that call the exchange is gone for its handler.
 */
#ifndef VL_HTTP_SERVER_H
#define VL_HTTP_SERVER_H

#include "core/arena.h"
#include "core/log.h"
#include "http/forwarded.h"
#include "http/message.h"
#include "io/stream.h"
#include "io/tls.h"

struct vl_http_server;
struct vl_exchange;

/* Borrowed, valid as long as the exchange. */
struct vl_http_request {
    struct vl_str method; /* a token, case-sensitive */
    struct vl_str target; /* as it came, origin-form */
    struct vl_str path;   /* target up to '?'; not decoded */
    struct vl_str query;  /* after '?', or {NULL,0} */
    struct vl_str host;   /* the one Host header */
    struct vl_headers headers;
    struct vl_str body;
    const char *peer; /* the client's address, without port; behind a proxy
                         that is trusted: as the proxy says */
};

struct vl_http_site {
    /* Asked when the head is complete: how large may the body be? A larger
     * one is answered 413 (and never read). */
    size_t (*body_max)(const struct vl_http_request *head, void *ctx);
    void (*handle)(struct vl_exchange *x, void *ctx);
    void *ctx;
};

struct vl_http_limits {
    size_t connections, connections_per_address;
    int64_t idle_ms, request_ms, write_ms;
};

#define VL_HTTP_LIMITS_DEFAULT                                                 \
    ((struct vl_http_limits){.connections = VL_LIMIT_CONNECTIONS,              \
                             .connections_per_address =                        \
                                 VL_LIMIT_CONNECTIONS_PER_ADDRESS,             \
                             .idle_ms = VL_LIMIT_IDLE_MS,                      \
                             .request_ms = VL_LIMIT_REQUEST_MS,                \
                             .write_ms = VL_LIMIT_WRITE_MS})

/*
 * A server for one loop. The site is borrowed and outlives the server.
 *
 * Several loops that serve the same addresses: a group first, with sockets
 * that are bound once, then a server for each of its members. They share the
 * limits of connections, and each new connection goes to the member that has
 * the fewest. Servers are made before their loops run.
 */
struct vl_http_group;
struct vl_http_group *
vl_http_group_new(size_t members, const struct vl_http_limits *limits);
valet_status
vl_http_group_listen(struct vl_http_group *group, const char *address,
                     unsigned port, unsigned *ret_port,
                     valet_error *err) VALET_CHECK;
/* No more servers join; a socket is closed with the last server that listens on
 * it. On the thread that made the group. */
void vl_http_group_close(struct vl_http_group *group);
/* After its servers, and when their loops have delivered what was posted.
 * NULL is fine. */
void vl_http_group_free(struct vl_http_group *group);
struct vl_http_server *
vl_http_server_join(struct vl_http_group *group, size_t member,
                    struct vl_loop *loop, const struct vl_http_site *site);

struct vl_http_server *
vl_http_server_new(struct vl_loop *loop, const struct vl_http_site *site,
                   const struct vl_http_limits *limits);
/*
 * Both before the first vl_http_server_listen(). With `tls` (held by each
 * connection) all connections speak TLS. The trust says which proxies may
 * speak for others; theirs are not counted as connections of one address.
 */
void vl_http_server_secure(struct vl_http_server *server, struct vl_tls *tls);
void vl_http_server_trust(struct vl_http_server *server,
                          const struct vl_http_trust *trust);
/* A server may listen on several addresses. */
valet_status
vl_http_server_listen(struct vl_http_server *server, const char *address,
                      unsigned port, unsigned *ret_port,
                      valet_error *err) VALET_CHECK;
/*
 * Stops accepting, closes connections that are idle or have sent half a
 * request, lets running requests end (with Connection: close) for `ms`, then
 * cuts the rest. `done` is called once when no connection is left.
 */
void vl_http_server_drain(struct vl_http_server *server, int64_t ms,
                          void (*done)(void *ctx), void *ctx);
/* Cuts what is left. Exchanges not yet answered stay valid for their owners
 * until they answer. */
void vl_http_server_free(struct vl_http_server *server);

/*
 * Raises the soft limit of open files as far as `connections` need, or says
 * what to set. Called once at start.
 */
valet_status
vl_http_raise_nofile(size_t connections, valet_error *err) VALET_CHECK;

const struct vl_http_request *vl_exchange_request(const struct vl_exchange *x);
/* Lives as long as the exchange. */
struct vl_arena *vl_exchange_arena(struct vl_exchange *x);
/* The client's address, without port; lives as long as the exchange. */
const char *vl_exchange_peer(const struct vl_exchange *x);

struct vl_reply {
    int status;
    const char *type; /* Content-Type, or NULL for none */
    struct vl_header headers[12];
    size_t header_count;
    struct vl_str body; /* copied */
    bool close;         /* close the connection afterwards */
};

/*
 * Sends an exchange, unanswered, to another member of the group, with its
 * connection: the site there handles it from the start. It is gone for the
 * caller, unless the answer is false: there is no such member.
 */
bool vl_exchange_move(struct vl_exchange *x, size_t member);

/* Adds a header to a reply not yet sent; name and value are borrowed until
 * then. Values with controls are an assertion: encode before. What frames the
 * message (lengths, codings, Connection, Date) is the server's: left out. */
void
vl_reply_add(struct vl_reply *reply, const char *name, struct vl_str value);

/*
 * A header that whatever answer follows will carry, before its own: for what
 * is decided once for all routes (CORS). At most VL_EXCHANGE_HEADERS; name and
 * value live as long as the exchange.
 */
#define VL_EXCHANGE_HEADERS 6
void vl_exchange_add_header(struct vl_exchange *x, const char *name,
                            struct vl_str value);

/* Sends it with Content-Length (HEAD: without the body) and Date. */
void vl_exchange_reply(struct vl_exchange *x, const struct vl_reply *reply);

/* A streamed answer (chunked): head now, body in pieces (reply->body is the
 * first piece if not empty). */
void vl_exchange_start(struct vl_exchange *x, const struct vl_reply *reply);
/* False when VL_LIMIT_STREAM_HIGH bytes are waiting: stop until on_drain. */
bool vl_exchange_write(struct vl_exchange *x, struct vl_str bytes);
void vl_exchange_finish(struct vl_exchange *x);
/* For a stream that stays open long: gives back what the request was read
 * into. Neither request nor arena may be asked for afterwards. */
void vl_exchange_forget_request(struct vl_exchange *x);
/* Bytes the peer has not taken yet. */
size_t vl_exchange_waiting(const struct vl_exchange *x);
/* Has the peer gone? Then what is written is dropped. A peer that closed its
 * direction may still read: it counts as gone for a streamed answer only. */
bool vl_exchange_is_closed(const struct vl_exchange *x);
/* Has it gone, or closed its direction at least? Most who do that are gone. */
bool vl_exchange_is_left(const struct vl_exchange *x);
/*
 * For a server that stands in for one which fails. The first answers with a
 * connection reset, and with nothing else; after the second the answer that
 * follows stops in the middle of its body, or of its head if it has none, and
 * so does the connection.
 */
void vl_exchange_reset(struct vl_exchange *x);
void vl_exchange_cut_short(struct vl_exchange *x);
/*
 * `on_close` (may be NULL) is called once if the peer goes before the answer
 * is finished; the handler still has to finish. `on_drain` (may be NULL) when
 * the queue of a streamed answer has emptied.
 */
void vl_exchange_watch(struct vl_exchange *x, void (*on_close)(void *ctx),
                       void (*on_drain)(void *ctx), void *ctx);

#endif
