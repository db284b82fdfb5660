/* SPDX-License-Identifier: Apache-2.0
 *
 * A token on its way to the caller: immutable and counted, so that the table
 * of ready tokens and any number of results share one copy.
 */
#ifndef VL_CLIENT_RESULT_H
#define VL_CLIENT_RESULT_H

#include "core/str.h"
#include "valet/entra.h"

struct vl_auth_inside;

struct vl_result_of {
    struct vl_str access_token, scopes, tenant_id;
    struct vl_str account_id, username, name; /* empty: unknown */
    int64_t expires_at, refresh_at;           /* refresh_at 0: not told */
    valet_source source;
    const char *not_kept; /* NULL: it is kept */
};

/* All is copied. One holder. */
struct vl_auth_inside *vl_result_new(const struct vl_result_of *what);
struct vl_auth_inside *vl_result_hold(struct vl_auth_inside *inside);
void vl_result_drop(struct vl_auth_inside *inside); /* NULL is fine */
/* Still good, and not to be renewed ahead of its end either? */
bool vl_result_is_fresh(const struct vl_auth_inside *inside, int64_t now_s);
/* Takes the hold over. */
valet_auth_result
vl_result_give(struct vl_auth_inside *inside, valet_source source);

#endif
