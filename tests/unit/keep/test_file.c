/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <signal.h>

#include "folder.h"
#include "keep/lock.h"

static struct vl_keep *
open_keep(const struct folder *folder)
{
    struct vl_keep *keep = NULL;
    assert_ok(vl_keep_open_file(folder->path, &keep, NULL));
    return keep;
}

static void
add(struct vl_keep *keep, const char *text)
{
    assert_ok(vl_keep_update(keep, append, (char *)(uintptr_t)text, NULL));
}

static const char *
beside(const struct folder *folder, const char *suffix)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s%s", folder->path, suffix);
    return path;
}

/* @spec S-29 */
static void
keeps_a_document_sealed_and_for_its_owner_alone(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    assert_kept(keep, "");
    add(keep, "a refresh token");
    add(keep, " and another");
    assert_kept(keep, "a refresh token and another");
    vl_keep_close(keep);
    keep = open_keep(&folder);
    assert_kept(keep, "a refresh token and another");

    static const char *const names[] = {"", ".key", ".lock"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        struct stat st;
        assert_int_equal(lstat(beside(&folder, names[i]), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
    }
    vl_auto(vl_buf) raw = vl_buf_of(VL_LIMIT_KEEP);
    assert_ok(vl_file_read(folder.path, true, &raw, NULL));
    assert_null(memmem(raw.p, raw.n, "refresh", 7));
    vl_keep_close(keep);
    folder_remove(&folder);
}

/* @spec S-29: cheaply, so that it may be asked each time. */
static void
tells_whether_another_has_changed_it(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder), *other = open_keep(&folder);
    assert_true(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
    for (int i = 0; i < 20; i++) { /* as quick as can be */
        add(other, "a");
        assert_false(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
        assert_ok(vl_keep_check(keep, NULL));
        assert_false(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
        add(keep, "b");
        assert_true(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
    }
    assert_ok(vl_keep_forget(other, NULL));
    assert_false(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
    assert_kept(keep, "");
    assert_true(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
    vl_keep_close(keep);
    vl_keep_close(other);
    folder_remove(&folder);
}

static void
forgets_the_document_and_its_key(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    assert_ok(vl_keep_forget(keep, NULL));
    add(keep, "a");
    assert_ok(vl_keep_forget(keep, NULL));
    assert_kept(keep, "");
    assert_int_equal(access(beside(&folder, ""), F_OK), -1);
    assert_int_equal(access(beside(&folder, ".key"), F_OK), -1);
    add(keep, "b");
    assert_kept(keep, "b");
    vl_keep_close(keep);
    folder_remove(&folder);
}

/* Each of the files replaced by a link to one that has the right mode. */
static void
follows_no_link(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".key", ".lock"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        struct folder folder;
        folder_make(&folder);
        struct vl_keep *keep = open_keep(&folder);
        add(keep, "a");
        char target[128];
        (void)snprintf(target, sizeof target, "%s/target", folder.name);
        assert_int_equal(rename(beside(&folder, names[i]), target), 0);
        assert_int_equal(symlink(target, beside(&folder, names[i])), 0);
        vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
        assert_int_equal(vl_keep_read(keep, &found, NULL), VALET_DENIED);
        assert_int_equal(vl_keep_update(keep, append, "b", NULL), VALET_DENIED);
        assert_int_equal(vl_buf_size(&found), 0);
        vl_keep_close(keep);
        folder_remove(&folder);
    }
}

static void
does_not_write_through_a_link_that_waits_for_it(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    char target[128];
    (void)snprintf(target, sizeof target, "%s/target", folder.name);
    write_file(target, "precious", 0600);
    assert_int_equal(symlink(target, beside(&folder, ".new")), 0);
    struct vl_keep *keep = open_keep(&folder);
    add(keep, "a");
    assert_kept(keep, "a");
    vl_auto(vl_buf) found = vl_buf_of(100);
    assert_ok(vl_file_read(target, true, &found, NULL));
    assert_str(vl_buf_str(&found), "precious");
    vl_keep_close(keep);
    folder_remove(&folder);
}

static void
refuses_what_others_may_read_or_write(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".key", ".lock"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        struct folder folder;
        folder_make(&folder);
        struct vl_keep *keep = open_keep(&folder);
        add(keep, "a");
        assert_int_equal(chmod(beside(&folder, names[i]), 0640), 0);
        assert_int_equal(vl_keep_update(keep, append, "b", NULL), VALET_DENIED);
        vl_keep_close(keep);
        folder_remove(&folder);
    }
    struct folder folder;
    struct vl_keep *keep = NULL;
    folder_make(&folder);
    assert_int_equal(chmod(folder.name, 0770), 0);
    assert_int_equal(vl_keep_open_file(folder.path, &keep, NULL), VALET_DENIED);
    folder_remove(&folder);
    assert_int_equal(vl_keep_open_file(folder.path, &keep, NULL),
                     VALET_NOT_FOUND);
}

static void
says_no_to_a_document_that_was_changed(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    add(keep, "a token");
    vl_auto(vl_buf) raw = vl_buf_of(VL_LIMIT_KEEP);
    assert_ok(vl_file_read(folder.path, true, &raw, NULL));
    for (size_t i = 0; i < vl_buf_size(&raw); i++) {
        raw.p[i] ^= 1;
        assert_ok(vl_file_replace(folder.path, beside(&folder, ".x"),
                                  vl_buf_str(&raw), NULL));
        raw.p[i] ^= 1;
        valet_error err;
        vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
        assert_int_equal(vl_keep_read(keep, &found, &err), VALET_DENIED);
        assert_int_equal(vl_buf_size(&found), 0);
        /* Nor is it overwritten: it may be the key that is wrong. */
        assert_int_equal(vl_keep_update(keep, append, "b", NULL), VALET_DENIED);
    }
    assert_int_equal(unlink(beside(&folder, ".key")), 0);
    assert_int_equal(vl_keep_update(keep, append, "b", NULL), VALET_DENIED);
    assert_int_equal(access(beside(&folder, ".key"), F_OK), -1);
    assert_ok(vl_keep_forget(keep, NULL));
    add(keep, "new");
    assert_kept(keep, "new");
    vl_keep_close(keep);
    folder_remove(&folder);
}

static valet_status
refuse_edit(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)old, (void)ctx, (void)err;
    vl_buf_addz(out, "half");
    return VALET_INVALID;
}

/* @spec S-29 W-37 */
static void
shows_whether_it_keeps_without_changing_anything(void **state)
{
    (void)state;
    struct folder folder;
    valet_error err = {.status = VALET_OK};
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    assert_ok(vl_keep_check(keep, NULL));
    assert_int_equal(access(folder.path, F_OK), -1);
    assert_int_equal(access(beside(&folder, ".key"), F_OK), -1);
    add(keep, "precious");
    assert_ok(vl_keep_check(keep, NULL));
    assert_kept(keep, "precious");
    assert_ok(vl_keep_forget(keep, NULL));
    /* Where another has put something in the place of the key. */
    assert_int_equal(symlink("/dev/null", beside(&folder, ".key")), 0);
    assert_int_equal(vl_keep_check(keep, &err), VALET_DENIED);
    assert_non_null(strstr(err.message, ".key"));
    assert_int_equal(unlink(beside(&folder, ".key")), 0);
    vl_keep_close(keep);
    folder_remove(&folder);
}

static void
writes_nothing_when_the_edit_fails(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    add(keep, "a");
    assert_int_equal(vl_keep_update(keep, refuse_edit, NULL, NULL),
                     VALET_INVALID);
    assert_kept(keep, "a");
    vl_keep_close(keep);
    folder_remove(&folder);
}

/* --- more than one process --- */

enum { WRITERS = 8, WRITES = 50 };

static int
write_many(const struct folder *folder, int number)
{
    struct vl_keep *keep = NULL;
    if (vl_keep_open_file(folder->path, &keep, NULL) != VALET_OK)
        return 1;
    for (int i = 0; i < WRITES; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "<%d.%d>", number, i);
        if (vl_keep_update(keep, append, text, NULL) != VALET_OK)
            return 2;
    }
    vl_keep_close(keep);
    return 0;
}

/* @spec S-29 */
static void
loses_nothing_when_eight_processes_write(void **state)
{
    (void)state;
    struct folder folder;
    pid_t children[WRITERS];
    folder_make(&folder);
    for (int i = 0; i < WRITERS; i++)
        children[i] = start(write_many, &folder, i);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(wait_for(children[i]), 0);
    struct vl_keep *keep = open_keep(&folder);
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &found, NULL));
    for (int i = 0; i < WRITERS * WRITES; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "<%d.%d>", i / WRITES, i % WRITES);
        assert_non_null(strstr(vl_buf_cstr(&found), text));
    }
    vl_keep_close(keep);
    folder_remove(&folder);
}

/* The document is the number of its version, a hundred times over. */
static valet_status
next_version(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)ctx, (void)err;
    uint64_t version = 0;
    struct vl_str head = vl_str_head(old, vl_str_index(old, '\n'));
    if (old.n && !vl_str_u64(head, INT64_MAX, &version))
        return VALET_INVALID;
    for (int i = 0; i < 100; i++)
        vl_buf_addf(out, "%llu\n", (unsigned long long)version + 1);
    return VALET_OK;
}

static int
write_until_killed(const struct folder *folder, int number)
{
    struct vl_keep *keep = NULL;
    (void)number;
    if (vl_keep_open_file(folder->path, &keep, NULL) != VALET_OK)
        return 1;
    while (vl_keep_update(keep, next_version, NULL, NULL) == VALET_OK)
        ;
    return 2;
}

static void
assert_whole(struct vl_keep *keep)
{
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &found, NULL));
    struct vl_str rest = vl_buf_str(&found), line, first = {NULL, 0};
    unsigned lines = 0;
    while (vl_str_split(&rest, '\n', &line) && line.n) {
        first = first.n ? first : line;
        assert_true(vl_str_eq(line, first));
        lines++;
    }
    assert_true(lines == 100 || (lines == 0 && vl_buf_size(&found) == 0));
}

static void
survives_being_killed_at_any_moment(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct vl_keep *keep = open_keep(&folder);
    for (unsigned round = 0; round < 60; round++) {
        pid_t one = start(write_until_killed, &folder, 0);
        pid_t two = start(write_until_killed, &folder, 1);
        const struct timespec pause = {0, (long)(round * 373 % 29) * 1000000L};
        (void)nanosleep(&pause, NULL);
        assert_int_equal(kill(one, SIGKILL), 0);
        assert_int_equal(kill(two, SIGKILL), 0);
        assert_int_equal(wait_for(one), -1);
        assert_int_equal(wait_for(two), -1);
        assert_whole(keep);
        assert_ok(vl_keep_update(keep, next_version, NULL, NULL));
    }
    vl_keep_close(keep);
    folder_remove(&folder);
}

static void
gives_up_waiting_for_a_lock(void **state)
{
    (void)state;
    struct folder folder;
    struct vl_keep_lock first = {-1}, second = {-1}, third = {-1};
    folder_make(&folder);
    const char *path = beside(&folder, ".lock");
    assert_ok(vl_keep_lock_take(path, false, 50, &first, NULL));
    assert_ok(vl_keep_lock_take(path, false, 50, &second, NULL));
    int64_t start_ms = vl_mono_now();
    assert_int_equal(vl_keep_lock_take(path, true, 50, &third, NULL),
                     VALET_RETRY);
    assert_true(vl_mono_now() - start_ms >= 50);
    vl_keep_lock_done(&first);
    vl_keep_lock_done(&second);
    assert_ok(vl_keep_lock_take(path, true, 50, &third, NULL));
    assert_int_equal(vl_keep_lock_take(path, false, 50, &first, NULL),
                     VALET_RETRY);
    vl_keep_lock_done(&third);
    vl_keep_lock_done(&third);
    folder_remove(&folder);
}

static void
keeps_in_memory_too(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    assert_kept(keep, "");
    add(keep, "a");
    add(keep, "b");
    assert_kept(keep, "ab");
    assert_ok(vl_keep_forget(keep, NULL));
    assert_kept(keep, "");
    vl_keep_close(keep);
    vl_keep_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_document_sealed_and_for_its_owner_alone),
        cmocka_unit_test(tells_whether_another_has_changed_it),
        cmocka_unit_test(forgets_the_document_and_its_key),
        cmocka_unit_test(follows_no_link),
        cmocka_unit_test(does_not_write_through_a_link_that_waits_for_it),
        cmocka_unit_test(refuses_what_others_may_read_or_write),
        cmocka_unit_test(says_no_to_a_document_that_was_changed),
        cmocka_unit_test(shows_whether_it_keeps_without_changing_anything),
        cmocka_unit_test(writes_nothing_when_the_edit_fails),
        cmocka_unit_test(loses_nothing_when_eight_processes_write),
        cmocka_unit_test(survives_being_killed_at_any_moment),
        cmocka_unit_test(gives_up_waiting_for_a_lock),
        cmocka_unit_test(keeps_in_memory_too),
    };
    return cmocka_run_group_tests_name("keep/file", tests, NULL, NULL);
}
