/* SPDX-License-Identifier: Apache-2.0 */
#include "core/buf.h"

#include <wchar.h>

#include "vl_test.h"

static void
appends_all_kinds(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(1000);
    vl_buf_add(&b, VL_STR("a\0b"));
    vl_buf_addz(&b, "cd");
    vl_buf_addz(&b, NULL);
    vl_buf_addc(&b, 'e');
    vl_buf_addu(&b, 0);
    vl_buf_addu(&b, UINT64_MAX);
    vl_buf_addf(&b, "%s-%d", "f", -7);
    vl_buf_addf(&b, "%s", "");
    vl_buf_add(&b, (struct vl_str){NULL, 0});
    struct vl_str wanted = VL_STR("a\0bcde018446744073709551615f--7");
    assert_true(vl_str_eq(vl_buf_str(&b), wanted));
    assert_int_equal(vl_buf_size(&b), wanted.n);
    assert_ok(vl_buf_check(&b, NULL));
}

static void
holds_its_maximum_and_not_a_byte_more(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(5);
    vl_buf_addz(&b, "12345");
    assert_ok(vl_buf_check(&b, NULL));
    assert_string_equal(vl_buf_cstr(&b), "12345");
    vl_buf_addc(&b, '6');
    valet_error err = {.status = VALET_OK};
    assert_int_equal(vl_buf_check(&b, &err), VALET_LIMIT);
    assert_string_equal(err.message, "more than 5 bytes");
    assert_str(vl_buf_str(&b), "12345");

    vl_auto(vl_buf) exact = vl_buf_of(5);
    vl_buf_addf(&exact, "%d", 12345);
    assert_string_equal(vl_buf_cstr(&exact), "12345");
    vl_auto(vl_buf) none = vl_buf_of(0);
    assert_ok(vl_buf_check(&none, NULL));
    vl_buf_addc(&none, 'x');
    assert_int_equal(vl_buf_check(&none, NULL), VALET_LIMIT);
}

/* What fits after a refusal must not be appended: it would leave a hole. */
static void
stays_failed(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(4);
    vl_buf_addz(&b, "ab");
    vl_buf_addz(&b, "cde");
    vl_buf_addc(&b, 'x');
    vl_buf_addu(&b, 1);
    vl_buf_addf(&b, "y");
    assert_null(vl_buf_reserve(&b, 0));
    assert_str(vl_buf_str(&b), "ab");
    assert_string_equal(vl_buf_cstr(&b), "");
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
    vl_buf_consume(&b, 2); /* room alone does not heal it */
    vl_buf_addc(&b, 'x');
    assert_int_equal(vl_buf_size(&b), 0);
    vl_buf_clear(&b);
    assert_ok(vl_buf_check(&b, NULL));
    vl_buf_addz(&b, "wxyz");
    assert_string_equal(vl_buf_cstr(&b), "wxyz");
}

static void
fails_when_a_format_cannot_be_printed(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    /* The locale "C" has no letter for it: vsnprintf() refuses. */
    vl_buf_addf(&b, "%lc", (wint_t)0x20ac);
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
}

static void
survives_absurd_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2};
    for (size_t i = 0; i < VL_COUNT(sizes); i++) {
        vl_auto(vl_buf) b = vl_buf_of(SIZE_MAX);
        vl_buf_addz(&b, "some");
        assert_null(vl_buf_reserve(&b, sizes[i]));
        assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
        assert_str(vl_buf_str(&b), "some");
        vl_auto(vl_buf) small = vl_buf_of(10);
        vl_buf_addz(&small, "some");
        assert_null(vl_buf_reserve(&small, sizes[i]));
    }
}

static void
grows_with_its_content_in_place(void **state)
{
    (void)state;
    bool kinds[] = {false, true};
    for (size_t k = 0; k < VL_COUNT(kinds); k++) {
        vl_auto(vl_buf) b =
            kinds[k] ? vl_buf_of_secret(100000) : vl_buf_of(100000);
        for (unsigned i = 0; i < 100000; i++)
            vl_buf_addc(&b, (char)('a' + i % 26));
        assert_ok(vl_buf_check(&b, NULL));
        struct vl_str all = vl_buf_str(&b);
        assert_int_equal(all.n, 100000);
        for (unsigned i = 0; i < 100000; i++)
            assert_int_equal(all.p[i], 'a' + i % 26);
    }
}

static void
consumes_and_uses_the_room_again(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(10);
    for (int i = 0; i < 1000; i++) {
        vl_buf_addz(&b, "abcdefg");
        vl_buf_consume(&b, 3);
        assert_str(vl_buf_str(&b), "defg");
        vl_buf_addz(&b, "hijklm");
        assert_string_equal(vl_buf_cstr(&b), "defghijklm");
        vl_buf_consume(&b, 10);
        assert_int_equal(vl_buf_size(&b), 0);
    }
    assert_ok(vl_buf_check(&b, NULL));
    assert_true(b.cap <= 11);
}

static void
lends_room(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(8);
    char *room = vl_buf_reserve(&b, 8);
    assert_non_null(room);
    memcpy(room, "12345678", 8);
    vl_buf_commit(&b, 3);
    assert_str(vl_buf_str(&b), "123");
    assert_null(vl_buf_reserve(&b, 6));
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
}

static void
moves_its_content_out(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of_secret(16);
    vl_buf_addz(&b, "content");
    vl_auto(vl_buf) taken = vl_buf_take(&b);
    assert_str(vl_buf_str(&taken), "content");
    assert_true(taken.secret);
    assert_int_equal(vl_buf_size(&b), 0);
    assert_true(b.secret);
    vl_buf_addz(&b, "again");
    assert_string_equal(vl_buf_cstr(&b), "again");
    vl_buf_done(&b);
    assert_string_equal(vl_buf_cstr(&b), "");
    assert_true(b.secret && b.max == 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_all_kinds),
        cmocka_unit_test(holds_its_maximum_and_not_a_byte_more),
        cmocka_unit_test(stays_failed),
        cmocka_unit_test(fails_when_a_format_cannot_be_printed),
        cmocka_unit_test(survives_absurd_sizes),
        cmocka_unit_test(grows_with_its_content_in_place),
        cmocka_unit_test(consumes_and_uses_the_room_again),
        cmocka_unit_test(lends_room),
        cmocka_unit_test(moves_its_content_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
