/* SPDX-License-Identifier: Apache-2.0
 *
 * A session that the server has forgotten is begun again in the client's name,
 * with its own hello: because a request wants one, or so that a client that
 * only listens hears something.
 */
#include "apps/connect/downward.h"
#include "apps/connect/inside.h"
#include "apps/connect/upward.h"

#include "core/limits.h"
#include "core/sys.h"

/* A session that was lost while nobody asks is begun again after so long;
 * longer, while the server is not there. */
#define REOPEN_MS      1000
#define REOPEN_MOST_MS 30000

static void
rediscovered(struct vl_bridge *bridge, struct vl_str result, void *ctx)
{
    (void)ctx;
    if (bridge->session != VL_SESSION_GREETING || !bridge->is_ours)
        return;
    bridge->session = VL_SESSION_NONE;
    if (result.n) {
        bridge->speaks_legacy = VL_NO;
        bridge->speaks_modern = VL_YES;
        vl_bridge_upward_start(bridge, result);
        return;
    }
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL,
                           "The server has ended the session, and does not "
                           "begin another");
}

/* @spec ST-11: perhaps it is of another era now. True: that will be seen. */
static bool
look_again(struct vl_bridge *bridge, int http_status)
{
    vl_auto(vl_buf) meta = vl_buf_of(VL_BRIDGE_MESSAGE);
    if (!bridge->client_is_legacy || bridge->down ||
        !vl_bridge_is_refusal(http_status))
        return false;
    vl_bridge_upward_meta(bridge, &meta);
    vl_bridge_discover(bridge, vl_buf_str(&meta), rediscovered, NULL);
    return true;
}

static void
reopened(struct vl_bridge_call *call, const struct vl_bridge_answer *answer)
{
    struct vl_bridge *bridge = call->bridge;
    if (answer->error.n) {
        if (!answer->is_ours && look_again(bridge, 200))
            return;
        bridge->session = VL_SESSION_NONE;
        vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL,
                               "The server has ended the session, and does "
                               "not begin another");
        return;
    }
    vl_bridge_note_version(bridge, answer->result);
    if (bridge->down)
        vl_bridge_downward_opened(bridge, answer->result);
    vl_bridge_open(bridge, VL_STR(VL_BRIDGE_INITIALIZED));
}

/* As long as the server is not there; otherwise the next request shows it. */
static void
reopen_later(struct vl_bridge *bridge, valet_status status)
{
    unsigned tries = bridge->reopen_tries;
    if (status != VALET_RETRY || bridge->speaks_legacy != VL_YES)
        return;
    bridge->reopen_tries++;
    bridge->reopen_at =
        vl_mono_now() + (tries < 5 ? REOPEN_MS << tries : REOPEN_MOST_MS);
    vl_bridge_wake(bridge);
}

static bool
reopen_failed(struct vl_bridge_call *call,
              const struct vl_bridge_failure *failure)
{
    struct vl_bridge *bridge = call->bridge;
    vl_auto(vl_buf) why = vl_buf_of(sizeof(valet_error) * 2);
    vl_buf_addz(&why, failure->why);
    if (bridge->down && bridge->speaks_legacy == VL_UNKNOWN &&
        vl_bridge_downward_refused(bridge, failure)) {
        vl_bridge_call_free(call);
        return true;
    }
    if (look_again(bridge, failure->http_status)) {
        vl_bridge_call_free(call);
        return true;
    }
    /* @spec ST-11: the next request will see. */
    if (!bridge->client_is_legacy && failure->http_status >= 400 &&
        failure->http_status < 500)
        bridge->speaks_modern = bridge->speaks_legacy = VL_UNKNOWN;
    bridge->session = VL_SESSION_NONE;
    reopen_later(bridge, failure->status);
    vl_bridge_call_free(call);
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL, vl_buf_cstr(&why));
    return true;
}

static void
say_hello_again(struct vl_bridge *bridge)
{
    vl_auto(vl_bridge_message) hello;
    if (!vl_bridge_message_read(vl_buf_str(&bridge->hello), &hello))
        return;
    struct vl_bridge_call *call = vl_bridge_call_new(
        bridge, hello.id, VL_STR("initialize"), vl_buf_str(&bridge->hello));
    call->take = reopened;
    call->fail = reopen_failed;
    vl_bridge_call_send(call, NULL, 0);
}

static void
http_sse_again(valet_status status, const struct vl_remote_end *end,
               const valet_error *err, void *ctx)
{
    struct vl_bridge *bridge = ctx;
    vl_bridge_note_http_sse(bridge, status, end->http_status);
    if (status == VALET_OK) {
        say_hello_again(bridge);
        return;
    }
    bridge->session = VL_SESSION_NONE;
    reopen_later(bridge, status);
    vl_bridge_fail_waiting(bridge, VL_RPC_INTERNAL,
                           err ? err->message : "The server is gone");
}

void
vl_bridge_use_http_sse(struct vl_bridge *bridge)
{
    vl_bridge_lose_stream(bridge, "The conversation has begun anew");
    bridge->session = VL_SESSION_GREETING;
    vl_remote_use_http_sse(bridge->remote, http_sse_again, bridge);
}

/* @spec HT-31 */
void
vl_bridge_reopen(struct vl_bridge *bridge)
{
    bridge->is_ours = true;
    bridge->reopen_at = 0;
    bridge->session = VL_SESSION_GREETING;
    if (bridge->is_http_sse)
        vl_bridge_use_http_sse(bridge);
    else
        say_hello_again(bridge);
}

/* A client that only listens would wait for ever. */
void
vl_bridge_reopen_unasked(struct vl_bridge *bridge)
{
    bridge->reopen_tries = 0;
    bridge->reopen_at = vl_mono_now() + REOPEN_MS;
    vl_bridge_wake(bridge);
}

void
vl_bridge_reopen_late(struct vl_bridge *bridge, int64_t now)
{
    if (bridge->reopen_at && bridge->reopen_at <= now &&
        bridge->session == VL_SESSION_NONE)
        vl_bridge_reopen(bridge);
}
