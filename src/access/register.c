/* SPDX-License-Identifier: Apache-2.0 */
#include "access/registration.h"
#include "core/status.h"

struct vl_register {
    struct vl_fetch *fetch;
    struct vl_timer *timer; /* of a refusal before the request */
    struct vl_site site;    /* what sentences and rules need of it */
    struct vl_buf redirect_uri;
    valet_error refused;
    vl_register_done *done;
    void *ctx;
};

static void
release(struct vl_register *op)
{
    vl_fetch_abort(&op->fetch);
    vl_timer_free(op->timer);
    vl_buf_done(&op->redirect_uri);
    vl_site_done(&op->site);
    free(op);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_register *op, valet_status status,
       struct vl_access_client *client, const valet_error *err)
{
    vl_register_done *done = op->done;
    void *ctx = op->ctx;
    valet_error why = err ? *err : (valet_error){0};
    why.status = status;
    release(op);
    done(status, client, status == VALET_OK ? NULL : &why, ctx);
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *err, void *ctx)
{
    struct vl_register *op = ctx;
    vl_auto(vl_access_client) client = {.id = NULL};
    valet_error why;
    op->fetch = NULL;
    if (status != VALET_OK) {
        finish(op, status == VALET_RETRY ? VALET_RETRY : VALET_DENIED, &client,
               err);
        return;
    }
    status =
        vl_registration_read(&op->site, answer->status, answer->body,
                             vl_buf_cstr(&op->redirect_uri), &client, &why);
    finish(op, status, &client, &why);
}

static void
on_timer(void *ctx)
{
    struct vl_register *op = ctx;
    struct vl_access_client client = {.id = NULL};
    valet_error err = op->refused;
    finish(op, err.status, &client, &err);
}

static valet_status
send_request(struct vl_register *op, struct vl_fetcher *fetcher,
             const struct vl_site *site, const char *scope, valet_error *err)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_FORM_BODY);
    if (!site->registration_endpoint)
        return vl_registration_missing(site, err);
    vl_registration_write(site, vl_buf_cstr(&op->redirect_uri), scope, &json);
    VL_TRY(vl_buf_check(&op->redirect_uri, err));
    VL_TRY(vl_buf_check(&json, err));
    /* Once: twice would be two clients. */
    struct vl_fetch_request request = {
        .method = "POST",
        .url = site->registration_endpoint,
        .headers = {{VL_STR("Accept"), VL_STR("application/json")}},
        .header_count = 1,
        .json = vl_buf_str(&json),
        .only_public = site->only_public,
        .attempts = 1,
    };
    op->fetch = vl_fetch_start(fetcher, &request, on_answer, op);
    return VALET_OK;
}

struct vl_register *
vl_register_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                  const struct vl_site *site, const char *redirect_uri,
                  const char *scope, vl_register_done *done, void *ctx)
{
    struct vl_register *op = vl_alloc(sizeof *op);
    *op = (struct vl_register){
        .redirect_uri = vl_buf_of(VL_LIMIT_REDIRECT_URI),
        .done = done,
        .ctx = ctx,
    };
    vl_site_init(&op->site);
    op->site.issuer = vl_arena_cstr(&op->site.arena, vl_str_z(site->issuer));
    op->site.proofs = site->proofs;
    vl_buf_addz(&op->redirect_uri, redirect_uri);
    if (send_request(op, fetcher, site, scope, &op->refused) != VALET_OK) {
        op->timer = vl_timer_new(loop, on_timer, op);
        vl_timer_start(op->timer, 0);
    }
    return op;
}

void
vl_register_abort(struct vl_register **op)
{
    if (*op)
        release(*op);
    *op = NULL;
}
