/* SPDX-License-Identifier: Apache-2.0
 *
 * What must survive a restart: registrations, sign-ins under way, codes,
 * grants, sessions, tokens. A record has a section, a key, an owner, an expiry
 * and a sealed value; its meaning is the caller's (issuer/). One interface
 * for every database: what it asks for (get, conditional put, take, batches,
 * look-up by owner, expiry) PostgreSQL and Redis can do as well.
 *
 * Values are sealed (AES-256-GCM, associated data section + key + owner +
 * expiry) before a driver sees them; a value that does not open is
 * VALET_DENIED, never "not found" and never an empty one. Keys and owners are
 * stored as they are, so a secret is put under its keyed hash, never under
 * itself. They are text without control characters.
 *
 * Any thread that runs a loop may call; the answer comes on that loop.
 */
#ifndef VL_STORE_STORE_H
#define VL_STORE_STORE_H

#include "core/limits.h"
#include "core/sys.h"
#include "crypto/keyring.h"
#include "io/loop.h"

struct vl_store;

enum vl_section {
    VL_STORE_CLIENT,  /* registered MCP clients, by client id */
    VL_STORE_FLOW,    /* sign-ins under way, by hash of their handle */
    VL_STORE_CODE,    /* one-time codes, by hash; owner: session id */
    VL_STORE_GRANT,   /* what a user allowed a client; owner: user */
    VL_STORE_SESSION, /* token families, by id; owner: user */
    VL_STORE_ACCESS,  /* access tokens, by hash; owner: session id */
    VL_STORE_REFRESH, /* refresh tokens, by hash; owner: session id */
    VL_SECTION_COUNT
};

const char *vl_section_name(enum vl_section section);

enum vl_store_verb {
    VL_STORE_GET,          /* value → result */
    VL_STORE_PUT,          /* writes; see `if_version` */
    VL_STORE_TAKE,         /* gets and deletes in one step: one caller wins */
    VL_STORE_DELETE,       /* no error when there is none */
    VL_STORE_DELETE_OWNED, /* all of the section with this owner */
    VL_STORE_COUNT,        /* records of the section (and owner, if given) */
    VL_STORE_LIST          /* keys of the section with this owner, ≤ 1000 */
};

#define VL_STORE_ANY    (-1) /* PUT whatever is there */
#define VL_STORE_ABSENT 0    /* PUT only if there is no record */

/* One step. The slices are borrowed until the answer. */
struct vl_store_op {
    enum vl_store_verb verb;
    enum vl_section section;
    struct vl_str key;
    struct vl_str owner;
    struct vl_str value; /* PUT; in clear: the store seals it */
    int64_t expires_ms;  /* PUT; since 1970; 0 never */
    int64_t if_version;  /* PUT: this version, _ANY or _ABSENT, else
                            VALET_CONFLICT. DELETE: a version or _ANY */
    /* Results: */
    valet_status status; /* OK, NOT_FOUND (also when expired), CONFLICT,
                            DENIED (does not open), RETRY, INTERNAL; INVALID
                            or LIMIT for a key, owner or value that breaks a
                            rule; CANCELLED: has not run, or was undone */
    struct vl_buf found; /* GET, TAKE: the value, a secret buffer; LIST: keys
                            each ended by '\n' */
    int64_t version;     /* GET: of the record; PUT: the new one. A random
                            number > 0, so a record that was deleted and put
                            again is not mistaken for the old one */
    int64_t count;       /* COUNT, DELETE_OWNED */
};

#define VL_STORE_BATCH_MAX 12

/*
 * Steps that take effect together or not at all: the first one that is
 * neither OK nor NOT_FOUND for a GET, TAKE or DELETE undoes the batch, and
 * `status` is its status. With `must_find` a NOT_FOUND undoes it too. An
 * undone batch hands nothing out: what was found is wiped, and every step but
 * the one that failed is CANCELLED.
 */
struct vl_store_batch {
    struct vl_store_op ops[VL_STORE_BATCH_MAX];
    size_t count;
    bool must_find;
    valet_status status; /* of the whole; OK means committed */
    void (*done)(struct vl_store_batch *batch);
    void *ctx;
};

/* A fresh batch (heap); `done` is called once on `loop`. */
struct vl_store_batch *
vl_store_batch_new(void (*done)(struct vl_store_batch *batch), void *ctx);
/* Frees it, wiping what was found. From within `done` or after it. */
void vl_store_batch_free(struct vl_store_batch *batch);
/* The next step, to be filled in: verb, section and key are set, if_version
 * is VL_STORE_ANY. Key (and whatever else is pointed to) is borrowed. */
struct vl_store_op *
vl_store_add(struct vl_store_batch *batch, enum vl_store_verb verb,
             enum vl_section section, struct vl_str key);

void vl_store_submit(struct vl_store *store, struct vl_loop *loop,
                     struct vl_store_batch *batch);

/*
 * Drivers. The keyring and clock are borrowed and outlive the store.
 * Expired records are never returned, and are swept now and then with bounded
 * work.
 */
valet_status
vl_store_open_sqlite(const char *path, const struct vl_keyring *ring,
                     const struct vl_clock *clock, struct vl_store **ret,
                     valet_error *err) VALET_CHECK;
/* Lives as long as the process: for tests and for `--dev` without a store. */
struct vl_store *vl_store_open_memory(const struct vl_keyring *ring,
                                      const struct vl_clock *clock);
/* Every call answers VALET_RETRY: for tests that nothing is allowed then. */
struct vl_store *vl_store_open_failing(void);
/* Finishes what was submitted; answers come before the loop is freed. */
void vl_store_close(struct vl_store *store);

#endif
