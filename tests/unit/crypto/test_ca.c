/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ca.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "vl_test.h"

static const char *const names[] = {"localhost", "127.0.0.1", "::1"};

static X509 *
certificate_of(struct vl_str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static EVP_PKEY *
key_of(struct vl_str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static X509 *
root_of(const struct vl_ca *authority)
{
    vl_auto(vl_buf) pem = vl_buf_of(4096);
    assert_ok(vl_ca_certificate(authority, &pem, NULL));
    return certificate_of(vl_buf_str(&pem));
}

/* What a client that trusts `root` says to a server's certificate. */
static int
judge(X509 *root, X509 *leaf)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER),
                     1);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
                                X509_V_FLAG_X509_STRICT);
    (void)X509_verify_cert(ctx);
    int verdict = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return verdict;
}

static int
make_authority(void **state)
{
    struct vl_ca *authority = NULL;
    if (vl_ca_new("A test", &authority, NULL) != VALET_OK)
        return -1;
    *state = authority;
    return 0;
}

static int
free_authority(void **state)
{
    vl_ca_free(*state);
    return 0;
}

static void
issues_certificates_that_who_trusts_it_accepts(void **state)
{
    vl_auto(vl_buf) pem = vl_buf_of(4096), key = vl_buf_of_secret(4096);
    assert_ok(vl_ca_issue(*state, names, 3, &pem, &key, NULL));
    X509 *root = root_of(*state), *leaf = certificate_of(vl_buf_str(&pem));
    assert_int_equal(judge(root, leaf), X509_V_OK);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    assert_int_equal(
        X509_check_host(leaf, "localhost.evil.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.2", 0), 0);
    EVP_PKEY *private = key_of(vl_buf_str(&key));
    assert_int_equal(X509_check_private_key(leaf, private), 1);
    EVP_PKEY_free(private);
    X509_free(leaf);
    X509_free(root);
}

static void
is_not_any_other_authority_of_the_same_name(void **state)
{
    struct vl_ca *other = NULL;
    vl_auto(vl_buf) pem = vl_buf_of(4096), key = vl_buf_of_secret(4096);
    assert_ok(vl_ca_new("A test", &other, NULL));
    assert_ok(vl_ca_issue(other, names, 1, &pem, &key, NULL));
    X509 *root = root_of(*state), *leaf = certificate_of(vl_buf_str(&pem));
    assert_int_not_equal(judge(root, leaf), X509_V_OK);
    X509_free(leaf);
    X509_free(root);
    vl_ca_free(other);
}

/* A server's key that leaks must not make further certificates. */
static void
makes_no_further_authorities(void **state)
{
    vl_auto(vl_buf) pem = vl_buf_of(4096), key = vl_buf_of_secret(4096);
    assert_ok(vl_ca_issue(*state, names, 1, &pem, &key, NULL));
    X509 *leaf = certificate_of(vl_buf_str(&pem)), *root = root_of(*state);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_get_pathlen(root), 0);
    X509_free(leaf);
    X509_free(root);
}

static void
refuses_names_that_are_none(void **state)
{
    static const char *const bad[] = {"", "a b", "x,DNS:evil.example",
                                      "h\xc3\xb6st", "::1::"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        vl_auto(vl_buf) pem = vl_buf_of(4096), key = vl_buf_of_secret(4096);
        assert_int_equal(vl_ca_issue(*state, &bad[i], 1, &pem, &key, NULL),
                         VALET_INVALID);
    }
}

static void
says_when_there_is_no_room(void **state)
{
    vl_auto(vl_buf) small = vl_buf_of(10), pem = vl_buf_of(4096);
    vl_auto(vl_buf) key = vl_buf_of_secret(10);
    assert_int_equal(vl_ca_certificate(*state, &small, NULL), VALET_LIMIT);
    assert_int_equal(vl_ca_issue(*state, names, 3, &pem, &key, NULL),
                     VALET_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issues_certificates_that_who_trusts_it_accepts),
        cmocka_unit_test(is_not_any_other_authority_of_the_same_name),
        cmocka_unit_test(makes_no_further_authorities),
        cmocka_unit_test(refuses_names_that_are_none),
        cmocka_unit_test(says_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, make_authority, free_authority);
}
