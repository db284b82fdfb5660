/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of people who have signed in here ends with a sign-in.
 */
#include "gateway/profiles.h"

#include "http/server.h"
#include "vl_test.h"

#define TID "aaaaaaaa-0000-4000-8000-000000000001"

enum { PATIENCE_MS = 30000 };

struct rig {
    struct vl_loop *loop;
    struct vl_timer *patience;
    struct vl_fetcher *fetcher;
    struct vl_http_server *server;
    struct vl_http_site site;
    char origin[64];
    unsigned asked;
    struct vl_profiles *profiles;
    struct vl_upstream_token token;
    bool remembered; /* what came last */
};

static void
out_of_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

static size_t
no_body(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return 0;
}

static void
answer(struct vl_exchange *x, void *ctx)
{
    struct rig *rig = ctx;
    rig->asked++;
    vl_exchange_reply(x, &(struct vl_reply){.status = 200,
                                            .type = "application/json",
                                            .body = VL_STR("{}")});
}

static void
make_profiles(struct rig *rig, int64_t ttl_ms)
{
    vl_profiles_free(rig->profiles);
    rig->profiles =
        vl_profiles_new(&(struct vl_graph_config){.loop = rig->loop,
                                                  .fetcher = rig->fetcher,
                                                  .clock = &vl_clock_system,
                                                  .url = rig->origin,
                                                  .ttl_ms = ttl_ms});
}

static int
set_up(void **state)
{
    struct rig *rig = vl_alloc(sizeof *rig);
    unsigned port;
    assert_ok(vl_loop_new(&rig->loop, NULL));
    rig->patience = vl_timer_new(rig->loop, out_of_patience, NULL);
    vl_timer_start(rig->patience, PATIENCE_MS);
    rig->fetcher = vl_fetcher_new(rig->loop);
    rig->site = (struct vl_http_site){no_body, answer, rig};
    rig->server =
        vl_http_server_new(rig->loop, &rig->site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(vl_http_server_listen(rig->server, "127.0.0.1", 0, &port, NULL));
    (void)snprintf(rig->origin, sizeof rig->origin, "http://127.0.0.1:%u",
                   port);
    rig->token.secret = vl_secret_of(VL_STR("token"));
    make_profiles(rig, 60000);
    *state = rig;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *rig = *state;
    vl_profiles_free(rig->profiles);
    vl_fetcher_free(rig->fetcher);
    vl_http_server_free(rig->server);
    vl_secret_done(&rig->token.secret);
    vl_timer_free(rig->patience);
    vl_loop_free(rig->loop);
    free(rig);
    return 0;
}

static void
told(valet_status status, const struct vl_graph_answer *got,
     const valet_error *err, void *ctx)
{
    struct rig *rig = ctx;
    (void)err;
    assert_int_equal(status, VALET_OK);
    rig->remembered = got->remembered;
    vl_loop_stop(rig->loop);
}

/* Was it remembered? */
static bool
knows(struct rig *rig, unsigned person, const char *session)
{
    struct vl_principal who = {.user = {.tid = TID}};
    (void)snprintf(who.user.oid, sizeof who.user.oid,
                   "bbbbbbbb-0000-4000-8000-%012u", person);
    (void)snprintf(who.session, sizeof who.session, "%s", session);
    (void)vl_profiles_ask(rig->profiles, &who,
                          &(struct vl_graph_request){.token = &rig->token},
                          told, rig);
    vl_loop_run(rig->loop);
    return rig->remembered;
}

/* @spec S-100 */
static void
a_person_is_known_in_all_their_sign_ins(void **state)
{
    struct rig *rig = *state;
    assert_false(knows(rig, 1, "first"));
    assert_true(knows(rig, 1, "first"));
    assert_true(knows(rig, 1, "second"));
    assert_false(knows(rig, 2, "of another"));
    assert_int_equal(rig->asked, 2);
}

/* @spec S-14 */
static void
the_end_of_a_sign_in_is_the_end_of_what_is_known(void **state)
{
    struct rig *rig = *state;
    assert_false(knows(rig, 1, "first"));
    assert_true(knows(rig, 1, "second"));
    assert_false(knows(rig, 2, "of another"));
    vl_profiles_end(rig->profiles, "of nobody");
    assert_true(knows(rig, 1, "first"));
    vl_profiles_end(rig->profiles, "second");
    assert_true(knows(rig, 2, "of another"));
    assert_false(knows(rig, 1, "first"));
    vl_profiles_end(rig->profiles, "first");
    vl_profiles_end(rig->profiles, "first");
    assert_false(knows(rig, 1, "third"));
}

/* Who is not known any more could not be forgotten. */
static void
the_oldest_go_when_there_are_too_many(void **state)
{
    struct rig *rig = *state;
    char session[16];
    assert_false(knows(rig, 1, "a"));
    assert_false(knows(rig, 2, "b"));
    assert_true(knows(rig, 1, "a"));
    for (int i = 0; i < 999; i++) {
        (void)snprintf(session, sizeof session, "%d", i);
        (void)knows(rig, 3, session);
    }
    assert_true(knows(rig, 1, "a"));
    assert_false(knows(rig, 2, "b"));
}

static void
nothing_is_known_if_nothing_may_be(void **state)
{
    struct rig *rig = *state;
    make_profiles(rig, 0);
    assert_false(knows(rig, 1, "a"));
    assert_false(knows(rig, 1, "a"));
    vl_profiles_end(rig->profiles, "a");
}

int
main(void)
{
#define AT_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        AT_RIG(a_person_is_known_in_all_their_sign_ins),
        AT_RIG(the_end_of_a_sign_in_is_the_end_of_what_is_known),
        AT_RIG(the_oldest_go_when_there_are_too_many),
        AT_RIG(nothing_is_known_if_nothing_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
