/* SPDX-License-Identifier: Apache-2.0
 *
 * Most hostile tokens here carry a signature that is really ours: what is
 * wrong with them is the one thing the test names, and nothing else could be
 * the reason for the refusal.
 */
#include "jose/jwt.h"

#include "core/enc.h"
#include "core/limits.h"
#include "crypto/digest.h"
#include "vl_test.h"

#define N                                                                      \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP" \
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s" \
    "oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2" \
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" \
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

#define HEADER "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"ours\"}"
#define CLAIMS "{\"sub\":\"alice\",\"exp\":1}"

/* Ours signs; the set also holds another's key, under "other". */
struct desk {
    struct vl_pkey *key;
    struct vl_jwks *set;
};

static void
add_jwk(struct vl_buf *json, const struct vl_pkey *key, const char *kid)
{
    vl_auto(vl_buf) n = vl_buf_of(600), e = vl_buf_of(600);
    vl_pkey_rsa_numbers(key, &n, &e);
    vl_buf_addf(json, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"", kid);
    vl_enc_base64url(json, vl_buf_str(&n));
    vl_buf_addz(json, "\",\"e\":\"AQAB\",\"issuer\":\"https://i\"}");
}

static int
make_desk(void **state)
{
    static struct desk desk;
    vl_auto(vl_buf) json = vl_buf_of(10000);
    if (vl_pkey_new_rsa(2048, &desk.key, NULL) != VALET_OK)
        return -1;
    vl_buf_addz(&json, "{\"keys\":[");
    add_jwk(&json, desk.key, "ours");
    vl_buf_addz(&json, ",{\"kty\":\"RSA\",\"kid\":\"other\",\"e\":\"AQAB\","
                       "\"n\":\"" N "\"}]}");
    if (vl_jwks_parse(vl_buf_str(&json), &desk.set, NULL) != VALET_OK)
        return -1;
    *state = &desk;
    return 0;
}

static int
free_desk(void **state)
{
    struct desk *desk = *state;
    vl_pkey_free(desk->key);
    vl_jwks_unref(desk->set);
    return 0;
}

/* A token over exactly these bytes, with a good signature of ours. */
static struct vl_buf
signed_over(const struct desk *desk, struct vl_str header, struct vl_str claims)
{
    struct vl_buf token = vl_buf_of(200000);
    vl_auto(vl_buf) signature = vl_buf_of(512);
    vl_enc_base64url(&token, header);
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, claims);
    assert_ok(
        vl_pkey_sign_rs256(desk->key, vl_buf_str(&token), &signature, NULL));
    vl_buf_addc(&token, '.');
    vl_enc_base64url(&token, vl_buf_str(&signature));
    return token;
}

static valet_status
verify(const struct desk *desk, struct vl_str token, struct vl_json *claims)
{
    struct vl_str guarded = vl_test_guarded(token);
    valet_status status = vl_jwt_verify(guarded, desk->set, claims, NULL);
    vl_test_unguard(guarded);
    return status;
}

static void
refuses(const struct desk *desk, struct vl_str token, const char *what)
{
    struct vl_json claims = {NULL};
    valet_status status = verify(desk, token, &claims);
    if (status != VALET_DENIED)
        fail_msg("%s: %s", valet_status_name(status), what);
    assert_null(claims.root);
}

/* RFC 7515 appendix A.2; its header names no key, so the parts are checked. */
static void
verifies_the_example_of_rfc_7515(void **state)
{
    const struct desk *desk = *state;
    static const char text[] =
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char encoded[] =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI"
        "m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB"
        "--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN938"
        "3LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
        "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    vl_auto(vl_buf) signature = vl_buf_of(512), token = vl_buf_of(10000);
    assert_true(vl_dec_base64url(vl_str_z(encoded), &signature));
    assert_ok(vl_pkey_verify_rs256(vl_jwks_find(desk->set, VL_STR("other")),
                                   vl_str_z(text), vl_buf_str(&signature),
                                   NULL));
    vl_buf_addf(&token, "%s.%s", text, encoded);
    refuses(desk, vl_buf_str(&token), "a token without a key id");
}

static void
verifies_what_it_signed(void **state)
{
    const struct desk *desk = *state;
    vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_JWT);
    vl_auto(vl_json) claims = {NULL};
    struct vl_str issuer = {NULL, 0};
    assert_ok(
        vl_jwt_sign(desk->key, VL_STR("ours"), VL_STR(CLAIMS), &token, NULL));
    assert_ok(vl_jwt_verify_key(vl_buf_str(&token), desk->set, &claims, &issuer,
                                NULL));
    assert_str(vl_json_get_str(claims.root, "sub"), "alice");
    assert_str(issuer, "https://i");
    vl_auto(vl_buf) same = signed_over(desk, VL_STR(HEADER), VL_STR(CLAIMS));
    assert_true(vl_str_eq(vl_buf_str(&token), vl_buf_str(&same)));
}

static void
signs_only_objects(void **state)
{
    const struct desk *desk = *state;
    static const char *const texts[] = {"[]", "", "{", "null", "{\"a\":1}x"};
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_JWT);
        assert_int_equal(vl_jwt_sign(desk->key, VL_STR("ours"),
                                     vl_str_z(texts[i]), &token, NULL),
                         VALET_INVALID);
        assert_int_equal(vl_buf_size(&token), 0);
    }
    vl_auto(vl_buf) small = vl_buf_of(100);
    assert_int_equal(
        vl_jwt_sign(desk->key, VL_STR("ours"), VL_STR(CLAIMS), &small, NULL),
        VALET_LIMIT);
}

static void
tells_an_unknown_key_apart(void **state)
{
    const struct desk *desk = *state;
    static const char *const headers[] = {
        "{\"alg\":\"RS256\",\"kid\":\"new\"}",
        "{\"alg\":\"RS256\",\"kid\":\"OURS\"}",
        "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}",
        "{\"alg\":\"RS256\",\"kid\":\"ours' OR '1'='1\"}",
    };
    for (size_t i = 0; i < VL_COUNT(headers); i++) {
        vl_auto(vl_buf) token =
            signed_over(desk, vl_str_z(headers[i]), VL_STR(CLAIMS));
        struct vl_json claims = {NULL};
        assert_int_equal(verify(desk, vl_buf_str(&token), &claims),
                         VALET_NOT_FOUND);
    }
}

/* @spec S-15 */
static void
refuses_hostile_headers_though_well_signed(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"ours\"}",
        "{\"alg\":\"None\",\"kid\":\"ours\"}",
        "{\"alg\":\"NONE\",\"kid\":\"ours\"}",
        "{\"alg\":\"\",\"kid\":\"ours\"}",
        "{\"alg\":null,\"kid\":\"ours\"}",
        "{\"alg\":[\"RS256\"],\"kid\":\"ours\"}",
        "{\"alg\":\"rs256\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS256 \",\"kid\":\"ours\"}",
        "{\"alg\":\"RS2567\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS512\",\"kid\":\"ours\"}",
        "{\"alg\":\"PS256\",\"kid\":\"ours\"}",
        "{\"alg\":\"ES256\",\"kid\":\"ours\"}",
        "{\"alg\":\"HS256\",\"kid\":\"ours\"}",
        "{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\",\"kid\":\"ours\"}",
        "{\"kid\":\"ours\"}",
        "{\"Alg\":\"RS256\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"kid\":\"\"}",
        "{\"alg\":\"RS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"kid\":7}",
        "{\"alg\":\"RS256\",\"kid\":[\"ours\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"other\"}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\\u0000\"}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"crit\":[]}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS256\",\"\\u0061lg\":\"RS256\",\"kid\":\"ours\"}",
        "[\"RS256\",\"ours\"]",
        "\"RS256\"",
        "null",
        "{\"alg\":\"RS256\",\"kid\":\"ours\"",
        "{\"alg\":\"RS256\",\"kid\":\"ours\"}{}",
        "\xEF\xBB\xBF{\"alg\":\"RS256\",\"kid\":\"ours\"}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"x\":[[[[1]]]]}",
        "{\"alg\":\"RS256\",\"kid\":\"ours\",\"x\":\"\xC0\xAE\"}",
    };
    for (size_t i = 0; i < VL_COUNT(headers); i++) {
        vl_auto(vl_buf) token =
            signed_over(*state, vl_str_z(headers[i]), VL_STR(CLAIMS));
        refuses(*state, vl_buf_str(&token), headers[i]);
    }
}

static void
refuses_claims_that_are_no_object(void **state)
{
    static const char *const claims[] = {
        "[]",     "[{\"sub\":\"alice\"}]",
        "\"x\"",  "1",
        "null",   "{\"sub\":\"alice\",\"sub\":\"bob\"}",
        "{",      "{\"sub\":\"alice\"}garbage",
        "alice",  "{\"sub\":\"a\\u0000b\"}",
        "{a:1}",  "{\"sub\":\"\xFF\"}",
        "{} {}\n"};
    for (size_t i = 0; i < VL_COUNT(claims); i++) {
        vl_auto(vl_buf) token =
            signed_over(*state, VL_STR(HEADER), vl_str_z(claims[i]));
        refuses(*state, vl_buf_str(&token), claims[i]);
    }
    char deep[202];
    memcpy(deep, "{\"a\":", 5);
    memset(deep + 5, '[', 98);
    memset(deep + 103, ']', 98);
    deep[201] = '}';
    vl_auto(vl_buf) token =
        signed_over(*state, VL_STR(HEADER), vl_str_of(deep, sizeof deep));
    refuses(*state, vl_buf_str(&token), "deep claims");
}

/* The header may say what it likes about keys: ours are the only ones. */
static void
ignores_keys_the_header_brings(void **state)
{
    const struct desk *desk = *state;
    struct desk attacker = {NULL, desk->set};
    assert_ok(vl_pkey_new_rsa(2048, &attacker.key, NULL));
    vl_auto(vl_buf) header = vl_buf_of(10000);
    vl_buf_addz(&header, "{\"alg\":\"RS256\",\"kid\":\"ours\",\"jku\":\"http:"
                         "//evil/\",\"x5u\":\"http://evil/\",\"jwk\":");
    add_jwk(&header, attacker.key, "ours");
    vl_buf_addc(&header, '}');
    vl_auto(vl_buf) forged =
        signed_over(&attacker, vl_buf_str(&header), VL_STR(CLAIMS));
    refuses(desk, vl_buf_str(&forged), "a key in the header");
    /* The same header with our signature is good: the key is just not used. */
    vl_auto(vl_buf) honest =
        signed_over(desk, vl_buf_str(&header), VL_STR(CLAIMS));
    vl_auto(vl_json) claims = {NULL};
    assert_ok(verify(desk, vl_buf_str(&honest), &claims));
    vl_pkey_free(attacker.key);
}

/* The oldest trick: our public key, known to all, as the secret of an HMAC. */
static void
refuses_an_hmac_keyed_with_the_public_key(void **state)
{
    const struct desk *desk = *state;
    vl_auto(vl_buf) n = vl_buf_of(600), e = vl_buf_of(600);
    vl_auto(vl_buf) token = vl_buf_of(10000), jwk = vl_buf_of(10000);
    vl_pkey_rsa_numbers(desk->key, &n, &e);
    add_jwk(&jwk, desk->key, "ours");
    const struct vl_str secrets[] = {vl_buf_str(&n), vl_buf_str(&jwk)};
    for (size_t i = 0; i < VL_COUNT(secrets); i++) {
        unsigned char mac[VL_SHA256_SIZE];
        vl_auto(vl_secret) secret = vl_secret_of(secrets[i]);
        vl_buf_clear(&token);
        vl_enc_base64url(&token,
                         VL_STR("{\"alg\":\"HS256\",\"kid\":\"ours\"}"));
        vl_buf_addc(&token, '.');
        vl_enc_base64url(&token, VL_STR(CLAIMS));
        vl_hmac_sha256(&secret, vl_buf_str(&token), mac);
        vl_buf_addc(&token, '.');
        vl_enc_base64url(&token, vl_str_of(mac, sizeof mac));
        refuses(desk, vl_buf_str(&token), "HS256 with the public key");
    }
}

static void
refuses_what_has_not_three_parts(void **state)
{
    vl_auto(vl_buf) token = signed_over(*state, VL_STR(HEADER), VL_STR(CLAIMS));
    struct vl_str good = vl_buf_str(&token);
    size_t first = vl_str_index(good, '.');
    size_t second = first + 1 + vl_str_index(vl_str_from(good, first + 1), '.');
    const struct vl_str cuts[] = {
        {NULL, 0},
        vl_str_head(good, first),
        vl_str_head(good, second),
        vl_str_head(good, second + 1),
        vl_str_from(good, first),
        vl_str_from(good, first + 1),
        VL_STR("."),
        VL_STR(".."),
        VL_STR("..."),
        VL_STR("...."),
    };
    for (size_t i = 0; i < VL_COUNT(cuts); i++)
        refuses(*state, cuts[i], "a cut token");
    static const char *const forms[] = {
        "%.*s.",  "%.*s..", ".%.*s",  "%.*s.AAA", " %.*s",    "%.*s ",
        "%.*s\n", "%.*s=",  "%.*s==", "%.*sA",    "%.*sAAAA", "Bearer %.*s"};
    for (size_t i = 0; i < VL_COUNT(forms); i++) {
        char text[4096];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int n = snprintf(text, sizeof text, forms[i], VL_STR_ARG(good));
#pragma GCC diagnostic pop
        refuses(*state, vl_str_of(text, (size_t)n), forms[i]);
    }
}

/* Every proper prefix and every changed letter of a good token. */
static void
refuses_every_cut_and_every_change(void **state)
{
    vl_auto(vl_buf) token = signed_over(*state, VL_STR(HEADER), VL_STR(CLAIMS));
    struct vl_str good = vl_buf_str(&token);
    char bytes[2048];
    assert_true(good.n <= sizeof bytes);
    for (size_t i = 0; i < good.n; i++) {
        refuses(*state, vl_str_head(good, i), "a cut token");
        memcpy(bytes, good.p, good.n);
        bytes[i] = bytes[i] == 'A' ? 'B' : 'A';
        struct vl_json claims = {NULL};
        /* A change in the key id's letters may also name an unknown key. */
        assert_int_not_equal(verify(*state, vl_str_of(bytes, good.n), &claims),
                             VALET_OK);
        assert_null(claims.root);
    }
}

/* The last letter of a part may hide bits that decode to nothing. */
static void
refuses_other_spellings_of_the_same_bytes(void **state)
{
    vl_auto(vl_buf) token = signed_over(*state, VL_STR(HEADER), VL_STR(CLAIMS));
    struct vl_str good = vl_buf_str(&token);
    /* 256 bytes: two letters for the last one, four of their bits unused. */
    char bytes[2048];
    memcpy(bytes, good.p, good.n);
    bytes[good.n - 1]++;
    refuses(*state, vl_str_of(bytes, good.n), "left-over bits");
    for (size_t i = 0; i < good.n; i++) {
        memcpy(bytes, good.p, good.n);
        if (bytes[i] != '-' && bytes[i] != '_')
            continue;
        bytes[i] = bytes[i] == '-' ? '+' : '/';
        refuses(*state, vl_str_of(bytes, good.n), "plain base64");
    }
}

static void
refuses_signatures_of_other_kinds(void **state)
{
    vl_auto(vl_buf) token = vl_buf_of(10000);
    char zeros[600] = {0};
    static const size_t sizes[] = {1, 32, 64, 255, 256, 257, 512, 513};
    for (size_t i = 0; i < VL_COUNT(sizes); i++) {
        vl_buf_clear(&token);
        vl_enc_base64url(&token, VL_STR(HEADER));
        vl_buf_addc(&token, '.');
        vl_enc_base64url(&token, VL_STR(CLAIMS));
        vl_buf_addc(&token, '.');
        vl_enc_base64url(&token, vl_str_of(zeros, sizes[i]));
        refuses(*state, vl_buf_str(&token), "a signature of zeros");
    }
}

static void
bounds_the_size(void **state)
{
    const struct desk *desk = *state;
    static char claims[20000];
    memset(claims, ' ', sizeof claims);
    claims[0] = '{';
    claims[1] = '}';
    vl_auto(vl_buf) fits =
        signed_over(desk, VL_STR(HEADER), vl_str_of(claims, 11000));
    vl_auto(vl_json) doc = {NULL};
    assert_true(vl_buf_size(&fits) <= VL_LIMIT_JWT);
    assert_ok(verify(desk, vl_buf_str(&fits), &doc));
    vl_auto(vl_buf) huge =
        signed_over(desk, VL_STR(HEADER), vl_str_of(claims, 13000));
    assert_true(vl_buf_size(&huge) > VL_LIMIT_JWT);
    refuses(desk, vl_buf_str(&huge), "a huge token");
    claims[1] = ' ';
    memcpy(claims + 5000, &HEADER[1], sizeof HEADER - 2);
    vl_auto(vl_buf) header = signed_over(
        desk, vl_str_of(claims, 5000 + sizeof HEADER - 2), VL_STR(CLAIMS));
    refuses(desk, vl_buf_str(&header), "a huge header");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_the_example_of_rfc_7515),
        cmocka_unit_test(verifies_what_it_signed),
        cmocka_unit_test(signs_only_objects),
        cmocka_unit_test(tells_an_unknown_key_apart),
        cmocka_unit_test(refuses_hostile_headers_though_well_signed),
        cmocka_unit_test(refuses_claims_that_are_no_object),
        cmocka_unit_test(ignores_keys_the_header_brings),
        cmocka_unit_test(refuses_an_hmac_keyed_with_the_public_key),
        cmocka_unit_test(refuses_what_has_not_three_parts),
        cmocka_unit_test(refuses_every_cut_and_every_change),
        cmocka_unit_test(refuses_other_spellings_of_the_same_bytes),
        cmocka_unit_test(refuses_signatures_of_other_kinds),
        cmocka_unit_test(bounds_the_size),
    };
    return cmocka_run_group_tests(tests, make_desk, free_desk);
}
