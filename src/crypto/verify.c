/* SPDX-License-Identifier: Apache-2.0
 *
 * The signatures that other issuers make: RSASSA-PSS and ECDSA on P-256. Each
 * function takes one kind of key and one set of parameters, so that nothing a
 * stranger writes chooses either.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "core/status.h"
#include "crypto/inside_pkey.h"
#include "crypto/ossl.h"

/* A coordinate of P-256, and each half of its signatures. */
#define HALF 32
/* SEQUENCE { INTEGER, INTEGER } of 33 bytes each at most. */
#define DER_MAX 80
/* RFC 7518 section 3.5: the salt is as long as the hash. */
#define SALT 32

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *
pkey_of_point(const unsigned char *point, size_t size)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (build && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         size) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(build)) != NULL)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* @spec S-15 */
valet_status
vl_pkey_of_p256(struct vl_str x, struct vl_str y, struct vl_pkey **ret,
                valet_error *err)
{
    unsigned char point[1 + 2 * HALF] = {POINT_CONVERSION_UNCOMPRESSED};
    if (x.n != HALF || y.n != HALF)
        return vl_fail(err, VALET_INVALID, "",
                       "a coordinate of P-256 has 32 bytes");
    memcpy(point + 1, x.p, HALF);
    memcpy(point + 1 + HALF, y.p, HALF);
    EVP_PKEY *pkey = pkey_of_point(point, sizeof point);
    if (!pkey)
        return vl_ossl_fail(err, VALET_INVALID, "the EC key is not valid");
    return vl_pkey_wrap(pkey, false, ret, err);
}

valet_status
vl_pkey_verify_ps256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL; /* belongs to ctx */
    bool good =
        ctx && !key->is_ec &&
        EVP_DigestVerifyInit(ctx, &parameters, EVP_sha256(), NULL, key->pkey) ==
            1 &&
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, SALT) == 1 &&
        EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                         (const unsigned char *)bytes.p, bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? VALET_OK
                : vl_ossl_fail(err, VALET_DENIED, "the signature is wrong");
}

/* RFC 7518 section 3.4 writes r and s side by side, OpenSSL reads DER. Returns
 * the bytes written, 0 when there is no memory. */
static size_t
write_der(struct vl_str halves, unsigned char der[DER_MAX])
{
    const unsigned char *bytes = (const unsigned char *)halves.p;
    BIGNUM *r = BN_bin2bn(bytes, HALF, NULL);
    BIGNUM *s = BN_bin2bn(bytes + HALF, HALF, NULL);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    int size = 0;
    if (r && s && signature && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = s = NULL; /* the signature's now */
        if (i2d_ECDSA_SIG(signature, NULL) <= DER_MAX)
            size = i2d_ECDSA_SIG(signature, &der);
    }
    ECDSA_SIG_free(signature);
    BN_free(r);
    BN_free(s);
    return size > 0 ? (size_t)size : 0;
}

valet_status
vl_pkey_verify_es256(const struct vl_pkey *key, struct vl_str bytes,
                     struct vl_str signature, valet_error *err)
{
    unsigned char der[DER_MAX];
    size_t size =
        key->is_ec && signature.n == 2 * HALF ? write_der(signature, der) : 0;
    EVP_MD_CTX *ctx = size ? EVP_MD_CTX_new() : NULL;
    bool good = ctx && EVP_MD_CTX_copy_ex(ctx, key->verify) == 1 &&
                EVP_DigestVerify(ctx, der, size, (const unsigned char *)bytes.p,
                                 bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? VALET_OK
                : vl_ossl_fail(err, VALET_DENIED, "the signature is wrong");
}
