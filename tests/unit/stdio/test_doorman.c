/* SPDX-License-Identifier: Apache-2.0
 *
 * The doorman with a real client and a tenant by a script: who is asked, how
 * often, and what happens when callers leave, ask again or end it all.
 */
#include "../client/lot.h"
#include "../keep/folder.h"
#include "apps/stdio/doorman.h"
#include "apps/stdio/grant.h"
#include "apps/stdio/program.h"
#include "apps/stdio/programs.h"

enum { VISITS = 4, WAIT_MS = 20000 };

struct door {
    struct lot *lot;
    struct vl_loop *loop;
    struct vl_timer *patience, *nap;
    struct vl_doorman *doorman;
    struct vl_doorman_config config;
    struct guest {
        struct door *door;
        struct vl_visit *visit;
        int done, told, opened;
        bool leaves_next, asks_again, frees_all;
        valet_status status;
        char token[64], code[64], text[256], url[256];
    } guests[VISITS];
    int left; /* callbacks until the loop stops */
};

static void
on_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

static void
on_nap(void *ctx)
{
    vl_loop_stop(((struct door *)ctx)->loop);
}

static void
rest(struct door *d, int64_t ms)
{
    vl_timer_start(d->nap, ms);
    vl_loop_run(d->loop);
}

static int
open_door(void **state)
{
    void *lot;
    struct door *d = vl_alloc(sizeof *d);
    assert_int_equal(open_lot(&lot), 0);
    *d = (struct door){.lot = lot};
    make_client(d->lot);
    assert_ok(vl_loop_new(&d->loop, NULL));
    d->patience = vl_timer_new(d->loop, on_patience, NULL);
    d->nap = vl_timer_new(d->loop, on_nap, d);
    vl_timer_start(d->patience, WAIT_MS);
    d->config = (struct vl_doorman_config){.loop = d->loop,
                                           .client = d->lot->client,
                                           .scopes = some_scopes,
                                           .methods = VALET_METHOD_DEVICE_CODE,
                                           .consent = VL_CONSENT_NEVER};
    for (size_t i = 0; i < VISITS; i++)
        d->guests[i].door = d;
    (void)unsetenv("DISPLAY");
    (void)unsetenv("WAYLAND_DISPLAY");
    *state = d;
    return 0;
}

static int
close_door(void **state)
{
    struct door *d = *state;
    void *lot = d->lot;
    vl_doorman_free(d->doorman);
    vl_timer_free(d->patience);
    vl_timer_free(d->nap);
    vl_loop_free(d->loop);
    free(d);
    return close_lot(&lot);
}

#define AT_DOOR(test)                                                          \
    cmocka_unit_test_setup_teardown(test, open_door, close_door)

static void
tell(const char *text, void *ctx)
{
    struct guest *g = ctx;
    g->told++;
    (void)snprintf(g->text, sizeof g->text, "%s", text);
}

static void
open_url(const char *url, void *ctx)
{
    struct guest *g = ctx;
    g->opened++;
    (void)snprintf(g->url, sizeof g->url, "%s", url);
    vl_loop_stop(g->door->loop);
}

static void arrive(struct guest *g, bool renew, bool can_open);

static void
done(valet_status status, const valet_auth_result *result,
     const valet_entra_error *error, void *ctx)
{
    struct guest *g = ctx;
    struct door *d = g->door;
    assert_true((status == VALET_OK) == (result != NULL));
    assert_true((status == VALET_OK) == (error == NULL));
    g->visit = NULL;
    g->done++;
    g->status = status;
    if (result)
        (void)snprintf(g->token, sizeof g->token, "%s", result->access_token);
    if (error)
        (void)snprintf(g->code, sizeof g->code, "%s", error->error.code);
    if (g->leaves_next)
        vl_visit_leave(&g[1].visit);
    if (g->asks_again) {
        g->asks_again = false;
        arrive(g, false, false);
    }
    if (g->frees_all) {
        vl_doorman_free(d->doorman);
        d->doorman = NULL;
    }
    if (--d->left <= 0)
        vl_loop_stop(d->loop);
}

static void
arrive(struct guest *g, bool renew, bool can_open)
{
    const struct vl_visit_hooks hooks = {.tell = tell,
                                         .open = can_open ? open_url : NULL,
                                         .done = done,
                                         .ctx = g};
    struct door *d = g->door;
    int before = g->done;
    if (!d->doorman)
        d->doorman = vl_doorman_new(&d->config);
    d->left++;
    g->visit = vl_doorman_ask(d->doorman, renew, NULL, &hooks);
    assert_int_equal(g->done, before); /* not before it has returned */
}

static void
count(struct lot *l, void *ctx)
{
    unsigned *counts = ctx;
    counts[0] = (unsigned)l->device->asked;
    counts[1] = (unsigned)l->bench->token->asked;
}

static unsigned
prompts(const struct door *d)
{
    unsigned counts[2];
    at_tenant(d->lot, count, counts);
    return counts[0];
}

static unsigned
tokens_asked_for(const struct door *d)
{
    unsigned counts[2];
    at_tenant(d->lot, count, counts);
    return counts[1];
}

static void
give_tokens(struct lot *l, void *ctx)
{
    (void)ctx;
    issue(l->bench, &(struct identity){.nonce = ""});
}

/* @spec W-40 */
static void
those_who_come_together_wait_for_one_sign_in(void **state)
{
    struct door *d = *state;
    issue(d->lot->bench, &(struct identity){.nonce = ""});
    for (size_t i = 0; i < VISITS; i++)
        arrive(&d->guests[i], false, false);
    vl_loop_run(d->loop);
    for (size_t i = 0; i < VISITS; i++) {
        assert_int_equal(d->guests[i].done, 1);
        assert_int_equal(d->guests[i].status, VALET_OK);
        assert_string_equal(d->guests[i].token, "upstream-access");
        assert_true(d->guests[i].told > 0);
    }
    assert_non_null(strstr(d->guests[0].text, "type the code ABCD-EFGH"));
    assert_int_equal(prompts(d), 1);
    arrive(&d->guests[0], false, false);
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[0].done, 2);
    assert_int_equal(prompts(d), 1);
}

/* @spec S-41 */
static void
the_prompt_is_taken_back_with_the_last_who_waits(void **state)
{
    struct door *d = *state;
    refuse(d->lot->bench, 400, "{\"error\":\"authorization_pending\"}", NULL);
    arrive(&d->guests[0], false, false);
    arrive(&d->guests[1], false, false);
    while (!strstr(d->guests[0].text, "ABCD"))
        rest(d, 20);
    vl_visit_leave(&d->guests[0].visit);
    rest(d, 1500);
    assert_true(tokens_asked_for(d) > 0);
    vl_visit_leave(&d->guests[1].visit);
    rest(d, 200);
    unsigned asked = tokens_asked_for(d);
    rest(d, 2500);
    assert_int_equal(tokens_asked_for(d), asked);
    assert_int_equal(d->guests[0].done + d->guests[1].done, 0);
}

static void
a_callback_may_do_what_it_likes(void **state)
{
    struct door *d = *state;
    issue(d->lot->bench, &(struct identity){.nonce = ""});
    for (size_t i = 0; i < VISITS; i++)
        arrive(&d->guests[i], false, false);
    d->guests[0].asks_again = true;
    d->guests[0].leaves_next = true;
    d->left--;
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[0].done, 2);
    assert_int_equal(d->guests[1].done, 0);
    assert_int_equal(d->guests[2].done, 1);
    assert_int_equal(d->guests[3].done, 1);
    d->left = 0;
    for (size_t i = 0; i < VISITS; i++)
        arrive(&d->guests[i], true, false);
    d->guests[0].leaves_next = false;
    d->guests[0].frees_all = true;
    d->left = 1;
    vl_loop_run(d->loop);
    rest(d, 200);
    assert_int_equal(d->guests[0].done, 3);
    assert_int_equal(d->guests[1].done, 0);
}

static void
all_may_end_in_the_callback_of_a_sign_in(void **state)
{
    struct door *d = *state;
    issue(d->lot->bench, &(struct identity){.nonce = ""});
    for (size_t i = 0; i < VISITS; i++)
        arrive(&d->guests[i], false, false);
    d->guests[1].frees_all = true;
    d->left = 2;
    vl_loop_run(d->loop);
    rest(d, 200);
    assert_int_equal(d->guests[0].done + d->guests[1].done, 2);
    assert_int_equal(d->guests[2].done + d->guests[3].done, 0);
}

/* @spec S-34 */
static void
what_passes_by_itself_is_no_reason_to_ask(void **state)
{
    struct door *d = *state;
    sign_in(d->lot);
    unsigned before = prompts(d);
    refuse(d->lot->bench, 503, "{\"error\":\"temporarily_unavailable\"}", NULL);
    arrive(&d->guests[0], true, false);
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[0].status, VALET_RETRY);
    assert_int_equal(prompts(d), before);
}

static void
a_session_that_has_ended_is_a_reason(void **state)
{
    struct door *d = *state;
    sign_in(d->lot);
    unsigned before = prompts(d);
    refuse(d->lot->bench, 400,
           "{\"error\":\"invalid_grant\",\"error_codes\":[50173],"
           "\"error_description\":\"AADSTS50173: over\"}",
           NULL);
    arrive(&d->guests[0], true, false);
    while (!strstr(d->guests[0].text, "ABCD"))
        rest(d, 20);
    assert_int_equal(prompts(d), before + 1);
    at_tenant(d->lot, give_tokens, NULL);
    d->left = 1;
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[0].status, VALET_OK);
}

/* --- addresses that clients open --- */

static void
one_client_is_given_the_address_and_the_next_if_it_leaves(void **state)
{
    struct door *d = *state;
    d->config.methods = 0;
    arrive(&d->guests[0], false, true);
    arrive(&d->guests[1], false, true);
    while (!d->guests[0].opened)
        vl_loop_run(d->loop);
    assert_int_equal(strncmp(d->guests[0].url, "http://localhost:", 17), 0);
    rest(d, 300);
    assert_int_equal(d->guests[1].opened, 0);
    vl_visit_leave(&d->guests[0].visit);
    while (!d->guests[1].opened)
        vl_loop_run(d->loop);
    assert_string_equal(d->guests[1].url, d->guests[0].url);
    d->left = 1;
    vl_visit_opened(d->guests[1].visit, false);
    assert_int_equal(d->guests[1].done, 0);
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[1].status, VALET_DENIED);
    assert_string_equal(d->guests[1].code, "declined");
}

static void
an_address_that_was_opened_is_nobody_elses(void **state)
{
    struct door *d = *state;
    d->config.methods = 0;
    arrive(&d->guests[0], false, true);
    arrive(&d->guests[1], false, true);
    while (!d->guests[0].opened)
        vl_loop_run(d->loop);
    const struct vl_visit_hooks hooks = {
        .tell = tell, .done = done, .ctx = &d->guests[2]};
    vl_visit_rehook(d->guests[0].visit, &hooks);
    vl_visit_opened(d->guests[0].visit, true);
    vl_visit_leave(&d->guests[0].visit);
    rest(d, 300);
    assert_int_equal(d->guests[1].opened, 0);
}

/* --- the program --- */

/* @spec S-54 W-43 */
static void
a_program_that_nobody_can_be_asked_about_has_to_be_on_the_list(void **state)
{
    struct door *d = *state;
    struct folder home;
    struct vl_program program;
    struct vl_buf grant = vl_buf_of(VL_GRANT_SIZE);
    char folder[200];
    folder_make(&home);
    (void)setenv("XDG_CONFIG_HOME", home.name, 1);
    d->config.consent = VL_CONSENT_FIRST_USE;
    sign_in(d->lot);
    arrive(&d->guests[0], false, false);
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[0].status, VALET_DENIED);
    assert_string_equal(d->guests[0].code, "program_unknown");
    assert_ok(vl_program_find(getppid(), &program, NULL));
    vl_grant_write(&(struct vl_grant){.program = program.name}, &grant);
    assert_ok(vl_programs_allow(vl_buf_cstr(&grant), NULL));
    vl_buf_done(&grant);
    arrive(&d->guests[1], false, false);
    vl_loop_run(d->loop);
    assert_int_equal(d->guests[1].status,
                     program.is_sure ? VALET_OK : VALET_DENIED);
    (void)snprintf(folder, sizeof folder, "%s/mcp-valet/programs.json",
                   home.name);
    assert_int_equal(unlink(folder), 0);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(rmdir(folder), 0);
    folder_remove(&home);
}

static void
a_parent_that_has_gone_cannot_be_asked_about(void **state)
{
    struct door *d = *state;
    d->config.consent = VL_CONSENT_FIRST_USE;
    d->config.parent = getpid();
    sign_in(d->lot);
    arrive(&d->guests[0], false, false);
    vl_loop_run(d->loop);
    assert_string_equal(d->guests[0].code, "program_unknown");
}

/* --- in words --- */

/* @spec S-46 W-41 S-35 */
static void
what_entra_says_of_people_is_not_passed_on(void **state)
{
    (void)state;
    char text[512];
    valet_entra_error error = {
        .error = {VALET_DENIED, "AADSTS50020",
                  "User account 'jane@contoso.example' does not exist"},
        .next = VALET_NEXT_ADMIN,
        .http_status = 400,
        .aadsts = 50020,
        .oauth = "invalid_grant",
        .correlation_id = "c0ffee00-0000-4000-8000-000000000000"};
    vl_doorman_explain(VALET_DENIED, &error, text, sizeof text);
    assert_null(strstr(text, "jane"));
    assert_non_null(strstr(text, "AADSTS50020"));
    assert_non_null(strstr(text, "c0ffee00"));
    assert_non_null(strstr(text, "administrator"));
}

static void
several_accounts_are_told_how_to_choose(void **state)
{
    (void)state;
    char text[512];
    valet_entra_error error = {
        .error = {VALET_CONFLICT, "several_accounts", "several"},
        .next = VALET_NEXT_GIVE_UP};
    vl_doorman_explain(VALET_CONFLICT, &error, text, sizeof text);
    assert_non_null(strstr(text, "mcp-valet accounts"));
    assert_non_null(strstr(text, "--account NAME"));
}

static void
who_may_try_again_is_told_when(void **state)
{
    (void)state;
    char text[512];
    valet_entra_error error = {.error = {VALET_RETRY, "", "no network"},
                               .next = VALET_NEXT_RETRY,
                               .retry_after_ms = 2500};
    vl_doorman_explain(VALET_RETRY, &error, text, sizeof text);
    assert_string_equal(text, "no network; try again in 3 s");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        AT_DOOR(those_who_come_together_wait_for_one_sign_in),
        AT_DOOR(the_prompt_is_taken_back_with_the_last_who_waits),
        AT_DOOR(a_callback_may_do_what_it_likes),
        AT_DOOR(all_may_end_in_the_callback_of_a_sign_in),
        AT_DOOR(what_passes_by_itself_is_no_reason_to_ask),
        AT_DOOR(a_session_that_has_ended_is_a_reason),
        AT_DOOR(one_client_is_given_the_address_and_the_next_if_it_leaves),
        AT_DOOR(an_address_that_was_opened_is_nobody_elses),
        AT_DOOR(a_program_that_nobody_can_be_asked_about_has_to_be_on_the_list),
        AT_DOOR(a_parent_that_has_gone_cannot_be_asked_about),
        cmocka_unit_test(what_entra_says_of_people_is_not_passed_on),
        cmocka_unit_test(several_accounts_are_told_how_to_choose),
        cmocka_unit_test(who_may_try_again_is_told_when),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
