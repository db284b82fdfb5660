/* SPDX-License-Identifier: Apache-2.0
 *
 * Any document: what is believed of it has the authority's origin and the
 * configured tenant.
 */
#include "entra/authority.h"
#include "http/url.h"

#define HOST "https://login.example"
#define TID  "aaaaaaaa-0000-4000-8000-000000000001"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct vl_str json, const char *tenant, bool is_guid)
{
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    valet_error err = {.status = VALET_OK};
    const struct vl_instance instance = {.host = HOST, .tenant = tenant};
    valet_status status =
        vl_authority_read(json, &instance, &arena, &facts, &err);
    VL_ASSERT(err.status == status);
    if (status != VALET_OK) {
        VL_ASSERT(!facts.issuer.p);
        return;
    }
    const struct vl_str urls[] = {facts.issuer, facts.authorization_endpoint,
                                  facts.token_endpoint, facts.jwks_uri};
    struct vl_url host, url;
    VL_ASSERT(vl_url_parse(VL_STR(HOST), &host, NULL) == VALET_OK);
    for (size_t i = 0; i < VL_COUNT(urls); i++) {
        VL_ASSERT(vl_url_parse(urls[i], &url, NULL) == VALET_OK);
        VL_ASSERT(vl_url_same_origin(&url, &host));
        VL_ASSERT(strlen(urls[i].p) == urls[i].n);
    }
    VL_ASSERT(vl_guid_is_valid(vl_str_z(facts.tid)));
    VL_ASSERT(!is_guid || vl_str_ieq(vl_str_z(facts.tid), VL_STR(TID)));
}

/* Nothing is sent to an external tenant's other name, or beyond Microsoft. */
static void
check_microsofts(struct vl_str json, const struct vl_instance *instance)
{
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    struct vl_url host, url;
    char lower[1024];
    if (vl_authority_read(json, instance, &arena, &facts, NULL) != VALET_OK)
        return;
    VL_ASSERT(facts.tid[0] || vl_instance_is_shared(instance));
    VL_ASSERT(vl_url_parse(vl_str_z(instance->host), &host, NULL) == VALET_OK);
    for (size_t i = 0; i < facts.token_endpoint.n; i++)
        lower[i % sizeof lower] = vl_to_lower(facts.token_endpoint.p[i]);
    if (facts.token_endpoint.n > sizeof lower)
        return;
    VL_ASSERT(vl_url_parse(vl_str_of(lower, facts.token_endpoint.n), &url,
                           NULL) == VALET_OK);
    VL_ASSERT(vl_url_is_https(&url) && url.port == 443);
    VL_ASSERT(vl_url_same_origin(&url, &host) ||
              vl_str_ends(url.host, VL_STR("login.windows.net")) ||
              vl_str_ends(url.host, VL_STR("login.microsoftonline.com")) ||
              vl_str_ends(url.host, VL_STR("login.microsoft.com")) ||
              vl_str_ends(url.host, VL_STR("sts.windows.net")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tenants[] = {TID, NULL};
    struct vl_str json = vl_str_of(data, size);
    check_microsofts(
        json, &(struct vl_instance){.host = "https://login.microsoftonline.com",
                                    .tenant = "organizations",
                                    .tenants = tenants});
    check_microsofts(
        json, &(struct vl_instance){.host = "https://contoso.ciamlogin.com",
                                    .tenant = "contoso.onmicrosoft.com"});
    check(json, TID, true);
    check(json, "contoso.example", false);
    return 0;
}
