/* SPDX-License-Identifier: Apache-2.0 */
#include "access/entra.h"

#include "access/scopes.h"
#include "cache/cache.h"
#include "core/status.h"
#include "http/url.h"

bool
vl_entra_is_issuer(const char *issuer, const struct json_t *metadata)
{
    static const struct vl_str external = {".ciamlogin.com", 14};
    struct vl_url url;
    if (vl_url_parse(vl_str_z(issuer), &url, NULL) != VALET_OK)
        return false;
    if (vl_url_is_loopback(&url))
        return vl_json_get_str(metadata, "cloud_instance_name").n > 0 &&
               vl_json_get_str(metadata, "tenant_region_scope").n > 0;
    return vl_url_is_https(&url) &&
           (vl_cache_known_cloud(url.host) ||
            (url.host.n > external.n &&
             vl_str_ieq(vl_str_from(url.host, url.host.n - external.n),
                        external)));
}

/* Of no API (OpenID Connect Core sections 3.1.2.1, 5.4, 11). */
static bool
is_of_nobody(struct vl_str scope)
{
    return vl_str_has_word(VL_STR("openid profile email offline_access"),
                           scope);
}

/* "https://mcp.example/mcp/tools.read" is of the API whose identifier URI is
 * the server's resource. */
static bool
is_of_server(const struct vl_site *site, struct vl_str scope)
{
    struct vl_str resource = vl_str_z(site->resource);
    if (vl_str_ends(resource, VL_STR("/")))
        resource = vl_str_head(resource, resource.n - 1);
    return resource.n > 0 && scope.n > resource.n + 1 &&
           vl_str_starts(scope, resource) && scope.p[resource.n] == '/' &&
           !vl_str_has(vl_str_from(scope, resource.n + 1), '/');
}

valet_status
vl_entra_check_scopes(const struct vl_site *site, struct vl_str scopes,
                      struct vl_buf *ret, valet_error *err)
{
    struct vl_str rest = scopes, word;
    bool is_any = false;
    while (vl_str_split(&rest, ' ', &word)) {
        if (!word.n || is_of_nobody(word))
            continue;
        is_any = true;
        if (!is_of_server(site, word))
            return vl_fail(err, VALET_DENIED, "",
                           "%s wants the scope " VL_STR_FMT
                           " of Entra ID, which may be of another API than "
                           "its own: if it is right, say it (--scope)",
                           site->resource ? site->resource : "the server",
                           VL_STR_ARG(vl_str_head(word, 128)));
    }
    vl_access_scopes_add(ret, scopes);
    if (is_any)
        return VALET_OK;
    if (!site->resource)
        return vl_fail(err, VALET_DENIED, "",
                       "the server does not say which scopes of Entra ID it "
                       "wants: say them (--scope)");
    vl_auto(vl_buf) all = vl_buf_of(VL_LIMIT_SCOPE);
    vl_buf_addz(&all, site->resource);
    vl_buf_addz(&all, vl_str_ends(vl_str_z(site->resource), VL_STR("/"))
                          ? ".default"
                          : "/.default");
    VL_TRY(vl_buf_check(&all, err));
    vl_access_scopes_add(ret, vl_buf_str(&all));
    return vl_buf_check(ret, err);
}
