/* SPDX-License-Identifier: Apache-2.0
 *
 * Which account is meant, among people of several tenants and their guests.
 */
#include "client/account.h"
#include "vl_test.h"

#define CLIENT "dddddddd-0000-4000-8000-000000000004"
#define FIRST  "aaaaaaaa-0000-4000-8000-000000000001"
#define SECOND "aaaaaaaa-0000-4000-8000-000000000002"
#define THIRD  "aaaaaaaa-0000-4000-8000-000000000003"
#define ANN    "bbbbbbbb-0000-4000-8000-000000000001." FIRST
#define BOB    "bbbbbbbb-0000-4000-8000-000000000002." SECOND
#define GUEST  "bbbbbbbb-0000-4000-8000-000000000003." THIRD

static const char *const tenants[] = {FIRST, SECOND, NULL};

struct asked {
    struct vl_account_wish wish;
    char home[128], realm[64];
};

static valet_status
put(struct vl_engine *engine, const char *home, const char *name,
    const char *realm)
{
    struct vl_cache_account account = {
        .home_account_id = vl_str_z(home),
        .environment = VL_STR("login.microsoftonline.com"),
        .realm = vl_str_z(realm),
        .local_account_id = VL_STR("local"),
        .username = vl_str_z(name),
    };
    return vl_cache_put_account(engine->cache, &account, 1800000000, NULL);
}

static valet_status
fill(struct vl_engine *engine, void *ctx, valet_error *err)
{
    (void)ctx, (void)err;
    engine->loaded = true;
    VL_TRY(put(engine, ANN, "ann@x.example", FIRST));
    VL_TRY(put(engine, BOB, "bob@x.example", SECOND));
    return put(engine, GUEST, "guest@y.example", SECOND);
}

static valet_status
look(struct vl_engine *engine, void *ctx, valet_error *err)
{
    struct asked *asked = ctx;
    struct vl_cache_account found;
    VL_TRY(vl_account_find(engine, &asked->wish, &found, err));
    (void)snprintf(asked->home, sizeof asked->home, VL_STR_FMT,
                   VL_STR_ARG(found.home_account_id));
    (void)snprintf(asked->realm, sizeof asked->realm, VL_STR_FMT,
                   VL_STR_ARG(found.realm));
    return VALET_OK;
}

static int
open_client(void **state)
{
    const valet_client_options options = {.kind = VALET_CLIENT_PUBLIC,
                                          .client_id = CLIENT,
                                          .tenant = "organizations",
                                          .tenants = tenants,
                                          .cache = VALET_CACHE_MEMORY};
    valet_client *client;
    assert_ok(valet_client_new(&options, &client, NULL));
    assert_ok(vl_client_start(client, NULL));
    assert_ok(vl_engine_do(client->engine, fill, NULL, NULL));
    *state = client;
    return 0;
}

static int
close_client(void **state)
{
    valet_client_free(*state);
    return 0;
}

static valet_status
find(void **state, struct vl_account_wish wish, struct asked *asked)
{
    valet_client *client = *state;
    *asked = (struct asked){.wish = wish};
    return vl_engine_do(client->engine, look, asked, NULL);
}

static void
people_are_found_by_name_and_id_in_their_own_tenant(void **state)
{
    struct asked asked;
    assert_ok(
        find(state, (struct vl_account_wish){.name = VL_STR(ANN)}, &asked));
    assert_string_equal(asked.realm, FIRST);
    assert_ok(find(state,
                   (struct vl_account_wish){.name = VL_STR("BOB@x.example")},
                   &asked));
    assert_string_equal(asked.home, BOB);
    assert_string_equal(asked.realm, SECOND);
    assert_int_equal(
        find(state, (struct vl_account_wish){.name = VL_STR("")}, &asked),
        VALET_CONFLICT);
    assert_int_equal(
        find(state, (struct vl_account_wish){.name = VL_STR("carl")}, &asked),
        VALET_NOT_FOUND);
}

static void
a_guest_is_asked_for_where_they_are_a_guest(void **state)
{
    struct asked asked;
    assert_ok(
        find(state, (struct vl_account_wish){.name = VL_STR(GUEST)}, &asked));
    assert_string_equal(asked.realm, SECOND);
}

static void
a_tenant_has_those_who_were_in_it(void **state)
{
    struct asked asked;
    struct vl_account_wish wish = {.tenant_id = VL_STR(FIRST)};
    assert_ok(find(state, wish, &asked));
    assert_string_equal(asked.home, ANN);
    wish.name = VL_STR("bob@x.example");
    assert_int_equal(find(state, wish, &asked), VALET_NOT_FOUND);
    /* A request that names the tenant asks for people of others, too. */
    wish.anywhere = true;
    assert_ok(find(state, wish, &asked));
    assert_string_equal(asked.home, BOB);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            people_are_found_by_name_and_id_in_their_own_tenant, open_client,
            close_client),
        cmocka_unit_test_setup_teardown(
            a_guest_is_asked_for_where_they_are_a_guest, open_client,
            close_client),
        cmocka_unit_test_setup_teardown(a_tenant_has_those_who_were_in_it,
                                        open_client, close_client),
    };
    return cmocka_run_group_tests_name("client/account", tests, NULL, NULL);
}
