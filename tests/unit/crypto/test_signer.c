/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signer.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

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
    assert_ok(vl_signer_sign_ps256(signer, text, &one, NULL));
    assert_ok(vl_signer_sign_ps256(signer, text, &two, NULL));
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
    vl_signer_thumbprint(signer, thumbprint);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_so_that_others_can_verify),
        cmocka_unit_test(names_its_certificate_by_its_hash),
        cmocka_unit_test(reads_both_out_of_one_text),
        cmocka_unit_test(refuses_what_does_not_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
