/* SPDX-License-Identifier: Apache-2.0
 *
 * Registration: what is read, what is refused, how much there may be.
 */
#include "vl_test.h"

#include "desk_fixture.h"
#include "issuer/registration.h"

static struct answer
enrol(struct desk *desk, const char *body)
{
    return desk_request(desk, NULL, "POST", "/register",
                        "Content-Type: application/json\r\n", body);
}

#define GOOD "{\"redirect_uris\":[\"https://a.example/cb\"]}"

static valet_status
read_as(const char *body, char *ret_name, size_t size, char *ret_code)
{
    valet_error err = {0};
    struct vl_registration read = {0};
    struct vl_str guarded = vl_test_guarded(vl_str_z(body));
    valet_status status = vl_registration_read(guarded, &read, &err);
    if (status == VALET_OK)
        note(ret_name, size, vl_buf_str(&read.name));
    else
        (void)snprintf(ret_code, 48, "%s", err.code);
    vl_registration_done(&read);
    vl_test_unguard(guarded);
    return status;
}

/* @spec W-17 W-63 */
static void
refuses_what_is_dangerous_or_malformed_w17(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code;
    } cases[] = {
        {"", "invalid_client_metadata"},
        {"[]", "invalid_client_metadata"},
        {"{}", "invalid_redirect_uri"},
        {"{\"redirect_uris\":[]}", "invalid_redirect_uri"},
        {"{\"redirect_uris\":\"https://a.example\"}", "invalid_redirect_uri"},
        {"{\"redirect_uris\":[1]}", "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"javascript:alert(1)\"]}",
         "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"https://a.example/cb\",\"data:x\"]}",
         "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"http://evil.example/cb\"]}",
         "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"https://a/\\n\"]}", "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"https://a/1\",\"https://a/2\",\"https://a/3\","
         "\"https://a/4\",\"https://a/5\",\"https://a/6\",\"https://a/7\","
         "\"https://a/8\",\"https://a/9\",\"https://a/10\",\"https://a/11\"]}",
         "invalid_redirect_uri"},
        {"{\"redirect_uris\":[\"https://a/\"],\"redirect_uris\":[]}",
         "invalid_client_metadata"},
        {"{\"redirect_uris\":[\"https://a/\"],\"grant_types\":[\"implicit\"]}",
         "invalid_client_metadata"},
        {"{\"redirect_uris\":[\"https://a/\"],\"grant_types\":null}",
         "invalid_client_metadata"},
        {"{\"redirect_uris\":[\"https://a/\"],\"response_types\":[\"token\"]}",
         "invalid_client_metadata"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char name[256], code[48] = "";
        if (read_as(cases[i].body, name, sizeof name, code) != VALET_INVALID)
            fail_msg("taken: %s", cases[i].body);
        assert_string_equal(code, cases[i].code);
    }
}

static void
cleans_the_name_that_people_will_see(void **state)
{
    (void)state;
    static const struct {
        const char *name, *clean;
    } cases[] = {
        {"My Client", "My Client"},
        {"  My Client\\t", "My Client"},
        {"a\\u202eb\\u200fc\\u0007d\\u0085e", "abcde"},
        {"\\u09ac\\u09be\\u0982\\u09b2\\u09be", "বাংলা"},
        {"\\ud83d\\ude97 car", "🚗 car"},
        {"\\udb40\\udc41x", "x"},
        {"", "A program without a name"},
        {"\\u200b", "A program without a name"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char body[256], name[256] = "", code[48];
        (void)snprintf(body, sizeof body,
                       "{\"redirect_uris\":[\"https://a/\"],"
                       "\"client_name\":\"%s\"}",
                       cases[i].name);
        assert_ok(read_as(body, name, sizeof name, code));
        assert_string_equal(name, cases[i].clean);
    }
}

static void
cuts_a_long_name_between_characters(void **state)
{
    (void)state;
    vl_auto(vl_buf) body = vl_buf_of(4096);
    char name[512] = "", code[48];
    vl_buf_addz(&body, "{\"redirect_uris\":[\"https://a/\"],"
                       "\"client_name\":\"");
    for (int i = 0; i < 300; i++)
        vl_buf_addz(&body, "ব");
    vl_buf_addz(&body, "\"}");
    assert_ok(read_as(vl_buf_cstr(&body), name, sizeof name, code));
    assert_int_equal(strlen(name), VL_LIMIT_CLIENT_NAME / 3 * 3);
    assert_true(vl_str_is_utf8(vl_str_z(name)));
}

/* @spec W-17: off means off, and the refusal says how to switch it on. */
static void
says_how_to_switch_registration_on_w17(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    desk->config.registration_dynamic = false;
    desk_restart_issuer(desk);
    struct answer answer = enrol(desk, GOOD);
    assert_oauth_error(answer, 403, "access_denied");
    assert_true(has_text(answer.body, "registration: { dynamic: true }"));
    answer_done(&answer);
    answer = desk_get(desk, NULL, "/.well-known/oauth-authorization-server");
    assert_false(has_text(answer.body, "registration_endpoint"));
    answer_done(&answer);
    assert_audited(desk, "client.reject", "registration_off");
    desk_free(desk);
}

/* @spec W-17: in all. */
static void
has_room_for_so_many_registrations_w17(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    for (unsigned i = 0; i < desk->config.registration_max; i++) {
        struct answer answer = enrol(desk, GOOD);
        assert_int_equal(answer.status, 201);
        answer_done(&answer);
    }
    struct answer answer = enrol(desk, GOOD);
    assert_oauth_error(answer, 503, "temporarily_unavailable");
    answer_done(&answer);
    assert_audited(desk, "client.reject", "registrations_full");
    /* Those that were never used make room again. */
    desk->now += desk->config.registration_unused_ms;
    answer = enrol(desk, GOOD);
    assert_int_equal(answer.status, 201);
    answer_done(&answer);
    desk_free(desk);
}

/* @spec W-17: from one address. */
static void
takes_so_many_registrations_an_hour_from_one_address_w17(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    desk->config.registration_per_address_per_hour = 2;
    desk_restart_issuer(desk);
    for (int i = 0; i < 2; i++) {
        struct answer answer = enrol(desk, GOOD);
        assert_int_equal(answer.status, 201);
        answer_done(&answer);
    }
    struct answer answer = enrol(desk, GOOD);
    assert_oauth_error(answer, 429, "temporarily_unavailable");
    assert_non_null(header_of(&answer, "Retry-After", 0).p);
    answer_done(&answer);
    assert_audited(desk, "client.reject", "registration_quota");
    desk_free(desk);
}

static void
refuses_other_media_types(void **state)
{
    (void)state;
    struct desk *desk = desk_new();
    struct answer answer = desk_post(desk, NULL, "/register", GOOD);
    assert_oauth_error(answer, 400, "invalid_client_metadata");
    answer_done(&answer);
    answer = enrol(desk, "{\"redirect_uris\":[\"javascript:x\"]}");
    assert_oauth_error(answer, 400, "invalid_redirect_uri");
    answer_done(&answer);
    desk_free(desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_dangerous_or_malformed_w17),
        cmocka_unit_test(cleans_the_name_that_people_will_see),
        cmocka_unit_test(cuts_a_long_name_between_characters),
        cmocka_unit_test(says_how_to_switch_registration_on_w17),
        cmocka_unit_test(has_room_for_so_many_registrations_w17),
        cmocka_unit_test(
            takes_so_many_registrations_an_hour_from_one_address_w17),
        cmocka_unit_test(refuses_other_media_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
