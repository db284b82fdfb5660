/* SPDX-License-Identifier: Apache-2.0 */
#include "core/installed.h"

#include <limits.h>
#include <stdlib.h>

#include "vl_test.h"

static void
our_programs_find_the_helpers_of_their_prefix(void **state)
{
    (void)state;
    char found[PATH_MAX], wanted[PATH_MAX];
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_helper_path(&path, "modules"); /* they lie in the same folder */
    assert_non_null(realpath(vl_buf_cstr(&path), found));
    assert_non_null(realpath(getenv("VALET_MODULES"), wanted));
    assert_string_equal(found, wanted);
}

static void
helpers_are_looked_for_where_they_are_not_too(void **state)
{
    (void)state;
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) other = vl_buf_of(PATH_MAX);
    vl_helper_path(&path, "modules");
    vl_helper_path(&other, "nowhere");
    struct vl_str folder = vl_buf_str(&path);
    folder = vl_str_head(folder, folder.n - strlen("modules"));
    assert_true(vl_str_starts(vl_buf_str(&other), folder));
    assert_true(vl_str_ends(vl_buf_str(&other), VL_STR("/nowhere")));
}

/* This one lies elsewhere. */
static void
a_helper_without_modules_beside_it_asks_for_those_of_the_build(void **state)
{
    (void)state;
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_modules_of_helper(&path);
    assert_int_equal(vl_buf_cstr(&path)[0], '/');
    assert_true(vl_str_ends(vl_buf_str(&path), VL_STR("/mcp-valet/modules")));
    assert_string_not_equal(vl_buf_cstr(&path), getenv("VALET_MODULES"));
}

static void
a_program_with_the_static_library_is_not_looked_around(void **state)
{
    (void)state;
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_modules_of_library(&path);
    /* The folder of an installation that may not be there; not ours. */
    assert_int_equal(vl_buf_cstr(&path)[0], '/');
    assert_true(vl_str_ends(vl_buf_str(&path), VL_STR("/mcp-valet/modules")));
    assert_string_not_equal(vl_buf_cstr(&path), getenv("VALET_MODULES"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_programs_find_the_helpers_of_their_prefix),
        cmocka_unit_test(helpers_are_looked_for_where_they_are_not_too),
        cmocka_unit_test(
            a_helper_without_modules_beside_it_asks_for_those_of_the_build),
        cmocka_unit_test(
            a_program_with_the_static_library_is_not_looked_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
