/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver that is never there, and what a batch says before it was asked.
 */
#include "kit.h"

/* @spec S-93 */
static void
answers_nothing_but_retry(void **state)
{
    (void)state;
    struct kit *kit = kit_prepare(true);
    kit->store = vl_store_open_failing();
    for (unsigned verb = VL_STORE_GET; verb <= VL_STORE_LIST; verb++) {
        struct vl_store_batch *batch = kit_batch(kit);
        (void)kit_add(batch, (enum vl_store_verb)verb, VL_STORE_SESSION, "k");
        assert_int_equal(kit_run(kit, batch), VALET_RETRY);
        assert_int_not_equal(batch->ops[0].status, VALET_OK);
        assert_int_equal(vl_buf_size(&batch->ops[0].found), 0);
        vl_store_batch_free(batch);
    }
    kit_free(kit);
}

static void
says_no_before_it_was_asked(void **state)
{
    (void)state;
    struct vl_store_batch *batch = vl_store_batch_new(NULL, NULL);
    struct vl_store_op *op =
        kit_add(batch, VL_STORE_TAKE, VL_STORE_CODE, "code");
    assert_int_not_equal(batch->status, VALET_OK);
    assert_int_not_equal(op->status, VALET_OK);
    assert_int_equal(op->if_version, VL_STORE_ANY);
    vl_store_batch_free(batch);
    vl_store_batch_free(NULL);
}

static void
names_every_section_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VL_SECTION_COUNT; i++) {
        const char *name = vl_section_name((enum vl_section)i);
        assert_non_null(name);
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(name,
                                    vl_section_name((enum vl_section)other));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_nothing_but_retry),
        cmocka_unit_test(says_no_before_it_was_asked),
        cmocka_unit_test(names_every_section_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
