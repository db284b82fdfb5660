/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/rpc.h"

#include "core/limits.h"
#include "core/status.h"
#include "json/scan.h"

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
        .params = vl_json_get(value, "params"),
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

/* More members than any client sends. */
#define MEMBERS 8

/* What an envelope's members are found to be. */
struct envelope {
    struct vl_str version, method, id, params;
    bool odd; /* not one to be read here */
};

static void
note_id(struct envelope *envelope, const struct vl_json_member *member)
{
    envelope->id = member->text;
    envelope->odd |=
        member->kind != VL_JSON_INT &&
        (member->kind != VL_JSON_STRING || member->text.n > VL_RPC_ID_MAX);
}

static void
note_member(struct envelope *envelope, const struct vl_json_member *member)
{
    bool nested =
        member->kind == VL_JSON_OBJECT || member->kind == VL_JSON_ARRAY;
    if (vl_str_eq(member->key, VL_STR("jsonrpc")))
        envelope->version = vl_json_member_str(member);
    else if (vl_str_eq(member->key, VL_STR("method")))
        envelope->method = vl_json_member_str(member);
    else if (vl_str_eq(member->key, VL_STR("id")))
        note_id(envelope, member);
    else if (vl_str_eq(member->key, VL_STR("params")) && nested)
        envelope->params = member->text;
    else /* Parameters have to be nested. */
        envelope->odd |= vl_str_eq(member->key, VL_STR("params")) ||
                         vl_str_eq(member->key, VL_STR("result")) ||
                         vl_str_eq(member->key, VL_STR("error"));
}

bool
vl_rpc_scan(struct vl_str text, struct vl_rpc_message *ret)
{
    struct vl_json_member members[MEMBERS];
    struct envelope envelope = {.odd = false};
    size_t count;
    if (!vl_json_scan(text, VL_LIMIT_JSON_DEPTH, members, MEMBERS, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        note_member(&envelope, &members[i]);
    if (envelope.odd || envelope.method.n == 0 ||
        !vl_str_eq(envelope.version, VL_STR("2.0")))
        return false;
    *ret = (struct vl_rpc_message){
        .kind = envelope.id.n ? VL_RPC_REQUEST : VL_RPC_NOTIFICATION,
        .id = {NULL, envelope.id},
        .method = envelope.method,
        .params_text = envelope.params,
    };
    return true;
}

/* The envelope is one level of the depth that is allowed. */
bool
vl_rpc_read_quickly(struct vl_str text, struct vl_json *doc,
                    struct vl_rpc_message *ret)
{
    if (!vl_rpc_scan(text, ret))
        return false;
    if (ret->params_text.n &&
        vl_json_parse(ret->params_text, VL_LIMIT_JSON_DEPTH - 1, doc, NULL) !=
            VALET_OK)
        return false;
    ret->params = doc->root;
    return true;
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

void
vl_rpc_open_answer(struct vl_json_out *out, struct vl_rpc_id id)
{
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
