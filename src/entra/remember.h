/* SPDX-License-Identifier: Apache-2.0
 *
 * What an answer of the token endpoint puts into the cache: the account, its
 * tokens, and whether the client belongs to a family.
 *
 * Of an answer to an assertion (on-behalf-of) the access token alone is kept:
 * the person did not sign in here, so they are no account of ours, and their
 * refresh token, which the next call's assertion makes useless, would only be
 * one more secret that outlives their visit. MSAL for JavaScript keeps it and
 * never uses it; MSAL for .NET keeps it in its long-running form alone.
 */
#ifndef VL_ENTRA_REMEMBER_H
#define VL_ENTRA_REMEMBER_H

#include "cache/cache.h"
#include "entra/token_answer.h"

struct vl_remember {
    struct vl_str environment; /* vl_cache_environment() */
    struct vl_str client_id, tenant_id;
    struct vl_str scopes; /* asked for; the answer may tell others */
    const struct vl_token_answer *answer;
    /* Who signed in, proven by the id token; NULL for an application's own
     * token, and when tokens were renewed. */
    const struct vl_idp_person *person;
    /* Whose tokens were renewed; empty else. */
    struct vl_str home_account_id;
    /* Of the assertion that was exchanged; empty else. The client info then
     * tells who the person is. */
    struct vl_str user_assertion_hash;
};

/* Of "uid.utid" (a GUID each, and a suffix for policies of the one), with its
 * NUL. */
#define VL_HOME_ACCOUNT_SIZE 256

/* Whose tokens these are, before they are put: VALET_DENIED, the answer does
 * not tell. */
valet_status vl_remember_home(const struct vl_remember *what,
                              char ret_home[VL_HOME_ACCOUNT_SIZE],
                              valet_error *err) VALET_CHECK;
/*
 * Puts all of it. VALET_DENIED, and nothing is put: the answer names no
 * account, or not the one whose tokens were renewed. Tokens that were renewed
 * hold only while their account is in the cache (VALET_NOT_FOUND); the name of
 * it is then as it was. `ret_home` may be NULL; "" for an application's own; it
 * is told also when the cache did not take what is of it.
 */
valet_status vl_remember(struct vl_cache *cache, const struct vl_remember *what,
                         int64_t now_ms, char ret_home[VL_HOME_ACCOUNT_SIZE],
                         valet_error *err) VALET_CHECK;

#endif
