/* SPDX-License-Identifier: Apache-2.0
 *
 * The server as its clients see it, over a real loopback socket.
 */
#include "server_rig.h"

static void
answers_and_keeps_the_connection(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/a?b"));
    RIG_UNTIL(client_has(&c, "GET /a?b "));
    assert_true(client_has(&c, "HTTP/1.1 200 OK\r\nDate: "));
    assert_true(client_has(&c, " GMT\r\nContent-Type: text/plain\r\n"
                               "X-Peer: 127.0.0.1\r\n"
                               "Content-Length: 9\r\n\r\nGET /a?b "));
    assert_false(client_has(&c, "Connection"));
    client_send(&c, POST("/c", "Content-Length: 5\r\n", "hello"));
    RIG_UNTIL(client_has(&c, "POST /c hello"));
    assert_false(c.ended);
    assert_int_equal(rig.server->connection_count, 1);
    /* Idle again, it holds neither exchange nor buffer. */
    struct vl_connection *conn =
        VL_CONTAINER(rig.server->connections.next, struct vl_connection, all);
    assert_null(conn->x);
    assert_null(conn->ahead.p);
    client_close(&c);
    RIG_UNTIL(rig.server->connection_count == 0);
    rig_close();
}

static void
answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/later?1") GET("/2") GET("/later?3")
                        POST("/4", "Content-Length: 1\r\n", "x") GET("/5"));
    RIG_UNTIL(rig.pending_count == 1);
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    /* One at a time: the second waits for the first answer. */
    assert_int_equal(rig.handled, 1);
    assert_int_equal(vl_buf_size(&c.got), 0);
    rig_echo(rig.pending[--rig.pending_count]);
    RIG_UNTIL(rig.pending_count == 1);
    assert_int_equal(rig.handled, 3);
    rig_echo(rig.pending[--rig.pending_count]);
    RIG_UNTIL(client_has(&c, "GET /5 "));
    const char *got = vl_buf_cstr(&c.got);
    static const char *const order[] = {
        "GET /later?1 ", "GET /2 ", "GET /later?3 ", "POST /4 x", "GET /5 "};
    for (size_t i = 0; i < VL_COUNT(order); i++) {
        got = strstr(got, order[i]);
        assert_non_null(got);
    }
    client_close(&c);
    rig_close();
}

/* Read ahead is bounded: the rest waits in the kernel. */
static void
stops_reading_while_an_answer_is_due(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/later"));
    enum { MANY = 40000 };
    for (int i = 0; i < MANY; i++)
        client_send(&c, GET("/x"));
    RIG_UNTIL(rig.pending_count == 1);
    struct vl_connection *conn =
        VL_CONTAINER(rig.server->connections.next, struct vl_connection, all);
    RIG_UNTIL(conn->paused);
    for (int i = 0; i < 20; i++)
        vl_loop_step(rig.loop);
    assert_in_range(vl_buf_size(&conn->ahead), VL_AHEAD_HIGH,
                    VL_AHEAD_HIGH + 65536);
    rig_echo(rig.pending[--rig.pending_count]);
    RIG_UNTIL(rig.handled == MANY + 1);
    RIG_UNTIL(vl_stream_waiting(conn->stream) == 0);
    assert_false(conn->paused);
    client_close(&c);
    rig_close();
}

/* Who sends without reading gets no more answers made for him. */
static void
makes_no_answers_for_a_peer_that_does_not_read(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    vl_stream_pause(c.stream);
    static char body[900001];
    memset(body, 'b', sizeof body - 1);
    client_send(&c, POST("/big", "Content-Length: 900000\r\n", ""));
    client_send(&c, body);
    enum { MANY = 30 };
    for (int i = 0; i < MANY; i++) {
        client_send(&c, POST("/big", "Content-Length: 900000\r\n", ""));
        client_send(&c, body);
    }
    struct vl_connection *conn =
        VL_CONTAINER(&rig.server->connections, struct vl_connection, all);
    RIG_UNTIL(!vl_list_is_empty(&rig.server->connections));
    conn =
        VL_CONTAINER(rig.server->connections.next, struct vl_connection, all);
    RIG_UNTIL(conn->paused);
    unsigned handled = rig.handled;
    assert_in_range(handled, 1, MANY / 2);
    for (int i = 0; i < 20; i++)
        vl_loop_step(rig.loop);
    assert_int_equal(rig.handled, handled);
    vl_stream_resume(c.stream);
    RIG_UNTIL(rig.handled == MANY + 1);
    RIG_UNTIL(vl_buf_size(&c.got) > (MANY + 1) * 900000u);
    client_close(&c);
    rig_close();
}

static void
takes_chunked_requests_dripped_byte_by_byte(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    static const char text[] =
        POST("/c", "Transfer-Encoding: chunked\r\n",
             "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n") GET("/next");
    for (size_t i = 0; i < sizeof text - 1; i++) {
        vl_stream_write(c.stream, vl_str_of(text + i, 1));
        vl_loop_step(rig.loop);
    }
    RIG_UNTIL(client_has(&c, "GET /next "));
    assert_true(client_has(&c, "POST /c abcdefg"));
    client_close(&c);
    rig_close();
}

static void
grows_with_large_bodies_both_ways(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    static char body[900001];
    memset(body, 'b', sizeof body - 1);
    client_send(&c, POST("/big", "Content-Length: 900000\r\n", ""));
    client_send(&c, body);
    RIG_UNTIL(client_has(&c, "POST /big b"));
    const char *end = strstr(vl_buf_cstr(&c.got), "\r\n\r\n");
    size_t head = (size_t)(end - vl_buf_cstr(&c.got)) + 4;
    RIG_UNTIL(vl_buf_size(&c.got) == head + strlen("POST /big ") + 900000);
    client_send(&c, GET("/small"));
    RIG_UNTIL(client_has(&c, "GET /small "));
    client_close(&c);
    rig_close();
}

static void
sends_no_body_for_head(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
    RIG_UNTIL(client_has(&c, "Content-Length: 8\r\n\r\n"));
    client_send(&c, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    RIG_UNTIL(client_has(&c, "Transfer-Encoding: chunked\r\n\r\n"));
    assert_true(vl_exchange_write(rig.pending[0], VL_STR("more")));
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    client_send(&c, GET("/end"));
    RIG_UNTIL(client_has(&c, "GET /end "));
    assert_false(client_has(&c, "HEAD /h"));
    assert_false(client_has(&c, "first"));
    assert_int_equal(client_count(&c, "HTTP/1.1 200 OK\r\n"), 3);
    client_close(&c);
    rig_close();
}

static void
frames_answers_by_itself(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/fields") GET("/next"));
    RIG_UNTIL(client_has(&c, "GET /next "));
    assert_true(client_has(&c, " GMT\r\nX-Extra: 1\r\nSet-Cookie: a=1\r\n"
                               "Set-Cookie: b=2\r\n\r\nHTTP/1.1 200 OK"));
    assert_int_equal(client_count(&c, "X-Extra"), 1);
    client_close(&c);
    rig_close();
}

static void
streams_in_chunks(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(client_has(&c, "\r\n\r\n5\r\nfirst\r\n"));
    assert_true(client_has(&c, "Transfer-Encoding: chunked\r\n"));
    assert_false(client_has(&c, "Content-Length"));
    assert_true(vl_exchange_write(rig.pending[0], VL_STR("0123456789abcdefg")));
    assert_true(vl_exchange_write(rig.pending[0], (struct vl_str){NULL, 0}));
    RIG_UNTIL(client_has(&c, "11\r\n0123456789abcdefg\r\n"));
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    RIG_UNTIL(client_has(&c, "g\r\n0\r\n\r\n"));
    client_send(&c, GET("/next"));
    RIG_UNTIL(client_has(&c, "GET /next "));
    client_close(&c);
    rig_close();
}

static void
holds_back_a_stream_that_nobody_reads(void **state)
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
    struct vl_exchange *x = rig.pending[0];
    size_t sent = 0;
    while (vl_exchange_write(x, vl_str_z(piece)))
        sent++;
    sent++;
    size_t waiting = vl_stream_waiting(x->conn->stream);
    assert_in_range(waiting, VL_LIMIT_STREAM_HIGH,
                    VL_LIMIT_STREAM_HIGH + 80000);
    assert_int_equal(rig.drained, 0);
    vl_stream_resume(c.stream);
    RIG_UNTIL(rig.drained > 0);
    assert_int_equal(vl_stream_waiting(x->conn->stream), 0);
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    RIG_UNTIL(client_has(&c, "x\r\n0\r\n\r\n"));
    assert_int_equal(client_count(&c, "11170\r\nx"), sent);
    client_close(&c);
    rig_close();
}

static void
answers_http_1_0_and_closes(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, "GET /old HTTP/1.0\r\nHost: a\r\n"
                    "Connection: keep-alive\r\n\r\n");
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "Connection: close\r\n"));
    assert_true(client_has(&c, "GET /old "));
    client_close(&c);
    RIG_UNTIL(rig.server->connection_count == 0);
    /* A streamed answer ends with the connection: no chunks. */
    client_open(&c);
    client_send(&c, "GET /stream HTTP/1.0\r\nHost: a\r\n\r\n");
    RIG_UNTIL(client_has(&c, "\r\n\r\nfirst"));
    assert_true(vl_exchange_write(rig.pending[0], VL_STR(" last")));
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "\r\n\r\nfirst last"));
    assert_false(client_has(&c, "chunked"));
    client_close(&c);
    rig_close();
}

static void
honours_connection_close(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(
        &c,
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/b"));
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "Connection: close\r\n"));
    assert_true(client_has(&c, "GET /a "));
    assert_int_equal(rig.handled, 1);
    client_close(&c);
    rig_close();
}

/* @spec S-64 */
static void
refuses_and_closes_so_that_the_client_can_read_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {"BAD\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"\x16\x03\x01", "HTTP/1.1 400 Bad Request\r\n"},
        {"PRI * HTTP/2.0\r\n\r\n", "HTTP/1.1 505 "},
        {POST("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
              "0\r\n\r\n"),
         "HTTP/1.1 400 "},
        {POST("/", "Transfer-Encoding: chunked\r\n", "x\r\n"), "HTTP/1.1 400 "},
        {POST("/", "Expect: the unexpected\r\n", ""), "HTTP/1.1 417 "},
        /* Before the body is read, and with it. */
        {POST("/", "Content-Length: 1001\r\n", ""), "HTTP/1.1 413 "},
        {POST("/", "Expect: 100-continue\r\nContent-Length: 1001\r\n", ""),
         "HTTP/1.1 413 "},
        {POST("/", "Content-Length: 99999999999\r\n", "xxxx"), "HTTP/1.1 413 "},
    };
    rig_open(NULL);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct client c;
        client_open(&c);
        client_send(&c, cases[i].text);
        RIG_UNTIL(c.ended);
        if (!client_has(&c, cases[i].answer))
            fail_msg("%s\n->\n%s", cases[i].text, vl_buf_cstr(&c.got));
        assert_true(client_has(&c, "Connection: close\r\n"));
        assert_int_equal(client_count(&c, "Content-Length: "), 1);
        client_close(&c);
    }
    assert_int_equal(rig.handled, 0);
    rig_close();
}

static void
measures_chunked_bodies_as_they_come(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, POST("/", "Transfer-Encoding: chunked\r\n", ""));
    for (int i = 0; i < 11; i++)
        client_send(&c, "64\r\n"
                        "0123456789012345678901234567890123456789"
                        "0123456789012345678901234567890123456789"
                        "01234567890123456789\r\n");
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "HTTP/1.1 413 "));
    assert_int_equal(rig.handled, 0);
    client_close(&c);
    rig_close();
}

/* The client goes on sending its body, and still reads the answer. */
static void
lingers_until_the_client_has_read_the_refusal(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    static char body[400001];
    memset(body, 'b', sizeof body - 1);
    client_send(&c, POST("/", "Content-Length: 400000\r\n", ""));
    client_send(&c, body);
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "HTTP/1.1 413 "));
    client_close(&c);
    RIG_UNTIL(rig.server->connection_count == 0);
    rig_close();
}

static void
says_continue_when_the_body_is_wanted(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, POST("/e",
                         "Expect: 100-continue\r\n"
                         "Content-Length: 4\r\n",
                         ""));
    RIG_UNTIL(client_has(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_int_equal(rig.handled, 0);
    client_send(&c, "body");
    RIG_UNTIL(client_has(&c, "POST /e body"));
    /* The body is here already: nobody waits. */
    client_send(&c, POST("/f",
                         "Expect: 100-continue\r\n"
                         "Content-Length: 4\r\n",
                         "body"));
    RIG_UNTIL(client_has(&c, "POST /f body"));
    assert_int_equal(client_count(&c, "HTTP/1.1 100"), 1);
    client_close(&c);
    rig_close();
}

static void
answers_a_client_that_closed_its_direction(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/later?1") GET("/later?2"));
    vl_stream_shutdown(c.stream);
    for (int i = 0; i < 2; i++) {
        RIG_UNTIL(rig.pending_count == 1);
        for (int j = 0; j < 5; j++)
            vl_loop_step(rig.loop);
        assert_false(vl_exchange_is_closed(rig.pending[0]));
        RIG_UNTIL(vl_exchange_is_left(rig.pending[0]));
        rig_echo(rig.pending[--rig.pending_count]);
    }
    RIG_UNTIL(c.ended);
    assert_int_equal(rig.closed, 0);
    assert_true(client_has(&c, "GET /later?1 "));
    assert_true(client_has(&c, "GET /later?2 "));
    RIG_UNTIL(rig.server->connection_count == 0);
    client_close(&c);
    rig_close();
}

static void
tells_once_that_the_peer_of_a_stream_has_gone(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(client_has(&c, "first"));
    client_close(&c);
    RIG_UNTIL(rig.closed == 1);
    struct vl_exchange *x = rig.pending[--rig.pending_count];
    assert_true(vl_exchange_is_closed(x));
    assert_true(vl_exchange_is_left(x));
    assert_str(vl_exchange_request(x)->target, "/stream");
    assert_true(vl_exchange_write(x, VL_STR("into the void")));
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    assert_true(vl_exchange_write(x, VL_STR("again")));
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    vl_exchange_finish(x);
    RIG_UNTIL(rig.server->connection_count == 0);
    assert_int_equal(rig.closed, 1);
    rig_close();
}

/* Starts a stream for a peer that has left before. */
static void
tells_a_late_stream_that_its_peer_has_gone(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/later"));
    RIG_UNTIL(rig.pending_count == 1);
    client_close(&c);
    RIG_UNTIL(rig.pending[0]->conn->ended);
    assert_int_equal(rig.closed, 0);
    vl_exchange_start(rig.pending[0], &(struct vl_reply){.status = 200});
    assert_int_equal(rig.closed, 0); /* never from inside */
    RIG_UNTIL(rig.closed == 1);
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    RIG_UNTIL(rig.server->connection_count == 0);
    rig_close();
}

static void
streams_on_when_the_request_is_forgotten(void **state)
{
    (void)state;
    struct client c;
    rig_open(NULL);
    client_open(&c);
    client_send(&c, GET("/stream"));
    RIG_UNTIL(rig.pending_count == 1);
    struct vl_exchange *x = rig.pending[0];
    vl_exchange_forget_request(x);
    assert_null(x->intake);
    assert_string_equal(vl_exchange_peer(x), "127.0.0.1");
    assert_true(vl_exchange_write(x, VL_STR("second")));
    assert_int_equal(vl_exchange_waiting(x), 0);
    vl_exchange_finish(rig.pending[--rig.pending_count]);
    /* The connection is kept, and its next request is read. */
    client_send(&c, GET("/next"));
    RIG_UNTIL(client_has(&c, "GET /next "));
    assert_true(client_has(&c, "6\r\nsecond\r\n0\r\n\r\n"));
    client_close(&c);
    rig_close();
}

static void
refuses_to_split_answers(void **state)
{
    (void)state;
    assert_false(vl_header_is_valid(VL_STR("X"), VL_STR("a\r\nSet-Cookie: b")));
    assert_false(vl_header_is_valid(VL_STR("X"), VL_STR("a\nb")));
    assert_false(vl_header_is_valid(VL_STR("X"), vl_str_of("a\0b", 3)));
    assert_false(vl_header_is_valid(VL_STR("X: a\r\nY"), VL_STR("b")));
    assert_false(vl_header_is_valid(VL_STR(""), VL_STR("b")));
    assert_true(vl_header_is_valid(VL_STR("X-Y"), VL_STR("a\tb \xc3\xa9")));
}

static void
knows_how_many_files_it_needs(void **state)
{
    (void)state;
    valet_error err = {0};
    assert_ok(vl_http_raise_nofile(10, &err));
    assert_int_equal(vl_http_raise_nofile(SIZE_MAX / 4, &err), VALET_LIMIT);
    assert_non_null(strstr(err.message, "LimitNOFILE"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_keeps_the_connection),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(stops_reading_while_an_answer_is_due),
        cmocka_unit_test(makes_no_answers_for_a_peer_that_does_not_read),
        cmocka_unit_test(takes_chunked_requests_dripped_byte_by_byte),
        cmocka_unit_test(grows_with_large_bodies_both_ways),
        cmocka_unit_test(sends_no_body_for_head),
        cmocka_unit_test(frames_answers_by_itself),
        cmocka_unit_test(streams_in_chunks),
        cmocka_unit_test(holds_back_a_stream_that_nobody_reads),
        cmocka_unit_test(answers_http_1_0_and_closes),
        cmocka_unit_test(honours_connection_close),
        cmocka_unit_test(refuses_and_closes_so_that_the_client_can_read_it),
        cmocka_unit_test(measures_chunked_bodies_as_they_come),
        cmocka_unit_test(lingers_until_the_client_has_read_the_refusal),
        cmocka_unit_test(says_continue_when_the_body_is_wanted),
        cmocka_unit_test(answers_a_client_that_closed_its_direction),
        cmocka_unit_test(tells_once_that_the_peer_of_a_stream_has_gone),
        cmocka_unit_test(tells_a_late_stream_that_its_peer_has_gone),
        cmocka_unit_test(streams_on_when_the_request_is_forgotten),
        cmocka_unit_test(refuses_to_split_answers),
        cmocka_unit_test(knows_how_many_files_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
