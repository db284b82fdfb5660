/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the revisions up to 2025-11-25, and a server that knows only
 * 2026-07-28: what the client said once is said with every request, and what
 * the server asks in a result is asked in requests (upward_round.c).
 */
#include "apps/connect/upward.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"

/* A listener that the server has ended is begun again after this. */
#define LISTEN_AGAIN_MS 1000

static void open_listener(struct vl_bridge *bridge, int64_t wait_ms);

/* --- what each request says about the client --- */

void
vl_bridge_upward_meta(struct vl_bridge *bridge, struct vl_buf *ret)
{
    vl_auto(vl_json) hello = {NULL};
    struct vl_json_out out = {ret, false};
    if (vl_json_parse(vl_buf_str(&bridge->hello), VL_LIMIT_JSON_DEPTH, &hello,
                      NULL) != VALET_OK)
        hello.root = NULL;
    const struct json_t *params = vl_json_get(hello.root, "params");
    const struct json_t *capabilities = vl_json_get(params, "capabilities");
    const struct json_t *client = vl_json_get(params, "clientInfo");
    vl_json_open(&out, '{');
    vl_json_add_z(&out, VL_MCP_META_VERSION,
                  vl_mcp_version_name(VL_MCP_FIRST_MODERN));
    if (vl_json_kind(capabilities) == VL_JSON_OBJECT)
        vl_json_add_value(&out, VL_MCP_META_CAPABILITIES, capabilities);
    else
        vl_json_add_raw(&out, VL_MCP_META_CAPABILITIES, VL_STR("{}"));
    if (client)
        vl_json_add_value(&out, VL_MCP_META_CLIENT, client);
    vl_json_close(&out, '}');
}

/* The members of _meta that a request has anyway, and ours. */
struct merge {
    struct vl_json_out out;
};

static bool
add_other(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct merge *merge = ctx;
    if (!vl_str_starts(key, VL_STR(VL_MCP_META(""))))
        vl_json_add_value(&merge->out, key.p, value);
    return true;
}

static bool
add_param(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct merge *merge = ctx;
    if (!vl_str_eq(key, VL_STR("_meta")))
        vl_json_add_value(&merge->out, key.p, value);
    return true;
}

static void
add_meta(struct vl_bridge_upward *up, struct merge *merge,
         const struct json_t *theirs)
{
    vl_json_open_key(&merge->out, "_meta", '{');
    vl_json_each(theirs, add_other, merge);
    if (merge->out.comma)
        vl_buf_addc(merge->out.buf, ',');
    vl_buf_add(merge->out.buf, vl_buf_str(&up->meta));
    merge->out.comma = true;
    if (up->log_level)
        vl_json_add_raw(&merge->out, VL_MCP_META_LEVEL,
                        vl_str_z(up->log_level));
    vl_json_close(&merge->out, '}');
}

void
vl_upward_write(struct vl_bridge *bridge, const char *id, const char *method,
                const struct json_t *params, struct vl_str more,
                struct vl_buf *ret)
{
    struct merge merge = {{ret, false}};
    vl_rpc_open_answer_raw(&merge.out, vl_str_z(id));
    vl_json_add_z(&merge.out, "method", method);
    vl_json_open_key(&merge.out, "params", '{');
    vl_json_each(params, add_param, &merge);
    if (more.n) {
        if (merge.out.comma)
            vl_buf_addc(ret, ',');
        vl_buf_add(ret, more);
        merge.out.comma = true;
    }
    add_meta(bridge->up, &merge, vl_json_get(params, "_meta"));
    vl_json_close(&merge.out, '}');
    vl_json_close(&merge.out, '}');
}

/* --- what comes back --- */

/* @spec HT-73: what an error is called in the older era; the same: as it is.
 * What a client cannot do a server does not have for it. */
static int64_t
older_code(const struct vl_bridge_call *call, int64_t code)
{
    if (code == VL_RPC_INVALID_PARAMS &&
        strcmp(call->method, "resources/read") == 0)
        return VL_RPC_NO_RESOURCE;
    return code == VL_RPC_MISSING_ABILITY ? VL_RPC_NO_METHOD : code;
}

static void
pass_error(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
    int64_t code;
    if (vl_bridge_error_code(answer->error, &code) &&
        older_code(call, code) != code) {
        vl_bridge_error_recode(answer->error, older_code(call, code), &text);
        vl_bridge_call_pass(
            call, &(struct vl_bridge_answer){.error = vl_buf_str(&text)});
        return;
    }
    vl_bridge_call_pass(call, answer);
}

static void
pass(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    if (answer->error.n)
        pass_error(call, answer);
    else if (!vl_upward_ask(call, answer->result))
        vl_bridge_call_pass(call, answer);
}

/* --- listening for the client --- */

static bool
capability(const struct vl_bridge_upward *up, const char *group,
           const char *name)
{
    return vl_json_is_true(
        vl_json_get(vl_json_get(up->capabilities.root, group), name));
}

static void
silence(struct vl_bridge_upward *up)
{
    struct vl_bridge_call *old = up->fading;
    up->fading = NULL;
    if (old)
        vl_bridge_call_free(old);
}

/* Those that wait until it is listened: nobody takes them but we. */
static void
answer_subscribers(struct vl_bridge *bridge, bool is_heard)
{
    struct vl_list *it = bridge->calls.next;
    while (it != &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        it = it->next;
        if (!call->waits_for_listener)
            continue;
        call->waits_for_listener = false;
        if (is_heard)
            vl_bridge_call_answer(
                call, &(struct vl_bridge_answer){.result = VL_STR("{}")});
        else
            vl_bridge_call_error(call, VL_RPC_INTERNAL,
                                 "The server does not tell what changes");
        it = bridge->calls.next; /* the list may be another */
    }
}

void
vl_bridge_upward_missed(struct vl_bridge_call *call)
{
    if (call->bridge->up && call->bridge->up->listener == call)
        answer_subscribers(call->bridge, false);
}

void
vl_bridge_upward_heard(struct vl_bridge_call *call)
{
    struct vl_bridge *bridge = call->bridge;
    if (!bridge->up || bridge->up->listener != call)
        return;
    silence(bridge->up);
    answer_subscribers(bridge, true);
}

static void
listener_ended(struct vl_bridge_call *call,
               const struct vl_bridge_answer *answer)
{
    struct vl_bridge *bridge = call->bridge;
    if (bridge->up->fading == call)
        bridge->up->fading = NULL;
    if (bridge->up->listener != call)
        return;
    bridge->up->listener = NULL;
    silence(bridge->up);
    answer_subscribers(bridge, answer->result.n > 0);
    /* @spec HT-66: it was ended, not refused. */
    if (answer->result.n)
        open_listener(bridge, LISTEN_AGAIN_MS);
    else
        vl_bridge_note(bridge, "the server does not tell what changes");
}

static void
add_uri(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    vl_json_add_str(ctx, NULL, uri);
}

static void
write_filter(const struct vl_bridge_upward *up, struct vl_json_out *out)
{
    vl_json_open_key(out, "notifications", '{');
    if (capability(up, "tools", "listChanged"))
        vl_json_add_bool(out, "toolsListChanged", true);
    if (capability(up, "prompts", "listChanged"))
        vl_json_add_bool(out, "promptsListChanged", true);
    if (capability(up, "resources", "listChanged"))
        vl_json_add_bool(out, "resourcesListChanged", true);
    if (vl_map_size(&up->uris)) {
        vl_json_open_key(out, "resourceSubscriptions", '[');
        vl_map_each(&up->uris, add_uri, out);
        vl_json_close(out, ']');
    }
    vl_json_close(out, '}');
}

static void
open_listener(struct vl_bridge *bridge, int64_t wait_ms)
{
    struct vl_bridge_upward *up = bridge->up;
    vl_auto(vl_buf) filter = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&filter, false};
    char *id = vl_bridge_new_id(bridge);
    write_filter(up, &out);
    vl_upward_write(bridge, id, "subscriptions/listen", NULL,
                    vl_buf_str(&filter), &json);
    struct vl_bridge_call *call =
        vl_bridge_call_new(bridge, vl_str_z(id), VL_STR("subscriptions/listen"),
                           vl_buf_str(&json));
    free(id);
    call->take = listener_ended;
    vl_bridge_call_modernize(call, NULL);
    up->listener = call;
    if (wait_ms)
        call->again_at = vl_mono_now() + wait_ms;
    else
        vl_bridge_send_modern(call);
}

/* @spec ST-09: the set has changed; the old one is silenced when the new one is
 * heard, so that nothing is missed. */
static void
listen_anew(struct vl_bridge *bridge)
{
    struct vl_bridge_upward *up = bridge->up;
    struct vl_bridge_call *old = up->listener;
    up->listener = NULL;
    if (old && old->is_acknowledged) {
        silence(up);
        up->fading = old;
    } else if (old) {
        vl_bridge_call_free(old);
    }
    if (vl_map_size(&up->uris) || capability(up, "tools", "listChanged") ||
        capability(up, "prompts", "listChanged") ||
        capability(up, "resources", "listChanged"))
        open_listener(bridge, 0);
    else
        silence(up);
}

void
vl_bridge_upward_begin(struct vl_bridge *bridge)
{
    if (!bridge->up->listener)
        listen_anew(bridge);
}

/* --- requests --- */

static void
set_level(struct vl_bridge *bridge, const struct vl_rpc_message *message)
{
    vl_auto(vl_buf) level = vl_buf_of(256);
    vl_bridge_view_write(vl_rpc_param(message, VL_STR("level")), &level);
    free(bridge->up->log_level);
    bridge->up->log_level =
        vl_buf_size(&level) ? vl_strdup(vl_buf_cstr(&level)) : NULL;
    vl_bridge_reply(bridge, message->id, VL_STR("{}"));
}

static void
subscribe(struct vl_bridge *bridge, const struct vl_rpc_message *message,
          bool is_wanted)
{
    struct vl_map *uris = &bridge->up->uris;
    struct vl_str uri = vl_rpc_param_str(message, VL_STR("uri"));
    if (!uri.n || vl_map_size(uris) >= VL_LIMIT_MCP_SUBSCRIPTIONS) {
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_PARAMS,
                         uri.n ? "Too many resources are watched"
                               : "Which resource? There is no uri");
        return;
    }
    if (is_wanted)
        vl_map_put(uris, uri, uris);
    else
        vl_map_take(uris, uri);
    listen_anew(bridge);
    if (!bridge->up->listener) {
        vl_bridge_reply(bridge, message->id, VL_STR("{}"));
        return;
    }
    struct vl_bridge_call *call =
        vl_bridge_call_of(bridge, message, VL_STR(""));
    call->waits_for_listener = true;
    call->is_modern = true;
    call->pass = pass;
}

/* Sent to the server in its own words. */
static void
translate(struct vl_bridge *bridge, const struct vl_rpc_message *message)
{
    vl_auto(vl_buf) id = vl_buf_of(2 * VL_RPC_ID_MAX);
    vl_auto(vl_buf) method = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_rpc_write_id(&id, message->id);
    vl_buf_add(&method, message->method);
    const struct json_t *params = vl_rpc_params(message);
    vl_upward_write(bridge, vl_buf_cstr(&id), vl_buf_cstr(&method), params,
                    (struct vl_str){NULL, 0}, &json);
    struct vl_bridge_call *call =
        vl_bridge_call_of(bridge, message, vl_buf_str(&json));
    call->pass = pass;
    vl_upward_keep(call, params);
    vl_bridge_call_modernize(call, message);
    vl_bridge_send_modern(call);
}

void
vl_bridge_upward_take(struct vl_bridge *bridge,
                      const struct vl_rpc_message *message)
{
    struct vl_str method = message->method;
    if (message->kind != VL_RPC_REQUEST)
        return;
    if (vl_str_eqz(method, "ping"))
        vl_bridge_reply(bridge, message->id, VL_STR("{}"));
    else if (vl_str_eqz(method, "logging/setLevel"))
        set_level(bridge, message);
    else if (vl_str_eqz(method, "resources/subscribe"))
        subscribe(bridge, message, true);
    else if (vl_str_eqz(method, "resources/unsubscribe"))
        subscribe(bridge, message, false);
    else if (vl_str_starts(method, VL_STR("tasks/")))
        vl_bridge_refuse(bridge, message->id, VL_RPC_NO_METHOD,
                         "Tasks of 2025-11-25 do not reach this server");
    else if (!vl_bridge_is_modern_method(method))
        vl_bridge_refuse(bridge, message->id, VL_RPC_NO_METHOD,
                         "There is no such method");
    else
        translate(bridge, message);
}

static bool
is_the_clients(const struct vl_bridge_call *call)
{
    return call->waits && call->client_id && !call->go;
}

void
vl_bridge_upward_take_waiting(struct vl_bridge *bridge)
{
    struct vl_list *it = bridge->calls.next;
    while (it != &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        vl_auto(vl_rpc_body) body;
        struct vl_rpc_message message;
        it = it->next;
        vl_rpc_body_init(&body);
        if (!is_the_clients(call) ||
            !vl_bridge_call_read(call, &body, &message))
            continue;
        call->holds++;
        vl_bridge_call_free(call);
        vl_bridge_upward_take(bridge, &message);
        vl_bridge_call_release(call);
        it = bridge->calls.next; /* the list may be another */
    }
}

/* --- its end --- */

/* What was asked in its way is not answered any more. */
void
vl_bridge_upward_end(struct vl_bridge *bridge)
{
    struct vl_list *it = bridge->calls.next;
    while (bridge->up && it != &bridge->calls) {
        struct vl_bridge_call *call =
            VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
        it = it->next;
        if (call->is_answered ||
            (call->pass != pass && call->take != listener_ended))
            continue;
        call->take = NULL;
        call->pass = NULL;
        call->is_parked = false;
        vl_remote_call_abort(&call->remote);
        vl_bridge_call_error(call, VL_RPC_INTERNAL,
                             "The conversation has begun anew");
        it = bridge->calls.next; /* the list may be another */
    }
    vl_bridge_upward_free(bridge->up);
    bridge->up = NULL;
}

static void
add_watched(struct vl_str uri, void *value, void *ctx)
{
    (void)value;
    vl_map_put(ctx, uri, ctx);
}

/* What was said in a session that is no more. */
static void
take_over(struct vl_bridge *bridge)
{
    struct vl_bridge_upward *up = bridge->up;
    vl_map_each(&bridge->watched, add_watched, &up->uris);
    if (vl_buf_size(&bridge->log_level))
        up->log_level = vl_strdup(vl_buf_cstr(&bridge->log_level));
}

/* --- hello --- */

/* @spec 2.5: the client's own, where it is one of that era. */
static const char *
version_for(struct vl_bridge *bridge)
{
    vl_auto(vl_json) hello = {NULL};
    enum vl_mcp_version version = VL_MCP_LAST_LEGACY;
    if (vl_json_parse(vl_buf_str(&bridge->hello), VL_LIMIT_JSON_DEPTH, &hello,
                      NULL) == VALET_OK &&
        vl_mcp_version_parse(vl_json_get_str(vl_json_get(hello.root, "params"),
                                             "protocolVersion"),
                             &version) &&
        !vl_mcp_version_is_modern(version))
        return vl_mcp_version_name(version);
    return vl_mcp_version_name(VL_MCP_LAST_LEGACY);
}

static bool
add_capability(struct vl_str key, const struct json_t *value, void *ctx)
{
    /* Tasks are other ones there. */
    if (!vl_str_eq(key, VL_STR("extensions")))
        vl_json_add_value(ctx, key.p, value);
    return true;
}

static void
write_welcome(struct vl_bridge *bridge, const struct json_t *discovered,
              struct vl_buf *ret)
{
    struct vl_json_out out = {ret, false};
    const struct json_t *server =
        vl_json_get(vl_json_get(discovered, "_meta"), VL_MCP_META_SERVER);
    const struct json_t *words = vl_json_get(discovered, "instructions");
    if (!server)
        server = vl_json_get(discovered, "serverInfo");
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "protocolVersion", version_for(bridge));
    vl_json_open_key(&out, "capabilities", '{');
    vl_json_each(vl_json_get(discovered, "capabilities"), add_capability, &out);
    vl_json_close(&out, '}');
    if (server)
        vl_json_add_value(&out, "serverInfo", server);
    else
        vl_json_add_raw(&out, "serverInfo",
                        VL_STR("{\"name\":\"unknown\",\"version\":\"0\"}"));
    if (words)
        vl_json_add_value(&out, "instructions", words);
    vl_json_close(&out, '}');
}

static struct vl_bridge_upward *
make(struct vl_bridge *bridge, const struct json_t *discovered)
{
    struct vl_bridge_upward *up = vl_alloc(sizeof *up);
    vl_auto(vl_buf) meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    up->capabilities = vl_json_share(vl_json_get(discovered, "capabilities"));
    vl_map_init(&up->uris);
    vl_list_init(&up->rounds);
    /* Its members alone. */
    vl_bridge_upward_meta(bridge, &meta);
    struct vl_str text = vl_buf_str(&meta);
    up->meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_buf_add(&up->meta, vl_str_from(vl_str_head(text, text.n - 1), 1));
    return up;
}

void
vl_bridge_upward_start(struct vl_bridge *bridge, struct vl_str discovered)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) welcome = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_bridge_call *call = bridge->greeting;
    if (vl_json_parse(discovered, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        doc.root = NULL;
    vl_bridge_note(bridge, "the server speaks 2026-07-28 alone; the client is "
                           "translated to it");
    vl_bridge_upward_end(bridge);
    bridge->up = make(bridge, doc.root);
    take_over(bridge);
    (void)snprintf(bridge->modern_version, sizeof bridge->modern_version, "%s",
                   vl_mcp_version_name(VL_MCP_FIRST_MODERN));
    write_welcome(bridge, doc.root, &welcome);
    bridge->greeting = NULL;
    bridge->session = VL_SESSION_NONE;
    if (call) {
        call->take = NULL;
        vl_bridge_call_answer(
            call, &(struct vl_bridge_answer){.result = vl_buf_str(&welcome)});
    }
    if (!call || bridge->is_early)
        vl_bridge_upward_begin(bridge);
    vl_bridge_upward_take_waiting(bridge);
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL,
                           "There is no session with the server");
}

void
vl_bridge_upward_free(struct vl_bridge_upward *up)
{
    if (!up)
        return;
    VL_LIST_EACH (it, &up->rounds)
        vl_list_remove(it);
    vl_json_done(&up->capabilities);
    vl_map_done(&up->uris);
    vl_buf_done(&up->meta);
    free(up->log_level);
    free(up);
}
