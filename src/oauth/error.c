/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/error.h"

#include "json/write.h"

/* @spec W-77 */
void
vl_oauth_headers(struct vl_reply *reply, const char *cache)
{
    vl_reply_add(reply, "Cache-Control", vl_str_z(cache ? cache : "no-store"));
    vl_reply_add(reply, "X-Content-Type-Options", VL_STR("nosniff"));
    vl_reply_add(reply, "Referrer-Policy", VL_STR("no-referrer"));
    vl_reply_add(reply, "Content-Security-Policy",
                 VL_STR("default-src 'none'; frame-ancestors 'none'"));
}

void
vl_oauth_reply(struct vl_exchange *x, int status, struct vl_str json)
{
    struct vl_reply reply = {
        .status = status, .type = "application/json", .body = json};
    vl_oauth_headers(&reply, NULL);
    vl_exchange_reply(x, &reply);
}

/* Whole seconds, at least one. */
static void
add_retry_after(struct vl_reply *reply, int64_t ms, struct vl_buf *text)
{
    if (ms <= 0)
        return;
    vl_buf_addu(text, (uint64_t)(ms + 999) / 1000);
    vl_reply_add(reply, "Retry-After", vl_buf_str(text));
}

void
vl_oauth_reply_error(struct vl_exchange *x, const struct vl_oauth_error *error)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) seconds = vl_buf_of(20);
    struct vl_json_out out = {&body, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "error", error->error);
    if (error->description)
        vl_json_add_z(&out, "error_description", error->description);
    vl_json_close(&out, '}');

    struct vl_reply reply = {.status = error->status,
                             .type = "application/json",
                             .body = vl_buf_str(&body)};
    vl_oauth_headers(&reply, NULL);
    add_retry_after(&reply, error->retry_ms, &seconds);
    if (error->basic)
        vl_reply_add(&reply, "WWW-Authenticate",
                     VL_STR("Basic realm=\"mcp-valet\""));
    vl_exchange_reply(x, &reply);
}
