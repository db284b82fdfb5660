/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to tls*.c, which alone know OpenSSL.
 */
#ifndef VL_IO_TLS_PRIVATE_H
#define VL_IO_TLS_PRIVATE_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "io/handle.h"
#include "io/tls.h"

struct vl_tls {
    atomic_uint holders; /* whoever made it, and each stream */
    uv_mutex_t lock;     /* of `current` */
    SSL_CTX *current;
    BIO_METHOD *method;
    char *certificate_file, *key_file;
};

/* tls_context.c */
struct vl_tls *vl_tls_hold(struct vl_tls *tls);
SSL *vl_tls_ssl(struct vl_tls *tls);

/* tls_client.c: a connection to `host`, which holds what it needs. */
SSL *vl_tls_trust_ssl(struct vl_tls_trust *trust, const char *host);
BIO_METHOD *vl_tls_trust_method(const struct vl_tls_trust *trust);
bool vl_tls_set_suites(SSL_CTX *ctx);

/* tls.c */
BIO_METHOD *vl_tls_method(void);

#endif
