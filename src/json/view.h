/* SPDX-License-Identifier: Apache-2.0
 *
 * A value to be looked at, whether it is one of a document or still the text
 * that was scanned. So what is only looked at is not copied first.
 */
#ifndef VL_JSON_VIEW_H
#define VL_JSON_VIEW_H

#include "json/scan.h"

/* Of neither: it is absent. Borrowed; nodes that are looked into are plain. */
struct vl_json_view {
    const struct json_t *value;
    const struct vl_json_node *node;
};

enum vl_json_kind vl_json_view_kind(struct vl_json_view view);
struct vl_json_view vl_json_view_of(const struct json_t *value);
bool vl_json_view_is_absent(struct vl_json_view view);
/* The member of this name. */
struct vl_json_view
vl_json_view_get(struct vl_json_view object, struct vl_str key);
/* {NULL,0} unless it is a string. */
struct vl_str vl_json_view_str(struct vl_json_view view);
bool vl_json_view_int(struct vl_json_view view, int64_t *ret);
bool vl_json_view_real(struct vl_json_view view, double *ret);
bool vl_json_view_is_true(struct vl_json_view view);
/* Members of an array or object; 0 for everything else. */
size_t vl_json_view_size(struct vl_json_view view);
struct vl_json_view vl_json_view_at(struct vl_json_view array, size_t index);
/* Calls `visit` for each member until it returns false; of a node, keys do not
 * end in NUL. */
void vl_json_view_each(struct vl_json_view object,
                       bool (*visit)(struct vl_str key,
                                     struct vl_json_view value, void *ctx),
                       void *ctx);
/* Are the node and all it holds plain, but for what `less` (or NULL) holds? */
bool vl_json_node_is_plain(const struct vl_json_node *node,
                           const struct vl_json_node *less);
/* The same as vl_json_parse() makes of its text, which was scanned. */
valet_status vl_json_node_build(const struct vl_json_node *node,
                                struct vl_json *ret) VALET_CHECK;

/* vl_json_parse(), faster for small objects. */
valet_status
vl_json_parse_small(struct vl_str text, unsigned max_depth, struct vl_json *ret,
                    valet_error *err) VALET_CHECK;

#endif
