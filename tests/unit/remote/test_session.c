/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept between messages: the session.
 */
#include "remote_rig.h"

/* Begins "s1", "s2", … at requests without one, and does what the test says at
 * others. */
static struct {
    size_t begun;
    int status;
    const char *body;
    const char *name; /* of the session, in place of "s1" */
    bool is_slow;     /* requests with one wait in `late` */
    struct vl_exchange *late;
} server;

static void
play(struct vl_exchange *x, size_t number)
{
    struct vl_reply with = {
        .status = 200, .type = "application/json", .body = VL_STR(PONG)};
    char name[16];
    if (strcmp(rig.seen[number].method, "DELETE") == 0) {
        reply(x, 200, NULL, NULL);
        return;
    }
    if (rig.seen[number].session[0] && server.is_slow) {
        server.late = x;
        return;
    }
    if (rig.seen[number].session[0]) {
        reply(x, server.status, "application/json", server.body);
        return;
    }
    (void)snprintf(name, sizeof name, "s%zu", ++server.begun);
    vl_reply_add(&with, "Mcp-Session-Id",
                 vl_str_z(server.name ? server.name : name));
    vl_exchange_reply(x, &with);
}

static int
open_it(void **state)
{
    memset(&server, 0, sizeof server);
    server.status = 200;
    server.body = PONG;
    (void)rig_open(state);
    rig.play = play;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_it, rig_close)

/* @spec HT-28 HT-30 */
static void
a_session_is_sent_from_its_beginning_on(void **state)
{
    (void)state;
    assert_false(vl_remote_has_session(rig.remote));
    rig_begin();
    assert_true(vl_remote_has_session(rig.remote));
    ping();
    assert_string_equal(rig.seen[0].session, "");
    assert_string_equal(rig.seen[1].session, "s1");
    rig_begin();
    ping();
    assert_string_equal(rig.seen[2].session, "");
    assert_string_equal(rig.seen[3].session, "s2");
}

static void
only_what_begins_a_session_gets_one(void **state)
{
    (void)state;
    ping();
    assert_false(vl_remote_has_session(rig.remote));
}

/* @spec HT-45 */
static void
what_knows_no_sessions_is_sent_none(void **state)
{
    (void)state;
    struct vl_remote_send in = a_send(PING);
    rig_begin();
    in.is_stateless = true;
    (void)vl_remote_send(rig.remote, &in);
    RIG_UNTIL(rig.ends == 2);
    assert_string_equal(rig.seen[1].session, "");
    assert_true(vl_remote_has_session(rig.remote));
}

/* @spec HT-31 */
static void
a_session_that_is_not_found_is_forgotten(void **state)
{
    (void)state;
    rig_begin();
    server.status = 404;
    ping();
    assert_int_equal(rig.status, VALET_NOT_FOUND);
    assert_true(rig.session_ended);
    assert_false(vl_remote_has_session(rig.remote));
    rig_begin();
    assert_string_equal(rig.seen[2].session, "");
}

/* @spec HT-30: by the time of another try the session is gone. */
static void
what_was_meant_for_a_session_is_not_sent_without(void **state)
{
    (void)state;
    rig_begin();
    server.status = 429;
    (void)send_text(PING);
    RIG_UNTIL(rig.seen_count == 2);
    vl_remote_forget_session(rig.remote);
    RIG_UNTIL(rig.ends == 2);
    assert_int_equal(rig.status, VALET_NOT_FOUND);
    assert_true(rig.session_ended);
    assert_int_equal(rig.seen_count, 2);
}

/* One that was sent before, and is answered after the next one has begun. */
static void
a_late_refusal_does_not_end_the_next_session(void **state)
{
    (void)state;
    rig_begin();
    server.is_slow = true;
    (void)send_text(PING);
    RIG_UNTIL(server.late);
    rig_begin();
    reply(server.late, 404, NULL, NULL);
    RIG_UNTIL(rig.ends == 3);
    assert_true(rig.session_ended);
    assert_true(vl_remote_has_session(rig.remote));
    server.is_slow = false;
    ping();
    assert_string_equal(rig.seen[rig.seen_count - 1].session, "s2");
}

static void
a_session_that_was_good_may_end_with_400(void **state)
{
    (void)state;
    rig_begin();
    ping();
    server.status = 400;
    server.body = "{\"error\":{\"code\":-32602,\"message\":\"no\"}}";
    ping();
    assert_int_equal(rig.status, VALET_INVALID);
    assert_false(rig.session_ended);
    server.body = "{\"error\":{\"code\":-32000,\"message\":\"no session\"}}";
    ping();
    assert_int_equal(rig.status, VALET_INVALID);
    assert_true(rig.session_ended);
    assert_false(vl_remote_has_session(rig.remote));
}

static void
a_session_that_was_never_good_does_not(void **state)
{
    (void)state;
    rig_begin();
    server.status = 400;
    server.body = "no";
    ping();
    assert_false(rig.session_ended);
    assert_true(vl_remote_has_session(rig.remote));
}

/* @spec HT-29 */
static void
a_session_with_an_unspeakable_name_is_refused(void **state)
{
    (void)state;
    char longest[VL_REMOTE_SESSION_MAX + 2];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {"a b", "\xc3\xa4", "", longest};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        struct vl_remote_send in = a_send(PING);
        server.name = names[i];
        in.begins_session = true;
        (void)vl_remote_send(rig.remote, &in);
        RIG_UNTIL(rig.ends == i + 1);
        assert_int_equal(rig.status, VALET_INTERNAL);
        assert_false(vl_remote_has_session(rig.remote));
        assert_int_equal(rig.told_count, 0);
    }
}

/* @spec HT-32 */
static void
a_session_is_deleted_when_it_is_left(void **state)
{
    (void)state;
    rig_set_bearer("t0");
    vl_remote_set_version(rig.remote, "2025-06-18");
    rig_begin();
    vl_remote_leave(rig.remote, 1000, rig_left, NULL);
    assert_false(rig.left);
    RIG_UNTIL(rig.left);
    assert_string_equal(rig.seen[1].method, "DELETE");
    assert_string_equal(rig.seen[1].session, "s1");
    assert_string_equal(rig.seen[1].version, "2025-06-18");
    assert_string_equal(rig.seen[1].authorization, "Bearer t0");
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
}

static void
without_a_session_there_is_nothing_to_delete(void **state)
{
    (void)state;
    vl_remote_leave(rig.remote, 1000, rig_left, NULL);
    assert_false(rig.left);
    RIG_UNTIL(rig.left);
    assert_int_equal(rig.seen_count, 0);
}

static struct vl_exchange *never;

static void
play_nothing(struct vl_exchange *x, size_t number)
{
    (void)number;
    never = x;
}

static void
leaving_aborts_what_runs_and_does_not_last(void **state)
{
    (void)state;
    rig_begin();
    rig.play = play_nothing;
    (void)send_text(PING);
    RIG_UNTIL(rig.seen_count == 2);
    reply(never, 202, NULL, NULL);
    int64_t before = vl_mono_now();
    vl_remote_leave(rig.remote, 100, rig_left, NULL);
    RIG_UNTIL(rig.left);
    assert_true(vl_mono_now() - before < 5000);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.seen_count, 3);
    reply(never, 200, NULL, NULL);
}

static void
free_all(void *ctx)
{
    (void)ctx;
    rig.left = true;
    vl_remote_free(rig.remote);
    rig.remote = NULL;
}

static void
who_has_left_may_be_freed(void **state)
{
    (void)state;
    rig_begin();
    vl_remote_leave(rig.remote, 1000, free_all, NULL);
    RIG_UNTIL(rig.left);
    rig.remote = rig_remote("/mcp");
    rig_begin();
    vl_remote_leave(rig.remote, 1000, rig_left, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_sent_from_its_beginning_on),
        TEST(only_what_begins_a_session_gets_one),
        TEST(what_knows_no_sessions_is_sent_none),
        TEST(a_session_that_is_not_found_is_forgotten),
        TEST(what_was_meant_for_a_session_is_not_sent_without),
        TEST(a_late_refusal_does_not_end_the_next_session),
        TEST(a_session_that_was_good_may_end_with_400),
        TEST(a_session_that_was_never_good_does_not),
        TEST(a_session_with_an_unspeakable_name_is_refused),
        TEST(a_session_is_deleted_when_it_is_left),
        TEST(without_a_session_there_is_nothing_to_delete),
        TEST(leaving_aborts_what_runs_and_does_not_last),
        TEST(who_has_left_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
