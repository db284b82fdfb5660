/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/client_auth.h"

#include <openssl/rsa.h>

#include "core/enc.h"
#include "core/limits.h"
#include "core/status.h"
#include "vl_test_pem.h"
#include "json/read.h"

#define ENDPOINT VL_STR("https://login.example/t/oauth2/v2.0/token")
#define TYPE                                                                   \
    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-"   \
    "type%3Ajwt-bearer&client_assertion="

static valet_status
add(const struct vl_client_auth *auth, struct vl_buf *form, valet_error *err)
{
    return vl_client_auth_add(auth, VL_STR("the-id"), ENDPOINT, 1800000000000,
                              form, err);
}

static void
proves_nothing_where_nothing_is_to_prove(void **state)
{
    (void)state;
    struct vl_client_auth auth = {.kind = VL_AUTH_PUBLIC};
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_JWT);
    assert_ok(add(&auth, &form, NULL));
    assert_str(vl_buf_str(&form), "client_id=the-id");
}

static void
sends_a_secret_in_the_body(void **state)
{
    (void)state;
    struct vl_secret secret = vl_secret_of(VL_STR("a&b=c"));
    struct vl_client_auth auth = {.kind = VL_AUTH_SECRET, .secret = &secret};
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_JWT);
    vl_buf_addz(&form, "grant_type=x");
    assert_ok(add(&auth, &form, NULL));
    assert_str(vl_buf_str(&form),
               "grant_type=x&client_id=the-id&client_secret=a%26b%3Dc");
    vl_secret_done(&secret);
}

/* RFC 7523 section 3; what else is in it is jose/test_assertion's. */
static void
check_claims(struct vl_str token)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_JWT);
    vl_auto(vl_json) claims = {NULL};
    struct vl_str payload;
    int64_t nbf, exp;
    assert_true(vl_str_split(&token, '.', &payload));
    assert_true(vl_str_split(&token, '.', &payload));
    assert_true(vl_dec_base64url(payload, &text));
    assert_ok(vl_json_parse(vl_buf_str(&text), 4, &claims, NULL));
    assert_str(vl_json_get_str(claims.root, "iss"), "the-id");
    assert_str(vl_json_get_str(claims.root, "sub"), "the-id");
    assert_str(vl_json_get_str(claims.root, "aud"), ENDPOINT.p);
    assert_true(vl_json_get_int(claims.root, "nbf", &nbf));
    assert_true(vl_json_get_int(claims.root, "exp", &exp));
    assert_in_range(exp - 1800000000, 1, 600);
    assert_true(nbf <= 1800000000);
}

static void
signs_with_a_certificate(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    vl_auto(vl_buf) certificate = vl_buf_of(16384);
    vl_auto(vl_buf) text = vl_buf_of_secret(16384);
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_JWT);
    struct vl_signer *signer;
    vl_test_pem_certificate(key, &certificate);
    vl_test_pem_key(key, NULL, &text);
    assert_ok(vl_signer_of_pem(vl_buf_str(&certificate), vl_buf_str(&text),
                               &signer, NULL));
    struct vl_client_auth auth = {.kind = VL_AUTH_CERTIFICATE,
                                  .certificate = signer};
    assert_ok(add(&auth, &form, NULL));
    static const char begin[] = "client_id=the-id" TYPE "eyJ";
    assert_true(vl_str_starts(vl_buf_str(&form), vl_str_z(begin)));
    check_claims(vl_str_from(vl_buf_str(&form), sizeof begin - 1 - 3));
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

static unsigned asked;

static valet_status
give(struct vl_str token_endpoint, struct vl_buf *out, void *ctx,
     valet_error *err)
{
    asked++;
    assert_true(vl_str_ends(token_endpoint, VL_STR("/token")));
    if (ctx)
        return vl_fail(err, VALET_INTERNAL, "", "the file is gone");
    /* As it stands in a file, with its line's end. */
    vl_buf_addz(out, "a.b.c\n");
    return VALET_OK;
}

static void
asks_for_an_assertion_each_time(void **state)
{
    (void)state;
    struct vl_client_auth auth = {.kind = VL_AUTH_ASSERTION, .assertion = give};
    valet_error err = {0};
    asked = 0;
    for (int i = 0; i < 2; i++) {
        vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_JWT);
        assert_ok(add(&auth, &form, NULL));
        assert_str(vl_buf_str(&form), "client_id=the-id" TYPE "a.b.c");
    }
    assert_int_equal(asked, 2);
    vl_auto(vl_buf) form = vl_buf_of_secret(VL_LIMIT_JWT);
    auth.ctx = &auth;
    assert_int_equal(add(&auth, &form, &err), VALET_INTERNAL);
    assert_string_equal(err.message, "the file is gone");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proves_nothing_where_nothing_is_to_prove),
        cmocka_unit_test(sends_a_secret_in_the_body),
        cmocka_unit_test(signs_with_a_certificate),
        cmocka_unit_test(asks_for_an_assertion_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
