/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS 1.2 and 1.3 for streams, of either side. Callers go on with struct
 * vl_stream as if it were plain, with two differences: an end without the
 * peer's close_notify is VALET_RETRY (somebody may have cut the message), and
 * bytes that are no TLS end it with VALET_INVALID.
 */
#ifndef VL_IO_TLS_H
#define VL_IO_TLS_H

#include "io/stream.h"

/* A certificate and its key; one for all threads. */
struct vl_tls;

/*
 * The files, or what links of these names point to, are PEM: the certificate
 * with its chain, and its key without a passphrase, which only its owner may
 * read. VALET_INVALID unless they belong together.
 */
valet_status vl_tls_new(const char *certificate_file, const char *key_file,
                        struct vl_tls **ret, valet_error *err) VALET_CHECK;
/* Reads both files again, for streams made from now on; when they are no good
 * the old ones stay. From any thread. */
valet_status vl_tls_reload(struct vl_tls *tls, valet_error *err) VALET_CHECK;
/* Does the certificate stand for this host name or numeric address, as clients
 * see it? They do not look at its common name (RFC 9525). */
bool vl_tls_covers(struct vl_tls *tls, const char *host);
/* "has expired" or "is not valid yet"; NULL on the days between. */
const char *vl_tls_out_of_date(struct vl_tls *tls);
/* Streams that use it live on. NULL is fine. */
void vl_tls_free(struct vl_tls *tls);

/* Speaks TLS on an accepted stream, from its first byte. Before it is
 * attached. */
void vl_stream_secure(struct vl_stream *stream, struct vl_tls *tls);

/* Whose certificates are believed; one for all threads. */
struct vl_tls_trust;

/*
 * Those that the system believes, or SSL_CERT_FILE and SSL_CERT_DIR name, and
 * those in `more` (PEM; may be empty). Roots of the system's folder are read
 * when they are asked for.
 */
valet_status vl_tls_trust_new(struct vl_str more, struct vl_tls_trust **ret,
                              valet_error *err) VALET_CHECK;
void vl_tls_trust_free(struct vl_tls_trust *trust); /* NULL is fine */
/*
 * Speaks TLS on a stream that has connected to `host` (a name, or a numeric
 * address), from its first byte. Before it is attached. Only a certificate for
 * this host that is believed will do: else the stream ends with VALET_INVALID
 * before anything that was written is sent, and vl_stream_distrust() says why.
 */
void vl_stream_secure_as_client(struct vl_stream *stream,
                                struct vl_tls_trust *trust, const char *host);
/* "certificate has expired"; NULL: that was not it. For on_end. */
const char *vl_stream_distrust(const struct vl_stream *stream);

#endif
