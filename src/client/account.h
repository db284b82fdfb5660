/* SPDX-License-Identifier: Apache-2.0
 *
 * Which account is meant: never "the first one" (@spec S-30 W-38). On the
 * engine's thread; what is returned is borrowed from the cache until that
 * changes.
 */
#ifndef VL_CLIENT_ACCOUNT_H
#define VL_CLIENT_ACCOUNT_H

#include "client/engine.h"

struct vl_account_wish {
    struct vl_str name; /* id or username; empty: the only one there is */
    /* Of those who have been in this tenant; empty: in one whose people may
     * sign in. */
    struct vl_str tenant_id;
    bool anywhere; /* … or of all: the request itself names a tenant */
};

/* `ret->realm` is a tenant that may be asked. VALET_NOT_FOUND ("no_account");
 * VALET_CONFLICT ("several_accounts"). */
valet_status
vl_account_find(struct vl_engine *engine, const struct vl_account_wish *wish,
                struct vl_cache_account *ret, valet_error *err) VALET_CHECK;
/* Is it its id or its username (without regard to case)? */
bool vl_account_is(const struct vl_cache_account *account, struct vl_str name);
/* The tenant in "uid.utid"; empty when there is none. */
struct vl_str vl_account_tenant(struct vl_str home_account_id);

#endif
