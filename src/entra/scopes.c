/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/scopes.h"

#include "oauth/scope.h"

static bool
is_of_resource(struct vl_str scope, const void *ctx)
{
    (void)ctx;
    return !vl_str_has_word(VL_STR(VL_SCOPES_SIGN_IN), scope);
}

/* @spec S-36 */
void
vl_scopes_write(struct vl_buf *out, struct vl_str scopes, const char *openid)
{
    vl_scope_filter(out, scopes, is_of_resource, NULL);
    vl_buf_addz(out, vl_buf_size(out) ? " " : "");
    vl_buf_addz(out, openid);
}
