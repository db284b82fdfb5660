/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers ask of a call (valet/mcp.h). It is fixed while they have it, so
 * it is read where it is, on any thread.
 */
#include "talk/call.h"

static void
write_arguments(const struct vl_mcp_call *call, struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    struct vl_str raw = call->arguments_text;
    if (vl_str_starts(raw, VL_STR("{")) && !vl_str_has(raw, '\n') &&
        !vl_str_has(raw, '\r'))
        vl_buf_add(text, raw);
    else if (vl_json_kind(vl_mcp_call_arguments(call)) == VL_JSON_OBJECT)
        vl_json_add_value(&out, NULL, vl_mcp_call_arguments(call));
    else
        vl_buf_addz(text, "{}");
}

const char *
valet_mcp_arguments(const valet_mcp_call *call, size_t *ret_size)
{
    /* Written when they are first asked for: many tools have none. */
    struct vl_buf *text = &((valet_mcp_call *)(uintptr_t)call)->asked;
    if (!vl_buf_size(text))
        write_arguments(call, text);
    if (ret_size)
        *ret_size = vl_buf_size(text);
    return vl_buf_cstr(text);
}

/* A string of ours or of jansson's, which both end in NUL. */
static const char *
text_of(const struct json_t *object, const char *key)
{
    return vl_json_get_str(object, key).p;
}

const char *
valet_mcp_argument(const valet_mcp_call *call, const char *name)
{
    for (size_t i = 0; i < call->variable_count; i++)
        if (strcmp(call->variables[i].name, name) == 0)
            return call->variables[i].value;
    if (call->completes)
        return text_of(
            vl_json_get(vl_json_get(vl_mcp_call_params(call), "context"),
                        "arguments"),
            name);
    return text_of(vl_mcp_call_arguments(call), name);
}

static const struct json_t *
argument_of(const struct vl_mcp_call *call, const char *name)
{
    return vl_json_get(vl_mcp_call_arguments(call), name);
}

bool
valet_mcp_argument_number(const valet_mcp_call *call, const char *name,
                          double *ret)
{
    return vl_json_number(argument_of(call, name), ret);
}

bool
valet_mcp_argument_int(const valet_mcp_call *call, const char *name,
                       int64_t *ret)
{
    return vl_json_whole(argument_of(call, name), ret);
}

bool
valet_mcp_argument_is_true(const valet_mcp_call *call, const char *name)
{
    return vl_json_is_true(argument_of(call, name));
}

const char *
valet_mcp_uri(const valet_mcp_call *call)
{
    const char *uri = text_of(vl_mcp_call_params(call), "uri");
    return uri ? uri : "";
}

const char *
valet_mcp_completing(const valet_mcp_call *call)
{
    const char *name =
        text_of(vl_json_get(vl_mcp_call_params(call), "argument"), "name");
    return name ? name : "";
}

const char *
valet_mcp_completing_value(const valet_mcp_call *call)
{
    const char *value =
        text_of(vl_json_get(vl_mcp_call_params(call), "argument"), "value");
    return value ? value : "";
}

const struct vl_principal *
vl_mcp_call_principal(const struct vl_mcp_call *call)
{
    return &call->principal;
}

const char *
valet_mcp_user_tid(const valet_mcp_call *call)
{
    return call->principal.user.tid;
}

const char *
valet_mcp_user_oid(const valet_mcp_call *call)
{
    return call->principal.user.oid;
}

const char *
valet_mcp_client_id(const valet_mcp_call *call)
{
    return call->principal.client.text;
}

const char *
valet_mcp_correlation_id(const valet_mcp_call *call)
{
    return vl_mcp_call_correlation(call);
}

bool
valet_mcp_is_cancelled(const valet_mcp_call *call)
{
    return atomic_load(&call->cancelled);
}
