/* SPDX-License-Identifier: Apache-2.0
 *
 * A user object of Microsoft Graph as the result of a tool: what people read,
 * and what programs do (@spec S-44 S-79), never more than was selected (W-42).
 */
#ifndef VL_ENTRA_GRAPH_USER_H
#define VL_ENTRA_GRAPH_USER_H

#include "core/buf.h"
#include "json/read.h"

/* What the local tool asks for unless it is told otherwise (W-42). */
#define VL_GRAPH_SELECT_USUAL "displayName,mail,userPrincipalName"
/* What Graph gives by itself. */
#define VL_GRAPH_SELECT_ALL                                                    \
    "businessPhones,displayName,givenName,jobTitle,mail,mobilePhone,"          \
    "officeLocation,preferredLanguage,surname,userPrincipalName,id"

/* Names of properties with commas between them: letters and digits, at most 32
 * of 64 bytes. */
bool vl_graph_select_is_valid(struct vl_str select);
/* "User Details" and a line each for name, e-mail and UPN, as the lesson's
 * remote sample has it. */
void vl_graph_user_write_lines(const struct json_t *user, struct vl_buf *out);
/* The object, with what was selected alone; `select` empty: all but
 * annotations. */
void vl_graph_user_write_json(const struct json_t *user, struct vl_str select,
                              struct vl_buf *out);
/* The JSON Schema of such an object. */
void vl_graph_user_write_schema(struct vl_str select, struct vl_buf *out);

#endif
