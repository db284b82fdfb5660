/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading YAML as a tree of which every node knows its line and column.
 * libyaml does the work behind this page; nobody else includes it.
 *
 * It is the part of YAML that people write by hand: one document of maps,
 * lists and scalars in UTF-8. Anchors, aliases, tags and directives are
 * refused, since they let a small file say a large or surprising thing; so are
 * two equal keys in one map. Size, depth and number of nodes are bounded.
 *
 *     const struct vl_yaml *root;
 *     VL_TRY(vl_yaml_parse("users.yaml", text, &arena, &root, err));
 *     const struct vl_yaml *users = vl_yaml_find(root, "users");
 *     for (size_t i = 0; i < vl_yaml_size(users); i++)
 *         use(vl_yaml_text(vl_yaml_find(vl_yaml_at(users, i), "name")));
 */
#ifndef VL_CONF_YAML_H
#define VL_CONF_YAML_H

#include "core/arena.h"

#define VL_YAML_DEPTH 16
#define VL_YAML_NODES 20000

struct vl_yaml; /* one node; lives in the arena that it was parsed into */

enum vl_yaml_kind {
    VL_YAML_ABSENT, /* a NULL node: no such member */
    VL_YAML_SCALAR,
    VL_YAML_LIST,
    VL_YAML_MAP,
    VL_YAML_KIND_COUNT
};

/*
 * At most VL_LIMIT_CONFIG bytes. VALET_INVALID with "NAME:LINE:COLUMN: what is
 * wrong; what to write". An empty document is an empty map. The tree needs
 * about twelve times the size of the text; VALET_LIMIT if the arena has less.
 */
valet_status
vl_yaml_parse(const char *name, struct vl_str text, struct vl_arena *arena,
              const struct vl_yaml **ret, valet_error *err) VALET_CHECK;

/* All of these take NULL, which stands for "absent". */
enum vl_yaml_kind vl_yaml_kind(const struct vl_yaml *node);
/* "a list", "a map", "text" or "nothing": for messages. */
const char *vl_yaml_kind_name(enum vl_yaml_kind kind);
/* Values of a list or map; 0 for everything else. */
size_t vl_yaml_size(const struct vl_yaml *node);
const struct vl_yaml *vl_yaml_at(const struct vl_yaml *node, size_t index);
/* The member of a map; NULL when there is none. */
const struct vl_yaml *vl_yaml_find(const struct vl_yaml *map, const char *key);
/* A scalar's text, ending in NUL (not counted); {NULL,0} for other kinds. */
struct vl_str vl_yaml_text(const struct vl_yaml *node);
/* Written without quotes; then it may be a number, true, or nothing. */
bool vl_yaml_is_plain(const struct vl_yaml *node);
/* Nothing was written (or ~ or null): "key:" and no more. */
bool vl_yaml_is_null(const struct vl_yaml *node);
/* The key under which the node stands in a map; {NULL,0} in a list. */
struct vl_str vl_yaml_key(const struct vl_yaml *node);

/* Both count from 1. */
struct vl_yaml_mark {
    unsigned line, column;
};
struct vl_yaml_mark vl_yaml_mark(const struct vl_yaml *node);
/* Of the key, or in a list of the node itself. */
struct vl_yaml_mark vl_yaml_key_mark(const struct vl_yaml *node);

#endif
