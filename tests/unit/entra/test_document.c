/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limits.h"
#include "entra/authority.h"
#include "vl_test.h"

#define TID      "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER    "bbbbbbbb-0000-4000-8000-000000000002"
#define PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"
#define HOST     "https://login.example"
#define EVIL     "https://evil.example"

/* The members of a document; NULL leaves one out. */
struct parts {
    const char *issuer, *authorize, *token, *keys, *device;
};

static const struct vl_instance instance = {.host = HOST, .tenant = TID};
static const struct parts good = {
    HOST "/" TID "/v2.0",
    HOST "/" TID "/oauth2/v2.0/authorize",
    HOST "/" TID "/oauth2/v2.0/token",
    HOST "/" TID "/discovery/v2.0/keys",
    HOST "/" TID "/oauth2/v2.0/devicecode",
};

static void
add(struct vl_buf *out, const char *name, const char *value)
{
    if (value)
        vl_buf_addf(out, "\"%s\":\"%s\",", name, value);
}

static valet_status
read_for(const struct parts *parts, const struct vl_instance *of,
         struct vl_arena *arena, struct vl_authority_facts *ret,
         valet_error *err)
{
    vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addc(&json, '{');
    add(&json, "issuer", parts->issuer);
    add(&json, "authorization_endpoint", parts->authorize);
    add(&json, "token_endpoint", parts->token);
    add(&json, "jwks_uri", parts->keys);
    add(&json, "device_authorization_endpoint", parts->device);
    vl_buf_addz(&json, "\"http_logout_supported\":true,\"x\":[{}]}");
    assert_ok(vl_buf_check(&json, NULL));
    struct vl_str text = vl_test_guarded(vl_buf_str(&json));
    valet_status status = vl_authority_read(text, of, arena, ret, err);
    vl_test_unguard(text);
    return status;
}

static valet_status
read_from(const struct parts *parts, const char *host, const char *tenant,
          struct vl_arena *arena, struct vl_authority_facts *ret,
          valet_error *err)
{
    const struct vl_instance own = {.host = host, .tenant = tenant};
    return read_for(parts, &own, arena, ret, err);
}

static void
reads_a_document(void **state)
{
    (void)state;
    static const char *const tenants[] = {
        TID, "AAAAAAAA-0000-4000-8000-000000000001", "contoso.example"};
    for (size_t i = 0; i < VL_COUNT(tenants); i++) {
        vl_auto(vl_arena) arena = vl_arena_of(16384);
        struct vl_authority_facts facts = {.keys = NULL};
        assert_ok(read_from(&good, HOST, tenants[i], &arena, &facts, NULL));
        assert_str(facts.issuer, good.issuer);
        assert_string_equal(facts.tid, TID);
        assert_str(facts.authorization_endpoint, good.authorize);
        assert_str(facts.token_endpoint, good.token);
        assert_str(facts.jwks_uri, good.keys);
        assert_str(facts.device_authorization_endpoint, good.device);
        /* They go to libcurl as C text. */
        assert_int_equal(facts.jwks_uri.p[facts.jwks_uri.n], '\0');
    }
}

static void
accepts_the_same_origin_written_otherwise(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    struct parts parts = good;
    parts.token = "HTTPS://Login.EXAMPLE:443/t";
    assert_ok(read_from(&parts, HOST, TID, &arena, &facts, NULL));
}

static void
refuses(const struct parts *parts, const char *tenant, const char *sentence)
{
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.issuer = VL_STR("before")};
    valet_error err = {.status = VALET_OK};
    assert_int_equal(read_from(parts, HOST, tenant, &arena, &facts, &err),
                     VALET_DENIED);
    assert_non_null(strstr(err.message, sentence));
    assert_str(facts.issuer, "before"); /* written on success only */
}

/* @spec S-26 */
static void
refuses_a_foreign_issuer(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *sentence;
    } cases[] = {
        {EVIL "/" TID "/v2.0", "issuer is on another host"},
        {"http://login.example/" TID "/v2.0", "another host"},
        {HOST ":444/" TID "/v2.0", "another host"},
        {HOST ".evil.example/" TID "/v2.0", "another host"},
        {"https://login.example@evil.example/" TID "/v2.0", "no usable"},
        {HOST "/" OTHER "/v2.0", "another tenant"},
        {HOST "/" TID, "not a tenant"},
        {HOST "/" TID "/", "not a tenant"},
        {HOST "/" TID "/v2.0/", "not a tenant"},
        {HOST "/" TID "/v1.0", "not a tenant"},
        {HOST "//" TID "/v2.0", "not a tenant"},
        {HOST "/x/" TID "/v2.0", "not a tenant"},
        {HOST "/contoso.example/v2.0", "not a tenant"},
        {HOST "/aaaaaaaa-0000-4000-8000-00000000000g/v2.0", "not a tenant"},
        {HOST "/" TID "/v2.0?x", "not a tenant"},
        {HOST, "not a tenant"},
        /* What "common" and "organizations" publish (@spec S-22). */
        {HOST "/{tenantid}/v2.0", "no usable issuer"},
        {"", "no usable issuer"},
        {NULL, "no usable issuer"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct parts parts = good;
        parts.issuer = cases[i].issuer;
        refuses(&parts, TID, cases[i].sentence);
    }
}

/* A configured domain does not say which tenant it is: any well-formed one. */
static void
takes_the_tenant_of_a_domain_from_the_issuer(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    struct parts parts = good;
    parts.issuer = HOST "/" OTHER "/v2.0";
    assert_ok(read_from(&parts, HOST, "contoso.example", &arena, &facts, NULL));
    assert_string_equal(facts.tid, OTHER);
    parts.issuer = EVIL "/" OTHER "/v2.0";
    refuses(&parts, "contoso.example", "another host");
}

/* @spec S-22: as "consumers" and its id are not taken, either. */
static void
takes_no_domain_for_everybodys_personal_account(void **state)
{
    (void)state;
    static const char *const listed[] = {PERSONAL, NULL};
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    struct vl_instance with = {
        .host = HOST, .tenant = "outlook.example", .tenants = listed};
    struct parts parts = good;
    parts.issuer = HOST "/" PERSONAL "/v2.0";
    refuses(&parts, "outlook.example", "personal account");
    assert_ok(read_for(&parts, &with, &arena, &facts, NULL));
    assert_string_equal(facts.tid, PERSONAL);
}

/* --- Microsoft's clouds, external tenants, many tenants --- */

#define MS "https://login.microsoftonline.com"

/* A document with everything at `host` and this issuer; its sentence, "" when
 * it is believed. */
static void
judges(const char *issuer, const char *endpoints, const struct vl_instance *of,
       const char *sentence)
{
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    vl_auto(vl_buf) url = vl_buf_of(256);
    struct vl_authority_facts facts = {.keys = NULL};
    valet_error err = {.message = ""};
    vl_buf_addf(&url, "%s/x/oauth2", endpoints);
    const char *u = vl_buf_cstr(&url);
    struct parts parts = {issuer, u, u, u, u};
    valet_status status = read_for(&parts, of, &arena, &facts, &err);
    if (!strstr(err.message, sentence) || (!*sentence && err.message[0]))
        fail_msg("%s: %s", issuer, err.message);
    assert_int_equal(status, *sentence ? VALET_DENIED : VALET_OK);
    if (status == VALET_OK)
        assert_str(facts.issuer, issuer);
}

/* @spec S-26 */
static void
the_names_of_one_cloud_are_one_authority(void **state)
{
    (void)state;
    const struct vl_instance ms = {.host = MS, .tenant = TID};
    const struct vl_instance port = {.host = MS ":444", .tenant = TID};
    const struct vl_instance us = {.host = "https://login.microsoftonline.us",
                                   .tenant = TID};
    const struct vl_instance old = {.host = "https://login.windows.net",
                                    .tenant = TID};
    judges(MS "/" TID "/v2.0", MS, &ms, "");
    judges(MS "/" TID "/v2.0", "https://login.windows.net", &old, "");
    judges("https://sts.windows.net/" TID "/v2.0", MS, &ms, "");
    judges(MS "/" TID "/v2.0", "https://westeurope.login.microsoft.com", &ms,
           "");
    judges("https://westeurope.login.microsoft.com/" TID "/v2.0", MS, &ms, "");
    judges("https://a.b.login.microsoft.com/" TID "/v2.0", MS, &ms,
           "another host");
    judges("http://sts.windows.net/" TID "/v2.0", MS, &ms, "another host");
    judges("https://sts.windows.net:444/" TID "/v2.0", MS, &ms, "another host");
    judges("https://sts.windows.net.example/" TID "/v2.0", MS, &ms,
           "another host");
    judges("https://sts.windows.net/" OTHER "/v2.0", MS, &ms, "another tenant");
    judges(MS "/" TID "/v2.0", MS, &us, "another host");
    judges(MS "/" TID "/v2.0", "https://login.microsoftonline.us", &ms,
           "another host");
    judges(MS "/" TID "/v2.0", MS ":444", &port, "another host");
}

/* @spec S-26 */
static void
an_external_tenants_issuer_has_its_id_for_a_name(void **state)
{
    (void)state;
#define CIAM "https://contoso.ciamlogin.com"
    const struct vl_instance ciam = {.host = CIAM,
                                     .tenant = "contoso.onmicrosoft.com"};
    const struct vl_instance by_id = {.host = CIAM, .tenant = TID};
    const struct vl_instance ms = {.host = MS, .tenant = TID};
    judges("https://" TID ".ciamlogin.com/" TID "/v2.0", CIAM, &ciam, "");
    judges("https://" TID ".ciamlogin.com/" TID "/v2.0", CIAM, &by_id, "");
    judges(CIAM "/" TID "/v2.0", CIAM, &ciam, "");
    judges("https://" OTHER ".ciamlogin.com/" OTHER "/v2.0", CIAM, &by_id,
           "another tenant");
    judges("https://" OTHER ".ciamlogin.com/" TID "/v2.0", CIAM, &ciam,
           "not a tenant");
    judges("https://fabrikam.ciamlogin.com/" TID "/v2.0", CIAM, &ciam,
           "another host");
    judges("http://" TID ".ciamlogin.com/" TID "/v2.0", CIAM, &ciam,
           "another host");
    judges("https://" TID ".ciamlogin.com:444/" TID "/v2.0", CIAM, &ciam,
           "another host");
    judges("https://" TID ".ciamlogin.com/" TID, CIAM, &ciam, "not a tenant");
    judges("https://" TID ".ciamlogin.com/" TID "/v2.0", MS, &ms,
           "another host");
    /* Secrets are sent where we were told. */
    judges("https://" TID ".ciamlogin.com/" TID "/v2.0",
           "https://" TID ".ciamlogin.com", &ciam, "another host");
}

/* @spec S-22 */
static void
many_tenants_have_a_template_for_an_issuer(void **state)
{
    (void)state;
    static const char *const list[] = {TID, NULL};
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    const struct vl_instance all = {
        .host = MS, .tenant = "organizations", .tenants = list};
    const struct vl_instance ours = {
        .host = HOST, .tenant = "common", .tenants = list};
    struct parts parts = good;
    parts.issuer = HOST "/{tenantid}/v2.0";
    assert_ok(read_for(&parts, &ours, &arena, &facts, NULL));
    assert_str(facts.issuer, HOST "/{tenantid}/v2.0");
    assert_string_equal(facts.tid, "");
    assert_ptr_equal(facts.tenants, list);
    judges(MS "/{tenantid}/v2.0", MS, &all, "");
    judges("https://sts.windows.net/{tenantid}/v2.0", MS, &all, "");
    judges(EVIL "/{tenantid}/v2.0", MS, &all, "another host");
    judges(MS "/" TID "/v2.0", MS, &all, "not the one of many");
    judges(MS "/{tenantid}/v2.0/", MS, &all, "not the one of many");
    judges(MS "/{tenantid}", MS, &all, "not the one of many");
    judges(MS "/{tenant}/v2.0", MS, &all, "not the one of many");
    judges(MS "/x/{tenantid}/v2.0", MS, &all, "not the one of many");
    judges(MS "/?{tenantid}/v2.0", MS, &all, "not the one of many");
    judges(MS "{tenantid}/v2.0", MS, &all, "not the one of many");
    judges("{tenantid}/v2.0", MS, &all, "no usable issuer");
}

/* @spec S-22: a domain does not say whose it is, but a list does. */
static void
a_tenant_has_to_be_on_the_list(void **state)
{
    (void)state;
    static const char *const list[] = {TID, NULL};
    const struct vl_instance of = {
        .host = MS, .tenant = "contoso.example", .tenants = list};
    judges(MS "/" TID "/v2.0", MS, &of, "");
    judges(MS "/" OTHER "/v2.0", MS, &of, "another tenant");
}

/* @spec S-26: secrets are sent to the endpoints, keys are trusted. */
static void
refuses_endpoints_elsewhere(void **state)
{
    (void)state;
    static const char *const bad[] = {
        EVIL "/t",
        "http://login.example/t",
        HOST ":8443/t",
        "//login.example/t",
        "/t",
        "",
        NULL,
        "https://login.example\\\\@evil.example/t",
        "https://user@login.example/t",
        "https://login.example/t#x",
        "javascript:alert(1)",
        "file:///etc/passwd",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct parts parts = good;
        parts.authorize = bad[i];
        refuses(&parts, TID, "authorization_endpoint");
        parts = good;
        parts.token = bad[i];
        refuses(&parts, TID, "token_endpoint");
        parts = good;
        parts.keys = bad[i];
        refuses(&parts, TID, "jwks_uri");
        parts = good;
        parts.device = bad[i];
        if (bad[i]) /* it may be missing */
            refuses(&parts, TID, "device_authorization_endpoint");
    }
}

static void
needs_no_device_authorization_endpoint(void **state)
{
    (void)state;
    vl_auto(vl_arena) arena = vl_arena_of(16384);
    struct vl_authority_facts facts = {.keys = NULL};
    struct parts parts = good;
    parts.device = NULL;
    assert_ok(read_from(&parts, HOST, TID, &arena, &facts, NULL));
    assert_int_equal(facts.device_authorization_endpoint.n, 0);
}

static void
refuses_what_is_no_document(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        valet_status status;
    } cases[] = {
        {"", VALET_INVALID},
        {"<!DOCTYPE html><html></html>", VALET_INVALID},
        {"{\"issuer\":", VALET_INVALID},
        {"{\"issuer\":\"a\",\"issuer\":\"b\"}", VALET_INVALID},
        {"{}", VALET_DENIED},
        {"[]", VALET_DENIED},
        {"null", VALET_DENIED},
        {"\"" HOST "\"", VALET_DENIED},
        {"{\"issuer\":7}", VALET_DENIED},
        {"{\"issuer\":[\"" HOST "/" TID "/v2.0\"]}", VALET_DENIED},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_arena) arena = vl_arena_of(16384);
        struct vl_authority_facts facts;
        valet_error err = {.status = VALET_OK};
        assert_int_equal(vl_authority_read(vl_str_z(cases[i].text), &instance,
                                           &arena, &facts, &err),
                         cases[i].status);
        assert_int_equal(err.status, cases[i].status);
    }
}

static void
refuses_deep_and_long_documents(void **state)
{
    (void)state;
    vl_auto(vl_buf) json = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_arena) arena = vl_arena_of(64);
    struct vl_authority_facts facts;
    vl_buf_addz(&json, "{\"x\":");
    for (int i = 0; i < VL_LIMIT_JSON_DEPTH; i++)
        vl_buf_addc(&json, '[');
    assert_int_equal(
        vl_authority_read(vl_buf_str(&json), &instance, &arena, &facts, NULL),
        VALET_INVALID);
    assert_int_equal(read_from(&good, HOST, TID, &arena, &facts, NULL),
                     VALET_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_document),
        cmocka_unit_test(accepts_the_same_origin_written_otherwise),
        cmocka_unit_test(refuses_a_foreign_issuer),
        cmocka_unit_test(takes_the_tenant_of_a_domain_from_the_issuer),
        cmocka_unit_test(takes_no_domain_for_everybodys_personal_account),
        cmocka_unit_test(the_names_of_one_cloud_are_one_authority),
        cmocka_unit_test(an_external_tenants_issuer_has_its_id_for_a_name),
        cmocka_unit_test(many_tenants_have_a_template_for_an_issuer),
        cmocka_unit_test(a_tenant_has_to_be_on_the_list),
        cmocka_unit_test(refuses_endpoints_elsewhere),
        cmocka_unit_test(needs_no_device_authorization_endpoint),
        cmocka_unit_test(refuses_what_is_no_document),
        cmocka_unit_test(refuses_deep_and_long_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
