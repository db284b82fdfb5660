/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS on a stream, between it and its owner:
 *
 *     socket ─► stream.c ─► vl_secure_receive() ─► on_read
 *     vl_stream_write() ─► vl_secure_write() ─► vl_stream_send() ─► socket
 *
 * OpenSSL reads from the loop's buffer and writes to the stream through a BIO
 * of ours, which holds nothing: a record is copied by OpenSSL alone, and an
 * idle connection has no buffer.
 */
#include <openssl/err.h>

#include "core/status.h"
#include "io/tcp.h"
#include "io/tls_private.h"

/*
 * So much may OpenSSL answer by itself (handshake, alerts, new keys) to a peer
 * that takes none of it.
 */
#define ANSWERS_MAX (64u * 1024)
#define EARLY_MAX   (SIZE_MAX / 4)

struct vl_secure {
    SSL *ssl;
    struct vl_tls *tls;       /* of an accepted stream */
    struct vl_stream *stream; /* NULL while it is in a parcel */
    struct vl_str in;         /* what OpenSSL has not taken yet */
    struct vl_buf early;      /* written before the handshake was over */
    size_t answers;
    bool reading; /* inside SSL_read_ex() */
    bool failed;  /* of no more use */
    bool shut;    /* our direction ends when `early` is sent */
};

/* --- OpenSSL's side --- */

static int
bio_read(BIO *bio, char *buf, size_t size, size_t *ret)
{
    struct vl_secure *secure = BIO_get_data(bio);
    size_t n = secure->in.n < size ? secure->in.n : size;
    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(buf, secure->in.p, n);
    secure->in = vl_str_from(secure->in, n);
    *ret = n;
    return 1;
}

/* Takes all; the stream's queue is where it waits. */
static int
bio_write(BIO *bio, const char *buf, size_t size, size_t *ret)
{
    struct vl_secure *secure = BIO_get_data(bio);
    struct vl_stream *stream = secure->stream;
    BIO_clear_retry_flags(bio);
    if (!stream->sender)
        secure->answers = 0;
    if (secure->reading)
        secure->answers += size;
    if (secure->answers > ANSWERS_MAX)
        return 0;
    if (!stream->shut)
        vl_stream_send(stream, vl_str_of(buf, size));
    *ret = size;
    return 1;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *
vl_tls_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
    VL_ASSERT(method && BIO_meth_set_read_ex(method, bio_read) &&
              BIO_meth_set_write_ex(method, bio_write) &&
              BIO_meth_set_ctrl(method, bio_ctrl));
    return method;
}

/* --- life --- */

static struct vl_secure *
make_secure(struct vl_stream *stream, SSL *ssl, BIO_METHOD *method)
{
    struct vl_secure *secure = vl_alloc(sizeof *secure);
    memset(secure, 0, sizeof *secure);
    secure->ssl = ssl;
    secure->stream = stream;
    secure->early = vl_buf_of_secret(EARLY_MAX);
    BIO *bio = BIO_new(method);
    VL_ASSERT(bio);
    BIO_set_data(bio, secure);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    stream->secure = secure;
    return secure;
}

void
vl_stream_secure(struct vl_stream *stream, struct vl_tls *tls)
{
    SSL *ssl = vl_tls_ssl(tls);
    SSL_set_accept_state(ssl);
    make_secure(stream, ssl, tls->method)->tls = vl_tls_hold(tls);
}

void
vl_stream_secure_as_client(struct vl_stream *stream, struct vl_tls_trust *trust,
                           const char *host)
{
    SSL *ssl = vl_tls_trust_ssl(trust, host);
    SSL_set_connect_state(ssl);
    (void)make_secure(stream, ssl, vl_tls_trust_method(trust));
    /* Says hello; it cannot be over already. */
    ERR_clear_error();
    (void)SSL_do_handshake(ssl);
    ERR_clear_error();
}

const char *
vl_stream_distrust(const struct vl_stream *stream)
{
    long verdict =
        stream->secure ? SSL_get_verify_result(stream->secure->ssl) : X509_V_OK;
    return verdict == X509_V_OK ? NULL : X509_verify_cert_error_string(verdict);
}

void
vl_secure_free(struct vl_secure *secure)
{
    if (!secure)
        return;
    SSL_free(secure->ssl);
    vl_tls_free(secure->tls);
    vl_buf_done(&secure->early);
    free(secure);
}

void
vl_secure_move(struct vl_secure *secure, struct vl_stream *to)
{
    secure->in = (struct vl_str){0}; /* goes beside it, in a copy */
    secure->stream = to;
    if (to)
        to->secure = secure;
}

struct vl_str
vl_secure_undecrypted(const struct vl_secure *secure)
{
    return secure->in;
}

size_t
vl_secure_waiting(const struct vl_secure *secure)
{
    return vl_buf_size(&secure->early);
}

/* --- sending --- */

/* The alert that says why is sent first. */
static void
give_up(struct vl_secure *secure)
{
    ERR_clear_error();
    secure->failed = true;
    vl_buf_done(&secure->early);
    vl_stream_shut(secure->stream);
}

static void
encrypt(struct vl_secure *secure, struct vl_str bytes)
{
    size_t done;
    ERR_clear_error();
    if (SSL_write_ex(secure->ssl, bytes.p, bytes.n, &done) != 1)
        give_up(secure);
}

static void
say_goodbye(struct vl_secure *secure)
{
    ERR_clear_error();
    if (SSL_is_init_finished(secure->ssl))
        (void)SSL_shutdown(secure->ssl); /* sends close_notify */
    ERR_clear_error();
    vl_stream_shut(secure->stream);
}

void
vl_secure_write(struct vl_secure *secure, struct vl_str bytes)
{
    if (secure->failed || secure->shut)
        return;
    if (SSL_is_init_finished(secure->ssl))
        encrypt(secure, bytes);
    else
        vl_buf_add(&secure->early, bytes);
    if (secure->early.failed)
        give_up(secure); /* no memory */
}

void
vl_secure_shutdown(struct vl_secure *secure)
{
    if (secure->failed || secure->shut)
        return;
    secure->shut = true;
    if (vl_secure_waiting(secure) == 0)
        say_goodbye(secure);
}

/* What waited for the handshake. True when the owner has to hear that it is
 * sent: nothing waits any more, and no callback of the socket will tell. */
static bool
send_early(struct vl_secure *secure)
{
    if (vl_secure_waiting(secure) == 0 || !SSL_is_init_finished(secure->ssl))
        return false;
    vl_auto(vl_buf) bytes = vl_buf_take(&secure->early);
    encrypt(secure, vl_buf_str(&bytes));
    if (secure->shut && !secure->failed)
        say_goodbye(secure);
    return !secure->failed && vl_stream_waiting(secure->stream) == 0;
}

/* --- receiving --- */

static bool
decrypt(struct vl_secure *secure, struct vl_str *ret, valet_status *ret_end)
{
    struct vl_loop *loop = secure->stream->loop;
    size_t n = 0;
    ERR_clear_error();
    secure->reading = true;
    int rc = SSL_read_ex(secure->ssl, loop->plain, sizeof loop->plain, &n);
    int why = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(secure->ssl, rc);
    secure->reading = false;
    *ret = vl_str_of(loop->plain, n);
    *ret_end = VALET_OK;
    if (why == SSL_ERROR_NONE || why == SSL_ERROR_WANT_READ)
        return true;
    if (why != SSL_ERROR_ZERO_RETURN) {
        *ret_end = VALET_INVALID;
        give_up(secure);
    }
    return false;
}

static void
keep_rest(struct vl_secure *secure)
{
    vl_auto(vl_buf) rest = vl_buf_of_secret(VL_STREAM_UNREAD_MAX);
    vl_buf_add(&rest, secure->in);
    secure->in = (struct vl_str){0};
    if (rest.failed) /* no memory */
        vl_stream_end(secure->stream, VALET_LIMIT);
    else
        vl_stream_keep_raw(secure->stream, &rest);
}

/* False when the stream is closed or detached: `secure` is no longer ours. */
static bool
deliver(struct vl_stream *stream, struct vl_str plain, bool drained)
{
    struct vl_secure *secure = stream->secure;
    if (plain.n)
        stream->events->on_read(plain, stream->ctx);
    if (stream->secure == secure && drained && stream->events->on_drain)
        stream->events->on_drain(stream->ctx);
    return stream->secure == secure;
}

void
vl_secure_receive(struct vl_stream *stream, struct vl_str bytes)
{
    struct vl_secure *secure = stream->secure;
    struct vl_str plain;
    valet_status end;
    secure->in = bytes;
    for (;;) {
        if (!decrypt(secure, &plain, &end)) {
            secure->in = (struct vl_str){0};
            vl_stream_end(stream, end);
            return;
        }
        if (!deliver(stream, plain, send_early(secure)))
            return;
        if (stream->paused) {
            keep_rest(secure);
            return;
        }
        /* Half a record is OpenSSL's by now. To ask for more would take and
         * give back a buffer for nothing. */
        if (plain.n == 0 ||
            (secure->in.n == 0 && !SSL_has_pending(secure->ssl)))
            return;
    }
}
