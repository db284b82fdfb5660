/* SPDX-License-Identifier: Apache-2.0 */
#include "access/registration.h"

#include "access/address.h"
#include "access/documents.h"
#include "access/proof.h"
#include "core/status.h"
#include "oauth/words.h"
#include "json/read.h"
#include "json/write.h"

#define NAME "mcp-valet"
/* What a person can do about every refusal. */
#define ADVICE "ask its people for a client id, and give it (--client-id)"
/* Client ids that are URLs or sealed records of their server. */
#define ID_MAX 2048
/* A secret is escaped into a header: a proof's buffer holds it twice. */
#define SECRET_MAX 1024
/* "invalid_software_statement" is the longest that is known. */
#define WORD_SIZE 48
#define LATEST_S  253402300799 /* the year 9999 */

/* A program that anybody can read keeps no secret: none is asked for unless it
 * has to be one (OAuth 2.1 section 2.1). */
static unsigned
choose(const struct vl_site *site)
{
    static const unsigned order[] = {VL_PROOF_NONE, VL_PROOF_BASIC,
                                     VL_PROOF_POST};
    for (size_t i = 0; i < VL_COUNT(order); i++)
        if (site->proofs & order[i])
            return order[i];
    return VL_PROOF_NONE;
}

/* @spec CL-12 CL-18 */
void
vl_registration_write(const struct vl_site *site, const char *redirect_uri,
                      const char *scope, struct vl_buf *out)
{
    struct vl_json_out json = {out, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "client_name", NAME);
    vl_json_open_key(&json, "redirect_uris", '[');
    vl_json_add_z(&json, NULL, redirect_uri);
    vl_json_close(&json, ']');
    vl_json_open_key(&json, "grant_types", '[');
    vl_json_add_z(&json, NULL, "authorization_code");
    vl_json_add_z(&json, NULL, "refresh_token");
    vl_json_close(&json, ']');
    vl_json_open_key(&json, "response_types", '[');
    vl_json_add_z(&json, NULL, "code");
    vl_json_close(&json, ']');
    vl_json_add_z(&json, "token_endpoint_auth_method",
                  vl_proof_name(choose(site)));
    vl_json_add_z(&json, "application_type", "native");
    if (scope[0])
        vl_json_add_z(&json, "scope", scope);
    vl_json_close(&json, '}');
}

/* --- answers --- */

static valet_status
deny(const struct vl_site *site, const char *why, valet_error *err)
{
    return vl_fail(err, VALET_DENIED, "", VL_STR_FMT " %s: " ADVICE,
                   VL_STR_ARG(vl_issuer_host(site->issuer)), why);
}

valet_status
vl_registration_missing(const struct vl_site *site, valet_error *err)
{
    return deny(site, "lets no program register itself", err);
}

/* Its word alone: descriptions are prose of strangers. */
static valet_status
refuse(const struct vl_site *site, int http_status, struct vl_str body,
       valet_error *err)
{
    char word[WORD_SIZE];
    vl_auto(vl_json) doc = {NULL};
    if (http_status == 429 || http_status >= 500)
        return vl_fail(err, VALET_RETRY, "",
                       VL_STR_FMT " cannot register a program now (status %d)",
                       VL_STR_ARG(vl_issuer_host(site->issuer)), http_status);
    if (http_status == 404 || http_status == 405)
        return vl_registration_missing(site, err);
    (void)!vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &doc, NULL);
    vl_oauth_copy_word(word, sizeof word, vl_json_get_str(doc.root, "error"));
    if (word[0])
        return vl_fail(err, VALET_DENIED, word,
                       VL_STR_FMT " refuses to register us (%s): " ADVICE,
                       VL_STR_ARG(vl_issuer_host(site->issuer)), word);
    return vl_fail(err, VALET_DENIED, "",
                   VL_STR_FMT " refuses to register us (status %d): " ADVICE,
                   VL_STR_ARG(vl_issuer_host(site->issuer)), http_status);
}

static bool
is_text(struct vl_str text, size_t max)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~') /* RFC 6749 appendix A.1, A.2 */
            return false;
    return text.n > 0 && text.n <= max;
}

/* That of the answer, if it is one that we have something for; else the best
 * that both know. 0: there is none. */
static unsigned
find_proof(const struct vl_site *site, const struct json_t *root,
           bool has_secret)
{
    struct vl_str method = vl_json_get_str(root, "token_endpoint_auth_method");
    unsigned named = vl_proof_of_name(method);
    if (!method.n)
        return vl_access_proof(site, has_secret, false);
    if (!named || named == VL_PROOF_PRIVATE_KEY_JWT)
        return 0;
    return has_secret ? named : VL_PROOF_NONE;
}

static int64_t
find_end(const struct json_t *root)
{
    int64_t ends;
    if (!vl_json_whole(vl_json_get(root, "client_secret_expires_at"), &ends) ||
        ends < 0 || ends > LATEST_S)
        return 0;
    return ends;
}

static valet_status
take(const struct vl_site *site, const struct json_t *root,
     const char *redirect_uri, struct vl_access_client *ret, valet_error *err)
{
    vl_auto(vl_buf) name = vl_buf_of(ID_MAX);
    struct vl_str id = vl_json_get_str(root, "client_id");
    struct vl_str secret = vl_json_get_str(root, "client_secret");
    unsigned proof = find_proof(site, root, secret.n > 0);
    if (!is_text(id, ID_MAX))
        return deny(site, "gave no client id that can be used", err);
    if (secret.n && !is_text(secret, SECRET_MAX))
        return deny(site, "gave a secret that cannot be used", err);
    if (!proof)
        return deny(site, "wants a proof that we have not", err);
    vl_buf_add(&name, id);
    *ret = (struct vl_access_client){
        .id = vl_strdup(vl_buf_cstr(&name)),
        .secret = vl_secret_of(secret),
        .proof = proof,
        .redirect_uri = vl_strdup(redirect_uri),
        .secret_ends = secret.n ? find_end(root) : 0,
        .is_registered = true,
    };
    return VALET_OK;
}

valet_status
vl_registration_read(const struct vl_site *site, int http_status,
                     struct vl_str body, const char *redirect_uri,
                     struct vl_access_client *ret, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    if (http_status != 201 && http_status != 200)
        return refuse(site, http_status, body, err);
    if (vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return deny(site, "answered a registration with no JSON", err);
    return take(site, doc.root, redirect_uri, ret, err);
}
