/* SPDX-License-Identifier: Apache-2.0 */
#include "client/result.h"

#include <stdatomic.h>

#include "core/secret.h"
#include "entra/acquire.h"

struct vl_auth_inside {
    atomic_int holders;
    int64_t refresh_at;
    valet_auth_result shown; /* its texts are in `texts` */
    size_t size;
    char texts[];
};

const char *
valet_source_name(valet_source source)
{
    static const char *const names[VALET_SOURCE_COUNT] = {
        [VALET_SOURCE_CACHE] = "cache",
        [VALET_SOURCE_REFRESH] = "refresh",
        [VALET_SOURCE_BROKER] = "broker",
        [VALET_SOURCE_BROWSER] = "browser",
        [VALET_SOURCE_DEVICE_CODE] = "device_code",
        [VALET_SOURCE_APP] = "app",
        [VALET_SOURCE_ON_BEHALF_OF] = "on_behalf_of",
    };
    bool known = source > 0 && source < VALET_SOURCE_COUNT;
    return known ? names[source] : "unknown";
}

/* Puts a text at *at; an empty one is NULL. */
static const char *
put(char **at, struct vl_str text)
{
    char *start = *at;
    if (!text.n)
        return NULL;
    memcpy(start, text.p, text.n);
    start[text.n] = '\0';
    *at += text.n + 1;
    return start;
}

struct vl_auth_inside *
vl_result_new(const struct vl_result_of *what)
{
    struct vl_str not_kept = vl_str_z(what->not_kept);
    /* Each with its NUL. */
    size_t size = what->access_token.n + what->scopes.n + what->tenant_id.n +
                  what->account_id.n + what->username.n + what->name.n +
                  not_kept.n + 7;
    struct vl_auth_inside *inside = vl_alloc(sizeof *inside + size);
    char *at = inside->texts;
    atomic_init(&inside->holders, 1);
    inside->size = size;
    inside->refresh_at = what->refresh_at;
    inside->shown = (valet_auth_result){
        .access_token = put(&at, what->access_token),
        .token_type = "Bearer",
        .scopes = put(&at, what->scopes),
        .expires_at = what->expires_at,
        .tenant_id = put(&at, what->tenant_id),
        .account_id = put(&at, what->account_id),
        .username = put(&at, what->username),
        .name = put(&at, what->name),
        .source = what->source,
        .not_kept = put(&at, not_kept),
        .inside = inside,
    };
    return inside;
}

struct vl_auth_inside *
vl_result_hold(struct vl_auth_inside *inside)
{
    (void)atomic_fetch_add_explicit(&inside->holders, 1, memory_order_relaxed);
    return inside;
}

void
vl_result_drop(struct vl_auth_inside *inside)
{
    if (!inside || atomic_fetch_sub(&inside->holders, 1) != 1)
        return;
    vl_wipe(inside->texts, inside->size);
    free(inside);
}

bool
vl_result_is_fresh(const struct vl_auth_inside *inside, int64_t now_s)
{
    return inside->shown.expires_at - now_s > VL_ACQUIRE_SKEW_S &&
           (!inside->refresh_at || now_s < inside->refresh_at);
}

valet_auth_result
vl_result_give(struct vl_auth_inside *inside, valet_source source)
{
    valet_auth_result result = inside->shown;
    result.source = source;
    if (source == VALET_SOURCE_CACHE)
        result.not_kept = NULL; /* it was told when the token came */
    return result;
}

void
valet_auth_result_done(valet_auth_result *result)
{
    vl_result_drop(result->inside);
    *result = (valet_auth_result){.inside = NULL};
}
