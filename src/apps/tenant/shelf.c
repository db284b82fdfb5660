/* SPDX-License-Identifier: Apache-2.0
 *
 * All grants of a shelf live equally long, so the list in order of birth is
 * also the list in order of death.
 */
#include "apps/tenant/shelf.h"

#include "core/enc.h"
#include "core/sys.h"

#define RANDOM_MAX 64
#define HANDLE_MAX 128
#define KEEP_MS    600000

void
vl_tenant_shelf_init(struct vl_tenant_shelf *shelf, size_t max,
                     const char *prefix, size_t random_size)
{
    VL_ASSERT(random_size <= RANDOM_MAX);
    *shelf = (struct vl_tenant_shelf){.max = max,
                                      .prefix = prefix,
                                      .random_size = random_size,
                                      .keep_ms = KEEP_MS};
    vl_map_init(&shelf->by_handle);
    vl_list_init(&shelf->oldest);
}

static struct vl_tenant_grant *
first_of(const struct vl_tenant_shelf *shelf)
{
    return VL_CONTAINER(shelf->oldest.next, struct vl_tenant_grant, node);
}

static void
drop(struct vl_tenant_shelf *shelf, struct vl_tenant_grant *grant)
{
    (void)vl_map_take(&shelf->by_handle, vl_str_z(grant->handle));
    vl_list_remove(&grant->node);
    free(grant->handle);
    free(grant->scope);
    free(grant->redirect_uri);
    free(grant->challenge);
    free(grant->nonce);
    free(grant->acrs);
    free(grant->user_code);
    free(grant->asked);
    free(grant);
}

void
vl_tenant_shelf_done(struct vl_tenant_shelf *shelf)
{
    while (!vl_list_is_empty(&shelf->oldest))
        drop(shelf, first_of(shelf));
    vl_map_done(&shelf->by_handle);
}

static void
sweep(struct vl_tenant_shelf *shelf, int64_t now_ms)
{
    while (!vl_list_is_empty(&shelf->oldest)) {
        struct vl_tenant_grant *grant = first_of(shelf);
        bool full = vl_map_size(&shelf->by_handle) >= shelf->max;
        if (!full && now_ms < grant->expires_ms + shelf->keep_ms)
            break;
        drop(shelf, grant);
    }
}

struct vl_str
vl_tenant_shelf_put(struct vl_tenant_shelf *shelf,
                    const struct vl_tenant_grant *grant, int64_t now_ms)
{
    char random[RANDOM_MAX];
    vl_auto(vl_buf) handle = vl_buf_of(HANDLE_MAX);
    sweep(shelf, now_ms);
    vl_random(random, shelf->random_size);
    vl_buf_addz(&handle, shelf->prefix);
    vl_enc_base64url(&handle, vl_str_of(random, shelf->random_size));
    struct vl_tenant_grant *kept = vl_alloc(sizeof *kept);
    *kept = *grant;
    kept->handle = vl_strdup(vl_buf_cstr(&handle));
    vl_list_add_last(&shelf->oldest, &kept->node);
    (void)vl_map_put(&shelf->by_handle, vl_str_z(kept->handle), kept);
    return vl_str_z(kept->handle);
}

struct vl_tenant_grant *
vl_tenant_shelf_find(const struct vl_tenant_shelf *shelf, struct vl_str handle)
{
    return handle.n ? vl_map_find(&shelf->by_handle, handle) : NULL;
}

struct vl_tenant_grant *
vl_tenant_shelf_find_typed(const struct vl_tenant_shelf *shelf,
                           struct vl_str user_code)
{
    VL_LIST_EACH (node, &shelf->oldest) {
        struct vl_tenant_grant *grant =
            VL_CONTAINER(node, struct vl_tenant_grant, node);
        if (grant->user_code &&
            vl_str_ieq(user_code, vl_str_z(grant->user_code)))
            return grant;
    }
    return NULL;
}

char *
vl_tenant_dup(struct vl_str text)
{
    if (!text.n)
        return NULL;
    char *copy = vl_alloc(text.n + 1);
    memcpy(copy, text.p, text.n);
    return copy;
}
