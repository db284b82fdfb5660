/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate between a client and a server that say whatever they like, with a
 * door that opens when the input says so. Steps are separated by '~'; the first
 * byte says which: C and S are lines of the client and the server ($q is the
 * last name of the gate's own), O opens the door, R refuses, U gives an address
 * to be opened, T tells, X is the server's end and Z the client's.
 *
 * What holds: nothing that is not free reaches the server before the door was
 * open; all that is written is one line of one JSON value; the gate answers no
 * request twice, and in the end all that the server did not.
 */
#include "apps/stdio/gate.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "mcp/rpc.h"
#include "vl_fake_doorman.h"

#define STEPS_MAX 64
#define ASKED_MAX 256

struct asked {
    struct vl_buf id;
    int answers;        /* of the gate */
    bool may_be_silent; /* taken back, answered by the server, or confused */
};

struct world {
    struct vl_gate *gate;
    struct asked asked[ASKED_MAX];
    size_t count;
    size_t since; /* those of the line that is being read */
    bool was_open;
    bool from_server; /* inside a line of the server */
    bool has_ended;   /* the server */
    bool too_many;
    char name[128];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vl_buf
id_text(struct vl_rpc_id id)
{
    struct vl_buf text = vl_buf_of((size_t)8 * VL_RPC_ID_MAX);
    vl_rpc_write_id(&text, id);
    return text;
}

static struct asked *
find_asked(struct world *world, struct vl_rpc_id id)
{
    vl_auto(vl_buf) text = id_text(id);
    for (size_t i = 0; i < world->count; i++)
        if (vl_str_eq(vl_buf_str(&world->asked[i].id), vl_buf_str(&text)))
            return &world->asked[i];
    return NULL;
}

/* --- what goes to the server --- */

static bool
find_almost(struct vl_str key, const struct json_t *value, void *ctx)
{
    (void)value;
    *(bool *)ctx |=
        vl_str_ieq(key, VL_STR("method")) && !vl_str_eq(key, VL_STR("method"));
    return true;
}

static bool
is_free(const struct json_t *value)
{
    static const char free_names[] =
        " initialize ping tools/list prompts/list resources/list "
        "resources/templates/list logging/setLevel server/discover ";
    struct vl_str method = vl_json_get_str(value, "method");
    vl_auto(vl_buf) padded = vl_buf_of(VL_GATE_LINE_MAX);
    bool almost = false;
    vl_json_each(value, find_almost, &almost);
    VL_ASSERT(!almost);
    if (!vl_json_get(value, "method"))
        return true;
    if (!vl_json_get(value, "id"))
        return vl_str_starts(method, VL_STR("notifications/"));
    vl_buf_addf(&padded, " " VL_STR_FMT " ", VL_STR_ARG(method));
    return !vl_str_has(method, ' ') &&
           strstr(free_names, vl_buf_cstr(&padded)) != NULL;
}

static void
check_line(struct vl_str line)
{
    VL_ASSERT(line.n && !vl_str_has(line, '\n') && !vl_str_has(line, '\r'));
}

static void
to_server(struct vl_str line, void *ctx)
{
    const struct world *world = ctx;
    vl_auto(vl_json) doc = {NULL};
    check_line(line);
    VL_ASSERT(vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK);
    VL_ASSERT(!world->has_ended);
    if (vl_json_kind(doc.root) != VL_JSON_ARRAY) {
        VL_ASSERT(world->was_open || is_free(doc.root));
        return;
    }
    for (size_t i = 0; i < vl_json_size(doc.root); i++)
        VL_ASSERT(is_free(vl_json_at(doc.root, i)) || world->was_open);
}

/* --- what goes to the client --- */

static void
note_name(struct world *world, const struct json_t *value)
{
    struct vl_str method = vl_json_get_str(value, "method");
    const struct json_t *asks =
        vl_json_get(vl_json_get(value, "result"), "inputRequests");
    vl_auto(vl_buf) text = vl_buf_of(VL_GATE_LINE_MAX);
    struct vl_json_out out = {&text, false};
    if (vl_str_eqz(method, "elicitation/create")) {
        (void)snprintf(world->name, sizeof world->name, VL_STR_FMT,
                       VL_STR_ARG(vl_json_get_str(value, "id")));
    } else if (asks) {
        vl_json_add_value(&out, NULL, asks);
        struct vl_str key = vl_str_from(vl_buf_str(&text), 2);
        key = vl_str_head(key, vl_str_index(key, '"'));
        (void)snprintf(world->name, sizeof world->name, VL_STR_FMT,
                       VL_STR_ARG(key));
    }
}

static void
take_value(struct world *world, const struct json_t *value)
{
    struct vl_rpc_message message;
    VL_ASSERT(vl_rpc_read(value, &message, NULL) == VALET_OK ||
              !vl_json_get(value, "id"));
    note_name(world, value);
    if (vl_json_get(value, "method"))
        return;
    struct asked *asked = find_asked(world, vl_rpc_find_id(value));
    if (!asked && !vl_json_str(vl_json_get(value, "id")).p)
        /* All of a batch that is none. */
        for (size_t i = world->since; i < world->count; i++)
            world->asked[i].may_be_silent = true;
    if (asked) {
        asked->answers++;
        VL_ASSERT(asked->answers <= 1 || asked->may_be_silent);
    }
}

static void
to_client(struct vl_str line, void *ctx)
{
    struct world *world = ctx;
    vl_auto(vl_json) doc = {NULL};
    check_line(line);
    VL_ASSERT(vl_json_parse(line, VL_LIMIT_JSON_DEPTH + 8, &doc, NULL) ==
              VALET_OK);
    if (world->from_server)
        return;
    if (vl_json_kind(doc.root) != VL_JSON_ARRAY)
        take_value(world, doc.root);
    for (size_t i = 0;
         vl_json_kind(doc.root) == VL_JSON_ARRAY && i < vl_json_size(doc.root);
         i++)
        take_value(world, vl_json_at(doc.root, i));
}

/* --- what the client sends --- */

static void
note_value(struct world *world, const struct json_t *value)
{
    struct vl_rpc_message message;
    if (vl_rpc_read(value, &message, NULL) != VALET_OK) {
        /* It is answered, too, and may have an id of another one. */
        struct asked *asked = find_asked(world, vl_rpc_find_id(value));
        if (asked)
            asked->may_be_silent = true;
        return;
    }
    if (message.kind == VL_RPC_REQUEST) {
        struct asked *asked = find_asked(world, message.id);
        if (asked) {
            asked->may_be_silent = true; /* whose answer is it? */
        } else if (world->count < ASKED_MAX) {
            asked = &world->asked[world->count++];
            *asked = (struct asked){.id = id_text(message.id)};
        } else {
            world->too_many = true;
        }
    } else if (vl_str_eqz(message.method, "notifications/cancelled")) {
        struct vl_rpc_id id = {
            vl_json_get(vl_rpc_params(&message), "requestId"), {NULL, 0}};
        struct asked *asked = find_asked(world, id);
        if (asked)
            asked->may_be_silent = true;
    }
}

static void
note_answers(struct world *world, const struct json_t *value)
{
    struct asked *asked = find_asked(world, vl_rpc_find_id(value));
    if (asked && !vl_json_get(value, "method"))
        asked->may_be_silent = true;
}

static void
note_line(struct world *world, struct vl_str line,
          void (*note)(struct world *world, const struct json_t *value))
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return;
    if (vl_json_kind(doc.root) != VL_JSON_ARRAY)
        note(world, doc.root);
    for (size_t i = 0;
         vl_json_kind(doc.root) == VL_JSON_ARRAY && i < vl_json_size(doc.root);
         i++)
        note(world, vl_json_at(doc.root, i));
}

/* On purpose as large as it is: one byte too far would be seen. */
static void
send_line(struct world *world, struct vl_str text, bool is_client)
{
    vl_auto(vl_buf) line = vl_buf_of(VL_LIMIT_MCP_BODY);
    for (size_t i = 0; i < text.n; i++) {
        bool is_name =
            text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == 'q';
        if (is_name)
            vl_buf_addz(&line, world->name);
        else
            vl_buf_addc(&line, text.p[i] == '\n' ? ' ' : text.p[i]);
        i += is_name;
    }
    size_t n = vl_buf_size(&line);
    if (!n)
        return;
    char *copy = vl_alloc(n);
    memcpy(copy, vl_buf_str(&line).p, n);
    world->since = world->count;
    note_line(world, vl_buf_str(&line), is_client ? note_value : note_answers);
    world->from_server = !is_client;
    if (is_client)
        vl_gate_from_client(world->gate, vl_str_of(copy, n));
    else
        vl_gate_from_server(world->gate, vl_str_of(copy, n));
    world->from_server = false;
    world->since = world->count;
    free(copy);
}

/* --- steps --- */

static void
open_door(struct world *world)
{
    int64_t now = vl_clock_now(&vl_clock_system) / 1000;
    world->was_open = true;
    fake_door_open(&(valet_auth_result){.expires_at = now + 3600});
}

static void
end_client(struct world *world)
{
    vl_gate_client_ends(world->gate);
    for (size_t i = 0; i < world->count; i++)
        world->asked[i].may_be_silent = true;
}

static void
take_step(struct world *world, char step, struct vl_str text)
{
    struct vl_visit *visit = fake_door_first();
    if (step == 'C' && !world->has_ended)
        send_line(world, text, true);
    else if (step == 'S')
        send_line(world, text, false);
    else if (step == 'O' && visit)
        open_door(world);
    else if (step == 'R' && visit)
        fake_door_refuse(VALET_DENIED, "refused");
    else if (step == 'U' && visit && visit->hooks.open)
        visit->hooks.open("https://login.example/x", visit->hooks.ctx);
    else if (step == 'T' && visit && visit->hooks.tell)
        visit->hooks.tell("Sign in", visit->hooks.ctx);
    else if (step == 'Z')
        end_client(world);
    if (step != 'X' || world->has_ended)
        return;
    world->has_ended = true;
    vl_gate_server_ends(world->gate);
}

static valet_status
door(struct vl_doorman **ret, valet_error *err, void *ctx)
{
    (void)err, (void)ctx;
    *ret = NULL;
    return VALET_OK;
}

static void
identify(const valet_auth_result *who, void *ctx)
{
    const struct world *world = ctx;
    VL_ASSERT(who && world->was_open);
}

static void
dropped(const char *why, void *ctx)
{
    (void)ctx;
    VL_ASSERT(why[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    struct world *world = vl_alloc(sizeof *world);
    const struct vl_gate_hooks hooks = {door,     to_server, to_client,
                                        identify, dropped,   world};
    struct vl_str input = vl_str_of(data, size), step;
    fake_door_begin();
    *world = (struct world){.gate = vl_gate_new(&hooks)};
    for (int i = 0; i < STEPS_MAX && vl_str_split(&input, '~', &step); i++)
        if (step.n)
            take_step(world, step.p[0], vl_str_from(step, 1));
    take_step(world, 'X', (struct vl_str){NULL, 0});
    for (size_t i = 0; i < world->count; i++) {
        VL_ASSERT(world->too_many || world->asked[i].may_be_silent ||
                  world->asked[i].answers == 1);
        vl_buf_done(&world->asked[i].id);
    }
    vl_gate_free(world->gate);
    VL_ASSERT(fake_door.count == 0);
    free(world);
    return 0;
}
