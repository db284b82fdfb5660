/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcp/server.h"
#include "talk/call.h"

#define ERROR(id, code, why)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code             \
    ",\"message\":\"" why "\"}}"
#define RESULT(id, text)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" text            \
    "\"}],\"isError\":false}}"
#define ID(id)      "id: " id "\n"
#define EVENT(json) "event: message\ndata: " json "\n\n"
#define CANCEL(id)                                                             \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","             \
    "\"params\":{\"requestId\":" id "}}"
#define LATER(id) CALL(id, "\"name\":\"later\"")
#define DONE      (&(valet_mcp_result){.text = "done"})

static void
runs_a_tool_that_answers_at_once(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    expect(&client,
           CALL("1", "\"name\":\"echo\",\"arguments\":{\"a\":[1,\"x\",null]}"),
           200,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":"
           "\"text\",\"text\":\"echo\"}],\"structuredContent\":{\"a\":[1,\"x\","
           "null]},\"isError\":false}}");
    assert_string_equal(desk->arguments, "{\"a\":[1,\"x\",null]}");
    expect(&client, CALL("2", "\"name\":\"broken\""), 200,
           ERROR("2", "-32603", "The tool's structured result is no JSON"));
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_STARTED), 2);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_ENDED), 2);
    /* Whatever the client wrote, a handler gets one line. */
    static const char *const lines[] = {"{\n\"a\": [1]}", "{\"a\":\r[1]}"};
    for (size_t i = 0; i < VL_COUNT(lines); i++) {
        struct fake_answer answer;
        char body[200];
        (void)snprintf(body, sizeof body,
                       CALL("1", "\"name\":\"echo\",\"arguments\":%s"),
                       lines[i]);
        client_send(&client, "POST", body, &answer);
        assert_string_equal(desk->arguments, "{\"a\":[1]}");
        fake_answer_done(&answer);
    }
    /* @spec HT-39 */
    struct client old = open_client(desk, &alice, "2025-03-26");
    expect(&old, CALL("3", "\"name\":\"echo\""), 200, RESULT("3", "echo"));
}

static void
checks_what_it_is_called_with(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    static const char *const unknown[] = {
        CALL("1", ""),
        CALL("1", "\"name\":1"),
        CALL("1", "\"name\":\"\""),
        CALL("1", "\"name\":\"Echo\""),
        CALL("1", "\"name\":\"nothing\""),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}",
    };
    for (size_t i = 0; i < VL_COUNT(unknown); i++)
        expect(&client, unknown[i], 200, ERROR("1", "-32602", "Unknown tool"));
    static const char *const wrong[] = {"[]", "1", "\"{}\"", "true", "false"};
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       CALL("1", "\"name\":\"echo\",\"arguments\":%s"),
                       wrong[i]);
        expect(&client, body, 200,
               ERROR("1", "-32602", "The arguments are no object"));
    }
    assert_int_equal(desk->started, 0);
}

static void
add_strict_tool(struct desk *desk)
{
    static const char schema[] =
        "{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{"
        "\"maximum\":5}},\"additionalProperties\":false}";
    valet_mcp_tool tool = {
        .name = "strict",
        .description = "A tool.",
        .input_schema = schema,
        .permission = "read",
        .call = tool_echo,
        .ctx = desk,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
    /* It gives back what it got. */
    tool.name = "promising";
    tool.input_schema = "{\"type\":\"object\"}";
    tool.output_schema = schema;
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

#define STRICT(id, arguments) CALL(id, "\"name\":\"strict\"" arguments)
#define MISFIT(id, why)                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" why             \
    "\"}],\"isError\":true}}"
#define TOO_LARGE "The arguments do not fit: /n breaks \\\"maximum\\\":5"
#define MISSING                                                                \
    "The arguments do not fit: /n breaks \\\"required\\\":[\\\"n\\\"]"

/* SEP-1303: the model is told and can do better. */
static void
tells_the_model_what_does_not_fit(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    add_strict_tool(desk);
    expect(&client, STRICT("1", ",\"arguments\":{\"n\":6}"), 200,
           MISFIT("1", TOO_LARGE));
    expect(&client, STRICT("2", ""), 200, MISFIT("2", MISSING));
    expect(&client, STRICT("3", ",\"arguments\":null"), 200,
           MISFIT("3", MISSING));
    assert_int_equal(desk->started, 0);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_STARTED), 0);
    expect(&client, STRICT("4", ",\"arguments\":{\"n\":5}"), 200,
           "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"content\":[{\"type\":"
           "\"text\",\"text\":\"echo\"}],\"structuredContent\":{\"n\":5},"
           "\"isError\":false}}");
    assert_int_equal(desk->started, 1);
}

static void
tells_older_clients_of_invalid_params(void **state)
{
    static const char *const versions[] = {"2025-03-26", "2025-06-18"};
    struct desk *desk = *state;
    add_strict_tool(desk);
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct client client = open_client(desk, &alice, versions[i]);
        expect(&client, STRICT("1", ",\"arguments\":{\"n\":6}"), 200,
               ERROR("1", "-32602", TOO_LARGE));
        expect(&client, STRICT("2", ""), 200, ERROR("2", "-32602", MISSING));
    }
    assert_int_equal(desk->started, 0);
}

static void
keeps_what_an_output_schema_promises(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    add_strict_tool(desk);
    expect(&client, CALL("1", "\"name\":\"promising\",\"arguments\":{\"n\":6}"),
           200,
           ERROR("1", "-32603",
                 "The tool's result is not what its output schema promises"));
    expect(&client, CALL("2", "\"name\":\"promising\",\"arguments\":{\"n\":5}"),
           200,
           "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":"
           "\"text\",\"text\":\"echo\"}],\"structuredContent\":{\"n\":5},"
           "\"isError\":false}}");
}

static valet_mcp_call *seen_by(struct desk *desk);

static void
takes_null_for_what_is_left_out(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    expect(&client,
           CALL("1", "\"name\":\"steps\",\"arguments\":null,"
                     "\"_meta\":null"),
           200, RESULT("1", "done"));
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"later\",\"arguments\":null"), &answer);
    assert_string_equal(valet_mcp_arguments(seen_by(desk), NULL), "{}");
    finish(desk, DONE);
    fake_answer_done(&answer);
}

/* @spec S-01 S-16 RS-11 */
static void
denies_before_anything_else_is_looked_at(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    /* The arguments are wrong too; that is not what it is told. */
    expect(&client, CALL("1", "\"name\":\"secret\",\"arguments\":[]"), 403,
           "admin");
    assert_int_equal(desk->started, 0);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_DENIED), 1);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_STARTED), 0);
    /* The scopes of this very request count, not those of the session's
     * first. */
    struct vl_principal more = alice;
    (void)snprintf(more.scopes, sizeof more.scopes, "read admin");
    client.principal = &more;
    struct fake_answer answer;
    client_send(&client, "POST", CALL("1", "\"name\":\"secret\""), &answer);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
    assert_int_equal(desk->started, 1);
}

/* @spec S-74 W-14 */
static void
ignores_a_forged_context(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &mallory, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1",
                     "\"name\":\"later\",\"context\":{\"token\":\"stolen\","
                     "\"user\":\"alice\",\"tid\":\"t\",\"scopes\":"
                     "[\"admin\"]},\"arguments\":{\"context\":1}"),
                &answer);
    valet_mcp_call *call = seen_by(desk);
    assert_string_equal(valet_mcp_user_oid(call), "mallory");
    assert_string_equal(valet_mcp_user_tid(call), "t");
    assert_string_equal(valet_mcp_client_id(call), "c2");
    assert_string_equal(valet_mcp_arguments(call, NULL), "{\"context\":1}");
    assert_string_equal(vl_mcp_call_principal(call)->session, "f2");
    assert_int_equal(strlen(valet_mcp_correlation_id(call)), 36);
    finish(desk, DONE);
    assert_str(vl_buf_str(&answer.body), RESULT("1", "done"));
    fake_answer_done(&answer);
    expect(&client,
           CALL("1", "\"name\":\"secret\",\"context\":{\"scopes\":\"admin\"}"),
           403, "admin");
}

static valet_mcp_call *
seen_by(struct desk *desk)
{
    assert_int_equal(desk->call_count, 1);
    return desk->calls[0];
}

static void
answers_later_and_out_of_order(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer one, two;
    client_send(&client, "POST", LATER("1"), &one);
    client_send(&client, "POST", LATER("\"1\""), &two);
    assert_int_equal(one.status, 0);
    valet_mcp_call *second = desk->calls[1];
    forget(desk, second);
    valet_mcp_finish(second, &(valet_mcp_result){.text = "two"});
    assert_int_equal(one.status, 0);
    assert_str(vl_buf_str(&two.body), RESULT("\"1\"", "two"));
    finish(desk, &(valet_mcp_result){.text = "one"});
    assert_str(vl_buf_str(&one.body), RESULT("1", "one"));
    fake_answer_done(&one);
    fake_answer_done(&two);
}

/* @spec HT-18 HT-19 */
static void
streams_progress_to_those_who_asked(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
#define STEPS "\"name\":\"steps\",\"_meta\":{\"progressToken\":"
#define STEP(token, rest)                                                      \
    EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","        \
          "\"params\":{\"progressToken\":" token ",\"progress\":" rest "}}")
    client_send(&client, "POST", CALL("1", STEPS "\"7\"}"), &answer);
    assert_true(answer.finished && answer.streaming);
    assert_string_equal(fake_header(&answer, "Content-Type"),
                        "text/event-stream");
    assert_string_equal(fake_header(&answer, "X-Accel-Buffering"), "no");
    assert_string_equal(fake_header(&answer, "Cache-Control"), "no-store");
    /* What does not grow is left out. */
    assert_str(vl_buf_str(&answer.body),
               ID("1-1") STEP("\"7\"", "1,\"total\":3,\"message\":\"one\"")
                   ID("1-2") STEP("\"7\"", "2.5") ID("1-3")
                       EVENT(RESULT("1", "done")));
    fake_answer_done(&answer);
    client_send(&client, "POST", CALL("1", STEPS "7}"), &answer);
    assert_true(
        vl_str_starts(vl_buf_str(&answer.body),
                      VL_STR(ID("2-1") STEP("7", "1,\"total\":3,\"message\":"
                                                 "\"one\""))));
    fake_answer_done(&answer);
    /* Nobody asked; or the token is none; or the client cannot read it. */
    expect(&client, CALL("1", "\"name\":\"steps\""), 200, RESULT("1", "done"));
    expect(&client, CALL("1", STEPS "1.5}"), 200, RESULT("1", "done"));
    expect(&client, CALL("1", STEPS "null}"), 200, RESULT("1", "done"));
    client.accept = "application/json";
    expect(&client, CALL("1", STEPS "7}"), 200, RESULT("1", "done"));
}

/* D23 */
static void
sends_no_progress_to_who_does_not_read(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"),
                &answer);
    valet_mcp_call *call = seen_by(desk);
    valet_mcp_progress(call, 1, 0, NULL);
    answer.full = true;
    valet_mcp_progress(call, 2, 0, NULL);
    size_t before = vl_buf_size(&answer.body);
    for (int i = 3; i < 1000; i++)
        valet_mcp_progress(call, i, 0, NULL);
    assert_int_equal(vl_buf_size(&answer.body), before);
    fake_drain(&answer);
    valet_mcp_progress(call, 1000, 0, NULL);
    assert_true(vl_buf_size(&answer.body) > before);
    finish(desk, DONE);
    assert_true(vl_str_ends(vl_buf_str(&answer.body),
                            VL_STR(EVENT(RESULT("1", "done")))));
    fake_answer_done(&answer);
}

static void
keeps_line_breaks_out_of_the_frame(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    client.accept = "text/event-stream";
    struct fake_answer answer;
    client_send(&client, "POST", LATER("\"a\\n\\ndata: x\""), &answer);
    finish(desk, &(valet_mcp_result){
                     .text = "x\n\nevent: message\ndata: {}\r\n",
                     .structured = "{\n\n\"a\"\n:\r1}",
                 });
    size_t breaks = 0;
    struct vl_str body = vl_buf_str(&answer.body);
    for (size_t i = 0; i < body.n; i++)
        breaks += body.p[i] == '\n' || body.p[i] == '\r';
    assert_int_equal(breaks, 4);
    fake_answer_done(&answer);
}

/* @spec HT-20 D22 */
static void
cancels_within_the_session_alone(void **state)
{
    struct desk *desk = *state;
    struct client hers = open_client(desk, &alice, "2025-11-25");
    struct client his = open_client(desk, &mallory, "2025-11-25");
    struct client second = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&hers, "POST", LATER("1"), &answer);
    expect(&his, CANCEL("1"), 202, "");
    expect(&second, CANCEL("1"), 202, "");
    expect(&hers, CANCEL("\"1\""), 202, "");
    expect(&hers, CANCEL("2"), 202, "");
    assert_int_equal(desk->cancelled, 0);
    expect(&hers, CANCEL("1"), 202, "");
    assert_int_equal(desk->cancelled, 1);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_CANCELLED), 1);
    /* Whoever waited is let go, without an answer. */
    assert_int_equal(answer.status, 202);
    assert_int_equal(vl_buf_size(&answer.body), 0);
    expect(&hers, CANCEL("1"), 202, "");
    assert_int_equal(desk->cancelled, 1);
    /* The tool is still at it, so the id is taken. */
    expect(&hers, LATER("1"), 200,
           ERROR("1", "-32600", "A request with this id is under way"));
    valet_mcp_progress(seen_by(desk), 1, 0, NULL);
    finish(desk, DONE);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_ENDED), 1);
    assert_int_equal(vl_buf_size(&answer.body), 0);
    fake_answer_done(&answer);
}

static void
bears_a_tool_that_finishes_when_cancelled(void **state)
{
    struct desk *desk = *state;
    desk->finish_on_cancel = true;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer one, two, three;
    client_send(&client, "POST", LATER("1"), &one);
    expect(&client, CANCEL("1"), 202, "");
    assert_int_equal(one.status, 202);
    client_send(&client, "POST", LATER("1"), &two);
    client_send(&client, "POST", LATER("2"), &three);
    struct fake_answer gone;
    client_send(&client, "DELETE", "", &gone);
    assert_int_equal(gone.status, 204);
    assert_int_equal(two.status, 404);
    assert_int_equal(three.status, 404);
    assert_int_equal(desk->cancelled, 3);
    assert_int_equal(desk->call_count, 0);
    fake_answer_done(&one);
    fake_answer_done(&two);
    fake_answer_done(&three);
    fake_answer_done(&gone);
}

/* @spec HT-20 */
static void
tool_silent(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    desk->calls[desk->call_count++] = call;
}

static void
tells_who_asks_too_late_that_it_was_cancelled(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    add_tool(desk, "silent", "read", tool_silent);
    for (int i = 0; i < 2; i++) {
        client_send(&client, "POST", CALL("1", "\"name\":\"silent\""), &answer);
        expect(&client, CANCEL("1"), 202, "");
        assert_int_equal(desk->cancelled, i);
        desk->finish_on_cancel = i > 0;
        valet_mcp_on_cancel(desk->calls[0], NULL, NULL);
        valet_mcp_on_cancel(desk->calls[0], on_cancel, desk);
        assert_int_equal(desk->cancelled, i + 1);
        if (i == 0)
            finish(desk, DONE);
        fake_answer_done(&answer);
    }
    assert_int_equal(desk->call_count, 0);
}

static void
goes_on_when_the_client_has_hung_up(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"),
                &answer);
    answer.x->closed = true;
    assert_false(valet_mcp_is_cancelled(seen_by(desk)));
    valet_mcp_progress(seen_by(desk), 1, 2, "half");
    finish(desk, DONE);
    assert_true(answer.finished);
    assert_int_equal(desk->cancelled, 0);
    fake_answer_done(&answer);
}

static void
drops_results_after_the_session(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer plain, stream;
    client_send(&client, "POST", LATER("1"), &plain);
    client_send(&client, "POST",
                CALL("2", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"),
                &stream);
    valet_mcp_progress(desk->calls[1], 1, 0, NULL);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_int_equal(plain.status, 404);
    assert_true(stream.finished);
    assert_int_equal(desk->cancelled, 2);
    size_t sent = vl_buf_size(&stream.body);
    finish(desk, DONE);
    finish(desk, DONE);
    assert_int_equal(vl_buf_size(&stream.body), sent);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_ENDED), 2);
    fake_answer_done(&plain);
    fake_answer_done(&stream);
}

static void
lets_calls_outlive_the_endpoint(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-03-26");
    struct fake_answer one, two, batch;
    client_send(&client, "POST", LATER("1"), &one);
    client_send(&client, "POST", LATER("2"), &two);
    client_send(&client, "POST", "[" LATER("3") "," LATER("4") "]", &batch);
    expect(&client, CANCEL("2"), 202, "");
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_int_equal(one.status, 503);
    assert_int_equal(two.status, 202);
    assert_int_equal(batch.status, 503);
    assert_int_equal(desk->cancelled, 4);
    valet_mcp_progress(desk->calls[0], 1, 0, NULL);
    while (desk->call_count)
        finish(desk, DONE);
    fake_answer_done(&one);
    fake_answer_done(&two);
    fake_answer_done(&batch);
}

static void
says_why_a_call_was_given_up(void **state)
{
    struct desk *desk = *state;
    const char *const *reasons = desk->reasons;
    desk->finish_on_cancel = true;
    struct fake_answer answers[4];
    struct client client = open_client(desk, &alice, "2025-11-25");
    client_send(&client, "POST", LATER("1"), &answers[0]);
    assert_null(reasons[VL_MCP_TOOL_STARTED]);
    expect(&client, CANCEL("1"), 202, "");
    assert_string_equal(reasons[VL_MCP_TOOL_CANCELLED], "client");
    assert_null(reasons[VL_MCP_TOOL_ENDED]);
    client_send(&client, "POST", LATER("1"), &answers[1]);
    vl_mcp_call_sweep(desk->endpoint, vl_mono_now() + 1);
    assert_string_equal(reasons[VL_MCP_TOOL_CANCELLED], "time_out");
    client_send(&client, "POST", LATER("1"), &answers[2]);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_string_equal(reasons[VL_MCP_TOOL_CANCELLED], "session_end");
    client = open_client(desk, &alice, "2025-11-25");
    expect(&client, CALL("1", "\"name\":\"secret\""), 403, "admin");
    assert_string_equal(reasons[VL_MCP_TOOL_DENIED], "insufficient_scope");
    expect(&client, CALL("1", "\"name\":\"signed_out\""), 401, "");
    assert_string_equal(reasons[VL_MCP_TOOL_ENDED], "login_required");
    client_send(&client, "POST", LATER("1"), &answers[3]);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    assert_string_equal(reasons[VL_MCP_TOOL_CANCELLED], "shutdown");
    for (size_t i = 0; i < VL_COUNT(answers); i++)
        fake_answer_done(&answers[i]);
}

/* @spec S-08 */
static void
asks_for_a_sign_in_while_it_still_can(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-03-26");
    expect(&client, CALL("1", "\"name\":\"signed_out\""), 401, "");
    assert_true(desk->last_failed);
    expect(&client, "[" CALL("1", "\"name\":\"signed_out\"") "]", 200,
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":"
           "\"text\",\"text\":\"Sign in again.\"}],\"isError\":true}}]");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"),
                &answer);
    valet_mcp_progress(seen_by(desk), 1, 0, NULL);
    finish(desk, &(valet_mcp_result){.text = "Sign in again.",
                                     .login_required = true});
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(vl_buf_cstr(&answer.body), "\"isError\":true"));
    fake_answer_done(&answer);
}

static void
gathers_a_batch_of_late_answers(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-03-26");
    struct fake_answer answer;
    client_send(&client, "POST",
                "[" LATER("1") "," CALL("2", "\"name\":\"echo\"") "," LATER(
                    "3") "," CANCEL("1") "]",
                &answer);
    assert_int_equal(answer.status, 0);
    assert_int_equal(desk->cancelled, 1);
    finish(desk, DONE);
    finish(desk, DONE);
    assert_int_equal(answer.status, 200);
    assert_str(vl_buf_str(&answer.body),
               "[" RESULT("2", "echo") "," RESULT("3", "done") "]");
    fake_answer_done(&answer);
    /* With progress the batch comes as an event. */
    client_send(&client, "POST", "[" CALL("1", STEPS "1}") "]", &answer);
    assert_true(answer.streaming && answer.finished);
    assert_true(vl_str_ends(vl_buf_str(&answer.body),
                            VL_STR(EVENT("[" RESULT("1", "done") "]"))));
    fake_answer_done(&answer);
}

/* One person's clients are as many as he likes. */
static void
bounds_the_calls_of_a_person(void **state)
{
    struct desk *desk = *state;
    struct client clients[4];
    struct vl_principal who[4];
    for (size_t i = 0; i < VL_COUNT(clients); i++) {
        who[i] = alice;
        (void)snprintf(who[i].client.text, sizeof who[i].client.text, "x%zu",
                       i);
        clients[i] = open_client(desk, &who[i], "2025-11-25");
    }
    struct client other = open_client(desk, &mallory, "2025-11-25");
    static struct fake_answer answers[VL_LIMIT_MCP_CALLS_PER_USER];
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++) {
        char body[200];
        (void)snprintf(body, sizeof body, LATER("%d"), i);
        client_send(&clients[i % 4], "POST", body, &answers[i]);
    }
    for (size_t i = 0; i < VL_COUNT(clients); i++)
        expect(&clients[i], LATER("\"more\""), 200,
               ERROR("\"more\"", "-32000",
                     "Too many calls at once; wait for one to end"));
    expect(&other, CALL("1", "\"name\":\"steps\""), 200, RESULT("1", "done"));
    /* Taken back, but the tool is still at it. */
    expect(&clients[0], CANCEL("0"), 202, "");
    expect(&clients[1], CALL("\"y\"", "\"name\":\"steps\""), 200,
           ERROR("\"y\"", "-32000",
                 "Too many calls at once; wait for one to end"));
    finish(desk, DONE);
    expect(&clients[1], CALL("\"y\"", "\"name\":\"signed_out\""), 401, "");
    while (desk->call_count)
        finish(desk, DONE);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    for (int i = 0; i < VL_LIMIT_MCP_CALLS_PER_USER; i++) {
        assert_int_equal(answers[i].status, i == 0 ? 202 : 200);
        fake_answer_done(&answers[i]);
    }
}

static void
keeps_a_busy_session(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client_send(&client, "POST", LATER("1"), &answer);
    desk->now += 2 * VL_LIMIT_MCP_SESSION_IDLE_MS;
    (void)open_client(desk, &alice, "2025-11-25");
    finish(desk, DONE);
    assert_str(vl_buf_str(&answer.body), RESULT("1", "done"));
    fake_answer_done(&answer);
}

/* @spec HT-40 */
static void
gives_up_a_tool_that_takes_too_long(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer one, two;
    client_send(&client, "POST", LATER("1"), &one);
    client_send(&client, "POST", LATER("2"), &two);
    expect(&client, CANCEL("1"), 202, "");
    vl_mcp_call_sweep(desk->endpoint, 0);
    assert_int_equal(two.status, 0);
    vl_mcp_call_sweep(desk->endpoint, vl_mono_now() + 1);
    assert_str(vl_buf_str(&two.body),
               ERROR("2", "-32000", "The tool took too long"));
    assert_int_equal(desk->cancelled, 2);
    finish(desk, DONE);
    finish(desk, DONE);
    fake_answer_done(&one);
    fake_answer_done(&two);
}

#ifndef VL_SANITIZED /* which sees it by itself */
static void
finish_again(valet_mcp_call *call)
{
    valet_mcp_finish(call, DONE);
}

static void
await_again(valet_mcp_call *call)
{
    valet_mcp_await(call);
}

static void
fail_again(valet_mcp_call *call)
{
    valet_mcp_fail(call, VALET_INVALID, "late");
}

static void
complete_again(valet_mcp_call *call)
{
    valet_mcp_finish_completion(call, NULL, 0, 0);
}

static void
tell_again(valet_mcp_call *call)
{
    valet_mcp_progress(call, 1, 0, NULL);
}

static void
log_again(valet_mcp_call *call)
{
    valet_mcp_log(call, VALET_MCP_EMERGENCY, NULL, "late");
}

/* The program ends; what was another's meanwhile has no answer of this one. */
static void
gives_nobody_the_result_of_a_call_that_was_finished(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct client other = open_client(desk, &mallory, "2025-11-25");
    static void (*const deeds[])(valet_mcp_call * call) = {
        finish_again,   await_again, fail_again,
        complete_again, tell_again,  log_again};
    struct fake_answer answer, theirs;
    client_send(&client, "POST", LATER("1"), &answer);
    valet_mcp_call *call = desk->calls[0];
    finish(desk, DONE);
    fake_answer_done(&answer);
    client_send(&other, "POST", LATER("1"), &theirs);
    for (size_t i = 0; i < VL_COUNT(deeds); i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)!freopen("/dev/null", "w", stderr);
            (void)signal(SIGSEGV, SIG_DFL);
            deeds[i](call);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
    finish(desk, DONE);
    fake_answer_done(&theirs);
}
#endif

static void
refuses_results_and_arguments_without_end(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    size_t n = VL_MCP_ANSWER_MAX + 1;
    char *text = vl_alloc(n + 1);
    memset(text, 'x', n);
    struct fake_answer answer;
    client_send(&client, "POST", LATER("1"), &answer);
    finish(desk, &(valet_mcp_result){.text = text});
    assert_str(vl_buf_str(&answer.body),
               ERROR("1", "-32603", "The result is too long"));
    fake_answer_done(&answer);
    free(text);
    /* Numbers that grow when they are written out. */
    vl_auto(vl_buf) body = vl_buf_of(1 << 22);
    vl_buf_addz(&body, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
                       "call\",\"params\":{\"name\":\"later\",\"arguments\":{"
                       "\"a\":[1e15");
    while (vl_buf_size(&body) < VL_LIMIT_MCP_BODY)
        vl_buf_addz(&body, ",1e15");
    vl_buf_addz(&body, "]}}}");
    client_send(&client, "POST", vl_buf_cstr(&body), &answer);
    if (desk->call_count)
        finish(desk, DONE);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    assert_int_equal(answer.status, 200);
    fake_answer_done(&answer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(runs_a_tool_that_answers_at_once),
        DESK_TEST(checks_what_it_is_called_with),
        DESK_TEST(tells_the_model_what_does_not_fit),
        DESK_TEST(tells_older_clients_of_invalid_params),
        DESK_TEST(keeps_what_an_output_schema_promises),
        DESK_TEST(takes_null_for_what_is_left_out),
        DESK_TEST(denies_before_anything_else_is_looked_at),
        DESK_TEST(ignores_a_forged_context),
        DESK_TEST(answers_later_and_out_of_order),
        DESK_TEST(streams_progress_to_those_who_asked),
        DESK_TEST(sends_no_progress_to_who_does_not_read),
        DESK_TEST(keeps_line_breaks_out_of_the_frame),
        DESK_TEST(cancels_within_the_session_alone),
        DESK_TEST(bears_a_tool_that_finishes_when_cancelled),
        DESK_TEST(tells_who_asks_too_late_that_it_was_cancelled),
        DESK_TEST(goes_on_when_the_client_has_hung_up),
        DESK_TEST(drops_results_after_the_session),
        DESK_TEST(lets_calls_outlive_the_endpoint),
        DESK_TEST(says_why_a_call_was_given_up),
        DESK_TEST(asks_for_a_sign_in_while_it_still_can),
        DESK_TEST(gathers_a_batch_of_late_answers),
        DESK_TEST(bounds_the_calls_of_a_person),
        DESK_TEST(keeps_a_busy_session),
        DESK_TEST(gives_up_a_tool_that_takes_too_long),
#ifndef VL_SANITIZED
        DESK_TEST(gives_nobody_the_result_of_a_call_that_was_finished),
#endif
        DESK_TEST(refuses_results_and_arguments_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
