/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in by a browser, at a tenant that answers by a script; the browser
 * is the test.
 */
#include "entra/code.h"

#include "core/arena.h"
#include "core/limits.h"
#include "desk.h"
#include "http/url.h"
#include "oauth/pkce.h"

#define LOOPBACK "http://localhost:50123"
#define STATE    "the-state-of-the-listener"
#define CLAIMS   "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}"

/* What the callbacks were told, and what they are to do. */
struct visit {
    struct desk *desk;
    struct vl_code *code;
    int shown, calls;
    char url[VL_LIMIT_SIGN_IN_URL];
    struct vl_user user;
    char username[64], access[64], refresh[64], scope[64], client_info[64];
    valet_entra_error error;
    bool abort_when_shown;
};

static void
on_ready(struct vl_str url, void *ctx)
{
    struct visit *v = ctx;
    v->shown++;
    copy(v->url, sizeof v->url, url);
    if (v->abort_when_shown)
        vl_code_abort(&v->code);
    vl_loop_stop(v->desk->bench->loop);
}

static void
on_person(const struct vl_idp_person *person, struct vl_token_answer *answer,
          const valet_entra_error *error, void *ctx)
{
    struct visit *v = ctx;
    v->calls++;
    v->code = NULL;
    assert_true(!person == !answer && !person != !error);
    if (error) {
        v->error = *error;
    } else {
        v->user = person->user;
        copy(v->username, sizeof v->username, person->username);
        copy(v->access, sizeof v->access,
             vl_secret_reveal(&answer->tokens.access.secret));
        copy(v->refresh, sizeof v->refresh,
             vl_secret_reveal(&answer->tokens.refresh.secret));
        copy(v->scope, sizeof v->scope, answer->scope);
        copy(v->client_info, sizeof v->client_info, answer->client_info);
    }
    vl_loop_stop(v->desk->bench->loop);
}

static const struct vl_code_in plain = {
    .redirect_uri = {LOOPBACK, sizeof LOOPBACK - 1},
    .state = {STATE, sizeof STATE - 1},
    .scopes = {"User.Read", 9},
};

static void
start(struct visit *v, struct desk *d, const struct vl_code_in *in)
{
    *v = (struct visit){.desk = d};
    d->auth = (struct vl_client_auth){.kind = VL_AUTH_PUBLIC};
    v->code =
        vl_code_start(&d->desk, d->bench->loop, in, on_ready, on_person, v);
    assert_int_equal(v->shown + v->calls, 0);
}

/* The browser is on its way. */
static void
open_url(struct visit *v, struct desk *d)
{
    start(v, d, &plain);
    vl_loop_run(d->bench->loop);
    assert_int_equal(v->shown, 1);
}

static void
come_back(struct visit *v, const struct vl_code_redirect *redirect)
{
    vl_code_redirected(v->code, redirect);
    assert_int_equal(v->calls, 0);
    vl_loop_run(v->desk->bench->loop);
    assert_int_equal(v->calls, 1);
    assert_int_equal(v->shown, 1);
}

static void
come_back_with_code(struct visit *v)
{
    come_back(v, &(struct vl_code_redirect){.code = VL_STR("0.A code+/=")});
}

/* The value of a parameter of what was sent; "" when there is none. */
static const char *
param(struct vl_str text, const char *name)
{
    static char value[VL_LIMIT_SIGN_IN_URL];
    struct vl_arena arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    struct vl_params params;
    assert_ok(vl_params_parse(text, &arena, &params, NULL));
    assert_false(vl_params_repeat(&params, NULL));
    copy(value, sizeof value, vl_params_get(&params, name));
    vl_arena_done(&arena);
    return value;
}

static struct vl_str
query_of(const struct visit *v)
{
    struct vl_str url = vl_str_z(v->url);
    return vl_str_from(url, vl_str_index(url, '?') + 1);
}

/* The tenant answers with this nonce in the id token. */
static void
answer_with_nonce(struct desk *d, const char *nonce)
{
    issue(d->bench, &(struct identity){.nonce = nonce});
}

/* @spec S-33 S-36 */
static void
sends_the_browser_with_what_protects_the_sign_in(void **state)
{
    struct desk *d = *state;
    struct visit v;
    char wanted[512];
    open_url(&v, d);
    (void)snprintf(wanted, sizeof wanted,
                   "%s/" TID "/oauth2/v2.0/authorize?client_id=" CLIENT
                   "&response_type=code&response_mode=form_post"
                   "&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A50123"
                   "&scope=User.Read%%20openid%%20profile%%20offline_access"
                   "&state=" STATE "&nonce=",
                   d->bench->peer.origin);
    assert_memory_equal(v.url, wanted, strlen(wanted));
    assert_int_equal(strlen(param(query_of(&v), "nonce")), 43);
    assert_true(vl_pkce_challenge_is_valid(
        vl_str_z(param(query_of(&v), "code_challenge"))));
    assert_string_equal(param(query_of(&v), "code_challenge_method"), "S256");
    assert_string_equal(param(query_of(&v), "client_info"), "1");
    assert_null(strstr(v.url, "prompt="));
    assert_null(strstr(v.url, "hint="));
    assert_null(strstr(v.url, "claims="));
    assert_null(strstr(v.url, "verifier"));
    vl_code_abort(&v.code);
}

static void
passes_on_what_the_caller_wants(void **state)
{
    struct desk *d = *state;
    struct visit v;
    struct vl_code_in in = plain;
    in.scopes = VL_STR("openid api://a/x api://a/x offline_access");
    in.prompt = VL_STR("login");
    in.login_hint = VL_STR("user+1@contoso.example");
    in.domain_hint = VL_STR("organizations");
    in.claims = VL_STR(CLAIMS);
    start(&v, d, &in);
    vl_loop_run(d->bench->loop);
    assert_string_equal(param(query_of(&v), "scope"),
                        "api://a/x openid profile offline_access");
    assert_string_equal(param(query_of(&v), "prompt"), "login");
    assert_string_equal(param(query_of(&v), "login_hint"),
                        "user+1@contoso.example");
    assert_string_equal(param(query_of(&v), "domain_hint"), "organizations");
    assert_string_equal(param(query_of(&v), "claims"), CLAIMS);
    answer_with_nonce(d, param(query_of(&v), "nonce"));
    come_back_with_code(&v);
    assert_string_equal(param(vl_buf_str(&d->bench->token->body), "claims"),
                        CLAIMS);
}

static void
nothing_is_used_for_two_sign_ins(void **state)
{
    struct desk *d = *state;
    struct visit one, other;
    char nonce[64], challenge[64];
    open_url(&one, d);
    open_url(&other, d);
    copy(nonce, sizeof nonce, vl_str_z(param(query_of(&one), "nonce")));
    copy(challenge, sizeof challenge,
         vl_str_z(param(query_of(&one), "code_challenge")));
    assert_string_not_equal(nonce, param(query_of(&other), "nonce"));
    assert_string_not_equal(challenge,
                            param(query_of(&other), "code_challenge"));
    vl_code_abort(&one.code);
    vl_code_abort(&other.code);
}

/* @spec S-33 */
static void
redeems_the_code_with_the_verifier_of_its_challenge(void **state)
{
    struct desk *d = *state;
    struct visit v;
    char challenge[64], body[2048], verifier[64];
    open_url(&v, d);
    copy(challenge, sizeof challenge,
         vl_str_z(param(query_of(&v), "code_challenge")));
    answer_with_nonce(d, param(query_of(&v), "nonce"));
    come_back_with_code(&v);
    assert_string_equal(v.user.oid, OID);
    assert_string_equal(v.user.tid, TID);
    assert_string_equal(v.username, "user@contoso.example");
    assert_string_equal(v.access, "upstream-access");
    assert_string_equal(v.refresh, "upstream-refresh");
    struct vl_str sent = vl_buf_str(&d->bench->token->body);
    copy(verifier, sizeof verifier, vl_str_z(param(sent, "code_verifier")));
    assert_true(vl_pkce_verify(vl_str_z(verifier), vl_str_z(challenge)));
    (void)snprintf(body, sizeof body,
                   "grant_type=authorization_code&client_info=1"
                   "&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A50123"
                   "&code_verifier=%s"
                   "&scope=User.Read%%20openid%%20profile%%20offline_access"
                   "&code=0.A%%20code%%2B%%2F%%3D&client_id=" CLIENT,
                   verifier);
    assert_str(sent, body);
    assert_int_equal(d->bench->token->asked, 1);
}

static void
keeps_all_of_the_answer(void **state)
{
    struct desk *d = *state;
    struct visit v;
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_FETCH_BODY);
    open_url(&v, d);
    answer_with_nonce(d, param(query_of(&v), "nonce"));
    struct vl_str old = vl_buf_str(&d->bench->answer_text);
    vl_buf_add(&body, vl_str_head(old, old.n - 1));
    vl_buf_addz(&body, ",\"scope\":\"User.Read Mail.Read\","
                       "\"client_info\":\"eyJ1aWQiOiJ4In0\"}");
    refuse(d->bench, 200, vl_buf_cstr(&body), NULL);
    come_back_with_code(&v);
    assert_string_equal(v.scope, "User.Read Mail.Read");
    assert_string_equal(v.client_info, "eyJ1aWQiOiJ4In0");
}

/* @spec S-33: a code of somebody else's sign-in, with their id token. */
static void
an_id_token_of_another_sign_in_proves_nobody(void **state)
{
    struct desk *d = *state;
    struct visit v;
    const struct identity others[] = {
        {.nonce = "of-another-sign-in"},
        {.nonce = ""},
    };
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        open_url(&v, d);
        issue(d->bench, &others[i]);
        come_back_with_code(&v);
        assert_int_equal(v.error.error.status, VALET_DENIED);
        assert_int_equal(v.error.next, VALET_NEXT_GIVE_UP);
    }
    open_url(&v, d);
    issue(d->bench, NULL); /* no id token at all */
    come_back_with_code(&v);
    assert_int_equal(v.error.error.status, VALET_DENIED);
}

/* @spec S-34 */
static void
every_refusal_says_what_to_do(void **state)
{
    struct desk *d = *state;
    static const struct {
        const char *error, *description, *suberror;
        valet_next next;
        valet_status status;
        unsigned aadsts;
    } rows[] = {
        {"access_denied", "AADSTS65004: the person declined", "cancel",
         VALET_NEXT_SIGN_IN, VALET_DENIED, 65004},
        {"access_denied", "", "", VALET_NEXT_SIGN_IN, VALET_DENIED, 0},
        {"login_required", "AADSTS50058: x", "", VALET_NEXT_SIGN_IN,
         VALET_DENIED, 50058},
        {"consent_required", "AADSTS65001: x", "", VALET_NEXT_SIGN_IN,
         VALET_DENIED, 65001},
        {"access_denied", "AADSTS90094: x", "", VALET_NEXT_ADMIN, VALET_DENIED,
         90094},
        {"unauthorized_client", "AADSTS700016: x", "", VALET_NEXT_ADMIN,
         VALET_INTERNAL, 700016},
        {"invalid_scope", "AADSTS70011: x", "", VALET_NEXT_GIVE_UP,
         VALET_INTERNAL, 70011},
        {"temporarily_unavailable", "", "", VALET_NEXT_RETRY, VALET_RETRY, 0},
        {"server_error", "", "", VALET_NEXT_RETRY, VALET_RETRY, 0},
        {"<b>nonsense</b>", "<b>", "<b>", VALET_NEXT_GIVE_UP, VALET_INTERNAL,
         0},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct visit v;
        open_url(&v, d);
        come_back(&v, &(struct vl_code_redirect){
                          .error = vl_str_z(rows[i].error),
                          .description = vl_str_z(rows[i].description),
                          .suberror = vl_str_z(rows[i].suberror),
                      });
        assert_int_equal(v.error.next, rows[i].next);
        assert_int_equal(v.error.error.status, rows[i].status);
        assert_int_equal(v.error.aadsts, rows[i].aadsts);
        assert_null(strstr(v.error.error.message, "<b>"));
        assert_non_null(strstr(v.error.error.message, "(by the browser, "));
    }
    assert_int_equal(d->bench->token->asked, 0);
}

static void
a_refused_code_is_sent_once(void **state)
{
    struct desk *d = *state;
    struct visit v;
    open_url(&v, d);
    refuse(d->bench, 400,
           "{\"error\":\"invalid_grant\",\"error_codes\":[70008]}", NULL);
    come_back_with_code(&v);
    assert_int_equal(v.error.aadsts, 70008);
    assert_int_equal(v.error.next, VALET_NEXT_SIGN_IN);
    assert_int_equal(d->bench->token->asked, 1);
    assert_null(strstr(v.error.error.message, "code+"));
    open_url(&v, d);
    refuse(d->bench, 503, "<html>", NULL);
    come_back_with_code(&v);
    assert_int_equal(v.error.next, VALET_NEXT_RETRY);
    assert_int_equal(d->bench->token->asked, 1);
}

static void
what_is_too_long_is_not_sent(void **state)
{
    struct desk *d = *state;
    struct visit v;
    struct vl_code_in in = plain;
    static char hint[VL_LIMIT_SIGN_IN_URL];
    memset(hint, 'a', sizeof hint - 1);
    in.login_hint = vl_str_z(hint);
    start(&v, d, &in);
    vl_loop_run(d->bench->loop);
    assert_int_equal(v.shown, 0);
    assert_int_equal(v.error.error.status, VALET_LIMIT);
    assert_int_equal(v.error.next, VALET_NEXT_GIVE_UP);
}

static void
tells_that_the_authority_cannot_be_reached(void **state)
{
    struct desk *d = *state;
    struct visit v;
    peer_reset(d->bench->document);
    peer_say(d->bench->document,
             (struct peer_answer){.status = 404, .body = "{}"});
    start(&v, d, &plain);
    vl_loop_run(d->bench->loop);
    assert_int_equal(v.shown, 0);
    assert_int_equal(v.calls, 1);
    assert_int_equal(v.error.next, VALET_NEXT_GIVE_UP);
    assert_int_equal(v.error.retry_after_ms, -1);
    assert_true(v.error.error.message[0]);
}

/* At each stage; nobody is called back afterwards. */
static void
can_be_given_up(void **state)
{
    struct desk *d = *state;
    struct visit before, shown, refused, redeeming;
    start(&before, d, &plain);
    vl_code_abort(&before.code);
    start(&shown, d, &plain);
    shown.abort_when_shown = true;
    vl_loop_run(d->bench->loop);
    assert_int_equal(shown.shown, 1);
    assert_null(shown.code);
    open_url(&refused, d);
    vl_code_redirected(refused.code, &(struct vl_code_redirect){
                                         .error = VL_STR("access_denied")});
    vl_code_abort(&refused.code);
    open_url(&redeeming, d);
    peer_reset(d->bench->token);
    peer_say(d->bench->token, (struct peer_answer){.status = 0});
    vl_code_redirected(redeeming.code,
                       &(struct vl_code_redirect){.code = VL_STR("c")});
    while (d->bench->peer.held_count == 0)
        vl_loop_step(d->bench->loop);
    vl_code_abort(&redeeming.code);
    vl_loop_deliver(d->bench->loop);
    assert_int_equal(before.calls + before.shown, 0);
    assert_int_equal(shown.calls + refused.calls + redeeming.calls, 0);
}

static void
can_be_given_up_while_keys_are_fetched(void **state)
{
    struct desk *d = *state;
    struct visit v;
    open_url(&v, d);
    d->bench->now_ms += 10 * MINUTE_MS;
    issue(d->bench, &(struct identity){.nonce = "n", .kid = "unknown"});
    peer_reset(d->bench->document);
    peer_say(d->bench->document, (struct peer_answer){.status = 0});
    vl_code_redirected(v.code, &(struct vl_code_redirect){.code = VL_STR("c")});
    while (d->bench->peer.held_count == 0)
        vl_loop_step(d->bench->loop);
    vl_code_abort(&v.code);
    assert_int_equal(d->bench->token->asked, 1);
    assert_int_equal(v.calls, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_DESK(sends_the_browser_with_what_protects_the_sign_in),
        AT_DESK(passes_on_what_the_caller_wants),
        AT_DESK(nothing_is_used_for_two_sign_ins),
        AT_DESK(redeems_the_code_with_the_verifier_of_its_challenge),
        AT_DESK(keeps_all_of_the_answer),
        AT_DESK(an_id_token_of_another_sign_in_proves_nobody),
        AT_DESK(every_refusal_says_what_to_do),
        AT_DESK(a_refused_code_is_sent_once),
        AT_DESK(what_is_too_long_is_not_sent),
        AT_DESK(tells_that_the_authority_cannot_be_reached),
        AT_DESK(can_be_given_up),
        AT_DESK(can_be_given_up_while_keys_are_fetched),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
