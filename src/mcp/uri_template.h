/* SPDX-License-Identifier: Apache-2.0
 *
 * URI templates (RFC 6570, level 1: "{name}") read backwards: does a URI fit,
 * and what stands for each name? A variable is one or more characters without
 * '/', percent-decoded; between two variables there has to be a literal. The
 * reading is the shortest from the left, in one pass and bounded.
 *
 * Only what an expansion could have made fits: no character that a URI has to
 * encode, none encoded that needs it not, no "%2F" and no lone "." or "..". So
 * a value has one spelling, and is the name of one thing in a folder.
 */
#ifndef VL_MCP_URI_TEMPLATE_H
#define VL_MCP_URI_TEMPLATE_H

#include "core/buf.h"

#define VL_URI_TEMPLATE_VARIABLES 16
/* Bytes of a template, and of a URI that is held against it. */
#define VL_URI_TEMPLATE_MAX     2048
#define VL_URI_TEMPLATE_URI_MAX 8192

struct vl_uri_template;

/* VALET_INVALID for what is no such template: another expression than {name},
 * a name twice or percent-encoded, a character that a URI has to encode. One
 * without variables fits the URI that it is. */
valet_status vl_uri_template_new(const char *text, struct vl_uri_template **ret,
                                 valet_error *err) VALET_CHECK;
void vl_uri_template_free(struct vl_uri_template *tmpl); /* NULL is fine */
bool
vl_uri_template_has(const struct vl_uri_template *tmpl, struct vl_str name);
/* Calls `each` (which may be NULL) for every variable of a URI that fits, in
 * order; the value is decoded and borrowed for the call. False, and nothing
 * called, when it does not fit, or a value is not UTF-8 or holds a NUL. */
bool
vl_uri_template_match(const struct vl_uri_template *tmpl, struct vl_str uri,
                      void (*each)(struct vl_str name, struct vl_str value,
                                   void *ctx),
                      void *ctx);

#endif
