/* SPDX-License-Identifier: Apache-2.0
 *
 * Any claims, and after a line break any issuer of the key: who is let in has
 * exactly our issuer, audience, tenant and nonce, and a user's id.
 */
#include "core/limits.h"
#include "entra/id_token.h"
#include "entra/instance.h"

#define TID "aaaaaaaa-0000-4000-8000-000000000001"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is(const struct json_t *claims, const char *name, struct vl_str wanted)
{
    return vl_str_eq(vl_json_get_str(claims, name), wanted);
}

/* With many tenants: the token's own is one of them, and its issuer's. */
static void
check_many(const struct json_t *claims, const struct vl_id_token_rules *rules)
{
    static const char *const tenants[] = {
        "bbbbbbbb-0000-4000-8000-000000000002", TID, NULL};
    struct vl_id_token_rules many = *rules;
    struct vl_idp_person person = {.name = {NULL, 0}};
    char issuer[128];
    many.issuer = VL_STR("https://login.example/{tenantid}/v2.0");
    many.tid = VL_STR("");
    many.tenants = tenants;
    if (vl_id_token_check(claims, &many, &person, NULL) != VALET_OK)
        return;
    VL_ASSERT(vl_instance_lists(tenants, vl_str_z(person.user.tid)));
    (void)snprintf(issuer, sizeof issuer, "https://login.example/%s/v2.0",
                   person.user.tid);
    VL_ASSERT(is(claims, "iss", vl_str_z(issuer)));
    VL_ASSERT(is(claims, "aud", rules->client_id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str json = vl_str_of(data, size);
    size_t line = vl_str_index(json, '\n');
    const struct vl_id_token_rules rules = {
        .issuer = VL_STR("https://login.example/" TID "/v2.0"),
        .client_id = VL_STR("our-client"),
        .tid = VL_STR(TID),
        .nonce = VL_STR("our-nonce"),
        .key_issuer = vl_str_from(json, line + 1),
        .now_ms = 1800000000000,
    };
    vl_auto(vl_json) claims = {NULL};
    struct vl_idp_person person = {.name = {NULL, 0}};
    valet_error err = {.status = VALET_OK};
    int64_t exp = 0;
    if (vl_json_parse(vl_str_head(json, line), VL_LIMIT_JSON_DEPTH, &claims,
                      NULL) != VALET_OK)
        return 0;
    check_many(claims.root, &rules);
    valet_status status = vl_id_token_check(claims.root, &rules, &person, &err);
    VL_ASSERT(err.status == status);
    if (status != VALET_OK) {
        VL_ASSERT(status == VALET_DENIED && !person.user.oid[0]);
        return 0;
    }
    VL_ASSERT(is(claims.root, "iss", rules.issuer));
    VL_ASSERT(is(claims.root, "aud", rules.client_id));
    VL_ASSERT(is(claims.root, "tid", rules.tid));
    VL_ASSERT(is(claims.root, "nonce", rules.nonce));
    VL_ASSERT(vl_json_get_int(claims.root, "exp", &exp));
    VL_ASSERT(exp > rules.now_ms / 1000 - VL_ID_TOKEN_SKEW_S);
    VL_ASSERT(vl_guid_is_valid(vl_str_z(person.user.oid)));
    VL_ASSERT(vl_str_eqz(rules.tid, person.user.tid));
    return 0;
}
