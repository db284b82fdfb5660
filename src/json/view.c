/* SPDX-License-Identifier: Apache-2.0 */
#include "json/view.h"

#include <jansson.h>

#include "core/limits.h"

#define SMALL 48 /* values */

struct vl_json_view
vl_json_view_of(const struct json_t *value)
{
    return (struct vl_json_view){value, NULL};
}

static struct vl_json_view
view_of(const struct vl_json_node *node)
{
    return (struct vl_json_view){NULL, node};
}

enum vl_json_kind
vl_json_view_kind(struct vl_json_view view)
{
    return view.node ? view.node->kind : vl_json_kind(view.value);
}

bool
vl_json_view_is_absent(struct vl_json_view view)
{
    return !view.node && !view.value;
}

/* Behind what it holds. */
static const struct vl_json_node *
end_of(const struct vl_json_node *node)
{
    return node + node->span;
}

struct vl_json_view
vl_json_view_get(struct vl_json_view object, struct vl_str key)
{
    if (!object.node)
        return vl_json_view_of(json_object_getn(object.value, key.p, key.n));
    if (object.node->kind == VL_JSON_OBJECT)
        for (const struct vl_json_node *node = object.node + 1;
             node < end_of(object.node); node = end_of(node))
            if (vl_str_eq(node->key, key))
                return view_of(node);
    return vl_json_view_of(NULL);
}

struct vl_str
vl_json_view_str(struct vl_json_view view)
{
    if (!view.node)
        return vl_json_str(view.value);
    if (view.node->kind != VL_JSON_STRING)
        return (struct vl_str){NULL, 0};
    return vl_str_of(view.node->text.p + 1, view.node->text.n - 2);
}

/* Of 18 digits at most. */
static int64_t
integer_of(struct vl_str text)
{
    bool minus = text.p[0] == '-';
    int64_t value = 0;
    for (size_t i = minus; i < text.n; i++)
        value = 10 * value + (text.p[i] - '0');
    return minus ? -value : value;
}

bool
vl_json_view_int(struct vl_json_view view, int64_t *ret)
{
    if (!view.node)
        return vl_json_int(view.value, ret);
    if (view.node->kind != VL_JSON_INT)
        return false;
    *ret = integer_of(view.node->text);
    return true;
}

/* Nodes of them are not plain. */
bool
vl_json_view_real(struct vl_json_view view, double *ret)
{
    return vl_json_real(view.value, ret);
}

bool
vl_json_view_is_true(struct vl_json_view view)
{
    return view.node
               ? view.node->kind == VL_JSON_BOOL && view.node->text.p[0] == 't'
               : vl_json_is_true(view.value);
}

size_t
vl_json_view_size(struct vl_json_view view)
{
    size_t size = 0;
    if (!view.node)
        return vl_json_size(view.value);
    for (const struct vl_json_node *node = view.node + 1;
         node < end_of(view.node); node = end_of(node))
        size++;
    return size;
}

struct vl_json_view
vl_json_view_at(struct vl_json_view array, size_t index)
{
    if (!array.node)
        return vl_json_view_of(vl_json_at(array.value, index));
    for (const struct vl_json_node *node = array.node + 1;
         node < end_of(array.node); node = end_of(node))
        if (index-- == 0)
            return view_of(node);
    return vl_json_view_of(NULL);
}

void
vl_json_view_each(struct vl_json_view object,
                  bool (*visit)(struct vl_str key, struct vl_json_view value,
                                void *ctx),
                  void *ctx)
{
    if (object.node) {
        for (const struct vl_json_node *node = object.node + 1;
             node < end_of(object.node); node = end_of(node))
            if (!visit(node->key, view_of(node), ctx))
                return;
        return;
    }
    json_t *members = (json_t *)(uintptr_t)object.value;
    void *it = json_object_iter(members);
    for (; it; it = json_object_iter_next(members, it)) {
        struct vl_str key = {json_object_iter_key(it),
                             json_object_iter_key_len(it)};
        if (!visit(key, vl_json_view_of(json_object_iter_value(it)), ctx))
            return;
    }
}

bool
vl_json_node_is_plain(const struct vl_json_node *node,
                      const struct vl_json_node *less)
{
    const struct vl_json_node *end = end_of(node);
    while (node < end) {
        if (node == less) {
            node = end_of(node);
            continue;
        }
        if (!node->is_plain)
            return false;
        node++;
    }
    return true;
}

/* --- building --- */

static json_t *build(const struct vl_json_node *node);

/* Keys are known to differ. NULL: no memory. */
static json_t *
build_object(const struct vl_json_node *object)
{
    json_t *ret = json_object();
    for (const struct vl_json_node *node = object + 1; node < end_of(object);
         node = end_of(node)) {
        if (json_object_setn_new_nocheck(ret, node->key.p, node->key.n,
                                         build(node)) == 0)
            continue;
        json_decref(ret);
        return NULL;
    }
    return ret;
}

static json_t *
build_array(const struct vl_json_node *array)
{
    json_t *ret = json_array();
    for (const struct vl_json_node *node = array + 1; node < end_of(array);
         node = end_of(node)) {
        if (json_array_append_new(ret, build(node)) == 0)
            continue;
        json_decref(ret);
        return NULL;
    }
    return ret;
}

/* No deeper than what was scanned. */
static json_t *
build(const struct vl_json_node *node)
{
    struct vl_json parsed = {NULL};
    if (!node->is_plain)
        return vl_json_parse(node->text, VL_LIMIT_JSON_DEPTH, &parsed, NULL) ==
                       VALET_OK
                   ? parsed.root
                   : NULL;
    switch (node->kind) {
    case VL_JSON_OBJECT:
        return build_object(node);
    case VL_JSON_ARRAY:
        return build_array(node);
    case VL_JSON_STRING:
        return json_stringn_nocheck(node->text.p + 1, node->text.n - 2);
    case VL_JSON_INT:
        return json_integer(integer_of(node->text));
    case VL_JSON_BOOL:
        return json_boolean(node->text.p[0] == 't');
    default:
        return json_null();
    }
}

valet_status
vl_json_node_build(const struct vl_json_node *node, struct vl_json *ret)
{
    vl_json_prepare();
    ret->root = build(node);
    return ret->root ? VALET_OK : VALET_LIMIT;
}

valet_status
vl_json_parse_small(struct vl_str text, unsigned max_depth, struct vl_json *ret,
                    valet_error *err)
{
    struct vl_json_node nodes[SMALL];
    if (vl_json_scan_nodes(text, max_depth, nodes, SMALL) &&
        vl_json_node_build(nodes, ret) == VALET_OK)
        return VALET_OK;
    return vl_json_parse(text, max_depth, ret, err);
}
