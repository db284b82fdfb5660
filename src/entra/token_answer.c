/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/token_answer.h"

#include "entra/failure.h"
#include "oauth/words.h"

/* 115 days; Entra's longest are of 28 hours. */
#define LIFETIME_MAX_S 10000000

/* Entra sends times as integers or as decimal text; 0 when there is none. */
static int64_t
read_seconds(const struct json_t *body, const char *name)
{
    uint64_t seconds;
    int64_t number;
    const struct json_t *value = vl_json_get(body, name);
    if (vl_json_int(value, &number))
        return number > 0 && number <= LIFETIME_MAX_S ? number : 0;
    return vl_str_u64(vl_json_str(value), LIFETIME_MAX_S, &seconds)
               ? (int64_t)seconds
               : 0;
}

static int64_t
time_of(const struct json_t *body, const char *name, int64_t now_ms)
{
    int64_t seconds = read_seconds(body, name);
    return seconds ? now_ms + seconds * 1000 : 0;
}

/* RFC 6749 section 5.1 */
static bool
read_tokens(const struct json_t *body, int64_t now_ms,
            struct vl_token_answer *ret)
{
    struct vl_str access = vl_json_get_str(body, "access_token");
    struct vl_str refresh = vl_json_get_str(body, "refresh_token");
    int64_t expires_ms = time_of(body, "expires_in", now_ms);
    if (!access.n || !vl_oauth_is_token(access) ||
        !vl_oauth_is_token(refresh) || !expires_ms ||
        !vl_str_ieq(vl_json_get_str(body, "token_type"), VL_STR("Bearer")))
        return false;
    *ret = (struct vl_token_answer){
        .tokens = {.access.secret = vl_secret_of(access),
                   .refresh.secret = vl_secret_of(refresh),
                   .expires_ms = expires_ms},
        .id_token = vl_json_get_str(body, "id_token"),
        .scope = vl_json_get_str(body, "scope"),
        .client_info = vl_json_get_str(body, "client_info"),
        .family_id = vl_json_get_str(body, "foci"),
        .extended_ms = time_of(body, "ext_expires_in", now_ms),
        .refresh_ms = time_of(body, "refresh_in", now_ms),
    };
    return true;
}

bool
vl_token_answer_read(const struct vl_fetch_answer *answer, int64_t now_ms,
                     struct vl_json *document, struct vl_token_answer *ret,
                     valet_entra_error *ret_failure)
{
    vl_auto(vl_json) parsed = {NULL};
    if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &parsed, NULL) !=
        VALET_OK) {
        vl_failure_of_text(answer, ret_failure);
        return false;
    }
    if (answer->status != 200) {
        vl_failure_read(answer, parsed.root, ret_failure);
        return false;
    }
    if (!read_tokens(parsed.root, now_ms, ret)) {
        vl_failure_of_nonsense(answer, ret_failure);
        return false;
    }
    *document = parsed;
    parsed.root = NULL;
    return true;
}
