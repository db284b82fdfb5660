/* SPDX-License-Identifier: Apache-2.0
 *
 * One exchange at the token endpoint of a tenant that answers by a script.
 */
#include "entra/grant.h"

#include "desk.h"
#include "http/url.h"

#define FORM "grant_type=client_credentials&scope=api%3A%2F%2Fx%2F.default"
#define ANSWER                                                                 \
    "{\"token_type\":\"Bearer\",\"expires_in\":\"3600\","                      \
    "\"ext_expires_in\":7200,\"refresh_in\":1800,\"access_token\":\"at-1\","   \
    "\"scope\":\"api://x/.default\",\"client_info\":\"eyJ9\",\"foci\":\"1\"}"
#define THROTTLED "{\"error\":\"temporarily_unavailable\"}"
#define REVOKED                                                                \
    "{\"error\":\"invalid_grant\",\"error_codes\":[50173],"                    \
    "\"error_description\":\"AADSTS50173: x\",\"claims\":\"{\\\"a\\\":1}\"}"

static struct vl_grant *
grant(struct desk *d, const char *text, unsigned attempts, struct told *told)
{
    vl_auto(vl_buf) form = vl_buf_of(1000);
    vl_buf_addz(&form, text);
    return vl_grant_start(&d->desk, &form, attempts, on_done, told);
}

static void
start(struct desk *d, size_t i, unsigned attempts)
{
    d->told[i].calls = 0;
    d->bench->left++;
    assert_non_null(grant(d, FORM, attempts, &d->told[i]));
    assert_int_equal(d->told[i].calls, 0); /* not before it has returned */
}

static const struct told *
after_grant(struct desk *d)
{
    start(d, 0, 1);
    run(d->bench);
    assert_int_equal(d->told[0].calls, 1);
    return &d->told[0];
}

/* @spec S-04 */
static void
sends_the_form_with_the_proof_of_the_client(void **state)
{
    struct desk *d = *state;
    refuse(d->bench, 200, ANSWER, NULL);
    assert_true(after_grant(d)->answered);
    assert_str(vl_buf_str(&d->bench->token->body),
               FORM "&client_id=" CLIENT "&client_secret=the~secret%2Fof%3Dus");
    assert_int_equal(vl_buf_size(&d->bench->token->query), 0);
}

static void
tells_all_that_the_answer_holds(void **state)
{
    struct desk *d = *state;
    refuse(d->bench, 200, ANSWER, NULL);
    const struct told *told = after_grant(d);
    int64_t now = d->bench->now_ms;
    assert_string_equal(told->access, "at-1");
    assert_string_equal(told->scope, "api://x/.default");
    assert_string_equal(told->family, "1");
    assert_int_equal(told->expires_ms, now + 3600000);
    assert_int_equal(told->extended_ms, now + 7200000);
    assert_int_equal(told->refresh_ms, now + 1800000);
}

static void
tells_a_refusal_with_all_that_a_program_needs(void **state)
{
    struct desk *d = *state;
    refuse(d->bench, 400, REVOKED, NULL);
    const struct told *told = after_grant(d);
    assert_false(told->answered);
    assert_int_equal(told->error.next, VALET_NEXT_SIGN_IN);
    assert_int_equal(told->error.aadsts, 50173);
    assert_string_equal(told->error.oauth, "invalid_grant");
    assert_string_equal(told->error.claims, "{\"a\":1}");
    assert_null(strstr(told->error.error.message, SECRET));
}

static void
does_not_send_again_what_was_throttled(void **state)
{
    struct desk *d = *state;
    refuse(d->bench, 429, THROTTLED, "120");
    assert_int_equal(after_grant(d)->error.next, VALET_NEXT_RETRY);
    assert_int_equal(d->bench->token->asked, 1);
    d->bench->now_ms += MINUTE_MS;
    const struct told *held = after_grant(d);
    assert_int_equal(d->bench->token->asked, 1);
    assert_int_equal(held->error.http_status, 429);
    assert_int_equal(held->error.retry_after_ms, MINUTE_MS);
    d->bench->now_ms += MINUTE_MS;
    refuse(d->bench, 200, ANSWER, NULL);
    assert_true(after_grant(d)->answered);
    assert_int_equal(d->bench->token->asked, 1); /* since the new script */
}

static void
says_that_a_success_without_a_token_is_none(void **state)
{
    struct desk *d = *state;
    refuse(d->bench, 200, "{\"token_type\":\"Bearer\",\"expires_in\":3600}",
           NULL);
    assert_int_equal(after_grant(d)->error.next, VALET_NEXT_GIVE_UP);
    refuse(d->bench, 200, "<html>", NULL);
    assert_int_equal(after_grant(d)->error.error.status, VALET_RETRY);
}

static valet_status
no_assertion(struct vl_str token_endpoint, struct vl_buf *out, void *ctx,
             valet_error *err)
{
    (void)token_endpoint;
    (void)out;
    (void)ctx;
    return vl_fail(err, VALET_INTERNAL, "", "the token file is gone");
}

static void
sends_nothing_without_a_proof(void **state)
{
    struct desk *d = *state;
    d->auth = (struct vl_client_auth){.kind = VL_AUTH_ASSERTION,
                                      .assertion = no_assertion};
    refuse(d->bench, 200, ANSWER, NULL);
    const struct told *told = after_grant(d);
    assert_string_equal(told->error.error.message, "the token file is gone");
    assert_int_equal(told->error.next, VALET_NEXT_GIVE_UP);
    assert_int_equal(d->bench->token->asked, 0);
}

static void
sends_nothing_of_a_form_that_is_too_long(void **state)
{
    struct desk *d = *state;
    vl_auto(vl_buf) form = vl_buf_of(1024 * 1024);
    vl_buf_addz(&form, FORM "&assertion=");
    while (vl_buf_size(&form) < 1000 * 1000)
        vl_buf_addz(&form, "0123456789abcdef");
    d->bench->left++;
    (void)vl_grant_start(&d->desk, &form, 1, on_done, &d->told[0]);
    run(d->bench);
    assert_int_equal(d->told[0].error.error.status, VALET_LIMIT);
    assert_int_equal(d->bench->token->asked, 0);
}

static void
tells_when_the_tenant_cannot_be_asked(void **state)
{
    struct desk *d = *state;
    peer_reset(d->bench->document);
    peer_say(d->bench->document, (struct peer_answer){.status = 503});
    const struct told *told = after_grant(d);
    assert_int_equal(told->error.next, VALET_NEXT_RETRY);
    assert_int_equal(told->error.error.status, VALET_RETRY);
    assert_int_equal(d->bench->token->asked, 0);
}

static void
can_be_given_up_at_any_moment(void **state)
{
    struct desk *d = *state;
    peer_reset(d->bench->token);
    peer_say(d->bench->token, (struct peer_answer){.status = 0});
    /* Before anything was sent; and while the answer is awaited, which the
     * loop of a second, answered grant lets happen. */
    struct vl_grant *none = NULL;
    struct vl_grant *early = grant(d, FORM, 1, &d->told[1]);
    vl_grant_abort(&early);
    assert_null(early);
    vl_grant_abort(&none);
    struct vl_grant *late = grant(d, FORM "&late=1", 1, &d->told[2]);
    peer_say(d->bench->token,
             (struct peer_answer){.status = 200, .body = ANSWER});
    assert_true(after_grant(d)->answered);
    vl_grant_abort(&late);
    assert_int_equal(d->told[1].calls, 0);
    assert_int_equal(d->told[2].calls, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_DESK(sends_the_form_with_the_proof_of_the_client),
        AT_DESK(tells_all_that_the_answer_holds),
        AT_DESK(tells_a_refusal_with_all_that_a_program_needs),
        AT_DESK(does_not_send_again_what_was_throttled),
        AT_DESK(says_that_a_success_without_a_token_is_none),
        AT_DESK(sends_nothing_without_a_proof),
        AT_DESK(sends_nothing_of_a_form_that_is_too_long),
        AT_DESK(tells_when_the_tenant_cannot_be_asked),
        AT_DESK(can_be_given_up_at_any_moment),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
