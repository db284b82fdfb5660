/* SPDX-License-Identifier: Apache-2.0 */
#include "access/candidates.h"

#include "access/address.h"

#define RESOURCE "/.well-known/oauth-protected-resource"
#define OAUTH    "/.well-known/oauth-authorization-server"
#define OPENID   "/.well-known/openid-configuration"

static void
add(struct vl_candidates *list, struct vl_arena *arena, struct vl_str url)
{
    for (size_t i = 0; i < list->count; i++)
        if (vl_str_eqz(url, list->urls[i]))
            return;
    const char *copy = url.n ? vl_arena_cstr(arena, url) : NULL;
    if (copy)
        list->urls[list->count++] = copy;
}

/* Four slices, one after the other. */
static void
add_parts(struct vl_candidates *list, struct vl_arena *arena,
          struct vl_str origin, struct vl_str first, struct vl_str second,
          struct vl_str query)
{
    vl_auto(vl_buf) url = vl_buf_of((size_t)2 * VL_ADDRESS_MAX);
    vl_buf_add(&url, origin);
    vl_buf_add(&url, first);
    vl_buf_add(&url, second);
    if (query.n)
        vl_buf_addc(&url, '?');
    vl_buf_add(&url, query);
    if (vl_buf_check(&url, NULL) == VALET_OK)
        add(list, arena, vl_buf_str(&url));
}

/* RFC 8414 section 3.1: a final slash goes before something is put before or
 * after the path. */
static struct vl_str
path_of(const struct vl_url *url)
{
    struct vl_str path = url->path;
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

void
vl_candidates_of_resource(const struct vl_url *server, const char *metadata_url,
                          struct vl_arena *arena, struct vl_candidates *ret)
{
    struct vl_str nothing = {NULL, 0};
    *ret = (struct vl_candidates){.count = 0};
    add(ret, arena, vl_str_z(metadata_url));
    add_parts(ret, arena, server->origin, VL_STR(RESOURCE), path_of(server),
              server->query);
    add_parts(ret, arena, server->origin, VL_STR(RESOURCE), nothing, nothing);
}

void
vl_candidates_of_issuer(const struct vl_url *issuer, struct vl_arena *arena,
                        struct vl_candidates *ret)
{
    struct vl_str nothing = {NULL, 0}, path = path_of(issuer);
    *ret = (struct vl_candidates){.count = 0};
    add_parts(ret, arena, issuer->origin, VL_STR(OAUTH), path, nothing);
    add_parts(ret, arena, issuer->origin, VL_STR(OPENID), path, nothing);
    add_parts(ret, arena, issuer->origin, path, VL_STR(OPENID), nothing);
}
