/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/token_answer.h"

#include "core/status.h"

/* 115 days; Entra's longest are of 28 hours. */
#define LIFETIME_MAX_S 10000000

/* Errors of OAuth and what they mean for a grant we hold. */
static const struct {
    const char *error;
    valet_status status;
} meanings[] = {
    {"invalid_grant", VALET_DENIED},
    {"interaction_required", VALET_DENIED},
    {"consent_required", VALET_DENIED},
    {"login_required", VALET_DENIED},
    {"access_denied", VALET_DENIED},
    {"temporarily_unavailable", VALET_RETRY},
    {"server_error", VALET_RETRY},
};

static valet_status
meaning_of(struct vl_str error)
{
    for (size_t i = 0; i < VL_COUNT(meanings); i++)
        if (vl_str_eqz(error, meanings[i].error))
            return meanings[i].status;
    return VALET_INTERNAL;
}

/* RFC 6749 section 5.2: an error code is a word of ASCII. */
static bool
is_word(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '_')
            return false;
    return s.n > 0 && s.n < sizeof((valet_error *)NULL)->code;
}

/* Entra's own number says more than the OAuth error; the description is
 * Entra's prose and is not passed on. */
static valet_status
read_error(const struct vl_fetch_answer *answer, const struct json_t *body,
           valet_error *err)
{
    int64_t number = 0;
    char code[48] = "";
    struct vl_str error = vl_json_get_str(body, "error");
    struct vl_str correlation = vl_json_get_str(body, "correlation_id");
    valet_status status = meaning_of(error);
    if (answer->status == 429 || answer->status >= 500)
        status = VALET_RETRY;
    else if (answer->status < 400) /* no refusal has such a status */
        status = VALET_INTERNAL;
    if (vl_json_int(vl_json_at(vl_json_get(body, "error_codes"), 0), &number) &&
        number > 0)
        (void)snprintf(code, sizeof code, "AADSTS%lld", (long long)number);
    else if (is_word(error))
        (void)snprintf(code, sizeof code, VL_STR_FMT, VL_STR_ARG(error));
    if (!vl_guid_is_valid(correlation))
        correlation = VL_STR("none");
    return vl_fail(err, status, code,
                   "Entra ID refused the request (HTTP %d, %s, correlation "
                   "id " VL_STR_FMT ")",
                   answer->status, code[0] ? code : "no error code",
                   VL_STR_ARG(correlation));
}

/* Entra sends the lifetime as an integer or as decimal text. */
static bool
read_lifetime(const struct json_t *body, int64_t *ret_seconds)
{
    uint64_t seconds;
    const struct json_t *value = vl_json_get(body, "expires_in");
    if (!vl_json_int(value, ret_seconds)) {
        if (!vl_str_u64(vl_json_str(value), LIFETIME_MAX_S, &seconds))
            return false;
        *ret_seconds = (int64_t)seconds;
    }
    return *ret_seconds > 0 && *ret_seconds <= LIFETIME_MAX_S;
}

/* RFC 6749 appendix A.12 and A.17, without the space: what can be sent on. */
static bool
is_token(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return s.n <= VL_LIMIT_UPSTREAM_TOKEN;
}

valet_status
vl_token_answer_read(const struct vl_fetch_answer *answer, int64_t now_ms,
                     struct vl_json *document, struct vl_idp_tokens *ret,
                     struct vl_str *ret_id_token, valet_error *err)
{
    int64_t seconds;
    vl_auto(vl_json) parsed = {NULL};
    if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &parsed, NULL) !=
        VALET_OK)
        return vl_fail(err, VALET_RETRY, "",
                       "Entra ID answered HTTP %d without JSON",
                       answer->status);
    const struct json_t *body = parsed.root;
    if (answer->status != 200)
        return read_error(answer, body, err);
    struct vl_str access = vl_json_get_str(body, "access_token");
    struct vl_str refresh = vl_json_get_str(body, "refresh_token");
    if (!access.n || !is_token(access) || !is_token(refresh) ||
        !read_lifetime(body, &seconds) ||
        !vl_str_ieq(vl_json_get_str(body, "token_type"), VL_STR("Bearer")))
        return vl_fail(err, VALET_INTERNAL, "",
                       "Entra ID's token answer lacks a usable token");
    ret->access.secret = vl_secret_of(access);
    ret->refresh.secret = vl_secret_of(refresh);
    ret->expires_ms = now_ms + seconds * 1000;
    *ret_id_token = vl_json_get_str(body, "id_token");
    *document = parsed;
    parsed.root = NULL;
    return VALET_OK;
}
