/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses that a stranger has named, in all the spellings that lead to this
 * machine and its networks. Nobody of this machine is connected to: what
 * listens here notices.
 */
#define _GNU_SOURCE /* memmem */
#include "vl_test.h"

#include <unistd.h>

#include "core/buf.h"
#include "core/sys.h"
#include "http/fetch.h"
#include "io/stream.h"

#define PATIENCE_MS 20000

struct bench {
    struct vl_loop *loop;
    struct vl_timer *pulse; /* so that no step waits for ever */
    struct vl_fetcher *fetcher;
    struct vl_listener *listener;
    unsigned port;
    struct vl_stream *stream; /* the last that connected */
    struct vl_buf got;
    size_t connected;
    bool is_done;
    valet_status status;
    valet_error err;
};

static void
pulse(void *ctx)
{
    struct bench *b = ctx;
    vl_timer_start(b->pulse, 5);
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct bench *b = ctx;
    vl_buf_add(&b->got, bytes);
    if (memmem(b->got.p, vl_buf_size(&b->got), "\r\n\r\n", 4))
        vl_stream_write(b->stream, VL_STR("HTTP/1.1 403 No\r\n"
                                          "Content-Length: 0\r\n\r\n"));
}

static void
on_end(valet_status status, void *ctx)
{
    (void)status;
    (void)ctx;
}

static const struct vl_stream_events events = {on_read, on_end, NULL};

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct bench *b = ctx;
    if (b->stream)
        vl_stream_close(b->stream);
    b->stream = stream;
    b->connected++;
    vl_stream_attach(stream, &events, b);
}

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    *b = (struct bench){.got = vl_buf_of(65536)};
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->pulse = vl_timer_new(b->loop, pulse, b);
    pulse(b);
    b->fetcher = vl_fetcher_new(b->loop);
    assert_ok(vl_listener_open(b->loop, "127.0.0.1", 0, on_accept, b,
                               &b->listener, NULL));
    b->port = vl_listener_port(b->listener);
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_fetcher_free(b->fetcher);
    if (b->stream)
        vl_stream_close(b->stream);
    vl_listener_close(b->listener);
    vl_timer_free(b->pulse);
    vl_loop_free(b->loop);
    vl_buf_done(&b->got);
    free(b);
    return 0;
}

static void
done(valet_status status, const struct vl_fetch_answer *answer,
     const valet_error *err, void *ctx)
{
    struct bench *b = ctx;
    (void)answer;
    b->is_done = true;
    b->status = status;
    b->err = *err;
}

/* At our port. */
static valet_status
fetch(struct bench *b, const char *scheme, const char *host)
{
    char url[512];
    struct vl_fetch_request request = {.method = "GET",
                                       .url = url,
                                       .only_public = true,
                                       .total_ms = 5000,
                                       .attempts = 2};
    (void)snprintf(url, sizeof url, "%s://%s:%u/", scheme, host, b->port);
    b->is_done = false;
    b->err = (valet_error){0};
    (void)vl_fetch_start(b->fetcher, &request, done, b);
    int64_t end = vl_mono_now() + PATIENCE_MS;
    while (!b->is_done && vl_mono_now() < end)
        vl_loop_step(b->loop);
    assert_true(b->is_done);
    return b->status;
}

static void
assert_denied(struct bench *b, const char *scheme, const char *host)
{
    valet_status status = fetch(b, scheme, host);
    if (status != VALET_DENIED)
        fail_msg("%s: %s (%s)", host, valet_status_name(status),
                 b->err.message);
    assert_non_null(strstr(b->err.message, "not in the public network"));
    assert_int_equal(b->connected, 0);
}

static const char *const numbers[] = {
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[fd00::1]",
    "[fe80::1]",
};

/* What other readers take for one. */
static const char *const odd[] = {
    "127.1",          "127.0.1",         "0x7f.1",
    "0x7f000001",     "0177.0.0.1",      "017700000001",
    "2130706433",     "127.0.0.1.",      "0",
    "0xa9fea9fe",     "2852039166",      "[::ffff:0x7f.1]",
    "[fe80::1%25lo]", "%31%32%37.0.0.1", "127。0。0。1",
    "localhost.",
};

static void
assert_refused_one_way_or_another(struct bench *b, const char *host)
{
    valet_status status = fetch(b, "https", host);
    if (status != VALET_DENIED && status != VALET_INVALID)
        fail_msg("%s: %s (%s)", host, valet_status_name(status),
                 b->err.message);
    assert_int_equal(b->connected, 0);
}

/* @spec SB-13 CL-20 */
static void
numbers_that_lead_here_are_refused(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < VL_COUNT(numbers); i++)
        assert_denied(b, "https", numbers[i]);
    for (size_t i = 0; i < VL_COUNT(odd); i++)
        assert_refused_one_way_or_another(b, odd[i]);
}

/* @spec SB-13 CL-20 */
static void
names_that_lead_here_are_refused(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"localhost", "LOCALHOST",
                                        "evil.localhost", "a.b.LocalHost"};
    char own[256] = "";
    for (size_t i = 0; i < VL_COUNT(names); i++)
        assert_denied(b, "https", names[i]);
    /* This machine's own, where somebody knows it. */
    assert_int_equal(gethostname(own, sizeof own - 1), 0);
    valet_status status = fetch(b, "https", own);
    assert_true(status == VALET_DENIED || status == VALET_RETRY);
    assert_int_equal(b->connected, 0);
}

static void
what_is_fetched_in_the_clear_is_refused_too(void **state)
{
    struct bench *b = *state;
    assert_denied(b, "http", "127.0.0.1");
    assert_denied(b, "http", "localhost");
    assert_denied(b, "http", "[::1]");
    assert_int_equal(fetch(b, "http", "a.example"), VALET_INVALID);
    assert_int_equal(b->connected, 0);
}

/* The proxy may be in a private network, and what it is asked for not. */
static void
behind_a_proxy_numbers_and_our_own_names_are_refused(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"localhost", "evil.LOCALHOST"};
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", b->port);
    setenv("https_proxy", proxy, 1);
    for (size_t i = 0; i < VL_COUNT(numbers); i++)
        assert_denied(b, "https", numbers[i]);
    for (size_t i = 0; i < VL_COUNT(names); i++)
        assert_denied(b, "https", names[i]);
    for (size_t i = 0; i < VL_COUNT(odd); i++)
        assert_refused_one_way_or_another(b, odd[i]);
    setenv("no_proxy", "*", 1); /* would reach it directly */
    valet_status status = fetch(b, "https", "a.example");
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    assert_int_equal(status, VALET_RETRY);
    assert_true(b->connected > 0);
    assert_memory_equal(b->got.p, "CONNECT a.example:", 18);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        CASE(numbers_that_lead_here_are_refused),
        CASE(names_that_lead_here_are_refused),
        CASE(what_is_fetched_in_the_clear_is_refused_too),
        CASE(behind_a_proxy_numbers_and_our_own_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
