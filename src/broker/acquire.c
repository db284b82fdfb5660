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

/* --- which account --- */

static bool
is_account(const struct vl_broker_account *account, struct vl_str wanted)
{
    return wanted.n && (vl_str_ieq(account->home_account_id, wanted) ||
                        vl_str_ieq(account->username, wanted));
}

/* A guest is told once for each tenant: that of the authority comes first. */
static size_t
find_account(const struct vl_broker_list *list, struct vl_str wanted,
             struct vl_str authority)
{
    size_t found = list->count;
    for (size_t i = 0; i < list->count; i++) {
        const struct vl_broker_account *account = &list->accounts[i];
        if (!is_account(account, wanted))
            continue;
        if (account->tenant_id.n && vl_str_ends(authority, account->tenant_id))
            return i;
        if (found == list->count)
            found = i;
    }
    return found;
}

/* Are there people other than the first? */
static bool
has_several(const struct vl_broker_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (!vl_str_ieq(list->accounts[i].home_account_id,
                        list->accounts[0].home_account_id))
            return true;
    return false;
}

/* Whom to ask for; empty: anybody. */
static struct vl_str
name_wanted(const struct vl_broker_in *in, const struct vl_broker_list *list)
{
    if (in->account.n)
        return in->account;
    if (in->interactive)
        return in->login_hint;
    return list->count ? list->accounts[0].home_account_id
                       : (struct vl_str){NULL, 0};
}

/* --- the two steps, the second first --- */

/* Is it whom we asked for, as far as it was told? Where only a name was
 * wanted that the broker does not know, it has to say who it is now. */
static bool
is_as_wanted(const struct vl_broker_call *call,
             const struct vl_broker_account *told)
{
    if (!call->in.account.n)
        return true;
    if (!told->home_account_id.n)
        return call->wanted.home_account_id.n > 0;
    return is_account(told, call->in.account);
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
}

/* @spec S-32 */
static void
on_accounts(struct vl_broker_call *call, struct vl_str text)
{
    struct vl_broker_list *list = &call->list;
    if (!vl_broker_read_accounts(text, &call->answer, list, &call->error)) {
        vl_broker_call_fail(call);
        return;
    }
    size_t found =
        find_account(list, name_wanted(&call->in, list), call->in.authority);
    if (call->in.interactive || (call->in.account.n && found < list->count))
        ask_for_token(call, found);
    else if (found == list->count)
        refuse(call, "no_account", "the identity broker lacks the account");
    else if (has_several(list))
        refuse(call, "several_accounts",
               "the identity broker has several accounts");
    else
        ask_for_token(call, found);
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
    if (!ms || (!in->interactive && ms > VL_LIMIT_BROKER_SILENT_MS))
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
