/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/remember.h"

#include "cache_kit.h"
#include "core/enc.h"

#define GUEST_TENANT "aaaaaaaa-0000-4000-8000-000000000001"
#define GUEST        "bbbbbbbb-0000-4000-8000-000000000002"
#define NOW_MS       ((int64_t)NOW * 1000 + 999)

static struct vl_secret
secret(const char *text)
{
    return (struct vl_secret){(char *)(uintptr_t)text, strlen(text)};
}

static struct vl_buf
encode(const char *json)
{
    struct vl_buf out = vl_buf_of(4096);
    vl_enc_base64url(&out, vl_str_z(json));
    return out;
}

static struct vl_token_answer
answer_of(const char *access, const char *refresh, struct vl_str client_info)
{
    return (struct vl_token_answer){
        .tokens = {.access.secret = secret(access),
                   .refresh.secret = secret(refresh),
                   .expires_ms = NOW_MS + 3600 * 1000},
        .id_token = VL_STR("a.b.c"),
        .scope = VL_STR("User.Read Mail.Read"),
        .client_info = client_info,
        .refresh_ms = NOW_MS + 1800 * 1000,
    };
}

static const struct vl_idp_person adele = {
    .user = {.tid = UTID, .oid = UID},
    .name = {"Adele Vance", 11},
    .username = {"adele@contoso.example", 21},
};

static struct vl_remember
what_of(const struct vl_token_answer *answer,
        const struct vl_idp_person *person)
{
    return (struct vl_remember){.environment = VL_STR(HOST),
                                .client_id = VL_STR(CLIENT),
                                .tenant_id = VL_STR(UTID),
                                .scopes = VL_STR("User.Read openid"),
                                .answer = answer,
                                .person = person};
}

static void
keeps_the_account_and_its_tokens(void **state)
{
    (void)state;
    char home[VL_HOME_ACCOUNT_SIZE];
    vl_auto(vl_buf) info =
        encode("{\"uid\":\"" UID "\",\"utid\":\"" UTID "\"}");
    struct vl_token_answer answer = answer_of("at", "rt", vl_buf_str(&info));
    struct vl_remember what = what_of(&answer, &adele);
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_account account;
    struct vl_cache_token found, want = wanted("mail.read");
    struct vl_cache_app app;
    assert_ok(vl_remember(cache, &what, NOW_MS, home, NULL));
    assert_string_equal(home, HOME);
    assert_true(vl_cache_find_account(cache, VL_STR(HOME), VL_STR(HOST),
                                      VL_STR(UTID), &account));
    assert_str(account.username, "adele@contoso.example");
    assert_str(account.name, "Adele Vance");
    /* The scopes that were granted, not those that were asked for. */
    assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    assert_str(vl_secret_reveal(&found.secret), "at");
    assert_int_equal(found.expires_on, NOW + 3600);
    assert_int_equal(found.refresh_on, NOW + 1800);
    assert_true(has_refresh(cache, "rt"));
    assert_true(vl_cache_find_id_token(cache, &want, &found));
    assert_str(vl_secret_reveal(&found.secret), "a.b.c");
    assert_true(vl_cache_find_app(cache, VL_STR(HOST), VL_STR(CLIENT), &app));
    assert_int_equal(app.family_id.n, 0);
    vl_cache_free(cache);
}

/* A guest has another object id in the tenant they visit. */
static void
knows_a_guest_by_their_home(void **state)
{
    (void)state;
    char home[VL_HOME_ACCOUNT_SIZE];
    struct vl_idp_person guest = adele;
    memcpy(guest.user.tid, GUEST_TENANT, sizeof GUEST_TENANT);
    memcpy(guest.user.oid, GUEST, sizeof GUEST);
    vl_auto(vl_buf) info =
        encode("{\"uid\":\"" UID "\",\"utid\":\"" UTID "\"}");
    struct vl_token_answer answer = answer_of("at", "rt", vl_buf_str(&info));
    struct vl_remember what = what_of(&answer, &guest);
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_account account;
    what.tenant_id = VL_STR(GUEST_TENANT);
    assert_ok(vl_remember(cache, &what, NOW_MS, home, NULL));
    assert_string_equal(home, HOME);
    assert_true(vl_cache_find_account(cache, VL_STR(HOME), VL_STR(HOST),
                                      VL_STR(GUEST_TENANT), &account));
    assert_str(account.local_account_id, GUEST);
    /* The token is good there, and not at home. */
    assert_false(has_access(cache, "User.Read", "at"));
    /* Without client info they are who they are here. */
    answer.client_info = (struct vl_str){NULL, 0};
    assert_ok(vl_remember(cache, &what, NOW_MS, home, NULL));
    assert_string_equal(home, GUEST "." GUEST_TENANT);
    vl_cache_free(cache);
}

static void
keeps_nothing_of_an_account_it_cannot_name(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"uid\":\"" UID "\"}",
        "{\"uid\":\"\",\"utid\":\"x\"}",
        "{\"uid\":\"a.b\",\"utid\":\"x\"}",
        "{\"uid\":\"a\\n\",\"utid\":\"x\"}",
        "{\"uid\":7,\"utid\":\"x\"}",
        "[]",
        "no json",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        vl_auto(vl_buf) info = encode(bad[i]);
        struct vl_token_answer answer =
            answer_of("at", "rt", vl_buf_str(&info));
        struct vl_remember what = what_of(&answer, &adele);
        struct vl_cache *cache = vl_cache_new(NULL);
        valet_error err;
        assert_int_equal(vl_remember(cache, &what, NOW_MS, NULL, &err),
                         VALET_DENIED);
        assert_string_equal(err.code, "invalid_client_info");
        assert_false(vl_cache_is_changed(cache));
        vl_cache_free(cache);
    }
    struct vl_token_answer answer = answer_of("at", "rt", VL_STR("%%%"));
    struct vl_remember what = what_of(&answer, &adele);
    struct vl_cache *cache = vl_cache_new(NULL);
    assert_int_equal(vl_remember(cache, &what, NOW_MS, NULL, NULL),
                     VALET_DENIED);
    vl_cache_free(cache);
}

static void
renews_only_who_is_still_signed_in(void **state)
{
    (void)state;
    struct vl_token_answer first = answer_of("at-1", "rt-1", VL_STR("")),
                           next = answer_of("at-2", "rt-2", VL_STR(""));
    struct vl_remember what = what_of(&first, &adele),
                       renewed = what_of(&next, NULL);
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_token found, want = wanted("");
    renewed.home_account_id = VL_STR(HOME);
    assert_int_equal(vl_remember(cache, &renewed, NOW_MS, NULL, NULL),
                     VALET_NOT_FOUND);
    assert_false(has_refresh(cache, "rt-2"));
    assert_ok(vl_remember(cache, &what, NOW_MS - 2000, NULL, NULL));
    next.id_token = VL_STR("nobody.has.checked");
    assert_ok(vl_remember(cache, &renewed, NOW_MS - 1000, NULL, NULL));
    assert_true(has_access(cache, "User.Read", "at-2"));
    assert_true(has_refresh(cache, "rt-2"));
    assert_true(vl_cache_find_id_token(cache, &want, &found));
    assert_str(vl_secret_reveal(&found.secret), "a.b.c");
    /* Entra may keep the old refresh token good and send no new one. */
    next.tokens.refresh.secret = (struct vl_secret){NULL, 0};
    next.tokens.access.secret = secret("at-3");
    assert_ok(vl_remember(cache, &renewed, NOW_MS, NULL, NULL));
    assert_true(has_access(cache, "User.Read", "at-3"));
    assert_true(has_refresh(cache, "rt-2"));
    vl_cache_free(cache);
}

static void
keeps_an_applications_own_token_without_an_account(void **state)
{
    (void)state;
    char home[VL_HOME_ACCOUNT_SIZE] = "before";
    struct vl_token_answer answer = answer_of("own", "", VL_STR(""));
    struct vl_remember what = what_of(&answer, NULL);
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_token found, want = wanted("api://x/.default");
    answer.scope = answer.id_token = (struct vl_str){NULL, 0};
    what.scopes = VL_STR("api://x/.default");
    want.home_account_id = (struct vl_str){NULL, 0};
    assert_ok(vl_remember(cache, &what, NOW_MS, home, NULL));
    assert_string_equal(home, "");
    assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    assert_str(vl_secret_reveal(&found.secret), "own");
    /* And never as a person's. */
    want.home_account_id = VL_STR(HOME);
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    vl_cache_free(cache);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_account_and_its_tokens),
        cmocka_unit_test(knows_a_guest_by_their_home),
        cmocka_unit_test(keeps_nothing_of_an_account_it_cannot_name),
        cmocka_unit_test(renews_only_who_is_still_signed_in),
        cmocka_unit_test(keeps_an_applications_own_token_without_an_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
