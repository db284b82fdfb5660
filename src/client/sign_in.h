/* SPDX-License-Identifier: Apache-2.0
 *
 * A person signs in: one method after the other until one can be used (broker,
 * browser, device code), then what came is remembered. What a method is, is
 * its own file's business (method.h).
 */
#ifndef VL_CLIENT_SIGN_IN_H
#define VL_CLIENT_SIGN_IN_H

#include "client/method.h"
#include "client/run.h"

struct vl_sign_in {
    struct vl_run *run;
    unsigned left;                  /* methods that were not tried yet */
    const struct vl_method *method; /* the one under way; NULL: none */
    void *at_work;                  /* that method's */
    struct vl_buf scopes;           /* with OpenID's */
    struct vl_buf login_hint;
    struct vl_timer *deadline;
    int64_t deadline_ms; /* since 1970 */
    valet_error failed;  /* why the last method could not be used */
};

/* --- for the methods --- */

/* This way does not work here: the next one is tried, unless it was forced. */
void vl_sign_in_unusable(struct vl_sign_in *sign_in, const valet_error *why);
/* Entra, or the person, said no; or it broke half-way. */
void
vl_sign_in_refused(struct vl_sign_in *sign_in, const valet_entra_error *error);
/* It worked. */
void vl_sign_in_worked(struct vl_sign_in *sign_in,
                       const struct vl_idp_person *person,
                       const struct vl_token_answer *answer);
/* Something to tell the person (or to have opened by the caller). It ends with
 * the sign-in, if not sooner. */
void
vl_sign_in_tell(struct vl_sign_in *sign_in, enum vl_note_kind kind,
                struct vl_str url, struct vl_str user_code, int64_t expires_ms);

#endif
