/* SPDX-License-Identifier: Apache-2.0 */
#include "core/enc.h"

#include "vl_test.h"

/* RFC 4648 section 10 */
static const struct {
    const char *bytes, *base64, *base64url, *hex;
} vectors[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
};

static void
encodes_the_vectors(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    for (size_t i = 0; i < VL_COUNT(vectors); i++) {
        struct vl_str bytes = vl_test_guarded(vl_str_z(vectors[i].bytes));
        vl_buf_clear(&b);
        vl_enc_base64(&b, bytes);
        assert_string_equal(vl_buf_cstr(&b), vectors[i].base64);
        vl_buf_clear(&b);
        vl_enc_base64url(&b, bytes);
        assert_string_equal(vl_buf_cstr(&b), vectors[i].base64url);
        vl_buf_clear(&b);
        vl_enc_hex(&b, bytes);
        assert_string_equal(vl_buf_cstr(&b), vectors[i].hex);
        char hex[13];
        vl_hex(bytes, hex);
        assert_string_equal(hex, vectors[i].hex);
        vl_test_unguard(bytes);
    }
}

static void
decodes_the_vectors(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    for (size_t i = 0; i < VL_COUNT(vectors); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(vectors[i].base64));
        vl_buf_clear(&b);
        assert_true(vl_dec_base64(text, &b));
        assert_str(vl_buf_str(&b), vectors[i].bytes);
        vl_test_unguard(text);
        text = vl_test_guarded(vl_str_z(vectors[i].base64url));
        vl_buf_clear(&b);
        assert_true(vl_dec_base64url(text, &b));
        assert_str(vl_buf_str(&b), vectors[i].bytes);
        vl_test_unguard(text);
    }
}

static void
decodes_exactly_as_many_as_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(vectors); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(vectors[i].base64url));
        size_t size = strlen(vectors[i].bytes);
        char ret[8];
        assert_true(vl_dec_base64url_into(text, ret, size));
        assert_memory_equal(ret, vectors[i].bytes, size);
        assert_false(vl_dec_base64url_into(text, ret, size + 1));
        if (size)
            assert_false(vl_dec_base64url_into(text, ret, size - 1));
        vl_test_unguard(text);
    }
    char ret[8];
    assert_false(vl_dec_base64url_into(VL_STR("Zh"), ret, 1));
    assert_false(vl_dec_base64url_into(VL_STR("Zg=="), ret, 1));
    assert_false(vl_dec_base64url_into(VL_STR("Zm9vY"), ret, 3));
    assert_false(vl_dec_base64url_into(VL_STR("Zm9+"), ret, 3));
}

static void
comes_back_from_every_byte(void **state)
{
    (void)state;
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    for (size_t n = 253; n <= 256; n++) {
        struct vl_str bytes = vl_str_of(all, n);
        vl_auto(vl_buf) text = vl_buf_of(1000), back = vl_buf_of(256);
        vl_enc_base64url(&text, bytes);
        assert_true(vl_dec_base64url(vl_buf_str(&text), &back));
        assert_true(vl_str_eq(vl_buf_str(&back), bytes));
        vl_buf_clear(&text);
        vl_buf_clear(&back);
        vl_enc_base64(&text, bytes);
        assert_true(vl_dec_base64(vl_buf_str(&text), &back));
        assert_true(vl_str_eq(vl_buf_str(&back), bytes));
        vl_buf_clear(&text);
        vl_buf_clear(&back);
        vl_enc_percent(&text, bytes);
        assert_true(vl_dec_percent(vl_buf_str(&text), true, &back));
        assert_true(vl_str_eq(vl_buf_str(&back), bytes));
    }
}

/* RFC 4648 sections 3.1 to 3.5: no breaks, no other letters, no second text
 * for the same bytes. */
static void
refuses_base64_that_is_not_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool url, plain; /* is it good as … ? */
    } cases[] = {
        {"Zg==", false, true},      {"Zg", true, false},
        {"Zg=", false, false},      {"Zg===", false, false},
        {"Zh==", false, false},     {"Zh", false, false},
        {"Zm9=", false, false},     {"Zm9", false, false},
        {"Z", false, false},        {"Z===", false, false},
        {"=", false, false},        {"====", false, false},
        {"Zg==Zg==", false, false}, {"Zm9v\n", false, false},
        {"Zm 9v", false, false},    {"Zm9v ", false, false},
        {"+//+", false, true},      {"-__-", true, false},
        {"+_/-", false, false},     {"Zm9\xc3", false, false},
        {"Zm9%", false, false},     {"AAA=", false, true},
        {"=AAA", false, false},     {"A=AA", false, false},
    };
    vl_auto(vl_buf) b = vl_buf_of(100);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i].text));
        vl_buf_clear(&b);
        vl_buf_addc(&b, '!');
        assert_true(vl_dec_base64url(text, &b) == cases[i].url);
        if (!cases[i].url)
            assert_str(vl_buf_str(&b), "!");
        vl_buf_clear(&b);
        vl_buf_addc(&b, '!');
        assert_true(vl_dec_base64(text, &b) == cases[i].plain);
        if (!cases[i].plain)
            assert_str(vl_buf_str(&b), "!");
        vl_test_unguard(text);
    }
    assert_false(vl_dec_base64url(VL_STR("Zm9v\0"), &b));
}

/* RFC 3986 section 2.3: unreserved characters stay. */
static void
escapes_all_but_the_unreserved(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(200);
    vl_enc_percent(&b, VL_STR("azAZ09-._~"));
    assert_string_equal(vl_buf_cstr(&b), "azAZ09-._~");
    vl_buf_clear(&b);
    vl_enc_percent(&b, VL_STR(":/?#[]@!$&'()*+,;= %\"<>\\^`{|}\x7f\n"));
    assert_string_equal(
        vl_buf_cstr(&b),
        "%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20%25%22%3C"
        "%3E%5C%5E%60%7B%7C%7D%7F%0A");
    vl_buf_clear(&b);
    vl_enc_percent(&b, VL_STR("\xc3\xa9\0\xff"));
    assert_string_equal(vl_buf_cstr(&b), "%C3%A9%00%FF");
}

static void
reads_escapes(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_true(vl_dec_percent(VL_STR("a+b%20c%c3%A9%2B"), true, &b));
    assert_str(vl_buf_str(&b), "a b c\xc3\xa9+");
    vl_buf_clear(&b);
    assert_true(vl_dec_percent(VL_STR("a+b"), false, &b));
    assert_str(vl_buf_str(&b), "a+b");
    vl_buf_clear(&b);
    /* Once, never twice. */
    assert_true(vl_dec_percent(VL_STR("%2541"), true, &b));
    assert_str(vl_buf_str(&b), "%41");
    static const char *const bad[] = {"%",   "%4",  "a%",   "%g0",    "%0g",
                                      "% 1", "%+1", "%%41", "%u0041", "%-1"};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(bad[i]));
        assert_false(vl_dec_percent(text, true, &b));
        assert_str(vl_buf_str(&b), "%41");
        vl_test_unguard(text);
    }
}

static void
shows_a_full_buffer(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(7);
    vl_enc_base64(&b, VL_STR("foobar"));
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
    vl_auto(vl_buf) small = vl_buf_of(5);
    assert_false(vl_dec_base64(VL_STR("Zm9vYmFy"), &small));
    assert_int_equal(vl_buf_size(&small), 0);
    assert_ok(vl_buf_check(&small, NULL)); /* as it was: nothing was refused */
    vl_auto(vl_buf) three = vl_buf_of(3);
    assert_true(vl_dec_base64(VL_STR("Zm9v"), &three));
    assert_str(vl_buf_str(&three), "foo");
}

/* A failed append must not be forgotten because a decoder failed after it. */
static void
leaves_an_earlier_failure(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(3);
    vl_buf_addz(&b, "four");
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
    assert_false(vl_dec_base64(VL_STR("!"), &b));
    assert_false(vl_dec_base64url(VL_STR("Zg"), &b));
    assert_false(vl_dec_percent(VL_STR("%"), true, &b));
    assert_int_equal(vl_buf_check(&b, NULL), VALET_LIMIT);
}

static void
leaves_what_was_consumed(void **state)
{
    (void)state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    vl_buf_addz(&b, "0123456789");
    vl_buf_consume(&b, 6);
    assert_false(vl_dec_base64url(VL_STR("Zm9v!"), &b));
    assert_str(vl_buf_str(&b), "6789");
    assert_true(vl_dec_base64url(VL_STR("Zm9v"), &b));
    assert_str(vl_buf_str(&b), "6789foo");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_vectors),
        cmocka_unit_test(decodes_the_vectors),
        cmocka_unit_test(decodes_exactly_as_many_as_wanted),
        cmocka_unit_test(comes_back_from_every_byte),
        cmocka_unit_test(refuses_base64_that_is_not_canonical),
        cmocka_unit_test(escapes_all_but_the_unreserved),
        cmocka_unit_test(reads_escapes),
        cmocka_unit_test(shows_a_full_buffer),
        cmocka_unit_test(leaves_an_earlier_failure),
        cmocka_unit_test(leaves_what_was_consumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
