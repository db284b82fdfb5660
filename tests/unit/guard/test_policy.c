/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/policy.h"
#include "vl_test.h"

/* @spec S-66 */
static void
takes_the_alias_for_the_scope(void **state)
{
    (void)state;
    assert_true(
        vl_policy_has_scope(VL_STR("User.Read"), VL_STR("mcp.tools.read")));
    assert_true(
        vl_policy_has_scope(VL_STR("mcp.tools.read"), VL_STR("User.Read")));
    assert_true(vl_policy_has_scope(VL_STR("openid mcp.tools.read"),
                                    VL_STR("mcp.tools.read")));
}

/* @spec S-01 */
static void
finds_no_scope_that_was_not_granted(void **state)
{
    (void)state;
    assert_false(vl_policy_has_scope(VL_STR(""), VL_STR("mcp.tools.read")));
    assert_false(
        vl_policy_has_scope(VL_STR("mcp.tools"), VL_STR("mcp.tools.read")));
    assert_false(vl_policy_has_scope(VL_STR("mcp.tools.read.all"),
                                     VL_STR("mcp.tools.read")));
    assert_false(
        vl_policy_has_scope(VL_STR("user.read"), VL_STR("mcp.tools.read")));
    assert_false(vl_policy_has_scope(VL_STR("a b"), VL_STR("a b")));
    assert_false(vl_policy_has_scope(VL_STR("a  b"), VL_STR("")));
}

static void
wants_all_words_of_a_set(void **state)
{
    (void)state;
    assert_true(vl_policy_has_scopes(VL_STR("a"), VL_STR("")));
    assert_true(vl_policy_has_scopes(VL_STR("a b c"), VL_STR("c  a")));
    assert_false(vl_policy_has_scopes(VL_STR("a b c"), VL_STR("a d")));
}

/* @spec S-01 S-07 */
static void
denies_unless_the_permission_is_held(void **state)
{
    (void)state;
    struct vl_principal p = {.scopes = "mcp.tools.read"};
    assert_true(vl_policy_may_call(&p, "mcp.tools.read"));
    assert_false(vl_policy_may_call(&p, "mcp.tools.write"));
    assert_false(vl_policy_may_call(&p, ""));
    assert_false(vl_policy_may_call(&p, NULL));
    assert_false(vl_policy_may_call(NULL, "mcp.tools.read"));
    struct vl_principal none = {.scopes = ""};
    assert_false(vl_policy_may_call(&none, "mcp.tools.read"));
}

static void
describes_every_scope_it_knows(void **state)
{
    (void)state;
    struct vl_str rest = vl_str_z(vl_policy_known_scopes()), word;
    assert_true(rest.n > 0);
    while (vl_str_split(&rest, ' ', &word)) {
        assert_true(vl_policy_is_known_scope(word));
        assert_non_null(vl_policy_describe_scope(word));
    }
    assert_true(vl_policy_is_known_scope(VL_STR("User.Read")));
    assert_non_null(vl_policy_describe_scope(VL_STR("User.Read")));
    assert_false(vl_policy_is_known_scope(VL_STR("offline_access")));
    assert_false(vl_policy_is_known_scope(VL_STR("")));
    assert_null(vl_policy_describe_scope(VL_STR("Mail.Send")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_alias_for_the_scope),
        cmocka_unit_test(finds_no_scope_that_was_not_granted),
        cmocka_unit_test(wants_all_words_of_a_set),
        cmocka_unit_test(denies_unless_the_permission_is_held),
        cmocka_unit_test(describes_every_scope_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
