/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Entra ID for programs: what MSAL is elsewhere.
 *
 * Source: Microsoft identity platform, OAuth 2.0 protocols (v2.0 endpoints);
 * RFC 6749 section 5.2 for errors.
 */
#ifndef VALET_ENTRA_H
#define VALET_ENTRA_H

#include <stdint.h>

#include "valet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the program should do about a refusal. */
typedef enum valet_next {
    /* The same call may succeed later: wait retry_after_ms, or back off. */
    VALET_NEXT_RETRY,
    /* Only the person can go on: sign in again, with `claims` if there are. */
    VALET_NEXT_SIGN_IN,
    /* An administrator has to change something in the tenant: consent, an
     * assignment, a policy, a credential. Signing in again does not help. */
    VALET_NEXT_ADMIN,
    /* The program or its configuration is wrong: asking again never helps. */
    VALET_NEXT_GIVE_UP,
    VALET_NEXT_COUNT
} valet_next;

/* The name of it, such as "sign_in". Never NULL. */
const char *valet_next_name(valet_next next);

/*
 * A refusal as Entra gave it, whatever the flow. Texts are "" and numbers 0
 * where Entra said nothing. It never holds a token, a code or a secret.
 */
typedef struct valet_entra_error {
    /* The status, a stable code ("AADSTS50173" or the OAuth error) and one
     * sentence. */
    valet_error error;
    valet_next next;
    int http_status;   /* 0: there was no answer */
    unsigned aadsts;   /* the first of its error codes */
    char oauth[64];    /* "invalid_grant" */
    char suberror[64]; /* "consent_required" */
    char correlation_id[37];
    char trace_id[37];
    int64_t retry_after_ms; /* -1: not told */
    /* A claims challenge (JSON), to be sent with the next sign-in. "" also
     * when it was longer than this. */
    char claims[2048];
} valet_entra_error;

#ifdef __cplusplus
}
#endif
#endif
