/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_gate_scene.h"

/* --- taken back --- */

/* @spec ST-08 S-47 */
static void
a_call_that_is_taken_back_while_it_waits_never_gets_in(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, CALL("a"));
    say(&s, CALL(2));
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
            "\"params\":{\"requestId\":\"\\u0061\"}}");
    assert_int_equal(fake_door.left, 1);
    open_door(&s, 3600);
    expect_server(&s, CALL(2) "\n");
    expect_client(&s, "");
    /* What is at work already is the server's to take back. */
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
            "\"params\":{\"requestId\":2}}");
    expect_server(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                      "cancelled\",\"params\":{\"requestId\":2}}\n");
    vl_gate_server_ends(s.gate);
    expect_client(&s, "");
    finish(&s);
}

static void
one_of_a_batch_is_taken_back_behind_it(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    greet(&s, "2025-03-26", "{}");
    say(&s, "[" CALL(1) "," CALL(2) "]");
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
            "\"params\":{\"requestId\":1}}");
    expect_server(&s, "");
    open_door(&s, 3600);
    expect_server(&s, "[" CALL(1) "," CALL(
                          2) "]\n"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                             "cancelled\",\"params\":{\"requestId\":1}}\n");
    vl_gate_server_ends(s.gate);
    expect_client(&s,
                  ERROR(2, -32000, "The server has ended before it answered"));
    finish(&s);
    begin(&s);
    greet(&s, "2025-03-26", "{}");
    say(&s, "[" CALL(1) "]");
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
            "\"params\":{\"requestId\":1}}");
    assert_int_equal(fake_door.count, 0);
    finish(&s);
}

/* --- while it waits --- */

static void
progress_rises_and_stays_below_what_the_server_begins_with(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
        "{\"_meta\":{\"progressToken\":\"p\"}}}");
    struct vl_visit *visit = fake_door_first();
    for (int i = 0; i < 2; i++)
        visit->hooks.tell("Open it", visit->hooks.ctx);
    expect_client(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                  "\"params\":{\"progressToken\":\"p\",\"progress\":-1e-3,"
                  "\"message\":\"Open it\"}}\n"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                  "\"params\":{\"progressToken\":\"p\",\"progress\":-1e-4,"
                  "\"message\":\"Open it\"}}\n");
    for (int i = 0; i < 400; i++)
        visit->hooks.tell("Open it", visit->hooks.ctx);
    vl_buf_clear(&s.to_client);
    say(&s, CALL(2));
    visit = VL_CONTAINER(fake_door.visits.prev, struct vl_visit, node);
    visit->hooks.tell("Open it", visit->hooks.ctx);
    expect_client(&s, "");
    finish(&s);
}

/* The id, or the key, of the question that the client got last. */
static void
read_name(struct scene *s, const char *before, char ret[64])
{
    const char *at = strstr(vl_buf_cstr(&s->to_client), before);
    assert_non_null(at);
    at += strlen(before);
    (void)snprintf(ret, 64, "%.*s", (int)strcspn(at, "\""), at);
}

static void
answer(struct scene *s, const char *id, const char *action)
{
    vl_auto(vl_buf) line = vl_buf_of(4096);
    vl_buf_addf(&line,
                "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{\"action\":"
                "\"%s\"}}",
                id, action);
    say(s, vl_buf_cstr(&line));
}

/* @spec D9 */
static void
a_client_of_2025_11_25_is_asked_to_open_the_address(void **state)
{
    struct scene s;
    char id[64];
    (void)state;
    begin(&s);
    greet(&s, "2025-11-25", "{\"elicitation\":{\"url\":{}}}");
    say(&s, CALL(1));
    struct vl_visit *visit = fake_door_first();
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    const char *told = vl_buf_cstr(&s.to_client);
    assert_true(strstr(told, "\"method\":\"elicitation/create\"") &&
                strstr(told, "\"mode\":\"url\"") &&
                strstr(told, "\"url\":\"https://login.example/x\""));
    read_name(&s, "\"id\":\"", id);
    vl_buf_clear(&s.to_client);
    answer(&s, id, "accept");
    answer(&s, id, "decline"); /* too late */
    expect_server(&s, "");
    assert_int_equal(visit->opened, 1);
    open_door(&s, 3600);
    assert_non_null(strstr(vl_buf_cstr(&s.to_client),
                           "notifications/elicitation/complete"));
    expect_server(&s, CALL(1) "\n");
    finish(&s);
}

static void
a_question_is_taken_back_with_its_call(void **state)
{
    struct scene s;
    char id[64];
    (void)state;
    begin(&s);
    greet(&s, "2025-11-25", "{\"elicitation\":{\"url\":{}}}");
    say(&s, CALL(1));
    struct vl_visit *visit = fake_door_first();
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    read_name(&s, "\"id\":\"", id);
    vl_buf_clear(&s.to_client);
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
            "\"params\":{\"requestId\":1}}");
    assert_non_null(strstr(vl_buf_cstr(&s.to_client), id));
    answer(&s, id, "accept"); /* ours nevertheless */
    expect_server(&s, "");
    finish(&s);
}

static void
nobody_is_asked_who_did_not_say_so(void **state)
{
    static const char *const talks[][2] = {
        {"2025-11-25", "{}"},
        {"2025-11-25", "{\"elicitation\":{}}"},
        {"2025-06-18", "{\"elicitation\":{\"url\":{}}}"},
    };
    struct scene s;
    (void)state;
    for (size_t i = 0; i < VL_COUNT(talks); i++) {
        begin(&s);
        greet(&s, talks[i][0], talks[i][1]);
        say(&s, CALL(1));
        assert_null(fake_door_first()->hooks.open);
        finish(&s);
    }
}

#define META                                                                   \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","   \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{"        \
    "\"url\":{}}}}"
#define MODERN(id, more)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"tools/call\","           \
    "\"params\":{\"name\":\"t\"," more META "}}"

static void
come_back(struct scene *s, const char *key, const char *action)
{
    vl_auto(vl_buf) line = vl_buf_of(4096);
    vl_buf_addf(&line,
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\","
                "\"params\":{\"name\":\"t\",\"inputResponses\":{\"%s\":{"
                "\"action\":\"%s\"}}," META "}}",
                key, action);
    say(s, vl_buf_cstr(&line));
}

/* @spec HT-68 */
static void
a_client_of_2026_07_28_comes_back_with_the_same_call(void **state)
{
    struct scene s;
    char key[64];
    (void)state;
    begin(&s);
    say(&s, MODERN(1, ""));
    struct vl_visit *visit = fake_door_first();
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    read_name(&s, "\"inputRequests\":{\"", key);
    assert_non_null(strstr(vl_buf_cstr(&s.to_client), "\"input_required\""));
    assert_int_equal(fake_door.left, 0);
    come_back(&s, key, "accept");
    assert_int_equal(fake_door.asked, 1);
    assert_int_equal(visit->opened, 1);
    expect_server(&s, "");
    open_door(&s, 3600);
    expect_server(&s, MODERN(2, "") "\n");
    finish(&s);
}

static void
it_may_come_back_when_all_is_done(void **state)
{
    struct scene s;
    char key[64];
    (void)state;
    begin(&s);
    say(&s, MODERN(1, ""));
    struct vl_visit *visit = fake_door_first();
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    read_name(&s, "\"inputRequests\":{\"", key);
    open_door(&s, 3600);
    expect_server(&s, "");
    come_back(&s, key, "accept");
    expect_server(&s, MODERN(2, "") "\n");
    assert_int_equal(fake_door.asked, 1);
    finish(&s);
}

static void
who_declines_is_refused(void **state)
{
    struct scene s;
    char key[64];
    (void)state;
    begin(&s);
    say(&s, MODERN(1, ""));
    struct vl_visit *visit = fake_door_first();
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    read_name(&s, "\"inputRequests\":{\"", key);
    come_back(&s, key, "decline");
    assert_int_equal(visit->opened, -1);
    fake_door_refuse(VALET_DENIED, "declined");
    vl_buf_clear(&s.to_client);
    /* And once more, when nothing is kept of it. */
    come_back(&s, key, "cancel");
    assert_int_equal(fake_door.asked, 1);
    assert_non_null(strstr(vl_buf_cstr(&s.to_client), "no: cancelled"));
    expect_server(&s, "");
    finish(&s);
}

static void
a_talk_with_the_server_is_not_talked_into(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, MODERN(1, "\"requestState\":\"s\","));
    assert_null(fake_door_first()->hooks.open);
    open_door(&s, 3600);
    expect_server(&s, MODERN(1, "\"requestState\":\"s\",") "\n");
    say(&s, MODERN(2, "\"inputResponses\":{\"x\":{\"action\":\"accept\"}},"));
    expect_server(
        &s,
        MODERN(2, "\"inputResponses\":{\"x\":{\"action\":\"accept\"}},") "\n");
    finish(&s);
}

static void
no_more_sign_ins_are_kept_than_there_is_room_for(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    for (int i = 0; i < 40; i++) {
        say(&s, MODERN(1, ""));
        struct vl_visit *visit =
            VL_CONTAINER(fake_door.visits.prev, struct vl_visit, node);
        visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    }
    assert_int_equal(fake_door.count, 16);
    finish(&s);
}

static void
nobody_waits_for_a_client_that_has_gone(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, CALL(1));
    say(&s, MODERN(2, ""));
    struct vl_visit *visit =
        VL_CONTAINER(fake_door.visits.prev, struct vl_visit, node);
    visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    vl_buf_clear(&s.to_client);
    vl_gate_client_ends(s.gate);
    assert_int_equal(fake_door.count, 0);
    expect_client(&s, "");
    hear(&s, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}");
    expect_client(&s, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n");
    finish(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_call_that_is_taken_back_while_it_waits_never_gets_in),
        cmocka_unit_test(one_of_a_batch_is_taken_back_behind_it),
        cmocka_unit_test(
            progress_rises_and_stays_below_what_the_server_begins_with),
        cmocka_unit_test(a_client_of_2025_11_25_is_asked_to_open_the_address),
        cmocka_unit_test(a_question_is_taken_back_with_its_call),
        cmocka_unit_test(nobody_is_asked_who_did_not_say_so),
        cmocka_unit_test(a_client_of_2026_07_28_comes_back_with_the_same_call),
        cmocka_unit_test(it_may_come_back_when_all_is_done),
        cmocka_unit_test(who_declines_is_refused),
        cmocka_unit_test(a_talk_with_the_server_is_not_talked_into),
        cmocka_unit_test(no_more_sign_ins_are_kept_than_there_is_room_for),
        cmocka_unit_test(nobody_waits_for_a_client_that_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
