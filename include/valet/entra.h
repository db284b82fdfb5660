/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Entra ID for programs: what MSAL is elsewhere. A client gets
 * access tokens, for a person (public client: a program on their machine) or
 * for itself and in a person's name (confidential client: a service).
 *
 *     valet_client_options options = {.kind = VALET_CLIENT_PUBLIC,
 *                                     .client_id = client_id,
 *                                     .tenant = tenant_id};
 *     valet_request request = {.scopes = scopes};
 *     status = valet_client_new(&options, &client, &error.error);
 *     …
 *     status = valet_acquire(client, &request, &result, &error);
 *     if (status != VALET_OK && error.next == VALET_NEXT_SIGN_IN) {
 *         request.flow = VALET_FLOW_SIGN_IN;
 *         status = valet_acquire(client, &request, &result, &error);
 *     }
 *     if (status == VALET_OK)
 *         use(result.access_token);
 *     valet_auth_result_done(&result);
 *
 * Tokens are cached in the schema of Microsoft's own libraries, so that they
 * and we can share a cache; they are renewed ahead of their end, once however
 * many threads and processes ask; a request that Entra refused or throttled is
 * not repeated before its time.
 *
 * Sources: learn.microsoft.com/entra/identity-platform, pages
 * v2-oauth2-auth-code-flow, v2-oauth2-device-code,
 * v2-oauth2-client-creds-grant-flow, v2-oauth2-on-behalf-of-flow,
 * claims-challenge, reference-error-codes; RFC 6749, 7523, 7636 (PKCE), 8252
 * (native apps), 8628 (device grant); OpenID Connect Core.
 *
 * Threads: a client may be used by any number of threads at once. It has one
 * thread of its own, begun by the first call that needs it, which does all
 * that waits: network, disk, Secret Service, broker. Nothing here may be
 * called in a child after fork(). SIGPIPE is set to be ignored if the
 * application has not decided about it, and standard descriptors that are
 * closed are taken, so that nothing of ours gets what is printed.
 */
#ifndef VALET_ENTRA_H
#define VALET_ENTRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "valet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors --- */

/* What the program should do about a refusal. There may be more in a later
 * version: what a program does not know is as VALET_NEXT_GIVE_UP. */
typedef enum valet_next {
    VALET_NEXT_NONE = 0, /* nobody has said: there was no refusal */
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
    int64_t later[8]; /* 0: for members of later versions */
} valet_entra_error;

/* --- a client --- */

typedef struct vl_client valet_client;

typedef enum valet_client_kind {
    VALET_CLIENT_PUBLIC = 1,       /* on a person's machine: no credential */
    VALET_CLIENT_CONFIDENTIAL = 2, /* a service: exactly one credential */
} valet_client_kind;

/* Where tokens are kept between runs, for all processes of one person. */
typedef enum valet_cache {
    VALET_CACHE_DEFAULT = 0, /* public: SECRET_SERVICE; confidential: MEMORY */
    VALET_CACHE_MEMORY,      /* nowhere: gone with the client */
    /* The person's key store (GNOME Keyring, KWallet, KeePassXC). Where there
     * is none, calls fail and say so: nothing else is used instead. */
    VALET_CACHE_SECRET_SERVICE,
    /* `cache_file`, encrypted, mode 0600, its key in `cache_file`.key: against
     * those who get the file alone. To be chosen by people, hence never a
     * default. */
    VALET_CACHE_FILE,
} valet_cache;

/* Whom an assertion is for. Texts are borrowed for the call. */
typedef struct valet_assertion_about {
    const char *client_id;      /* its issuer and subject */
    const char *token_endpoint; /* its audience, if it is signed for Entra */
} valet_assertion_about;

/*
 * Writes an assertion (a JWT: a workload identity's that somebody else signed,
 * or one signed by a key that is elsewhere) as text that ends in NUL; at most
 * `size` bytes with it. Called for each request, also when a token is renewed
 * ahead of its end and nobody waits, on the client's thread: it must not call
 * the client, and `ctx` lives as long as that. Not VALET_OK: there is none now.
 */
typedef valet_status
valet_assertion(const valet_assertion_about *about, char *ret, size_t size,
                void *ctx, valet_error *err);

typedef enum valet_log_level {
    VALET_LOG_ERROR,
    VALET_LOG_WARN,
    VALET_LOG_INFO,
} valet_log_level;

/* One line without a newline, a token or a name of a person. On any thread;
 * it must not call the client. */
typedef void valet_log(valet_log_level level, const char *line, void *ctx);

/* All is copied. Zero and NULL are the defaults, which are the strict choice;
 * lists end in NULL. */
typedef struct valet_client_options {
    valet_client_kind kind; /* has to be said */
    const char *client_id;  /* the application's id (GUID) */

    /* --- the authority --- */
    /* The tenant's id (GUID) or one of its verified domains. "organizations"
     * or "common" only together with `tenants`. May be NULL for
     * https://NAME.ciamlogin.com alone. */
    const char *tenant;
    /* Ids of the tenants whose people may sign in; at most 1000. NULL: that of
     * `tenant` alone. */
    const char *const *tenants;
    /* NULL is https://login.microsoftonline.com. One of Microsoft's clouds, an
     * external tenant's (https://NAME.ciamlogin.com), or a loopback, which may
     * be http; another only with `own_authority`. */
    const char *authority_host;
    bool own_authority;
    /* The authority's OpenID configuration (JSON), which is then not fetched;
     * its keys are. NULL: fetched. */
    const char *metadata;

    /* --- proof of a confidential client: one of them --- */
    const char *client_secret;
    const char *certificate_file; /* PEM: a certificate and its private key */
    valet_assertion *assertion;
    void *assertion_ctx;

    /* --- the cache --- */
    valet_cache cache;
    const char *cache_file; /* for VALET_CACHE_FILE; its folder exists */
    const char *cache_name; /* of the Secret Service's item; NULL: mcp-valet */
    const char *modules;    /* folder of the modules that reach the Secret
                               Service and the broker; NULL: as installed */

    /* --- how --- */
    /* What the program can do, told to Entra: "cp1" promises that claims
     * challenges are answered, and lets tokens live longer. */
    const char *const *capabilities;
    const char *ca_file; /* PEM, trusted besides the system's; or NULL */
    valet_log *log;      /* NULL: none */
    void *log_ctx;

    void *later[8]; /* NULL: for members of later versions */
} valet_client_options;

/*
 * No network, no file but those named, no Secret Service yet (@spec S-25).
 * VALET_INVALID says which option is wrong; of a credential in the wrong kind
 * of client the code is "public_client_credential", "no_credential" or
 * "several_credentials" (@spec S-04).
 */
valet_status valet_client_new(const valet_client_options *options,
                              valet_client **ret, valet_error *err) VALET_CHECK;
/* When no thread is in a call of it, thus in no callback. Calls that were
 * started and not finished are cancelled, but what the client's thread is in
 * the middle of is waited for, such as a key store that asks the person. Wipes
 * what it held in memory. NULL is fine. */
void valet_client_free(valet_client *client);

/* --- asking for a token --- */

typedef enum valet_flow {
    /* A person who signed in before: from the cache, else by their refresh
     * token. Nobody is asked anything. */
    VALET_FLOW_SILENT = 0,
    /* A person who is there (public clients): by the broker, the system's
     * browser, or a code to be typed on another device. */
    VALET_FLOW_SIGN_IN,
    /* The application itself (confidential clients): client credentials. One
     * scope, of the form RESOURCE/.default. From the cache while it is good. */
    VALET_FLOW_APP,
    /* The person in whose name the application was called (confidential
     * clients): on-behalf-of. From the cache while it is good. */
    VALET_FLOW_ON_BEHALF_OF,
} valet_flow;

/* How a person may sign in, in the order in which they are tried. */
enum {
    VALET_METHOD_BROKER = 1,      /* Microsoft Identity Broker, by D-Bus */
    VALET_METHOD_BROWSER = 2,     /* the system's, back to a loopback port */
    VALET_METHOD_DEVICE_CODE = 4, /* any device's browser */
};

/* What happens in a sign-in, for the person. Texts are borrowed for the call;
 * NULL where they do not belong to the method. */
typedef struct valet_progress {
    unsigned method;
    /* It cannot be done this way, and why: the next one is tried. Else NULL.
     * The other texts are then NULL as well. */
    const char *failed;
    /* Where to sign in: about to be opened in the browser of this machine, for
     * once (BROWSER), or to be opened on any device (DEVICE_CODE). */
    const char *url;
    const char *user_code; /* DEVICE_CODE: to be typed there */
    int64_t expires_at;    /* then it is too late; seconds since 1970 */
} valet_progress;
typedef void valet_tell(const valet_progress *progress, void *ctx);
/* Opens a URL in place of the system's browser. Not VALET_OK: it cannot. */
typedef valet_status valet_open(const char *url, void *ctx, valet_error *err);

/* All is copied; what does not belong to the flow is to be zero. */
typedef struct valet_request {
    valet_flow flow;
    const char *const *scopes; /* of one resource; at least one */
    /* SILENT, SIGN_IN: an account's id, or its username if one account alone
     * has it. NULL: SILENT takes the only one there is and fails with
     * "several_accounts" when there are more; SIGN_IN takes anybody. */
    const char *account;
    /* Another tenant than the client's, where the person is a guest; one of
     * `tenants`. NULL: the client's, or with "organizations" and "common" the
     * account's own. */
    const char *tenant;
    /* A claims challenge (JSON; see valet_claims_challenge()): what the cache
     * has does not do then. */
    const char *claims;
    bool renew; /* the token in the cache does not do either */

    /* --- ON_BEHALF_OF --- */
    const char *assertion; /* the token that the application was called with */

    /* --- SIGN_IN --- */
    /* Of VALET_METHOD_…; 0: all, and those are left out that need a screen
     * where there is none. Of several the next is tried when one cannot be
     * used; one alone is used or fails. SILENT: VALET_METHOD_BROKER lets the
     * broker's own account serve when nobody is signed in here (@spec S-32).
     */
    unsigned methods;
    const char *login_hint;  /* a username to begin with */
    const char *domain_hint; /* skips the question whose account it is */
    const char *prompt;      /* "login", "select_account", "consent" */
    int timeout_s;           /* 0: 300; of DEVICE_CODE the code's, if less */
    valet_tell *tell;        /* needed for DEVICE_CODE; else may be NULL */
    valet_open *open;        /* NULL: the system's browser */
    void *ctx;               /* of both; they are called on the thread of
                                valet_acquire() or valet_client_dispatch() */

    void *later[8]; /* NULL: for members of later versions */
} valet_request;

typedef enum valet_source {
    VALET_SOURCE_CACHE = 1,
    VALET_SOURCE_REFRESH, /* a refresh token */
    VALET_SOURCE_BROKER,
    VALET_SOURCE_BROWSER,
    VALET_SOURCE_DEVICE_CODE,
    VALET_SOURCE_APP,
    VALET_SOURCE_ON_BEHALF_OF,
    VALET_SOURCE_COUNT
} valet_source;
/* "device_code". Never NULL. */
const char *valet_source_name(valet_source source);

/* A token and whose it is. Texts are UTF-8, end in NUL, belong to the result;
 * NULL when unknown. Times are seconds since 1970. */
typedef struct valet_auth_result {
    const char *access_token; /* a secret: never to a log, a URL, an argument */
    const char *token_type;   /* "Bearer" */
    const char *scopes;       /* granted; separated by spaces */
    int64_t expires_at;
    const char *tenant_id;
    const char *account_id; /* NULL: the application's own */
    const char *username;   /* for people, not for decisions */
    const char *name;       /* as well */
    valet_source source;
    const char *not_kept;          /* why the cache could not keep it */
    struct vl_auth_inside *inside; /* private */
} valet_auth_result;

/*
 * Waits until there is a token or none. VALET_OK fills `ret`, which goes to
 * valet_auth_result_done(); else `ret` is zeroed and `error` (may be NULL)
 * says why and what to do. VALET_CANCELLED: by valet_client_cancel().
 * VALET_INVALID: the request is no such flow's.
 */
valet_status
valet_acquire(valet_client *client, const valet_request *request,
              valet_auth_result *ret, valet_entra_error *error) VALET_CHECK;
/* Wipes and frees what it holds. A zeroed one is fine. */
void valet_auth_result_done(valet_auth_result *result);
/* Makes every valet_acquire() that waits now, on other threads, return
 * VALET_CANCELLED. */
void valet_client_cancel(valet_client *client);

/* --- the same for event loops --- */

typedef struct vl_call valet_call;

/* `result` (zeroed unless VALET_OK) is the callee's: it goes to
 * valet_auth_result_done(). `error` is borrowed; NULL when VALET_OK. */
typedef void valet_acquire_done(valet_status status, valet_auth_result *result,
                                const valet_entra_error *error, void *ctx);
/*
 * Never calls back before it returns; then `done` is called once, by
 * valet_client_dispatch(), even when the request was wrong. The handle is good
 * until then; it may be NULL for who never cancels.
 */
void valet_acquire_start(valet_client *client, const valet_request *request,
                         valet_acquire_done *done, void *ctx, valet_call **ret);
/* It will not call back; *call becomes NULL. NULL is fine. On the thread that
 * dispatches. */
void valet_acquire_cancel(valet_call **call);
/* Becomes readable when there is something to dispatch: for poll(), epoll,
 * and every loop that stands on them. It belongs to the client. -1: the
 * process has no descriptor left. */
int valet_client_fd(valet_client *client);
/* Calls back what is due, on this thread; never waits. */
void valet_client_dispatch(valet_client *client);

/* --- who is signed in --- */

typedef struct valet_account {
    const char *id; /* home_account_id: for ever this person's */
    const char *username;
    const char *name;
    const char *tenant_id; /* of their home */
} valet_account;

typedef struct valet_account_list {
    const valet_account *accounts;
    size_t count;
    struct vl_accounts_inside *inside; /* private */
} valet_account_list;

/* Those in the cache at this authority. May wait for the cache's place. */
valet_status valet_accounts(valet_client *client, valet_account_list *ret,
                            valet_error *err) VALET_CHECK;
void valet_account_list_done(valet_account_list *list); /* zeroed is fine */
/*
 * Takes an account (its id, or its username if one alone has it) and all its
 * tokens out of the cache, for every program that shares it. The browser's and
 * the broker's own sign-in are not touched. VALET_NOT_FOUND: no such account.
 */
valet_status valet_sign_out(valet_client *client, const char *account,
                            valet_error *err) VALET_CHECK;

/* --- challenges --- */

/*
 * The claims challenge in the WWW-Authenticate field of an API's 401, for
 * `claims` of a request (RFC 9110 section 11.6.1; Entra's claims-challenge):
 * JSON that ends in NUL. VALET_NOT_FOUND: there is none; VALET_INVALID: it is
 * none; VALET_LIMIT: it does not fit.
 */
valet_status valet_claims_challenge(const char *www_authenticate, char *ret,
                                    size_t size, valet_error *err) VALET_CHECK;

#ifdef __cplusplus
}
#endif
#endif
