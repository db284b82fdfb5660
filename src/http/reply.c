/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers. The head and a small body leave in one write. Which fields frame
 * the message is decided here and nowhere else, and no value with a control
 * gets out: that would let one answer be read as two.
 */
#include "core/sys.h"
#include "http/server_private.h"

/* Larger pieces are not copied behind their head, but written on their own. */
#define SMALL_BODY 32768
/* Heads are measured by this: the longest Location and policy fit. */
#define HEAD_MAX 65536

/* Date = IMF-fixdate, the same for all answers of a second */
static void
update_date(struct vl_http_server *server)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    int64_t second = vl_clock_now(&vl_clock_system) / 1000;
    if (second == server->date_second)
        return;
    time_t now = (time_t)second;
    struct tm tm;
    if (!gmtime_r(&now, &tm))
        return;
    (void)snprintf(server->date, sizeof server->date,
                   "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                   days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
                   (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
    server->date_second = second;
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] */
static void
add_status(struct vl_http_server *server, int status)
{
    VL_ASSERT(status >= 200 && status <= 599);
    vl_buf_add(&server->out, VL_STR("HTTP/1.1 "));
    vl_buf_addu(&server->out, (uint64_t)status);
    vl_buf_addc(&server->out, ' ');
    vl_buf_addz(&server->out, vl_http_reason(status));
    vl_buf_add(&server->out, VL_STR("\r\n"));
    update_date(server);
    vl_buf_addz(&server->out, server->date);
}

/* field-line = field-name ":" OWS field-value OWS */
static void
add_header(struct vl_buf *out, struct vl_str name, struct vl_str value)
{
    VL_ASSERT(vl_header_is_valid(name, value));
    vl_buf_add(out, name);
    vl_buf_add(out, VL_STR(": "));
    vl_buf_add(out, value);
    vl_buf_add(out, VL_STR("\r\n"));
}

/* Those the server decides about. */
static bool
is_framing(struct vl_str name)
{
    static const struct vl_str names[] = {
        {"connection", 10}, {"content-length", 14}, {"date", 4},
        {"keep-alive", 10}, {"trailer", 7},         {"transfer-encoding", 17}};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(name, names[i]))
            return true;
    return false;
}

static void
add_headers(struct vl_exchange *x, const struct vl_reply *reply)
{
    struct vl_http_server *server = x->server;
    VL_ASSERT(reply->header_count <= VL_COUNT(reply->headers));
    add_status(server, reply->status);
    for (size_t i = 0; i < x->extra_count; i++)
        add_header(&server->out, x->extra[i].name, x->extra[i].value);
    if (reply->type)
        add_header(&server->out, VL_STR("Content-Type"), vl_str_z(reply->type));
    for (size_t i = 0; i < reply->header_count; i++)
        if (!is_framing(reply->headers[i].name))
            add_header(&server->out, reply->headers[i].name,
                       reply->headers[i].value);
}

static bool
has_no_body(int status)
{
    return status == 204 || status == 304;
}

static void
add_length(struct vl_buf *out, size_t n)
{
    vl_buf_add(out, VL_STR("Content-Length: "));
    vl_buf_addu(out, n);
    vl_buf_add(out, VL_STR("\r\n"));
}

static void
end_head(struct vl_buf *out, bool keep)
{
    if (!keep)
        vl_buf_add(out, VL_STR("Connection: close\r\n"));
    vl_buf_add(out, VL_STR("\r\n"));
}

/* Sends what was put together, and `body` behind it. */
static void
send_out(struct vl_connection *conn, struct vl_str body)
{
    struct vl_buf *out = &conn->server->out;
    bool small = body.n <= SMALL_BODY;
    if (small)
        vl_buf_add(out, body);
    VL_ASSERT(!out->failed); /* heads are measured: there is no memory */
    vl_connection_write(conn, vl_buf_str(out));
    vl_http_wipe(out);
    if (!small)
        vl_connection_write(conn, body);
}

/* Half of the body; where there is none, half of the head: a redirect would
 * be whole without it. */
static void
cut(struct vl_buf *head, struct vl_str *body)
{
    if (body->n)
        body->n /= 2;
    else
        head->n -= vl_buf_size(head) / 2;
}

/* --- the server's own answers --- */

static void
add_refusal(struct vl_http_server *server, int status, struct vl_str body)
{
    add_status(server, status);
    add_header(&server->out, VL_STR("Content-Type"),
               VL_STR("text/plain; charset=utf-8"));
    add_length(&server->out, body.n);
    end_head(&server->out, false);
}

void
vl_connection_refuse(struct vl_connection *conn, int status, const char *why)
{
    struct vl_http_server *server = conn->server;
    bool bodiless = conn->x && conn->x->bodiless;
    add_refusal(server, status, vl_str_z(why));
    send_out(conn, bodiless ? (struct vl_str){NULL, 0} : vl_str_z(why));
    if (conn->x)
        vl_exchange_drop(conn->x);
    conn->x = NULL;
    vl_connection_close(conn);
}

struct vl_str
vl_server_refusal(struct vl_http_server *server, int status, const char *why)
{
    vl_http_wipe(&server->out);
    add_refusal(server, status, vl_str_z(why));
    vl_buf_addz(&server->out, why);
    return vl_buf_str(&server->out);
}

/* --- the site's --- */

void
vl_reply_add(struct vl_reply *reply, const char *name, struct vl_str value)
{
    VL_ASSERT(reply->header_count < VL_COUNT(reply->headers));
    reply->headers[reply->header_count++] =
        (struct vl_header){vl_str_z(name), value};
}

void
vl_exchange_add_header(struct vl_exchange *x, const char *name,
                       struct vl_str value)
{
    VL_ASSERT(x->extra_count < VL_COUNT(x->extra));
    VL_ASSERT(!is_framing(vl_str_z(name)));
    x->extra[x->extra_count++] = (struct vl_header){vl_str_z(name), value};
}

/* A head that no client would take is our fault, and said to be. */
static bool
replace_if_too_long(struct vl_exchange *x)
{
    struct vl_buf *out = &x->server->out;
    if (!out->failed && vl_buf_size(out) <= HEAD_MAX)
        return false;
    vl_http_wipe(out);
    add_status(x->server, 500);
    add_length(out, 0);
    end_head(out, false);
    x->keep = false;
    return true;
}

static void
finish(struct vl_exchange *x)
{
    struct vl_connection *conn = x->conn;
    bool keep = x->keep;
    vl_exchange_drop(x);
    if (conn)
        vl_connection_answered(conn, keep);
}

void
vl_exchange_reply(struct vl_exchange *x, const struct vl_reply *reply)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_HANDLED);
    struct vl_http_server *server = x->server;
    if (!x->conn) {
        vl_exchange_drop(x);
        return;
    }
    vl_server_enter(server);
    struct vl_buf *out = &server->out;
    struct vl_str body = reply->body;
    x->keep = x->keep && !reply->close && !server->draining;
    add_headers(x, reply);
    if (!has_no_body(reply->status))
        add_length(out, body.n);
    end_head(out, x->keep);
    if (replace_if_too_long(x) || x->bodiless || has_no_body(reply->status))
        body = (struct vl_str){NULL, 0};
    if (x->cut_short)
        cut(out, &body);
    send_out(x->conn, body);
    finish(x);
    vl_server_leave(server);
}

void
vl_exchange_start(struct vl_exchange *x, const struct vl_reply *reply)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_HANDLED);
    x->stage = VL_EXCHANGE_STREAMED;
    if (!x->conn)
        return;
    struct vl_http_server *server = x->server;
    vl_server_enter(server);
    x->bodiless = x->bodiless || has_no_body(reply->status);
    x->chunked = x->intake->parser.minor == 1;
    x->keep = x->keep && !reply->close && !server->draining;
    add_headers(x, reply);
    if (x->chunked && !has_no_body(reply->status))
        vl_buf_add(&server->out, VL_STR("Transfer-Encoding: chunked\r\n"));
    end_head(&server->out, x->keep);
    x->bodiless = replace_if_too_long(x) || x->bodiless;
    if (reply->body.n == 0 || x->bodiless) {
        send_out(x->conn, (struct vl_str){NULL, 0});
        vl_connection_wait(x->conn);
    } else {
        (void)vl_exchange_write(x, reply->body); /* head and chunk together */
    }
    vl_exchange_tell_close_soon(x);
    vl_server_leave(server);
}

bool
vl_exchange_write(struct vl_exchange *x, struct vl_str bytes)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_STREAMED);
    if (!x->conn || x->bodiless)
        return true;
    struct vl_connection *conn = x->conn;
    struct vl_buf *out = &conn->server->out;
    if (bytes.n > 0 && x->chunked) {
        char head[VL_CHUNK_HEAD_SIZE];
        vl_buf_add(out, vl_str_of(head, vl_chunk_head(bytes.n, head)));
        bool small = bytes.n <= SMALL_BODY;
        if (small)
            vl_buf_add(out, bytes);
        else
            send_out(conn, bytes);
        vl_buf_add(out, VL_STR("\r\n"));
        send_out(conn, (struct vl_str){NULL, 0});
    } else if (bytes.n > 0) {
        send_out(conn, bytes);
    }
    vl_connection_wait(conn);
    return vl_stream_waiting(conn->stream) < VL_LIMIT_STREAM_HIGH;
}

void
vl_exchange_finish(struct vl_exchange *x)
{
    VL_ASSERT(x->stage == VL_EXCHANGE_STREAMED);
    struct vl_http_server *server = x->server;
    if (!x->conn) {
        vl_exchange_drop(x);
        return;
    }
    vl_server_enter(server);
    /* last-chunk CRLF */
    if (!x->bodiless && x->chunked)
        vl_connection_write(x->conn, VL_STR("0\r\n\r\n"));
    x->keep = x->keep && (x->chunked || x->bodiless);
    finish(x);
    vl_server_leave(server);
}
