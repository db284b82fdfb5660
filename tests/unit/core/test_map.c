/* SPDX-License-Identifier: Apache-2.0
 *
 * The source is included for its hash, which is private but has published
 * vectors.
 */
#include "core/map.c"

#include "vl_test.h"

/* Aumasson and Bernstein 2012, appendix A, and the first vectors of the
 * authors' vectors.h: key 00 01 … 0f, input 00 01 … of that length. */
static void
hashes_as_published(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint64_t hash;
    } vectors[] = {
        {0, 0x726fdb47dd0e0e31u},  {1, 0x74f839c593dc67fdu},
        {7, 0xab0200f58b01d137u},  {8, 0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
    };
    static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    char input[16];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    for (size_t i = 0; i < VL_COUNT(vectors); i++) {
        struct vl_str text =
            vl_test_guarded(vl_str_of(input, vectors[i].length));
        assert_true(sip_hash(key, text) == vectors[i].hash);
        vl_test_unguard(text);
    }
}

static void
puts_finds_and_takes(void **state)
{
    (void)state;
    int one, two;
    vl_auto(vl_map) map;
    vl_map_init(&map);
    assert_null(vl_map_find(&map, VL_STR("a")));
    assert_null(vl_map_take(&map, VL_STR("a")));
    assert_null(vl_map_put(&map, VL_STR("a"), &one));
    assert_ptr_equal(vl_map_put(&map, VL_STR("a"), &two), &one);
    assert_int_equal(vl_map_size(&map), 1);
    assert_ptr_equal(vl_map_find(&map, VL_STR("a")), &two);
    assert_null(vl_map_find(&map, VL_STR("a\0")));
    assert_null(vl_map_put(&map, VL_STR("a\0"), &one));
    assert_null(vl_map_put(&map, (struct vl_str){NULL, 0}, &one));
    assert_ptr_equal(vl_map_find(&map, VL_STR("")), &one);
    assert_ptr_equal(vl_map_take(&map, VL_STR("a")), &two);
    assert_null(vl_map_take(&map, VL_STR("a")));
    assert_ptr_equal(vl_map_find(&map, VL_STR("a\0")), &one);
    assert_int_equal(vl_map_size(&map), 2);
}

static void
keeps_a_copy_of_its_keys(void **state)
{
    (void)state;
    char key[] = "key";
    vl_auto(vl_map) map;
    vl_map_init(&map);
    assert_null(vl_map_put(&map, vl_str_z(key), key));
    key[0] = 'X';
    assert_ptr_equal(vl_map_find(&map, VL_STR("key")), key);
    assert_null(vl_map_find(&map, vl_str_z(key)));
}

static void
add_up(struct vl_str key, void *value, void *ctx)
{
    assert_true(key.n > 0);
    *(uintptr_t *)ctx += (uintptr_t)value;
}

enum { MANY = 20000 };

static struct vl_str
number(char text[16], unsigned i)
{
    (void)snprintf(text, 16, "%u", i);
    return vl_str_z(text);
}

static void
holds_many(void **state)
{
    (void)state;
    char text[16];
    uintptr_t sum = 0, wanted = 0;
    vl_auto(vl_map) map;
    vl_map_init(&map);
    for (unsigned i = 1; i <= MANY; i++)
        assert_null(vl_map_put(&map, number(text, i), (void *)(uintptr_t)i));
    for (unsigned i = 1; i <= MANY; i += 2)
        assert_ptr_equal(vl_map_take(&map, number(text, i)),
                         (void *)(uintptr_t)i);
    assert_int_equal(vl_map_size(&map), MANY / 2);
    for (unsigned i = 1; i <= MANY; i++) {
        void *value = vl_map_find(&map, number(text, i));
        assert_ptr_equal(value, i % 2 ? NULL : (void *)(uintptr_t)i);
        wanted += (uintptr_t)value;
    }
    vl_map_each(&map, add_up, &sum);
    assert_int_equal(sum, wanted);
    vl_map_done(&map);
    assert_int_equal(vl_map_size(&map), 0);
    assert_null(vl_map_find(&map, VL_STR("2")));
}

/* Keys collide or not by chance, not by what strangers choose. */
static void
has_a_key_of_its_own(void **state)
{
    (void)state;
    vl_auto(vl_map) a, b;
    vl_map_init(&a);
    vl_map_init(&b);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_published),
        cmocka_unit_test(puts_finds_and_takes),
        cmocka_unit_test(keeps_a_copy_of_its_keys),
        cmocka_unit_test(holds_many),
        cmocka_unit_test(has_a_key_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
