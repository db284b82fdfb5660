/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "http/peer.h"

static bool
same(const char *a, const char *b)
{
    struct vl_peer_key x = vl_peer_key(a), y = vl_peer_key(b);
    return vl_str_eq(vl_peer_key_str(&x), vl_peer_key_str(&y));
}

/* @spec S-64 W-29 */
static void
counts_an_ipv6_network_as_one(void **state)
{
    (void)state;
    assert_true(same("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff"));
    assert_true(same("2001:db8:1:2::", "2001:db8:1:2:3:4:5:6"));
    assert_false(same("2001:db8:1:2::", "2001:db8:1:3::"));
    assert_false(same("2001:db8::1", "2001:db9::1"));
    assert_false(same("::1", "2001:db8::1"));
}

static void
counts_every_ipv4_address_for_itself(void **state)
{
    (void)state;
    assert_true(same("192.0.2.1", "192.0.2.1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    /* One network of eight zero bytes would hold both of these. */
    assert_false(same("::ffff:192.0.2.1", "::1"));
}

static void
counts_all_that_is_no_address_as_one(void **state)
{
    (void)state;
    assert_int_equal(vl_peer_key("").n, 0);
    assert_true(same("", "192.0.2"));
    assert_true(same("localhost", "1::2::3"));
    assert_false(same("", "0.0.0.0"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_an_ipv6_network_as_one),
        cmocka_unit_test(counts_every_ipv4_address_for_itself),
        cmocka_unit_test(counts_all_that_is_no_address_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
