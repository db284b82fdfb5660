/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/answer.h"

#include "apps/tenant/device.h"
#include "core/enc.h"
#include "core/limits.h"
#include "crypto/digest.h"

#define URL_MAX (VL_LIMIT_TARGET * 4)

/* Presses the button for those who have script; the policy names its hash. */
static const char press[] = "document.forms[0].submit();";

void
vl_tenant_answer_add(struct vl_tenant_answer *answer, const char *name,
                     struct vl_str value)
{
    VL_ASSERT(answer->count < VL_COUNT(answer->fields));
    if (value.n)
        answer->fields[answer->count++] = (struct vl_page_var){name, value};
}

/* By a page if a form was posted, since browsers apply form-action to
 * redirects that follow a post. */
void
vl_tenant_send_away(struct vl_tenant_call *call, struct vl_str url)
{
    struct vl_reply reply = {.status = 302};
    vl_tenant_page_headers(call, &reply);
    if (vl_str_eqz(call->request->method, "POST")) {
        struct vl_page page = {.asset = "move-on"};
        vl_page_set(&page, "title", VL_STR("Signing you in"));
        vl_page_set(&page, "url", url);
        reply.status = 200;
        vl_page_reply(call->x, &page, &reply);
        return;
    }
    vl_reply_add(&reply, "Location", url);
    vl_page_headers(&reply);
    vl_exchange_reply(call->x, &reply);
}

static void
send_in_query(struct vl_tenant_call *call, const struct vl_tenant_request *r,
              const struct vl_tenant_answer *answer)
{
    vl_auto(vl_buf) url = vl_buf_of_secret(URL_MAX);
    vl_buf_add(&url, r->redirect_uri);
    for (size_t i = 0; i < answer->count; i++)
        vl_url_add_param(&url, answer->fields[i].name, answer->fields[i].value);
    vl_tenant_send_away(call, vl_buf_str(&url));
}

static void
send_in_fragment(struct vl_tenant_call *call, const struct vl_tenant_request *r,
                 const struct vl_tenant_answer *answer)
{
    vl_auto(vl_buf) url = vl_buf_of_secret(URL_MAX);
    vl_auto(vl_buf) fields = vl_buf_of_secret(URL_MAX);
    for (size_t i = 0; i < answer->count; i++)
        vl_form_add(&fields, answer->fields[i].name, answer->fields[i].value);
    vl_buf_add(&url, r->redirect_uri);
    vl_buf_addc(&url, '#');
    vl_buf_add(&url, vl_buf_str(&fields));
    vl_tenant_send_away(call, vl_buf_str(&url));
}

/*
 * Our pages post to ourselves and have no script; this one posts to the
 * application and has one line of it. Where the application sends the browser
 * afterwards is its own affair, and form-action would meddle with it.
 */
static const char *
make_policy(const struct vl_tenant_call *call)
{
    static const struct vl_str ours = {"form-action 'self'; ", 20};
    unsigned char hash[VL_SHA256_SIZE];
    vl_auto(vl_buf) script = vl_buf_of(64);
    struct vl_str policy = vl_str_z(vl_web_content_policy);
    size_t at = 0;
    while (at < policy.n && !vl_str_starts(vl_str_from(policy, at), ours))
        at++;
    VL_ASSERT(at < policy.n);
    struct vl_str head = vl_str_head(policy, at);
    struct vl_str tail = vl_str_from(policy, at + ours.n);
    vl_sha256(vl_str_z(press), hash);
    vl_enc_base64(&script, vl_str_of(hash, sizeof hash));
    return vl_tenant_format(
        call, VL_STR_FMT "script-src 'sha256-%s'; " VL_STR_FMT,
        VL_STR_ARG(head), vl_buf_cstr(&script), VL_STR_ARG(tail));
}

static void
send_in_form(struct vl_tenant_call *call, const struct vl_tenant_request *r,
             const struct vl_tenant_answer *answer)
{
    enum { WIDTH = 2 };
    struct vl_page page = {.asset = "form-post", .assets = vl_tenant_assets};
    struct vl_page_var vars[WIDTH * VL_COUNT(answer->fields)];
    struct vl_page_list fields = {
        .name = "fields", .vars = vars, .rows = answer->count, .width = WIDTH};
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_PAGE);
    for (size_t i = 0; i < answer->count; i++) {
        vars[WIDTH * i] =
            (struct vl_page_var){"field", vl_str_z(answer->fields[i].name)};
        vars[WIDTH * i + 1] =
            (struct vl_page_var){"value", answer->fields[i].value};
    }
    vl_page_set(&page, "action", r->redirect_uri);
    vl_page_set(&page, "app", vl_str_z(r->app->name));
    vl_page_set(&page, "script", vl_str_z(press));
    vl_page_set_list(&page, &fields);
    if (vl_page_render(&page, &body, NULL) != VALET_OK) {
        vl_tenant_fail_page(call, 90033, NULL);
        return;
    }
    struct vl_reply reply = {.status = 200,
                             .type = "text/html; charset=utf-8",
                             .body = vl_buf_str(&body)};
    vl_tenant_page_headers(call, &reply);
    vl_reply_add(&reply, "Content-Security-Policy",
                 vl_str_z(make_policy(call)));
    /* Without a referrer the post would come from the origin "null". */
    vl_reply_add(&reply, "Referrer-Policy",
                 VL_STR("strict-origin-when-cross-origin"));
    vl_reply_add(&reply, "X-Content-Type-Options", VL_STR("nosniff"));
    vl_reply_add(&reply, "X-Frame-Options", VL_STR("DENY"));
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_exchange_reply(call->x, &reply);
}

/* @spec entra-wire 2.6 */
void
vl_tenant_answer_send(struct vl_tenant_call *call,
                      const struct vl_tenant_request *r,
                      const struct vl_tenant_answer *answer)
{
    switch (r->mode) {
    case VL_TENANT_FRAGMENT:
        send_in_fragment(call, r, answer);
        break;
    case VL_TENANT_FORM_POST:
        send_in_form(call, r, answer);
        break;
    case VL_TENANT_QUERY:
    case VL_TENANT_MODE_COUNT:
        send_in_query(call, r, answer);
        break;
    }
}

/* The error names of the front channel differ from the token endpoint's. */
static const char *
front_error(unsigned code)
{
    const char *error = vl_tenant_aadsts_find(code)->error;
    if (code == 65001)
        return "consent_required";
    return strcmp(error, "invalid_grant") == 0 ? "interaction_required" : error;
}

void
vl_tenant_answer_error(struct vl_tenant_call *call,
                       const struct vl_tenant_request *r, unsigned code,
                       const char *detail)
{
    struct vl_tenant_answer answer = {.count = 0};
    if (r->device) {
        vl_tenant_device_end(call, r, code, detail);
        return;
    }
    vl_tenant_answer_add(&answer, "error", vl_str_z(front_error(code)));
    vl_tenant_answer_add(
        &answer, "error_description",
        vl_str_z(vl_tenant_describe_error(call, code, detail)));
    vl_tenant_answer_add(&answer, "error_uri",
                         vl_str_z(vl_tenant_format(call, "%s/error?code=%u",
                                                   call->origin, code)));
    vl_tenant_answer_add(&answer, "state", r->state);
    vl_tenant_answer_send(call, r, &answer);
}
