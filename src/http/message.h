/* SPDX-License-Identifier: Apache-2.0
 *
 * What requests and answers are made of (RFC 9110).
 */
#ifndef VL_HTTP_MESSAGE_H
#define VL_HTTP_MESSAGE_H

#include "core/limits.h"
#include "core/str.h"

struct vl_header {
    struct vl_str name, value;
};

struct vl_headers {
    struct vl_header items[VL_LIMIT_HEADERS];
    size_t count;
};

/* How many have this name (case ignored), and the value of the first, or
 * {NULL,0}. */
size_t vl_headers_find(const struct vl_headers *headers, struct vl_str name,
                       struct vl_str *ret_first);

/* The first with this name, or {NULL,0}. */
static inline struct vl_str
vl_headers_get(const struct vl_headers *headers, const char *name)
{
    struct vl_str first;
    (void)vl_headers_find(headers, vl_str_z(name), &first);
    return first;
}

/* How many have this name. */
static inline size_t
vl_headers_count(const struct vl_headers *headers, const char *name)
{
    struct vl_str first;
    return vl_headers_find(headers, vl_str_z(name), &first);
}

/* Adds one; false when there is no room. The slices are borrowed. */
bool vl_headers_add(struct vl_headers *headers, struct vl_str name,
                    struct vl_str value);
/* Is `token` among the comma-separated values of all headers of this name? */
bool vl_headers_have_token(const struct vl_headers *headers, const char *name,
                           const char *token);
/* The value of a cookie (RFC 6265), or {NULL,0}; {NULL,0} also when several
 * cookies of that name came, since one may be a stranger's. */
struct vl_str vl_cookie_get(const struct vl_headers *headers, const char *name);
/* "application/json; charset=utf-8" is application/json. */
bool vl_media_type_is(struct vl_str content_type, const char *type);

/* The standard reason phrase, "" for an unknown status. */
const char *vl_http_reason(int status);

#endif
