/* SPDX-License-Identifier: Apache-2.0
 *
 * People of many tenants, and an authority whose document was given.
 */
#include "entra/identify.h"

#include "desk.h"

#define PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"

/* An authority of many tenants, and what came of the last sign-in. */
struct party {
    struct desk *desk;
    struct vl_instance instance;
    struct vl_authority *authority;
    struct vl_buf metadata;
    int calls;
    valet_status status;
    struct vl_user user;
    valet_error err;
};

static const char *const guests[] = {TID, OTHER, NULL};
static const char *const with_personal[] = {TID, PERSONAL, NULL};

static int
open_party(void **state)
{
    struct party *p = vl_alloc(sizeof *p);
    void *desk;
    assert_int_equal(open_desk(&desk), 0);
    p->desk = desk;
    struct bench *b = p->desk->bench;
    p->metadata = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addf(&p->metadata,
                "{\"issuer\":\"%s/{tenantid}/v2.0\","
                "\"authorization_endpoint\":\"%s/organizations/a\","
                "\"token_endpoint\":\"%s/organizations/t\","
                "\"jwks_uri\":\"%s" KEYS "\"}",
                b->peer.origin, b->peer.origin, b->peer.origin, b->peer.origin);
    p->instance = (struct vl_instance){
        .host = b->peer.origin,
        .tenant = "organizations",
        .tenants = guests,
        .metadata = vl_buf_cstr(&p->metadata),
    };
    p->authority =
        vl_authority_new(b->loop, b->fetcher, &b->clock, &p->instance);
    *state = p;
    return 0;
}

static int
close_party(void **state)
{
    struct party *p = *state;
    void *desk = p->desk;
    vl_authority_free(p->authority);
    vl_buf_done(&p->metadata);
    free(p);
    return close_desk(&desk);
}

static void
on_identified(valet_status status, const struct vl_idp_person *person,
              const valet_error *err, void *ctx)
{
    struct party *p = ctx;
    p->calls++;
    p->status = status;
    assert_true((status == VALET_OK) == (person != NULL));
    if (person)
        p->user = person->user;
    if (err)
        p->err = *err;
    p->desk->bench->left--;
    vl_loop_stop(p->desk->bench->loop);
}

/* Who signs in with an id token of this tenant? */
static valet_status
after_sign_in(struct party *p, const char *tid)
{
    struct bench *b = p->desk->bench;
    const struct identity who = {.nonce = "our-nonce", .tid = tid};
    vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_JWT);
    write_id_token(b, &who, &token);
    struct vl_identify_in in = {.authority = p->authority,
                                .clock = &b->clock,
                                .client_id = CLIENT,
                                .id_token = vl_buf_str(&token),
                                .nonce = VL_STR("our-nonce")};
    p->calls = 0;
    b->left++;
    assert_non_null(vl_identify_start(&in, on_identified, p));
    assert_int_equal(p->calls, 0); /* not before it has returned */
    run(b);
    assert_int_equal(p->calls, 1);
    return p->status;
}

/* @spec S-22 */
static void
lets_in_people_of_the_tenants_that_were_named(void **state)
{
    struct party *p = *state;
    assert_int_equal(after_sign_in(p, TID), VALET_OK);
    assert_string_equal(p->user.tid, TID);
    assert_int_equal(after_sign_in(p, OTHER), VALET_OK);
    assert_string_equal(p->user.tid, OTHER);
    assert_int_equal(after_sign_in(p, OID), VALET_DENIED);
    assert_string_equal(p->err.code, "invalid_id_token");
    assert_non_null(strstr(p->err.message, "another tenant"));
}

/* @spec S-22 */
static void
personal_accounts_are_let_in_by_name_alone(void **state)
{
    struct party *p = *state;
    assert_int_equal(after_sign_in(p, PERSONAL), VALET_DENIED);
    vl_authority_free(p->authority);
    struct bench *b = p->desk->bench;
    p->instance.tenants = with_personal;
    p->authority =
        vl_authority_new(b->loop, b->fetcher, &b->clock, &p->instance);
    assert_int_equal(after_sign_in(p, PERSONAL), VALET_OK);
    assert_string_equal(p->user.tid, PERSONAL);
    assert_int_equal(after_sign_in(p, OTHER), VALET_DENIED);
}

static void
fetches_keys_but_no_document_that_was_given(void **state)
{
    struct party *p = *state;
    struct bench *b = p->desk->bench;
    assert_int_equal(after_sign_in(p, TID), VALET_OK);
    assert_int_equal(after_sign_in(p, TID), VALET_OK);
    assert_int_equal(b->keys->asked, 1);
    b->now_ms += (int64_t)25 * 3600 * 1000; /* they are a day old */
    assert_int_equal(after_sign_in(p, TID), VALET_OK);
    assert_int_equal(b->keys->asked, 2);
    assert_int_equal(b->document->asked, 0);
    assert_int_equal(b->peer.strays, 0);
}

static void
a_document_that_cannot_be_read_fails_later_and_for_good(void **state)
{
    struct party *p = *state;
    struct bench *b = p->desk->bench;
    p->instance.metadata = "{}";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(after_sign_in(p, TID), VALET_INTERNAL);
        assert_non_null(strstr(p->err.message, "metadata given for"));
    }
    assert_int_equal(b->keys->asked + b->document->asked, 0);
}

#define AT_PARTY(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_party, close_party)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_PARTY(lets_in_people_of_the_tenants_that_were_named),
        AT_PARTY(personal_accounts_are_let_in_by_name_alone),
        AT_PARTY(fetches_keys_but_no_document_that_was_given),
        AT_PARTY(a_document_that_cannot_be_read_fails_later_and_for_good),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
