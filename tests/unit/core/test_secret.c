/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"

#include "vl_test.h"

static void
owns_a_copy(void **state)
{
    (void)state;
    char text[] = "pass\0word";
    vl_auto(vl_secret) a = vl_secret_of(vl_str_of(text, 9));
    vl_wipe(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(text[i], 0);
    assert_true(vl_str_eq(vl_secret_reveal(&a), VL_STR("pass\0word")));
    vl_auto(vl_secret) b = vl_secret_of(vl_secret_reveal(&a));
    assert_ptr_not_equal(a.bytes, b.bytes);
    assert_true(vl_secret_eq(&a, &b));
    vl_secret_done(&a);
    assert_true(vl_secret_is_empty(&a));
    vl_secret_done(&a); /* twice is fine */
}

static void
compares(void **state)
{
    (void)state;
    vl_auto(vl_secret) a = vl_secret_of(VL_STR("token-a"));
    vl_auto(vl_secret) b = vl_secret_of(VL_STR("token-b"));
    vl_auto(vl_secret) longer = vl_secret_of(VL_STR("token-a1"));
    vl_auto(vl_secret) none = vl_secret_of(VL_STR(""));
    vl_auto(vl_secret) nothing = vl_secret_of(VL_STR(""));
    assert_true(vl_secret_eq(&a, &a));
    assert_false(vl_secret_eq(&a, &b));
    assert_false(vl_secret_eq(&a, &longer));
    assert_false(vl_secret_eq(&a, &none));
    assert_true(vl_secret_is_empty(&nothing));
    assert_false(vl_secret_eq(&none, &nothing));
}

static void
wipes_nothing_gladly(void **state)
{
    (void)state;
    vl_wipe(NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owns_a_copy),
        cmocka_unit_test(compares),
        cmocka_unit_test(wipes_nothing_gladly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
