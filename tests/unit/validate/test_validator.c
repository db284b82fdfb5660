/* SPDX-License-Identifier: Apache-2.0
 *
 * A validator over time: keys that come, change, get old and cannot be had;
 * many threads; and what a good token says.
 */
#include "issuer.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

static const char *const one_tenant[] = {TID, NULL};
static const char *const audiences[] = {API, NULL};

static struct issuer issuer;
static char authority[64];
static const struct member *base;
static struct member issuer_is; /* of the tokens */

/* The stand-in's way: authority, v1 and v2 issuer are one host. */
static int
open_issuer(void **state)
{
    (void)state;
    static char iss[140];
    char name[128];
    test_steady_ms = 1000;
    issuer_open(&issuer);
    issuer_publish(&issuer, rsa_key, "one");
    (void)snprintf(name, sizeof name, "%s/" TID "/v2.0", issuer.origin);
    (void)snprintf(iss, sizeof iss, "\"%s\"", name);
    (void)snprintf(authority, sizeof authority, "%s", issuer.origin);
    issuer_document(&issuer, name);
    base = v2_user;
    issuer_is = (struct member){"iss", iss};
    return 0;
}

static int
close_issuer(void **state)
{
    (void)state;
    issuer_close(&issuer);
    return 0;
}

static valet_validator_options
options_of_entra(void)
{
    return (valet_validator_options){
        .tenants = one_tenant,
        .audiences = audiences,
        .authority_host = authority,
        .fetch_timeout_ms = 2000,
    };
}

static struct vl_buf
token_by(EVP_PKEY *key, const char *kid)
{
    struct vl_buf token = vl_buf_of(20000);
    vl_auto(vl_buf) claims = vl_buf_of(20000), header = vl_buf_of(1000);
    write_members(&claims, base, &issuer_is, 1);
    vl_buf_addf(&header, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
    sign(key, false, vl_buf_str(&header), vl_buf_str(&claims), &token);
    return token;
}

typedef valet_status
validate_function(valet_validator *validator, const char *text, size_t size,
                  valet_token *ret, valet_error *err);

/* "ok", "denied unknown_key", "retry keys_unavailable" */
static const char *
verdict_by(validate_function *how, valet_validator *validator, EVP_PKEY *key,
           const char *kid)
{
    static _Thread_local char text[100];
    vl_auto(vl_buf) token = token_by(key, kid);
    valet_token good = {.inside = NULL};
    valet_error err = {0};
    struct vl_str bytes = vl_buf_str(&token);
    valet_status status = how(validator, bytes.p, bytes.n, &good, &err);
    valet_token_done(&good);
    (void)snprintf(text, sizeof text, "%s%s%s", valet_status_name(status),
                   status == VALET_OK ? "" : " ", err.code);
    return text;
}

static const char *
verdict(valet_validator *validator, EVP_PKEY *key, const char *kid)
{
    return verdict_by(valet_validate, validator, key, kid);
}

static const char *
verdict_now(valet_validator *validator, EVP_PKEY *key, const char *kid)
{
    return verdict_by(valet_validate_now, validator, key, kid);
}

static valet_validator *
entra(void)
{
    valet_validator_options options = options_of_entra();
    return validator_of(&options);
}

/* --- keys over time --- */

/* @spec S-15: zero network calls in steady state. */
static void
asks_the_issuer_once_for_many_tokens(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_int_equal(issuer.documents, 0);
    for (int i = 0; i < 50; i++)
        assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    assert_int_equal(issuer.documents, 1);
    assert_int_equal(issuer.sets, 1);
    valet_validator_free(validator);
}

static void
asks_for_no_keys_because_of_what_can_never_be_good(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    valet_token good = {.inside = NULL};
    valet_error err = {0};
    static const char none[] = "eyJhbGciOiJub25lIn0.e30.AAAA";
    assert_int_equal(valet_validate(validator, "x.y", 3, &good, &err),
                     VALET_DENIED);
    assert_string_equal(err.code, "malformed");
    assert_int_equal(
        valet_validate(validator, none, sizeof none - 1, &good, &err),
        VALET_DENIED);
    assert_string_equal(err.code, "algorithm");
    assert_int_equal(valet_validate_now(validator, NULL, 0, &good, &err),
                     VALET_DENIED);
    assert_int_equal(issuer.documents, 0);
    valet_validator_free(validator);
}

static void
finds_a_new_key_at_once_and_drops_the_old_one(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    issuer_publish(&issuer, other_rsa_key, "two");
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    assert_string_equal(verdict(validator, other_rsa_key, "two"), "ok");
    assert_string_equal(verdict(validator, rsa_key, "one"),
                        "denied unknown_key");
    assert_int_equal(issuer.sets, 2);
    valet_validator_free(validator);
}

/* @spec S-15 */
static void
asks_for_unknown_keys_once_in_five_minutes(void **state)
{
    (void)state;
    char kid[20];
    valet_validator *validator = entra();
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    for (int i = 0; i < 50; i++) {
        (void)snprintf(kid, sizeof kid, "made-up-%d", i);
        assert_string_equal(verdict(validator, rsa_key, kid),
                            "denied unknown_key");
    }
    assert_int_equal(issuer.sets, 2);
    test_steady_ms += 5 * MINUTE_MS - 1;
    assert_string_equal(verdict(validator, rsa_key, "x"), "denied unknown_key");
    assert_int_equal(issuer.sets, 2);
    test_steady_ms += 1;
    assert_string_equal(verdict(validator, rsa_key, "x"), "denied unknown_key");
    assert_int_equal(issuer.sets, 3);
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    valet_validator_free(validator);
}

static void
refreshes_the_keys_once_a_day(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    issuer_publish(&issuer, other_rsa_key, "two");
    test_steady_ms += DAY_MS - 1;
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    test_steady_ms += 1;
    assert_string_equal(verdict(validator, rsa_key, "one"),
                        "denied unknown_key");
    assert_int_equal(issuer.documents, 3); /* the day's, and the unknown's */
    valet_validator_free(validator);
}

/* @spec S-15: stale if error, but not for ever. */
static void
uses_old_keys_while_the_issuer_is_down_for_three_days(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    issuer.status = 500;
    test_steady_ms += 3 * (int64_t)DAY_MS - 1;
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    assert_string_equal(verdict(validator, rsa_key, "new"),
                        "retry unknown_key");
    test_steady_ms += 1;
    assert_string_equal(verdict(validator, rsa_key, "one"),
                        "retry keys_unavailable");
    issuer.status = 200;
    test_steady_ms += HOUR_MS;
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    valet_validator_free(validator);
}

static void
asks_ever_more_rarely_while_the_issuer_fails(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    issuer.status = 404;
    for (int i = 0; i < 10; i++)
        assert_string_equal(verdict(validator, rsa_key, "one"),
                            "retry keys_unavailable");
    assert_int_equal(issuer.documents, 1);
    test_steady_ms += 1000;
    (void)verdict(validator, rsa_key, "one");
    assert_int_equal(issuer.documents, 2);
    test_steady_ms += 1999;
    (void)verdict(validator, rsa_key, "one");
    assert_int_equal(issuer.documents, 2);
    test_steady_ms += 1;
    (void)verdict(validator, rsa_key, "one");
    assert_int_equal(issuer.documents, 3);
    issuer.status = 200;
    test_steady_ms += 4000;
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    valet_validator_free(validator);
}

static void
says_what_is_wrong_with_the_issuer(void **state)
{
    (void)state;
    static const struct {
        const char *document, *keys, *why;
    } cases[] = {
        {"{}", NULL, "the OpenID configuration is of another issuer"},
        {"<html>", NULL, "1:1"},
        {"{\"issuer\":\"https://evil\",\"jwks_uri\":\"https://evil\"}", NULL,
         "the OpenID configuration is of another issuer"},
        {NULL, "{\"keys\":[]}", "the key set has no usable key"},
        {NULL, "{\"keys\":{}}", "the key set has no list keys"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        valet_validator *validator = entra();
        vl_auto(vl_buf) token = token_by(rsa_key, "one");
        valet_error err = {0};
        valet_token good = {.inside = NULL};
        (void)close_issuer(NULL);
        valet_validator_free(validator);
        (void)open_issuer(NULL);
        validator = entra();
        if (cases[i].document)
            issuer_write(&issuer, &issuer.document, cases[i].document);
        if (cases[i].keys)
            issuer_write(&issuer, &issuer.keys, cases[i].keys);
        assert_int_equal(valet_validate(validator, vl_buf_str(&token).p,
                                        vl_buf_size(&token), &good, &err),
                         VALET_RETRY);
        if (i != 1)
            assert_string_equal(err.message, cases[i].why);
        valet_validator_free(validator);
    }
}

/* @spec S-26 */
static void
does_not_follow_the_authority_to_another_host(void **state)
{
    (void)state;
    char document[300];
    (void)snprintf(document, sizeof document,
                   "{\"issuer\":\"%s/" TID "/v2.0\","
                   "\"jwks_uri\":\"http://localhost:1/keys\"}",
                   issuer.origin);
    issuer_write(&issuer, &issuer.document, document);
    valet_validator *validator = entra();
    valet_error err = {0};
    assert_int_equal(valet_validator_refresh(validator, &err), VALET_RETRY);
    assert_string_equal(err.message, "the OpenID configuration has its keys on "
                                     "another host than the authority");
    assert_int_equal(issuer.sets, 0);
    valet_validator_free(validator);
}

static void
gives_up_on_an_issuer_that_does_not_answer(void **state)
{
    (void)state;
    valet_validator_options options = options_of_entra();
    options.fetch_timeout_ms = 200;
    valet_validator *validator = validator_of(&options);
    issuer.delay_ms = 3000;
    int64_t begin = vl_mono_now();
    assert_string_equal(verdict(validator, rsa_key, "one"),
                        "retry keys_unavailable");
    assert_in_range(vl_mono_now() - begin, 150, 2500);
    valet_validator_free(validator);
}

/* --- without waiting --- */

static void
never_waits_when_told_not_to(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_string_equal(verdict_now(validator, rsa_key, "one"),
                        "retry keys_unavailable");
    assert_int_equal(issuer.documents, 0);
    assert_ok(valet_validator_refresh(validator, NULL));
    assert_string_equal(verdict_now(validator, rsa_key, "one"), "ok");
    assert_ok(valet_validator_refresh(validator, NULL));
    assert_int_equal(issuer.documents, 1);

    issuer_publish(&issuer, other_rsa_key, "two");
    assert_string_equal(verdict_now(validator, other_rsa_key, "two"),
                        "retry unknown_key");
    assert_int_equal(issuer.documents, 1);
    assert_ok(valet_validator_refresh(validator, NULL));
    assert_string_equal(verdict_now(validator, other_rsa_key, "two"), "ok");
    assert_string_equal(verdict_now(validator, rsa_key, "one"),
                        "denied unknown_key");
    assert_ok(valet_validator_refresh(validator, NULL));
    assert_int_equal(issuer.documents, 2);
    valet_validator_free(validator);
}

static void
goes_on_with_old_keys_when_told_not_to_wait(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    assert_ok(valet_validator_refresh(validator, NULL));
    test_steady_ms += 2 * (int64_t)DAY_MS;
    assert_string_equal(verdict_now(validator, rsa_key, "one"), "ok");
    assert_int_equal(issuer.documents, 1);
    valet_validator_free(validator);
}

/* --- threads --- */

struct job {
    valet_validator *validator;
    int good;
};

static void *
validate_often(void *arg)
{
    struct job *job = arg;
    for (int i = 0; i < 20; i++)
        job->good += strcmp(verdict(job->validator, rsa_key, "one"), "ok") == 0;
    return NULL;
}

static void
run_threads(valet_validator *validator, int wanted)
{
    pthread_t threads[8];
    struct job jobs[8];
    for (size_t i = 0; i < 8; i++) {
        jobs[i] = (struct job){validator, 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, validate_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].good, wanted);
    }
}

static void
lets_many_threads_wait_for_one_fetch(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    issuer.delay_ms = 200;
    run_threads(validator, 20);
    assert_int_equal(issuer.documents, 1);
    assert_int_equal(issuer.sets, 1);
    valet_validator_free(validator);
}

static void *
ask_for_strange_keys(void *arg)
{
    struct job *job = arg;
    for (int i = 0; i < 10; i++) {
        (void)verdict(job->validator, rsa_key, "strange");
        test_steady_ms += 6 * MINUTE_MS;
    }
    return NULL;
}

static void
swaps_keys_under_threads_that_use_them(void **state)
{
    (void)state;
    pthread_t thread;
    valet_validator *validator = entra();
    struct job job = {validator, 0};
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    assert_int_equal(pthread_create(&thread, NULL, ask_for_strange_keys, &job),
                     0);
    run_threads(validator, 20);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(issuer.sets, 11);
    valet_validator_free(validator);
}

/* --- other issuers, and what tokens say --- */

static const struct member oidc_user[] = {
    {"iss", "\"\""},
    {"aud", "\"" API "\""},
    {"exp", "1800003600"},
    {"sub", "\"person\""},
    {"client_id", "\"program\""},
    {"scope", "\"read write\""},
    {NULL, NULL},
};

static void
validates_tokens_of_any_issuer(void **state)
{
    (void)state;
    char name[128], iss[140];
    (void)snprintf(name, sizeof name, "%s/realms/house", issuer.origin);
    (void)snprintf(iss, sizeof iss, "\"%s\"", name);
    issuer_document(&issuer, name);
    base = oidc_user;
    issuer_is = (struct member){"iss", iss};
    valet_validator *validator = validator_of(
        &(valet_validator_options){.issuer = name, .audiences = audiences});
    assert_string_equal(verdict(validator, rsa_key, "one"), "ok");
    issuer_is.json = "\"https://another\"";
    assert_string_equal(verdict(validator, rsa_key, "one"), "denied issuer");
    valet_validator_free(validator);
}

struct other_case {
    struct member changes[3];
    const char *wanted;
};

/* RFC 9068 section 2.2, and what issuers write instead. */
static void
tells_persons_and_programs_of_any_issuer_apart(void **state)
{
    (void)state;
    static const char *const clients[] = {"program", NULL};
    static const char *const app_roles[] = {"sync", NULL};
    static const struct other_case cases[] = {
        {{{"scope", NULL}}, "scope"},
        {{{"scope", NULL}, {"scp", "[\"a\",\"b\"]"}}, ""},
        {{{"scope", NULL}, {"scp", "[\"a b\",\"c\"]"}}, "bad_claims"},
        {{{"client_id", NULL}}, "no_client"},
        {{{"client_id", "\"other\""}}, "client"},
        {{{"client_id", NULL}, {"azp", "\"program\""}}, ""},
        {{{"sub", "\"program\""}}, "role"},
        {{{"sub", "\"program@clients\""}, {"scope", "\"sync\""}}, ""},
        {{{"sub", "\"program\""}, {"roles", "[\"sync\"]"}}, ""},
        {{{"sub", NULL}}, "no_subject"},
        {{{"c_hash", "\"x\""}}, "id_token"},
    };
    valet_validator *validator = validator_of(&(valet_validator_options){
        .issuer = "https://issuer.example/",
        .jwks_uri = issuer.jwks_uri,
        .audiences = audiences,
        .clients = clients,
        .app_roles = app_roles,
    });
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct member changes[4] = {{"iss", "\"https://issuer.example/\""}};
        vl_auto(vl_buf) claims = vl_buf_of(20000), token = vl_buf_of(20000);
        valet_token good = {.inside = NULL};
        valet_error err = {0};
        memcpy(changes + 1, cases[i].changes, sizeof cases[i].changes);
        write_members(&claims, oidc_user, changes, VL_COUNT(changes));
        sign(rsa_key, false, VL_STR("{\"alg\":\"RS256\",\"kid\":\"one\"}"),
             vl_buf_str(&claims), &token);
        (void)!valet_validate(validator, vl_buf_str(&token).p,
                              vl_buf_size(&token), &good, &err);
        if (strcmp(err.code, cases[i].wanted) != 0)
            fail_msg("case %zu: %s", i, err.code);
        valet_token_done(&good);
    }
    valet_validator_free(validator);
}

/* The national clouds sign v1 tokens elsewhere than people sign in. */
static void
knows_the_v1_issuers_of_the_clouds(void **state)
{
    (void)state;
    static const char *const upper[] = {"AAAAAAAA-0000-4000-8000-00000000000A",
                                        NULL};
    static const char *const orders[] = {"api://orders", NULL};
    static const struct {
        const char *host, *iss, *wanted;
    } cases[] = {
        {NULL, "\"https://sts.windows.net/" TID "/\"", "ok"},
        {"https://login.microsoftonline.us",
         "\"https://sts.windows.net/" TID "/\"", "ok"},
        {"https://login.partner.microsoftonline.cn",
         "\"https://sts.chinacloudapi.cn/" TID "/\"", "ok"},
        {"https://login.partner.microsoftonline.cn",
         "\"https://sts.windows.net/" TID "/\"", "denied issuer"},
        {"https://tenant.example/", "\"https://tenant.example/" TID "/\"",
         "ok"},
    };
    base = v1_user;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        valet_validator *validator = validator_of(&(valet_validator_options){
            .tenants = upper,
            .authority_host = cases[i].host,
            .jwks_uri = issuer.jwks_uri,
            .audiences = orders,
        });
        issuer_is.json = cases[i].iss;
        assert_string_equal(verdict(validator, rsa_key, "one"),
                            cases[i].wanted);
        valet_validator_free(validator);
    }
}

static void
insists_on_the_type_when_told_to(void **state)
{
    (void)state;
    vl_auto(vl_buf) claims = vl_buf_of(20000), token = vl_buf_of(20000);
    struct member iss = {"iss", "\"https://issuer.example\""};
    valet_token good = {.inside = NULL};
    valet_validator *validator = validator_of(&(valet_validator_options){
        .issuer = "https://issuer.example",
        .jwks_uri = issuer.jwks_uri,
        .audiences = audiences,
        .only_at_jwt = true,
    });
    assert_string_equal(verdict(validator, rsa_key, "one"), "denied type");
    write_members(&claims, oidc_user, &iss, 1);
    sign(rsa_key, false,
         VL_STR("{\"typ\":\"at+jwt\",\"alg\":\"RS256\",\"kid\":\"one\"}"),
         vl_buf_str(&claims), &token);
    assert_ok(valet_validate(validator, vl_buf_str(&token).p,
                             vl_buf_size(&token), &good, NULL));
    valet_token_done(&good);
    valet_validator_free(validator);
}

static void
tells_what_a_token_says(void **state)
{
    (void)state;
    valet_validator *validator = entra();
    vl_auto(vl_buf) text = token_by(rsa_key, "one");
    valet_token token;
    const char *claim;
    assert_ok(valet_validate(validator, vl_buf_str(&text).p, vl_buf_size(&text),
                             &token, NULL));
    valet_validator_free(validator); /* the token does not need it */
    assert_int_equal(token.kind, VALET_TOKEN_USER);
    assert_int_equal(token.entra_version, 2);
    assert_string_equal(token.tenant_id, TID);
    assert_string_equal(token.object_id, OID);
    assert_string_equal(token.subject, "pairwise-1");
    assert_string_equal(token.client_id, APP);
    assert_string_equal(token.scopes, "Orders.Read Orders.Write");
    assert_string_equal(token.roles[0], "Reader");
    assert_string_equal(token.roles[1], "Writer");
    assert_null(token.roles[2]);
    assert_int_equal(token.expires_at, 1800003600);
    assert_int_equal(token.issued_at, 1799999700);
    assert_string_equal(token.key_id, "one");
    assert_true(valet_token_has_scope(&token, "Orders.Write"));
    assert_false(valet_token_has_scope(&token, "Orders"));
    assert_true(valet_token_has_role(&token, "Writer"));
    assert_false(valet_token_has_role(&token, "writer"));
    assert_int_equal(valet_token_claim(&token, "name", &claim),
                     VALET_CLAIM_STRING);
    assert_string_equal(claim, "\xE0\xA6\x86\xE0\xA6\xAE\xE0\xA6\xBF");
    assert_int_equal(valet_token_claim(&token, "exp", &claim),
                     VALET_CLAIM_NUMBER);
    assert_string_equal(claim, "1800003600");
    assert_int_equal(valet_token_claim(&token, "roles", &claim),
                     VALET_CLAIM_ARRAY);
    assert_string_equal(claim, "[\"Reader\",\"Writer\"]");
    assert_int_equal(valet_token_claim(&token, "none", &claim),
                     VALET_CLAIM_ABSENT);
    assert_null(claim);
    valet_token_done(&token);
    valet_token_done(&token);
}

/* --- options --- */

static void
refuses_options_that_accept_too_much(void **state)
{
    (void)state;
    static const char *const empty[] = {NULL};
    static const char *const domain[] = {"contoso.example", NULL};
    static const char *const common[] = {"common", NULL};
    static const char *const blank[] = {"", NULL};
    const valet_validator_options bad[] = {
        {.audiences = audiences},
        {.tenants = one_tenant, .issuer = "https://i", .audiences = audiences},
        {.tenants = one_tenant},
        {.tenants = one_tenant, .audiences = empty},
        {.tenants = one_tenant, .audiences = blank},
        {.tenants = empty, .audiences = audiences},
        {.tenants = domain, .audiences = audiences},
        {.tenants = common, .audiences = audiences},
        {.tenants = one_tenant, .audiences = audiences, .scopes = empty},
        {.tenants = one_tenant, .audiences = audiences, .app_roles = empty},
        {.tenants = one_tenant, .audiences = audiences, .no_users = true},
        {.tenants = one_tenant, .audiences = audiences, .algorithms = 8},
        {.tenants = one_tenant, .audiences = audiences, .entra_versions = 4},
        {.tenants = one_tenant, .audiences = audiences, .clock_skew_s = 601},
        {.tenants = one_tenant, .audiences = audiences, .clock_skew_s = -2},
        {.tenants = one_tenant, .audiences = audiences, .refetch_pause_s = 4},
        {.tenants = one_tenant, .audiences = audiences, .refresh_s = 59},
        {.tenants = one_tenant, .audiences = audiences, .stale_s = 86399},
        {.tenants = one_tenant,
         .audiences = audiences,
         .later[7] = (void *)"x"},
        {.tenants = one_tenant, .audiences = audiences, .only_at_jwt = true},
        {.tenants = one_tenant,
         .audiences = audiences,
         .authority_host = "http://login.microsoftonline.com"},
        {.tenants = one_tenant,
         .audiences = audiences,
         .authority_host = "https://login.microsoftonline.com/common"},
        {.tenants = one_tenant,
         .audiences = audiences,
         .jwks_uri = "http://keys.example/"},
        {.tenants = one_tenant, .audiences = audiences, .ca_file = "/none"},
        {.issuer = "http://issuer.example", .audiences = audiences},
        {.issuer = "issuer.example", .audiences = audiences},
        {.issuer = "https://i", .audiences = audiences, .entra_versions = 1},
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        valet_validator *validator = NULL;
        valet_error err = {0};
        if (valet_validator_new(&bad[i], &validator, &err) == VALET_OK)
            fail_msg("options %zu were taken", i);
        assert_null(validator);
        assert_int_not_equal(err.message[0], '\0');
    }
}

static void
gives_each_reason_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 1; i < VALET_REASON_COUNT; i++) {
        valet_error err = {0};
        (void)snprintf(err.code, sizeof err.code, "%s",
                       valet_reason_name((valet_reason)i));
        assert_int_equal(valet_reason_of(&err), i);
    }
    assert_string_equal(valet_reason_name(VALET_REASON_COUNT), "none");
    assert_int_equal(valet_reason_of(NULL), VALET_REASON_NONE);
}

#define WITH_ISSUER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, open_issuer, close_issuer)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ISSUER(asks_the_issuer_once_for_many_tokens),
        WITH_ISSUER(asks_for_no_keys_because_of_what_can_never_be_good),
        WITH_ISSUER(finds_a_new_key_at_once_and_drops_the_old_one),
        WITH_ISSUER(asks_for_unknown_keys_once_in_five_minutes),
        WITH_ISSUER(refreshes_the_keys_once_a_day),
        WITH_ISSUER(uses_old_keys_while_the_issuer_is_down_for_three_days),
        WITH_ISSUER(asks_ever_more_rarely_while_the_issuer_fails),
        WITH_ISSUER(says_what_is_wrong_with_the_issuer),
        WITH_ISSUER(does_not_follow_the_authority_to_another_host),
        WITH_ISSUER(gives_up_on_an_issuer_that_does_not_answer),
        WITH_ISSUER(never_waits_when_told_not_to),
        WITH_ISSUER(goes_on_with_old_keys_when_told_not_to_wait),
        WITH_ISSUER(lets_many_threads_wait_for_one_fetch),
        WITH_ISSUER(swaps_keys_under_threads_that_use_them),
        WITH_ISSUER(validates_tokens_of_any_issuer),
        WITH_ISSUER(tells_persons_and_programs_of_any_issuer_apart),
        WITH_ISSUER(knows_the_v1_issuers_of_the_clouds),
        WITH_ISSUER(insists_on_the_type_when_told_to),
        WITH_ISSUER(tells_what_a_token_says),
        cmocka_unit_test(refuses_options_that_accept_too_much),
        cmocka_unit_test(gives_each_reason_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
