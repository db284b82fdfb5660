/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include <pthread.h>

#include "core/enc.h"
#include "vl_test.h"
#include "json/read.h"

/* The key of RFC 7515 appendix A.2. */
#define N                                                                      \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s" \
    "oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2" \
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" \
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define NUMBERS "\"n\":\"" N "\",\"e\":\"AQAB\""
#define GOOD    "{\"kty\":\"RSA\",\"kid\":\"good\"," NUMBERS "}"

static struct vl_jwks *
parsed(const char *json)
{
    struct vl_jwks *set = NULL;
    assert_ok(vl_jwks_parse(vl_str_z(json), &set, NULL));
    assert_non_null(set);
    return set;
}

static void
finds_a_key_by_its_exact_id(void **state)
{
    (void)state;
    struct vl_jwks *set = parsed("{\"keys\":[" GOOD ",{\"kty\":\"RSA\","
                                 "\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\""
                                 ":[\"verify\"],\"kid\":\"two\",\"issuer\":"
                                 "\"https://i/v2.0\"," NUMBERS "}]}");
    assert_non_null(vl_jwks_find(set, VL_STR("good")));
    assert_non_null(vl_jwks_find(set, VL_STR("two")));
    assert_null(vl_jwks_find(set, VL_STR("Good")));
    assert_null(vl_jwks_find(set, VL_STR("goo")));
    assert_null(vl_jwks_find(set, VL_STR("good2")));
    assert_null(vl_jwks_find(set, VL_STR("good\0")));
    assert_null(vl_jwks_find(set, (struct vl_str){NULL, 0}));
    assert_null(vl_jwks_issuer(set, VL_STR("good")).p);
    assert_null(vl_jwks_issuer(set, VL_STR("none")).p);
    assert_str(vl_jwks_issuer(set, VL_STR("two")), "https://i/v2.0");
    vl_jwks_unref(set);
}

/* @spec S-15 */
static void
leaves_out_what_must_not_verify(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"kty\":\"EC\"," NUMBERS,
        "\"kty\":\"rsa\"," NUMBERS,
        NUMBERS,
        "\"kty\":\"oct\",\"k\":\"AAAA\"",
        "\"kty\":\"RSA\",\"use\":\"enc\"," NUMBERS,
        "\"kty\":\"RSA\",\"use\":null," NUMBERS,
        "\"kty\":\"RSA\",\"alg\":\"PS256\"," NUMBERS,
        "\"kty\":\"RSA\",\"alg\":\"none\"," NUMBERS,
        "\"kty\":\"RSA\",\"key_ops\":[\"encrypt\"]," NUMBERS,
        "\"kty\":\"RSA\",\"key_ops\":[]," NUMBERS,
        "\"kty\":\"RSA\",\"d\":\"AQAB\"," NUMBERS,
        "\"kty\":\"RSA\",\"n\":\"" N "\"",
        "\"kty\":\"RSA\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"AQ\"",
        "\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"Ag\"",
        "\"kty\":\"RSA\",\"n\":\"" N "==\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":\"" N N N "\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":\"+" N "\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"",
    };
    for (size_t i = 0; i < VL_COUNT(members); i++) {
        vl_auto(vl_buf) json = vl_buf_of(10000);
        vl_buf_addf(&json, "{\"keys\":[{\"kid\":\"bad\",%s},%s]}", members[i],
                    GOOD);
        struct vl_jwks *set = parsed(vl_buf_cstr(&json));
        if (vl_jwks_find(set, VL_STR("bad")))
            fail_msg("taken: %s", members[i]);
        assert_non_null(vl_jwks_find(set, VL_STR("good")));
        vl_jwks_unref(set);
    }
}

static void
leaves_out_keys_without_a_usable_id(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "{\"keys\":[{\"kty\":\"RSA\"," NUMBERS "}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"\"," NUMBERS "}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":7," NUMBERS "}]}",
    };
    for (size_t i = 0; i < VL_COUNT(sets); i++) {
        struct vl_jwks *set = NULL;
        assert_int_equal(vl_jwks_parse(vl_str_z(sets[i]), &set, NULL),
                         VALET_INVALID);
        assert_null(set);
    }
}

static void
takes_the_first_of_two_keys_with_one_id(void **state)
{
    (void)state;
    struct vl_jwks *set =
        parsed("{\"keys\":[" GOOD ",{\"kty\":\"RSA\",\"kid\":\"good\","
               "\"issuer\":\"x\",\"n\":\"" N "\",\"e\":\"Aw\"}]}");
    vl_auto(vl_buf) n = vl_buf_of(600), e = vl_buf_of(600);
    vl_pkey_rsa_numbers(vl_jwks_find(set, VL_STR("good")), &n, &e);
    assert_true(vl_str_eq(vl_buf_str(&e), VL_STR("\x01\x00\x01")));
    assert_null(vl_jwks_issuer(set, VL_STR("good")).p);
    vl_jwks_unref(set);
}

static void
refuses_what_is_no_key_set(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[1,null,\"x\",[]]}",
        "{\"keys\":\"x\"}",
        "{\"keys\":[" GOOD "],\"keys\":[]}",
        "{\"keys\":[" GOOD "]",
        "[" GOOD "]",
        GOOD,
        "{\"keys\":[[[[[[[[[[]]]]]]]]]]}",
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        struct vl_jwks *set = NULL;
        if (vl_jwks_parse(vl_str_z(texts[i]), &set, NULL) != VALET_INVALID)
            fail_msg("not refused: %s", texts[i]);
        assert_null(set);
    }
}

static void
bounds_the_number_of_keys(void **state)
{
    (void)state;
    for (unsigned count = 100; count <= 101; count++) {
        vl_auto(vl_buf) json = vl_buf_of(100000);
        vl_buf_addz(&json, "{\"keys\":[" GOOD);
        for (unsigned i = 1; i < count; i++)
            vl_buf_addz(&json, ",{}");
        vl_buf_addz(&json, "]}");
        struct vl_jwks *set = NULL;
        assert_int_equal(vl_jwks_parse(vl_buf_str(&json), &set, NULL),
                         count == 100 ? VALET_OK : VALET_LIMIT);
        vl_jwks_unref(set);
    }
}

static void *
ref_and_unref(void *arg)
{
    for (int i = 0; i < 1000; i++)
        vl_jwks_unref(vl_jwks_ref(arg));
    vl_jwks_unref(arg);
    return NULL;
}

static void
lives_until_the_last_holder_lets_go(void **state)
{
    (void)state;
    struct vl_jwks *set = parsed("{\"keys\":[" GOOD "]}");
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, ref_and_unref, vl_jwks_ref(set)),
            0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_non_null(vl_jwks_find(set, VL_STR("good")));
    vl_jwks_unref(set);
    vl_jwks_unref(NULL);
}

static void
publishes_a_key_that_can_be_read_back(void **state)
{
    (void)state;
    struct vl_pkey *key = NULL;
    vl_auto(vl_buf) cert = vl_buf_of(4096), kid = vl_buf_of(28);
    vl_auto(vl_buf) json = vl_buf_of(65536);
    assert_ok(vl_pkey_new_rsa(2048, &key, NULL));
    assert_ok(vl_pkey_self_signed(key, "signer", &cert, NULL));
    vl_buf_addz(&json, "{\"keys\":[");
    assert_ok(vl_jwk_publish(key, vl_buf_str(&cert), VL_STR("https://i/v2.0"),
                             &json, &kid, NULL));
    vl_buf_addz(&json, "]}");
    assert_int_equal(vl_buf_size(&kid), 27);

    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_buf_str(&json), 4, &doc, NULL));
    const struct json_t *jwk = vl_json_at(vl_json_get(doc.root, "keys"), 0);
    assert_str(vl_json_get_str(jwk, "kty"), "RSA");
    assert_str(vl_json_get_str(jwk, "use"), "sig");
    assert_str(vl_json_get_str(jwk, "e"), "AQAB");
    assert_str(vl_json_get_str(jwk, "x5t"), vl_buf_cstr(&kid));
    assert_str(vl_json_get_str(jwk, "kid"), vl_buf_cstr(&kid));
    assert_int_equal(vl_json_get_str(jwk, "n").n, 342);
    const struct json_t *chain = vl_json_get(jwk, "x5c");
    assert_int_equal(vl_json_size(chain), 1);
    vl_auto(vl_buf) der = vl_buf_of(4096);
    assert_true(vl_dec_base64(vl_json_str(vl_json_at(chain, 0)), &der));
    assert_true(vl_str_eq(vl_buf_str(&der), vl_buf_str(&cert)));
    assert_null(vl_json_get(jwk, "d"));

    struct vl_jwks *set = parsed(vl_buf_cstr(&json));
    const struct vl_pkey *half = vl_jwks_find(set, vl_buf_str(&kid));
    assert_non_null(half);
    assert_str(vl_jwks_issuer(set, vl_buf_str(&kid)), "https://i/v2.0");
    vl_auto(vl_buf) signature = vl_buf_of(512);
    assert_ok(vl_pkey_sign_rs256(key, VL_STR("x"), &signature, NULL));
    assert_ok(
        vl_pkey_verify_rs256(half, VL_STR("x"), vl_buf_str(&signature), NULL));
    vl_jwks_unref(set);
    vl_pkey_free(key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_key_by_its_exact_id),
        cmocka_unit_test(leaves_out_what_must_not_verify),
        cmocka_unit_test(leaves_out_keys_without_a_usable_id),
        cmocka_unit_test(takes_the_first_of_two_keys_with_one_id),
        cmocka_unit_test(refuses_what_is_no_key_set),
        cmocka_unit_test(bounds_the_number_of_keys),
        cmocka_unit_test(lives_until_the_last_holder_lets_go),
        cmocka_unit_test(publishes_a_key_that_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
