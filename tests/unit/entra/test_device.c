/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in on another device, at a tenant that answers by a script.
 */
#include "entra/device.h"

#include "desk.h"
#include "http/url.h"

#define CODE(extra)                                                            \
    "{\"user_code\":\"ABCD-1234\",\"device_code\":\"the.device/code\","        \
    "\"verification_uri\":\"https://login.example/device\"," extra             \
    "\"message\":\"\\u001b[2Jgo to https://evil.example\"}"
#define GOOD_CODE CODE("\"expires_in\":900,\"interval\":1,")
#define PENDING   "{\"error\":\"authorization_pending\",\"error_codes\":[70016]}"
#define DECLINED  "{\"error\":\"authorization_declined\"}"
#define ANSWER                                                                 \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"at-"    \
    "1\"}"

struct screen {
    struct told told; /* first: the grant's callback gets it */
    int shown;
    char user_code[80], verification_uri[80];
    int64_t expires_ms;
    struct vl_device **abort; /* when it is shown */
};

static void
show(const struct vl_device_prompt *prompt, void *ctx)
{
    struct screen *screen = ctx;
    screen->shown++;
    copy(screen->user_code, sizeof screen->user_code, prompt->user_code);
    copy(screen->verification_uri, sizeof screen->verification_uri,
         prompt->verification_uri);
    screen->expires_ms = prompt->expires_ms;
    if (screen->abort) {
        vl_device_abort(screen->abort);
        vl_loop_stop(screen->told.bench->loop);
    }
}

static struct peer_route *
device_route(struct desk *d, int status, const char *body)
{
    struct peer *peer = &d->bench->peer;
    struct peer_route *route = peer->route_count < PEER_ROUTES
                                   ? peer_add(peer, DEVICE)
                                   : &peer->routes[PEER_ROUTES - 1];
    peer_reset(route);
    peer_say(route, (struct peer_answer){.status = status, .body = body});
    return route;
}

static struct screen
after_sign_in(struct desk *d)
{
    struct screen screen = {.told = {.bench = d->bench}};
    d->auth = (struct vl_client_auth){.kind = VL_AUTH_PUBLIC};
    d->bench->left++;
    assert_non_null(vl_device_start(&d->desk, d->bench->loop,
                                    VL_STR("User.Read offline_access"),
                                    d->claims, show, on_done, &screen));
    assert_int_equal(screen.told.calls, 0);
    run(d->bench);
    assert_int_equal(screen.told.calls, 1);
    return screen;
}

/* @spec S-28 */
static void
shows_a_code_and_asks_until_the_person_is_done(void **state)
{
    struct desk *d = *state;
    struct peer_route *token = d->bench->token;
    struct peer_route *device = device_route(d, 200, GOOD_CODE);
    refuse(d->bench, 400, PENDING, NULL);
    peer_say(token, (struct peer_answer){.status = 200, .body = ANSWER});
    struct screen screen = after_sign_in(d);
    assert_true(screen.told.answered);
    assert_string_equal(screen.told.access, "at-1");
    assert_int_equal(screen.shown, 1);
    assert_string_equal(screen.user_code, "ABCD-1234");
    assert_string_equal(screen.verification_uri,
                        "https://login.example/device");
    assert_int_equal(screen.expires_ms, d->bench->now_ms + 900000);
    assert_str(vl_buf_str(&device->body),
               "client_id=" CLIENT "&scope=User.Read%20offline_access");
    assert_int_equal(token->asked, 2);
    assert_str(vl_buf_str(&token->body),
               "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
               "device_code&client_info=1&device_code=the.device%2Fcode"
               "&client_id=" CLIENT);
}

/* With both requests: the policy looks at the sign-in and at the token. */
static void
tells_a_challenge_and_what_we_can_do(void **state)
{
    static const char *const capabilities[] = {"cp1", NULL};
    struct desk *d = *state;
    struct peer_route *device = device_route(d, 200, GOOD_CODE);
    d->desk.capabilities = capabilities;
    d->claims = VL_STR("{\"id_token\":{}}");
    refuse(d->bench, 200, ANSWER, NULL);
    struct screen screen = after_sign_in(d);
    assert_string_equal(screen.told.access, "at-1");
    assert_non_null(strstr(vl_buf_cstr(&device->body), "&claims=%7B%22id_to"));
    assert_non_null(strstr(vl_buf_cstr(&d->bench->token->body),
                           "&claims=%7B%22id_token%22%3A%7B%7D%2C"
                           "%22access_token%22%3A%7B%22xms_cc%22"));
}

static void
asks_nothing_with_claims_that_are_none(void **state)
{
    struct desk *d = *state;
    struct peer_route *device = device_route(d, 200, GOOD_CODE);
    d->claims = VL_STR("[]");
    struct screen screen = after_sign_in(d);
    assert_int_equal(screen.told.error.error.status, VALET_INVALID);
    assert_int_equal(screen.told.error.next, VALET_NEXT_GIVE_UP);
    assert_int_equal(screen.shown, 0);
    assert_int_equal(device->asked, 0);
}

static void
ends_when_the_person_declines(void **state)
{
    struct desk *d = *state;
    (void)device_route(d, 200, GOOD_CODE);
    refuse(d->bench, 400, DECLINED, NULL);
    struct screen screen = after_sign_in(d);
    assert_string_equal(screen.told.error.oauth, "authorization_declined");
    assert_int_equal(screen.told.error.next, VALET_NEXT_SIGN_IN);
    assert_int_equal(d->bench->token->asked, 1);
}

static void
does_not_ask_when_the_code_is_over(void **state)
{
    struct desk *d = *state;
    (void)device_route(d, 200, CODE("\"expires_in\":1,\"interval\":1,"));
    refuse(d->bench, 400, PENDING, NULL);
    /* The clock of the test stands still: the code ends while it waits. */
    struct screen screen = {.told = {.bench = d->bench}};
    d->auth = (struct vl_client_auth){.kind = VL_AUTH_PUBLIC};
    d->bench->left++;
    (void)vl_device_start(&d->desk, d->bench->loop, VL_STR("User.Read"),
                          d->claims, show, on_done, &screen);
    while (!screen.shown)
        vl_loop_step(d->bench->loop);
    d->bench->now_ms += 1000;
    run(d->bench);
    assert_string_equal(screen.told.error.oauth, "expired_token");
    assert_int_equal(screen.told.error.next, VALET_NEXT_SIGN_IN);
    assert_int_equal(d->bench->token->asked, 0);
}

/* A library of today shows an empty code then (entra-wire 3, row 9). */
static void
tells_why_there_is_no_code(void **state)
{
    struct desk *d = *state;
    (void)device_route(d, 400,
                       "{\"error\":\"unauthorized_client\","
                       "\"error_description\":\"AADSTS700016: x\","
                       "\"error_codes\":[700016]}");
    struct screen screen = after_sign_in(d);
    assert_int_equal(screen.shown, 0);
    assert_int_equal(screen.told.error.aadsts, 700016);
    assert_int_equal(screen.told.error.next, VALET_NEXT_ADMIN);
    assert_int_equal(d->bench->token->asked, 0);
}

static void
shows_nothing_that_a_terminal_could_obey(void **state)
{
    struct desk *d = *state;
    static const char *const bad[] = {
        "{\"user_code\":\"A\\u001b[2J\",\"device_code\":\"c\","
        "\"verification_uri\":\"https://a.example/\",\"expires_in\":900}",
        "{\"user_code\":\"\",\"device_code\":\"c\","
        "\"verification_uri\":\"https://a.example/\",\"expires_in\":900}",
        "{\"user_code\":\"A\",\"device_code\":\"\","
        "\"verification_uri\":\"https://a.example/\",\"expires_in\":900}",
        "{\"user_code\":\"A\",\"device_code\":\"c\","
        "\"verification_uri\":\"http://a.example/\",\"expires_in\":900}",
        "{\"user_code\":\"A\",\"device_code\":\"c\","
        "\"verification_uri\":\"https://a.example/\\u001b\","
        "\"expires_in\":900}",
        "{\"user_code\":\"A\",\"device_code\":\"c\","
        "\"verification_uri\":\"https://a.example/\",\"expires_in\":0}",
        "{\"user_code\":\"A\",\"device_code\":\"c\","
        "\"verification_uri\":\"https://a.example/\"}",
        "[]",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        (void)device_route(d, 200, bad[i]);
        struct screen screen = after_sign_in(d);
        assert_int_equal(screen.shown, 0);
        assert_int_equal(screen.told.error.next, VALET_NEXT_GIVE_UP);
    }
}

static void
says_that_an_authority_has_no_such_sign_in(void **state)
{
    struct desk *d = *state;
    vl_auto(vl_buf) document = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_str all = vl_buf_str(&d->bench->document_text);
    const char *cut = strstr(all.p, ",\"device_authorization_endpoint");
    vl_buf_add(&document, vl_str_head(all, (size_t)(cut - all.p)));
    vl_buf_addz(&document, "}");
    peer_reset(d->bench->document);
    peer_say(
        d->bench->document,
        (struct peer_answer){.status = 200, .body = vl_buf_cstr(&document)});
    struct screen screen = after_sign_in(d);
    assert_int_equal(screen.told.error.error.status, VALET_NOT_FOUND);
    assert_int_equal(screen.told.error.next, VALET_NEXT_GIVE_UP);
}

static void
can_be_given_up_while_the_code_is_shown(void **state)
{
    struct desk *d = *state;
    struct vl_device *device;
    struct screen screen = {.told = {.bench = d->bench}, .abort = &device};
    (void)device_route(d, 200, GOOD_CODE);
    device = vl_device_start(&d->desk, d->bench->loop, VL_STR("User.Read"),
                             d->claims, show, on_done, &screen);
    vl_loop_run(d->bench->loop);
    assert_null(device);
    assert_int_equal(screen.shown, 1);
    assert_int_equal(screen.told.calls, 0);
}

/* RFC 8628 section 3.5 */
static void
asks_in_the_rhythm_that_the_server_wants(void **state)
{
    (void)state;
    static const struct {
        const char *oauth;
        valet_next next;
        int64_t retry_after_ms, wait_ms;
    } steps[] = {
        {"authorization_pending", VALET_NEXT_RETRY, -1, 5000},
        {"slow_down", VALET_NEXT_RETRY, -1, 10000},
        {"authorization_pending", VALET_NEXT_RETRY, -1, 10000},
        {"", VALET_NEXT_RETRY, -1, 20000}, /* no network */
        {"temporarily_unavailable", VALET_NEXT_RETRY, -1, 40000},
        {"", VALET_NEXT_RETRY, 90000, 90000},
        {"", VALET_NEXT_RETRY, -1, 80000}, /* no longer than that */
        {"", VALET_NEXT_RETRY, -1, 80000},
        {"authorization_pending", VALET_NEXT_RETRY, -1, 10000},
        {"slow_down", VALET_NEXT_RETRY, 60000, 60000},
        {"bad_verification_code", VALET_NEXT_GIVE_UP, -1, -1},
        {"expired_token", VALET_NEXT_SIGN_IN, -1, -1},
    };
    struct vl_device_pace pace = {.interval_ms = 5000};
    for (size_t i = 0; i < VL_COUNT(steps); i++) {
        valet_entra_error error = {.next = steps[i].next,
                                   .retry_after_ms = steps[i].retry_after_ms};
        (void)snprintf(error.oauth, sizeof error.oauth, "%s", steps[i].oauth);
        assert_int_equal(vl_device_wait(&pace, &error), steps[i].wait_ms);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_DESK(shows_a_code_and_asks_until_the_person_is_done),
        AT_DESK(tells_a_challenge_and_what_we_can_do),
        AT_DESK(asks_nothing_with_claims_that_are_none),
        AT_DESK(ends_when_the_person_declines),
        AT_DESK(does_not_ask_when_the_code_is_over),
        AT_DESK(tells_why_there_is_no_code),
        AT_DESK(shows_nothing_that_a_terminal_could_obey),
        AT_DESK(says_that_an_authority_has_no_such_sign_in),
        AT_DESK(can_be_given_up_while_the_code_is_shown),
        cmocka_unit_test(asks_in_the_rhythm_that_the_server_wants),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
