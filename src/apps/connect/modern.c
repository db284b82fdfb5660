/* SPDX-License-Identifier: Apache-2.0
 *
 * 2026-07-28: each request stands alone, and headers repeat what it says.
 * Messages pass as they are; this adds the headers, takes listeners up again,
 * and finds out whether the server is of this era at all.
 */
#include "apps/connect/downward.h"
#include "apps/connect/inside.h"
#include "apps/connect/upward.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"

/* Until a listener is taken up again: doubled each time it fails. */
#define AGAIN_MS      1000
#define AGAIN_MOST_MS 30000
/* Lists of tools have so many pages at most. */
#define PAGES_MAX 64

/* --- headers --- */

struct headers {
    struct vl_header items[VL_MCP_MIRROR_MAX + 2];
    struct vl_buf texts[VL_MCP_MIRROR_MAX + 2];
    size_t count;
};

static void
add_header(struct vl_str name, struct vl_str value, void *ctx)
{
    struct headers *headers = ctx;
    struct vl_buf *text = &headers->texts[headers->count];
    *text = vl_buf_of(4 * VL_MCP_MIRROR_VALUE_MAX);
    vl_buf_add(text, value);
    headers->items[headers->count++] =
        (struct vl_header){name, vl_buf_str(text)};
}

/* @spec CL-22 HT-78 HT-79 */
static void
send(struct vl_bridge_call *call)
{
    struct headers headers = {.count = 0};
    add_header(VL_STR("Mcp-Method"), vl_str_z(call->method), &headers);
    if (call->name) {
        vl_auto(vl_buf) name = vl_buf_of(4 * VL_MCP_MIRROR_VALUE_MAX);
        vl_mcp_mirror_encode(vl_str_z(call->name), &name);
        add_header(VL_STR("Mcp-Name"), vl_buf_str(&name), &headers);
    }
    if (call->arguments.root)
        vl_mcp_mirror_write(vl_bridge_tools_mirror(call->bridge, call->name),
                            call->arguments.root, add_header, &headers);
    vl_bridge_call_send(call, headers.items, headers.count);
    for (size_t i = 0; i < headers.count; i++)
        vl_buf_done(&headers.texts[i]);
}

/* Which parameter of a method its Mcp-Name repeats; "": none. */
static struct vl_str
named_by(const char *method)
{
    static const struct {
        const char *method;
        struct vl_str param;
    } rows[] = {
        {"tools/call", {"name", 4}},     {"prompts/get", {"name", 4}},
        {"resources/read", {"uri", 3}},  {"tasks/get", {"taskId", 6}},
        {"tasks/update", {"taskId", 6}}, {"tasks/cancel", {"taskId", 6}},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++)
        if (strcmp(rows[i].method, method) == 0)
            return rows[i].param;
    return VL_STR("");
}

static bool
is_tool_call(const struct vl_bridge_call *call)
{
    return strcmp(call->method, "tools/call") == 0;
}

/* What its headers will say. */
static void
note_name(struct vl_bridge_call *call, const struct vl_rpc_message *message)
{
    struct vl_str param = named_by(call->method);
    struct vl_str name =
        param.n ? vl_rpc_param_str(message, param) : (struct vl_str){NULL, 0};
    if (name.p) {
        vl_auto(vl_buf) text = vl_buf_of(VL_BRIDGE_MESSAGE);
        vl_buf_add(&text, name);
        call->name = vl_strdup(vl_buf_cstr(&text));
    }
    /* Where no tool has such arguments, no document is made of them. */
    if (is_tool_call(call) &&
        (!call->bridge->knows_tools ||
         vl_bridge_tools_mirror(call->bridge, call->name)))
        call->arguments = vl_json_share(vl_rpc_arguments(message));
}

/* --- which era --- */

bool
vl_bridge_is_modern_code(struct vl_str error)
{
    int64_t code;
    return error.n && vl_bridge_error_code(error, &code) &&
           code >= VL_RPC_NO_VERSION && code <= VL_RPC_HEADER_MISMATCH;
}

/* @spec CL-23 D16: a refusal that says that the server may be of the older
 * era. */
static bool
is_of_older_era(int http_status, struct vl_str error)
{
    return (http_status == 200 || http_status == 400 || http_status == 404 ||
            http_status == 405) &&
           !vl_bridge_is_modern_code(error);
}

static struct vl_bridge_call *
call_at(struct vl_list *it)
{
    return VL_CONTAINER(it, struct vl_bridge_call, in_bridge);
}

/* Those that were refused while it was not known why. */
static void
settle_era(struct vl_bridge *bridge)
{
    struct vl_list *it = bridge->calls.next;
    while (it != &bridge->calls) {
        struct vl_bridge_call *call = call_at(it);
        it = it->next;
        if (!call->waits_for_era)
            continue;
        call->waits_for_era = false;
        if (bridge->speaks_modern == VL_NO) {
            vl_bridge_downward_redo(call);
        } else {
            vl_auto(vl_buf) error = vl_buf_of(VL_BRIDGE_MESSAGE);
            vl_buf_addz(&error, call->extra);
            vl_bridge_call_answer(
                call, &(struct vl_bridge_answer){.error = vl_buf_str(&error)});
        }
        it = bridge->calls.next;
    }
}

static void
probed(struct vl_bridge *bridge, struct vl_str result, void *ctx)
{
    (void)ctx;
    bridge->is_probing = false;
    if (bridge->speaks_modern == VL_UNKNOWN && (result.n || !result.p))
        bridge->speaks_modern = result.n ? VL_YES : VL_NO;
    settle_era(bridge);
}

/* @spec ST-11: a server that knew this era, and says what one does that never
 * has: it wants a session, or there is nobody for POST. */
static bool
is_another_server(int http_status, struct vl_str error)
{
    int64_t code;
    return http_status != 200 && is_of_older_era(http_status, error) &&
           (!error.n || (vl_bridge_error_code(error, &code) && code <= -32000 &&
                         code > VL_RPC_HEADER_MISMATCH));
}

/* The answer to `call` may mean that the server is of the older era. True: it
 * will be seen. */
static bool
doubt(struct vl_bridge_call *call, int http_status, struct vl_str error,
      const char *why)
{
    struct vl_bridge *bridge = call->bridge;
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    if (!call->client_id || bridge->up || !is_of_older_era(http_status, error))
        return false;
    if (bridge->speaks_modern == VL_YES &&
        is_another_server(http_status, error))
        bridge->speaks_modern = VL_UNKNOWN;
    if (bridge->speaks_modern == VL_YES)
        return false;
    bool is_probe = strcmp(call->method, "server/discover") == 0;
    /* In an answer of 200, errors are about what was asked. */
    if (http_status == 200 && !is_probe)
        return false;
    vl_bridge_call_keep(call, error, why);
    call->is_answered = false;
    vl_remote_call_abort(&call->remote);
    /* It was on its way when another one was refused. */
    if (bridge->speaks_modern == VL_NO) {
        vl_bridge_downward_redo(call);
        return true;
    }
    call->waits_for_era = true;
    if (is_probe) {
        probed(bridge, (struct vl_str){NULL, 0}, NULL);
        return true;
    }
    if (bridge->is_probing)
        return true;
    vl_auto(vl_buf) meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    vl_rpc_body_init(&body);
    if (!vl_bridge_call_read(call, &body, &message))
        return false;
    vl_bridge_view_write(message.meta, &meta);
    bridge->is_probing = true;
    vl_bridge_discover(bridge, vl_buf_str(&meta), probed, NULL);
    return true;
}

/* --- asking for ourselves --- */

struct question {
    void (*then)(struct vl_bridge *bridge, struct vl_str result, void *ctx);
    void *ctx;
};

static void
answered_us(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    struct question question = *(struct question *)call->extra;
    bool says_nothing =
        answer->is_ours || vl_bridge_is_modern_code(answer->error);
    question.then(call->bridge, says_nothing ? VL_STR("") : answer->result,
                  question.ctx);
}

/* Only what it says counts. */
static bool
failed_us(struct vl_bridge_call *call, const struct vl_bridge_failure *failure)
{
    struct vl_bridge *bridge = call->bridge;
    struct question question = *(struct question *)call->extra;
    bool is_refusal = is_of_older_era(failure->http_status, failure->error);
    vl_bridge_call_free(call);
    question.then(bridge, is_refusal ? (struct vl_str){NULL, 0} : VL_STR(""),
                  question.ctx);
    return true;
}

/* `params` is JSON. */
static void
ask(struct vl_bridge *bridge, const char *method, struct vl_str params,
    void (*then)(struct vl_bridge *bridge, struct vl_str result, void *ctx),
    void *ctx)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&json, false};
    struct question *question = vl_alloc(sizeof *question);
    char *id = vl_bridge_new_id(bridge);
    vl_rpc_open_answer_raw(&out, vl_str_z(id));
    vl_json_add_z(&out, "method", method);
    vl_json_add_raw(&out, "params", params);
    vl_json_close(&out, '}');
    struct vl_bridge_call *call = vl_bridge_call_new(
        bridge, vl_str_z(id), vl_str_z(method), vl_buf_str(&json));
    free(id);
    *question = (struct question){then, ctx};
    call->extra = question;
    call->extra_free = free;
    call->take = answered_us;
    call->fail = failed_us;
    call->is_modern = true;
    (void)snprintf(call->version, sizeof call->version, "%s",
                   bridge->modern_version[0]
                       ? bridge->modern_version
                       : vl_mcp_version_name(VL_MCP_FIRST_MODERN));
    send(call);
}

static void
open_params(struct vl_json_out *out, struct vl_str meta)
{
    vl_json_open(out, '{');
    if (meta.n)
        vl_json_add_raw(out, "_meta", meta);
}

void
vl_bridge_discover(struct vl_bridge *bridge, struct vl_str meta,
                   void (*then)(struct vl_bridge *bridge, struct vl_str result,
                                void *ctx),
                   void *ctx)
{
    vl_auto(vl_buf) params = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&params, false};
    open_params(&out, meta);
    vl_json_close(&out, '}');
    ask(bridge, "server/discover", vl_buf_str(&params), then, ctx);
}

/* --- schemas first --- */

struct listing {
    struct vl_buf meta;
    unsigned pages;
};

static void list_tools(struct vl_bridge *bridge, struct listing *listing,
                       struct vl_str cursor);

static void
let_go_on(struct vl_bridge *bridge)
{
    VL_LIST_EACH (it, &bridge->calls)
        if (call_at(it)->waits_for_tools) {
            call_at(it)->waits_for_tools = false;
            send(call_at(it));
        }
}

static void
listed(struct vl_bridge *bridge, struct vl_str result, void *ctx)
{
    struct listing *listing = ctx;
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) rest = vl_buf_of(VL_BRIDGE_MESSAGE);
    if (result.n) {
        (void)vl_bridge_tools_note(bridge, result, &rest);
        if (vl_json_parse(result, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
            doc.root = NULL;
        struct vl_str cursor = vl_json_get_str(doc.root, "nextCursor");
        if (cursor.p && ++listing->pages < PAGES_MAX) {
            list_tools(bridge, listing, cursor);
            return;
        }
    }
    /* Whatever came of it: it is not asked again for each call. */
    bridge->knows_tools = true;
    bridge->listing = NULL;
    vl_buf_done(&listing->meta);
    free(listing);
    let_go_on(bridge);
}

/* @spec CL-28 */
static void
list_tools(struct vl_bridge *bridge, struct listing *listing,
           struct vl_str cursor)
{
    vl_auto(vl_buf) params = vl_buf_of(VL_BRIDGE_MESSAGE);
    struct vl_json_out out = {&params, false};
    open_params(&out, vl_buf_str(&listing->meta));
    if (cursor.p)
        vl_json_add_str(&out, "cursor", cursor);
    vl_json_close(&out, '}');
    ask(bridge, "tools/list", vl_buf_str(&params), listed, listing);
}

static void
learn_tools(struct vl_bridge_call *call)
{
    struct vl_bridge *bridge = call->bridge;
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    vl_rpc_body_init(&body);
    call->waits_for_tools = true;
    if (bridge->listing)
        return;
    struct listing *listing = vl_alloc(sizeof *listing);
    listing->meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    if (vl_bridge_call_read(call, &body, &message))
        vl_bridge_view_write(message.meta, &listing->meta);
    bridge->listing = listing;
    list_tools(bridge, listing, (struct vl_str){NULL, 0});
}

void
vl_bridge_modern_done(struct vl_bridge *bridge)
{
    if (bridge->listing)
        vl_buf_done(&bridge->listing->meta);
    free(bridge->listing);
}

/* @spec HT-91: the schema may have changed. True: it is tried once more. */
static bool
mirrors_anew(struct vl_bridge_call *call, struct vl_str error)
{
    int64_t code;
    if (!is_tool_call(call) || call->was_repeated || !error.n ||
        !vl_bridge_error_code(error, &code) || code != VL_RPC_HEADER_MISMATCH)
        return false;
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message message;
    vl_rpc_body_init(&body);
    if (!call->arguments.root && vl_bridge_call_read(call, &body, &message))
        call->arguments = vl_json_share(vl_rpc_arguments(&message));
    call->was_repeated = true;
    call->is_answered = false;
    vl_remote_call_abort(&call->remote);
    vl_bridge_tools_forget(call->bridge);
    learn_tools(call);
    return true;
}

/* --- what comes back --- */

static void
pass_tools(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    vl_auto(vl_buf) rest = vl_buf_of(VL_BRIDGE_MESSAGE);
    if (vl_bridge_tools_note(call->bridge, answer->result, &rest))
        vl_bridge_call_pass(
            call, &(struct vl_bridge_answer){.result = vl_buf_str(&rest)});
    else
        vl_bridge_call_pass(call, answer);
}

static void
take(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    struct vl_bridge *bridge = call->bridge;
    bool is_discover = strcmp(call->method, "server/discover") == 0;
    if (answer->error.n && !answer->is_ours &&
        (doubt(call, 200, answer->error, "") ||
         mirrors_anew(call, answer->error)))
        return;
    if (is_discover && answer->result.n)
        bridge->speaks_modern = VL_YES;
    if (answer->result.n && strcmp(call->method, "tools/list") == 0)
        pass_tools(call, answer);
    else if (call->pass)
        call->pass(call, answer);
    else
        vl_bridge_call_pass(call, answer);
}

/* @spec ST-09 ST-12: the client is not told that it was gone for a while. */
static bool
listen_again(struct vl_bridge_call *call,
             const struct vl_bridge_failure *failure)
{
    int64_t wait = AGAIN_MS << (call->attempts < 5 ? call->attempts : 5);
    bool is_over =
        failure->status != VALET_OK && failure->status != VALET_RETRY;
    /* Whether the first one gets through is the client's business; of one of
     * ours nobody would hear. */
    if ((!call->is_acknowledged && call->client_id) || is_over)
        return false;
    if (!call->is_acknowledged)
        vl_bridge_upward_missed(call);
    call->attempts++;
    call->again_at =
        vl_mono_now() + (wait < AGAIN_MOST_MS ? wait : AGAIN_MOST_MS);
    vl_bridge_wake(call->bridge);
    return true;
}

static bool
fail(struct vl_bridge_call *call, const struct vl_bridge_failure *failure)
{
    if (call->is_listener && listen_again(call, failure))
        return true;
    return mirrors_anew(call, failure->error) ||
           doubt(call, failure->http_status, failure->error, failure->why);
}

/* @spec HT-65 */
static void
relay_listened(struct vl_bridge_call *call,
               const struct vl_bridge_message *message)
{
    if (message->kind != VL_RPC_NOTIFICATION)
        return;
    if (vl_str_eqz(message->method,
                   "notifications/subscriptions/acknowledged")) {
        bool is_news = !call->is_acknowledged;
        call->is_acknowledged = true;
        call->attempts = 0;
        if (!call->client_id)
            vl_bridge_upward_heard(call);
        if (!is_news || !call->client_id)
            return;
    }
    if (vl_str_eqz(message->method, "notifications/tools/list_changed"))
        vl_bridge_tools_forget(call->bridge);
    vl_bridge_write(call->bridge, message->line);
}

/* --- what goes out --- */

void
vl_bridge_send_modern(struct vl_bridge_call *call)
{
    call->is_modern = true;
    if (is_tool_call(call) && !call->bridge->knows_tools &&
        call->bridge->speaks_modern != VL_NO)
        learn_tools(call);
    else
        send(call);
}

/* A header has to carry it. */
static bool
is_word(struct vl_str text, size_t max)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x21 || text.p[i] > 0x7e)
            return false;
    return text.n && text.n < max;
}

bool
vl_bridge_is_modern_method(struct vl_str method)
{
    return is_word(method, 256);
}

void
vl_bridge_call_modernize(struct vl_bridge_call *call,
                         const struct vl_rpc_message *message)
{
    struct vl_bridge *bridge = call->bridge;
    (void)snprintf(call->version, sizeof call->version, "%s",
                   bridge->modern_version);
    call->is_modern = true;
    call->is_listener = strcmp(call->method, "subscriptions/listen") == 0;
    if (message)
        note_name(call, message);
    if (!call->take)
        call->take = take;
    if (!call->fail)
        call->fail = fail;
    if (call->is_listener && !call->relay)
        call->relay = relay_listened;
}

static void
take_note(struct vl_bridge *bridge, const struct vl_rpc_message *message,
          struct vl_str json)
{
    if (!bridge->modern_version[0] || bridge->speaks_modern == VL_NO ||
        bridge->call_count >= VL_BRIDGE_MESSAGES ||
        !vl_bridge_is_modern_method(message->method))
        return;
    struct vl_bridge_call *call = vl_bridge_call_of(bridge, message, json);
    vl_bridge_call_modernize(call, message);
    send(call);
}

void
vl_bridge_take_modern(struct vl_bridge *bridge,
                      const struct vl_rpc_message *message, struct vl_str json)
{
    struct vl_str version = vl_json_view_str(
        vl_json_view_get(message->meta, VL_STR(VL_MCP_META_VERSION)));
    if (message->kind == VL_RPC_NOTIFICATION) {
        take_note(bridge, message, json);
        return;
    }
    if (!is_word(version, sizeof bridge->modern_version)) {
        vl_bridge_refuse(bridge, message->id, VL_RPC_INVALID_PARAMS,
                         "The protocolVersion of _meta is no revision");
        return;
    }
    if (!vl_bridge_is_modern_method(message->method)) {
        vl_bridge_refuse(bridge, message->id, VL_RPC_NO_METHOD,
                         "There is no such method");
        return;
    }
    memcpy(bridge->modern_version, version.p, version.n);
    bridge->modern_version[version.n] = '\0';
    if (bridge->speaks_modern == VL_NO) {
        vl_bridge_downward_take(bridge, message, json);
        return;
    }
    struct vl_bridge_call *call = vl_bridge_call_of(bridge, message, json);
    vl_bridge_call_modernize(call, message);
    vl_bridge_send_modern(call);
}

/* @spec HT-62 ST-08: its stream is closed, and nothing more is said. */
void
vl_bridge_cancel_modern(struct vl_bridge_call *call)
{
    vl_bridge_call_free(call);
}
