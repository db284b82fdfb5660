/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyring.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/sys.h"
#include "vl_test.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char folder[64];
static char path[96];

static int
make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/vl-keyring-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void
write_keys(const char *text, mode_t mode)
{
    (void)unlink(path);
    assert_ok(vl_file_create(path, vl_str_z(text), NULL));
    assert_int_equal(chmod(path, mode), 0);
}

static struct vl_keyring *
opened(void)
{
    struct vl_keyring *ring = NULL;
    assert_ok(vl_keyring_open(path, false, NULL, &ring, NULL));
    assert_non_null(ring);
    return ring;
}

static void
refuses(valet_status status, const char *sentence)
{
    struct vl_keyring *ring = NULL;
    valet_error err = {.status = VALET_OK};
    assert_int_equal(vl_keyring_open(path, true, NULL, &ring, &err), status);
    assert_null(ring);
    assert_non_null(strstr(err.message, path));
    if (!strstr(err.message, sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, err.message);
    assert_null(strstr(err.message, "AAECAwQF")); /* never the key */
}

/* @spec S-101 */
static void
creates_a_file_for_the_owner_alone(void **state)
{
    (void)state;
    (void)unlink(path);
    struct vl_keyring *ring = NULL, *again = NULL;
    bool created = false;
    assert_int_equal(vl_keyring_open(path, false, &created, &ring, NULL),
                     VALET_NOT_FOUND);
    valet_error err = {.status = VALET_OK};
    assert_ok(vl_keyring_open(path, true, &created, &ring, &err));
    assert_true(created);
    assert_int_equal(err.status, VALET_OK); /* untouched */
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_ok(vl_keyring_open(path, true, &created, &again, NULL));
    assert_false(created);
    vl_auto(vl_secret) first = vl_keyring_derive(ring, "x");
    vl_auto(vl_secret) second = vl_keyring_derive(again, "x");
    assert_true(vl_secret_eq(&first, &second));
    vl_keyring_free(ring);
    vl_keyring_free(again);
}

static void
makes_a_new_key_each_time(void **state)
{
    (void)state;
    struct vl_keyring *one = vl_keyring_new_random();
    struct vl_keyring *two = vl_keyring_new_random();
    vl_auto(vl_secret) first = vl_keyring_derive(one, "x");
    vl_auto(vl_secret) second = vl_keyring_derive(two, "x");
    vl_auto(vl_secret) other = vl_keyring_derive(one, "y");
    assert_false(vl_secret_eq(&first, &second));
    assert_false(vl_secret_eq(&first, &other));
    vl_keyring_free(one);
    vl_keyring_free(two);
    vl_keyring_free(NULL);
}

/* @spec S-29 */
static void
refuses_a_file_that_others_may_read(void **state)
{
    (void)state;
    static const mode_t modes[] = {0644, 0640, 0604, 0660, 0601};
    for (size_t i = 0; i < VL_COUNT(modes); i++) {
        write_keys("a " KEY_A "\n", modes[i]);
        refuses(VALET_DENIED, "");
    }
    write_keys("a " KEY_A "\n", 0400);
    vl_keyring_free(opened());
}

static void
refuses_a_symbolic_link(void **state)
{
    (void)state;
    char target[128];
    (void)snprintf(target, sizeof target, "%s/target", folder);
    (void)unlink(path);
    assert_ok(vl_file_create(target, VL_STR("a " KEY_A "\n"), NULL));
    assert_int_equal(symlink(target, path), 0);
    refuses(VALET_DENIED, "symbolic link");
    assert_int_equal(unlink(target), 0);
    /* A dangling one is not filled in either. */
    refuses(VALET_DENIED, "symbolic link");
    assert_int_equal(access(target, F_OK), -1);
}

static void
names_the_line_that_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where;
    } files[] = {
        {"", ":1: there is no key"},
        {"\n", ":1: there is no key"},
        {"a " KEY_A "\n\n", ":2: it is not"},
        {"\na " KEY_A "\n", ":1: it is not"},
        {"# note\na " KEY_A "\n", ":1: the id"},
        {"a " KEY_A "\nb", ":2: it is not"},
        {KEY_A "\n", ":1: it is not"},
        {"a-b " KEY_A "\n", ":1: the id"},
        {" " KEY_A "\n", ":1: the id"},
        {"12345678901234567 " KEY_A "\n", ":1: the id"},
        {"a " KEY_A "\r\n", ":1: the key"},
        {"a  " KEY_A "\n", ":1: the key"},
        {"a " KEY_A " \n", ":1: the key"},
        {"a " KEY_A "=\n", ":1: the key"},
        {"a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n", ":1: the key"},
        {"a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\n", ":1: the key"},
        {"a " KEY_A "AA\n", ":1: the key"},
        {"a \n", ":1: the key"},
        {"a " KEY_A "\nb " KEY_A "\na " KEY_A "\n", ":3: another key"},
    };
    for (size_t i = 0; i < VL_COUNT(files); i++) {
        write_keys(files[i].text, 0600);
        refuses(VALET_INVALID, files[i].where);
    }
}

static void
bounds_the_number_of_keys(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(100000);
    for (unsigned i = 0; i < 64; i++)
        vl_buf_addf(&text, "k%u %s\n", i, KEY_A);
    write_keys(vl_buf_cstr(&text), 0600);
    vl_keyring_free(opened());
    vl_buf_addz(&text, "one " KEY_A "\n");
    write_keys(vl_buf_cstr(&text), 0600);
    refuses(VALET_INVALID, ":65: there are more than 64 keys");
    for (unsigned i = 0; i < 64; i++)
        vl_buf_addf(&text, "m%u %s\n", i, KEY_A);
    write_keys(vl_buf_cstr(&text), 0600);
    struct vl_keyring *ring = NULL;
    assert_int_equal(vl_keyring_open(path, false, NULL, &ring, NULL),
                     VALET_LIMIT);
}

/* @spec S-101 */
static void
rotates_by_a_line_in_front(void **state)
{
    (void)state;
    vl_auto(vl_buf) old_seal = vl_buf_of(1000), new_seal = vl_buf_of(1000);
    vl_auto(vl_buf) plain = vl_buf_of(1000);
    write_keys("old " KEY_A "\n", 0600);
    struct vl_keyring *before = opened();
    assert_ok(vl_seal(before, VL_STR("c"), VL_STR("one"), &old_seal, NULL));

    vl_auto(vl_buf) text = vl_buf_of(1000);
    unsigned char fresh[32];
    vl_random(fresh, sizeof fresh);
    vl_buf_addz(&text, "new ");
    vl_enc_base64url(&text, vl_str_of(fresh, sizeof fresh));
    vl_buf_addz(&text, "\nold " KEY_A); /* the last line may lack its end */
    write_keys(vl_buf_cstr(&text), 0600);
    struct vl_keyring *after = opened();
    assert_ok(
        vl_unseal(after, VL_STR("c"), vl_buf_str(&old_seal), &plain, NULL));
    assert_str(vl_buf_str(&plain), "one");
    assert_ok(vl_seal(after, VL_STR("c"), VL_STR("two"), &new_seal, NULL));
    assert_memory_equal(vl_buf_str(&new_seal).p, "\x01\x03new", 5);
    assert_int_equal(
        vl_unseal(before, VL_STR("c"), vl_buf_str(&new_seal), &plain, NULL),
        VALET_DENIED);
    assert_ok(
        vl_unseal(after, VL_STR("c"), vl_buf_str(&new_seal), &plain, NULL));
    assert_str(vl_buf_str(&plain), "onetwo");

    /* Keyed hashes stay as they were. */
    vl_auto(vl_secret) first = vl_keyring_derive(before, "tokens");
    vl_auto(vl_secret) second = vl_keyring_derive(after, "tokens");
    assert_true(vl_secret_eq(&first, &second));
    vl_keyring_free(before);
    vl_keyring_free(after);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_a_file_for_the_owner_alone),
        cmocka_unit_test(makes_a_new_key_each_time),
        cmocka_unit_test(refuses_a_file_that_others_may_read),
        cmocka_unit_test(refuses_a_symbolic_link),
        cmocka_unit_test(names_the_line_that_is_wrong),
        cmocka_unit_test(bounds_the_number_of_keys),
        cmocka_unit_test(rotates_by_a_line_in_front),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
