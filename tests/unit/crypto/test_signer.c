/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signer.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/pkey.h"
#include "vl_test_pem.h"

struct pair {
    struct vl_buf certificate, key;
};

static struct pair
make(EVP_PKEY *key)
{
    struct pair pair = {vl_buf_of(16384), vl_buf_of_secret(16384)};
    vl_test_pem_certificate(key, &pair.certificate);
    vl_test_pem_key(key, NULL, &pair.key);
    return pair;
}

static void
done(struct pair *pair)
{
    vl_buf_done(&pair->certificate);
    vl_buf_done(&pair->key);
}

static void
refuses(struct vl_str certificate, struct vl_str key, const char *says)
{
    struct vl_signer *signer;
    valet_error err = {0};
    assert_int_equal(vl_signer_of_pem(certificate, key, &signer, &err),
                     VALET_INVALID);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
    assert_int_equal(ERR_peek_error(), 0);
}

static void
signs_so_that_others_can_verify(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct pair pair = make(key);
    struct vl_signer *signer;
    vl_auto(vl_buf) one = vl_buf_of(1000);
    vl_auto(vl_buf) two = vl_buf_of(1000);
    struct vl_str text = VL_STR("what is to be signed");
    assert_ok(vl_signer_of_pem(vl_buf_str(&pair.certificate),
                               vl_buf_str(&pair.key), &signer, NULL));
    assert_ok(vl_signer_sign(signer, text, &one, NULL));
    assert_ok(vl_signer_sign(signer, text, &two, NULL));
    assert_int_equal(vl_buf_size(&one), 256);
    /* Salted: no two are alike. */
    assert_false(vl_str_eq(vl_buf_str(&one), vl_buf_str(&two)));
    assert_true(vl_test_is_ps256(key, text, vl_buf_str(&one)));
    assert_true(vl_test_is_ps256(key, text, vl_buf_str(&two)));
    assert_false(
        vl_test_is_ps256(key, VL_STR("something else"), vl_buf_str(&one)));
    assert_int_equal(ERR_peek_error(), 0);
    vl_signer_free(signer);
    vl_signer_free(NULL);
    done(&pair);
    EVP_PKEY_free(key);
}

static void
names_its_certificate_by_its_hash(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct pair pair = make(key);
    struct vl_signer *signer;
    unsigned char thumbprint[VL_SHA256_SIZE], wanted[VL_SHA256_SIZE],
        *der = NULL;
    assert_ok(vl_signer_of_pem(vl_buf_str(&pair.certificate),
                               vl_buf_str(&pair.key), &signer, NULL));
    assert_true(vl_signer_thumbprint(signer, thumbprint));
    BIO *in = BIO_new_mem_buf(vl_buf_str(&pair.certificate).p,
                              (int)vl_buf_size(&pair.certificate));
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    int n = i2d_X509(cert, &der);
    assert_true(n > 0);
    vl_sha256(vl_str_of(der, (size_t)n), wanted);
    assert_memory_equal(thumbprint, wanted, sizeof wanted);
    OPENSSL_free(der);
    X509_free(cert);
    BIO_free(in);
    vl_signer_free(signer);
    done(&pair);
    EVP_PKEY_free(key);
}

static void
reads_both_out_of_one_text(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct pair pair = make(key);
    struct vl_signer *signer;
    vl_auto(vl_buf) both = vl_buf_of_secret(32768);
    vl_buf_add(&both, vl_buf_str(&pair.key));
    vl_buf_add(&both, vl_buf_str(&pair.certificate));
    assert_ok(
        vl_signer_of_pem(vl_buf_str(&both), vl_buf_str(&both), &signer, NULL));
    vl_signer_free(signer);
    done(&pair);
    EVP_PKEY_free(key);
}

static void
refuses_what_does_not_belong_together(void **state)
{
    (void)state;
    EVP_PKEY *a = EVP_RSA_gen(2048), *b = EVP_RSA_gen(2048);
    EVP_PKEY *weak = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
    struct pair one = make(a), two = make(b), three = make(weak),
                four = make(curve);
    vl_auto(vl_buf) locked = vl_buf_of_secret(16384);
    vl_test_pem_key(a, "a passphrase", &locked);
    refuses(vl_buf_str(&one.certificate), vl_buf_str(&two.key),
            "not that of the certificate");
    refuses(vl_buf_str(&one.key), vl_buf_str(&one.key), "no certificate");
    refuses(vl_buf_str(&one.certificate), vl_buf_str(&one.certificate),
            "no private key");
    refuses(vl_buf_str(&one.certificate), vl_buf_str(&locked), "passphrase");
    refuses(vl_buf_str(&three.certificate), vl_buf_str(&three.key),
            "2048 to 4096");
    refuses(vl_buf_str(&four.certificate), vl_buf_str(&four.key), "no RSA key");
    refuses(VL_STR(""), VL_STR(""), "no private key");
    done(&one);
    done(&two);
    done(&three);
    done(&four);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(curve);
}

/* --- a key alone --- */

static struct vl_signer *
of_key(EVP_PKEY *key)
{
    struct vl_signer *signer;
    unsigned char thumbprint[VL_SHA256_SIZE];
    vl_auto(vl_buf) text = vl_buf_of_secret(16384);
    vl_test_pem_key(key, NULL, &text);
    assert_ok(vl_signer_of_key(vl_buf_str(&text), &signer, NULL));
    assert_false(vl_signer_thumbprint(signer, thumbprint));
    return signer;
}

/* The number as bytes, `size` of them if it is not 0. */
static struct vl_str
get_number(EVP_PKEY *key, const char *name, unsigned char *bytes, int size)
{
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int n = size ? size : BN_num_bytes(number);
    assert_int_equal(BN_bn2binpad(number, bytes, n), n);
    BN_free(number);
    return vl_str_of(bytes, (size_t)n);
}

/* @spec EX-02 */
static void
a_key_on_p_256_alone_signs_es256(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct vl_signer *signer = of_key(key);
    struct vl_pkey *public;
    unsigned char x[32], y[32];
    assert_string_equal(vl_signer_algorithm(signer), "ES256");
    assert_ok(vl_pkey_of_p256(
        get_number(key, OSSL_PKEY_PARAM_EC_PUB_X, x, sizeof x),
        get_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, sizeof y), &public, NULL));
    /* Often enough for halves that begin with zeros. */
    for (unsigned i = 0; i < 1000; i++) {
        vl_auto(vl_buf) signature = vl_buf_of(1000);
        struct vl_str text = vl_str_of(&i, sizeof i);
        assert_ok(vl_signer_sign(signer, text, &signature, NULL));
        assert_ok(
            vl_pkey_verify_es256(public, text, vl_buf_str(&signature), NULL));
    }
    vl_pkey_free(public);
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

static void
an_rsa_key_alone_signs_rs256(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct vl_signer *signer = of_key(key);
    struct vl_pkey *public;
    unsigned char n[256], e[8];
    vl_auto(vl_buf) signature = vl_buf_of(1000);
    struct vl_str text = VL_STR("what is to be signed");
    assert_string_equal(vl_signer_algorithm(signer), "RS256");
    assert_ok(vl_pkey_of_rsa(get_number(key, OSSL_PKEY_PARAM_RSA_N, n, 0),
                             get_number(key, OSSL_PKEY_PARAM_RSA_E, e, 0),
                             &public, NULL));
    assert_ok(vl_signer_sign(signer, text, &signature, NULL));
    assert_ok(vl_pkey_verify_rs256(public, text, vl_buf_str(&signature), NULL));
    vl_pkey_free(public);
    vl_signer_free(signer);
    EVP_PKEY_free(key);
}

static void
other_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-384"),
                        EVP_EC_gen("secp256k1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < VL_COUNT(keys); i++) {
        struct vl_signer *signer;
        valet_error err = {0};
        vl_auto(vl_buf) text = vl_buf_of_secret(16384);
        vl_test_pem_key(keys[i], NULL, &text);
        assert_int_equal(vl_signer_of_key(vl_buf_str(&text), &signer, &err),
                         VALET_INVALID);
        assert_non_null(strstr(err.message, "P-256"));
        assert_int_equal(ERR_peek_error(), 0);
        EVP_PKEY_free(keys[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_so_that_others_can_verify),
        cmocka_unit_test(names_its_certificate_by_its_hash),
        cmocka_unit_test(reads_both_out_of_one_text),
        cmocka_unit_test(refuses_what_does_not_belong_together),
        cmocka_unit_test(a_key_on_p_256_alone_signs_es256),
        cmocka_unit_test(an_rsa_key_alone_signs_rs256),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
