/* SPDX-License-Identifier: Apache-2.0
 *
 * Outbound requests: to Entra ID and Microsoft Graph by libcurl on our loop, to
 * MCP servers and whom they name by http/client.h.
 * Redirects are not followed (a token must not travel to another host), size
 * and time are capped, TLS is always verified. Retries obey Retry-After in
 * both of its forms (RFC 9110 section 10.2.3), else wait exponentially longer
 * with full jitter; all within one total time.
 */
#ifndef VL_HTTP_FETCH_H
#define VL_HTTP_FETCH_H

#include "core/limits.h"
#include "core/secret.h"
#include "core/sys.h"
#include "http/message.h"
#include "io/loop.h"

struct vl_fetcher;
struct vl_fetch;

/* The fetcher connects lazily; one per loop. */
struct vl_fetcher *vl_fetcher_new(struct vl_loop *loop);
/* Asks by a client of our own (http/client.h) in place of libcurl: 5 MB less,
 * but HTTP/1.1 alone, and of proxies those that are http. For programs that
 * have to be small. Whatever libcurl would not do (streams, JSON, DELETE, the
 * public network alone) that client does for all. */
struct vl_fetcher *vl_fetcher_new_small(struct vl_loop *loop);
/*
 * Trusts the certificates in this file (PEM) besides the system's, for all
 * requests from now on. VALET_INVALID when there is none in it, or one that
 * cannot be read; likewise in what CURL_CA_BUNDLE or SSL_CERT_FILE name.
 */
valet_status vl_fetcher_trust(struct vl_fetcher *fetcher, const char *ca_file,
                              valet_error *err) VALET_CHECK;
/* Whether it would; nothing is kept. */
valet_status
vl_fetch_check_roots(const char *ca_file, valet_error *err) VALET_CHECK;
/* Whether fetches can be made at all: loads the library that makes them, which
 * the first fetch would load otherwise. VALET_INTERNAL says what is missing. */
valet_status vl_fetch_available(valet_error *err) VALET_CHECK;
/* Aborts what runs, silently. */
void vl_fetcher_free(struct vl_fetcher *fetcher);

/*
 * An answer that is looked at while it comes: of any size, and, once its head
 * is there, of any duration. `total_ms` is for the head alone. Its end is told
 * by `done`, with an answer without a body (VALET_RETRY: it broke off). Either
 * may abort the fetch.
 */
struct vl_fetch_stream {
    void (*head)(int status, const struct vl_headers *headers, void *ctx);
    void (*piece)(struct vl_str bytes, void *ctx);
};

struct vl_fetch_request {
    const char *method; /* "GET", "POST" or "DELETE" */
    const char *url;    /* https, or http on loopback; else INVALID */
    struct vl_header headers[8];
    size_t header_count;
    const struct vl_header *more; /* further headers, any number up to 48 */
    size_t more_count;
    struct vl_str form; /* body of a POST: x-www-form-urlencoded; it is
                           copied, and the copy is wiped */
    struct vl_str json; /* the same, application/json; not both. It may be as
                           long as memory holds. Not by libcurl, nor DELETE */
    /* A stranger named this address: it may not lead to this machine, or into
     * a network that is not everybody's (@spec CL-20 SB-13): loopback, private,
     * link-local, shared, multicast. Looked at when it is connected to,
     * whatever the name said before; a proxy has to look itself.
     * VALET_DENIED. */
    bool only_public;
    const struct vl_fetch_stream *stream; /* NULL: collected; borrowed */
    const struct vl_secret *bearer;       /* Authorization, or NULL */
    unsigned attempts; /* 1 = no retry. Only for idempotent requests */
    int64_t total_ms;  /* 0: VL_LIMIT_FETCH_MS; for all attempts */
};

/* The code of an error of a stream of which nothing was sent. */
#define VL_FETCH_UNREACHABLE "unreachable"

struct vl_fetch_answer {
    int status;
    const struct vl_headers *headers;
    struct vl_str body;
    int64_t retry_after_ms; /* of the last answer; -1 when it had none */
    unsigned attempts;      /* made in all */
    /* Who answered has an address that is not everybody's. False as well where
     * it is not seen: by libcurl, and behind a proxy. */
    bool from_private;
};

/*
 * Everything in the request is copied. `done` is called once: with VALET_OK
 * and the answer of whatever HTTP status, or with VALET_RETRY (could not be
 * reached, timed out), VALET_LIMIT (answer too large), VALET_INVALID (refused
 * by us); `err` says why and is borrowed, like the answer, for the call.
 * Retried are: connection failures, 429, 502, 503, 504.
 */
typedef void
vl_fetch_done(valet_status status, const struct vl_fetch_answer *answer,
              const valet_error *err, void *ctx);
struct vl_fetch *vl_fetch_start(struct vl_fetcher *fetcher,
                                const struct vl_fetch_request *request,
                                vl_fetch_done *done, void *ctx);
/* Silences and frees it; *fetch becomes NULL. NULL is fine. */
void vl_fetch_abort(struct vl_fetch **fetch);
/* Of a stream: no pieces come until it is let go on. */
void vl_fetch_hold(struct vl_fetch *fetch, bool is_held);

/*
 * Milliseconds to wait by a Retry-After value: seconds, or an HTTP date seen
 * from `now_ms`. -1 when it is neither.
 */
int64_t vl_retry_after(struct vl_str value, int64_t now_ms);

#endif
