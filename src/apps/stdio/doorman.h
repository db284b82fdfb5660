/* SPDX-License-Identifier: Apache-2.0
 *
 * Lets callers of a local server in: first the program that started us, by the
 * person's consent (@spec S-54 W-43), then the person, by a token: silently,
 * else by a sign-in. However many calls wait, the person is asked once
 * (@spec W-40); when nobody waits any more, the prompt is taken back.
 */
#ifndef VL_APPS_STDIO_DOORMAN_H
#define VL_APPS_STDIO_DOORMAN_H

#include "io/loop.h"
#include "valet/entra.h"

struct vl_doorman;

enum vl_consent { VL_CONSENT_FIRST_USE, VL_CONSENT_ALWAYS, VL_CONSENT_NEVER };

/* Borrowed. */
struct vl_doorman_config {
    struct vl_loop *loop;
    valet_client *client;
    const char *const *scopes; /* ends in NULL */
    const char *account;       /* or NULL */
    /* What consent is about: the scopes as they were named, or NULL; and the
     * server behind us, or NULL (grant.h). */
    const char *const *named_scopes, *const *command;
    unsigned methods; /* VALET_METHOD_…; 0: all */
    int timeout_s;    /* 0: 300 */
    enum vl_consent consent;
    int parent; /* getppid() at the start: who may have gone since; 0: now's */
};
struct vl_doorman *vl_doorman_new(const struct vl_doorman_config *config);
void vl_doorman_free(struct vl_doorman *doorman); /* NULL is fine */

/* One that waits at the door. */
struct vl_visit;

struct vl_visit_hooks {
    /* What the person is to do, a sentence that may be shown to anybody who
     * sees the call's progress: "Sign in at https://… with the code ABC". At
     * most once in a few seconds. NULL: nobody is told. It asks for nothing and
     * leaves nobody. */
    void (*tell)(const char *text, void *ctx);
    /* The client can open addresses (URL elicitation): this one has to be
     * opened by it; vl_visit_opened() says that it did. NULL: the browser of
     * this machine is opened. */
    void (*open)(const char *url, void *ctx);
    /* Once; then the visit is gone. VALET_OK: `result` is borrowed. Else
     * `error` is safe to show but for what Entra calls things; see explain().
     */
    void (*done)(valet_status status, const valet_auth_result *result,
                 const valet_entra_error *error, void *ctx);
    void *ctx;
};
/* `renew`: the token at hand was refused (`claims`: the challenge, or NULL). */
struct vl_visit *
vl_doorman_ask(struct vl_doorman *doorman, bool renew, const char *claims,
               const struct vl_visit_hooks *hooks);
/* The client says what became of the address; false: the person declined. */
void vl_visit_opened(struct vl_visit *visit, bool accepted);
/* Other hooks for the same visit: the handler has run again. */
void
vl_visit_rehook(struct vl_visit *visit, const struct vl_visit_hooks *hooks);
/* Silences and frees it; *visit becomes NULL. NULL is fine. */
void vl_visit_leave(struct vl_visit **visit);

/* One sentence for a model or a person: what is wrong and what to do. No names,
 * no tokens (@spec S-46 W-41). */
void vl_doorman_explain(valet_status status, const valet_entra_error *error,
                        char *ret, size_t size);

#endif
