/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys.h"
#include "remote/inside.h"

struct vl_leaving {
    struct vl_remote *remote;
    struct vl_fetch *fetch;
    struct vl_timer *timer; /* there is nothing to be left */
    void (*done)(void *ctx);
    void *ctx;
};

/* --- life --- */

/* @spec CL-16: a token travels by TLS, or not off this machine. */
static valet_status
check_url(const struct vl_url *url, valet_error *err)
{
    if (vl_url_is_https(url) ||
        (vl_url_is_http(url) && vl_url_is_loopback(url)))
        return VALET_OK;
    return vl_fail(err, VALET_INVALID, "",
                   "a remote server has an https address, or http on this "
                   "machine");
}

valet_status
vl_remote_new(struct vl_loop *loop, struct vl_fetcher *fetcher, const char *url,
              const struct vl_remote_hooks *hooks, struct vl_remote **ret,
              valet_error *err)
{
    struct vl_url parsed;
    VL_TRY(vl_url_parse(vl_str_z(url), &parsed, err));
    VL_TRY(check_url(&parsed, err));
    struct vl_remote *remote = vl_alloc(sizeof *remote);
    *remote = (struct vl_remote){.loop = loop,
                                 .fetcher = fetcher,
                                 .hooks = *hooks,
                                 .url = vl_strdup(url),
                                 .resumes_ms = VL_REMOTE_RESUMES_MS};
    VL_TRY(vl_url_parse(vl_str_z(remote->url), &remote->parsed, err));
    vl_list_init(&remote->asks);
    vl_list_init(&remote->calls);
    *ret = remote;
    return VALET_OK;
}

static void
abort_calls(struct vl_remote *remote)
{
    while (!vl_list_is_empty(&remote->calls)) {
        struct vl_remote_call *call = vl_remote_call_of(remote->calls.next);
        vl_remote_call_abort(&call);
    }
}

/* Silently: all that may still call back. */
static void
silence(struct vl_remote *remote)
{
    abort_calls(remote);
    vl_listening_free(remote->listening);
    vl_http_sse_free(remote->http_sse);
}

static void
free_leaving(struct vl_leaving *leaving)
{
    if (!leaving)
        return;
    leaving->remote->leaving = NULL;
    vl_fetch_abort(&leaving->fetch);
    vl_timer_free(leaving->timer);
    free(leaving);
}

void
vl_remote_free(struct vl_remote *remote)
{
    if (!remote)
        return;
    silence(remote);
    free_leaving(remote->leaving);
    vl_secret_done(&remote->session);
    free(remote->url);
    free(remote);
}

/* --- what it keeps --- */

void
vl_remote_set_version(struct vl_remote *remote, const char *version)
{
    remote->version = version;
}

bool
vl_remote_has_session(const struct vl_remote *remote)
{
    return !vl_secret_is_empty(&remote->session);
}

/* The stream of a session ends with it. */
void
vl_remote_forget_session(struct vl_remote *remote)
{
    vl_secret_done(&remote->session);
    vl_listening_free(remote->listening);
}

/* @spec HT-29 */
static bool
is_session(struct vl_str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.n > 0 && id.n <= VL_REMOTE_SESSION_MAX;
}

/* @spec HT-28 HT-33 */
valet_status
vl_remote_begin_session(struct vl_remote *remote,
                        const struct vl_headers *headers, valet_error *err)
{
    struct vl_str id;
    size_t count = vl_headers_find(headers, VL_STR("Mcp-Session-Id"), &id);
    if (count > 1 || (count == 1 && !is_session(id)))
        return vl_fail(err, VALET_INTERNAL, "",
                       "the server's session has a name that cannot be sent");
    vl_remote_forget_session(remote);
    remote->session_number++;
    remote->session_is_good = false;
    remote->session = vl_secret_of(id);
    return VALET_OK;
}

void
vl_remote_hold(struct vl_remote *remote, bool is_held)
{
    if (remote->is_held == is_held)
        return;
    remote->is_held = is_held;
    vl_asks_hold(remote);
}

/* --- leaving --- */

static void
finish_leaving(struct vl_leaving *leaving)
{
    void (*done)(void *ctx) = leaving->done;
    void *ctx = leaving->ctx;
    leaving->done = NULL;
    vl_fetch_abort(&leaving->fetch);
    done(ctx);
}

/* Whether there was such a session, and whether the server lets its clients end
 * one (@spec HT-32), does not matter any more. */
static void
on_deleted(valet_status status, const struct vl_fetch_answer *answer,
           const valet_error *err, void *ctx)
{
    struct vl_leaving *leaving = ctx;
    (void)status;
    (void)answer;
    (void)err;
    leaving->fetch = NULL;
    finish_leaving(leaving);
}

static void
on_nothing(void *ctx)
{
    finish_leaving(ctx);
}

static struct vl_fetch *
delete_session(struct vl_leaving *leaving, int64_t ms)
{
    struct vl_remote *remote = leaving->remote;
    struct vl_fetch_request request = {
        .method = "DELETE",
        .url = remote->url,
        .attempts = 1,
        .total_ms = ms,
        .headers = {{VL_STR("Mcp-Session-Id"),
                     vl_secret_reveal(&remote->session)},
                    {VL_STR("MCP-Protocol-Version"),
                     vl_str_z(remote->version)}},
        .header_count = remote->version ? 2 : 1,
        .bearer = remote->hooks.bearer ? remote->hooks.bearer(remote->hooks.ctx)
                                       : NULL,
    };
    if (request.bearer && vl_secret_is_empty(request.bearer))
        request.bearer = NULL;
    return vl_fetch_start(remote->fetcher, &request, on_deleted, leaving);
}

/* @spec HT-32 */
void
vl_remote_leave(struct vl_remote *remote, int64_t ms, void (*done)(void *ctx),
                void *ctx)
{
    VL_ASSERT(!remote->leaving);
    silence(remote);
    struct vl_leaving *leaving = vl_alloc(sizeof *leaving);
    *leaving = (struct vl_leaving){.remote = remote, .done = done, .ctx = ctx};
    leaving->timer = vl_timer_new(remote->loop, on_nothing, leaving);
    remote->leaving = leaving;
    if (vl_remote_has_session(remote) && ms > 0)
        leaving->fetch = delete_session(leaving, ms);
    else
        vl_timer_start(leaving->timer, 0);
    vl_remote_forget_session(remote);
}
