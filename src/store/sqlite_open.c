/* SPDX-License-Identifier: Apache-2.0
 *
 * From a path to a database handle that can be trusted. SQLite gives the -wal
 * and -shm files the mode of the database, so creating that one with 0600
 * before SQLite sees it is enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/status.h"
#include "store/sqlite.h"

/* Another program (`mcp-valet sessions`) may hold the lock for so long. */
#define BUSY_MS 1000
/* No record is larger; a file that says so is not ours. */
#define VALUE_MAX (4 * VL_LIMIT_STORE_VALUE)

static const char pragmas[] =
    /* Values are sealed, but keys and owners are not: what is deleted is
     * overwritten where that costs no extra write. */
    "PRAGMA secure_delete=FAST;"
    "PRAGMA synchronous=NORMAL;"
    "PRAGMA foreign_keys=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-500;"
    /* After a burst the -wal file is cut back to this. */
    "PRAGMA journal_size_limit=8388608;";

valet_status
vl_sqlite_fail(sqlite3 *db, const char *path, valet_error *err)
{
    int rc = sqlite3_errcode(db) & 0xff;
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        return vl_fail(err, VALET_INTERNAL, "", "the store %s is damaged: %s",
                       path, sqlite3_errmsg(db));
    return vl_fail(err,
                   rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? VALET_RETRY
                                                            : VALET_INTERNAL,
                   "", "cannot use the store %s: %s", path, sqlite3_errmsg(db));
}

/*
 * Looks without opening: closing a descriptor would drop the locks that
 * another store of this process holds on the same file.
 */
static valet_status
check_file(const char *path, valet_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? VALET_OK
                               : vl_fail(err, VALET_INTERNAL, "",
                                         "cannot stat the store %s: %s", path,
                                         strerror(errno));
    if (S_ISLNK(st.st_mode))
        return vl_fail(err, VALET_DENIED, "", "the store %s is a symbolic link",
                       path);
    if (!S_ISREG(st.st_mode))
        return vl_fail(err, VALET_DENIED, "",
                       "the store %s is not a regular file", path);
    if (st.st_uid != geteuid())
        return vl_fail(err, VALET_DENIED, "",
                       "the store %s belongs to another user", path);
    if (st.st_mode & 077)
        return vl_fail(
            err, VALET_DENIED, "",
            "the store %s is open to others (mode %03o): chmod 600 it", path,
            st.st_mode & 0777u);
    return VALET_OK;
}

/* Whoever may write the folder may put another file in our file's place; in
 * one with the sticky bit, such as /tmp, its owner alone may. */
static valet_status
check_folder(const char *folder, valet_error *err)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot stat %s: %s", folder,
                       strerror(errno));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return vl_fail(err, VALET_DENIED, "",
                       "the folder of the store, %s, belongs to another user, "
                       "who could exchange the store: use a folder of our own",
                       folder);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
        return vl_fail(err, VALET_DENIED, "",
                       "the folder of the store, %s, may be written by others "
                       "(mode %03o), who could exchange the store: chmod go-w "
                       "it",
                       folder, st.st_mode & 0777u);
    return VALET_OK;
}

/*
 * The folder may be reached through links, which are the operator's; the file
 * itself may not. SQLite then refuses any link in what we give it.
 */
static valet_status
resolve(const char *path, struct vl_buf *out, valet_error *err)
{
    struct vl_str whole = vl_str_z(path);
    size_t name = whole.n;
    while (name && path[name - 1] != '/')
        name--;
    vl_auto(vl_buf) folder = vl_buf_of(PATH_MAX);
    if (name)
        vl_buf_add(&folder, vl_str_head(whole, name));
    else
        vl_buf_addc(&folder, '.');
    VL_TRY(vl_buf_check(&folder, err));
    char *real = realpath(vl_buf_cstr(&folder), NULL);
    if (!real)
        return vl_fail(err, VALET_INTERNAL, "",
                       "cannot find the folder of the store %s: %s", path,
                       strerror(errno));
    valet_status status = check_folder(real, err);
    vl_buf_addz(out, real);
    vl_buf_addc(out, '/');
    vl_buf_add(out, vl_str_from(whole, name));
    free(real);
    VL_TRY(status);
    return vl_buf_check(out, err);
}

static valet_status
create_or_check(const char *path, valet_error *err)
{
    static const char *const companions[] = {"", "-wal", "-shm", "-journal"};
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  S_IRUSR | S_IWUSR);
    if (fd >= 0)
        (void)close(fd);
    else if (errno != EEXIST)
        return vl_fail(err, VALET_INTERNAL, "",
                       "cannot create the store %s: %s", path, strerror(errno));
    for (size_t i = 0; i < VL_COUNT(companions); i++) {
        vl_auto(vl_buf) name = vl_buf_of(PATH_MAX);
        vl_buf_addz(&name, path);
        vl_buf_addz(&name, companions[i]);
        VL_TRY(vl_buf_check(&name, err));
        VL_TRY(check_file(vl_buf_cstr(&name), err));
    }
    return VALET_OK;
}

/* Its last user would have written the log back and removed it. */
static bool
was_left_open(const char *path)
{
    struct stat st;
    vl_auto(vl_buf) name = vl_buf_of(PATH_MAX);
    vl_buf_addz(&name, path);
    vl_buf_addz(&name, "-wal");
    return name.failed ||
           (lstat(vl_buf_cstr(&name), &st) == 0 && st.st_size > 0);
}

/* A file that somebody else wrote must not make us run anything. */
static void
distrust(sqlite3 *db)
{
    static const struct {
        int option, on;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < VL_COUNT(options); i++)
        (void)sqlite3_db_config(db, options[i].option, options[i].on, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

static valet_status
use_wal(sqlite3 *db, const char *path, valet_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &statement,
                           NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    valet_status status = VALET_OK;
    if (sqlite3_step(statement) != SQLITE_ROW)
        status = vl_sqlite_fail(db, path, err);
    else if (!vl_str_eqz(
                 vl_str_z((const char *)sqlite3_column_text(statement, 0)),
                 "wal"))
        status = vl_fail(err, VALET_INTERNAL, "",
                         "the file system of %s cannot hold the store: "
                         "it needs a write-ahead log",
                         path);
    (void)sqlite3_finalize(statement);
    return status;
}

/* A file of another program is refused before anything is written to it, its
 * log included, which the last one to close it writes back. */
static valet_status
identify(sqlite3 *db, const char *path, valet_error *err)
{
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    VL_TRY(vl_sqlite_identify(db, path, err));
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return VALET_OK;
}

static valet_status
set_up(sqlite3 *db, const char *path, valet_error *err)
{
    distrust(db);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    VL_TRY(identify(db, path, err));
    if (sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    return use_wal(db, path, err);
}

valet_status
vl_sqlite_open(const char *path, bool *ret_left_open, sqlite3 **ret,
               valet_error *err)
{
    vl_auto(vl_buf) real = vl_buf_of(PATH_MAX);
    VL_TRY(resolve(path, &real, err));
    VL_TRY(create_or_check(vl_buf_cstr(&real), err));
    bool left_open = was_left_open(vl_buf_cstr(&real));
    sqlite3 *db = NULL;
    /* NOMUTEX: one thread at a time uses it, the worker's. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(vl_buf_cstr(&real), &db, flags, NULL);
    VL_ASSERT(db);
    valet_status status =
        rc == SQLITE_OK ? set_up(db, path, err) : vl_sqlite_fail(db, path, err);
    if (status != VALET_OK) {
        (void)sqlite3_close(db);
        return status;
    }
    *ret_left_open = left_open;
    *ret = db;
    return VALET_OK;
}
