/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit trail (@spec S-98): one JSON object a line, appended to a file of
 * its owner (0600). It says who did what with which outcome and why; it never
 * holds a token, code, verifier, state, cookie or body, and there is no field
 * to put one in. docs/protocol/audit.md lists the events.
 */
#ifndef VL_GUARD_AUDIT_H
#define VL_GUARD_AUDIT_H

#include "core/principal.h"
#include "core/sys.h"

/* Names in the file: "auth.challenge", "client.register", … */
enum vl_audit_kind {
    VL_AUDIT_AUTH_CHALLENGE, /* a request without a token got 401 */
    VL_AUDIT_BEARER_REJECT,  /* a token was refused */
    VL_AUDIT_REQUEST_REJECT, /* foreign Host or Origin, or not our proxy */
    VL_AUDIT_CLIENT_REGISTER,
    VL_AUDIT_CLIENT_REJECT,
    VL_AUDIT_AUTHORIZE_START,
    VL_AUDIT_AUTHORIZE_REJECT,
    VL_AUDIT_CONSENT_SHOW,
    VL_AUDIT_CONSENT_APPROVE,
    VL_AUDIT_CONSENT_DENY,
    VL_AUDIT_UPSTREAM_REDIRECT,
    VL_AUDIT_CALLBACK_OK,
    VL_AUDIT_CALLBACK_FAIL,
    VL_AUDIT_CODE_ISSUE,
    VL_AUDIT_CODE_REDEEM,
    VL_AUDIT_CODE_REJECT,
    VL_AUDIT_CODE_REPLAY,
    VL_AUDIT_TOKEN_ISSUE,
    VL_AUDIT_TOKEN_REFRESH,
    VL_AUDIT_TOKEN_REUSE,
    VL_AUDIT_TOKEN_REJECT,
    VL_AUDIT_TOKEN_REVOKE,
    VL_AUDIT_CREDENTIAL_RENEW, /* Entra's token of a session was refreshed */
    VL_AUDIT_CREDENTIAL_FAIL,
    VL_AUDIT_RBAC_ALLOW,
    VL_AUDIT_RBAC_DENY,
    VL_AUDIT_TOOL_START,
    VL_AUDIT_TOOL_END,
    VL_AUDIT_TOOL_CANCEL,
    VL_AUDIT_GRAPH_OK,
    VL_AUDIT_GRAPH_THROTTLE,
    VL_AUDIT_GRAPH_FAIL,
    VL_AUDIT_SESSION_OPEN,
    VL_AUDIT_SESSION_CLOSE,
    VL_AUDIT_SESSION_HIJACK_ATTEMPT,
    VL_AUDIT_CONFIG_LOAD,
    VL_AUDIT_CONFIG_WARN,
    VL_AUDIT_KIND_COUNT
};

const char *vl_audit_kind_name(enum vl_audit_kind kind);

struct vl_audit;

/*
 * `path` "" discards. VALET_INTERNAL when it cannot be opened for append;
 * VALET_DENIED when it is a symbolic link, no regular file, another user's, or
 * open to group or others.
 */
valet_status vl_audit_open(const char *path, const struct vl_clock *clock,
                           struct vl_audit **ret, valet_error *err) VALET_CHECK;
/* To standard error, for programs that have no place of their own for it. */
struct vl_audit *vl_audit_open_stderr(const struct vl_clock *clock);
/* Writes what is buffered, closes. NULL is fine. */
void vl_audit_close(struct vl_audit *audit);
/* Opens the file anew (SIGHUP, for log rotation). */
valet_status
vl_audit_reopen(struct vl_audit *audit, valet_error *err) VALET_CHECK;
/* Writes what is buffered. The owner calls it at the end of a loop turn or
 * at the latest every 100 ms. Refusals are written at once. */
#define VL_AUDIT_BACKLOG 262144
void vl_audit_flush(struct vl_audit *audit);
/* How many events could not be kept since the start (the first line after a
 * gap says so too), and whether the last write failed: for health checks and
 * the operator's log. */
uint64_t vl_audit_lost(struct vl_audit *audit);
bool vl_audit_is_failing(struct vl_audit *audit);

/* Everything is optional and borrowed for the call. */
struct vl_audit_event {
    enum vl_audit_kind kind;
    bool refused;       /* outcome "refused" instead of "ok" */
    const char *reason; /* a stable code such as "redirect_mismatch" */
    const struct vl_client_id *client;
    const struct vl_user *user;
    const char *session;
    const char *tool;
    const char *peer;        /* address */
    const char *correlation; /* id of the request or flow, shown to people */
    const char *upstream_correlation; /* Entra's or Graph's request id */
    int64_t ms;                       /* duration, or 0 */
};
/* Thread-safe. Text from strangers is cut to 256 bytes and escaped. NULL
 * audit discards. Refusals that name neither client, user nor session get at
 * most 20 lines a second for each event, reason and peer; the rest of them is
 * one line that says how many (guard/fold.h). */
void vl_audit(struct vl_audit *audit, const struct vl_audit_event *event);
/* False: what is told is discarded, always. */
bool vl_audit_is_kept(const struct vl_audit *audit);

#endif
