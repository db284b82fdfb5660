/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/metadata.h"

#include "json/write.h"

static void
add_list(struct vl_json_out *out, const char *key, const char *words)
{
    struct vl_str rest = vl_str_z(words), word;
    vl_json_open_key(out, key, '[');
    while (vl_str_split(&rest, ' ', &word))
        if (word.n)
            vl_json_add_str(out, NULL, word);
    vl_json_close(out, ']');
}

static void
add_endpoint(struct vl_json_out *out, const char *key, struct vl_str issuer,
             const char *path)
{
    vl_auto(vl_buf) url = vl_buf_of(issuer.n + 64);
    vl_buf_add(&url, issuer);
    vl_buf_addz(&url, path);
    vl_json_add_str(out, key, vl_buf_str(&url));
}

/* @spec AS-03 AS-04 AS-05 AS-06 AS-26 AS-31 AS-32 W-28 W-59 */
void
vl_metadata_write_server(struct vl_buf *buf,
                         const struct vl_server_metadata *in)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "issuer", in->issuer);
    add_endpoint(&out, "authorization_endpoint", in->issuer, "/authorize");
    add_endpoint(&out, "token_endpoint", in->issuer, "/token");
    if (in->can_register)
        add_endpoint(&out, "registration_endpoint", in->issuer, "/register");
    add_endpoint(&out, "revocation_endpoint", in->issuer, "/revoke");
    add_list(&out, "scopes_supported", in->scopes);
    add_list(&out, "response_types_supported", "code");
    add_list(&out, "response_modes_supported", "query");
    add_list(&out, "grant_types_supported", "authorization_code refresh_token");
    add_list(&out, "token_endpoint_auth_methods_supported", "none");
    add_list(&out, "revocation_endpoint_auth_methods_supported", "none");
    add_list(&out, "code_challenge_methods_supported", "S256");
    vl_json_add_bool(&out, "authorization_response_iss_parameter_supported",
                     true);
    if (in->oidc_shaped) {
        add_endpoint(&out, "jwks_uri", in->issuer, "/jwks");
        add_list(&out, "subject_types_supported", "public");
        add_list(&out, "id_token_signing_alg_values_supported", "RS256");
    }
    vl_json_close(&out, '}');
}

/* @spec RS-06 RS-08 RS-15 W-15 */
void
vl_metadata_write_resource(struct vl_buf *buf,
                           const struct vl_resource_metadata *in)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "resource", in->resource);
    vl_json_open_key(&out, "authorization_servers", '[');
    vl_json_add_str(&out, NULL, in->issuer);
    vl_json_close(&out, ']');
    add_list(&out, "scopes_supported", in->scopes);
    add_list(&out, "bearer_methods_supported", "header");
    vl_json_close(&out, '}');
}
