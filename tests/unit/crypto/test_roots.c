/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/roots.h"

#include <openssl/err.h>

#include "crypto/ca.h"
#include "vl_test.h"

/* Two certificates, as PEM. */
static void
add_two(struct vl_buf *out)
{
    struct vl_ca *authority;
    assert_ok(vl_ca_new("an authority", &authority, NULL));
    assert_ok(vl_ca_certificate(authority, out, NULL));
    assert_ok(vl_ca_certificate(authority, out, NULL));
    vl_ca_free(authority);
}

static void
refuses(struct vl_str pem, const char *says)
{
    valet_error err = {0};
    assert_int_equal(vl_roots_check(pem, &err), VALET_INVALID);
    assert_non_null(strstr(err.message, says));
    assert_int_equal(ERR_peek_error(), 0);
}

static void
takes_certificates_and_what_stands_between_them(void **state)
{
    (void)state;
    vl_auto(vl_buf) pem = vl_buf_of(16384);
    vl_buf_addz(&pem, "# Our authorities\n");
    add_two(&pem);
    vl_buf_addz(&pem, "\nand another\r\n");
    add_two(&pem);
    assert_ok(vl_roots_check(vl_buf_str(&pem), NULL));
    assert_int_equal(ERR_peek_error(), 0);
}

static void
refuses_what_has_no_certificate(void **state)
{
    (void)state;
    struct vl_ca *authority;
    static const char *const names[] = {"localhost"};
    vl_auto(vl_buf) certificate = vl_buf_of(8192);
    vl_auto(vl_buf) key = vl_buf_of_secret(8192);
    assert_ok(vl_ca_new("an authority", &authority, NULL));
    assert_ok(vl_ca_issue(authority, names, 1, &certificate, &key, NULL));
    vl_ca_free(authority);
    refuses((struct vl_str){NULL, 0}, "no certificate");
    refuses(VL_STR("not-a-secret"), "no certificate");
    refuses(vl_buf_str(&key), "no certificate");
}

/* Wherever one byte of the second certificate is changed or the text ends. */
static void
refuses_all_when_one_is_broken(void **state)
{
    (void)state;
    vl_auto(vl_buf) pem = vl_buf_of(8192);
    add_two(&pem);
    struct vl_str text = vl_buf_str(&pem);
    const char *second = strstr(vl_buf_cstr(&pem) + 1, "-----BEGIN");
    assert_non_null(second);
    size_t at = (size_t)(second - text.p);
    refuses(vl_str_head(text, text.n - 40), "broken");
    refuses(vl_str_head(text, at + 40), "broken");
    refuses(VL_STR("-----BEGIN CERTIFICATE-----\nMIIB\n"
                   "-----END CERTIFICATE-----\n"),
            "broken");
    pem.p[at + 60] = '!';
    refuses(text, "broken");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_certificates_and_what_stands_between_them),
        cmocka_unit_test(refuses_what_has_no_certificate),
        cmocka_unit_test(refuses_all_when_one_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
