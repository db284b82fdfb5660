/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/principal.h"
#include "core/secret.h"
#include "vl_test.h"

struct place {
    char folder[64];
    char path[96], other[96];
};

static int
open_place(void **state)
{
    struct place *p = vl_alloc(sizeof *p);
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/vl-sys-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof p->path, "%s/file", p->folder);
    (void)snprintf(p->other, sizeof p->other, "%s/other", p->folder);
    *state = p;
    return 0;
}

static int
close_place(void **state)
{
    struct place *p = *state;
    (void)unlink(p->path);
    (void)unlink(p->other);
    assert_int_equal(rmdir(p->folder), 0);
    free(p);
    return 0;
}

static void
writes_and_reads_a_file(void **state)
{
    struct place *p = *state;
    struct stat st;
    assert_ok(vl_file_create(p->path, VL_STR("key\0bytes"), NULL));
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    vl_auto(vl_buf) b = vl_buf_of_secret(100);
    vl_buf_addz(&b, "before ");
    assert_ok(vl_file_read(p->path, true, &b, NULL));
    assert_true(vl_str_eq(vl_buf_str(&b), VL_STR("before key\0bytes")));
    assert_ok(vl_file_create(p->other, VL_STR(""), NULL));
    assert_ok(vl_file_read(p->other, true, &b, NULL));
    assert_int_equal(vl_buf_size(&b), 16);
}

static void
does_not_touch_an_existing_file(void **state)
{
    struct place *p = *state;
    valet_error err;
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_ok(vl_file_create(p->path, VL_STR("first"), NULL));
    assert_int_equal(vl_file_create(p->path, VL_STR("second"), &err),
                     VALET_CONFLICT);
    assert_non_null(strstr(err.message, p->path));
    assert_null(strstr(err.message, "second"));
    /* A link that points nowhere is not followed either. */
    assert_int_equal(symlink("nowhere", p->other), 0);
    assert_int_equal(vl_file_create(p->other, VL_STR("third"), NULL),
                     VALET_CONFLICT);
    assert_ok(vl_file_read(p->path, true, &b, NULL));
    assert_str(vl_buf_str(&b), "first");
}

/* Entries of the folder; those with other names than ours are removed. */
static unsigned
count_others(const struct place *p)
{
    unsigned others = 0;
    DIR *folder = opendir(p->folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] != '.' || strlen(entry->d_name) < 3)
            continue;
        assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
        others++;
    }
    assert_int_equal(closedir(folder), 0);
    return others;
}

/* In a process whose files may have two bytes; it dies of the third, or gets
 * an error as from a full disk. */
static int
create_with_two_bytes(const char *path, bool killed)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit two = {2, 2}, none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &two);
        _exit(vl_file_create(path, VL_STR("a key"), NULL) == VALET_INTERNAL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void
leaves_no_half_a_file(void **state)
{
    struct place *p = *state;
    struct stat st;
    int status = create_with_two_bytes(p->path, true);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    assert_int_equal(stat(p->path, &st), -1);
    assert_int_equal(count_others(p), 1);
    status = create_with_two_bytes(p->path, false);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_int_equal(stat(p->path, &st), -1);
    assert_int_equal(count_others(p), 0);
    assert_ok(vl_file_create(p->path, VL_STR("a key"), NULL));
    assert_int_equal(vl_file_create(p->path, VL_STR("b key"), NULL),
                     VALET_CONFLICT);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(count_others(p), 0);
}

static void
creates_in_a_folder_that_exists_only(void **state)
{
    struct place *p = *state;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/none/file", p->folder);
    assert_int_equal(vl_file_create(path, VL_STR("x"), NULL), VALET_INTERNAL);
}

static void
assert_holds(const char *path, const char *text)
{
    struct stat st;
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_ok(vl_file_read(path, true, &b, NULL));
    assert_str(vl_buf_str(&b), text);
}

static void
replaces_a_file_as_a_whole(void **state)
{
    struct place *p = *state;
    char aside[160], path[160];
    (void)snprintf(aside, sizeof aside, "%s/aside", p->folder);
    (void)snprintf(path, sizeof path, "%s/none/file", p->folder);
    assert_ok(vl_file_replace(p->path, aside, VL_STR("first"), NULL));
    assert_holds(p->path, "first");
    /* Who has it open goes on reading the old one. */
    int old = open(p->path, O_RDONLY | O_CLOEXEC);
    char byte = 0;
    assert_ok(vl_file_replace(p->path, aside, VL_STR("second"), NULL));
    assert_holds(p->path, "second");
    assert_int_equal(read(old, &byte, 1), 1);
    assert_int_equal(byte, 'f');
    (void)close(old);
    assert_int_equal(access(aside, F_OK), -1);
    /* A link is replaced, not followed; so is one that waits aside. */
    assert_int_equal(rename(p->path, p->other), 0);
    assert_int_equal(symlink(p->other, p->path), 0);
    assert_int_equal(symlink(p->other, aside), 0);
    assert_ok(vl_file_replace(p->path, aside, VL_STR("third"), NULL));
    assert_holds(p->path, "third");
    assert_holds(p->other, "second");
    assert_int_equal(vl_file_replace(path, path, VL_STR("x"), NULL),
                     VALET_INTERNAL);
    assert_int_equal(vl_file_replace(p->folder, aside, VL_STR("x"), NULL),
                     VALET_INTERNAL);
    assert_int_equal(access(aside, F_OK), -1);
}

static void
refuses_rights_of_others(void **state)
{
    struct place *p = *state;
    static const mode_t bad[] = {0604, 0640, 0660, 0620, 0602, 0601, 0610};
    assert_ok(vl_file_create(p->path, VL_STR("secret"), NULL));
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        valet_error err;
        vl_auto(vl_buf) b = vl_buf_of(100);
        assert_int_equal(chmod(p->path, bad[i]), 0);
        assert_int_equal(vl_file_read(p->path, true, &b, &err), VALET_DENIED);
        assert_non_null(strstr(err.message, "chmod 600"));
        assert_int_equal(vl_buf_size(&b), 0);
        assert_ok(vl_file_read(p->path, false, &b, NULL));
        assert_str(vl_buf_str(&b), "secret");
    }
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_int_equal(chmod(p->path, 0400), 0);
    assert_ok(vl_file_read(p->path, true, &b, NULL));
}

static void
refuses_another_owner(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0) {
        skip(); /* only root can give files away */
        return;
    }
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_ok(vl_file_create(p->path, VL_STR("secret"), NULL));
    assert_int_equal(chown(p->path, 12345, 12345), 0);
    assert_int_equal(vl_file_read(p->path, true, &b, NULL), VALET_DENIED);
    assert_ok(vl_file_read(p->path, false, &b, NULL));
}

static void
refuses_links_where_only_the_owner_may_read(void **state)
{
    struct place *p = *state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    valet_error err;
    assert_ok(vl_file_create(p->path, VL_STR("secret"), NULL));
    assert_int_equal(symlink("file", p->other), 0);
    assert_int_equal(vl_file_read(p->other, true, &b, &err), VALET_DENIED);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_ok(vl_file_read(p->other, false, &b, NULL));
    assert_str(vl_buf_str(&b), "secret");
}

static void
asks_of_what_a_link_points_to_where_links_are_followed(void **state)
{
    struct place *p = *state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    valet_error err;
    assert_ok(vl_file_create(p->path, VL_STR("secret"), NULL));
    assert_int_equal(symlink("file", p->other), 0);
    assert_ok(vl_file_read_linked(p->other, &b, NULL));
    assert_ok(vl_file_read_linked(p->path, &b, NULL));
    assert_str(vl_buf_str(&b), "secretsecret");
    assert_int_equal(chmod(p->path, 0640), 0);
    assert_int_equal(vl_file_read_linked(p->other, &b, &err), VALET_DENIED);
    assert_non_null(strstr(err.message, "640"));
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(vl_file_read_linked(p->other, &b, NULL), VALET_NOT_FOUND);
    assert_int_equal(unlink(p->other), 0);
    assert_int_equal(symlink("other", p->other), 0);
    assert_int_equal(vl_file_read_linked(p->other, &b, NULL), VALET_DENIED);
    assert_int_equal(unlink(p->other), 0);
    assert_int_equal(symlink("/dev/null", p->other), 0);
    assert_int_equal(vl_file_read_linked(p->other, &b, NULL), VALET_DENIED);
}

static void
reads_regular_files_only(void **state)
{
    struct place *p = *state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    assert_int_equal(vl_file_read(p->folder, false, &b, NULL), VALET_DENIED);
    assert_int_equal(vl_file_read("/dev/null", false, &b, NULL), VALET_DENIED);
    /* A pipe without a writer would block for ever. */
    assert_int_equal(mkfifo(p->path, 0600), 0);
    assert_int_equal(vl_file_read(p->path, true, &b, NULL), VALET_DENIED);
}

static void
tells_what_is_missing(void **state)
{
    struct place *p = *state;
    vl_auto(vl_buf) b = vl_buf_of(100);
    valet_error err;
    assert_int_equal(vl_file_read(p->path, true, &b, &err), VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, p->path));
    assert_ok(vl_file_create(p->path, VL_STR("x"), NULL));
    char below[120];
    (void)snprintf(below, sizeof below, "%s/x", p->path);
    assert_int_equal(vl_file_read(below, false, &b, NULL), VALET_NOT_FOUND);
}

static void
refuses_a_file_too_large(void **state)
{
    struct place *p = *state;
    valet_error err;
    vl_auto(vl_buf) large = vl_buf_of(20000), b = vl_buf_of(10000);
    for (int i = 0; i < 10001; i++)
        vl_buf_addc(&large, 'x');
    assert_ok(vl_file_create(p->path, vl_buf_str(&large), NULL));
    assert_int_equal(vl_file_read(p->path, true, &b, &err), VALET_LIMIT);
    assert_non_null(strstr(err.message, "10000"));
    assert_null(strstr(err.message, "xxx"));
    /* Written on success only, and still of use. */
    assert_int_equal(vl_buf_size(&b), 0);
    assert_ok(vl_buf_check(&b, NULL));
    vl_auto(vl_buf) enough = vl_buf_of(10001);
    assert_ok(vl_file_read(p->path, true, &enough, NULL));
    assert_int_equal(vl_buf_size(&enough), 10001);
}

static void
writes_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {951782400001, "2000-02-29T00:00:00.001Z"},
        {1795342530123, "2026-11-22T10:15:30.123Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
    };
    char text[VL_TIME_ISO_SIZE];
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_time_iso(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void
tells_the_time(void **state)
{
    (void)state;
    int64_t now = vl_clock_now(&vl_clock_system), mono = vl_mono_now();
    assert_true(now > 1700000000000);
    assert_true(vl_mono_now() >= mono);
}

static void
makes_random_texts(void **state)
{
    (void)state;
    char one[VL_RANDOM_TEXT_SIZE], other[VL_RANDOM_TEXT_SIZE];
    unsigned char bytes[32];
    vl_random_text(one);
    vl_random_text(other);
    assert_true(vl_dec_base64url_into(vl_str_z(one), bytes, sizeof bytes));
    assert_string_not_equal(one, other);
}

static void
makes_uuids(void **state)
{
    (void)state;
    char last[VL_UUID_SIZE] = "", text[VL_UUID_SIZE];
    for (int i = 0; i < 1000; i++) {
        vl_uuid(text);
        assert_true(vl_guid_is_valid(vl_str_z(text)));
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_string_not_equal(text, last);
        memcpy(last, text, sizeof last);
    }
}

/* @spec D9: whoever knows one of the parent's would know the child's. */
static void
makes_other_uuids_in_a_child(void **state)
{
    (void)state;
    int ends[2];
    char first[VL_UUID_SIZE], ours[VL_UUID_SIZE], theirs[VL_UUID_SIZE] = "";
    vl_uuid(first);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        vl_uuid(theirs);
        ssize_t put = write(ends[1], theirs, sizeof theirs);
        _exit(put == sizeof theirs ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    vl_uuid(ours);
    assert_string_not_equal(ours, theirs);
    close(ends[0]);
    close(ends[1]);
}

static void
makes_random_bytes(void **state)
{
    (void)state;
    unsigned char a[300] = {0}, b[300] = {0};
    vl_random(a, sizeof a);
    vl_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 256, b + 256, 44);
    vl_random(a, 0);
}

static void
makes_a_path_of_folders_for_its_owner(void **state)
{
    struct place *p = *state;
    struct stat st;
    char path[160];
    valet_error err;
    (void)snprintf(path, sizeof path, "%s/deep", p->other);
    for (int i = 0; i < 2; i++)
        assert_ok(vl_folder_make(path, NULL));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(p->other), 0);
    assert_ok(vl_file_create(p->other, VL_STR(""), NULL));
    assert_int_equal(vl_folder_make(path, &err), VALET_INTERNAL);
    assert_non_null(strstr(err.message, "/other/deep"));
}

int
main(void)
{
#define IN_PLACE(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_place, close_place)
    const struct CMUnitTest tests[] = {
        IN_PLACE(writes_and_reads_a_file),
        IN_PLACE(does_not_touch_an_existing_file),
        IN_PLACE(leaves_no_half_a_file),
        IN_PLACE(creates_in_a_folder_that_exists_only),
        IN_PLACE(replaces_a_file_as_a_whole),
        IN_PLACE(refuses_rights_of_others),
        IN_PLACE(refuses_another_owner),
        IN_PLACE(refuses_links_where_only_the_owner_may_read),
        IN_PLACE(asks_of_what_a_link_points_to_where_links_are_followed),
        IN_PLACE(reads_regular_files_only),
        IN_PLACE(tells_what_is_missing),
        IN_PLACE(refuses_a_file_too_large),
        IN_PLACE(makes_a_path_of_folders_for_its_owner),
        cmocka_unit_test(writes_times),
        cmocka_unit_test(tells_the_time),
        cmocka_unit_test(makes_random_texts),
        cmocka_unit_test(makes_uuids),
        cmocka_unit_test(makes_other_uuids_in_a_child),
        cmocka_unit_test(makes_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
