/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint with tools of every temper, two people who do not trust each
 * other, and a client that posts.
 */
#ifndef VL_TEST_MCP_DESK_H
#define VL_TEST_MCP_DESK_H

#include "talk/endpoint.h"
#include "vl_fake_exchange.h"
#include "vl_test.h"
#include "json/read.h"

#define NOTES_MAX 4096
#define CALLS_MAX 128

struct desk {
    int64_t now;
    struct vl_clock clock;
    struct vl_loop *loop;
    valet_mcp_server *server;
    struct vl_mcp_hooks hooks;
    struct vl_mcp_endpoint *endpoint;
    enum vl_mcp_happening notes[NOTES_MAX];
    size_t note_count;
    bool last_failed;
    const char *reasons[VL_MCP_TOOL_CANCELLED + 1]; /* the last of each */
    valet_mcp_call *calls[CALLS_MAX];               /* not yet finished */
    size_t call_count, started, cancelled;
    bool finish_on_cancel;
    char arguments[1024];
};

static const struct vl_principal alice = {
    .client = {"c1"},
    .user = {.tid = "t", .oid = "alice"},
    .session = "f1",
    .scopes = "read",
    .expires_ms = 600000,
};
static const struct vl_principal mallory = {
    .client = {"c2"},
    .user = {.tid = "t", .oid = "mallory"},
    .session = "f2",
    .scopes = "read",
    .expires_ms = 600000,
};

static int64_t
read_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

static bool
hook_may(const struct vl_principal *principal, const char *permission,
         void *ctx)
{
    (void)ctx;
    return vl_str_has_word(vl_str_z(principal->scopes), vl_str_z(permission));
}

static void
hook_refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)ctx;
    vl_exchange_reply(
        x, &(struct vl_reply){.status = 403, .body = vl_str_z(permission)});
}

static void
hook_login(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    vl_exchange_reply(x, &(struct vl_reply){.status = 401});
}

static void
hook_note(const struct vl_mcp_note *note, void *ctx)
{
    struct desk *desk = ctx;
    assert_non_null(note->principal);
    if (note->what != VL_MCP_SESSION_CLOSED)
        assert_string_equal(note->peer, "192.0.2.7");
    if (note->tool)
        assert_int_equal(strlen(note->correlation), 36);
    if (note->what == VL_MCP_TOOL_ENDED)
        desk->last_failed = note->failed;
    desk->reasons[note->what] = note->reason;
    assert_true(desk->note_count < NOTES_MAX);
    desk->notes[desk->note_count++] = note->what;
}

static inline size_t
count_notes(const struct desk *desk, enum vl_mcp_happening what)
{
    size_t n = 0;
    for (size_t i = 0; i < desk->note_count; i++)
        n += desk->notes[i] == what;
    return n;
}

static void
tool_echo(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    size_t size;
    const char *arguments = valet_mcp_arguments(call, &size);
    assert_int_equal(strlen(arguments), size);
    (void)snprintf(desk->arguments, sizeof desk->arguments, "%s", arguments);
    desk->started++;
    valet_mcp_finish(
        call, &(valet_mcp_result){.text = "echo", .structured = arguments});
}

/* Finished by the test, or when it is cancelled. */
static void
forget(struct desk *desk, const valet_mcp_call *call)
{
    for (size_t i = 0; i < desk->call_count; i++)
        if (desk->calls[i] == call)
            desk->calls[i] = desk->calls[--desk->call_count];
}

static inline void
finish(struct desk *desk, const valet_mcp_result *result)
{
    assert_true(desk->call_count > 0);
    valet_mcp_call *call = desk->calls[0];
    forget(desk, call);
    valet_mcp_finish(call, result);
}

static void
on_cancel(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    assert_true(valet_mcp_is_cancelled(call));
    desk->cancelled++;
    if (!desk->finish_on_cancel)
        return;
    forget(desk, call);
    valet_mcp_finish(call, &(valet_mcp_result){.text = "too late"});
}

static void
tool_later(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    assert_true(desk->call_count < CALLS_MAX);
    assert_false(valet_mcp_is_cancelled(call));
    desk->calls[desk->call_count++] = call;
    desk->started++;
    valet_mcp_on_cancel(call, on_cancel, desk);
}

static void
tool_steps(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_progress(call, 1, 3, "one");
    valet_mcp_progress(call, 1, 3, "again");
    valet_mcp_progress(call, 2.5, 0, NULL);
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
}

static void
tool_signed_out(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "Sign in again.",
                                               .login_required = true});
}

static void
tool_broken(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(
        call, &(valet_mcp_result){.text = "x", .structured = "{\"a\":1},1"});
}

static void
add_tool(struct desk *desk, const char *name, const char *permission,
         void (*call)(valet_mcp_call *call, void *ctx))
{
    valet_mcp_tool tool = {
        .name = name,
        .description = "A tool.",
        .input_schema = "{\"type\":\"object\"}",
        .permission = permission,
        .call = call,
        .ctx = desk,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

static int
open_desk(void **state)
{
    struct desk *desk = vl_alloc(sizeof *desk);
    desk->now = 1000;
    desk->clock = (struct vl_clock){read_hand, &desk->now};
    assert_ok(vl_loop_new(&desk->loop, NULL));
    assert_ok(valet_mcp_server_new("desk", "1.0", "Ask.", &desk->server, NULL));
    add_tool(desk, "echo", "read", tool_echo);
    add_tool(desk, "later", "read", tool_later);
    add_tool(desk, "steps", "read", tool_steps);
    add_tool(desk, "signed_out", "read", tool_signed_out);
    add_tool(desk, "broken", "read", tool_broken);
    add_tool(desk, "secret", "admin", tool_echo);
    desk->hooks = (struct vl_mcp_hooks){hook_may,  hook_refuse, hook_login,
                                        hook_note, NULL,        desk};
    desk->endpoint = vl_mcp_endpoint_new(desk->server, &desk->hooks, desk->loop,
                                         &desk->clock, 0);
    *state = desk;
    return 0;
}

static int
close_desk(void **state)
{
    struct desk *desk = *state;
    vl_mcp_endpoint_free(desk->endpoint);
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "late"});
    /* What threads have sent here, which they wait for. */
    vl_loop_deliver(desk->loop);
    valet_mcp_server_free(desk->server);
    vl_loop_free(desk->loop);
    free(desk);
    return 0;
}

/* A client in a session. */
struct client {
    struct desk *desk;
    const struct vl_principal *principal;
    char session[64], version[16];
    const char *accept;
};

static inline void
client_send(const struct client *client, const char *method, const char *body,
            struct fake_answer *answer)
{
    const char *headers[16] = {"Content-Type", "application/json"};
    size_t n = 2;
    if (client->accept) {
        headers[n++] = "Accept";
        headers[n++] = client->accept;
    }
    if (client->session[0]) {
        headers[n++] = "Mcp-Session-Id";
        headers[n++] = client->session;
    }
    if (client->version[0]) {
        headers[n++] = "MCP-Protocol-Version";
        headers[n++] = client->version;
    }
    vl_mcp_endpoint_handle(
        client->desk->endpoint,
        fake_exchange(answer, method, headers, vl_str_z(body)),
        client->principal);
}

#define BOTH "application/json, text/event-stream"

static inline struct client
open_able_client(struct desk *desk, const struct vl_principal *principal,
                 const char *version, const char *abilities)
{
    struct client client = {desk, principal, "", "", BOTH};
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                   "\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":%s,"
                   "\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}",
                   version, abilities);
    struct fake_answer answer;
    client_send(&client, "POST", body, &answer);
    assert_int_equal(answer.status, 200);
    (void)snprintf(client.session, sizeof client.session, "%s",
                   fake_header(&answer, "Mcp-Session-Id"));
    (void)snprintf(client.version, sizeof client.version, "%s", version);
    fake_answer_done(&answer);
    return client;
}

static inline struct client
open_client(struct desk *desk, const struct vl_principal *principal,
            const char *version)
{
    return open_able_client(desk, principal, version, "{}");
}

/* Sends and compares status and body. */
static inline void
expect(const struct client *client, const char *body, int status,
       const char *wanted)
{
    struct fake_answer answer;
    client_send(client, "POST", body, &answer);
    assert_true(answer.finished);
    assert_str(vl_buf_str(&answer.body), wanted);
    assert_int_equal(answer.status, status);
    fake_answer_done(&answer);
}

#define CALL(id, rest)                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"method\":\"tools/call\",\"params\":{" rest "}}"

#define DESK_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

#endif
