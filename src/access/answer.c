/* SPDX-License-Identifier: Apache-2.0 */
#include "access/answer.h"

#include "access/proof.h"
#include "core/status.h"
#include "oauth/scope.h"
#include "oauth/words.h"
#include "json/read.h"

/* "unsupported_grant_type" is the longest that is known. */
#define WORD_SIZE 48
/* Ten years: who gives a token for longer means "for ever". */
#define LONGEST_S 315360000

void
vl_access_tokens_done(struct vl_access_tokens *tokens)
{
    vl_secret_done(&tokens->access);
    vl_secret_done(&tokens->refresh);
    free(tokens->scope);
    *tokens = (struct vl_access_tokens){.scope = NULL};
}

/* --- refusals --- */

static const struct {
    const char *word;
    enum vl_redeem_advice advice;
    valet_status status;
    const char *text;
} refusals[] = {
    {"invalid_grant", VL_REDEEM_SIGN_IN, VALET_DENIED, "the sign-in is over"},
    {"invalid_client", VL_REDEEM_REGISTER, VALET_DENIED,
     "it does not know the client, or not by this proof"},
    {"unauthorized_client", VL_REDEEM_REGISTER, VALET_DENIED,
     "the client may not do this"},
    {"temporarily_unavailable", VL_REDEEM_AGAIN, VALET_RETRY,
     "it cannot answer now"},
    {"server_error", VL_REDEEM_AGAIN, VALET_RETRY, "it cannot answer now"},
    {"slow_down", VL_REDEEM_AGAIN, VALET_RETRY, "it is asked too often"},
    {"invalid_scope", VL_REDEEM_GIVE_UP, VALET_DENIED,
     "it does not give these scopes"},
    {"invalid_target", VL_REDEEM_GIVE_UP, VALET_DENIED,
     "it gives no tokens for this server"},
};

static enum vl_redeem_advice
refuse(const struct vl_site *site, int http_status, const struct json_t *root,
       valet_error *err)
{
    char word[WORD_SIZE];
    struct vl_str host = vl_issuer_host(site->issuer);
    vl_oauth_copy_word(word, sizeof word, vl_json_get_str(root, "error"));
    if (http_status == 429 || http_status >= 500) {
        (void)vl_fail(err, VALET_RETRY, word,
                      VL_STR_FMT ": it cannot answer now (status %d)",
                      VL_STR_ARG(host), http_status);
        return VL_REDEEM_AGAIN;
    }
    for (size_t i = 0; i < VL_COUNT(refusals); i++)
        if (strcmp(word, refusals[i].word) == 0) {
            (void)vl_fail(err, refusals[i].status, word, VL_STR_FMT ": %s (%s)",
                          VL_STR_ARG(host), refusals[i].text, word);
            return refusals[i].advice;
        }
    (void)vl_fail(err, VALET_DENIED, word,
                  VL_STR_FMT ": it gives no token (%s, status %d)",
                  VL_STR_ARG(host), word[0] ? word : "no reason", http_status);
    return VL_REDEEM_GIVE_UP;
}

/* --- tokens --- */

/* A number, or one in a string, as some write it; -1: not told. */
static int64_t
find_lifetime(const struct json_t *root)
{
    const struct json_t *value = vl_json_get(root, "expires_in");
    int64_t seconds;
    uint64_t digits;
    if (vl_str_u64(vl_json_str(value), INT64_MAX, &digits))
        seconds = (int64_t)digits;
    else if (!vl_json_whole(value, &seconds) || seconds < 0)
        return -1;
    return seconds < LONGEST_S ? seconds : LONGEST_S;
}

static bool
is_token(struct vl_str text)
{
    return text.n && vl_oauth_is_token(text);
}

static char *
find_scope(const struct json_t *root)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_SCOPE);
    struct vl_str scope = vl_json_get_str(root, "scope");
    if (!vl_scope_is_valid(scope))
        return NULL;
    vl_buf_add(&text, scope);
    return vl_strdup(vl_buf_cstr(&text));
}

/* Is it a token that can be sent as Bearer? Others would need more than that
 * (RFC 6749 section 7.1: "MUST NOT use" a type that is not understood). */
static bool
take(const struct json_t *root, int64_t now_s, struct vl_access_tokens *ret)
{
    struct vl_str access = vl_json_get_str(root, "access_token");
    struct vl_str refresh = vl_json_get_str(root, "refresh_token");
    int64_t lifetime = find_lifetime(root);
    if (!is_token(access) ||
        !vl_str_ieq(vl_json_get_str(root, "token_type"), VL_STR("Bearer")))
        return false;
    *ret = (struct vl_access_tokens){
        .access = vl_secret_of(access),
        .scope = find_scope(root),
        .expires_at = lifetime < 0 ? 0 : now_s + lifetime,
        .got_at = now_s,
    };
    if (is_token(refresh))
        ret->refresh = vl_secret_of(refresh);
    return true;
}

/* Some say no with status 200. */
enum vl_redeem_advice
vl_token_read(const struct vl_site *site, int http_status, struct vl_str body,
              int64_t now_s, struct vl_access_tokens *ret, valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    (void)!vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &doc, NULL);
    if (http_status != 200 || vl_json_get_str(doc.root, "error").n)
        return refuse(site, http_status, doc.root, err);
    if (take(doc.root, now_s, ret))
        return VL_REDEEM_FINE;
    (void)vl_fail(err, VALET_DENIED, "",
                  VL_STR_FMT ": its answer is no bearer token",
                  VL_STR_ARG(vl_issuer_host(site->issuer)));
    return VL_REDEEM_GIVE_UP;
}
