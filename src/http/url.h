/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs, query strings and forms: the only place that takes them apart or puts
 * them together (RFC 3986; application/x-www-form-urlencoded).
 */
#ifndef VL_HTTP_URL_H
#define VL_HTTP_URL_H

#include "core/arena.h"
#include "core/buf.h"

/* Slices of the text that was parsed. */
struct vl_url {
    struct vl_str scheme; /* as written; compare with vl_str_ieq */
    struct vl_str host;   /* without brackets for IPv6; may be empty */
    struct vl_str origin; /* scheme://authority as written */
    struct vl_str path;   /* with its leading '/', or empty */
    struct vl_str query;  /* without '?' */
    uint16_t port;        /* 80 or 443 when not given; 0 if unknown scheme */
    bool has_authority;   /* scheme://…, not scheme:… */
    bool has_query;
    bool is_ipv6;
};

/*
 * Absolute URI without user info and without fragment; visible ASCII only, no
 * backslash, valid percent-escapes. Everything else is VALET_INVALID.
 */
valet_status vl_url_parse(struct vl_str text, struct vl_url *ret,
                          valet_error *err) VALET_CHECK;
/* Is it host [ ":" port ], as in a Host header? By the same rules. */
bool vl_url_is_authority(struct vl_str text);
bool vl_url_is_http(const struct vl_url *url); /* http or https */
bool vl_url_is_https(const struct vl_url *url);
/* "localhost", 127.0.0.1 or ::1, written exactly so (case aside). */
bool vl_url_is_loopback(const struct vl_url *url);
/*
 * What a reference means at `base` (RFC 3986 section 5.2), appended to `out`:
 * VALET_INVALID unless it is a URL as above then.
 */
valet_status vl_url_resolve(const struct vl_url *base, struct vl_str reference,
                            struct vl_buf *out, valet_error *err) VALET_CHECK;
/* The same origin (RFC 6454): scheme and host without case, port filled in. */
bool vl_url_same_origin(const struct vl_url *a, const struct vl_url *b);

/* One decoded name and value. */
struct vl_param {
    struct vl_str name, value;
};

struct vl_params {
    struct vl_param *items;
    size_t count;
};

/* More parameters than this are refused. */
#define VL_PARAMS_MAX 64

/*
 * Decodes "a=b&c=d" into the arena. VALET_INVALID for bad escapes, bytes that
 * are not UTF-8, NUL, or too many parameters.
 */
valet_status
vl_params_parse(struct vl_str text, struct vl_arena *arena,
                struct vl_params *ret, valet_error *err) VALET_CHECK;
/* The value, or {NULL,0} when absent. With duplicates: the first. */
struct vl_str vl_params_get(const struct vl_params *params, const char *name);
/* Does any name occur twice? RFC 6749 section 3.1 forbids it, but RFC 8707
 * allows several `resource`: `except` may name one (or be NULL). */
bool vl_params_repeat(const struct vl_params *params, const char *except);

/* Appends name=value, encoded, with '&' before it unless `out` is empty. */
void vl_form_add(struct vl_buf *out, const char *name, struct vl_str value);
/* Appends to the URL in `out` as a query parameter ('?' or '&'). */
void
vl_url_add_param(struct vl_buf *out, const char *name, struct vl_str value);

#endif
