/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the server: its three objects and what its files do for each
 * other. Who owns whom:
 *
 *     server ──owns──> connections ──own──> the exchange being received
 *     the site owns an exchange from `handle` until it has answered
 *
 * A connection reads (RECEIVING), waits for its answer (ANSWERING), or only
 * sends the rest and listens for the peer's end (CLOSING). It has at most one
 * exchange; an idle one has none, and no buffer.
 *
 * Callbacks of the site may do anything, freeing the server included. So each
 * way in goes through vl_server_enter() and vl_server_leave(): what was
 * closed in between is given back by the outermost leave.
 */
#ifndef VL_HTTP_SERVER_PRIVATE_H
#define VL_HTTP_SERVER_PRIVATE_H

#include "core/buf.h"
#include "core/list.h"
#include "http/group.h"
#include "http/parse.h"

/* Exchanges kept for reuse. */
#define VL_SPARE_EXCHANGES 64
/* A spare exchange keeps its buffer up to this size. */
#define VL_SPARE_BUFFER VL_LIMIT_HEAD
/* So much is read ahead while a request is being answered. */
#define VL_AHEAD_HIGH VL_LIMIT_HEAD
/* So much, and so long, is thrown away after a last answer: a reset would take
 * it from the peer. */
#define VL_LINGER_BYTES (1024 * 1024)
#define VL_LINGER_MS    2000

/* Each kind of waiting has one time-out. */
enum vl_wait {
    VL_WAIT_IDLE,    /* the next request */
    VL_WAIT_REQUEST, /* the rest of a request, or the first one */
    VL_WAIT_WRITE,   /* the peer to read */
    VL_WAIT_LINGER,  /* the peer's end */
    VL_WAIT_COUNT,
    VL_WAIT_NOTHING = VL_WAIT_COUNT
};

enum vl_connection_state {
    VL_CONNECTION_RECEIVING,
    VL_CONNECTION_ANSWERING,
    VL_CONNECTION_CLOSING,
    VL_CONNECTION_STATE_COUNT
};

struct vl_connection {
    struct vl_http_server *server;
    struct vl_stream *stream; /* NULL: cut; the memory waits for leave */
    struct vl_client *client;
    struct vl_exchange *x;
    struct vl_list all;   /* in server->connections, or ->graves */
    struct vl_list timed; /* in server->waits[wait] */
    struct vl_list due;   /* in server->due */
    struct vl_buf ahead;  /* came while an answer was due */
    int64_t deadline;
    uint64_t written; /* given to the stream in all */
    uint64_t taken;   /* of it, taken by the peer when last looked */
    size_t discarded;
    enum vl_connection_state state;
    enum vl_wait wait;
    bool receiving; /* vl_connection_receive() is running */
    bool used;      /* a request was answered */
    bool ended;     /* the peer has closed its direction */
    bool paused;
    bool is_proxy; /* which is trusted: it speaks for others */
};

enum vl_exchange_stage {
    VL_EXCHANGE_SPARE,
    VL_EXCHANGE_HEAD,    /* the head is being received */
    VL_EXCHANGE_BODY,    /* the body is being received */
    VL_EXCHANGE_HANDLED, /* the site has it, not answered yet */
    VL_EXCHANGE_STREAMED,
    VL_EXCHANGE_STAGE_COUNT
};

/* What a request is read into. A stream that stays open for hours gives it
 * back: vl_exchange_forget_request(). */
struct vl_intake {
    struct vl_buf in; /* head and body of the request */
    struct vl_arena arena;
    struct vl_body body;
    struct vl_http_request request;
    struct vl_parser parser;
};

struct vl_exchange {
    struct vl_http_server *server; /* NULL: the server is gone */
    struct vl_connection *conn;    /* NULL: the peer is gone */
    struct vl_list node;           /* in server->exchanges, or ->spare */
    struct vl_list notice;         /* in server->notices */
    enum vl_exchange_stage stage;
    bool keep;      /* the request lets the connection be kept */
    bool bodiless;  /* this answer has a head only */
    bool chunked;   /* a streamed answer: else it ends with the connection */
    bool told;      /* on_close was called */
    bool moves;     /* it leaves for member `to` */
    bool cut_short; /* half of it is sent, no more */
    size_t to;
    size_t body_max;
    void (*on_close)(void *ctx);
    void (*on_drain)(void *ctx);
    void *ctx;
    char peer[64];
    struct vl_header extra[VL_EXCHANGE_HEADERS]; /* of the answer */
    size_t extra_count;
    struct vl_intake *intake; /* NULL: given back */
};

struct vl_http_server {
    struct vl_loop *loop;
    const struct vl_http_site *site;
    struct vl_http_limits limits;
    struct vl_http_group *group;
    size_t member; /* of the group: which it is */
    bool owns_group;
    struct vl_tls *tls; /* or NULL */
    struct vl_http_trust trust;
    struct vl_listener *listeners[VL_LISTENERS_MAX];
    size_t listener_count;

    struct vl_list connections;
    size_t connection_count;
    struct vl_list exchanges; /* not answered yet */
    struct vl_list spare;
    size_t spare_count;

    struct vl_list waits[VL_WAIT_COUNT];
    struct vl_timer *tick;
    bool ticking;
    struct vl_list due;     /* connections with something read ahead */
    struct vl_list notices; /* exchanges whose on_close is due */
    struct vl_timer *soon;

    struct vl_buf out; /* an answer being put together */
    int64_t date_second;
    char date[48]; /* the header line for it */

    struct vl_timer *drain;
    void (*drained)(void *ctx);
    void *drained_ctx;
    bool draining;

    unsigned depth; /* enters without their leaves */
    bool dead;
    struct vl_list graves;
};

/* server.c */
void vl_server_enter(struct vl_http_server *server);
/* The server, and connections that were cut, may be gone after it. */
void vl_server_leave(struct vl_http_server *server);
/* Takes a connection out of the books. */
void vl_server_forget(struct vl_connection *conn);

/* wait.c */
int64_t vl_server_tick_ms(const struct vl_http_limits *limits);
void vl_server_tick(void *ctx); /* ctx: the server */
/* Waits for what the state of the connection says. */
void vl_connection_wait(struct vl_connection *conn);
void vl_connection_wait_not(struct vl_connection *conn);

/* connection.c */
/* In the books, counted already. */
struct vl_connection *
vl_connection_new(struct vl_http_server *server, struct vl_stream *stream,
                  struct vl_client *client);
/* Reads no further while much is read ahead. */
void vl_connection_bound(struct vl_connection *conn);
/* Begins to read. */
void vl_connection_start(struct vl_connection *conn);
/* Both, for a stream that was accepted: with TLS, if the server speaks it. */
void vl_connection_begin(struct vl_http_server *server,
                         struct vl_stream *stream, struct vl_client *client);
void vl_connection_write(struct vl_connection *conn, struct vl_str bytes);
/* Closed at once; who has the exchange is told. */
void vl_connection_cut(struct vl_connection *conn);
/* Closed when what is waiting is sent and the peer has seen it. */
void vl_connection_close(struct vl_connection *conn);
/* The exchange was answered: the next request, or the end. */
void vl_connection_answered(struct vl_connection *conn, bool keep);
/* Goes on with what was read ahead. */
void vl_connection_pump(struct vl_connection *conn);

/* receive.c */
/* Returns how many bytes were used: fewer when the site has to answer. */
size_t vl_connection_receive(struct vl_connection *conn, struct vl_str bytes);

/* move.c */
/* Sends a connection, just accepted, to another member, where it is counted
 * already. False when it has to stay. */
bool vl_connection_give(struct vl_http_server *server, struct vl_stream *stream,
                        struct vl_client *client, size_t to);
/* Leaves, if its exchange moves and nothing keeps it any more. */
void vl_connection_depart(struct vl_connection *conn);

/* exchange.c */
struct vl_exchange *vl_exchange_take(struct vl_connection *conn);
/* To the spare ones, or freed. */
void vl_exchange_drop(struct vl_exchange *x);
void vl_exchange_tell_close(struct vl_exchange *x);
/* The same from the loop, soon. */
void vl_exchange_tell_close_soon(struct vl_exchange *x);

/* reply.c */
/* An answer of the server's own, which ends the connection. */
void
vl_connection_refuse(struct vl_connection *conn, int status, const char *why);
/* Such an answer for a stream that becomes no connection. */
struct vl_str
vl_server_refusal(struct vl_http_server *server, int status, const char *why);
/* Empties a buffer and wipes what it held, keeping its memory. */
void vl_http_wipe(struct vl_buf *buf);

#endif
