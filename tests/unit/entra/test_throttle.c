/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/throttle.h"

#include "vl_test.h"

static int64_t now_ms;

static int64_t
read_hand(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static const struct vl_clock hand = {read_hand, NULL};

static valet_entra_error
error_of(int http, valet_next next, int64_t retry_after_ms)
{
    valet_entra_error error = {.http_status = http,
                               .next = next,
                               .retry_after_ms = retry_after_ms,
                               .aadsts = 90055};
    error.error.status = VALET_RETRY;
    return error;
}

/* @spec S-100 */
static void
holds_a_request_as_long_as_entra_said(void **state)
{
    (void)state;
    now_ms = 1000;
    struct vl_throttle *throttle = vl_throttle_new(&hand);
    valet_entra_error error = error_of(429, VALET_NEXT_RETRY, 2000), got;
    assert_false(vl_throttle_holds(throttle, VL_STR("a"), &got));
    vl_throttle_note(throttle, VL_STR("a"), &error);
    now_ms += 500;
    assert_true(vl_throttle_holds(throttle, VL_STR("a"), &got));
    /* The same error, and the time that is left. */
    assert_int_equal(got.aadsts, 90055);
    assert_int_equal(got.http_status, 429);
    assert_int_equal(got.retry_after_ms, 1500);
    assert_false(vl_throttle_holds(throttle, VL_STR("b"), &got));
    now_ms += 1500;
    assert_false(vl_throttle_holds(throttle, VL_STR("a"), &got));
    vl_throttle_free(throttle);
    vl_throttle_free(NULL);
}

static void
holds_for_a_minute_when_nothing_was_said(void **state)
{
    (void)state;
    static const struct {
        int http;
        valet_next next;
        int64_t retry_after_ms, held_ms;
    } cases[] = {
        {503, VALET_NEXT_RETRY, -1, 60000},
        {429, VALET_NEXT_RETRY, -1, 60000},
        {400, VALET_NEXT_SIGN_IN, -1, 60000},
        {401, VALET_NEXT_ADMIN, -1, 60000},
        {400, VALET_NEXT_GIVE_UP, -1, 0},
        {400, VALET_NEXT_RETRY, -1, 0}, /* authorization_pending */
        {0, VALET_NEXT_RETRY, -1, 0},   /* the network */
        {503, VALET_NEXT_RETRY, INT64_C(86400000), 3600000},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        now_ms = 1000;
        struct vl_throttle *throttle = vl_throttle_new(&hand);
        valet_entra_error got, error = error_of(cases[i].http, cases[i].next,
                                                cases[i].retry_after_ms);
        vl_throttle_note(throttle, VL_STR("a"), &error);
        assert_int_equal(vl_throttle_holds(throttle, VL_STR("a"), &got),
                         cases[i].held_ms > 0);
        now_ms += cases[i].held_ms - 1;
        if (cases[i].held_ms)
            assert_true(vl_throttle_holds(throttle, VL_STR("a"), &got));
        now_ms++;
        assert_false(vl_throttle_holds(throttle, VL_STR("a"), &got));
        vl_throttle_free(throttle);
    }
}

/* AADSTS50196: it has been asked for too often already. */
static void
holds_what_entra_calls_a_loop(void **state)
{
    (void)state;
    now_ms = 1000;
    struct vl_throttle *throttle = vl_throttle_new(&hand);
    valet_entra_error got, error = error_of(400, VALET_NEXT_GIVE_UP, -1);
    error.aadsts = 50196;
    vl_throttle_note(throttle, VL_STR("a"), &error);
    assert_true(vl_throttle_holds(throttle, VL_STR("a"), &got));
    vl_throttle_free(throttle);
}

static void
lets_go_what_has_succeeded(void **state)
{
    (void)state;
    now_ms = 1000;
    struct vl_throttle *throttle = vl_throttle_new(&hand);
    valet_entra_error got, error = error_of(400, VALET_NEXT_SIGN_IN, -1);
    vl_throttle_note(throttle, VL_STR("a"), &error);
    vl_throttle_clear(throttle, VL_STR("a"));
    vl_throttle_clear(throttle, VL_STR("never noted"));
    assert_false(vl_throttle_holds(throttle, VL_STR("a"), &got));
    vl_throttle_free(throttle);
}

static void
is_bounded_and_survives_a_clock_that_is_put_back(void **state)
{
    (void)state;
    now_ms = INT64_C(10000000);
    struct vl_throttle *throttle = vl_throttle_new(&hand);
    valet_entra_error got, error = error_of(429, VALET_NEXT_RETRY, -1);
    char name[16];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        vl_throttle_note(throttle, vl_str_z(name), &error);
    }
    assert_false(vl_throttle_holds(throttle, VL_STR("0"), &got));
    assert_true(vl_throttle_holds(throttle, VL_STR("4999"), &got));
    now_ms = 0;
    assert_false(vl_throttle_holds(throttle, VL_STR("4999"), &got));
    vl_throttle_free(throttle);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_request_as_long_as_entra_said),
        cmocka_unit_test(holds_for_a_minute_when_nothing_was_said),
        cmocka_unit_test(holds_what_entra_calls_a_loop),
        cmocka_unit_test(lets_go_what_has_succeeded),
        cmocka_unit_test(is_bounded_and_survives_a_clock_that_is_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
