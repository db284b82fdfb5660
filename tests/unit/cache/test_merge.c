/* SPDX-License-Identifier: Apache-2.0
 *
 * Two processes that read the same document and both change it: whatever the
 * order in which they save, nothing is lost. @spec S-29
 */
#include "cache_kit.h"

struct pair {
    struct vl_cache *ours, *theirs;
};

static struct pair
both_read(const char *seed)
{
    return (struct pair){read_seed(seed), read_seed(seed)};
}

/* What vl_cache_save() does, without a place to keep it. */
static void
save_over(struct vl_cache *cache, struct vl_str document, struct vl_buf *out)
{
    assert_ok(vl_cache_merge(cache, document, NULL));
    assert_ok(vl_cache_write(cache, out, NULL));
    vl_cache_settle(cache);
    assert_false(vl_cache_is_changed(cache));
}

/* Theirs is saved first, then ours on top of it. */
static void
save_both(struct pair *pair)
{
    vl_auto(vl_buf) first = text_of(pair->theirs);
    vl_auto(vl_buf) second = vl_buf_of_secret(VL_LIMIT_CACHE);
    vl_cache_settle(pair->theirs);
    save_over(pair->ours, vl_buf_str(&first), &second);
    assert_ok(vl_cache_read(pair->theirs, vl_buf_str(&second), NULL));
}

static void
free_both(struct pair *pair)
{
    vl_cache_free(pair->ours);
    vl_cache_free(pair->theirs);
}

static void
keeps_what_both_have_put(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    put_at(pair.ours, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "ours", NOW);
    put_at(pair.theirs, VL_CACHE_ACCESS_TOKEN, "Files.Read", "theirs", NOW);
    save_both(&pair);
    assert_true(has_access(pair.ours, "Mail.Read", "ours"));
    assert_true(has_access(pair.ours, "Files.Read", "theirs"));
    assert_true(has_access(pair.ours, "User.Read", "an-access-token"));
    free_both(&pair);
}

static void
keeps_the_newest_of_the_same_thing(void **state)
{
    (void)state;
    for (int ahead = -1; ahead <= 1; ahead++) {
        struct pair pair = both_read("node");
        put_at(pair.ours, VL_CACHE_REFRESH_TOKEN, "", "ours", NOW);
        put_at(pair.theirs, VL_CACHE_REFRESH_TOKEN, "", "theirs", NOW + ahead);
        save_both(&pair);
        /* Of the same second it is who saves last. */
        assert_true(has_refresh(pair.ours, ahead > 0 ? "theirs" : "ours"));
        assert_int_equal(count_in(pair.ours, "-refreshtoken-"), 1);
        free_both(&pair);
    }
}

static void
wins_against_an_entry_that_has_no_time(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("empty");
    put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "ours", NOW);
    vl_auto(vl_buf) theirs = seed_text("go");
    vl_auto(vl_buf) out = vl_buf_of_secret(VL_LIMIT_CACHE);
    save_over(cache, vl_buf_str(&theirs), &out);
    assert_true(has_refresh(cache, "ours"));
    assert_int_equal(count_in(cache, "a-refresh-token"), 0);
    vl_cache_free(cache);
}

static void
takes_over_what_was_not_changed_here(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    put_at(pair.ours, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "ours", NOW);
    assert_true(
        vl_cache_remove_account(pair.theirs, VL_STR(HOME), VL_STR(HOST), NOW));
    save_both(&pair);
    assert_false(has_refresh(pair.ours, "a-refresh-token"));
    assert_false(has_access(pair.ours, "User.Read", "an-access-token"));
    free_both(&pair);
}

static void
does_not_sign_in_again_who_signed_out_meanwhile(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    struct vl_cache_token token = token_of("Mail.Read", "renewed");
    assert_ok(vl_cache_put_token(pair.ours, VL_CACHE_ACCESS_TOKEN, &token,
                                 VL_CACHE_RENEWED, NOW, NULL));
    assert_true(
        vl_cache_remove_account(pair.theirs, VL_STR(HOME), VL_STR(HOST), NOW));
    save_both(&pair);
    assert_int_equal(count_in(pair.ours, HOME), 0);
    /* Nor when it happened here. */
    assert_int_equal(vl_cache_put_token(pair.ours, VL_CACHE_ACCESS_TOKEN,
                                        &token, VL_CACHE_RENEWED, NOW, NULL),
                     VALET_NOT_FOUND);
    free_both(&pair);
}

static void
removes_what_the_other_refreshed_before_the_sign_out(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    put_at(pair.theirs, VL_CACHE_REFRESH_TOKEN, "", "theirs", NOW - 1);
    put_at(pair.theirs, VL_CACHE_ACCESS_TOKEN, "Files.Read", "new", NOW - 1);
    assert_true(
        vl_cache_remove_account(pair.ours, VL_STR(HOME), VL_STR(HOST), NOW));
    save_both(&pair);
    assert_int_equal(count_in(pair.ours, HOME), 0);
    free_both(&pair);
}

/* MSAL for JavaScript rounds the time up; a clock may have been put back. */
static void
wins_over_what_it_has_seen_though_that_seems_to_be_newer(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    assert_true(vl_cache_remove_account(pair.ours, VL_STR(HOME), VL_STR(HOST),
                                        THEN - 1));
    save_both(&pair);
    assert_int_equal(count_in(pair.ours, HOME), 0);
    free_both(&pair);

    pair = both_read("python");
    put_at(pair.ours, VL_CACHE_REFRESH_TOKEN, "", "ours", THEN - 1);
    put_at(pair.ours, VL_CACHE_ACCESS_TOKEN, "User.Read", "ours", THEN - 1);
    save_both(&pair);
    assert_true(has_refresh(pair.ours, "ours"));
    assert_true(has_access(pair.ours, "User.Read", "ours"));
    assert_int_equal(count_in(pair.ours, "an-access-token"), 0);
    free_both(&pair);
}

static void
keeps_who_signed_in_again_after_the_sign_out(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    assert_true(
        vl_cache_remove_account(pair.ours, VL_STR(HOME), VL_STR(HOST), NOW));
    put_person(pair.theirs, NOW + 1);
    put_at(pair.theirs, VL_CACHE_REFRESH_TOKEN, "", "again", NOW + 1);
    save_both(&pair);
    assert_true(has_refresh(pair.ours, "again"));
    assert_int_equal(count_in(pair.ours, "an-access-token"), 0);
    free_both(&pair);
}

static void
removes_a_refused_token_but_not_the_one_that_came_after(void **state)
{
    (void)state;
    const struct vl_cache_token bad = token_of("", "a-refresh-token");
    struct pair pair = both_read("node");
    vl_cache_remove_refresh(pair.ours, &bad.secret, NOW);
    put_at(pair.theirs, VL_CACHE_REFRESH_TOKEN, "", "theirs", NOW - 5);
    save_both(&pair);
    assert_true(has_refresh(pair.ours, "theirs"));
    free_both(&pair);

    pair = both_read("two-writers");
    vl_cache_remove_refresh(pair.ours, &bad.secret, NOW);
    save_both(&pair);
    assert_int_equal(count_in(pair.ours, "a-refresh-token"), 0);
    free_both(&pair);
}

static void
does_not_bring_back_the_token_that_it_replaced(void **state)
{
    (void)state;
    struct pair pair = both_read("node");
    put_at(pair.ours, VL_CACHE_ACCESS_TOKEN, "User.Read Mail.Read", "wider",
           NOW);
    /* What replaced the first is replaced as well, by one that has nothing
     * in common with the first. */
    put_at(pair.ours, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "last", NOW);
    save_both(&pair);
    assert_false(has_access(pair.ours, "User.Read", "an-access-token"));
    assert_true(has_access(pair.ours, "Mail.Read", "last"));
    assert_int_equal(count_in(pair.ours, "-accesstoken-"), 1);
    free_both(&pair);
}

static void
keeps_fields_that_the_other_added_meanwhile(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("empty");
    put_person(cache, NOW);
    vl_auto(vl_buf) theirs = seed_text("dotnet");
    vl_auto(vl_buf) out = vl_buf_of_secret(VL_LIMIT_CACHE);
    save_over(cache, vl_buf_str(&theirs), &out);
    assert_int_equal(count_in(cache, "wam_account_ids"), 1);
    assert_int_equal(count_in(cache, "adele@contoso.example"), 1);
    assert_int_equal(count_in(cache, "unknown_section"), 1);
    vl_cache_free(cache);
}

static void
has_its_changes_still_when_the_document_is_broken(void **state)
{
    (void)state;
    struct vl_cache *cache = read_seed("node");
    put_at(cache, VL_CACHE_ACCESS_TOKEN, "Mail.Read", "ours", NOW);
    assert_int_equal(vl_cache_merge(cache, VL_STR("{"), NULL), VALET_INVALID);
    assert_true(vl_cache_is_changed(cache));
    assert_true(has_access(cache, "Mail.Read", "ours"));
    assert_true(has_refresh(cache, "a-refresh-token"));
    vl_cache_free(cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_both_have_put),
        cmocka_unit_test(keeps_the_newest_of_the_same_thing),
        cmocka_unit_test(wins_against_an_entry_that_has_no_time),
        cmocka_unit_test(takes_over_what_was_not_changed_here),
        cmocka_unit_test(does_not_sign_in_again_who_signed_out_meanwhile),
        cmocka_unit_test(removes_what_the_other_refreshed_before_the_sign_out),
        cmocka_unit_test(
            wins_over_what_it_has_seen_though_that_seems_to_be_newer),
        cmocka_unit_test(keeps_who_signed_in_again_after_the_sign_out),
        cmocka_unit_test(
            removes_a_refused_token_but_not_the_one_that_came_after),
        cmocka_unit_test(does_not_bring_back_the_token_that_it_replaced),
        cmocka_unit_test(keeps_fields_that_the_other_added_meanwhile),
        cmocka_unit_test(has_its_changes_still_when_the_document_is_broken),
    };
    return cmocka_run_group_tests_name("cache/merge", tests, NULL, NULL);
}
