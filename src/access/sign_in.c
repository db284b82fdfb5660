/* SPDX-License-Identifier: Apache-2.0 */
#include "access/sign_in.h"

#include "access/inside.h"
#include "browser/loopback.h"
#include "browser/open.h"
#include "http/url.h"
#include "oauth/pkce.h"
#include "oauth/words.h"

#define PATH     "/callback"
#define LINE_MAX 1024
#define OFFLINE  "offline_access"

struct vl_access_sign_in {
    const struct vl_access *access;
    struct vl_loopback *loopback;
    struct vl_opening *opening;
    struct vl_timer *timer; /* nobody waits for ever */
    struct vl_secret verifier;
    const struct vl_site *site;
    const char *start; /* the loopback's */
    vl_access_signed_in *done;
    void *ctx;
};

/* --- the end --- */

static void
release(struct vl_access_sign_in *sign_in)
{
    vl_opening_abort(&sign_in->opening);
    vl_loopback_close(&sign_in->loopback);
    vl_timer_free(sign_in->timer);
    vl_secret_done(&sign_in->verifier);
    free(sign_in);
}

void
vl_access_sign_in_abort(struct vl_access_sign_in **sign_in)
{
    if (*sign_in)
        release(*sign_in);
    *sign_in = NULL;
}

static void
on_time_out(void *ctx)
{
    struct vl_access_sign_in *sign_in = ctx;
    valet_error err = {0};
    valet_status status = vl_fail(
        &err, VALET_CANCELLED, "", "nobody has signed in within %lld seconds",
        (long long)(sign_in->access->timeout_ms / 1000));
    sign_in->done(status, (struct vl_str){NULL, 0}, &err, sign_in->ctx);
}

/* RFC 6749 section 4.1.2.1. Of the answer only the word is shown: the
 * description may name people. */
static valet_status
refusal(const struct vl_access_sign_in *sign_in,
        const struct vl_redirect *redirect, valet_error *err)
{
    char word[sizeof err->code];
    vl_oauth_copy_word(word, sizeof word, redirect->error);
    bool is_no = strcmp(word, "access_denied") == 0;
    bool is_passing = strcmp(word, "temporarily_unavailable") == 0 ||
                      strcmp(word, "server_error") == 0;
    return vl_fail(err,
                   is_no        ? VALET_CANCELLED
                   : is_passing ? VALET_RETRY
                                : VALET_DENIED,
                   word, "%s has refused the sign-in: %s",
                   sign_in->site->issuer,
                   word[0] ? word : "it does not say why");
}

/* @spec CL-14: nothing of an answer of somebody else's is used or shown. */
static void
on_redirect(const struct vl_redirect *redirect, void *ctx)
{
    struct vl_access_sign_in *sign_in = ctx;
    valet_error err = {0};
    valet_status status = VALET_OK;
    vl_timer_stop(sign_in->timer);
    if (!vl_iss_is_right(sign_in->site, redirect->iss))
        status = vl_fail(&err, VALET_DENIED, "",
                         "the browser came back with an answer that is not of "
                         "%s: it was not used",
                         sign_in->site->issuer);
    else if (!redirect->code.n)
        status = refusal(sign_in, redirect, &err);
    sign_in->done(
        status, status == VALET_OK ? redirect->code : (struct vl_str){NULL, 0},
        &err, sign_in->ctx);
}

/* --- the beginning --- */

valet_status
vl_access_sign_in_new(const struct vl_access *access, unsigned port,
                      vl_access_signed_in *done, void *ctx,
                      struct vl_access_sign_in **ret, valet_error *err)
{
    const struct vl_loopback_at at = {
        port, access->site.is_entra ? "localhost" : access->callback_host,
        access->site.is_entra ? NULL : PATH};
    struct vl_access_sign_in *sign_in = vl_alloc(sizeof *sign_in);
    *sign_in =
        (struct vl_access_sign_in){.access = access, .done = done, .ctx = ctx};
    valet_status status = vl_loopback_open_at(access->loop, &at, on_redirect,
                                              sign_in, &sign_in->loopback, err);
    if (status != VALET_OK) {
        free(sign_in);
        return status;
    }
    sign_in->timer = vl_timer_new(access->loop, on_time_out, sign_in);
    sign_in->verifier = vl_pkce_new_verifier();
    *ret = sign_in;
    return VALET_OK;
}

const char *
vl_access_sign_in_redirect_uri(const struct vl_access_sign_in *sign_in)
{
    return vl_loopback_redirect_uri(sign_in->loopback);
}

const struct vl_secret *
vl_access_sign_in_verifier(const struct vl_access_sign_in *sign_in)
{
    return &sign_in->verifier;
}

/* @spec CL-06 CL-07 CL-15: the resource exactly as it was published. */
void
vl_access_sign_in_url(struct vl_buf *out, const struct vl_access_visit *visit,
                      struct vl_str state, const struct vl_secret *verifier)
{
    char challenge[VL_PKCE_CHALLENGE_SIZE];
    const struct vl_site *site = visit->site;
    vl_pkce_challenge(verifier, challenge);
    vl_buf_addz(out, site->authorization_endpoint);
    vl_url_add_param(out, "response_type", VL_STR("code"));
    vl_url_add_param(out, "client_id", vl_str_z(visit->client_id));
    vl_url_add_param(out, "redirect_uri", vl_str_z(visit->redirect_uri));
    vl_url_add_param(out, "code_challenge", vl_str_z(challenge));
    vl_url_add_param(out, "code_challenge_method", VL_STR("S256"));
    vl_url_add_param(out, "state", state);
    if (visit->scope[0])
        vl_url_add_param(out, "scope", vl_str_z(visit->scope));
    if (site->is_entra)
        return; /* entra.h */
    if (site->resource)
        vl_url_add_param(out, "resource", vl_str_z(site->resource));
    /* OpenID Connect Core section 11 wants it. */
    if (vl_str_has_word(vl_str_z(visit->scope), VL_STR(OFFLINE)))
        vl_url_add_param(out, "prompt", VL_STR("consent"));
}

/* --- the browser --- */

static const char *
read_env(const char *name)
{
    return getenv(name);
}

/* Where nobody can be shown a browser, one may still open the address: on this
 * machine, or on one that sends the port here. */
static void
tell_by_hand(const struct vl_access_sign_in *sign_in, const char *why)
{
    vl_auto(vl_buf) line = vl_buf_of(LINE_MAX);
    struct vl_url url;
    vl_buf_addf(&line,
                "%s. To sign in to %s, open this address in a browser on this "
                "machine; it works once.",
                why, sign_in->access->host);
    if (vl_url_parse(vl_str_z(sign_in->start), &url, NULL) == VALET_OK)
        vl_buf_addf(&line,
                    " From another machine, first: ssh -L %u:127.0.0.1:%u "
                    "THIS-MACHINE",
                    url.port, url.port);
    vl_access_say(sign_in->access, vl_buf_cstr(&line), sign_in->start);
}

static void
on_opened(const valet_error *error, void *ctx)
{
    struct vl_access_sign_in *sign_in = ctx;
    sign_in->opening = NULL;
    if (error)
        tell_by_hand(sign_in, "No browser could be opened");
}

static void
show(struct vl_access_sign_in *sign_in)
{
    const struct vl_access *access = sign_in->access;
    vl_auto(vl_buf) line = vl_buf_of(LINE_MAX);
    valet_error err;
    if (!access->open && !vl_browser_has_screen(read_env)) {
        tell_by_hand(sign_in, "There is no screen here to show a browser on");
        return;
    }
    vl_buf_addf(&line,
                "Sign in to %s in the browser that opens; the address works "
                "once.",
                access->host);
    vl_access_say(access, vl_buf_cstr(&line), sign_in->start);
    valet_status status =
        access->open
            ? access->open(sign_in->start, access->ctx, &err)
            : vl_browser_open(access->loop, read_env, vl_str_z(sign_in->start),
                              on_opened, sign_in, &sign_in->opening, &err);
    if (status != VALET_OK)
        tell_by_hand(sign_in, "No browser could be opened");
}

/* @spec CL-19: where the browser is sent was looked at by discovery, and is
 * once more by the loopback. */
valet_status
vl_access_sign_in_go(struct vl_access_sign_in *sign_in,
                     const struct vl_access_visit *visit, valet_error *err)
{
    vl_auto(vl_buf) url = vl_buf_of_secret(VL_LIMIT_SIGN_IN_URL);
    sign_in->site = visit->site;
    vl_access_sign_in_url(&url, visit, vl_loopback_state(sign_in->loopback),
                          &sign_in->verifier);
    VL_TRY(vl_buf_check(&url, err));
    VL_TRY(vl_loopback_send_to(sign_in->loopback, vl_buf_str(&url),
                               &sign_in->start, err));
    vl_timer_start(sign_in->timer, sign_in->access->timeout_ms);
    show(sign_in);
    return VALET_OK;
}
