/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/policy.h"

/* Each scope that exists. An alias is another spelling of the same right: what
 * one holds, the other holds, and neither is ever more. */
static const struct {
    const char *name, *alias, *words;
} scopes[] = {
    {VL_SCOPE_TOOLS_READ, VL_SCOPE_ALIAS,
     "Use this server's read-only tools in your name, such as reading your own "
     "profile"},
};

#define UNKNOWN VL_COUNT(scopes)

static size_t
index_of(struct vl_str scope)
{
    for (size_t i = 0; i < VL_COUNT(scopes); i++)
        if (vl_str_eqz(scope, scopes[i].name) ||
            vl_str_eqz(scope, scopes[i].alias))
            return i;
    return UNKNOWN;
}

/* @spec S-66 */
bool
vl_policy_has_scope(struct vl_str granted, struct vl_str wanted)
{
    if (wanted.n == 0)
        return false;
    size_t at = index_of(wanted);
    if (at == UNKNOWN)
        return vl_str_has_word(granted, wanted);
    return vl_str_has_word(granted, vl_str_z(scopes[at].name)) ||
           vl_str_has_word(granted, vl_str_z(scopes[at].alias));
}

bool
vl_policy_has_scopes(struct vl_str granted, struct vl_str wanted)
{
    struct vl_str word;
    while (vl_str_split(&wanted, ' ', &word))
        if (word.n && !vl_policy_has_scope(granted, word))
            return false;
    return true;
}

/* @spec S-01 S-07: what is not said to be allowed is not. */
bool
vl_policy_may_call(const struct vl_principal *principal, const char *permission)
{
    if (!principal || !permission)
        return false;
    struct vl_str granted = {principal->scopes,
                             strnlen(principal->scopes, VL_SCOPES_SIZE)};
    return vl_policy_has_scope(granted, vl_str_z(permission));
}

bool
vl_policy_is_known_scope(struct vl_str scope)
{
    return index_of(scope) != UNKNOWN;
}

const char *
vl_policy_known_scopes(void)
{
    return VL_SCOPE_TOOLS_READ;
}

const char *
vl_policy_describe_scope(struct vl_str scope)
{
    size_t at = index_of(scope);
    return at == UNKNOWN ? NULL : scopes[at].words;
}
