/* SPDX-License-Identifier: Apache-2.0
 *
 * http/fetch against a peer on loopback that plays a script: for each request
 * the next answer, whatever the request was.
 */
#define _GNU_SOURCE /* memmem */
#include "vl_test.h"

#include "core/buf.h"
#include "core/sys.h"
#include "http/fetch.h"
#include "http/url.h"
#include "io/stream.h"

enum { ANSWERS_MAX = 8, CONNECTIONS_MAX = 8 };

struct peer;

struct connection {
    struct peer *peer;
    struct vl_stream *stream;
    struct vl_buf got;
};

struct peer {
    struct vl_listener *listener;
    const char *answers[ANSWERS_MAX]; /* NULL: silence */
    size_t next;
    struct vl_buf requests[ANSWERS_MAX];
    size_t seen;
    struct connection connections[CONNECTIONS_MAX];
    size_t connected;
};

static void
drop(struct connection *c)
{
    if (c->stream)
        vl_stream_close(c->stream);
    c->stream = NULL;
    vl_buf_done(&c->got);
}

/* The size of the first request in `text`, or 0 when it is not complete. */
static size_t
request_size(struct vl_str text)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end = memmem(text.p, text.n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - text.p) + 4;
    const char *length = memmem(text.p, head, name, sizeof name - 1);
    if (!length)
        return head;
    uint64_t body = 0;
    struct vl_str rest =
        vl_str_from(text, (size_t)(length - text.p) + sizeof name - 1);
    assert_true(vl_str_u64(vl_str_head(rest, vl_str_index(rest, '\r')),
                           VL_LIMIT_FETCH_BODY, &body));
    return text.n < head + body ? 0 : head + (size_t)body;
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct connection *c = ctx;
    struct peer *peer = c->peer;
    vl_buf_add(&c->got, bytes);
    size_t size = request_size(vl_buf_str(&c->got));
    if (size == 0)
        return;
    assert_true(peer->seen < ANSWERS_MAX);
    peer->requests[peer->seen] = vl_buf_of(VL_LIMIT_FETCH_BODY);
    vl_buf_add(&peer->requests[peer->seen],
               vl_str_head(vl_buf_str(&c->got), size));
    peer->seen++;
    vl_buf_consume(&c->got, size);
    const char *answer = peer->answers[peer->next++];
    if (answer && strcmp(answer, "hang up") == 0)
        drop(c);
    else if (answer)
        vl_stream_write(c->stream, vl_str_z(answer));
}

static void
on_end(valet_status status, void *ctx)
{
    (void)status;
    drop(ctx);
}

static const struct vl_stream_events peer_events = {on_read, on_end, NULL};

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct peer *peer = ctx;
    assert_true(peer->connected < CONNECTIONS_MAX);
    struct connection *c = &peer->connections[peer->connected++];
    *c = (struct connection){
        .peer = peer, .stream = stream, .got = vl_buf_of(VL_LIMIT_FETCH_BODY)};
    vl_stream_attach(stream, &peer_events, c);
}

static void
open_peer(struct peer *peer, struct vl_loop *loop)
{
    *peer = (struct peer){0};
    assert_ok(vl_listener_open(loop, "127.0.0.1", 0, on_accept, peer,
                               &peer->listener, NULL));
}

static void
close_peer(struct peer *peer)
{
    for (size_t i = 0; i < peer->connected; i++)
        drop(&peer->connections[i]);
    for (size_t i = 0; i < peer->seen; i++)
        vl_buf_done(&peer->requests[i]);
    vl_listener_close(peer->listener);
    peer->listener = NULL;
}

/* --- one fetch and what became of it --- */

struct bench {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct peer peer;
    char url[128];
    struct vl_fetch_request request;
    struct vl_fetch *fetch;
    int calls;
    valet_status status;
    int http;
    unsigned attempts;
    int64_t retry_after_ms;
    char body[64];
    char header[64]; /* x-test */
    valet_error err;
    /* What the callback does besides. */
    bool abort_self, free_fetcher, start_again;
};

static void done(valet_status status, const struct vl_fetch_answer *answer,
                 const valet_error *err, void *ctx);

static void
copy_text(char *to, size_t size, struct vl_str from)
{
    assert_true(from.n < size);
    if (from.n)
        memcpy(to, from.p, from.n);
    to[from.n] = '\0';
}

static void
done(valet_status status, const struct vl_fetch_answer *answer,
     const valet_error *err, void *ctx)
{
    struct bench *b = ctx;
    b->calls++;
    b->status = status;
    b->err = *err;
    assert_true((status == VALET_OK) == (answer != NULL));
    if (answer) {
        b->http = answer->status;
        b->attempts = answer->attempts;
        b->retry_after_ms = answer->retry_after_ms;
        copy_text(b->body, sizeof b->body, answer->body);
        copy_text(b->header, sizeof b->header,
                  vl_headers_get(answer->headers, "X-Test"));
    }
    if (b->abort_self)
        vl_fetch_abort(&b->fetch);
    if (b->free_fetcher) {
        vl_fetcher_free(b->fetcher);
        b->fetcher = NULL;
    }
    if (b->start_again) {
        b->start_again = false;
        b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
        b->calls--;
    }
    if (b->calls)
        vl_loop_stop(b->loop);
}

static void
point_at(struct bench *b, const struct peer *peer)
{
    (void)snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u/path?a=b",
                   vl_listener_port(peer->listener));
}

/* All of it is true of both who carry requests. */
static bool is_small;

static struct vl_fetcher *
make_fetcher(struct vl_loop *loop)
{
    return is_small ? vl_fetcher_new_small(loop) : vl_fetcher_new(loop);
}

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    *b = (struct bench){0};
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->fetcher = make_fetcher(b->loop);
    open_peer(&b->peer, b->loop);
    point_at(b, &b->peer);
    b->request = (struct vl_fetch_request){.method = "GET", .url = b->url};
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_fetcher_free(b->fetcher);
    close_peer(&b->peer);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

static void
run(struct bench *b)
{
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    assert_int_equal(b->calls, 0); /* starting does not call back */
    vl_loop_run(b->loop);
    assert_int_equal(b->calls, 1);
}

static bool
request_has(const struct peer *peer, size_t i, const char *text)
{
    struct vl_str got = vl_buf_str(&peer->requests[i]);
    return memmem(got.p, got.n, text, strlen(text)) != NULL;
}

#define OK_HI "HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 2\r\n\r\nhi"

/* --- plain requests --- */

static void
gets_a_document(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = OK_HI;
    b->request.headers[0] =
        (struct vl_header){VL_STR("Accept"), VL_STR("application/json")};
    b->request.headers[1] = (struct vl_header){VL_STR("X-Empty"), VL_STR(" ")};
    b->request.header_count = 2;
    run(b);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(b->http, 200);
    assert_int_equal(b->attempts, 1);
    assert_int_equal(b->retry_after_ms, -1);
    assert_string_equal(b->body, "hi");
    assert_string_equal(b->header, "yes");
    assert_true(request_has(&b->peer, 0, "GET /path?a=b HTTP/1.1\r\n"));
    assert_true(request_has(&b->peer, 0, "\r\nUser-Agent: mcp-valet\r\n"));
    assert_true(request_has(&b->peer, 0, "\r\nAccept: application/json\r\n"));
    assert_true(request_has(&b->peer, 0, "\r\nX-Empty:"));
    assert_false(request_has(&b->peer, 0, "Authorization"));
    assert_false(request_has(&b->peer, 0, "Expect"));
}

static void
posts_a_form_with_a_bearer_and_keeps_copies(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = OK_HI;
    char form[] = "grant_type=refresh_token&refresh_token=r";
    struct vl_secret bearer = vl_secret_of(VL_STR("abc.def"));
    b->request.method = "POST";
    b->request.form = vl_str_z(form);
    b->request.bearer = &bearer;
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    /* Everything was copied: the caller's memory may go. */
    memset(form, 'x', sizeof form - 1);
    memset(b->url, 'x', sizeof b->url - 1);
    vl_secret_done(&bearer);
    vl_loop_run(b->loop);
    assert_int_equal(b->status, VALET_OK);
    assert_true(request_has(&b->peer, 0, "POST /path?a=b HTTP/1.1\r\n"));
    assert_true(
        request_has(&b->peer, 0, "\r\nAuthorization: Bearer abc.def\r\n"));
    assert_true(request_has(
        &b->peer, 0, "\r\nContent-Type: application/x-www-form-urlencoded"));
    assert_true(request_has(
        &b->peer, 0, "\r\n\r\ngrant_type=refresh_token&refresh_token=r"));
}

static void
keeps_the_connection_and_no_cookies(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\n"
                         "Content-Length: 0\r\n\r\n";
    b->peer.answers[1] = OK_HI;
    run(b);
    b->calls = 0;
    run(b);
    assert_int_equal(b->http, 200);
    assert_int_equal(b->peer.connected, 1);
    assert_false(request_has(&b->peer, 1, "Cookie"));
}

static void
takes_the_final_answer_without_trailers(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhi\r\n0\r\nX-Test: trailer\r\n\r\n";
    run(b);
    if (is_small) {
        /* Strict: what nobody needs is not read. */
        assert_int_equal(b->status, VALET_RETRY);
        return;
    }
    assert_int_equal(b->http, 200);
    assert_string_equal(b->body, "hi");
    assert_string_equal(b->header, "");
}

static void
does_not_follow_redirects(void **state)
{
    struct bench *b = *state;
    struct peer other;
    char answer[256];
    open_peer(&other, b->loop);
    other.answers[0] = OK_HI;
    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/\r\n"
                   "Content-Length: 0\r\n\r\n",
                   vl_listener_port(other.listener));
    b->peer.answers[0] = answer;
    struct vl_secret bearer = vl_secret_of(VL_STR("abc"));
    b->request.bearer = &bearer;
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(b->http, 302);
    /* The token went to one host, once. */
    assert_int_equal(b->peer.seen, 1);
    assert_int_equal(other.connected, 0);
    vl_secret_done(&bearer);
    close_peer(&other);
}

static void
asks_no_proxy_for_this_machine(void **state)
{
    struct bench *b = *state;
    /* Port 9 of loopback: nobody is there. */
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    setenv("all_proxy", "http://127.0.0.1:9", 1);
    b->peer.answers[0] = OK_HI;
    run(b);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(b->status, VALET_OK);
}

/* --- retries --- */

/* @spec S-100 */
static void
asks_again_after_429(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\n"
                         "X-Test: old\r\nContent-Length: 3\r\n\r\nold";
    b->peer.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew";
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->http, 200);
    assert_int_equal(b->attempts, 2);
    assert_int_equal(b->retry_after_ms, -1);
    assert_string_equal(b->body, "new");
    assert_string_equal(b->header, "");
}

/* @spec S-100 */
static void
waits_for_the_date_of_503(void **state)
{
    struct bench *b = *state;
    char answer[256], date[64];
    time_t at = time(NULL) + 2;
    struct tm utc;
    assert_non_null(gmtime_r(&at, &utc));
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 503 Busy\r\nRetry-After: %s\r\n"
                   "Content-Length: 0\r\n\r\n",
                   date);
    b->peer.answers[0] = answer;
    b->peer.answers[1] = OK_HI;
    b->request.attempts = 2;
    run(b);
    assert_int_equal(b->http, 200);
    assert_int_equal(b->attempts, 2);
    /* time() may lag behind this clock by a tick. */
    assert_true(vl_clock_now(&vl_clock_system) / 1000 >= at);
}

/* @spec S-100 */
static void
backs_off_when_no_time_is_given(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n";
    b->peer.answers[1] = "HTTP/1.1 504 Late\r\nContent-Length: 0\r\n"
                         "Retry-After: soon\r\n\r\n";
    b->peer.answers[2] = OK_HI;
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->http, 200);
    assert_int_equal(b->attempts, 3);
}

static void
stops_after_the_last_attempt(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < 4; i++)
        b->peer.answers[i] = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n"
                             "Content-Length: 4\r\n\r\nbusy";
    b->request.attempts = 2;
    run(b);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(b->http, 503);
    assert_int_equal(b->attempts, 2);
    assert_int_equal(b->retry_after_ms, 0);
    assert_string_equal(b->body, "busy");
    assert_int_equal(b->peer.seen, 2);
}

static void
does_not_ask_again_unless_told_to(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 429 Slow down\r\nRetry-After: 0\r\n"
                         "Content-Length: 0\r\n\r\n";
    run(b);
    assert_int_equal(b->http, 429);
    assert_int_equal(b->peer.seen, 1);
}

static void
does_not_ask_again_after_other_errors(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 500 Oops\r\nRetry-After: 0\r\n"
                         "Content-Length: 0\r\n\r\n";
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->http, 500);
    assert_int_equal(b->peer.seen, 1);
}

static void
answers_at_once_when_waiting_would_take_too_long(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 429 Slow down\r\nRetry-After: 3600\r\n"
                         "Content-Length: 0\r\n\r\n";
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->http, 429);
    assert_int_equal(b->attempts, 1);
    assert_int_equal(b->retry_after_ms, 3600000);
}

static void
asks_again_when_the_connection_breaks(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "hang up";
    b->peer.answers[1] = OK_HI;
    b->request.attempts = 2;
    run(b);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(b->attempts, 2);
}

/* --- failures --- */

static void
tells_that_nobody_is_there(void **state)
{
    struct bench *b = *state;
    close_peer(&b->peer);
    b->request.attempts = 2;
    run(b);
    assert_int_equal(b->status, VALET_RETRY);
    assert_int_equal(b->err.status, VALET_RETRY);
    assert_non_null(strstr(b->err.message, "127.0.0.1"));
    assert_null(strstr(b->err.message, "path"));
}

static void
tells_that_the_peer_speaks_no_tls(void **state)
{
    struct bench *b = *state;
    (void)snprintf(b->url, sizeof b->url, "https://127.0.0.1:%u/",
                   vl_listener_port(b->peer.listener));
    b->request.total_ms = 300;
    run(b);
    assert_int_equal(b->status, VALET_RETRY);
}

static void
refuses_an_announced_body_that_is_too_large(void **state)
{
    struct bench *b = *state;
    b->peer.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n";
    b->request.attempts = 3;
    run(b);
    assert_int_equal(b->status, VALET_LIMIT);
    assert_int_equal(b->peer.seen, 1);
}

/* A head, then `n` times 'x', as one answer. */
static char *
pad(const char *head, size_t n, const char *end)
{
    size_t before = strlen(head), after = strlen(end);
    char *text = vl_alloc(before + n + after + 1);
    memcpy(text, head, before);
    memset(text + before, 'x', n);
    memcpy(text + before + n, end, after + 1);
    return text;
}

/* @spec S-43 */
static void
refuses_a_body_that_grows_too_large(void **state)
{
    struct bench *b = *state;
    char *answer = pad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "40001\r\n",
                       VL_LIMIT_FETCH_BODY + 1, "\r\n0\r\n\r\n");
    b->peer.answers[0] = answer;
    run(b);
    free(answer);
    assert_int_equal(b->status, VALET_LIMIT);
}

static void
refuses_a_head_that_is_too_large(void **state)
{
    struct bench *b = *state;
    char *answer = pad("HTTP/1.1 200 OK\r\nX-Test: ", VL_LIMIT_HEAD,
                       "\r\nContent-Length: 0\r\n\r\n");
    b->peer.answers[0] = answer;
    run(b);
    free(answer);
    assert_int_equal(b->status, VALET_LIMIT);
}

static void
refuses_too_many_headers(void **state)
{
    struct bench *b = *state;
    vl_auto(vl_buf) answer = vl_buf_of(VL_LIMIT_HEAD);
    vl_buf_addz(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int i = 0; i < VL_LIMIT_HEADERS; i++)
        vl_buf_addz(&answer, "a: b\r\n");
    vl_buf_addz(&answer, "\r\n");
    b->peer.answers[0] = vl_buf_cstr(&answer);
    run(b);
    assert_int_equal(b->status, is_small ? VALET_RETRY : VALET_LIMIT);
}

/* @spec S-43 W-87 */
static void
gives_up_on_a_silent_peer(void **state)
{
    struct bench *b = *state;
    b->request.total_ms = 150;
    b->request.attempts = 5;
    run(b);
    assert_int_equal(b->status, VALET_RETRY);
    assert_non_null(strstr(b->err.message, "in time"));
    assert_int_equal(b->peer.seen, 1);
}

/* --- what is never sent --- */

static void
assert_refused(struct bench *b)
{
    b->calls = 0;
    run(b);
    assert_int_equal(b->status, VALET_INVALID);
    assert_true(b->err.message[0]);
    assert_int_equal(b->peer.connected, 0);
}

/* @spec S-96 */
static void
refuses_urls_that_would_leave_in_the_clear(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = {
        "http://192.0.2.1/",
        "http://localhost.example/",
        "http://user@localhost/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "localhost",
        "",
        "https://",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/#f",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        b->request.url = bad[i];
        assert_refused(b);
    }
}

static void
refuses_requests_that_would_smuggle(void **state)
{
    struct bench *b = *state;
    static const struct vl_header bad[] = {
        {{"A b", 3}, {"c", 1}},  {{"", 0}, {"c", 1}},
        {{"A:", 2}, {"c", 1}},   {{"A", 1}, {"b\r\nC: d", 7}},
        {{"A", 1}, {"b\0c", 3}}, {{"A", 1}, {"\xc3\xa9", 2}},
    };
    b->request.header_count = 1;
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        b->request.headers[0] = bad[i];
        assert_refused(b);
    }
    b->request.header_count = VL_COUNT(b->request.headers) + 1;
    assert_refused(b);
    b->request.header_count = 0;
    static const struct vl_str tokens[] = {{"", 0}, {"a b", 3}, {"a\nb", 3}};
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        struct vl_secret bearer = vl_secret_of(tokens[i]);
        b->request.bearer = &bearer;
        assert_refused(b);
        vl_secret_done(&bearer);
    }
    b->request.bearer = NULL;
    b->request.method = "PUT";
    assert_refused(b);
    b->request.method = "GET";
    b->request.form = VL_STR("a=b");
    assert_refused(b);
}

/* --- aborting --- */

static void
is_silent_after_abort(void **state)
{
    struct bench *b = *state;
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    while (b->peer.seen == 0)
        vl_loop_step(b->loop);
    vl_fetch_abort(&b->fetch); /* while the answer is awaited */
    assert_null(b->fetch);
    vl_fetch_abort(&b->fetch);
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    vl_fetch_abort(&b->fetch); /* before anything was sent */
    b->request.url = "ftp://x";
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    vl_fetch_abort(&b->fetch); /* before the refusal was told */
    b->request.url = b->url;
    b->peer.answers[1] = "HTTP/1.1 503 Busy\r\nRetry-After: 10\r\n"
                         "Content-Length: 0\r\n\r\n";
    b->request.attempts = 2;
    b->fetch = vl_fetch_start(b->fetcher, &b->request, done, b);
    while (b->peer.seen == 1)
        vl_loop_step(b->loop);
    vl_fetch_abort(&b->fetch); /* while it waits, or receives */
    assert_int_equal(b->calls, 0);
    b->request.attempts = 1;
    b->peer.answers[2] = OK_HI;
    run(b);
    assert_int_equal(b->http, 200);
}

static void
frees_what_is_in_flight(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++)
        (void)vl_fetch_start(b->fetcher, &b->request, done, b);
    while (b->peer.seen < 3)
        vl_loop_step(b->loop);
    vl_fetcher_free(b->fetcher);
    b->fetcher = NULL;
    assert_int_equal(b->calls, 0);
}

static void
may_be_aborted_in_its_own_callback(void **state)
{
    struct bench *b = *state;
    b->abort_self = true;
    b->peer.answers[0] = OK_HI;
    run(b);
    assert_null(b->fetch);
}

static void
may_free_the_fetcher_in_a_callback(void **state)
{
    struct bench *b = *state;
    b->free_fetcher = true;
    b->peer.answers[0] = b->peer.answers[1] = OK_HI;
    (void)vl_fetch_start(b->fetcher, &b->request, done, b);
    run(b);
    assert_null(b->fetcher);
}

static void
may_start_another_in_a_callback(void **state)
{
    struct bench *b = *state;
    b->start_again = true;
    b->peer.answers[0] = OK_HI;
    b->peer.answers[1] = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
    run(b);
    assert_int_equal(b->http, 404);
}

static void
costs_nothing_before_the_first_request(void **state)
{
    struct bench *b = *state;
    vl_fetcher_free(b->fetcher);
    vl_fetcher_free(NULL);
    b->fetcher = make_fetcher(b->loop);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        CASE(gets_a_document),
        CASE(posts_a_form_with_a_bearer_and_keeps_copies),
        CASE(keeps_the_connection_and_no_cookies),
        CASE(takes_the_final_answer_without_trailers),
        CASE(does_not_follow_redirects),
        CASE(asks_no_proxy_for_this_machine),
        CASE(asks_again_after_429),
        CASE(waits_for_the_date_of_503),
        CASE(backs_off_when_no_time_is_given),
        CASE(stops_after_the_last_attempt),
        CASE(does_not_ask_again_unless_told_to),
        CASE(does_not_ask_again_after_other_errors),
        CASE(answers_at_once_when_waiting_would_take_too_long),
        CASE(asks_again_when_the_connection_breaks),
        CASE(tells_that_nobody_is_there),
        CASE(tells_that_the_peer_speaks_no_tls),
        CASE(refuses_an_announced_body_that_is_too_large),
        CASE(refuses_a_body_that_grows_too_large),
        CASE(refuses_a_head_that_is_too_large),
        CASE(refuses_too_many_headers),
        CASE(gives_up_on_a_silent_peer),
        CASE(refuses_urls_that_would_leave_in_the_clear),
        CASE(refuses_requests_that_would_smuggle),
        CASE(is_silent_after_abort),
        CASE(frees_what_is_in_flight),
        CASE(may_be_aborted_in_its_own_callback),
        CASE(may_free_the_fetcher_in_a_callback),
        CASE(may_start_another_in_a_callback),
        CASE(costs_nothing_before_the_first_request),
    };
    int failed = cmocka_run_group_tests_name("by libcurl", tests, NULL, NULL);
    is_small = true;
    return failed +
           cmocka_run_group_tests_name("by our own client", tests, NULL, NULL);
}
