/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is a message of one kind or none, and an answer to it is JSON that
 * carries its id exactly.
 */
#include "mcp/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(const struct json_t *id)
{
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    vl_rpc_write_error(&text, id, VL_RPC_INVALID_REQUEST, "no");
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    if (vl_json_parse(vl_str_of(data, size), 64, &doc, NULL) != VALET_OK)
        return 0;
    const struct json_t *id = vl_rpc_find_id(doc.root);
    check_answer(id);
    struct vl_rpc_message message;
    valet_error err = {.message = ""};
    if (vl_rpc_read(doc.root, &message, &err) != VALET_OK) {
        VL_ASSERT(err.message[0] != '\0');
        return 0;
    }
    VL_ASSERT(message.kind == VL_RPC_RESPONSE || message.method.n > 0);
    VL_ASSERT((message.kind == VL_RPC_REQUEST) ==
              (message.id && message.method.n));
    VL_ASSERT(!message.id || message.id == id);
    return 0;
}
