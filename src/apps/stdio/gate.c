/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_inside.h"

#include "core/limits.h"

/* A token that ends sooner is renewed before a call goes in. */
#define GATE_LEAST_S 300
/* So long an open door is believed to be open still: a burst of calls asks
 * once. Who signs out elsewhere is out after that (@spec S-29). */
#define GATE_SEEN_MS 1000

/* --- names of our own --- */

void
vl_gate_make_name(struct vl_gate *gate, char ret[VL_GATE_NAME_SIZE])
{
    (void)snprintf(ret, VL_GATE_NAME_SIZE, "%s-%llu", gate->name,
                   (unsigned long long)++gate->named);
}

bool
vl_gate_is_own_name(const struct vl_gate *gate, struct vl_str text)
{
    return vl_str_starts(text, vl_str_z(gate->name)) &&
           text.n < VL_GATE_NAME_SIZE;
}

/* --- to the server --- */

static bool
has_room(const struct vl_gate *gate, const struct vl_gate_line *line)
{
    return vl_map_size(&gate->flight) + line->count <= VL_GATE_FLIGHT_MAX;
}

static void
note_hello(struct vl_gate *gate, const struct vl_gate_message *message)
{
    vl_buf_clear(&gate->hello);
    vl_buf_add(&gate->hello, vl_buf_str(&message->call.id));
    gate->abilities = message->abilities;
    gate->has_version = false;
}

void
vl_gate_forward(struct vl_gate *gate, const struct vl_gate_line *line,
                struct vl_str text)
{
    if (!has_room(gate, line)) {
        vl_gate_say_refusal(gate, line,
                            "The server has too much to do already");
        return;
    }
    for (size_t i = 0; i < line->count; i++) {
        const struct vl_gate_message *message = &line->messages[i];
        if (message->sort == VL_GATE_CANCEL)
            vl_gate_flight_take(gate, vl_buf_str(&message->call.id));
        else if (message->sort == VL_GATE_REQUEST &&
                 !message->call.is_taken_back)
            (void)vl_gate_flight_add(gate, &message->call);
        if (message->is_hello)
            note_hello(gate, message);
    }
    gate->hooks.to_server(text, gate->hooks.ctx);
}

static bool
is_open(const struct vl_gate *gate)
{
    return vl_list_is_empty(&gate->waiting) &&
           gate->expires_at - vl_clock_now(&vl_clock_system) / 1000 >=
               GATE_LEAST_S &&
           vl_mono_now() - gate->seen_ms < GATE_SEEN_MS;
}

/* True: it was for us alone. */
static bool
keeps(struct vl_gate *gate, const struct vl_gate_line *line)
{
    bool keeps = false;
    for (size_t i = 0; i < line->count; i++) {
        const struct vl_gate_message *message = &line->messages[i];
        if (message->sort == VL_GATE_CANCEL)
            keeps |= vl_gate_take_back(gate, vl_buf_str(&message->call.id));
        else if (message->sort == VL_GATE_RESPONSE)
            keeps |= vl_gate_take_response(gate, message);
    }
    return keeps && !line->is_batch;
}

void
vl_gate_from_client(struct vl_gate *gate, struct vl_str text)
{
    vl_auto(vl_gate_line) line;
    bool is_gated = false;
    if (!vl_gate_read(gate, text, &line) || keeps(gate, &line))
        return;
    for (size_t i = 0; i < line.count; i++)
        is_gated |= line.messages[i].is_gated;
    if (vl_buf_size(&line.rewritten))
        text = vl_buf_str(&line.rewritten);
    if (is_gated && !is_open(gate))
        vl_gate_wait(gate, &line, text);
    else
        vl_gate_forward(gate, &line, text);
}

void
vl_gate_too_long(struct vl_gate *gate)
{
    vl_gate_say_error(
        gate,
        vl_rpc_id_told(VL_RPC_NULL_ID, gate->version >= VL_MCP_2025_11_25),
        VL_RPC_INVALID_REQUEST, "A message is at most 8 MiB long");
}

/* --- to the client --- */

static void
note_version(struct vl_gate *gate, struct vl_str text)
{
    vl_auto(vl_json) doc = {NULL};
    vl_buf_clear(&gate->hello);
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK)
        gate->has_version = vl_mcp_version_parse(
            vl_json_get_str(vl_json_get(doc.root, "result"), "protocolVersion"),
            &gate->version);
}

static void
note_answer(struct vl_gate *gate, struct vl_str id, struct vl_str text)
{
    vl_gate_flight_take(gate, id);
    if (vl_buf_size(&gate->hello) && vl_str_eq(vl_buf_str(&gate->hello), id))
        note_version(gate, text);
}

/* One value of the server's, read; `text` is the line that it came in. */
static void
note_value(struct vl_gate *gate, const struct json_t *value, struct vl_str text)
{
    struct vl_rpc_id id;
    vl_auto(vl_buf) written = vl_buf_of((size_t)8 * VL_RPC_ID_MAX);
    if (vl_json_get(value, "method") ||
        !vl_rpc_id_read(vl_json_view_of(vl_json_get(value, "id")), &id))
        return;
    vl_rpc_write_id(&written, id);
    note_answer(gate, vl_buf_str(&written), text);
}

/* The same where it is plain, without reading all of it. */
static bool
note_quickly(struct vl_gate *gate, struct vl_str text)
{
    struct vl_json_member members[8];
    struct vl_str id = {NULL, 0};
    size_t count;
    bool is_call = false;
    if (!vl_json_scan(text, VL_LIMIT_JSON_DEPTH, members, VL_COUNT(members),
                      &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (vl_str_eqz(members[i].key, "id"))
            id = members[i].text;
        is_call |= vl_str_eqz(members[i].key, "method");
    }
    if (id.n && !is_call)
        note_answer(gate, id, text);
    return true;
}

static bool
note_slowly(struct vl_gate *gate, struct vl_str text, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, err) != VALET_OK)
        return false;
    enum vl_json_kind kind = vl_json_kind(doc.root);
    for (size_t i = 0; kind == VL_JSON_ARRAY && i < vl_json_size(doc.root); i++)
        note_value(gate, vl_json_at(doc.root, i), text);
    if (kind == VL_JSON_OBJECT)
        note_value(gate, doc.root, text);
    if (kind == VL_JSON_OBJECT || kind == VL_JSON_ARRAY)
        return true;
    (void)snprintf(err->message, sizeof err->message, "it is no message");
    return false;
}

/* @spec ST-02 */
void
vl_gate_from_server(struct vl_gate *gate, struct vl_str text)
{
    valet_error err = {.message = ""};
    if (!note_quickly(gate, text) && !note_slowly(gate, text, &err)) {
        gate->hooks.dropped(err.message, gate->hooks.ctx);
        return;
    }
    if (!vl_str_has(text, '\r')) {
        gate->hooks.to_client(text, gate->hooks.ctx);
        return;
    }
    vl_auto(vl_buf) straight = vl_buf_of_secret(VL_GATE_LINE_MAX);
    vl_buf_add(&straight, text);
    for (size_t i = 0; i < vl_buf_size(&straight); i++)
        if (straight.p[i] == '\r')
            straight.p[i] = ' ';
    gate->hooks.to_client(vl_buf_str(&straight), gate->hooks.ctx);
}

/* --- its life --- */

struct vl_gate *
vl_gate_new(const struct vl_gate_hooks *hooks)
{
    struct vl_gate *gate = vl_alloc(sizeof *gate);
    *gate = (struct vl_gate){.hooks = *hooks};
    gate->hello = vl_buf_of((size_t)8 * VL_RPC_ID_MAX);
    vl_list_init(&gate->waiting);
    vl_list_init(&gate->parked);
    vl_map_init(&gate->flight);
    vl_uuid(gate->name);
    return gate;
}

static void
ignore_line(struct vl_str line, void *ctx)
{
    (void)line;
    (void)ctx;
}

static struct vl_gate_waiting *
first_waiting(const struct vl_gate *gate)
{
    return vl_list_is_empty(&gate->waiting)
               ? NULL
               : VL_CONTAINER(gate->waiting.next, struct vl_gate_waiting,
                              in_gate);
}

void
vl_gate_client_ends(struct vl_gate *gate)
{
    for (struct vl_gate_waiting *it; (it = first_waiting(gate));)
        vl_gate_waiting_free(it);
    vl_gate_sweep_parked(gate, true);
}

void
vl_gate_server_ends(struct vl_gate *gate)
{
    gate->hooks.to_server = ignore_line;
    for (struct vl_gate_waiting *it; (it = first_waiting(gate));) {
        vl_gate_say_refusal(gate, &it->line, "The server has ended");
        vl_gate_waiting_free(it);
    }
    vl_gate_sweep_parked(gate, true);
    vl_gate_flight_end(gate);
}

void
vl_gate_free(struct vl_gate *gate)
{
    if (!gate)
        return;
    gate->hooks.to_client = ignore_line;
    vl_gate_client_ends(gate);
    vl_map_done(&gate->flight);
    vl_buf_done(&gate->hello);
    free(gate);
}
