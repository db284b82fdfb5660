/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_gate_scene.h"

/* --- what passes --- */

static void
what_tells_about_a_server_passes_without_sign_in(void **state)
{
    static const char *const free_lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}",
        "{ \"id\" : 1 , \"method\":\"ping\", \"jsonrpc\":\"2.0\" }",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"server/discover\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/templates/"
        "list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logging/setLevel\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
        "cancelled\",\"params\":"
        "{\"requestId\":7}}",
        "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"x\":1.50}}",
        "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":1,\"message\":\"m\"}"
        "}",
    };
    struct scene s;
    (void)state;
    begin(&s);
    for (size_t i = 0; i < VL_COUNT(free_lines); i++) {
        vl_auto(vl_buf) line = vl_buf_of(4096);
        vl_buf_addf(&line, "%s\n", free_lines[i]);
        say(&s, free_lines[i]);
        expect_server(&s, vl_buf_cstr(&line));
    }
    assert_int_equal(fake_door.asked, 0);
    expect_client(&s, "");
    finish(&s);
}

static void
all_else_waits_for_the_door(void **state)
{
    static const char *const methods[] = {
        "tools/call",
        "resources/read",
        "prompts/get",
        "completion/complete",
        "resources/subscribe",
        "subscriptions/listen",
        "tasks/get",
        "tools/List",
        "notifications/initialized",
        "toString",
        "ping ",
        "p\\u0069ng/",
    };
    struct scene s;
    (void)state;
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        vl_auto(vl_buf) line = vl_buf_of(4096);
        begin(&s);
        vl_buf_addf(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
                    methods[i]);
        say(&s, vl_buf_cstr(&line));
        expect_server(&s, "");
        assert_int_equal(fake_door.asked, 1);
        open_door(&s, 3600);
        vl_buf_addc(&line, '\n');
        expect_server(&s, vl_buf_cstr(&line));
        assert_int_equal(s.identities, 1);
        finish(&s);
    }
}

static void
notifications_that_might_do_something_wait_as_well(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\"}");
    expect_server(&s, "");
    fake_door_refuse(VALET_DENIED, "x");
    expect_server(&s, "");
    expect_client(&s, "");
    finish(&s);
}

static void
calls_go_in_byte_for_byte_and_in_order_and_others_pass_them(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, CALL(1));
    say(&s, "{ \"jsonrpc\":\"2.0\", \"id\":2,\t\"method\":\"tools/call\" , "
            "\"params\":{\"x\":[1.0,1e2,\"\\u00e4\"]}}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}");
    expect_server(&s, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}\n");
    open_door(&s, 3600);
    expect_server(&s, CALL(1) "\n"
                              "{ \"jsonrpc\":\"2.0\", \"id\":2,\t\"method\":"
                              "\"tools/call\" , \"params\":{\"x\":[1.0,1e2,"
                              "\"\\u00e4\"]}}\n");
    assert_int_equal(fake_door.count, 0);
    say(&s, CALL(4));
    expect_server(&s, CALL(4) "\n");
    assert_int_equal(fake_door.asked, 2);
    finish(&s);
}

static void
a_token_that_is_near_its_end_is_asked_for_again(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, CALL(1));
    open_door(&s, 299);
    say(&s, CALL(2));
    expect_server(&s, CALL(1) "\n");
    assert_int_equal(fake_door.count, 1);
    open_door(&s, 3600);
    say(&s, CALL(3));
    expect_server(&s, CALL(2) "\n" CALL(3) "\n");
    finish(&s);
}

/* --- what does not --- */

/* @spec D3 */
static void
what_can_be_read_in_two_ways_never_gets_in(void **state)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":"
        "\"tools/call\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"m\\u0065thod\":"
        "\"tools/call\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"Method\":"
        "\"tools/call\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"METHOD\":"
        "\"tools/call\",\"params\":{\"a\\u0062\":1}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":1,"
        "\"a\":2}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xff\"}",
        "\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
        "[]",
        "null",
        "hello",
    };
    struct scene s;
    (void)state;
    begin(&s);
    for (size_t i = 0; i < VL_COUNT(lines); i++) {
        say(&s, lines[i]);
        expect_server(&s, "");
        assert_true(strstr(vl_buf_cstr(&s.to_client), "\"error\"") != NULL);
        vl_buf_clear(&s.to_client);
    }
    assert_int_equal(fake_door.asked, 0);
    finish(&s);
}

/* Who reads lines with "universal newlines" would see a call in the middle. */
static void
a_carriage_return_ends_no_line(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":"
        "\r" CALL(2) "\r}}");
    expect_server(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\","
                      "\"params\":{\"x\": " CALL(2) " }}\n");
    hear(&s, "{\"jsonrpc\":\"2.0\",\r\"id\":1,\"result\":{}}");
    expect_client(&s, "{\"jsonrpc\":\"2.0\", \"id\":1,\"result\":{}}\n");
    finish(&s);
}

/* @spec S-46 W-41 */
static void
who_is_refused_learns_it_as_their_revision_has_it(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"method\":\"tools/call\"}");
    fake_door_refuse(VALET_DENIED, "sorry");
    expect_client(&s, REFUSED("ab", "no: denied, sorry") "\n");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"resources/read\"}");
    fake_door_refuse(VALET_DENIED, "sorry");
    expect_client(&s, ERROR(2, -32000, "no: denied, sorry"));
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":"
        "{\"task\":{}}}");
    fake_door_refuse(VALET_DENIED, "sorry");
    expect_client(&s, ERROR(3, -32000, "no: denied, sorry"));
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":"
        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
        "\"2026-07-28\"}}}");
    fake_door_refuse(VALET_DENIED, "sorry");
    expect_client(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"resultType\":"
                  "\"complete\",\"content\":[{\"type\":\"text\",\"text\":"
                  "\"no: denied, sorry\"}],\"isError\":true}}\n");
    say(&s,
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"prompts/get\",\"params\":"
        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
        "\"2026-07-28\"}}}");
    fake_door_refuse(VALET_DENIED, "sorry");
    expect_client(&s, ERROR(5, -32603, "no: denied, sorry"));
    expect_server(&s, "");
    finish(&s);
}

static void
who_calls_before_all_is_configured_learns_that(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    s.is_shut = true;
    say(&s, CALL(1));
    expect_client(&s, REFUSED(1, "give --client-id") "\n");
    s.is_shut = false;
    say(&s, CALL(2));
    open_door(&s, 3600);
    expect_server(&s, CALL(2) "\n");
    finish(&s);
}

static void
no_more_waits_than_there_is_room_for(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    for (int i = 0; i < VL_GATE_WAITING_MAX; i++)
        say(&s, CALL(1));
    expect_client(&s, "");
    say(&s, CALL(2));
    expect_client(&s,
                  REFUSED(2, "Too much waits for the sign-in already") "\n");
    assert_int_equal(fake_door.count, VL_GATE_WAITING_MAX);
    finish(&s);
}

static void
no_more_is_at_work_than_there_is_room_for(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    for (int i = 0; i < VL_GATE_FLIGHT_MAX; i++) {
        vl_auto(vl_buf) line = vl_buf_of(256);
        vl_buf_addf(&line,
                    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}", i);
        say(&s, vl_buf_cstr(&line));
    }
    vl_buf_clear(&s.to_server);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}");
    expect_server(&s, "");
    expect_client(&s,
                  ERROR("x", -32000, "The server has too much to do already"));
    hear(&s, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}");
    expect_server(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}\n");
    finish(&s);
}

/* --- batches --- */

/* @spec D5 ST-04 */
static void
a_batch_with_one_call_waits_whole_and_is_refused_whole(void **state)
{
    static const char batch[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}," CALL(
            2) ","
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}]";
    struct scene s;
    (void)state;
    begin(&s);
    greet(&s, "2025-03-26", "{}");
    say(&s, batch);
    expect_server(&s, "");
    fake_door_refuse(VALET_DENIED, "x");
    expect_client(
        &s,
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,"
        "\"message\":\"no: denied, x\"}}," REFUSED(2, "no: denied, x") "]\n");
    say(&s, batch);
    open_door(&s, 3600);
    expect_server(&s,
                  "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}," CALL(
                      2) ",{\"jsonrpc\":\"2.0\",\"method\":"
                         "\"notifications/x\"}]\n");
    hear(&s,
         "[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},{\"jsonrpc\":\"2.0\","
         "\"id\":1,\"result\":{}}]");
    vl_buf_clear(&s.to_client);
    vl_gate_server_ends(s.gate);
    expect_client(&s, "");
    finish(&s);
}

static void
one_bad_element_makes_a_bad_batch(void **state)
{
    static const char *const batches[] = {
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},1]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"Method\":1}]",
        "[[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]]",
        "[]",
    };
    struct scene s;
    (void)state;
    begin(&s);
    greet(&s, "2025-03-26", "{}");
    for (size_t i = 0; i < VL_COUNT(batches); i++) {
        say(&s, batches[i]);
        expect_server(&s, "");
        expect_client(&s, ERROR(null, -32600, "This array is no batch"));
    }
    finish(&s);
}

/* --- the server --- */

/* @spec ST-02 */
static void
what_is_no_message_is_dropped_and_told(void **state)
{
    static const char *const lines[] = {
        "Listening on stdio …",
        "{\"a\":1}}",
        "3",
        "\"x\"",
        "{\"a\":\"\xff\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}",
    };
    struct scene s;
    (void)state;
    begin(&s);
    for (size_t i = 0; i < VL_COUNT(lines); i++)
        hear(&s, lines[i]);
    assert_int_equal(s.dropped, VL_COUNT(lines));
    expect_client(&s, "");
    hear(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}");
    hear(&s, " {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"r\":1.50}} ");
    expect_client(&s,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}\n"
                  " {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"r\":1.50}} "
                  "\n");
    finish(&s);
}

static void
who_still_waits_for_a_server_that_ends_is_told(void **state)
{
    struct scene s;
    (void)state;
    begin(&s);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061\",\"method\":\"ping\"}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    say(&s, CALL(3));
    hear(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"a\":\"\\u0061\"}}");
    vl_buf_clear(&s.to_client);
    vl_gate_server_ends(s.gate);
    expect_client(&s,
                  REFUSED(3, "The server has ended") "\n" ERROR(
                      "a", -32000, "The server has ended before it answered"));
    vl_buf_clear(&s.to_server);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    expect_server(&s, "");
    finish(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_tells_about_a_server_passes_without_sign_in),
        cmocka_unit_test(all_else_waits_for_the_door),
        cmocka_unit_test(notifications_that_might_do_something_wait_as_well),
        cmocka_unit_test(
            calls_go_in_byte_for_byte_and_in_order_and_others_pass_them),
        cmocka_unit_test(a_token_that_is_near_its_end_is_asked_for_again),
        cmocka_unit_test(what_can_be_read_in_two_ways_never_gets_in),
        cmocka_unit_test(a_carriage_return_ends_no_line),
        cmocka_unit_test(who_is_refused_learns_it_as_their_revision_has_it),
        cmocka_unit_test(who_calls_before_all_is_configured_learns_that),
        cmocka_unit_test(no_more_waits_than_there_is_room_for),
        cmocka_unit_test(no_more_is_at_work_than_there_is_room_for),
        cmocka_unit_test(
            a_batch_with_one_call_waits_whole_and_is_refused_whole),
        cmocka_unit_test(one_bad_element_makes_a_bad_batch),
        cmocka_unit_test(what_is_no_message_is_dropped_and_told),
        cmocka_unit_test(who_still_waits_for_a_server_that_ends_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
