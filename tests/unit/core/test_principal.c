/* SPDX-License-Identifier: Apache-2.0 */
#include "core/principal.h"

#include "vl_test.h"

static const struct vl_principal someone = {
    .client = {"client"},
    .user = {"aaaaaaaa-0000-4000-8000-000000000001",
             "bbbbbbbb-0000-4000-8000-000000000002"},
    .session = "session",
    .scopes = "mcp",
    .expires_ms = 1,
};

/* @spec S-68 S-14 */
static void
is_the_same_only_in_all_of_client_user_and_session(void **state)
{
    (void)state;
    struct vl_principal other = someone;
    assert_true(vl_principal_same(&someone, &other));
    other.client.text[0] = 'C';
    assert_false(vl_principal_same(&someone, &other));
    other = someone;
    other.user.tid[35] = '9';
    assert_false(vl_principal_same(&someone, &other));
    other = someone;
    other.user.oid[0] = 'c';
    assert_false(vl_principal_same(&someone, &other));
    other = someone;
    other.session[6] = '\0';
    assert_false(vl_principal_same(&someone, &other));
    other = (struct vl_principal){.expires_ms = 1};
    assert_false(vl_principal_same(&someone, &other));
}

/* A fresh access token of the same family is the same principal. */
static void
stays_the_same_when_its_token_is_renewed(void **state)
{
    (void)state;
    struct vl_principal renewed = someone;
    renewed.expires_ms = 99;
    renewed.scopes[0] = '\0';
    assert_true(vl_principal_same(&someone, &renewed));
}

static void
knows_guids(void **state)
{
    (void)state;
    static const char *const good[] = {"aaaaaaaa-0000-4000-8000-000000000001",
                                       "ABCDEFab-cdef-0123-4567-89aBcDeF0000"};
    static const char *const bad[] = {
        "",
        "contoso.example",
        "aaaaaaaa-0000-4000-8000-00000000000",
        "aaaaaaaa-0000-4000-8000-0000000000012",
        "aaaaaaaa00000-4000-8000-000000000001",
        "aaaaaaa-a0000-4000-8000-000000000001",
        "gaaaaaaa-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-00000000000/",
        "{aaaaaaa-0000-4000-8000-00000000000}",
        "------------------------------------",
    };
    for (size_t i = 0; i < VL_COUNT(good); i++)
        assert_true(vl_guid_is_valid(vl_str_z(good[i])));
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_false(vl_guid_is_valid(vl_str_z(bad[i])));
    assert_false(vl_guid_is_valid((struct vl_str){NULL, 0}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_same_only_in_all_of_client_user_and_session),
        cmocka_unit_test(stays_the_same_when_its_token_is_renewed),
        cmocka_unit_test(knows_guids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
