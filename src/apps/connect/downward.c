/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of 2026-07-28, and a server of the revisions up to 2025-11-25: the
 * session is ours, and what each request says is said to the server once.
 */
#define _GNU_SOURCE /* memmem */
#include "apps/connect/downward.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"

/* --- both ways --- */

void
vl_downward_result(struct vl_bridge_call *call, struct vl_str result)
{
    vl_bridge_reply(call->bridge,
                    (struct vl_rpc_id){NULL, vl_str_z(call->client_id)},
                    result);
}

void
vl_downward_reply(struct vl_bridge *bridge, const char *id,
                  struct vl_str result)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&json, false};
    vl_rpc_open_answer_raw(&out, vl_str_z(id));
    if (result.n)
        vl_json_add_raw(&out, "result", result);
    else
        vl_rpc_add_error(&out, VL_RPC_NO_METHOD,
                         "The client cannot be asked this now");
    vl_json_close(&out, '}');
    vl_bridge_notify(bridge, "", vl_buf_str(&json));
}

/* --- results --- */

static bool
is_cacheable(const char *method)
{
    static const char *const methods[] = {
        "tools/list", "prompts/list", "resources/list",
        "resources/templates/list", "resources/read"};
    for (size_t i = 0; i < VL_COUNT(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

/* Of the result itself: what is in it may have members of that name too. */
static bool
has(struct vl_str result, const char *key)
{
    vl_auto(vl_json) doc = {NULL};
    return memmem(result.p, result.n, key, strlen(key)) &&
           vl_json_parse(result, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK &&
           vl_json_get(doc.root, key);
}

/* @spec HT-56 HT-71: the members that this era demands, in front of all
 * others. A server that has some of them already keeps its own. */
static void
complete(const char *method, struct vl_str result, struct vl_buf *ret)
{
    struct vl_str rest = vl_str_from(result, 1);
    while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t' ||
                      rest.p[0] == '\r' || rest.p[0] == '\n'))
        rest = vl_str_from(rest, 1);
    struct vl_json_out out = {ret, false};
    vl_json_open(&out, '{');
    if (!has(result, "resultType"))
        vl_json_add_z(&out, "resultType", "complete");
    if (is_cacheable(method) && !has(result, "ttlMs"))
        vl_json_add_int(&out, "ttlMs", 0);
    if (is_cacheable(method) && !has(result, "cacheScope"))
        vl_json_add_z(&out, "cacheScope", "private");
    if (out.comma && rest.n && rest.p[0] != '}')
        vl_buf_addc(ret, ',');
    vl_buf_add(ret, rest);
}

/* @spec HT-73: an address that has to be opened first (-32042) has no number of
 * its own any more; its sentence says what it is. */
static int64_t
newer_code(int64_t code)
{
    return code == VL_DOWNWARD_GO_FIRST
               ? VL_RPC_INTERNAL
               : vl_rpc_code_for(true, (enum vl_rpc_code)code);
}

static void
pass_error(struct vl_bridge_call *call, struct vl_str error)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    int64_t code = VL_RPC_INTERNAL;
    if (vl_bridge_error_code(error, &code) && newer_code(code) != code) {
        vl_bridge_error_recode(error, newer_code(code), &text);
        error = vl_buf_str(&text);
    }
    vl_bridge_call_pass(call, &(struct vl_bridge_answer){.error = error});
}

static void
take(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    vl_auto(vl_buf) result = vl_buf_of(VL_BRIDGE_MESSAGE);
    if (vl_downward_keeps(call, answer))
        return;
    if (answer->error.n) {
        if (!vl_downward_send_away(call, answer->error))
            pass_error(call, answer->error);
        return;
    }
    if (answer->result.p[0] != '{') {
        vl_bridge_call_pass(call, answer);
        return;
    }
    complete(call->method, answer->result, &result);
    vl_bridge_call_pass(
        call, &(struct vl_bridge_answer){.result = vl_buf_str(&result)});
}

/* --- what comes besides --- */

/* @spec HT-64: what a tool logs is told to who wanted it. Progress has the
 * token of the request, which a later round may not have. */
static bool
is_wanted(const struct vl_bridge_call *call,
          const struct vl_bridge_message *message)
{
    if (vl_str_eqz(message->method, "notifications/message"))
        return call->wants_logs;
    return !call->has_other_token ||
           !vl_str_eqz(message->method, "notifications/progress");
}

/* By HTTP+SSE nothing says whose it is. */
static bool
is_wanted_by_any(struct vl_bridge *bridge,
                 const struct vl_bridge_message *message)
{
    VL_LIST_EACH (it, &bridge->calls) {
        const struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        if (call->client_id && !call->is_answered && !call->is_cancelled &&
            is_wanted(call, message))
            return true;
    }
    return false;
}

/* @spec ST-08: nothing more of what was cancelled. */
void
vl_bridge_downward_relay(struct vl_bridge *bridge, struct vl_bridge_call *call,
                         const struct vl_bridge_message *message)
{
    if (message->kind == VL_RPC_REQUEST)
        vl_downward_question(bridge, call, message);
    else if (vl_str_ends(message->method, VL_STR("/list_changed")) ||
             vl_str_eqz(message->method, "notifications/resources/updated"))
        vl_downward_announce(bridge, message);
    else if (call && call->client_id && !call->is_cancelled &&
             is_wanted(call, message))
        vl_bridge_write(bridge, message->line);
    else if (!call && is_wanted_by_any(bridge, message))
        vl_bridge_write(bridge, message->line);
}

static void
relay(struct vl_bridge_call *call, const struct vl_bridge_message *message)
{
    vl_bridge_downward_relay(call->bridge, call, message);
}

/* --- requests --- */

static bool
add_other(struct vl_str key, const struct json_t *value, void *ctx)
{
    if (!vl_str_starts(key, VL_STR(VL_MCP_META(""))))
        vl_json_add_value(ctx, key.p, value);
    return true;
}

/* What the older era does not know is left out. */
static bool
add_param(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct vl_json_out *out = ctx;
    if (vl_str_eq(key, VL_STR("_meta"))) {
        vl_json_open_key(out, "_meta", '{');
        vl_json_each(value, add_other, out);
        vl_json_close(out, '}');
    } else if (!vl_str_eq(key, VL_STR("inputResponses")) &&
               !vl_str_eq(key, VL_STR("requestState"))) {
        vl_json_add_value(out, key.p, value);
    }
    return true;
}

static void
write_request(const struct vl_rpc_message *message, struct vl_buf *ret)
{
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    struct vl_json_out out = {ret, false};
    vl_rpc_write_id(&id, message->id);
    vl_rpc_open_answer_raw(&out, vl_buf_str(&id));
    vl_json_add_str(&out, "method", message->method);
    vl_json_open_key(&out, "params", '{');
    vl_json_each(vl_rpc_params(message), add_param, &out);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

/* Said once to a server that logs, and again when it changes. */
static bool
set_level(struct vl_bridge *bridge, const struct vl_rpc_message *message)
{
    struct vl_bridge_downward *down = bridge->down;
    vl_auto(vl_buf) level = vl_buf_of(256);
    vl_bridge_view_write(
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_LEVEL)), &level);
    if (!vl_buf_size(&level) || level.failed)
        return false;
    bool is_known =
        down->log_level && strcmp(down->log_level, vl_buf_cstr(&level)) == 0;
    bool may_log =
        !down->welcome.root ||
        vl_json_get(vl_json_get(down->welcome.root, "capabilities"), "logging");
    if (!is_known && may_log) {
        free(down->log_level);
        down->log_level = vl_strdup(vl_buf_cstr(&level));
        (void)vl_bridge_say(bridge, "logging/setLevel", "level",
                            vl_buf_str(&level));
    }
    return true;
}

static void
translate(struct vl_bridge *bridge, const struct vl_rpc_message *message)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    bool wants_logs = set_level(bridge, message);
    write_request(message, &json);
    struct vl_bridge_call *call =
        vl_bridge_call_of(bridge, message, vl_buf_str(&json));
    call->wants_logs = wants_logs;
    call->take = take;
    call->relay = relay;
    vl_bridge_send_legacy(call);
}

/* --- server/discover --- */

static bool
add_capability(struct vl_str key, const struct json_t *value, void *ctx)
{
    /* Tasks are other ones there. */
    if (!vl_str_eq(key, VL_STR("tasks")))
        vl_json_add_value(ctx, key.p, value);
    return true;
}

/* @spec HT-55 */
static void
discover(struct vl_bridge_call *call)
{
    const struct json_t *welcome = call->bridge->down->welcome.root;
    const struct json_t *words = vl_json_get(welcome, "instructions");
    const struct json_t *server = vl_json_get(welcome, "serverInfo");
    vl_auto(vl_buf) result = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&result, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "resultType", "complete");
    vl_json_open_key(&out, "supportedVersions", '[');
    vl_json_add_z(&out, NULL, vl_mcp_version_name(VL_MCP_2026_07_28));
    vl_json_close(&out, ']');
    vl_json_open_key(&out, "capabilities", '{');
    vl_json_each(vl_json_get(welcome, "capabilities"), add_capability, &out);
    vl_json_close(&out, '}');
    if (words)
        vl_json_add_value(&out, "instructions", words);
    vl_json_add_int(&out, "ttlMs", 0);
    vl_json_add_z(&out, "cacheScope", "private");
    if (server) {
        vl_json_open_key(&out, "_meta", '{');
        vl_json_add_value(&out, VL_MCP_META_SERVER, server);
        vl_json_close(&out, '}');
    }
    vl_json_close(&out, '}');
    call->take = NULL;
    vl_bridge_call_answer(
        call, &(struct vl_bridge_answer){.result = vl_buf_str(&result)});
}

/* --- the session --- */

/* What the first request says of the client holds for the session. */
static void
prepare(struct vl_bridge *bridge, const struct vl_rpc_message *message)
{
    struct vl_json_view abilities =
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_CAPABILITIES));
    struct vl_json_view client =
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_CLIENT));
    vl_auto(vl_buf) can = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_auto(vl_buf) is = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&bridge->hello, false};
    if (bridge->down)
        return;
    bridge->down = vl_alloc(sizeof *bridge->down);
    vl_bridge_note(bridge, "the server is of an older era; the client is "
                           "translated to it");
    vl_bridge_view_write(abilities, &can);
    vl_bridge_view_write(client, &is);
    if (vl_json_view_kind(abilities) != VL_JSON_OBJECT) {
        vl_buf_clear(&can);
        vl_buf_addz(&can, "{}");
    }
    if (vl_json_parse(vl_buf_str(&can), VL_LIMIT_JSON_DEPTH,
                      &bridge->down->abilities, NULL) != VALET_OK)
        bridge->down->abilities.root = NULL;
    /* A client that speaks both eras at once has a session already. */
    if (bridge->client_is_legacy)
        return;
    char *id = vl_bridge_new_id(bridge);
    vl_buf_clear(&bridge->hello);
    vl_rpc_open_answer_raw(&out, vl_str_z(id));
    free(id);
    vl_json_add_z(&out, "method", "initialize");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_z(&out, "protocolVersion",
                  vl_mcp_version_name(VL_MCP_LAST_LEGACY));
    vl_json_add_raw(&out, "capabilities", vl_buf_str(&can));
    vl_json_add_raw(&out, "clientInfo",
                    vl_buf_size(&is)
                        ? vl_buf_str(&is)
                        : VL_STR("{\"name\":\"unknown\",\"version\":\"0\"}"));
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

void
vl_bridge_downward_opened(struct vl_bridge *bridge, struct vl_str result)
{
    struct vl_bridge_downward *down = bridge->down;
    vl_json_done(&down->welcome);
    if (vl_json_parse(result, VL_LIMIT_JSON_DEPTH, &down->welcome, NULL) !=
        VALET_OK)
        down->welcome.root = NULL;
    free(down->log_level);
    down->log_level = NULL;
    vl_downward_listen_again(bridge);
}

/* @spec HT-12 */
bool
vl_bridge_downward_refused(struct vl_bridge *bridge,
                           const struct vl_bridge_failure *failure)
{
    int status = failure->http_status;
    if (vl_remote_is_http_sse(bridge->remote) ||
        (status != 400 && status != 404 && status != 405))
        return false;
    vl_bridge_use_http_sse(bridge);
    return true;
}

/* --- where they go --- */

void
vl_bridge_downward_take(struct vl_bridge *bridge,
                        const struct vl_rpc_message *message,
                        struct vl_str json)
{
    prepare(bridge, message);
    if (vl_str_eqz(message->method, "server/discover")) {
        struct vl_bridge_call *call = vl_bridge_call_of(bridge, message, json);
        call->go = discover;
        vl_bridge_send_legacy(call);
    } else if (vl_str_eqz(message->method, "subscriptions/listen")) {
        vl_downward_listen(bridge, message, json);
    } else if (!vl_downward_answer(bridge, message)) {
        translate(bridge, message);
    }
}

void
vl_bridge_downward_redo(struct vl_bridge_call *call)
{
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    vl_rpc_body_init(&body);
    bool is_read = vl_bridge_call_read(call, &body, &message);
    VL_ASSERT(is_read);
    call->holds++;
    vl_bridge_call_free(call);
    vl_bridge_downward_take(call->bridge, &message, vl_buf_str(&call->json));
    vl_bridge_call_release(call);
}

/* @spec HT-20 HT-62 */
void
vl_bridge_downward_cancel(struct vl_bridge_call *call)
{
    if (call->is_listener) {
        vl_downward_unlisten(call);
        vl_bridge_call_free(call);
    } else {
        vl_bridge_cancel_legacy(call, (struct vl_str){NULL, 0});
    }
}

void
vl_bridge_downward_free(struct vl_bridge_downward *down)
{
    if (!down)
        return;
    vl_json_done(&down->welcome);
    vl_json_done(&down->abilities);
    free(down->log_level);
    free(down);
}
