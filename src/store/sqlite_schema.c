/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema and how older ones become the newest. `user_version` of the file
 * counts the migrations it has had; each one runs once, in a transaction.
 */
#include "core/status.h"
#include "store/sqlite.h"

/* "valt": tells our files from other people's (also file(1)'s way). */
#define APPLICATION_ID 0x76616c74

static const char *const migrations[] = {
    "CREATE TABLE record ("
    " section TEXT NOT NULL, key BLOB NOT NULL, owner BLOB NOT NULL,"
    " value BLOB NOT NULL, expires INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " PRIMARY KEY (section, key)) STRICT, WITHOUT ROWID;"
    /* Answers COUNT and LIST without touching the records. */
    "CREATE INDEX record_owner ON record (section, owner, key, expires);"
    "CREATE INDEX record_expires ON record (expires) WHERE expires > 0;"
    "PRAGMA application_id = 1986096244;",
};
/*
 * Looking at every page takes a millisecond a megabyte from the kernel's
 * cache, ten from a disk (docs/adr/0003-sqlite-durability.md).
 */
#define SMALL_FILE (INT64_C(8) * 1024 * 1024)

_Static_assert(APPLICATION_ID == 1986096244, "as in the first migration");

static valet_status
ask_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret,
           valet_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    valet_status status = VALET_OK;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret = sqlite3_column_int64(statement, 0);
    else
        status = vl_sqlite_fail(db, path, err);
    (void)sqlite3_finalize(statement);
    return status;
}

valet_status
vl_sqlite_identify(sqlite3 *db, const char *path, valet_error *err)
{
    int64_t id = 0, tables = 0, version = 0;
    VL_TRY(ask_number(db, path, "PRAGMA user_version", &version, err));
    VL_TRY(ask_number(db, path, "PRAGMA application_id", &id, err));
    VL_TRY(ask_number(db, path, "SELECT count(*) FROM sqlite_schema", &tables,
                      err));
    bool fresh = version == 0 && id == 0 && tables == 0;
    if (!fresh && (version <= 0 || id != APPLICATION_ID))
        return vl_fail(err, VALET_INVALID, "",
                       "%s is a database, but no store of mcp-valet", path);
    if (version > (int64_t)VL_COUNT(migrations))
        return vl_fail(err, VALET_INVALID, "",
                       "the store %s was written by a newer mcp-valet", path);
    return VALET_OK;
}

/* Reads every page once: better a refusal now than half of the sessions. */
static valet_status
check_pages(sqlite3 *db, const char *path, valet_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
        SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    valet_status status = VALET_OK;
    if (sqlite3_step(statement) != SQLITE_ROW) {
        status = vl_sqlite_fail(db, path, err);
    } else {
        const char *said = (const char *)sqlite3_column_text(statement, 0);
        if (!vl_str_eqz(vl_str_z(said), "ok"))
            status =
                vl_fail(err, VALET_INTERNAL, "", "the store %s is damaged: %s",
                        path, said ? said : "it cannot be read");
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static valet_status
check_whole(sqlite3 *db, const char *path, bool left_open, valet_error *err)
{
    int64_t pages = 0, page_size = 0;
    VL_TRY(ask_number(db, path, "PRAGMA page_count", &pages, err));
    VL_TRY(ask_number(db, path, "PRAGMA page_size", &page_size, err));
    return left_open || pages * page_size <= SMALL_FILE
               ? check_pages(db, path, err)
               : VALET_OK;
}

static valet_status
run_migration(sqlite3 *db, const char *path, int64_t version, valet_error *err)
{
    vl_auto(vl_buf) sql = vl_buf_of(VL_LIMIT_CONFIG);
    vl_buf_addz(&sql, migrations[version]);
    vl_buf_addf(&sql, "PRAGMA user_version = %lld;", (long long)version + 1);
    VL_TRY(vl_buf_check(&sql, err));
    if (sqlite3_exec(db, vl_buf_cstr(&sql), NULL, NULL, NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    return VALET_OK;
}

/* In a transaction: a second opener waits, then finds it done. */
static valet_status
run_migrations(sqlite3 *db, const char *path, valet_error *err)
{
    int64_t version = 0;
    VL_TRY(vl_sqlite_identify(db, path, err));
    VL_TRY(ask_number(db, path, "PRAGMA user_version", &version, err));
    for (; version < (int64_t)VL_COUNT(migrations); version++)
        VL_TRY(run_migration(db, path, version, err));
    if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    return VALET_OK;
}

valet_status
vl_sqlite_migrate(sqlite3 *db, const char *path, bool left_open,
                  valet_error *err)
{
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return vl_sqlite_fail(db, path, err);
    valet_status status = run_migrations(db, path, err);
    if (status != VALET_OK) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    return check_whole(db, path, left_open, err);
}
