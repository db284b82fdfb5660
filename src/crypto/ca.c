/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ca.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/inside_certificate.h"
#include "crypto/ossl.h"

#define DAYS          365
#define CURVE         "P-256"
#define NAME_MAX_SIZE 253

struct vl_ca {
    EVP_PKEY *key;
    X509 *cert;
};

/* --- extensions --- */

static bool
add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

struct extension {
    int nid;
    const char *value;
};

/* The order matters: the key's id comes before what refers to it. */
static bool
add_extensions(X509 *cert, X509 *issuer, const struct extension *list,
               size_t count)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++)
        if (!add_extension(cert, &ctx, list[i].nid, list[i].value))
            return false;
    return true;
}

/* host = 1*253( ALPHA / DIGIT / "-" / "." / "_" ) */
static bool
is_host(struct vl_str name)
{
    if (!name.n || name.n > NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
            c != '_')
            return false;
    }
    return true;
}

/* NULL for a text that is neither an address nor a host name. */
static GENERAL_NAME *
make_name(const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ASN1_IA5STRING *host = NULL;
    if (!address) {
        if (!is_host(vl_str_z(text)))
            return NULL;
        host = ASN1_IA5STRING_new();
        if (!host || ASN1_STRING_set(host, text, -1) != 1) {
            ASN1_IA5STRING_free(host);
            return NULL;
        }
    }
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (!name) {
        ASN1_OCTET_STRING_free(address);
        ASN1_IA5STRING_free(host);
        return NULL;
    }
    if (address)
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    else
        GENERAL_NAME_set0_value(name, GEN_DNS, host);
    return name;
}

static bool
add_names(X509 *cert, const char *const *names, size_t count)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    bool good = list && count;
    for (size_t i = 0; good && i < count; i++) {
        GENERAL_NAME *name = make_name(names[i]);
        good = name && sk_GENERAL_NAME_push(list, name) > 0;
        if (!good)
            GENERAL_NAME_free(name);
    }
    good =
        good && X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, 0) == 1;
    GENERAL_NAMES_free(list);
    return good;
}

/* --- text --- */

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

static bool
write_certificate(X509 *cert, struct vl_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio && PEM_write_bio_X509(bio, cert) == 1 && add_text(bio, out);
    BIO_free(bio);
    return good;
}

/* A BIO of this kind wipes what it held. */
static bool
write_key(EVP_PKEY *key, struct vl_buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool good = bio &&
                PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
                                              NULL) == 1 &&
                add_text(bio, out);
    BIO_free(bio);
    return good;
}

/* --- life --- */

static bool
make_root(struct vl_ca *ca, const char *common_name)
{
    static const struct extension list[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
    };
    EVP_PKEY *key = ca->key = EVP_EC_gen(CURVE);
    X509 *cert = ca->cert = X509_new();
    return key && cert &&
           vl_certificate_fill(cert, key, common_name, NULL, DAYS) &&
           add_extensions(cert, cert, list, VL_COUNT(list)) &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

valet_status
vl_ca_new(const char *common_name, struct vl_ca **ret, valet_error *err)
{
    struct vl_ca *ca = vl_alloc(sizeof *ca);
    *ca = (struct vl_ca){NULL, NULL};
    if (!make_root(ca, common_name)) {
        vl_ca_free(ca);
        return vl_ossl_fail(err, VALET_INTERNAL,
                            "cannot make a certificate authority");
    }
    *ret = ca;
    return VALET_OK;
}

void
vl_ca_free(struct vl_ca *ca)
{
    if (!ca)
        return;
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    free(ca);
}

valet_status
vl_ca_certificate(const struct vl_ca *ca, struct vl_buf *out, valet_error *err)
{
    return write_certificate(ca->cert, out)
               ? VALET_OK
               : vl_ossl_fail(err, VALET_LIMIT, "no room for a certificate");
}

/* Signed by the authority; false when OpenSSL does not take it. */
static bool
make_leaf(const struct vl_ca *ca, const char *const *names, size_t count,
          EVP_PKEY *key, X509 *cert)
{
    static const struct extension list[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
    };
    return vl_certificate_fill(cert, key, names[0], ca->cert, DAYS) &&
           add_extensions(cert, ca->cert, list, VL_COUNT(list)) &&
           add_names(cert, names, count) &&
           X509_sign(cert, ca->key, EVP_sha256()) > 0;
}

valet_status
vl_ca_issue(const struct vl_ca *ca, const char *const *names, size_t count,
            struct vl_buf *ret_certificate, struct vl_buf *ret_key,
            valet_error *err)
{
    VL_ASSERT(count && ret_key->secret);
    EVP_PKEY *key = EVP_EC_gen(CURVE);
    X509 *cert = X509_new();
    bool made = key && cert && make_leaf(ca, names, count, key, cert);
    bool written = made && write_certificate(cert, ret_certificate) &&
                   write_key(key, ret_key);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (!made)
        return vl_ossl_fail(err, VALET_INVALID,
                            "a certificate cannot have these names");
    if (!written)
        return vl_ossl_fail(err, VALET_LIMIT, "no room for a certificate");
    ERR_clear_error(); /* a host name was tried as an address first */
    return VALET_OK;
}
