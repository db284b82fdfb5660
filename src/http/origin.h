/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose requests are meant for us, and whose pages may send some: the rules
 * for Host and Origin that keep out a page which found us by DNS rebinding
 * (@spec SB-14 HT-01 HT-02), and what browsers are told (CORS, Fetch standard
 * section 3.3).
 */
#ifndef VL_HTTP_ORIGIN_H
#define VL_HTTP_ORIGIN_H

#include "http/server.h"
#include "http/url.h"

/* The authority of a URL at its longest. */
#define VL_HOST_SIZE 256

struct vl_origin_rules {
    const char *url;            /* ours, without a path; borrowed */
    const char *const *allowed; /* origins besides ours; borrowed */
    size_t allowed_count;
    bool is_https;
    bool is_loopback;            /* ours is: pages beside us may call */
    char hosts[5][VL_HOST_SIZE]; /* what a Host header may say */
    size_t host_count;
};

/*
 * `url` is what clients use; when it is a loopback the three names of that are
 * ours as well, with `port`, on which we listen. All borrowed.
 */
void vl_origin_rules_init(struct vl_origin_rules *ret, const char *url,
                          unsigned port);

/* Is it one of the names that this server goes by? */
bool
vl_origin_is_our_host(const struct vl_origin_rules *rules, struct vl_str host);

enum vl_origin {
    VL_ORIGIN_NONE, /* no page sends it */
    VL_ORIGIN_ALLOWED,
    VL_ORIGIN_FOREIGN, /* or there are two of them, or it is none */
};
/* `ret` gets what the header says, or {NULL,0}. */
enum vl_origin
vl_origin_judge(const struct vl_origin_rules *rules,
                const struct vl_headers *headers, struct vl_str *ret);

/* The answer that follows, whichever, may be read by scripts of this origin:
 * one that was allowed. */
void vl_cors_allow(struct vl_exchange *x, struct vl_str origin);
/* Does a browser ask whether it may send a request? */
bool vl_cors_is_preflight(const struct vl_http_request *request);
/* It may. */
void vl_cors_reply_preflight(struct vl_exchange *x);

#endif
