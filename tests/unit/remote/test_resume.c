/* SPDX-License-Identifier: Apache-2.0
 *
 * An event stream that ends before the answer, and how it is taken up again.
 */
#include "remote_rig.h"

static struct {
    const char *first; /* the answer to POST */
    bool breaks;       /* it does not even end */
    const char *again; /* to GET; NULL: 404 */
    bool stays;        /* that one does not end */
    size_t good_from;  /* the GETs before are answered 503 */
} server;

static void
play(struct vl_exchange *x, size_t number)
{
    bool is_get = strcmp(rig.seen[number].method, "GET") == 0;
    if (is_get && number < server.good_from) {
        reply(x, 503, NULL, NULL);
    } else if (is_get && !server.again) {
        reply(x, 404, NULL, NULL);
    } else if (is_get && server.stays) {
        stream(x, server.again);
    } else {
        if (!is_get && server.breaks)
            vl_exchange_cut_short(x);
        reply_events(x, is_get ? server.again : server.first);
    }
}

static int
open_it(void **state)
{
    memset(&server, 0, sizeof server);
    (void)rig_open(state);
    rig.play = play;
    return 0;
}

static void
note_answer(struct vl_remote_call *call)
{
    (void)call;
    rig.is_answered = strstr(rig.told[rig.told_count - 1].json, "result");
}

static struct vl_remote_call *
send_resumable(void)
{
    struct vl_remote_send in = a_send(PING);
    in.is_answered = rig_is_answered;
    rig.on_message = note_answer;
    return vl_remote_send(rig.remote, &in);
}

static void
ask(void)
{
    (void)send_resumable();
    RIG_UNTIL(rig.ends);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_it, rig_close)

/* @spec HT-26 HT-27 */
static void
a_stream_that_ends_early_is_asked_for_after_the_time_it_says(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 300\ndata: \n\n";
    server.again = "id: e-2\ndata: " PONG "\n\n";
    vl_remote_set_version(rig.remote, "2025-11-25");
    rig_set_bearer("t0");
    ask();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.http_status, 200);
    assert_int_equal(rig.told_count, 1);
    assert_string_equal(rig.told[0].json, PONG);
    assert_non_null(rig.told[0].call);
    assert_int_equal(rig.seen_count, 2);
    const struct seen *get = &rig.seen[1];
    assert_string_equal(get->method, "GET");
    assert_string_equal(get->target, "/mcp");
    assert_string_equal(get->accept, "text/event-stream");
    assert_string_equal(get->last_event_id, "e-1");
    assert_string_equal(get->version, "2025-11-25");
    assert_string_equal(get->authorization, "Bearer t0");
    assert_true(get->at - rig.seen[0].at >= 290);
    assert_true(get->at - rig.seen[0].at < 500);
}

static void
a_stream_that_breaks_off_is_asked_for_too(void **state)
{
    (void)state;
    /* Half of it comes. */
    server.first =
        "retry: 100\nid: e-1\ndata: {\"n\":1}\n\nid: e-2\ndata: "
        "{\"this is longer than all that stands before it\":true}\n\n";
    server.breaks = true;
    server.again = "data: " PONG "\n\n";
    ask();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.told_count, 2);
    assert_string_equal(rig.seen[1].last_event_id, "e-1");
}

static void
it_is_asked_for_again_and_again_while_events_come(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 1\ndata: \n\n";
    server.again = "id: e-2\ndata: \n\n";
    (void)send_resumable();
    RIG_UNTIL(rig.seen_count == 9);
    assert_string_equal(rig.seen[8].last_event_id, "e-2");
    /* At a rate that nobody suffers from. */
    assert_true(rig.seen[8].at - rig.seen[1].at >= 7 * 95);
    assert_int_equal(rig.ends, 0);
}

static void
a_server_that_fails_is_asked_a_few_times(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: {\"n\":1}\n\n";
    server.good_from = 1000;
    rig.remote->resumes_ms = 0;
    ask();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.http_status, 200);
    assert_int_equal(rig.seen_count, 6);
    assert_int_equal(rig.told_count, 1);
}

static void
a_server_that_recovers_is_heard(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: \n\n";
    server.again = "data: " PONG "\n\n";
    server.good_from = 3;
    ask();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.seen_count, 4);
    assert_string_equal(rig.seen[3].last_event_id, "e-1");
}

/* It is started anew, or we were asleep. */
static void
a_server_has_time_to_come_back(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: \n\n";
    server.again = "data: " PONG "\n\n";
    server.good_from = 6;
    (void)send_resumable();
    for (int64_t end = vl_mono_now() + 60000; !rig.ends && vl_mono_now() < end;)
        vl_loop_step(rig.loop);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.seen_count, 7);
}

static void
a_stream_that_is_not_there_any_more_is_lost(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: \n\n";
    ask();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.seen_count, 2);
}

static void
after_the_answer_the_end_is_the_end(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 1\ndata: " PONG "\n\n";
    server.again = "data: {}\n\n";
    ask();
    assert_int_equal(rig.status, VALET_OK);
    rig_wait(200);
    assert_int_equal(rig.seen_count, 1);
}

static void
a_stream_without_ids_just_ends(void **state)
{
    (void)state;
    server.first = "retry: 1\ndata: {\"n\":1}\n\n";
    ask();
    assert_int_equal(rig.status, VALET_OK);
    rig_wait(200);
    assert_int_equal(rig.seen_count, 1);
}

static void
an_id_that_cannot_be_sent_is_none(void **state)
{
    (void)state;
    server.first = "id: \xc3\xa4\ndata: {\"n\":1}\n\n";
    ask();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.seen_count, 1);
}

/* @spec HT-63 */
static void
what_knows_no_resuming_is_not_resumed(void **state)
{
    (void)state;
    struct vl_remote_send in = a_send(PING);
    server.first = "id: e-1\nretry: 1\ndata: {\"n\":1}\n\n";
    in.is_answered = rig_is_answered;
    in.is_stateless = true;
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends);
    in.is_stateless = false;
    in.is_answered = NULL;
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends == 2);
    rig_wait(200);
    assert_int_equal(rig.seen_count, 2);
}

/* Some servers keep it open: it is of no use any more. */
static void
a_stream_that_has_answered_is_not_kept(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: \n\n";
    server.again = "id: e-2\ndata: " PONG "\n\n";
    server.stays = true;
    int64_t before = vl_mono_now();
    ask();
    assert_int_equal(rig.status, VALET_OK);
    assert_true(vl_mono_now() - before < 5000);
    RIG_UNTIL(rig.closed == 1);
}

static void
a_call_may_be_aborted_while_it_waits(void **state)
{
    (void)state;
    server.first = "id: e-1\nretry: 100\ndata: {\"n\":1}\n\n";
    struct vl_remote_call *call = send_resumable();
    RIG_UNTIL(rig.told_count == 1);
    rig_wait(20);
    vl_remote_call_abort(&call);
    rig_wait(200);
    assert_int_equal(rig.seen_count, 1);
    assert_int_equal(rig.ends, 0);
}

static void
the_wait_is_what_the_server_says_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(vl_resume_delay(500, 0), 500);
    assert_int_equal(vl_resume_delay(0, 0), 100);
    assert_int_equal(vl_resume_delay(-1, 0), 1000);
    assert_int_equal(vl_resume_delay(INT64_MAX, 9), 600000);
    for (unsigned tries = 0; tries < 40; tries++) {
        int64_t ms = vl_resume_delay(100, tries);
        assert_true(ms >= 100 && ms <= 60000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_that_ends_early_is_asked_for_after_the_time_it_says),
        TEST(a_stream_that_breaks_off_is_asked_for_too),
        TEST(it_is_asked_for_again_and_again_while_events_come),
        TEST(a_server_that_fails_is_asked_a_few_times),
        TEST(a_server_that_recovers_is_heard),
        TEST(a_server_has_time_to_come_back),
        TEST(a_stream_that_is_not_there_any_more_is_lost),
        TEST(after_the_answer_the_end_is_the_end),
        TEST(a_stream_without_ids_just_ends),
        TEST(an_id_that_cannot_be_sent_is_none),
        TEST(what_knows_no_resuming_is_not_resumed),
        TEST(a_stream_that_has_answered_is_not_kept),
        TEST(a_call_may_be_aborted_while_it_waits),
        TEST(the_wait_is_what_the_server_says_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
