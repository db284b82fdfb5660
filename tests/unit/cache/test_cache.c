/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_kit.h"

/* Every spelling that the libraries have for one and the same person. */
static const char *const spellings[] = {"dotnet", "java", "node",
                                        "python", "go",   "two-writers"};

static bool
count_account(const struct vl_cache_account *account, void *ctx)
{
    unsigned *count = ctx;
    assert_str(account->home_account_id, HOME);
    (*count)++;
    return true;
}

/* @spec S-29 */
static void
finds_everything_in_every_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(spellings); i++) {
        struct vl_cache *cache = read_seed(spellings[i]);
        const struct vl_cache_token want = wanted("user.read CALENDARS.READ");
        struct vl_cache_token found;
        struct vl_cache_account account;
        unsigned people = 0;
        assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
        assert_str(vl_secret_reveal(&found.secret), "an-access-token");
        assert_int_equal(found.expires_on, THEN + 3600);
        assert_int_equal(found.extended_expires_on, THEN + 7200);
        assert_true(has_refresh(cache, "a-refresh-token"));
        assert_true(vl_cache_find_id_token(cache, &want, &found));
        assert_str(vl_secret_reveal(&found.secret),
                   "header.id-token.signature");
        assert_true(vl_cache_find_account(cache, VL_STR(HOME), VL_STR(HOST),
                                          VL_STR(""), &account));
        assert_str(account.local_account_id, UID);
        vl_cache_each_account(cache, VL_STR("sts.windows.net"), count_account,
                              &people);
        assert_int_equal(people, 1);
        assert_false(vl_cache_is_changed(cache));
        vl_cache_free(cache);
    }
}

static void
does_not_lose_a_word_of_what_it_does_not_know(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("dotnet");
    put_person(cache, NOW);
    put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "new", NOW);
    assert_int_equal(
        count_in(cache, "\"unknown_section\":{\"kept\":[1,2.5,true,null]}"), 1);
    assert_int_equal(count_in(cache, "\"wam_account_ids\":{"), 1);
    assert_int_equal(count_in(cache, "\"account_source\":\"broker\""), 1);
    assert_int_equal(count_in(cache, "adele@contoso.example"), 1);
    vl_cache_free(cache);

    cache = read_seed("node");
    put_person(cache, NOW);
    assert_int_equal(count_in(cache, "tenantProfiles"), 1);
    vl_cache_free(cache);

    cache = read_seed("odd");
    assert_int_equal(count_in(cache, "{\"Account\":{\"\":{\"home_account_id\":"
                                     "1},\"x\":[],\"y\":null,\"z\":{}}"),
                     1);
    assert_int_equal(count_in(cache, "\"Other\":\"text\""), 1);
    vl_cache_free(cache);
}

static void
writes_one_canonical_spelling_in_place_of_all_others(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "\"" HOME "-login.windows.net-refreshtoken-" CLIENT "--\":",
        "\"" HOME "-login.windows.net-idtoken-" CLIENT "-" UTID "-\":",
        "\"" HOME "-login.windows.net-accesstoken-" CLIENT "-" UTID
        "-mail.read user.read\":",
    };
    for (size_t i = 0; i < VL_COUNT(spellings); i++) {
        struct vl_cache *cache = read_seed(spellings[i]);
        put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "new-refresh", NOW);
        put_at(cache, VL_CACHE_ID_TOKEN, "", "new-id", NOW);
        put_at(cache, VL_CACHE_ACCESS_TOKEN, "User.Read Mail.Read",
               "new-access", NOW);
        for (size_t k = 0; k < VL_COUNT(keys); k++)
            assert_int_equal(count_in(cache, keys[k]), 1);
        assert_int_equal(count_in(cache, "\"RefreshToken\",\"client_id\""), 1);
        assert_int_equal(count_in(cache, "\"IdToken\",\"client_id\""), 1);
        assert_int_equal(count_in(cache, "\"AccessToken\",\"client_id\""), 1);
        assert_int_equal(count_in(cache, "a-refresh-token"), 0);
        assert_int_equal(count_in(cache, "an-access-token"), 0);
        assert_int_equal(count_in(cache, "header.id-token"), 0);
        assert_true(has_refresh(cache, "new-refresh"));
        assert_true(has_access(cache, "Mail.Read", "new-access"));
        vl_cache_free(cache);
    }
}

/* @spec S-31 */
static void
takes_no_access_token_that_is_not_the_right_one(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("node");
    struct vl_cache_token want = wanted("User.Read"), found;
#define FOUND(now, skew) vl_cache_find_access(cache, &want, now, skew, &found)
    assert_true(FOUND(NOW, SKEW));
    assert_true(FOUND(THEN + 3600 - 301, SKEW));
    assert_false(FOUND(THEN + 3600 - 300, SKEW)); /* too little time left */
    assert_false(FOUND(THEN + 3600, 0));
    assert_true(FOUND(THEN, SKEW));
    assert_true(FOUND(THEN - 1, SKEW));  /* its writer rounds seconds up */
    assert_false(FOUND(THEN - 2, SKEW)); /* it comes from the future */
    want.target = VL_STR("User.Read Mail.Read");
    assert_false(FOUND(NOW, SKEW));
    want.target = VL_STR("openid offline_access  user.read");
    assert_true(FOUND(NOW, SKEW));
    want.target = VL_STR("openid profile"); /* any token would do */
    assert_false(FOUND(NOW, SKEW));
    want.target = VL_STR("User.Read");
    want.realm = VL_STR("common");
    assert_false(FOUND(NOW, SKEW));
    want = wanted("User.Read");
    want.client_id = VL_STR("another");
    assert_false(FOUND(NOW, SKEW));
    want = wanted("User.Read");
    want.home_account_id = VL_STR("");
    assert_false(FOUND(NOW, SKEW));
    want = wanted("User.Read");
    want.environment = VL_STR("login.microsoftonline.us");
    assert_false(FOUND(NOW, SKEW));
    want = wanted("User.Read");
    want.token_type = VL_STR("pop");
    assert_false(FOUND(NOW, SKEW));
    vl_cache_free(cache);
#undef FOUND
}

static void
finds_a_bound_token_only_by_what_it_is_bound_to(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("pop");
    struct vl_cache_token want = wanted("User.Read"), found;
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    want.token_type = VL_STR("PoP");
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    want.key_id = VL_STR("k1");
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    want.user_assertion_hash = VL_STR("u1");
    assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    /* A bearer token for the same scopes stands beside it. */
    put_at(cache, VL_CACHE_ACCESS_TOKEN, "User.Read", "bearer", NOW);
    assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    assert_true(has_access(cache, "User.Read", "bearer"));
    vl_cache_free(cache);
}

static void
put_for(struct vl_cache *cache, const char *home, const char *hash,
        const char *secret)
{
    struct vl_cache_token token = wanted("User.Read");
    token.home_account_id = vl_str_z(home);
    token.user_assertion_hash = vl_str_z(hash);
    token.expires_on = NOW + 3600;
    token.secret =
        (struct vl_secret){(char *)(uintptr_t)secret, strlen(secret)};
    assert_ok(vl_cache_put_token(cache, VL_CACHE_ACCESS_TOKEN, &token,
                                 VL_CACHE_SIGNED_IN, NOW, NULL));
}

/* The token for this assertion with this account ("": whosever it is). */
static void
assert_for(const struct vl_cache *cache, const char *home, const char *hash,
           const char *secret)
{
    struct vl_cache_token want = wanted("User.Read"), found;
    want.home_account_id = vl_str_z(home);
    want.user_assertion_hash = vl_str_z(hash);
    bool is_there = vl_cache_find_access(cache, &want, NOW, SKEW, &found);
    assert_int_equal(is_there, secret != NULL);
    if (secret)
        assert_string_equal(vl_secret_reveal(&found.secret).p, secret);
}

static void
an_assertion_finds_its_own_token_whosever_it_is(void **state)
{
    (void)state;
    struct vl_cache *cache = vl_cache_new(NULL);
    put_for(cache, "a.t", "h1", "a-1");
    put_for(cache, "a.t", "h2", "a-2");
    put_for(cache, "b.t", "h3", "b-3");
    put_for(cache, "b.t", "", "signed-in");
    put_for(cache, "", "", "own");
    put_for(cache, "", "h4", "nobody's");
    assert_for(cache, "", "h1", "a-1");
    assert_for(cache, "", "h2", "a-2");
    assert_for(cache, "", "h3", "b-3");
    assert_for(cache, "a.t", "h1", "a-1");
    assert_for(cache, "b.t", "h1", NULL);
    assert_for(cache, "", "H1", NULL); /* a hash has no case to ignore */
    assert_for(cache, "", "h4", NULL); /* an application's own */
    assert_for(cache, "", "h5", NULL);
    assert_for(cache, "", "", "own");
    assert_for(cache, "b.t", "", "signed-in");
    assert_for(cache, "a.t", "", NULL);
    vl_cache_free(cache);
}

static void
finds_the_tokens_of_applications_themselves(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("app-token");
    struct vl_cache_token found;
    struct vl_cache_token want = wanted("https://graph.microsoft.com/.default");
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    want.home_account_id = VL_STR("");
    assert_true(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    assert_true(vl_cache_remove_account(cache, VL_STR(""), VL_STR(HOST), NOW));
    assert_false(vl_cache_find_access(cache, &want, NOW, SKEW, &found));
    vl_cache_free(cache);
}

static void
knows_families_of_clients(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("family");
    struct vl_cache_app app;
    struct vl_cache_token found;
    assert_true(vl_cache_find_app(cache, VL_STR(HOST), VL_STR(CLIENT), &app));
    assert_str(app.family_id, "1");
    struct vl_cache_token want = wanted("");
    want.client_id = VL_STR("another-of-the-family");
    assert_false(vl_cache_find_refresh(cache, &want, &found));
    want.family_id = VL_STR("1");
    assert_true(vl_cache_find_refresh(cache, &want, &found));
    assert_str(vl_secret_reveal(&found.secret), "a-refresh-token");
    /* The next member's takes its place; own tokens stand beside it. */
    struct vl_cache_token next = want;
    next.secret = (struct vl_secret){(char *)(uintptr_t) "next", 4};
    assert_ok(vl_cache_put_token(cache, VL_CACHE_REFRESH_TOKEN, &next,
                                 VL_CACHE_SIGNED_IN, NOW, NULL));
    put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "own", NOW);
    assert_int_equal(count_in(cache, "-refreshtoken-1--\":"), 1);
    assert_int_equal(count_in(cache, "a-refresh-token"), 0);
    assert_true(vl_cache_find_refresh(cache, &want, &found));
    assert_str(vl_secret_reveal(&found.secret), "next");
    assert_true(has_refresh(cache, "own"));
    /* Who leaves the family is not of it any more. */
    const struct vl_cache_app left = {VL_STR(HOST), VL_STR(CLIENT), VL_STR("")};
    assert_ok(vl_cache_put_app(cache, &left, NOW, NULL));
    assert_true(vl_cache_find_app(cache, VL_STR(HOST), VL_STR(CLIENT), &app));
    assert_int_equal(app.family_id.n, 0);
    vl_cache_free(cache);
}

static void
removes_a_person_with_everything_of_theirs(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(spellings); i++) {
        struct vl_cache *cache = read_seed(spellings[i]);
        assert_true(
            vl_cache_remove_account(cache, VL_STR(HOME), VL_STR(HOST), NOW));
        assert_true(vl_cache_is_changed(cache));
        assert_int_equal(count_in(cache, HOME), 0);
        assert_int_equal(count_in(cache, "secret"), 0);
        assert_false(
            vl_cache_remove_account(cache, VL_STR(HOME), VL_STR(HOST), NOW));
        vl_cache_free(cache);
    }
}

static void
removes_a_refused_refresh_token_and_no_other(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("two-writers");
    const struct vl_cache_token other = token_of("", "another");
    vl_cache_remove_refresh(cache, &other.secret, NOW);
    assert_true(has_refresh(cache, "a-refresh-token"));
    const struct vl_cache_token bad = token_of("", "a-refresh-token");
    vl_cache_remove_refresh(cache, &bad.secret, NOW);
    assert_false(has_refresh(cache, "a-refresh-token"));
    vl_cache_free(cache);
}

static void
sweeps_what_is_over(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("node");
    assert_int_equal(vl_cache_sweep(cache, THEN + 7199), 0);
    assert_int_equal(vl_cache_sweep(cache, THEN + 7200), 1);
    assert_true(has_refresh(cache, "a-refresh-token"));
    vl_cache_free(cache);
}

static void
writes_the_same_bytes_whatever_came_first(void **state)
{
    (void)state;
    struct vl_cache *a = read_seed("empty"), *b = read_seed("empty");
    put_person(a, NOW);
    put_at(a, VL_CACHE_ACCESS_TOKEN, "User.Read", "one", NOW);
    put_at(a, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "two", NOW);
    put_at(b, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "two", NOW);
    put_at(b, VL_CACHE_ACCESS_TOKEN, "User.Read", "one", NOW);
    put_person(b, NOW);
    vl_auto(vl_buf) x = text_of(a);
    vl_auto(vl_buf) y = text_of(b);
    assert_string_equal(vl_buf_cstr(&x), vl_buf_cstr(&y));
    vl_cache_free(a);
    vl_cache_free(b);
}

static void
refuses_what_is_no_cache_and_quotes_nothing_of_it(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "\"a-token\"",
        "{\"Account\":[\"a-token\"]}",
        "{\"RefreshToken\":{\"a\":{\"secret\":\"a-token\"}",
        "a-token",
        "{\"Account\":{},\"Account\":{}}"};
    struct vl_cache *cache = read_seed("node");
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        valet_error err;
        assert_int_equal(vl_cache_read(cache, vl_str_z(bad[i]), &err),
                         VALET_INVALID);
        assert_null(strstr(err.message, "a-token"));
        assert_true(has_refresh(cache, "a-refresh-token"));
    }
    vl_cache_free(cache);
}

static void
bounds_what_it_reads(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of((size_t)2 * VL_LIMIT_CACHE);
    struct vl_cache *cache = vl_cache_new(NULL);
    vl_buf_addz(&text, "{\"Account\":{");
    for (unsigned i = 0; i <= VL_LIMIT_CACHE_ENTRIES; i++)
        vl_buf_addf(&text, "%s\"%u\":1", i ? "," : "", i);
    vl_buf_addz(&text, "}}");
    assert_int_equal(vl_cache_read(cache, vl_buf_str(&text), NULL),
                     VALET_LIMIT);
    vl_buf_clear(&text);
    while (vl_buf_size(&text) <= VL_LIMIT_CACHE)
        vl_buf_addc(&text, ' ');
    assert_int_equal(vl_cache_read(cache, vl_buf_str(&text), NULL),
                     VALET_LIMIT);
    vl_cache_free(cache);
}

static void
puts_no_token_that_is_not_text_or_lacks_a_field(void **state)
{
    (void)state;
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_token token = token_of("User.Read", "\xff");
#define PUT()                                                                  \
    vl_cache_put_token(cache, VL_CACHE_ACCESS_TOKEN, &token,                   \
                       VL_CACHE_SIGNED_IN, NOW, NULL)
    assert_int_equal(PUT(), VALET_INVALID);
    token = token_of("User.Read", "");
    assert_int_equal(PUT(), VALET_INVALID);
    token = token_of("User.Read", "good");
    token.client_id = VL_STR("");
    assert_int_equal(PUT(), VALET_INVALID);
    assert_false(vl_cache_is_changed(cache));
    vl_cache_free(cache);
#undef PUT
}

static void
knows_the_clouds_that_discovery_told(void **state)
{
    (void)state;
    static const struct vl_cache_cloud clouds[] = {
        {{"login.private.example", "sts.private.example:8443"}}, {{NULL}}};
    struct vl_cache *cache = vl_cache_new(clouds);
    assert_str(vl_cache_environment(cache, VL_STR("STS.private.example:8443")),
               "login.private.example");
    assert_str(vl_cache_environment(cache, VL_STR(HOST)), "login.windows.net");
    assert_str(vl_cache_environment(cache, VL_STR("else.example")),
               "else.example");
    vl_cache_free(cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_everything_in_every_spelling),
        cmocka_unit_test(does_not_lose_a_word_of_what_it_does_not_know),
        cmocka_unit_test(writes_one_canonical_spelling_in_place_of_all_others),
        cmocka_unit_test(takes_no_access_token_that_is_not_the_right_one),
        cmocka_unit_test(finds_a_bound_token_only_by_what_it_is_bound_to),
        cmocka_unit_test(an_assertion_finds_its_own_token_whosever_it_is),
        cmocka_unit_test(finds_the_tokens_of_applications_themselves),
        cmocka_unit_test(knows_families_of_clients),
        cmocka_unit_test(removes_a_person_with_everything_of_theirs),
        cmocka_unit_test(removes_a_refused_refresh_token_and_no_other),
        cmocka_unit_test(sweeps_what_is_over),
        cmocka_unit_test(writes_the_same_bytes_whatever_came_first),
        cmocka_unit_test(refuses_what_is_no_cache_and_quotes_nothing_of_it),
        cmocka_unit_test(bounds_what_it_reads),
        cmocka_unit_test(puts_no_token_that_is_not_text_or_lacks_a_field),
        cmocka_unit_test(knows_the_clouds_that_discovery_told),
    };
    return cmocka_run_group_tests_name("cache/cache", tests, NULL, NULL);
}
