/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/token_answer.h"

#include "core/status.h"
#include "entra/failure.h"

/* 115 days; Entra's longest are of 28 hours. */
#define LIFETIME_MAX_S 10000000

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

static valet_status
copy_error(const valet_entra_error *failure, valet_error *err)
{
    if (err)
        *err = failure->error;
    return failure->error.status;
}

valet_status
vl_token_answer_read(const struct vl_fetch_answer *answer, int64_t now_ms,
                     struct vl_json *document, struct vl_idp_tokens *ret,
                     struct vl_str *ret_id_token, valet_error *err)
{
    int64_t seconds;
    valet_entra_error failure;
    vl_auto(vl_json) parsed = {NULL};
    if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &parsed, NULL) !=
        VALET_OK) {
        vl_failure_of_text(answer, &failure);
        return copy_error(&failure, err);
    }
    const struct json_t *body = parsed.root;
    if (answer->status != 200) {
        vl_failure_read(answer, body, &failure);
        return copy_error(&failure, err);
    }
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
