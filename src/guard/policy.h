/* SPDX-License-Identifier: Apache-2.0
 *
 * What a principal may do: every tool names the permission it needs, a
 * permission is a scope of ours, and a scope may have aliases (the lesson's
 * `User.Read`, @spec S-66). Deny by default (@spec S-01 S-07).
 */
#ifndef VL_GUARD_POLICY_H
#define VL_GUARD_POLICY_H

#include "core/principal.h"
#include "core/str.h"

/* The scopes of our own (@spec W-27), as published and asked for. */
#define VL_SCOPE_TOOLS_READ "mcp.tools.read"
#define VL_SCOPE_ALIAS      "User.Read"

/* Does the space-separated set of granted scopes hold `wanted` or an alias? */
bool vl_policy_has_scope(struct vl_str granted, struct vl_str wanted);
/* All words of `wanted`? The empty set is held by everybody. */
bool vl_policy_has_scopes(struct vl_str granted, struct vl_str wanted);
/* May this principal use a tool that needs `permission`? NULL is a no. */
bool vl_policy_may_call(const struct vl_principal *principal,
                        const char *permission);
/* A scope that the desk knows and may grant. */
bool vl_policy_is_known_scope(struct vl_str scope);
/* Every known scope, space-separated: for metadata. Aliases are granted to who
 * asks for them, but not advertised: clients ask for all that they see. */
const char *vl_policy_known_scopes(void);
/* A scope in plain words, for the consent page; NULL if unknown. */
const char *vl_policy_describe_scope(struct vl_str scope);

#endif
