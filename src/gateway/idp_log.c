/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/idp_log.h"

#include "core/list.h"

struct vl_idp_log {
    struct vl_idp idp; /* first: an idp is cast to its provider */
    struct vl_idp_ops operations;
    struct vl_idp *inner;
    const struct vl_log *log;
    struct vl_list calls;
};

/* One operation under way: whom to tell after the log. */
struct call {
    struct vl_list node;
    struct vl_idp_log *logged;
    vl_idp_begin_done *begun;
    vl_idp_redeem_done *redeemed;
    vl_idp_refresh_done *refreshed;
    void *ctx;
};

static struct call *
call_new(struct vl_idp *idp, void *ctx)
{
    struct call *call = vl_alloc(sizeof *call);
    call->logged = (struct vl_idp_log *)(void *)idp;
    call->ctx = ctx;
    vl_list_init(&call->node);
    vl_list_add_last(&call->logged->calls, &call->node);
    return call;
}

/* Logs, takes the call off the books, and hands it to its last user. */
static struct call
conclude(struct call *call, const char *what, valet_status status,
         const valet_error *err)
{
    struct call copy = *call;
    if (status != VALET_OK)
        vl_log(call->logged->log,
               status == VALET_DENIED ? VL_LOG_WARN : VL_LOG_ERROR,
               "%s: %s: %s", call->logged->inner->ops->name, what,
               err && err->message[0] ? err->message
                                      : valet_status_name(status));
    vl_list_remove(&call->node);
    free(call);
    return copy;
}

static void
on_begun(valet_status status, struct vl_str url, const valet_error *err,
         void *ctx)
{
    struct call call = conclude(ctx, "cannot begin a sign-in", status, err);
    call.begun(status, url, err, call.ctx);
}

static void
begin(struct vl_idp *idp, const struct vl_idp_begin *in,
      vl_idp_begin_done *done, void *ctx)
{
    struct call *call = call_new(idp, ctx);
    struct vl_idp *inner = call->logged->inner;
    call->begun = done;
    inner->ops->begin(inner, in, on_begun, call);
}

static void
on_redeemed(valet_status status, const struct vl_idp_person *person,
            struct vl_idp_tokens *tokens, const valet_error *err, void *ctx)
{
    struct call call = conclude(ctx, "cannot finish a sign-in", status, err);
    call.redeemed(status, person, tokens, err, call.ctx);
}

static void
redeem(struct vl_idp *idp, const struct vl_idp_redeem *in,
       vl_idp_redeem_done *done, void *ctx)
{
    struct call *call = call_new(idp, ctx);
    struct vl_idp *inner = call->logged->inner;
    call->redeemed = done;
    inner->ops->redeem(inner, in, on_redeemed, call);
}

static void
on_refreshed(valet_status status, struct vl_idp_tokens *tokens,
             const valet_error *err, void *ctx)
{
    struct call call = conclude(ctx, "cannot renew a token", status, err);
    call.refreshed(status, tokens, err, call.ctx);
}

static void
refresh(struct vl_idp *idp, const struct vl_upstream_token *token,
        vl_idp_refresh_done *done, void *ctx)
{
    struct call *call = call_new(idp, ctx);
    struct vl_idp *inner = call->logged->inner;
    call->refreshed = done;
    inner->ops->refresh(inner, token, on_refreshed, call);
}

struct vl_idp_log *
vl_idp_log_new(struct vl_idp *inner, const struct vl_log *log)
{
    struct vl_idp_log *logged = vl_alloc(sizeof *logged);
    logged->operations = (struct vl_idp_ops){
        .name = inner->ops->name, /* people see it */
        .begin = begin,
        .redeem = redeem,
        .refresh = refresh,
    };
    logged->idp.ops = &logged->operations;
    logged->inner = inner;
    logged->log = log;
    vl_list_init(&logged->calls);
    return logged;
}

void
vl_idp_log_free(struct vl_idp_log *logged)
{
    if (!logged)
        return;
    VL_LIST_EACH (node, &logged->calls) {
        vl_list_remove(node);
        free(VL_CONTAINER(node, struct call, node));
    }
    free(logged);
}

struct vl_idp *
vl_idp_log_idp(struct vl_idp_log *logged)
{
    return &logged->idp;
}
