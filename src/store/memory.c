/* SPDX-License-Identifier: Apache-2.0
 *
 * The store in memory. A map per section finds a record by its key; a list
 * per section is walked for owners, so those verbs cost as much as the
 * section holds: this driver is for tests and for a `--dev` without a file.
 * What a batch replaced or deleted waits in `undo` until the batch is kept.
 */
#include "core/list.h"
#include "core/map.h"
#include "store/driver.h"

struct entry {
    struct vl_list node; /* in its section's list, or in none */
    struct vl_str key;   /* all three point behind the struct */
    struct vl_str owner;
    struct vl_str sealed;
    int64_t expires_ms, version;
};

/* A change that can be taken back: `before` was there instead. */
struct change {
    struct change *next;
    enum vl_section section;
    struct entry *before; /* NULL: nothing was */
    struct entry *after;  /* NULL: it was deleted */
};

struct memory {
    struct vl_driver driver;
    struct vl_map maps[VL_SECTION_COUNT];
    struct vl_list lists[VL_SECTION_COUNT];
    struct change *changes; /* of the batch that runs, newest first */
    unsigned sweeping;      /* the section the next sweep begins with */
};

static struct memory *
memory_of(struct vl_driver *driver)
{
    return VL_CONTAINER(driver, struct memory, driver);
}

static struct vl_str
place(char **at, struct vl_str s)
{
    char *start = *at;
    if (s.n)
        memcpy(start, s.p, s.n);
    *at += s.n;
    return vl_str_of(start, s.n);
}

static struct entry *
new_entry(const struct vl_record *record)
{
    struct entry *entry = vl_alloc(sizeof *entry + record->key.n +
                                   record->owner.n + record->sealed.n);
    char *at = (char *)(entry + 1);
    vl_list_init(&entry->node);
    entry->key = place(&at, record->key);
    entry->owner = place(&at, record->owner);
    entry->sealed = place(&at, record->sealed);
    entry->expires_ms = record->expires_ms;
    entry->version = record->version;
    return entry;
}

static struct vl_record
record_of(const struct entry *entry)
{
    return (struct vl_record){entry->key, entry->owner, entry->sealed,
                              entry->expires_ms, entry->version};
}

static bool
is_expired(const struct entry *entry, int64_t now_ms)
{
    struct vl_record record = record_of(entry);
    return vl_record_is_expired(&record, now_ms);
}

/* The record as the step sees it: expired is not there. */
static struct entry *
find_live(struct memory *memory, const struct vl_step *step)
{
    struct entry *entry =
        vl_map_find(&memory->maps[step->section], step->record.key);
    return entry && !is_expired(entry, step->now_ms) ? entry : NULL;
}

/* Takes `before` out and puts `after` in; neither is freed. */
static void
replace(struct memory *memory, enum vl_section section, struct entry *before,
        struct entry *after)
{
    if (before)
        vl_list_remove(&before->node);
    if (before && !after)
        (void)vl_map_take(&memory->maps[section], before->key);
    if (after) {
        (void)vl_map_put(&memory->maps[section], after->key, after);
        vl_list_add_last(&memory->lists[section], &after->node);
    }
}

static void
change(struct memory *memory, enum vl_section section, struct entry *before,
       struct entry *after)
{
    struct change *made = vl_alloc(sizeof *made);
    *made = (struct change){memory->changes, section, before, after};
    memory->changes = made;
    replace(memory, section, before, after);
}

static valet_status
get(struct memory *memory, struct vl_step *step)
{
    struct entry *entry = find_live(memory, step);
    if (!entry)
        return VALET_NOT_FOUND;
    struct vl_record record = record_of(entry);
    return step->found(step, &record);
}

static valet_status
put(struct memory *memory, struct vl_step *step)
{
    struct entry *live = find_live(memory, step);
    int64_t version = live ? live->version : VL_STORE_ABSENT;
    if (step->if_version != VL_STORE_ANY && step->if_version != version)
        return VALET_CONFLICT;
    struct entry *before =
        vl_map_find(&memory->maps[step->section], step->record.key);
    change(memory, step->section, before, new_entry(&step->record));
    return VALET_OK;
}

static valet_status
take(struct memory *memory, struct vl_step *step)
{
    VL_TRY(get(memory, step));
    change(memory, step->section, find_live(memory, step), NULL);
    return VALET_OK;
}

static valet_status
delete_key(struct memory *memory, struct vl_step *step)
{
    struct entry *entry = find_live(memory, step);
    if (!entry)
        return VALET_NOT_FOUND;
    if (step->if_version != VL_STORE_ANY && step->if_version != entry->version)
        return VALET_CONFLICT;
    change(memory, step->section, entry, NULL);
    return VALET_OK;
}

/* Calls `visit` for each live record of the owner. */
static valet_status
each_owned(struct memory *memory, struct vl_step *step, bool any_owner,
           valet_status (*visit)(struct memory *memory, struct vl_step *step,
                                 struct entry *entry))
{
    VL_LIST_EACH (node, &memory->lists[step->section]) {
        struct entry *entry = VL_CONTAINER(node, struct entry, node);
        if (is_expired(entry, step->now_ms))
            continue;
        if (any_owner || vl_str_eq(entry->owner, step->record.owner))
            VL_TRY(visit(memory, step, entry));
    }
    return VALET_OK;
}

static valet_status
delete_one(struct memory *memory, struct vl_step *step, struct entry *entry)
{
    change(memory, step->section, entry, NULL);
    step->count++;
    return VALET_OK;
}

static valet_status
delete_owned(struct memory *memory, struct vl_step *step)
{
    return each_owned(memory, step, false, delete_one);
}

static valet_status
count_one(struct memory *memory, struct vl_step *step, struct entry *entry)
{
    (void)memory;
    (void)entry;
    step->count++;
    return VALET_OK;
}

static valet_status
count(struct memory *memory, struct vl_step *step)
{
    return each_owned(memory, step, step->record.owner.n == 0, count_one);
}

static valet_status
list_one(struct memory *memory, struct vl_step *step, struct entry *entry)
{
    (void)memory;
    if (step->count >= VL_LIMIT_STORE_LIST)
        return VALET_OK;
    step->count++;
    struct vl_record record = record_of(entry);
    return step->found(step, &record);
}

static valet_status
list(struct memory *memory, struct vl_step *step)
{
    return each_owned(memory, step, false, list_one);
}

static valet_status (*const steps[])(struct memory *, struct vl_step *) = {
    [VL_STORE_GET] = get,
    [VL_STORE_PUT] = put,
    [VL_STORE_TAKE] = take,
    [VL_STORE_DELETE] = delete_key,
    [VL_STORE_DELETE_OWNED] = delete_owned,
    [VL_STORE_COUNT] = count,
    [VL_STORE_LIST] = list,
};

static valet_status
start_batch(struct vl_driver *driver, bool writes)
{
    (void)driver;
    (void)writes;
    return VALET_OK;
}

static valet_status
run_step(struct vl_driver *driver, struct vl_step *step)
{
    return steps[step->verb](memory_of(driver), step);
}

static valet_status
keep_batch(struct vl_driver *driver)
{
    struct memory *memory = memory_of(driver);
    while (memory->changes) {
        struct change *made = memory->changes;
        memory->changes = made->next;
        free(made->before);
        free(made);
    }
    return VALET_OK;
}

static void
undo_batch(struct vl_driver *driver)
{
    struct memory *memory = memory_of(driver);
    while (memory->changes) {
        struct change *made = memory->changes;
        memory->changes = made->next;
        replace(memory, made->section, made->after, made->before);
        free(made->after);
        free(made);
    }
}

static bool
commit_group(struct vl_driver *driver)
{
    (void)driver;
    return true;
}

/*
 * Looks at the records that were looked at longest ago: each one seen goes to
 * the end of its list.
 */
static int64_t
sweep_section(struct memory *memory, enum vl_section section, int64_t now_ms,
              int64_t *ret_left)
{
    int64_t gone = 0;
    size_t size = vl_map_size(&memory->maps[section]);
    for (; size && *ret_left > 0; size--, (*ret_left)--) {
        struct vl_list *node = memory->lists[section].next;
        struct entry *entry = VL_CONTAINER(node, struct entry, node);
        vl_list_remove(node);
        if (is_expired(entry, now_ms)) {
            (void)vl_map_take(&memory->maps[section], entry->key);
            free(entry);
            gone++;
        } else {
            vl_list_add_last(&memory->lists[section], node);
        }
    }
    return gone;
}

static int64_t
sweep_expired(struct vl_driver *driver, int64_t now_ms, int64_t max)
{
    struct memory *memory = memory_of(driver);
    int64_t gone = 0, left = max;
    for (unsigned i = 0; i < VL_SECTION_COUNT && left > 0; i++) {
        enum vl_section section =
            (enum vl_section)(memory->sweeping % VL_SECTION_COUNT);
        gone += sweep_section(memory, section, now_ms, &left);
        if (left > 0)
            memory->sweeping++;
    }
    /* A section that used it all up must not starve the others. */
    if (left <= 0)
        memory->sweeping++;
    return gone;
}

static void
free_driver(struct vl_driver *driver)
{
    struct memory *memory = memory_of(driver);
    for (unsigned i = 0; i < VL_SECTION_COUNT; i++) {
        VL_LIST_EACH (node, &memory->lists[i])
            free(VL_CONTAINER(node, struct entry, node));
        vl_map_done(&memory->maps[i]);
    }
    free(memory);
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

struct vl_store *
vl_store_open_memory(const struct vl_keyring *ring,
                     const struct vl_clock *clock)
{
    struct memory *memory = vl_alloc(sizeof *memory);
    memory->driver.ops = &ops;
    for (unsigned i = 0; i < VL_SECTION_COUNT; i++) {
        vl_map_init(&memory->maps[i]);
        vl_list_init(&memory->lists[i]);
    }
    struct vl_store *store;
    VL_ASSERT(vl_store_new(&memory->driver, ring, clock, &store, NULL) ==
              VALET_OK);
    return store;
}
