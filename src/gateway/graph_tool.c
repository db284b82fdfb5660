/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/graph_tool.h"

#include "core/list.h"
#include "core/status.h"
#include "entra/graph_user.h"
#include "guard/policy.h"
#include "talk/endpoint.h"

struct vl_graph_tool {
    struct vl_graph_tool_deps deps;
    valet_mcp_tool tool;
    struct vl_list calls;
};

/* One call: lend a token, ask Graph, and once more with a fresh token if Graph
 * does not take the first one (@spec S-83). */
struct graph_call {
    struct vl_list node;
    struct vl_graph_tool *tool;
    valet_mcp_call *call;
    struct vl_graph_me *graph;
    bool leasing; /* an answer of the desk is still to come */
    bool ended;   /* finished while it was leasing: freed by the answer */
    bool second;
};

static void lease(struct graph_call *gc, bool force);

static void
audit_graph(const struct graph_call *gc, enum vl_audit_kind kind,
            const char *reason, const char *request_id)
{
    const struct vl_principal *who = vl_mcp_call_principal(gc->call);
    vl_audit(gc->tool->deps.audit,
             &(struct vl_audit_event){.kind = kind,
                                      .refused = kind == VL_AUDIT_GRAPH_FAIL,
                                      .reason = reason,
                                      .client = &who->client,
                                      .user = &who->user,
                                      .session = who->session,
                                      .tool = gc->tool->tool.name,
                                      .correlation =
                                          valet_mcp_correlation_id(gc->call),
                                      .upstream_correlation = request_id});
}

static void
release(struct graph_call *gc)
{
    vl_list_remove(&gc->node);
    free(gc);
}

static void
finish(struct graph_call *gc, const valet_mcp_result *result)
{
    valet_mcp_call *call = gc->call;
    vl_graph_me_abort(&gc->graph);
    gc->ended = true;
    if (!gc->leasing)
        release(gc);
    valet_mcp_finish(call, result);
}

/* @spec S-46 W-24: a failure is marked as one, says no more than is safe, and
 * names the id under which the audit trail has the reason. */
static void
fail(struct graph_call *gc, const char *what)
{
    vl_auto(vl_buf) text = vl_buf_of(1024);
    vl_buf_addf(&text, "Error: %s (correlation id %s)", what,
                valet_mcp_correlation_id(gc->call));
    finish(gc,
           &(valet_mcp_result){.text = vl_buf_cstr(&text), .is_error = true});
}

/* @spec S-44 S-79 W-42: people read no more than programs get. */
static bool
write_user(struct vl_str json, const char *select, struct vl_buf *text,
           struct vl_buf *structured)
{
    vl_auto(vl_json) whole = {NULL}, selected = {NULL};
    if (vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &whole, NULL) != VALET_OK)
        return false;
    vl_graph_user_write_json(whole.root, vl_str_z(select), structured);
    if (vl_buf_check(structured, NULL) != VALET_OK ||
        vl_json_parse(vl_buf_str(structured), VL_LIMIT_JSON_DEPTH, &selected,
                      NULL) != VALET_OK)
        return false;
    vl_graph_user_write_lines(selected.root, text);
    return vl_buf_check(text, NULL) == VALET_OK;
}

static void
succeed(struct graph_call *gc, struct vl_str json)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) structured = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    if (write_user(json, gc->tool->deps.select, &text, &structured))
        finish(gc, &(valet_mcp_result){.text = vl_buf_cstr(&text),
                                       .structured = vl_buf_cstr(&structured)});
    else
        fail(gc, "the profile is too large");
}

/* --- the steps --- */

/* @spec S-08: a sign-in that has ended is no tool error that loops. */
static void
ask_for_login(struct graph_call *gc)
{
    finish(gc, &(valet_mcp_result){
                   .text = "Error: the sign-in has ended; sign in again",
                   .is_error = true,
                   .login_required = true});
}

/* Graph takes not even a token that was renewed just now: the person was
 * disabled, or Conditional Access wants more. Only a new sign-in helps. */
static void
end_sign_in(struct graph_call *gc, const char *reason)
{
    struct vl_issuer *issuer = gc->tool->deps.issuer;
    struct vl_principal who = *vl_mcp_call_principal(gc->call);
    ask_for_login(gc); /* first: the end of the family ends the call too */
    vl_issuer_end(issuer, who.session, reason);
}

static void
on_graph(valet_status status, const struct vl_graph_answer *answer,
         const valet_error *err, void *ctx)
{
    struct graph_call *gc = ctx;
    gc->graph = NULL;
    if (answer->throttled)
        audit_graph(gc, VL_AUDIT_GRAPH_THROTTLE, "retried", answer->request_id);
    if (status == VALET_OK) {
        audit_graph(gc, VL_AUDIT_GRAPH_OK,
                    answer->remembered ? "remembered" : NULL,
                    answer->request_id);
        succeed(gc, answer->json);
        return;
    }
    if (answer->token_refused && !gc->second) {
        gc->second = true;
        lease(gc, true);
        return;
    }
    audit_graph(gc, VL_AUDIT_GRAPH_FAIL,
                err->code[0] ? err->code : valet_status_name(status),
                answer->request_id);
    if (answer->token_refused) {
        end_sign_in(gc, err->code[0] ? err->code : "graph_refused_token");
        return;
    }
    fail(gc, status == VALET_RETRY
                 ? "Microsoft Graph is not available at the moment; try again"
             : status == VALET_DENIED
                 ? "Microsoft Graph does not allow reading the profile"
                 : "Microsoft Graph gave no usable answer");
}

static void
on_lease(valet_status status, const struct vl_upstream_token *token,
         const valet_error *err, void *ctx)
{
    struct graph_call *gc = ctx;
    (void)err;
    gc->leasing = false;
    if (gc->ended) {
        release(gc);
        return;
    }
    if (status == VALET_DENIED || status == VALET_NOT_FOUND) {
        ask_for_login(gc);
        return;
    }
    if (status != VALET_OK) {
        fail(gc, "the sign-in service is not available at the moment; try "
                 "again");
        return;
    }
    struct vl_graph_request request = {
        .token = token,
        .select = gc->tool->deps.select,
        .correlation = valet_mcp_correlation_id(gc->call),
        .anew = gc->second,
    };
    gc->graph = vl_profiles_ask(gc->tool->deps.profiles,
                                vl_mcp_call_principal(gc->call), &request,
                                on_graph, gc);
}

static void
lease(struct graph_call *gc, bool force)
{
    gc->leasing = true;
    vl_issuer_lease(gc->tool->deps.issuer,
                    vl_mcp_call_principal(gc->call)->session, force, on_lease,
                    gc);
}

/* @spec S-47: the call to Graph ends with the client's interest in it. */
static void
on_cancel(valet_mcp_call *call, void *ctx)
{
    (void)call;
    finish(ctx, &(valet_mcp_result){.text = "Cancelled", .is_error = true});
}

static void
get_user_details(valet_mcp_call *call, void *ctx)
{
    struct vl_graph_tool *tool = ctx;
    struct graph_call *gc = vl_alloc(sizeof *gc);
    gc->tool = tool;
    gc->call = call;
    vl_list_init(&gc->node);
    vl_list_add_last(&tool->calls, &gc->node);
    valet_mcp_on_cancel(call, on_cancel, gc);
    lease(gc, false);
}

static const valet_mcp_tool description = {
    .name = "getUserDetails",
    .title = "Get user details",
    .description = "Reads the profile of the signed-in user (name, e-mail "
                   "address, user principal name) from Microsoft Graph.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":"
        "false}",
    .hints = VALET_MCP_READ_ONLY | VALET_MCP_IDEMPOTENT | VALET_MCP_OPEN_WORLD,
    .permission = VL_SCOPE_TOOLS_READ,
    .call = get_user_details,
};

valet_status
vl_graph_tool_new(const struct vl_graph_tool_deps *deps,
                  valet_mcp_server *server, struct vl_graph_tool **ret,
                  valet_error *err)
{
    struct vl_graph_tool *tool = vl_alloc(sizeof *tool);
    vl_auto(vl_buf) schema = vl_buf_of(VL_LIMIT_DOCUMENT);
    tool->deps = *deps;
    tool->tool = description;
    tool->tool.ctx = tool;
    vl_graph_user_write_schema(vl_str_z(deps->select), &schema);
    tool->tool.output_schema = vl_buf_cstr(&schema);
    vl_list_init(&tool->calls);
    valet_status status = valet_mcp_add_tool(server, &tool->tool, err);
    tool->tool.output_schema = NULL; /* the server has its own */
    if (status != VALET_OK) {
        free(tool);
        return status;
    }
    *ret = tool;
    return VALET_OK;
}

void
vl_graph_tool_free(struct vl_graph_tool *tool)
{
    if (!tool)
        return;
    VL_LIST_EACH (node, &tool->calls) {
        struct graph_call *gc = VL_CONTAINER(node, struct graph_call, node);
        gc->leasing = false; /* the desk was freed: no answer will come */
        if (gc->ended)
            release(gc);
        else
            fail(gc, "the server is shutting down");
    }
    free(tool);
}
