/* SPDX-License-Identifier: Apache-2.0
 *
 * What all TLS streams of a process share: certificate, key, and the rules.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/buf.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/address.h"
#include "io/tls_private.h"

/* A chain, or a key; a page of certificates is 4 kB. */
#define PEM_MAX (256u * 1024)

/* Forward secrecy and authenticated encryption only (RFC 9325 section 4.2). */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"
/* AES-128 first: the rest of the connection is no stronger. */
#define CIPHERS_1_3                                                            \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"                           \
    "TLS_CHACHA20_POLY1305_SHA256"

/* Empties OpenSSL's error queue of this thread: what stays in it would be
 * taken for a fault of the next connection. */
static valet_status
refuse(valet_error *err, const char *path, const char *what)
{
    ERR_clear_error();
    return vl_fail(err, VALET_INVALID, "", "%s: %s", path, what);
}

/* --- files --- */

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

static valet_status
use_key(SSL_CTX *ctx, const char *path, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(PEM_MAX);
    /* certbot and Kubernetes renew by letting a link point elsewhere. */
    VL_TRY(vl_file_read_linked(path, &text, err));
    bool locked = false;
    BIO *in = BIO_new_mem_buf(vl_buf_str(&text).p, (int)vl_buf_size(&text));
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &locked);
    BIO_free(in);
    if (!key)
        return refuse(err, path,
                      locked ? "the key has a passphrase; write it without"
                             : "there is no private key in it");
    bool good = SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
                SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    if (!good)
        return refuse(err, path, "the key is not that of the certificate");
    return VALET_OK;
}

/* The rest of the chain; false when something in it is none. */
static bool
add_chain(SSL_CTX *ctx, BIO *in)
{
    X509 *cert;
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            return false;
        }
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static valet_status
use_certificate(SSL_CTX *ctx, const char *path, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of(PEM_MAX);
    VL_TRY(vl_file_read(path, false, &text, err));
    BIO *in = BIO_new_mem_buf(vl_buf_str(&text).p, (int)vl_buf_size(&text));
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
    bool used = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    bool whole = used && add_chain(ctx, in);
    bool found = cert != NULL;
    X509_free(cert);
    BIO_free(in);
    if (!found)
        return refuse(err, path, "there is no certificate in it");
    if (!used)
        return refuse(err, path, "the certificate's key is too weak");
    if (!whole)
        return refuse(err, path, "the chain after the certificate is broken");
    ERR_clear_error();
    return VALET_OK;
}

/* --- rules --- */

/*
 * RFC 7301 section 3.2: who names protocols without ours would go on to speak
 * something else. Who names none speaks HTTP/1.1.
 */
static int
select_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_size,
                const unsigned char *offered, unsigned offered_size, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *selected;
    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&selected, ret_size, ours, sizeof ours - 1,
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = selected;
    return SSL_TLSEXT_ERR_OK;
}

bool
vl_tls_set_suites(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 2);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, CIPHERS_1_3) == 1;
}

/* @spec S-96 */
static bool
set_rules(SSL_CTX *ctx)
{
    (void)SSL_CTX_set_options(
        ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                 SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_PRIORITIZE_CHACHA |
                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* An idle connection gives its buffers back: 33 kB of 45. */
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are in tickets that clients keep; none are kept here. */
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    return SSL_CTX_set_num_tickets(ctx, 1) == 1 && vl_tls_set_suites(ctx);
}

static valet_status
make_context(const struct vl_tls *tls, SSL_CTX **ret, valet_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    valet_status status =
        ctx && set_rules(ctx)
            ? use_certificate(ctx, tls->certificate_file, err)
            : vl_fail(err, VALET_INTERNAL, "", "OpenSSL cannot speak TLS");
    if (status == VALET_OK)
        status = use_key(ctx, tls->key_file, err);
    if (status != VALET_OK) {
        SSL_CTX_free(ctx);
        return status;
    }
    *ret = ctx;
    return VALET_OK;
}

/* --- what clients will think of it --- */

static X509 *
dup_certificate(struct vl_tls *tls)
{
    uv_mutex_lock(&tls->lock);
    X509 *cert = SSL_CTX_get0_certificate(tls->current);
    VL_ASSERT(cert && X509_up_ref(cert) == 1);
    uv_mutex_unlock(&tls->lock);
    return cert;
}

bool
vl_tls_covers(struct vl_tls *tls, const char *host)
{
    X509 *cert = dup_certificate(tls);
    union vl_address address;
    bool covers =
        vl_address_parse(host, 0, &address, NULL) == VALET_OK
            ? X509_check_ip_asc(cert, host, 0) == 1
            : X509_check_host(cert, host, strlen(host),
                              X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
    X509_free(cert);
    ERR_clear_error();
    return covers;
}

const char *
vl_tls_out_of_date(struct vl_tls *tls)
{
    X509 *cert = dup_certificate(tls);
    const char *trouble = NULL;
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
        trouble = "has expired";
    else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        trouble = "is not valid yet";
    X509_free(cert);
    return trouble;
}

/* --- life --- */

valet_status
vl_tls_new(const char *certificate_file, const char *key_file,
           struct vl_tls **ret, valet_error *err)
{
    struct vl_tls *tls = vl_alloc(sizeof *tls);
    tls->certificate_file = vl_strdup(certificate_file);
    tls->key_file = vl_strdup(key_file);
    tls->current = NULL;
    tls->method = vl_tls_method();
    atomic_init(&tls->holders, 1);
    VL_ASSERT(uv_mutex_init(&tls->lock) == 0);
    valet_status status = make_context(tls, &tls->current, err);
    if (status != VALET_OK) {
        vl_tls_free(tls);
        return status;
    }
    *ret = tls;
    return VALET_OK;
}

valet_status
vl_tls_reload(struct vl_tls *tls, valet_error *err)
{
    SSL_CTX *fresh;
    VL_TRY(make_context(tls, &fresh, err));
    uv_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->current;
    tls->current = fresh;
    uv_mutex_unlock(&tls->lock);
    SSL_CTX_free(old); /* when its last connection has ended */
    return VALET_OK;
}

struct vl_tls *
vl_tls_hold(struct vl_tls *tls)
{
    (void)atomic_fetch_add(&tls->holders, 1);
    return tls;
}

SSL *
vl_tls_ssl(struct vl_tls *tls)
{
    uv_mutex_lock(&tls->lock);
    SSL *ssl = SSL_new(tls->current);
    uv_mutex_unlock(&tls->lock);
    VL_ASSERT(ssl);
    return ssl;
}

void
vl_tls_free(struct vl_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->holders, 1) != 1)
        return;
    SSL_CTX_free(tls->current);
    BIO_meth_free(tls->method);
    uv_mutex_destroy(&tls->lock);
    free(tls->certificate_file);
    free(tls->key_file);
    free(tls);
}
