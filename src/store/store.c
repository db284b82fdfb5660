/* SPDX-License-Identifier: Apache-2.0
 *
 * The store without its database: batches travel to the worker's thread, are
 * checked, sealed and run there step by step, and come back when the group
 * they were in is committed. Sealing happens on that thread too: it costs
 * about a microsecond beside a write's hundred, it lets a value that does not
 * open undo its batch, and nothing of the store is touched by the answer, so
 * the store may be closed before the answers have arrived.
 */
#include "core/status.h"
#include "io/work.h"
#include "store/driver.h"

/* Expired records are looked for so often, and sooner when many wait. */
#define SWEEP_MS         1000
#define SWEEP_BACKLOG_MS 100
#define SWEEP_MAX        200
/* The seal's key id, nonce and tag around the value. */
#define SEAL_ROOM 256
/* Versions fit a double exactly, so that any format can carry them. */
#define VERSION_MASK ((INT64_C(1) << 53) - 1)
/* Section, key, owner and expiry with what separates them. */
#define CONTEXT_MAX (2 * VL_LIMIT_STORE_KEY + 64)

struct vl_store {
    struct vl_driver *driver;
    struct vl_worker *worker;
    const struct vl_keyring *ring;
    const struct vl_clock *clock;
    int64_t sweep_at;      /* not before this time … */
    int64_t swept_at;      /* … unless the clock was set back before this */
    bool wrote;            /* a batch of this group may have written */
    struct vl_buf context; /* scratch of the worker's thread */
    struct vl_buf sealed;  /* likewise */
};

/* A batch as it travels; what the caller holds is its first member. */
struct pending {
    struct vl_store_batch batch;
    struct vl_job job;
    struct vl_store *store;
};

static const char *const section_names[VL_SECTION_COUNT] = {
    [VL_STORE_CLIENT] = "client",   [VL_STORE_FLOW] = "flow",
    [VL_STORE_CODE] = "code",       [VL_STORE_GRANT] = "grant",
    [VL_STORE_SESSION] = "session", [VL_STORE_ACCESS] = "access",
    [VL_STORE_REFRESH] = "refresh",
};

const char *
vl_section_name(enum vl_section section)
{
    VL_ASSERT((unsigned)section < VL_SECTION_COUNT);
    return section_names[section];
}

/* What each verb needs and does. */
static const struct {
    bool key, owner, writes, may_miss, counts;
    size_t found_max;
} verbs[] = {
    [VL_STORE_GET] = {.key = true,
                      .may_miss = true,
                      .found_max = VL_LIMIT_STORE_VALUE},
    [VL_STORE_PUT] = {.key = true, .writes = true},
    [VL_STORE_TAKE] = {.key = true,
                       .writes = true,
                       .may_miss = true,
                       .found_max = VL_LIMIT_STORE_VALUE},
    [VL_STORE_DELETE] = {.key = true, .writes = true, .may_miss = true},
    [VL_STORE_DELETE_OWNED] = {.owner = true, .writes = true, .counts = true},
    [VL_STORE_COUNT] = {.counts = true},
    [VL_STORE_LIST] = {.found_max =
                           VL_LIMIT_STORE_LIST * (VL_LIMIT_STORE_KEY + 1)},
};

/* --- what the caller holds --- */

struct vl_store_batch *
vl_store_batch_new(void (*done)(struct vl_store_batch *batch), void *ctx)
{
    struct pending *pending = vl_alloc(sizeof *pending);
    /* Nothing was granted yet: only a commit makes it OK. */
    pending->batch.status = VALET_CANCELLED;
    pending->batch.done = done;
    pending->batch.ctx = ctx;
    return &pending->batch;
}

void
vl_store_batch_free(struct vl_store_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < batch->count; i++)
        vl_buf_done(&batch->ops[i].found);
    free(VL_CONTAINER(batch, struct pending, batch));
}

struct vl_store_op *
vl_store_add(struct vl_store_batch *batch, enum vl_store_verb verb,
             enum vl_section section, struct vl_str key)
{
    VL_ASSERT(batch->count < VL_STORE_BATCH_MAX);
    struct vl_store_op *op = &batch->ops[batch->count++];
    *op = (struct vl_store_op){
        .verb = verb,
        .section = section,
        .key = key,
        .if_version = VL_STORE_ANY,
        .status = VALET_CANCELLED,
        .found = vl_buf_of_secret(verbs[verb].found_max),
    };
    return op;
}

/* --- one step, on the worker's thread --- */

/* No control characters: a key is a line of LIST and a part of the context. */
static bool
is_name(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static valet_status
check_op(const struct vl_store_op *op)
{
    if (op->key.n > VL_LIMIT_STORE_KEY || op->owner.n > VL_LIMIT_STORE_KEY ||
        op->value.n > VL_LIMIT_STORE_VALUE)
        return VALET_LIMIT;
    if (!is_name(op->key) || !is_name(op->owner) || op->expires_ms < 0)
        return VALET_INVALID;
    /* An empty owner must not come to mean everybody's records. */
    if ((verbs[op->verb].key && op->key.n == 0) ||
        (verbs[op->verb].owner && op->owner.n == 0))
        return VALET_INVALID;
    return VALET_OK;
}

/*
 * What a sealed value is bound to, so that a record that was moved, given to
 * another owner or prolonged does not open. @spec S-101
 */
static struct vl_str
context_of(struct vl_store *store, enum vl_section section,
           const struct vl_record *record)
{
    struct vl_buf *out = &store->context;
    vl_buf_clear(out);
    vl_buf_addz(out, vl_section_name(section));
    vl_buf_addc(out, '\0');
    vl_buf_add(out, record->key);
    vl_buf_addc(out, '\0');
    vl_buf_add(out, record->owner);
    vl_buf_addc(out, '\0');
    vl_buf_addu(out, (uint64_t)record->expires_ms);
    return vl_buf_str(out);
}

static int64_t
new_version(void)
{
    int64_t version;
    do {
        vl_random(&version, sizeof version);
        version &= VERSION_MASK;
    } while (version == VL_STORE_ABSENT);
    return version;
}

/* A step with what its callbacks need. */
struct running {
    struct vl_step step;
    struct vl_store *store;
    struct vl_store_op *op;
};

/* The driver found a record for GET or TAKE. */
static valet_status
open_value(struct vl_step *step, const struct vl_record *record)
{
    struct running *run = VL_CONTAINER(step, struct running, step);
    struct vl_record named = *record;
    named.key = step->record.key;
    struct vl_str context = context_of(run->store, step->section, &named);
    if (run->store->context.failed ||
        vl_unseal(run->store->ring, context, record->sealed, &run->op->found,
                  NULL) != VALET_OK)
        return VALET_DENIED;
    run->op->version = record->version;
    return VALET_OK;
}

static valet_status
add_key(struct vl_step *step, const struct vl_record *record)
{
    struct running *run = VL_CONTAINER(step, struct running, step);
    vl_buf_add(&run->op->found, record->key);
    vl_buf_addc(&run->op->found, '\n');
    return vl_buf_check(&run->op->found, NULL);
}

static valet_status
seal_value(struct vl_store *store, struct vl_store_op *op, struct vl_step *step)
{
    vl_buf_clear(&store->sealed);
    struct vl_str context = context_of(store, step->section, &step->record);
    if (store->context.failed || vl_seal(store->ring, context, op->value,
                                         &store->sealed, NULL) != VALET_OK)
        return VALET_INTERNAL;
    step->record.sealed = vl_buf_str(&store->sealed);
    step->record.version = new_version();
    return VALET_OK;
}

static valet_status
run_op(struct vl_store *store, struct vl_store_op *op, int64_t now_ms)
{
    VL_TRY(check_op(op));
    struct running run = {
        .step = {.verb = op->verb,
                 .section = op->section,
                 .record = {.key = op->key,
                            .owner = op->owner,
                            .expires_ms = op->expires_ms},
                 .if_version = op->if_version,
                 .now_ms = now_ms,
                 .found = op->verb == VL_STORE_LIST ? add_key : open_value},
        .store = store,
        .op = op,
    };
    if (op->verb == VL_STORE_PUT)
        VL_TRY(seal_value(store, op, &run.step));
    VL_TRY(store->driver->ops->step(store->driver, &run.step));
    if (op->verb == VL_STORE_PUT)
        op->version = run.step.record.version;
    if (verbs[op->verb].counts)
        op->count = run.step.count;
    return VALET_OK;
}

/* --- a batch, on the worker's thread --- */

static bool
writes(const struct vl_store_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (verbs[batch->ops[i].verb].writes)
            return true;
    return false;
}

/* Nothing is handed out of a batch that did not take effect. */
static void
spoil(struct vl_store_batch *batch, valet_status status,
      const struct vl_store_op *culprit)
{
    batch->status = status;
    for (size_t i = 0; i < batch->count; i++) {
        struct vl_store_op *op = &batch->ops[i];
        vl_buf_done(&op->found);
        op->version = op->count = 0;
        op->status = op == culprit ? status : VALET_CANCELLED;
    }
}

static bool
undoes(const struct vl_store_batch *batch, const struct vl_store_op *op)
{
    if (op->status == VALET_OK)
        return false;
    return op->status != VALET_NOT_FOUND || batch->must_find ||
           !verbs[op->verb].may_miss;
}

/* The first step that undoes the batch, or NULL when all have run. */
static const struct vl_store_op *
run_ops(struct vl_store *store, struct vl_store_batch *batch)
{
    int64_t now_ms = vl_clock_now(store->clock);
    for (size_t i = 0; i < batch->count; i++) {
        struct vl_store_op *op = &batch->ops[i];
        op->status = run_op(store, op, now_ms);
        if (undoes(batch, op))
            return op;
    }
    return NULL;
}

static void
run_batch(struct vl_job *job)
{
    struct pending *pending = VL_CONTAINER(job, struct pending, job);
    struct vl_store_batch *batch = &pending->batch;
    struct vl_driver *driver = pending->store->driver;
    bool write = writes(batch);
    valet_status status = driver->ops->start(driver, write);
    if (status != VALET_OK) {
        spoil(batch, status, NULL);
        return;
    }
    pending->store->wrote |= write;
    const struct vl_store_op *culprit = run_ops(pending->store, batch);
    if (culprit) {
        driver->ops->undo(driver);
        spoil(batch, culprit->status, culprit);
        return;
    }
    status = driver->ops->keep(driver);
    if (status == VALET_OK)
        batch->status = VALET_OK;
    else
        spoil(batch, status, NULL);
}

/* Back on the sender's loop; the store may be closed by now. */
static void
answer(struct vl_job *job)
{
    struct pending *pending = VL_CONTAINER(job, struct pending, job);
    if (!job->committed)
        spoil(&pending->batch, VALET_RETRY, NULL);
    pending->batch.done(&pending->batch);
}

void
vl_store_submit(struct vl_store *store, struct vl_loop *loop,
                struct vl_store_batch *batch)
{
    struct pending *pending = VL_CONTAINER(batch, struct pending, batch);
    pending->store = store;
    pending->job.run = run_batch;
    pending->job.done = answer;
    vl_worker_submit(store->worker, loop, &pending->job);
}

/* --- a group, on the worker's thread --- */

static void
begin_group(void *ctx)
{
    struct vl_store *store = ctx;
    store->wrote = false;
}

/* Bounded work, and only where a write transaction is open anyway, so that
 * nobody who only reads waits for it. @spec S-93 */
static void
sweep(struct vl_store *store)
{
    int64_t now_ms = vl_clock_now(store->clock);
    if (now_ms < store->sweep_at && now_ms >= store->swept_at)
        return;
    int64_t gone = store->driver->ops->sweep(store->driver, now_ms, SWEEP_MAX);
    store->swept_at = now_ms;
    store->sweep_at = now_ms + (gone < SWEEP_MAX ? SWEEP_MS : SWEEP_BACKLOG_MS);
}

static bool
end_group(void *ctx)
{
    struct vl_store *store = ctx;
    if (store->wrote)
        sweep(store);
    return store->driver->ops->commit(store->driver);
}

valet_status
vl_store_new(struct vl_driver *driver, const struct vl_keyring *ring,
             const struct vl_clock *clock, struct vl_store **ret,
             valet_error *err)
{
    struct vl_store *store = vl_alloc(sizeof *store);
    store->driver = driver;
    store->ring = ring;
    store->clock = clock;
    store->context = vl_buf_of(CONTEXT_MAX);
    store->sealed = vl_buf_of(VL_LIMIT_STORE_VALUE + SEAL_ROOM);
    struct vl_worker_hooks hooks = {begin_group, end_group, store};
    valet_status status = vl_worker_new(&hooks, &store->worker, err);
    if (status != VALET_OK) {
        driver->ops->free(driver);
        free(store);
        return status;
    }
    *ret = store;
    return VALET_OK;
}

void
vl_store_close(struct vl_store *store)
{
    if (!store)
        return;
    vl_worker_free(store->worker);
    store->driver->ops->free(store->driver);
    vl_buf_done(&store->context);
    vl_buf_done(&store->sealed);
    free(store);
}
