/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this token good? Answers are kept for VL_LIMIT_VERDICT_MS, also the noes,
 * then asked again: so a revocation anywhere is seen within that time. A yes
 * that is older says nothing any more but whose token it was: when the store
 * then knows it no longer, its family was ended elsewhere, and who listens is
 * told. So it stays until the token is over; a no goes as soon as it is old.
 * The table is bounded; what was not used for longest goes first. Tokens are
 * never kept, only the ids made of them. Many who ask for one token at once
 * cause one question.
 */
#include "issuer/desk.h"
#include "oauth/resource.h"

/* What is over is looked for with each new verdict: more than are made. */
#define SWEPT_AT_ONCE 4

struct verdict {
    struct vl_list node; /* in `good` or `bad`, the latest last; or `buried` */
    struct vl_token_id id;
    bool good;
    const char *reason;
    struct vl_principal principal;
    char *resource;
    int64_t asked_ms;
};

/* One question to the store, and who waits for its answer. */
struct question {
    struct vl_op op;
    struct vl_task task; /* for a forged token: nobody is asked */
    bool is_forged;
    struct vl_token_id id;
    struct vl_list waiters;
};

struct waiter {
    struct vl_list node;
    char *resource;
    vl_issuer_verdict_done *done;
    void *ctx;
};

struct vl_verdicts {
    struct vl_issuer *issuer;
    struct vl_map known; /* id → struct verdict */
    struct vl_map asked; /* id → struct question */
    struct vl_list good, bad;
    /* Lent principals live to the end of the turn: then these are freed. */
    struct vl_list buried;
    struct vl_timer *undertaker;
};

/* --- the table --- */

static void
free_verdict(struct verdict *verdict)
{
    vl_list_remove(&verdict->node);
    free(verdict->resource);
    free(verdict);
}

static void
free_buried(void *ctx)
{
    struct vl_verdicts *all = ctx;
    VL_LIST_EACH (node, &all->buried)
        free_verdict(VL_CONTAINER(node, struct verdict, node));
}

static void
bury(struct vl_verdicts *all, struct verdict *verdict)
{
    (void)vl_map_take(&all->known, vl_str_z(verdict->id.text));
    vl_list_remove(&verdict->node);
    vl_list_add_last(&all->buried, &verdict->node);
    vl_timer_start(all->undertaker, 0);
}

struct vl_verdicts *
vl_verdicts_new(struct vl_issuer *issuer)
{
    struct vl_verdicts *all = vl_alloc(sizeof *all);
    all->issuer = issuer;
    vl_map_init(&all->known);
    vl_map_init(&all->asked);
    vl_list_init(&all->good);
    vl_list_init(&all->bad);
    vl_list_init(&all->buried);
    all->undertaker = vl_timer_new(issuer->deps.loop, free_buried, all);
    return all;
}

void
vl_verdicts_free(struct vl_verdicts *all)
{
    VL_LIST_EACH (node, &all->good)
        free_verdict(VL_CONTAINER(node, struct verdict, node));
    VL_LIST_EACH (bad, &all->bad)
        free_verdict(VL_CONTAINER(bad, struct verdict, node));
    free_buried(all);
    vl_timer_free(all->undertaker);
    vl_map_done(&all->known);
    vl_map_done(&all->asked);
    free(all);
}

size_t
vl_verdicts_count(const struct vl_verdicts *all)
{
    return vl_map_size(&all->known);
}

void
vl_verdicts_forget(struct vl_verdicts *all, const char *session)
{
    VL_LIST_EACH (node, &all->good) {
        struct verdict *verdict = VL_CONTAINER(node, struct verdict, node);
        if (strcmp(verdict->principal.session, session) == 0)
            bury(all, verdict);
    }
}

static bool
is_old(const struct verdict *verdict, int64_t now)
{
    return now < verdict->asked_ms ||
           now - verdict->asked_ms >= VL_LIMIT_VERDICT_MS;
}

static bool
is_over(const struct verdict *verdict, int64_t now)
{
    return is_old(verdict, now) &&
           (!verdict->good || now >= verdict->principal.expires_ms);
}

/* The head of a list was not used, or asked, for longest. */
static void
sweep(struct vl_verdicts *all, struct vl_list *list, int64_t now)
{
    for (int i = 0; i < SWEPT_AT_ONCE && !vl_list_is_empty(list); i++) {
        struct verdict *first = VL_CONTAINER(list->next, struct verdict, node);
        if (!is_over(first, now))
            return;
        bury(all, first);
    }
}

static void
make_room(struct vl_verdicts *all, int64_t now)
{
    sweep(all, &all->bad, now);
    sweep(all, &all->good, now);
    if (vl_map_size(&all->known) < VL_LIMIT_VERDICTS)
        return;
    struct vl_list *list = vl_list_is_empty(&all->bad) ? &all->good : &all->bad;
    bury(all, VL_CONTAINER(list->next, struct verdict, node));
}

static void
put(struct vl_verdicts *all, struct verdict *verdict)
{
    struct verdict *old = vl_map_find(&all->known, vl_str_z(verdict->id.text));
    if (old)
        bury(all, old);
    verdict->asked_ms = vl_desk_now(all->issuer);
    make_room(all, verdict->asked_ms);
    vl_list_add_last(verdict->good ? &all->good : &all->bad, &verdict->node);
    (void)vl_map_put(&all->known, vl_str_z(verdict->id.text), verdict);
}

/* --- judging --- */

/* @spec RS-17 W-15 AS-21: for this resource, and not over. */
static valet_status
judge(const struct verdict *verdict, struct vl_str resource, int64_t now,
      const char **ret_reason)
{
    *ret_reason = verdict->reason;
    if (!verdict->good)
        return VALET_DENIED;
    if (now >= verdict->principal.expires_ms) {
        *ret_reason = "expired";
        return VALET_DENIED;
    }
    if (!vl_str_eqz(resource, verdict->resource) &&
        !vl_resource_same(resource, vl_str_z(verdict->resource))) {
        *ret_reason = "wrong_resource";
        return VALET_DENIED;
    }
    return VALET_OK;
}

/* @spec W-55 W-56 */
bool
vl_issuer_is_ours(const struct vl_issuer *issuer, struct vl_str token)
{
    struct vl_token_id id;
    return vl_token_read(&issuer->keys, VL_TOKEN_ACCESS, token, &id, NULL);
}

valet_status
vl_issuer_verdict(struct vl_issuer *issuer, struct vl_str token,
                  struct vl_str resource, const struct vl_principal **ret,
                  const char **ret_reason)
{
    struct vl_verdicts *all = issuer->verdicts;
    struct vl_token_id id;
    int64_t now = vl_desk_now(issuer);
    if (!vl_token_read(&issuer->keys, VL_TOKEN_ACCESS, token, &id, NULL)) {
        *ret_reason = "forged";
        return VALET_DENIED;
    }
    struct verdict *verdict = vl_map_find(&all->known, vl_str_z(id.text));
    if (!verdict || is_old(verdict, now)) {
        *ret_reason = "not_known";
        return VALET_RETRY;
    }
    if (verdict->good) {
        vl_list_remove(&verdict->node);
        vl_list_add_last(&all->good, &verdict->node);
    }
    valet_status status = judge(verdict, resource, now, ret_reason);
    if (status == VALET_OK)
        *ret = &verdict->principal;
    return status;
}

/* --- asking --- */

static struct question *
question_of(struct vl_op *op)
{
    return VL_CONTAINER(op, struct question, op);
}

static void
free_waiter(struct waiter *waiter)
{
    vl_list_remove(&waiter->node);
    free(waiter->resource);
    free(waiter);
}

static void
release_question(struct vl_op *op)
{
    struct question *question = question_of(op);
    VL_LIST_EACH (node, &question->waiters)
        free_waiter(VL_CONTAINER(node, struct waiter, node));
    free(question);
}

/* Tells everybody; the verdict is NULL when there is none to be had. */
static void
tell(struct question *question, const struct verdict *verdict,
     valet_status otherwise, const char *reason)
{
    int64_t now = vl_desk_now(question->op.issuer);
    VL_LIST_EACH (node, &question->waiters) {
        struct waiter *waiter = VL_CONTAINER(node, struct waiter, node);
        valet_status status =
            verdict ? judge(verdict, vl_str_z(waiter->resource), now, &reason)
                    : otherwise;
        waiter->done(status, status == VALET_OK ? &verdict->principal : NULL,
                     reason, waiter->ctx);
        free_waiter(waiter);
    }
}

static void
copy(char *to, size_t size, struct vl_str from)
{
    size_t n = from.n < size ? from.n : size - 1;
    if (n)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static bool
fits(const struct vl_access *record)
{
    return record->client.n < VL_CLIENT_ID_SIZE &&
           record->tid.n < VL_GUID_SIZE && record->oid.n < VL_GUID_SIZE &&
           record->session.n < VL_SESSION_ID_SIZE &&
           record->scopes.n < VL_SCOPES_SIZE;
}

static void
fill(struct verdict *verdict, const struct vl_access *record)
{
    struct vl_principal *principal = &verdict->principal;
    vl_auto(vl_buf) resource = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_add(&resource, record->resource);
    verdict->resource = vl_strdup(vl_buf_cstr(&resource));
    /* A cut name could be somebody else's. */
    verdict->good = fits(record) && !resource.failed;
    verdict->reason = verdict->good ? "" : "corrupt_record";
    copy(principal->client.text, sizeof principal->client.text, record->client);
    copy(principal->user.tid, sizeof principal->user.tid, record->tid);
    copy(principal->user.oid, sizeof principal->user.oid, record->oid);
    copy(principal->session, sizeof principal->session, record->session);
    copy(principal->scopes, sizeof principal->scopes, record->scopes);
    principal->expires_ms = record->expires_ms;
}

/* A token that was good and is gone before its time was ended elsewhere. */
static void
notice_end(struct vl_issuer *issuer, const struct vl_token_id *id)
{
    char session[VL_SESSION_ID_SIZE];
    const struct verdict *old =
        vl_map_find(&issuer->verdicts->known, vl_str_z(id->text));
    if (!old || !old->good || vl_desk_now(issuer) >= old->principal.expires_ms)
        return;
    memcpy(session, old->principal.session, sizeof session);
    vl_session_ended(issuer, session);
}

static void
answered(struct vl_op *op)
{
    struct question *question = question_of(op);
    struct vl_verdicts *all = op->issuer->verdicts;
    struct vl_access record;
    valet_status status = vl_op_read(op, 0, &vl_record_access, &record);
    (void)vl_map_take(&all->asked, vl_str_z(question->id.text));
    if (status == VALET_RETRY) {
        /* @spec S-70: not kept; nobody gets in on an old answer either. */
        tell(question, NULL, VALET_RETRY, "store_unavailable");
        vl_op_end(op);
        return;
    }
    if (status != VALET_OK)
        notice_end(op->issuer, &question->id);
    struct verdict *verdict = vl_alloc(sizeof *verdict);
    verdict->id = question->id;
    if (status == VALET_OK)
        fill(verdict, &record);
    else
        verdict->reason =
            status == VALET_NOT_FOUND ? "unknown" : "corrupt_record";
    put(all, verdict);
    tell(question, verdict, VALET_DENIED, verdict->reason);
    vl_op_end(op);
}

static void
refuse_forged(struct vl_task *task)
{
    struct question *question = VL_CONTAINER(task, struct question, task);
    if (question->op.issuer)
        tell(question, NULL, VALET_DENIED, "forged");
    vl_op_end(&question->op);
}

static struct question *
new_question(struct vl_issuer *issuer)
{
    struct question *question = vl_alloc(sizeof *question);
    vl_op_init(&question->op, issuer, release_question);
    vl_list_init(&question->waiters);
    return question;
}

static void
wait_for(struct question *question, struct vl_str resource,
         vl_issuer_verdict_done *done, void *ctx)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_TARGET);
    struct waiter *waiter = vl_alloc(sizeof *waiter);
    vl_buf_add(&text, resource);
    waiter->resource = vl_strdup(vl_buf_cstr(&text));
    waiter->done = done;
    waiter->ctx = ctx;
    vl_list_add_last(&question->waiters, &waiter->node);
}

void
vl_issuer_look_up(struct vl_issuer *issuer, struct vl_str token,
                  struct vl_str resource, vl_issuer_verdict_done *done,
                  void *ctx)
{
    struct vl_verdicts *all = issuer->verdicts;
    struct vl_token_id id;
    if (!vl_token_read(&issuer->keys, VL_TOKEN_ACCESS, token, &id, NULL)) {
        struct question *forged = new_question(issuer);
        wait_for(forged, resource, done, ctx);
        forged->task.run = refuse_forged;
        vl_loop_post(issuer->deps.loop, &forged->task);
        return;
    }
    struct question *question = vl_map_find(&all->asked, vl_str_z(id.text));
    if (question) {
        wait_for(question, resource, done, ctx);
        return;
    }
    question = new_question(issuer);
    question->id = id;
    wait_for(question, resource, done, ctx);
    (void)vl_map_put(&all->asked, vl_str_z(id.text), question);
    (void)vl_store_add(vl_op_ask(&question->op), VL_STORE_GET, VL_STORE_ACCESS,
                       vl_str_z(question->id.text));
    vl_op_submit(&question->op, answered);
}
