/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the store share: a store of one kind with a loop, a ring
 * and a clock that is moved by hand, and one-line forms of the verbs.
 */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include "vl_test.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

struct kit {
    bool in_memory;
    struct vl_loop *loop;
    struct vl_keyring *ring;
    struct vl_clock clock;
    int64_t now;
    struct vl_store *store;
    char folder[32], path[64];
    unsigned waiting; /* batches submitted and not answered */
};

static inline int64_t
kit_now(void *ctx)
{
    return ((struct kit *)ctx)->now;
}

static inline void
kit_open(struct kit *kit)
{
    if (kit->in_memory)
        kit->store = vl_store_open_memory(kit->ring, &kit->clock);
    else
        assert_ok(vl_store_open_sqlite(kit->path, kit->ring, &kit->clock,
                                       &kit->store, NULL));
}

/* Everything but the store. */
static inline struct kit *
kit_prepare(bool in_memory)
{
    struct kit *kit = vl_alloc(sizeof *kit);
    kit->in_memory = in_memory;
    kit->now = 1000000;
    kit->clock = (struct vl_clock){kit_now, kit};
    kit->ring = vl_keyring_new_random();
    assert_ok(vl_loop_new(&kit->loop, NULL));
    memcpy(kit->folder, "/tmp/vl-store-XXXXXX", 21);
    assert_non_null(mkdtemp(kit->folder));
    (void)snprintf(kit->path, sizeof kit->path, "%s/store.db", kit->folder);
    return kit;
}

static inline struct kit *
kit_new(bool in_memory)
{
    struct kit *kit = kit_prepare(in_memory);
    kit_open(kit);
    return kit;
}

static inline void
kit_close(struct kit *kit)
{
    vl_store_close(kit->store);
    kit->store = NULL;
}

static inline void
kit_free(struct kit *kit)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    kit_close(kit);
    vl_loop_free(kit->loop);
    vl_keyring_free(kit->ring);
    for (size_t i = 0; i < VL_COUNT(suffixes); i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "%s%s", kit->path, suffixes[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(kit->folder), 0);
    free(kit);
}

static inline void
kit_answered(struct vl_store_batch *batch)
{
    ((struct kit *)batch->ctx)->waiting--;
}

static inline struct vl_store_batch *
kit_batch(struct kit *kit)
{
    return vl_store_batch_new(kit_answered, kit);
}

static inline void
kit_submit(struct kit *kit, struct vl_store_batch *batch)
{
    kit->waiting++;
    vl_store_submit(kit->store, kit->loop, batch);
}

static inline void
kit_wait(struct kit *kit)
{
    while (kit->waiting)
        vl_loop_step(kit->loop);
}

static inline valet_status
kit_run(struct kit *kit, struct vl_store_batch *batch)
{
    kit_submit(kit, batch);
    kit_wait(kit);
    return batch->status;
}

static inline struct vl_store_op *
kit_add(struct vl_store_batch *batch, enum vl_store_verb verb,
        enum vl_section section, const char *key)
{
    return vl_store_add(batch, verb, section, vl_str_z(key));
}

static inline struct vl_store_op *
kit_add_put(struct vl_store_batch *batch, enum vl_section section,
            const char *key, const char *value)
{
    struct vl_store_op *op = kit_add(batch, VL_STORE_PUT, section, key);
    op->value = vl_str_z(value);
    return op;
}

/* Runs a batch of one and forgets it; answers its step without `found`. */
static inline struct vl_store_op
kit_one(struct kit *kit, struct vl_store_op asked)
{
    struct vl_store_batch *batch = kit_batch(kit);
    struct vl_store_op *op =
        vl_store_add(batch, asked.verb, asked.section, asked.key);
    op->owner = asked.owner;
    op->value = asked.value;
    op->expires_ms = asked.expires_ms;
    op->if_version = asked.if_version;
    valet_status status = kit_run(kit, batch);
    struct vl_store_op answer = *op;
    if (answer.status == VALET_CANCELLED) /* it did not come to run */
        answer.status = status;
    assert_int_equal(status, answer.status == VALET_NOT_FOUND ? VALET_OK
                                                              : answer.status);
    answer.found = vl_buf_take(&op->found);
    vl_store_batch_free(batch);
    return answer;
}

static inline valet_status
kit_put(struct kit *kit, enum vl_section section, const char *key,
        const char *owner, const char *value, int64_t expires_ms)
{
    return kit_one(kit, (struct vl_store_op){.verb = VL_STORE_PUT,
                                             .section = section,
                                             .key = vl_str_z(key),
                                             .owner = vl_str_z(owner),
                                             .value = vl_str_z(value),
                                             .expires_ms = expires_ms,
                                             .if_version = VL_STORE_ANY})
        .status;
}

static inline valet_status
kit_put_if(struct kit *kit, const char *key, const char *value,
           int64_t if_version)
{
    return kit_one(kit, (struct vl_store_op){.verb = VL_STORE_PUT,
                                             .section = VL_STORE_SESSION,
                                             .key = vl_str_z(key),
                                             .value = vl_str_z(value),
                                             .if_version = if_version})
        .status;
}

/* The status of a GET or TAKE; the value has to be `value` when it is OK. */
static inline valet_status
kit_see(struct kit *kit, enum vl_store_verb verb, enum vl_section section,
        const char *key, const char *value)
{
    struct vl_store_op op = kit_one(
        kit, (struct vl_store_op){
                 .verb = verb, .section = section, .key = vl_str_z(key)});
    if (op.status == VALET_OK)
        assert_str(vl_buf_str(&op.found), value);
    else
        assert_int_equal(vl_buf_size(&op.found), 0);
    vl_buf_done(&op.found);
    return op.status;
}

static inline int64_t
kit_version(struct kit *kit, const char *key)
{
    struct vl_store_op op =
        kit_one(kit, (struct vl_store_op){.verb = VL_STORE_GET,
                                          .section = VL_STORE_SESSION,
                                          .key = vl_str_z(key)});
    assert_int_equal(op.status, VALET_OK);
    vl_buf_done(&op.found);
    return op.version;
}

static inline int64_t
kit_count(struct kit *kit, enum vl_store_verb verb, enum vl_section section,
          const char *owner)
{
    struct vl_store_op op = kit_one(
        kit, (struct vl_store_op){
                 .verb = verb, .section = section, .owner = vl_str_z(owner)});
    assert_int_equal(op.status, VALET_OK);
    return op.count;
}

/* Another connection to the file, to look at it or to tamper with it. */
static inline int64_t
kit_sql(struct kit *kit, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(
        sqlite3_open_v2(kit->path, &db, SQLITE_OPEN_READWRITE, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL),
                     SQLITE_OK);
    int64_t answer = 0;
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        answer = sqlite3_column_int64(statement, 0);
    else
        assert_int_equal(rc, SQLITE_DONE);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return answer;
}

#endif
