/* SPDX-License-Identifier: Apache-2.0
 *
 * The page that asks the person whether a program may use their sign-in, on a
 * free port of this machine, for one answer.
 *
 * Its address holds 256 random bits and works once; the answer has to bring
 * the 256 that stand in the page alone, from a page of this origin. Pages of
 * strangers, and names that were made to point here, change nothing.
 */
#ifndef VL_APPS_STDIO_CONSENT_PAGE_H
#define VL_APPS_STDIO_CONSENT_PAGE_H

#include "core/str.h"
#include "io/loop.h"

struct vl_consent_page;

/* What is shown; copied. */
struct vl_consent_words {
    const char *program;
    const char *account;        /* or NULL */
    const char *const *scopes;  /* ends in NULL */
    const char *const *command; /* the server's, the same; or NULL */
    bool is_remembered;         /* the answer "yes" will be */
};

/* Once, after the person was answered and the port closed. */
typedef void vl_consent_page_done(bool allowed, void *ctx);

valet_status
vl_consent_page_open(struct vl_loop *loop, const struct vl_consent_words *words,
                     vl_consent_page_done *done, void *ctx,
                     struct vl_consent_page **ret,
                     valet_error *err) VALET_CHECK;
/* "http://127.0.0.1:PORT/program/RANDOM"; lives as long as the page. */
const char *vl_consent_page_url(const struct vl_consent_page *page);
/* Closes the port at once, silences and frees; *page becomes NULL. NULL is
 * fine. */
void vl_consent_page_close(struct vl_consent_page **page);

#endif
