/* SPDX-License-Identifier: Apache-2.0
 *
 * The token desk: an OAuth 2.1 authorization server for MCP clients (RFC 6749,
 * 7009, 7591, 7636, 8414, 8707, 9207, 9728). It asks the user's consent, has
 * the person signed in by an identity provider (oauth/idp.h), and gives the
 * client opaque tokens of its own for one resource. It keeps the provider's
 * tokens sealed, and lends them to our own tools.
 */
#ifndef VL_ISSUER_ISSUER_H
#define VL_ISSUER_ISSUER_H

#include "core/principal.h"
#include "guard/audit.h"
#include "http/server.h"
#include "oauth/idp.h"
#include "store/store.h"

struct vl_issuer;

/* A client known from the configuration. */
struct vl_issuer_client {
    const char *id, *name;
    const char *const *redirect_uris;
    size_t redirect_uri_count;
};

struct vl_issuer_config {
    const char *issuer; /* public URL without a trailing slash */
    /* Resources (RFC 8707) tokens may be for: absolute URLs, the first is the
     * one meant when a client names none. */
    const char *resources[8];
    size_t resource_count;
    /* Another URL of the first resource, for which clients may ask as well;
     * NULL: none. Tokens are bound to the resource. */
    const char *alias;
    const char *scopes; /* granted when a client asks for none */
    /* Scopes besides those of guard/policy: is this one? It may change its
     * mind. NULL: there are none. They are granted to people with a role of
     * that name, those in `open_scopes` (or NULL) to everybody. */
    bool (*is_own_scope)(struct vl_str scope, const void *own_scopes);
    const void *own_scopes;
    const char *open_scopes;
    const struct vl_issuer_client *clients;
    size_t client_count;
    bool registration_dynamic;
    unsigned registration_max, registration_per_address_per_hour;
    int64_t registration_unused_ms;
    int64_t access_token_ms, refresh_token_ms, session_max_ms;
    /* 0: the defaults of issuer/desk.h. Requests from one address to one
     * endpoint; sign-ins begun within VL_LIMIT_FLOW_MS; token families of one
     * user. */
    unsigned requests_per_minute, flows_max, flows_per_address_max,
        sessions_per_user;
};

/* What the desk counts: requests, sign-ins and registrations by address. The
 * issuers of several workers share one; from any thread. */
struct vl_desk_limits;
struct vl_desk_limits *vl_desk_limits_new(const struct vl_issuer_config *config,
                                          const struct vl_clock *clock);
void vl_desk_limits_free(struct vl_desk_limits *limits); /* NULL is fine */

/* All borrowed; all but the provider outlive the issuer. */
struct vl_issuer_deps {
    struct vl_loop *loop;
    struct vl_store *store;
    const struct vl_keyring *ring;
    const struct vl_clock *clock;
    struct vl_idp *idp; /* freed before the issuer: vl_issuer_free() */
    struct vl_audit *audit;
    struct vl_desk_limits *limits;
};

/* The config is borrowed too. */
struct vl_issuer *vl_issuer_new(const struct vl_issuer_deps *deps,
                                const struct vl_issuer_config *config);
/*
 * Aborts what is under way; exchanges not yet answered get 503. Not from
 * within a callback of the issuer. The order is:
 *
 *   1. the provider is freed, and so owes nobody a call any more;
 *   2. the issuer, which frees at once what waited for the provider;
 *   3. the store, then the loop: what waits for the store frees itself when
 *      the answer comes, at the latest when the loop is freed.
 *
 * Ring, clock and audit go last.
 */
void vl_issuer_free(struct vl_issuer *issuer);

/* Is this path one of the desk's? Then how large may a body be, else 0. */
bool vl_issuer_owns(const struct vl_issuer *issuer, struct vl_str path,
                    size_t *ret_body_max);
/* Answers a request for one of its paths. */
void vl_issuer_handle(struct vl_issuer *issuer, struct vl_exchange *x);

/*
 * Does this look like an access token of ours: does its keyed check part fit?
 * It says nothing of whether the token lives or ever did. One HMAC; neither
 * memory nor the store is asked, so it may be asked of any stranger's text.
 */
bool vl_issuer_is_ours(const struct vl_issuer *issuer, struct vl_str token);
/*
 * Is this access token good for this resource, now? At once, from memory:
 * VALET_OK with the principal (borrowed until the next turn of the loop),
 * VALET_DENIED (forged, or known to be bad), or VALET_RETRY: not known here,
 * ask vl_issuer_look_up(). `ret_reason` gets a stable code for the audit.
 * The token is never kept, only its keyed hash.
 */
valet_status
vl_issuer_verdict(struct vl_issuer *issuer, struct vl_str token,
                  struct vl_str resource, const struct vl_principal **ret,
                  const char **ret_reason) VALET_CHECK;
/* Asks the store; then one callback. VALET_OK, or no. */
typedef void vl_issuer_verdict_done(valet_status status,
                                    const struct vl_principal *principal,
                                    const char *reason, void *ctx);
void vl_issuer_look_up(struct vl_issuer *issuer, struct vl_str token,
                       struct vl_str resource, vl_issuer_verdict_done *done,
                       void *ctx);

/*
 * Lends the provider's access token of a session: from the store, refreshed
 * first when less than five minutes are left or `force` is set (Graph answered
 * 401); many at once cause one refresh (@spec S-31 S-83). The token is
 * borrowed for the call. VALET_DENIED: the sign-in has ended; the session was
 * deleted (@spec S-08). VALET_RETRY: Entra could not be asked.
 */
typedef void
vl_issuer_lease_done(valet_status status, const struct vl_upstream_token *token,
                     const valet_error *err, void *ctx);
void vl_issuer_lease(struct vl_issuer *issuer, const char *session, bool force,
                     vl_issuer_lease_done *done, void *ctx);

/*
 * Ends a token family from outside: the sign-in behind it is worth nothing
 * any more (Graph refuses even the renewed token: a disabled user, Conditional
 * Access). Session, code, access and refresh records go at once, whatever
 * becomes of the issuer; then listeners are told and the audit names `reason`
 * (copied; a code such as "graph_denied"). Nobody is called back.
 */
void vl_issuer_end(struct vl_issuer *issuer, const char *session,
                   const char *reason);

/* Another worker's issuer has ended a family: what is known of it here is
 * forgotten. Listeners are not told. */
void vl_issuer_forget(struct vl_issuer *issuer, const char *session);

/* Up to four listeners. Called on the loop whenever a token family ended
 * (revoked, reused, sign-in ended), so that sessions that hang on it can be
 * closed. */
void vl_issuer_on_end(struct vl_issuer *issuer,
                      void (*ended)(const char *session, void *ctx), void *ctx);

#endif
