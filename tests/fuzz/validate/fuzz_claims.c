/* SPDX-License-Identifier: Apache-2.0
 *
 * The input as claims of a token that was signed: read, judged by the rules of
 * Entra and of another issuer, and handed out when they are good. What is good
 * names a tenant of the list, an audience of ours and a time to come.
 */
#include "core/limits.h"
#include "validate/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TID   "aaaaaaaa-0000-4000-8000-00000000000a"
#define NOW_S 1800000000

static void
make_rules(struct vl_rules *entra, struct vl_rules *other)
{
    static const char *const tenants[] = {TID, NULL};
    static const char *const audiences[] = {"api", NULL};
    static const char *const app_roles[] = {"sync", NULL};
    const valet_validator_options options[] = {
        {.tenants = tenants, .audiences = audiences, .app_roles = app_roles},
        {.issuer = "https://i", .audiences = audiences, .app_roles = app_roles},
    };
    VL_ASSERT(vl_rules_read(&options[0], entra, NULL) == VALET_OK);
    VL_ASSERT(vl_rules_read(&options[1], other, NULL) == VALET_OK);
}

static void
hand_out(const struct vl_rules *rules, const struct vl_claims *claims,
         const struct vl_judgement *judgement)
{
    valet_token token;
    const char *aud;
    VL_ASSERT(vl_token_make(claims, judgement, VL_STR("kid"), &token));
    VL_ASSERT(rules->issuer.n ? strcmp(token.issuer, "https://i") == 0
                              : strcmp(token.tenant_id, TID) == 0);
    VL_ASSERT(token.expires_at > NOW_S - 300);
    VL_ASSERT(valet_token_claim(&token, "aud", &aud) != VALET_CLAIM_ABSENT);
    VL_ASSERT(strstr(aud, "api") || strchr(aud, '\\'));
    VL_ASSERT(token.kind == VALET_TOKEN_USER || token.kind == VALET_TOKEN_APP);
    VL_ASSERT(token.kind == VALET_TOKEN_APP || token.scopes);
    valet_token_done(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vl_rules rules[2];
    static struct vl_json_table table;
    struct vl_arena arena = vl_arena_of(VL_CLAIMS_ARENA);
    struct vl_claims claims;
    if (!rules[0].audiences.count)
        make_rules(&rules[0], &rules[1]);
    /* A token that is longer does not come so far. */
    if (size <= VL_LIMIT_JWT &&
        vl_json_table_read(vl_str_of(data, size), VL_LIMIT_JSON_DEPTH, &arena,
                           &table, NULL) == VALET_OK &&
        vl_claims_read(&table, &arena, &claims) == VALET_REASON_NONE) {
        for (size_t i = 0; i < 2; i++) {
            struct vl_judgement judgement;
            if (vl_judge(&rules[i], &claims, (struct vl_str){NULL, 0}, NOW_S,
                         &judgement) == VALET_REASON_NONE)
                hand_out(&rules[i], &claims, &judgement);
        }
    }
    vl_arena_done(&arena);
    return 0;
}
