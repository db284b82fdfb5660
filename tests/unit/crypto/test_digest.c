/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include "core/enc.h"
#include "vl_test.h"

/* Bytes of a hexadecimal text. */
static struct vl_str
unhex(const char *hex, char *room)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        room[i] = (char)strtoul(two, NULL, 16);
    }
    return vl_str_of(room, n);
}

static void
assert_hex(const unsigned char *bytes, size_t n, const char *hex)
{
    vl_auto(vl_buf) text = vl_buf_of(1000);
    vl_enc_hex(&text, vl_str_of(bytes, n));
    assert_str(vl_buf_str(&text), hex);
}

static void
hashes_as_fips_180_says(void **state)
{
    (void)state;
    unsigned char hash[VL_SHA256_SIZE], old[VL_SHA1_SIZE];
    vl_sha256(VL_STR("abc"), hash);
    assert_hex(hash, sizeof hash,
               "ba7816bf8f01cfea414140de5dae2223"
               "b00361a396177a9cb410ff61f20015ad");
    vl_sha256((struct vl_str){NULL, 0}, hash);
    assert_hex(hash, sizeof hash,
               "e3b0c44298fc1c149afbf4c8996fb924"
               "27ae41e4649b934ca495991b7852b855");
    vl_sha1_thumbprint(VL_STR("abc"), old);
    assert_hex(old, sizeof old, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

#define FIVE(x)   x x x x x
#define TWENTY(x) FIVE(x) FIVE(x) FIVE(x) FIVE(x)

/* RFC 4231 section 4, test cases 1 to 4, 6 and 7 (5 is truncated). */
static void
authenticates_as_rfc_4231_says(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *mac;
    } cases[] = {
        {TWENTY("0b"), "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {TWENTY("aa"), TWENTY("dd") TWENTY("dd") FIVE("dd") FIVE("dd"),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         TWENTY("cd") TWENTY("cd") FIVE("cd") FIVE("cd"),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {TWENTY("aa") TWENTY("aa") TWENTY("aa") TWENTY("aa") TWENTY("aa")
             TWENTY("aa") FIVE("aa") "aaaaaaaaaaaa",
         "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
         "65204b6579202d2048617368204b6579204669727374",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {TWENTY("aa") TWENTY("aa") TWENTY("aa") TWENTY("aa") TWENTY("aa")
             TWENTY("aa") FIVE("aa") "aaaaaaaaaaaa",
         "5468697320697320612074657374207573696e672061206c6172676572207468"
         "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
         "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
         "647320746f20626520686173686564206265666f7265206265696e6720757365"
         "642062792074686520484d414320616c676f726974686d2e",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char key_room[200], text_room[200];
        unsigned char mac[VL_SHA256_SIZE];
        vl_auto(vl_secret) key = vl_secret_of(unhex(cases[i].key, key_room));
        struct vl_str text = unhex(cases[i].text, text_room);
        vl_hmac_sha256(&key, text, mac);
        assert_hex(mac, sizeof mac, cases[i].mac);

        /* One key made ready serves again and again. */
        struct vl_hmac *hmac = vl_hmac_new(&key);
        for (int round = 0; round < 2; round++) {
            memset(mac, 0, sizeof mac);
            vl_hmac_sum(hmac, text, mac);
            assert_hex(mac, sizeof mac, cases[i].mac);
        }
        vl_hmac_free(hmac);
    }
}

/* The result may overwrite what it is made of. */
static void
authenticates_in_place(void **state)
{
    (void)state;
    unsigned char apart[VL_SHA256_SIZE], bytes[VL_SHA256_SIZE] = {1, 2, 3};
    vl_auto(vl_secret) key = vl_secret_of(VL_STR("key"));
    struct vl_hmac *hmac = vl_hmac_new(&key);
    vl_hmac_sum(hmac, vl_str_of(bytes, sizeof bytes), apart);
    vl_hmac_sum(hmac, vl_str_of(bytes, sizeof bytes), bytes);
    assert_memory_equal(apart, bytes, sizeof bytes);
    vl_hmac_free(hmac);
    vl_hmac_free(NULL);
}

/* RFC 5869 appendix A, the three cases with SHA-256. */
static void
derives_as_rfc_5869_says(void **state)
{
    (void)state;
    static const struct {
        const char *ikm, *salt, *info, *okm;
    } cases[] = {
        {TWENTY("0b") "0b0b", "000102030405060708090a0b0c",
         "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
         "34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
         "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
         "404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
         "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
         "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
         "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
         "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
         "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
         "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {TWENTY("0b") "0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
         "9d201395faa4b61a96c8"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char ikm[100], salt[100], info[100];
        unsigned char okm[100];
        size_t size = strlen(cases[i].okm) / 2;
        vl_auto(vl_secret) key = vl_secret_of(unhex(cases[i].ikm, ikm));
        vl_hkdf_sha256(unhex(cases[i].salt, salt), &key,
                       unhex(cases[i].info, info), okm, size);
        assert_hex(okm, size, cases[i].okm);
    }
}

static void
derives_another_key_for_another_label(void **state)
{
    (void)state;
    char room[22];
    vl_auto(vl_secret) key = vl_secret_of(unhex(TWENTY("0b") "0b0b", room));
    vl_auto(vl_secret) none = vl_hkdf(&key, "");
    vl_auto(vl_secret) a = vl_hkdf(&key, "a");
    vl_auto(vl_secret) b = vl_hkdf(&key, "b");
    vl_auto(vl_secret) again = vl_hkdf(&key, "a");
    struct vl_str bytes = vl_secret_reveal(&none);
    assert_int_equal(bytes.n, 32);
    assert_hex((const unsigned char *)bytes.p, bytes.n,
               "8da4e775a563c18f715f802a063c5a31"
               "b8a11f5c5ee1879ec3454e5f3c738d2d");
    assert_false(vl_secret_eq(&a, &b));
    assert_true(vl_secret_eq(&a, &again));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_fips_180_says),
        cmocka_unit_test(authenticates_as_rfc_4231_says),
        cmocka_unit_test(authenticates_in_place),
        cmocka_unit_test(derives_as_rfc_5869_says),
        cmocka_unit_test(derives_another_key_for_another_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
