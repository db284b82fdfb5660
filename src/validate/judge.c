/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/judge.h"

#include "core/principal.h"

/* --- whose --- */

/* prefix middle suffix, and nothing else? */
static bool
is_form(struct vl_str text, const struct vl_issuer_form *form,
        struct vl_str middle)
{
    size_t n = form->prefix.n;
    return text.n == n + middle.n + form->suffix.n &&
           vl_str_starts(text, form->prefix) &&
           vl_str_ends(text, form->suffix) &&
           vl_str_starts(vl_str_from(text, n), middle);
}

/*
 * Entra's keys are those of one tenant, or of all; those of all name the
 * issuer with a blank. The same keys sign for both versions, so either form
 * of the token's own tenant will do.
 */
static bool
is_key_of(const struct vl_rules *rules, struct vl_str key_issuer,
          struct vl_str tid)
{
    if (!key_issuer.n)
        return true;
    for (size_t i = 0; i < VL_ISSUER_FORMS; i++)
        if (is_form(key_issuer, &rules->forms[i], tid) ||
            is_form(key_issuer, &rules->forms[i], VL_STR(VL_TENANT_BLANK)))
            return true;
    return false;
}

/*
 * @spec S-22 W-97 W-102
 * The tenant is one of the list and the issuer is that tenant's, letter for
 * letter; "begins with the sign-in host" would let everybody in.
 */
static valet_reason
check_entra(const struct vl_rules *rules, const struct vl_claims *claims,
            struct vl_str key_issuer, int *ret_version)
{
    const struct vl_issuer_form *form = NULL;
    static const char *const names[] = {"", "1.0", "2.0"};
    for (size_t i = 0; i < VL_ISSUER_FORMS; i++) {
        const struct vl_issuer_form *it = &rules->forms[i];
        size_t around = it->prefix.n + it->suffix.n;
        struct vl_str tenant =
            vl_str_head(vl_str_from(claims->iss, it->prefix.n),
                        claims->iss.n > around ? claims->iss.n - around : 0);
        if (vl_guid_is_valid(tenant) && is_form(claims->iss, it, tenant)) {
            form = it;
            if (!vl_words_have(&rules->tenants, tenant) ||
                !vl_str_eq(claims->tid, tenant))
                return VALET_REASON_TENANT;
        }
    }
    if (!form)
        return VALET_REASON_ISSUER;
    if (!vl_str_eqz(claims->ver, names[form->version]) ||
        !(rules->versions & (unsigned)form->version))
        return VALET_REASON_VERSION;
    *ret_version = form->version;
    return is_key_of(rules, key_issuer, claims->tid) ? VALET_REASON_NONE
                                                     : VALET_REASON_KEY_ISSUER;
}

static valet_reason
check_issuer(const struct vl_rules *rules, const struct vl_claims *claims,
             struct vl_str key_issuer, int *ret_version)
{
    if (!rules->issuer.n)
        return check_entra(rules, claims, key_issuer, ret_version);
    *ret_version = 0;
    if (!vl_str_eq(claims->iss, rules->issuer))
        return VALET_REASON_ISSUER;
    return !key_issuer.n || vl_str_eq(key_issuer, rules->issuer)
               ? VALET_REASON_NONE
               : VALET_REASON_KEY_ISSUER;
}

/* --- for whom --- */

/* Microsoft Graph in its clouds: what a client gets that asked for User.Read
 * instead of a scope of the API's. */
static bool
is_graph(struct vl_str audience)
{
    static const char *const names[] = {
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    };
    if (vl_str_ends(audience, VL_STR("/")))
        audience = vl_str_head(audience, audience.n - 1);
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(audience, vl_str_z(names[i])))
            return true;
    return false;
}

/* @spec S-15 */
static valet_reason
check_audience(const struct vl_rules *rules, const struct vl_claims *claims)
{
    bool graph = false;
    for (size_t i = 0; i < claims->audiences.count; i++) {
        if (vl_words_have(&rules->audiences, claims->audiences.items[i]))
            return VALET_REASON_NONE;
        graph = graph || is_graph(claims->audiences.items[i]);
    }
    return graph ? VALET_REASON_GRAPH_AUDIENCE : VALET_REASON_AUDIENCE;
}

static valet_reason
check_time(const struct vl_rules *rules, const struct vl_claims *claims,
           int64_t now)
{
    if (claims->exp <= now - rules->skew_s)
        return VALET_REASON_EXPIRED;
    if (claims->nbf > now + rules->skew_s || claims->iat > now + rules->skew_s)
        return VALET_REASON_NOT_YET;
    return VALET_REASON_NONE;
}

/* --- from whom --- */

static bool
has(const struct vl_claims *claims, struct vl_str name)
{
    return vl_json_table_find(claims->table, name) != NULL;
}

/*
 * RFC 8725 section 3.12: an id token of the same issuer has the same keys and,
 * if API and client are one registration, the same audience. It has hashes
 * that no access token has; Entra's names no client and no scope.
 */
static valet_reason
check_client(const struct vl_rules *rules, const struct vl_claims *claims)
{
    if (has(claims, VL_STR("at_hash")) || has(claims, VL_STR("c_hash")))
        return VALET_REASON_ID_TOKEN;
    if (!claims->client.n && !claims->scopes.n &&
        (has(claims, VL_STR("nonce")) || !rules->issuer.n))
        return VALET_REASON_ID_TOKEN;
    if (!claims->client.n)
        return !rules->issuer.n || rules->clients.items ? VALET_REASON_NO_CLIENT
                                                        : VALET_REASON_NONE;
    return !rules->clients.items ||
                   vl_words_have(&rules->clients, claims->client)
               ? VALET_REASON_NONE
               : VALET_REASON_CLIENT;
}

/*
 * Entra says it in the optional claim `idtyp`; without that, a person's token
 * has scopes, and in an application's own `oid` and `sub` are the same.
 */
static valet_reason
find_entra_kind(const struct vl_claims *claims, valet_token_kind *ret)
{
    bool scopes = claims->scopes.n > 0;
    bool said_app = vl_str_eqz(claims->idtyp, "app");
    bool said_user = vl_str_eqz(claims->idtyp, "user");
    if (!claims->sub.n || (!vl_guid_is_valid(claims->oid) && !said_app))
        return VALET_REASON_NO_SUBJECT;
    if (claims->idtyp.p && !said_app && !said_user)
        return VALET_REASON_KIND;
    if (said_app
            ? scopes
            : !scopes && !said_user && !vl_str_eq(claims->oid, claims->sub))
        return VALET_REASON_KIND;
    *ret = said_user || scopes ? VALET_TOKEN_USER : VALET_TOKEN_APP;
    return VALET_REASON_NONE;
}

/* RFC 9068 section 2.2: without a person, `sub` is the client; some issuers
 * add a word to it. */
static valet_reason
find_kind(const struct vl_claims *claims, valet_token_kind *ret)
{
    struct vl_str sub = claims->sub;
    if (vl_str_ends(sub, VL_STR("@clients")))
        sub = vl_str_head(sub, sub.n - 8);
    if (!claims->sub.n)
        return VALET_REASON_NO_SUBJECT;
    *ret = claims->client.n && vl_str_eq(sub, claims->client)
               ? VALET_TOKEN_APP
               : VALET_TOKEN_USER;
    return VALET_REASON_NONE;
}

/* --- what it may --- */

static bool
has_scope_of(const struct vl_words *words, struct vl_str scopes)
{
    for (size_t i = 0; i < words->count; i++)
        if (vl_str_has_word(scopes, words->items[i]))
            return true;
    return false;
}

static bool
has_role_of(const struct vl_words *words, const struct vl_words *roles)
{
    for (size_t i = 0; i < roles->count; i++)
        if (vl_words_have(words, roles->items[i]))
            return true;
    return false;
}

/* @spec W-89: a person's and an application's tokens are different things. */
static valet_reason
check_permission(const struct vl_rules *rules, const struct vl_claims *claims,
                 valet_token_kind kind)
{
    if (kind == VALET_TOKEN_APP) {
        if (!rules->app_roles.items)
            return VALET_REASON_APP_ONLY;
        /* Issuers without roles give applications scopes. */
        bool good = has_role_of(&rules->app_roles, &claims->roles) ||
                    (rules->issuer.n &&
                     has_scope_of(&rules->app_roles, claims->scopes));
        return good ? VALET_REASON_NONE : VALET_REASON_ROLE;
    }
    if (rules->no_users)
        return VALET_REASON_USER;
    if (rules->scopes.items ? !has_scope_of(&rules->scopes, claims->scopes)
                            : vl_str_trim(claims->scopes).n == 0)
        return VALET_REASON_SCOPE;
    if (rules->user_roles.items &&
        !has_role_of(&rules->user_roles, &claims->roles))
        return VALET_REASON_ROLE;
    return VALET_REASON_NONE;
}

/* @spec S-15 */
valet_reason
vl_judge(const struct vl_rules *rules, const struct vl_claims *claims,
         struct vl_str key_issuer, int64_t now_s, struct vl_judgement *ret)
{
    struct vl_judgement is = {0};
    valet_reason reason =
        check_issuer(rules, claims, key_issuer, &is.entra_version);
    if (reason == VALET_REASON_NONE)
        reason = check_audience(rules, claims);
    if (reason == VALET_REASON_NONE)
        reason = check_time(rules, claims, now_s);
    if (reason == VALET_REASON_NONE)
        reason = check_client(rules, claims);
    if (reason == VALET_REASON_NONE)
        reason = rules->issuer.n ? find_kind(claims, &is.kind)
                                 : find_entra_kind(claims, &is.kind);
    if (reason == VALET_REASON_NONE)
        reason = check_permission(rules, claims, is.kind);
    if (reason == VALET_REASON_NONE)
        *ret = is;
    return reason;
}
