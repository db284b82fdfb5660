/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/device.h"

#include "core/status.h"
#include "entra/claims.h"
#include "entra/failure.h"
#include "http/url.h"

/* RFC 8628 sections 3.2 and 3.5. */
#define INTERVAL_S     5
#define INTERVAL_MAX_S 300
#define SLOWER_MS      5000
#define BACKOFF_MAX_MS 60000
/* Entra's codes are good for 15 minutes. */
#define LIFETIME_MAX_S 86400
#define USER_CODE_MAX  64

struct vl_device {
    const struct vl_grant_desk *desk;
    struct vl_timer *timer;
    struct vl_authority_wait wait;
    struct vl_fetch *fetch;
    struct vl_grant *grant;
    struct vl_buf form;   /* of the first request, then of those that follow */
    struct vl_buf claims; /* of a challenge */
    struct vl_device_pace pace;
    int64_t expires_ms;
    vl_device_show *show;
    vl_grant_done *done;
    void *ctx;
};

static void
release(struct vl_device *device)
{
    vl_authority_cancel(&device->wait);
    vl_fetch_abort(&device->fetch);
    vl_grant_abort(&device->grant);
    vl_timer_free(device->timer);
    vl_buf_done(&device->form);
    vl_buf_done(&device->claims);
    free(device);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_device *device, struct vl_token_answer *answer,
       const valet_entra_error *error)
{
    vl_grant_done *done = device->done;
    void *ctx = device->ctx;
    release(device);
    done(answer, error, ctx);
}

static void
fail(struct vl_device *device, valet_status status, valet_next next,
     const char *oauth, const char *message)
{
    valet_entra_error error = {.next = next, .retry_after_ms = -1};
    (void)snprintf(error.oauth, sizeof error.oauth, "%s", oauth);
    (void)vl_fail(&error.error, status, oauth, "%s", message);
    finish(device, NULL, &error);
}

/* To the code's form, and to those of the token. */
static valet_status
add_claims(struct vl_device *device, valet_error *err)
{
    VL_TRY(vl_buf_check(&device->claims, err));
    VL_TRY(vl_claims_add(vl_buf_str(&device->claims),
                         device->desk->capabilities, &device->form, err));
    return vl_buf_check(&device->form, err);
}

/* --- asking whether the person has finished --- */

static int64_t
longer(int64_t interval_ms, unsigned failures)
{
    while (failures-- && interval_ms < BACKOFF_MAX_MS)
        interval_ms *= 2;
    return interval_ms;
}

int64_t
vl_device_wait(struct vl_device_pace *pace, const valet_entra_error *error)
{
    bool slower = strcmp(error->oauth, "slow_down") == 0;
    if (error->next != VALET_NEXT_RETRY)
        return -1;
    if (slower)
        pace->interval_ms += SLOWER_MS;
    if (slower || strcmp(error->oauth, "authorization_pending") == 0) {
        pace->failures = 0;
    } else {
        pace->failures++;
    }
    int64_t ms = longer(pace->interval_ms, pace->failures);
    return error->retry_after_ms > ms ? error->retry_after_ms : ms;
}

/* Not beyond the end of the code, when there is nothing to ask any more. */
static void
wait_before_asking(struct vl_device *device, int64_t ms)
{
    int64_t left = device->expires_ms - vl_clock_now(device->desk->clock);
    vl_timer_start(device->timer, ms < left ? ms : left > 0 ? left : 0);
}

static void
on_asked(struct vl_token_answer *answer, const valet_entra_error *error,
         void *ctx)
{
    struct vl_device *device = ctx;
    device->grant = NULL;
    int64_t ms = error ? vl_device_wait(&device->pace, error) : -1;
    if (ms < 0)
        finish(device, answer, error);
    else
        wait_before_asking(device, ms);
}

static void
ask(void *ctx)
{
    struct vl_device *device = ctx;
    if (vl_clock_now(device->desk->clock) >= device->expires_ms)
        fail(device, VALET_DENIED, VALET_NEXT_SIGN_IN, "expired_token",
             "the code was not used in time");
    else
        device->grant =
            vl_grant_start(device->desk, &device->form, 1, on_asked, device);
}

/* --- getting a code --- */

static bool
is_user_code(struct vl_str code)
{
    for (size_t i = 0; i < code.n; i++)
        if (!vl_is_letter(code.p[i]) && !vl_is_digit(code.p[i]) &&
            code.p[i] != '-')
            return false;
    return code.n > 0 && code.n <= USER_CODE_MAX;
}

static bool
is_address(struct vl_str text)
{
    struct vl_url url;
    return vl_url_parse(text, &url, NULL) == VALET_OK &&
           (vl_url_is_https(&url) ||
            (vl_url_is_http(&url) && vl_url_is_loopback(&url)));
}

/* RFC 8628 section 3.2. The code for us goes into the form. */
static bool
read_code(struct vl_device *device, const struct json_t *body,
          struct vl_device_prompt *ret)
{
    int64_t lifetime_s = 0, interval_s = 0;
    struct vl_str code = vl_json_get_str(body, "device_code");
    ret->user_code = vl_json_get_str(body, "user_code");
    ret->verification_uri = vl_json_get_str(body, "verification_uri");
    if (!code.n || code.n > VL_LIMIT_UPSTREAM_TOKEN ||
        !is_user_code(ret->user_code) || !is_address(ret->verification_uri) ||
        !vl_json_int(vl_json_get(body, "expires_in"), &lifetime_s) ||
        lifetime_s <= 0 || lifetime_s > LIFETIME_MAX_S)
        return false;
    if (!vl_json_int(vl_json_get(body, "interval"), &interval_s) ||
        interval_s <= 0 || interval_s > INTERVAL_MAX_S)
        interval_s = INTERVAL_S;
    device->pace.interval_ms = interval_s * 1000;
    device->expires_ms = ret->expires_ms =
        vl_clock_now(device->desk->clock) + lifetime_s * 1000;
    vl_buf_done(&device->form);
    device->form = vl_buf_of_secret(VL_LIMIT_GRANT_FORM);
    vl_form_add(&device->form, "grant_type",
                VL_STR("urn:ietf:params:oauth:grant-type:device_code"));
    vl_form_add(&device->form, "client_info", VL_STR("1"));
    vl_form_add(&device->form, "device_code", code);
    return add_claims(device, NULL) == VALET_OK;
}

static void
on_code(valet_status status, const struct vl_fetch_answer *answer,
        const valet_error *why, void *ctx)
{
    struct vl_device *device = ctx;
    struct vl_device_prompt prompt;
    vl_auto(vl_json) body = {NULL};
    valet_entra_error error;
    device->fetch = NULL;
    if (status != VALET_OK)
        vl_failure_of_network(why, &error);
    else if (vl_json_parse(answer->body, VL_LIMIT_JSON_DEPTH, &body, NULL) !=
             VALET_OK)
        vl_failure_of_text(answer, &error);
    else if (answer->status != 200)
        vl_failure_read(answer, body.root, &error);
    else if (!read_code(device, body.root, &prompt))
        vl_failure_of_nonsense(answer, &error);
    else {
        wait_before_asking(device, device->pace.interval_ms);
        device->show(&prompt, device->ctx);
        return;
    }
    finish(device, NULL, &error);
}

static void
on_facts(valet_status status, const struct vl_authority_facts *facts,
         const valet_error *why, void *ctx)
{
    struct vl_device *device = ctx;
    valet_error err;
    if (status == VALET_OK) {
        status = add_claims(device, &err);
        why = &err;
    }
    if (status != VALET_OK) {
        fail(device, status,
             status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP, "",
             why->message);
        return;
    }
    if (!facts->device_authorization_endpoint.n) {
        fail(device, VALET_NOT_FOUND, VALET_NEXT_GIVE_UP, "",
             "this authority offers no sign-in on another device");
        return;
    }
    struct vl_fetch_request request = {
        .method = "POST",
        .url = facts->device_authorization_endpoint.p,
        .form = vl_buf_str(&device->form),
        .attempts = 2, /* a second code hurts nobody */
    };
    device->fetch =
        vl_fetch_start(device->desk->fetcher, &request, on_code, device);
}

struct vl_device *
vl_device_start(const struct vl_grant_desk *desk, struct vl_loop *loop,
                struct vl_str scopes, struct vl_str claims,
                vl_device_show *show, vl_grant_done *done, void *ctx)
{
    struct vl_device *device = vl_alloc(sizeof *device);
    device->desk = desk;
    device->timer = vl_timer_new(loop, ask, device);
    device->form = vl_buf_of(VL_LIMIT_GRANT_FORM);
    vl_form_add(&device->form, "client_id", vl_str_z(desk->client_id));
    vl_form_add(&device->form, "scope", scopes);
    device->claims = vl_buf_of(VL_LIMIT_CLAIMS);
    vl_buf_add(&device->claims, claims);
    device->show = show;
    device->done = done;
    device->ctx = ctx;
    vl_authority_wait_init(&device->wait);
    device->wait.ready = on_facts;
    device->wait.ctx = device;
    vl_authority_get(desk->authority, &device->wait);
    return device;
}

void
vl_device_abort(struct vl_device **device)
{
    if (*device)
        release(*device);
    *device = NULL;
}
