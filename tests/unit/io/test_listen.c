/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"
#include "vl_test.h"

static void
reads_hosts_and_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        unsigned port;
        bool is_loopback;
    } cases[] = {
        {"127.0.0.1:3001", "127.0.0.1", 3001, true},
        {"localhost:3001", "localhost", 3001, true},
        {"[::1]:3001", "::1", 3001, true},
        {":0", "localhost", 0, true},
        {"0.0.0.0:65535", "0.0.0.0", 65535, false},
        {"[::]:80", "::", 80, false},
        {"127.0.0.2:80", "127.0.0.2", 80, false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_listen listen;
        assert_ok(vl_listen_parse(vl_str_z(cases[i].text), &listen, NULL));
        assert_string_equal(listen.host, cases[i].host);
        assert_int_equal(listen.port, cases[i].port);
        assert_int_equal(listen.is_loopback, cases[i].is_loopback);
    }
}

static void
refuses_everything_else(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "localhost",
        "3001",
        "localhost:",
        "::1:3001",
        "[::1]",
        "[::1:3001",
        "[localhost]:1",
        "host:3001",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:3001 ",
        "127.1:80",
        "[127.0.0.1]:3001",
        "[]:1",
        "LOCALHOST:1",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_listen listen = {.port = 7};
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i]));
        valet_error err;
        if (vl_listen_parse(text, &listen, &err) != VALET_INVALID)
            fail_msg("accepted \"%s\"", cases[i]);
        assert_non_null(strstr(err.message, "; write"));
        assert_int_equal(listen.port, 7);
        vl_test_unguard(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hosts_and_ports),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
