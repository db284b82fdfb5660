/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client may be told, as the specification has it and not as the code
 * does: one answer to each request, with its id; which codes and which members
 * there are in which era; notifications about nothing but what was asked for.
 * Messages are looked at one by one; whose they are, and how many, is counted
 * by the targets.
 */
#ifndef VL_FUZZ_MODEL_H
#define VL_FUZZ_MODEL_H

#include "core/limits.h"
#include "mcp/rpc.h"
#include "vl_fuzz_server.h"

#define ID_TEXT_MAX (8 * VL_RPC_ID_MAX)
#define META        "io.modelcontextprotocol/"

/* A request of the client's. */
struct asked {
    struct vl_buf id, token; /* JSON; no token: empty */
    char method[40];
    bool is_modern;
    bool says_abilities, is_spoken; /* 2026-07-28: what its "_meta" says */
    bool wants_logs, knows_tasks;
    bool may_be_silent; /* it was taken back */
    unsigned answers;
};

/* One message to a client. */
struct told {
    enum vl_rpc_kind kind;
    struct vl_buf id; /* JSON */
    struct vl_rpc_message message;
    int64_t code;     /* of an error; 0: a result */
    bool is_nameless; /* it has no id, not even null */
};

static inline struct vl_buf
id_text(const struct json_t *value)
{
    struct vl_buf text = vl_buf_of(ID_TEXT_MAX);
    vl_rpc_write_id(&text, (struct vl_rpc_id){.value = value});
    return text;
}

static inline bool
same_text(const struct vl_buf *a, const struct vl_buf *b)
{
    return vl_str_eq(vl_buf_str(a), vl_buf_str(b));
}

static inline const struct json_t *
meta_in(const struct json_t *params)
{
    return vl_json_get(params, "_meta");
}

/* @spec HT-76: the body decides. */
static inline bool
is_modern(const struct vl_rpc_message *message)
{
    return message->kind != VL_RPC_RESPONSE &&
           vl_json_get_str(meta_in(vl_rpc_params(message)),
                           META "protocolVersion")
               .p;
}

static inline struct asked
asked_of(const struct vl_rpc_message *message)
{
    const struct json_t *meta = meta_in(vl_rpc_params(message));
    const struct json_t *token = vl_json_get(meta, "progressToken");
    const struct json_t *abilities =
        vl_json_get(meta, META "clientCapabilities");
    struct asked asked = {.id = id_text(message->id.value),
                          .token = vl_buf_of(ID_TEXT_MAX),
                          .is_modern = is_modern(message)};
    (void)snprintf(asked.method, sizeof asked.method, VL_STR_FMT,
                   VL_STR_ARG(message->method));
    if (vl_rpc_is_id(token))
        vl_rpc_write_id(&asked.token, (struct vl_rpc_id){.value = token});
    asked.says_abilities = vl_json_kind(abilities) == VL_JSON_OBJECT;
    asked.is_spoken =
        vl_str_eqz(vl_json_get_str(meta, META "protocolVersion"), "2026-07-28");
    asked.wants_logs = vl_json_get_str(meta, META "logLevel").p;
    asked.knows_tasks =
        vl_json_kind(vl_json_get(vl_json_get(abilities, "extensions"),
                                 META "tasks")) == VL_JSON_OBJECT;
    return asked;
}

static inline void
asked_done(struct asked *asked)
{
    vl_buf_done(&asked->id);
    vl_buf_done(&asked->token);
}

static inline bool
asks_for(const struct asked *asked, const char *method)
{
    return strcmp(asked->method, method) == 0;
}

static inline bool
asks_for_work(const struct asked *asked)
{
    return asks_for(asked, "tools/call") || asks_for(asked, "prompts/get") ||
           asks_for(asked, "resources/read");
}

/* --- one message --- */

/* @spec HT-05: a message of JSON-RPC, and no member that is not of it. */
static inline struct told
told_of(const struct json_t *value)
{
    struct told told = {.code = 0};
    size_t members = 2;
    VL_ASSERT(vl_rpc_read(value, &told.message, NULL) == VALET_OK);
    VL_ASSERT(vl_str_eqz(vl_json_get_str(value, "jsonrpc"), "2.0"));
    told.kind = told.message.kind;
    told.id = id_text(told.message.id.value);
    members += told.kind != VL_RPC_NOTIFICATION;
    members -=
        told.kind == VL_RPC_NOTIFICATION && !vl_rpc_params(&told.message);
    members += told.kind == VL_RPC_NOTIFICATION;
    members += told.kind == VL_RPC_REQUEST && vl_rpc_params(&told.message);
    /* Only an error may have none. */
    told.is_nameless =
        told.kind == VL_RPC_RESPONSE && !vl_json_get(value, "id");
    members -= told.is_nameless;
    VL_ASSERT(vl_json_size(value) == members);
    if (told.kind == VL_RPC_RESPONSE) {
        VL_ASSERT(!told.message.result != !told.message.error);
        VL_ASSERT(!told.is_nameless || told.message.error);
        if (told.message.error)
            VL_ASSERT(vl_json_get_int(told.message.error, "code", &told.code) &&
                      told.code);
    }
    return told;
}

/* @spec HT-73: what was there before stays what it was, where it was. */
static inline void
check_code(int64_t code, bool modern)
{
    bool is_one_of_these = false;
    switch (code) {
    case -32700:
    case -32600:
    case -32601:
    case -32602:
    case -32603:
        return;
    case -32020:
    case -32021:
    case -32022:
        VL_ASSERT(modern);
        return;
    case -32000: /* refused */
    case -32001: /* no such session */
    case -32002: /* no such resource */
    case -32003: /* the token does not cover it, in a batch */
        VL_ASSERT(!modern);
        return;
    default:
        VL_ASSERT(is_one_of_these);
    }
}

static inline bool
is_kept(const struct asked *asked)
{
    static const char *const methods[] = {
        "server/discover", "tools/list",   "resources/list",
        "resources/read",  "prompts/list", "resources/templates/list"};
    for (size_t i = 0; i < VL_COUNT(methods); i++)
        if (asks_for(asked, methods[i]))
            return true;
    return false;
}

/* @spec HT-56 HT-68 HT-71 */
static inline void
check_modern_result(const struct asked *asked, const struct json_t *result)
{
    struct vl_str type = vl_json_get_str(result, "resultType");
    struct vl_str scope = vl_json_get_str(result, "cacheScope");
    const struct json_t *ttl = vl_json_get(result, "ttlMs");
    int64_t ms = -1;
    /* basic/index: whose it is. */
    VL_ASSERT(
        vl_json_get_str(vl_json_get(meta_in(result), META "serverInfo"), "name")
            .n);
    if (vl_str_eqz(type, "complete")) {
        bool keeps = is_kept(asked);
        VL_ASSERT(keeps == (scope.p != NULL));
        if (keeps)
            VL_ASSERT(
                vl_json_int(ttl, &ms) && ms >= 0 &&
                (vl_str_eqz(scope, "public") || vl_str_eqz(scope, "private")));
        return;
    }
    VL_ASSERT(!scope.p);
    if (vl_str_eqz(type, "task")) {
        VL_ASSERT(asked->knows_tasks && asks_for(asked, "tools/call"));
        VL_ASSERT(vl_json_get_str(result, "taskId").n);
        return;
    }
    VL_ASSERT(vl_str_eqz(type, "input_required") && asks_for_work(asked) &&
              !ttl);
    VL_ASSERT(vl_json_size(vl_json_get(result, "inputRequests")) ||
              vl_json_get_str(result, "requestState").n);
}

/* @spec HT-65: is it said to be of this one, which listens? */
static inline bool
is_listened_by(const struct json_t *holder, const struct asked *asked)
{
    struct vl_buf text =
        id_text(vl_json_get(meta_in(holder), META "subscriptionId"));
    bool same =
        asks_for(asked, "subscriptions/listen") && same_text(&text, &asked->id);
    vl_buf_done(&text);
    return same;
}

/* The answer to this request. */
static inline void
check_answer(const struct told *told, struct asked *asked)
{
    const struct json_t *result = told->message.result;
    VL_ASSERT(told->kind == VL_RPC_RESPONSE);
    VL_ASSERT(same_text(&told->id, &asked->id));
    VL_ASSERT(asked->answers++ == 0);
    if (!result) {
        check_code(told->code, asked->is_modern);
        return;
    }
    VL_ASSERT(vl_json_kind(result) == VL_JSON_OBJECT);
    if (asked->is_modern && asks_for(asked, "subscriptions/listen"))
        VL_ASSERT(is_listened_by(result, asked));
    if (asked->is_modern)
        check_modern_result(asked, result);
    else
        VL_ASSERT(!vl_json_get(result, "resultType") &&
                  !vl_json_get(result, "ttlMs"));
}

static inline bool
is_told(const struct told *told, const char *method)
{
    return vl_str_eqz(told->message.method, method);
}

static inline bool
is_of_change(const struct told *told)
{
    return is_told(told, "notifications/tools/list_changed") ||
           is_told(told, "notifications/prompts/list_changed") ||
           is_told(told, "notifications/resources/list_changed") ||
           is_told(told, "notifications/resources/updated");
}

/* Is it one that sessions are told, without a request? */
static inline bool
is_of_session(const struct told *told)
{
    return is_of_change(told) && !meta_in(vl_rpc_params(&told->message));
}

/* @spec HT-58 HT-59 HT-64: does this message, on the way to the answer, belong
 * to this request? `token` of progress is unique among those at work, or the
 * client cannot tell them apart either. */
static inline bool
belongs_to(const struct told *told, const struct asked *asked)
{
    const struct json_t *params = vl_rpc_params(&told->message);
    if (told->kind == VL_RPC_REQUEST)
        return !asked->is_modern && asks_for_work(asked);
    if (is_told(told, "notifications/progress")) {
        struct vl_buf text = id_text(vl_json_get(params, "progressToken"));
        bool same =
            vl_buf_size(&asked->token) && same_text(&text, &asked->token);
        vl_buf_done(&text);
        return same;
    }
    if (is_told(told, "notifications/message"))
        return !asked->is_modern || asked->wants_logs;
    return asked->is_modern && is_listened_by(params, asked) &&
           (is_of_change(told) || is_told(told, "notifications/tasks") ||
            is_told(told, "notifications/subscriptions/acknowledged"));
}

/* @spec HT-49 HT-51 HT-52: the code (0: a result) of a request of 2026-07-28
 * over HTTP whose body says this; headers may be wrong, too. */
static inline void
check_verdict(const struct asked *asked, int64_t code)
{
    static const char *const methods[] = {
        "server/discover",     "tools/list",   "tools/call",
        "resources/list",      "prompts/list", "resources/templates/list",
        "resources/read",      "prompts/get",  "completion/complete",
        "tasks/get",           "tasks/update", "tasks/cancel",
        "subscriptions/listen"};
    bool is_known = false;
    for (size_t i = 0; i < VL_COUNT(methods); i++)
        is_known |= asks_for(asked, methods[i]);
    if (!asked->says_abilities)
        VL_ASSERT(code == -32602);
    else if (!asked->is_spoken)
        VL_ASSERT(code == -32022 || code == -32020 || code == -32602);
    else if (!is_known)
        VL_ASSERT(code == -32601 || code == -32020 || code == -32602);
    else
        VL_ASSERT(code != -32601 && code != -32022 && code != -32700);
}

/* Requests of ours are of three kinds. */
static inline void
check_question(const struct told *told)
{
    VL_ASSERT(is_told(told, "elicitation/create") ||
              is_told(told, "sampling/createMessage") ||
              is_told(told, "roots/list"));
}

#endif
