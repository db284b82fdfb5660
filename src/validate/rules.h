/* SPDX-License-Identifier: Apache-2.0
 *
 * What a validator accepts: the caller's options, checked, copied and made
 * ready. Immutable, so threads share it.
 */
#ifndef VL_VALIDATE_RULES_H
#define VL_VALIDATE_RULES_H

#include "core/arena.h"
#include "jose/jws.h"
#include "valet/validate.h"

struct vl_words {
    const struct vl_str *items; /* NULL: the option was not set */
    size_t count;
};

/* An issuer of Entra is prefix, tenant, suffix; the version gives them. */
struct vl_issuer_form {
    struct vl_str prefix, suffix;
    int version;
};

#define VL_ISSUER_FORMS 2

struct vl_rules {
    struct vl_arena arena; /* of all texts */
    struct vl_jws_rules jws;
    struct vl_str issuer;                         /* empty: Entra */
    struct vl_issuer_form forms[VL_ISSUER_FORMS]; /* Entra's */
    unsigned versions;                            /* VALET_ENTRA_V1 … */
    struct vl_words tenants; /* in lower case, as in tokens */
    struct vl_words audiences, clients, scopes, user_roles, app_roles;
    bool no_users;
    int64_t skew_s;
    /* Where the keys are. */
    const char *jwks_uri;        /* or NULL */
    const char *document_url;    /* the OpenID configuration */
    struct vl_str document_says; /* its `issuer`, exactly */
    const char *key_origin;      /* its `jwks_uri` has this origin; or NULL */
    const char *ca_file;         /* or NULL */
    int64_t timeout_ms, refresh_ms, pause_ms, stale_ms;
};

/* What Entra writes where a token will have its tenant. */
#define VL_TENANT_BLANK "{tenantid}"

/* VALET_INVALID names the option. `ret` goes to vl_rules_done(), also when it
 * fails. */
valet_status vl_rules_read(const valet_validator_options *options,
                           struct vl_rules *ret, valet_error *err) VALET_CHECK;
void vl_rules_done(struct vl_rules *rules);

bool vl_words_have(const struct vl_words *words, struct vl_str word);

#endif
