/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in on another device (RFC 8628; entra-wire 2.13): the person gets a
 * short code and an address, and types the one at the other; meanwhile the
 * token endpoint is asked in the rhythm that it wants, until the person has
 * finished, has declined or the code is over. For public clients.
 */
#ifndef VL_ENTRA_DEVICE_H
#define VL_ENTRA_DEVICE_H

#include "entra/grant.h"

/*
 * What the person has to be shown, borrowed for the call: a code of letters,
 * digits and '-', and a URL (https, or of a loopback), so both can be written
 * to a terminal. Entra's own sentence about them is not passed on: whoever
 * answers in Entra's place would write it.
 */
struct vl_device_prompt {
    struct vl_str user_code, verification_uri;
    int64_t expires_ms; /* milliseconds since 1970 */
};
typedef void vl_device_show(const struct vl_device_prompt *prompt, void *ctx);

/* How often to ask (RFC 8628 section 3.5). */
struct vl_device_pace {
    int64_t interval_ms;
    unsigned failures; /* in a row: nobody answered, or not in earnest */
};
/* After this answer: milliseconds until asking again; -1 when it is over. */
int64_t
vl_device_wait(struct vl_device_pace *pace, const valet_entra_error *error);

struct vl_device;

/*
 * `scopes` (separated by spaces) and `claims` (a challenge's JSON, or empty)
 * are copied; everything else is borrowed until `done`. `show` is called once,
 * unless there is no code at all; then `done`, once.
 */
struct vl_device *
vl_device_start(const struct vl_grant_desk *desk, struct vl_loop *loop,
                struct vl_str scopes, struct vl_str claims,
                vl_device_show *show, vl_grant_done *done, void *ctx);
/* Silences and frees it; *device becomes NULL. NULL is fine. */
void vl_device_abort(struct vl_device **device);

#endif
