/* SPDX-License-Identifier: Apache-2.0
 *
 * What every fallible function of mcp-valet answers.
 *
 * A status says what the caller does next; the details are one sentence in
 * the caller's own `valet_error`. There is no "last error": nothing is kept
 * between calls, so threads and callbacks cannot mix their errors up.
 */
#ifndef VALET_STATUS_H
#define VALET_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers; valet_version() tells the library's. */
#define VALET_VERSION_MAJOR 0
#define VALET_VERSION_MINOR 1
#define VALET_VERSION_PATCH 0

/* "0.1.0". Never NULL. */
const char *valet_version(void);

/* An unused status is a build error: a refusal must not be overlooked. */
#define VALET_CHECK __attribute__((warn_unused_result))

typedef enum valet_status {
    VALET_OK = 0,
    VALET_DENIED,    /* not allowed; asking again the same way is useless */
    VALET_INVALID,   /* the input breaks a rule; the error says which */
    VALET_NOT_FOUND, /* no such thing, or no longer */
    VALET_CONFLICT,  /* somebody else changed it first; look again */
    VALET_LIMIT,     /* a documented limit was reached, memory included */
    VALET_RETRY,     /* a passing fault; the same call may succeed later */
    VALET_CANCELLED, /* the caller took it back */
    VALET_INTERNAL,  /* a fault of ours or of the machine */
    VALET_STATUS_COUNT
} valet_status;

/*
 * Filled by the callee when it fails, untouched when it succeeds. Every
 * function that takes one accepts NULL. Never holds a secret.
 */
typedef struct valet_error {
    valet_status status;
    char code[48];     /* OAuth or AADSTS code where there is one, or "" */
    char message[256]; /* one sentence in English, no newline */
} valet_error;

/* The name of a status, such as "denied". Never NULL. */
const char *valet_status_name(valet_status status);

#ifdef __cplusplus
}
#endif
#endif
