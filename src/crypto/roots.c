/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/roots.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/ossl.h"

/* Else OpenSSL would ask at the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool
has_certificate(const STACK_OF(X509_INFO) * blocks)
{
    for (int i = 0; i < sk_X509_INFO_num(blocks); i++)
        if (sk_X509_INFO_value(blocks, i)->x509)
            return true;
    return false;
}

valet_status
vl_roots_check(struct vl_str pem, valet_error *err)
{
    if (pem.n > INT_MAX)
        return vl_ossl_fail(err, VALET_LIMIT, "it is too large");
    BIO *in = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
    /* The function that libcurl reads them by. */
    STACK_OF(X509_INFO) *blocks =
        in ? PEM_X509_INFO_read_bio(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    bool readable = blocks != NULL;
    bool found = readable && has_certificate(blocks);
    sk_X509_INFO_pop_free(blocks, X509_INFO_free);
    ERR_clear_error();
    if (!readable)
        return vl_ossl_fail(err, VALET_INVALID,
                            "a certificate in it is broken");
    return found ? VALET_OK
                 : vl_ossl_fail(err, VALET_INVALID,
                                "there is no certificate in it");
}
