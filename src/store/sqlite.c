/* SPDX-License-Identifier: Apache-2.0
 *
 * The store in a file. All batches that wait are one transaction (group
 * commit), each batch a savepoint in it. A group that only asks takes no
 * write lock; the first batch that writes ends that reading transaction and
 * begins a writing one, so a lock is never upgraded and never busy half-way.
 *
 * When SQLite gives the whole transaction up (no space, a fault of the disk),
 * the group is lost: all that follows in it is refused, and `commit` says so
 * for all that went before.
 */
#include "store/sqlite.h"

#include "core/status.h"

enum statement {
    BEGIN_READING,
    BEGIN_WRITING,
    COMMIT,
    ROLLBACK,
    SAVE,
    RELEASE,
    ROLLBACK_TO,
    GET,
    TAKE,
    PUT,
    PUT_ABSENT,
    PUT_VERSION,
    DELETE,
    DELETE_OWNED,
    COUNT,
    COUNT_OWNED,
    LIST,
    SWEEP,
    STATEMENT_COUNT
};

#define LIVE "(expires = 0 OR expires > :now)"
#define HERE "section = :section AND key = :key AND " LIVE
#define NEW                                                                    \
    "INSERT INTO record (section, key, owner, value, expires, version)"        \
    " VALUES (:section, :key, :owner, :value, :expires, :version)"             \
    " ON CONFLICT (section, key) DO UPDATE SET " SET
#define SET                                                                    \
    "owner = :owner, value = :value, expires = :expires, version = :version"
#define FOUND "owner, value, expires, version"

static const char *const sql[STATEMENT_COUNT] = {
    [BEGIN_READING] = "BEGIN",
    [BEGIN_WRITING] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVE] = "SAVEPOINT batch",
    [RELEASE] = "RELEASE batch",
    [ROLLBACK_TO] = "ROLLBACK TO batch",
    [GET] = "SELECT " FOUND " FROM record WHERE " HERE,
    [TAKE] = "DELETE FROM record WHERE " HERE " RETURNING " FOUND,
    [PUT] = NEW,
    /* What has expired is not there, though it may not be swept yet. */
    [PUT_ABSENT] = NEW " WHERE expires > 0 AND expires <= :now",
    [PUT_VERSION] =
        "UPDATE record SET " SET " WHERE " HERE " AND version = :if_version",
    [DELETE] = "DELETE FROM record WHERE " HERE
               " AND (:if_version < 0 OR version = :if_version)",
    [DELETE_OWNED] =
        "DELETE FROM record WHERE section = :section AND owner = :owner"
        " AND " LIVE,
    [COUNT] = "SELECT count(*) FROM record WHERE section = :section AND " LIVE,
    [COUNT_OWNED] = "SELECT count(*) FROM record WHERE section = :section"
                    " AND owner = :owner AND " LIVE,
    [LIST] = "SELECT key FROM record WHERE section = :section"
             " AND owner = :owner AND " LIVE " ORDER BY key LIMIT :max",
    [SWEEP] = "DELETE FROM record WHERE (section, key) IN"
              " (SELECT section, key FROM record"
              "  WHERE expires > 0 AND expires <= :now"
              "  ORDER BY expires LIMIT :max)",
};

enum param {
    P_SECTION,
    P_KEY,
    P_OWNER,
    P_VALUE,
    P_EXPIRES,
    P_VERSION,
    P_IF_VERSION,
    P_NOW,
    P_MAX,
    PARAM_COUNT
};

static const char *const param_names[PARAM_COUNT] = {
    [P_SECTION] = ":section", [P_KEY] = ":key",
    [P_OWNER] = ":owner",     [P_VALUE] = ":value",
    [P_EXPIRES] = ":expires", [P_VERSION] = ":version",
    [P_NOW] = ":now",         [P_IF_VERSION] = ":if_version",
    [P_MAX] = ":max",
};

/* Columns of FOUND. */
enum { C_OWNER, C_VALUE, C_EXPIRES, C_VERSION };

enum group_state {
    IDLE,    /* no transaction */
    READING, /* one that has read only */
    WRITING,
    LOST /* must be rolled back; nothing more is done in it */
};

struct database {
    struct vl_driver driver;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int at[STATEMENT_COUNT][PARAM_COUNT]; /* index of a parameter, or 0 */
    enum group_state state;
    bool saved; /* the batch that runs has a savepoint */
};

static struct database *
database_of(struct vl_driver *driver)
{
    return VL_CONTAINER(driver, struct database, driver);
}

/* --- statements --- */

/* What may pass by itself is RETRY: locks, space, memory, the disk. */
static valet_status
status_of(int rc)
{
    static const int passing[] = {
        SQLITE_BUSY, SQLITE_LOCKED,   SQLITE_NOMEM,    SQLITE_IOERR,
        SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_READONLY,
        SQLITE_PERM, SQLITE_ABORT,    SQLITE_SCHEMA,   SQLITE_INTERRUPT,
    };
    for (size_t i = 0; i < VL_COUNT(passing); i++)
        if ((rc & 0xff) == passing[i])
            return VALET_RETRY;
    return VALET_INTERNAL;
}

/* Runs one without parameters that answers nothing. */
static bool
run_plain(struct database *d, enum statement id)
{
    int rc = sqlite3_step(d->statements[id]);
    (void)sqlite3_reset(d->statements[id]);
    return rc == SQLITE_DONE;
}

static int
bind_bytes(struct database *d, enum statement id, enum param param,
           struct vl_str s)
{
    int at = d->at[id][param];
    if (at == 0)
        return SQLITE_OK;
    /* A null pointer would bind NULL, not the empty value. */
    return sqlite3_bind_blob64(d->statements[id], at, s.n ? s.p : "", s.n,
                               SQLITE_STATIC);
}

static int
bind_number(struct database *d, enum statement id, enum param param,
            int64_t value)
{
    int at = d->at[id][param];
    if (at == 0)
        return SQLITE_OK;
    return sqlite3_bind_int64(d->statements[id], at, value);
}

/* Binds what the statement asks for; the slices stay borrowed. */
static valet_status
bind_step(struct database *d, enum statement id, const struct vl_step *step)
{
    int rc = SQLITE_OK;
    if (d->at[id][P_SECTION])
        rc |= sqlite3_bind_text(d->statements[id], d->at[id][P_SECTION],
                                vl_section_name(step->section), -1,
                                SQLITE_STATIC);
    rc |= bind_bytes(d, id, P_KEY, step->record.key);
    rc |= bind_bytes(d, id, P_OWNER, step->record.owner);
    rc |= bind_bytes(d, id, P_VALUE, step->record.sealed);
    rc |= bind_number(d, id, P_EXPIRES, step->record.expires_ms);
    rc |= bind_number(d, id, P_VERSION, step->record.version);
    rc |= bind_number(d, id, P_IF_VERSION, step->if_version);
    rc |= bind_number(d, id, P_NOW, step->now_ms);
    rc |= bind_number(d, id, P_MAX, VL_LIMIT_STORE_LIST);
    return rc == SQLITE_OK ? VALET_OK : VALET_RETRY;
}

static void
finish(struct database *d, enum statement id)
{
    (void)sqlite3_reset(d->statements[id]);
    (void)sqlite3_clear_bindings(d->statements[id]);
}

static struct vl_str
column_bytes(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int n = sqlite3_column_bytes(statement, column);
    return bytes && n > 0 ? vl_str_of(bytes, (size_t)n)
                          : (struct vl_str){NULL, 0};
}

/* Runs one that changes records; returns how many through `step->count`. */
static valet_status
run_change(struct database *d, enum statement id, struct vl_step *step)
{
    VL_TRY(bind_step(d, id, step));
    int rc = sqlite3_step(d->statements[id]);
    finish(d, id);
    if (rc != SQLITE_DONE)
        return status_of(rc);
    step->count = sqlite3_changes64(d->db);
    return VALET_OK;
}

/* Runs one that answers FOUND of at most one record. */
static valet_status
run_fetch(struct database *d, enum statement id, struct vl_step *step)
{
    VL_TRY(bind_step(d, id, step));
    sqlite3_stmt *statement = d->statements[id];
    int rc = sqlite3_step(statement);
    valet_status status = VALET_NOT_FOUND;
    if (rc == SQLITE_ROW) {
        struct vl_record record = {
            .key = step->record.key,
            .owner = column_bytes(statement, C_OWNER),
            .sealed = column_bytes(statement, C_VALUE),
            .expires_ms = sqlite3_column_int64(statement, C_EXPIRES),
            .version = sqlite3_column_int64(statement, C_VERSION),
        };
        status = step->found(step, &record);
        rc = sqlite3_step(statement);
    }
    finish(d, id);
    return rc == SQLITE_DONE ? status : status_of(rc);
}

/* --- the verbs --- */

static valet_status
get(struct database *d, struct vl_step *step)
{
    return run_fetch(d, GET, step);
}

static valet_status
take(struct database *d, struct vl_step *step)
{
    return run_fetch(d, TAKE, step);
}

static valet_status
put(struct database *d, struct vl_step *step)
{
    enum statement id = step->if_version == VL_STORE_ANY      ? PUT
                        : step->if_version == VL_STORE_ABSENT ? PUT_ABSENT
                                                              : PUT_VERSION;
    VL_TRY(run_change(d, id, step));
    return step->count ? VALET_OK : VALET_CONFLICT;
}

static valet_status
ignore_record(struct vl_step *step, const struct vl_record *record)
{
    (void)step;
    (void)record;
    return VALET_OK;
}

static valet_status
delete_key(struct database *d, struct vl_step *step)
{
    VL_TRY(run_change(d, DELETE, step));
    if (step->count)
        return VALET_OK;
    /* None at all, or one with another version? */
    step->found = ignore_record;
    valet_status status = run_fetch(d, GET, step);
    return status == VALET_OK ? VALET_CONFLICT : status;
}

static valet_status
delete_owned(struct database *d, struct vl_step *step)
{
    return run_change(d, DELETE_OWNED, step);
}

static valet_status
count(struct database *d, struct vl_step *step)
{
    enum statement id = step->record.owner.n ? COUNT_OWNED : COUNT;
    VL_TRY(bind_step(d, id, step));
    int rc = sqlite3_step(d->statements[id]);
    if (rc == SQLITE_ROW)
        step->count = sqlite3_column_int64(d->statements[id], 0);
    finish(d, id);
    return rc == SQLITE_ROW ? VALET_OK : status_of(rc);
}

static valet_status
list(struct database *d, struct vl_step *step)
{
    VL_TRY(bind_step(d, LIST, step));
    sqlite3_stmt *statement = d->statements[LIST];
    valet_status status = VALET_OK;
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW && status == VALET_OK) {
        struct vl_record record = {.key = column_bytes(statement, 0)};
        status = step->found(step, &record);
        step->count++;
    }
    finish(d, LIST);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? status : status_of(rc);
}

static valet_status (*const steps[])(struct database *, struct vl_step *) = {
    [VL_STORE_GET] = get,
    [VL_STORE_PUT] = put,
    [VL_STORE_TAKE] = take,
    [VL_STORE_DELETE] = delete_key,
    [VL_STORE_DELETE_OWNED] = delete_owned,
    [VL_STORE_COUNT] = count,
    [VL_STORE_LIST] = list,
};

/* --- batches and groups --- */

/* SQLite may have given the transaction up by itself. */
static bool
is_lost(struct database *d)
{
    if (d->state != IDLE && sqlite3_get_autocommit(d->db))
        d->state = LOST;
    return d->state == LOST;
}

static bool
begin(struct database *d, bool writes)
{
    enum group_state wanted = writes ? WRITING : READING;
    if (d->state >= wanted)
        return true;
    if (d->state == READING && !run_plain(d, COMMIT))
        return false;
    if (!run_plain(d, writes ? BEGIN_WRITING : BEGIN_READING))
        return false;
    d->state = wanted;
    return true;
}

static valet_status
start_batch(struct vl_driver *driver, bool writes)
{
    struct database *d = database_of(driver);
    if (is_lost(d))
        return VALET_RETRY;
    if (!begin(d, writes)) {
        /* Do not wait for the lock again for each of the group. */
        d->state = LOST;
        return VALET_RETRY;
    }
    d->saved = writes && run_plain(d, SAVE);
    if (writes && !d->saved)
        d->state = LOST;
    return d->state == LOST ? VALET_RETRY : VALET_OK;
}

static valet_status
run_step(struct vl_driver *driver, struct vl_step *step)
{
    struct database *d = database_of(driver);
    return is_lost(d) ? VALET_RETRY : steps[step->verb](d, step);
}

static valet_status
keep_batch(struct vl_driver *driver)
{
    struct database *d = database_of(driver);
    if (is_lost(d))
        return VALET_RETRY;
    if (d->saved && !run_plain(d, RELEASE)) {
        d->state = LOST;
        return VALET_RETRY;
    }
    d->saved = false;
    return VALET_OK;
}

static void
undo_batch(struct vl_driver *driver)
{
    struct database *d = database_of(driver);
    if (!is_lost(d) && d->saved &&
        !(run_plain(d, ROLLBACK_TO) && run_plain(d, RELEASE)))
        d->state = LOST;
    d->saved = false;
}

static bool
commit_group(struct vl_driver *driver)
{
    struct database *d = database_of(driver);
    bool committed = d->state == IDLE || (!is_lost(d) && run_plain(d, COMMIT));
    if (!committed && !sqlite3_get_autocommit(d->db))
        (void)run_plain(d, ROLLBACK);
    d->state = IDLE;
    d->saved = false;
    return committed;
}

static int64_t
sweep_expired(struct vl_driver *driver, int64_t now_ms, int64_t max)
{
    struct database *d = database_of(driver);
    if (is_lost(d) || d->state != WRITING)
        return 0;
    int64_t gone = 0;
    if (bind_number(d, SWEEP, P_NOW, now_ms) == SQLITE_OK &&
        bind_number(d, SWEEP, P_MAX, max) == SQLITE_OK &&
        sqlite3_step(d->statements[SWEEP]) == SQLITE_DONE)
        gone = sqlite3_changes64(d->db);
    finish(d, SWEEP);
    return gone;
}

/* --- birth and end --- */

static void
free_driver(struct vl_driver *driver)
{
    struct database *d = database_of(driver);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(d->statements[i]);
    (void)sqlite3_close(d->db);
    free(d);
}

static valet_status
prepare(struct database *d, const char *path, valet_error *err)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(d->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &d->statements[i], NULL) != SQLITE_OK)
            return vl_sqlite_fail(d->db, path, err);
        for (size_t p = 0; p < PARAM_COUNT; p++)
            d->at[i][p] =
                sqlite3_bind_parameter_index(d->statements[i], param_names[p]);
    }
    return VALET_OK;
}

static const struct vl_driver_ops ops = {
    .start = start_batch,
    .step = run_step,
    .keep = keep_batch,
    .undo = undo_batch,
    .commit = commit_group,
    .sweep = sweep_expired,
    .free = free_driver,
};

valet_status
vl_store_open_sqlite(const char *path, const struct vl_keyring *ring,
                     const struct vl_clock *clock, struct vl_store **ret,
                     valet_error *err)
{
    sqlite3 *db;
    bool left_open;
    VL_TRY(vl_sqlite_open(path, &left_open, &db, err));
    struct database *d = vl_alloc(sizeof *d);
    d->driver.ops = &ops;
    d->db = db;
    valet_status status = vl_sqlite_migrate(db, path, left_open, err);
    if (status == VALET_OK)
        status = prepare(d, path, err);
    if (status != VALET_OK) {
        free_driver(&d->driver);
        return status;
    }
    return vl_store_new(&d->driver, ring, clock, ret, err);
}
