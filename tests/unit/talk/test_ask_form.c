/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#define FORM                                                                   \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"     \
    "\"age\":{\"type\":\"integer\"},\"size\":{\"type\":\"number\"},"           \
    "\"sure\":{\"type\":\"boolean\"}}}"

/* Says all that it was answered. */
static void
tool_ask(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    char text[512];
    int64_t age = -1;
    double size = -1;
    assert_false(valet_mcp_is_accepted(call, "form"));
    assert_null(valet_mcp_form_text(call, "form", "name"));
    assert_null(valet_mcp_sampled_text(call, "model"));
    assert_null(valet_mcp_root_uri(call, "roots", 0));
    desk->started++;
    const char *form = valet_mcp_elicit(call, "form", "Who?", FORM);
    const char *model = valet_mcp_ask_model(call, "model", "a \"b\"\n", 7);
    const char *roots = valet_mcp_list_roots(call, "roots");
    if (!form || !model || !roots) {
        valet_mcp_await(call);
        return;
    }
    bool has_age = valet_mcp_form_int(call, "form", "age", &age);
    bool has_size = valet_mcp_form_number(call, "form", "size", &size);
    const char *name = valet_mcp_form_text(call, "form", "name");
    const char *said = valet_mcp_sampled_text(call, "model");
    const char *second = valet_mcp_root_uri(call, "roots", 1);
    assert_null(valet_mcp_root_uri(call, "roots", 2));
    assert_null(valet_mcp_form_text(call, "form", "age"));
    assert_null(valet_mcp_form_text(call, "model", "content"));
    assert_null(valet_mcp_form_text(call, "other", "name"));
    (void)snprintf(text, sizeof text, "%d %s %d:%d %d:%g %d %s %s",
                   valet_mcp_is_accepted(call, "form"), name ? name : "-",
                   has_age, (int)age, has_size, size,
                   valet_mcp_form_is_true(call, "form", "sure"),
                   said ? said : "-", second ? second : "-");
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

/* By a name that a task could not ask by. */
static void
tool_badly_named(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    assert_null(valet_mcp_elicit(call, "a.b", "Who?", FORM));
    valet_mcp_await(call);
}

#define REQUEST(tool, rest)                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"     \
    "\"name\":\"" tool "\",\"_meta\":{"                                        \
    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","              \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{},"      \
    "\"sampling\":{},\"roots\":{}}}" rest "}}"
#define ANSWERS(form, content)                                                 \
    ",\"inputResponses\":{\"form\":" form ",\"model\":{\"role\":"              \
    "\"assistant\",\"model\":\"m\",\"content\":" content                       \
    "},\"roots\":{\"roots\":[{\"uri\":\"file:///a\"},{\"uri\":"                \
    "\"file:///b\"}]}}"

static struct vl_str
ask(struct desk *desk, const char *tool, const char *body,
    struct fake_answer *answer)
{
    const char *headers[] = {"Content-Type",
                             "application/json",
                             "Accept",
                             BOTH,
                             "Mcp-Name",
                             tool,
                             "Mcp-Method",
                             "tools/call",
                             "MCP-Protocol-Version",
                             "2026-07-28",
                             NULL,
                             NULL};
    vl_mcp_endpoint_handle(
        desk->endpoint, fake_exchange(answer, "POST", headers, vl_str_z(body)),
        &alice);
    assert_true(answer->finished);
    return vl_buf_str(&answer->body);
}

static void
expect_said(struct desk *desk, const char *body, const char *wanted)
{
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(ask(desk, "ask", body, &answer), 16, &doc, NULL));
    const struct json_t *content =
        vl_json_get(vl_json_get(doc.root, "result"), "content");
    assert_str(vl_json_get_str(vl_json_at(content, 0), "text"), wanted);
    fake_answer_done(&answer);
}

static void
what_was_answered_can_be_read_without_json(void **state)
{
    struct desk *desk = *state;
    add_tool(desk, "ask", "read", tool_ask);
    expect_said(
        desk,
        REQUEST("ask", ANSWERS("{\"action\":\"accept\",\"content\":{\"name\":"
                               "\"Ada\",\"age\":5.0,\"size\":2,\"sure\":true}}",
                               "{\"type\":\"text\",\"text\":\"yes\"}")),
        "1 Ada 1:5 1:2 1 yes file:///b");
    /* What is not there, and what is not of that type. */
    expect_said(
        desk,
        REQUEST("ask", ANSWERS("{\"action\":\"accept\",\"content\":{}}",
                               "[{\"type\":\"image\",\"data\":\"\"},"
                               "{\"type\":\"text\",\"text\":\"two\"}]")),
        "1 - 0:-1 0:-1 0 two file:///b");
    /* Nothing of a form that was not accepted is believed. */
    expect_said(
        desk,
        REQUEST("ask", ANSWERS("{\"action\":\"decline\",\"content\":{\"name\":"
                               "\"Ada\",\"age\":5,\"sure\":true}}",
                               "{\"type\":\"audio\",\"data\":\"\"}")),
        "0 - 0:-1 0:-1 0 - file:///b");
    assert_int_equal(desk->started, 3);
}

static void
a_model_is_asked_with_one_text(void **state)
{
    struct desk *desk = *state;
    struct fake_answer answer;
    vl_auto(vl_json) doc = {NULL};
    add_tool(desk, "ask", "read", tool_ask);
    assert_ok(vl_json_parse(ask(desk, "ask", REQUEST("ask", ""), &answer), 16,
                            &doc, NULL));
    const struct json_t *asked = vl_json_get(
        vl_json_get(vl_json_get(doc.root, "result"), "inputRequests"), "model");
    int64_t tokens = 0;
    assert_str(vl_json_get_str(asked, "method"), "sampling/createMessage");
    const struct json_t *params = vl_json_get(asked, "params");
    const struct json_t *one = vl_json_at(vl_json_get(params, "messages"), 0);
    assert_str(vl_json_get_str(vl_json_get(one, "content"), "text"),
               "a \"b\"\n");
    assert_true(vl_json_get_int(params, "maxTokens", &tokens));
    assert_int_equal(tokens, 7);
    fake_answer_done(&answer);
}

static void
a_key_is_one_that_tasks_can_have_too(void **state)
{
    struct desk *desk = *state;
    struct fake_answer answer;
    add_tool(desk, "badly", "read", tool_badly_named);
    struct vl_str body = ask(desk, "badly", REQUEST("badly", ""), &answer);
    assert_non_null(strstr(body.p, "by a bad name"));
    fake_answer_done(&answer);
}

/* Of one run: the next begins with none. */
static void
tool_cancelled(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    if (desk->started++ == 0)
        valet_mcp_on_cancel(call, on_cancel, desk);
    else
        desk->calls[desk->call_count++] = call;
    if (desk->started == 1) {
        valet_mcp_keep(call, "x");
        valet_mcp_await(call);
    }
}

static void
who_hears_of_the_end_is_said_in_each_run(void **state)
{
    struct desk *desk = *state;
    struct fake_answer answer;
    struct client client = open_client(desk, &alice, "2025-11-25");
    add_tool(desk, "cancelled", "read", tool_cancelled);
    client_send(&client, "POST", CALL("1", "\"name\":\"cancelled\""), &answer);
    assert_int_equal(desk->started, 2);
    expect(&client,
           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
           "\"params\":{\"requestId\":1}}",
           202, "");
    assert_int_equal(desk->cancelled, 0);
    assert_int_equal(count_notes(desk, VL_MCP_TOOL_CANCELLED), 1);
    finish(desk, &(valet_mcp_result){.text = "late"});
    fake_answer_done(&answer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(what_was_answered_can_be_read_without_json),
        DESK_TEST(a_model_is_asked_with_one_text),
        DESK_TEST(a_key_is_one_that_tasks_can_have_too),
        DESK_TEST(who_hears_of_the_end_is_said_in_each_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
