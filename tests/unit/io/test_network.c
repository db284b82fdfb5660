/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "io/network.h"

static void
knows_what_is_inside_of_a_network(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"192.0.2.4", "192.0.2.4", true},
        {"192.0.2.4", "192.0.2.5", false},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1", "::1", true},
        {"::1", "0.0.0.1", false},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"::/64", "10.0.0.1", false},
        {"::/64", "::ffff:10.0.0.1", false},
        {"::/64", "::1", true},
        {"::fffe:0:0/95", "::fffe:0:1", true},
        {"::fffe:0:0/95", "10.0.0.1", false},
        {"::ffff:0:0/96", "10.0.0.1", true},
        {"::ffff:0:0/96", "::1", false},
        {"10.0.0.0/8", "unknown", false},
        {"10.0.0.0/8", "", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_network network;
        assert_true(vl_network_parse(vl_str_z(cases[i].network), &network));
        if (vl_network_has(&network, cases[i].address) != cases[i].has)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
}

static void
knows_the_networks_that_everybody_is_in(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        bool has;
    } cases[] = {
        {"0.0.0.0/0", true},
        {"0.0.0.0/00", true},
        {"::ffff:0.0.0.0/96", true},
        {"::ffff:0:0/96", true},
        {"::/0", true},
        {"::/00", true},
        {"::/64", true},
        {"::/80", true},
        {"2000::/3", true},
        {"::/2", true},
        {"0.0.0.0/1", false},
        {"10.0.0.0/8", false},
        {"::ffff:0.0.0.0/97", false},
        {"::/96", false},
        {"2000::/4", false},
        {"2001:db8::/32", false},
        {"::", false},
        {"0.0.0.0", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_network network;
        assert_true(vl_network_parse(vl_str_z(cases[i].network), &network));
        if (vl_network_has_everybody(&network) != cases[i].has)
            fail_msg("%s", cases[i].network);
    }
}

static void
takes_no_network_with_bits_behind_its_prefix_and_no_other_form(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/8",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/a",
        "10.0.0.0/8/",
        "10.0.0/8",
        "010.0.0.0/8",
        "localhost",
        "2001:db8::1/64",
        "::/129",
        " 10.0.0.0/8",
        "10.0.0.0 /8",
        "[::1]",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
    struct vl_network network;
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        if (vl_network_parse(vl_str_z(bad[i]), &network))
            fail_msg("taken: %s", bad[i]);
    assert_false(vl_network_parse(vl_str_of("1.2.3.4\0x", 9), &network));
}

static void
writes_addresses_in_one_form(void **state)
{
    (void)state;
    char text[VL_ADDRESS_SIZE];
    assert_true(vl_address_canonical(VL_STR("2001:DB8:0:0::1"), text));
    assert_string_equal(text, "2001:db8::1");
    assert_true(vl_address_canonical(VL_STR("::ffff:192.0.2.1"), text));
    assert_string_equal(text, "192.0.2.1");
    assert_false(vl_address_canonical(VL_STR("192.0.2"), text));
    assert_true(vl_address_is_loopback("127.8.0.1"));
    assert_true(vl_address_is_loopback("::1"));
    assert_false(vl_address_is_loopback("128.0.0.1"));
    assert_false(vl_address_is_loopback("nobody"));
}

/* @spec SB-13 CL-20 */
static void
knows_what_is_not_everybodys(void **state)
{
    static const char *const others[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.1.2.3",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "",
        "localhost",
        "0x7f.1",
        "127.1",
        "2130706433",
        "fe80::1%lo",
        "8.8.8.8 ",
    };
    static const char *const everybodys[] = {
        "1.1.1.1",         "9.255.255.255",        "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",          "126.255.255.255",
        "128.0.0.1",       "169.253.255.255",      "169.255.0.0",
        "172.15.255.255",  "172.32.0.0",           "192.167.255.255",
        "192.169.0.0",     "198.17.255.255",       "198.20.0.0",
        "223.255.255.255", "::ffff:8.8.8.8",       "64:ff9b::8.8.8.8",
        "2001:200::1",     "2606:4700:4700::1111", "2a00:1450::1",
        "3ffe::1",
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(others); i++)
        if (vl_address_is_public(others[i]))
            fail_msg("%s is taken for everybody's", others[i]);
    for (size_t i = 0; i < VL_COUNT(everybodys); i++)
        if (!vl_address_is_public(everybodys[i]))
            fail_msg("%s is not taken for everybody's", everybodys[i]);
}

static void
names_of_this_machine_are_not_public(void **state)
{
    (void)state;
    static const char *const closed[] = {
        "localhost",       "LocalHost", "a.localhost", "a.b.LOCALHOST",
        "127.0.0.1",       "127.9.9.9", "10.0.0.1",    "::1",
        "fe80::1",         "fd00::1",   "0.0.0.0",     "169.254.1.1",
        "::ffff:10.0.0.1",
    };
    static const char *const open[] = {"example.com", "notlocalhost",
                                       "localhost.example", "8.8.8.8",
                                       "2606:4700::1111"};
    for (size_t i = 0; i < VL_COUNT(closed); i++)
        if (vl_host_is_public(vl_str_z(closed[i])))
            fail_msg("%s", closed[i]);
    for (size_t i = 0; i < VL_COUNT(open); i++)
        if (!vl_host_is_public(vl_str_z(open[i])))
            fail_msg("%s", open[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_is_inside_of_a_network),
        cmocka_unit_test(knows_the_networks_that_everybody_is_in),
        cmocka_unit_test(
            takes_no_network_with_bits_behind_its_prefix_and_no_other_form),
        cmocka_unit_test(writes_addresses_in_one_form),
        cmocka_unit_test(knows_what_is_not_everybodys),
        cmocka_unit_test(names_of_this_machine_are_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
