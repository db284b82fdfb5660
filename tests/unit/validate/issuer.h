/* SPDX-License-Identifier: Apache-2.0
 *
 * An issuer for validators: real keys and signatures by OpenSSL itself, and a
 * server on a thread of its own that publishes them, counts who asks, and
 * fails or dawdles when it is told to.
 */
#ifndef VL_TEST_ISSUER_H
#define VL_TEST_ISSUER_H

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "crypto/digest.h"
#include "http/server.h"
#include "validate/validator.h"
#include "vl_test.h"

#define TID      "aaaaaaaa-0000-4000-8000-00000000000a"
#define TID2     "aaaaaaaa-0000-4000-8000-00000000000b"
#define STRANGER "cccccccc-0000-4000-8000-00000000000c"
#define OID      "bbbbbbbb-0000-4000-8000-00000000000d"
#define API      "dddddddd-0000-4000-8000-00000000000e"
#define APP      "eeeeeeee-0000-4000-8000-00000000000f"
#define HOST     "https://login.microsoftonline.com"
#define DOCUMENT "/.well-known/openid-configuration"
#define DOC_V2   "/" TID "/v2.0/.well-known/openid-configuration"

enum { NOW_S = 1800000000 };

/* --- keys --- */

static EVP_PKEY *rsa_key, *other_rsa_key, *ec_key;

static inline void
add_number(struct vl_buf *out, const EVP_PKEY *key, const char *number,
           int size)
{
    BIGNUM *value = NULL;
    unsigned char bytes[600];
    assert_int_equal(EVP_PKEY_get_bn_param(key, number, &value), 1);
    size = size ? size : BN_num_bytes(value);
    assert_int_equal(BN_bn2binpad(value, bytes, size), size);
    vl_enc_base64url(out, vl_str_of(bytes, (size_t)size));
    BN_free(value);
}

/* A JWK with these members besides its numbers, such as "\"use\":\"sig\",". */
static inline void
add_jwk(struct vl_buf *out, const EVP_PKEY *key, const char *kid,
        const char *members)
{
    bool ec = key == ec_key;
    vl_buf_addf(out, "{\"kid\":\"%s\",%s\"kty\":\"%s\",", kid, members,
                ec ? "EC\",\"crv\":\"P-256" : "RSA");
    vl_buf_addz(out, ec ? "\"x\":\"" : "\"n\":\"");
    add_number(out, key, ec ? OSSL_PKEY_PARAM_EC_PUB_X : OSSL_PKEY_PARAM_RSA_N,
               ec ? 32 : 0);
    vl_buf_addz(out, ec ? "\",\"y\":\"" : "\",\"e\":\"");
    add_number(out, key, ec ? OSSL_PKEY_PARAM_EC_PUB_Y : OSSL_PKEY_PARAM_RSA_E,
               ec ? 32 : 0);
    vl_buf_addz(out, "\"}");
}

/* r and s side by side (RFC 7518 section 3.4). */
static inline size_t
flatten(unsigned char *signature, size_t size)
{
    const unsigned char *at = signature;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)size);
    assert_non_null(parts);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + 32, 32),
                     32);
    ECDSA_SIG_free(parts);
    return 64;
}

/* header.claims.signature, by RS256, PS256 or ES256. */
static inline void
sign(EVP_PKEY *key, bool pss, struct vl_str header, struct vl_str claims,
     struct vl_buf *out)
{
    unsigned char signature[600];
    size_t size = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    vl_enc_base64url(out, header);
    vl_buf_addc(out, '.');
    vl_enc_base64url(out, claims);
    assert_int_equal(EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key), 1);
    if (pss) {
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32), 1);
    }
    struct vl_str text = vl_buf_str(out);
    assert_int_equal(EVP_DigestSign(ctx, signature, &size,
                                    (const unsigned char *)text.p, text.n),
                     1);
    EVP_MD_CTX_free(ctx);
    if (key == ec_key)
        size = flatten(signature, size);
    vl_buf_addc(out, '.');
    vl_enc_base64url(out, vl_str_of(signature, size));
    assert_ok(vl_buf_check(out, NULL));
}

static inline int
make_keys(void **state)
{
    (void)state;
    rsa_key = EVP_RSA_gen(2048);
    other_rsa_key = EVP_RSA_gen(2048);
    ec_key = EVP_EC_gen("P-256");
    return rsa_key && other_rsa_key && ec_key ? 0 : -1;
}

static inline int
free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(other_rsa_key);
    EVP_PKEY_free(ec_key);
    return 0;
}

/* --- the server --- */

struct issuer {
    pthread_t thread;
    struct vl_loop *loop;
    struct vl_http_server *server;
    struct vl_http_site site;
    struct vl_task stop;
    char origin[64], jwks_uri[96];
    pthread_mutex_t lock; /* of the texts */
    struct vl_buf document, keys;
    atomic_int status; /* of every answer */
    atomic_uint documents, sets;
    struct vl_timer *timer; /* answers what is held */
    struct vl_exchange *held;
    atomic_int delay_ms; /* of the keys */
};

static inline void
issuer_answer(struct issuer *issuer, struct vl_exchange *x,
              const struct vl_buf *text)
{
    assert_int_equal(pthread_mutex_lock(&issuer->lock), 0);
    struct vl_reply reply = {
        .status = issuer->status,
        .type = "application/json",
        .body = vl_buf_str(text),
    };
    vl_exchange_reply(x, &reply);
    assert_int_equal(pthread_mutex_unlock(&issuer->lock), 0);
}

static inline void
issuer_release(void *ctx)
{
    struct issuer *issuer = ctx;
    struct vl_exchange *x = issuer->held;
    issuer->held = NULL;
    issuer_answer(issuer, x, &issuer->keys);
}

static inline void
issuer_handle(struct vl_exchange *x, void *ctx)
{
    struct issuer *issuer = ctx;
    if (vl_str_ends(vl_exchange_request(x)->path, VL_STR(DOCUMENT))) {
        issuer->documents++;
        issuer_answer(issuer, x, &issuer->document);
        return;
    }
    issuer->sets++;
    if (issuer->delay_ms && !issuer->held) {
        issuer->held = x;
        vl_timer_start(issuer->timer, issuer->delay_ms);
        return;
    }
    issuer_answer(issuer, x, &issuer->keys);
}

static inline size_t
issuer_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return 0;
}

static inline void *
issuer_run(void *ctx)
{
    struct issuer *issuer = ctx;
    vl_loop_run(issuer->loop);
    return NULL;
}

static inline void
issuer_on_stop(struct vl_task *task)
{
    vl_loop_stop(VL_CONTAINER(task, struct issuer, stop)->loop);
}

static inline void
issuer_open(struct issuer *issuer)
{
    unsigned port = 0;
    *issuer = (struct issuer){.document = vl_buf_of(VL_LIMIT_DOCUMENT),
                              .keys = vl_buf_of(VL_LIMIT_DOCUMENT),
                              .status = 200};
    issuer->site =
        (struct vl_http_site){issuer_body_max, issuer_handle, issuer};
    issuer->stop.run = issuer_on_stop;
    assert_int_equal(pthread_mutex_init(&issuer->lock, NULL), 0);
    assert_ok(vl_loop_new(&issuer->loop, NULL));
    issuer->timer = vl_timer_new(issuer->loop, issuer_release, issuer);
    issuer->server = vl_http_server_new(issuer->loop, &issuer->site,
                                        &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(
        vl_http_server_listen(issuer->server, "127.0.0.1", 0, &port, NULL));
    (void)snprintf(issuer->origin, sizeof issuer->origin, "http://127.0.0.1:%u",
                   port);
    (void)snprintf(issuer->jwks_uri, sizeof issuer->jwks_uri, "%s/keys",
                   issuer->origin);
    assert_int_equal(pthread_create(&issuer->thread, NULL, issuer_run, issuer),
                     0);
}

static inline void
issuer_close(struct issuer *issuer)
{
    vl_loop_post(issuer->loop, &issuer->stop);
    assert_int_equal(pthread_join(issuer->thread, NULL), 0);
    vl_timer_free(issuer->timer);
    if (issuer->held)
        issuer_release(issuer);
    vl_http_server_free(issuer->server);
    vl_loop_free(issuer->loop);
    vl_buf_done(&issuer->document);
    vl_buf_done(&issuer->keys);
    assert_int_equal(pthread_mutex_destroy(&issuer->lock), 0);
}

static inline void
issuer_write(struct issuer *issuer, struct vl_buf *text, const char *content)
{
    assert_int_equal(pthread_mutex_lock(&issuer->lock), 0);
    vl_buf_clear(text);
    vl_buf_addz(text, content);
    assert_ok(vl_buf_check(text, NULL));
    assert_int_equal(pthread_mutex_unlock(&issuer->lock), 0);
}

/* Publishes one RSA key under this id. */
static inline void
issuer_publish(struct issuer *issuer, const EVP_PKEY *key, const char *kid)
{
    vl_auto(vl_buf) set = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addz(&set, "{\"keys\":[");
    add_jwk(&set, key, kid, "");
    vl_buf_addz(&set, "]}");
    issuer_write(issuer, &issuer->keys, vl_buf_cstr(&set));
}

/* Its OpenID configuration, with this issuer and its own key set. */
static inline void
issuer_document(struct issuer *issuer, const char *name)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addf(&text, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\"}", name,
                issuer->jwks_uri);
    issuer_write(issuer, &issuer->document, vl_buf_cstr(&text));
}

/* --- a validator with clocks of the test's --- */

static int64_t test_now_ms = (int64_t)NOW_S * 1000;
static _Atomic int64_t test_steady_ms;

static inline int64_t
read_date(void *ctx)
{
    (void)ctx;
    return test_now_ms;
}

static inline int64_t
read_test_steady(void *ctx)
{
    (void)ctx;
    return test_steady_ms;
}

static const struct vl_clock test_clock = {read_date, NULL};
static const struct vl_clock test_steady = {read_test_steady, NULL};

static inline valet_validator *
validator_of(const valet_validator_options *options)
{
    valet_validator *validator = NULL;
    valet_error err = {0};
    if (vl_validator_new(options, &test_clock, &test_steady, &validator,
                         &err) != VALET_OK)
        fail_msg("%s", err.message);
    return validator;
}

/* --- tokens --- */

struct member {
    const char *name, *json; /* no JSON: left out */
};

/* The base with some members replaced, left out or added. */
static inline void
write_members(struct vl_buf *out, const struct member *base,
              const struct member *changes, size_t count)
{
    bool first = true;
    vl_buf_addc(out, '{');
    for (const struct member *it = base; it->name; it++) {
        const char *json = it->json;
        for (size_t i = 0; i < count && changes[i].name; i++)
            if (strcmp(changes[i].name, it->name) == 0)
                json = changes[i].json;
        if (json)
            vl_buf_addf(out, "%s\"%s\":%s", first ? "" : ",", it->name, json);
        first = first && !json;
    }
    for (size_t i = 0; i < count && changes[i].name; i++) {
        bool known = false;
        for (const struct member *it = base; it->name; it++)
            known = known || strcmp(changes[i].name, it->name) == 0;
        if (!known)
            vl_buf_addf(out, ",\"%s\":%s", changes[i].name, changes[i].json);
    }
    vl_buf_addc(out, '}');
}

static const struct member v2_user[] = {
    {"aud", "\"" API "\""},
    {"iss", "\"" HOST "/" TID "/v2.0\""},
    {"iat", "1799999700"},
    {"nbf", "1799999700"},
    {"exp", "1800003600"},
    {"aio", "\"AVQAq/8TAAAA\""},
    {"azp", "\"" APP "\""},
    {"azpacr", "\"1\""},
    {"name", "\"\xE0\xA6\x86\xE0\xA6\xAE\xE0\xA6\xBF\""},
    {"oid", "\"" OID "\""},
    {"roles", "[\"Reader\",\"Writer\"]"},
    {"scp", "\"Orders.Read Orders.Write\""},
    {"sub", "\"pairwise-1\""},
    {"tid", "\"" TID "\""},
    {"ver", "\"2.0\""},
    {NULL, NULL},
};

static const struct member v1_user[] = {
    {"aud", "\"api://orders\""},
    {"iss", "\"https://sts.windows.net/" TID "/\""},
    {"iat", "1799999700"},
    {"nbf", "1799999700"},
    {"exp", "1800003600"},
    {"amr", "[\"pwd\",\"mfa\"]"},
    {"appid", "\"" APP "\""},
    {"appidacr", "\"1\""},
    {"oid", "\"" OID "\""},
    {"scp", "\"Orders.Read\""},
    {"sub", "\"pairwise-1\""},
    {"tid", "\"" TID "\""},
    {"ver", "\"1.0\""},
    {NULL, NULL},
};

static const struct member v2_app[] = {
    {"aud", "\"" API "\""}, {"iss", "\"" HOST "/" TID "/v2.0\""},
    {"iat", "1799999700"},  {"nbf", "1799999700"},
    {"exp", "1800003600"},  {"azp", "\"" APP "\""},
    {"oid", "\"" OID "\""}, {"roles", "[\"Orders.Read.All\"]"},
    {"sub", "\"" OID "\""}, {"tid", "\"" TID "\""},
    {"ver", "\"2.0\""},     {NULL, NULL},
};

#endif
