/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/inside_certificate.h"
#include "crypto/inside_pkey.h"
#include "crypto/ossl.h"

/* Clocks differ: a certificate made now is good an hour ago. */
#define BEFORE_S (-3600L)
#define DAYS     3650

/* RFC 5280 section 4.1.2.2: positive, at most 20 octets. */
static bool
set_serial(X509 *cert)
{
    unsigned char bytes[16];
    vl_random(bytes, sizeof bytes);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good =
        number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static bool
set_names(X509 *cert, const char *common_name, const X509 *issuer)
{
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer)
                                             : name) == 1;
}

bool
vl_certificate_fill(X509 *cert, EVP_PKEY *key, const char *common_name,
                    const X509 *issuer, int days)
{
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           set_names(cert, common_name, issuer) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), BEFORE_S) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL) &&
           X509_set_pubkey(cert, key) == 1;
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

valet_status
vl_pkey_self_signed(const struct vl_pkey *key, const char *common_name,
                    struct vl_buf *out, valet_error *err)
{
    if (!key->is_private)
        return vl_fail(err, VALET_INVALID, "", "a public key cannot sign");
    X509 *cert = X509_new();
    bool good = cert &&
                vl_certificate_fill(cert, key->pkey, common_name, NULL, DAYS) &&
                X509_sign(cert, key->pkey, EVP_sha256()) > 0;
    bool written = good && add_der(cert, out);
    X509_free(cert);
    if (!good)
        return vl_ossl_fail(err, VALET_INTERNAL, "cannot make a certificate");
    if (!written)
        return vl_ossl_fail(err, VALET_LIMIT, "no room for a certificate");
    return VALET_OK;
}
