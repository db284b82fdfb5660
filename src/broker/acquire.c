/* SPDX-License-Identifier: Apache-2.0
 *
 * A token: the broker wants to be told its own account back, so it is asked for
 * its accounts first.
 */
#include "broker/call.h"
#include "broker/refusal.h"
#include "broker/request.h"

static void
refuse(struct vl_broker_call *call, const char *code, const char *message)
{
    vl_broker_refusal(VALET_DENIED, VALET_NEXT_SIGN_IN, code, message,
                      &call->error);
    vl_broker_call_fail(call);
}

static void
refuse_several(struct vl_broker_call *call)
{
    refuse(call, "several_accounts",
           "the identity broker has several such accounts");
}

/* --- which account --- */

static bool
is_account(const struct vl_broker_account *account, struct vl_str name)
{
    return vl_str_ieq(account->home_account_id, name) ||
           vl_str_ieq(account->username, name);
}

static bool
is_same(const struct vl_broker_account *a, const struct vl_broker_account *b)
{
    return vl_str_ieq(a->home_account_id, b->home_account_id);
}

/* The account of that name, of any if it is empty; list->count: there is none.
 * A guest is told once for each tenant: that of the authority is taken. */
static size_t
find_account(const struct vl_broker_list *list, struct vl_str name,
             struct vl_str authority, bool *ret_several)
{
    size_t found = list->count;
    *ret_several = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct vl_broker_account *account = &list->accounts[i];
        if (name.n && !is_account(account, name))
            continue;
        if (found == list->count)
            found = i;
        else if (!is_same(account, &list->accounts[found]))
            *ret_several = true;
        else if (account->tenant_id.n &&
                 vl_str_ends(authority, account->tenant_id))
            found = i;
    }
    return found;
}

/* --- the two steps, the second first --- */

/* Is it whom we asked for? Who only gave a hint may sign in as another. */
static bool
is_as_wanted(const struct vl_broker_call *call,
             const struct vl_broker_account *told)
{
    const struct vl_broker_account *wanted = &call->wanted;
    if (call->in.interactive && !call->in.account.n)
        return true;
    if (!told->home_account_id.n)
        return wanted->home_account_id.n > 0;
    return wanted->home_account_id.n ? is_same(told, wanted)
                                     : is_account(told, call->in.account);
}

static void
on_token(struct vl_broker_call *call, struct vl_str text)
{
    call->is_seen = false;
    if (!vl_broker_read_token(text, call->in.interactive, &call->token_answer,
                              &call->token, &call->error)) {
        vl_broker_call_fail(call);
    } else if (!is_as_wanted(call, &call->token.account)) {
        refuse(call, "account_mismatch",
               "the identity broker answered for another account");
    } else {
        /* Brokers that do not tell stay with the account they were given. */
        if (!call->token.account.home_account_id.n)
            call->token.account = call->wanted;
        vl_broker_call_finish(call);
    }
}

static void
ask_for_token(struct vl_broker_call *call, size_t account)
{
    bool is_known = account < call->list.count;
    vl_auto(vl_buf) request = vl_buf_of(VL_BROKER_REQUEST_MAX);
    vl_broker_write_acquire(
        &call->in, is_known ? call->list.told[account] : NULL, &request);
    if (is_known)
        call->wanted = call->list.accounts[account];
    vl_broker_call_ask(call,
                       call->in.interactive ? "acquireTokenInteractively"
                                            : "acquireTokenSilently",
                       &request, on_token);
    call->is_seen = call->in.interactive && call->ask;
    if (call->is_seen && call->in.timeout_ms)
        vl_timer_start(call->timer, call->in.timeout_ms);
}

/* Somebody signs in. Nobody needs to be known for that. */
static void
ask_person(struct vl_broker_call *call)
{
    bool several = false;
    size_t found = call->list.count;
    struct vl_str name =
        call->in.account.n ? call->in.account : call->in.login_hint;
    if (name.n)
        found = find_account(&call->list, name, call->in.authority, &several);
    if (several && call->in.account.n)
        refuse_several(call);
    else
        ask_for_token(call, several ? call->list.count : found);
}

/* @spec S-32 */
static void
ask_silently(struct vl_broker_call *call)
{
    bool several = false;
    size_t found = find_account(&call->list, call->in.account,
                                call->in.authority, &several);
    if (found == call->list.count)
        refuse(call, "no_account", "the identity broker lacks the account");
    else if (several)
        refuse_several(call);
    else
        ask_for_token(call, found);
}

static void
on_accounts(struct vl_broker_call *call, struct vl_str text)
{
    bool good =
        vl_broker_read_accounts(text, &call->answer, &call->list, &call->error);
    if (call->in.interactive)
        ask_person(call);
    else if (good)
        ask_silently(call);
    else
        vl_broker_call_fail(call);
}

static void
tell_token(struct vl_broker_call *call)
{
    if (call->failed)
        call->done.acquired(NULL, &call->error, call->ctx);
    else
        call->done.acquired(&call->token, NULL, call->ctx);
}

/* --- starting --- */

/* False: they are longer than any. */
static bool
copy_in(struct vl_broker_call *call, const struct vl_broker_in *in)
{
    struct vl_str *texts[] = {
        &call->in.authority,  &call->in.client_id,   &call->in.redirect_uri,
        &call->in.scopes,     &call->in.account,     &call->in.claims,
        &call->in.login_hint, &call->in.domain_hint, &call->in.prompt,
    };
    call->in = *in;
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        if (texts[i]->n) {
            *texts[i] = vl_arena_dup(&call->arena, *texts[i]);
            if (!texts[i]->n)
                return false;
        }
    return true;
}

/* @spec S-27 */
struct vl_broker_call *
vl_broker_acquire(struct vl_broker *broker, const struct vl_broker_in *in,
                  vl_broker_acquired *done, void *ctx)
{
    vl_auto(vl_buf) request = vl_buf_of(VL_BROKER_REQUEST_MAX);
    int64_t ms = in->timeout_ms;
    /* Also when interactive: nobody has to be waited for yet. */
    if (!ms || ms > VL_LIMIT_BROKER_SILENT_MS)
        ms = VL_LIMIT_BROKER_SILENT_MS;
    struct vl_broker_call *call = vl_broker_call_new(
        broker, ms, tell_token, (union vl_broker_done){.acquired = done}, ctx);
    if (!copy_in(call, in)) {
        vl_broker_refusal(VALET_LIMIT, VALET_NEXT_GIVE_UP, "",
                          "the request is too long for the identity broker",
                          &call->error);
        vl_broker_call_fail(call);
        return call;
    }
    vl_broker_write_accounts(call->in.client_id, call->in.redirect_uri,
                             &request);
    vl_broker_call_ask(call, "getAccounts", &request, on_accounts);
    return call;
}
