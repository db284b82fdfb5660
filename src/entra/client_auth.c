/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/client_auth.h"

#include "core/limits.h"
#include "core/status.h"
#include "http/url.h"
#include "jose/assertion.h"

/* Entra takes no assertion that lives longer (certificate credentials). */
#define LIFETIME_S 600

/* RFC 7523 section 2.2 */
static void
add_assertion(struct vl_buf *form, struct vl_str assertion)
{
    vl_form_add(form, "client_assertion_type",
                VL_STR("urn:ietf:params:oauth:client-assertion-type:"
                       "jwt-bearer"));
    vl_form_add(form, "client_assertion", assertion);
}

/* Tokens in files end in a line break. */
static struct vl_str
without_end(struct vl_str token)
{
    while (token.n &&
           (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r'))
        token.n--;
    return token;
}

static valet_status
sign(const struct vl_client_auth *auth, struct vl_str client_id,
     struct vl_str token_endpoint, int64_t now_ms, struct vl_buf *out,
     valet_error *err)
{
    struct vl_assertion assertion = {.client_id = client_id,
                                     .audience = token_endpoint,
                                     .now_s = now_ms / 1000,
                                     .lifetime_s = LIFETIME_S};
    return vl_assertion_write(auth->certificate, &assertion, out, err);
}

valet_status
vl_client_auth_add(const struct vl_client_auth *auth, struct vl_str client_id,
                   struct vl_str token_endpoint, int64_t now_ms,
                   struct vl_buf *form, valet_error *err)
{
    vl_auto(vl_buf) assertion = vl_buf_of_secret(VL_LIMIT_JWT);
    vl_form_add(form, "client_id", client_id);
    switch (auth->kind) {
    case VL_AUTH_PUBLIC:
        break;
    case VL_AUTH_SECRET:
        vl_form_add(form, "client_secret", vl_secret_reveal(auth->secret));
        break;
    case VL_AUTH_CERTIFICATE:
        VL_TRY(sign(auth, client_id, token_endpoint, now_ms, &assertion, err));
        add_assertion(form, vl_buf_str(&assertion));
        break;
    case VL_AUTH_ASSERTION:
        VL_TRY(auth->assertion(token_endpoint, &assertion, auth->ctx, err));
        add_assertion(form, without_end(vl_buf_str(&assertion)));
        break;
    }
    return vl_buf_check(form, err);
}
