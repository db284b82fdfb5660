/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that break on purpose.
 */
#include "server_rig.h"

static void
break_off(struct vl_exchange *x, void *ctx)
{
    struct vl_str path = vl_exchange_request(x)->path;
    if (vl_str_eqz(path, "/reset")) {
        vl_exchange_reset(x);
        return;
    }
    if (vl_str_starts(path, VL_STR("/half")))
        vl_exchange_cut_short(x);
    if (vl_str_eqz(path, "/half-redirect")) {
        struct vl_reply reply = {.status = 302};
        vl_reply_add(&reply, "Location", VL_STR("https://a.example/b"));
        vl_exchange_reply(x, &reply);
        return;
    }
    rig_handle(x, ctx);
}

static void
open_broken(void)
{
    rig_site.handle = break_off;
    rig_open(NULL);
}

static valet_status ended_with;

static void
on_end(valet_status status, void *ctx)
{
    struct client *c = ctx;
    ended_with = status;
    c->ended = true;
}

/* A client that remembers how its connection ended. */
static void
open_watching(struct client *c)
{
    static const struct vl_stream_events events = {.on_read = client_on_read,
                                                   .on_end = on_end};
    client_open(c);
    vl_stream_attach(c->stream, &events, c);
}

static void
resets_the_connection_in_place_of_an_answer(void **state)
{
    (void)state;
    struct client c;
    open_broken();
    open_watching(&c);
    client_send(&c, GET("/a"));
    RIG_UNTIL(client_has(&c, "GET /a "));
    /* What was asked behind it is gone, too. */
    client_send(&c, GET("/reset") GET("/b"));
    RIG_UNTIL(c.ended);
    assert_int_equal(ended_with, VALET_RETRY);
    assert_int_equal(client_count(&c, "HTTP/1.1"), 1);
    assert_int_equal(rig.server->connection_count, 0);
    assert_true(vl_list_is_empty(&rig.server->exchanges));
    client_close(&c);
    rig_close();
}

static void
resets_a_connection_long_after_it_was_asked(void **state)
{
    (void)state;
    struct client c, gone;
    open_broken();
    open_watching(&c);
    client_open(&gone);
    client_send(&c, GET("/later"));
    client_send(&gone, GET("/later"));
    RIG_UNTIL(rig.pending_count == 2);
    vl_stream_reset(gone.stream); /* it does not even read any more */
    vl_buf_done(&gone.got);
    RIG_UNTIL(rig.closed == 1);
    while (rig.pending_count > 0)
        vl_exchange_reset(rig.pending[--rig.pending_count]);
    RIG_UNTIL(c.ended);
    assert_int_equal(ended_with, VALET_RETRY);
    assert_int_equal(rig.server->connection_count, 0);
    client_close(&c);
    rig_close();
}

static void
stops_in_the_middle_of_a_body(void **state)
{
    (void)state;
    struct client c;
    open_broken();
    open_watching(&c);
    client_send(&c, GET("/half") GET("/b")); /* "GET /half " is ten bytes */
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "Content-Length: 10\r\n"));
    assert_true(client_has(&c, "Connection: close\r\n\r\nGET /"));
    assert_false(client_has(&c, "GET /h"));
    assert_int_equal(client_count(&c, "HTTP/1.1"), 1);
    client_close(&c);
    rig_close();
}

static void
stops_in_the_middle_of_a_head_that_has_no_body(void **state)
{
    static const char *const requests[] = {
        GET("/half-redirect") GET("/b"),
        "HEAD /half HTTP/1.1\r\nHost: a.example\r\n\r\n" GET("/b")};
    (void)state;
    for (size_t i = 0; i < VL_COUNT(requests); i++) {
        struct client c;
        open_broken();
        open_watching(&c);
        client_send(&c, requests[i]);
        RIG_UNTIL(c.ended);
        assert_int_equal(client_count(&c, "HTTP/1.1"), 1);
        assert_false(client_has(&c, "\r\n\r\n"));
        client_close(&c);
        rig_close();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets_the_connection_in_place_of_an_answer),
        cmocka_unit_test(resets_a_connection_long_after_it_was_asked),
        cmocka_unit_test(stops_in_the_middle_of_a_body),
        cmocka_unit_test(stops_in_the_middle_of_a_head_that_has_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
