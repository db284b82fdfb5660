/* SPDX-License-Identifier: Apache-2.0
 *
 * A key and a certificate as PEM, made when the test runs.
 */
#ifndef VL_TEST_PEM_H
#define VL_TEST_PEM_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/buf.h"
#include "vl_test.h"

static inline void
vl_test_pem_take(BIO *bio, struct vl_buf *out)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    assert_true(n > 0);
    vl_buf_add(out, vl_str_of(text, (size_t)n));
    BIO_free(bio);
}

static inline void
vl_test_pem_certificate(EVP_PKEY *key, struct vl_buf *out)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"test",
                                                -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    X509_free(cert);
    vl_test_pem_take(bio, out);
}

/* PKCS #8, with a passphrase if there is one. */
static inline void
vl_test_pem_key(EVP_PKEY *key, const char *passphrase, struct vl_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         bio, key, passphrase ? EVP_aes_256_cbc() : NULL,
                         passphrase, passphrase ? (int)strlen(passphrase) : 0,
                         NULL, NULL),
                     1);
    vl_test_pem_take(bio, out);
}

/* PS256 by OpenSSL's own means (RFC 7518 section 3.5). */
static inline bool
vl_test_is_ps256(EVP_PKEY *key, struct vl_str bytes, struct vl_str signature)
{
    EVP_PKEY_CTX *rules = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, &rules, EVP_sha256(), NULL, key),
                     1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(rules, RSA_PKCS1_PSS_PADDING),
                     1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_pss_saltlen(rules, RSA_PSS_SALTLEN_DIGEST), 1);
    bool good =
        EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                         (const unsigned char *)bytes.p, bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

#endif
