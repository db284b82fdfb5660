/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens were signed by another implementation (Node, which has OpenSSL
 * inside as well, but its own code around it); their key is gone.
 */
#include "jose/signed.h"

#include "core/enc.h"
#include "vl_test.h"

#define N                                                                      \
    "rJcU7zOUB4jyDHr-GgENn4zuINCIUmVGz0g_T9EkqXZ_ye7zGFlEK7pu1mkXO0waEg9g"     \
    "EgF7Ub33U4yPvSLoDS7sUo3bPV_3mQaaw2QythhWkqcjkYkuLIt62Dp2HsJbycXM2n7Z"     \
    "7P4AWgfydwxl8nFgN1YZdPAbUaR4fSmbUAObIax2r_i3tnYBemiUXlYLkw7HKhac5a7_"     \
    "OBOK-W0c4Bc1a7Epo4Lf1ASFZbsxXJjrP2VWaNHwzpKw6-nzS9qrg8onMejcouXA6Fgz"     \
    "J6BsbE2p2taA1IVG7e9TUU4UUWriPQN1HnQe1-P6LeD0qi9y7V2GV9vY-5gq3diCbYow"     \
    "LQ"

#define PS256                                                                  \
    "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MS4"     \
    "1fQ.OczrN1Mar-Uxr7vRaenTU-2Me4O54vNKFa05D8C3khfCPj6QUZzyeL_XTeUs8cSl"     \
    "1M4L8Xp6JdjlsxV9a0RL7joaXNv43gknLoqQOg4Ubb9pb8ZRH1T7Ea26dfsUyj6qBWiJ"     \
    "2TVE-Hyiy1q0GHHUgzPlD5oQKyt7nvuJaYnYjMfE4GYk_9-XXRKR9fn5jClDBvi7hKNQ"     \
    "-noUhUOlkqXrPZXzztjG_oq-XpqHOP5gk34GfZW7Suq3h8HefkfyAb6hTAg-IvxTfNKl"     \
    "8oF_-ikaNQ7ntoqMCpbHUFrESvu-D1Q18tPEGwXhaBuMKx_zizQSwx-lkFb_oGf61Ro2"     \
    "bm5ZyA"

#define RS256                                                                  \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MS4"     \
    "1fQ.rD81g-QVM15SkGLqFaskIpLm_5E7W75GQ0fSHoq7ezMypwLCIMj_naRsNUhHcuiw"     \
    "wDVqO98-EQyGnOeLhzwuZefUqmRGDwieN49MSgViM6Q7OT3WeoQcGRkGaBnAY_8YLJ3R"     \
    "lxsnDIZpenB60nZH6sozwv0f7NcleekfLNYYwlGbeNo1XWvDcupMs-AowAgJ8z4ZNj7U"     \
    "-EATFZUNTnNKiTreO9epCpcTTojCFV4gIeKI8jjrCGHo_dNBOM2Nc4950D2VgGYBGckA"     \
    "OBqyrMNZhvWZIjG_V097zdP0uTlbzJjHhRVVmhAl7cD8J014B166i3jabd-jnBy3g7F-"     \
    "NdWbZw"

#define SHORT_SALT                                                             \
    "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MS4"     \
    "1fQ.lxDE-Q9AXNmYkNt3szUr0k_sJ-gUQSeFvpJrZpZ6mgvGGd2jBaeqhDBXvoiBQPkT"     \
    "-T2AlIN7BFcbhfbRF6eHFNUcj_e2a4kzKBIwJlla3NY9ogzxtPtjUKJKStzVAE8cmV7g"     \
    "5toNE37dT8I_UYt2_Ed9X6fzGi6OdgKb3vNCuvGEqaYLtqOy8Ai22ikjaZQgVz7P_Bc7"     \
    "5epiegtL5vc2dOSloNxeeUapX_DRzHckegc4qRnpPdw6Vw2KXxaG9fjfKB8XqJHSN9Xl"     \
    "dmKrOO-mJe8YxBEyEZxQ8zzNqiXFq4GfLC2Gv8EgJp0yyUgaZ6Z28VpPyhJjFCDMbPMV"     \
    "4jGkcw"

#define CRITICAL                                                               \
    "eyJhbGciOiJQUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.eyJzdWIiOiJ"     \
    "hbGljZSIsImV4cCI6MS41fQ.IYAv4p9A05U7kRF4ww1fR6Qrq2M3BxKzgJ0f19n0hu5e"     \
    "IL1w9Z9uiVJRf_0ddgB6KVF9theE4tW9HXDql2W0l4qXQEcWAKV3Yg099W0TxnmNQ3J0"     \
    "4BJCK6ckVPbYZBrQU-i282N-pjdn37IFW1piuoSVZc7uzpikLAmgWfQo-cHsfHvsHRf3"     \
    "7tK1vb777EiV_pZ7ZrbYUUwsyOe_SkVIgkrjQogAGePxAaQ4qK3iAQlo1w5MAHuV0Qd_"     \
    "FVOr7gusHVpbY9iVOVzJXq0amfCUufNfXtZRBABJ-ff_z8wiMNaiqLjgQQuoyOuqRIyT"     \
    "JkkdEVJzkCQHGC74ob1Scl-wAw"

#define OTHER_ALG                                                              \
    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MS4"     \
    "1fQ.Wry2uBa4yHBaXynpz11ooLwmisK6qFRs8amqKhTku8P5PnbpXXwOk5RdEpngah5I"     \
    "74EabIkU5hU1fFwAcghUIR8tBEuGte5TG4X4x78XWSSloLyYPHTJiUWZy9O-1WC5YR7k"     \
    "185jRYfIflNIQA4Hf6pR0_rU6AEx892ycuvRjbSd6dYGJC0-UnzS4FpTAV2mtbBiiHtM"     \
    "8acvQx1LRjDq7M1d2UL546paKzTlgWXk6fj_ozIfGKhbNGqXjnpl6l2La1pdn7yHk_hL"     \
    "9qduGaBd54u8TDTaVNNQ5zC9O1zP8O2SN8a5CQUEGJ1H3Q5lprjsVnzrJ144C3lHARXY"     \
    "5XMZpg"

static int
make_key(void **state)
{
    struct vl_pkey *key = NULL;
    vl_auto(vl_buf) n = vl_buf_of(512);
    if (!vl_dec_base64url(VL_STR(N), &n) ||
        vl_pkey_of_rsa(vl_buf_str(&n), vl_str_of("\1\0\1", 3), &key, NULL) !=
            VALET_OK)
        return -1;
    *state = key;
    return 0;
}

static int
free_key(void **state)
{
    vl_pkey_free(*state);
    return 0;
}

static void
reads_first_and_proves_afterwards(void **state)
{
    static const char *const tokens[] = {PS256, RS256};
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        vl_auto(vl_signed) shown = {.signature = vl_buf_of(0)};
        assert_ok(vl_signed_read(vl_str_z(tokens[i]), &shown, NULL));
        assert_true(
            vl_str_eqz(vl_json_get_str(shown.claims.root, "sub"), "alice"));
        assert_true(
            vl_str_eqz(vl_json_get_str(shown.header.root, "typ"), "JWT"));
        assert_ok(vl_signed_verify(&shown, *state, NULL));
    }
}

static void
believes_no_other_salt_algorithm_or_extension(void **state)
{
    static const char *const tokens[] = {SHORT_SALT, CRITICAL, OTHER_ALG};
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        vl_auto(vl_signed) shown = {.signature = vl_buf_of(0)};
        assert_ok(vl_signed_read(vl_str_z(tokens[i]), &shown, NULL));
        assert_int_equal(vl_signed_verify(&shown, *state, NULL), VALET_DENIED);
    }
}

static void
believes_no_other_key_and_no_other_text(void **state)
{
    struct vl_pkey *other = NULL;
    char changed[] = PS256;
    assert_ok(vl_pkey_new_rsa(2048, &other, NULL));
    vl_auto(vl_signed) shown = {.signature = vl_buf_of(0)};
    assert_ok(vl_signed_read(VL_STR(PS256), &shown, NULL));
    assert_int_equal(vl_signed_verify(&shown, other, NULL), VALET_DENIED);
    vl_pkey_free(other);
    /* The last letter but one of the signature. */
    changed[sizeof changed - 3] =
        (char)(changed[sizeof changed - 3] == 'A' ? 'B' : 'A');
    vl_auto(vl_signed) bad = {.signature = vl_buf_of(0)};
    assert_ok(vl_signed_read(vl_str_z(changed), &bad, NULL));
    assert_int_equal(vl_signed_verify(&bad, *state, NULL), VALET_DENIED);
}

static void
refuses_what_has_not_three_parts(void **state)
{
    static const char *const tokens[] = {"",
                                         ".",
                                         "..",
                                         "a.b",
                                         "e30.e30",
                                         "e30.e30.",
                                         ".e30.AAAA",
                                         "e30..AAAA",
                                         "e30.e30.AAAA.AAAA",
                                         "W10.e30.AAAA",
                                         "e30.W10.AAAA",
                                         "e30.e30.A*",
                                         "e30=.e30.AAAA"};
    (void)state;
    for (size_t i = 0; i < VL_COUNT(tokens); i++) {
        struct vl_signed shown;
        assert_int_equal(vl_signed_read(vl_str_z(tokens[i]), &shown, NULL),
                         VALET_DENIED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_first_and_proves_afterwards),
        cmocka_unit_test(believes_no_other_salt_algorithm_or_extension),
        cmocka_unit_test(believes_no_other_key_and_no_other_text),
        cmocka_unit_test(refuses_what_has_not_three_parts),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
