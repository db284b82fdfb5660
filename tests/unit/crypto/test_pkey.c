/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pkey.h"

#include <pthread.h>

#include "core/enc.h"
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

static struct vl_buf
signature_of(const struct vl_pkey *key, struct vl_str text)
{
    struct vl_buf out = vl_buf_of(512);
    assert_ok(vl_pkey_sign_rs256(key, text, &out, NULL));
    return out;
}

static struct vl_pkey *
public_half(const struct vl_pkey *key)
{
    struct vl_pkey *half = NULL;
    vl_auto(vl_buf) n = vl_buf_of(512), e = vl_buf_of(512);
    vl_pkey_rsa_numbers(key, &n, &e);
    assert_ok(vl_pkey_of_rsa(vl_buf_str(&n), vl_buf_str(&e), &half, NULL));
    return half;
}

static void
verifies_what_it_signed(void **state)
{
    const struct vl_str text = VL_STR("header.payload");
    vl_auto(vl_buf) signature = signature_of(*state, text);
    struct vl_pkey *half = public_half(*state);
    assert_int_equal(vl_buf_size(&signature), 256);
    for (int i = 0; i < 3; i++) { /* the prepared context is not used up */
        assert_ok(
            vl_pkey_verify_rs256(*state, text, vl_buf_str(&signature), NULL));
        assert_ok(
            vl_pkey_verify_rs256(half, text, vl_buf_str(&signature), NULL));
    }
    vl_pkey_free(half);
}

static void
refuses_another_text_or_signature(void **state)
{
    vl_auto(vl_buf) signature = signature_of(*state, VL_STR("text"));
    struct vl_str good = vl_buf_str(&signature);
    char bad[257] = {0};
    assert_int_equal(vl_pkey_verify_rs256(*state, VL_STR("texu"), good, NULL),
                     VALET_DENIED);
    for (size_t i = 0; i < good.n; i++) {
        memcpy(bad, good.p, good.n);
        bad[i] ^= 1;
        assert_int_equal(vl_pkey_verify_rs256(*state, VL_STR("text"),
                                              vl_str_of(bad, good.n), NULL),
                         VALET_DENIED);
    }
    memcpy(bad, good.p, good.n);
    const struct vl_str others[] = {
        vl_str_head(good, 255), vl_str_of(bad, 257), {NULL, 0}};
    for (size_t i = 0; i < VL_COUNT(others); i++)
        assert_int_equal(
            vl_pkey_verify_rs256(*state, VL_STR("text"), others[i], NULL),
            VALET_DENIED);
    assert_ok(vl_pkey_verify_rs256(*state, VL_STR("text"), good, NULL));
}

static void
refuses_another_key(void **state)
{
    vl_auto(vl_buf) signature = signature_of(*state, VL_STR("text"));
    struct vl_pkey *other = NULL;
    assert_ok(vl_pkey_new_rsa(2048, &other, NULL));
    assert_int_equal(vl_pkey_verify_rs256(other, VL_STR("text"),
                                          vl_buf_str(&signature), NULL),
                     VALET_DENIED);
    vl_pkey_free(other);
}

static void
cannot_sign_with_a_public_key(void **state)
{
    struct vl_pkey *half = public_half(*state);
    vl_auto(vl_buf) out = vl_buf_of(10000);
    assert_int_equal(vl_pkey_sign_rs256(half, VL_STR("text"), &out, NULL),
                     VALET_INVALID);
    assert_int_equal(vl_pkey_self_signed(half, "x", &out, NULL), VALET_INVALID);
    assert_int_equal(vl_buf_size(&out), 0);
    vl_pkey_free(half);
}

static void
refuses_sizes_out_of_range(void **state)
{
    (void)state;
    struct vl_pkey *key = NULL;
    assert_int_equal(vl_pkey_new_rsa(1024, &key, NULL), VALET_INVALID);
    assert_int_equal(vl_pkey_new_rsa(2047, &key, NULL), VALET_INVALID);
    assert_int_equal(vl_pkey_new_rsa(4097, &key, NULL), VALET_INVALID);
    assert_null(key);
}

/* Is a modulus of `bits` bits, all set but the last as told, taken? */
static valet_status
take(unsigned bits, bool odd, struct vl_str e)
{
    unsigned char n[600];
    size_t size = (bits + 7) / 8;
    memset(n, 0xff, sizeof n);
    n[0] = (unsigned char)(0xff >> (size * 8 - bits));
    n[size - 1] = odd ? 0xff : 0xfe;
    struct vl_pkey *key = NULL;
    valet_status status = vl_pkey_of_rsa(vl_str_of(n, size), e, &key, NULL);
    assert_true((status == VALET_OK) == (key != NULL));
    vl_pkey_free(key);
    return status;
}

/* @spec S-15 */
static void
refuses_weak_public_numbers(void **state)
{
    (void)state;
    const struct vl_str f4 = VL_STR("\x01\x00\x01");
    assert_ok(take(2048, true, f4));
    assert_ok(take(4096, true, f4));
    assert_ok(take(2048, true, VL_STR("\x03")));
    assert_ok(take(2048, true, VL_STR("\x00\x03")));
    const struct {
        unsigned bits;
        bool odd;
        struct vl_str e;
    } bad[] = {
        {2047, true, f4},
        {1024, true, f4},
        {512, true, f4},
        {4097, true, f4},
        {4800, true, f4},
        {2048, false, f4},
        {2048, true, VL_STR("\x01")},
        {2048, true, VL_STR("\x02")},
        {2048, true, VL_STR("\x00")},
        {2048, true, VL_STR("")},
        {2048, true, VL_STR("\x01\x00\x00")},
        {2048, true, VL_STR("\x01\x00\x00\x00\x01")},
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(take(bad[i].bits, bad[i].odd, bad[i].e),
                         VALET_INVALID);
    struct vl_pkey *key = NULL;
    assert_int_equal(vl_pkey_of_rsa((struct vl_str){NULL, 0}, f4, &key, NULL),
                     VALET_INVALID);
}

static bool
holds(struct vl_str text, struct vl_str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (vl_str_starts(vl_str_from(text, i), part))
            return true;
    return false;
}

static void
makes_a_certificate_of_its_own(void **state)
{
    vl_auto(vl_buf) der = vl_buf_of(4096), other = vl_buf_of(4096);
    assert_ok(vl_pkey_self_signed(*state, "stand-in", &der, NULL));
    assert_ok(vl_pkey_self_signed(*state, "stand-in", &other, NULL));
    struct vl_str bytes = vl_buf_str(&der);
    /* SEQUENCE with a two-byte length that covers all of it. */
    assert_true(bytes.n > 600);
    assert_memory_equal(bytes.p, "\x30\x82", 2);
    size_t inner = (size_t)(unsigned char)bytes.p[2] << 8 |
                   (size_t)(unsigned char)bytes.p[3];
    assert_int_equal(inner + 4, bytes.n);
    assert_true(holds(bytes, VL_STR("stand-in")));
    assert_false(vl_str_eq(bytes, vl_buf_str(&other))); /* serial numbers */
    vl_auto(vl_buf) small = vl_buf_of(100);
    assert_int_equal(vl_pkey_self_signed(*state, "x", &small, NULL),
                     VALET_LIMIT);
}

struct job {
    const struct vl_pkey *key;
    struct vl_str signature;
    int good;
};

static void *
verify_often(void *arg)
{
    struct job *job = arg;
    for (int i = 0; i < 200; i++)
        if (vl_pkey_verify_rs256(job->key, VL_STR("text"), job->signature,
                                 NULL) == VALET_OK)
            job->good++;
    return NULL;
}

static void
lets_threads_share_a_key(void **state)
{
    vl_auto(vl_buf) signature = signature_of(*state, VL_STR("text"));
    struct vl_pkey *half = public_half(*state);
    struct job jobs[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct job){half, vl_buf_str(&signature), 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, verify_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].good, 200);
    }
    vl_pkey_free(half);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_what_it_signed),
        cmocka_unit_test(refuses_another_text_or_signature),
        cmocka_unit_test(refuses_another_key),
        cmocka_unit_test(cannot_sign_with_a_public_key),
        cmocka_unit_test(refuses_sizes_out_of_range),
        cmocka_unit_test(refuses_weak_public_numbers),
        cmocka_unit_test(makes_a_certificate_of_its_own),
        cmocka_unit_test(lets_threads_share_a_key),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
