/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON (RFC 8259). jansson does the work behind this page; nobody
 * else includes it. Strict: one value and nothing after it, UTF-8, no
 * duplicate keys, no NUL in strings, a bounded depth.
 *
 *     vl_auto(vl_json) doc = {NULL};
 *     VL_TRY(vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, err));
 *     struct vl_str name = vl_json_str(vl_json_get(doc.root, "name"));
 */
#ifndef VL_JSON_READ_H
#define VL_JSON_READ_H

#include "core/str.h"

struct json_t; /* one value; borrowed from its document */

/* Owns a parsed document. */
struct vl_json {
    struct json_t *root;
};

enum vl_json_kind {
    VL_JSON_ABSENT, /* no such member: a NULL value */
    VL_JSON_NULL,
    VL_JSON_BOOL,
    VL_JSON_INT,
    VL_JSON_REAL,
    VL_JSON_STRING,
    VL_JSON_ARRAY,
    VL_JSON_OBJECT,
    VL_JSON_KIND_COUNT
};

/* VALET_INVALID with the line and column of the fault. */
valet_status vl_json_parse(struct vl_str text, unsigned max_depth,
                           struct vl_json *ret, valet_error *err) VALET_CHECK;
void vl_json_done(struct vl_json *doc);
/* Another owner of a value that was read: it outlives its document, and
 * nothing is copied. */
struct vl_json vl_json_share(const struct json_t *value);

/* Before the first value is made other than by vl_json_parse(). */
void vl_json_prepare(void);
/* A string on its own; {NULL} when it is not UTF-8. */
struct vl_json vl_json_of_str(struct vl_str text);

/* All of these take NULL, which stands for "absent". */
enum vl_json_kind vl_json_kind(const struct json_t *value);
const struct json_t *vl_json_get(const struct json_t *object, const char *key);
/* {NULL,0} unless it is a string; an empty string has a non-NULL pointer. */
struct vl_str vl_json_str(const struct json_t *value);
struct vl_str vl_json_get_str(const struct json_t *object, const char *key);
bool vl_json_int(const struct json_t *value, int64_t *ret);
bool
vl_json_get_int(const struct json_t *object, const char *key, int64_t *ret);
bool vl_json_real(const struct json_t *value, double *ret);
/* Any number, as it is written or not: 1.0 is whole and fits an int64_t, and 1
 * is a double as well. */
bool vl_json_whole(const struct json_t *value, int64_t *ret);
bool vl_json_number(const struct json_t *value, double *ret);
bool vl_json_is_true(const struct json_t *value);
/* Members of an array or object; 0 for everything else. */
size_t vl_json_size(const struct json_t *value);
const struct json_t *vl_json_at(const struct json_t *array, size_t index);
/* Does the array hold this string? A plain string counts as an array of one. */
bool vl_json_has_str(const struct json_t *value, struct vl_str wanted);
/* Calls `visit` for each member until it returns false. Keys end in NUL. */
void vl_json_each(const struct json_t *object,
                  bool (*visit)(struct vl_str key, const struct json_t *value,
                                void *ctx),
                  void *ctx);

#endif
