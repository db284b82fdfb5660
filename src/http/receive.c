/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to a request the site can handle. The head is collected in the
 * exchange's buffer and parsed there; the body is decoded from where it came
 * and appended behind it, so every byte is copied once.
 */
#include "http/server_private.h"

/* So much is given to the head parser at once; what follows the head is not
 * copied for nothing. */
#define HEAD_SLICE 4096

static void
fill_request(struct vl_exchange *x)
{
    struct vl_intake *intake = x->intake;
    const char *head = vl_buf_str(&intake->in).p;
    struct vl_http_request *r = &intake->request;
    r->method = vl_parser_method(&intake->parser, head);
    r->target = vl_parser_target(&intake->parser, head);
    r->host = vl_parser_host(&intake->parser, head);
    size_t question = vl_str_index(r->target, '?');
    r->path = vl_str_head(r->target, question);
    r->query = question < r->target.n ? vl_str_from(r->target, question + 1)
                                      : (struct vl_str){NULL, 0};
    r->body = (struct vl_str){NULL, 0};
    r->peer = x->peer;
    vl_parser_headers(&intake->parser, head, &r->headers);
}

static void
dispatch(struct vl_connection *conn)
{
    struct vl_exchange *x = conn->x;
    struct vl_intake *intake = x->intake;
    /* The head begins with the method: has the buffer moved? */
    if (intake->request.method.p != vl_buf_str(&intake->in).p)
        fill_request(x);
    intake->request.body =
        vl_str_from(vl_buf_str(&intake->in), intake->parser.head_size);
    x->stage = VL_EXCHANGE_HANDLED;
    conn->state = VL_CONNECTION_ANSWERING;
    vl_connection_wait_not(conn);
    conn->server->site->handle(x, conn->server->site->ctx);
}

/* False when it is told to be two people's. */
static bool
find_client(struct vl_connection *conn)
{
    struct vl_exchange *x = conn->x;
    const struct vl_http_trust *trust = &conn->server->trust;
    char client[VL_ADDRESS_SIZE];
    if (!conn->is_proxy)
        return true;
    if (!vl_forwarded_client(trust, x->peer, &x->intake->request.headers,
                             client)) {
        if (trust->refused)
            trust->refused(x->peer, "forwarded_twice", trust->ctx);
        return false;
    }
    memcpy(x->peer, client, sizeof client);
    return true;
}

static void
finish_head(struct vl_connection *conn, bool more)
{
    struct vl_exchange *x = conn->x;
    struct vl_intake *intake = x->intake;
    const struct vl_http_site *site = conn->server->site;
    fill_request(x);
    x->keep = intake->parser.keep;
    x->bodiless = vl_str_eq(intake->request.method, VL_STR("HEAD"));
    if (!find_client(conn)) {
        vl_connection_refuse(conn, 400, "Forwarded and X-Forwarded-For differ");
        return;
    }
    if (intake->parser.framing == VL_FRAMING_NONE) {
        dispatch(conn);
        return;
    }
    x->body_max = site->body_max(&intake->request, site->ctx);
    if (intake->parser.framing == VL_FRAMING_LENGTH &&
        intake->parser.length > x->body_max) {
        vl_connection_refuse(conn, 413, "the body is too large");
        return;
    }
    /* RFC 9110 10.1.1: needless when the body has begun to come. */
    if (intake->parser.expect_continue && !more)
        vl_connection_write(conn, VL_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    x->stage = VL_EXCHANGE_BODY;
    intake->in.max = intake->parser.head_size + x->body_max;
    vl_body_init(&intake->body, &intake->parser);
}

static size_t
receive_head(struct vl_connection *conn, struct vl_str bytes)
{
    struct vl_exchange *x = conn->x;
    struct vl_intake *intake = x->intake;
    struct vl_str slice = vl_str_head(bytes, HEAD_SLICE);
    vl_buf_add(&intake->in, slice);
    if (intake->in.failed) {
        vl_connection_cut(conn); /* no memory */
        return bytes.n;
    }
    enum vl_parse result =
        vl_parser_read(&intake->parser, vl_buf_str(&intake->in));
    if (result == VL_PARSE_FAILED)
        vl_connection_refuse(conn, intake->parser.status, intake->parser.why);
    if (result != VL_PARSE_DONE)
        return slice.n;
    size_t beyond = vl_buf_size(&intake->in) - intake->parser.head_size;
    intake->in.n -= beyond;
    size_t used = slice.n - beyond;
    finish_head(conn, used < bytes.n);
    return used;
}

static size_t
receive_body(struct vl_connection *conn, struct vl_str bytes)
{
    struct vl_exchange *x = conn->x;
    struct vl_intake *intake = x->intake;
    struct vl_str data;
    size_t used;
    enum vl_parse result = vl_body_read(&intake->body, bytes, &data, &used);
    size_t size = vl_buf_size(&intake->in) - intake->parser.head_size;
    if (data.n > x->body_max - size) {
        vl_connection_refuse(conn, 413, "the body is too large");
        return used;
    }
    vl_buf_add(&intake->in, data);
    if (intake->in.failed)
        vl_connection_cut(conn); /* no memory */
    else if (result == VL_PARSE_FAILED)
        vl_connection_refuse(conn, 400, intake->body.why);
    else if (result == VL_PARSE_DONE)
        dispatch(conn);
    return used;
}

/* May the next request begin? Not while the peer does not read. */
static bool
may_go_on(const struct vl_connection *conn)
{
    return conn->stream && conn->state == VL_CONNECTION_RECEIVING &&
           (conn->x || vl_stream_waiting(conn->stream) < VL_LIMIT_STREAM_HIGH);
}

size_t
vl_connection_receive(struct vl_connection *conn, struct vl_str bytes)
{
    size_t used = 0;
    conn->receiving = true;
    while (used < bytes.n && may_go_on(conn)) {
        struct vl_str rest = vl_str_from(bytes, used);
        if (!conn->x)
            conn->x = vl_exchange_take(conn);
        used += conn->x->stage == VL_EXCHANGE_HEAD ? receive_head(conn, rest)
                                                   : receive_body(conn, rest);
    }
    conn->receiving = false;
    return used;
}
