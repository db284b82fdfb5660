/* SPDX-License-Identifier: Apache-2.0
 *
 * Token families. A family is one record of a sign-in and whatever is owned by
 * it: its code, its refresh token, its access tokens. It ends as a whole: all
 * of it goes in one batch, this worker forgets its verdicts, and who asked to
 * know is told; other workers see it when they ask again.
 */
#include "core/enc.h"
#include "issuer/desk.h"

void
vl_session_new_id(const struct vl_issuer *issuer, char ret[VL_SESSION_ID_SIZE])
{
    unsigned char bytes[16];
    vl_auto(vl_buf) text = vl_buf_of(VL_SESSION_ID_SIZE - 1);
    vl_random(bytes, sizeof bytes);
    vl_buf_addf(&text, "%011llx-", (unsigned long long)vl_desk_now(issuer));
    vl_enc_base64url(&text, vl_str_of(bytes, sizeof bytes));
    VL_ASSERT(!text.failed);
    memcpy(ret, vl_buf_cstr(&text), vl_buf_size(&text) + 1);
}

/* @spec W-16 S-62: tenant and object id, never a name. */
struct vl_str
vl_session_owner(struct vl_op *op, struct vl_str tid, struct vl_str oid)
{
    struct vl_buf *owner = vl_op_value(op);
    vl_buf_add(owner, tid);
    vl_buf_addc(owner, '.');
    vl_buf_add(owner, oid);
    return vl_buf_str(owner);
}

/* @spec W-31: an idle and an absolute limit, both in milliseconds. */
struct vl_store_op *
vl_session_put(struct vl_op *op, struct vl_str id,
               const struct vl_session *session)
{
    struct vl_store_op *step =
        vl_op_put(op, VL_STORE_SESSION, id, &vl_record_session, session);
    step->owner = vl_session_owner(op, session->tid, session->oid);
    step->expires_ms = session->idle_ms < session->ends_ms ? session->idle_ms
                                                           : session->ends_ms;
    return step;
}

void
vl_session_end_steps(struct vl_op *op, struct vl_str id)
{
    static const enum vl_section owned[] = {VL_STORE_CODE, VL_STORE_ACCESS,
                                            VL_STORE_REFRESH};
    struct vl_store_batch *batch = vl_op_answer(op);
    (void)vl_store_add(batch, VL_STORE_DELETE, VL_STORE_SESSION, id);
    for (size_t i = 0; i < VL_COUNT(owned); i++)
        vl_store_add(batch, VL_STORE_DELETE_OWNED, owned[i],
                     (struct vl_str){NULL, 0})
            ->owner = id;
}

void
vl_session_ended(struct vl_issuer *issuer, const char *id)
{
    vl_verdicts_forget(issuer->verdicts, id);
    for (size_t i = 0; i < issuer->ended_count; i++)
        issuer->ended[i].call(id, issuer->ended[i].ctx);
}

void
vl_req_end_session(struct vl_req *req, void (*next)(struct vl_op *op))
{
    (void)vl_op_ask(&req->op);
    vl_session_end_steps(&req->op, vl_str_z(req->session_id));
    vl_op_submit(&req->op, next);
}

/* --- ended from outside --- */

struct ending {
    struct vl_op op;
    char id[VL_SESSION_ID_SIZE];
    char reason[64];
    bool is_blind; /* the record does not open: it is not asked for again */
};

static struct ending *
ending_of(struct vl_op *op)
{
    return VL_CONTAINER(op, struct ending, op);
}

static void
release_ending(struct vl_op *op)
{
    free(ending_of(op));
}

/* `record` NULL: whose session it was is not known. */
static void
audit_ending(const struct ending *ending, const struct vl_session *record)
{
    struct vl_client_id client = {""};
    struct vl_user user = {"", ""};
    if (record) {
        (void)snprintf(client.text, sizeof client.text, VL_STR_FMT,
                       VL_STR_ARG(record->client));
        (void)snprintf(user.tid, sizeof user.tid, VL_STR_FMT,
                       VL_STR_ARG(record->tid));
        (void)snprintf(user.oid, sizeof user.oid, VL_STR_FMT,
                       VL_STR_ARG(record->oid));
    }
    vl_audit(ending->op.issuer->deps.audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_CREDENTIAL_FAIL,
                                      .refused = true,
                                      .reason = ending->reason,
                                      .client = record ? &client : NULL,
                                      .user = record ? &user : NULL,
                                      .session = ending->id});
}

static void
orphan_ending(struct vl_op *op)
{
    audit_ending(ending_of(op), NULL);
}

static void submit_ending(struct ending *ending);

static void
family_ended(struct vl_op *op)
{
    struct ending *ending = ending_of(op);
    struct vl_issuer *issuer = op->issuer;
    struct vl_session record;
    valet_status status = VALET_RETRY;
    char id[VL_SESSION_ID_SIZE];
    if (vl_op_answer(op)->status == VALET_DENIED && !ending->is_blind) {
        ending->is_blind = true;
        submit_ending(ending);
        return;
    }
    if (!ending->is_blind)
        status = vl_op_read(op, 0, &vl_record_session, &record);
    /* Not found: somebody else ended it, and said so. */
    if (status != VALET_NOT_FOUND)
        audit_ending(ending, status == VALET_OK ? &record : NULL);
    memcpy(id, ending->id, sizeof id);
    vl_op_end(op);
    vl_session_ended(issuer, id);
}

/* Looking and deleting are one batch: it takes effect even if the issuer goes
 * before the answer. */
static void
submit_ending(struct ending *ending)
{
    struct vl_store_batch *batch = vl_op_ask(&ending->op);
    struct vl_str id = vl_str_z(ending->id);
    if (!ending->is_blind)
        (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_SESSION, id);
    vl_session_end_steps(&ending->op, id);
    vl_op_submit(&ending->op, family_ended);
}

/* @spec S-08 */
void
vl_issuer_end(struct vl_issuer *issuer, const char *session, const char *reason)
{
    struct ending *ending = vl_alloc(sizeof *ending);
    vl_op_init(&ending->op, issuer, release_ending);
    ending->op.orphan = orphan_ending;
    (void)snprintf(ending->id, sizeof ending->id, "%s", session);
    (void)snprintf(ending->reason, sizeof ending->reason, "%s", reason);
    submit_ending(ending);
}

/* --- the cap of families per user --- */

struct trim {
    struct vl_op op;
    struct vl_user user;
    struct vl_str owner;
    char id[VL_SESSION_ID_SIZE];
    int64_t excess;
};

static struct trim *
trim_of(struct vl_op *op)
{
    return VL_CONTAINER(op, struct trim, op);
}

static void
release_trim(struct vl_op *op)
{
    free(trim_of(op));
}

/* One at a time, and counted anew each time: others may be at it too. */
static void
oldest_ended(struct vl_op *op)
{
    struct trim *trim = trim_of(op);
    if (vl_op_answer(op)->status == VALET_OK) {
        if (trim->excess > 1)
            vl_session_trim(op->issuer, &trim->user);
        vl_audit(op->issuer->deps.audit,
                 &(struct vl_audit_event){.kind = VL_AUDIT_TOKEN_REVOKE,
                                          .reason = "too_many_sessions",
                                          .user = &trim->user,
                                          .session = trim->id});
        vl_session_ended(op->issuer, trim->id);
    }
    vl_op_end(op);
}

static void
listed(struct vl_op *op)
{
    struct trim *trim = trim_of(op);
    const struct vl_store_batch *batch = vl_op_answer(op);
    struct vl_str rest = {NULL, 0}, id, oldest = {NULL, 0};
    if (batch->status == VALET_OK && batch->ops[0].status == VALET_OK)
        rest = vl_buf_str(&batch->ops[0].found);
    while (vl_str_split(&rest, '\n', &id)) {
        /* Ids begin with their time, all of one width. */
        if (id.n >= 11 && id.n < sizeof trim->id &&
            (!oldest.p || memcmp(id.p, oldest.p, 11) < 0))
            oldest = id;
    }
    if (!oldest.n) {
        vl_op_end(op);
        return;
    }
    memcpy(trim->id, oldest.p, oldest.n);
    (void)vl_op_ask(op);
    vl_session_end_steps(op, vl_str_z(trim->id));
    vl_op_submit(op, oldest_ended);
}

static void
counted(struct vl_op *op)
{
    const struct vl_store_batch *batch = vl_op_answer(op);
    unsigned max = op->issuer->config->sessions_per_user;
    if (batch->status != VALET_OK ||
        batch->ops[0].count <= (max ? max : VL_DESK_SESSIONS_PER_USER)) {
        vl_op_end(op);
        return;
    }
    trim_of(op)->excess =
        batch->ops[0].count - (max ? max : VL_DESK_SESSIONS_PER_USER);
    vl_store_add(vl_op_ask(op), VL_STORE_LIST, VL_STORE_SESSION,
                 (struct vl_str){NULL, 0})
        ->owner = trim_of(op)->owner;
    vl_op_submit(op, listed);
}

/* @spec W-31 */
void
vl_session_trim(struct vl_issuer *issuer, const struct vl_user *user)
{
    struct trim *trim = vl_alloc(sizeof *trim);
    trim->user = *user;
    vl_op_init(&trim->op, issuer, release_trim);
    trim->owner = vl_session_owner(&trim->op, vl_str_z(trim->user.tid),
                                   vl_str_z(trim->user.oid));
    vl_store_add(vl_op_ask(&trim->op), VL_STORE_COUNT, VL_STORE_SESSION,
                 (struct vl_str){NULL, 0})
        ->owner = trim->owner;
    vl_op_submit(&trim->op, counted);
}
