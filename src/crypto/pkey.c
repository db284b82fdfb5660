/* SPDX-License-Identifier: Apache-2.0
 *
 * Each key carries a verification context that is already set up; verifying
 * copies it, which costs a seventh less than setting one up, and nothing of
 * the key is parsed again. Threads may copy at once: it is only read.
 */
#include "crypto/pkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "core/status.h"
#include "crypto/inside_pkey.h"
#include "crypto/ossl.h"

#define BITS_MIN 2048
#define BITS_MAX 4096
/* Nobody uses more than 65537; a long exponent only makes verifying slow. */
#define EXPONENT_BITS_MAX 32

valet_status
vl_pkey_wrap(EVP_PKEY *pkey, bool is_private, struct vl_pkey **ret,
             valet_error *err)
{
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    if (!verify ||
        EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL, pkey) != 1) {
        EVP_MD_CTX_free(verify);
        EVP_PKEY_free(pkey);
        return vl_ossl_fail(err, VALET_INTERNAL, "the key is not usable");
    }
    struct vl_pkey *key = vl_alloc(sizeof *key);
    *key = (struct vl_pkey){pkey, verify, is_private,
                            EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC};
    *ret = key;
    return VALET_OK;
}

valet_status
vl_pkey_new_rsa(unsigned bits, struct vl_pkey **ret, valet_error *err)
{
    if (bits < BITS_MIN || bits > BITS_MAX)
        return vl_fail(err, VALET_INVALID, "",
                       "an RSA key must have %d to %d bits", BITS_MIN,
                       BITS_MAX);
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    if (!pkey)
        return vl_ossl_fail(err, VALET_INTERNAL, "cannot make an RSA key");
    return vl_pkey_wrap(pkey, true, ret, err);
}

void
vl_pkey_free(struct vl_pkey *key)
{
    if (!key)
        return;
    EVP_MD_CTX_free(key->verify);
    EVP_PKEY_free(key->pkey); /* wipes the private numbers */
    free(key);
}

/* What is wrong with these numbers, or NULL. */
static const char *
judge(const BIGNUM *n, const BIGNUM *e)
{
    int bits = BN_num_bits(n);
    if (bits < BITS_MIN || bits > BITS_MAX)
        return "the RSA modulus has not 2048 to 4096 bits";
    if (!BN_is_odd(n))
        return "the RSA modulus is even";
    if (!BN_is_odd(e) || BN_is_one(e))
        return "the RSA exponent is even or one";
    if (BN_num_bits(e) > EXPONENT_BITS_MAX)
        return "the RSA exponent is too large";
    return NULL;
}

/* NULL when OpenSSL does not take the numbers. */
static EVP_PKEY *
pkey_of(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (build && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(build)) != NULL)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static BIGNUM *
number_of(struct vl_str bytes)
{
    return BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

/* @spec S-15 */
valet_status
vl_pkey_of_rsa(struct vl_str n, struct vl_str e, struct vl_pkey **ret,
               valet_error *err)
{
    /* One byte more than the largest: room for a leading zero. */
    if (n.n > BITS_MAX / 8 + 1 || e.n > BITS_MAX / 8 + 1)
        return vl_fail(err, VALET_INVALID, "", "the RSA key is too large");
    BIGNUM *modulus = number_of(n), *exponent = number_of(e);
    EVP_PKEY *pkey = NULL;
    const char *wrong = "no memory for the RSA key";
    if (modulus && exponent) {
        wrong = judge(modulus, exponent);
        if (!wrong)
            pkey = pkey_of(modulus, exponent);
    }
    BN_free(modulus);
    BN_free(exponent);
    if (!pkey)
        return vl_ossl_fail(err, VALET_INVALID,
                            wrong ? wrong : "the RSA key is not valid");
    return vl_pkey_wrap(pkey, false, ret, err);
}

static void
add_number(const struct vl_pkey *key, const char *name, struct vl_buf *out)
{
    BIGNUM *number = NULL;
    VL_ASSERT(EVP_PKEY_get_bn_param(key->pkey, name, &number) == 1);
    size_t size = (size_t)BN_num_bytes(number);
    char *room = vl_buf_reserve(out, size);
    if (room) {
        (void)BN_bn2bin(number, (unsigned char *)room);
        vl_buf_commit(out, size);
    }
    BN_free(number);
}

void
vl_pkey_rsa_numbers(const struct vl_pkey *key, struct vl_buf *ret_n,
                    struct vl_buf *ret_e)
{
    add_number(key, OSSL_PKEY_PARAM_RSA_N, ret_n);
    add_number(key, OSSL_PKEY_PARAM_RSA_E, ret_e);
}

valet_status
vl_pkey_sign_rs256(const struct vl_pkey *key, struct vl_str bytes,
                   struct vl_buf *out, valet_error *err)
{
    if (!key->is_private)
        return vl_fail(err, VALET_INVALID, "", "a public key cannot sign");
    size_t size = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *room = (unsigned char *)vl_buf_reserve(out, size);
    if (!room)
        return vl_fail(err, VALET_LIMIT, "", "no room for a signature");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx &&
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
        EVP_DigestSign(ctx, room, &size, (const unsigned char *)bytes.p,
                       bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return vl_ossl_fail(err, VALET_INTERNAL, "cannot sign with RSA");
    vl_buf_commit(out, size);
    return VALET_OK;
}

/*
 * RFC 8017 section 8.2.2: OpenSSL encodes what the signature ought to hold
 * and compares, so no lenient reading of the padding is possible.
 */
valet_status
vl_pkey_verify_rs256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx && !key->is_ec && EVP_MD_CTX_copy_ex(ctx, key->verify) == 1 &&
        EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                         (const unsigned char *)bytes.p, bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? VALET_OK
                : vl_ossl_fail(err, VALET_DENIED, "the signature is wrong");
}
