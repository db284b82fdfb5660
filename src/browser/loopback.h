/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the system's browser comes back to after a sign-in (RFC 8252 section
 * 7.3): a listener on a free port of this machine, for one redirect.
 *
 *     vl_loopback_open(loop, on_redirect, ctx, &loopback, err);
 *     … a sign-in is begun with vl_loopback_redirect_uri() and _state() …
 *     vl_loopback_send_to(loopback, url, &start, err);
 *     … `start` is opened in the browser, which is sent on to `url` …
 *
 * Every program on this machine can connect to it, and every page that the
 * browser shows can send it forms. So what counts is the state, 256 random
 * bits that only the authority and this browser learn: whatever lacks it is
 * refused and changes nothing, however often it comes. (To end after so many
 * wrong ones would let strangers end sign-ins; to guess right is hopeless.)
 * Should a code of somebody else's come with the right state, the authority
 * refuses it: it is bound to another challenge than ours (RFC 7636).
 *
 * The browser is given an address of ours, http://localhost:PORT/start/RANDOM,
 * because a program's arguments can be read by everybody on the machine: the
 * state, the nonce and the challenge are in none. The address works once. A
 * stranger who reads it there, and is faster than the browser, gets to the
 * sign-in in its place and could sign in as themself, so that our program
 * would work with their account; then the person's browser is told that the
 * address was used, and not by them. With the authority's own address in the
 * arguments nobody would notice.
 *
 * Contract of callbacks and threads: io/loop.h.
 */
#ifndef VL_BROWSER_LOOPBACK_H
#define VL_BROWSER_LOOPBACK_H

#include "core/str.h"
#include "io/loop.h"

/*
 * What the authority sent back: either `code` or `error`, the others may be
 * empty. The texts are a stranger's, UTF-8 without NUL; the code is a secret.
 */
struct vl_redirect {
    struct vl_str code;
    struct vl_str error, description, suberror;
    struct vl_str iss; /* RFC 9207; {NULL, 0}: it was not there */
};

/* Borrowed until the loopback is closed, which may be now. */
typedef void vl_loopback_done(const struct vl_redirect *redirect, void *ctx);

struct vl_loopback;

/*
 * Listens on 127.0.0.1 and, where there is IPv6, on the same port of ::1,
 * since browsers take either for "localhost". `done` is called once, after the
 * redirect was answered and the port closed; how long to wait is the caller's
 * choice.
 */
valet_status
vl_loopback_open(struct vl_loop *loop, vl_loopback_done *done, void *ctx,
                 struct vl_loopback **ret, valet_error *err) VALET_CHECK;

/* Where it listens, and what the redirect URI is like. */
struct vl_loopback_at {
    unsigned port;    /* 0: a free one. VALET_CONFLICT: it is taken */
    const char *host; /* in the URI: "localhost" (NULL) or "127.0.0.1" */
    const char *path; /* "/callback": the redirect is taken there alone, of
                         unreserved characters; NULL: none, as Entra wants it */
};
/* Likewise. VALET_INVALID: not such a place. */
valet_status
vl_loopback_open_at(struct vl_loop *loop, const struct vl_loopback_at *at,
                    vl_loopback_done *done, void *ctx, struct vl_loopback **ret,
                    valet_error *err) VALET_CHECK;
/* "http://localhost:PORT", or as it was opened; lives as long as the loopback,
 * as does the next. */
const char *vl_loopback_redirect_uri(const struct vl_loopback *loopback);
struct vl_str vl_loopback_state(const struct vl_loopback *loopback);
/*
 * Sends the browser that comes to *ret_start on to `url`, which is https, or
 * of a loopback: VALET_INVALID else. Once. The answer lives as long as the
 * loopback.
 */
valet_status
vl_loopback_send_to(struct vl_loopback *loopback, struct vl_str url,
                    const char **ret_start, valet_error *err) VALET_CHECK;
/* Closes the port at once, silences and frees; *loopback becomes NULL. NULL is
 * fine. */
void vl_loopback_close(struct vl_loopback **loopback);

#endif
