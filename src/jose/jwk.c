/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include <stdatomic.h>

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "crypto/digest.h"
#include "json/read.h"
#include "json/write.h"

/* set = { keys: [ { … } ] }; unknown members may nest a little. */
#define DEPTH 8
/* Entra publishes about ten; looking one up is a walk. */
#define KEYS_MAX 100
/* Ids are thumbprints or short names. */
#define KID_MAX 256
/* The modulus of 4096 bits and a leading zero. */
#define NUMBER_MAX 513
/* The certificate of a key, in base64. */
#define JWK_MAX VL_LIMIT_DOCUMENT

struct jwk {
    struct vl_pkey *pkey;
    unsigned algs; /* VL_ALG_… that it verifies */
    char *kid;
    char *issuer; /* NULL when the set names none */
};

struct vl_jwks {
    atomic_uint refs;
    size_t count;
    struct jwk keys[KEYS_MAX];
};

static bool
is_absent_or(const struct json_t *value, const char *wanted)
{
    return !value || vl_str_eqz(vl_json_str(value), wanted);
}

/*
 * RFC 7517 sections 4.2 to 4.4: what the key may be used for, as far as the
 * set says. A set that publishes the private half is not to be trusted on it.
 */
static unsigned
read_algs(const struct json_t *jwk)
{
    const struct json_t *ops = vl_json_get(jwk, "key_ops");
    const struct json_t *alg = vl_json_get(jwk, "alg");
    struct vl_str kty = vl_json_get_str(jwk, "kty");
    unsigned algs = 0;
    if (!is_absent_or(vl_json_get(jwk, "use"), "sig") ||
        (ops && !vl_json_has_str(ops, VL_STR("verify"))) ||
        vl_json_get(jwk, "d"))
        return 0;
    if (vl_str_eqz(kty, "RSA") && is_absent_or(alg, "RS256"))
        algs |= VL_ALG_RS256;
    if (vl_str_eqz(kty, "RSA") && is_absent_or(alg, "PS256"))
        algs |= VL_ALG_PS256;
    if (vl_str_eqz(kty, "EC") && is_absent_or(alg, "ES256") &&
        vl_str_eqz(vl_json_get_str(jwk, "crv"), "P-256"))
        algs |= VL_ALG_ES256;
    return algs;
}

/* The two numbers, whatever they are called; false when one is not there. */
static bool
read_pair(const struct json_t *jwk, const char *first, const char *second,
          struct vl_buf *ret_first, struct vl_buf *ret_second)
{
    return vl_dec_base64url(vl_json_get_str(jwk, first), ret_first) &&
           vl_dec_base64url(vl_json_get_str(jwk, second), ret_second);
}

static struct vl_pkey *
read_numbers(const struct json_t *jwk, unsigned algs)
{
    vl_auto(vl_buf) a = vl_buf_of(NUMBER_MAX), b = vl_buf_of(NUMBER_MAX);
    struct vl_pkey *pkey = NULL;
    valet_status status = VALET_INVALID;
    if (algs & VL_ALG_ES256) {
        if (read_pair(jwk, "x", "y", &a, &b))
            status =
                vl_pkey_of_p256(vl_buf_str(&a), vl_buf_str(&b), &pkey, NULL);
    } else if (read_pair(jwk, "n", "e", &a, &b)) {
        status = vl_pkey_of_rsa(vl_buf_str(&a), vl_buf_str(&b), &pkey, NULL);
    }
    return status == VALET_OK ? pkey : NULL;
}

static const struct jwk *
find(const struct vl_jwks *set, struct vl_str kid)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (vl_str_eqz(kid, set->keys[i].kid))
            return &set->keys[i];
    return NULL;
}

/* Leaves out what cannot be used; of two keys with one id the first counts. */
static void
add_key(struct vl_jwks *set, const struct json_t *jwk)
{
    struct vl_str kid = vl_json_get_str(jwk, "kid");
    unsigned algs = read_algs(jwk);
    if (kid.n == 0 || kid.n > KID_MAX || !algs || find(set, kid))
        return;
    struct vl_pkey *pkey = read_numbers(jwk, algs);
    if (!pkey)
        return;
    /* Texts of the JSON reader end in NUL and hold none. */
    const char *issuer = vl_json_get_str(jwk, "issuer").p;
    set->keys[set->count++] = (struct jwk){
        .pkey = pkey,
        .algs = algs,
        .kid = vl_strdup(kid.p),
        .issuer = issuer ? vl_strdup(issuer) : NULL,
    };
}

/* @spec S-15 */
valet_status
vl_jwks_parse(struct vl_str json, struct vl_jwks **ret, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    VL_TRY(vl_json_parse(json, DEPTH, &doc, err));
    const struct json_t *list = vl_json_get(doc.root, "keys");
    size_t count = vl_json_size(list);
    if (vl_json_kind(list) != VL_JSON_ARRAY)
        return vl_fail(err, VALET_INVALID, "", "the key set has no list keys");
    if (count > KEYS_MAX)
        return vl_fail(err, VALET_LIMIT, "",
                       "the key set has more than %d keys", KEYS_MAX);
    struct vl_jwks *set = vl_alloc(sizeof *set);
    atomic_init(&set->refs, 1);
    set->count = 0;
    for (size_t i = 0; i < count; i++)
        add_key(set, vl_json_at(list, i));
    if (set->count == 0) {
        vl_jwks_unref(set);
        return vl_fail(err, VALET_INVALID, "", "the key set has no usable key");
    }
    *ret = set;
    return VALET_OK;
}

struct vl_jwks *
vl_jwks_ref(struct vl_jwks *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void
vl_jwks_unref(struct vl_jwks *set)
{
    /* Who frees must see what all others did before they let go. */
    if (!set ||
        atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        vl_pkey_free(set->keys[i].pkey);
        free(set->keys[i].kid);
        free(set->keys[i].issuer);
    }
    free(set);
}

const struct vl_pkey *
vl_jwks_find_for(const struct vl_jwks *set, struct vl_str kid, enum vl_alg alg)
{
    const struct jwk *key = find(set, kid);
    return key && (key->algs & alg) ? key->pkey : NULL;
}

const struct vl_pkey *
vl_jwks_find(const struct vl_jwks *set, struct vl_str kid)
{
    return vl_jwks_find_for(set, kid, VL_ALG_RS256);
}

bool
vl_jwks_has(const struct vl_jwks *set, struct vl_str kid)
{
    return find(set, kid) != NULL;
}

struct vl_str
vl_jwks_issuer(const struct vl_jwks *set, struct vl_str kid)
{
    const struct jwk *key = find(set, kid);
    return vl_str_z(key ? key->issuer : NULL);
}

static void
add_base64url(struct vl_json_out *out, const char *key, struct vl_str bytes)
{
    vl_auto(vl_buf) text = vl_buf_of(JWK_MAX);
    vl_enc_base64url(&text, bytes);
    vl_json_add_str(out, key, vl_buf_str(&text));
}

static void
write_jwk(struct vl_json_out *out, const struct vl_pkey *key,
          struct vl_str cert_der, struct vl_str kid, struct vl_str issuer)
{
    vl_auto(vl_buf) n = vl_buf_of(NUMBER_MAX), e = vl_buf_of(NUMBER_MAX);
    vl_auto(vl_buf) cert = vl_buf_of(JWK_MAX);
    vl_pkey_rsa_numbers(key, &n, &e);
    vl_enc_base64(&cert, cert_der);
    vl_json_open(out, '{');
    vl_json_add_z(out, "kty", "RSA");
    vl_json_add_z(out, "use", "sig");
    vl_json_add_str(out, "kid", kid);
    vl_json_add_str(out, "x5t", kid);
    add_base64url(out, "n", vl_buf_str(&n));
    add_base64url(out, "e", vl_buf_str(&e));
    vl_json_open_key(out, "x5c", '[');
    vl_json_add_str(out, NULL, vl_buf_str(&cert));
    vl_json_close(out, ']');
    if (issuer.n)
        vl_json_add_str(out, "issuer", issuer);
    vl_json_close(out, '}');
}

valet_status
vl_jwk_publish(const struct vl_pkey *key, struct vl_str cert_der,
               struct vl_str issuer, struct vl_buf *out, struct vl_buf *ret_kid,
               valet_error *err)
{
    unsigned char thumbprint[VL_SHA1_SIZE];
    vl_auto(vl_buf) kid = vl_buf_of(KID_MAX), jwk = vl_buf_of(JWK_MAX);
    if (cert_der.n > JWK_MAX / 2)
        return vl_fail(err, VALET_LIMIT, "", "the certificate is too large");
    vl_sha1_thumbprint(cert_der, thumbprint);
    vl_enc_base64url(&kid, vl_str_of(thumbprint, sizeof thumbprint));
    struct vl_json_out json = {&jwk, false};
    write_jwk(&json, key, cert_der, vl_buf_str(&kid), issuer);
    VL_TRY(vl_buf_check(&jwk, err));
    vl_buf_add(out, vl_buf_str(&jwk));
    vl_buf_add(ret_kid, vl_buf_str(&kid));
    VL_TRY(vl_buf_check(out, err));
    return vl_buf_check(ret_kid, err);
}
