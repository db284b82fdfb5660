/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the SQLite driver share. Private to this room. How the
 * file looks is in docs/protocol/store.md, why it is opened like this in
 * docs/adr/0003-sqlite-durability.md.
 */
#ifndef VL_STORE_SQLITE_H
#define VL_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/driver.h"

/*
 * Opens the file at `path`, creating it with mode 0600 when there is none. A
 * file that is a symbolic link, no regular file, another user's or open to
 * group and others is VALET_DENIED.
 */
valet_status
vl_sqlite_open(const char *path, sqlite3 **ret, valet_error *err) VALET_CHECK;

/* Checks that the file is whole and ours, and brings its schema up to date. */
valet_status
vl_sqlite_migrate(sqlite3 *db, const char *path, valet_error *err) VALET_CHECK;

/* The error of a database that could not be opened or read at start. */
valet_status
vl_sqlite_fail(sqlite3 *db, const char *path, valet_error *err) VALET_CHECK;

#endif
