/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the OpenID configuration of a tenant.
 */
#include "core/status.h"
#include "entra/authority.h"
#include "http/url.h"
#include "json/read.h"

/* The member `name`, a URL of the origin of `host`. */
static valet_status
read_url(const struct json_t *document, const char *name,
         const struct vl_url *host, struct vl_arena *arena, struct vl_str *ret,
         valet_error *err)
{
    struct vl_url url;
    struct vl_str text = vl_json_get_str(document, name);
    if (!text.n || vl_url_parse(text, &url, NULL) != VALET_OK)
        return vl_fail(err, VALET_DENIED, "",
                       "the OpenID configuration has no usable %s", name);
    if (!vl_url_same_origin(&url, host))
        return vl_fail(err, VALET_DENIED, "",
                       "the OpenID configuration's %s is on another host than "
                       "the authority",
                       name);
    *ret = vl_arena_dup(arena, text);
    return ret->p ? VALET_OK
                  : vl_fail(err, VALET_LIMIT, "",
                            "the OpenID configuration is too large");
}

/* "{authority}/{tid}/v2.0" → tid, which is `tenant` if that is a GUID. */
static valet_status
read_tenant(struct vl_str issuer, const char *host, const char *tenant,
            char tid[VL_GUID_SIZE], valet_error *err)
{
    struct vl_str rest = vl_str_from(issuer, strlen(host));
    bool shaped = vl_str_starts(issuer, vl_str_z(host)) &&
                  vl_str_starts(rest, VL_STR("/")) &&
                  vl_str_ends(rest, VL_STR("/v2.0")) &&
                  rest.n == VL_GUID_SIZE - 1 + 6;
    struct vl_str guid = vl_str_head(vl_str_from(rest, 1), VL_GUID_SIZE - 1);
    if (!shaped || !vl_guid_is_valid(guid))
        return vl_fail(err, VALET_DENIED, "",
                       "the issuer of the OpenID configuration is not a tenant "
                       "of this authority");
    if (vl_guid_is_valid(vl_str_z(tenant)) &&
        !vl_str_ieq(guid, vl_str_z(tenant)))
        return vl_fail(err, VALET_DENIED, "",
                       "the OpenID configuration is of another tenant");
    memcpy(tid, guid.p, guid.n);
    tid[guid.n] = '\0';
    return VALET_OK;
}

valet_status
vl_authority_read(struct vl_str json, const char *host, const char *tenant,
                  struct vl_arena *arena, struct vl_authority_facts *ret,
                  valet_error *err)
{
    struct vl_url origin;
    struct vl_authority_facts facts = {0};
    vl_auto(vl_json) document = {NULL};
    VL_TRY(vl_url_parse(vl_str_z(host), &origin, err));
    VL_TRY(vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &document, err));
    const struct {
        const char *name;
        struct vl_str *field;
    } urls[] = {
        {"issuer", &facts.issuer},
        {"authorization_endpoint", &facts.authorization_endpoint},
        {"token_endpoint", &facts.token_endpoint},
        {"jwks_uri", &facts.jwks_uri},
    };
    for (size_t i = 0; i < VL_COUNT(urls); i++)
        VL_TRY(read_url(document.root, urls[i].name, &origin, arena,
                        urls[i].field, err));
    if (vl_json_get(document.root, "device_authorization_endpoint"))
        VL_TRY(read_url(document.root, "device_authorization_endpoint", &origin,
                        arena, &facts.device_authorization_endpoint, err));
    VL_TRY(read_tenant(facts.issuer, host, tenant, facts.tid, err));
    *ret = facts;
    return VALET_OK;
}
