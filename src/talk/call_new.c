/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call is made of, and what is left of it: most calls are finished at
 * once, and the next one takes the place of the last.
 */
#include <math.h>

#include "core/limits.h"
#include "talk/call.h"

/* Ids, a token, what stands for the variables of a template; and parameters,
 * however many. */
#define ARENA_MAX 65536
/* Calls whose memory is kept. All of it has to rest before any is used again:
 * whoever still holds on to one that was finished is not to meet the next. */
#ifdef VL_SANITIZED
#define SPARES_MAX 0
#else
#define SPARES_MAX 16
#endif

static struct vl_str
keep_id(struct vl_mcp_call *call, struct vl_rpc_id id)
{
    vl_auto(vl_buf) text = vl_buf_of(8 * VL_RPC_ID_MAX);
    if (!id.value)
        return vl_arena_dup(&call->arena, id.text);
    vl_rpc_write_id(&text, id);
    return vl_arena_dup(&call->arena, vl_buf_str(&text));
}

static void
keep_variable(struct vl_str name, struct vl_str value, void *ctx)
{
    struct vl_mcp_call *call = ctx;
    if (call->variable_count == VL_URI_TEMPLATE_VARIABLES)
        return;
    struct vl_mcp_variable *variable = &call->variables[call->variable_count++];
    variable->name = vl_arena_dup(&call->arena, name).p;
    variable->value = vl_arena_dup(&call->arena, value).p;
}

static size_t
size_of(const struct vl_json_node *params)
{
    return params ? params->text.n : 0;
}

/* Of nothing else they were looked at. */
static bool
takes_arguments(const struct vl_mcp_call *call)
{
    return !call->completes && (call->item->sort == VL_MCP_TOOLS ||
                                call->item->sort == VL_MCP_PROMPTS);
}

/* Parameters that are still text are kept as that. */
static void
keep_params(struct vl_mcp_call *call, const struct vl_rpc_message *message)
{
    const struct vl_json_node *params = message->params.node;
    struct vl_rpc_id token;
    if (params)
        call->text = vl_arena_dup(&call->arena, params->text);
    else
        call->params = vl_json_share(message->params.value);
    struct vl_json_view arguments = vl_rpc_param(message, VL_STR("arguments"));
    if (arguments.node && takes_arguments(call)) {
        call->arguments = vl_json_share(message->body->arguments.root);
        call->arguments_text =
            vl_str_of(call->text.p + (arguments.node->text.p - params->text.p),
                      arguments.node->text.n);
    }
    if (vl_rpc_id_read(vl_json_view_get(message->meta, VL_STR("progressToken")),
                       &token))
        call->token = keep_id(call, token);
}

/* What one has left for others: its memory, emptied. */
static struct vl_mcp_call *
take_spare(struct vl_mcp_endpoint *endpoint)
{
    if (endpoint->spare_count != SPARES_MAX ||
        vl_list_is_empty(&endpoint->spare_calls))
        return vl_alloc(sizeof(struct vl_mcp_call));
    struct vl_mcp_call *call = VL_CONTAINER(endpoint->spare_calls.next,
                                            struct vl_mcp_call, in_endpoint);
    vl_list_remove(&call->in_endpoint);
    endpoint->spare_count--;
    return call;
}

static void
keep_address(struct vl_mcp_call *call, const char *peer)
{
    size_t n = strnlen(peer, sizeof call->address - 1);
    memcpy(call->address, peer, n);
    call->address[n] = '\0';
}

struct vl_mcp_call *
vl_mcp_call_new(const struct vl_mcp_call_order *order)
{
    struct vl_mcp_call *call = take_spare(order->endpoint);
    const struct vl_rpc_message *message = order->message;
    call->arena.max = ARENA_MAX + size_of(message->params.node);
    call->asked = vl_buf_of(VL_MCP_ARGUMENTS_MAX);
    call->endpoint = order->endpoint;
    call->gate = order->endpoint->gate;
    vl_mcp_gate_hold(call->gate);
    vl_mcp_gate_settle(call->gate);
    call->session = order->session;
    call->post = order->post;
    call->item = order->item;
    vl_mcp_item_hold(call->item);
    call->completes = order->completes;
    call->peer = *order->peer;
    call->principal = *order->principal;
    keep_params(call, message);
    call->id = keep_id(call, message->id);
    call->started = vl_mono_now();
    call->progress = -INFINITY;
    keep_address(call, vl_mcp_post_peer(order->post));
    vl_list_init(&call->in_session);
    vl_list_init(&call->in_endpoint);
    if (call->item->sort == VL_MCP_TEMPLATES && !call->completes)
        (void)vl_uri_template_match(call->item->pattern,
                                    vl_rpc_param_str(message, VL_STR("uri")),
                                    keep_variable, call);
    return call;
}

void
vl_mcp_call_free(struct vl_mcp_call *call)
{
    struct vl_mcp_endpoint *endpoint = call->endpoint;
    vl_mcp_item_release(call->item);
    vl_mcp_gate_release(call->gate);
    vl_mcp_talk_free(call->talk);
    vl_json_done(&call->params);
    vl_json_done(&call->arguments);
    vl_buf_done(&call->asked);
    if (endpoint && endpoint->spare_count != SPARES_MAX) {
        vl_arena_clear(&call->arena);
        *call = (struct vl_mcp_call){.arena = call->arena};
        vl_list_add_last(&endpoint->spare_calls, &call->in_endpoint);
        endpoint->spare_count++;
        return;
    }
    vl_arena_done(&call->arena);
    free(call);
}

void
vl_mcp_calls_done(struct vl_mcp_endpoint *endpoint)
{
    VL_LIST_EACH (it, &endpoint->spare_calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        vl_arena_done(&call->arena);
        free(call);
    }
    vl_list_init(&endpoint->spare_calls);
    endpoint->spare_count = SPARES_MAX; /* none any more */
}

/* Where somebody listens that is before the handler runs: so no two threads
 * come here at once. */
const char *
vl_mcp_call_correlation(const struct vl_mcp_call *call)
{
    if (!*call->correlation)
        vl_uuid(((struct vl_mcp_call *)(uintptr_t)call)->correlation);
    return call->correlation;
}

/* --- what is done with it --- */

struct deed {
    const struct vl_mcp_call *call;
    void (*run)(void *ctx);
    void *ctx;
};

static void
do_deed(void *ctx)
{
    const struct deed *deed = ctx;
    VL_ASSERT(deed->call->item && "another thread has finished this call");
    deed->run(deed->ctx);
}

void
vl_mcp_call_do(struct vl_mcp_call *call, void (*run)(void *ctx), void *ctx)
{
    VL_ASSERT(call->item && "a handler uses a call that it has finished");
    vl_mcp_gate_do(call->gate, do_deed, &(struct deed){call, run, ctx});
}

/* --- what it was asked with --- */

/* One thread at a time has the call, so whoever needs them may read them. */
const struct json_t *
vl_mcp_call_params(const struct vl_mcp_call *call)
{
    struct vl_json *params = &((struct vl_mcp_call *)(uintptr_t)call)->params;
    if (!params->root && call->text.p)
        VL_ASSERT(vl_json_parse(call->text, VL_LIMIT_JSON_DEPTH, params,
                                NULL) == VALET_OK);
    return params->root;
}

const struct json_t *
vl_mcp_call_arguments(const struct vl_mcp_call *call)
{
    if (!takes_arguments(call))
        return NULL;
    struct vl_json *arguments =
        &((struct vl_mcp_call *)(uintptr_t)call)->arguments;
    if (!arguments->root && call->arguments_text.n)
        VL_ASSERT(vl_json_parse_small(call->arguments_text, VL_LIMIT_JSON_DEPTH,
                                      arguments, NULL) == VALET_OK);
    return arguments->root ? arguments->root
                           : vl_json_get(vl_mcp_call_params(call), "arguments");
}
