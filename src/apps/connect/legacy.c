/* SPDX-License-Identifier: Apache-2.0
 *
 * The revisions up to 2025-11-25: one says hello, and what was agreed holds for
 * a session. Messages pass as they are; a session that the server has forgotten
 * is begun again with the same hello, and the client does not notice.
 */
#include "apps/connect/downward.h"
#include "apps/connect/inside.h"
#include "apps/connect/upward.h"

#include "core/limits.h"
#include "core/sys.h"

/* A request that was cancelled may be answered for so long: its answer is
 * taken off the stream, and not told. */
#define CANCELLED_MS 10000
/* A server that forgets every session at once has none. */
#define LOST_MAX 3

/* --- who waits for the session --- */

static struct vl_bridge_call *
call_at(struct vl_list *it)
{
    return VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
}

static void
go(struct vl_bridge_call *call)
{
    call->waits = false;
    if (call->go)
        call->go(call);
    else
        vl_bridge_call_send(call, NULL, 0);
}

static void
let_go_on(struct vl_bridge *bridge)
{
    VL_LIST_EACH (it, &bridge->calls)
        if (call_at(it)->waits)
            go(call_at(it));
}

void
vl_bridge_fail_waiting(struct vl_bridge *bridge, enum vl_rpc_code code,
                       const char *why)
{
    struct vl_list *it = bridge->calls.next;
    while (it != &bridge->calls) {
        struct vl_bridge_call *call = call_at(it);
        it = it->next;
        if (!call->waits)
            continue;
        call->waits = false;
        if (call->id)
            vl_bridge_call_error(call, code, why);
        else
            vl_bridge_call_free(call);
        it = bridge->calls.next; /* the list may be another */
    }
}

/* --- a session begins --- */

/* What the transport has forgotten, whoever was told so. */
static void
note_loss(struct vl_bridge *bridge)
{
    if (bridge->session == VL_SESSION_OPEN && bridge->had_session &&
        !vl_remote_has_session(bridge->remote))
        bridge->session = VL_SESSION_NONE;
}

static bool
somebody_waits(struct vl_bridge *bridge)
{
    VL_LIST_EACH (it, &bridge->calls)
        if (call_at(it)->waits)
            return true;
    return false;
}

/* The end of `notifications/initialized`. A server that refuses it may take
 * what follows all the same, unless it has forgotten the session meanwhile. */
static bool
begun(struct vl_bridge_call *call, const struct vl_bridge_failure *failure)
{
    struct vl_bridge *bridge = call->bridge;
    /* The client may have begun anew meanwhile. */
    if (bridge->session != VL_SESSION_BEGINNING)
        return false;
    bridge->session = VL_SESSION_OPEN;
    note_loss(bridge);
    if (bridge->session == VL_SESSION_NONE && bridge->lost++ < LOST_MAX) {
        if (somebody_waits(bridge))
            vl_bridge_reopen(bridge);
        return false;
    }
    bridge->lost = 0;
    bridge->session = VL_SESSION_OPEN;
    if (failure->status != VALET_OK)
        vl_bridge_note(bridge,
                       "the server refused notifications/initialized: %s",
                       failure->why);
    bridge->reopen_at = 0;
    bridge->reopen_tries = 0;
    vl_remote_listen(bridge->remote);
    if (bridge->client_is_legacy && bridge->is_ours)
        vl_bridge_remind(bridge);
    let_go_on(bridge);
    return false;
}

/* What comes before it is acknowledged might overtake it: each message is a
 * request of its own. */
void
vl_bridge_open(struct vl_bridge *bridge, struct vl_str json)
{
    struct vl_bridge_call *call =
        vl_bridge_call_new(bridge, (struct vl_str){NULL, 0},
                           VL_STR("notifications/initialized"), json);
    call->fail = begun;
    bridge->session = VL_SESSION_BEGINNING;
    vl_bridge_call_send(call, NULL, 0);
}

/* A client that has not waited for the answer to its initialize means what it
 * says all the same. */
void
vl_bridge_begin(struct vl_bridge *bridge, struct vl_str json)
{
    if (bridge->session == VL_SESSION_GREETING && !bridge->is_ours)
        bridge->is_early = true;
    else if (bridge->up)
        vl_bridge_upward_begin(bridge);
    else if (bridge->session == VL_SESSION_GREETED)
        vl_bridge_open(bridge, json);
}

/* @spec HT-34 HT-37: a revision that is not known here is the client's to
 * refuse. */
void
vl_bridge_note_version(struct vl_bridge *bridge, struct vl_str result)
{
    vl_auto(vl_json) doc = {NULL};
    enum vl_mcp_version version;
    bridge->speaks_legacy = VL_YES;
    bridge->had_session = vl_remote_has_session(bridge->remote);
    if (vl_json_parse_small(result, VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
            VALET_OK ||
        !vl_mcp_version_parse(vl_json_get_str(doc.root, "protocolVersion"),
                              &version) ||
        vl_mcp_version_is_modern(version))
        return;
    bridge->version = version;
    vl_remote_set_version(bridge->remote, vl_mcp_version_name(version));
}

/* Who listens does so in the next session too. */
static bool
is_lost_with_stream(const struct vl_bridge_call *call)
{
    return call->is_by_http_sse && !call->is_answered && !call->is_parked &&
           !call->waits && !(call->is_listener && call->is_acknowledged);
}

void
vl_bridge_lose_stream(struct vl_bridge *bridge, const char *why)
{
    struct vl_list *it = bridge->calls.next;
    while (it != &bridge->calls) {
        struct vl_bridge_call *call = call_at(it);
        it = it->next;
        if (!is_lost_with_stream(call))
            continue;
        call->is_by_http_sse = false;
        if (call->id)
            vl_bridge_call_error(call, VL_RPC_INTERNAL, why);
        else
            vl_bridge_call_free(call);
        it = bridge->calls.next; /* the list may be another */
    }
}

/* --- the client says hello --- */

/* 401, 403, 5xx and silence say nothing about the server. */
bool
vl_bridge_is_refusal(int http_status)
{
    return http_status == 200 ||
           (http_status >= 400 && http_status < 500 && http_status != 401 &&
            http_status != 403 && http_status != 408 && http_status != 429);
}

/* It is answered with the first refusal. */
static void
give_up_greeting(struct vl_bridge *bridge)
{
    struct vl_bridge_call *call = bridge->greeting;
    bridge->session = VL_SESSION_NONE;
    if (call) {
        vl_auto(vl_buf) error = vl_buf_of(VL_BRIDGE_MESSAGE);
        vl_buf_addz(&error, call->extra);
        bridge->greeting = NULL;
        call->take = NULL;
        vl_bridge_call_answer(
            call, &(struct vl_bridge_answer){.error = vl_buf_str(&error)});
    }
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL,
                           "There is no session with the server");
}

/* @spec ST-11: a server that is not there says nothing about itself; one that
 * refuses may have learnt another transport. */
void
vl_bridge_note_http_sse(struct vl_bridge *bridge, valet_status status,
                        int http_status)
{
    if (status == VALET_OK)
        bridge->is_http_sse = true;
    else if (vl_bridge_is_refusal(http_status))
        bridge->is_http_sse = false;
    if (status != VALET_OK)
        vl_bridge_lose_stream(bridge, "The server's stream is not there");
}

/* @spec HT-12: the answer of the older transport, or of none. */
static void
http_sse_done(valet_status status, const struct vl_remote_end *end,
              const valet_error *err, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    const char *why = err ? err->message : "The server is gone";
    vl_bridge_note_http_sse(bridge, status, end->http_status);
    if (!bridge->greeting) {
        bridge->session = VL_SESSION_NONE;
        return;
    }
    if (status == VALET_OK) {
        vl_bridge_call_send(bridge->greeting, NULL, 0);
        return;
    }
    if (bridge->greeting->extra)
        vl_bridge_note(bridge, "there is no older transport either: %s", why);
    else
        vl_bridge_call_keep(bridge->greeting, (struct vl_str){NULL, 0}, why);
    give_up_greeting(bridge);
}

static void
discovered(struct vl_bridge *bridge, struct vl_str result, void *ctx)
{
    bool may_be_http_sse = ctx != NULL;
    if (!bridge->greeting)
        return;
    if (result.n) {
        bridge->speaks_legacy = VL_NO;
        bridge->speaks_modern = VL_YES;
        vl_bridge_upward_start(bridge, result);
        return;
    }
    if (may_be_http_sse) {
        vl_remote_use_http_sse(bridge->remote, http_sse_done, bridge);
        return;
    }
    give_up_greeting(bridge);
}

/*
 * @spec CL-23 D16 HT-12 HT-75: what an `initialize` that was refused says about
 * the server. 405, and 404 without an
 * error of JSON-RPC: there is nobody who understands it, so the older transport
 * is tried. Everything else might be a server that knows no `initialize` any
 * more, and is asked; then the older transport is tried.
 */
static bool
look_elsewhere(struct vl_bridge_call *call, int http_status,
               struct vl_str error)
{
    struct vl_bridge *bridge = call->bridge;
    bool may_be_http_sse =
        (http_status == 400 || http_status == 404 || http_status == 405) &&
        !vl_bridge_is_modern_code(error);
    if (!vl_bridge_is_refusal(http_status) ||
        vl_remote_is_http_sse(bridge->remote))
        return false;
    if (http_status == 405 || (http_status == 404 && !error.n)) {
        vl_remote_use_http_sse(bridge->remote, http_sse_done, bridge);
        return true;
    }
    if (bridge->speaks_modern == VL_NO && !may_be_http_sse)
        return false;
    vl_auto(vl_buf) meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_bridge_upward_meta(bridge, &meta);
    vl_bridge_discover(bridge, vl_buf_str(&meta), discovered,
                       may_be_http_sse ? bridge : NULL);
    return true;
}

static bool
greeting_failed(struct vl_bridge_call *call,
                const struct vl_bridge_failure *failure)
{
    struct vl_bridge *bridge = call->bridge;
    bridge->greeting = call;
    vl_bridge_call_keep(call, failure->error, failure->why);
    if (!look_elsewhere(call, failure->http_status, failure->error))
        give_up_greeting(bridge);
    return true;
}

static void
greeted(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    struct vl_bridge *bridge = call->bridge;
    if (answer->error.n) {
        /* It is not over: it may be asked in another way. */
        call->is_answered = false;
        vl_remote_call_abort(&call->remote);
        greeting_failed(call, &(struct vl_bridge_failure){
                                  .http_status = answer->is_ours ? 0 : 200,
                                  .error = answer->error,
                              });
        return;
    }
    bridge->greeting = NULL;
    bridge->session = VL_SESSION_GREETED;
    vl_bridge_note_version(bridge, answer->result);
    vl_bridge_upward_end(bridge);
    vl_bridge_call_pass(call, answer);
    if (bridge->is_early)
        vl_bridge_open(bridge, VL_STR(VL_BRIDGE_INITIALIZED));
    else
        let_go_on(bridge);
}

/* @spec HT-37 2.5: a revision that we do not know is not asked for in the name
 * of the client. */
static void
keep_hello(struct vl_bridge *bridge, const struct vl_rpc_message *message,
           struct vl_str json)
{
    struct vl_json_view version =
        vl_rpc_param(message, VL_STR("protocolVersion"));
    enum vl_mcp_version known;
    vl_buf_clear(&bridge->hello);
    if (!version.node ||
        (vl_mcp_version_parse(vl_json_view_str(version), &known) &&
         !vl_mcp_version_is_modern(known))) {
        vl_buf_add(&bridge->hello, json);
        return;
    }
    size_t at = (size_t)(version.node->text.p - json.p);
    vl_buf_add(&bridge->hello, vl_str_head(json, at));
    vl_buf_addf(&bridge->hello, "\"%s\"",
                vl_mcp_version_name(VL_MCP_LAST_LEGACY));
    vl_buf_add(&bridge->hello, vl_str_from(json, at + version.node->text.n));
}

void
vl_bridge_greet(struct vl_bridge *bridge, const struct vl_rpc_message *message,
                struct vl_str json)
{
    if (bridge->session == VL_SESSION_GREETING) {
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_REQUEST,
                         "Another initialize is under way");
        return;
    }
    keep_hello(bridge, message, json);
    if (bridge->is_http_sse)
        vl_bridge_lose_stream(bridge, "The conversation has begun anew");
    struct vl_bridge_call *call =
        vl_bridge_call_of(bridge, message, vl_buf_str(&bridge->hello));
    call->take = greeted;
    call->fail = greeting_failed;
    bridge->client_is_legacy = true;
    bridge->is_ours = bridge->is_early = false;
    bridge->reopen_at = 0;
    vl_bridge_memory_done(bridge);
    vl_bridge_memory_init(bridge);
    bridge->session = VL_SESSION_GREETING;
    vl_remote_forget_session(bridge->remote);
    if (bridge->is_http_sse) {
        bridge->greeting = call;
        vl_remote_use_http_sse(bridge->remote, http_sse_done, bridge);
    } else {
        vl_bridge_call_send(call, NULL, 0);
    }
}

/* --- what passes --- */

/* @spec HT-31: a lost session costs a request nothing but time. Where another
 * request has begun the next one already, that is taken. */
static bool
failed(struct vl_bridge_call *call, const struct vl_bridge_failure *failure)
{
    if (!failure->session_ended || !call->id || call->was_repeated)
        return false;
    call->was_repeated = true;
    vl_bridge_send_legacy(call);
    return true;
}

void
vl_bridge_send_legacy(struct vl_bridge_call *call)
{
    struct vl_bridge *bridge = call->bridge;
    call->fail = failed;
    note_loss(bridge);
    if (bridge->session == VL_SESSION_OPEN ||
        bridge->session == VL_SESSION_GREETED) {
        go(call);
        return;
    }
    call->waits = true;
    if (bridge->session == VL_SESSION_NONE)
        vl_bridge_reopen(bridge);
}

void
vl_bridge_notify(struct vl_bridge *bridge, const char *method,
                 struct vl_str json)
{
    if (bridge->session == VL_SESSION_NONE)
        return;
    if (bridge->call_count >= VL_BRIDGE_MESSAGES)
        vl_bridge_note(bridge, "the server does not take what the client "
                               "says; some of it is left out");
    else
        vl_bridge_send_legacy(vl_bridge_call_new(
            bridge, (struct vl_str){NULL, 0}, vl_str_z(method), json));
}

void
vl_bridge_take_legacy(struct vl_bridge *bridge,
                      const struct vl_rpc_message *message, struct vl_str json)
{
    if (bridge->up)
        vl_bridge_upward_take(bridge, message);
    else if (message->kind == VL_RPC_REQUEST) {
        vl_bridge_remember(bridge, message);
        vl_bridge_send_legacy(vl_bridge_call_of(bridge, message, json));
    } else
        vl_bridge_notify(bridge, "", json);
}

void
vl_bridge_respond(struct vl_bridge *bridge, struct vl_str json)
{
    if (bridge->up)
        vl_bridge_upward_respond(bridge, json);
    else
        vl_bridge_notify(bridge, "", json);
}

/* @spec HT-20: the server is told; that its stream is closed would tell it
 * nothing. */
void
vl_bridge_cancel_legacy(struct vl_bridge_call *call, struct vl_str json)
{
    struct vl_bridge *bridge = call->bridge;
    if (strcmp(call->method, "initialize") == 0)
        return;
    if (call->waits) {
        vl_bridge_call_free(call);
        return;
    }
    call->is_cancelled = true;
    call->deadline = vl_mono_now() + CANCELLED_MS;
    if (json.n)
        vl_bridge_notify(bridge, "notifications/cancelled", json);
    else
        vl_bridge_tell_cancelled(call);
}

void
vl_bridge_tell_cancelled(struct vl_bridge_call *call)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&json, false};
    if (call->is_modern || call->waits || !call->id ||
        strcmp(call->method, "initialize") == 0)
        return;
    vl_rpc_open_notification(&out, "notifications/cancelled");
    vl_json_open_key(&out, "params", '{');
    vl_json_add_raw(&out, "requestId", vl_str_z(call->id));
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    vl_bridge_notify(call->bridge, "notifications/cancelled",
                     vl_buf_str(&json));
}

/* --- the server is silent for good --- */

void
vl_bridge_on_deaf(const valet_error *err, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    const char *why = err ? err->message : "the server has ended its stream";
    if (!vl_remote_is_http_sse(bridge->remote)) {
        bool is_lost = err && err->status == VALET_NOT_FOUND;
        if (!is_lost) {
            vl_bridge_note(
                bridge, "the server tells nothing unasked any more: %s", why);
        } else if (bridge->session == VL_SESSION_OPEN) {
            bridge->session = VL_SESSION_NONE;
            vl_bridge_reopen_unasked(bridge);
        }
        return;
    }
    if (bridge->session == VL_SESSION_OPEN)
        vl_bridge_reopen_unasked(bridge);
    if (bridge->session != VL_SESSION_GREETING)
        bridge->session = VL_SESSION_NONE;
    vl_bridge_lose_stream(bridge, why);
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL, why);
}
