/* SPDX-License-Identifier: Apache-2.0
 *
 * An identity provider that can sign a person in: what the token desk
 * (issuer/) needs of it and what a provider (entra/) offers. gateway/ plugs
 * one into the other, so the desk never knows Entra (@spec S-69).
 *
 * Operations follow the contract of io/loop.h: no callback before the call
 * returns, exactly one afterwards, none once the provider was freed. What a
 * callback is given is borrowed for the call.
 */
#ifndef VL_OAUTH_IDP_H
#define VL_OAUTH_IDP_H

#include "core/principal.h"
#include "core/str.h"

struct json_t;

/* Opaque to its users; a provider embeds it as its first member. */
struct vl_idp {
    const struct vl_idp_ops *ops;
};

/* All are ours and fresh for this sign-in (@spec SB-06). */
struct vl_idp_begin {
    struct vl_str state;
    struct vl_str nonce;
    struct vl_str code_challenge; /* S256 of the verifier we keep */
};

struct vl_idp_redeem {
    struct vl_str code;
    const struct vl_secret *code_verifier;
    struct vl_str nonce; /* the id token must carry it */
};

/* Tokens of a signed-in person. */
struct vl_idp_tokens {
    struct vl_upstream_token access;
    struct vl_upstream_token refresh; /* empty when none was given */
    int64_t expires_ms;               /* of the access token, since 1970 */
};
void vl_idp_tokens_done(struct vl_idp_tokens *tokens);

/* Who signed in, proven by a verified id token. */
struct vl_idp_person {
    struct vl_user user;
    struct vl_str name;     /* display name, UTF-8; for people */
    struct vl_str username; /* e.g. admin@contoso.example; for people */
    /* What the person may do here, as the provider's administrators say: a
     * list of texts, or NULL. */
    const struct json_t *roles;
};

/* Where to send the browser: an absolute URL. */
typedef void vl_idp_begin_done(valet_status status, struct vl_str url,
                               const valet_error *err, void *ctx);
/* Moving out of `tokens` is allowed. VALET_DENIED: the provider said no or
 * its answer does not verify; VALET_RETRY: it could not be asked. */
typedef void
vl_idp_redeem_done(valet_status status, const struct vl_idp_person *person,
                   struct vl_idp_tokens *tokens, const valet_error *err,
                   void *ctx);
/* VALET_DENIED: the session at the provider has ended (invalid_grant):
 * the person must sign in again. VALET_RETRY: try later. */
typedef void
vl_idp_refresh_done(valet_status status, struct vl_idp_tokens *tokens,
                    const valet_error *err, void *ctx);

struct vl_idp_ops {
    const char *name; /* for people: "Microsoft Entra ID" */
    void (*begin)(struct vl_idp *idp, const struct vl_idp_begin *in,
                  vl_idp_begin_done *done, void *ctx);
    void (*redeem)(struct vl_idp *idp, const struct vl_idp_redeem *in,
                   vl_idp_redeem_done *done, void *ctx);
    void (*refresh)(struct vl_idp *idp,
                    const struct vl_upstream_token *refresh_token,
                    vl_idp_refresh_done *done, void *ctx);
};

#endif
