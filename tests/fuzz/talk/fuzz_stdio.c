/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of anything into a server on standard input, in both eras at once, and
 * a model of what it says: one answer to each request, errors for what is none,
 * nothing for the rest. The lines come from here and not from a descriptor:
 * this file stands in for io/lines. Steps:
 *
 *     L bytes      a line
 *     F index how  a call at work goes on
 *     T digit      a list changes
 *     U            a resource changes
 *     W digit      the client reads slowly, or again
 *     Q digit      handlers finish what is cancelled at once, or not
 *     C            time passes: what is at work takes too long
 *     X, Z         the server drains; it ends
 *
 * In a line "$q", "$t" and "$r" stand for the ids of our last question and
 * task, and for the last state.
 */
#include "io/lines.h"
#include "talk/call.h"
#include "talk/listen.h"
#include "talk/stdio.h"
#include "vl_fuzz_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64
#define ASKED_MAX 512
#define OUT_MAX   (1 << 24)

/* --- in place of io/lines --- */

struct vl_lines {
    struct vl_lines_hooks hooks;
    struct vl_buf out;
    size_t seen, waiting;
    bool is_over;
};

static struct vl_lines *the_lines;

valet_status
vl_lines_new(struct vl_loop *loop, int in, int out, size_t line_max,
             const struct vl_lines_hooks *hooks, struct vl_lines **ret,
             valet_error *err)
{
    (void)loop, (void)in, (void)out, (void)line_max, (void)err;
    the_lines = vl_alloc(sizeof *the_lines);
    the_lines->hooks = *hooks;
    the_lines->out = vl_buf_of(OUT_MAX);
    *ret = the_lines;
    return VALET_OK;
}

bool
vl_lines_write(struct vl_lines *lines, struct vl_str line)
{
    VL_ASSERT(line.n && !vl_str_has(line, '\n'));
    if (!lines->is_over) {
        vl_buf_add(&lines->out, line);
        vl_buf_addc(&lines->out, '\n');
    }
    return !lines->waiting;
}

size_t
vl_lines_waiting(const struct vl_lines *lines)
{
    return lines->waiting;
}

void
vl_lines_finish(struct vl_lines *lines, int64_t ms,
                void (*done)(bool all, void *ctx), void *ctx)
{
    (void)ms;
    lines->is_over = true;
    done(true, ctx);
}

void
vl_lines_free(struct vl_lines *lines)
{
    vl_buf_done(&lines->out);
    free(lines);
    the_lines = NULL;
}

/* --- the model --- */

struct world {
    struct bench bench;
    struct vl_mcp_stdio *stdio;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    size_t complaints; /* answers that are due to what was no request */
    size_t groups;     /* batches whose answers may come */
    bool is_greeted;
    bool is_confused; /* the client used an id twice at a time */
    char question[64], task[64], state[4096];
};

static void
remember(char *ret, size_t size, struct vl_str text)
{
    if (text.n && text.n < size)
        (void)snprintf(ret, size, VL_STR_FMT, VL_STR_ARG(text));
}

static void
note_cancel(struct world *world, const struct json_t *value)
{
    struct vl_buf id = id_text(value);
    for (size_t i = 0; i < world->asked_count; i++)
        if (same_text(&world->asked[i].id, &id))
            world->asked[i].may_be_silent = true;
    vl_buf_done(&id);
}

/* Is one with this id under way? Then nobody can tell whose answer it is. */
static void
note_id(struct world *world, struct vl_rpc_id id)
{
    vl_auto(vl_buf) text = vl_buf_of(ID_TEXT_MAX);
    vl_rpc_write_id(&text, id);
    for (size_t i = 0; i < world->asked_count; i++)
        world->is_confused |=
            !world->asked[i].answers && same_text(&world->asked[i].id, &text);
}

static void
note_message(struct world *world, const struct json_t *value, bool alone)
{
    struct vl_rpc_message message;
    note_id(world, vl_rpc_find_id(value));
    if (vl_rpc_read(value, &message, NULL) != VALET_OK) {
        world->complaints++;
        return;
    }
    if (message.kind == VL_RPC_REQUEST) {
        VL_ASSERT(world->asked_count < ASKED_MAX);
        struct asked *asked = &world->asked[world->asked_count++];
        *asked = asked_of(&message);
        asked->is_modern &= alone;
    } else if (vl_str_eqz(message.method, "notifications/cancelled")) {
        note_cancel(world, vl_json_get(vl_rpc_params(&message), "requestId"));
    }
}

static void
note_line(struct world *world, struct vl_str line)
{
    vl_auto(vl_json) json = {NULL};
    if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &json, NULL) != VALET_OK) {
        world->complaints++;
        return;
    }
    if (vl_json_kind(json.root) != VL_JSON_ARRAY) {
        note_message(world, json.root, true);
        return;
    }
    /* One answer if it is refused as a whole. */
    world->complaints++;
    world->groups++;
    size_t n = vl_json_size(json.root);
    for (size_t i = 0; i < n && world->asked_count < ASKED_MAX; i++)
        note_message(world, vl_json_at(json.root, i), false);
}

static struct asked *
find_asked(struct world *world, const struct told *told)
{
    for (size_t i = 0; i < world->asked_count; i++)
        if (!world->asked[i].answers &&
            same_text(&world->asked[i].id, &told->id))
            return &world->asked[i];
    return NULL;
}

static void
take_response(struct world *world, const struct told *told)
{
    const struct json_t *result = told->message.result;
    struct asked *asked = find_asked(world, told);
    remember(world->state, sizeof world->state,
             vl_json_get_str(result, "requestState"));
    remember(world->task, sizeof world->task,
             vl_json_get_str(result, "taskId"));
    if (world->is_confused)
        return;
    if (asked) {
        check_answer(told, asked);
        return;
    }
    VL_ASSERT(told->message.error && world->complaints > 0);
    VL_ASSERT(told->code == -32700 || told->code == -32600);
    world->complaints--;
}

/* @spec ST-08 G1: a listener that is ended is told so. */
static bool
takes_back(const struct told *told, const struct asked *asked)
{
    if (!is_told(told, "notifications/cancelled") || !asked->is_modern ||
        !asks_for(asked, "subscriptions/listen"))
        return false;
    vl_auto(vl_buf) id =
        id_text(vl_json_get(vl_rpc_params(&told->message), "requestId"));
    return same_text(&id, &asked->id);
}

static void
take_told(struct world *world, const struct json_t *value)
{
    struct told told = told_of(value);
    bool belongs = is_of_session(&told) && world->is_greeted;
    if (told.kind == VL_RPC_RESPONSE) {
        take_response(world, &told);
        vl_buf_done(&told.id);
        return;
    }
    for (size_t i = 0; i < world->asked_count && !belongs; i++)
        belongs = belongs_to(&told, &world->asked[i]) ||
                  takes_back(&told, &world->asked[i]);
    VL_ASSERT(belongs);
    if (told.kind == VL_RPC_REQUEST) {
        check_question(&told);
        remember(world->question, sizeof world->question,
                 vl_json_str(told.message.id.value));
    }
    vl_buf_done(&told.id);
}

static void
take_line(struct world *world, struct vl_str line)
{
    vl_auto(vl_json) json = {NULL};
    VL_ASSERT(vl_json_parse(line, 120, &json, NULL) == VALET_OK);
    if (vl_json_kind(json.root) != VL_JSON_ARRAY) {
        take_told(world, json.root);
        return;
    }
    VL_ASSERT(world->groups-- > 0 && vl_json_size(json.root));
    for (size_t i = 0; i < vl_json_size(json.root); i++)
        take_told(world, vl_json_at(json.root, i));
}

static void
look(struct world *world)
{
    struct vl_lines *lines = the_lines;
    while (lines && lines->seen < vl_buf_size(&lines->out)) {
        struct vl_str rest = vl_str_from(vl_buf_str(&lines->out), lines->seen);
        struct vl_str line = vl_str_head(rest, vl_str_index(rest, '\n'));
        lines->seen += line.n + 1;
        take_line(world, line);
    }
}

/* --- steps --- */

static void
on_end(void *ctx)
{
    (void)ctx;
}

/* Without HTTP there is no status to refuse by. */
static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)permission, (void)ctx;
    VL_ASSERT(!x && x);
}

static void
login(struct vl_exchange *x, void *ctx)
{
    refuse(x, "", ctx);
}

static void
end(struct world *world)
{
    if (!world->stdio)
        return;
    vl_mcp_stdio_finish(world->stdio, 10, on_end, world);
    look(world);
    vl_mcp_stdio_free(world->stdio);
    world->stdio = NULL;
    vl_mcp_endpoint_free(world->bench.endpoint);
    world->bench.endpoint = NULL;
}

static struct vl_str
known_as(const struct world *world, char name)
{
    return vl_str_z(name == 'q'   ? world->question
                    : name == 't' ? world->task
                    : name == 'r' ? world->state
                                  : NULL);
}

static void
send_line(struct world *world, struct vl_str text)
{
    vl_auto(vl_buf) line = vl_buf_of(VL_LIMIT_MCP_BODY);
    for (size_t i = 0; i < text.n; i++) {
        struct vl_str value = {NULL, 0};
        if (text.p[i] == '$' && i + 1 < text.n)
            value = known_as(world, text.p[i + 1]);
        if (value.p)
            vl_buf_add(&line, value);
        else
            vl_buf_addc(&line, text.p[i] == '\n' ? ' ' : text.p[i]);
        i += value.p != NULL;
    }
    if (!vl_buf_size(&line) || !world->stdio)
        return;
    /* On purpose as large as it is: one byte too far would be seen. */
    char *copy = vl_alloc(vl_buf_size(&line));
    memcpy(copy, vl_buf_str(&line).p, vl_buf_size(&line));
    note_line(world, vl_buf_str(&line));
    the_lines->hooks.line(vl_str_of(copy, vl_buf_size(&line)),
                          the_lines->hooks.ctx);
    free(copy);
    world->is_greeted |= world->stdio != NULL;
}

static void
pass_time(struct world *world)
{
    if (!world->bench.endpoint)
        return;
    world->bench.now_ms += VL_MCP_CALL_MS;
    VL_LIST_EACH (it, &world->bench.endpoint->calls)
        VL_CONTAINER(it, struct vl_mcp_call, in_endpoint)->started -=
            2 * VL_MCP_CALL_MS;
    vl_mcp_endpoint_sweep(world->bench.endpoint);
}

static unsigned
take_byte(struct vl_str *text)
{
    unsigned c = text->n ? (unsigned char)text->p[0] : 0;
    *text = vl_str_from(*text, 1);
    return c;
}

static void
take_step(struct world *world, unsigned step, struct vl_str text)
{
    struct bench *bench = &world->bench;
    size_t index;
    switch (step) {
    case 'L':
        send_line(world, text);
        return;
    case 'F':
        index = take_byte(&text) % 16;
        if (bench->count)
            step_call(bench, index % bench->count, take_byte(&text));
        return;
    case 'T':
        change_list(bench, take_byte(&text));
        return;
    case 'U':
        valet_mcp_resource_updated(bench->server, "res://a");
        return;
    case 'W':
        if (the_lines)
            the_lines->waiting =
                take_byte(&text) % 2 ? VL_LIMIT_STREAM_HIGH : 0;
        return;
    case 'Q':
        bench->finishes_cancelled = take_byte(&text) % 2;
        return;
    case 'C':
        pass_time(world);
        return;
    case 'X':
        if (bench->endpoint)
            vl_mcp_endpoint_drain(bench->endpoint);
        return;
    case 'Z':
        end(world);
        return;
    default:
        return;
    }
}

/* --- the run --- */

/* Who waits for the client, or listens, is not answered yet. */
static void
check_all_answered(const struct world *world)
{
    for (size_t i = 0; i < world->asked_count && !world->is_confused; i++) {
        const struct asked *asked = &world->asked[i];
        bool waits = (world->bench.asked && asks_for_work(asked)) ||
                     asks_for(asked, "subscriptions/listen");
        VL_ASSERT(asked->answers == 1 || asked->may_be_silent || waits ||
                  (world->groups && !asked->is_modern));
    }
}

static void
run(struct world *world, struct vl_str input)
{
    struct vl_str step;
    size_t steps = 0;
    while (steps++ < STEPS_MAX && vl_str_split(&input, '~', &step)) {
        unsigned what = take_byte(&step);
        take_step(world, what, step);
        look(world);
    }
    bench_settle(&world->bench);
    look(world);
    if (world->stdio)
        check_all_answered(world);
    end(world);
    for (size_t i = 0; i < world->asked_count; i++)
        asked_done(&world->asked[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    const struct vl_mcp_hooks hooks = {.refuse = refuse, .login = login};
    struct world *world = vl_alloc(sizeof *world);
    bench_begin(&world->bench, &hooks, data, size);
    VL_ASSERT(vl_mcp_stdio_new(world->bench.endpoint, world->bench.loop, 0, 1,
                               on_end, world, &world->stdio, NULL) == VALET_OK);
    run(world, vl_str_of(data, size));
    bench_end(&world->bench);
    free(world);
    return 0;
}
