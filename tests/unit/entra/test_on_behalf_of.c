/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens in the name of the person with whose token we were called.
 */
#include "lot.h"

/* Its hash is what MSAL for JavaScript wrote for it (entra-wire 1.10). */
#define ASSERTION "USER.ASSERTION.JWT"
#define HASH      "175eWja83Vxgivovp7bdWprqANvwNXEyxvMs8rwYIQ8"
#define ANSWER(access, info)                                                   \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"User.Read\","  \
    "\"access_token\":\"" access "\",\"refresh_token\":\"never-kept\","        \
    "\"id_token\":\"x.y.z\",\"foci\":\"1\"" info "}"
/* {"uid":"a","utid":"t"} and b */
#define OF_A ",\"client_info\":\"eyJ1aWQiOiJhIiwidXRpZCI6InQifQ\""
#define OF_B ",\"client_info\":\"eyJ1aWQiOiJiIiwidXRpZCI6InQifQ\""

enum { AT_ONCE = 50 };

static struct vl_acquire_in
in_the_name_of(struct vl_str assertion)
{
    return (struct vl_acquire_in){.assertion = assertion,
                                  .scopes = VL_STR(SCOPE)};
}

/* The tenant answers with these, one after the other. */
static void
answer(struct lot *l, const char *first, const char *second)
{
    struct peer_route *token = l->desk->bench->token;
    refuse(l->desk->bench, 200, first, NULL);
    if (second)
        peer_say(token, (struct peer_answer){.status = 200, .body = second});
}

static unsigned
requests(const struct lot *l)
{
    return l->desk->bench->token->asked;
}

/* What is kept, as others would read it. */
static bool
is_kept(const struct lot *l, const char *text)
{
    struct vl_cache *cache = vl_cache_new(NULL);
    vl_auto(vl_buf) document = vl_buf_of_secret(VL_LIMIT_CACHE);
    assert_ok(vl_cache_load(cache, l->acquirer.keep, NULL));
    assert_ok(vl_cache_write(cache, &document, NULL));
    vl_cache_free(cache);
    return strstr(vl_buf_cstr(&document), text) != NULL;
}

static void
exchanges_an_assertion_once(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    answer(l, ANSWER("at-a", OF_A), NULL);
    struct caller caller = after(l, &in);
    assert_string_equal(caller.access, "at-a");
    assert_string_equal(caller.home, "a.t");
    assert_false(caller.unkept);
    assert_str(vl_buf_str(&l->desk->bench->token->body),
               "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
               "jwt-bearer&client_info=1&assertion=" ASSERTION
               "&requested_token_use=on_behalf_of"
               "&scope=User.Read%20openid%20profile&client_id=" CLIENT);
    caller = after(l, &in);
    assert_string_equal(caller.access, "at-a");
    assert_string_equal(caller.home, "a.t");
    assert_int_equal(requests(l), 1);
    assert_true(is_kept(l, "\"user_assertion_hash\":\"" HASH "\""));
}

/* MSAL for JavaScript has room for one (entra-wire 1.10). */
static void
two_assertions_of_one_person_alternate(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in first = in_the_name_of(VL_STR("first")),
                         second = in_the_name_of(VL_STR("second"));
    answer(l, ANSWER("at-1", OF_A), ANSWER("at-2", OF_A));
    for (int i = 0; i < 3; i++) {
        assert_string_equal(after(l, &first).access, "at-1");
        assert_string_equal(after(l, &second).access, "at-2");
    }
    assert_int_equal(requests(l), 2);
}

static void
two_people_never_mix(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in a = in_the_name_of(VL_STR("of-a")),
                         b = in_the_name_of(VL_STR("of-b")),
                         cut = in_the_name_of(VL_STR("of-"));
    answer(l, ANSWER("at-a", OF_A), ANSWER("at-b", OF_B));
    assert_string_equal(after(l, &a).access, "at-a");
    assert_string_equal(after(l, &b).access, "at-b");
    assert_string_equal(after(l, &a).home, "a.t");
    assert_string_equal(after(l, &b).home, "b.t");
    assert_int_equal(requests(l), 2);
    answer(l, ANSWER("at-c", OF_A), NULL);
    assert_string_equal(after(l, &cut).access, "at-c");
}

static void
put(struct lot *l, const char *home, const char *secret)
{
    struct vl_cache_token token = token_of(l, secret, 3600);
    token.home_account_id = vl_str_z(home);
    assert_ok(vl_cache_put_token(l->acquirer.cache, VL_CACHE_ACCESS_TOKEN,
                                 &token, VL_CACHE_SIGNED_IN, now_s(l), NULL));
}

/* Neither the application's own token, nor one of a person who signed in. */
static void
finds_no_token_that_was_made_for_something_else(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    struct vl_acquire_in own = {.scopes = VL_STR(SCOPE)};
    struct vl_acquire_in person = {.home_account_id = VL_STR("a.t"),
                                   .scopes = VL_STR("User.Read")};
    put(l, "", "own");
    put(l, "b.t", "signed-in");
    answer(l, ANSWER("at-a", OF_A), NULL);
    assert_string_equal(after(l, &in).access, "at-a");
    assert_string_equal(after(l, &own).access, "own");
    /* And the other way round. */
    assert_string_equal(after(l, &person).error.error.code, "no_tokens");
    assert_int_equal(requests(l), 1);
}

/* @spec S-31 */
static void
many_calls_with_one_assertion_ask_once(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    static struct caller callers[AT_ONCE];
    answer(l, ANSWER("at-a", OF_A), NULL);
    for (size_t i = 0; i < AT_ONCE; i++)
        (void)start(l, &in, &callers[i]);
    run(l->desk->bench);
    for (size_t i = 0; i < AT_ONCE; i++)
        assert_string_equal(callers[i].access, "at-a");
    assert_int_equal(requests(l), 1);
}

/* A service does not let a thousand people queue for one request. */
static void
people_do_not_wait_for_each_other_in_memory(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in slow = in_the_name_of(VL_STR("slow")),
                         quick = in_the_name_of(VL_STR("quick"));
    struct caller first, second, third;
    struct vl_keep *keep = l->acquirer.keep;
    l->acquirer.keep = NULL;
    refuse(l->desk->bench, 0, NULL, NULL); /* it does not answer at first */
    peer_say(l->desk->bench->token,
             (struct peer_answer){.status = 200, .body = ANSWER("at-b", OF_B)});
    struct vl_acquire *a = start(l, &slow, &first);
    struct vl_acquire *b = start(l, &slow, &second);
    while (requests(l) == 0)
        vl_loop_step(l->desk->bench->loop);
    (void)start(l, &quick, &third);
    l->desk->bench->left = 1;
    run(l->desk->bench);
    assert_string_equal(third.access, "at-b");
    assert_int_equal(first.calls + second.calls, 0);
    assert_int_equal(requests(l), 2);
    /* Who waited for the first is next when it is gone. */
    vl_acquire_abort(&a);
    l->desk->bench->left = 1;
    run(l->desk->bench);
    assert_string_equal(second.access, "at-b");
    (void)b;
    l->acquirer.keep = keep;
}

static void
keeps_the_access_token_alone(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    answer(l, ANSWER("at-a", OF_A), NULL);
    (void)after(l, &in);
    assert_true(is_kept(l, "at-a"));
    assert_true(is_kept(l, "\"RefreshToken\":{}"));
    assert_true(is_kept(l, "\"Account\":{}"));
    assert_true(is_kept(l, "\"IdToken\":{}"));
    assert_true(is_kept(l, "\"AppMetadata\":{}"));
    assert_false(is_kept(l, ASSERTION));
    assert_false(is_kept(l, "never-kept"));
}

static void
hands_on_what_the_person_has_to_do(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    refuse(l->desk->bench, 400,
           "{\"error\":\"invalid_grant\",\"suberror\":\"basic_action\","
           "\"error_codes\":[50076],\"claims\":\"{\\\"a\\\":1}\"}",
           NULL);
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.next, VALET_NEXT_SIGN_IN);
    assert_int_equal(caller.error.aadsts, 50076);
    assert_string_equal(caller.error.claims, "{\"a\":1}");
}

static void
takes_no_answer_that_names_nobody(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    answer(l, ANSWER("at-a", ""), NULL);
    struct caller caller = after(l, &in);
    assert_int_equal(caller.error.next, VALET_NEXT_GIVE_UP);
    assert_string_equal(caller.error.error.code, "invalid_client_info");
    assert_false(is_kept(l, "at-a"));
}

static void
does_not_send_half_an_assertion(void **state)
{
    struct lot *l = *state;
    static char text[VL_LIMIT_UPSTREAM_TOKEN + 1];
    memset(text, 'x', sizeof text);
    struct vl_acquire_in in =
        in_the_name_of(vl_str_of(text, VL_LIMIT_UPSTREAM_TOKEN + 1));
    assert_int_equal(after(l, &in).error.error.status, VALET_LIMIT);
    assert_int_equal(requests(l), 0);
    in.assertion.n--;
    answer(l, ANSWER("at-a", OF_A), NULL);
    assert_string_equal(after(l, &in).access, "at-a");
}

static void
a_challenge_goes_past_the_cache(void **state)
{
    struct lot *l = *state;
    struct vl_acquire_in in = in_the_name_of(VL_STR(ASSERTION));
    answer(l, ANSWER("at-1", OF_A), ANSWER("at-2", OF_A));
    assert_string_equal(after(l, &in).access, "at-1");
    in.claims = VL_STR("{\"access_token\":{}}");
    assert_string_equal(after(l, &in).access, "at-2");
    in.claims = VL_STR("");
    assert_string_equal(after(l, &in).access, "at-2");
    in.renew = true;
    assert_string_equal(after(l, &in).access, "at-2");
    assert_int_equal(requests(l), 3);
}

/* What is over does not fill the memory of a service. */
static void
forgets_what_is_over_in_memory_too(void **state)
{
    struct lot *l = *state;
    struct vl_keep *keep = l->acquirer.keep;
    struct vl_acquire_in first = in_the_name_of(VL_STR("first")),
                         second = in_the_name_of(VL_STR("second"));
    vl_auto(vl_buf) document = vl_buf_of_secret(VL_LIMIT_CACHE);
    l->acquirer.keep = NULL;
    answer(l, ANSWER("at-1", OF_A), ANSWER("at-2", OF_A));
    assert_string_equal(after(l, &first).access, "at-1");
    l->desk->bench->now_ms += (int64_t)2 * 3600 * 1000;
    assert_string_equal(after(l, &second).access, "at-2");
    assert_ok(vl_cache_write(l->acquirer.cache, &document, NULL));
    assert_null(strstr(vl_buf_cstr(&document), "at-1"));
    assert_non_null(strstr(vl_buf_cstr(&document), "at-2"));
    l->acquirer.keep = keep;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_LOT(exchanges_an_assertion_once),
        AT_LOT(two_assertions_of_one_person_alternate),
        AT_LOT(two_people_never_mix),
        AT_LOT(finds_no_token_that_was_made_for_something_else),
        AT_LOT(many_calls_with_one_assertion_ask_once),
        AT_LOT(people_do_not_wait_for_each_other_in_memory),
        AT_LOT(keeps_the_access_token_alone),
        AT_LOT(hands_on_what_the_person_has_to_do),
        AT_LOT(takes_no_answer_that_names_nobody),
        AT_LOT(does_not_send_half_an_assertion),
        AT_LOT(a_challenge_goes_past_the_cache),
        AT_LOT(forgets_what_is_over_in_memory_too),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
