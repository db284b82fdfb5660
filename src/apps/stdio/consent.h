/* SPDX-License-Identifier: Apache-2.0
 *
 * May the program that started us have what the signed-in person gives us
 * (@spec S-54 W-43)? The person says so, on a page of ours in the browser of
 * this machine, once for each program and what it gets (grant.h); or
 * beforehand, with `mcp-valet allow`.
 *
 * The address of that page goes to the system's browser alone and never to the
 * MCP client: who asks to be let in must not be able to let itself in.
 *
 * What this is for: a program that starts servers without being told to, an
 * agent that goes too far. It is no wall against a program of the same person
 * that means harm: such a one can write our list, start us by way of a program
 * that is on it, or read another's memory. That is what the operating system's
 * own borders are for.
 */
#ifndef VL_APPS_STDIO_CONSENT_H
#define VL_APPS_STDIO_CONSENT_H

#include "apps/stdio/doorman.h"
#include "core/buf.h"

/* What the page says, borrowed for the call. */
struct vl_consent_about {
    const char *account;        /* a username; NULL: who will sign in */
    const char *const *scopes;  /* ends in NULL */
    const char *const *command; /* of the server behind us; NULL: our tools */
    /* What of this the program has asked for by name: as in grant.h. */
    const char *named_account;
    const char *const *named_scopes;
    int timeout_s;
    int parent; /* whose child we were at the start; 0: are now */
};

/* VALET_OK: it may. VALET_DENIED with the code "program_denied": the person
 * said no; with "program_unknown": nobody could be asked, and the sentence
 * says what to do. `is_listed`: as long as the list of programs says so. */
typedef void vl_consent_done(valet_status status, const valet_error *err,
                             bool is_listed, void *ctx);

struct vl_consent_ask;

/* Looks at the program anew, and at what is remembered of it. */
struct vl_consent_ask *
vl_consent_start(struct vl_loop *loop, enum vl_consent how,
                 const struct vl_consent_about *about, vl_consent_done *done,
                 void *ctx);
/* A page is open, and waits for the person. */
bool vl_consent_is_shown(const struct vl_consent_ask *ask);
/* Silences and frees it; *ask becomes NULL. NULL is fine. */
void vl_consent_abort(struct vl_consent_ask **ask);

#endif
