/* SPDX-License-Identifier: Apache-2.0 */
#include "access/documents.h"

#include "access/address.h"
#include "access/entra.h"
#include "core/status.h"
#include "io/network.h"
#include "oauth/scope.h"
#include "json/read.h"

/* All scopes of a resource in one text: some list dozens. */
#define SCOPES_MAX 4096
/* Of an address, in an error. */
#define SHOWN_MAX 80

/* --- members --- */

/* A web page at the place of a document is no document: many servers answer
 * everything with one. */
static valet_status
parse(struct vl_str text, struct vl_json *ret, valet_error *err)
{
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, ret, NULL) == VALET_OK &&
        vl_json_kind(ret->root) == VL_JSON_OBJECT)
        return VALET_OK;
    return vl_fail(err, VALET_NOT_FOUND, "", "it is no JSON object");
}

static bool
is_said(const struct json_t *object, const char *key)
{
    enum vl_json_kind kind = vl_json_kind(vl_json_get(object, key));
    return kind != VL_JSON_ABSENT && kind != VL_JSON_NULL;
}

static valet_status
keep(struct vl_site *site, struct vl_str text, const char **ret,
     valet_error *err)
{
    *ret = vl_arena_cstr(&site->arena, text);
    return *ret ? VALET_OK
                : vl_fail(err, VALET_DENIED, "",
                          "what it says about itself is too long");
}

/* @spec CL-19 CL-20: a public server sends nobody, nor a browser, to what is
 * not public by its very name. Where names lead is seen when they are asked. */
static valet_status
check_address(struct vl_str text, const char *what, const struct vl_url *server,
              const struct vl_site *site, valet_error *err)
{
    struct vl_url url;
    VL_TRY(vl_address_check(text, what, server, err));
    VL_TRY(vl_url_parse(text, &url, err));
    if (site->only_public && !vl_host_is_public(url.host))
        return vl_fail(err, VALET_DENIED, "",
                       "%s leads into a network that is not everybody's", what);
    return VALET_OK;
}

/* An address that it may send somebody to; NULL when it is not there. */
static valet_status
take_address(const struct json_t *object, const char *key,
             const struct vl_url *server, struct vl_site *site,
             const char **ret, valet_error *err)
{
    *ret = NULL;
    if (!is_said(object, key))
        return VALET_OK;
    struct vl_str text = vl_json_get_str(object, key);
    VL_TRY(check_address(text, key, server, site, err));
    return keep(site, text, ret, err);
}

/* --- of a resource --- */

/* @spec CL-08: all of them. What is no scope is left out; what is too long in
 * all counts as not said, since half of it could be the wrong half. */
static void
take_scopes(const struct json_t *list, struct vl_site *site)
{
    vl_auto(vl_buf) all = vl_buf_of(SCOPES_MAX);
    for (size_t i = 0; i < vl_json_size(list); i++) {
        struct vl_str scope = vl_json_str(vl_json_at(list, i));
        if (!vl_scope_is_valid(scope) || vl_str_has(scope, ' ') ||
            vl_str_has_word(vl_buf_str(&all), scope))
            continue;
        if (vl_buf_size(&all))
            vl_buf_addc(&all, ' ');
        vl_buf_add(&all, scope);
    }
    if (vl_buf_size(&all) && vl_buf_check(&all, NULL) == VALET_OK)
        site->resource_scopes = vl_arena_cstr(&site->arena, vl_buf_str(&all));
}

/* The first is as good as any: the document puts them in no order (RFC 9728
 * section 7.6 leaves the choice to the client). */
static valet_status
take_issuer(const struct json_t *list, const struct vl_url *server,
            struct vl_site *site, const char **ret, valet_error *err)
{
    struct vl_url url;
    *ret = NULL;
    if (vl_json_kind(list) == VL_JSON_ARRAY && vl_json_size(list) == 0)
        return VALET_OK;
    struct vl_str first = vl_json_str(vl_json_at(list, 0));
    VL_TRY(check_address(first, "its authorization server", server, site, err));
    VL_TRY(vl_url_parse(first, &url, err));
    if (url.has_query) /* RFC 8414 section 2 */
        return vl_fail(err, VALET_DENIED, "",
                       "its authorization server has a query");
    return keep(site, first, ret, err);
}

valet_status
vl_document_read_resource(struct vl_str text, const struct vl_url *server,
                          struct vl_site *site, const char **ret_issuer,
                          valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    *ret_issuer = NULL;
    VL_TRY(parse(text, &doc, err));
    struct vl_str resource = vl_json_get_str(doc.root, "resource");
    /* @spec CL-07: or any server could have tokens for any other asked for. */
    if (!vl_resource_covers(resource, server))
        return vl_fail(err, VALET_DENIED, "",
                       "its metadata is of another resource: " VL_STR_FMT,
                       VL_STR_ARG(vl_str_head(resource, SHOWN_MAX)));
    if (is_said(doc.root, "authorization_servers"))
        VL_TRY(take_issuer(vl_json_get(doc.root, "authorization_servers"),
                           server, site, ret_issuer, err));
    take_scopes(vl_json_get(doc.root, "scopes_supported"), site);
    return keep(site, resource, &site->resource, err);
}

/* --- of an authorization server --- */

/* @spec CL-04: byte for byte. */
static bool
is_issuer(struct vl_str said, const struct vl_document_of *of)
{
    size_t n = strlen(of->issuer);
    if (vl_str_eqz(said, of->issuer))
        return true;
    return of->is_guessed && said.n == n + 1 && said.p[n] == '/' &&
           vl_str_eqz(vl_str_head(said, n), of->issuer);
}

static const struct {
    const char *name;
    unsigned proof;
} proofs[] = {
    {"none", VL_PROOF_NONE},
    {"client_secret_basic", VL_PROOF_BASIC},
    {"client_secret_post", VL_PROOF_POST},
    {"private_key_jwt", VL_PROOF_PRIVATE_KEY_JWT},
};

unsigned
vl_proof_of_name(struct vl_str name)
{
    for (size_t i = 0; i < VL_COUNT(proofs); i++)
        if (vl_str_eqz(name, proofs[i].name))
            return proofs[i].proof;
    return 0;
}

const char *
vl_proof_name(unsigned proof)
{
    for (size_t i = 0; i < VL_COUNT(proofs); i++)
        if (proofs[i].proof == proof)
            return proofs[i].name;
    return NULL;
}

/* What it can do and wants; unknown words are for others. */
static void
take_abilities(const struct json_t *root, struct vl_site *site)
{
    const struct json_t *methods =
        vl_json_get(root, "token_endpoint_auth_methods_supported");
    const struct json_t *signs =
        vl_json_get(root, "token_endpoint_auth_signing_alg_values_supported");
    for (size_t i = 0; i < vl_json_size(methods); i++)
        site->proofs |= vl_proof_of_name(vl_json_str(vl_json_at(methods, i)));
    site->signs_es256 = vl_json_has_str(signs, VL_STR("ES256"));
    site->signs_rs256 = vl_json_has_str(signs, VL_STR("RS256"));
    site->offers_offline_access = vl_json_has_str(
        vl_json_get(root, "scopes_supported"), VL_STR("offline_access"));
    site->takes_metadata_url = vl_json_is_true(
        vl_json_get(root, "client_id_metadata_document_supported"));
    site->sends_iss = vl_json_is_true(
        vl_json_get(root, "authorization_response_iss_parameter_supported"));
}

/* Why a person cannot sign in there, if so. */
static const char *
judge_sign_in(const struct json_t *root, const struct vl_document_of *of,
              const struct vl_site *site)
{
    const struct json_t *types = vl_json_get(root, "response_types_supported");
    const struct json_t *pkce =
        vl_json_get(root, "code_challenge_methods_supported");
    if (!site->authorization_endpoint)
        return "it names no page to sign in at";
    if (is_said(root, "response_types_supported") &&
        !vl_json_has_str(types, VL_STR("code")))
        return "it gives no authorization codes";
    /* @spec CL-06 */
    if (site->is_entra)
        return NULL;
    if (is_said(root, "code_challenge_methods_supported")
            ? !vl_json_has_str(pkce, VL_STR("S256"))
            : !of->is_guessed)
        return "it does not say that it supports PKCE with S256";
    return NULL;
}

static valet_status
take_endpoints(const struct json_t *root, const struct vl_document_of *of,
               struct vl_site *site, valet_error *err)
{
    VL_TRY(take_address(root, "authorization_endpoint", of->server, site,
                        &site->authorization_endpoint, err));
    VL_TRY(take_address(root, "token_endpoint", of->server, site,
                        &site->token_endpoint, err));
    VL_TRY(take_address(root, "registration_endpoint", of->server, site,
                        &site->registration_endpoint, err));
    if (!site->token_endpoint)
        return vl_fail(err, VALET_DENIED, "", "it names no token_endpoint");
    site->no_sign_in = judge_sign_in(root, of, site);
    if (site->no_sign_in)
        site->authorization_endpoint = NULL;
    return VALET_OK;
}

valet_status
vl_document_read_server(struct vl_str text, const struct vl_document_of *of,
                        struct vl_site *site, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    VL_TRY(parse(text, &doc, err));
    struct vl_str issuer = vl_json_get_str(doc.root, "issuer");
    if (!is_issuer(issuer, of))
        return vl_fail(
            err, VALET_CONFLICT, "",
            "asked for the metadata of %.80s, got that of " VL_STR_FMT,
            of->issuer, VL_STR_ARG(vl_str_head(issuer, SHOWN_MAX)));
    VL_TRY(keep(site, issuer, &site->issuer, err));
    site->is_entra = vl_entra_is_issuer(site->issuer, doc.root);
    VL_TRY(take_endpoints(doc.root, of, site, err));
    take_abilities(doc.root, site);
    site->has_documents = true;
    return VALET_OK;
}

static const char *
put(struct vl_site *site, const struct vl_url *server, const char *path)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_ADDRESS_MAX);
    vl_buf_add(&text, server->origin);
    vl_buf_addz(&text, path);
    return vl_arena_cstr(&site->arena, vl_buf_str(&text));
}

void
vl_document_guess_server(const struct vl_url *server, struct vl_site *site)
{
    site->issuer = put(site, server, "");
    site->authorization_endpoint = put(site, server, "/authorize");
    site->token_endpoint = put(site, server, "/token");
    site->registration_endpoint = put(site, server, "/register");
    site->has_documents = false;
}
