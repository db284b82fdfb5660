/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the tenant, with what its callbacks were told.
 */
#ifndef VL_TEST_DESK_H
#define VL_TEST_DESK_H

#include "entra/grant.h"
#include "tenant.h"

/* What the callback was told. */
struct told {
    struct bench *bench;
    int calls;
    bool answered;
    char access[64], scope[64], family[8];
    int64_t expires_ms, extended_ms, refresh_ms;
    valet_entra_error error;
};

struct desk {
    struct bench *bench;
    struct vl_client_auth auth;
    struct vl_instance instance;
    struct vl_grant_desk desk;
    struct vl_str claims; /* of a challenge */
    struct told told[RESULTS];
};

static inline int
open_desk(void **state)
{
    struct desk *d = vl_alloc(sizeof *d);
    void *bench;
    assert_int_equal(open_bench(&bench), 0);
    struct bench *b = d->bench = bench;
    d->auth =
        (struct vl_client_auth){.kind = VL_AUTH_SECRET, .secret = &b->secret};
    d->instance = (struct vl_instance){.host = b->peer.origin, .tenant = TID};
    d->desk = (struct vl_grant_desk){
        .fetcher = b->fetcher,
        .authority =
            vl_authority_new(b->loop, b->fetcher, &b->clock, &d->instance),
        .clock = &b->clock,
        .throttle = vl_throttle_new(&b->clock),
        .auth = &d->auth,
        .client_id = CLIENT,
    };
    for (size_t i = 0; i < RESULTS; i++)
        d->told[i].bench = b;
    *state = d;
    return 0;
}

static inline int
close_desk(void **state)
{
    struct desk *d = *state;
    void *bench = d->bench;
    vl_authority_free(d->desk.authority);
    vl_throttle_free(d->desk.throttle);
    free(d);
    return close_bench(&bench);
}

static inline void
on_done(struct vl_token_answer *answer, const valet_entra_error *error,
        void *ctx)
{
    struct told *told = ctx;
    told->calls++;
    assert_true(!answer != !error);
    told->answered = answer;
    if (answer) {
        copy(told->access, sizeof told->access,
             vl_secret_reveal(&answer->tokens.access.secret));
        copy(told->scope, sizeof told->scope, answer->scope);
        copy(told->family, sizeof told->family, answer->family_id);
        told->expires_ms = answer->tokens.expires_ms;
        told->extended_ms = answer->extended_ms;
        told->refresh_ms = answer->refresh_ms;
    } else {
        told->error = *error;
    }
    if (--told->bench->left == 0)
        vl_loop_stop(told->bench->loop);
}

#define AT_DESK(test)                                                          \
    cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

#endif
