/* SPDX-License-Identifier: Apache-2.0
 *
 * An acquirer at the tenant, with a cache that is kept in a file, and those
 * who ask it.
 */
#ifndef VL_TEST_LOT_H
#define VL_TEST_LOT_H

#include <stdlib.h>
#include <unistd.h>

#include "cache/kept.h"
#include "desk.h"
#include "entra/acquire.h"
#include "entra/remember.h"

#define HOME  OID "." TID
#define SCOPE "User.Read"

struct lot {
    struct desk *desk;
    struct vl_acquirer acquirer;
    char folder[64], path[96];
};

/* What one caller was told. */
struct caller {
    struct bench *bench;
    struct vl_acquire **abort; /* in the callback */
    int calls;
    char access[64], home[VL_HOME_ACCOUNT_SIZE];
    valet_entra_error error;
    bool unkept;
};

static inline int
open_lot(void **state)
{
    struct lot *l = vl_alloc(sizeof *l);
    void *desk;
    assert_int_equal(open_desk(&desk), 0);
    l->desk = desk;
    l->desk->auth = (struct vl_client_auth){.kind = VL_AUTH_PUBLIC};
    (void)snprintf(l->folder, sizeof l->folder, "/tmp/valet-acquire-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->path, sizeof l->path, "%s/cache", l->folder);
    l->acquirer = (struct vl_acquirer){
        .desk = &l->desk->desk,
        .loop = l->desk->bench->loop,
        .cache = vl_cache_new(NULL),
        .host = VL_STR("login.microsoftonline.com"),
        .tenant_id = VL_STR(TID),
    };
    assert_ok(vl_keep_open_file(l->path, &l->acquirer.keep, NULL));
    vl_acquirer_init(&l->acquirer);
    *state = l;
    return 0;
}

static inline int
close_lot(void **state)
{
    static const char *const suffixes[] = {"", ".key", ".lock", ".lock.turn"};
    struct lot *l = *state;
    void *desk = l->desk;
    vl_acquirer_done(&l->acquirer);
    vl_cache_free(l->acquirer.cache);
    vl_keep_close(l->acquirer.keep);
    for (size_t i = 0; i < VL_COUNT(suffixes); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", l->path, suffixes[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(l->folder), 0);
    free(l);
    return close_desk(&desk);
}

static inline int64_t
now_s(const struct lot *l)
{
    return l->desk->bench->now_ms / 1000;
}

static inline struct vl_cache_token
token_of(const struct lot *l, const char *secret, int64_t left_s)
{
    return (struct vl_cache_token){
        .home_account_id = VL_STR(HOME),
        .environment = l->acquirer.host,
        .client_id = VL_STR(CLIENT),
        .realm = VL_STR(TID),
        .target = VL_STR(SCOPE),
        .cached_at = now_s(l) - 10,
        .expires_on = now_s(l) + left_s,
        .secret = {(char *)(uintptr_t)secret, strlen(secret)},
    };
}

static inline void
on_acquired(const struct vl_cache_token *token, const valet_entra_error *error,
            const valet_error *unkept, void *ctx)
{
    struct caller *caller = ctx;
    caller->calls++;
    assert_true(!token != !error);
    if (token) {
        copy(caller->access, sizeof caller->access,
             vl_secret_reveal(&token->secret));
        copy(caller->home, sizeof caller->home, token->home_account_id);
    } else {
        caller->error = *error;
    }
    caller->unkept = unkept;
    if (caller->abort) {
        vl_acquire_abort(caller->abort);
        caller->bench->left--;
    }
    if (--caller->bench->left == 0)
        vl_loop_stop(caller->bench->loop);
}

static inline struct vl_acquire *
start(struct lot *l, const struct vl_acquire_in *in, struct caller *caller)
{
    *caller = (struct caller){.bench = l->desk->bench};
    l->desk->bench->left++;
    return vl_acquire_start(&l->acquirer, in, on_acquired, caller);
}

static inline struct caller
after(struct lot *l, const struct vl_acquire_in *in)
{
    struct caller caller;
    (void)start(l, in, &caller);
    assert_int_equal(caller.calls, 0); /* not before it has returned */
    run(l->desk->bench);
    assert_int_equal(caller.calls, 1);
    return caller;
}

#define AT_LOT(test) cmocka_unit_test_setup_teardown(test, open_lot, close_lot)

#endif
