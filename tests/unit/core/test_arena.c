/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#include "vl_test.h"

static void
gives_zeroed_and_aligned_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 16, 17, 4000, 4001, 100000, 3};
    vl_auto(vl_arena) arena = vl_arena_of(1000000);
    char *last = NULL;
    for (size_t i = 0; i < VL_COUNT(sizes); i++) {
        char *p = vl_arena_alloc(&arena, sizes[i]);
        assert_non_null(p);
        assert_ptr_not_equal(p, last);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xff, sizes[i]);
        last = p;
    }
}

static void
stops_at_its_maximum(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(160);
    assert_null(vl_arena_alloc(&arena, 161));
    assert_non_null(vl_arena_alloc(&arena, 160));
    assert_null(vl_arena_alloc(&arena, 1));
    assert_null(vl_arena_alloc(&arena, 0));
    vl_arena_done(&arena);
    assert_non_null(vl_arena_alloc(&arena, 160)); /* usable again */
    vl_auto(vl_arena) none = vl_arena_of(0);
    assert_null(vl_arena_alloc(&none, 0));
}

/* A million pieces of one byte cost what they take, not a million bytes. */
static void
counts_what_small_pieces_cost(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(16000);
    size_t pieces = 0;
    while (vl_arena_alloc(&arena, pieces % 2))
        pieces++;
    assert_int_equal(pieces, 16000 / _Alignof(max_align_t));
}

static void
survives_absurd_sizes(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(SIZE_MAX);
    /* Where rounding up, and then a chunk's head, would wrap around. */
    for (size_t less = 0; less < 40; less++)
        assert_null(vl_arena_alloc(&arena, SIZE_MAX - less));
    assert_null(vl_arena_dup(&arena, vl_str_of("x", SIZE_MAX)).p);
    assert_non_null(vl_arena_alloc(&arena, 1));
}

/* What is cleared is empty, zeroed, and for small amounts the same memory. */
static void
starts_again_when_cleared(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(20000);
    vl_arena_clear(&arena);
    char *first = vl_arena_alloc(&arena, 3000);
    assert_non_null(first);
    memset(first, 0xff, 3000);
    memset(vl_arena_alloc(&arena, 3000), 0xff, 3000);
    memset(vl_arena_alloc(&arena, 9000), 0xff, 9000);
    vl_arena_clear(&arena);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(first[i], 0); /* wiped, and still there */
    assert_ptr_equal(vl_arena_alloc(&arena, 16), first);
    assert_non_null(vl_arena_alloc(&arena, 19984));
    assert_null(vl_arena_alloc(&arena, 1));
}

/* A large piece is not kept for a small need. */
static void
gives_large_memory_back_when_cleared(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(20000);
    memset(vl_arena_alloc(&arena, 20000), 0xff, 20000);
    vl_arena_clear(&arena);
    assert_null(arena.chunks);
    char *p = vl_arena_alloc(&arena, 20000);
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(p[i], 0);
}

static void
copies_texts(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(64);
    char text[] = "name";
    struct vl_str copy = vl_arena_dup(&arena, vl_str_z(text));
    text[0] = 'X';
    assert_str(copy, "name");
    assert_int_equal(copy.p[4], '\0');
    copy = vl_arena_dup(&arena, (struct vl_str){NULL, 0});
    assert_non_null(copy.p);
    assert_int_equal(copy.n, 0);
    assert_string_equal(vl_arena_cstr(&arena, VL_STR("abc")), "abc");
    assert_null(vl_arena_cstr(&arena, VL_STR("0123456789abcdef")));
    assert_null(vl_arena_dup(&arena, VL_STR("0123456789abcdef")).p);
    assert_non_null(vl_arena_cstr(&arena, VL_STR("0123456789abcde")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_and_aligned_memory),
        cmocka_unit_test(stops_at_its_maximum),
        cmocka_unit_test(counts_what_small_pieces_cost),
        cmocka_unit_test(survives_absurd_sizes),
        cmocka_unit_test(starts_again_when_cleared),
        cmocka_unit_test(gives_large_memory_back_when_cleared),
        cmocka_unit_test(copies_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
