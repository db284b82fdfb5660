/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/rpc.h"

#include "core/limits.h"
#include "core/status.h"

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "Invalid Request: %s", why);
}

/* @spec HT-05: never null, and no fractions. */
bool
vl_rpc_is_id(const struct json_t *value)
{
    enum vl_json_kind kind = vl_json_kind(value);
    return kind == VL_JSON_INT ||
           (kind == VL_JSON_STRING && vl_json_str(value).n <= VL_RPC_ID_MAX);
}

/* None gives null. */
static struct vl_rpc_id
id_of(const struct json_t *value)
{
    return (struct vl_rpc_id){value, {NULL, 0}};
}

bool
vl_rpc_id_read(struct vl_json_view value, struct vl_rpc_id *ret)
{
    enum vl_json_kind kind = vl_json_view_kind(value);
    if (kind != VL_JSON_INT &&
        (kind != VL_JSON_STRING || vl_json_view_str(value).n > VL_RPC_ID_MAX))
        return false;
    *ret = (struct vl_rpc_id){value.value,
                              value.node ? value.node->text : VL_STR("")};
    return true;
}

struct vl_rpc_id
vl_rpc_find_id(const struct json_t *value)
{
    if (vl_json_kind(value) != VL_JSON_OBJECT)
        return VL_RPC_NULL_ID;
    const struct json_t *id = vl_json_get(value, "id");
    return id_of(vl_rpc_is_id(id) ? id : NULL);
}

static valet_status
read_call(const struct json_t *value, struct vl_rpc_message *ret,
          valet_error *err)
{
    const struct json_t *id = vl_json_get(value, "id");
    struct vl_rpc_message message = {
        .kind = VL_RPC_NOTIFICATION,
        .id = id_of(id),
        .method = vl_json_get_str(value, "method"),
        .params = {vl_json_get(value, "params"), NULL},
    };
    if (message.method.n == 0)
        return refuse(err, "the method is not a name");
    if (vl_json_get(value, "result") || vl_json_get(value, "error"))
        return refuse(err, "it has a method and an answer");
    if (id) {
        if (!vl_rpc_is_id(id))
            return refuse(err, "the id is no string or integer");
        message.kind = VL_RPC_REQUEST;
    }
    message.meta = vl_rpc_param(&message, VL_STR("_meta"));
    *ret = message;
    return VALET_OK;
}

static valet_status
read_response(const struct json_t *value, struct vl_rpc_message *ret,
              valet_error *err)
{
    const struct json_t *id = vl_json_get(value, "id");
    const struct json_t *result = vl_json_get(value, "result");
    const struct json_t *error = vl_json_get(value, "error");
    if (!result == !error)
        return refuse(err, "it has no method, and not just one answer");
    /* An error may be about something whose id could not be read. */
    bool nameless = error && (!id || vl_json_kind(id) == VL_JSON_NULL);
    if (!nameless && !vl_rpc_is_id(id))
        return refuse(err, "the id is no string or integer");
    int64_t code = 0;
    if (error && (!vl_json_get_int(error, "code", &code) ||
                  !vl_json_get_str(error, "message").p))
        return refuse(err, "the error has no code and message");
    *ret = (struct vl_rpc_message){.kind = VL_RPC_RESPONSE,
                                   .id = id_of(nameless ? NULL : id),
                                   .result = result,
                                   .error = error};
    return VALET_OK;
}

/* @spec HT-05 */
valet_status
vl_rpc_read(const struct json_t *value, struct vl_rpc_message *ret,
            valet_error *err)
{
    if (vl_json_kind(value) != VL_JSON_OBJECT)
        return refuse(err, "it is no object");
    if (!vl_str_eq(vl_json_get_str(value, "jsonrpc"), VL_STR("2.0")))
        return refuse(err, "it is not JSON-RPC 2.0");
    return vl_json_get(value, "method") ? read_call(value, ret, err)
                                        : read_response(value, ret, err);
}

/* --- the same without a document --- */

/* What an envelope's members are found to be. */
struct envelope {
    struct vl_str version, method, id;
    const struct vl_json_node *params;
    bool odd; /* not one to be read here */
};

static void
note_id(struct envelope *envelope, const struct vl_json_node *member)
{
    struct vl_rpc_id id;
    envelope->id = member->text;
    envelope->odd |= !member->is_plain ||
                     !vl_rpc_id_read((struct vl_json_view){NULL, member}, &id);
}

static void
note_params(struct envelope *envelope, const struct vl_json_node *member)
{
    envelope->params = member;
    envelope->odd |=
        member->kind != VL_JSON_OBJECT && member->kind != VL_JSON_ARRAY;
}

static struct vl_str
plain_text(struct envelope *envelope, const struct vl_json_node *member)
{
    envelope->odd |= !member->is_plain;
    return vl_json_view_str((struct vl_json_view){NULL, member});
}

static void
note_member(struct envelope *envelope, const struct vl_json_node *member)
{
    if (vl_str_eq(member->key, VL_STR("jsonrpc")))
        envelope->version = plain_text(envelope, member);
    else if (vl_str_eq(member->key, VL_STR("method")))
        envelope->method = plain_text(envelope, member);
    else if (vl_str_eq(member->key, VL_STR("id")))
        note_id(envelope, member);
    else if (vl_str_eq(member->key, VL_STR("params")))
        note_params(envelope, member);
    else
        envelope->odd |= vl_str_eq(member->key, VL_STR("result")) ||
                         vl_str_eq(member->key, VL_STR("error"));
}

void
vl_rpc_body_init(struct vl_rpc_body *body)
{
    body->doc = body->params = body->arguments = (struct vl_json){NULL};
}

void
vl_rpc_body_done(struct vl_rpc_body *body)
{
    vl_json_done(&body->doc);
    vl_json_done(&body->params);
    vl_json_done(&body->arguments);
}

bool
vl_rpc_scan(struct vl_str text, struct vl_rpc_body *body,
            struct vl_rpc_message *ret)
{
    const struct vl_json_node *nodes = body->nodes;
    struct envelope envelope = {.odd = false};
    if (!vl_json_scan_nodes(text, VL_LIMIT_JSON_DEPTH, body->nodes,
                            VL_RPC_NODES))
        return false;
    /* Not plain: so many members that they are not noted. */
    envelope.odd = !nodes[0].is_plain;
    for (size_t i = 1; i < nodes[0].span; i += nodes[i].span)
        note_member(&envelope, &nodes[i]);
    if (envelope.odd || envelope.method.n == 0 ||
        !vl_str_eq(envelope.version, VL_STR("2.0")))
        return false;
    *ret = (struct vl_rpc_message){
        .kind = envelope.id.n ? VL_RPC_REQUEST : VL_RPC_NOTIFICATION,
        .id = {NULL, envelope.id},
        .method = envelope.method,
        .params = {NULL, envelope.params},
        .body = body,
    };
    ret->meta = vl_rpc_param(ret, VL_STR("_meta"));
    return true;
}

/* Arguments are read with all else only where they have to be. */
bool
vl_rpc_read_quickly(struct vl_str text, struct vl_rpc_body *body,
                    struct vl_rpc_message *ret)
{
    if (!vl_rpc_scan(text, body, ret))
        return false;
    const struct vl_json_node *params = ret->params.node;
    if (!params || vl_json_node_is_plain(
                       params, vl_rpc_param(ret, VL_STR("arguments")).node))
        return true;
    ret->params = vl_json_view_of(vl_rpc_params(ret));
    ret->meta = vl_rpc_param(ret, VL_STR("_meta"));
    return ret->params.value != NULL;
}

struct vl_json_view
vl_rpc_param(const struct vl_rpc_message *message, struct vl_str name)
{
    return vl_json_view_get(message->params, name);
}

struct vl_str
vl_rpc_param_str(const struct vl_rpc_message *message, struct vl_str name)
{
    return vl_json_view_str(vl_rpc_param(message, name));
}

/* What was scanned can be read: all that fails is memory, and that ends the
 * program everywhere. */
static const struct json_t *
build_once(struct vl_json *doc, const struct vl_json_node *node)
{
    if (!doc->root)
        VL_ASSERT(vl_json_node_build(node, doc) == VALET_OK);
    return doc->root;
}

const struct json_t *
vl_rpc_params(const struct vl_rpc_message *message)
{
    return message->params.node
               ? build_once(&message->body->params, message->params.node)
               : message->params.value;
}

const struct json_t *
vl_rpc_arguments(const struct vl_rpc_message *message)
{
    struct vl_json_view found = vl_rpc_param(message, VL_STR("arguments"));
    return found.node ? build_once(&message->body->arguments, found.node)
                      : found.value;
}

struct vl_json_view
vl_rpc_view_arguments(const struct vl_rpc_message *message)
{
    struct vl_json_view found = vl_rpc_param(message, VL_STR("arguments"));
    if (!found.node || vl_json_node_is_plain(found.node, NULL))
        return found;
    return vl_json_view_of(vl_rpc_arguments(message));
}

/* --- answers --- */

/* @spec HT-05: "1" stays "1" and 1 stays 1. */
void
vl_rpc_write_id(struct vl_buf *buf, struct vl_rpc_id id)
{
    struct vl_json_out out = {buf, false};
    if (id.value)
        vl_json_add_value(&out, NULL, id.value);
    else
        vl_buf_add(buf, id.text.n ? id.text : VL_STR("null"));
}

struct vl_rpc_id
vl_rpc_id_told(struct vl_rpc_id id, bool is_of_2025_11_25)
{
    return is_of_2025_11_25 && !id.value && !id.text.n ? VL_RPC_NO_ID : id;
}

void
vl_rpc_open_answer(struct vl_json_out *out, struct vl_rpc_id id)
{
    if (!id.value && id.text.p && !id.text.n) {
        vl_buf_add(out->buf, VL_STR("{\"jsonrpc\":\"2.0\""));
        out->comma = true;
        return;
    }
    vl_buf_add(out->buf, VL_STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    vl_rpc_write_id(out->buf, id);
    out->comma = true;
}

void
vl_rpc_open_answer_raw(struct vl_json_out *out, struct vl_str id)
{
    vl_rpc_open_answer(out, (struct vl_rpc_id){NULL, id});
}

void
vl_rpc_write_error_object(struct vl_json_out *out, const char *key,
                          enum vl_rpc_code code, const char *message,
                          struct vl_str data)
{
    vl_json_open_key(out, key, '{');
    vl_json_add_int(out, "code", code);
    vl_json_add_z(out, "message", message);
    if (data.n)
        vl_json_add_raw(out, "data", data);
    vl_json_close(out, '}');
}

void
vl_rpc_add_error_data(struct vl_json_out *out, enum vl_rpc_code code,
                      const char *message, struct vl_str data)
{
    vl_rpc_write_error_object(out, "error", code, message, data);
}

void
vl_rpc_add_error(struct vl_json_out *out, enum vl_rpc_code code,
                 const char *message)
{
    vl_rpc_add_error_data(out, code, message, (struct vl_str){NULL, 0});
}

void
vl_rpc_open_notification(struct vl_json_out *out, const char *method)
{
    vl_buf_add(out->buf, VL_STR("{\"jsonrpc\":\"2.0\""));
    out->comma = true;
    vl_json_add_z(out, "method", method);
}

void
vl_rpc_write_error(struct vl_buf *buf, struct vl_rpc_id id,
                   enum vl_rpc_code code, const char *message)
{
    struct vl_json_out out = {buf, false};
    vl_rpc_open_answer(&out, id);
    vl_rpc_add_error(&out, code, message);
    vl_json_close(&out, '}');
}
