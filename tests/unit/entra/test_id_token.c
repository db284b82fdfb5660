/* SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of an id token broken one by one (@spec S-51). A claim is written
 * as JSON here, so that types can be wrong; NULL leaves it out.
 */
#include "entra/id_token.h"

#include "core/buf.h"
#include "core/limits.h"
#include "vl_test.h"

#define TID    "aaaaaaaa-0000-4000-8000-000000000001"
#define OID    "bbbbbbbb-0000-4000-8000-000000000002"
#define OTHER  "cccccccc-0000-4000-8000-000000000003"
#define ISSUER "https://login.example/" TID "/v2.0"

enum { NOW_S = 1800000000 };

struct claims {
    const char *iss, *aud, *tid, *nonce, *exp, *nbf, *oid, *name, *username;
};

static const struct claims good = {
    .iss = "\"" ISSUER "\"",
    .aud = "\"our-client\"",
    .tid = "\"" TID "\"",
    .nonce = "\"our-nonce\"",
    .exp = "1800003600",
    .nbf = "1800000000",
    .oid = "\"" OID "\"",
    .name = "\"\\u09a8\\u09be\\u09ae\"",
    .username = "\"user@contoso.example\"",
};

static const struct vl_id_token_rules rules = {
    .issuer = {ISSUER, sizeof ISSUER - 1},
    .client_id = {"our-client", 10},
    .tid = {TID, sizeof TID - 1},
    .nonce = {"our-nonce", 9},
    .now_ms = (int64_t)NOW_S * 1000,
};

static void
parse(const struct claims *c, struct vl_json *ret)
{
    const struct {
        const char *name, *json;
    } members[] = {
        {"iss", c->iss},
        {"aud", c->aud},
        {"tid", c->tid},
        {"nonce", c->nonce},
        {"exp", c->exp},
        {"nbf", c->nbf},
        {"oid", c->oid},
        {"name", c->name},
        {"preferred_username", c->username},
    };
    vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_JWT);
    vl_buf_addc(&json, '{');
    for (size_t i = 0; i < VL_COUNT(members); i++)
        if (members[i].json)
            vl_buf_addf(&json, "\"%s\":%s,", members[i].name, members[i].json);
    vl_buf_addz(&json, "\"ver\":\"2.0\"}");
    assert_ok(vl_json_parse(vl_buf_str(&json), VL_LIMIT_JSON_DEPTH, ret, NULL));
}

static void
admits_with(const struct claims *claims, const struct vl_id_token_rules *with)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_idp_person person = {.name = VL_STR("before")};
    parse(claims, &doc);
    assert_ok(vl_id_token_check(doc.root, with, &person, NULL));
    assert_string_equal(person.user.tid, TID);
    assert_string_equal(person.user.oid, OID);
}

static void
admits(const struct claims *claims)
{
    admits_with(claims, &rules);
}

static void
refuses_with(const struct claims *claims, const struct vl_id_token_rules *with,
             const char *sentence)
{
    vl_auto(vl_json) doc = {NULL};
    valet_error err = {.status = VALET_OK};
    struct vl_idp_person person = {.name = VL_STR("before")};
    parse(claims, &doc);
    assert_int_equal(vl_id_token_check(doc.root, with, &person, &err),
                     VALET_DENIED);
    assert_string_equal(err.code, "invalid_id_token");
    assert_non_null(strstr(err.message, sentence));
    assert_str(person.name, "before"); /* written on success only */
    assert_string_equal(person.user.oid, "");
}

static void
refuses(const struct claims *claims, const char *sentence)
{
    refuses_with(claims, &rules, sentence);
}

static void
tells_who_signed_in(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    struct vl_idp_person person = {.name = {NULL, 0}};
    parse(&good, &doc);
    assert_ok(vl_id_token_check(doc.root, &rules, &person, NULL));
    assert_string_equal(person.user.tid, TID);
    assert_string_equal(person.user.oid, OID);
    assert_str(person.name, "\xe0\xa6\xa8\xe0\xa6\xbe\xe0\xa6\xae");
    assert_str(person.username, "user@contoso.example");
}

/* Names are for people, and not everybody has one. */
static void
admits_a_person_without_names(void **state)
{
    (void)state;
    struct claims claims = good;
    claims.name = claims.username = NULL;
    admits(&claims);
    claims.name = claims.username = "7";
    admits(&claims);
}

/* Runs over the claims that are texts and must be one exact text. */
static void
refuses_each_wrong_text(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        NULL, "\"\"", "7", "null", "true", "{}", "[]", "\"x\"",
    };
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        struct claims claims = good;
        claims.iss = wrong[i];
        refuses(&claims, "another issuer");
        claims = good;
        claims.aud = wrong[i];
        refuses(&claims, "another application");
        claims = good;
        claims.tid = wrong[i];
        refuses(&claims, "another tenant");
        claims = good;
        claims.nonce = wrong[i];
        refuses(&claims, "another sign-in");
        claims = good;
        claims.oid = wrong[i];
        refuses(&claims, "names no user");
    }
}

static void
compares_texts_exactly(void **state)
{
    (void)state;
    struct claims claims = good;
    claims.iss = "\"https://login.example/" TID "/v2.0/\"";
    refuses(&claims, "another issuer");
    claims.iss = "\"https://LOGIN.example/" TID "/v2.0\"";
    refuses(&claims, "another issuer");
    claims.iss = "\"https://login.example/" OTHER "/v2.0\"";
    refuses(&claims, "another issuer");
    claims = good;
    claims.nonce = "\"our-nonc\"";
    refuses(&claims, "another sign-in");
    claims.nonce = "\"OUR-NONCE\"";
    refuses(&claims, "another sign-in");
    claims = good;
    claims.tid = "\"" OTHER "\"";
    refuses(&claims, "another tenant");
}

/* Entra's id tokens have one audience. A list that also holds us would be for
 * somebody else as well. */
static void
refuses_a_list_of_audiences(void **state)
{
    (void)state;
    struct claims claims = good;
    claims.aud = "[\"our-client\"]";
    refuses(&claims, "another application");
    claims.aud = "[\"our-client\",\"another\"]";
    refuses(&claims, "another application");
}

static void
refuses_an_oid_that_is_no_guid(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\"bbbbbbbb-0000-4000-8000-00000000000\"",
        "\"bbbbbbbb-0000-4000-8000-0000000000022\"",
        "\"../../../../../../../../../etc/passwd\"",
        "\"bbbbbbbb-0000-4000-8000-00000000000'\"",
        "\"bbbbbbbb 0000 4000 8000 000000000002\"",
    };
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        struct claims claims = good;
        claims.oid = wrong[i];
        refuses(&claims, "names no user");
    }
}

static void
keeps_to_the_lifetime(void **state)
{
    (void)state;
    static const struct {
        const char *exp, *nbf;
        const char *sentence; /* NULL: good */
    } cases[] = {
        {"1800003600", NULL, NULL},
        {"1799999701", "1800000300", NULL}, /* five minutes' skew */
        {"1799999700", NULL, "has expired"},
        {"1800003600", "1800000301", "not valid yet"},
        {"9223372036854775807", "-9223372036854775808", NULL},
        {"-9223372036854775808", NULL, "has expired"},
        {"0", NULL, "has expired"},
        {"-1", NULL, "has expired"},
        {"1800003600", "9223372036854775807", "not valid yet"},
        {NULL, NULL, "does not tell"},
        {"\"1800003600\"", NULL, "does not tell"},
        {"1800003600.5", NULL, "does not tell"},
        {"null", NULL, "does not tell"},
        {"true", NULL, "does not tell"},
        {"[1800003600]", NULL, "does not tell"},
        /* Present but not to be understood is not absent. */
        {"1800003600", "\"1900000000\"", "not valid yet"},
        {"1800003600", "1900000000.5", "not valid yet"},
        {"1800003600", "null", "not valid yet"},
        {"1800003600", "{}", "not valid yet"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct claims claims = good;
        claims.exp = cases[i].exp;
        claims.nbf = cases[i].nbf;
        if (cases[i].sentence)
            refuses(&claims, cases[i].sentence);
        else
            admits(&claims);
    }
}

/* A rule that was not set is broken by everybody. */
static void
refuses_everybody_without_rules(void **state)
{
    (void)state;
    struct vl_id_token_rules less = rules;
    less.issuer = (struct vl_str){NULL, 0};
    refuses_with(&good, &less, "another issuer");
    less = rules;
    less.client_id = VL_STR("");
    refuses_with(&good, &less, "another application");
    struct claims empty = good;
    empty.aud = "\"\"";
    refuses_with(&empty, &less, "another application");
    less = rules;
    less.nonce = (struct vl_str){NULL, 0};
    refuses_with(&good, &less, "another sign-in");
    empty = good;
    empty.nonce = NULL;
    refuses_with(&empty, &less, "another sign-in");
    /* A tenant that would not fit is no tenant. */
    less = rules;
    less.tid = VL_STR("aaaaaaaa-0000-4000-8000-000000000001-and-more");
    empty = good;
    empty.tid = "\"aaaaaaaa-0000-4000-8000-000000000001-and-more\"";
    refuses_with(&empty, &less, "another tenant");
}

/* Only where the flow can send none; the rest of the rules stay. */
static void
needs_no_nonce_where_none_was_sent(void **state)
{
    (void)state;
    struct vl_id_token_rules less = rules;
    struct claims claims = good;
    less.nonce = (struct vl_str){NULL, 0};
    less.no_nonce = true;
    claims.nonce = NULL;
    admits_with(&claims, &less);
    claims.aud = "\"somebody-else\"";
    refuses_with(&claims, &less, "another application");
}

/* @spec S-15: a key set may hold keys of other tenants. */
static void
accepts_keys_of_its_own_issuer_only(void **state)
{
    (void)state;
    static const struct {
        const char *issuer;
        bool good;
    } cases[] = {
        {"", true},
        {ISSUER, true},
        {"https://login.example/{tenantid}/v2.0", true},
        {"https://login.example/" OTHER "/v2.0", false},
        {"https://other.example/{tenantid}/v2.0", false},
        {"https://login.example/{tenantid}", false},
        {"https://login.example/{tenantid}/v2.0/", false},
        {"https://login.example/{tenant}/v2.0", false},
        {"https://login.example/{tenantid", false},
        {"{tenantid}", false},
        {"{", false},
        {"https://login.example/{tenantid}{tenantid}/v2.0", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_id_token_rules with = rules;
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i].issuer));
        with.key_issuer = text;
        if (cases[i].good)
            admits_with(&good, &with);
        else
            refuses_with(&good, &with, "another issuer's key");
        vl_test_unguard(text);
    }
}

/* @spec S-22 */
static void
of_many_tenants_the_token_names_its_own(void **state)
{
    (void)state;
    static const char *const list[] = {
        OTHER, "AAAAAAAA-0000-4000-8000-000000000001", NULL};
    static const char *const without[] = {OTHER, NULL};
    struct vl_id_token_rules many = rules;
    struct claims claims = good;
    many.issuer = VL_STR("https://login.example/{tenantid}/v2.0");
    many.tid = VL_STR("");
    many.tenants = list;
    many.key_issuer = many.issuer;
    admits_with(&good, &many);
    many.key_issuer = VL_STR(ISSUER);
    admits_with(&good, &many);
    many.key_issuer = VL_STR("https://login.example/" OTHER "/v2.0");
    refuses_with(&good, &many, "another issuer's key");
    many.key_issuer = VL_STR("");
    claims.tid = "\"" OTHER "\"";
    refuses_with(&claims, &many, "from another issuer");
    claims = good;
    claims.tid = NULL;
    refuses_with(&claims, &many, "from another issuer");
    claims.iss = "\"https://login.example//v2.0\"";
    refuses_with(&claims, &many, "another tenant");
    claims.iss = "\"https://login.example/x/v2.0\"";
    claims.tid = "\"x\"";
    refuses_with(&claims, &many, "another tenant");
    claims.iss = "\"https://login.example/{tenantid}/v2.0\"";
    claims.tid = "\"{tenantid}\"";
    refuses_with(&claims, &many, "another tenant");
    many.tenants = without;
    refuses_with(&good, &many, "another tenant");
    many.tenants = NULL; /* nobody was named */
    refuses_with(&good, &many, "another tenant");
}

/* @spec S-22 */
static void
of_one_tenant_it_has_to_be_on_the_list_too(void **state)
{
    (void)state;
    static const char *const without[] = {OTHER, NULL};
    static const char *const with[] = {OTHER, TID, NULL};
    struct vl_id_token_rules one = rules;
    one.tenants = with;
    admits_with(&good, &one);
    one.tenants = without;
    refuses_with(&good, &one, "another tenant");
}

/* As an external tenant may publish it. */
static void
a_template_may_name_the_tenant_twice(void **state)
{
    (void)state;
    struct vl_id_token_rules external = rules;
    struct claims claims = good;
    external.issuer = VL_STR("https://" TID ".ciamlogin.com/" TID "/v2.0");
    external.key_issuer =
        VL_STR("https://{tenantid}.ciamlogin.com/{tenantid}/v2.0");
    claims.iss = "\"https://" TID ".ciamlogin.com/" TID "/v2.0\"";
    admits_with(&claims, &external);
    external.key_issuer =
        VL_STR("https://{tenantid}.ciamlogin.com/{tenantid}/v2.0/");
    refuses_with(&claims, &external, "another issuer's key");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_who_signed_in),
        cmocka_unit_test(admits_a_person_without_names),
        cmocka_unit_test(refuses_each_wrong_text),
        cmocka_unit_test(compares_texts_exactly),
        cmocka_unit_test(refuses_a_list_of_audiences),
        cmocka_unit_test(refuses_an_oid_that_is_no_guid),
        cmocka_unit_test(keeps_to_the_lifetime),
        cmocka_unit_test(refuses_everybody_without_rules),
        cmocka_unit_test(needs_no_nonce_where_none_was_sent),
        cmocka_unit_test(accepts_keys_of_its_own_issuer_only),
        cmocka_unit_test(of_many_tenants_the_token_names_its_own),
        cmocka_unit_test(of_one_tenant_it_has_to_be_on_the_list_too),
        cmocka_unit_test(a_template_may_name_the_tenant_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
