/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lines: a schema, and a value that is held against it. Whatever they are,
 * there is an answer within the bounds, and it follows the rules of logic:
 * `not` turns a yes into a no and a no into a yes, all of one is the one, and
 * what could not be decided stays undecided in both.
 */
#include "core/buf.h"
#include "core/limits.h"
#include "json/schema.h"
#include "json/write.h"

/* What is put around the schema takes three levels more. */
#define DEPTH (VL_LIMIT_JSON_DEPTH - 3)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES 256

/* As text the value is judged in the same way. */
static void
judge_text(const struct vl_schema *schema, const struct json_t *value,
           valet_status wanted, const char *message)
{
    struct vl_json_node nodes[NODES];
    vl_auto(vl_buf) text = vl_buf_of(1 << 24);
    struct vl_json_out out = {&text, false};
    valet_error err = {.message = ""};
    vl_json_open(&out, '{');
    vl_json_add_value(&out, "v", value);
    vl_json_close(&out, '}');
    if (text.failed ||
        !vl_json_scan_nodes(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, nodes,
                            NODES) ||
        !vl_json_node_is_plain(nodes, NULL))
        return;
    struct vl_json_view view =
        vl_json_view_get((struct vl_json_view){NULL, nodes}, VL_STR("v"));
    VL_ASSERT(vl_schema_check_view(schema, view, &err) == wanted);
    VL_ASSERT(wanted == VALET_OK || strcmp(err.message, message) == 0);
}

/* VALET_CONFLICT: it is no schema. */
static valet_status
judge(struct vl_str schema_text, const struct json_t *value)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_schema *schema = NULL;
    valet_error err = {.status = VALET_OK};
    if (vl_json_parse(schema_text, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return VALET_CONFLICT;
    valet_status status = vl_schema_new(doc.root, &schema, &err);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID);
    VL_ASSERT(err.status == status);
    VL_ASSERT((status == VALET_OK) == (schema != NULL));
    if (status != VALET_OK)
        return VALET_CONFLICT;
    status = vl_schema_check(schema, value, &err);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID ||
              status == VALET_LIMIT);
    VL_ASSERT(err.status == status && (status == VALET_OK || err.message[0]));
    judge_text(schema, value, status, err.message);
    vl_schema_free(schema);
    return status;
}

/* The same schema at another place: it may not have lost its references or
 * what only stands at the top. */
static valet_status
judge_within(const char *before, struct vl_str schema, const char *after,
             const struct json_t *value)
{
    vl_auto(vl_buf) text = vl_buf_of(schema.n + 100);
    vl_buf_addz(&text, before);
    vl_buf_add(&text, schema);
    vl_buf_addz(&text, after);
    return judge(vl_buf_str(&text), value);
}

static bool
has_no_place(struct vl_str schema)
{
    for (size_t i = 0; i < schema.n; i++)
        if (schema.p[i] == '$' || schema.p[i] == '\\')
            return false;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str rest = vl_str_of(data, size), schema;
    vl_auto(vl_json) value = {NULL}, doc = {NULL};
    if (!vl_str_split(&rest, '\n', &schema) ||
        vl_json_parse(rest, DEPTH, &value, NULL) != VALET_OK ||
        vl_json_parse(schema, DEPTH, &doc, NULL) != VALET_OK)
        return 0;
    valet_status plain = judge(schema, value.root);
    if (!has_no_place(schema))
        return 0;
    valet_status all = judge_within("{\"allOf\":[", schema, "]}", value.root);
    valet_status none = judge_within("{\"not\":", schema, "}", value.root);
    if (plain == VALET_CONFLICT || plain == VALET_LIMIT) {
        VL_ASSERT(all == plain && none == plain);
        return 0;
    }
    /* They take a few steps more. */
    VL_ASSERT(all == plain || all == VALET_LIMIT);
    VL_ASSERT(none == (plain == VALET_OK ? VALET_INVALID : VALET_OK) ||
              none == VALET_LIMIT);
    return 0;
}
