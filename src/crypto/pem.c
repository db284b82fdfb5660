/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/status.h"
#include "crypto/inside_pkey.h"
#include "crypto/ossl.h"

/* A chain of certificates is longer than one; nobody pastes more. */
#define TEXT_MAX 65536

/* The modulus of 4096 bits. */
#define NUMBER_MAX 512

static bool
read_number(const EVP_PKEY *pkey, const char *name, struct vl_buf *out)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return false;
    size_t size = (size_t)BN_num_bytes(number);
    char *room = size ? vl_buf_reserve(out, size) : NULL;
    if (room) {
        (void)BN_bn2bin(number, (unsigned char *)room);
        vl_buf_commit(out, size);
    }
    BN_free(number);
    return room != NULL;
}

/* By its numbers, so that one place judges which keys are good enough. */
static valet_status
take_public(const EVP_PKEY *pkey, struct vl_pkey **ret, valet_error *err)
{
    vl_auto(vl_buf) n = vl_buf_of(NUMBER_MAX), e = vl_buf_of(NUMBER_MAX);
    if (!pkey || !read_number(pkey, OSSL_PKEY_PARAM_RSA_N, &n) ||
        !read_number(pkey, OSSL_PKEY_PARAM_RSA_E, &e))
        return vl_ossl_fail(err, VALET_INVALID, "it has no RSA key");
    return vl_pkey_of_rsa(vl_buf_str(&n), vl_buf_str(&e), ret, err);
}

static bool
add_der(const X509 *cert, struct vl_buf *out)
{
    int size = i2d_X509(cert, NULL);
    char *room = size > 0 ? vl_buf_reserve(out, (size_t)size) : NULL;
    if (!room)
        return false;
    unsigned char *end = (unsigned char *)room;
    vl_buf_commit(out, (size_t)i2d_X509(cert, &end));
    return true;
}

/* OpenSSL would ask at the terminal. */
static int
know_no_password(char *ret, int size, int writing, void *ctx)
{
    (void)ret, (void)size, (void)writing, (void)ctx;
    return -1;
}

static BIO *
open_text(struct vl_str text)
{
    return text.n && text.n <= TEXT_MAX ? BIO_new_mem_buf(text.p, (int)text.n)
                                        : NULL;
}

static valet_status
read_certificate(struct vl_str text, struct vl_buf *ret_der,
                 struct vl_pkey **ret, valet_error *err)
{
    BIO *bio = open_text(text);
    X509 *cert =
        bio ? PEM_read_bio_X509(bio, NULL, know_no_password, NULL) : NULL;
    vl_auto(vl_buf) der = vl_buf_of(ret_der->max);
    struct vl_pkey *key = NULL;
    valet_status status =
        cert ? take_public(X509_get0_pubkey(cert), &key, err)
             : vl_ossl_fail(err, VALET_INVALID, "it is no certificate");
    if (status == VALET_OK && !add_der(cert, &der))
        status = vl_ossl_fail(err, VALET_LIMIT, "the certificate is too large");
    X509_free(cert);
    BIO_free(bio);
    if (status != VALET_OK) {
        vl_pkey_free(key);
        return status;
    }
    vl_buf_add(ret_der, vl_buf_str(&der));
    *ret = key;
    return VALET_OK;
}

static valet_status
read_bare_key(struct vl_str text, struct vl_pkey **ret, valet_error *err)
{
    BIO *bio = open_text(text);
    EVP_PKEY *pkey =
        bio ? PEM_read_bio_PUBKEY(bio, NULL, know_no_password, NULL) : NULL;
    valet_status status = take_public(pkey, ret, err);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    return status;
}

valet_status
vl_pem_read_public(struct vl_str text, struct vl_buf *ret_der,
                   struct vl_pkey **ret_key, valet_error *err)
{
    static const struct vl_str bare = {"-----BEGIN PUBLIC KEY-----", 26};
    size_t at = vl_str_index(text, '-');
    return vl_str_starts(vl_str_from(text, at), bare)
               ? read_bare_key(text, ret_key, err)
               : read_certificate(text, ret_der, ret_key, err);
}

static bool
add_text(BIO *bio, struct vl_buf *out)
{
    char *text = NULL;
    long size = BIO_get_mem_data(bio, &text);
    if (size <= 0)
        return false;
    vl_buf_add(out, vl_str_of(text, (size_t)size));
    return !out->failed;
}

valet_status
vl_pem_write_certificate(struct vl_str der, struct vl_buf *out,
                         valet_error *err)
{
    const unsigned char *from = (const unsigned char *)der.p;
    X509 *cert = d2i_X509(NULL, &from, (long)der.n);
    BIO *bio = BIO_new(BIO_s_mem());
    bool good =
        cert && bio && PEM_write_bio_X509(bio, cert) == 1 && add_text(bio, out);
    BIO_free(bio);
    X509_free(cert);
    return good ? VALET_OK
                : vl_ossl_fail(err, VALET_INVALID,
                               "the certificate cannot be written");
}

valet_status
vl_pem_write_key(const struct vl_pkey *key, struct vl_buf *out,
                 valet_error *err)
{
    VL_ASSERT(out->secret);
    /* A BIO of this kind wipes what it held. */
    BIO *bio = key->is_private ? BIO_new(BIO_s_secmem()) : NULL;
    bool good = bio &&
                PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0,
                                              NULL, NULL) == 1 &&
                add_text(bio, out);
    BIO_free(bio);
    return good ? VALET_OK
                : vl_ossl_fail(err, VALET_INVALID, "the key cannot be written");
}
