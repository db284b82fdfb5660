/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/authorize.h"

#include "core/status.h"
#include "http/url.h"

static void
add_if_any(struct vl_buf *query, const char *name, struct vl_str value)
{
    if (value.n)
        vl_form_add(query, name, value);
}

void
vl_authorize_write(struct vl_buf *query, const struct vl_authorize *in)
{
    vl_form_add(query, "client_id", in->client_id);
    vl_form_add(query, "response_type", VL_STR("code"));
    vl_form_add(query, "response_mode", vl_str_z(in->response_mode));
    vl_form_add(query, "redirect_uri", in->redirect_uri);
    vl_form_add(query, "scope", in->scope);
    vl_form_add(query, "state", in->state);
    vl_form_add(query, "nonce", in->nonce);
    vl_form_add(query, "code_challenge", in->code_challenge);
    vl_form_add(query, "code_challenge_method", VL_STR("S256"));
    if (in->client_info)
        vl_form_add(query, "client_info", VL_STR("1"));
    add_if_any(query, "prompt", in->prompt);
    add_if_any(query, "login_hint", in->login_hint);
    add_if_any(query, "domain_hint", in->domain_hint);
    add_if_any(query, "claims", in->claims);
}

valet_status
vl_authorize_url(const struct vl_authority_facts *facts,
                 const struct vl_buf *query, struct vl_buf *url,
                 valet_error *err)
{
    bool has_query = vl_str_has(facts->authorization_endpoint, '?');
    vl_buf_add(url, facts->authorization_endpoint);
    vl_buf_addc(url, has_query ? '&' : '?');
    vl_buf_add(url, vl_buf_str(query));
    /* A URL that was cut could lack what protects the sign-in. */
    if (vl_buf_check(query, NULL) != VALET_OK ||
        vl_buf_check(url, NULL) != VALET_OK)
        return vl_fail(err, VALET_LIMIT, "",
                       "the URL of the sign-in would be too long");
    return VALET_OK;
}
