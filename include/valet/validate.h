/* SPDX-License-Identifier: Apache-2.0
 *
 * Validating access tokens: those of Microsoft Entra ID (v1 and v2) and of any
 * other issuer of signed JWTs that publishes its keys.
 *
 *     status = valet_validate(validator, text, size, &token, &err);
 *     if (status == VALET_OK) {
 *         serve(token.tenant_id, token.object_id);
 *         valet_token_done(&token);
 *     } else {
 *         log_reason(err.code, err.message);         // for us: which rule
 *         answer(status == VALET_RETRY ? 503 : 401); // for them: no
 *     }
 *
 * Checked are, in this order: form, algorithm and header, key, signature,
 * issuer and tenant, the key's own issuer, audience, lifetime, client, kind
 * (for a person or for an application), scopes or roles. Nothing but the
 * header is read before the signature is found to be good. Nothing is logged,
 * and no text of the token is in an error.
 *
 * Sources: RFC 7515, 7517, 7518, 7519, 8725 (best practices), 9068 (access
 * tokens); Entra: learn.microsoft.com/entra/identity-platform/access-tokens,
 * access-token-claims-reference, claims-validation, signing-key-rollover.
 *
 * Threads: a validator may be used by any number of threads at once; it is
 * freed when none uses it any more. A valet_token belongs to one thread at a
 * time. Keys are fetched by a thread that asked and found them missing or old,
 * one fetch at a time; the library has no thread of its own. The first fetch
 * sets SIGPIPE to be ignored if the application has not decided about it, and
 * takes standard descriptors that are closed.
 */
#ifndef VALET_VALIDATE_H
#define VALET_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "valet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_validator valet_validator;

/* Algorithms (RFC 7518 section 3.1). There are no others: no HMAC, no none. */
enum { VALET_RS256 = 1, VALET_PS256 = 2, VALET_ES256 = 4 };

/* Versions of Entra's access tokens; the API's registration decides. */
enum {
    VALET_ENTRA_V1 = 1, /* iss https://sts.windows.net/{tenant}/ */
    VALET_ENTRA_V2 = 2, /* iss {authority_host}/{tenant}/v2.0 */
};

/*
 * What to accept. All is copied. Zero and NULL are the defaults, which are the
 * strict choice; lists end in NULL. Set either `tenants` or `issuer`.
 */
typedef struct valet_validator_options {
    /* --- whose tokens --- */
    /* Entra: ids (GUIDs) of the tenants, at most 1000; no names, no "common".
     * A token of another tenant is refused whoever signed it. */
    const char *const *tenants;
    /* Another issuer: the claim `iss`, exactly; an https URL. */
    const char *issuer;
    /* Entra: NULL is https://login.microsoftonline.com. */
    const char *authority_host;
    unsigned entra_versions; /* 0: both */

    /* --- for whom, from whom --- */
    /* At least one: the API's application id and its URI, exactly. */
    const char *const *audiences;
    /* Application ids of the clients (azp, appid); NULL: any. */
    const char *const *clients;

    /* --- what the token allows --- */
    /* A person's token needs one of these scopes; NULL: any scope at all. */
    const char *const *scopes;
    /* … and one of these roles; NULL: none needed. */
    const char *const *user_roles;
    /* An application's own token (no person behind it) needs one of these
     * roles; NULL: such tokens are refused. Every application of a tenant can
     * get a token without roles. Of issuers other than Entra a scope of that
     * name counts as well, and a token is an application's own when its `sub`
     * is its client (RFC 9068 section 2.2). */
    const char *const *app_roles;
    bool no_users; /* only applications' own tokens */

    /* --- how --- */
    unsigned algorithms;  /* 0: all three of the above */
    bool only_at_jwt;     /* `typ` must be at+jwt (RFC 9068); not Entra's */
    int clock_skew_s;     /* 0: 300, as Microsoft's libraries; -1: none;
                             at most 600 */
    const char *jwks_uri; /* NULL: as the issuer's OpenID configuration says */
    const char *ca_file;  /* PEM, trusted besides the system's; or NULL */
    int fetch_timeout_ms; /* of a whole refetch; 0: 10000; 100 to 60000 */
    int refresh_s;        /* keys are fetched again; 0: 86400; 60 to 604800 */
    int refetch_pause_s;  /* between two fetches for unknown keys, and the
                             longest between failed ones; 0: 300; 5 to 3600 */
    int stale_s;          /* keys may be so old while the issuer is down;
                             0: 259200, or `refresh_s`; up to 1209600 */

    void *later[8]; /* NULL: for members of later versions */
} valet_validator_options;

/*
 * Why a token was refused: for logs and metrics, not for who sent it. The name
 * is `code` of the valet_error. Names stay; new ones may be added.
 */
typedef enum valet_reason {
    VALET_REASON_NONE = 0,
    VALET_REASON_TOO_LONG,       /* more than 16384 bytes */
    VALET_REASON_ENCRYPTED,      /* a JWE */
    VALET_REASON_MALFORMED,      /* not three parts of base64url */
    VALET_REASON_BAD_HEADER,     /* no JSON object, a member twice */
    VALET_REASON_ALGORITHM,      /* none, HMAC, or not allowed */
    VALET_REASON_CRITICAL,       /* `crit` */
    VALET_REASON_KEY_IN_HEADER,  /* jwk, jku, x5u */
    VALET_REASON_GRAPH_NONCE,    /* header `nonce`: Graph alone can check it */
    VALET_REASON_TYPE,           /* `typ` is of another kind of JWT */
    VALET_REASON_NO_KEY_ID,      /* no `kid` */
    VALET_REASON_UNKNOWN_KEY,    /* no such key, even in the newest set */
    VALET_REASON_UNFIT_KEY,      /* the key is for another algorithm */
    VALET_REASON_SIGNATURE,      /* wrong */
    VALET_REASON_BAD_CLAIMS,     /* no object, twice, wrong type, too many */
    VALET_REASON_ISSUER,         /* another issuer */
    VALET_REASON_VERSION,        /* `ver`: not the issuer's or not accepted */
    VALET_REASON_TENANT,         /* not on the list, or not the issuer's */
    VALET_REASON_KEY_ISSUER,     /* signed with another issuer's key */
    VALET_REASON_AUDIENCE,       /* for another API */
    VALET_REASON_GRAPH_AUDIENCE, /* asked for with a scope of Graph's */
    VALET_REASON_BAD_TIME,       /* no `exp`; no whole number, or past 9999 */
    VALET_REASON_EXPIRED,
    VALET_REASON_NOT_YET,          /* `nbf` or `iat` lies in the future */
    VALET_REASON_ID_TOKEN,         /* an id token is no access token */
    VALET_REASON_NO_CLIENT,        /* azp, appid, client_id is missing */
    VALET_REASON_CLIENT,           /* not on the list */
    VALET_REASON_NO_SUBJECT,       /* `sub` or `oid` is missing */
    VALET_REASON_KIND,             /* not clearly a person's or application's */
    VALET_REASON_APP_ONLY,         /* an application's own token */
    VALET_REASON_USER,             /* a person's token */
    VALET_REASON_SCOPE,            /* none of the scopes */
    VALET_REASON_ROLE,             /* none of the roles */
    VALET_REASON_KEYS_UNAVAILABLE, /* the issuer's keys cannot be had now */
    VALET_REASON_COUNT
} valet_reason;

/* "graph_audience"; "none" for what is no reason. Never NULL. */
const char *valet_reason_name(valet_reason reason);
valet_reason valet_reason_of(const valet_error *err); /* NONE: it has none */

/*
 * No network and no file but `ca_file` yet: keys are fetched when the first
 * token comes. VALET_INVALID says which option is wrong.
 */
valet_status
valet_validator_new(const valet_validator_options *options,
                    valet_validator **ret, valet_error *err) VALET_CHECK;
/* When no thread uses it any more. NULL is fine. */
void valet_validator_free(valet_validator *validator);

typedef enum valet_token_kind {
    VALET_TOKEN_USER = 1, /* a person's, used by the client */
    VALET_TOKEN_APP = 2,  /* the client's own */
} valet_token_kind;

/* What a good token says. Texts are UTF-8, end in NUL, belong to the token;
 * NULL when the claim is absent. Times are seconds since 1970, -1: absent. */
typedef struct valet_token {
    valet_token_kind kind;
    int entra_version;              /* 1 or 2; 0 for other issuers */
    const char *issuer;             /* iss */
    const char *tenant_id;          /* tid; of Entra's never NULL */
    const char *object_id;          /* oid: with tid, who it is, for ever */
    const char *subject;            /* sub: with iss, who it is, for this API */
    const char *client_id;          /* azp, appid, or client_id */
    const char *scopes;             /* scp or scope, space-separated */
    const char *const *roles;       /* ends in NULL; never NULL itself */
    int64_t expires_at;             /* exp */
    int64_t not_before;             /* nbf */
    int64_t issued_at;              /* iat */
    const char *key_id;             /* kid */
    struct vl_token_inside *inside; /* private */
} valet_token;

/*
 * May wait for the network, up to `fetch_timeout_ms`, when keys are missing,
 * older than `refresh_s` or lack the token's: then one thread fetches, those
 * that need nothing new go on. VALET_OK fills `ret`, which goes to
 * valet_token_done(). VALET_DENIED: not good. VALET_RETRY: it cannot be told
 * now. `text` is the token alone, without "Bearer "; it need not end in NUL.
 */
valet_status
valet_validate(valet_validator *validator, const char *text, size_t size,
               valet_token *ret, valet_error *err) VALET_CHECK;
/*
 * The same, and never waits: for event loops. VALET_RETRY also means that keys
 * have to be fetched first, by valet_validator_refresh() on a thread that may
 * wait; call that at the start and every `refresh_s` too.
 */
valet_status
valet_validate_now(valet_validator *validator, const char *text, size_t size,
                   valet_token *ret, valet_error *err) VALET_CHECK;
/*
 * Fetches the keys if valet_validate_now() asked for it, or if there are none
 * or old ones; otherwise, and while a pause lasts, does nothing. VALET_OK:
 * there are keys that may be used, if perhaps not the newest.
 */
valet_status valet_validator_refresh(valet_validator *validator,
                                     valet_error *err) VALET_CHECK;

/* Frees what it holds; the texts end with it. A zeroed one is fine. */
void valet_token_done(valet_token *token);

/* Is it one of its scopes, its roles? Exactly. */
bool valet_token_has_scope(const valet_token *token, const char *scope);
bool valet_token_has_role(const valet_token *token, const char *role);

typedef enum valet_claim_kind {
    VALET_CLAIM_ABSENT = 0,
    VALET_CLAIM_STRING,
    VALET_CLAIM_NUMBER,
    VALET_CLAIM_BOOL,
    VALET_CLAIM_NULL,
    VALET_CLAIM_ARRAY,
    VALET_CLAIM_OBJECT,
} valet_claim_kind;

/*
 * Any claim by its name. *ret is a string's content, everything else's JSON
 * text, ends in NUL and belongs to the token; NULL when absent. With more than
 * 200 groups Entra leaves `groups` out and writes `_claim_names` instead.
 */
valet_claim_kind
valet_token_claim(const valet_token *token, const char *name, const char **ret);

#ifdef __cplusplus
}
#endif
#endif
