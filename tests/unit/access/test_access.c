/* SPDX-License-Identifier: Apache-2.0
 *
 * @spec CL-07 CL-08 CL-09 CL-10 CL-13 CL-14 CL-18
 */
#include "access/access.h"

#include "access/inside.h"
#include "rig.h"

#define CHALLENGE "scope=\"a\""

static void
sign_in(struct rig *rig)
{
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
}

/* --- the first sign-in --- */

static void
a_person_signs_in_once_and_the_token_is_there(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    assert_string_equal(rig_bearer(rig), "");
    sign_in(rig);
    assert_string_equal(rig_bearer(rig), "access-2");
    assert_int_equal(rig->windows, 1);
    assert_int_equal(rig->state.registrations, 1);
    assert_string_equal(rig->state.scope, "a");
    assert_string_equal(rig->state.resource, rig->url);
    assert_string_equal(rig->state.token_resource, rig->url);
    assert_string_equal(rig->state.prompt, "");
    /* The person is told where; no secret is. */
    assert_non_null(strstr(rig->told, "/start/"));
    assert_null(strstr(rig->told, "access-"));
    assert_null(strstr(rig->told, "state"));
    rig_free(rig);
}

static void
after_a_restart_it_is_silent(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    unsigned discoveries = rig->state.discoveries;
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "access-2");
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL)); /* sent before it was read */
    assert_int_equal(rig->windows, 1);
    assert_int_equal(rig->state.discoveries, discoveries);
    rig_free(rig);
}

/* An hour later nobody signs in again. */
static void
an_ended_token_is_renewed_without_anybody(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    rig->state.expires_in = 3600;
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "");
    unsigned discoveries = rig->state.discoveries;
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
    assert_string_equal(rig_bearer(rig), "access-3");
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 1);
    assert_int_equal(rig->state.discoveries, discoveries);
    rig_free(rig);
}

static void
an_old_refresh_token_stays_if_no_new_one_comes(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.keeps_refresh = true;
    rig->state.expires_in = 1;
    sign_in(rig);
    for (unsigned i = 1; i <= 2; i++) {
        rig_wait(rig, 1100);
        rig_restart(rig);
        assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
        assert_int_equal(rig->state.refreshes, i);
    }
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
several_asks_are_one(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    for (int i = 0; i < 5; i++)
        assert_non_null(rig_start(rig, 401, CHALLENGE, NULL));
    rig_until(rig, rig->ended == 5);
    assert_int_equal(rig->status, VALET_OK);
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
a_token_that_has_changed_since_is_not_renewed(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    assert_ok(rig_ask(rig, 401, CHALLENGE, "one-before"));
    assert_string_equal(rig_bearer(rig), "access-2");
    assert_int_equal(rig->state.refreshes, 0);
    rig_free(rig);
}

/* --- scopes --- */

static void
scopes_come_from_the_metadata_if_the_challenge_has_none(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    (void)snprintf(rig->state.scopes, sizeof rig->state.scopes, "x y");
    assert_ok(rig_ask(rig, 401, "", NULL));
    assert_string_equal(rig->state.scope, "x y");
    rig_free(rig);
}

static void
without_scopes_none_is_asked_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.offers_offline = true;
    assert_ok(rig_ask(rig, 401, NULL, NULL));
    assert_string_equal(rig->state.scope, "");
    rig_free(rig);
}

static void
offline_access_is_asked_for_where_it_is_offered(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.offers_offline = true;
    sign_in(rig);
    assert_string_equal(rig->state.scope, "a offline_access");
    assert_string_equal(rig->state.prompt, "consent");
    rig_free(rig);
}

static void
a_step_up_asks_for_the_union(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    vl_access_worked(rig->access);
    assert_ok(rig_ask(rig, 403, "error=\"insufficient_scope\", scope=\"b\"",
                      "access-2"));
    assert_string_equal(rig->state.scope, "a b");
    assert_string_equal(rig_bearer(rig), "access-4");
    assert_int_equal(rig->windows, 2);
    assert_int_equal(rig->state.registrations, 1);
    rig_free(rig);
}

static void
the_same_step_up_twice_is_the_end(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    const char *more = "error=\"insufficient_scope\", scope=\"b\"";
    sign_in(rig);
    assert_ok(rig_ask(rig, 403, more, "access-2"));
    vl_access_worked(rig->access);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_ask(rig, 403, more, "access-4"), VALET_DENIED);
    assert_string_equal(rig->err.code, "insufficient_scope");
    assert_int_equal(rig->windows, 2);
    /* Another process knows as well. */
    rig_restart(rig);
    assert_int_equal(rig_ask(rig, 403, more, "access-4"), VALET_DENIED);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
what_a_person_has_left_out_is_asked_for_once_more(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    const char *more = "error=\"insufficient_scope\", scope=\"b\"";
    (void)snprintf(rig->state.granted, sizeof rig->state.granted, "a");
    assert_ok(rig_ask(rig, 401, "scope=\"a b\"", NULL));
    assert_ok(rig_ask(rig, 403, more, rig_bearer(rig)));
    assert_int_equal(rig_ask(rig, 403, more, rig_bearer(rig)), VALET_DENIED);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
a_refusal_that_names_no_scope_is_not_asked_about_for_ever(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    const char *more = "error=\"insufficient_scope\"";
    (void)snprintf(rig->state.scopes, sizeof rig->state.scopes, "a b");
    (void)snprintf(rig->state.granted, sizeof rig->state.granted, "a");
    sign_in(rig);
    assert_ok(rig_ask(rig, 403, more, rig_bearer(rig)));
    assert_string_equal(rig->state.scope, "a b");
    for (int i = 0; i < 3; i++) {
        vl_access_worked(rig->access);
        assert_int_equal(rig_ask(rig, 403, more, rig_bearer(rig)),
                         VALET_DENIED);
    }
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
chosen_scopes_are_all_that_is_asked_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->config.scope = "mine";
    rig_restart(rig);
    sign_in(rig);
    assert_string_equal(rig->state.scope, "mine");
    assert_int_equal(rig_ask(rig, 403,
                             "error=\"insufficient_scope\", scope=\"b\"",
                             rig_bearer(rig)),
                     VALET_DENIED);
    assert_non_null(strstr(rig->err.message, "--scope"));
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
a_client_of_fewer_scopes_registers_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    (void)snprintf(rig->state.refuses, sizeof rig->state.refuses,
                   "invalid_scope");
    assert_ok(rig_ask(rig, 403, "error=\"insufficient_scope\", scope=\"b\"",
                      rig_bearer(rig)));
    assert_int_equal(rig->state.registrations, 2);
    assert_string_equal(rig->state.scope, "a b");
    rig_free(rig);
}

/* --- where a person is --- */

static void
without_a_screen_the_address_is_told(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    char url[256];
    assert_int_equal(unsetenv("DISPLAY") + unsetenv("WAYLAND_DISPLAY") +
                         unsetenv("WSL_DISTRO_NAME"),
                     0);
    rig->config.open = NULL;
    rig_restart(rig);
    assert_non_null(rig_start(rig, 401, CHALLENGE, NULL));
    rig_until(rig, rig->told[0]);
    assert_non_null(strstr(rig->told, "no screen"));
    assert_non_null(strstr(rig->told, "ssh -L"));
    const char *at = strstr(rig->told, "[http://127.0.0.1:");
    assert_non_null(at);
    AS_COPY(url, vl_str_of(at + 1, strcspn(at + 1, "]")));
    as_browser_go(&rig->browser, vl_str_z(url));
    rig_until(rig, rig->ended);
    assert_ok(rig->status);
    rig_free(rig);
}

static valet_status
open_nothing(const char *url, void *ctx, valet_error *err)
{
    struct rig *rig = ctx;
    (void)err;
    rig->windows++;
    as_browser_go(&rig->browser, vl_str_z(url));
    return VALET_NOT_FOUND;
}

static void
a_browser_that_does_not_open_is_not_the_end(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->config.open = open_nothing;
    rig_restart(rig);
    sign_in(rig);
    assert_non_null(strstr(rig->told, "No browser could be opened"));
    rig_free(rig);
}

static void
the_port_and_host_of_the_redirect_may_be_chosen(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct as_state other_state = {.expires_in = 0};
    struct as other;
    struct vl_url url;
    char redirect[80];
    as_open(&other, &other_state, rig->loop);
    assert_ok(vl_url_parse(vl_str_z(other_state.origin), &url, NULL));
    rig->config.callback_port = url.port;
    rig->config.callback_on_localhost = true;
    rig_restart(rig);
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_CONFLICT);
    assert_non_null(strstr(rig->err.message, "--callback-port"));
    as_close(&other);
    rig_wait(rig, 50);
    sign_in(rig);
    (void)snprintf(redirect, sizeof redirect, "http://localhost:%u/callback",
                   url.port);
    assert_string_equal(rig->state.redirect, redirect);
    rig_free(rig);
}

/* --- refusals --- */

static void
a_refused_token_is_renewed_then_got_anew_then_it_ends(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    vl_access_worked(rig->access);
    assert_ok(rig_ask(rig, 401, "error=\"invalid_token\"", rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 1);
    assert_ok(rig_ask(rig, 401, "error=\"invalid_token\"", rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            rig_ask(rig, 401, "error=\"invalid_token\"", rig_bearer(rig)),
            VALET_DENIED);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
a_person_is_not_asked_for_ever(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.gives_no_refresh = true;
    sign_in(rig);
    for (int i = 1; i < 5; i++) {
        vl_access_worked(rig->access);
        assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    }
    vl_access_worked(rig->access);
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)),
                     VALET_DENIED);
    assert_int_equal(rig->windows, 5);
    rig_free(rig);
}

static void
a_revoked_refresh_token_means_a_sign_in(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    vl_access_worked(rig->access);
    rig->state.refresh[0] = 0;
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 2);
    assert_int_equal(rig->state.registrations, 1);
    rig_free(rig);
}

static void
a_lost_answer_is_asked_for_once_more(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.forgives = true;
    sign_in(rig);
    vl_access_worked(rig->access);
    rig->state.loses = 1;
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 2);
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
a_lost_answer_that_is_not_forgiven_means_a_sign_in(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    vl_access_worked(rig->access);
    rig->state.loses = 1;
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 2);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
who_cannot_be_reached_is_no_reason_for_a_sign_in(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    rig->state.is_down = true;
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_RETRY);
    assert_int_equal(rig->windows, 1);
    rig->state.is_down = false;
    rig->state.expires_in = 3600;
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
a_person_may_say_no(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    (void)snprintf(rig->state.refuses, sizeof rig->state.refuses,
                   "access_denied");
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_CANCELLED);
    assert_string_equal(rig->err.code, "access_denied");
    rig->state.keeps_refusing = true;
    (void)snprintf(rig->state.refuses, sizeof rig->state.refuses,
                   "access_denied");
    for (int i = 0; i < VL_ACCESS_SIGN_INS; i++)
        assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_CANCELLED);
    rig->state.refuses[0] = 0;
    /* And change their mind, when the program asks the next time. */
    sign_in(rig);
    rig_free(rig);
}

static void
a_person_who_does_not_come_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->config.timeout_ms = 1000;
    rig->is_absent = true;
    rig_restart(rig);
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_CANCELLED);
    rig_free(rig);
}

static void
an_answer_of_somebody_else_is_not_used(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.sends_iss = true;
    sign_in(rig);
    rig_free(rig);
    rig = rig_new();
    rig->state.wrong_iss = true;
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_DENIED);
    assert_int_equal(rig->state.codes, 0);
    assert_null(strstr(rig->err.message, "evil"));
    /* Nor an error of theirs. */
    (void)snprintf(rig->state.refuses, sizeof rig->state.refuses,
                   "access_denied");
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_DENIED);
    assert_string_equal(rig->err.code, "");
    rig_free(rig);
}

/* --- clients --- */

static void
where_nobody_may_register_the_person_is_told_what_to_do(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.no_registration = true;
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_DENIED);
    assert_non_null(strstr(rig->err.message, "--client-id"));
    assert_int_equal(rig->windows, 0);
    rig_free(rig);
}

static void
a_given_client_comes_before_all_others(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.takes_documents = true;
    (void)snprintf(rig->state.known, sizeof rig->state.known, "by-hand");
    rig->config.client_id = "by-hand";
    rig_restart(rig);
    sign_in(rig);
    assert_string_equal(rig->state.client, "by-hand");
    assert_int_equal(rig->state.registrations, 0);
    rig_free(rig);
}

static void
a_document_comes_before_a_registration(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->config.client_metadata_url = "https://client.example/me.json";
    rig_restart(rig);
    sign_in(rig);
    assert_int_equal(rig->state.registrations, 1);
    rig_free(rig);
    rig = rig_new();
    rig->state.takes_documents = true;
    rig->config.client_metadata_url = "https://client.example/me.json";
    rig_restart(rig);
    sign_in(rig);
    assert_int_equal(rig->state.registrations, 0);
    assert_string_equal(rig->state.client, "https://client.example/me.json");
    rig_free(rig);
}

static void
tokens_of_one_client_are_not_those_of_another(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    (void)snprintf(rig->state.known, sizeof rig->state.known, "by-hand");
    rig->config.client_id = "by-hand";
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "");
    rig_free(rig);
}

/* The authorization server has lost its registrations. */
static void
a_client_that_is_not_known_any_more_registers_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    vl_access_worked(rig->access);
    rig->state.forgotten = rig->state.client_count;
    /* Seen at the refresh … */
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.registrations, 2);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
a_dead_client_is_noticed_before_a_browser_opens(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.gives_no_refresh = true;
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    rig->state.forgotten = rig->state.client_count;
    rig_restart(rig);
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
    assert_int_equal(rig->state.registrations, 2);
    assert_int_equal(rig->windows, 2);
    assert_int_equal(rig->state.unknown_clients, 1);
    rig_free(rig);
}

static void
a_living_client_is_used_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.gives_no_refresh = true;
    rig->state.insists_on_port = true;
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    rig_restart(rig);
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
    assert_int_equal(rig->state.registrations, 1);
    assert_string_equal(rig->state.redirect, rig->state.redirects[0]);
    rig_free(rig);
}

static void
a_port_that_is_taken_is_registered_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct as_state other_state = {.expires_in = 0};
    struct as other;
    struct vl_url url;
    unsigned port;
    rig->state.gives_no_refresh = true;
    rig->state.insists_on_port = true;
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    assert_ok(vl_url_parse(vl_str_z(rig->state.redirects[0]), &url, NULL));
    as_open(&other, &other_state, rig->loop);
    assert_ok(vl_http_server_listen(other.server, "127.0.0.1", url.port, &port,
                                    NULL));
    rig_restart(rig);
    assert_ok(rig_ask(rig, 401, CHALLENGE, NULL));
    assert_int_equal(rig->state.registrations, 2);
    as_close(&other);
    rig_free(rig);
}

static void
a_program_signs_in_by_itself(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    vl_auto(vl_secret) secret = vl_secret_of(VL_STR("secret"));
    (void)snprintf(rig->state.known, sizeof rig->state.known, "program");
    rig->config.flow = VL_ACCESS_CLIENT_CREDENTIALS;
    rig->config.client_id = "program";
    rig->config.client_secret = &secret;
    rig->state.offers_offline = true;
    rig_restart(rig);
    sign_in(rig);
    assert_int_equal(rig->state.grants, 1);
    assert_int_equal(rig->windows, 0);
    assert_string_equal(rig->state.scope, "a");
    /* The next process has it; and a person has another. */
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "access-1");
    rig->config.flow = VL_ACCESS_PERSON;
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "");
    rig_free(rig);
}

static void
what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    vl_auto(vl_secret) empty = {NULL, 0};
    const struct vl_access_config configs[] = {
        {.url = "no address"},
        {.url = rig->url, .flow = VL_ACCESS_GIVEN},
        {.url = rig->url, .flow = VL_ACCESS_GIVEN, .token = &empty},
        {.url = rig->url, .flow = VL_ACCESS_CLIENT_CREDENTIALS},
        {.url = rig->url,
         .flow = VL_ACCESS_CLIENT_CREDENTIALS,
         .client_id = "without a proof"},
        {.url = rig->url,
         .client_id = "id",
         .client_metadata_url = "https://client.example/me.json"},
        {.url = rig->url, .client_metadata_url = "http://client.example/me"},
        {.url = rig->url, .client_metadata_url = "https://client.example/"},
    };
    for (size_t i = 0; i < VL_COUNT(configs); i++) {
        struct vl_access *access = NULL;
        assert_int_equal(vl_access_new(&configs[i], &access, NULL),
                         VALET_INVALID);
        assert_null(access);
    }
    rig_free(rig);
}

static void
a_given_token_is_all_there_is(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    vl_auto(vl_secret) token = vl_secret_of(VL_STR("mine"));
    rig->config.flow = VL_ACCESS_GIVEN;
    rig->config.token = &token;
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "mine");
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, "mine"), VALET_DENIED);
    assert_int_equal(rig->state.discoveries, 0);
    rig_free(rig);
}

/* --- another authorization server --- */

static void
with_another_authorization_server_nothing_is_used_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct as_state next_state = {.expires_in = 3600};
    struct as next;
    as_open(&next, &next_state, rig->loop);
    sign_in(rig);
    vl_access_worked(rig->access);
    (void)snprintf(rig->state.server, sizeof rig->state.server, "%s",
                   next_state.origin);
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes, 0);
    assert_int_equal(next_state.registrations, 1);
    assert_int_equal(next_state.unknown_clients, 0);
    assert_string_equal(rig_bearer(rig), "access-2");
    assert_string_equal(next_state.client, next_state.clients[0]);
    as_close(&next);
    rig_free(rig);
}

/* Its id is the same everywhere: the tokens still are not. */
static void
tokens_of_a_document_do_not_go_to_another_authorization_server(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct as_state next_state = {.expires_in = 3600, .takes_documents = true};
    struct as next;
    as_open(&next, &next_state, rig->loop);
    rig->state.takes_documents = true;
    rig->config.client_metadata_url = "https://client.example/me.json";
    rig_restart(rig);
    sign_in(rig);
    vl_access_worked(rig->access);
    (void)snprintf(rig->state.server, sizeof rig->state.server, "%s",
                   next_state.origin);
    assert_ok(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)));
    assert_int_equal(rig->state.refreshes + next_state.refreshes, 0);
    assert_int_equal(next_state.codes, 1);
    as_close(&next);
    rig_free(rig);
}

static void
a_given_client_is_not_shown_to_another_authorization_server(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct as_state next_state = {.expires_in = 3600};
    struct as next;
    as_open(&next, &next_state, rig->loop);
    (void)snprintf(rig->state.known, sizeof rig->state.known, "by-hand");
    rig->config.client_id = "by-hand";
    rig_restart(rig);
    sign_in(rig);
    (void)snprintf(rig->state.server, sizeof rig->state.server, "%s",
                   next_state.origin);
    rig_restart(rig);
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, rig_bearer(rig)),
                     VALET_DENIED);
    assert_int_equal(next_state.pages + next_state.unknown_clients, 0);
    /* Said by the person, it holds from the beginning. */
    assert_ok(vl_access_forget(rig->keep, rig->url, NULL));
    rig->config.client_issuer = rig->state.origin;
    rig_restart(rig);
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_DENIED);
    assert_int_equal(next_state.pages + next_state.unknown_clients, 0);
    as_close(&next);
    rig_free(rig);
}

/* --- ahead of time --- */

static void
a_token_is_renewed_before_its_end_while_it_serves(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.expires_in = 5;
    sign_in(rig);
    assert_string_equal(rig_bearer(rig), "access-2");
    rig->state.expires_in = 3600;
    int64_t end = vl_mono_now() + 6000;
    while (strcmp(rig_bearer(rig), "access-2") == 0 && vl_mono_now() < end)
        rig_wait(rig, 20);
    /* There was no moment without one. */
    assert_string_equal(rig_bearer(rig), "access-3");
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 1);
    rig_free(rig);
}

static void
behind_the_back_nobody_is_asked_to_sign_in(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.expires_in = 5;
    sign_in(rig);
    rig->state.refresh[0] = 0;
    int64_t end = vl_mono_now() + 5200;
    while (vl_mono_now() < end) {
        (void)rig_bearer(rig);
        rig_wait(rig, 20);
    }
    assert_int_equal(rig->state.refreshes, 1);
    assert_int_equal(rig->windows, 1);
    assert_string_equal(rig_bearer(rig), "");
    rig_free(rig);
}

/* --- its end --- */

static void
when_nobody_asks_any_more_the_sign_in_ends(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->is_absent = true;
    struct vl_access_ask *one = rig_start(rig, 401, CHALLENGE, NULL);
    struct vl_access_ask *two = rig_start(rig, 401, CHALLENGE, NULL);
    rig_until(rig, rig->windows == 1);
    vl_access_ask_abort(&one);
    rig->is_absent = false;
    rig_wait(rig, 50);
    vl_access_ask_abort(&two);
    assert_int_equal(rig->ended, 0);
    /* The next one begins anew. */
    sign_in(rig);
    assert_int_equal(rig->windows, 2);
    rig_free(rig);
}

static void
a_renewal_on_its_way_is_kept_though_nobody_waits(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->state.expires_in = 1;
    sign_in(rig);
    rig_wait(rig, 1100);
    rig->state.expires_in = 3600;
    struct vl_access_ask *ask = rig_start(rig, 401, CHALLENGE, NULL);
    rig_until(rig, rig->state.refreshes == 1);
    vl_access_ask_abort(&ask);
    rig_wait(rig, 100);
    assert_string_equal(rig_bearer(rig), "access-3");
    rig_free(rig);
}

static void
free_it(valet_status status, const valet_error *err, void *ctx)
{
    struct rig *rig = ctx;
    (void)err;
    assert_int_equal(status, VALET_OK);
    rig->ended++;
    vl_access_free(rig->access);
    rig->access = NULL;
}

static void
who_is_told_may_free_everything(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    const struct vl_headers none = {.count = 0};
    for (int i = 0; i < 3; i++)
        assert_non_null(
            vl_access_ask(rig->access, 401, &none, NULL, free_it, rig));
    rig_until(rig, rig->ended);
    rig_wait(rig, 50);
    assert_int_equal(rig->ended, 1);
    rig_free(rig);
}

static void
it_may_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 30; ms += 2) {
        struct rig *rig = rig_new();
        assert_non_null(rig_start(rig, 401, CHALLENGE, NULL));
        rig_wait(rig, ms);
        vl_access_free(rig->access);
        rig->access = NULL;
        rig_wait(rig, 5);
        rig_free(rig);
    }
}

/* --- the keep --- */

static valet_status
spoil(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)old;
    (void)ctx;
    (void)err;
    vl_buf_addz(out, "{\"version\":9}");
    return VALET_OK;
}

static void
a_damaged_book_is_said_and_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_update(rig->keep, spoil, NULL, NULL));
    assert_string_equal(rig_bearer(rig), "");
    assert_int_equal(rig_ask(rig, 401, CHALLENGE, NULL), VALET_INVALID);
    assert_non_null(strstr(rig->err.message, "later version"));
    assert_int_equal(rig->windows, 0);
    assert_ok(vl_keep_read(rig->keep, &text, NULL));
    assert_string_equal(vl_buf_cstr(&text), "{\"version\":9}");
    rig_free(rig);
}

static void
what_is_forgotten_is_signed_in_to_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    assert_ok(vl_access_forget(rig->keep, rig->url, NULL));
    assert_int_equal(vl_access_forget(rig->keep, rig->url, NULL),
                     VALET_NOT_FOUND);
    rig_restart(rig);
    assert_string_equal(rig_bearer(rig), "");
    sign_in(rig);
    assert_int_equal(rig->windows, 2);
    assert_int_equal(rig->state.registrations, 2);
    rig_free(rig);
}

/* By another process, while the token is as good as new. */
static void
who_runs_notices_that_it_was_forgotten(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    sign_in(rig);
    assert_string_equal(rig_bearer(rig), "access-2");
    assert_ok(vl_access_forget(rig->keep, rig->url, NULL));
    rig_wait(rig, 1200);
    assert_string_equal(rig_bearer(rig), "");
    sign_in(rig);
    assert_int_equal(rig->windows, 2);
    assert_ok(vl_keep_forget(rig->keep, NULL));
    rig_wait(rig, 1200);
    assert_string_equal(rig_bearer(rig), "");
    rig_free(rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_signs_in_once_and_the_token_is_there),
        cmocka_unit_test(after_a_restart_it_is_silent),
        cmocka_unit_test(an_ended_token_is_renewed_without_anybody),
        cmocka_unit_test(an_old_refresh_token_stays_if_no_new_one_comes),
        cmocka_unit_test(several_asks_are_one),
        cmocka_unit_test(a_token_that_has_changed_since_is_not_renewed),
        cmocka_unit_test(
            scopes_come_from_the_metadata_if_the_challenge_has_none),
        cmocka_unit_test(without_scopes_none_is_asked_for),
        cmocka_unit_test(offline_access_is_asked_for_where_it_is_offered),
        cmocka_unit_test(a_step_up_asks_for_the_union),
        cmocka_unit_test(the_same_step_up_twice_is_the_end),
        cmocka_unit_test(what_a_person_has_left_out_is_asked_for_once_more),
        cmocka_unit_test(
            a_refusal_that_names_no_scope_is_not_asked_about_for_ever),
        cmocka_unit_test(chosen_scopes_are_all_that_is_asked_for),
        cmocka_unit_test(a_client_of_fewer_scopes_registers_anew),
        cmocka_unit_test(without_a_screen_the_address_is_told),
        cmocka_unit_test(a_browser_that_does_not_open_is_not_the_end),
        cmocka_unit_test(the_port_and_host_of_the_redirect_may_be_chosen),
        cmocka_unit_test(a_refused_token_is_renewed_then_got_anew_then_it_ends),
        cmocka_unit_test(a_person_is_not_asked_for_ever),
        cmocka_unit_test(a_revoked_refresh_token_means_a_sign_in),
        cmocka_unit_test(a_lost_answer_is_asked_for_once_more),
        cmocka_unit_test(a_lost_answer_that_is_not_forgiven_means_a_sign_in),
        cmocka_unit_test(who_cannot_be_reached_is_no_reason_for_a_sign_in),
        cmocka_unit_test(a_person_may_say_no),
        cmocka_unit_test(a_person_who_does_not_come_is_not_waited_for_for_ever),
        cmocka_unit_test(an_answer_of_somebody_else_is_not_used),
        cmocka_unit_test(
            where_nobody_may_register_the_person_is_told_what_to_do),
        cmocka_unit_test(a_given_client_comes_before_all_others),
        cmocka_unit_test(a_document_comes_before_a_registration),
        cmocka_unit_test(tokens_of_one_client_are_not_those_of_another),
        cmocka_unit_test(a_client_that_is_not_known_any_more_registers_anew),
        cmocka_unit_test(a_dead_client_is_noticed_before_a_browser_opens),
        cmocka_unit_test(a_living_client_is_used_again),
        cmocka_unit_test(a_port_that_is_taken_is_registered_anew),
        cmocka_unit_test(a_program_signs_in_by_itself),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(a_given_token_is_all_there_is),
        cmocka_unit_test(
            with_another_authorization_server_nothing_is_used_again),
        cmocka_unit_test(
            tokens_of_a_document_do_not_go_to_another_authorization_server),
        cmocka_unit_test(
            a_given_client_is_not_shown_to_another_authorization_server),
        cmocka_unit_test(a_token_is_renewed_before_its_end_while_it_serves),
        cmocka_unit_test(behind_the_back_nobody_is_asked_to_sign_in),
        cmocka_unit_test(when_nobody_asks_any_more_the_sign_in_ends),
        cmocka_unit_test(a_renewal_on_its_way_is_kept_though_nobody_waits),
        cmocka_unit_test(who_is_told_may_free_everything),
        cmocka_unit_test(it_may_be_freed_at_any_moment),
        cmocka_unit_test(a_damaged_book_is_said_and_stays),
        cmocka_unit_test(what_is_forgotten_is_signed_in_to_again),
        cmocka_unit_test(who_runs_notices_that_it_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
