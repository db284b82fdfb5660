/* SPDX-License-Identifier: Apache-2.0
 *
 * Which authorities a client may be made for (@spec S-22 S-26).
 */
#include "entra/instance.h"

#include "core/limits.h"
#include "vl_test.h"

#define TID      "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER    "bbbbbbbb-0000-4000-8000-000000000002"
#define PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"
#define PUBLIC   "https://login.microsoftonline.com"

static const char *const one[] = {TID, NULL};
static const char *const two[] = {OTHER, "AAAAAAAA-0000-4000-8000-000000000001",
                                  NULL};
static const char *const personal[] = {TID, PERSONAL, NULL};
static const char *const empty[] = {NULL};
static const char *const names[] = {TID, "contoso.example", NULL};

static void
takes_the_authorities_that_there_are(void **state)
{
    (void)state;
    static const struct {
        struct vl_instance options;
        const char *host, *tenant, *environment;
    } cases[] = {
        {{.tenant = TID}, PUBLIC, TID, "login.microsoftonline.com"},
        {{.host = PUBLIC "/", .tenant = "AAAAAAAA-0000-4000-8000-000000000001"},
         PUBLIC,
         TID,
         "login.microsoftonline.com"},
        {{.host = "HTTPS://Login.MicrosoftOnline.COM:443",
          .tenant = "Contoso.Example"},
         PUBLIC,
         "contoso.example",
         "login.microsoftonline.com"},
        {{.host = "https://login.microsoftonline.us", .tenant = TID},
         "https://login.microsoftonline.us",
         TID,
         "login.microsoftonline.us"},
        {{.host = "https://login.partner.microsoftonline.cn", .tenant = TID},
         "https://login.partner.microsoftonline.cn",
         TID,
         "login.partner.microsoftonline.cn"},
        {{.host = "https://login.sovcloud-identity.fr", .tenant = TID},
         "https://login.sovcloud-identity.fr",
         TID,
         "login.sovcloud-identity.fr"},
        /* Many tenants, of which some may. */
        {{.tenant = "organizations", .tenants = two},
         PUBLIC,
         "organizations",
         "login.microsoftonline.com"},
        {{.tenant = "Common", .tenants = personal},
         PUBLIC,
         "common",
         "login.microsoftonline.com"},
        {{.tenant = TID, .tenants = two},
         PUBLIC,
         TID,
         "login.microsoftonline.com"},
        {{.tenant = PERSONAL, .tenants = personal},
         PUBLIC,
         PERSONAL,
         "login.microsoftonline.com"},
        /* External tenants. */
        {{.host = "https://Contoso.ciamlogin.com/"},
         "https://contoso.ciamlogin.com",
         "contoso.onmicrosoft.com",
         "contoso.ciamlogin.com"},
        {{.host = "https://contoso.ciamlogin.com", .tenant = TID},
         "https://contoso.ciamlogin.com",
         TID,
         "contoso.ciamlogin.com"},
        {{.host = "https://" TID ".ciamlogin.com"},
         "https://" TID ".ciamlogin.com",
         TID,
         TID ".ciamlogin.com"},
        /* A loopback needs no further word, and no TLS. */
        {{.host = "http://localhost:8443/", .tenant = TID},
         "http://localhost:8443",
         TID,
         "localhost:8443"},
        {{.host = "http://127.0.0.1:80", .tenant = TID},
         "http://127.0.0.1",
         TID,
         "127.0.0.1"},
        {{.host = "https://[::1]:8443", .tenant = TID},
         "https://[::1]:8443",
         TID,
         "[::1]:8443"},
        /* One of their own. */
        {{.host = "https://login.example:444",
          .tenant = TID,
          .own_authority = true},
         "https://login.example:444",
         TID,
         "login.example:444"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_arena) arena = vl_arena_of(1024);
        struct vl_instance judged = {.host = NULL};
        valet_error err = {.status = VALET_OK};
        if (vl_instance_judge(&cases[i].options, &arena, &judged, &err) !=
            VALET_OK)
            fail_msg("case %zu: %s", i, err.message);
        assert_string_equal(judged.host, cases[i].host);
        assert_string_equal(judged.tenant, cases[i].tenant);
        assert_ptr_equal(judged.tenants, cases[i].options.tenants);
        assert_str(vl_instance_environment(&judged), cases[i].environment);
    }
}

static void
refuses(const struct vl_instance *options, const char *option,
        const char *sentence)
{
    vl_auto(vl_arena) arena = vl_arena_of(1024);
    struct vl_instance judged = {.host = "before"};
    valet_error err = {.status = VALET_OK};
    assert_int_equal(vl_instance_judge(options, &arena, &judged, &err),
                     VALET_INVALID);
    assert_string_equal(err.code, option);
    if (!strstr(err.message, sentence))
        fail_msg("%s instead of %s", err.message, sentence);
    assert_string_equal(judged.host, "before");
}

/* @spec S-26 */
static void
says_what_is_wrong_with_a_host(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool own;
        const char *sentence;
    } cases[] = {
        {"", true, "has to be a URL"},
        {"login.microsoftonline.com", true, "has to be a URL"},
        {"https://", true, "has to be a URL"},
        {"https://user@login.microsoftonline.com", true, "has to be a URL"},
        {"mailto:a@b", true, "has to be a URL"},
        {"ftp://login.example", true, "has to be https"},
        {PUBLIC "/common", true, "an option of its own"},
        {PUBLIC "//", true, "an option of its own"},
        {PUBLIC "?x", true, "an option of its own"},
        {"http://login.microsoftonline.com", true, "has to be https"},
        {"http://contoso.ciamlogin.com", true, "has to be https"},
        {"http://127.0.0.2", true, "has to be https"},
        {"http://localhost.example", true, "has to be https"},
        {"https://login.example", false, "none of Microsoft's"},
        {PUBLIC ":444", false, "none of Microsoft's"},
        {PUBLIC ".example", false, "none of Microsoft's"},
        {"https://x.login.microsoftonline.com", false, "none of Microsoft's"},
        {"https://ciamlogin.com", false, "none of Microsoft's"},
        {"https://.ciamlogin.com", false, "has to be a URL"},
        {"https://a.b.ciamlogin.com", false, "none of Microsoft's"},
        {"https://a_b.ciamlogin.com", false, "none of Microsoft's"},
        {"https://-a.ciamlogin.com", false, "none of Microsoft's"},
        {"https://contoso.ciamlogin.com:8443", false, "none of Microsoft's"},
        {"https://contoso.ciamlogin.com.example", false, "none of Microsoft's"},
        {"https://contosociamlogin.com", false, "none of Microsoft's"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_instance options = {.host = cases[i].host,
                                      .tenant = TID,
                                      .own_authority = cases[i].own};
        refuses(&options, "authority_host", cases[i].sentence);
    }
}

static void
a_host_is_bounded(void **state)
{
    (void)state;
    char host[VL_LIMIT_PUBLIC_URL + 32] = "https://";
    for (size_t i = 8; i < VL_LIMIT_PUBLIC_URL + 1; i++)
        host[i] = i % 60 ? 'a' : '.';
    struct vl_instance options = {
        .host = host, .tenant = TID, .own_authority = true};
    refuses(&options, "authority_host", "longer than 200");
}

/* @spec S-22 */
static void
says_what_is_wrong_with_a_tenant(void **state)
{
    (void)state;
    char lengthy[260];
    memset(lengthy, 'a', sizeof lengthy);
    memcpy(lengthy + 250, ".example", 9);
    const struct {
        const char *host, *tenant;
        const char *const *tenants;
        const char *sentence;
    } cases[] = {
        {NULL, NULL, NULL, "is missing"},
        {"http://localhost", NULL, NULL, "is missing"},
        {NULL, "", NULL, "has to be the id"},
        {NULL, "contoso", NULL, "has to be the id"},
        {NULL, "contoso.example/x", NULL, "has to be the id"},
        {NULL, "..", NULL, "has to be the id"},
        {NULL, "a..example", NULL, "has to be the id"},
        {NULL, "-a.example", NULL, "has to be the id"},
        {NULL, "a-.example", NULL, "has to be the id"},
        {NULL, "10.0.0.1", NULL, "has to be the id"},
        {NULL, "contoso.example.", NULL, "has to be the id"},
        {NULL, TID "0", NULL, "has to be the id"},
        {NULL, lengthy, NULL, "longer than a domain"},
        {NULL, "common", NULL, "name yours in tenants"},
        {NULL, "ORGANIZATIONS", NULL, "name yours in tenants"},
        {NULL, "consumers", NULL, "personal account"},
        {NULL, "Consumers", personal, "personal account"},
        {NULL, PERSONAL, NULL, "personal account"},
        {NULL, PERSONAL, one, "personal account"},
        {NULL, OTHER, one, "is not one of tenants"},
        {"https://contoso.ciamlogin.com", "common", one, "is one alone"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_instance options = {.host = cases[i].host,
                                      .tenant = cases[i].tenant,
                                      .tenants = cases[i].tenants};
        refuses(&options, "tenant", cases[i].sentence);
    }
}

static void
says_what_is_wrong_with_a_list(void **state)
{
    (void)state;
    static const char *many[VL_LIMIT_TENANTS + 2];
    struct vl_instance options = {.tenant = "organizations", .tenants = empty};
    vl_auto(vl_arena) arena = vl_arena_of(1024);
    refuses(&options, "tenants", "empty");
    options.tenants = names;
    refuses(&options, "tenants", "GUIDs");
    for (size_t i = 0; i < VL_LIMIT_TENANTS; i++)
        many[i] = TID;
    options.tenants = many;
    assert_ok(vl_instance_judge(&options, &arena, &options, NULL));
    many[VL_LIMIT_TENANTS] = TID;
    refuses(&options, "tenants", "more than 1000");
}

#define METADATA(issuer)                                                       \
    "{\"issuer\":\"" issuer "\",\"authorization_endpoint\":\"" PUBLIC          \
    "/a\",\"token_endpoint\":\"" PUBLIC "/t\",\"jwks_uri\":\"" PUBLIC "/k\"}"

static void
judges_metadata_at_once(void **state)
{
    (void)state;
    static char lengthy[VL_LIMIT_DOCUMENT + 2];
    vl_auto(vl_arena) arena = vl_arena_of(1024);
    struct vl_instance judged,
        options = {.tenant = TID, .metadata = METADATA(PUBLIC "/" TID "/v2.0")};
    assert_ok(vl_instance_judge(&options, &arena, &judged, NULL));
    assert_ptr_equal(judged.metadata, options.metadata);
    options.metadata = METADATA(PUBLIC "/" OTHER "/v2.0");
    refuses(&options, "metadata", "of another tenant");
    options.metadata = METADATA("https://login.example/" TID "/v2.0");
    refuses(&options, "metadata", "another host");
    options.metadata = "";
    refuses(&options, "metadata", "metadata: ");
    memset(lengthy, ' ', sizeof lengthy - 1);
    options.metadata = lengthy;
    refuses(&options, "metadata", "longer than 64 KiB");
}

/* Where somebody is a guest, or at home. */
static void
asks_another_tenant_of_the_same_authority(void **state)
{
    (void)state;
    const struct vl_instance instance = {.host = PUBLIC,
                                         .tenant = "organizations",
                                         .tenants = two,
                                         .metadata = "{}"};
    struct vl_instance other = vl_instance_of_tenant(&instance, OTHER);
    struct vl_instance same = vl_instance_of_tenant(&instance, "organizations");
    assert_string_equal(other.host, PUBLIC);
    assert_string_equal(other.tenant, OTHER);
    assert_ptr_equal(other.tenants, two);
    assert_null(other.metadata);
    assert_string_equal(same.metadata, "{}");
    assert_true(vl_instance_is_shared(&same));
    assert_false(vl_instance_is_shared(&other));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_authorities_that_there_are),
        cmocka_unit_test(says_what_is_wrong_with_a_host),
        cmocka_unit_test(a_host_is_bounded),
        cmocka_unit_test(says_what_is_wrong_with_a_tenant),
        cmocka_unit_test(says_what_is_wrong_with_a_list),
        cmocka_unit_test(judges_metadata_at_once),
        cmocka_unit_test(asks_another_tenant_of_the_same_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
