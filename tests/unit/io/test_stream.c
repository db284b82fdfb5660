/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include "io/address.h"
#include "io/stream.h"

/* One connection: `a` connected, `b` was accepted. */
struct side {
    struct pair *pair;
    struct vl_stream *stream;
    size_t received, sent;
    int ends, drains;
    valet_status end;
    bool in_order;
};

struct pair {
    struct vl_loop *loop;
    struct vl_listener *listener;
    struct side a, b;
    bool refused;
};

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct pair *pair = ctx;
    pair->b.stream = stream;
}

static void
on_connect(struct vl_stream *stream, void *ctx)
{
    struct pair *pair = ctx;
    pair->a.stream = stream;
    pair->refused = stream == NULL;
}

static char
byte_at(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static void
count(struct vl_str bytes, void *ctx)
{
    struct side *side = ctx;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != byte_at(side->received + i))
            side->in_order = false;
    side->received += bytes.n;
}

static void
note_end(valet_status status, void *ctx)
{
    struct side *side = ctx;
    side->ends++;
    side->end = status;
}

static void
note_drain(void *ctx)
{
    struct side *side = ctx;
    side->drains++;
}

static const struct vl_stream_events counting = {count, note_end, note_drain};

static void
open_pair_at(struct pair *pair, const char *address)
{
    *pair = (struct pair){0};
    pair->a = pair->b = (struct side){.pair = pair, .in_order = true};
    assert_ok(vl_loop_new(&pair->loop, NULL));
    assert_ok(vl_listener_open(pair->loop, address, 0, on_accept, pair,
                               &pair->listener, NULL));
    assert_ok(vl_stream_connect(pair->loop, address,
                                vl_listener_port(pair->listener), on_connect,
                                pair, NULL, NULL));
    assert_null(pair->a.stream); /* starting does not call back */
    while (!pair->a.stream || !pair->b.stream)
        vl_loop_step(pair->loop);
}

static void
open_pair(struct pair *pair)
{
    open_pair_at(pair, "127.0.0.1");
}

static void
close_pair(struct pair *pair)
{
    if (pair->a.stream)
        vl_stream_close(pair->a.stream);
    if (pair->b.stream)
        vl_stream_close(pair->b.stream);
    vl_listener_close(pair->listener);
    vl_loop_free(pair->loop);
}

/* Closing with unread bytes makes the kernel send a reset. */
static void
reset_by_a(struct pair *pair)
{
    vl_stream_pause(pair->a.stream);
    vl_stream_write(pair->b.stream, VL_STR("unread"));
    vl_stream_close(pair->a.stream);
    pair->a.stream = NULL;
}

/* --- talking --- */

static void
echo(struct vl_str bytes, void *ctx)
{
    struct side *side = ctx;
    side->received += bytes.n;
    vl_stream_write(side->stream, bytes);
}

static const struct vl_stream_events echoing = {echo, note_end, NULL};

static void
echoes_and_ends_both_ways(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    assert_string_equal(vl_stream_peer(p.b.stream), "127.0.0.1");
    assert_string_equal(vl_stream_peer(p.a.stream), "127.0.0.1");
    vl_stream_attach(p.a.stream, &counting, &p.a);
    vl_stream_attach(p.b.stream, &echoing, &p.b);
    char hello[100];
    for (size_t i = 0; i < sizeof hello; i++)
        hello[i] = byte_at(i);
    vl_stream_write(p.a.stream, vl_str_of(hello, sizeof hello));
    vl_stream_shutdown(p.a.stream);
    vl_stream_write(p.a.stream, VL_STR("too late"));
    while (p.b.ends == 0 || p.a.received < sizeof hello)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.end, VALET_OK);
    assert_int_equal(p.b.received, sizeof hello);
    assert_int_equal(p.a.ends, 0);
    vl_stream_shutdown(p.b.stream);
    while (p.a.ends == 0)
        vl_loop_step(p.loop);
    assert_true(p.a.in_order);
    assert_int_equal(p.a.ends + p.b.ends, 2);
    close_pair(&p);
}

enum { BIG = 10 * 1024 * 1024, PIECE = 30000, HIGH = 256 * 1024 };

static size_t
produce(struct side *side)
{
    char piece[PIECE];
    size_t most = 0;
    while (side->sent < BIG && vl_stream_waiting(side->stream) < HIGH) {
        size_t n = BIG - side->sent < PIECE ? BIG - side->sent : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(side->sent + i);
        vl_stream_write(side->stream, vl_str_of(piece, n));
        side->sent += n;
        if (vl_stream_waiting(side->stream) > most)
            most = vl_stream_waiting(side->stream);
    }
    if (side->sent == BIG)
        vl_stream_shutdown(side->stream);
    return most;
}

static void
produce_more(void *ctx)
{
    struct side *side = ctx;
    side->drains++;
    assert_int_equal(vl_stream_waiting(side->stream), 0);
    (void)produce(side);
}

static void
count_and_pause(struct vl_str bytes, void *ctx)
{
    struct side *side = ctx;
    count(bytes, ctx);
    vl_stream_pause(side->stream);
}

static void
sends_ten_megabytes_to_a_slow_reader(void **state)
{
    (void)state;
    static const struct vl_stream_events producing = {count, note_end,
                                                      produce_more};
    static const struct vl_stream_events slow = {count_and_pause, note_end,
                                                 NULL};
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.a.stream, &producing, &p.a);
    /* Nobody reads yet: the kernel's buffers fill, then ours. */
    size_t most = produce(&p.a);
    assert_true(p.a.sent < BIG);
    assert_true(most >= HIGH && most < HIGH + PIECE);
    vl_stream_attach(p.b.stream, &slow, &p.b);
    while (p.b.ends == 0) {
        vl_stream_resume(p.b.stream);
        vl_loop_step(p.loop);
    }
    assert_int_equal(p.b.received, BIG);
    assert_true(p.b.in_order);
    assert_int_equal(p.b.end, VALET_OK);
    assert_true(p.a.drains > 0);
    assert_int_equal(p.a.ends, 0);
    close_pair(&p);
}

/* --- ends --- */

static void
tells_a_broken_connection_once(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.b.stream, &counting, &p.b);
    reset_by_a(&p);
    while (p.b.ends == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.end, VALET_RETRY);
    vl_stream_write(p.b.stream, VL_STR("to nobody"));
    vl_stream_resume(p.b.stream);
    vl_stream_shutdown(p.b.stream);
    assert_int_equal(vl_stream_waiting(p.b.stream), 0);
    assert_int_equal(p.b.ends, 1);
    close_pair(&p);
}

static void
tells_a_paused_writer_that_the_peer_is_gone(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.b.stream, &counting, &p.b);
    vl_stream_pause(p.b.stream);
    (void)produce(&p.b);
    assert_true(vl_stream_waiting(p.b.stream) > 0);
    reset_by_a(&p);
    while (p.b.ends == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.end, VALET_RETRY);
    assert_int_equal(vl_stream_waiting(p.b.stream), 0);
    close_pair(&p);
}

static void
tells_who_waits_after_the_end_that_nothing_will_be_sent(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.b.stream, &counting, &p.b);
    vl_stream_shutdown(p.a.stream);
    while (p.b.ends == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.end, VALET_OK);
    (void)produce(&p.b); /* the other direction is still open */
    assert_int_equal(p.b.drains, 0);
    reset_by_a(&p);
    while (p.b.drains == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.ends, 1);
    assert_int_equal(vl_stream_waiting(p.b.stream), 0);
    close_pair(&p);
}

/* --- closing inside callbacks --- */

static void
close_self(struct side *side)
{
    vl_stream_close(side->stream);
    side->stream = NULL;
}

static void
close_in_read(struct vl_str bytes, void *ctx)
{
    struct side *side = ctx;
    side->received += bytes.n;
    close_self(side);
}

static void
close_in_end(valet_status status, void *ctx)
{
    note_end(status, ctx);
    close_self(ctx);
}

static void
close_in_drain(void *ctx)
{
    note_drain(ctx);
    close_self(ctx);
}

static const struct vl_stream_events closing = {close_in_read, close_in_end,
                                                close_in_drain};

static void
may_be_closed_in_on_read_and_on_end(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.a.stream, &closing, &p.a);
    vl_stream_attach(p.b.stream, &closing, &p.b);
    vl_stream_write(p.a.stream, VL_STR("hello"));
    while (p.a.stream || p.b.stream)
        vl_loop_step(p.loop);
    assert_int_equal(p.b.received, 5);
    assert_int_equal(p.b.ends, 0);
    assert_int_equal(p.a.ends, 1);
    close_pair(&p);
}

static void
may_be_closed_in_on_drain(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.a.stream, &closing, &p.a);
    (void)produce(&p.a);
    vl_stream_attach(p.b.stream, &counting, &p.b);
    while (p.b.ends == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.a.drains, 1);
    assert_null(p.a.stream);
    assert_int_equal(p.b.received, p.a.sent);
    assert_true(p.b.in_order);
    close_pair(&p);
}

static void
is_silent_after_close_with_bytes_waiting(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.a.stream, &counting, &p.a);
    (void)produce(&p.a);
    vl_stream_close(p.a.stream);
    vl_stream_close(p.a.stream); /* its memory is there until the next turn */
    vl_stream_write(p.a.stream, VL_STR("x"));
    p.a.stream = NULL;
    vl_stream_attach(p.b.stream, &counting, &p.b);
    while (p.b.ends == 0)
        vl_loop_step(p.loop);
    assert_int_equal(p.a.ends + p.a.drains, 0);
    close_pair(&p);
}

static void
close_all_on_accept(struct vl_stream *stream, void *ctx)
{
    struct pair *pair = ctx;
    vl_stream_close(stream);
    vl_listener_close(pair->listener);
    pair->listener = NULL;
}

static void
lets_on_accept_close_the_listener(void **state)
{
    (void)state;
    struct pair p = {0};
    assert_ok(vl_loop_new(&p.loop, NULL));
    assert_ok(vl_listener_open(p.loop, "127.0.0.1", 0, close_all_on_accept, &p,
                               &p.listener, NULL));
    unsigned port = vl_listener_port(p.listener);
    assert_ok(vl_stream_connect(p.loop, "127.0.0.1", port, on_connect, &p, NULL,
                                NULL));
    while (p.listener || !p.a.stream)
        vl_loop_step(p.loop);
    vl_stream_attach(p.a.stream, &counting, &p.a);
    while (p.a.ends == 0)
        vl_loop_step(p.loop);
    close_pair(&p);
}

static void
is_silent_when_the_loop_is_freed(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_attach(p.a.stream, &counting, &p.a);
    vl_stream_attach(p.b.stream, &counting, &p.b);
    vl_stream_pause(p.b.stream);
    (void)produce(&p.a);
    struct vl_stream *before = p.a.stream;
    /* One connecting, two connected with bytes waiting, one listening. */
    assert_ok(vl_stream_connect(p.loop, "127.0.0.1",
                                vl_listener_port(p.listener), on_connect, &p,
                                NULL, NULL));
    vl_loop_free(p.loop);
    assert_ptr_equal(p.a.stream, before);
    assert_int_equal(p.a.ends + p.b.ends + p.a.drains, 0);
}

/* --- addresses and ports --- */

static void
tells_that_nobody_listens(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    unsigned port = vl_listener_port(p.listener);
    vl_listener_close(p.listener);
    p.listener = NULL;
    vl_stream_close(p.a.stream);
    assert_ok(vl_stream_connect(p.loop, "127.0.0.1", port, on_connect, &p, NULL,
                                NULL));
    assert_false(p.refused);
    while (!p.refused)
        vl_loop_step(p.loop);
    assert_null(p.a.stream);
    close_pair(&p);
}

static void
refuses_a_taken_port(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    struct vl_listener *second;
    valet_error err = {0};
    assert_int_equal(vl_listener_open(p.loop, "127.0.0.1",
                                      vl_listener_port(p.listener), on_accept,
                                      &p, &second, &err),
                     VALET_CONFLICT);
    assert_non_null(strstr(err.message, "address already in use"));
    close_pair(&p);
}

static void
refuses_what_is_no_address(void **state)
{
    (void)state;
    struct vl_loop *loop;
    struct vl_listener *listener;
    assert_ok(vl_loop_new(&loop, NULL));
    static const char *const bad[] = {"localhost", "", "127.0.0.1 ", "1.2.3",
                                      "[::1]"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        assert_int_equal(
            vl_listener_open(loop, bad[i], 0, on_accept, NULL, &listener, NULL),
            VALET_INVALID);
        assert_int_equal(
            vl_stream_connect(loop, bad[i], 1, on_connect, NULL, NULL, NULL),
            VALET_INVALID);
    }
    assert_int_equal(vl_listener_open(loop, "127.0.0.1", 65536, on_accept, NULL,
                                      &listener, NULL),
                     VALET_INVALID);
    vl_loop_free(loop);
}

static bool
has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 own = {.sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void
listens_on_one_port_of_both_families(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    struct pair p;
    open_pair_at(&p, "::1");
    assert_string_equal(vl_stream_peer(p.b.stream), "::1");
    struct vl_listener *v4;
    assert_ok(vl_listener_open(p.loop, "127.0.0.1",
                               vl_listener_port(p.listener), on_accept, &p, &v4,
                               NULL));
    vl_listener_close(v4);
    close_pair(&p);
}

static void
shows_mapped_addresses_as_ipv4(void **state)
{
    (void)state;
    union vl_address address;
    char text[INET6_ADDRSTRLEN];
    assert_ok(vl_address_parse("::ffff:192.0.2.7", 80, &address, NULL));
    assert_int_equal(vl_address_port(&address), 80);
    vl_address_text(&address, text);
    assert_string_equal(text, "192.0.2.7");
    assert_ok(vl_address_parse("2001:DB8:0:0::1", 0, &address, NULL));
    vl_address_text(&address, text);
    assert_string_equal(text, "2001:db8::1");
}

/* --- running out of descriptors --- */

static double
cpu_seconds(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
stop_loop(void *ctx)
{
    vl_loop_stop(ctx);
}

static void
waits_without_spinning_when_descriptors_are_out(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    vl_stream_close(p.a.stream);
    vl_stream_close(p.b.stream);
    p.b.stream = NULL;
    /* Our side of the next connection takes the last descriptor. */
    assert_ok(vl_stream_connect(p.loop, "127.0.0.1",
                                vl_listener_port(p.listener), on_connect, &p,
                                NULL, NULL));
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct vl_timer *timer = vl_timer_new(p.loop, stop_loop, p.loop);
    vl_timer_start(timer, 350);
    double used = cpu_seconds();
    vl_loop_run(p.loop);
    used = cpu_seconds() - used;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_null(p.b.stream);
    /* A spinning loop would have used all of the 0.35 s. */
    assert_true(used < 0.1);
    while (!p.b.stream)
        vl_loop_step(p.loop);
    vl_timer_free(timer);
    close_pair(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_and_ends_both_ways),
        cmocka_unit_test(sends_ten_megabytes_to_a_slow_reader),
        cmocka_unit_test(tells_a_broken_connection_once),
        cmocka_unit_test(tells_a_paused_writer_that_the_peer_is_gone),
        cmocka_unit_test(
            tells_who_waits_after_the_end_that_nothing_will_be_sent),
        cmocka_unit_test(may_be_closed_in_on_read_and_on_end),
        cmocka_unit_test(may_be_closed_in_on_drain),
        cmocka_unit_test(is_silent_after_close_with_bytes_waiting),
        cmocka_unit_test(lets_on_accept_close_the_listener),
        cmocka_unit_test(is_silent_when_the_loop_is_freed),
        cmocka_unit_test(tells_that_nobody_listens),
        cmocka_unit_test(refuses_a_taken_port),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(listens_on_one_port_of_both_families),
        cmocka_unit_test(shows_mapped_addresses_as_ipv4),
        cmocka_unit_test(waits_without_spinning_when_descriptors_are_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
