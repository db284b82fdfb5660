/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/assertion.h"

#include <openssl/rsa.h>

#include "core/enc.h"
#include "vl_test_pem.h"
#include "json/read.h"

static struct vl_signer *
make_signer(EVP_PKEY *key)
{
    vl_auto(vl_buf) certificate = vl_buf_of(16384);
    vl_auto(vl_buf) text = vl_buf_of_secret(16384);
    struct vl_signer *signer;
    vl_test_pem_certificate(key, &certificate);
    vl_test_pem_key(key, NULL, &text);
    assert_ok(vl_signer_of_pem(vl_buf_str(&certificate), vl_buf_str(&text),
                               &signer, NULL));
    return signer;
}

static void
read_part(struct vl_str part, struct vl_json *ret)
{
    vl_auto(vl_buf) text = vl_buf_of(8192);
    assert_true(vl_dec_base64url(part, &text));
    assert_ok(vl_json_parse(vl_buf_str(&text), 4, ret, NULL));
}

static int64_t
number(const struct json_t *claims, const char *name)
{
    int64_t value;
    assert_true(vl_json_int(vl_json_get(claims, name), &value));
    return value;
}

/* RFC 7523 section 3; Entra: certificate credentials. */
static void
says_who_is_asking_whom_and_until_when(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct vl_signer *signer = make_signer(key);
    struct vl_assertion assertion = {
        .client_id = VL_STR("a-client"),
        .audience = VL_STR("https://login.example/t/oauth2/v2.0/token"),
        .now_s = 1800000000,
        .lifetime_s = 600,
    };
    vl_auto(vl_buf) token = vl_buf_of_secret(8192);
    vl_auto(vl_buf) again = vl_buf_of_secret(8192);
    vl_auto(vl_buf) signature = vl_buf_of(1024);
    vl_auto(vl_buf) thumbprint = vl_buf_of(64);
    vl_auto(vl_json) header = {NULL};
    vl_auto(vl_json) claims = {NULL};
    assert_ok(vl_assertion_write(signer, &assertion, &token, NULL));
    assert_ok(vl_assertion_write(signer, &assertion, &again, NULL));
    struct vl_str text = vl_buf_str(&token), rest = text, part;
    assert_true(vl_str_split(&rest, '.', &part));
    read_part(part, &header);
    assert_true(vl_str_split(&rest, '.', &part));
    read_part(part, &claims);
    assert_true(vl_dec_base64url(rest, &signature));
    assert_true(vl_test_is_ps256(key, vl_str_head(text, text.n - rest.n - 1),
                                 vl_buf_str(&signature)));
    unsigned char hash[VL_SHA256_SIZE];
    assert_true(vl_signer_thumbprint(signer, hash));
    vl_enc_base64url(&thumbprint, vl_str_of(hash, sizeof hash));
    assert_str(vl_json_get_str(header.root, "alg"), "PS256");
    assert_str(vl_json_get_str(header.root, "typ"), "JWT");
    assert_true(vl_str_eq(vl_json_get_str(header.root, "x5t#S256"),
                          vl_buf_str(&thumbprint)));
    assert_str(vl_json_get_str(claims.root, "iss"), "a-client");
    assert_str(vl_json_get_str(claims.root, "sub"), "a-client");
    assert_str(vl_json_get_str(claims.root, "aud"),
               "https://login.example/t/oauth2/v2.0/token");
    assert_int_equal(number(claims.root, "iat"), 1800000000);
    assert_int_equal(number(claims.root, "nbf"), 1800000000 - 60);
    assert_int_equal(number(claims.root, "exp"), 1800000600);
    /* Each is one of its own: Entra remembers the jti. */
    vl_auto(vl_json) other = {NULL};
    rest = vl_buf_str(&again);
    assert_true(vl_str_split(&rest, '.', &part));
    assert_true(vl_str_split(&rest, '.', &part));
    read_part(part, &other);
    assert_false(vl_str_eq(vl_json_get_str(claims.root, "jti"),
                           vl_json_get_str(other.root, "jti")));
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

static void
does_not_cut_what_is_too_long(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct vl_signer *signer = make_signer(key);
    struct vl_assertion assertion = {.client_id = VL_STR("a"),
                                     .audience = VL_STR("b"),
                                     .now_s = 1,
                                     .lifetime_s = 1};
    vl_auto(vl_buf) token = vl_buf_of_secret(100);
    assert_int_equal(vl_assertion_write(signer, &assertion, &token, NULL),
                     VALET_LIMIT);
    assert_int_equal(vl_buf_size(&token), 0);
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

/* @spec EX-02 EX-04: the signature is tested with the signer. */
static void
a_key_without_a_certificate_names_none(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct vl_signer *signer;
    struct vl_assertion assertion = {.client_id = VL_STR("a"),
                                     .audience = VL_STR("https://as.example"),
                                     .now_s = 1800000000,
                                     .lifetime_s = 60};
    vl_auto(vl_buf) pem = vl_buf_of_secret(8192);
    vl_auto(vl_buf) token = vl_buf_of_secret(8192);
    vl_auto(vl_json) header = {NULL};
    vl_test_pem_key(key, NULL, &pem);
    assert_ok(vl_signer_of_key(vl_buf_str(&pem), &signer, NULL));
    assert_ok(vl_assertion_write(signer, &assertion, &token, NULL));
    struct vl_str text = vl_buf_str(&token);
    read_part(vl_str_head(text, vl_str_index(text, '.')), &header);
    assert_str(vl_json_get_str(header.root, "alg"), "ES256");
    assert_str(vl_json_get_str(header.root, "typ"), "JWT");
    assert_int_equal(vl_json_size(header.root), 2);
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_is_asking_whom_and_until_when),
        cmocka_unit_test(does_not_cut_what_is_too_long),
        cmocka_unit_test(a_key_without_a_certificate_names_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
