/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are looked at while they come: http/fetch against a peer on
 * loopback that sends what the test tells it, when the test does.
 */
#define _GNU_SOURCE /* memmem */
#include "vl_test.h"

#include "core/buf.h"
#include "core/sys.h"
#include "http/fetch.h"
#include "io/stream.h"

#define PATIENCE_MS 20000
#define GOT_MAX     ((size_t)8 * 1024 * 1024)

enum { CONNECTIONS_MAX = 8 };

struct bench;

struct connection {
    struct bench *bench;
    struct vl_stream *stream;
    struct vl_buf got;
    bool ended;
};

struct bench {
    struct vl_loop *loop;
    struct vl_timer *pulse; /* so that no step waits for ever */
    struct vl_fetcher *fetcher;
    struct vl_listener *listener;
    struct connection connections[CONNECTIONS_MAX];
    size_t connected;
    char url[64];
    struct vl_fetch_request request;
    struct vl_fetch *fetch;
    /* What was told. */
    int heads, pieces, dones;
    int http;
    char header[64]; /* x-test */
    struct vl_buf body;
    valet_status status;
    valet_error err;
    unsigned attempts;
    /* What the hooks do. */
    enum deed { NOTHING, ABORT, FREE, HOLD, ASK } at_head, at_piece;
    struct vl_fetch *second;
    int second_dones;
};

static void
pulse(void *ctx)
{
    struct bench *b = ctx;
    vl_timer_start(b->pulse, 5);
}

#define UNTIL(b, condition)                                                    \
    do {                                                                       \
        int64_t until_end_ = vl_mono_now() + PATIENCE_MS;                      \
        while (!(condition)) {                                                 \
            vl_loop_step((b)->loop);                                           \
            if (vl_mono_now() > until_end_)                                    \
                fail_msg("waited in vain for: %s", #condition);                \
        }                                                                      \
    } while (0)

/* Long enough for what should not happen to happen. */
static void
wait_ms(struct bench *b, int64_t ms)
{
    int64_t end = vl_mono_now() + ms;
    while (vl_mono_now() < end)
        vl_loop_step(b->loop);
}

/* --- the peer --- */

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct connection *c = ctx;
    vl_buf_add(&c->got, bytes);
}

static void
on_end(valet_status status, void *ctx)
{
    struct connection *c = ctx;
    (void)status;
    c->ended = true;
}

static const struct vl_stream_events events = {on_read, on_end, NULL};

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct bench *b = ctx;
    assert_true(b->connected < CONNECTIONS_MAX);
    struct connection *c = &b->connections[b->connected++];
    *c = (struct connection){
        .bench = b, .stream = stream, .got = vl_buf_of(GOT_MAX)};
    vl_stream_attach(stream, &events, c);
}

static void
hang_up(struct connection *c)
{
    if (c->stream)
        vl_stream_close(c->stream);
    c->stream = NULL;
}

static bool
has_got(struct bench *b, size_t i, const char *text)
{
    struct vl_str got = vl_buf_str(&b->connections[i].got);
    return got.n && memmem(got.p, got.n, text, strlen(text));
}

/* On the first connection. */
static void
say(struct bench *b, const char *text)
{
    vl_stream_write(b->connections[0].stream, vl_str_z(text));
}

/* --- who reads --- */

static void
second_done(valet_status status, const struct vl_fetch_answer *answer,
            const valet_error *err, void *ctx)
{
    struct bench *b = ctx;
    (void)err;
    assert_int_equal(status, VALET_OK);
    assert_int_equal(answer->status, 202);
    b->second_dones++;
}

static void
act(struct bench *b, enum deed what)
{
    struct vl_fetch_request request = {.method = "POST", .url = b->url};
    switch (what) {
    case ABORT:
        vl_fetch_abort(&b->fetch);
        break;
    case FREE:
        vl_fetcher_free(b->fetcher);
        b->fetcher = NULL;
        break;
    case HOLD:
        vl_fetch_hold(b->fetch, true);
        break;
    case ASK:
        b->second = vl_fetch_start(b->fetcher, &request, second_done, b);
        break;
    default:
        break;
    }
}

static void
on_head(int status, const struct vl_headers *headers, void *ctx)
{
    struct bench *b = ctx;
    struct vl_str value = vl_headers_get(headers, "x-test");
    (void)snprintf(b->header, sizeof b->header, VL_STR_FMT, VL_STR_ARG(value));
    b->heads++;
    b->http = status;
    act(b, b->at_head);
}

static void
on_piece(struct vl_str bytes, void *ctx)
{
    struct bench *b = ctx;
    assert_int_equal(b->heads, 1);
    assert_int_equal(b->dones, 0);
    assert_true(bytes.n > 0);
    b->pieces++;
    vl_buf_add(&b->body, bytes);
    act(b, b->at_piece);
}

static void
on_done(valet_status status, const struct vl_fetch_answer *answer,
        const valet_error *err, void *ctx)
{
    struct bench *b = ctx;
    b->dones++;
    b->status = status;
    b->err = *err;
    assert_true((status == VALET_OK) == (answer != NULL));
    if (answer) {
        assert_int_equal(answer->status, b->http);
        assert_int_equal(answer->body.n, 0);
        b->attempts = answer->attempts;
    }
}

static const struct vl_fetch_stream stream = {on_head, on_piece};

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    *b = (struct bench){.body = vl_buf_of(GOT_MAX)};
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->pulse = vl_timer_new(b->loop, pulse, b);
    pulse(b);
    b->fetcher = vl_fetcher_new(b->loop);
    assert_ok(vl_listener_open(b->loop, "127.0.0.1", 0, on_accept, b,
                               &b->listener, NULL));
    (void)snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u/mcp",
                   vl_listener_port(b->listener));
    b->request = (struct vl_fetch_request){
        .method = "GET", .url = b->url, .stream = &stream};
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_fetcher_free(b->fetcher);
    for (size_t i = 0; i < b->connected; i++) {
        hang_up(&b->connections[i]);
        vl_buf_done(&b->connections[i].got);
    }
    vl_listener_close(b->listener);
    vl_timer_free(b->pulse);
    vl_loop_free(b->loop);
    vl_buf_done(&b->body);
    free(b);
    return 0;
}

static void
start(struct bench *b)
{
    b->fetch = vl_fetch_start(b->fetcher, &b->request, on_done, b);
    assert_int_equal(b->heads + b->dones, 0);
}

static void
start_and_arrive(struct bench *b)
{
    start(b);
    UNTIL(b, b->connected && has_got(b, 0, "\r\n\r\n"));
}

#define HEAD                                                                   \
    "HTTP/1.1 200 OK\r\nX-Test: yes\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
assert_body(struct bench *b, const char *text)
{
    assert_string_equal(vl_buf_cstr(&b->body), text);
}

/* --- as it comes --- */

static void
tells_the_head_then_pieces_then_the_end(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, HEAD);
    UNTIL(b, b->heads);
    assert_int_equal(b->http, 200);
    assert_string_equal(b->header, "yes");
    say(b, "2\r\nhi\r\n");
    UNTIL(b, b->pieces);
    assert_body(b, "hi");
    say(b, "4\r\n you\r\n");
    say(b, "1\r\n!\r\n");
    assert_int_equal(b->dones, 0);
    say(b, "0\r\n\r\n");
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(b->http, 200);
    assert_body(b, "hi you!");
    assert_int_equal(b->heads, 1);
    assert_int_equal(b->attempts, 1);
}

static void
tells_one_head_after_interim_answers(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n");
    wait_ms(b, 50);
    assert_int_equal(b->heads, 0);
    say(b, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-T");
    wait_ms(b, 50);
    assert_int_equal(b->heads, 0);
    say(b, "est: yes\r\nContent-Length: 2\r\n\r\nhi");
    UNTIL(b, b->dones);
    assert_int_equal(b->heads, 1);
    assert_string_equal(b->header, "yes");
    assert_body(b, "hi");
}

static void
tells_the_head_of_an_answer_without_a_body(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    UNTIL(b, b->dones);
    assert_int_equal(b->heads, 1);
    assert_int_equal(b->http, 202);
    assert_int_equal(b->pieces, 0);
}

static void
has_no_maximum(void **state)
{
    struct bench *b = *state;
    char piece[65536 + 1];
    size_t sent = 0;
    start_and_arrive(b);
    say(b, "HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n");
    memset(piece, 'x', sizeof piece - 1);
    piece[sizeof piece - 1] = '\0';
    for (; sent < 2097152; sent += sizeof piece - 1)
        say(b, piece);
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(vl_buf_size(&b->body), sent);
}

static void
its_time_ends_with_the_head(void **state)
{
    struct bench *b = *state;
    b->request.total_ms = 150;
    start_and_arrive(b);
    say(b, HEAD);
    wait_ms(b, 400);
    assert_int_equal(b->heads, 1);
    assert_int_equal(b->dones, 0);
    say(b, "2\r\nhi\r\n0\r\n\r\n");
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
    assert_body(b, "hi");
}

static void
gives_up_when_no_head_comes(void **state)
{
    struct bench *b = *state;
    b->request.total_ms = 100;
    b->request.attempts = 3;
    start_and_arrive(b);
    say(b, "HTTP/1.1 200 OK\r\nX-Test: y");
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_RETRY);
    assert_non_null(strstr(b->err.message, "in time"));
    assert_int_equal(b->heads, 0);
    UNTIL(b, b->connections[0].ended);
}

static void
tells_that_it_broke_off(void **state)
{
    struct bench *b = *state;
    b->request.attempts = 3;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->pieces);
    hang_up(&b->connections[0]);
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_RETRY);
    assert_body(b, "hi");
    assert_int_equal(b->connected, 1); /* what was told is not asked again */
}

static void
an_answer_that_is_told_is_not_asked_for_again(void **state)
{
    struct bench *b = *state;
    b->request.attempts = 3;
    start_and_arrive(b);
    say(b, "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\n"
           "busy");
    UNTIL(b, b->dones);
    assert_int_equal(b->http, 503);
    assert_body(b, "busy");
}

static void
asks_again_while_nothing_was_told(void **state)
{
    struct bench *b = *state;
    b->request.attempts = 2;
    start_and_arrive(b);
    hang_up(&b->connections[0]);
    UNTIL(b, b->connected == 2 && has_got(b, 1, "\r\n\r\n"));
    vl_stream_write(b->connections[1].stream,
                    VL_STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
    UNTIL(b, b->dones);
    assert_int_equal(b->attempts, 2);
    assert_body(b, "hi");
}

static void
refuses_too_many_headers(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int i = 0; i < VL_LIMIT_HEADERS; i++)
        say(b, "a: b\r\n");
    say(b, "\r\n");
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_RETRY);
    assert_int_equal(b->heads, 0);
}

/* --- holding --- */

static void
comes_no_further_while_it_is_held(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->pieces);
    vl_fetch_hold(b->fetch, true);
    vl_fetch_hold(b->fetch, true);
    say(b, "2\r\nho\r\n");
    wait_ms(b, 50);
    assert_body(b, "hi");
    vl_fetch_hold(b->fetch, false);
    assert_body(b, "hi"); /* not before it has returned */
    UNTIL(b, vl_buf_size(&b->body) == 4);
    vl_fetch_hold(b->fetch, true);
    say(b, "0\r\n\r\n");
    wait_ms(b, 50);
    vl_fetch_hold(b->fetch, false);
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
    assert_body(b, "hiho");
}

/* Also when all of it has come, and when libcurl has been done with it. */
static void
may_be_held_from_its_head_on(void **state)
{
    struct bench *b = *state;
    b->at_head = HOLD;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n0\r\n\r\n");
    wait_ms(b, 50);
    assert_int_equal(b->heads, 1);
    assert_int_equal(b->pieces + b->dones, 0);
    vl_fetch_hold(b->fetch, false);
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
    assert_body(b, "hi");
}

static void
may_be_held_before_its_head(void **state)
{
    struct bench *b = *state;
    start(b);
    vl_fetch_hold(b->fetch, true);
    UNTIL(b, b->connected && has_got(b, 0, "\r\n\r\n"));
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->heads);
    wait_ms(b, 50);
    assert_int_equal(b->pieces, 0);
    vl_fetch_hold(b->fetch, false);
    UNTIL(b, b->pieces);
    vl_fetch_hold(b->fetch, true);
    vl_fetch_abort(&b->fetch); /* while it is held */
    UNTIL(b, b->connections[0].ended);
}

/* The peer cannot fill our memory: what it sends waits in the kernel. */
static void
what_is_held_is_not_read(void **state)
{
    struct bench *b = *state;
    static char piece[1024 * 1024 + 1];
    b->at_piece = HOLD;
    start_and_arrive(b);
    say(b, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 32; i++)
        say(b, piece);
    wait_ms(b, 200);
    assert_int_equal(b->pieces, 1);
    assert_true(vl_stream_waiting(b->connections[0].stream) > 4194304);
    vl_fetch_abort(&b->fetch);
}

static void
all_of_it_comes_however_often_it_is_held(void **state)
{
    struct bench *b = *state;
    static char piece[1024 * 1024 + 1];
    b->at_piece = HOLD;
    start_and_arrive(b);
    say(b, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 4; i++)
        say(b, piece);
    int64_t end = vl_mono_now() + PATIENCE_MS;
    while (!b->dones && vl_mono_now() < end) {
        vl_loop_step(b->loop);
        if (!b->dones)
            vl_fetch_hold(b->fetch, false);
    }
    assert_int_equal(b->dones, 1);
    assert_int_equal(b->status, VALET_OK);
    assert_int_equal(vl_buf_size(&b->body), 4194304);
    assert_true(b->pieces > 1);
}

/* --- what hooks do --- */

static void
may_be_aborted_by_its_head(void **state)
{
    struct bench *b = *state;
    b->at_head = ABORT;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n0\r\n\r\n");
    UNTIL(b, b->heads);
    wait_ms(b, 50);
    assert_null(b->fetch);
    assert_int_equal(b->pieces + b->dones, 0);
}

static void
may_be_aborted_by_a_piece(void **state)
{
    struct bench *b = *state;
    b->at_piece = ABORT;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->connections[0].ended);
    assert_int_equal(b->pieces, 1);
    assert_int_equal(b->dones, 0);
}

static void
the_fetcher_may_be_freed_by_a_hook(void **state)
{
    struct bench *b = *state;
    b->at_head = b->request.total_ms ? NOTHING : FREE;
    b->at_piece = FREE;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->connections[0].ended);
    assert_null(b->fetcher);
    assert_int_equal(b->dones, 0);
}

static void
the_fetcher_may_be_freed_by_a_piece(void **state)
{
    struct bench *b = *state;
    b->request.total_ms = PATIENCE_MS;
    the_fetcher_may_be_freed_by_a_hook(state);
}

static void
the_fetcher_may_be_freed_by_a_piece_that_was_held(void **state)
{
    struct bench *b = *state;
    b->at_head = HOLD;
    b->at_piece = FREE;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n0\r\n\r\n");
    UNTIL(b, b->heads);
    wait_ms(b, 20);
    vl_fetch_hold(b->fetch, false);
    UNTIL(b, !b->fetcher);
    assert_int_equal(b->dones, 0);
}

static void
others_may_be_started_by_a_piece(void **state)
{
    struct bench *b = *state;
    b->at_piece = ASK;
    start_and_arrive(b);
    say(b, HEAD "2\r\nhi\r\n");
    UNTIL(b, b->connected == 2 && has_got(b, 1, "\r\n\r\n"));
    vl_stream_write(
        b->connections[1].stream,
        VL_STR("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
    UNTIL(b, b->second_dones);
    say(b, "0\r\n\r\n");
    UNTIL(b, b->dones);
    assert_int_equal(b->status, VALET_OK);
}

static void
an_abort_closes_its_connection(void **state)
{
    struct bench *b = *state;
    start_and_arrive(b);
    say(b, HEAD);
    UNTIL(b, b->heads);
    vl_fetch_abort(&b->fetch);
    UNTIL(b, b->connections[0].ended);
    assert_int_equal(b->dones, 0);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        CASE(tells_the_head_then_pieces_then_the_end),
        CASE(tells_one_head_after_interim_answers),
        CASE(tells_the_head_of_an_answer_without_a_body),
        CASE(has_no_maximum),
        CASE(its_time_ends_with_the_head),
        CASE(gives_up_when_no_head_comes),
        CASE(tells_that_it_broke_off),
        CASE(an_answer_that_is_told_is_not_asked_for_again),
        CASE(asks_again_while_nothing_was_told),
        CASE(refuses_too_many_headers),
        CASE(comes_no_further_while_it_is_held),
        CASE(may_be_held_from_its_head_on),
        CASE(may_be_held_before_its_head),
        CASE(what_is_held_is_not_read),
        CASE(all_of_it_comes_however_often_it_is_held),
        CASE(may_be_aborted_by_its_head),
        CASE(may_be_aborted_by_a_piece),
        CASE(the_fetcher_may_be_freed_by_a_hook),
        CASE(the_fetcher_may_be_freed_by_a_piece),
        CASE(the_fetcher_may_be_freed_by_a_piece_that_was_held),
        CASE(others_may_be_started_by_a_piece),
        CASE(an_abort_closes_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
