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
 * group and others is VALET_DENIED; so is one in a folder where others may
 * put another in its place. A database that is not ours is left as it is.
 * `ret_left_open` tells that its last user did not close it.
 */
valet_status vl_sqlite_open(const char *path, bool *ret_left_open,
                            sqlite3 **ret, valet_error *err) VALET_CHECK;

/* Is it ours, or new? Writes nothing. */
valet_status
vl_sqlite_identify(sqlite3 *db, const char *path, valet_error *err) VALET_CHECK;

/* Brings the schema up to date, and looks whether the file is whole: always
 * when it is small, else only when it was left open. */
valet_status vl_sqlite_migrate(sqlite3 *db, const char *path, bool left_open,
                               valet_error *err) VALET_CHECK;

/* The error of a database that could not be opened or read at start. */
valet_status
vl_sqlite_fail(sqlite3 *db, const char *path, valet_error *err) VALET_CHECK;

#endif
