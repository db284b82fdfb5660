/* SPDX-License-Identifier: Apache-2.0 */
#include "core/installed.h"

#include <limits.h>
#include <stdlib.h>

#include "vl_test.h"

static void
our_programs_find_the_modules_of_their_prefix(void **state)
{
    (void)state;
    char found[PATH_MAX], wanted[PATH_MAX];
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX);
    vl_modules_of_program(&path);
    assert_non_null(realpath(vl_buf_cstr(&path), found));
    assert_non_null(realpath(getenv("VALET_MODULES"), wanted));
    assert_string_equal(found, wanted);
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
        cmocka_unit_test(our_programs_find_the_modules_of_their_prefix),
        cmocka_unit_test(
            a_program_with_the_static_library_is_not_looked_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
