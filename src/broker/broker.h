/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft's identity broker for Linux (and what speaks like it, such as
 * Himmelblau's), on the person's session bus: it signs people in with the
 * device they sit at, and keeps their refresh tokens to itself (@spec S-27
 * S-32). Where there is none, every call ends with VALET_NOT_FOUND at once, so
 * that another way to sign in can be tried.
 *
 * Nothing here waits. The broker is loaded (broker_dbus.so) and connected to
 * by the first call, and disconnected from when no call is under way.
 *
 * What the broker says is believed as far as it concerns the person's own
 * session: whoever can own a name on their bus can do whatever they can. An
 * access token is for its resource to judge; names are for people; an id token
 * is not read at all. But a token of another account than the one that was
 * asked for is refused.
 *
 * Sources: entra-wire 1.13; the interface has no specification, ADR 11 says
 * where its shapes were found.
 */
#ifndef VL_BROKER_BROKER_H
#define VL_BROKER_BROKER_H

#include "core/secret.h"
#include "io/loop.h"
#include "valet/entra.h"

/* Has to be registered with the application ("Mobile and desktop"). */
#define VL_BROKER_REDIRECT_URI                                                 \
    "https://login.microsoftonline.com/common/oauth2/nativeclient"

struct vl_broker;
struct vl_broker_call;

/* `modules` (copied) is the folder of broker_dbus.so. */
struct vl_broker *vl_broker_new(struct vl_loop *loop, const char *modules);
/* Silences the calls that are under way, and frees them. NULL is fine. */
void vl_broker_free(struct vl_broker *broker);

/*
 * `error` is NULL when it succeeded. error->error.status:
 *   VALET_NOT_FOUND  no module, no session bus, no broker (code "no_broker"),
 *                    or one that wants to be done without
 *   VALET_DENIED     the person said no ("user_cancelled"), or has to be asked
 *   VALET_RETRY      no network, no answer in time
 *   VALET_INTERNAL   the rest: its configuration, or nonsense
 * error->next is SIGN_IN where asking the person may help, also when a silent
 * call failed for reasons that the broker did not name.
 */
struct vl_broker_account {
    struct vl_str home_account_id, username, name;
    struct vl_str tenant_id; /* where it was signed in */
};

/* Texts are borrowed for the callback. */
struct vl_broker_token {
    struct vl_secret access;
    struct vl_str scopes;             /* separated by spaces; empty: not told */
    int64_t expires_ms;               /* since 1970 */
    struct vl_broker_account account; /* empty texts: not told */
};

/* All is copied; texts may be empty where not said otherwise. */
struct vl_broker_in {
    bool interactive;        /* else nobody is asked anything */
    struct vl_str authority; /* needed: https://login.microsoftonline.com/ID */
    struct vl_str client_id; /* needed */
    struct vl_str redirect_uri; /* empty: VL_BROKER_REDIRECT_URI */
    struct vl_str scopes;       /* needed: separated by spaces */
    /* A home_account_id, or a username that one alone has ("no_account",
     * "several_accounts": DENIED). Empty: silently the only account that there
     * is, else anybody. */
    struct vl_str account;
    struct vl_str claims; /* of a challenge: JSON */
    /* When interactive: */
    struct vl_str login_hint, domain_hint, prompt;
    int64_t timeout_ms; /* of the person; 0: VL_LIMIT_BROKER_SILENT_MS, which is
                           also the most that a silent call may last, or the
                           broker take before it asks the person */
};

/* Exactly one of the first two is not NULL; borrowed for the call. */
typedef void vl_broker_acquired(const struct vl_broker_token *token,
                                const valet_entra_error *error, void *ctx);
struct vl_broker_call *
vl_broker_acquire(struct vl_broker *broker, const struct vl_broker_in *in,
                  vl_broker_acquired *done, void *ctx);

/* The accounts that the broker knows. `accounts` is NULL if there is an error.
 */
typedef void
vl_broker_listed(const struct vl_broker_account *accounts, size_t count,
                 const valet_entra_error *error, void *ctx);
struct vl_broker_call *
vl_broker_accounts(struct vl_broker *broker, struct vl_str client_id,
                   vl_broker_listed *done, void *ctx);

/* Its version, such as "2.0.4": for diagnosis. Empty if there is an error. */
typedef void vl_broker_versioned(struct vl_str version,
                                 const valet_entra_error *error, void *ctx);
struct vl_broker_call *vl_broker_version(struct vl_broker *broker,
                                         vl_broker_versioned *done, void *ctx);

/*
 * Silences and frees it; *call becomes NULL. NULL is fine. A sign-in that the
 * person sees is taken off their screen, by the broker.
 */
void vl_broker_abort(struct vl_broker_call **call);

#endif
