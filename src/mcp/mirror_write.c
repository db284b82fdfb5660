/* SPDX-License-Identifier: Apache-2.0
 *
 * The same headers as a client sends them.
 */
#include "core/enc.h"
#include "mcp/mirror_inside.h"

/* Of a text that no server takes any more; base64 makes it a third longer. */
#define VALUE_MAX (2 * VL_MCP_MIRROR_VALUE_MAX)

/* @spec HT-83: a tab is a control character too; what begins like the sentinel
 * might be taken for it. */
static bool
is_safe(struct vl_str text)
{
    if (text.n && (text.p[0] == ' ' || text.p[text.n - 1] == ' '))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return false;
    return !vl_str_starts(text, VL_STR("=?base64?"));
}

void
vl_mcp_mirror_encode(struct vl_str text, struct vl_buf *out)
{
    if (is_safe(text)) {
        vl_buf_add(out, text);
        return;
    }
    vl_buf_add(out, VL_STR("=?base64?"));
    vl_enc_base64(out, text);
    vl_buf_add(out, VL_STR("?="));
}

/* @spec HT-79 HT-82: what is too long, or a number beyond 2^53 - 1, is sent
 * without, and the server says what it thinks of it. */
void
vl_mcp_mirror_write(
    const struct vl_mcp_mirror *mirror, const struct json_t *arguments,
    void (*add)(struct vl_str name, struct vl_str value, void *ctx), void *ctx)
{
    for (size_t i = 0; mirror && i < mirror->count; i++) {
        vl_auto(vl_buf) value = vl_buf_of(VALUE_MAX);
        const struct vl_mcp_mirror_field *field = mirror->fields[i];
        struct vl_mcp_mirror_argument argument =
            vl_mcp_mirror_argument(field, arguments);
        if (argument.kind == VL_MCP_MIRROR_TEXT)
            vl_mcp_mirror_encode(argument.text, &value);
        else if (argument.kind == VL_MCP_MIRROR_INTEGER)
            vl_buf_addf(&value, "%lld", (long long)argument.number);
        else
            continue;
        if (!value.failed)
            add(field->header, vl_buf_str(&value), ctx);
    }
}
