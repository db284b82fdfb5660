/* SPDX-License-Identifier: Apache-2.0
 *
 * Lending Entra's access token of a session to our own tools. One lease per
 * session is under way at a time; who asks meanwhile waits for its answer, so
 * many calls cause one refresh. Other workers may refresh at the same time:
 * the record's version decides, and the loser takes what is there.
 */
#include "issuer/desk.h"

struct lease {
    struct vl_op op;
    char session[VL_SESSION_ID_SIZE];
    bool force;
    struct vl_list waiters;
    struct vl_session record;
    int64_t version;
    struct vl_upstream_token refresh; /* while the provider is asked */
    struct vl_idp_tokens fresh;       /* what it gave */
    bool has_fresh;
    int64_t seen_renewed_ms; /* of the record that was renewed */
    unsigned tries;
};

struct waiter {
    struct vl_list node;
    vl_issuer_lease_done *done;
    void *ctx;
};

/* A renewal that failed: for a while nobody waits for the next one, as long as
 * the old token is good. */
struct failure {
    struct vl_list node; /* in `failures`, the latest last */
    char session[VL_SESSION_ID_SIZE];
    int64_t at_ms;
};

struct vl_leases {
    struct vl_map by_session;
    struct vl_map failed; /* session → struct failure */
    struct vl_list failures;
};

struct vl_leases *
vl_leases_new(struct vl_issuer *issuer)
{
    struct vl_leases *leases = vl_alloc(sizeof *leases);
    (void)issuer;
    vl_map_init(&leases->by_session);
    vl_map_init(&leases->failed);
    vl_list_init(&leases->failures);
    return leases;
}

static void
drop_failure(struct vl_leases *leases, struct failure *failure)
{
    (void)vl_map_take(&leases->failed, vl_str_z(failure->session));
    vl_list_remove(&failure->node);
    free(failure);
}

static bool
is_recent(const struct failure *failure, int64_t now)
{
    return now >= failure->at_ms &&
           now - failure->at_ms < VL_DESK_RENEW_PAUSE_MS;
}

void
vl_leases_free(struct vl_leases *leases)
{
    VL_LIST_EACH (node, &leases->failures)
        drop_failure(leases, VL_CONTAINER(node, struct failure, node));
    vl_map_done(&leases->by_session);
    vl_map_done(&leases->failed);
    free(leases);
}

static struct lease *
lease_of(struct vl_op *op)
{
    return VL_CONTAINER(op, struct lease, op);
}

static void
release(struct vl_op *op)
{
    struct lease *lease = lease_of(op);
    VL_LIST_EACH (node, &lease->waiters) {
        vl_list_remove(node);
        free(VL_CONTAINER(node, struct waiter, node));
    }
    vl_secret_done(&lease->refresh.secret);
    vl_idp_tokens_done(&lease->fresh);
    free(lease);
}

/* Tells everybody who waits, and ends the lease. */
static void
tell(struct lease *lease, valet_status status,
     const struct vl_upstream_token *token, const char *message)
{
    valet_error err = {.status = status};
    (void)snprintf(err.message, sizeof err.message, "%s", message);
    (void)vl_map_take(&lease->op.issuer->leases->by_session,
                      vl_str_z(lease->session));
    VL_LIST_EACH (node, &lease->waiters) {
        struct waiter *waiter = VL_CONTAINER(node, struct waiter, node);
        vl_list_remove(node);
        waiter->done(status, token, &err, waiter->ctx);
        free(waiter);
    }
    vl_op_end(&lease->op);
}

static void
lend(struct lease *lease)
{
    struct vl_upstream_token token = {vl_secret_of(lease->record.access)};
    tell(lease, VALET_OK, &token, "");
    vl_secret_done(&token.secret);
}

static void
refuse(struct lease *lease, valet_status status)
{
    tell(lease, status, NULL,
         status == VALET_DENIED ? "the sign-in has ended; sign in again"
                                : "the sign-in cannot be renewed at the "
                                  "moment");
}

static void
audit(struct lease *lease, enum vl_audit_kind kind, const char *reason)
{
    struct vl_client_id client = {""};
    struct vl_user user = {"", ""};
    const struct vl_session *record = &lease->record;
    (void)snprintf(client.text, sizeof client.text, VL_STR_FMT,
                   VL_STR_ARG(record->client));
    (void)snprintf(user.tid, sizeof user.tid, VL_STR_FMT,
                   VL_STR_ARG(record->tid));
    (void)snprintf(user.oid, sizeof user.oid, VL_STR_FMT,
                   VL_STR_ARG(record->oid));
    vl_audit(lease->op.issuer->deps.audit,
             &(struct vl_audit_event){.kind = kind,
                                      .refused = reason != NULL,
                                      .reason = reason,
                                      .client = &client,
                                      .user = &user,
                                      .session = lease->session});
}

/* --- renewals that failed --- */

static void
forget_failure(const struct lease *lease)
{
    struct vl_leases *leases = lease->op.issuer->leases;
    struct failure *failure =
        vl_map_find(&leases->failed, vl_str_z(lease->session));
    if (failure)
        drop_failure(leases, failure);
}

/* Makes room first: of what is over, and when all is recent, of the oldest. */
static void
note_failure(const struct lease *lease)
{
    struct vl_leases *leases = lease->op.issuer->leases;
    int64_t now = vl_desk_now(lease->op.issuer);
    forget_failure(lease);
    VL_LIST_EACH (node, &leases->failures) {
        struct failure *old = VL_CONTAINER(node, struct failure, node);
        if (is_recent(old, now) &&
            vl_map_size(&leases->failed) < VL_DESK_RENEW_FAILURES)
            break;
        drop_failure(leases, old);
    }
    struct failure *failure = vl_alloc(sizeof *failure);
    memcpy(failure->session, lease->session, sizeof failure->session);
    failure->at_ms = now;
    vl_list_add_last(&leases->failures, &failure->node);
    (void)vl_map_put(&leases->failed, vl_str_z(failure->session), failure);
}

static bool
has_just_failed(const struct lease *lease)
{
    const struct failure *failure = vl_map_find(
        &lease->op.issuer->leases->failed, vl_str_z(lease->session));
    return failure && is_recent(failure, vl_desk_now(lease->op.issuer));
}

/* --- the end of a session --- */

/* Who waits is told first: ending the family ends its MCP sessions and what
 * runs in them, and the callers would learn no more than that. */
static void
session_ended(struct vl_op *op)
{
    struct lease *lease = lease_of(op);
    struct vl_issuer *issuer = op->issuer;
    valet_status status = vl_op_answer(op)->status;
    char session[VL_SESSION_ID_SIZE];
    memcpy(session, lease->session, sizeof session);
    refuse(lease, status == VALET_OK ? VALET_DENIED : VALET_RETRY);
    vl_session_ended(issuer, session);
}

/* @spec S-08 */
static void
end_session(struct lease *lease, const char *reason)
{
    audit(lease, VL_AUDIT_CREDENTIAL_FAIL, reason);
    (void)vl_op_ask(&lease->op);
    vl_session_end_steps(&lease->op, vl_str_z(lease->session));
    vl_op_submit(&lease->op, session_ended);
}

/* --- renewing --- */

static void load(struct lease *lease);

static void
saved(struct vl_op *op)
{
    struct lease *lease = lease_of(op);
    valet_status status = vl_op_answer(op)->status;
    if (status == VALET_CONFLICT && ++lease->tries < VL_DESK_TRIES) {
        load(lease);
        return;
    }
    if (status != VALET_OK) {
        refuse(lease, VALET_RETRY);
        return;
    }
    audit(lease, VL_AUDIT_CREDENTIAL_RENEW, NULL);
    lend(lease);
}

static void
save(struct lease *lease)
{
    struct vl_session *record = &lease->record;
    record->access = vl_secret_reveal(&lease->fresh.access.secret);
    if (!vl_secret_is_empty(&lease->fresh.refresh.secret))
        record->refresh = vl_secret_reveal(&lease->fresh.refresh.secret);
    record->access_expires_ms = lease->fresh.expires_ms;
    record->renewed_ms = vl_desk_now(lease->op.issuer);
    (void)vl_op_ask(&lease->op);
    vl_session_put(&lease->op, vl_str_z(lease->session), record)->if_version =
        lease->version;
    vl_op_submit(&lease->op, saved);
}

static bool
is_usable(const struct lease *lease)
{
    return !lease->force &&
           lease->record.access_expires_ms > vl_desk_now(lease->op.issuer);
}

static void
refreshed(valet_status status, struct vl_idp_tokens *tokens,
          const valet_error *err, void *ctx)
{
    struct lease *lease = ctx;
    vl_op_come_back(&lease->op);
    if (status == VALET_DENIED) {
        end_session(lease, vl_provider_reason(err, "sign_in_ended"));
        return;
    }
    if (status != VALET_OK ||
        tokens->access.secret.size > VL_LIMIT_UPSTREAM_TOKEN ||
        tokens->refresh.secret.size > VL_LIMIT_UPSTREAM_TOKEN) {
        audit(lease, VL_AUDIT_CREDENTIAL_FAIL,
              vl_provider_reason(err, "provider_unavailable"));
        note_failure(lease);
        /* What is left of the old one is still good. */
        if (is_usable(lease))
            lend(lease);
        else
            refuse(lease, VALET_RETRY);
        return;
    }
    forget_failure(lease);
    lease->fresh = *tokens;
    *tokens = (struct vl_idp_tokens){0};
    lease->has_fresh = true;
    save(lease);
}

static void
renew(struct lease *lease)
{
    struct vl_idp *idp = lease->op.issuer->deps.idp;
    if (!lease->record.refresh.n) {
        if (is_usable(lease))
            lend(lease);
        else
            end_session(lease, "no_refresh_token");
        return;
    }
    vl_secret_done(&lease->refresh.secret);
    lease->refresh.secret = vl_secret_of(lease->record.refresh);
    lease->seen_renewed_ms = lease->record.renewed_ms;
    vl_op_go_upstream(&lease->op);
    idp->ops->refresh(idp, &lease->refresh, refreshed, lease);
}

/* --- deciding --- */

/* @spec S-31 S-83 */
static bool
is_due(const struct lease *lease)
{
    int64_t now = vl_desk_now(lease->op.issuer);
    const struct vl_session *record = &lease->record;
    if (lease->force)
        return record->renewed_ms == 0 ||
               now - record->renewed_ms >= VL_DESK_RENEW_AGAIN_MS;
    return record->access_expires_ms - now < VL_DESK_RENEW_MS;
}

static void
loaded(struct vl_op *op)
{
    struct lease *lease = lease_of(op);
    valet_status status = vl_op_read(op, 0, &vl_record_session, &lease->record);
    if (status != VALET_OK) {
        refuse(lease, status == VALET_RETRY ? VALET_RETRY : VALET_DENIED);
        return;
    }
    lease->version = vl_op_answer(op)->ops[0].version;
    if (lease->has_fresh && lease->record.renewed_ms == lease->seen_renewed_ms)
        save(lease); /* only the client had been at the record */
    else if (lease->has_fresh || !is_due(lease))
        lend(lease); /* another worker has renewed it, or nobody needs to */
    else if (is_usable(lease) && has_just_failed(lease))
        lend(lease); /* @spec S-17: nobody waits for what is down */
    else
        renew(lease);
}

static void
load(struct lease *lease)
{
    (void)vl_store_add(vl_op_ask(&lease->op), VL_STORE_GET, VL_STORE_SESSION,
                       vl_str_z(lease->session));
    vl_op_submit(&lease->op, loaded);
}

void
vl_issuer_lease(struct vl_issuer *issuer, const char *session, bool force,
                vl_issuer_lease_done *done, void *ctx)
{
    struct vl_map *leases = &issuer->leases->by_session;
    struct lease *lease = vl_map_find(leases, vl_str_z(session));
    struct waiter *waiter = vl_alloc(sizeof *waiter);
    bool is_new = lease == NULL;
    if (is_new) {
        lease = vl_alloc(sizeof *lease);
        vl_op_init(&lease->op, issuer, release);
        vl_list_init(&lease->waiters);
        (void)snprintf(lease->session, sizeof lease->session, "%s", session);
        (void)vl_map_put(leases, vl_str_z(lease->session), lease);
    }
    lease->force |= force;
    waiter->done = done;
    waiter->ctx = ctx;
    vl_list_add_last(&lease->waiters, &waiter->node);
    if (is_new)
        load(lease);
}
