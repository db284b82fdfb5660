/* SPDX-License-Identifier: Apache-2.0
 *
 * A server with one of everything, for targets that drive it from outside:
 * handlers that answer at once, later, by asking back, as a task, wrongly. All
 * of them tell whose request it is by a mark, which no input can hold since it
 * is a digest of the whole input: what one principal is sent never holds the
 * other's mark (vl_fuzz_model.h looks for it).
 */
#ifndef VL_FUZZ_SERVER_H
#define VL_FUZZ_SERVER_H

#include "core/sys.h"
#include "talk/endpoint.h"
#include "talk/inside.h"

#define CALLS_MAX 512
#define MARK_SIZE 24
#define PEOPLE    2

struct bench {
    valet_mcp_server *server;
    struct vl_loop *loop;
    struct vl_mcp_endpoint *endpoint; /* NULL: it has ended */
    struct vl_mcp_hooks hooks;
    struct vl_clock clock;
    int64_t now_ms;
    char marks[PEOPLE][MARK_SIZE];
    /* Calls that were begun and are not finished. */
    struct {
        valet_mcp_call *call;
        bool completes;
    } calls[CALLS_MAX];
    size_t count;
    size_t asked;            /* how often somebody waited for answers */
    bool finishes_cancelled; /* inside on_cancel */
    int speaker; /* whose request is being dealt with; -1: nobody's */
    bool has_extra[VL_MCP_SORT_COUNT];
};

static inline unsigned
who_is(const valet_mcp_call *call)
{
    return valet_mcp_user_oid(call)[0] == 'B';
}

/* Nobody's request makes another's handler run. */
static inline const char *
mark_of(const struct bench *bench, const valet_mcp_call *call)
{
    VL_ASSERT(bench->speaker < 0 || (unsigned)bench->speaker == who_is(call));
    return bench->marks[who_is(call)];
}

/* --- handlers --- */

static inline void
say_mark(valet_mcp_call *call, void *ctx)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = mark_of(ctx, call),
                                               .ttl_ms = 1000,
                                               .is_public = true});
}

static inline void
say_echo(valet_mcp_call *call, void *ctx)
{
    const char *text = valet_mcp_arguments(call, NULL);
    const valet_mcp_content content[] = {
        {.kind = VALET_MCP_TEXT, .text = mark_of(ctx, call)},
        {.kind = VALET_MCP_IMAGE,
         .data = "\xff\0",
         .size = 2,
         .mime_type = "image/png"},
        {.kind = VALET_MCP_EMBEDDED, .uri = "res://a", .text = text},
        {.kind = VALET_MCP_LINK, .uri = "res://a", .name = "a"},
    };
    valet_mcp_finish(call,
                     &(valet_mcp_result){.text = text,
                                         .content = content,
                                         .content_count = VL_COUNT(content),
                                         .structured = text});
}

/* Only 0 to 9 come through, however a number is spelled. */
static inline void
say_strict(valet_mcp_call *call, void *ctx)
{
    int64_t n = -1;
    VL_ASSERT(valet_mcp_argument_int(call, "n", &n) && n >= 0 && n <= 9);
    say_mark(call, ctx);
}

static inline void
say_privately(valet_mcp_call *call, void *ctx)
{
    bool is_the_one_who_may = who_is(call) == 0;
    VL_ASSERT(is_the_one_who_may);
    say_mark(call, ctx);
}

static inline void
say_login(valet_mcp_call *call, void *ctx)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = mark_of(ctx, call),
                                               .login_required = true});
}

/* What does not fit the output schema. */
static inline void
say_misfit(valet_mcp_call *call, void *ctx)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = mark_of(ctx, call),
                                               .structured = "[1]"});
}

static inline void
refuse_call(valet_mcp_call *call, void *ctx)
{
    valet_mcp_fail(call,
                   valet_mcp_uri(call)[0] ? VALET_NOT_FOUND : VALET_INVALID,
                   mark_of(ctx, call));
}

static inline void
take_out(struct bench *bench, size_t i)
{
    bench->calls[i] = bench->calls[--bench->count];
}

static inline void
on_cancel(valet_mcp_call *call, void *ctx)
{
    struct bench *bench = ctx;
    VL_ASSERT(valet_mcp_is_cancelled(call));
    for (size_t i = 0; bench->finishes_cancelled && i < bench->count; i++) {
        if (bench->calls[i].call != call)
            continue;
        bool completes = bench->calls[i].completes;
        take_out(bench, i);
        if (completes)
            valet_mcp_finish_completion(call, NULL, 0, 0);
        else
            valet_mcp_finish(call, &(valet_mcp_result){.text = "too late"});
        return;
    }
}

static inline void
keep_call(struct bench *bench, valet_mcp_call *call, bool completes)
{
    VL_ASSERT(bench->count < CALLS_MAX);
    bench->calls[bench->count].call = call;
    bench->calls[bench->count++].completes = completes;
    valet_mcp_on_cancel(call, on_cancel, bench);
}

static inline void
do_later(valet_mcp_call *call, void *ctx)
{
    valet_mcp_progress(call, 1, 3, mark_of(ctx, call));
    valet_mcp_log(call, VALET_MCP_WARNING, "fuzz", mark_of(ctx, call));
    keep_call(ctx, call, false);
}

static inline void
complete_later(valet_mcp_call *call, void *ctx)
{
    VL_ASSERT(valet_mcp_completing(call)[0]);
    keep_call(ctx, call, true);
}

static inline void
complete_now(valet_mcp_call *call, void *ctx)
{
    const char *values[] = {mark_of(ctx, call),
                            valet_mcp_completing_value(call)};
    valet_mcp_finish_completion(call, values, 2, 500);
}

static inline void
wait_for_answers(struct bench *bench, valet_mcp_call *call)
{
    bench->asked++;
    valet_mcp_await(call);
}

/* What was kept is the asker's own. */
static inline void
ask_form(valet_mcp_call *call, void *ctx)
{
    struct bench *bench = ctx;
    const char *mark = mark_of(bench, call), *kept = valet_mcp_kept(call);
    VL_ASSERT(!kept || strcmp(kept, mark) == 0);
    valet_mcp_keep(call, mark);
    const char *answer = valet_mcp_elicit(
        call, "name", mark,
        "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
        "\"maxLength\":9}},\"required\":[\"name\"]}");
    if (!answer) {
        wait_for_answers(bench, call);
        return;
    }
    const char *name = valet_mcp_form_text(call, "name", "name");
    VL_ASSERT(!name || strlen(name) <= 9 * 4);
    valet_mcp_finish(call, &(valet_mcp_result){.text = name ? name : mark,
                                               .structured = answer});
}

static inline void
ask_all(valet_mcp_call *call, void *ctx)
{
    struct bench *bench = ctx;
    const char *roots = valet_mcp_list_roots(call, "roots");
    const char *text =
        valet_mcp_sample(call, "text", "{\"messages\":[],\"maxTokens\":1}");
    if (!roots || !text) {
        wait_for_answers(bench, call);
        return;
    }
    if (!valet_mcp_elicit_url(call, "page", mark_of(bench, call),
                              "https://example.com/"))
        wait_for_answers(bench, call);
    else
        valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

static inline void
ask_then_work(valet_mcp_call *call, void *ctx)
{
    struct bench *bench = ctx;
    if (!valet_mcp_elicit(call, "sure", mark_of(bench, call),
                          "{\"type\":\"object\",\"properties\":{}}")) {
        wait_for_answers(bench, call);
        return;
    }
    valet_mcp_begin_task(call);
    do_later(call, ctx);
}

/* --- the server --- */

static inline bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)ctx;
    return principal->user.oid[0] != 'B' || strcmp(permission, "admin") != 0;
}

static inline void
add_tools(struct bench *bench)
{
    static const char any[] = "{\"type\":\"object\"}";
    static const char digit[] =
        "{\"type\":\"object\",\"properties\":{\"n\":{\"enum\":[0,1,2,3,4,5,6,"
        "7,8,9]}},\"required\":[\"n\"],\"additionalProperties\":false}";
    static const char mirrored[] =
        "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\","
        "\"x-mcp-header\":\"Region\"}}}";
    const valet_mcp_tool tools[] = {
        {.name = "mark", .call = say_mark},
        {.name = "echo", .call = say_echo},
        {.name = "strict", .call = say_strict, .input_schema = digit},
        {.name = "region", .call = say_mark, .input_schema = mirrored},
        {.name = "admin", .call = say_privately, .permission = "admin"},
        {.name = "login", .call = say_login},
        {.name = "misfit", .call = say_misfit, .output_schema = any},
        {.name = "fail", .call = refuse_call},
        {.name = "later", .call = do_later},
        {.name = "form", .call = ask_form},
        {.name = "all", .call = ask_all},
        {.name = "task", .call = do_later, .flags = VALET_MCP_AS_TASK},
        {.name = "taskonly", .call = do_later, .flags = VALET_MCP_ONLY_AS_TASK},
        {.name = "taskask", .call = ask_form, .flags = VALET_MCP_AS_TASK},
        {.name = "grow", .call = ask_then_work, .flags = VALET_MCP_TASK_LATER},
    };
    for (size_t i = 0; i < VL_COUNT(tools); i++) {
        valet_mcp_tool tool = tools[i];
        tool.description = "A tool.";
        if (!tool.input_schema)
            tool.input_schema = any;
        if (!tool.permission)
            tool.permission = i % 2 ? VALET_MCP_ANY_CALLER : "read";
        tool.ctx = bench;
        VL_ASSERT(valet_mcp_add_tool(bench->server, &tool, NULL) == VALET_OK);
    }
}

static inline void
add_resources(struct bench *bench)
{
    const valet_mcp_resource resources[] = {
        {.uri = "res://a",
         .permission = VALET_MCP_ANY_CALLER,
         .read = say_mark},
        {.uri = "res://later", .permission = "read", .read = do_later},
        {.uri = "res://admin", .permission = "admin", .read = say_privately},
        {.uri = "res://none", .permission = "read", .read = refuse_call},
        {.uri = "res://ask", .permission = "read", .read = ask_form},
    };
    const valet_mcp_template templates[] = {
        {.uri_template = "note://{id}/text",
         .permission = "read",
         .read = say_mark,
         .complete = complete_now},
        {.uri_template = "slow://{a}/{b}",
         .permission = "read",
         .read = do_later,
         .complete = complete_later},
        {.uri_template = "admin://{a}",
         .permission = "admin",
         .read = say_privately,
         .complete = say_privately},
    };
    for (size_t i = 0; i < VL_COUNT(resources); i++) {
        valet_mcp_resource resource = resources[i];
        resource.name = "r";
        resource.ctx = bench;
        VL_ASSERT(valet_mcp_add_resource(bench->server, &resource, NULL) ==
                  VALET_OK);
    }
    for (size_t i = 0; i < VL_COUNT(templates); i++) {
        valet_mcp_template tmpl = templates[i];
        tmpl.name = "t";
        tmpl.ctx = bench;
        VL_ASSERT(valet_mcp_add_template(bench->server, &tmpl, NULL) ==
                  VALET_OK);
    }
}

static inline void
add_prompts(struct bench *bench)
{
    static const valet_mcp_prompt_argument arguments[] = {
        {.name = "who", .is_required = true}, {.name = "how"}};
    const valet_mcp_prompt prompts[] = {
        {.name = "greet",
         .permission = VALET_MCP_ANY_CALLER,
         .get = say_mark,
         .complete = complete_now},
        {.name = "slow",
         .permission = "read",
         .get = do_later,
         .complete = complete_later},
        {.name = "admin", .permission = "admin", .get = say_privately},
        {.name = "ask", .permission = "read", .get = ask_form},
        {.name = "fail", .permission = "read", .get = refuse_call},
    };
    for (size_t i = 0; i < VL_COUNT(prompts); i++) {
        valet_mcp_prompt prompt = prompts[i];
        if (prompt.complete) {
            prompt.arguments = arguments;
            prompt.argument_count = VL_COUNT(arguments);
        }
        prompt.ctx = bench;
        VL_ASSERT(valet_mcp_add_prompt(bench->server, &prompt, NULL) ==
                  VALET_OK);
    }
}

/* --- what the owner of the server does --- */

/* Adds or removes something: clients that listen are told. */
static inline void
change_list(struct bench *bench, unsigned choice)
{
    enum vl_mcp_sort sort = choice % VL_MCP_SORT_COUNT;
    bool there = bench->has_extra[sort];
    valet_mcp_server *server = bench->server;
    valet_status status = VALET_OK;
    bench->has_extra[sort] = !there;
    if (sort == VL_MCP_TOOLS && there)
        VL_ASSERT(valet_mcp_remove_tool(server, "extra"));
    else if (sort == VL_MCP_TOOLS)
        status = valet_mcp_add_tool(
            server,
            &(valet_mcp_tool){.name = "extra",
                              .description = "e",
                              .input_schema = "{\"type\":\"object\"}",
                              .permission = "extra",
                              .call = do_later,
                              .ctx = bench},
            NULL);
    else if (sort == VL_MCP_RESOURCES && there)
        VL_ASSERT(valet_mcp_remove_resource(server, "res://extra"));
    else if (sort == VL_MCP_RESOURCES)
        status =
            valet_mcp_add_resource(server,
                                   &(valet_mcp_resource){.uri = "res://extra",
                                                         .name = "e",
                                                         .permission = "admin",
                                                         .read = do_later,
                                                         .ctx = bench},
                                   NULL);
    else if (there)
        VL_ASSERT(sort == VL_MCP_TEMPLATES
                      ? valet_mcp_remove_template(server, "extra://{x}")
                      : valet_mcp_remove_prompt(server, "extra"));
    else if (sort == VL_MCP_TEMPLATES)
        status = valet_mcp_add_template(
            server,
            &(valet_mcp_template){.uri_template = "extra://{x}",
                                  .name = "e",
                                  .permission = "read",
                                  .read = do_later,
                                  .ctx = bench},
            NULL);
    else
        status = valet_mcp_add_prompt(server,
                                      &(valet_mcp_prompt){.name = "extra",
                                                          .permission = "read",
                                                          .get = do_later,
                                                          .ctx = bench},
                                      NULL);
    VL_ASSERT(status == VALET_OK);
}

static inline void
finish_well(struct bench *bench, valet_mcp_call *call, bool is_error,
            const char *structured)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = mark_of(bench, call),
                                               .is_error = is_error,
                                               .structured = structured,
                                               .description = "d"});
}

/* One more step of a call that is at work; most of them end it. */
static inline void
step_call(struct bench *bench, size_t i, unsigned how)
{
    valet_mcp_call *call = bench->calls[i].call;
    bool completes = bench->calls[i].completes;
    const char *mark = mark_of(bench, call);
    bool ends = how % 12 > 4;
    if (ends)
        take_out(bench, i);
    switch (how % 12) {
    case 0:
        valet_mcp_progress(call, 2, 3, mark);
        return;
    case 1:
        valet_mcp_log(call, how / 12 % 8, NULL, mark);
        return;
    case 2:
        valet_mcp_disconnect(call, 5);
        return;
    case 3:
        valet_mcp_begin_task(call);
        return;
    case 4:
        valet_mcp_progress(call, how, 0, NULL);
        return;
    case 5:
        valet_mcp_fail(call, VALET_INVALID, mark);
        return;
    case 6:
        valet_mcp_fail(call, VALET_NOT_FOUND, mark);
        return;
    case 7: /* It begins anew afterwards. */
        (void)valet_mcp_elicit(call, how / 12 % 2 ? "more" : "bad key", mark,
                               "{\"type\":\"object\",\"properties\":{}}");
        wait_for_answers(bench, call);
        return;
    case 8:
        valet_mcp_fail(call, VALET_INTERNAL, mark);
        return;
    default:
        if (completes)
            valet_mcp_finish_completion(call, &mark, 1, 0);
        else
            finish_well(bench, call, how % 12 == 9,
                        how % 12 == 10 ? "{\"a\":[1]}" : NULL);
    }
}

/* --- its life --- */

static inline int64_t
bench_now(void *ctx)
{
    return ((const struct bench *)ctx)->now_ms;
}

static inline uint64_t
digest(const uint8_t *data, size_t size)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * 1099511628211u;
    return sum;
}

/* `hooks`: how somebody is refused, or sent to sign in. */
static inline void
bench_begin(struct bench *bench, const struct vl_mcp_hooks *hooks,
            const uint8_t *data, size_t size)
{
    uint64_t sum = digest(data, size);
    *bench = (struct bench){.now_ms = 1700000000000, .speaker = -1};
    for (unsigned i = 0; i < PEOPLE; i++)
        (void)snprintf(bench->marks[i], MARK_SIZE, "mark-%c%016llx", "AB"[i],
                       (unsigned long long)sum);
    bench->clock = (struct vl_clock){bench_now, bench};
    VL_ASSERT(vl_loop_new(&bench->loop, NULL) == VALET_OK);
    VL_ASSERT(valet_mcp_server_new("f", "1", "Read this.", &bench->server,
                                   NULL) == VALET_OK);
    valet_mcp_set_page_size(bench->server, size % 3 ? 0 : 3);
    add_tools(bench);
    add_resources(bench);
    add_prompts(bench);
    bench->hooks = *hooks;
    bench->hooks.may = may;
    bench->hooks.ctx = bench;
    bench->endpoint = vl_mcp_endpoint_new(bench->server, &bench->hooks,
                                          bench->loop, &bench->clock, 0);
}

/* All that is at work comes to an end; what begins anew, too. */
static inline void
bench_settle(struct bench *bench)
{
    while (bench->count)
        step_call(bench, bench->count - 1, 11);
}

static inline void
bench_end(struct bench *bench)
{
    vl_mcp_endpoint_free(bench->endpoint);
    bench->endpoint = NULL;
    bench_settle(bench);
    valet_mcp_server_free(bench->server);
    vl_loop_free(bench->loop);
}

#endif
