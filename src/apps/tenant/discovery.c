/* SPDX-License-Identifier: Apache-2.0
 *
 * What anybody may read: instance discovery, the OpenID configuration, the
 * keys (entra-wire 2.3 to 2.5).
 */
#include "apps/tenant/route.h"

#include "core/limits.h"

static void
add_list(struct vl_json_out *json, const char *key, const char *words)
{
    struct vl_str rest = vl_str_z(words), word;
    vl_json_open_key(json, key, '[');
    while (vl_str_split(&rest, ',', &word))
        vl_json_add_str(json, NULL, word);
    vl_json_close(json, ']');
}

/* {origin}/{tenant}{path} */
static void
add_url(const struct vl_tenant_call *call, struct vl_json_out *json,
        const char *key, const char *path)
{
    vl_json_add_z(json, key,
                  vl_tenant_format(call, "%s/" VL_STR_FMT "%s", call->origin,
                                   VL_STR_ARG(call->segment), path));
}

static const char *
issuer_of(const struct vl_tenant_call *call)
{
    return vl_tenant_format(call, "%s/%s/v2.0", call->origin,
                            call->realm ? call->realm->id : "{tenantid}");
}

/*
 * @spec entra-wire 2.4
 * Entra ID's document, but for what the stand-in does not have. A path without
 * tenant is common's.
 */
void
vl_tenant_openid(struct vl_tenant_call *call)
{
    static const char claims[] = "sub,iss,aud,exp,iat,auth_time,nonce,"
                                 "preferred_username,name,tid,ver,email";
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    if (!call->segment.n)
        call->segment = VL_STR("common");
    vl_json_open(&json, '{');
    add_url(call, &json, "token_endpoint", "/oauth2/v2.0/token");
    add_list(&json, "token_endpoint_auth_methods_supported",
             "client_secret_post,private_key_jwt,client_secret_basic");
    add_url(call, &json, "jwks_uri", "/discovery/v2.0/keys");
    add_list(&json, "response_modes_supported", "query,fragment,form_post");
    add_list(&json, "subject_types_supported", "pairwise");
    add_list(&json, "id_token_signing_alg_values_supported", "RS256");
    add_list(&json, "response_types_supported", "code");
    add_list(&json, "scopes_supported", "openid,profile,email,offline_access");
    vl_json_add_z(&json, "issuer", issuer_of(call));
    vl_json_add_bool(&json, "request_uri_parameter_supported", false);
    vl_json_add_z(&json, "userinfo_endpoint",
                  vl_tenant_format(call, "%s/oidc/userinfo", call->origin));
    add_url(call, &json, "authorization_endpoint", "/oauth2/v2.0/authorize");
    add_url(call, &json, "device_authorization_endpoint",
            "/oauth2/v2.0/devicecode");
    add_url(call, &json, "end_session_endpoint", "/oauth2/v2.0/logout");
    add_list(&json, "claims_supported", claims);
    vl_json_add_z(&json, "tenant_region_scope", "EU");
    vl_json_add_z(&json, "cloud_instance_name", call->host);
    vl_json_add_z(&json, "cloud_graph_host_name", call->host);
    vl_json_add_z(&json, "msgraph_host", call->host);
    vl_json_close(&json, '}');
    vl_tenant_send_document(call, vl_buf_str(&body));
}

void
vl_tenant_keys(struct vl_tenant_call *call)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    if (vl_tenant_keyset_publish(&call->tenant->keys, vl_str_z(issuer_of(call)),
                                 &body, NULL) != VALET_OK) {
        vl_tenant_fail(call, 90033, NULL);
        return;
    }
    vl_tenant_send_document(call, vl_buf_str(&body));
}

/* "/contoso.example/oauth2/v2.0/authorize" → "contoso.example" */
static struct vl_str
first_segment(struct vl_str path)
{
    struct vl_str rest = vl_str_from(path, 1);
    return vl_str_head(rest, vl_str_index(rest, '/'));
}

void
vl_tenant_instance(struct vl_tenant_call *call)
{
    struct vl_str endpoint =
        vl_params_get(&call->query, "authorization_endpoint");
    struct vl_url url;
    if (!endpoint.n) {
        vl_tenant_fail(call, 900144, "It is authorization_endpoint.");
        return;
    }
    if (vl_url_parse(endpoint, &url, NULL) != VALET_OK ||
        !vl_url_is_http(&url) || !vl_url_is_loopback(&url) ||
        !first_segment(url.path).n) {
        vl_tenant_fail(call, 50049, NULL);
        return;
    }
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "tenant_discovery_endpoint",
                  vl_tenant_format(
                      call,
                      "%s/" VL_STR_FMT "/v2.0/.well-known/openid-configuration",
                      call->origin, VL_STR_ARG(first_segment(url.path))));
    vl_json_add_z(&json, "api-version", "1.1");
    vl_json_open_key(&json, "metadata", '[');
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "preferred_network", call->host);
    vl_json_add_z(&json, "preferred_cache", call->host);
    vl_json_open_key(&json, "aliases", '[');
    vl_json_add_z(&json, NULL, call->host);
    vl_json_close(&json, ']');
    vl_json_close(&json, '}');
    vl_json_close(&json, ']');
    vl_json_close(&json, '}');
    vl_tenant_send_document(call, vl_buf_str(&body));
}
