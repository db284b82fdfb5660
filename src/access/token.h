/* SPDX-License-Identifier: Apache-2.0
 *
 * Who we are at an authorization server, and asking it for tokens: dynamic
 * registration (RFC 7591; @spec CL-12) and the token endpoint (RFC 6749 section
 * 3.2, RFC 8707, RFC 7523).
 */
#ifndef VL_ACCESS_TOKEN_H
#define VL_ACCESS_TOKEN_H

#include "access/site.h"
#include "core/secret.h"

/* A client of one authorization server. */
struct vl_access_client {
    char *id; /* NULL: none yet */
    struct vl_secret secret;
    unsigned proof;      /* one VL_PROOF_… */
    char *redirect_uri;  /* that was registered; NULL: none */
    char *key_file;      /* PEM, of VL_PROOF_PRIVATE_KEY_JWT; NULL */
    int64_t secret_ends; /* seconds since 1970; 0: never */
    bool is_registered;  /* by vl_register_start(): may be done again */
};
void vl_access_client_done(struct vl_access_client *client);

/* Which proof to use with what it has, at this site (@spec CL-10 …): that of
 * the registration, else the best that both know; 0: none fits. */
unsigned
vl_access_proof(const struct vl_site *site, bool has_secret, bool has_key);

/* --- registration --- */

struct vl_register;
/* `client` is moved out of. VALET_DENIED: it was refused; `err` says why, in
 * words that a person can act on. */
typedef void
vl_register_done(valet_status status, struct vl_access_client *client,
                 const valet_error *err, void *ctx);
/* `scope` may be "". Copied. */
struct vl_register *
vl_register_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                  const struct vl_site *site, const char *redirect_uri,
                  const char *scope, vl_register_done *done, void *ctx);
void vl_register_abort(struct vl_register **op);

/* --- tokens --- */

enum vl_access_grant {
    VL_GRANT_CODE,
    VL_GRANT_REFRESH,
    VL_GRANT_CLIENT_CREDENTIALS,
};

/* Copied. */
struct vl_redeem_in {
    const struct vl_site *site;
    const struct vl_access_client *client;
    enum vl_access_grant grant;
    struct vl_str code;               /* CODE */
    const struct vl_secret *verifier; /* CODE: of PKCE */
    const char *redirect_uri;         /* CODE */
    const struct vl_secret *refresh;  /* REFRESH */
    const char *scope;                /* or "" */
};

struct vl_access_tokens {
    struct vl_secret access;
    struct vl_secret refresh; /* empty: none was given */
    char *scope;              /* granted; NULL: what was asked for */
    int64_t expires_at;       /* seconds since 1970; 0: not told */
    int64_t got_at;
};
void vl_access_tokens_done(struct vl_access_tokens *tokens);

/* What a refusal means for who asked. */
enum vl_redeem_advice {
    VL_REDEEM_FINE,
    VL_REDEEM_AGAIN,    /* not to be reached, 429, 5xx: later */
    VL_REDEEM_SIGN_IN,  /* invalid_grant: the sign-in is over */
    VL_REDEEM_REGISTER, /* invalid_client, unauthorized_client: the client is
                           not known any more */
    VL_REDEEM_GIVE_UP,
};

struct vl_redeem;
typedef void
vl_redeem_done(enum vl_redeem_advice advice, struct vl_access_tokens *tokens,
               const valet_error *err, void *ctx);
struct vl_redeem *
vl_redeem_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                const struct vl_redeem_in *in, vl_redeem_done *done, void *ctx);
void vl_redeem_abort(struct vl_redeem **op);

/* --- the answer in the browser (RFC 9207; @spec CL-14) --- */

/* Is it the answer of this authorization server? Compared byte for byte; when
 * it is not, nothing of the answer may be used or shown. `iss` {NULL, 0}: it
 * was not there, which is something else than empty. */
bool vl_iss_is_right(const struct vl_site *site, struct vl_str iss);

#endif
