/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/assertion.h"

#include "core/enc.h"
#include "core/limits.h"
#include "jose/signed.h"
#include "json/read.h"

#define THUMBPRINT_MAX 64
#define SKEW_S         300
#define EXCHANGE       "api://AzureADTokenExchange"

struct check {
    struct vl_tenant_call *call;
    const struct vl_tenant_app *app;
    struct vl_signed shown;
    const char *detail;
};

static struct vl_str
claim(const struct check *c, const char *name)
{
    return vl_json_get_str(c->shown.claims.root, name);
}

/* A NumericDate may have a fraction (RFC 7519 section 2), and the one of MSAL
 * for Python has: whole seconds are enough for us. */
static bool
read_date(const struct check *c, const char *name, int64_t *ret)
{
    const struct json_t *value = vl_json_get(c->shown.claims.root, name);
    vl_auto(vl_buf) text = vl_buf_of(64);
    struct vl_json_out json = {&text, false};
    uint64_t seconds;
    if (vl_json_int(value, ret))
        return true;
    if (vl_json_kind(value) != VL_JSON_REAL)
        return false;
    vl_json_add_value(&json, NULL, value);
    struct vl_str whole =
        vl_str_head(vl_buf_str(&text), vl_str_index(vl_buf_str(&text), '.'));
    if (!vl_str_u64(whole, INT64_MAX, &seconds))
        return false;
    *ret = (int64_t)seconds;
    return true;
}

static unsigned
check_times(struct check *c)
{
    int64_t now = vl_tenant_now(c->call) / 1000, exp, nbf;
    if (!read_date(c, "exp", &exp)) {
        c->detail = "It has no exp.";
        return 50027;
    }
    if (now >= exp + SKEW_S)
        return 700024;
    if (read_date(c, "nbf", &nbf) && now < nbf - SKEW_S)
        return 700024;
    return 0;
}

/* The token endpoint, or the tenant's issuer, by any name of the tenant. */
static bool
is_for_us(const struct check *c)
{
    static const char *const ends[] = {"/oauth2/v2.0/token", "/oauth2/token",
                                       "/v2.0", "/", ""};
    const struct vl_tenant_call *call = c->call;
    const struct json_t *aud = vl_json_get(c->shown.claims.root, "aud");
    const char *names[] = {
        vl_tenant_format(call, VL_STR_FMT, VL_STR_ARG(call->segment)),
        call->realm ? call->realm->id : NULL,
        call->realm ? call->realm->domain : NULL};
    for (size_t n = 0; n < VL_COUNT(names); n++)
        for (size_t e = 0; names[n] && e < VL_COUNT(ends); e++)
            if (vl_json_has_str(aud, vl_str_z(vl_tenant_format(
                                         call, "%s/%s%s", call->origin,
                                         names[n], ends[e]))))
                return true;
    return false;
}

/* base64url or base64, padded or not: the libraries do not agree. */
static bool
read_thumbprint(struct vl_str text, struct vl_buf *out)
{
    char url[THUMBPRINT_MAX];
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    if (!text.n || text.n > sizeof url)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        url[i] = c == '+' ? '-' : (char)(c == '/' ? '_' : c);
    }
    return vl_dec_base64url(vl_str_of(url, text.n), out);
}

static unsigned
check_header(struct check *c)
{
    const struct json_t *header = c->shown.header.root;
    struct vl_str typ = vl_json_get_str(header, "typ");
    struct vl_str alg = vl_json_get_str(header, "alg");
    if (vl_json_get(header, "typ") && !vl_str_ieq(typ, VL_STR("JWT"))) {
        c->detail = "Its typ is not JWT.";
        return 5002727;
    }
    if (!vl_str_eqz(alg, "RS256") && !vl_str_eqz(alg, "PS256")) {
        c->detail = "Its alg is neither PS256 nor RS256.";
        return 5002727;
    }
    return 0;
}

static unsigned
check_signature(struct check *c)
{
    const struct json_t *header = c->shown.header.root;
    vl_auto(vl_buf) thumbprint = vl_buf_of(THUMBPRINT_MAX);
    struct vl_str text = vl_json_get_str(header, "x5t#S256");
    if (!text.n)
        text = vl_json_get_str(header, "x5t");
    if (!read_thumbprint(text, &thumbprint)) {
        c->detail = "Its header has neither x5t#S256 nor x5t.";
        return 50027;
    }
    const struct vl_tenant_certificate *certificate =
        vl_tenant_credentials_find(&c->app->credentials,
                                   vl_buf_str(&thumbprint));
    if (!certificate) {
        c->detail = vl_tenant_format(
            c->call, "The application has no certificate of the thumbprint %s.",
            vl_tenant_format(c->call, VL_STR_FMT, VL_STR_ARG(text)));
        return 700027;
    }
    if (vl_signed_verify(&c->shown, certificate->pkey, NULL) == VALET_OK)
        return 0;
    c->detail = "The certificate is known, but its key did not sign this.";
    return 700027;
}

/* @spec entra-wire 2.14: signed by the application itself */
static unsigned
check_own(struct check *c)
{
    if (!vl_str_ieq(claim(c, "sub"), vl_str_z(c->app->id)))
        return 700021;
    unsigned code = check_signature(c);
    if (!code && !is_for_us(c)) {
        c->detail = vl_tenant_format(
            c->call, "It should be %s/" VL_STR_FMT "/oauth2/v2.0/token.",
            c->call->origin, VL_STR_ARG(c->call->segment));
        code = 700023;
    }
    return code ? code : check_times(c);
}

/* What was presented beside what is registered: a letter of other case is hard
 * to see alone. */
static unsigned
differ(struct check *c, unsigned code, const char *name, struct vl_str said,
       const char *registered)
{
    c->detail = vl_tenant_format(
        c->call, "Presented %s: '" VL_STR_FMT "'; registered: '%s'.", name,
        VL_STR_ARG(said), registered ? registered : "");
    return code;
}

/* The record of this issuer and subject; else a record that nearly fits. */
static const struct vl_tenant_federated *
find_record(const struct check *c, bool *ret_issuer)
{
    const struct vl_tenant_credentials *all = &c->app->credentials;
    const struct vl_tenant_federated *near = NULL;
    *ret_issuer = false;
    for (size_t i = 0; i < all->federated_count; i++) {
        const struct vl_tenant_federated *one = &all->federated[i];
        if (!vl_str_eqz(claim(c, "iss"), one->issuer)) {
            near = near ? near : one;
            continue;
        }
        near = *ret_issuer ? near : one;
        *ret_issuer = true;
        if (vl_str_eqz(claim(c, "sub"), one->subject))
            return one;
    }
    return near;
}

/* A tenant of our own needs no key in the set; then it must be the token of an
 * application, such as a managed identity's. */
static unsigned
check_issuer_key(struct check *c, const struct vl_tenant_federated *record)
{
    const struct vl_pkey *key = record->pkey;
    struct vl_str kid = vl_json_get_str(c->shown.header.root, "kid");
    if (!key && vl_str_starts(claim(c, "iss"), vl_str_z(c->call->origin))) {
        if (!vl_str_eqz(claim(c, "idtyp"), "app"))
            return 700229;
        key = vl_jwks_find(c->call->tenant->keys.published, kid);
    }
    if (key && vl_signed_verify(&c->shown, key, NULL) == VALET_OK)
        return 0;
    c->detail = "The issuer's key did not sign this.";
    return 700027;
}

/* @spec entra-wire 2.14: a token of another issuer */
static unsigned
check_federated(struct check *c)
{
    bool issuer;
    const struct vl_tenant_federated *record = find_record(c, &issuer);
    struct vl_str iss = claim(c, "iss"), sub = claim(c, "sub");
    if (!record)
        return differ(c, 700211, "issuer", iss, NULL);
    struct vl_str subject = vl_str_z(record->subject);
    const char *audience = record->audience ? record->audience : EXCHANGE;
    if (!issuer)
        return differ(
            c, vl_str_ieq(iss, vl_str_z(record->issuer)) ? 7002138 : 700211,
            "issuer", iss, record->issuer);
    if (!vl_str_eq(sub, subject))
        return differ(c, vl_str_ieq(sub, subject) ? 7002137 : 700213, "subject",
                      sub, record->subject);
    if (!vl_json_has_str(vl_json_get(c->shown.claims.root, "aud"),
                         vl_str_z(audience)))
        return differ(c, 700212, "audience", claim(c, "aud"), audience);
    unsigned code = check_issuer_key(c, record);
    return code ? code : check_times(c);
}

unsigned
vl_tenant_assertion_check(struct vl_tenant_call *call,
                          const struct vl_tenant_app *app, struct vl_str token,
                          const char **ret_detail)
{
    struct check c = {.call = call, .app = app};
    if (vl_signed_read(token, &c.shown, NULL) != VALET_OK) {
        *ret_detail = "It is no signed token.";
        return 50027;
    }
    unsigned code = check_header(&c);
    if (!code)
        code = vl_str_ieq(claim(&c, "iss"), vl_str_z(app->id))
                   ? check_own(&c)
                   : check_federated(&c);
    vl_signed_done(&c.shown);
    *ret_detail = c.detail;
    return code;
}
