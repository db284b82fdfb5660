/* SPDX-License-Identifier: Apache-2.0 */
#include "browser/loopback.h"

#include "browser/inside.h"
#include "core/secret.h"
#include "core/status.h"
#include "core/sys.h"
#include "http/url.h"
#include "web/page.h"

/* Everybody is on this machine, so nobody needs longer. */
#define REQUEST_MS 3000
/* Strangers who have got their answer do not keep a place. */
#define IDLE_MS 1000
/* After the redirect, for the answer to reach the browser. */
#define FLUSH_MS 500
/* Of ports that are free in both families. */
#define ATTEMPTS 10

#define START     "/start/"
#define PATH_SIZE 64
#define HOST_SIZE 32 /* "localhost:65535" */
#define URI_SIZE  (sizeof "http://" + HOST_SIZE + PATH_SIZE)

struct vl_loopback {
    struct vl_http_server *server;
    struct vl_http_site site;
    unsigned port;
    char host[HOST_SIZE]; /* with the port, as in the redirect URI */
    char path[PATH_SIZE]; /* where the redirect is taken */
    char uri[URI_SIZE],
        start_uri[URI_SIZE + sizeof START + VL_RANDOM_TEXT_SIZE];
    char state[VL_RANDOM_TEXT_SIZE], start[VL_RANDOM_TEXT_SIZE];
    struct vl_buf target;  /* where /start/… leads to; empty: nowhere */
    struct vl_arena arena; /* of the redirect */
    struct vl_redirect redirect;
    vl_loopback_done *done;
    void *ctx;
};

/* --- answers --- */

static void
refuse(struct vl_exchange *x, int status, const char *advice)
{
    vl_page_error(x, status, "This is not a sign-in of yours", advice, NULL);
}

static void
refuse_method(struct vl_exchange *x, const char *allowed)
{
    vl_exchange_add_header(x, "Allow", vl_str_z(allowed));
    refuse(x, 405, "Nothing can be done here in this way.");
}

/* @spec S-33: nothing of the request is on the page. */
static void
answer_redirect(struct vl_exchange *x, bool is_error)
{
    struct vl_page page = {.asset = "signed-in"};
    struct vl_reply reply = {.status = 200};
    if (is_error)
        vl_page_error(x, 200, "The sign-in did not work",
                      "You can close this window. The program that opened it "
                      "says what can be done.",
                      NULL);
    else
        vl_page_reply(x, &page, &reply);
}

/* --- the redirect --- */

static void
on_drained(void *ctx)
{
    struct vl_loopback *loopback = ctx;
    loopback->done(&loopback->redirect, loopback->ctx);
}

/* False when it is no redirect of an authority to us. */
static bool
read_redirect(struct vl_loopback *loopback, struct vl_str text,
              struct vl_redirect *ret)
{
    struct vl_params params;
    vl_arena_clear(&loopback->arena);
    if (vl_params_parse(text, &loopback->arena, &params, NULL) != VALET_OK ||
        vl_params_repeat(&params, NULL) ||
        !vl_str_same_secret(vl_params_get(&params, "state"),
                            vl_str_z(loopback->state)))
        return false;
    *ret = (struct vl_redirect){
        .code = vl_params_get(&params, "code"),
        .error = vl_params_get(&params, "error"),
        .description = vl_params_get(&params, "error_description"),
        .suberror = vl_params_get(&params, "error_subcode"),
        .iss = vl_params_get(&params, "iss"),
    };
    return !ret->code.n != !ret->error.n;
}

static void
on_redirect(struct vl_loopback *loopback, struct vl_exchange *x,
            struct vl_str text)
{
    if (!read_redirect(loopback, text, &loopback->redirect)) {
        refuse(x, 400,
               "It was not begun by the program that waits here. Close this "
               "window, and go on in the one where you were signing in.");
        return;
    }
    /* From here on nobody else is heard: the port closes, and with it all
     * connections but this one, which lasts until its answer is through. */
    vl_http_server_drain(loopback->server, FLUSH_MS, on_drained, loopback);
    answer_redirect(x, loopback->redirect.error.n > 0);
}

/* response_mode form_post or query (OAuth 2.0 Form Post Response Mode). */
static void
at_redirect(struct vl_loopback *loopback, struct vl_exchange *x)
{
    const struct vl_http_request *r = vl_exchange_request(x);
    if (vl_str_eqz(r->method, "GET"))
        on_redirect(loopback, x, r->query);
    else if (!vl_str_eqz(r->method, "POST"))
        refuse_method(x, "GET, POST");
    else if (r->query.n ||
             !vl_media_type_is(vl_headers_get(&r->headers, "content-type"),
                               "application/x-www-form-urlencoded"))
        refuse(x, 415, "What was sent is not the form of a sign-in.");
    else
        on_redirect(loopback, x, r->body);
}

/* --- the start --- */

static void
at_start(struct vl_loopback *loopback, struct vl_exchange *x)
{
    struct vl_reply reply = {.status = 302};
    if (!vl_str_eqz(vl_exchange_request(x)->method, "GET")) {
        refuse_method(x, "GET");
        return;
    }
    if (!vl_buf_size(&loopback->target)) {
        vl_page_error(x, 410, "This sign-in is open already",
                      "If you have opened it, go on in the window that came "
                      "first. If not, somebody else on this computer may "
                      "have: stop the sign-in in your program and begin "
                      "again.",
                      NULL);
        return;
    }
    vl_auto(vl_buf) target = vl_buf_take(&loopback->target);
    vl_reply_add(&reply, "Location", vl_buf_str(&target));
    vl_page_headers(&reply);
    vl_exchange_reply(x, &reply);
}

/* --- the site --- */

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)ctx;
    return vl_str_eqz(head->method, "POST") ? VL_LIMIT_FORM_BODY : 0;
}

/* @spec S-33: a name of a stranger's that was made to point here (DNS
 * rebinding) is not ours. */
static bool
is_our_host(const struct vl_loopback *loopback, struct vl_str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char own[HOST_SIZE];
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        (void)snprintf(own, sizeof own, "%s:%u", names[i], loopback->port);
        if (vl_str_ieq(host, vl_str_z(own)))
            return true;
    }
    return false;
}

static bool
is_start(const struct vl_loopback *loopback, struct vl_str path)
{
    return vl_str_starts(path, VL_STR(START)) &&
           vl_str_same_secret(vl_str_from(path, sizeof START - 1),
                              vl_str_z(loopback->start));
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct vl_loopback *loopback = ctx;
    const struct vl_http_request *r = vl_exchange_request(x);
    if (!is_our_host(loopback, r->host))
        refuse(x, 403, "This name does not belong to a program here.");
    else if (vl_str_eqz(r->path, loopback->path))
        at_redirect(loopback, x);
    else if (is_start(loopback, r->path))
        at_start(loopback, x);
    else
        refuse(x, 404, "There is nothing here. Close this window.");
}

/* --- life --- */

valet_status
vl_loopback_listen(struct vl_http_server *server, unsigned port,
                   unsigned *ret_port, valet_error *err)
{
    valet_error without;
    VL_TRY(vl_http_server_listen(server, "127.0.0.1", port, ret_port, err));
    /* Whoever had the other half would be sent the redirect by browsers that
     * try it first; but there may be no IPv6 at all. */
    if (vl_http_server_listen(server, "::1", *ret_port, NULL, &without) !=
        VALET_CONFLICT)
        return VALET_OK;
    return vl_fail(err, VALET_CONFLICT, "", "%s", without.message);
}

/* On this port, or on a free one. */
static valet_status
listen_at(struct vl_loopback *loopback, struct vl_loop *loop, unsigned port,
          valet_error *err)
{
    const struct vl_http_limits limits = {
        .connections = VL_LOOPBACK_CONNECTIONS,
        .connections_per_address = VL_LOOPBACK_CONNECTIONS,
        .idle_ms = IDLE_MS,
        .request_ms = REQUEST_MS,
        .write_ms = REQUEST_MS};
    valet_status status = VALET_CONFLICT;
    int attempts = port ? 1 : ATTEMPTS;
    for (int i = 0; i < attempts && status == VALET_CONFLICT; i++) {
        vl_http_server_free(loopback->server);
        loopback->server = vl_http_server_new(loop, &loopback->site, &limits);
        status =
            vl_loopback_listen(loopback->server, port, &loopback->port, err);
    }
    return status;
}

/* What is a redirect URI of ours, and not of somebody else's, or the start. */
static valet_status
check_at(const struct vl_loopback_at *at, valet_error *err)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    struct vl_str path = vl_str_z(at->path);
    bool is_good = !at->host;
    for (size_t i = 0; i < VL_COUNT(hosts); i++)
        is_good = is_good || vl_str_eqz(vl_str_z(at->host), hosts[i]);
    if (!is_good || at->port > 65535)
        return vl_fail(err, VALET_INVALID, "",
                       "a browser comes back to a port of this machine only");
    is_good = path.n < PATH_SIZE && (!path.n || path.p[0] == '/') &&
              !vl_str_starts(path, VL_STR(START));
    for (size_t i = 0; i < path.n; i++)
        is_good =
            is_good && (vl_is_letter(path.p[i]) || vl_is_digit(path.p[i]) ||
                        vl_str_has(VL_STR("/-._~"), path.p[i]));
    return is_good ? VALET_OK
                   : vl_fail(err, VALET_INVALID, "",
                             "not a path that a browser can come back to");
}

static void
name_it(struct vl_loopback *loopback, const struct vl_loopback_at *at)
{
    const char *path = at->path ? at->path : "";
    (void)snprintf(loopback->host, sizeof loopback->host, "%s:%u",
                   at->host ? at->host : "localhost", loopback->port);
    (void)snprintf(loopback->uri, sizeof loopback->uri, "http://%s%s",
                   loopback->host, path);
    /* Browsers say "/" where there is no path. */
    (void)snprintf(loopback->path, sizeof loopback->path, "%s",
                   *path ? path : "/");
}

valet_status
vl_loopback_open_at(struct vl_loop *loop, const struct vl_loopback_at *at,
                    vl_loopback_done *done, void *ctx, struct vl_loopback **ret,
                    valet_error *err)
{
    VL_TRY(check_at(at, err));
    struct vl_loopback *loopback = vl_alloc(sizeof *loopback);
    loopback->site = (struct vl_http_site){body_max, handle, loopback};
    loopback->target = vl_buf_of_secret(VL_LIMIT_SIGN_IN_URL);
    loopback->arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    loopback->done = done;
    loopback->ctx = ctx;
    vl_random_text(loopback->state);
    vl_random_text(loopback->start);
    valet_status status = listen_at(loopback, loop, at->port, err);
    if (status != VALET_OK) {
        vl_loopback_close(&loopback);
        return status;
    }
    name_it(loopback, at);
    *ret = loopback;
    return VALET_OK;
}

valet_status
vl_loopback_open(struct vl_loop *loop, vl_loopback_done *done, void *ctx,
                 struct vl_loopback **ret, valet_error *err)
{
    const struct vl_loopback_at anywhere = {0};
    return vl_loopback_open_at(loop, &anywhere, done, ctx, ret, err);
}

const char *
vl_loopback_redirect_uri(const struct vl_loopback *loopback)
{
    return loopback->uri;
}

struct vl_str
vl_loopback_state(const struct vl_loopback *loopback)
{
    return vl_str_z(loopback->state);
}

valet_status
vl_loopback_send_to(struct vl_loopback *loopback, struct vl_str url,
                    const char **ret_start, valet_error *err)
{
    struct vl_url parsed;
    VL_TRY(vl_url_parse(url, &parsed, err));
    if (!vl_url_is_https(&parsed) &&
        !(vl_url_is_http(&parsed) && vl_url_is_loopback(&parsed)))
        return vl_fail(err, VALET_INVALID, "",
                       "a browser is sent to https addresses only");
    vl_buf_add(&loopback->target, url);
    VL_TRY(vl_buf_check(&loopback->target, err));
    (void)snprintf(loopback->start_uri, sizeof loopback->start_uri,
                   "http://%s" START "%s", loopback->host, loopback->start);
    *ret_start = loopback->start_uri;
    return VALET_OK;
}

void
vl_loopback_close(struct vl_loopback **loopback)
{
    struct vl_loopback *closed = *loopback;
    *loopback = NULL;
    if (!closed)
        return;
    vl_http_server_free(closed->server);
    vl_buf_done(&closed->target);
    vl_arena_done(&closed->arena);
    vl_wipe(closed, sizeof *closed);
    free(closed);
}
