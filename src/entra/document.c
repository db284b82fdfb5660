/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the OpenID configuration of a tenant, or of many.
 */
#include "cache/cache.h"
#include "core/status.h"
#include "entra/authority.h"
#include "http/url.h"
#include "json/read.h"

#define TEMPLATE "{tenantid}"

struct reading {
    const struct json_t *document;
    const struct vl_instance *instance;
    struct vl_url host; /* of the authority */
    struct vl_arena *arena;
};

/* --- whose is a URL? --- */

/* The names of one cloud of Microsoft's are one authority (entra-wire 1.3). */
static bool
is_same_cloud(const struct vl_url *a, struct vl_str host)
{
    const struct vl_cache_cloud *cloud = vl_cache_known_cloud(a->host);
    return cloud && cloud == vl_cache_known_cloud(host);
}

/* The same origin, or another name of the same cloud, perhaps in a region:
 * "westeurope.login.microsoft.com". */
static bool
is_ours(const struct vl_url *host, const struct vl_url *url)
{
    if (vl_url_same_origin(url, host))
        return true;
    if (!vl_url_is_https(host) || host->port != 443 || !vl_url_is_https(url) ||
        url->port != 443)
        return false;
    size_t dot = vl_str_index(url->host, '.');
    return is_same_cloud(host, url->host) ||
           is_same_cloud(host, vl_str_from(url->host, dot + 1));
}

/* The issuer of an external tenant has the tenant's id for a name. */
static bool
is_external(const struct vl_url *host, const struct vl_url *url)
{
    return vl_instance_external_name(host->host).n && vl_url_is_https(url) &&
           url->port == host->port &&
           vl_guid_is_valid(vl_instance_external_name(url->host));
}

/* --- members --- */

static valet_status
keep(const struct reading *r, struct vl_str text, struct vl_str *ret,
     valet_error *err)
{
    *ret = vl_arena_dup(r->arena, text);
    return ret->p ? VALET_OK
                  : vl_fail(err, VALET_LIMIT, "",
                            "the OpenID configuration is too large");
}

static valet_status
unusable(valet_error *err, const char *name)
{
    return vl_fail(err, VALET_DENIED, "",
                   "the OpenID configuration has no usable %s", name);
}

static valet_status
elsewhere(valet_error *err, const char *name)
{
    return vl_fail(err, VALET_DENIED, "",
                   "the OpenID configuration's %s is on another host than "
                   "the authority",
                   name);
}

/* The member `name`, a URL of the authority's. */
static valet_status
read_url(const struct reading *r, const char *name, struct vl_str *ret,
         valet_error *err)
{
    struct vl_url url;
    struct vl_str text = vl_json_get_str(r->document, name);
    if (!text.n || vl_url_parse(text, &url, NULL) != VALET_OK)
        return unusable(err, name);
    return is_ours(&r->host, &url) ? keep(r, text, ret, err)
                                   : elsewhere(err, name);
}

/* --- the issuer --- */

static valet_status
no_tenant(valet_error *err)
{
    return vl_fail(err, VALET_DENIED, "",
                   "the issuer of the OpenID configuration is not a tenant of "
                   "this authority");
}

/* "{authority}/{tenantid}/v2.0", with these letters. */
static valet_status
read_template(const struct reading *r, struct vl_str issuer, valet_error *err)
{
    struct vl_url url;
    size_t blank = vl_str_index(issuer, '{');
    struct vl_str head = vl_str_head(issuer, blank);
    if (vl_url_parse(head, &url, NULL) != VALET_OK)
        return unusable(err, "issuer");
    if (!is_ours(&r->host, &url))
        return elsewhere(err, "issuer");
    if (!vl_str_eqz(url.path, "/") || url.has_query ||
        !vl_str_eqz(vl_str_from(issuer, blank), TEMPLATE "/v2.0"))
        return vl_fail(err, VALET_DENIED, "",
                       "the issuer of the OpenID configuration is not the one "
                       "of many tenants");
    return VALET_OK;
}

/* "/{tid}/v2.0" → tid */
static bool
read_tid(const struct vl_url *url, char tid[VL_GUID_SIZE])
{
    struct vl_str guid =
        vl_str_head(vl_str_from(url->path, 1), VL_GUID_SIZE - 1);
    if (url->path.n != VL_GUID_SIZE + 5 || url->has_query ||
        !vl_str_starts(url->path, VL_STR("/")) ||
        !vl_str_ends(url->path, VL_STR("/v2.0")) || !vl_guid_is_valid(guid))
        return false;
    memcpy(tid, guid.p, guid.n);
    tid[guid.n] = '\0';
    return true;
}

/* @spec S-22: the tenant that was configured, and one that may sign in. A
 * domain may lead to that of all personal accounts. */
static valet_status
check_tenant(const struct vl_instance *instance, struct vl_str tid,
             valet_error *err)
{
    struct vl_str tenant = vl_str_z(instance->tenant);
    if ((vl_guid_is_valid(tenant) && !vl_str_ieq(tid, tenant)) ||
        (instance->tenants && !vl_instance_lists(instance->tenants, tid)))
        return vl_fail(err, VALET_DENIED, "",
                       "the OpenID configuration is of another tenant");
    if (!vl_guid_is_valid(tenant) && !instance->tenants &&
        vl_instance_is_personal(tid))
        return vl_fail(err, VALET_DENIED, "",
                       "the domain is that of everybody's personal account");
    return VALET_OK;
}

static valet_status
read_tenant(const struct reading *r, struct vl_str issuer,
            char tid[VL_GUID_SIZE], valet_error *err)
{
    struct vl_url url;
    if (vl_url_parse(issuer, &url, NULL) != VALET_OK)
        return unusable(err, "issuer");
    bool external = is_external(&r->host, &url);
    if (!is_ours(&r->host, &url) && !external)
        return elsewhere(err, "issuer");
    if (!read_tid(&url, tid))
        return no_tenant(err);
    if (external &&
        !vl_str_ieq(vl_instance_external_name(url.host), vl_str_z(tid)))
        return no_tenant(err);
    return check_tenant(r->instance, vl_str_z(tid), err);
}

static valet_status
read_issuer(const struct reading *r, struct vl_authority_facts *ret,
            valet_error *err)
{
    struct vl_str issuer = vl_json_get_str(r->document, "issuer");
    if (!issuer.n)
        return unusable(err, "issuer");
    if (vl_instance_is_shared(r->instance))
        VL_TRY(read_template(r, issuer, err));
    else
        VL_TRY(read_tenant(r, issuer, ret->tid, err));
    ret->tenants = r->instance->tenants;
    return keep(r, issuer, &ret->issuer, err);
}

valet_status
vl_authority_read(struct vl_str json, const struct vl_instance *instance,
                  struct vl_arena *arena, struct vl_authority_facts *ret,
                  valet_error *err)
{
    struct reading r = {.instance = instance, .arena = arena};
    struct vl_authority_facts facts = {0};
    vl_auto(vl_json) document = {NULL};
    VL_TRY(vl_url_parse(vl_str_z(instance->host), &r.host, err));
    VL_TRY(vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &document, err));
    r.document = document.root;
    VL_TRY(read_issuer(&r, &facts, err));
    const struct {
        const char *name;
        struct vl_str *field;
    } urls[] = {
        {"authorization_endpoint", &facts.authorization_endpoint},
        {"token_endpoint", &facts.token_endpoint},
        {"jwks_uri", &facts.jwks_uri},
    };
    for (size_t i = 0; i < VL_COUNT(urls); i++)
        VL_TRY(read_url(&r, urls[i].name, urls[i].field, err));
    if (vl_json_get(document.root, "device_authorization_endpoint"))
        VL_TRY(read_url(&r, "device_authorization_endpoint",
                        &facts.device_authorization_endpoint, err));
    *ret = facts;
    return VALET_OK;
}
