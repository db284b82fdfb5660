/* SPDX-License-Identifier: Apache-2.0
 *
 * ES256 and what keeps the kinds of keys apart; PS256 is tested with the
 * tokens of unit/validate, which OpenSSL signs.
 */
#include "core/enc.h"
#include "crypto/pkey.h"
#include "vl_test.h"

/* RFC 7515 appendix A.3. */
static const char text[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
    "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char encoded[] =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ"
    "qPP3-Kg6NU1Q";

static struct vl_pkey *ec, *rsa;
static char point[2][32], signature[65];

static int
make_keys(void **state)
{
    (void)state;
    return vl_dec_base64url_into(vl_str_z(x), point[0], 32) &&
                   vl_dec_base64url_into(vl_str_z(y), point[1], 32) &&
                   vl_dec_base64url_into(vl_str_z(encoded), signature, 64) &&
                   vl_pkey_of_p256(vl_str_of(point[0], 32),
                                   vl_str_of(point[1], 32), &ec,
                                   NULL) == VALET_OK &&
                   vl_pkey_new_rsa(2048, &rsa, NULL) == VALET_OK
               ? 0
               : -1;
}

static int
free_keys(void **state)
{
    (void)state;
    vl_pkey_free(ec);
    vl_pkey_free(rsa);
    return 0;
}

static void
verifies_the_example_of_rfc_7515(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_ok(vl_pkey_verify_es256(ec, vl_str_z(text),
                                       vl_str_of(signature, 64), NULL));
}

static void
refuses_every_changed_byte_and_every_other_length(void **state)
{
    (void)state;
    assert_int_equal(vl_pkey_verify_es256(ec, VL_STR("another text"),
                                          vl_str_of(signature, 64), NULL),
                     VALET_DENIED);
    for (size_t i = 0; i < 64; i++) {
        char changed[64];
        memcpy(changed, signature, 64);
        changed[i] ^= 1;
        assert_int_equal(vl_pkey_verify_es256(ec, vl_str_z(text),
                                              vl_str_of(changed, 64), NULL),
                         VALET_DENIED);
    }
    for (size_t n = 0; n <= 65; n++)
        if (n != 64)
            assert_int_equal(vl_pkey_verify_es256(ec, vl_str_z(text),
                                                  vl_str_of(signature, n),
                                                  NULL),
                             VALET_DENIED);
}

/* CVE-2022-21449: r and s of zero were good for any text and any key. */
static void
refuses_a_signature_of_zeros(void **state)
{
    (void)state;
    static const char zeros[64];
    assert_int_equal(
        vl_pkey_verify_es256(ec, vl_str_z(text), vl_str_of(zeros, 64), NULL),
        VALET_DENIED);
}

static void
refuses_a_key_of_another_kind(void **state)
{
    (void)state;
    vl_auto(vl_buf) made = vl_buf_of(512);
    struct vl_str bytes = vl_str_of(signature, 64);
    assert_ok(vl_pkey_sign_rs256(rsa, vl_str_z(text), &made, NULL));
    assert_int_equal(vl_pkey_verify_rs256(ec, vl_str_z(text), bytes, NULL),
                     VALET_DENIED);
    assert_int_equal(vl_pkey_verify_ps256(ec, vl_str_z(text), bytes, NULL),
                     VALET_DENIED);
    assert_int_equal(vl_pkey_verify_es256(rsa, vl_str_z(text), bytes, NULL),
                     VALET_DENIED);
    assert_int_equal(
        vl_pkey_verify_ps256(rsa, vl_str_z(text), vl_buf_str(&made), NULL),
        VALET_DENIED);
}

static void
refuses_points_that_are_not_on_the_curve(void **state)
{
    (void)state;
    struct vl_pkey *key = NULL;
    struct vl_str good = vl_str_of(point[0], 32);
    char off[33] = {0};
    memcpy(off, point[1], 32);
    off[31] ^= 1;
    const struct vl_str bad[] = {vl_str_of(off, 32), vl_str_of(off, 31),
                                 vl_str_of(off, 33), vl_str_of(off, 0)};
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(vl_pkey_of_p256(good, bad[i], &key, NULL),
                         VALET_INVALID);
    memset(off, 0, sizeof off);
    assert_int_equal(
        vl_pkey_of_p256(vl_str_of(off, 32), vl_str_of(off, 32), &key, NULL),
        VALET_INVALID);
    memset(off, 0xFF, sizeof off);
    assert_int_equal(vl_pkey_of_p256(vl_str_of(off, 32), good, &key, NULL),
                     VALET_INVALID);
    assert_null(key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_the_example_of_rfc_7515),
        cmocka_unit_test(refuses_every_changed_byte_and_every_other_length),
        cmocka_unit_test(refuses_a_signature_of_zeros),
        cmocka_unit_test(refuses_a_key_of_another_kind),
        cmocka_unit_test(refuses_points_that_are_not_on_the_curve),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
