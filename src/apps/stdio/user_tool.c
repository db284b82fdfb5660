/* SPDX-License-Identifier: Apache-2.0
 *
 * One call: in by the doorman, then Graph, and once more with a token that
 * answers its complaint if Graph does not take the first. Where the client can
 * open addresses it is asked to: the call is then parked, and goes on when its
 * handler runs again (mcp.h, "asking back").
 */
#include "apps/stdio/user_tool.h"

#include "core/limits.h"
#include "core/list.h"
#include "core/status.h"
#include "entra/graph_user.h"
#include "talk/call.h"

#define TEXT_MAX 1024
/* Calls whose clients have not come again. */
#define PARKED_MAX 16

struct vl_user_tool {
    struct vl_lobby *lobby;
    const char *select;
    struct vl_buf schema;
    valet_mcp_tool tool;
    struct vl_list calls;
    size_t parked;
};

struct user_call {
    struct vl_list node;
    struct vl_user_tool *tool;
    valet_mcp_call *call; /* NULL: parked */
    struct vl_visit *visit;
    struct vl_graph_me *graph;
    char key[VL_RANDOM_TEXT_SIZE]; /* by which it is found again */
    bool may_come; /* parked, and nobody knows whether it comes again */
    char *url;     /* that the client was asked to open */
    char question[24];
    unsigned questions;
    bool second;        /* Graph has refused one token */
    bool is_over;       /* the visit ended while it was parked, … */
    char why[TEXT_MAX]; /* … with this sentence, or "" */
    double progress;
};

/* --- the end --- */

static void
release(struct user_call *uc)
{
    vl_visit_leave(&uc->visit);
    vl_graph_me_abort(&uc->graph);
    if (!uc->call)
        uc->tool->parked--;
    vl_list_remove(&uc->node);
    free(uc->url);
    free(uc);
}

static void
finish(struct user_call *uc, const valet_mcp_result *result)
{
    valet_mcp_call *call = uc->call;
    release(uc);
    valet_mcp_finish(call, result);
}

/* @spec S-46 W-41 */
static void
write_error(const valet_mcp_call *call, const char *what, struct vl_buf *out)
{
    vl_buf_addf(out, "Error: %s (correlation id %s)", what,
                valet_mcp_correlation_id(call));
}

static void
fail_call(valet_mcp_call *call, const char *what)
{
    vl_auto(vl_buf) text = vl_buf_of(2 * TEXT_MAX);
    write_error(call, what, &text);
    valet_mcp_finish(call, &(valet_mcp_result){.text = vl_buf_cstr(&text),
                                               .is_error = true});
}

/* `what` may be the call's own. */
static void
fail(struct user_call *uc, const char *what)
{
    vl_auto(vl_buf) text = vl_buf_of(2 * TEXT_MAX);
    write_error(uc->call, what, &text);
    finish(uc,
           &(valet_mcp_result){.text = vl_buf_cstr(&text), .is_error = true});
}

/* --- what Graph says --- */

/* @spec S-44 S-45 W-42 */
static void
succeed(struct user_call *uc, struct vl_str json)
{
    vl_auto(vl_json) user = {NULL};
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    if (vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &user, NULL) != VALET_OK ||
        vl_json_kind(user.root) != VL_JSON_OBJECT ||
        vl_json_size(user.root) == 0) {
        fail(uc, "Microsoft Graph gave no data about the user");
        return;
    }
    vl_graph_user_write_json(user.root, vl_str_z(uc->tool->select), &text);
    if (vl_buf_check(&text, NULL) != VALET_OK) {
        fail(uc, "the profile is too large");
        return;
    }
    finish(uc, &(valet_mcp_result){.text = vl_buf_cstr(&text),
                                   .structured = vl_buf_cstr(&text)});
}

static void
fail_by_graph(struct user_call *uc, valet_status status,
              const struct vl_graph_answer *answer, const valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of(TEXT_MAX);
    const char *what =
        answer->token_refused ? "Microsoft Graph does not accept this sign-in"
        : status == VALET_DENIED
            ? "Microsoft Graph does not allow reading the profile"
        : status == VALET_RETRY
            ? "Microsoft Graph is not available at the moment; try again"
            : "Microsoft Graph gave no data about the user";
    vl_buf_addz(&text, what);
    if (status == VALET_RETRY && answer->retry_after_ms > 0)
        vl_buf_addf(&text, ", in %lld s",
                    (long long)(answer->retry_after_ms + 999) / 1000);
    else if (status == VALET_RETRY)
        vl_buf_addz(&text, " later");
    if (err->code[0] && strcmp(err->code, "circuit_open") != 0)
        vl_buf_addf(&text, "; Graph says %s", err->code);
    if (answer->request_id[0])
        vl_buf_addf(&text, ", request id %s", answer->request_id);
    fail(uc, vl_buf_cstr(&text));
}

static void visit(struct user_call *uc, bool renew, const char *claims);

static void
on_graph(valet_status status, const struct vl_graph_answer *answer,
         const valet_error *err, void *ctx)
{
    struct user_call *uc = ctx;
    uc->graph = NULL;
    if (status == VALET_OK) {
        succeed(uc, answer->json);
    } else if (answer->token_refused && !uc->second) {
        uc->second = true;
        visit(uc, true, answer->claims);
    } else {
        fail_by_graph(uc, status, answer, err);
    }
}

static void
ask_graph(struct user_call *uc, const valet_auth_result *result)
{
    struct vl_lobby *lobby = uc->tool->lobby;
    struct vl_upstream_token token = {
        vl_secret_of(vl_str_z(result->access_token))};
    const char *correlation = valet_mcp_correlation_id(uc->call);
    /* Who is not known shares nothing with another. */
    const char *user = result->account_id ? result->account_id : correlation;
    const struct vl_graph_request request = {
        .token = &token,
        .user = vl_str_z(user),
        .select = uc->tool->select,
        .correlation = correlation,
        .anew = uc->second || !result->account_id,
    };
    uc->graph = vl_graph_me_start(lobby->graph, &request, on_graph, uc);
    vl_secret_done(&token.secret);
}

/* --- at the door --- */

/* @spec S-41: it grows each time, so that it is told. */
static void
tell(const char *text, void *ctx)
{
    struct user_call *uc = ctx;
    uc->progress += 1;
    if (uc->call)
        valet_mcp_progress(uc->call, uc->progress, 0, text);
}

static void
on_visit(valet_status status, const valet_auth_result *result,
         const valet_entra_error *error, void *ctx)
{
    struct user_call *uc = ctx;
    uc->visit = NULL;
    if (status != VALET_OK)
        vl_doorman_explain(status, error, uc->why, sizeof uc->why);
    uc->is_over = true;
    if (!uc->call)
        return; /* when it comes again */
    if (status == VALET_OK)
        ask_graph(uc, result);
    else
        fail(uc, uc->why);
}

static void open_by_client(const char *url, void *ctx);

static struct vl_visit_hooks
hooks_of(struct user_call *uc, bool can_open)
{
    return (struct vl_visit_hooks){
        .tell = tell,
        .open = can_open ? open_by_client : NULL,
        .done = on_visit,
        .ctx = uc,
    };
}

static void
visit(struct user_call *uc, bool renew, const char *claims)
{
    const struct vl_visit_hooks hooks =
        hooks_of(uc, valet_mcp_can(uc->call, VALET_MCP_CAN_OPEN_URL));
    uc->is_over = false;
    uc->why[0] = '\0';
    uc->visit = vl_doorman_ask(uc->tool->lobby->doorman, renew, claims, &hooks);
}

/* --- parked --- */

static const char message[] = "Sign in to Microsoft Entra ID, so that this "
                              "server can read your profile from Microsoft "
                              "Graph.";

static void
on_lost(void *ctx)
{
    release(ctx);
}

static struct user_call *
find_parked(struct vl_user_tool *tool, const char *key)
{
    VL_LIST_EACH (node, &tool->calls) {
        struct user_call *uc = VL_CONTAINER(node, struct user_call, node);
        if (!uc->call && strcmp(uc->key, key) == 0)
            return uc;
    }
    return NULL;
}

/* The oldest of those that may never come again. */
static bool
make_room(struct vl_user_tool *tool)
{
    if (tool->parked < PARKED_MAX)
        return true;
    VL_LIST_EACH (node, &tool->calls) {
        struct user_call *uc = VL_CONTAINER(node, struct user_call, node);
        if (uc->call || !uc->may_come)
            continue;
        release(uc);
        return true;
    }
    return false;
}

/* The question stands in the call, which goes, and may be lost at once. */
static void
park(struct user_call *uc)
{
    valet_mcp_call *call = uc->call;
    uc->may_come = vl_mcp_version_is_modern(call->peer.version);
    uc->call = NULL;
    uc->tool->parked++;
    valet_mcp_keep(call, uc->key);
    vl_mcp_call_on_lost(call, on_lost, uc);
    valet_mcp_await(call);
}

static void
open_by_client(const char *url, void *ctx)
{
    struct user_call *uc = ctx;
    if (!make_room(uc->tool)) {
        fail(uc, "too many calls wait for a sign-in");
        return;
    }
    free(uc->url);
    uc->url = vl_strdup(url);
    vl_random_text(uc->key);
    (void)snprintf(uc->question, sizeof uc->question, "sign-in-%u",
                   uc->questions++);
    (void)valet_mcp_elicit_url(uc->call, uc->question, message, url);
    park(uc);
}

static void on_cancel(valet_mcp_call *call, void *ctx);

/* The handler runs again: with the client's answer, if it brings one. */
static void
go_on(struct user_call *uc, valet_mcp_call *call)
{
    uc->call = call;
    uc->tool->parked--;
    if (!valet_mcp_elicit_url(call, uc->question, message, uc->url)) {
        park(uc);
        return;
    }
    if (uc->is_over && uc->why[0]) {
        fail(uc, uc->why);
        return;
    }
    if (uc->is_over) {
        visit(uc, false, NULL); /* the token is in the cache */
    } else {
        const struct vl_visit_hooks hooks = hooks_of(uc, false);
        vl_visit_rehook(uc->visit, &hooks);
        vl_visit_opened(uc->visit, valet_mcp_is_accepted(call, uc->question));
    }
    valet_mcp_on_cancel(call, on_cancel, uc);
}

/* --- the call --- */

/* @spec S-47: prompt and request end with the client's interest in them. */
static void
on_cancel(valet_mcp_call *call, void *ctx)
{
    (void)call;
    finish(ctx, &(valet_mcp_result){.text = "Cancelled", .is_error = true});
}

static void
begin(struct vl_user_tool *tool, valet_mcp_call *call)
{
    struct user_call *uc = vl_alloc(sizeof *uc);
    *uc = (struct user_call){.tool = tool, .call = call};
    vl_list_add_last(&tool->calls, &uc->node);
    visit(uc, false, NULL);
    valet_mcp_on_cancel(call, on_cancel, uc);
}

static void
get_user_details(valet_mcp_call *call, void *ctx)
{
    struct vl_user_tool *tool = ctx;
    valet_error err = {0};
    const char *key = valet_mcp_kept(call);
    struct user_call *parked = key ? find_parked(tool, key) : NULL;
    if (parked)
        go_on(parked, call);
    else if (key)
        fail_call(call, "this sign-in is over; call again to begin another");
    else if (vl_lobby_graph(tool->lobby, &err) != VALET_OK)
        fail_call(call, err.message);
    else
        begin(tool, call);
}

/* --- life --- */

/* @spec S-40 */
static const valet_mcp_tool description = {
    .name = "GetUserDetailsFromGraph",
    .title = "Get user details from Microsoft Graph",
    .description = "Reads the profile of the signed-in user from Microsoft "
                   "Graph. The first call asks the user to sign in.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":"
        "false}",
    .hints = VALET_MCP_READ_ONLY | VALET_MCP_IDEMPOTENT | VALET_MCP_OPEN_WORLD,
    .permission = VALET_MCP_ANY_CALLER,
    .call = get_user_details,
};

valet_status
vl_user_tool_new(valet_mcp_server *server, struct vl_lobby *lobby,
                 const char *select, struct vl_user_tool **ret,
                 valet_error *err)
{
    struct vl_user_tool *tool = vl_alloc(sizeof *tool);
    *tool = (struct vl_user_tool){
        .lobby = lobby,
        .select = select,
        .schema = vl_buf_of(VL_LIMIT_DOCUMENT),
        .tool = description,
    };
    vl_list_init(&tool->calls);
    vl_graph_user_write_schema(vl_str_z(select), &tool->schema);
    tool->tool.output_schema = vl_buf_cstr(&tool->schema);
    tool->tool.ctx = tool;
    valet_status status = valet_mcp_add_tool(server, &tool->tool, err);
    if (status == VALET_OK)
        *ret = tool;
    else
        vl_user_tool_free(tool);
    return status;
}

/* The calls themselves were ended by the server. */
void
vl_user_tool_end(struct vl_user_tool *tool)
{
    VL_LIST_EACH (node, &tool->calls)
        release(VL_CONTAINER(node, struct user_call, node));
}

void
vl_user_tool_free(struct vl_user_tool *tool)
{
    if (!tool)
        return;
    vl_buf_done(&tool->schema);
    free(tool);
}
