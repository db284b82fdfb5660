/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/token.h"

/* Everything in a token of VL_LIMIT_JWT bytes, twice, and its tables. */
#define ARENA_MAX 262144

struct vl_token_inside {
    struct vl_arena arena; /* of all, this struct aside */
    size_t count;
    const struct vl_json_row *rows;
};

static bool
copy_rows(struct vl_token_inside *inside, const struct vl_json_table *table)
{
    struct vl_json_row *rows =
        vl_arena_alloc(&inside->arena, table->count * sizeof *rows);
    for (size_t i = 0; rows && i < table->count; i++) {
        rows[i].kind = table->rows[i].kind;
        rows[i].key = vl_arena_dup(&inside->arena, table->rows[i].key);
        rows[i].value = vl_arena_dup(&inside->arena, table->rows[i].value);
        if (!rows[i].key.p || !rows[i].value.p)
            return false;
    }
    inside->rows = rows;
    inside->count = table->count;
    return rows != NULL;
}

static bool
copy_roles(struct vl_token_inside *inside, const struct vl_words *roles,
           valet_token *ret)
{
    const char **copies =
        vl_arena_alloc(&inside->arena, (roles->count + 1) * sizeof *copies);
    for (size_t i = 0; copies && i < roles->count; i++) {
        copies[i] = vl_arena_cstr(&inside->arena, roles->items[i]);
        if (!copies[i])
            return false;
    }
    ret->roles = copies; /* zeroed, so it ends in NULL */
    return copies != NULL;
}

/* The text, or NULL for an absent one; *failed when there is no room. */
static const char *
copy_text(struct vl_token_inside *inside, struct vl_str text, bool *failed)
{
    const char *copy = text.p ? vl_arena_cstr(&inside->arena, text) : NULL;
    *failed = *failed || (text.p && !copy);
    return copy;
}

bool
vl_token_make(const struct vl_claims *claims,
              const struct vl_judgement *judgement, struct vl_str kid,
              valet_token *ret)
{
    struct vl_token_inside *inside = vl_alloc(sizeof *inside);
    *inside = (struct vl_token_inside){.arena = vl_arena_of(ARENA_MAX)};
    valet_token token = {
        .kind = judgement->kind,
        .entra_version = judgement->entra_version,
        .expires_at = claims->exp,
        .not_before = claims->nbf,
        .issued_at = claims->iat,
        .inside = inside,
    };
    bool failed = false;
    token.issuer = copy_text(inside, claims->iss, &failed);
    token.tenant_id = copy_text(inside, claims->tid, &failed);
    token.object_id = copy_text(inside, claims->oid, &failed);
    token.subject = copy_text(inside, claims->sub, &failed);
    token.client_id = copy_text(inside, claims->client, &failed);
    token.scopes = copy_text(inside, claims->scopes, &failed);
    token.key_id = copy_text(inside, kid, &failed);
    if (failed || !copy_rows(inside, claims->table) ||
        !copy_roles(inside, &claims->roles, &token)) {
        valet_token_done(&token);
        return false;
    }
    *ret = token;
    return true;
}

void
valet_token_done(valet_token *token)
{
    if (token->inside) {
        vl_arena_done(&token->inside->arena);
        free(token->inside);
    }
    *token = (valet_token){.inside = NULL};
}

bool
valet_token_has_scope(const valet_token *token, const char *scope)
{
    return vl_str_has_word(vl_str_z(token->scopes), vl_str_z(scope));
}

bool
valet_token_has_role(const valet_token *token, const char *role)
{
    for (const char *const *it = token->roles; it && *it; it++)
        if (strcmp(*it, role) == 0)
            return true;
    return false;
}

valet_claim_kind
valet_token_claim(const valet_token *token, const char *name, const char **ret)
{
    static const valet_claim_kind kinds[VL_JSON_KIND_COUNT] = {
        [VL_JSON_ABSENT] = VALET_CLAIM_ABSENT,
        [VL_JSON_NULL] = VALET_CLAIM_NULL,
        [VL_JSON_BOOL] = VALET_CLAIM_BOOL,
        [VL_JSON_INT] = VALET_CLAIM_NUMBER,
        [VL_JSON_REAL] = VALET_CLAIM_NUMBER,
        [VL_JSON_STRING] = VALET_CLAIM_STRING,
        [VL_JSON_ARRAY] = VALET_CLAIM_ARRAY,
        [VL_JSON_OBJECT] = VALET_CLAIM_OBJECT,
    };
    const struct vl_token_inside *inside = token->inside;
    *ret = NULL;
    for (size_t i = 0; inside && i < inside->count; i++)
        if (vl_str_eqz(inside->rows[i].key, name)) {
            *ret = inside->rows[i].value.p;
            return kinds[inside->rows[i].kind];
        }
    return VALET_CLAIM_ABSENT;
}
