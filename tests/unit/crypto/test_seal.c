/* SPDX-License-Identifier: Apache-2.0 */
#include "core/enc.h"
#include "core/sys.h"
#include "crypto/keyring.h"

#include <unistd.h>

#include "vl_test.h"

#define CONTEXT VL_STR("session/7f")

static int
make_ring(void **state)
{
    *state = vl_keyring_new_random();
    return 0;
}

static int
free_ring(void **state)
{
    vl_keyring_free(*state);
    return 0;
}

static struct vl_buf
sealed(const struct vl_keyring *ring, struct vl_str plain)
{
    struct vl_buf out = vl_buf_of(100000);
    assert_ok(vl_seal(ring, CONTEXT, plain, &out, NULL));
    return out;
}

static void
refuses(const struct vl_keyring *ring, struct vl_str context,
        struct vl_str record)
{
    vl_auto(vl_buf) out = vl_buf_of(1000);
    vl_buf_addz(&out, "before");
    struct vl_str guarded = vl_test_guarded(record);
    valet_error err = {.status = VALET_OK};
    assert_int_equal(vl_unseal(ring, context, guarded, &out, &err),
                     VALET_DENIED);
    vl_test_unguard(guarded);
    assert_str(vl_buf_str(&out), "before");
    assert_string_equal(err.message, "the record was not sealed here");
}

/* @spec S-101 */
static void
opens_what_it_sealed(void **state)
{
    struct vl_keyring *ring = *state;
    static char large[50000];
    memset(large, 'x', sizeof large);
    const struct vl_str plains[] = {VL_STR(""), VL_STR("a"),
                                    VL_STR("a refresh token \0 with a NUL"),
                                    vl_str_of(large, sizeof large)};
    for (size_t i = 0; i < VL_COUNT(plains); i++) {
        vl_auto(vl_buf) record = sealed(ring, plains[i]);
        vl_auto(vl_buf) out = vl_buf_of_secret(plains[i].n);
        assert_ok(vl_unseal(ring, CONTEXT, vl_buf_str(&record), &out, NULL));
        assert_true(vl_str_eq(vl_buf_str(&out), plains[i]));
    }
}

static void
appends_to_what_is_there(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    vl_auto(vl_buf) out = vl_buf_of(100);
    vl_buf_addz(&out, "the ");
    assert_ok(vl_unseal(*state, CONTEXT, vl_buf_str(&record), &out, NULL));
    assert_str(vl_buf_str(&out), "the secret");
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
has_the_documented_form(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    struct vl_str bytes = vl_buf_str(&record);
    assert_int_equal(bytes.n, 1 + 1 + strlen("memory") + 12 + 6 + 16);
    assert_memory_equal(bytes.p, "\x01\x06memory", 8);
    assert_false(holds(bytes, VL_STR("secret")));
}

/* @spec W-55 */
static void
seals_the_same_text_differently_each_time(void **state)
{
    vl_auto(vl_buf) one = sealed(*state, VL_STR("secret"));
    vl_auto(vl_buf) two = sealed(*state, VL_STR("secret"));
    struct vl_str a = vl_str_from(vl_buf_str(&one), 8);
    struct vl_str b = vl_str_from(vl_buf_str(&two), 8);
    assert_memory_not_equal(a.p, b.p, 12);
    assert_memory_not_equal(a.p + 12, b.p + 12, 6);
}

/* @spec W-55 */
static void
refuses_every_flipped_bit(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("a secret of some length"));
    struct vl_str good = vl_buf_str(&record);
    char bytes[100];
    assert_true(good.n <= sizeof bytes);
    for (size_t i = 0; i < good.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bytes, good.p, good.n);
            bytes[i] = (char)((unsigned char)bytes[i] ^ (1u << bit));
            refuses(*state, CONTEXT, vl_str_of(bytes, good.n));
        }
    }
}

static void
refuses_what_is_cut_or_longer(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    for (size_t n = 0; n < vl_buf_size(&record); n++)
        refuses(*state, CONTEXT, vl_str_head(vl_buf_str(&record), n));
    vl_buf_addc(&record, '\0');
    refuses(*state, CONTEXT, vl_buf_str(&record));
    refuses(*state, CONTEXT, VL_STR("\x01\xff"));
    refuses(*state, CONTEXT, (struct vl_str){NULL, 0});
}

/* @spec S-101 */
static void
refuses_a_record_in_anothers_place(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    struct vl_str bytes = vl_buf_str(&record);
    refuses(*state, VL_STR("session/7e"), bytes);
    refuses(*state, VL_STR("session/7f0"), bytes);
    refuses(*state, VL_STR("session/7"), bytes);
    refuses(*state, VL_STR(""), bytes);
}

static void
refuses_the_record_of_another_ring(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    struct vl_keyring *other = vl_keyring_new_random();
    refuses(other, CONTEXT, vl_buf_str(&record));
    vl_keyring_free(other);
}

static void
refuses_an_unknown_key_id(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    struct vl_str bytes = vl_buf_str(&record);
    char changed[100];
    memcpy(changed, bytes.p, bytes.n);
    memcpy(changed + 2, "Memory", 6);
    refuses(*state, CONTEXT, vl_str_of(changed, bytes.n));
    changed[1] = 0;
    refuses(*state, CONTEXT, vl_str_of(changed, bytes.n));
}

/*
 * One record made by other means (the formulas of docs/protocol/seal.md in
 * Python), so that the format cannot change without this test.
 */
static void
opens_the_record_of_the_document(void **state)
{
    (void)state;
    char path[] = "/tmp/vl-seal-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char line[] =
        "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
    assert_int_equal(write(fd, line, sizeof line - 1), sizeof line - 1);
    (void)close(fd);
    struct vl_keyring *ring = NULL;
    assert_ok(vl_keyring_open(path, false, NULL, &ring, NULL));
    assert_int_equal(unlink(path), 0);
    vl_auto(vl_buf) record = vl_buf_of(1000), out = vl_buf_of(1000);
    assert_true(
        vl_dec_base64url(VL_STR("AQJrMWRlZmdoaWprbG1ubxhoCrJ4YPPPVFWYCBJXsKbydG"
                                "PMDVti__54zG62yM6Z3ar2UiyiOMio"),
                         &record));
    assert_ok(vl_unseal(ring, CONTEXT, vl_buf_str(&record), &out, NULL));
    assert_str(vl_buf_str(&out), "the master key stays home");
    vl_keyring_free(ring);
}

static void
says_when_there_is_no_room(void **state)
{
    vl_auto(vl_buf) record = sealed(*state, VL_STR("secret"));
    vl_auto(vl_buf) small = vl_buf_of(5), tiny = vl_buf_of(41);
    assert_int_equal(
        vl_unseal(*state, CONTEXT, vl_buf_str(&record), &small, NULL),
        VALET_LIMIT);
    assert_int_equal(vl_buf_size(&small), 0);
    assert_int_equal(vl_seal(*state, CONTEXT, VL_STR("secret"), &tiny, NULL),
                     VALET_LIMIT);
    assert_int_equal(vl_buf_size(&tiny), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_it_sealed),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(has_the_documented_form),
        cmocka_unit_test(seals_the_same_text_differently_each_time),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(refuses_what_is_cut_or_longer),
        cmocka_unit_test(refuses_a_record_in_anothers_place),
        cmocka_unit_test(refuses_the_record_of_another_ring),
        cmocka_unit_test(refuses_an_unknown_key_id),
        cmocka_unit_test(opens_the_record_of_the_document),
        cmocka_unit_test(says_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, make_ring, free_ring);
}
