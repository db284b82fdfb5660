/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is a message of one kind or none, and an answer to it is JSON that
 * carries its id exactly. What the short way reads, the long way reads alike.
 */
#include "mcp/rpc.h"

#include "core/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(const struct json_t *id)
{
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    vl_rpc_write_error(&text, (struct vl_rpc_id){.value = id},
                       VL_RPC_INVALID_REQUEST, "no");
    vl_auto(vl_json) doc = {NULL};
    VL_ASSERT(vl_json_parse(vl_buf_str(&text), 4, &doc, NULL) == VALET_OK);
    vl_auto(vl_buf) sent = vl_buf_of(1 << 20);
    vl_auto(vl_buf) back = vl_buf_of(1 << 20);
    if (!id) {
        VL_ASSERT(vl_json_kind(vl_json_get(doc.root, "id")) == VL_JSON_NULL);
        return;
    }
    vl_json_add_value(&(struct vl_json_out){&sent, false}, NULL, id);
    vl_json_add_value(&(struct vl_json_out){&back, false}, NULL,
                      vl_json_get(doc.root, "id"));
    VL_ASSERT(vl_str_eq(vl_buf_str(&sent), vl_buf_str(&back)));
    VL_ASSERT(vl_json_kind(id) == vl_json_kind(vl_json_get(doc.root, "id")));
}

static bool
same_id(struct vl_rpc_id a, struct vl_rpc_id b)
{
    vl_auto(vl_buf) one = vl_buf_of(1 << 20);
    vl_auto(vl_buf) two = vl_buf_of(1 << 20);
    vl_rpc_write_id(&one, a);
    vl_rpc_write_id(&two, b);
    return vl_str_eq(vl_buf_str(&one), vl_buf_str(&two));
}

static bool
same_value(const struct json_t *a, const struct json_t *b)
{
    vl_auto(vl_buf) one = vl_buf_of(1 << 24);
    vl_auto(vl_buf) two = vl_buf_of(1 << 24);
    if (!a || !b)
        return a == b;
    vl_json_add_value(&(struct vl_json_out){&one, false}, NULL, a);
    vl_json_add_value(&(struct vl_json_out){&two, false}, NULL, b);
    return vl_str_eq(vl_buf_str(&one), vl_buf_str(&two));
}

/* `whole` is NULL: the text is no JSON. */
static void
check_scan(struct vl_str text, const struct json_t *whole)
{
    vl_auto(vl_rpc_body) body;
    struct vl_rpc_message scanned, read;
    vl_rpc_body_init(&body);
    if (!vl_rpc_scan(text, &body, &scanned))
        return;
    VL_ASSERT(whole && vl_rpc_read(whole, &read, NULL) == VALET_OK);
    VL_ASSERT(scanned.kind == read.kind && !scanned.params.value);
    VL_ASSERT(vl_str_eq(scanned.method, read.method));
    VL_ASSERT(same_id(scanned.id, read.id));
    VL_ASSERT(same_value(vl_rpc_params(&scanned), read.params.value));
    VL_ASSERT(same_value(vl_rpc_arguments(&scanned),
                         vl_json_get(read.params.value, "arguments")));
    struct vl_json_view meta = vl_rpc_param(&scanned, VL_STR("_meta"));
    VL_ASSERT(vl_json_view_kind(meta) ==
              vl_json_kind(vl_json_get(read.params.value, "_meta")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_of(data, size), VL_LIMIT_JSON_DEPTH, &doc, NULL) !=
        VALET_OK) {
        check_scan(vl_str_of(data, size), NULL);
        return 0;
    }
    check_scan(vl_str_of(data, size), doc.root);
    const struct json_t *id = vl_rpc_find_id(doc.root).value;
    check_answer(id);
    struct vl_rpc_message message;
    valet_error err = {.message = ""};
    if (vl_rpc_read(doc.root, &message, &err) != VALET_OK) {
        VL_ASSERT(err.message[0] != '\0');
        return 0;
    }
    VL_ASSERT(message.kind == VL_RPC_RESPONSE || message.method.n > 0);
    VL_ASSERT((message.kind == VL_RPC_REQUEST) ==
              (message.id.value && message.method.n));
    VL_ASSERT(!message.id.value || message.id.value == id);
    return 0;
}
