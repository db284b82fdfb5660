/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signer.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/status.h"
#include "crypto/ossl.h"

#define BITS_MIN 2048
#define BITS_MAX 4096

/* Each half of a signature on P-256 (RFC 7518 section 3.4). */
#define HALF 32

struct vl_signer {
    EVP_PKEY *key;
    bool has_certificate, is_ec;
    unsigned char thumbprint[VL_SHA256_SIZE];
};

/* --- reading --- */

/* A passphrase would have to lie beside the key. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)ctx = true;
    return -1;
}

static BIO *
reader(struct vl_str text)
{
    if (!text.n || text.n > INT32_MAX)
        return NULL;
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    VL_ASSERT(in);
    return in;
}

static bool
is_rsa(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= BITS_MIN &&
           bits <= BITS_MAX;
}

static bool
is_p256(const EVP_PKEY *key)
{
    char curve[32];
    size_t n;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, curve, sizeof curve, &n) == 1 &&
           strcmp(curve, SN_X9_62_prime256v1) == 0;
}

static valet_status
read_key(struct vl_str text, EVP_PKEY **ret, valet_error *err)
{
    bool locked = false;
    BIO *in = reader(text);
    EVP_PKEY *key =
        in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &locked) : NULL;
    BIO_free(in);
    if (!key)
        return vl_ossl_fail(err, VALET_INVALID,
                            locked
                                ? "the key has a passphrase; write it without"
                                : "there is no private key in it");
    *ret = key;
    return VALET_OK;
}

/* The certificate's thumbprint, if the key is its. */
static valet_status
read_certificate(struct vl_str text, EVP_PKEY *key,
                 unsigned char ret[VL_SHA256_SIZE], valet_error *err)
{
    BIO *in = reader(text);
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    if (!cert)
        return vl_ossl_fail(err, VALET_INVALID,
                            "there is no certificate in it");
    bool same = X509_check_private_key(cert, key) == 1;
    bool done = X509_digest(cert, EVP_sha256(), ret, NULL) == 1;
    X509_free(cert);
    if (!same)
        return vl_ossl_fail(err, VALET_INVALID,
                            "the key is not that of the certificate");
    return done ? VALET_OK
                : vl_ossl_fail(err, VALET_INTERNAL,
                               "cannot hash the certificate");
}

/* Takes the key over, also when it was no good. */
static valet_status
keep(const struct vl_signer *signer, valet_status status,
     struct vl_signer **ret)
{
    if (status != VALET_OK) {
        EVP_PKEY_free(signer->key);
        return status;
    }
    *ret = vl_alloc(sizeof **ret);
    **ret = *signer;
    return VALET_OK;
}

valet_status
vl_signer_of_pem(struct vl_str certificate, struct vl_str key,
                 struct vl_signer **ret, valet_error *err)
{
    struct vl_signer signer = {.has_certificate = true};
    VL_TRY(read_key(key, &signer.key, err));
    valet_status status =
        is_rsa(signer.key)
            ? read_certificate(certificate, signer.key, signer.thumbprint, err)
            : vl_ossl_fail(err, VALET_INVALID,
                           "the key is no RSA key of 2048 to 4096 bits");
    return keep(&signer, status, ret);
}

/* @spec EX-02 */
valet_status
vl_signer_of_key(struct vl_str key, struct vl_signer **ret, valet_error *err)
{
    struct vl_signer signer = {.has_certificate = false};
    VL_TRY(read_key(key, &signer.key, err));
    signer.is_ec = is_p256(signer.key);
    valet_status status =
        signer.is_ec || is_rsa(signer.key)
            ? VALET_OK
            : vl_ossl_fail(err, VALET_INVALID,
                           "the key is neither on P-256 nor an RSA key of "
                           "2048 to 4096 bits");
    return keep(&signer, status, ret);
}

void
vl_signer_free(struct vl_signer *signer)
{
    if (!signer)
        return;
    EVP_PKEY_free(signer->key); /* wipes the private numbers */
    free(signer);
}

const char *
vl_signer_algorithm(const struct vl_signer *signer)
{
    if (signer->has_certificate)
        return "PS256";
    return signer->is_ec ? "ES256" : "RS256";
}

bool
vl_signer_thumbprint(const struct vl_signer *signer,
                     unsigned char ret[VL_SHA256_SIZE])
{
    if (signer->has_certificate)
        memcpy(ret, signer->thumbprint, VL_SHA256_SIZE);
    return signer->has_certificate;
}

/* --- signatures --- */

/* RFC 7518 section 3.5: MGF1 with the same hash, a salt as long as the hash. */
static bool
use_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

/* RFC 7518 section 3.4 writes r and s side by side, OpenSSL DER. */
static bool
write_halves(unsigned char *signature, size_t *size)
{
    const unsigned char *der = signature;
    ECDSA_SIG *read = d2i_ECDSA_SIG(NULL, &der, (long)*size);
    bool good =
        read && BN_bn2binpad(ECDSA_SIG_get0_r(read), signature, HALF) == HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(read), signature + HALF, HALF) == HALF;
    ECDSA_SIG_free(read);
    *size = (size_t)2 * HALF;
    return good;
}

valet_status
vl_signer_sign(const struct vl_signer *signer, struct vl_str bytes,
               struct vl_buf *out, valet_error *err)
{
    unsigned char signature[BITS_MAX / 8];
    size_t size = sizeof signature;
    EVP_PKEY_CTX *rules = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx &&
        EVP_DigestSignInit(ctx, &rules, EVP_sha256(), NULL, signer->key) == 1 &&
        (!signer->has_certificate || use_pss(rules)) &&
        EVP_DigestSign(ctx, signature, &size, (const unsigned char *)bytes.p,
                       bytes.n) == 1 &&
        (!signer->is_ec || write_halves(signature, &size));
    EVP_MD_CTX_free(ctx);
    if (!good)
        return vl_ossl_fail(err, VALET_INTERNAL, "cannot sign with the key");
    vl_buf_add(out, vl_str_of(signature, size));
    return vl_buf_check(out, err);
}
