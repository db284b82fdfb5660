/* SPDX-License-Identifier: Apache-2.0 */
#include "json/view.h"

#include <jansson.h>

#include "core/limits.h"

enum vl_json_kind
vl_json_view_kind(struct vl_json_view view)
{
    return view.node ? view.node->kind : vl_json_kind(view.value);
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
        return (struct vl_json_view){vl_json_get(object.value, key.p), NULL};
    if (object.node->kind == VL_JSON_OBJECT)
        for (const struct vl_json_node *node = object.node + 1;
             node < end_of(object.node); node = end_of(node))
            if (vl_str_eq(node->key, key))
                return (struct vl_json_view){NULL, node};
    return (struct vl_json_view){NULL, NULL};
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

/* Of 18 digits at most. */
static json_t *
build_integer(struct vl_str text)
{
    bool minus = text.p[0] == '-';
    json_int_t value = 0;
    for (size_t i = minus; i < text.n; i++)
        value = 10 * value + (text.p[i] - '0');
    return json_integer(minus ? -value : value);
}

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
        return build_integer(node->text);
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
