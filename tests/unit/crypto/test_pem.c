/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include "vl_test.h"

static int
make_key(void **state)
{
    struct vl_pkey *key = NULL;
    if (vl_pkey_new_rsa(2048, &key, NULL) != VALET_OK)
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

/* The certificate of this key: DER, and as text. */
static void
certify(const struct vl_pkey *key, struct vl_buf *ret_der,
        struct vl_buf *ret_text)
{
    assert_ok(vl_pkey_self_signed(key, "somebody", ret_der, NULL));
    assert_ok(vl_pem_write_certificate(vl_buf_str(ret_der), ret_text, NULL));
}

static void
reads_the_certificate_it_wrote(void **state)
{
    const struct vl_str text = VL_STR("header.payload");
    vl_auto(vl_buf) der = vl_buf_of(4096), pem = vl_buf_of(4096);
    vl_auto(vl_buf) again = vl_buf_of(4096), signature = vl_buf_of(512);
    struct vl_pkey *half = NULL;
    certify(*state, &der, &pem);
    assert_ok(vl_pem_read_public(vl_buf_str(&pem), &again, &half, NULL));
    assert_true(vl_str_eq(vl_buf_str(&der), vl_buf_str(&again)));
    assert_ok(vl_pkey_sign_rs256(*state, text, &signature, NULL));
    assert_ok(vl_pkey_verify_rs256(half, text, vl_buf_str(&signature), NULL));
    vl_pkey_free(half);
}

static void
takes_the_first_of_several_and_what_stands_before(void **state)
{
    vl_auto(vl_buf) der = vl_buf_of(4096), pem = vl_buf_of(4096);
    vl_auto(vl_buf) both = vl_buf_of(16384), again = vl_buf_of(4096);
    struct vl_pkey *half = NULL;
    certify(*state, &der, &pem);
    vl_buf_addz(&both, "subject=CN = somebody\n");
    vl_buf_add(&both, vl_buf_str(&pem));
    vl_buf_addz(&both, "-----BEGIN CERTIFICATE-----\nAAAA\n");
    assert_ok(vl_pem_read_public(vl_buf_str(&both), &again, &half, NULL));
    assert_true(vl_str_eq(vl_buf_str(&der), vl_buf_str(&again)));
    vl_pkey_free(half);
}

static void
refuses_what_is_no_certificate_of_rsa(void **state)
{
    static const char *const texts[] = {
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        /* P-256 */
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
        "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
        "-----END PUBLIC KEY-----\n",
        /* it would ask for a password */
        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
        "-----END CERTIFICATE-----\n",
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        vl_auto(vl_buf) der = vl_buf_of(4096);
        struct vl_pkey *key = NULL;
        assert_int_equal(
            vl_pem_read_public(vl_str_z(texts[i]), &der, &key, NULL),
            VALET_INVALID);
        assert_null(key);
        assert_int_equal(vl_buf_size(&der), 0);
    }
}

static void
writes_the_private_half_only_of_a_private_key(void **state)
{
    vl_auto(vl_buf) der = vl_buf_of(4096), pem = vl_buf_of(4096);
    vl_auto(vl_buf) key = vl_buf_of_secret(8192);
    struct vl_pkey *half = NULL;
    assert_ok(vl_pem_write_key(*state, &key, NULL));
    assert_true(vl_str_starts(vl_buf_str(&key),
                              VL_STR("-----BEGIN PRIVATE KEY-----\n")));
    certify(*state, &der, &pem);
    assert_ok(vl_pem_read_public(vl_buf_str(&pem), &der, &half, NULL));
    vl_buf_clear(&key);
    assert_int_equal(vl_pem_write_key(half, &key, NULL), VALET_INVALID);
    assert_int_equal(vl_buf_size(&key), 0);
    vl_pkey_free(half);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_certificate_it_wrote),
        cmocka_unit_test(takes_the_first_of_several_and_what_stands_before),
        cmocka_unit_test(refuses_what_is_no_certificate_of_rsa),
        cmocka_unit_test(writes_the_private_half_only_of_a_private_key),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
