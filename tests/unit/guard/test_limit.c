/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/limit.h"
#include "vl_test.h"

static int64_t
read_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

#define KEY(i)                                                                 \
    ((struct vl_str){(const char *)&(const uint32_t){(uint32_t)(i)},           \
                     sizeof(uint32_t)})

/* @spec S-100 W-29 */
static void
gives_the_burst_and_then_an_even_flow(void **state)
{
    (void)state;
    int64_t now = 1000000;
    struct vl_clock clock = {read_hand, &now};
    struct vl_limiter *limiter = vl_limiter_new(3, 60000, 10, &clock);
    int64_t wait = -1;
    for (int i = 0; i < 3; i++)
        assert_true(vl_limiter_take(limiter, VL_STR("a"), &wait));
    assert_int_equal(wait, -1);
    assert_false(vl_limiter_take(limiter, VL_STR("a"), &wait));
    assert_int_equal(wait, 20000);
    /* Another key is not concerned. */
    assert_true(vl_limiter_take(limiter, VL_STR("b"), NULL));
    now += 19999;
    assert_false(vl_limiter_take(limiter, VL_STR("a"), &wait));
    assert_int_equal(wait, 1);
    now += 1;
    assert_true(vl_limiter_take(limiter, VL_STR("a"), &wait));
    assert_false(vl_limiter_take(limiter, VL_STR("a"), NULL));
    now += 60000;
    for (int i = 0; i < 3; i++)
        assert_true(vl_limiter_take(limiter, VL_STR("a"), NULL));
    assert_false(vl_limiter_take(limiter, VL_STR("a"), NULL));
    vl_limiter_free(limiter);
}

static void
loses_no_tokens_by_rounding(void **state)
{
    (void)state;
    int64_t now = 0;
    struct vl_clock clock = {read_hand, &now};
    struct vl_limiter *limiter = vl_limiter_new(7, 1000, 10, &clock);
    int taken = 0;
    for (; now < 100000; now++)
        taken += vl_limiter_take(limiter, VL_STR("a"), NULL);
    /* The burst, then seven a second. */
    assert_in_range(taken, 7 + 699, 7 + 700);
    vl_limiter_free(limiter);
}

/* Who has used up his bucket must not get a new one by crowding it out. */
static void
drops_the_fullest_when_the_table_is_full(void **state)
{
    (void)state;
    int64_t now = 0;
    struct vl_clock clock = {read_hand, &now};
    struct vl_limiter *limiter = vl_limiter_new(5, 60000, 8, &clock);
    while (vl_limiter_take(limiter, VL_STR("greedy"), NULL))
        ;
    for (int i = 0; i < 10000; i++)
        assert_true(vl_limiter_take(limiter, KEY(i), NULL));
    assert_false(vl_limiter_take(limiter, VL_STR("greedy"), NULL));
    vl_limiter_free(limiter);
}

static void
agrees_with_a_plain_model(void **state)
{
    (void)state;
    enum { KEYS = 40, BURST = 4, PER = 400 };
    int64_t now = 5, full_at[KEYS] = {0};
    struct vl_clock clock = {read_hand, &now};
    struct vl_limiter *limiter = vl_limiter_new(BURST, PER, KEYS, &clock);
    uint32_t seed = 1;
    for (int round = 0; round < 50000; round++) {
        seed = seed * 1664525u + 1013904223u;
        size_t key = (seed >> 8) % KEYS;
        now += (seed >> 20) % 7;
        if (full_at[key] < now)
            full_at[key] = now;
        bool room = full_at[key] + PER / BURST <= now + PER;
        assert_int_equal(vl_limiter_take(limiter, KEY(key), NULL), room);
        if (room)
            full_at[key] += PER / BURST;
    }
    vl_limiter_free(limiter);
}

static void
waits_no_longer_when_the_clock_was_put_back(void **state)
{
    (void)state;
    int64_t now = INT64_C(1700000000000), wait = 0;
    struct vl_clock clock = {read_hand, &now};
    struct vl_limiter *limiter = vl_limiter_new(2, 1000, 4, &clock);
    assert_true(vl_limiter_take(limiter, VL_STR("a"), NULL));
    now -= 86400000;
    assert_false(vl_limiter_take(limiter, VL_STR("a"), &wait));
    assert_int_equal(wait, 500);
    now += 500;
    assert_true(vl_limiter_take(limiter, VL_STR("a"), NULL));
    vl_limiter_free(limiter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_burst_and_then_an_even_flow),
        cmocka_unit_test(loses_no_tokens_by_rounding),
        cmocka_unit_test(drops_the_fullest_when_the_table_is_full),
        cmocka_unit_test(agrees_with_a_plain_model),
        cmocka_unit_test(waits_no_longer_when_the_clock_was_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
