/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in by a browser and a code (RFC 6749 section 4.1 with PKCE, RFC
 * 7636; entra-wire 2.6), for programs on the person's machine (RFC 8252). How
 * the browser is opened and where it comes back to is the caller's business
 * (browser/).
 *
 *     code = vl_code_start(desk, loop, &in, ready, done, ctx);
 *     ready:        open the URL
 *     later:        vl_code_redirected(code, &redirect);
 *     done:         the person and their tokens, or why not
 */
#ifndef VL_ENTRA_CODE_H
#define VL_ENTRA_CODE_H

#include "entra/person.h"

/* All copied. */
struct vl_code_in {
    struct vl_str redirect_uri;
    struct vl_str state;  /* whoever takes the redirect compares it */
    struct vl_str scopes; /* of a resource; separated by spaces */
    /* Empty: not sent. Entra refuses a login hint with "select_account". */
    struct vl_str prompt, login_hint, domain_hint;
    struct vl_str claims; /* JSON of a challenge */
};

/* Where to send the browser; borrowed for the call. It holds the state and the
 * nonce of this sign-in: not for logs and argument lists. */
typedef void vl_code_ready(struct vl_str url, void *ctx);

/* What came back with the right state; all a stranger's. Without a code it is
 * the error. */
struct vl_code_redirect {
    struct vl_str code, error, description, suberror;
};

struct vl_code;

/*
 * `ready` is called once, unless there is no URL at all; then it waits for the
 * redirect, for ever: the time limit is the caller's. `done` is called once.
 * The desk and the loop are borrowed until then. Of a person who says no, and
 * of every other refusal, the error is as failure.h judges it.
 */
struct vl_code *
vl_code_start(const struct vl_grant_desk *desk, struct vl_loop *loop,
              const struct vl_code_in *in, vl_code_ready *ready,
              vl_person_done *done, void *ctx);
/* After `ready`, once; copied. `done` is not called before it returns. */
void vl_code_redirected(struct vl_code *code,
                        const struct vl_code_redirect *redirect);
/* Silences and frees it; *code becomes NULL. NULL is fine. */
void vl_code_abort(struct vl_code **code);

#endif
