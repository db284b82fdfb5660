/* SPDX-License-Identifier: Apache-2.0
 *
 * How connections end: limits, time-outs, drain, and clients that vanish.
 */
#include "server_rig.h"

static void
limits_connections_of_one_address(void **state)
{
    (void)state;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections_per_address = 2;
    struct client a, b, c;
    rig_open(&limits);
    client_open(&a);
    client_open(&b);
    RIG_UNTIL(rig.server->connection_count == 2);
    client_open(&c);
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "HTTP/1.1 503 "));
    assert_true(client_has(&c, "Connection: close\r\n"));
    client_close(&c);
    client_close(&a);
    RIG_UNTIL(rig.server->connection_count == 1);
    client_open(&c);
    client_send(&c, GET("/in"));
    RIG_UNTIL(client_has(&c, "GET /in "));
    client_close(&b);
    client_close(&c);
    RIG_UNTIL(rig.server->connection_count == 0);
    assert_int_equal(vl_map_size(&rig.server->group->clients), 0);
    rig_close();
}

static void
limits_connections_in_all(void **state)
{
    (void)state;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections = 1;
    struct client a, b;
    rig_open(&limits);
    client_open(&a);
    RIG_UNTIL(rig.server->connection_count == 1);
    client_open(&b);
    RIG_UNTIL(b.ended);
    assert_true(client_has(&b, "HTTP/1.1 503 "));
    client_close(&a);
    client_close(&b);
    rig_close();
}

/* Short to wait for, long beside the pauses of a busy machine. */
#define SHORT_MS 250

static struct vl_http_limits
short_limits(void)
{
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.request_ms = limits.idle_ms = limits.write_ms = SHORT_MS;
    return limits;
}

/* @spec S-64 */
static void
ends_requests_that_drip(void **state)
{
    (void)state;
    struct vl_http_limits limits = short_limits();
    limits.idle_ms = 60000;
    struct client c;
    rig_open(&limits);
    client_open(&c);
    client_send(&c, GET("/first"));
    RIG_UNTIL(client_has(&c, "GET /first "));
    client_send(&c, "GET /");
    int64_t end = vl_mono_now() + RIG_PATIENCE_MS;
    for (int sent = 0; !c.ended && vl_mono_now() < end; sent++) {
        /* Not so many that it is refused for the length of its target. */
        if (sent < VL_LIMIT_TARGET / 2)
            client_send(&c, "x");
        vl_loop_step(rig.loop);
    }
    assert_true(client_has(&c, "HTTP/1.1 408 Request Timeout\r\n"));
    client_close(&c);
    /* A body may drip no more than a head. */
    client_open(&c);
    client_send(&c, POST("/", "Content-Length: 1000\r\n", "x"));
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "HTTP/1.1 408 "));
    client_close(&c);
    /* And who says nothing at all gets no answer. */
    client_open(&c);
    RIG_UNTIL(c.ended);
    assert_int_equal(vl_buf_size(&c.got), 0);
    client_close(&c);
    rig_close();
}

static void
closes_idle_connections_but_not_waiting_ones(void **state)
{
    (void)state;
    struct vl_http_limits limits = short_limits();
    struct client idle, waiting;
    rig_open(&limits);
    client_open(&waiting);
    client_send(&waiting, GET("/later"));
    client_open(&idle);
    client_send(&idle, GET("/x"));
    RIG_UNTIL(idle.ended);
    assert_true(client_has(&idle, "GET /x "));
    assert_false(client_has(&idle, "408"));
    int64_t later = vl_mono_now() + 3 * SHORT_MS;
    RIG_UNTIL(vl_mono_now() > later);
    assert_false(waiting.ended);
    rig_echo(rig.pending[--rig.pending_count]);
    RIG_UNTIL(client_has(&waiting, "GET /later "));
    client_close(&idle);
    client_close(&waiting);
    rig_close();
}

static void
cuts_a_peer_that_stops_reading(void **state)
{
    (void)state;
    struct vl_http_limits limits = short_limits();
    struct client c;
    rig_open(&limits);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(client_has(&c, "first"));
    vl_stream_pause(c.stream);
    static char piece[70001];
    memset(piece, 'x', sizeof piece - 1);
    while (vl_exchange_write(rig.pending[0], vl_str_z(piece)))
        continue;
    RIG_UNTIL(rig.closed == 1);
    assert_true(vl_exchange_is_closed(rig.pending[0]));
    assert_int_equal(rig.server->connection_count, 0);
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    client_close(&c);
    rig_close();
}

/* As if the peer had taken `n` bytes since the wait began; until it is cut,
 * or the time has come. */
static void
pretend_taken(uint64_t n, int64_t until)
{
    int64_t patience = vl_mono_now() + RIG_PATIENCE_MS;
    if (until > patience)
        until = patience;
    while (rig.closed == 0 && vl_mono_now() < until) {
        struct vl_connection *conn = VL_CONTAINER(rig.server->connections.next,
                                                  struct vl_connection, all);
        conn->taken = conn->written - vl_stream_waiting(conn->stream) - n;
        vl_loop_step(rig.loop);
    }
}

/* @spec S-64 */
static void
cuts_a_peer_that_reads_next_to_nothing(void **state)
{
    (void)state;
    struct vl_http_limits limits = short_limits();
    struct client c;
    rig_open(&limits);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(client_has(&c, "first"));
    vl_stream_pause(c.stream);
    static char piece[70001];
    memset(piece, 'x', sizeof piece - 1);
    while (vl_exchange_write(rig.pending[0], vl_str_z(piece)))
        continue;
    pretend_taken(VL_LIMIT_WRITE_LEAST, vl_mono_now() + 4 * limits.write_ms);
    assert_int_equal(rig.closed, 0);
    pretend_taken(VL_LIMIT_WRITE_LEAST - 1, INT64_MAX);
    assert_int_equal(rig.closed, 1);
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    client_close(&c);
    rig_close();
}

static void
count_done(void *ctx)
{
    (void)ctx;
    rig.done++;
}

static void
drains_idle_connections_at_once_and_busy_ones_when_they_end(void **state)
{
    (void)state;
    struct client idle, busy;
    rig_open(NULL);
    client_open(&idle);
    client_open(&busy);
    client_send(&idle, GET("/x"));
    client_send(&busy, GET("/later") GET("/never"));
    RIG_UNTIL(rig.pending_count == 1 && client_has(&idle, "GET /x "));
    vl_http_server_drain(rig.server, 60000, count_done, NULL);
    assert_int_equal(rig.done, 0);
    RIG_UNTIL(idle.ended);
    assert_int_equal(rig.server->connection_count, 1);
    rig_echo(rig.pending[--rig.pending_count]);
    RIG_UNTIL(busy.ended);
    assert_true(client_has(&busy, "Connection: close\r\n"));
    assert_true(client_has(&busy, "GET /later "));
    assert_false(client_has(&busy, "never"));
    client_close(&idle);
    client_close(&busy);
    RIG_UNTIL(rig.done == 1);
    assert_int_equal(rig.server->connection_count, 0);
    rig_close();
    assert_int_equal(rig.done, 1);
}

/* @spec S-64 */
static void
does_not_wait_for_half_requests_when_draining(void **state)
{
    (void)state;
    static const char *const halves[] = {
        "GET / HT", GET("/x") "GET / HT",
        POST("/", "Content-Length: 100\r\n", "half"),
        POST("/", "Transfer-Encoding: chunked\r\n", "5\r\nhel")};
    struct client clients[VL_COUNT(halves)];
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.request_ms = 60000;
    rig_open(&limits);
    for (size_t i = 0; i < VL_COUNT(halves); i++) {
        client_open(&clients[i]);
        client_send(&clients[i], halves[i]);
        struct vl_connection *conn = VL_CONTAINER(rig.server->connections.prev,
                                                  struct vl_connection, all);
        RIG_UNTIL(conn->x && rig.handled == (i >= 1) &&
                  rig.asked == (i > 1 ? i - 1 : 0));
    }
    vl_http_server_drain(rig.server, 60000, count_done, NULL);
    RIG_UNTIL(rig.done == 1);
    for (size_t i = 0; i < VL_COUNT(halves); i++) {
        RIG_UNTIL(clients[i].ended);
        client_close(&clients[i]);
    }
    rig_close();
}

/* What was answered before is sent to its end. */
static void
drains_a_connection_whose_answer_is_still_on_its_way(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(client_has(&c, "first"));
    vl_stream_pause(c.stream);
    static char piece[70001];
    memset(piece, 'x', sizeof piece - 1);
    while (vl_exchange_write(rig.pending[0], vl_str_z(piece)))
        continue;
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    vl_http_server_drain(rig.server, 60000, count_done, NULL);
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    assert_int_equal(rig.done, 0);
    vl_stream_resume(c.stream);
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "x\r\n0\r\n\r\n"));
    client_close(&c);
    RIG_UNTIL(rig.done == 1);
    rig_close();
}

static void
cuts_what_does_not_end_in_time_when_draining(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/later"));
    RIG_UNTIL(rig.pending_count == 1);
    vl_http_server_drain(rig.server, 50, count_done, NULL);
    RIG_UNTIL(rig.done == 1);
    assert_int_equal(rig.closed, 1);
    RIG_UNTIL(c.ended);
    /* Its owner may still look at it, and has to answer. */
    assert_str(vl_exchange_request(rig.pending[0])->target, "/later");
    client_close(&c);
    rig_close();
}

static void
free_server(void *ctx)
{
    (void)ctx;
    rig.done++;
    vl_http_server_free(rig.server);
    rig.server = NULL;
}

static void
may_be_freed_from_its_own_callbacks(void **state)
{
    (void)state;
    rig_open(NULL);
    vl_http_server_drain(rig.server, 1000, free_server, NULL);
    RIG_UNTIL(rig.done == 1);
    rig_close();

    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(rig.pending_count == 1);
    vl_exchange_watch(rig.pending[0], free_server, NULL, NULL);
    client_close(&c);
    RIG_UNTIL(rig.done == 1);
    rig_close();
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Answers some of what is pending, in one of the ways there are. */
static void
answer_some(uint32_t *seed)
{
    while (rig.pending_count > 0 && next_random(seed) % 4) {
        struct vl_exchange *x = rig.pending[--rig.pending_count];
        if (x->stage != VL_EXCHANGE_STREAMED && next_random(seed) % 2) {
            rig_echo(x);
            continue;
        }
        if (x->stage != VL_EXCHANGE_STREAMED)
            vl_exchange_start(x, &(struct vl_reply){.status = 200});
        (void)vl_exchange_write(x, VL_STR("piece"));
        vl_exchange_finish(x);
    }
}

/*
 * Clients that vanish at any byte and any moment. The sanitizers see what is
 * left behind; the books have to be empty.
 */
static void
survives_a_thousand_clients_that_vanish(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        GET("/a") GET("/later") GET("/b"),
        POST("/big", "Content-Length: 20\r\n", "01234567890123456789")
            GET("/stream") GET("/c"),
        POST("/later", "Transfer-Encoding: chunked\r\n",
             "5\r\nhello\r\n0\r\n\r\n") GET("/d"),
        GET("/stream") GET("/later") "BAD\r\n\r\n",
        POST("/", "Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
        POST("/", "Content-Length: 5000\r\n", "hello"),
    };
    uint32_t seed = 20250711;
    rig_open(NULL);
    for (int round = 0; round < 1000; round++) {
        struct client c;
        client_open(&c);
        struct vl_str text =
            vl_str_z(scripts[next_random(&seed) % VL_COUNT(scripts)]);
        size_t cut = next_random(&seed) % (text.n + 1);
        size_t split = cut ? next_random(&seed) % cut : 0;
        vl_stream_write(c.stream, vl_str_head(text, split));
        if (next_random(&seed) % 2)
            vl_loop_step(rig.loop);
        vl_stream_write(c.stream, vl_str_from(vl_str_head(text, cut), split));
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--)
            vl_loop_step(rig.loop);
        if (next_random(&seed) % 4 == 0)
            vl_stream_shutdown(c.stream);
        answer_some(&seed);
        if (next_random(&seed) % 2)
            vl_loop_step(rig.loop);
        client_close(&c);
        while (rig.pending_count > RIG_PENDING_MAX - 8)
            answer_some(&seed);
    }
    while (rig.pending_count > 0)
        answer_some(&seed);
    int64_t end = vl_mono_now() + RIG_PATIENCE_MS;
    while (rig.server->connection_count > 0 && vl_mono_now() < end) {
        vl_loop_step(rig.loop);
        answer_some(&seed);
    }
    assert_int_equal(rig.server->connection_count, 0);
    assert_true(vl_list_is_empty(&rig.server->exchanges));
    assert_int_equal(vl_map_size(&rig.server->group->clients), 0);
    assert_in_range(rig.server->spare_count, 1, VL_SPARE_EXCHANGES);
    rig_close();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_connections_of_one_address),
        cmocka_unit_test(limits_connections_in_all),
        cmocka_unit_test(ends_requests_that_drip),
        cmocka_unit_test(closes_idle_connections_but_not_waiting_ones),
        cmocka_unit_test(cuts_a_peer_that_stops_reading),
        cmocka_unit_test(cuts_a_peer_that_reads_next_to_nothing),
        cmocka_unit_test(does_not_wait_for_half_requests_when_draining),
        cmocka_unit_test(
            drains_idle_connections_at_once_and_busy_ones_when_they_end),
        cmocka_unit_test(drains_a_connection_whose_answer_is_still_on_its_way),
        cmocka_unit_test(cuts_what_does_not_end_in_time_when_draining),
        cmocka_unit_test(may_be_freed_from_its_own_callbacks),
        cmocka_unit_test(survives_a_thousand_clients_that_vanish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
