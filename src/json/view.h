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
/* The member of this name, which ends in NUL. */
struct vl_json_view
vl_json_view_get(struct vl_json_view object, struct vl_str key);
/* {NULL,0} unless it is a string. */
struct vl_str vl_json_view_str(struct vl_json_view view);
/* Are the node and all it holds plain, but for what `less` (or NULL) holds? */
bool vl_json_node_is_plain(const struct vl_json_node *node,
                           const struct vl_json_node *less);
/* The same as vl_json_parse() makes of its text, which was scanned. */
valet_status vl_json_node_build(const struct vl_json_node *node,
                                struct vl_json *ret) VALET_CHECK;

#endif
