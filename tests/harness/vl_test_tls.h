/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates for tests, made when they run, and a client that is OpenSSL's
 * own and blocks, on a thread of its own.
 */
#ifndef VL_TEST_TLS_H
#define VL_TEST_TLS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "vl_test.h"

#include "io/loop.h"

/* --- files --- */

struct vl_test_pair {
    char folder[32], certificate[64], key[64];
};

static inline FILE *
vl_test_open(const char *path, mode_t mode, const char *how)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    if (how[0] == 'w')
        assert_int_equal(ftruncate(fd, 0), 0);
    FILE *file = fdopen(fd, how);
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    return file;
}

static inline X509 *
vl_test_certificate(EVP_PKEY *key, const char *name)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1,
                                                -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, subject), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

/* The name again, where clients look for it (RFC 9525). */
static inline void
vl_test_add_alt(X509 *cert, EVP_PKEY *key, const char *name)
{
    char names[300];
    (void)snprintf(names, sizeof names, "DNS:%s", name);
    X509_EXTENSION *alt =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_non_null(alt);
    assert_int_equal(X509_add_ext(cert, alt, -1), 1);
    X509_EXTENSION_free(alt);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
}

/* Writes `name`'s certificate and key over what is in the pair's files. */
static inline void
vl_test_pair_write(struct vl_test_pair *pair, EVP_PKEY *key, const char *name)
{
    X509 *cert = vl_test_certificate(key, name);
    vl_test_add_alt(cert, key, name);
    FILE *out = vl_test_open(pair->certificate, 0644, "w");
    assert_int_equal(PEM_write_X509(out, cert), 1);
    fclose(out);
    out = vl_test_open(pair->key, 0600, "w");
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL),
                     1);
    fclose(out);
    X509_free(cert);
}

static inline void
vl_test_pair_new(struct vl_test_pair *pair, const char *name)
{
    (void)snprintf(pair->folder, sizeof pair->folder, "/tmp/vl-tls-XXXXXX");
    assert_non_null(mkdtemp(pair->folder));
    (void)snprintf(pair->certificate, sizeof pair->certificate, "%s/cert.pem",
                   pair->folder);
    (void)snprintf(pair->key, sizeof pair->key, "%s/key.pem", pair->folder);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    vl_test_pair_write(pair, key, name);
    EVP_PKEY_free(key);
}

static inline void
vl_test_pair_done(struct vl_test_pair *pair)
{
    (void)unlink(pair->certificate);
    (void)unlink(pair->key);
    assert_int_equal(rmdir(pair->folder), 0);
}

/* --- a client --- */

struct vl_test_client {
    void (*script)(struct vl_test_client *client);
    void *ctx;
    struct vl_loop *loop; /* whose owner waits for the script's end */
    unsigned port;
    SSL_CTX *tls;
    SSL *ssl;
    int fd, receive_buffer; /* of the socket; 0: the kernel's choice */
    pthread_t thread;
    struct vl_task task;
    bool done;
};

static inline int
vl_test_dial(const struct vl_test_client *client)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)client->port)};
    struct timeval patience = {.tv_sec = 20};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (client->receive_buffer)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &client->receive_buffer,
                         sizeof client->receive_buffer);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A connection with TLS on it: 1, or what SSL_connect() says. */
static inline int
vl_test_connect(struct vl_test_client *client)
{
    client->fd = vl_test_dial(client);
    client->ssl = SSL_new(client->tls);
    (void)SSL_set_fd(client->ssl, client->fd);
    return SSL_connect(client->ssl);
}

/* Closes without close_notify. */
static inline void
vl_test_hang_up(struct vl_test_client *client)
{
    SSL_free(client->ssl);
    client->ssl = NULL;
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    ERR_clear_error();
}

static inline bool
vl_test_say(struct vl_test_client *client, const char *text)
{
    size_t n = strlen(text);
    return SSL_write(client->ssl, text, (int)n) == (int)n;
}

static inline bool
vl_test_hears(struct vl_test_client *client, const char *text)
{
    char got[64];
    size_t have = 0, want = strlen(text);
    while (have < want) {
        int n = SSL_read(client->ssl, got + have, (int)(want - have));
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return memcmp(got, text, want) == 0;
}

/* Has the peer said that this was all? */
static inline bool
vl_test_is_told_the_end(struct vl_test_client *client)
{
    char got;
    int n = SSL_read(client->ssl, &got, 1);
    return n == 0 && SSL_get_error(client->ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static inline void
vl_test_note_done(struct vl_task *task)
{
    struct vl_test_client *client =
        VL_CONTAINER(task, struct vl_test_client, task);
    client->done = true;
}

static inline void *
vl_test_client_run(void *ctx)
{
    struct vl_test_client *client = ctx;
    client->script(client);
    client->task.run = vl_test_note_done;
    vl_loop_post(client->loop, &client->task);
    return NULL;
}

static inline void
vl_test_client_start(struct vl_test_client *client)
{
    client->tls = SSL_CTX_new(TLS_client_method());
    client->fd = -1;
    client->ssl = NULL;
    client->done = false;
    assert_int_equal(
        pthread_create(&client->thread, NULL, vl_test_client_run, client), 0);
}

/* Runs the loop until the script has ended. */
static inline void
vl_test_client_join(struct vl_test_client *client)
{
    while (!client->done)
        vl_loop_step(client->loop);
    assert_int_equal(pthread_join(client->thread, NULL), 0);
    vl_test_hang_up(client);
    SSL_CTX_free(client->tls);
}

#endif
