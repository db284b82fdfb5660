/* SPDX-License-Identifier: Apache-2.0
 *
 * One POST of anything into a session, with a model of what may come back:
 * every request gets exactly one answer with its id (unless it was taken back
 * or refused as a whole), nothing else gets any. The first byte chooses the
 * version, and what the client accepts.
 */
#include "mcp/rpc.h"
#include "talk/endpoint.h"
#include "talk/session.h"
#include "vl_fake_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 256

struct bench {
    valet_mcp_call *calls[CALLS_MAX];
    size_t count;
    size_t cancelled;
};

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)principal;
    (void)ctx;
    return strcmp(permission, "read") == 0;
}

static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)ctx;
    VL_ASSERT(strcmp(permission, "admin") == 0);
    vl_exchange_reply(x, &(struct vl_reply){.status = 403});
}

static void
login(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    vl_exchange_reply(x, &(struct vl_reply){.status = 401});
}

static void
on_cancel(valet_mcp_call *call, void *ctx)
{
    (void)call;
    ((struct bench *)ctx)->cancelled++;
}

static void
later(valet_mcp_call *call, void *ctx)
{
    struct bench *bench = ctx;
    VL_ASSERT(bench->count < CALLS_MAX);
    bench->calls[bench->count++] = call;
    valet_mcp_on_cancel(call, on_cancel, bench);
    valet_mcp_progress(call, 1, 2, "begun");
}

static void
echo(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(
        call, &(valet_mcp_result){.text = valet_mcp_arguments(call, NULL),
                                  .structured = valet_mcp_arguments(call, NULL),
                                  .login_required = strstr(
                                      valet_mcp_arguments(call, NULL), "401")});
}

/* Only `{"n":0}` to `{"n":9}` come through, however a number is spelled. */
static void
strict(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    size_t size;
    const char *arguments = valet_mcp_arguments(call, &size);
    VL_ASSERT(size >= 7 && strncmp(arguments, "{\"n\":", 5) == 0);
    double n = strtod(arguments + 5, NULL);
    VL_ASSERT(n >= 0 && n <= 9 && (double)(int)n == n);
    valet_mcp_finish(call, &(valet_mcp_result){.text = "fits"});
}

static void
never(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    bool ran_without_its_permission = call != NULL;
    VL_ASSERT(!ran_without_its_permission);
}

static valet_mcp_server *
new_server(struct bench *bench)
{
    valet_mcp_server *server = NULL;
    const valet_mcp_tool tools[] = {
        {.name = "echo", .permission = "read", .call = echo},
        {.name = "strict",
         .permission = "read",
         .call = strict,
         .input_schema =
             "{\"type\":\"object\",\"properties\":{\"n\":{\"enum\":[0,1,2,"
             "3,4,5,6,7,8,9]}},\"required\":[\"n\"],"
             "\"additionalProperties\":false}"},
        {.name = "later", .permission = "read", .call = later},
        {.name = "never", .permission = "admin", .call = never},
    };
    VL_ASSERT(valet_mcp_server_new("f", "1", NULL, &server, NULL) == VALET_OK);
    for (size_t i = 0; i < VL_COUNT(tools); i++) {
        valet_mcp_tool tool = tools[i];
        tool.description = "A tool.";
        if (!tool.input_schema)
            tool.input_schema = "{\"type\":\"object\"}";
        tool.ctx = bench;
        VL_ASSERT(valet_mcp_add_tool(server, &tool, NULL) == VALET_OK);
    }
    return server;
}

/* --- the model --- */

static bool
same_id(struct vl_rpc_id a, struct vl_rpc_id b)
{
    vl_auto(vl_buf) one = vl_buf_of(1 << 20);
    vl_auto(vl_buf) two = vl_buf_of(1 << 20);
    vl_rpc_write_id(&one, a);
    vl_rpc_write_id(&two, b);
    return vl_str_eq(vl_buf_str(&one), vl_buf_str(&two));
}

/* One answer: well-formed, with a result or an error, to that id. */
static void
check_answer(const struct json_t *answer, struct vl_rpc_id id)
{
    struct vl_rpc_message message;
    VL_ASSERT(vl_rpc_read(answer, &message, NULL) == VALET_OK);
    VL_ASSERT(message.kind == VL_RPC_RESPONSE);
    VL_ASSERT(same_id(message.id, id));
}

struct sums {
    size_t requests, broken, cancels;
};

static struct sums
sum_up(const struct json_t *body)
{
    struct sums sums = {0};
    bool batch = vl_json_kind(body) == VL_JSON_ARRAY;
    for (size_t i = 0; i < (batch ? vl_json_size(body) : 1); i++) {
        struct vl_rpc_message message;
        const struct json_t *one = batch ? vl_json_at(body, i) : body;
        if (vl_rpc_read(one, &message, NULL) != VALET_OK)
            sums.broken++;
        else if (message.kind == VL_RPC_REQUEST)
            sums.requests++;
        else if (vl_str_eqz(message.method, "notifications/cancelled"))
            sums.cancels++;
    }
    return sums;
}

/* The last event of a stream, or the whole body. */
static struct vl_str
last_message(const struct fake_answer *answer)
{
    struct vl_str body = vl_buf_str(&answer->body);
    if (!answer->streaming)
        return body;
    VL_ASSERT(vl_str_ends(body, VL_STR("\n\n")));
    body.n -= 2;
    struct vl_str line = body;
    while (vl_str_index(line, '\n') < line.n)
        line = vl_str_from(line, vl_str_index(line, '\n') + 1);
    VL_ASSERT(vl_str_starts(line, VL_STR("data: ")));
    return vl_str_from(line, 6);
}

static void
check_batch(const struct fake_answer *answer, const struct json_t *json,
            struct sums sums, size_t cancelled)
{
    if (answer->status == 202) {
        VL_ASSERT(sums.requests + sums.broken <= cancelled);
        return;
    }
    VL_ASSERT(answer->status == 200);
    if (vl_json_kind(json) != VL_JSON_ARRAY) {
        /* A stream in which nothing but progress came before the cancel. */
        VL_ASSERT(answer->streaming && cancelled);
        return;
    }
    VL_ASSERT(vl_json_size(json) == sums.requests + sums.broken - cancelled);
    for (size_t i = 0; i < vl_json_size(json); i++) {
        struct vl_rpc_message message;
        VL_ASSERT(vl_rpc_read(vl_json_at(json, i), &message, NULL) == VALET_OK);
        VL_ASSERT(message.kind == VL_RPC_RESPONSE);
    }
}

static void
check_single(const struct fake_answer *answer, const struct json_t *json,
             const struct json_t *body, struct sums sums)
{
    if (answer->status == 401 || answer->status == 403) {
        VL_ASSERT(sums.requests == 1);
    } else if (answer->status == 202) {
        VL_ASSERT(sums.requests == 0 && sums.broken == 0);
        VL_ASSERT(vl_buf_size(&answer->body) == 0);
    } else {
        VL_ASSERT(answer->status == 200 || answer->status == 400);
        VL_ASSERT(sums.requests + sums.broken == 1);
        check_answer(json, vl_rpc_find_id(body));
    }
}

static void
check(const struct fake_answer *answer, struct vl_str text, size_t cancelled,
      bool oldest)
{
    VL_ASSERT(answer->finished);
    vl_auto(vl_json) json = {NULL};
    if (vl_buf_size(&answer->body))
        VL_ASSERT(vl_json_parse(last_message(answer), 80, &json, NULL) ==
                  VALET_OK);
    vl_auto(vl_json) body = {NULL};
    bool batch = false;
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &body, NULL) == VALET_OK)
        batch = vl_json_kind(body.root) == VL_JSON_ARRAY;
    size_t size = vl_json_size(body.root);
    if (!body.root || (batch && (!oldest || size == 0 || size > 64))) {
        VL_ASSERT(answer->status == 400);
        check_answer(json.root, VL_RPC_NULL_ID);
    } else if (batch) {
        check_batch(answer, json.root, sum_up(body.root), cancelled);
    } else {
        check_single(answer, json.root, body.root, sum_up(body.root));
    }
}

/* --- the run --- */

static void
open_session(struct vl_mcp_endpoint *endpoint,
             const struct vl_principal *principal, unsigned version,
             char session[VL_MCP_SESSION_ID_SIZE])
{
    static const char *const headers[] = {"Content-Type", "application/json",
                                          NULL};
    char body[160];
    int n = snprintf(body, sizeof body,
                     "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                     "\"params\":{\"protocolVersion\":\"%s\"}}",
                     vl_mcp_version_name((enum vl_mcp_version)version));
    struct fake_answer answer;
    vl_mcp_endpoint_handle(
        endpoint,
        fake_exchange(&answer, "POST", headers, vl_str_of(body, (size_t)n)),
        principal);
    (void)snprintf(session, VL_MCP_SESSION_ID_SIZE, "%s",
                   fake_header(&answer, "Mcp-Session-Id"));
    fake_answer_done(&answer);
}

static void
post(struct vl_mcp_endpoint *endpoint, struct bench *bench, unsigned choice,
     struct vl_str body)
{
    static const struct vl_principal principal = {
        .client = {"c"}, .user = {.tid = "t", .oid = "o"}, .session = "f"};
    static const char *const accepts[] = {"application/json",
                                          "application/json, text/event-stream",
                                          "text/event-stream", "*/*"};
    char session[VL_MCP_SESSION_ID_SIZE];
    unsigned version = choice % VL_MCP_VERSION_COUNT;
    open_session(endpoint, &principal, version, session);
    const char *headers[] = {"Content-Type",
                             "application/json",
                             "Mcp-Session-Id",
                             session,
                             "Accept",
                             accepts[choice / 4 % 4],
                             NULL};
    struct fake_answer answer;
    vl_mcp_endpoint_handle(
        endpoint, fake_exchange(&answer, "POST", headers, body), &principal);
    for (size_t i = 0; i < bench->count; i++)
        valet_mcp_finish(bench->calls[i], &(valet_mcp_result){.text = "done"});
    check(&answer, body, bench->cancelled, version == VL_MCP_2025_03_26);
    fake_answer_done(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > VL_LIMIT_MCP_BODY)
        return 0;
    struct bench bench = {.count = 0};
    struct vl_loop *loop = NULL;
    VL_ASSERT(vl_loop_new(&loop, NULL) == VALET_OK);
    valet_mcp_server *server = new_server(&bench);
    struct vl_mcp_hooks hooks = {.may = may, .refuse = refuse, .login = login};
    struct vl_mcp_endpoint *endpoint =
        vl_mcp_endpoint_new(server, &hooks, loop, &vl_clock_system, 0);
    post(endpoint, &bench, data[0], vl_str_of(data + 1, size - 1));
    vl_mcp_endpoint_free(endpoint);
    valet_mcp_server_free(server);
    vl_loop_free(loop);
    return 0;
}
