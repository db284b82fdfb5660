/* SPDX-License-Identifier: Apache-2.0
 *
 * A bridge between a client and a server that say anything, in any order: this
 * file stands in for io/lines and for remote/. What the client gets are
 * messages of one line, and no request is answered twice. Steps:
 *
 *     L bytes         a line of the client
 *     M index bytes   a message of the server, on the answer to a call
 *     U bytes         the same, unasked
 *     E index how     a call ends
 *     H how           HTTP+SSE begins, or does not
 *     D               the server's stream has ended for good
 *     W digit         the client reads slowly, or again
 *     P               a person is told something
 *     S digit         the server has a session, or none any more
 *
 * In bytes "$" stands for the id of the call, as the server was told it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apps/connect/bridge.h"
#include "core/status.h"
#include "io/lines.h"
#include "mcp/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 96
#define CALLS_MAX 1024
#define ASKED_MAX 2048
#define OUT_MAX   (1 << 26)

/* --- in place of io/lines --- */

struct vl_lines {
    struct vl_lines_hooks hooks;
    size_t waiting;
};

static struct vl_lines *the_lines;
static struct world *the_world;

static void take_line(struct world *world, struct vl_str line);

valet_status
vl_lines_new(struct vl_loop *loop, int in, int out, size_t line_max,
             const struct vl_lines_hooks *hooks, struct vl_lines **ret,
             valet_error *err)
{
    (void)loop, (void)in, (void)out, (void)line_max, (void)err;
    the_lines = vl_alloc(sizeof *the_lines);
    the_lines->hooks = *hooks;
    *ret = the_lines;
    return VALET_OK;
}

bool
vl_lines_write(struct vl_lines *lines, struct vl_str line)
{
    VL_ASSERT(line.n && !vl_str_has(line, '\n'));
    take_line(the_world, line);
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
    (void)lines, (void)ms;
    done(true, ctx);
}

void
vl_lines_free(struct vl_lines *lines)
{
    free(lines);
}

/* --- in place of remote/ --- */

struct vl_remote_call {
    struct vl_remote_send send;
    char id[2048]; /* JSON, of what was sent */
    bool is_live;
};

struct vl_remote {
    struct vl_remote_hooks hooks;
    bool has_session, is_http_sse;
    vl_remote_done *http_sse_done;
    void *http_sse_ctx;
};

static struct vl_remote *the_remote;
static struct vl_remote_call *calls[CALLS_MAX];
static size_t call_count;

valet_status
vl_remote_new(struct vl_loop *loop, struct vl_fetcher *fetcher, const char *url,
              const struct vl_remote_hooks *hooks, struct vl_remote **ret,
              valet_error *err)
{
    (void)loop, (void)fetcher, (void)url, (void)err;
    the_remote = vl_alloc(sizeof *the_remote);
    the_remote->hooks = *hooks;
    *ret = the_remote;
    return VALET_OK;
}

void
vl_remote_free(struct vl_remote *remote)
{
    for (size_t i = 0; i < call_count; i++) {
        VL_ASSERT(!calls[i]->is_live);
        free(calls[i]);
    }
    call_count = 0;
    free(remote);
    the_remote = NULL;
}

/* What goes out is a message, too. */
struct vl_remote_call *
vl_remote_send(struct vl_remote *remote, const struct vl_remote_send *send)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) id = vl_buf_of(2000);
    struct vl_json_out out = {&id, false};
    struct vl_remote_call *call = vl_alloc(sizeof *call);
    (void)remote;
    VL_ASSERT(vl_json_parse(send->json, VL_LIMIT_JSON_DEPTH + 8, &doc, NULL) ==
              VALET_OK);
    VL_ASSERT(vl_str_eqz(vl_json_get_str(doc.root, "jsonrpc"), "2.0"));
    VL_ASSERT(!vl_str_has(send->json, '\n'));
    for (size_t i = 0; i < send->header_count; i++)
        for (size_t j = 0; j < send->headers[i].value.n; j++)
            VL_ASSERT(send->headers[i].value.p[j] >= ' ');
    if (vl_json_get(doc.root, "id"))
        vl_json_add_value(&out, NULL, vl_json_get(doc.root, "id"));
    (void)snprintf(call->id, sizeof call->id, "%s", vl_buf_cstr(&id));
    VL_ASSERT(call_count < CALLS_MAX);
    calls[call_count++] = call;
    call->send = *send;
    call->is_live = true;
    return call;
}

void
vl_remote_call_abort(struct vl_remote_call **call)
{
    if (*call)
        (*call)->is_live = false;
    *call = NULL;
}

void *
vl_remote_call_ctx(const struct vl_remote_call *call)
{
    return call->send.ctx;
}

void
vl_remote_set_version(struct vl_remote *remote, const char *version)
{
    (void)remote, (void)version;
}

bool
vl_remote_has_session(const struct vl_remote *remote)
{
    return remote->has_session;
}

void
vl_remote_forget_session(struct vl_remote *remote)
{
    remote->has_session = false;
}

void
vl_remote_listen(struct vl_remote *remote)
{
    (void)remote;
}

void
vl_remote_use_http_sse(struct vl_remote *remote, vl_remote_done *done,
                       void *ctx)
{
    remote->is_http_sse = true;
    remote->http_sse_done = done;
    remote->http_sse_ctx = ctx;
}

bool
vl_remote_is_http_sse(const struct vl_remote *remote)
{
    return remote->is_http_sse;
}

void
vl_remote_leave(struct vl_remote *remote, int64_t ms, void (*done)(void *ctx),
                void *ctx)
{
    (void)remote, (void)ms;
    done(ctx);
}

void
vl_remote_hold(struct vl_remote *remote, bool is_held)
{
    (void)remote, (void)is_held;
}

/* --- the model --- */

struct asked {
    char id[2048];
    bool is_answered;
};

struct world {
    struct vl_loop *loop;
    struct vl_bridge *bridge;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    size_t complaints; /* answers that are due to what was no request */
};

static void
write_id(struct vl_rpc_id id, char *ret, size_t size)
{
    vl_auto(vl_buf) text = vl_buf_of(4096);
    vl_rpc_write_id(&text, id);
    (void)snprintf(ret, size, "%s", vl_buf_cstr(&text));
}

/* What is no message is answered with the id that it has, if it has one. */
static void
note_message(struct world *world, const struct json_t *value)
{
    struct vl_rpc_message message;
    struct vl_rpc_id id = vl_rpc_find_id(value);
    bool is_message = vl_rpc_read(value, &message, NULL) == VALET_OK;
    if (is_message && message.kind != VL_RPC_REQUEST)
        return;
    if (!id.value) {
        world->complaints++;
        return;
    }
    VL_ASSERT(world->asked_count < ASKED_MAX);
    struct asked *asked = &world->asked[world->asked_count++];
    asked->is_answered = false;
    write_id(id, asked->id, sizeof asked->id);
}

static void
note_line(struct world *world, struct vl_str line)
{
    vl_auto(vl_json) json = {NULL};
    if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &json, NULL) != VALET_OK ||
        vl_json_kind(json.root) != VL_JSON_ARRAY) {
        if (json.root)
            note_message(world, json.root);
        else
            world->complaints++;
        return;
    }
    world->complaints++;
    for (size_t i = 0;
         i < vl_json_size(json.root) && world->asked_count < ASKED_MAX / 2; i++)
        note_message(world, vl_json_at(json.root, i));
}

/* Of those that were asked with this id, one that is not answered yet. */
static void
take_response(struct world *world, const struct vl_rpc_message *message)
{
    char id[2048];
    write_id(message->id, id, sizeof id);
    for (size_t i = 0; i < world->asked_count; i++)
        if (!world->asked[i].is_answered &&
            strcmp(id, world->asked[i].id) == 0) {
            world->asked[i].is_answered = true;
            return;
        }
    VL_ASSERT(message->error && world->complaints-- > 0);
}

static void
take_line(struct world *world, struct vl_str line)
{
    vl_auto(vl_json) json = {NULL};
    struct vl_rpc_message message;
    VL_ASSERT(vl_json_parse(line, 120, &json, NULL) == VALET_OK);
    VL_ASSERT(vl_json_kind(json.root) == VL_JSON_OBJECT);
    VL_ASSERT(vl_str_eqz(vl_json_get_str(json.root, "jsonrpc"), "2.0"));
    /* What a server says beyond JSON-RPC (an id that is too long) may pass. */
    if (vl_rpc_read(json.root, &message, NULL) == VALET_OK &&
        message.kind == VL_RPC_RESPONSE)
        take_response(world, &message);
}

/* --- steps --- */

static unsigned
take_byte(struct vl_str *text)
{
    unsigned c = text->n ? (unsigned char)text->p[0] : 0;
    *text = vl_str_from(*text, 1);
    return c;
}

/* One that has not ended, counted from the last. */
static struct vl_remote_call *
choose(unsigned index)
{
    size_t live = 0;
    for (size_t i = 0; i < call_count; i++)
        live += calls[i]->is_live;
    if (!live)
        return NULL;
    size_t skip = index % live;
    for (size_t i = call_count; i-- > 0;)
        if (calls[i]->is_live && skip-- == 0)
            return calls[i];
    return NULL;
}

/* On purpose as large as it is: one byte too far would be seen. */
static char *
fill(struct vl_str text, const char *id, size_t *ret_size)
{
    vl_auto(vl_buf) filled = vl_buf_of(1 << 20);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '$')
            vl_buf_addz(&filled, id);
        else
            vl_buf_addc(&filled, text.p[i] == '\n' ? ' ' : text.p[i]);
    *ret_size = vl_buf_size(&filled);
    char *copy = vl_alloc(*ret_size + 1);
    if (*ret_size)
        memcpy(copy, vl_buf_str(&filled).p, *ret_size);
    return copy;
}

static void
say(struct world *world, struct vl_str text)
{
    size_t size;
    char *line = fill(text, "1", &size);
    if (size && call_count < CALLS_MAX / 2 &&
        world->asked_count < ASKED_MAX / 4) {
        note_line(world, vl_str_of(line, size));
        the_lines->hooks.line(vl_str_of(line, size), the_lines->hooks.ctx);
    }
    free(line);
}

/* remote/ passes on nothing but JSON. */
static void
answer(struct vl_remote_call *call, struct vl_str text)
{
    vl_auto(vl_json) doc = {NULL};
    size_t size;
    char *json = fill(text, call ? call->id : "1", &size);
    if (size && call_count < CALLS_MAX / 2 &&
        vl_json_parse(vl_str_of(json, size), VL_LIMIT_JSON_DEPTH, &doc, NULL) ==
            VALET_OK)
        the_remote->hooks.message(vl_str_of(json, size), call,
                                  the_remote->hooks.ctx);
    free(json);
}

static void
end(struct vl_remote_call *call, unsigned how, struct vl_str text)
{
    static const struct {
        valet_status status;
        int http_status;
        bool session_ended;
    } ways[] = {
        {VALET_OK, 200, false},       {VALET_OK, 202, false},
        {VALET_RETRY, 0, false},      {VALET_RETRY, 503, false},
        {VALET_INVALID, 400, false},  {VALET_NOT_FOUND, 404, false},
        {VALET_NOT_FOUND, 404, true}, {VALET_INVALID, 405, false},
        {VALET_DENIED, 401, false},   {VALET_DENIED, 403, false},
    };
    vl_auto(vl_json) doc = {NULL};
    size_t size;
    if (!call || call_count >= CALLS_MAX / 2)
        return;
    char *body = fill(text, call->id, &size);
    size_t way = how % VL_COUNT(ways);
    struct vl_remote_end told = {.http_status = ways[way].http_status,
                                 .session_ended = ways[way].session_ended};
    valet_error err = {.status = ways[way].status};
    if (ways[way].status != VALET_OK && size &&
        vl_json_parse(vl_str_of(body, size), VL_LIMIT_JSON_DEPTH, &doc, NULL) ==
            VALET_OK)
        told.body = vl_str_of(body, size);
    (void)snprintf(err.message, sizeof err.message, "it ended");
    call->is_live = false;
    call->send.done(ways[way].status, &told, &err, call->send.ctx);
    free(body);
}

static void
begin_http_sse(unsigned how)
{
    vl_remote_done *done = the_remote->http_sse_done;
    const struct vl_remote_end told = {.http_status = how % 2 ? 200 : 404};
    const valet_error err = {.message = "no"};
    the_remote->http_sse_done = NULL;
    if (!done)
        return;
    the_remote->is_http_sse = how % 2;
    done(how % 2 ? VALET_OK : VALET_NOT_FOUND, &told, &err,
         the_remote->http_sse_ctx);
}

static void
take_step(struct world *world, unsigned step, struct vl_str text)
{
    const valet_error err = {.message = "gone"};
    struct vl_remote_call *call;
    switch (step) {
    case 'L':
        say(world, text);
        return;
    case 'M':
        call = choose(take_byte(&text) - '0');
        if (call)
            answer(call, text);
        return;
    case 'U':
        answer(NULL, text);
        return;
    case 'E':
        call = choose(take_byte(&text) - '0');
        step = take_byte(&text) - '0';
        end(call, step, text);
        return;
    case 'H':
        begin_http_sse(take_byte(&text) - '0');
        return;
    case 'D':
        the_remote->hooks.deaf(&err, the_remote->hooks.ctx);
        return;
    case 'W':
        the_lines->waiting = take_byte(&text) % 2 ? VL_LIMIT_STREAM_HIGH : 0;
        return;
    case 'P':
        vl_bridge_tell(world->bridge, "Sign in");
        return;
    case 'S':
        the_remote->has_session = take_byte(&text) % 2;
        return;
    default:
        return;
    }
}

/* --- the run --- */

static void
on_end(void *ctx)
{
    (void)ctx;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    struct world *world = vl_alloc(sizeof *world);
    struct vl_str input = vl_str_of(data, size), step;
    the_world = world;
    VL_ASSERT(vl_loop_new(&world->loop, NULL) == VALET_OK);
    const struct vl_bridge_config config = {
        .loop = world->loop, .url = "https://a/", .on_end = on_end};
    VL_ASSERT(vl_bridge_new(&config, &world->bridge, NULL) == VALET_OK);
    for (size_t steps = 0;
         steps < STEPS_MAX && vl_str_split(&input, '~', &step); steps++) {
        unsigned what = take_byte(&step);
        take_step(world, what, step);
    }
    vl_bridge_finish(world->bridge, on_end, NULL);
    vl_bridge_free(world->bridge);
    vl_loop_free(world->loop);
    free(world);
    return 0;
}
