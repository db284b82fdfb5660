/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "core/buf.h"
#include "http/forwarded.h"

static struct vl_network proxies[2];
static const struct vl_http_trust trust = {.proxies = proxies,
                                           .proxy_count = 2};

static int
set_up(void **state)
{
    (void)state;
    return vl_network_parse(VL_STR("10.0.0.0/8"), &proxies[0]) &&
                   vl_network_parse(VL_STR("2001:db8::/32"), &proxies[1])
               ? 0
               : -1;
}

/* "Name: value" lines. */
static bool
client_of(const char *text, const char *peer, char ret[VL_ADDRESS_SIZE])
{
    struct vl_headers headers = {.count = 0};
    struct vl_str rest = vl_str_z(text), line;
    while (vl_str_split(&rest, '\n', &line)) {
        size_t colon = vl_str_index(line, ':');
        if (colon < line.n)
            assert_true(
                vl_headers_add(&headers, vl_str_head(line, colon),
                               vl_str_trim(vl_str_from(line, colon + 1))));
    }
    return vl_forwarded_client(&trust, peer, &headers, ret);
}

struct example {
    const char *headers, *client;
};

static void
check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char client[VL_ADDRESS_SIZE];
        assert_true(client_of(examples[i].headers, "10.0.0.1", client));
        if (strcmp(client, examples[i].client) != 0)
            fail_msg("%s: %s instead of %s", examples[i].headers, client,
                     examples[i].client);
    }
}

static void
takes_the_nearest_address_that_is_no_proxys(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", "10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1", "192.0.2.1"},
        /* What the client wrote itself stands to the left. */
        {"X-Forwarded-For: 198.51.100.9, 192.0.2.1", "192.0.2.1"},
        {"X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.7.7.7", "192.0.2.1"},
        {"X-Forwarded-For: 198.51.100.9\nX-Forwarded-For: 192.0.2.1",
         "192.0.2.1"},
        {"X-Forwarded-For: 10.1.1.1, 10.2.2.2", "10.1.1.1"},
        {"X-Forwarded-For: 192.0.2.1:4711", "192.0.2.1"},
        {"X-Forwarded-For: 2001:DB9::1", "2001:db9::1"},
        {"X-Forwarded-For: [2001:db9::1]:4711", "2001:db9::1"},
        {"X-Forwarded-For: ::ffff:192.0.2.1", "192.0.2.1"},
        {"x-forwarded-for: 192.0.2.1 , 2001:db8::7", "192.0.2.1"},
    };
    check(examples, VL_COUNT(examples));
}

/* RFC 7239 */
static void
reads_forwarded_alike(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"Forwarded: for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: For=\"192.0.2.1:80\";proto=https", "192.0.2.1"},
        {"Forwarded: proto=https; for=\"[2001:db9:cafe::17]:4711\"",
         "2001:db9:cafe::17"},
        {"Forwarded: for=198.51.100.9, for=192.0.2.1;by=10.0.0.1", "192.0.2.1"},
        {"Forwarded: for=192.0.2.1, for=\"[2001:db8::5]\"", "192.0.2.1"},
        {"Forwarded: by=\"a,b;for=1.1.1.1\";for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: by=\"\\\",for=1.1.1.1\";for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: for=192.0.2.1\nX-Forwarded-For: 192.0.2.1", "192.0.2.1"},
    };
    check(examples, VL_COUNT(examples));
}

static void
stays_with_the_last_known_proxy_where_no_address_is_named(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"X-Forwarded-For: unknown", "10.0.0.1"},
        {"X-Forwarded-For:", "10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1, ,", "10.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1, unknown, 10.5.5.5", "10.5.5.5"},
        {"X-Forwarded-For: 192.0.2.1;evil", "10.0.0.1"},
        {"Forwarded: for=_hidden", "10.0.0.1"},
        {"Forwarded: proto=https", "10.0.0.1"},
        {"Forwarded: for=\"[2001:db9::1\"", "10.0.0.1"},
        {"Forwarded: for=\"[2001:db9::1]x\"", "10.0.0.1"},
        {"Forwarded: for=\"[]\"", "10.0.0.1"},
        {"Forwarded: for=[", "10.0.0.1"},
        {"Forwarded: \"\\", "10.0.0.1"},
        {"X-Forwarded-For: \"", "10.0.0.1"},
    };
    check(examples, VL_COUNT(examples));
}

/* Who is counted as the proxy shares its limits, and is not in the audit. */
static void
believes_its_proxy_behind_a_quote_that_the_client_left_open(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"X-Forwarded-For: \", 192.0.2.1", "192.0.2.1"},
        {"X-Forwarded-For: \"198.51.100.9, 192.0.2.1, 10.7.7.7", "192.0.2.1"},
        {"X-Forwarded-For: \"198.51.100.9, 192.0.2.1\", 192.0.2.2",
         "192.0.2.2"},
        {"X-Forwarded-For: \\\", 192.0.2.1", "192.0.2.1"},
        {"Forwarded: \", for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: for=\"198.51.100.9, for=192.0.2.1;by=10.0.0.1",
         "192.0.2.1"},
        {"Forwarded: for=\"\\, for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: for=\"\\\", for=192.0.2.1", "192.0.2.1"},
        {"Forwarded: for=\", for=\"[2001:db9::17]:4711\"", "2001:db9::17"},
        {"Forwarded: for=\", for=192.0.2.1, for=\"[2001:db8::5]\"",
         "192.0.2.1"},
        {"Forwarded: for=\", by=\"a,b\";for=192.0.2.1", "192.0.2.1"},
    };
    check(examples, VL_COUNT(examples));
}

static void
takes_no_client_when_the_two_headers_differ(void **state)
{
    (void)state;
    static const char *const examples[] = {
        "Forwarded: for=198.51.100.9\nX-Forwarded-For: 192.0.2.1",
        "X-Forwarded-For: 198.51.100.9\nForwarded: for=192.0.2.1",
        "X-Forwarded-For: 192.0.2.1\nForwarded: for=unknown",
        "X-Forwarded-For:\nForwarded: for=192.0.2.1",
    };
    char client[VL_ADDRESS_SIZE];
    for (size_t i = 0; i < VL_COUNT(examples); i++)
        assert_false(client_of(examples[i], "10.0.0.1", client));
}

static void
looks_at_the_nearest_hops_of_an_endless_list(void **state)
{
    (void)state;
    char client[VL_ADDRESS_SIZE];
    vl_auto(vl_buf) text = vl_buf_of(4096);
    vl_buf_addz(&text, "X-Forwarded-For: 198.51.100.9");
    for (int i = 0; i < 100; i++)
        vl_buf_addz(&text, ", 10.3.3.3");
    assert_true(client_of(vl_buf_cstr(&text), "10.0.0.1", client));
    assert_string_equal(client, "10.3.3.3");
    vl_buf_addz(&text, ", 192.0.2.1");
    assert_true(client_of(vl_buf_cstr(&text), "10.0.0.1", client));
    assert_string_equal(client, "192.0.2.1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_nearest_address_that_is_no_proxys),
        cmocka_unit_test(reads_forwarded_alike),
        cmocka_unit_test(
            stays_with_the_last_known_proxy_where_no_address_is_named),
        cmocka_unit_test(
            believes_its_proxy_behind_a_quote_that_the_client_left_open),
        cmocka_unit_test(takes_no_client_when_the_two_headers_differ),
        cmocka_unit_test(looks_at_the_nearest_hops_of_an_endless_list),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
