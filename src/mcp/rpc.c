/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/rpc.h"

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

const struct json_t *
vl_rpc_find_id(const struct json_t *value)
{
    if (vl_json_kind(value) != VL_JSON_OBJECT)
        return NULL;
    const struct json_t *id = vl_json_get(value, "id");
    return vl_rpc_is_id(id) ? id : NULL;
}

static valet_status
read_call(const struct json_t *value, struct vl_rpc_message *ret,
          valet_error *err)
{
    struct vl_rpc_message message = {
        .kind = VL_RPC_NOTIFICATION,
        .id = vl_json_get(value, "id"),
        .method = vl_json_get_str(value, "method"),
        .params = vl_json_get(value, "params"),
    };
    if (message.method.n == 0)
        return refuse(err, "the method is not a name");
    if (vl_json_get(value, "result") || vl_json_get(value, "error"))
        return refuse(err, "it has a method and an answer");
    if (message.id) {
        if (!vl_rpc_is_id(message.id))
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
                                   .id = nameless ? NULL : id};
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

static void
open_frame(struct vl_json_out *out)
{
    vl_json_open(out, '{');
    vl_json_add_raw(out, "jsonrpc", VL_STR("\"2.0\""));
}

/* @spec HT-05: "1" stays "1" and 1 stays 1. */
void
vl_rpc_open_answer(struct vl_json_out *out, const struct json_t *id)
{
    open_frame(out);
    if (id)
        vl_json_add_value(out, "id", id);
    else
        vl_json_add_null(out, "id");
}

void
vl_rpc_open_answer_raw(struct vl_json_out *out, struct vl_str id)
{
    open_frame(out);
    vl_json_add_raw(out, "id", id);
}

void
vl_rpc_add_error(struct vl_json_out *out, enum vl_rpc_code code,
                 const char *message)
{
    vl_json_open_key(out, "error", '{');
    vl_json_add_int(out, "code", code);
    vl_json_add_z(out, "message", message);
    vl_json_close(out, '}');
}

void
vl_rpc_write_error(struct vl_buf *buf, const struct json_t *id,
                   enum vl_rpc_code code, const char *message)
{
    struct vl_json_out out = {buf, false};
    vl_rpc_open_answer(&out, id);
    vl_rpc_add_error(&out, code, message);
    vl_json_close(&out, '}');
}
