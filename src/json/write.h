/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON straight into a buffer: no tree, no allocation of its own.
 * Commas are placed by the writer; nesting is the caller's to get right.
 *
 *     struct vl_json_out out = {&buf, false};
 *     vl_json_open(&out, '{');
 *     vl_json_add_str(&out, "name", name);
 *     vl_json_close(&out, '}');
 *
 * `key` is NULL for a member of an array or the value of the document.
 * Strings that are not UTF-8 are written with U+FFFD in place of what is not.
 */
#ifndef VL_JSON_WRITE_H
#define VL_JSON_WRITE_H

#include "core/buf.h"

struct json_t;

struct vl_json_out {
    struct vl_buf *buf;
    bool comma; /* the next member needs one before it */
};

/* '{' or '[', as a value under `key`. */
void vl_json_open(struct vl_json_out *out, char bracket);
void vl_json_open_key(struct vl_json_out *out, const char *key, char bracket);
void vl_json_close(struct vl_json_out *out, char bracket);

void
vl_json_add_str(struct vl_json_out *out, const char *key, struct vl_str value);
void vl_json_add_z(struct vl_json_out *out, const char *key, const char *value);
void vl_json_add_int(struct vl_json_out *out, const char *key, int64_t value);
void vl_json_add_bool(struct vl_json_out *out, const char *key, bool value);
void vl_json_add_null(struct vl_json_out *out, const char *key);
/* `json` is already JSON and is written as it is. */
void
vl_json_add_raw(struct vl_json_out *out, const char *key, struct vl_str json);
/* A value that was read, with integers and key order as they were. */
void vl_json_add_value(struct vl_json_out *out, const char *key,
                       const struct json_t *value);
/* The key is not a literal: for maps. */
void vl_json_add_str_at(struct vl_json_out *out, struct vl_str key,
                        struct vl_str value);

#endif
