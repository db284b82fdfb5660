/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/instance.h"

#include "cache/cache.h"
#include "core/limits.h"
#include "core/principal.h"
#include "core/status.h"
#include "entra/authority.h"
#include "http/url.h"

#define PUBLIC_CLOUD "https://login.microsoftonline.com"
/* Everybody's personal account; "consumers" is its name. */
#define PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"

static valet_status
wrong(valet_error *err, const char *option, const char *why)
{
    return vl_fail(err, VALET_INVALID, option, "%s %s", option, why);
}

bool
vl_instance_lists(const char *const *tenants, struct vl_str tid)
{
    for (; *tenants; tenants++)
        if (vl_str_ieq(vl_str_z(*tenants), tid))
            return true;
    return false;
}

bool
vl_instance_is_shared(const struct vl_instance *instance)
{
    struct vl_str tenant = vl_str_z(instance->tenant);
    return vl_str_ieq(tenant, VL_STR("organizations")) ||
           vl_str_ieq(tenant, VL_STR("common"));
}

bool
vl_instance_is_personal(struct vl_str tid)
{
    return vl_str_ieq(tid, VL_STR(PERSONAL));
}

struct vl_instance
vl_instance_of_tenant(const struct vl_instance *instance, const char *tenant)
{
    struct vl_instance other = *instance;
    other.tenant = tenant;
    if (!vl_str_ieq(vl_str_z(tenant), vl_str_z(instance->tenant)))
        other.metadata = NULL;
    return other;
}

struct vl_str
vl_instance_environment(const struct vl_instance *instance)
{
    struct vl_str host = vl_str_z(instance->host);
    return vl_str_from(host, vl_str_index(host, ':') + 3);
}

/* --- names --- */

static bool
is_label(struct vl_str label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!vl_is_letter(label.p[i]) && !vl_is_digit(label.p[i]) &&
            label.p[i] != '-')
            return false;
    return label.n > 0 && label.n <= 63 && label.p[0] != '-' &&
           label.p[label.n - 1] != '-';
}

/* Two labels or more; the last is no number, as in an address. */
static bool
is_domain(struct vl_str text)
{
    struct vl_str label = {NULL, 0};
    size_t labels = 0;
    if (text.n > 253)
        return false;
    while (vl_str_split(&text, '.', &label)) {
        if (!is_label(label))
            return false;
        labels++;
    }
    return labels >= 2 && vl_is_letter(label.p[0]);
}

struct vl_str
vl_instance_external_name(struct vl_str host)
{
    size_t dot = vl_str_index(host, '.');
    struct vl_str name = vl_str_head(host, dot);
    if (is_label(name) &&
        vl_str_ieq(vl_str_from(host, dot), VL_STR(".ciamlogin.com")))
        return name;
    return (struct vl_str){NULL, 0};
}

static void
add_lower(struct vl_buf *out, struct vl_str text)
{
    for (size_t i = 0; i < text.n; i++)
        vl_buf_addc(out, vl_to_lower(text.p[i]));
}

static valet_status
keep(struct vl_arena *arena, const struct vl_buf *text, const char **ret,
     valet_error *err)
{
    VL_TRY(vl_buf_check(text, err));
    *ret = vl_arena_cstr(arena, vl_buf_str(text));
    return *ret ? VALET_OK
                : vl_fail(err, VALET_LIMIT, "", "the authority is too long");
}

/* --- the options, one by one --- */

/* Nobody but Microsoft answers at these names, if TLS holds. */
static bool
is_microsofts(const struct vl_url *url)
{
    return vl_url_is_https(url) && url->port == 443 &&
           (vl_cache_known_cloud(url->host) ||
            vl_instance_external_name(url->host).n);
}

static valet_status
check_host(const struct vl_url *url, bool own_authority, valet_error *err)
{
    bool is_loopback = vl_url_is_loopback(url);
    if ((url->path.n && !vl_str_eqz(url->path, "/")) || url->has_query)
        return wrong(err, "authority_host",
                     "has to end with the host: the tenant is an option of "
                     "its own");
    if (!vl_url_is_http(url) || (!vl_url_is_https(url) && !is_loopback))
        return wrong(err, "authority_host",
                     "has to be https; http is for a loopback alone");
    if (!is_loopback && !own_authority && !is_microsofts(url))
        return wrong(err, "authority_host",
                     "is none of Microsoft's clouds, where alone mcp-valet's "
                     "commands sign in; if it is yours, a program of your own "
                     "can say so (own_authority)");
    return VALET_OK;
}

static valet_status
judge_host(const struct vl_instance *options, struct vl_arena *arena,
           struct vl_url *url, const char **ret, valet_error *err)
{
    const char *text = options->host ? options->host : PUBLIC_CLOUD;
    vl_auto(vl_buf) host = vl_buf_of(VL_LIMIT_PUBLIC_URL);
    if (vl_url_parse(vl_str_z(text), url, NULL) != VALET_OK ||
        !url->has_authority)
        return wrong(err, "authority_host",
                     "has to be a URL such as " PUBLIC_CLOUD);
    VL_TRY(check_host(url, options->own_authority, err));
    add_lower(&host, url->scheme);
    vl_buf_addz(&host, url->is_ipv6 ? "://[" : "://");
    add_lower(&host, url->host);
    vl_buf_addz(&host, url->is_ipv6 ? "]" : "");
    if (url->port != (vl_url_is_https(url) ? 443 : 80))
        vl_buf_addf(&host, ":%u", url->port);
    if (vl_buf_check(&host, NULL) != VALET_OK)
        return wrong(err, "authority_host", "is longer than 200 bytes");
    return keep(arena, &host, ret, err);
}

static valet_status
judge_list(const char *const *tenants, valet_error *err)
{
    size_t count = 0;
    if (tenants && !tenants[0])
        return wrong(err, "tenants", "is an empty list: nobody could sign in");
    for (; tenants && tenants[count]; count++) {
        if (count == VL_LIMIT_TENANTS)
            return wrong(err, "tenants", "has more than 1000 ids");
        if (!vl_guid_is_valid(vl_str_z(tenants[count])))
            return wrong(err, "tenants", "has to have ids (GUIDs), not names");
    }
    return VALET_OK;
}

/* @spec S-22 */
static valet_status
check_tenant(const struct vl_instance *judged, bool is_external,
             valet_error *err)
{
    struct vl_str tenant = vl_str_z(judged->tenant);
    const char *const *tenants = judged->tenants;
    bool is_guid = vl_guid_is_valid(tenant);
    bool is_listed = is_guid && tenants && vl_instance_lists(tenants, tenant);
    if (vl_str_eqz(tenant, "consumers") ||
        (vl_instance_is_personal(tenant) && !is_listed))
        return wrong(err, "tenant",
                     "is everybody's personal account: who has one cannot be "
                     "told apart from others");
    if (vl_instance_is_shared(judged)) {
        if (is_external)
            return wrong(err, "tenant", "of this authority is one alone");
        return tenants ? VALET_OK
                       : wrong(err, "tenant",
                               "lets people of any organisation sign in: name "
                               "yours in tenants");
    }
    if (!is_guid && !is_domain(tenant))
        return wrong(err, "tenant",
                     "has to be the id (GUID) or a domain of the tenant");
    if (is_guid && tenants && !is_listed)
        return wrong(err, "tenant", "is not one of tenants");
    return VALET_OK;
}

static valet_status
judge_tenant(const struct vl_instance *options, struct vl_str external,
             struct vl_arena *arena, struct vl_instance *judged,
             valet_error *err)
{
    vl_auto(vl_buf) tenant = vl_buf_of(253);
    if (!options->tenant && !external.n)
        return wrong(err, "tenant", "is missing");
    add_lower(&tenant, options->tenant ? vl_str_z(options->tenant) : external);
    if (!options->tenant && !vl_guid_is_valid(external))
        vl_buf_addz(&tenant, ".onmicrosoft.com");
    if (vl_buf_check(&tenant, NULL) != VALET_OK)
        return wrong(err, "tenant", "is longer than a domain can be");
    VL_TRY(keep(arena, &tenant, &judged->tenant, err));
    return check_tenant(judged, external.n > 0, err);
}

/* Better now than at the first sign-in. */
static valet_status
judge_metadata(const struct vl_instance *judged, valet_error *err)
{
    vl_auto(vl_arena) arena = vl_arena_of(VL_LIMIT_DOCUMENT);
    struct vl_authority_facts facts;
    valet_error why = {0};
    if (!judged->metadata)
        return VALET_OK;
    if (strlen(judged->metadata) > VL_LIMIT_DOCUMENT)
        return wrong(err, "metadata", "is longer than 64 KiB");
    if (vl_authority_read(vl_str_z(judged->metadata), judged, &arena, &facts,
                          &why) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "metadata", "metadata: %s",
                       why.message);
    return VALET_OK;
}

valet_status
vl_instance_judge(const struct vl_instance *options, struct vl_arena *arena,
                  struct vl_instance *ret, valet_error *err)
{
    struct vl_instance judged = *options;
    struct vl_url url;
    VL_TRY(judge_host(options, arena, &url, &judged.host, err));
    VL_TRY(judge_list(options->tenants, err));
    VL_TRY(judge_tenant(options, vl_instance_external_name(url.host), arena,
                        &judged, err));
    VL_TRY(judge_metadata(&judged, err));
    *ret = judged;
    return VALET_OK;
}
