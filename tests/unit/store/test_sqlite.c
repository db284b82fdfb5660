/* SPDX-License-Identifier: Apache-2.0
 *
 * The file: who may read it, what tampering leads to, what survives.
 */
#define _GNU_SOURCE /* memmem */
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int
set_up(void **state)
{
    *state = kit_new(false);
    return 0;
}

/* No store is open yet. */
static int
set_up_closed(void **state)
{
    *state = kit_prepare(false);
    return 0;
}

static int
tear_down(void **state)
{
    kit_free(*state);
    return 0;
}

static valet_status
open_again(struct kit *kit, valet_error *err)
{
    return vl_store_open_sqlite(kit->path, kit->ring, &kit->clock, &kit->store,
                                err);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static mode_t
mode_of(struct kit *kit, const char *suffix)
{
    char name[96];
    struct stat st;
    (void)snprintf(name, sizeof name, "%s%s", kit->path, suffix);
    assert_int_equal(stat(name, &st), 0);
    return st.st_mode & 07777;
}

/* @spec S-62 */
static void
gives_its_files_to_their_owner_alone(void **state)
{
    struct kit *kit = *state;
    mode_t before = umask(0);
    kit_open(kit);
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    (void)umask(before);
    assert_int_equal(mode_of(kit, ""), 0600);
    assert_int_equal(mode_of(kit, "-wal"), 0600);
    assert_int_equal(mode_of(kit, "-shm"), 0600);
}

static void
refuses_a_file_that_others_may_read(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    write_file(kit->path, "", 0644);
    assert_int_equal(open_again(kit, &err), VALET_DENIED);
    assert_non_null(strstr(err.message, "mode 644"));
    assert_int_equal(chmod(kit->path, 0660), 0);
    assert_int_equal(open_again(kit, &err), VALET_DENIED);
    assert_int_equal(chmod(kit->path, 0600), 0);
    assert_ok(open_again(kit, &err));
}

static void
refuses_links_and_folders(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    char real[96];
    (void)snprintf(real, sizeof real, "%s/real.db", kit->folder);
    write_file(real, "", 0600);
    assert_int_equal(symlink(real, kit->path), 0);
    assert_int_equal(open_again(kit, &err), VALET_DENIED);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_int_equal(unlink(kit->path), 0);
    assert_int_equal(unlink(real), 0);
    assert_int_equal(mkdir(kit->path, 0700), 0);
    assert_int_equal(open_again(kit, &err), VALET_DENIED);
    assert_int_equal(rmdir(kit->path), 0);
    /* A log that somebody else laid ready. */
    (void)snprintf(real, sizeof real, "%s-wal", kit->path);
    assert_int_equal(symlink("/dev/null", real), 0);
    assert_int_equal(open_again(kit, &err), VALET_DENIED);
    assert_int_equal(unlink(real), 0);
}

static void
refuses_a_folder_where_others_may_write(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    static const mode_t bad[] = {0777, 0770, 0720, 0702};
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        assert_int_equal(chmod(kit->folder, bad[i]), 0);
        assert_int_equal(open_again(kit, &err), VALET_DENIED);
        assert_non_null(strstr(err.message, "chmod go-w"));
    }
    if (geteuid() == 0) { /* only root can give folders away */
        assert_int_equal(chmod(kit->folder, 0700), 0);
        assert_int_equal(chown(kit->folder, 12345, 12345), 0);
        assert_int_equal(open_again(kit, &err), VALET_DENIED);
        assert_non_null(strstr(err.message, "belongs to another user"));
        assert_int_equal(chown(kit->folder, 0, 0), 0);
    }
    /* As /tmp: who may write may not take away what is another's. */
    assert_int_equal(chmod(kit->folder, 01777), 0);
    assert_ok(open_again(kit, &err));
    kit_close(kit);
    assert_int_equal(chmod(kit->folder, 0700), 0);
    assert_int_equal(vl_store_open_sqlite("/no/such/folder/store.db", kit->ring,
                                          &kit->clock, &kit->store, &err),
                     VALET_INTERNAL);
}

static void
takes_a_folder_behind_a_link(void **state)
{
    struct kit *kit = *state;
    char link[96], path[128];
    (void)snprintf(link, sizeof link, "%s/link", kit->folder);
    (void)snprintf(path, sizeof path, "%s/store.db", link);
    assert_int_equal(symlink(".", link), 0);
    assert_ok(
        vl_store_open_sqlite(path, kit->ring, &kit->clock, &kit->store, NULL));
    assert_int_equal(unlink(link), 0);
}

static void
refuses_what_is_no_store_of_ours(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    write_file(kit->path,
               "this is not a database, but a text of some length,"
               " longer than the hundred bytes of a header",
               0600);
    assert_int_equal(open_again(kit, &err), VALET_INTERNAL);
    assert_non_null(strstr(err.message, "is damaged"));
    assert_non_null(strstr(err.message, kit->path));
    write_file(kit->path, "", 0600);
    (void)kit_sql(kit, "CREATE TABLE foreign_table (a)");
    assert_int_equal(open_again(kit, &err), VALET_INVALID);
    assert_non_null(strstr(err.message, "no store of mcp-valet"));
}

static void
read_whole(struct kit *kit, const char *suffix, struct vl_buf *out)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s%s", kit->path, suffix);
    assert_ok(vl_file_read(name, false, out, NULL));
}

/* Of one in SQLite's older mode, and of one with a log that is not written
 * back yet. */
static void
leaves_a_foreign_database_as_it_is(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    for (int wal = 0; wal <= 1; wal++) {
        vl_auto(vl_buf) before = vl_buf_of(1000000);
        vl_auto(vl_buf) after = vl_buf_of(1000000);
        write_file(kit->path, "", 0600);
        pid_t child = fork();
        if (child == 0) { /* and ends without closing it */
            sqlite3 *db;
            _exit(
                sqlite3_open(kit->path, &db) == SQLITE_OK &&
                        (!wal || sqlite3_exec(db, "PRAGMA journal_mode=WAL",
                                              NULL, NULL, NULL) == SQLITE_OK) &&
                        sqlite3_exec(db, "CREATE TABLE foreign_table (a)", NULL,
                                     NULL, NULL) == SQLITE_OK
                    ? 0
                    : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        read_whole(kit, "", &before);
        if (wal)
            read_whole(kit, "-wal", &before);
        assert_int_equal(open_again(kit, &err), VALET_INVALID);
        assert_non_null(strstr(err.message, "no store of mcp-valet"));
        read_whole(kit, "", &after);
        if (wal)
            read_whole(kit, "-wal", &after);
        assert_true(vl_str_eq(vl_buf_str(&before), vl_buf_str(&after)));
    }
}

static void
refuses_the_file_of_a_newer_program(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    kit_open(kit);
    kit_close(kit);
    (void)kit_sql(kit, "PRAGMA user_version = 1000");
    assert_int_equal(open_again(kit, &err), VALET_INVALID);
    assert_non_null(strstr(err.message, "newer"));
}

static void
fill(struct kit *kit, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", i);
        assert_ok(kit_put(kit, VL_STORE_SESSION, key, "u",
                          "a value of some forty bytes, or so it seems", 0));
    }
}

static void
survives_an_orderly_restart(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_GRANT, "g", "u", "v", 0));
    kit_close(kit);
    kit_open(kit);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "g", "v"));
}

/* Either the start says so, or each look-up does; nothing wrong is read. */
static void
reads_nothing_wrong_from_a_file_cut_short(void **state)
{
    struct kit *kit = *state;
    fill(kit, 200);
    kit_close(kit);
    struct stat st;
    assert_int_equal(stat(kit->path, &st), 0);
    assert_true(st.st_size > 20000);
    valet_error err;
    for (off_t size = st.st_size - 1; size > 0; size -= 3333) {
        assert_int_equal(truncate(kit->path, size), 0);
        valet_status status = open_again(kit, &err);
        if (status == VALET_OK) {
            status = kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "k7",
                             "a value of some forty bytes, or so it seems");
            kit_close(kit);
            assert_true(status != VALET_NOT_FOUND);
            continue;
        }
        assert_int_equal(status, VALET_INTERNAL);
        assert_non_null(strstr(err.message, "damaged"));
    }
}

/* In a process that ends without closing it. */
static void
leave_open(struct kit *kit)
{
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        _exit(sqlite3_open(kit->path, &db) == SQLITE_OK &&
                      sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL,
                                   NULL) == SQLITE_OK
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A start must not take longer the more is stored; a crash is the reason to
 * look. What is damaged is refused when it is read, in any case. */
static void
reads_all_of_a_large_file_only_after_a_crash(void **state)
{
    struct kit *kit = *state;
    valet_error err;
    static char value[VL_LIMIT_STORE_VALUE + 1];
    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 160; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%03d", i);
        assert_ok(kit_put(kit, VL_STORE_SESSION, key, "u", value, 0));
    }
    kit_close(kit);
    static const char garbage[4096] = "garbage";
    int fd = open(kit->path, O_RDWR);
    assert_true(lseek(fd, 0, SEEK_END) > 9000000);
    for (off_t at = 4096000; at < 4096000 + 20 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, at), 4096);
    assert_int_equal(close(fd), 0);
    assert_ok(open_again(kit, &err));
    unsigned damaged = 0;
    for (int i = 0; i < 160; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%03d", i);
        damaged += kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, key, value) !=
                   VALET_OK;
    }
    assert_in_range(damaged, 1, 20);
    kit_close(kit);
    leave_open(kit);
    assert_int_equal(open_again(kit, &err), VALET_INTERNAL);
    assert_non_null(strstr(err.message, "damaged"));
}

/* Every flip is seen at the start or at the look-up, or does no harm. */
static void
reads_nothing_wrong_from_a_file_with_flipped_bits(void **state)
{
    struct kit *kit = *state;
    fill(kit, 100);
    kit_close(kit);
    int fd = open(kit->path, O_RDWR);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    unsigned seen = 0;
    for (off_t at = 16; at < st.st_size; at += 211) {
        unsigned char byte, flipped;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ (unsigned char)(1u << (at % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        if (open_again(kit, NULL) == VALET_OK) {
            valet_status status =
                kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "k42",
                        "a value of some forty bytes, or so it seems");
            seen += status != VALET_OK;
            kit_close(kit);
        } else {
            seen++;
        }
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(close(fd), 0);
    assert_true(seen > 0);
    kit_open(kit);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "k42",
                      "a value of some forty bytes, or so it seems"));
}

static void
tampered_record_is_denied(struct kit *kit, const char *sql)
{
    assert_ok(kit_put(kit, VL_STORE_GRANT, "a", "u", "value of a", 5000000));
    assert_ok(kit_put(kit, VL_STORE_GRANT, "b", "u", "value of b", 5000000));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "a", "u", "session", 5000000));
    (void)kit_sql(kit, sql);
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "a", NULL),
                     VALET_DENIED);
    assert_int_equal(kit_see(kit, VL_STORE_TAKE, VL_STORE_GRANT, "a", NULL),
                     VALET_DENIED);
    /* What was refused is still there, for whoever looks into it. */
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_GRANT, ""), 2);
}

#define OF_A " WHERE section = 'grant' AND key = CAST('a' AS BLOB)"

/* @spec S-101 */
static void
denies_a_value_that_was_tampered_with(void **state)
{
    static const char *const tamperings[] = {
        "UPDATE record SET value = substr(value, 1, length(value) - 1)" OF_A,
        "UPDATE record SET value = x''" OF_A,
        "UPDATE record SET value = CAST('value of a' AS BLOB)" OF_A,
        "UPDATE record SET value = zeroblob(200000)" OF_A,
        /* the value of another record, or of another section */
        "UPDATE record SET value = (SELECT value FROM record WHERE section ="
        " 'grant' AND key = CAST('b' AS BLOB))" OF_A,
        "UPDATE record SET value = (SELECT value FROM record WHERE section ="
        " 'session' AND key = CAST('a' AS BLOB))" OF_A,
        /* prolonged, made eternal, given to somebody else */
        "UPDATE record SET expires = expires + 1" OF_A,
        "UPDATE record SET expires = 0" OF_A,
        "UPDATE record SET owner = CAST('eve' AS BLOB)" OF_A,
        "UPDATE record SET owner = x''" OF_A,
        "UPDATE record SET owner = zeroblob(100000)" OF_A,
    };
    struct kit *kit = *state;
    for (size_t i = 0; i < VL_COUNT(tamperings); i++)
        tampered_record_is_denied(kit, tamperings[i]);
}

static void
set_value(sqlite3 *db, const unsigned char *value, int n)
{
    sqlite3_stmt *write;
    assert_int_equal(
        sqlite3_prepare_v2(db, "UPDATE record SET value = ?", -1, &write, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(write, 1, value, n, SQLITE_STATIC),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(write), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(write), SQLITE_OK);
}

/* One bit of each byte in turn. @spec S-101 */
static void
denies_a_value_with_a_flipped_bit(void **state)
{
    struct kit *kit = *state;
    unsigned char value[256];
    assert_ok(kit_put(kit, VL_STORE_GRANT, "a", "u", "value", 0));
    sqlite3 *db;
    sqlite3_stmt *read;
    assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT value FROM record", -1, &read, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(read), SQLITE_ROW);
    int n = sqlite3_column_bytes(read, 0);
    assert_in_range(n, 5, sizeof value);
    memcpy(value, sqlite3_column_blob(read, 0), (size_t)n);
    assert_int_equal(sqlite3_finalize(read), SQLITE_OK);
    for (int i = 0; i < n; i++) {
        value[i] ^= (unsigned char)(1u << (i % 8));
        set_value(db, value, n);
        assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "a", NULL),
                         VALET_DENIED);
        value[i] ^= (unsigned char)(1u << (i % 8));
    }
    set_value(db, value, n);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "a", "value"));
}

/* @spec S-63 S-82 */
static void
writes_no_value_in_clear(void **state)
{
    static const char secret[] = "a refresh token of Entra ID";
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_GRANT, "g", "u", secret, 0));
    static const char *const suffixes[] = {"", "-wal"};
    size_t looked_at = 0;
    for (size_t i = 0; i < VL_COUNT(suffixes); i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "%s%s", kit->path, suffixes[i]);
        vl_auto(vl_buf) content = vl_buf_of(1 << 20);
        assert_ok(vl_file_read(name, true, &content, NULL));
        struct vl_str bytes = vl_buf_str(&content);
        assert_null(memmem(bytes.p, bytes.n, secret, sizeof secret - 1));
        looked_at += bytes.n;
    }
    assert_true(looked_at > 4096);
}

static void
denies_what_another_ring_sealed(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_GRANT, "g", "u", "v", 0));
    kit_close(kit);
    struct vl_keyring *other = vl_keyring_new_random();
    assert_ok(
        vl_store_open_sqlite(kit->path, other, &kit->clock, &kit->store, NULL));
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "g", NULL),
                     VALET_DENIED);
    kit_close(kit);
    vl_keyring_free(other);
}

/* A thousand steps at once would hold up everybody else. @spec S-93 */
static void
sweeps_at_most_two_hundred_at_a_time(void **state)
{
    struct kit *kit = *state;
    for (unsigned i = 0; i < 500; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", i);
        assert_ok(kit_put(kit, VL_STORE_FLOW, key, "", "v", kit->now + 1000));
    }
    assert_ok(kit_put(kit, VL_STORE_FLOW, "stays", "", "v", 0));
    static const int64_t left[] = {301, 301, 101, 1, 1};
    static const int64_t ms[] = {5000, 1, 1000, 1000, 1000};
    for (size_t i = 0; i < VL_COUNT(left); i++) {
        kit->now += ms[i];
        /* Reading sweeps nothing, the next write does. */
        (void)kit_see(kit, VL_STORE_GET, VL_STORE_FLOW, "none", NULL);
        assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
        assert_int_equal(
            kit_sql(kit, "SELECT count(*) FROM record WHERE section = 'flow'"),
            left[i]);
    }
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_FLOW, "stays", "v"));
}

static void
sweeps_again_after_the_clock_was_set_back(void **state)
{
    struct kit *kit = *state;
    kit->now = 900000000;
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    kit->now = 1000;
    assert_ok(kit_put(kit, VL_STORE_FLOW, "f", "", "v", 1500));
    kit->now = 3000;
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    assert_int_equal(kit_sql(kit, "SELECT count(*) FROM record"), 1);
}

/* Somebody else holds the file: asked again later it works. */
static void
answers_retry_while_the_file_is_locked(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    sqlite3 *other;
    assert_int_equal(sqlite3_open(kit->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(kit_put(kit, VL_STORE_CLIENT, "d", "", "v", 0),
                     VALET_RETRY);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_CLIENT, "c", "v"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "d", "", "v", 0));
}

static void
limit_file_size(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Each batch of a group that could not be written hears of it. */
static void
answers_retry_while_the_disk_is_full(void **state)
{
    enum { N = 600 };
    struct kit *kit = *state;
    struct vl_store_batch *batches[N];
    char keys[N][16], value[1001] = "";
    memset(value, 'v', sizeof value - 1);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_file_size(300000);
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%zu", i);
        batches[i] = kit_batch(kit);
        (void)kit_add_put(batches[i], VL_STORE_GRANT, keys[i], value);
        kit_submit(kit, batches[i]);
    }
    kit_wait(kit);
    limit_file_size(RLIM_INFINITY);
    (void)signal(SIGXFSZ, before);
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    kit_close(kit);
    kit_open(kit);
    unsigned refused = 0;
    for (size_t i = 0; i < N; i++) {
        bool kept = batches[i]->status == VALET_OK;
        if (!kept)
            assert_int_equal(batches[i]->status, VALET_RETRY);
        refused += !kept;
        assert_int_equal(
            kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, keys[i], value),
            kept ? VALET_OK : VALET_NOT_FOUND);
        vl_store_batch_free(batches[i]);
    }
    assert_true(refused > 0);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_CLIENT, "c", "v"));
}

/* --- kill -9 --- */

static void
put_for_ever(struct kit *kit, int acknowledgements)
{
    for (uint32_t i = 0;; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", i);
        if (kit_put(kit, VL_STORE_SESSION, key, "u", key, 0) != VALET_OK ||
            write(acknowledgements, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void
keeps_what_was_acknowledged_when_killed(void **state)
{
    struct kit *kit = *state;
    for (unsigned round = 0; round < 3; round++) {
        int pipe_ends[2];
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            /* The parent's loop is not ours: take another. */
            if (vl_loop_new(&kit->loop, NULL) != VALET_OK)
                _exit(1);
            kit_open(kit);
            put_for_ever(kit, pipe_ends[1]);
        }
        assert_int_equal(close(pipe_ends[1]), 0);
        uint32_t last = 0, goal = 150 + 37 * round;
        while (last < goal)
            assert_int_equal(read(pipe_ends[0], &last, sizeof last),
                             sizeof last);
        assert_int_equal(kill(child, SIGKILL), 0);
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        while (read(pipe_ends[0], &last, sizeof last) == sizeof last)
            ;
        assert_int_equal(close(pipe_ends[0]), 0);
        kit_open(kit);
        for (uint32_t i = 0; i <= last; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "k%u", i);
            assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, key, key));
        }
        kit_close(kit);
    }
}

#define CASE(test, prepare)                                                    \
    {                                                                          \
#test, test, prepare, tear_down, NULL                                  \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(gives_its_files_to_their_owner_alone, set_up_closed),
        CASE(refuses_a_file_that_others_may_read, set_up_closed),
        CASE(refuses_links_and_folders, set_up_closed),
        CASE(refuses_a_folder_where_others_may_write, set_up_closed),
        CASE(takes_a_folder_behind_a_link, set_up_closed),
        CASE(refuses_what_is_no_store_of_ours, set_up_closed),
        CASE(leaves_a_foreign_database_as_it_is, set_up_closed),
        CASE(refuses_the_file_of_a_newer_program, set_up_closed),
        CASE(survives_an_orderly_restart, set_up),
        CASE(reads_nothing_wrong_from_a_file_cut_short, set_up),
        CASE(reads_all_of_a_large_file_only_after_a_crash, set_up),
        CASE(reads_nothing_wrong_from_a_file_with_flipped_bits, set_up),
        CASE(denies_a_value_that_was_tampered_with, set_up),
        CASE(denies_a_value_with_a_flipped_bit, set_up),
        CASE(writes_no_value_in_clear, set_up),
        CASE(denies_what_another_ring_sealed, set_up),
        CASE(sweeps_at_most_two_hundred_at_a_time, set_up),
        CASE(sweeps_again_after_the_clock_was_set_back, set_up),
        CASE(answers_retry_while_the_file_is_locked, set_up),
        CASE(answers_retry_while_the_disk_is_full, set_up),
        CASE(keeps_what_was_acknowledged_when_killed, set_up_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
