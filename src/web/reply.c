/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"
#include "web/page.h"

/* @spec W-69 3.9 */
void
vl_page_headers(struct vl_reply *reply)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Cache-Control", "no-store"},
    };
    vl_reply_add(reply, "Content-Security-Policy",
                 vl_str_z(vl_web_content_policy));
    for (size_t i = 0; i < VL_COUNT(fixed); i++)
        vl_reply_add(reply, fixed[i].name, vl_str_z(fixed[i].value));
}

static void
reply_plain_500(struct vl_exchange *x)
{
    struct vl_reply reply = {.status = 500,
                             .type = "text/plain; charset=utf-8",
                             .body = VL_STR("The page cannot be shown.\n")};
    vl_page_headers(&reply);
    vl_exchange_reply(x, &reply);
}

void
vl_page_reply(struct vl_exchange *x, const struct vl_page *page,
              struct vl_reply *reply)
{
    /* Pages carry codes (move-on) and forms that act for the person. */
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_PAGE);
    if (vl_page_render(page, &body, NULL) != VALET_OK) {
        reply_plain_500(x);
        return;
    }
    reply->type = "text/html; charset=utf-8";
    reply->body = vl_buf_str(&body);
    vl_page_headers(reply);
    vl_exchange_reply(x, reply);
    reply->body = (struct vl_str){NULL, 0};
}

/*
 * The caller has compared `url` with a registration; this is the second lock.
 * A scheme of which a browser makes content in our origin must not pass even
 * if it was registered.
 */
static bool
may_move_to(struct vl_str url)
{
    static const char *const content[] = {
        "javascript", "data",  "vbscript",    "blob",
        "file",       "about", "view-source", "filesystem"};
    struct vl_url parsed;
    if (vl_url_parse(url, &parsed, NULL) != VALET_OK)
        return false;
    if (vl_url_is_http(&parsed))
        return vl_url_is_https(&parsed) || vl_url_is_loopback(&parsed);
    for (size_t i = 0; i < VL_COUNT(content); i++)
        if (vl_str_ieq(parsed.scheme, vl_str_z(content[i])))
            return false;
    return true;
}

void
vl_page_move_on(struct vl_exchange *x, struct vl_str title, struct vl_str url,
                struct vl_reply *reply)
{
    if (!may_move_to(url)) {
        vl_page_error(x, 500, "This did not work",
                      "The program's address is not one a browser may be sent "
                      "to. Close this window and start again in the program.",
                      NULL);
        return;
    }
    struct vl_page page = {.asset = "move-on"};
    vl_page_set(&page, "title", title);
    vl_page_set(&page, "url", url);
    reply->status = 200;
    vl_page_reply(x, &page, reply);
}

/* @spec S-94 */
void
vl_page_error(struct vl_exchange *x, int status, const char *title,
              const char *advice, const char *correlation)
{
    struct vl_page page = {.asset = "error"};
    vl_page_set(&page, "title", vl_str_z(title));
    vl_page_set(&page, "advice", vl_str_z(advice));
    vl_page_set(&page, "correlation", vl_str_z(correlation));
    struct vl_reply reply = {.status = status};
    vl_page_reply(x, &page, &reply);
}
