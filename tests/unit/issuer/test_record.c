/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "issuer/record.h"
#include "issuer/token_format.h"

static void
write_sample(struct vl_buf *out)
{
    struct vl_access sample = {.session = VL_STR("s"),
                               .client = VL_STR("c\nclient=1:x"),
                               .tid = VL_STR("t"),
                               .oid = VL_STR("o"),
                               .resource = VL_STR(""),
                               .scopes = VL_STR("a b"),
                               .expires_ms = INT64_MAX};
    vl_record_write(out, &vl_record_access, &sample);
}

static void
reads_what_it_wrote(void **state)
{
    (void)state;
    struct vl_access back;
    vl_auto(vl_buf) text = vl_buf_of(4096);
    write_sample(&text);
    assert_ok(
        vl_record_read(vl_buf_str(&text), &vl_record_access, &back, NULL));
    assert_str(back.client, "c\nclient=1:x");
    assert_str(back.resource, "");
    assert_str(back.scopes, "a b");
    assert_true(back.expires_ms == INT64_MAX);
}

static void
tells_absent_from_empty(void **state)
{
    (void)state;
    struct vl_flow flow = {.state = {NULL, 0}}, back;
    vl_auto(vl_buf) text = vl_buf_of(4096);
    vl_record_write(&text, &vl_record_flow, &flow);
    assert_ok(vl_record_read(vl_buf_str(&text), &vl_record_flow, &back, NULL));
    assert_null(back.state.p);
    assert_false(back.approved);
    flow.state = VL_STR("");
    flow.approved = true;
    vl_buf_clear(&text);
    vl_record_write(&text, &vl_record_flow, &flow);
    assert_ok(vl_record_read(vl_buf_str(&text), &vl_record_flow, &back, NULL));
    assert_non_null(back.state.p);
    assert_true(back.approved);
}

/* @spec W-49: a record of one kind is never one of another. */
static void
refuses_records_of_another_kind(void **state)
{
    (void)state;
    struct vl_refresh back;
    vl_auto(vl_buf) text = vl_buf_of(4096);
    write_sample(&text);
    assert_int_equal(
        vl_record_read(vl_buf_str(&text), &vl_record_refresh, &back, NULL),
        VALET_INVALID);
    assert_null(back.session.p);
}

static void
refuses_anything_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        "access",
        "access 1",
        "access 1\n",
        "access 2\nx=1:y\n",
        "accessx 1\n",
    };
    struct vl_access back;
    vl_auto(vl_buf) text = vl_buf_of(4096);
    for (size_t i = 0; i < VL_COUNT(odd); i++)
        assert_int_equal(
            vl_record_read(vl_str_z(odd[i]), &vl_record_access, &back, NULL),
            VALET_INVALID);
    write_sample(&text);
    struct vl_str whole = vl_buf_str(&text);
    for (size_t i = 0; i < whole.n; i++) {
        struct vl_str guarded = vl_test_guarded(vl_str_head(whole, i));
        assert_int_equal(
            vl_record_read(guarded, &vl_record_access, &back, NULL),
            VALET_INVALID);
        vl_test_unguard(guarded);
    }
    static const char *const tails[] = {"x", "\n", "tid=1:u\n", "more=1:x\n",
                                        "tid=99999999999999999999:u\n"};
    for (size_t i = 0; i < VL_COUNT(tails); i++) {
        vl_auto(vl_buf) longer = vl_buf_of(4096);
        vl_buf_add(&longer, whole);
        vl_buf_addz(&longer, tails[i]);
        assert_int_equal(
            vl_record_read(vl_buf_str(&longer), &vl_record_access, &back, NULL),
            VALET_INVALID);
    }
}

static void
mints_tokens_that_it_knows_again(void **state)
{
    (void)state;
    struct vl_keyring *ring = vl_keyring_new_random();
    struct vl_keyring *other = vl_keyring_new_random();
    struct vl_token_keys keys, foreign;
    struct vl_token_family family = {{1, 2, 3}}, back;
    struct vl_token_id id, again;
    vl_token_keys_init(&keys, ring);
    vl_token_keys_init(&foreign, other);
    for (int kind = 0; kind < VL_TOKEN_KIND_COUNT; kind++) {
        vl_auto(vl_buf) text = vl_buf_of_secret(VL_TOKEN_TEXT_MAX);
        enum vl_token_kind this_kind = (enum vl_token_kind)kind;
        bool is_refresh = this_kind == VL_TOKEN_REFRESH;
        vl_token_mint(&keys, this_kind, is_refresh ? &family : NULL, &text,
                      &id);
        assert_ok(vl_buf_check(&text, NULL));
        assert_true(
            vl_token_read(&keys, this_kind, vl_buf_str(&text), &again, &back));
        assert_string_equal(id.text, again.text);
        if (is_refresh)
            assert_memory_equal(back.bytes, family.bytes, sizeof back.bytes);
        /* Not by another key, not as another kind. */
        assert_false(vl_token_read(&foreign, this_kind, vl_buf_str(&text),
                                   &again, NULL));
        for (int k = 0; k < VL_TOKEN_KIND_COUNT; k++)
            if (k != kind)
                assert_false(vl_token_read(&keys, (enum vl_token_kind)k,
                                           vl_buf_str(&text), &again, NULL));
    }
    vl_token_keys_done(&keys);
    vl_token_keys_done(&foreign);
    vl_keyring_free(ring);
    vl_keyring_free(other);
}

/* @spec W-49 */
static void
keeps_kinds_of_handles_apart(void **state)
{
    (void)state;
    struct vl_keyring *ring = vl_keyring_new_random();
    struct vl_token_keys keys;
    char handle[VL_HANDLE_SIZE];
    vl_token_keys_init(&keys, ring);
    vl_handle_new(handle);
    assert_true(vl_handle_is_valid(vl_str_z(handle)));
    assert_false(vl_handle_is_valid(VL_STR("x")));
    struct vl_token_id flow = vl_handle_id(&keys, "flow", vl_str_z(handle));
    struct vl_token_id state_id =
        vl_handle_id(&keys, "state", vl_str_z(handle));
    assert_string_not_equal(flow.text, state_id.text);
    assert_int_equal(strlen(flow.text), 64);
    vl_token_keys_done(&keys);
    vl_keyring_free(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(tells_absent_from_empty),
        cmocka_unit_test(refuses_records_of_another_kind),
        cmocka_unit_test(refuses_anything_odd),
        cmocka_unit_test(mints_tokens_that_it_knows_again),
        cmocka_unit_test(keeps_kinds_of_handles_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
