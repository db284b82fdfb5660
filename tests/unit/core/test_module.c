/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"

#include <stdlib.h>

#include "vl_test.h"

static void
says_that_a_module_is_missing(void **state)
{
    (void)state;
    const struct vl_module_name name = {"the moon", "no_such.so", "table", 1};
    const struct vl_module *module = NULL;
    valet_error err;
    assert_int_equal(vl_module_load("/nonexistent", &name, &module, &err),
                     VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, "the moon needs a module"));
    assert_non_null(strstr(err.message, "no_such.so"));
    assert_null(module);
}

/* Any module of the build, asked for as if it were another. */
static void
refuses_a_module_of_another_version(void **state)
{
    (void)state;
    struct vl_module_name name = {"the test", "keep_secret_service.so",
                                  "vl_keep_module", 0};
    const struct vl_module *module = NULL;
    const char *folder = getenv("VALET_MODULES");
    valet_error err;
    assert_int_equal(vl_module_load(folder, &name, &module, &err),
                     VALET_INTERNAL);
    assert_non_null(strstr(err.message, "is of another version"));
    name.symbol = "vl_no_such_table";
    assert_int_equal(vl_module_load(folder, &name, &module, &err),
                     VALET_INTERNAL);
    assert_null(module);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_that_a_module_is_missing),
        cmocka_unit_test(refuses_a_module_of_another_version),
    };
    return cmocka_run_group_tests_name("core/module", tests, NULL, NULL);
}
