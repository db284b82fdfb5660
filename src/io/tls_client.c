/* SPDX-License-Identifier: Apache-2.0
 *
 * What all TLS streams to others share: whose certificates are believed, and
 * the rules (RFC 9325; RFC 9525 for names).
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <limits.h>

#include "core/status.h"
#include "io/address.h"
#include "io/tls_private.h"

struct vl_tls_trust {
    SSL_CTX *ctx;
    BIO_METHOD *method;
};

/* Where no certificate is asked for OpenSSL would offer one of ours: there is
 * none. Requests are not repeated by renegotiation, nor resumed. */
static bool
set_rules(SSL_CTX *ctx)
{
    static const unsigned char http[] = "\x08http/1.1";
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CLEANSE_PLAINTEXT);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* @spec S-96: verification cannot be turned off. */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return vl_tls_set_suites(ctx) &&
           SSL_CTX_set_alpn_protos(ctx, http, sizeof http - 1) == 0;
}

/* True when all of it was read. */
static bool
add_roots(SSL_CTX *ctx, struct vl_str pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *cert;
    bool added = in != NULL;
    while (added && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        added = X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
    }
    BIO_free(in);
    return added &&
           ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static valet_status
fill(SSL_CTX *ctx, struct vl_str more, valet_error *err)
{
    if (!set_rules(ctx) || SSL_CTX_set_default_verify_paths(ctx) != 1)
        return vl_fail(err, VALET_INTERNAL, "", "OpenSSL cannot speak TLS");
    if (more.n && (more.n > INT_MAX || !add_roots(ctx, more)))
        return vl_fail(err, VALET_INVALID, "",
                       "a trusted certificate cannot be read");
    return VALET_OK;
}

valet_status
vl_tls_trust_new(struct vl_str more, struct vl_tls_trust **ret,
                 valet_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    ERR_clear_error();
    valet_status status =
        ctx ? fill(ctx, more, err)
            : vl_fail(err, VALET_INTERNAL, "", "OpenSSL cannot speak TLS");
    ERR_clear_error();
    if (status != VALET_OK) {
        SSL_CTX_free(ctx);
        return status;
    }
    struct vl_tls_trust *trust = vl_alloc(sizeof *trust);
    *trust = (struct vl_tls_trust){ctx, vl_tls_method()};
    *ret = trust;
    return VALET_OK;
}

void
vl_tls_trust_free(struct vl_tls_trust *trust)
{
    if (!trust)
        return;
    SSL_CTX_free(trust->ctx);
    BIO_meth_free(trust->method);
    free(trust);
}

BIO_METHOD *
vl_tls_trust_method(const struct vl_tls_trust *trust)
{
    return trust->method;
}

/* A numeric address is looked for among the certificate's addresses, and is
 * not told as a server name (RFC 6066 section 3). */
SSL *
vl_tls_trust_ssl(struct vl_tls_trust *trust, const char *host)
{
    union vl_address address;
    char name[TLSEXT_MAXLEN_host_name + 1];
    (void)snprintf(name, sizeof name, "%s", host);
    SSL *ssl = SSL_new(trust->ctx);
    VL_ASSERT(ssl);
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (vl_address_parse(host, 0, &address, NULL) == VALET_OK)
        VL_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1);
    else
        VL_ASSERT(X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
                  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                           TLSEXT_NAMETYPE_host_name, name) == 1);
    return ssl;
}
