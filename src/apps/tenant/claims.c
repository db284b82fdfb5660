/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/claims.h"

#include "core/enc.h"
#include "core/limits.h"
#include "crypto/digest.h"
#include "jose/jwt.h"

/* Entra dates its tokens back, so that clocks which are late accept them. */
#define BACKDATE_S        300
#define ID_TOKEN_LIFETIME 3600
#define TEXT_MAX          512

static const char *
encode_random(const struct vl_tenant_call *call, size_t n)
{
    unsigned char random[32];
    vl_auto(vl_buf) text = vl_buf_of(TEXT_MAX);
    vl_random(random, n);
    vl_enc_base64url(&text, vl_str_of(random, n));
    return vl_tenant_format(call, "%s", vl_buf_cstr(&text));
}

/* The same person is somebody else for each application. */
static const char *
make_pairwise(const struct vl_tenant_call *call,
              const struct vl_tenant_user *user, const char *audience)
{
    unsigned char hash[VL_SHA256_SIZE];
    vl_auto(vl_buf) text = vl_buf_of(TEXT_MAX);
    const char *both = vl_tenant_format(call, "%s %s", user->id, audience);
    vl_sha256(vl_str_z(both), hash);
    vl_enc_base64url(&text, vl_str_of(hash, sizeof hash));
    return vl_tenant_format(call, "%s", vl_buf_cstr(&text));
}

static void
add_times(const struct vl_tenant_call *call, struct vl_json_out *json,
          unsigned lifetime)
{
    int64_t now = vl_tenant_now(call) / 1000;
    vl_json_add_int(json, "iat", now - BACKDATE_S);
    vl_json_add_int(json, "nbf", now - BACKDATE_S);
    vl_json_add_int(json, "exp", now + lifetime);
}

static void
add_list(struct vl_json_out *json, const char *key,
         const struct vl_tenant_words *words)
{
    if (!words->count)
        return;
    vl_json_open_key(json, key, '[');
    for (size_t i = 0; i < words->count; i++)
        vl_json_add_z(json, NULL, words->items[i]);
    vl_json_close(json, ']');
}

/* The id of the application in a tenant: what it is there, as people have
 * theirs. It has the form of one, and is always the same. */
static const char *
make_principal(const struct vl_tenant_call *call,
               const struct vl_tenant_subject *subject)
{
    unsigned char hash[VL_SHA256_SIZE];
    const char *both =
        vl_tenant_format(call, "%s %s", subject->app->id, subject->realm->id);
    vl_sha256(vl_str_z(both), hash);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x40);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    return vl_tenant_format(
        call,
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
        hash[8], hash[9], hash[10], hash[11], hash[12], hash[13], hash[14],
        hash[15]);
}

/* What both versions and the id token share. The epoch rides in `rh`, which
 * is opaque to everybody else: Graph refuses tokens of a revoked one. */
static void
add_person(const struct vl_tenant_call *call, struct vl_json_out *json,
           const struct vl_tenant_user *user, const char *audience)
{
    vl_json_add_z(json, "aio", encode_random(call, 32));
    vl_json_add_z(json, "name", user->display_name);
    vl_json_add_z(json, "oid", user->id);
    vl_json_add_z(json, "rh",
                  vl_tenant_format(call, "1.%u.%s", user->epoch,
                                   encode_random(call, 24)));
    vl_json_add_z(json, "sub", make_pairwise(call, user, audience));
    vl_json_add_z(json, "tid", user->realm->id);
    vl_json_add_z(json, "uti", encode_random(call, 16));
}

/* @spec entra-wire 2.10: an application is its own subject, and has roles. */
static void
add_application(const struct vl_tenant_call *call, struct vl_json_out *json,
                const struct vl_tenant_subject *subject)
{
    const char *id = make_principal(call, subject);
    const struct vl_tenant_words *all = &subject->app->app_roles;
    struct vl_tenant_words roles = {.count = 0};
    for (size_t i = 0; i < all->count; i++) {
        const struct vl_tenant_app *resource = NULL;
        struct vl_str word = vl_str_z(all->items[i]), name;
        struct vl_str of = vl_tenant_cut_scope(word, &name);
        bool found = !of.n || vl_tenant_find_resource(call, of, &resource);
        if (found && resource == subject->scopes.resource)
            roles.items[roles.count++] = name.p;
    }
    vl_json_add_z(json, "aio", encode_random(call, 32));
    vl_json_add_z(json, "idtyp", "app");
    vl_json_add_z(json, "oid", id);
    vl_json_add_z(json, "rh",
                  vl_tenant_format(call, "1.0.%s", encode_random(call, 24)));
    add_list(json, "roles", &roles);
    vl_json_add_z(json, "sub", id);
    vl_json_add_z(json, "tid", subject->realm->id);
    vl_json_add_z(json, "uti", encode_random(call, 16));
}

static const char *
proof_of(const struct vl_tenant_subject *subject)
{
    static const char *const values[] = {[VL_TENANT_BY_NOTHING] = "0",
                                         [VL_TENANT_BY_SECRET] = "1",
                                         [VL_TENANT_BY_ASSERTION] = "2"};
    return values[subject->proof];
}

static void
add_person_v1(const struct vl_tenant_call *call, struct vl_json_out *json,
              const struct vl_tenant_user *user)
{
    vl_json_add_z(json, "acr", "1");
    vl_json_open_key(json, "amr", '[');
    vl_json_add_z(json, NULL, "pwd");
    vl_json_close(json, ']');
    if (user->family_name)
        vl_json_add_z(json, "family_name", user->family_name);
    if (user->given_name)
        vl_json_add_z(json, "given_name", user->given_name);
    vl_json_add_z(json, "idtyp", "user");
    vl_json_add_z(json, "ipaddr", call->request->peer);
    add_person(call, json, user, VL_TENANT_GRAPH_ID);
    vl_json_add_z(json, "unique_name", user->username);
    vl_json_add_z(json, "upn", user->username);
}

static void
write_v1(const struct vl_tenant_call *call, struct vl_json_out *json,
         const struct vl_tenant_subject *subject)
{
    vl_json_add_z(json, "aud", VL_TENANT_GRAPH_ID);
    vl_json_add_z(
        json, "iss",
        vl_tenant_format(call, "%s/%s/", call->origin, subject->realm->id));
    vl_json_add_z(json, "app_displayname", subject->app->name);
    vl_json_add_z(json, "appid", subject->app->id);
    vl_json_add_z(json, "appidacr", proof_of(subject));
    if (subject->user)
        add_person_v1(call, json, subject->user);
    else
        add_application(call, json, subject);
    vl_json_add_z(json, "ver", "1.0");
}

static void
write_v2(const struct vl_tenant_call *call, struct vl_json_out *json,
         const struct vl_tenant_subject *subject)
{
    const struct vl_tenant_user *user = subject->user;
    const char *audience = subject->scopes.resource->id;
    vl_json_add_z(json, "aud", audience);
    vl_json_add_z(
        json, "iss",
        vl_tenant_format(call, "%s/%s/v2.0", call->origin, subject->realm->id));
    vl_json_add_z(json, "azp", subject->app->id);
    vl_json_add_z(json, "azpacr", proof_of(subject));
    if (user) {
        add_person(call, json, user, audience);
        vl_json_add_z(json, "preferred_username", user->username);
        add_list(json, "roles", &user->roles);
    } else {
        add_application(call, json, subject);
    }
    vl_json_add_z(json, "ver", "2.0");
}

/* @spec entra-wire 2.15: what answers a challenge. */
static void
add_challenges(struct vl_json_out *json,
               const struct vl_tenant_subject *subject)
{
    struct vl_str rest = vl_str_z(subject->acrs), word;
    if (rest.n) {
        vl_json_open_key(json, "acrs", '[');
        while (vl_str_split(&rest, ' ', &word))
            vl_json_add_str(json, NULL, word);
        vl_json_close(json, ']');
    }
    if (subject->is_capable) {
        vl_json_open_key(json, "xms_cc", '[');
        vl_json_add_z(json, NULL, "cp1");
        vl_json_close(json, ']');
    }
}

static valet_status
sign(const struct vl_tenant_call *call, const struct vl_buf *claims,
     struct vl_buf *out, valet_error *err)
{
    const struct vl_tenant_key *key = &call->tenant->keys.keys[0];
    VL_TRY(vl_buf_check(claims, err));
    return vl_jwt_sign(key->pkey, vl_str_z(key->kid), vl_buf_str(claims), out,
                       err);
}

valet_status
vl_tenant_access_token(const struct vl_tenant_call *call,
                       const struct vl_tenant_subject *subject,
                       struct vl_buf *out, valet_error *err)
{
    vl_auto(vl_buf) claims = vl_buf_of(VL_LIMIT_JWT);
    struct vl_json_out json = {&claims, false};
    vl_json_open(&json, '{');
    if (subject->scopes.resource)
        write_v2(call, &json, subject);
    else
        write_v1(call, &json, subject);
    if (subject->user)
        vl_json_add_z(&json, "scp", subject->scopes.scp);
    add_challenges(&json, subject);
    add_times(call, &json, subject->lifetime);
    vl_json_close(&json, '}');
    return sign(call, &claims, out, err);
}

valet_status
vl_tenant_id_token(const struct vl_tenant_call *call,
                   const struct vl_tenant_subject *subject, struct vl_buf *out,
                   valet_error *err)
{
    const struct vl_tenant_user *user = subject->user;
    vl_auto(vl_buf) claims = vl_buf_of(VL_LIMIT_JWT);
    struct vl_json_out json = {&claims, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "aud", subject->app->id);
    vl_json_add_z(
        &json, "iss",
        vl_tenant_format(call, "%s/%s/v2.0", call->origin, user->realm->id));
    add_times(call, &json, ID_TOKEN_LIFETIME);
    vl_json_add_int(&json, "auth_time", subject->signed_in);
    if (subject->scopes.email && user->mail)
        vl_json_add_z(&json, "email", user->mail);
    /* Only if the request had one: MSAL takes any other for a replay. */
    if (subject->nonce)
        vl_json_add_z(&json, "nonce", subject->nonce);
    add_person(call, &json, user, subject->app->id);
    vl_json_add_z(&json, "preferred_username", user->username);
    add_list(&json, "roles", &user->roles);
    vl_json_add_z(&json, "ver", "2.0");
    vl_json_close(&json, '}');
    return sign(call, &claims, out, err);
}

const char *
vl_tenant_client_info(const struct vl_tenant_call *call,
                      const struct vl_tenant_user *user)
{
    vl_auto(vl_buf) text = vl_buf_of(TEXT_MAX);
    const char *info = vl_tenant_format(
        call, "{\"uid\":\"%s\",\"utid\":\"%s\"}", user->id, user->realm->id);
    vl_enc_base64url(&text, vl_str_z(info));
    return vl_tenant_format(call, "%s", vl_buf_cstr(&text));
}
