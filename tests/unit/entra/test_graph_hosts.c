/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph.h"
#include "vl_test.h"

/* @spec S-42 */
static void
knows_the_hosts_of_all_clouds(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://graph.microsoft.com",
        "https://GRAPH.microsoft.com",
        "https://graph.microsoft.com:443",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://graph.svc.sovcloud.fr",
        "https://graph.svc.sovcloud.de",
        "https://graph.svc.sovcloud.sg",
        /* Of whoever develops. */
        "http://127.0.0.1:3002",
        "http://localhost:3002",
        "https://[::1]:8443",
    };
    for (size_t i = 0; i < VL_COUNT(good); i++) {
        assert_ok(vl_graph_check_url(good[i], false, NULL));
        assert_ok(vl_graph_check_url(good[i], true, NULL));
    }
}

static void
refuses_everybody_elses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "https://graph.microsoft.com.evil.example",
        "https://evilgraph.microsoft.com",
        "https://graph.microsoft.com:8443",
        "https://microsoft.com",
        "https://graph.windows.net",
        "https://graph.microsoft.de",
        "https://10.0.0.1",
        "https://127.0.0.2",
        "https://localhost.evil.example",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        valet_error err = {0};
        assert_int_equal(vl_graph_check_url(bad[i], false, &err),
                         VALET_INVALID);
        assert_string_equal(err.code, "unknown_host");
        /* Only who says so explicitly. */
        assert_ok(vl_graph_check_url(bad[i], true, NULL));
    }
}

static void
refuses_what_is_no_origin_even_of_ones_own(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "graph.microsoft.com",
        "https://",
        "https:///v1.0",
        "ftp://graph.microsoft.com",
        "http://graph.microsoft.com",
        "http://own.example",
        "https://graph.microsoft.com.",
        "https://graph.microsoft.com/",
        "https://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com?x",
        "https://graph.microsoft.com?",
        "https://graph.microsoft.com#x",
        "https://user@graph.microsoft.com",
        "https://graph.microsoft.com@evil.example",
        "https://graph.microsoft.com\\.evil.example",
        "https://graph.microsoft.com evil.example",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        assert_int_equal(vl_graph_check_url(bad[i], false, NULL),
                         VALET_INVALID);
        assert_int_equal(vl_graph_check_url(bad[i], true, NULL), VALET_INVALID);
    }
}

static void
is_that_of_the_authority(void **state)
{
    (void)state;
    static const struct {
        const char *authority, *graph;
    } cases[] = {
        {"login.microsoftonline.com", "https://graph.microsoft.com"},
        {"LOGIN.windows.net", "https://graph.microsoft.com"},
        {"contoso.ciamlogin.com", "https://graph.microsoft.com"},
        {"login.microsoftonline.us", "https://graph.microsoft.us"},
        {"login.usgovcloudapi.net", "https://graph.microsoft.us"},
        {"login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
        {"login.sovcloud-identity.de", "https://graph.svc.sovcloud.de"},
        {"login-us.microsoftonline.com", NULL},
        {"login.example", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        const char *graph = vl_graph_of_authority(vl_str_z(cases[i].authority));
        assert_int_equal(!graph, !cases[i].graph);
        if (graph)
            assert_string_equal(graph, cases[i].graph);
        if (graph)
            assert_ok(vl_graph_check_url(graph, false, NULL));
    }
}

static void
fits_an_authority_of_the_same_cloud(void **state)
{
    (void)state;
    static const struct {
        const char *graph, *authority;
        bool fits;
    } cases[] = {
        {"https://graph.microsoft.com", "https://login.microsoftonline.com",
         true},
        {"https://graph.microsoft.com", "https://login.microsoftonline.us",
         false},
        {"https://graph.microsoft.us", "https://login.microsoftonline.com",
         false},
        {"https://dod-graph.microsoft.us", "https://login.microsoftonline.us",
         true},
        {"https://microsoftgraph.chinacloudapi.cn",
         "https://login.partner.microsoftonline.cn", true},
        {"https://graph.microsoft.com", "https://contoso.ciamlogin.com", true},
        {"https://graph.microsoft.us", "https://contoso.ciamlogin.com", false},
        /* Of whoever develops: it is theirs to know. */
        {"http://127.0.0.1:1", "https://login.microsoftonline.us", true},
        {"https://graph.microsoft.com", "http://127.0.0.1:1", true},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_int_equal(vl_graph_fits(cases[i].graph, cases[i].authority),
                         cases[i].fits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_hosts_of_all_clouds),
        cmocka_unit_test(refuses_everybody_elses),
        cmocka_unit_test(refuses_what_is_no_origin_even_of_ones_own),
        cmocka_unit_test(is_that_of_the_authority),
        cmocka_unit_test(fits_an_authority_of_the_same_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
