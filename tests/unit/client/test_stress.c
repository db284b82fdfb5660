/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything at once, on many threads: nothing hangs, nothing is called twice,
 * nothing is left (the sanitizers look on). @spec S-24 S-31 W-40
 */
#include <poll.h>
#include <stdatomic.h>

#include "client/engine.h"
#include "entra/remember.h"
#include "lot.h"

enum { THREADS = 6, ROUNDS = 150, STARTED = 8 };

static struct vl_cache_token
token_of(struct vl_engine *engine, const char *secret)
{
    int64_t now_s = vl_clock_now(engine->client->clock) / 1000;
    return (struct vl_cache_token){
        .home_account_id = VL_STR(OID "." TID),
        .environment =
            vl_cache_environment(engine->cache, vl_engine_host(engine)),
        .client_id = VL_STR(CLIENT),
        .realm = VL_STR(TID),
        .target = VL_STR(SCOPE),
        .cached_at = now_s,
        .expires_on = now_s + 3600,
        .secret = {(char *)(uintptr_t)secret, strlen(secret)},
    };
}

/* Somebody signs in, faster than a person can. */
static valet_status
sign_in_now(struct vl_engine *engine, void *ctx, valet_error *err)
{
    struct vl_cache_token refresh = token_of(engine, "rt");
    struct vl_cache_account account = {.home_account_id =
                                           refresh.home_account_id,
                                       .environment = refresh.environment,
                                       .realm = refresh.realm,
                                       .local_account_id = VL_STR(OID),
                                       .username = VL_STR("user@x.example")};
    (void)ctx;
    VL_TRY(
        vl_cache_put_account(engine->cache, &account, refresh.cached_at, err));
    VL_TRY(vl_cache_put_token(engine->cache, VL_CACHE_REFRESH_TOKEN, &refresh,
                              VL_CACHE_SIGNED_IN, refresh.cached_at, err));
    return vl_engine_save(engine, err);
}

struct worker {
    struct lot *lot;
    pthread_t thread;
    unsigned seed;
    atomic_uint *tokens;
};

static unsigned
draw(struct worker *worker, unsigned below)
{
    worker->seed = worker->seed * 1103515245U + 12345U;
    return (worker->seed >> 16) % below;
}

static void
ask(struct worker *worker, bool renew)
{
    valet_auth_result result;
    valet_entra_error error = {.error = {.status = VALET_OK}};
    valet_request request = {.scopes = some_scopes, .renew = renew};
    valet_status status =
        valet_acquire(worker->lot->client, &request, &result, &error);
    assert_int_equal(status, error.error.status);
    if (status == VALET_OK) {
        assert_string_equal(result.access_token, "upstream-access");
        (void)atomic_fetch_add(worker->tokens, 1);
    } else {
        assert_null(result.access_token);
        assert_true(status == VALET_NOT_FOUND || status == VALET_DENIED ||
                    status == VALET_CANCELLED);
    }
    valet_auth_result_done(&result);
}

static void
list(struct worker *worker)
{
    valet_account_list accounts;
    assert_ok(valet_accounts(worker->lot->client, &accounts, NULL));
    assert_true(accounts.count <= 1);
    valet_account_list_done(&accounts);
}

static void *
work(void *ctx)
{
    struct worker *worker = ctx;
    valet_client *client = worker->lot->client;
    for (int i = 0; i < ROUNDS; i++) {
        switch (draw(worker, 12)) {
        case 0:
            (void)!valet_sign_out(client, OID "." TID, NULL);
            break;
        case 1:
        case 2:
            assert_ok(vl_engine_do(client->engine, sign_in_now, NULL, NULL));
            break;
        case 3:
            list(worker);
            break;
        case 4:
            valet_client_cancel(client);
            break;
        case 5:
        case 6:
            ask(worker, true);
            break;
        default:
            ask(worker, false);
            break;
        }
    }
    return NULL;
}

/* --- the event loop's thread --- */

struct started {
    valet_call *call; /* NULL: free, or called back */
    bool cancelled;
};

static void
on_acquired(valet_status status, valet_auth_result *result,
            const valet_entra_error *error, void *ctx)
{
    struct started *started = ctx;
    assert_false(started->cancelled);
    assert_non_null(started->call);
    assert_true((status == VALET_OK) == (error == NULL));
    started->call = NULL;
    valet_auth_result_done(result);
}

/* Starts, cancels and dispatches until the others have finished. */
static void
loop(struct worker *worker, atomic_bool *over)
{
    static struct started all[STARTED];
    valet_client *client = worker->lot->client;
    valet_request request = {.scopes = some_scopes};
    while (!atomic_load(over)) {
        struct started *one = &all[draw(worker, STARTED)];
        if (!one->call) {
            *one = (struct started){.cancelled = false};
            request.renew = draw(worker, 2);
            valet_acquire_start(client, &request, on_acquired, one, &one->call);
        } else if (draw(worker, 2)) {
            one->cancelled = true;
            valet_acquire_cancel(&one->call);
        }
        struct pollfd fd = {.fd = valet_client_fd(client), .events = POLLIN};
        (void)poll(&fd, 1, 1);
        valet_client_dispatch(client);
    }
    /* What is still there goes with the client. */
}

struct over {
    struct worker *workers;
    atomic_bool *over;
};

static void *
wait_for_all(void *ctx)
{
    struct over *o = ctx;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(o->workers[i].thread, NULL), 0);
    atomic_store(o->over, true);
    return NULL;
}

static void
threads_that_do_everything_at_once_come_to_an_end(void **state)
{
    struct lot *l = *state;
    struct worker workers[THREADS + 1];
    atomic_uint tokens = 0;
    atomic_bool over = false;
    struct over all = {workers, &over};
    pthread_t waiting;
    make_client(l);
    issue(l->bench, NULL);
    assert_ok(vl_client_start(l->client, NULL));
    assert_ok(vl_engine_do(l->client->engine, sign_in_now, NULL, NULL));
    for (unsigned i = 0; i <= THREADS; i++)
        workers[i] = (struct worker){.lot = l, .seed = i, .tokens = &tokens};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    assert_int_equal(pthread_create(&waiting, NULL, wait_for_all, &all), 0);
    loop(&workers[THREADS], &over);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    assert_true(atomic_load(&tokens) > ROUNDS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LOT(threads_that_do_everything_at_once_come_to_an_end),
    };
    return cmocka_run_group_tests_name("client/stress", tests, make_keys,
                                       free_keys);
}
