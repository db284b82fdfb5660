/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to http/fetch*.c, the only files that see libcurl:
 *
 *   fetch.c        one request: attempts, waiting, its answer
 *   fetch_check.c  what may be asked
 *   fetch_direct.c the same by http/client.h
 *   fetch_easy.c   what libcurl is told about a request, and what it tells us
 *   fetch_multi.c  the fetcher: libcurl on our loop
 *   fetch_roots.c  which authorities are trusted
 *   fetch_memory.c libcurl's memory is wiped when it is freed
 *   fetch_library.c libcurl itself, loaded at the first request
 */
#ifndef VL_HTTP_FETCH_INNER_H
#define VL_HTTP_FETCH_INNER_H

#include "core/list.h"
#include "http/client.h"
#include "http/fetch.h"
#include "http/fetch_library.h"
#include "http/url.h"

/* The system's own bundle has 200 kB. */
#define VL_FETCH_ROOTS_MAX ((size_t)1024 * 1024)

struct vl_fetcher {
    struct vl_loop *loop;
    CURLM *multi;                  /* NULL until the first request */
    struct vl_http_client *client; /* NULL until it is needed */
    struct vl_tls_trust *trust;    /* likewise */
    bool is_small;                 /* never libcurl */
    struct vl_buf roots; /* PEM: trusted besides the system's; or empty */
    struct vl_timer *timer;
    struct vl_list sockets; /* what libcurl wants to be watched */
    struct vl_list fetches; /* all that may still call back */
    bool collecting;        /* collect() runs and will look at `dead` */
    bool dead;              /* freed by a callback meanwhile */
};

/* Ours: "Name: value" lines of a request, with Authorization and Expect. */
#define VL_FETCH_LINES                                                         \
    (VL_COUNT(((struct vl_fetch_request *)NULL)->headers) + 2)

struct vl_fetch {
    struct vl_list node;
    struct vl_fetcher *fetcher;
    vl_fetch_done *done;
    void *ctx;
    struct vl_timer *timer; /* the wait before an attempt */
    int64_t deadline;       /* of vl_mono_now() */
    unsigned made, attempts;
    valet_status refused; /* not OK: will never be sent */
    bool finishing;       /* `done` is running */

    /* The request. libcurl borrows all of it. */
    CURL *easy;
    bool in_multi;
    struct vl_buf url;
    struct vl_str host;       /* in `url` */
    struct vl_secret content; /* form, or JSON */
    struct vl_buf lines;
    struct curl_slist list[VL_FETCH_LINES];

    /* By http/client.h, in place of `easy`. */
    bool is_direct, only_public, told; /* the head, to `stream` */
    const char *method;
    const struct vl_fetch_stream *stream;
    struct vl_http_call *call;
    int http;
    bool from_private;

    /* The answer of the last attempt. */
    struct vl_buf head, body;
    bool head_done; /* what comes after is a trailer */
    bool too_large;
    valet_error err;
};

/* fetch_direct.c: the same as the next ones. */
valet_status
vl_fetch_prepare_direct(struct vl_fetch *fetch,
                        const struct vl_fetch_request *request,
                        const struct vl_url *url, valet_error *err) VALET_CHECK;
/* Roots are read anew at the next request. */
void vl_fetch_distrust(struct vl_fetcher *fetcher);
valet_status vl_fetch_start_direct(struct vl_fetch *fetch, int64_t ms_left,
                                   valet_error *err) VALET_CHECK;

/* fetch_easy.c: copies the request, makes the easy handle. */
valet_status
vl_fetch_prepare(struct vl_fetch *fetch, const struct vl_fetch_request *request,
                 const struct vl_url *url, valet_error *err) VALET_CHECK;
/* Forgets the last answer and sets the time that is left. */
void vl_fetch_rewind(struct vl_fetch *fetch, int64_t ms_left);
/* The headers that were received, as slices of fetch->head. */
valet_status
vl_fetch_headers(const struct vl_fetch *fetch, struct vl_headers *ret,
                 valet_error *err) VALET_CHECK;

/* fetch_check.c: before one of the two prepares it. The URL is copied. */
valet_status
vl_fetch_check(struct vl_fetch *fetch, const struct vl_fetch_request *request,
               struct vl_url *ret_url, valet_error *err) VALET_CHECK;
bool vl_fetch_is_token(struct vl_str s);

/* fetch_roots.c: which certificates an answer may stand on. */
void vl_fetch_set_roots(struct vl_fetch *fetch);
/* Those that OpenSSL does not find by itself, appended. */
valet_status
vl_fetch_read_roots(const struct vl_fetcher *fetcher, struct vl_buf *out,
                    valet_error *err) VALET_CHECK;

/* fetch_multi.c */
valet_status
vl_fetcher_open(struct vl_fetcher *fetcher, valet_error *err) VALET_CHECK;
valet_status
vl_fetcher_add(struct vl_fetch *fetch, valet_error *err) VALET_CHECK;
void vl_fetcher_remove(struct vl_fetch *fetch);

/* fetch.c: libcurl has done with an attempt. */
void vl_fetch_attempt_ended(struct vl_fetch *fetch, CURLcode code);
/* An attempt is over: with an answer, or why not, and whether another may do
 * better. */
void vl_fetch_conclude(struct vl_fetch *fetch, valet_status status, int http,
                       bool again);
/* Takes it off libcurl and off the fetcher; nothing calls back any more. */
void vl_fetch_detach(struct vl_fetch *fetch);
void vl_fetch_release(struct vl_fetch *fetch);

/* fetch_memory.c */
valet_status vl_fetch_start_curl(valet_error *err) VALET_CHECK;

#endif
