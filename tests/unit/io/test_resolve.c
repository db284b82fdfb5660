/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "io/resolve.h"

struct seen {
    struct vl_loop *loop;
    int calls;
    size_t count;
    char first[VL_ADDRESS_SIZE];
};

static void
on_resolved(const char (*addresses)[VL_ADDRESS_SIZE], size_t count, void *ctx)
{
    struct seen *seen = ctx;
    seen->calls++;
    seen->count = count;
    if (count)
        memcpy(seen->first, addresses[0], VL_ADDRESS_SIZE);
    vl_loop_stop(seen->loop);
}

static struct seen
resolve(const char *host)
{
    struct seen seen = {.calls = 0};
    assert_ok(vl_loop_new(&seen.loop, NULL));
    (void)vl_resolve_start(seen.loop, host, on_resolved, &seen);
    assert_int_equal(seen.calls, 0);
    vl_loop_run(seen.loop);
    vl_loop_free(seen.loop);
    assert_int_equal(seen.calls, 1);
    return seen;
}

static void
an_address_is_its_own_answer(void **state)
{
    (void)state;
    static const char *const numbers[] = {"192.0.2.7", "2001:db8::1"};
    for (size_t i = 0; i < VL_COUNT(numbers); i++) {
        struct seen seen = resolve(numbers[i]);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.first, numbers[i]);
    }
}

static void
a_name_has_its_addresses_each_once(void **state)
{
    (void)state;
    struct seen seen = resolve("localhost");
    assert_true(seen.count == 1 || seen.count == 2);
    assert_true(vl_address_is_loopback(seen.first));
}

static void
a_name_that_nobody_knows_has_none(void **state)
{
    (void)state;
    assert_int_equal(resolve("a.invalid").count, 0);
    assert_int_equal(resolve("").count, 0);
}

/* Whatever the thread is at: it is not waited for, and frees what it has. */
static void
who_gives_up_hears_nothing_and_does_not_wait(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "a.invalid", "192.0.2.7"};
    for (int i = 0; i < 60; i++) {
        struct seen seen = {.calls = 0};
        assert_ok(vl_loop_new(&seen.loop, NULL));
        struct vl_resolve *op =
            vl_resolve_start(seen.loop, names[i % 3], on_resolved, &seen);
        struct vl_resolve *other =
            vl_resolve_start(seen.loop, names[i % 3], on_resolved, &seen);
        vl_resolve_abort(&op);
        assert_null(op);
        vl_resolve_abort(&op);
        if (i % 2)
            vl_resolve_abort(&other);
        else
            vl_loop_run(seen.loop);
        vl_loop_free(seen.loop);
        assert_int_equal(seen.calls, i % 2 ? 0 : 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_its_own_answer),
        cmocka_unit_test(a_name_has_its_addresses_each_once),
        cmocka_unit_test(a_name_that_nobody_knows_has_none),
        cmocka_unit_test(who_gives_up_hears_nothing_and_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
