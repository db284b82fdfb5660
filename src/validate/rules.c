/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/rules.h"

#include "core/principal.h"
#include "core/status.h"
#include "http/fetch.h"
#include "http/url.h"

/* A thousand tenants and as many clients fit four times over. */
#define TEXTS_MAX 1048576
#define WORDS_MAX 1000
/* Uris of APIs and issuers are much shorter. */
#define WORD_MAX 2048
#define PUBLIC   "https://login.microsoftonline.com"

static valet_status
refuse(valet_error *err, const char *option, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "option %s: %s", option, why);
}

static valet_status
copy(struct vl_rules *rules, const char *option, const char *text,
     struct vl_str *ret, valet_error *err)
{
    struct vl_str s = vl_str_z(text);
    if (s.n == 0 || s.n > WORD_MAX || !vl_str_is_utf8(s))
        return refuse(err, option, "a text is empty, too long or not UTF-8");
    *ret = vl_arena_dup(&rules->arena, s);
    return ret->p ? VALET_OK : refuse(err, option, "too much text");
}

static valet_status
copy_list(struct vl_rules *rules, const char *option, const char *const *list,
          struct vl_words *ret, valet_error *err)
{
    size_t count = 0;
    if (!list)
        return VALET_OK;
    while (list[count] && count <= WORDS_MAX)
        count++;
    if (count == 0 || count > WORDS_MAX)
        return refuse(err, option, "the list is empty or has more than 1000");
    struct vl_str *items = vl_arena_alloc(&rules->arena, count * sizeof *items);
    if (!items)
        return refuse(err, option, "too much text");
    for (size_t i = 0; i < count; i++)
        VL_TRY(copy(rules, option, list[i], &items[i], err));
    *ret = (struct vl_words){items, count};
    return VALET_OK;
}

/* A text made of others, in the arena. */
static const char *
join(struct vl_rules *rules, struct vl_str a, struct vl_str b, struct vl_str c)
{
    vl_auto(vl_buf) text = vl_buf_of(3 * WORD_MAX);
    vl_buf_add(&text, a);
    vl_buf_add(&text, b);
    vl_buf_add(&text, c);
    return vl_arena_cstr(&rules->arena, vl_buf_str(&text));
}

/* --- whose tokens --- */

/* @spec S-22 */
static valet_status
read_tenants(struct vl_rules *rules, const char *const *tenants,
             valet_error *err)
{
    VL_TRY(copy_list(rules, "tenants", tenants, &rules->tenants, err));
    for (size_t i = 0; i < rules->tenants.count; i++) {
        struct vl_str tenant = rules->tenants.items[i];
        char *text = (char *)(uintptr_t)tenant.p; /* the arena's, ours */
        if (!vl_guid_is_valid(tenant))
            return refuse(err, "tenants",
                          "a tenant is named by its id, a "
                          "GUID, not by a domain");
        for (size_t k = 0; k < tenant.n; k++)
            if (text[k] >= 'A' && text[k] <= 'F')
                text[k] = (char)(text[k] - 'A' + 'a');
    }
    return VALET_OK;
}

/* https, or http on this machine; without query, and without the slash that
 * people put at the end. */
static valet_status
read_url(const char *option, const char *text, struct vl_url *ret,
         valet_error *err)
{
    struct vl_url url;
    if (vl_url_parse(vl_str_z(text), &url, NULL) != VALET_OK ||
        !vl_url_is_http(&url) ||
        (!vl_url_is_https(&url) && !vl_url_is_loopback(&url)))
        return refuse(err, option, "this is no https URL");
    *ret = url;
    return VALET_OK;
}

/*
 * Who signs v1 tokens is not the host that people sign in at. The national
 * clouds: learn.microsoft.com/entra/identity-platform/authentication-
 * national-cloud, and their OpenID configurations. An authority that is not
 * Microsoft's (the stand-in) speaks for itself.
 */
static struct vl_str
v1_host(struct vl_str host)
{
    static const struct {
        const char *host, *v1;
    } clouds[] = {
        {PUBLIC, "https://sts.windows.net"},
        {"https://login.microsoftonline.us", "https://sts.windows.net"},
        {"https://login.partner.microsoftonline.cn",
         "https://sts.chinacloudapi.cn"},
    };
    for (size_t i = 0; i < VL_COUNT(clouds); i++)
        if (vl_str_eqz(host, clouds[i].host))
            return vl_str_z(clouds[i].v1);
    return host;
}

static valet_status
read_entra(struct vl_rules *rules, const valet_validator_options *options,
           valet_error *err)
{
    const char *text =
        options->authority_host ? options->authority_host : PUBLIC;
    static const struct vl_str document = {
        "/v2.0/.well-known/openid-configuration", 38};
    struct vl_url url;
    VL_TRY(read_tenants(rules, options->tenants, err));
    VL_TRY(read_url("authority_host", text, &url, err));
    if (url.path.n > 1 || url.has_query)
        return refuse(err, "authority_host", "it is only https://HOST");
    struct vl_str host = vl_arena_dup(&rules->arena, url.origin),
                  slash = {"/", 1};
    const char *v1 = join(rules, v1_host(host), slash, VL_STR(""));
    const char *v2 = join(rules, host, slash, VL_STR(""));
    /* One tenant is asked for its own keys; several share the common ones. */
    bool one = rules->tenants.count == 1;
    struct vl_str tenant =
        one ? rules->tenants.items[0] : VL_STR(VL_TENANT_BLANK);
    rules->forms[0] = (struct vl_issuer_form){vl_str_z(v1), slash, 1};
    rules->forms[1] = (struct vl_issuer_form){vl_str_z(v2), VL_STR("/v2.0"), 2};
    rules->key_origin = host.p;
    rules->document_url =
        join(rules, vl_str_z(v2), one ? tenant : VL_STR("common"), document);
    rules->document_says =
        vl_str_z(join(rules, vl_str_z(v2), tenant, VL_STR("/v2.0")));
    rules->versions = options->entra_versions ? options->entra_versions
                                              : VALET_ENTRA_V1 | VALET_ENTRA_V2;
    if (rules->versions & ~(unsigned)(VALET_ENTRA_V1 | VALET_ENTRA_V2))
        return refuse(err, "entra_versions", "there are 1 and 2");
    return VALET_OK;
}

/* OpenID Connect Discovery 1.0 section 4: appended, without a slash before. */
static valet_status
read_issuer(struct vl_rules *rules, const valet_validator_options *options,
            valet_error *err)
{
    struct vl_url url;
    if (options->authority_host || options->entra_versions)
        return refuse(err, "issuer",
                      "authority_host and entra_versions are "
                      "Entra's, which has tenants instead");
    VL_TRY(read_url("issuer", options->issuer, &url, err));
    if (url.has_query)
        return refuse(err, "issuer", "it has no query");
    VL_TRY(copy(rules, "issuer", options->issuer, &rules->issuer, err));
    struct vl_str base = rules->issuer;
    if (vl_str_ends(base, VL_STR("/")))
        base = vl_str_head(base, base.n - 1);
    rules->document_url = join(
        rules, base, VL_STR("/.well-known/openid-configuration"), VL_STR(""));
    rules->document_says = rules->issuer;
    return VALET_OK;
}

static valet_status
read_origin(struct vl_rules *rules, const valet_validator_options *options,
            valet_error *err)
{
    struct vl_url url;
    struct vl_str uri;
    if (!options->tenants == !options->issuer)
        return refuse(err, "tenants", "either tenants or issuer is set");
    VL_TRY(options->tenants ? read_entra(rules, options, err)
                            : read_issuer(rules, options, err));
    if (options->jwks_uri) {
        VL_TRY(read_url("jwks_uri", options->jwks_uri, &url, err));
        VL_TRY(copy(rules, "jwks_uri", options->jwks_uri, &uri, err));
        rules->jwks_uri = uri.p;
    }
    return VALET_OK;
}

/* --- how --- */

static valet_status
read_number(const char *option, int value, const int bounds[3], int64_t *ret,
            valet_error *err)
{
    if (value != 0 && (value < bounds[0] || value > bounds[2]))
        return vl_fail(err, VALET_INVALID, "", "option %s: it is from %d to %d",
                       option, bounds[0], bounds[2]);
    *ret = value ? value : bounds[1];
    return VALET_OK;
}

static valet_status
read_times(struct vl_rules *rules, const valet_validator_options *options,
           valet_error *err)
{
    /* From, default, to. */
    static const int timeout[] = {100, 10000, 60000};
    static const int refresh[] = {60, 86400, 604800};
    static const int pause[] = {5, 300, 3600};
    static const int skew[] = {-1, 300, 600};
    int64_t refresh_s, pause_s, stale_s;
    VL_TRY(read_number("fetch_timeout_ms", options->fetch_timeout_ms, timeout,
                       &rules->timeout_ms, err));
    VL_TRY(
        read_number("refresh_s", options->refresh_s, refresh, &refresh_s, err));
    VL_TRY(read_number("refetch_pause_s", options->refetch_pause_s, pause,
                       &pause_s, err));
    VL_TRY(read_number("clock_skew_s", options->clock_skew_s, skew,
                       &rules->skew_s, err));
    /* Keys that are not old yet are not stale. */
    int least = refresh_s > 259200 ? (int)refresh_s : 259200;
    const int stale[] = {(int)refresh_s, least, 1209600};
    VL_TRY(read_number("stale_s", options->stale_s, stale, &stale_s, err));
    if (rules->skew_s < 0)
        rules->skew_s = 0;
    rules->refresh_ms = 1000 * refresh_s;
    rules->pause_ms = 1000 * pause_s;
    rules->stale_ms = 1000 * stale_s;
    return VALET_OK;
}

static valet_status
read_how(struct vl_rules *rules, const valet_validator_options *options,
         valet_error *err)
{
    const unsigned all = VALET_RS256 | VALET_PS256 | VALET_ES256;
    _Static_assert((int)VALET_RS256 == (int)VL_ALG_RS256 &&
                       (int)VALET_PS256 == (int)VL_ALG_PS256 &&
                       (int)VALET_ES256 == (int)VL_ALG_ES256,
                   "the public names are those of jose/");
    if (options->algorithms & ~all)
        return refuse(err, "algorithms", "there is no such algorithm");
    if (options->only_at_jwt && options->tenants)
        return refuse(err, "only_at_jwt", "Entra's tokens are typed JWT");
    rules->jws = (struct vl_jws_rules){
        .algs = options->algorithms ? options->algorithms : all,
        .strict = true,
        .only_at_jwt = options->only_at_jwt,
    };
    if (options->ca_file) {
        struct vl_str path;
        VL_TRY(copy(rules, "ca_file", options->ca_file, &path, err));
        VL_TRY(vl_fetch_check_roots(path.p, err));
        rules->ca_file = path.p;
    }
    return read_times(rules, options, err);
}

/* @spec W-89 */
static valet_status
read_lists(struct vl_rules *rules, const valet_validator_options *options,
           valet_error *err)
{
    if (!options->audiences)
        return refuse(err, "audiences",
                      "a token is for somebody: name the "
                      "API's id or URI");
    if (options->no_users && !options->app_roles)
        return refuse(err, "no_users", "then app_roles has to be set");
    VL_TRY(copy_list(rules, "audiences", options->audiences, &rules->audiences,
                     err));
    VL_TRY(copy_list(rules, "clients", options->clients, &rules->clients, err));
    VL_TRY(copy_list(rules, "scopes", options->scopes, &rules->scopes, err));
    VL_TRY(copy_list(rules, "user_roles", options->user_roles,
                     &rules->user_roles, err));
    rules->no_users = options->no_users;
    return copy_list(rules, "app_roles", options->app_roles, &rules->app_roles,
                     err);
}

valet_status
vl_rules_read(const valet_validator_options *options, struct vl_rules *ret,
              valet_error *err)
{
    *ret = (struct vl_rules){.arena = vl_arena_of(TEXTS_MAX)};
    for (size_t i = 0; i < VL_COUNT(options->later); i++)
        if (options->later[i])
            return refuse(err, "later", "this version has no such option");
    VL_TRY(read_origin(ret, options, err));
    VL_TRY(read_lists(ret, options, err));
    return read_how(ret, options, err);
}

void
vl_rules_done(struct vl_rules *rules)
{
    vl_arena_done(&rules->arena);
}

bool
vl_words_have(const struct vl_words *words, struct vl_str word)
{
    for (size_t i = 0; i < words->count; i++)
        if (vl_str_eq(words->items[i], word))
            return true;
    return false;
}
