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
    valet_status status =
        vl_authority_read(json, HOST, tenant, &arena, &facts, &err);
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str json = vl_str_of(data, size);
    check(json, TID, true);
    check(json, "contoso.example", false);
    return 0;
}
