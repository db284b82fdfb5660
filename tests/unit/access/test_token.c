/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token.h"

#include "town.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/answer.h"
#include "core/enc.h"
#include "http/url.h"
#include "json/read.h"

#define GOOD                                                                   \
    "{\"access_token\":\"an-access-token\",\"token_type\":\"bearer\","         \
    "\"expires_in\":3600,\"refresh_token\":\"a-refresh-token\","               \
    "\"scope\":\"a b\"}"

static struct town town;
static struct vl_site site;
static struct vl_access_client client;
static struct vl_secret verifier, refresh;
static struct got {
    int calls;
    enum vl_redeem_advice advice;
    struct vl_access_tokens tokens;
    valet_error err;
} got;

static int
set_up(void **state)
{
    (void)state;
    town_open(&town);
    vl_auto(vl_buf) endpoint = vl_buf_of(200);
    town_fill(&town, "{}/token", &endpoint);
    vl_site_init(&site);
    site.issuer = "https://as.example/t";
    site.resource = "https://a.example/mcp?x=1";
    site.token_endpoint = vl_arena_cstr(&site.arena, vl_buf_str(&endpoint));
    client =
        (struct vl_access_client){.id = vl_strdup("a client"),
                                  .secret = vl_secret_of(VL_STR("p:a%+ s/=")),
                                  .proof = VL_PROOF_NONE};
    verifier = vl_secret_of(VL_STR("the-verifier"));
    refresh = vl_secret_of(VL_STR("old/refresh+token"));
    got = (struct got){.calls = 0};
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    vl_access_tokens_done(&got.tokens);
    vl_access_client_done(&client);
    vl_secret_done(&verifier);
    vl_secret_done(&refresh);
    vl_site_done(&site);
    town_close(&town);
    return 0;
}

static void
on_tokens(enum vl_redeem_advice advice, struct vl_access_tokens *tokens,
          const valet_error *err, void *ctx)
{
    struct got *to = ctx;
    to->calls++;
    to->advice = advice;
    vl_access_tokens_done(&to->tokens);
    to->tokens = *tokens;
    *tokens = (struct vl_access_tokens){.scope = NULL};
    assert_int_equal(err == NULL, advice == VL_REDEEM_FINE);
    to->err = err ? *err : (valet_error){0};
    vl_loop_stop(town.loop);
}

static struct vl_redeem *
start(enum vl_access_grant grant, const char *scope)
{
    struct vl_redeem_in in = {.site = &site,
                              .client = &client,
                              .grant = grant,
                              .code = VL_STR("the code&more"),
                              .verifier = &verifier,
                              .redirect_uri = "http://127.0.0.1:4711/callback",
                              .refresh = &refresh,
                              .scope = scope};
    got.calls = 0;
    return vl_redeem_start(town.loop, town.fetcher, &in, on_tokens, &got);
}

static void
redeem(enum vl_access_grant grant, const char *scope)
{
    (void)start(grant, scope);
    assert_int_equal(got.calls, 0);
    vl_loop_run(town.loop);
    assert_int_equal(got.calls, 1);
}

/* What was sent says exactly this, in any order. */
static void
assert_form(const char *const (*wanted)[2], size_t count)
{
    struct vl_arena arena = vl_arena_of(65536);
    struct vl_params params;
    assert_ok(vl_params_parse(vl_buf_str(&town.body), &arena, &params, NULL));
    assert_int_equal(params.count, count);
    assert_false(vl_params_repeat(&params, NULL));
    for (size_t i = 0; i < count; i++)
        assert_str(vl_params_get(&params, wanted[i][0]), wanted[i][1]);
    vl_arena_done(&arena);
}

/* --- which proof --- */

/* @spec CL-10 EX-03 */
static void
the_best_proof_that_both_know_is_used(void **state)
{
    (void)state;
    enum {
        NONE = VL_PROOF_NONE,
        BASIC = VL_PROOF_BASIC,
        POST = VL_PROOF_POST,
        JWT = VL_PROOF_PRIVATE_KEY_JWT
    };
    static const struct {
        unsigned proofs;
        bool has_secret, has_key;
        unsigned wanted;
    } rows[] = {
        {0, false, false, NONE},
        {0, true, false, BASIC},
        {0, false, true, JWT},
        {0, true, true, JWT},
        {NONE, false, false, NONE},
        {NONE, true, false, NONE},
        {NONE, false, true, 0},
        {BASIC, false, false, NONE},
        {BASIC, true, false, BASIC},
        {BASIC, true, true, BASIC},
        {BASIC, false, true, 0},
        {POST, true, false, POST},
        {NONE | POST, true, false, POST},
        {BASIC | POST, true, false, BASIC},
        {JWT, true, false, 0},
        {JWT, true, true, JWT},
        {JWT | BASIC, false, true, JWT},
        {JWT, false, false, NONE},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_site some = {.proofs = rows[i].proofs};
        if (vl_access_proof(&some, rows[i].has_secret, rows[i].has_key) !=
            rows[i].wanted)
            fail_msg("row %zu", i);
    }
}

/* --- what is sent --- */

/* @spec CL-06 CL-07 */
static void
a_code_is_redeemed_with_its_verifier_for_this_resource(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"grant_type", "authorization_code"},
        {"code", "the code&more"},
        {"code_verifier", "the-verifier"},
        {"redirect_uri", "http://127.0.0.1:4711/callback"},
        {"resource", "https://a.example/mcp?x=1"},
        {"client_id", "a client"},
    };
    int64_t before = vl_clock_now(&vl_clock_system) / 1000;
    town_put(&town, "/token", 200, GOOD);
    redeem(VL_GRANT_CODE, "not sent");
    assert_int_equal(got.advice, VL_REDEEM_FINE);
    assert_str(vl_buf_str(&town.log), "POST /token\n");
    assert_form(wanted, VL_COUNT(wanted));
    assert_str(vl_buf_str(&town.authorization), "");
    assert_str(vl_buf_str(&town.accept), "application/json");
    assert_str(vl_buf_str(&town.type), "application/x-www-form-urlencoded");
    assert_str(vl_secret_reveal(&got.tokens.access), "an-access-token");
    assert_str(vl_secret_reveal(&got.tokens.refresh), "a-refresh-token");
    assert_string_equal(got.tokens.scope, "a b");
    assert_in_range(got.tokens.got_at - before, 0, 20);
    assert_int_equal(got.tokens.expires_at - got.tokens.got_at, 3600);
}

static void
a_secret_in_the_form_stands_beside_the_id(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"grant_type", "refresh_token"},
        {"refresh_token", "old/refresh+token"},
        {"resource", "https://a.example/mcp?x=1"},
        {"client_id", "a client"},
        {"client_secret", "p:a%+ s/="},
        {"scope", "a"},
    };
    client.proof = VL_PROOF_POST;
    town_put(&town, "/token", 200, GOOD);
    redeem(VL_GRANT_REFRESH, "a");
    assert_int_equal(got.advice, VL_REDEEM_FINE);
    assert_form(wanted, VL_COUNT(wanted));
    assert_str(vl_buf_str(&town.authorization), "");
}

/* RFC 6749 section 2.3.1. @spec EX-03 */
static void
a_secret_in_the_header_is_escaped_before_it_is_encoded(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"grant_type", "client_credentials"},
        {"resource", "https://a.example/mcp?x=1"},
    };
    vl_auto(vl_buf) pair = vl_buf_of(1000);
    client.proof = VL_PROOF_BASIC;
    town_put(&town, "/token", 200, GOOD);
    redeem(VL_GRANT_CLIENT_CREDENTIALS, "");
    assert_int_equal(got.advice, VL_REDEEM_FINE);
    assert_form(wanted, VL_COUNT(wanted));
    struct vl_str header = vl_buf_str(&town.authorization);
    assert_true(vl_str_starts(header, VL_STR("Basic ")));
    assert_true(vl_dec_base64(vl_str_from(header, 6), &pair));
    assert_str(vl_buf_str(&pair), "a%20client:p%3Aa%25%2B%20s%2F%3D");
}

/* @spec CL-05 */
static void
a_server_of_2025_03_26_is_told_of_no_resource(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"grant_type", "client_credentials"},
        {"client_id", "a client"},
        {"scope", "a b"},
    };
    site.resource = NULL;
    town_put(&town, "/token", 200, GOOD);
    redeem(VL_GRANT_CLIENT_CREDENTIALS, "a b");
    assert_form(wanted, VL_COUNT(wanted));
}

/* --- a key --- */

static void
write_key(EVP_PKEY *key, char path[64])
{
    (void)snprintf(path, 64, "/tmp/access-test-key-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

static void
read_part(struct vl_str *rest, struct vl_json *ret)
{
    vl_auto(vl_buf) text = vl_buf_of(8192);
    struct vl_str part;
    assert_true(vl_str_split(rest, '.', &part));
    assert_true(vl_dec_base64url(part, &text));
    assert_ok(vl_json_parse(vl_buf_str(&text), 4, ret, NULL));
}

/* @spec EX-02 EX-03 EX-04 */
static void
a_key_signs_for_this_issuer_alone(void **state)
{
    (void)state;
    char path[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct vl_arena arena = vl_arena_of(65536);
    struct vl_params params;
    vl_auto(vl_json) header = {NULL};
    vl_auto(vl_json) claims = {NULL};
    int64_t ends, now = vl_clock_now(&vl_clock_system) / 1000;
    write_key(key, path);
    client.proof = VL_PROOF_PRIVATE_KEY_JWT;
    client.key_file = vl_strdup(path);
    site.signs_es256 = true;
    town_put(&town, "/token", 200, GOOD);
    redeem(VL_GRANT_CLIENT_CREDENTIALS, "");
    assert_int_equal(got.advice, VL_REDEEM_FINE);
    assert_ok(vl_params_parse(vl_buf_str(&town.body), &arena, &params, NULL));
    assert_int_equal(params.count, 5);
    assert_str(vl_params_get(&params, "client_assertion_type"),
               "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_str(vl_params_get(&params, "client_id"), "a client");
    struct vl_str token = vl_params_get(&params, "client_assertion");
    read_part(&token, &header);
    read_part(&token, &claims);
    assert_str(vl_json_get_str(header.root, "alg"), "ES256");
    assert_str(vl_json_get_str(claims.root, "iss"), "a client");
    assert_str(vl_json_get_str(claims.root, "sub"), "a client");
    assert_str(vl_json_get_str(claims.root, "aud"), "https://as.example/t");
    assert_true(vl_json_get_int(claims.root, "exp", &ends));
    assert_in_range(ends - now, 60, 600);
    assert_int_equal(unlink(path), 0);
    vl_arena_done(&arena);
    EVP_PKEY_free(key);
}

static void
assert_gives_up(const char *says)
{
    redeem(VL_GRANT_CLIENT_CREDENTIALS, "");
    assert_int_equal(got.advice, VL_REDEEM_GIVE_UP);
    if (!strstr(got.err.message, says))
        fail_msg("%s", got.err.message);
    assert_int_equal(vl_buf_size(&town.log), 0);
}

static void
a_key_that_cannot_be_used_is_named_and_nothing_is_sent(void **state)
{
    (void)state;
    char path[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    write_key(key, path);
    client.proof = VL_PROOF_PRIVATE_KEY_JWT;
    assert_gives_up("no key");
    client.key_file = vl_strdup(path);
    site.signs_rs256 = true;
    assert_gives_up("ES256");
    assert_int_equal(chmod(path, 0644), 0);
    assert_gives_up(path);
    assert_int_equal(truncate(path, 0) | chmod(path, 0600), 0);
    assert_gives_up("no private key");
    assert_int_equal(unlink(path), 0);
    assert_gives_up(path);
    client.proof = 0;
    assert_gives_up("no proof");
    free(client.id);
    client.id = NULL;
    assert_gives_up("no client id");
    EVP_PKEY_free(key);
}

/* --- what is answered --- */

static void
a_token_is_read_strictly(void **state)
{
    (void)state;
#define AT "{\"access_token\":\"t\""
#define TT ",\"token_type\":\"Bearer\""
    static const struct {
        const char *body;
        bool good;
        int64_t lasts; /* -1: not told */
    } rows[] = {
        {AT TT "}", true, -1},
        {AT ",\"token_type\":\"BEARER\"}", true, -1},
        {AT TT ",\"expires_in\":60}", true, 60},
        {AT TT ",\"expires_in\":\"60\"}", true, 60},
        {AT TT ",\"expires_in\":60.0}", true, 60},
        {AT TT ",\"expires_in\":0}", true, 0},
        {AT TT ",\"expires_in\":-5}", true, -1},
        {AT TT ",\"expires_in\":\"soon\"}", true, -1},
        {AT TT ",\"expires_in\":null}", true, -1},
        {AT TT ",\"expires_in\":9223372036854775807}", true, 315360000},
        {AT TT ",\"expires_in\":\"9223372036854775807\"}", true, 315360000},
        {AT TT ",\"refresh_token\":null,\"scope\":null}", true, -1},
        {AT TT ",\"refresh_token\":\"a b\",\"scope\":\"a  b\"}", true, -1},
        {AT "}", false, 0},
        {AT ",\"token_type\":\"DPoP\"}", false, 0},
        {AT ",\"token_type\":\"N_A\"}", false, 0},
        {"{\"access_token\":\"\"" TT "}", false, 0},
        {"{\"access_token\":\"a\\r\\nb\"" TT "}", false, 0},
        {"{\"access_token\":\"a b\"" TT "}", false, 0},
        {"{\"access_token\":7" TT "}", false, 0},
        {"{\"token_type\":\"Bearer\"}", false, 0},
        {"access_token=t&token_type=bearer", false, 0},
        {"[]", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_access_tokens) tokens = {.scope = NULL};
        valet_error err;
        enum vl_redeem_advice advice = vl_token_read(
            &site, 200, vl_str_z(rows[i].body), 1000, &tokens, &err);
        if (advice != (rows[i].good ? VL_REDEEM_FINE : VL_REDEEM_GIVE_UP))
            fail_msg("%s", rows[i].body);
        if (!rows[i].good)
            continue;
        assert_int_equal(tokens.expires_at,
                         rows[i].lasts < 0 ? 0 : 1000 + rows[i].lasts);
        assert_int_equal(tokens.got_at, 1000);
        assert_true(vl_secret_is_empty(&tokens.refresh));
        assert_null(tokens.scope);
    }
}

static void
a_refusal_becomes_advice_and_of_its_words_only_the_error_is_told(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum vl_redeem_advice advice;
        const char *code;
    } rows[] = {
        {400, "invalid_grant", VL_REDEEM_SIGN_IN, "invalid_grant"},
        {401, "invalid_client", VL_REDEEM_REGISTER, "invalid_client"},
        {400, "invalid_client", VL_REDEEM_REGISTER, "invalid_client"},
        {400, "unauthorized_client", VL_REDEEM_REGISTER, "unauthorized_client"},
        {400, "invalid_scope", VL_REDEEM_GIVE_UP, "invalid_scope"},
        {400, "invalid_target", VL_REDEEM_GIVE_UP, "invalid_target"},
        {400, "invalid_request", VL_REDEEM_GIVE_UP, "invalid_request"},
        {400, "slow_down", VL_REDEEM_AGAIN, "slow_down"},
        {400, "an-access-token", VL_REDEEM_GIVE_UP, ""},
        {400, "Bad", VL_REDEEM_GIVE_UP, ""},
        {403, "", VL_REDEEM_GIVE_UP, ""},
        {302, "", VL_REDEEM_GIVE_UP, ""},
        {200, "invalid_grant", VL_REDEEM_SIGN_IN, "invalid_grant"},
        {429, "", VL_REDEEM_AGAIN, ""},
        {500, "invalid_grant", VL_REDEEM_AGAIN, "invalid_grant"},
        {503, "", VL_REDEEM_AGAIN, ""},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        vl_auto(vl_access_tokens) tokens = {.scope = NULL};
        vl_auto(vl_buf) body = vl_buf_of(4096);
        valet_error err = {0};
        vl_buf_addf(&body,
                    "{\"error\":\"%s\",\"error_description\":\"of Jane Doe\","
                    "\"access_token\":\"t\"}",
                    rows[i].body);
        if (vl_token_read(&site, rows[i].status, vl_buf_str(&body), 1, &tokens,
                          &err) != rows[i].advice)
            fail_msg("%d %s", rows[i].status, rows[i].body);
        assert_string_equal(err.code, rows[i].code);
        assert_null(strstr(err.message, "Jane"));
        assert_null(strstr(err.message, "an-access-token"));
        assert_non_null(strstr(err.message, "as.example"));
        assert_true(vl_secret_is_empty(&tokens.access));
        assert_int_equal(err.status, rows[i].advice == VL_REDEEM_AGAIN
                                         ? VALET_RETRY
                                         : VALET_DENIED);
    }
}

static void
a_code_is_sent_once_whatever_comes(void **state)
{
    (void)state;
    struct town_place *place = town_put(&town, "/token", 503, "");
    redeem(VL_GRANT_CODE, "");
    assert_int_equal(got.advice, VL_REDEEM_AGAIN);
    redeem(VL_GRANT_REFRESH, "");
    assert_int_equal(got.advice, VL_REDEEM_AGAIN);
    assert_int_equal(place->asked, 2);
}

static void
a_server_that_is_not_there_is_asked_later(void **state)
{
    (void)state;
    site.token_endpoint = "http://127.0.0.1:1/token";
    redeem(VL_GRANT_REFRESH, "");
    assert_int_equal(got.advice, VL_REDEEM_AGAIN);
    site.token_endpoint = "http://a.example/token";
    redeem(VL_GRANT_REFRESH, "");
    assert_int_equal(got.advice, VL_REDEEM_GIVE_UP);
}

/* @spec CL-20 SB-13 */
static void
what_a_public_server_names_has_to_be_public(void **state)
{
    (void)state;
    site.only_public = true;
    redeem(VL_GRANT_CODE, "");
    assert_int_equal(got.advice, VL_REDEEM_GIVE_UP);
    assert_int_equal(got.err.status, VALET_DENIED);
    assert_int_equal(vl_buf_size(&town.log), 0);
}

static void
a_request_that_is_given_up_is_silent(void **state)
{
    (void)state;
    struct vl_redeem *op = NULL;
    vl_redeem_abort(&op);
    op = start(VL_GRANT_CODE, "");
    while (vl_buf_size(&town.log) == 0)
        vl_loop_step(town.loop);
    vl_redeem_abort(&op);
    assert_null(op);
    client.proof = 0;
    op = start(VL_GRANT_CODE, "");
    vl_redeem_abort(&op);
    vl_loop_deliver(town.loop);
    assert_int_equal(got.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_best_proof_that_both_know_is_used),
        TEST(a_code_is_redeemed_with_its_verifier_for_this_resource),
        TEST(a_secret_in_the_form_stands_beside_the_id),
        TEST(a_secret_in_the_header_is_escaped_before_it_is_encoded),
        TEST(a_server_of_2025_03_26_is_told_of_no_resource),
        TEST(a_key_signs_for_this_issuer_alone),
        TEST(a_key_that_cannot_be_used_is_named_and_nothing_is_sent),
        TEST(a_token_is_read_strictly),
        TEST(a_refusal_becomes_advice_and_of_its_words_only_the_error_is_told),
        TEST(a_code_is_sent_once_whatever_comes),
        TEST(a_server_that_is_not_there_is_asked_later),
        TEST(what_a_public_server_names_has_to_be_public),
        TEST(a_request_that_is_given_up_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
