/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys.h"
#include "http/challenge.h"
#include "remote/inside.h"
#include "json/read.h"

/* Where a server says nothing of it, and at most by ourselves. */
#define DELAY_FIRST_MS 1000
#define DELAY_MOST_MS  30000
/* What a server may ask for: not to be flooded, and not to be heard no more. */
#define RETRY_LEAST_MS 100
#define RETRY_MOST_MS  600000

#define SCOPE_ERROR_MAX 64

/* --- tokens --- */

static bool
says_insufficient_scope(struct vl_str field)
{
    struct vl_challenge challenge;
    while (vl_challenge_next(&field, &challenge) == VL_CHALLENGE_FOUND) {
        vl_auto(vl_buf) error = vl_buf_of(SCOPE_ERROR_MAX);
        if (vl_str_ieq(challenge.scheme, VL_STR("Bearer")) &&
            vl_challenge_get(&challenge, "error", &error, NULL) == VALET_OK &&
            vl_str_eq(vl_buf_str(&error), VL_STR("insufficient_scope")))
            return true;
    }
    return false;
}

bool
vl_refusal_wants_token(int status, const struct vl_headers *headers)
{
    if (status == 401)
        return true;
    for (size_t i = 0; i < headers->count && status == 403; i++)
        if (vl_str_ieq(headers->items[i].name, VL_STR("WWW-Authenticate")) &&
            says_insufficient_scope(headers->items[i].value))
            return true;
    return false;
}

/* --- statuses --- */

/* @spec CL-16 D11 D13
 * A redirect is not followed, since token and message would go with it. Where
 * it leads is told only if nobody else can be named by it. */
static valet_status
refuse_redirect(const struct vl_remote *remote, int status,
                const struct vl_headers *headers, valet_error *err)
{
    struct vl_url to;
    struct vl_str location = vl_headers_get(headers, "location");
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_TARGET);
    if (vl_url_resolve(&remote->parsed, location, &url, NULL) == VALET_OK &&
        vl_url_parse(vl_buf_str(&url), &to, NULL) == VALET_OK &&
        vl_str_ieq(to.host, remote->parsed.host))
        return vl_fail(
            err, VALET_INVALID, "",
            "the server is not here (%d), but at " VL_STR_FMT VL_STR_FMT
            ": use that address",
            status, VL_STR_ARG(to.origin), VL_STR_ARG(to.path));
    return vl_fail(err, VALET_INVALID, "",
                   "the server redirects to another one (%d), which is not "
                   "followed",
                   status);
}

valet_status
vl_judge_status(const struct vl_remote *remote, int status,
                const struct vl_headers *headers, valet_error *err)
{
    valet_status means = VALET_INVALID;
    if (status >= 300 && status < 400)
        return refuse_redirect(remote, status, headers, err);
    if (status == 401 || status == 403)
        means = VALET_DENIED;
    else if (status == 404)
        means = VALET_NOT_FOUND;
    else if (status == 429 || status >= 500)
        means = VALET_RETRY;
    const char *reason = vl_http_reason(status);
    return vl_fail(err, means, "", "the server answers %d%s%s%s", status,
                   *reason ? " (" : "", reason, *reason ? ")" : "");
}

/*
 * @spec HT-31: 404 says so. Some servers answer 400 where 404 is demanded; that
 * may mean much else, unless the session had been good and nothing is said that
 * has a meaning of its own.
 */
bool
vl_is_end_of_session(int status, bool was_good, struct vl_str body)
{
    vl_auto(vl_json) doc = {NULL};
    int64_t code = 0;
    if (status != 400)
        return status == 404;
    if (!was_good)
        return false;
    if (vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return true;
    return !vl_json_get_int(vl_json_get(doc.root, "error"), "code", &code) ||
           (code <= -32000 && code >= -32019);
}

/* --- waiting --- */

/* @spec HT-27: exactly what the server said, as long as it goes well; more,
 * and of different length, when it does not. */
int64_t
vl_resume_delay(int64_t retry_ms, unsigned tries)
{
    int64_t base = retry_ms < 0                ? DELAY_FIRST_MS
                   : retry_ms < RETRY_LEAST_MS ? RETRY_LEAST_MS
                   : retry_ms > RETRY_MOST_MS  ? RETRY_MOST_MS
                                               : retry_ms;
    int64_t most = base;
    for (unsigned i = 0; i < tries && most < DELAY_MOST_MS; i++)
        most *= 2;
    uint32_t dice;
    vl_random(&dice, sizeof dice);
    return base + (int64_t)(dice % (uint64_t)(most - base + 1));
}
