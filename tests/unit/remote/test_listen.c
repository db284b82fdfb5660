/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream on which a server speaks unasked.
 */
#include "remote_rig.h"

static struct {
    int status;       /* of GET; 0: a stream */
    const char *text; /* what it begins with */
    bool ends;        /* at once */
    bool wants_token;
} server;

static void
play(struct vl_exchange *x, size_t number)
{
    struct vl_reply begin = {.status = 202};
    if (strcmp(rig.seen[number].method, "GET") != 0) {
        vl_reply_add(&begin, "Mcp-Session-Id", VL_STR("s1"));
        vl_exchange_reply(x, &begin);
    } else if (server.wants_token && !rig.seen[number].authorization[0]) {
        reply_with(x, 401, "WWW-Authenticate", "Bearer");
    } else if (server.status) {
        reply(x, server.status, server.text ? "application/json" : NULL,
              server.text);
    } else if (server.ends) {
        reply_events(x, server.text);
    } else {
        stream(x, server.text);
    }
}

static int
open_it(void **state)
{
    memset(&server, 0, sizeof server);
    server.text = "id: 1\nretry: 100\ndata: {\"n\":1}\n\n";
    (void)rig_open(state);
    rig.play = play;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_it, rig_close)

/* @spec HT-21 */
static void
what_a_server_says_unasked_is_told(void **state)
{
    (void)state;
    rig_begin();
    vl_remote_set_version(rig.remote, "2025-11-25");
    vl_remote_listen(rig.remote);
    assert_int_equal(rig.told_count, 0);
    RIG_UNTIL(rig.told_count == 1);
    assert_string_equal(rig.told[0].json, "{\"n\":1}");
    assert_null(rig.told[0].call);
    assert_string_equal(rig.seen[1].method, "GET");
    assert_string_equal(rig.seen[1].accept, "text/event-stream");
    assert_string_equal(rig.seen[1].session, "s1");
    assert_string_equal(rig.seen[1].version, "2025-11-25");
    vl_exchange_write(rig.open[0], VL_STR("data: {\"n\":2}\n\n"));
    RIG_UNTIL(rig.told_count == 2);
}

/* @spec HT-26 */
static void
it_is_taken_up_again_where_it_ended(void **state)
{
    (void)state;
    server.ends = true;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.seen_count == 4);
    assert_string_equal(rig.seen[0].last_event_id, "");
    assert_string_equal(rig.seen[1].last_event_id, "1");
    assert_true(rig.seen[3].at - rig.seen[1].at >= 190);
    assert_int_equal(rig.deafs, 0);
}

static void
a_server_that_fails_is_asked_again(void **state)
{
    (void)state;
    server.status = 503;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.seen_count == 1);
    /* "only one stream": it has not missed the last one yet */
    server.status = 409;
    RIG_UNTIL(rig.seen_count == 2);
    server.status = 0;
    RIG_UNTIL(rig.told_count == 1);
    assert_int_equal(rig.deafs, 0);
}

/* @spec HT-21 HT-44 */
static void
that_there_is_none_is_no_news(void **state)
{
    (void)state;
    static const int statuses[] = {405, 404, 406, 501};
    rig_begin();
    for (size_t i = 0; i < VL_COUNT(statuses); i++) {
        server.status = statuses[i];
        vl_remote_listen(rig.remote);
        RIG_UNTIL(!rig.remote->listening);
    }
    rig_wait(50);
    assert_int_equal(rig.seen_count, 5);
    assert_int_equal(rig.deafs, 0);
    assert_true(vl_remote_has_session(rig.remote));
}

static void
a_refusal_is_told_once(void **state)
{
    (void)state;
    server.status = 403;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.deafs == 1);
    assert_int_equal(rig.deaf.status, VALET_DENIED);
    rig_wait(50);
    assert_int_equal(rig.seen_count, 1);
    server.status = 200;
    server.text = "{}";
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.deafs == 2);
    assert_int_equal(rig.deaf.status, VALET_INTERNAL);
    assert_int_equal(rig.told_count, 0);
}

static void
a_missing_token_is_got(void **state)
{
    (void)state;
    server.wants_token = true;
    rig.new_bearer = "t0";
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.retry);
    rig_answer_retry();
    RIG_UNTIL(rig.told_count == 1);
}

static void
without_a_token_nobody_listens(void **state)
{
    (void)state;
    server.wants_token = true;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.retry);
    rig_answer_retry();
    assert_int_equal(rig.deafs, 1);
    assert_string_equal(rig.deaf.message, "nobody signed in");
}

static void
what_is_no_message_is_passed_over(void **state)
{
    (void)state;
    server.text = "data: {\n\ndata: {\"n\":2}\n\n";
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.told_count == 1);
    assert_string_equal(rig.told[0].json, "{\"n\":2}");
}

static void
what_cannot_be_read_is_not_asked_for_again(void **state)
{
    (void)state;
    server.text = "id: 1\nretry: 100\ndata: {\"n\":1}\n\ndata: \xff\n\n";
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.seen_count == 2);
    assert_string_equal(rig.seen[1].last_event_id, "");
}

static void
the_stream_of_a_session_ends_with_it(void **state)
{
    (void)state;
    rig_begin();
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.told_count == 1);
    vl_remote_forget_session(rig.remote);
    RIG_UNTIL(rig.closed == 1);
    rig_wait(150);
    assert_int_equal(rig.seen_count, 2);
    assert_int_equal(rig.deafs, 0);
}

/* @spec HT-31: a server that had a stream, and knows the session no more. */
static void
that_the_session_is_lost_is_told(void **state)
{
    (void)state;
    rig_begin();
    server.ends = true;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.told_count == 1);
    server.status = 404;
    RIG_UNTIL(rig.deafs == 1);
    assert_int_equal(rig.deaf.status, VALET_NOT_FOUND);
    assert_false(vl_remote_has_session(rig.remote));
    assert_null(rig.remote->listening);
    size_t seen = rig.seen_count;
    rig_wait(150);
    assert_int_equal(rig.seen_count, seen);
}

static void
listen_again(struct vl_remote_call *call)
{
    (void)call;
    rig.on_message = NULL;
    vl_remote_listen(rig.remote);
}

static void
free_all(struct vl_remote_call *call)
{
    (void)call;
    vl_remote_free(rig.remote);
    rig.remote = NULL;
}

static void
a_message_may_end_the_stream(void **state)
{
    (void)state;
    rig.on_message = listen_again;
    vl_remote_listen(rig.remote);
    RIG_UNTIL(rig.told_count == 2);
    rig.on_message = free_all;
    vl_exchange_write(rig.open[1], VL_STR("data: {}\n\ndata: {}\n\n"));
    RIG_UNTIL(rig.closed == 2);
    assert_int_equal(rig.told_count, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_server_says_unasked_is_told),
        TEST(it_is_taken_up_again_where_it_ended),
        TEST(a_server_that_fails_is_asked_again),
        TEST(that_there_is_none_is_no_news),
        TEST(a_refusal_is_told_once),
        TEST(a_missing_token_is_got),
        TEST(without_a_token_nobody_listens),
        TEST(what_is_no_message_is_passed_over),
        TEST(what_cannot_be_read_is_not_asked_for_again),
        TEST(the_stream_of_a_session_ends_with_it),
        TEST(that_the_session_is_lost_is_told),
        TEST(a_message_may_end_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
