/* SPDX-License-Identifier: Apache-2.0
 *
 * A client from sign-in to sign-out, on many threads and on an event loop.
 */
#include <poll.h>
#include <stdatomic.h>

#include "../keep/folder.h"
#include "client/realm.h"
#include "lot.h"

enum { AT_ONCE = 50, WAIT_MS = 20000 };

static unsigned
asked(const struct lot *l)
{
    return l->bench->token->asked;
}

/* --- signing in, silent, signing out --- */

static void
nobody_is_signed_in_at_first(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request request = {.scopes = some_scopes};
    make_client(l);
    assert_int_equal(valet_acquire(l->client, &request, &result, &error),
                     VALET_NOT_FOUND);
    assert_string_equal(error.error.code, "no_account");
    assert_int_equal(error.next, VALET_NEXT_SIGN_IN);
    assert_null(result.access_token);
    assert_int_equal(asked(l), 0);
}

static void
a_person_signs_in_with_a_code_and_is_silent_afterwards(void **state)
{
    struct lot *l = *state;
    valet_auth_result result, again;
    valet_request request = sign_in_request(l),
                  silent = {.scopes = some_scopes};
    make_client(l);
    issue(l->bench, &(struct identity){.nonce = ""});
    assert_ok(valet_acquire(l->client, &request, &result, NULL));
    assert_int_equal(l->told, 1);
    assert_true(pthread_equal(l->told_on, pthread_self()));
    assert_string_equal(l->user_code, "ABCD-EFGH");
    assert_string_equal(result.access_token, "upstream-access");
    assert_string_equal(result.token_type, "Bearer");
    assert_string_equal(result.account_id, OID "." TID);
    assert_string_equal(result.username, "user@contoso.example");
    assert_string_equal(result.tenant_id, TID);
    assert_int_equal(result.source, VALET_SOURCE_DEVICE_CODE);
    assert_null(result.not_kept);
    valet_auth_result_done(&result);
    for (int i = 0; i < 3; i++) {
        assert_ok(valet_acquire(l->client, &silent, &again, NULL));
        assert_int_equal(again.source, VALET_SOURCE_CACHE);
        assert_string_equal(again.access_token, "upstream-access");
        assert_string_equal(again.username, "user@contoso.example");
        valet_auth_result_done(&again);
    }
    assert_int_equal(asked(l), 1);
}

static void
a_result_outlives_its_client(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    valet_client_free(l->client);
    l->client = NULL;
    assert_string_equal(result.access_token, "upstream-access");
    valet_auth_result_done(&result);
    valet_auth_result_done(&result);
}

static void
a_token_is_asked_for_anew_when_its_time_is_over_or_on_demand(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    l->bench->now_ms += (int64_t)3301 * 1000;
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    assert_int_equal(result.source, VALET_SOURCE_REFRESH);
    valet_auth_result_done(&result);
    silent.renew = true;
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    assert_int_equal(result.source, VALET_SOURCE_REFRESH);
    valet_auth_result_done(&result);
    silent.renew = false;
    silent.claims = "{\"access_token\":{\"nbf\":{\"essential\":true}}}";
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    assert_int_equal(result.source, VALET_SOURCE_REFRESH);
    valet_auth_result_done(&result);
    assert_int_equal(asked(l), 4);
}

/* What an API has refused must not come back by the short way. */
static void
a_token_that_was_asked_for_anew_takes_the_place_of_the_old_one(void **state)
{
    static const struct {
        const char *token, *answer;
    } steps[] = {
        {"second", "{\"token_type\":\"Bearer\",\"expires_in\":3600,"
                   "\"access_token\":\"second\"}"},
        {"third", "{\"token_type\":\"Bearer\",\"expires_in\":3600,"
                  "\"access_token\":\"third\"}"},
    };
    struct lot *l = *state;
    valet_auth_result result;
    make_client(l);
    sign_in(l);
    for (size_t i = 0; i < VL_COUNT(steps); i++) {
        valet_request silent = {.scopes = some_scopes};
        assert_ok(valet_acquire(l->client, &silent, &result, NULL));
        valet_auth_result_done(&result);
        refuse(l->bench, 200, steps[i].answer, NULL);
        silent.renew = i == 0;
        silent.claims = i == 0 ? NULL : "{\"access_token\":{\"nbf\":null}}";
        assert_ok(valet_acquire(l->client, &silent, &result, NULL));
        assert_string_equal(result.access_token, steps[i].token);
        valet_auth_result_done(&result);
        silent = (valet_request){.scopes = some_scopes};
        assert_ok(valet_acquire(l->client, &silent, &result, NULL));
        assert_string_equal(result.access_token, steps[i].token);
        assert_int_equal(result.source, VALET_SOURCE_CACHE);
        valet_auth_result_done(&result);
    }
}

static void
sign_out_elsewhere(struct lot *l)
{
    valet_client *other;
    assert_ok(vl_client_new(&l->options, &l->bench->clock, &other, NULL));
    assert_ok(valet_sign_out(other, "user@contoso.example", NULL));
    valet_client_free(other);
}

/* @spec S-29: at once, whatever this process has at hand. */
static void
who_has_signed_out_elsewhere_gets_no_token_here(void **state)
{
    struct lot *l = *state;
    struct folder folder;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    folder_make(&folder);
    l->options.cache = VALET_CACHE_FILE;
    l->options.cache_file = folder.path;
    make_client(l);
    sign_in(l);
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    valet_auth_result_done(&result);
    sign_out_elsewhere(l);
    l->bench->now_ms += 1;
    assert_int_equal(valet_acquire(l->client, &silent, &result, NULL),
                     VALET_NOT_FOUND);
    folder_remove(&folder);
}

static valet_status
count_merges(struct vl_engine *engine, void *ctx, valet_error *err)
{
    (void)err;
    *(unsigned *)ctx = vl_cache_merges(engine->cache);
    return VALET_OK;
}

static void
what_others_have_changed_is_read_once(void **state)
{
    struct lot *l = *state;
    struct folder folder;
    unsigned merges[2];
    valet_client *other;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    folder_make(&folder);
    l->options.cache = VALET_CACHE_FILE;
    l->options.cache_file = folder.path;
    make_client(l);
    sign_in(l);
    assert_ok(vl_client_new(&l->options, &l->bench->clock, &other, NULL));
    silent.renew = true;
    assert_ok(valet_acquire(other, &silent, &result, NULL));
    valet_auth_result_done(&result);
    valet_client_free(other);
    silent.renew = false;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 3; j++) {
            l->bench->now_ms += 1;
            assert_ok(valet_acquire(l->client, &silent, &result, NULL));
            assert_int_equal(result.source, VALET_SOURCE_CACHE);
            valet_auth_result_done(&result);
        }
        assert_ok(
            vl_engine_do(l->client->engine, count_merges, &merges[i], NULL));
    }
    assert_int_equal(merges[0], merges[1]);
    folder_remove(&folder);
}

/* A token whose time to be renewed has come, while it is good. */
static valet_status
put_due(struct vl_engine *engine, void *ctx, valet_error *err)
{
    int64_t now_s = vl_clock_now(engine->client->clock) / 1000;
    const struct vl_cache_token due = {
        .home_account_id = VL_STR(OID "." TID),
        .environment =
            vl_cache_environment(engine->cache, vl_engine_host(engine)),
        .client_id = VL_STR(CLIENT),
        .realm = VL_STR(TID),
        .target = VL_STR("Mail.Read"),
        .cached_at = now_s - 10,
        .expires_on = now_s + 3600,
        .refresh_on = now_s - 1,
        .secret = {(char *)(uintptr_t) "due", 3},
    };
    (void)ctx;
    VL_TRY(vl_cache_put_token(engine->cache, VL_CACHE_ACCESS_TOKEN, &due,
                              VL_CACHE_RENEWED, now_s, err));
    return vl_engine_save(engine, err);
}

static valet_status
count_ahead(struct vl_engine *engine, void *ctx, valet_error *err)
{
    (void)err;
    VL_LIST_EACH (node, &engine->realms)
        *(bool *)ctx |= !vl_list_is_empty(
            &VL_CONTAINER(node, struct vl_realm, node)->acquirer.ahead);
    return VALET_OK;
}

/* @spec S-29 S-31: whichever of both comes first. */
static void
a_renewal_ahead_of_time_signs_nobody_in_who_has_signed_out_elsewhere(
    void **state)
{
    static const char *const due_scopes[] = {"Mail.Read", NULL};
    struct lot *l = *state;
    struct folder folder;
    valet_auth_result result;
    const valet_request at_hand = {.scopes = some_scopes},
                        due = {.scopes = due_scopes};
    folder_make(&folder);
    l->options.cache = VALET_CACHE_FILE;
    l->options.cache_file = folder.path;
    make_client(l);
    sign_in(l);
    assert_ok(vl_engine_do(l->client->engine, put_due, NULL, NULL));
    assert_ok(valet_acquire(l->client, &at_hand, &result, NULL));
    valet_auth_result_done(&result);
    assert_ok(valet_acquire(l->client, &due, &result, NULL));
    assert_string_equal(result.access_token, "due");
    valet_auth_result_done(&result);
    sign_out_elsewhere(l);
    for (bool any = true; any; (void)poll(NULL, 0, 1)) {
        any = false;
        assert_ok(vl_engine_do(l->client->engine, count_ahead, &any, NULL));
    }
    l->bench->now_ms += 1;
    assert_int_equal(valet_acquire(l->client, &at_hand, &result, NULL),
                     VALET_NOT_FOUND);
    assert_int_equal(valet_acquire(l->client, &due, &result, NULL),
                     VALET_NOT_FOUND);
    folder_remove(&folder);
}

static void
an_empty_account_is_wrong_with_a_token_at_hand_too(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    valet_auth_result_done(&result);
    silent.account = "";
    assert_int_equal(valet_acquire(l->client, &silent, &result, NULL),
                     VALET_INVALID);
}

static void
who_has_signed_out_is_asked_again(void **state)
{
    struct lot *l = *state;
    valet_account_list list;
    valet_auth_result result;
    valet_entra_error error;
    valet_request silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    valet_auth_result_done(&result);
    assert_ok(valet_accounts(l->client, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.accounts[0].id, OID "." TID);
    assert_string_equal(list.accounts[0].tenant_id, TID);
    valet_account_list_done(&list);
    assert_int_equal(valet_sign_out(l->client, "nobody@x.example", NULL),
                     VALET_NOT_FOUND);
    assert_ok(valet_sign_out(l->client, "USER@contoso.example", NULL));
    assert_int_equal(valet_acquire(l->client, &silent, &result, &error),
                     VALET_NOT_FOUND);
    assert_int_equal(error.next, VALET_NEXT_SIGN_IN);
    assert_ok(valet_accounts(l->client, &list, NULL));
    assert_int_equal(list.count, 0);
    valet_account_list_done(&list);
}

/* @spec S-30 W-38 */
static void
of_two_accounts_none_is_the_first(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request silent = {.scopes = some_scopes},
                  request = sign_in_request(l);
    make_client(l);
    sign_in(l);
    issue(l->bench, &(struct identity){.nonce = "", .oid = OID_2});
    assert_ok(valet_acquire(l->client, &request, &result, NULL));
    assert_string_equal(result.account_id, OID_2 "." TID);
    valet_auth_result_done(&result);
    assert_int_equal(valet_acquire(l->client, &silent, &result, &error),
                     VALET_CONFLICT);
    assert_string_equal(error.error.code, "several_accounts");
    silent.account = OID_2 "." TID;
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    assert_string_equal(result.account_id, OID_2 "." TID);
    valet_auth_result_done(&result);
    /* Both have the same username: it does not tell them apart. */
    silent.account = "user@contoso.example";
    assert_int_equal(valet_acquire(l->client, &silent, &result, &error),
                     VALET_CONFLICT);
}

static void
another_account_than_the_one_asked_for_does_not_get_in(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_account_list list;
    valet_request request = sign_in_request(l);
    make_client(l);
    issue(l->bench, &(struct identity){.nonce = ""});
    request.account = OID_2 "." TID;
    assert_int_equal(valet_acquire(l->client, &request, &result, &error),
                     VALET_DENIED);
    assert_string_equal(error.error.code, "other_account");
    assert_ok(valet_accounts(l->client, &list, NULL));
    assert_int_equal(list.count, 0);
    valet_account_list_done(&list);
}

static void
a_sign_in_ends_with_its_time(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request request = sign_in_request(l);
    make_client(l);
    request.timeout_s = 1;
    refuse(l->bench, 400, "{\"error\":\"authorization_pending\"}", NULL);
    assert_int_equal(valet_acquire(l->client, &request, &result, &error),
                     VALET_DENIED);
    assert_string_equal(error.error.code, "timeout");
    assert_int_equal(error.next, VALET_NEXT_SIGN_IN);
}

/* @spec S-32: who it is, is the broker's to say, with "organizations" too. */
static void
nobody_of_many_tenants_is_asked_for_at_the_broker(void **state)
{
    static const char *const tenants[] = {TID, NULL};
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request silent = {.scopes = some_scopes,
                            .methods = VALET_METHOD_BROKER};
    l->options.tenant = "organizations";
    l->options.tenants = tenants;
    l->options.modules = "/nowhere"; /* no broker can be reached */
    make_client(l);
    assert_int_equal(valet_acquire(l->client, &silent, &result, &error),
                     VALET_DENIED);
    assert_string_equal(error.error.code, "no_tokens");
    assert_int_equal(error.next, VALET_NEXT_SIGN_IN);
    silent.methods = 0;
    assert_int_equal(valet_acquire(l->client, &silent, &result, &error),
                     VALET_NOT_FOUND);
    assert_string_equal(error.error.code, "no_account");
}

/* What is shown is when it is too late, be it the code's end or ours. */
static void
note_end(const valet_progress *progress, void *ctx)
{
    struct lot *l = ctx;
    l->told++;
    assert_int_equal(progress->expires_at, l->bench->now_ms / 1000 + 1);
}

static void
a_code_is_shown_with_the_end_of_the_sign_in(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_request request = sign_in_request(l);
    make_client(l);
    request.timeout_s = 1;
    request.tell = note_end;
    refuse(l->bench, 400, "{\"error\":\"authorization_pending\"}", NULL);
    assert_int_equal(valet_acquire(l->client, &request, &result, NULL),
                     VALET_DENIED);
    assert_int_equal(l->told, 1);
}

/* --- the application itself --- */

static void
an_application_gets_its_own_token_once(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_request request = {.flow = VALET_FLOW_APP, .scopes = app_scopes};
    be_confidential(l);
    make_client(l);
    issue(l->bench, NULL);
    assert_ok(valet_acquire(l->client, &request, &result, NULL));
    assert_int_equal(result.source, VALET_SOURCE_APP);
    assert_null(result.account_id);
    valet_auth_result_done(&result);
    assert_ok(valet_acquire(l->client, &request, &result, NULL));
    assert_int_equal(result.source, VALET_SOURCE_CACHE);
    valet_auth_result_done(&result);
    assert_int_equal(asked(l), 1);
}

static void
a_refusal_tells_what_to_do(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request request = {.flow = VALET_FLOW_APP, .scopes = app_scopes};
    be_confidential(l);
    make_client(l);
    refuse(l->bench, 401,
           "{\"error\":\"invalid_client\",\"error_codes\":[7000215],"
           "\"error_description\":\"AADSTS7000215: no\"}",
           NULL);
    assert_int_equal(valet_acquire(l->client, &request, &result, &error),
                     VALET_INTERNAL);
    assert_int_equal(error.aadsts, 7000215);
    assert_int_equal(error.http_status, 401);
    assert_string_equal(error.oauth, "invalid_client");
    assert_int_equal(error.next, VALET_NEXT_ADMIN);
    assert_null(result.inside);
}

static void
a_request_of_the_wrong_kind_is_refused_without_a_thread(void **state)
{
    struct lot *l = *state;
    valet_auth_result result;
    valet_entra_error error;
    valet_request request = {.flow = VALET_FLOW_APP, .scopes = app_scopes};
    make_client(l);
    assert_int_equal(valet_acquire(l->client, &request, &result, &error),
                     VALET_INVALID);
    assert_int_equal(error.next, VALET_NEXT_GIVE_UP);
    assert_null(l->client->engine);
}

/* --- many threads --- */

struct thread {
    struct lot *lot;
    pthread_t thread;
    valet_status status;
    bool same;
};

static void *
ask(void *ctx)
{
    struct thread *t = ctx;
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    t->status = valet_acquire(t->lot->client, &silent, &result, NULL);
    t->same = result.access_token &&
              strcmp(result.access_token, "upstream-access") == 0;
    valet_auth_result_done(&result);
    return NULL;
}

/* @spec S-31 W-40 */
static void
fifty_threads_that_want_an_expired_token_are_one_request(void **state)
{
    struct lot *l = *state;
    struct thread threads[AT_ONCE];
    make_client(l);
    sign_in(l);
    l->bench->now_ms += (int64_t)3600 * 1000;
    unsigned before = asked(l);
    for (int i = 0; i < AT_ONCE; i++) {
        threads[i] = (struct thread){.lot = l};
        assert_int_equal(
            pthread_create(&threads[i].thread, NULL, ask, &threads[i]), 0);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
        assert_int_equal(threads[i].status, VALET_OK);
        assert_true(threads[i].same);
    }
    assert_int_equal(asked(l) - before, 1);
}

struct waiter {
    struct lot *lot;
    atomic_bool told, cancelled, opened;
    valet_status status;
};

static void
note_told(const valet_progress *progress, void *ctx)
{
    struct waiter *waiter = ctx;
    (void)progress;
    atomic_store(&waiter->told, true);
}

static void *
wait_for_ever(void *ctx)
{
    struct waiter *waiter = ctx;
    valet_auth_result result;
    valet_request request = sign_in_request(waiter->lot);
    request.tell = note_told;
    request.ctx = waiter;
    waiter->status =
        valet_acquire(waiter->lot->client, &request, &result, NULL);
    return NULL;
}

static void
a_call_that_waits_is_cancelled_from_another_thread(void **state)
{
    struct lot *l = *state;
    struct waiter waiter = {.lot = l};
    pthread_t thread;
    make_client(l);
    refuse(l->bench, 400, "{\"error\":\"authorization_pending\"}", NULL);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &waiter), 0);
    while (!atomic_load(&waiter.told))
        (void)poll(NULL, 0, 1);
    valet_client_cancel(l->client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.status, VALET_CANCELLED);
}

static void
note_told_until_cancelled(const valet_progress *progress, void *ctx)
{
    struct waiter *waiter = ctx;
    (void)progress;
    atomic_store(&waiter->told, true);
    while (!atomic_load(&waiter->cancelled))
        (void)poll(NULL, 0, 1);
}

static valet_status
open_nothing(const char *url, void *ctx, valet_error *err)
{
    (void)url, (void)err;
    atomic_store(&((struct waiter *)ctx)->opened, true);
    return VALET_OK;
}

static void *
wait_for_a_browser(void *ctx)
{
    struct waiter *waiter = ctx;
    valet_auth_result result;
    const valet_request request = {.flow = VALET_FLOW_SIGN_IN,
                                   .scopes = some_scopes,
                                   .methods = VALET_METHOD_BROWSER,
                                   .tell = note_told_until_cancelled,
                                   .open = open_nothing,
                                   .ctx = waiter};
    waiter->status =
        valet_acquire(waiter->lot->client, &request, &result, NULL);
    return NULL;
}

static void
a_cancelled_call_opens_no_browser(void **state)
{
    struct lot *l = *state;
    struct waiter waiter = {.lot = l};
    pthread_t thread;
    make_client(l);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_a_browser, &waiter),
                     0);
    while (!atomic_load(&waiter.told))
        (void)poll(NULL, 0, 1);
    valet_client_cancel(l->client);
    (void)poll(NULL, 0, 50); /* for the engine to ask for the browser */
    atomic_store(&waiter.cancelled, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.status, VALET_CANCELLED);
    assert_false(atomic_load(&waiter.opened));
}

/* --- the event loop's form --- */

struct outcome {
    struct lot *lot;
    int calls;
    valet_status status;
    valet_source source;
    char code[48];
    valet_call **cancel; /* in the callback */
    bool ask_again;
};

static void
on_acquired(valet_status status, valet_auth_result *result,
            const valet_entra_error *error, void *ctx)
{
    struct outcome *o = ctx;
    valet_request silent = {.scopes = some_scopes};
    o->calls++;
    o->status = status;
    o->source = result->source;
    assert_true((status == VALET_OK) == (error == NULL));
    if (error)
        (void)snprintf(o->code, sizeof o->code, "%s", error->error.code);
    if (o->cancel)
        valet_acquire_cancel(o->cancel);
    if (o->ask_again) {
        o->ask_again = false;
        valet_acquire_start(o->lot->client, &silent, on_acquired, o, NULL);
    }
    valet_auth_result_done(result);
}

/* Dispatches until `calls` were called back. */
static void
dispatch(struct lot *l, const struct outcome *o, int calls)
{
    while (o->calls < calls) {
        struct pollfd fd = {.fd = valet_client_fd(l->client), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
        valet_client_dispatch(l->client);
    }
}

static void
an_event_loop_is_called_back_by_its_dispatch(void **state)
{
    struct lot *l = *state;
    struct outcome o = {.lot = l, .ask_again = true};
    valet_request request = sign_in_request(l);
    make_client(l);
    issue(l->bench, &(struct identity){.nonce = ""});
    valet_acquire_start(l->client, &request, on_acquired, &o, NULL);
    assert_int_equal(o.calls, 0);
    dispatch(l, &o, 2); /* the second is asked for by the first */
    assert_int_equal(l->told, 1);
    assert_int_equal(o.status, VALET_OK);
    assert_int_equal(o.source, VALET_SOURCE_CACHE);
}

static void
what_is_known_at_once_waits_for_the_dispatch_too(void **state)
{
    struct lot *l = *state;
    struct outcome o = {.lot = l};
    valet_request wrong = {.scopes = NULL}, silent = {.scopes = some_scopes};
    make_client(l);
    valet_acquire_start(l->client, &wrong, on_acquired, &o, NULL);
    assert_int_equal(o.calls, 0);
    dispatch(l, &o, 1);
    assert_int_equal(o.status, VALET_INVALID);
    sign_in(l);
    valet_acquire_start(l->client, &silent, on_acquired, &o, NULL);
    assert_int_equal(o.calls, 1);
    dispatch(l, &o, 2);
    assert_int_equal(o.status, VALET_OK);
    valet_client_dispatch(l->client);
    assert_int_equal(o.calls, 2);
}

static void
a_cancelled_call_does_not_call_back(void **state)
{
    struct lot *l = *state;
    struct outcome gone = {.lot = l}, stays = {.lot = l};
    valet_request silent = {.scopes = some_scopes};
    valet_call *first = NULL, *second = NULL, *none = NULL;
    make_client(l);
    sign_in(l);
    valet_acquire_start(l->client, &silent, on_acquired, &gone, &first);
    valet_acquire_cancel(&first);
    assert_null(first);
    valet_acquire_cancel(&none);
    /* One callback cancels the call that is due after it. */
    stays.cancel = &second;
    valet_acquire_start(l->client, &silent, on_acquired, &stays, NULL);
    valet_acquire_start(l->client, &silent, on_acquired, &gone, &second);
    dispatch(l, &stays, 1);
    valet_client_dispatch(l->client);
    assert_int_equal(gone.calls, 0);
    assert_int_equal(stays.calls, 1);
}

/* A program that asks again in every callback keeps its loop all the same. */
static void
on_acquired_for_ever(valet_status status, valet_auth_result *result,
                     const valet_entra_error *error, void *ctx)
{
    struct outcome *o = ctx;
    valet_request silent = {.scopes = some_scopes};
    (void)error;
    assert_int_equal(status, VALET_OK);
    assert_true(++o->calls < 1000);
    valet_auth_result_done(result);
    valet_acquire_start(o->lot->client, &silent, on_acquired_for_ever, o, NULL);
}

static void
what_is_begun_in_a_callback_is_for_the_next_dispatch(void **state)
{
    struct lot *l = *state;
    struct outcome o = {.lot = l};
    valet_auth_result result;
    valet_request silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    assert_ok(valet_acquire(l->client, &silent, &result, NULL));
    valet_auth_result_done(&result);
    valet_acquire_start(l->client, &silent, on_acquired_for_ever, &o, NULL);
    for (int i = 1; i <= 3; i++) {
        struct pollfd fd = {.fd = valet_client_fd(l->client), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
        valet_client_dispatch(l->client);
        assert_int_equal(o.calls, i);
    }
}

static void
a_client_that_is_freed_takes_its_calls_along(void **state)
{
    struct lot *l = *state;
    struct outcome o = {.lot = l};
    valet_request request = sign_in_request(l),
                  silent = {.scopes = some_scopes};
    make_client(l);
    sign_in(l);
    refuse(l->bench, 400, "{\"error\":\"authorization_pending\"}", NULL);
    valet_acquire_start(l->client, &request, on_acquired, &o, NULL);
    valet_acquire_start(l->client, &silent, on_acquired, &o, NULL);
    valet_client_free(l->client);
    l->client = NULL;
    assert_int_equal(o.calls, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LOT(nobody_is_signed_in_at_first),
        IN_LOT(a_person_signs_in_with_a_code_and_is_silent_afterwards),
        IN_LOT(a_result_outlives_its_client),
        IN_LOT(a_token_is_asked_for_anew_when_its_time_is_over_or_on_demand),
        IN_LOT(a_token_that_was_asked_for_anew_takes_the_place_of_the_old_one),
        IN_LOT(who_has_signed_out_elsewhere_gets_no_token_here),
        IN_LOT(what_others_have_changed_is_read_once),
        IN_LOT(
            a_renewal_ahead_of_time_signs_nobody_in_who_has_signed_out_elsewhere),
        IN_LOT(an_empty_account_is_wrong_with_a_token_at_hand_too),
        IN_LOT(who_has_signed_out_is_asked_again),
        IN_LOT(of_two_accounts_none_is_the_first),
        IN_LOT(another_account_than_the_one_asked_for_does_not_get_in),
        IN_LOT(a_sign_in_ends_with_its_time),
        IN_LOT(nobody_of_many_tenants_is_asked_for_at_the_broker),
        IN_LOT(a_code_is_shown_with_the_end_of_the_sign_in),
        IN_LOT(an_application_gets_its_own_token_once),
        IN_LOT(a_refusal_tells_what_to_do),
        IN_LOT(a_request_of_the_wrong_kind_is_refused_without_a_thread),
        IN_LOT(fifty_threads_that_want_an_expired_token_are_one_request),
        IN_LOT(a_call_that_waits_is_cancelled_from_another_thread),
        IN_LOT(a_cancelled_call_opens_no_browser),
        IN_LOT(an_event_loop_is_called_back_by_its_dispatch),
        IN_LOT(what_is_known_at_once_waits_for_the_dispatch_too),
        IN_LOT(a_cancelled_call_does_not_call_back),
        IN_LOT(what_is_begun_in_a_callback_is_for_the_next_dispatch),
        IN_LOT(a_client_that_is_freed_takes_its_calls_along),
    };
    return cmocka_run_group_tests_name("client/client", tests, make_keys,
                                       free_keys);
}
