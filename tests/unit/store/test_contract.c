/* SPDX-License-Identifier: Apache-2.0
 *
 * What every driver has to do, run over each of them from one table.
 */
#include "kit.h"

#include <pthread.h>

static int
set_up_memory(void **state)
{
    *state = kit_new(true);
    return 0;
}

static int
set_up_sqlite(void **state)
{
    *state = kit_new(false);
    return 0;
}

static int
tear_down(void **state)
{
    kit_free(*state);
    return 0;
}

static void
gives_back_what_was_put(void **state)
{
    struct kit *kit = *state;
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", NULL),
                     VALET_NOT_FOUND);
    assert_ok(kit_put(kit, VL_STORE_SESSION, "a", "alice", "one", 0));
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", "one"));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "a", "bob", "two", 0));
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", "two"));
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, ""), 1);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, "alice"),
                     0);
}

static void
keeps_sections_apart(void **state)
{
    struct kit *kit = *state;
    for (unsigned i = 0; i < VL_SECTION_COUNT; i++)
        assert_ok(kit_put(kit, (enum vl_section)i, "same", "",
                          vl_section_name((enum vl_section)i), 0));
    for (unsigned i = 0; i < VL_SECTION_COUNT; i++)
        assert_ok(kit_see(kit, VL_STORE_GET, (enum vl_section)i, "same",
                          vl_section_name((enum vl_section)i)));
}

static void
keeps_empty_and_largest_values(void **state)
{
    struct kit *kit = *state;
    char *large = vl_alloc(VL_LIMIT_STORE_VALUE + 2);
    memset(large, 'x', VL_LIMIT_STORE_VALUE);
    assert_ok(kit_put(kit, VL_STORE_GRANT, "empty", "", "", 0));
    assert_ok(kit_put(kit, VL_STORE_GRANT, "large", "", large, 0));
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "empty", ""));
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_GRANT, "large", large));
    large[VL_LIMIT_STORE_VALUE] = 'x';
    assert_int_equal(kit_put(kit, VL_STORE_GRANT, "large", "", large, 0),
                     VALET_LIMIT);
    free(large);
}

static void
refuses_names_that_break_the_rules(void **state)
{
    struct kit *kit = *state;
    char *long_key = vl_alloc(VL_LIMIT_STORE_KEY + 2);
    memset(long_key, 'k', VL_LIMIT_STORE_KEY + 1);
    assert_int_equal(kit_put(kit, VL_STORE_CODE, "", "", "v", 0),
                     VALET_INVALID);
    assert_int_equal(kit_put(kit, VL_STORE_CODE, "a\nb", "", "v", 0),
                     VALET_INVALID);
    assert_int_equal(kit_put(kit, VL_STORE_CODE, "a", "b\x7f", "v", 0),
                     VALET_INVALID);
    assert_int_equal(kit_put(kit, VL_STORE_CODE, "a", "", "v", -1),
                     VALET_INVALID);
    assert_int_equal(kit_put(kit, VL_STORE_CODE, long_key, "", "v", 0),
                     VALET_LIMIT);
    long_key[VL_LIMIT_STORE_KEY] = '\0';
    assert_ok(kit_put(kit, VL_STORE_CODE, long_key, long_key, "v", 0));
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_CODE, long_key, "v"));
    free(long_key);
}

static void
puts_only_over_the_version_it_was_told(void **state)
{
    struct kit *kit = *state;
    assert_int_equal(kit_put_if(kit, "a", "v", 7), VALET_CONFLICT);
    assert_ok(kit_put_if(kit, "a", "one", VL_STORE_ABSENT));
    assert_int_equal(kit_put_if(kit, "a", "two", VL_STORE_ABSENT),
                     VALET_CONFLICT);
    int64_t first = kit_version(kit, "a");
    assert_true(first > 0);
    assert_ok(kit_put_if(kit, "a", "two", first));
    assert_int_equal(kit_put_if(kit, "a", "three", first), VALET_CONFLICT);
    assert_true(kit_version(kit, "a") != first);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", "two"));
}

static void
tells_the_version_it_wrote(void **state)
{
    struct kit *kit = *state;
    struct vl_store_op put =
        kit_one(kit, (struct vl_store_op){.verb = VL_STORE_PUT,
                                          .section = VL_STORE_SESSION,
                                          .key = VL_STR("a"),
                                          .if_version = VL_STORE_ANY});
    assert_ok(put.status);
    assert_int_equal(put.version, kit_version(kit, "a"));
}

/* The record is another one, though it has the same key. */
static void
does_not_mistake_a_new_record_for_the_old(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put_if(kit, "a", "one", VL_STORE_ABSENT));
    int64_t old = kit_version(kit, "a");
    assert_ok(kit_see(kit, VL_STORE_TAKE, VL_STORE_SESSION, "a", "one"));
    assert_ok(kit_put_if(kit, "a", "one", VL_STORE_ABSENT));
    assert_int_equal(kit_put_if(kit, "a", "two", old), VALET_CONFLICT);
}

static void
deletes_with_and_without_a_version(void **state)
{
    struct kit *kit = *state;
    struct vl_store_op gone = {.verb = VL_STORE_DELETE,
                               .section = VL_STORE_SESSION,
                               .key = VL_STR("a"),
                               .if_version = VL_STORE_ANY};
    assert_int_equal(kit_one(kit, gone).status, VALET_NOT_FOUND);
    assert_ok(kit_put_if(kit, "a", "one", VL_STORE_ABSENT));
    gone.if_version = kit_version(kit, "a") + 1;
    assert_int_equal(kit_one(kit, gone).status, VALET_CONFLICT);
    gone.if_version--;
    assert_ok(kit_one(kit, gone).status);
    assert_int_equal(kit_one(kit, gone).status, VALET_NOT_FOUND);
    assert_ok(kit_put_if(kit, "a", "one", VL_STORE_ABSENT));
    gone.if_version = VL_STORE_ANY;
    assert_ok(kit_one(kit, gone).status);
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", NULL),
                     VALET_NOT_FOUND);
}

/* @spec S-87 */
static void
takes_once(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_CODE, "c", "s", "v", kit->now + 60000));
    assert_ok(kit_see(kit, VL_STORE_TAKE, VL_STORE_CODE, "c", "v"));
    assert_int_equal(kit_see(kit, VL_STORE_TAKE, VL_STORE_CODE, "c", NULL),
                     VALET_NOT_FOUND);
}

static void
lets_one_of_two_takers_win(void **state)
{
    struct kit *kit = *state;
    for (unsigned round = 0; round < 50; round++) {
        assert_ok(kit_put(kit, VL_STORE_CODE, "c", "", "v", 0));
        struct vl_store_batch *takers[2];
        for (size_t i = 0; i < 2; i++) {
            takers[i] = kit_batch(kit);
            takers[i]->must_find = true;
            (void)kit_add(takers[i], VL_STORE_TAKE, VL_STORE_CODE, "c");
            kit_submit(kit, takers[i]);
        }
        kit_wait(kit);
        assert_true((takers[0]->status == VALET_OK) !=
                    (takers[1]->status == VALET_OK));
        assert_true((takers[0]->status == VALET_NOT_FOUND) !=
                    (takers[1]->status == VALET_NOT_FOUND));
        for (size_t i = 0; i < 2; i++)
            vl_store_batch_free(takers[i]);
    }
}

/* Fills a batch of which the last step fails. */
static struct vl_store_batch *
doomed_batch(struct kit *kit)
{
    struct vl_store_batch *batch = kit_batch(kit);
    (void)kit_add(batch, VL_STORE_GET, VL_STORE_SESSION, "kept");
    (void)kit_add(batch, VL_STORE_TAKE, VL_STORE_SESSION, "taken");
    (void)kit_add(batch, VL_STORE_DELETE, VL_STORE_SESSION, "deleted");
    (void)kit_add_put(batch, VL_STORE_SESSION, "new", "new");
    (void)kit_add_put(batch, VL_STORE_SESSION, "kept", "changed");
    (void)kit_add_put(batch, VL_STORE_SESSION, "kept", "changed again");
    struct vl_store_op *owned =
        kit_add(batch, VL_STORE_DELETE_OWNED, VL_STORE_SESSION, "");
    owned->owner = VL_STR("bob");
    struct vl_store_op *bad = kit_add_put(batch, VL_STORE_SESSION, "kept", "");
    bad->if_version = VL_STORE_ABSENT;
    (void)kit_add_put(batch, VL_STORE_SESSION, "after", "after");
    return batch;
}

static void
undoes_the_whole_batch(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_SESSION, "kept", "", "kept", 0));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "taken", "", "taken", 0));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "deleted", "", "deleted", 0));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "bob's", "bob", "bob's", 0));
    struct vl_store_batch *batch = doomed_batch(kit);
    assert_int_equal(kit_run(kit, batch), VALET_CONFLICT);
    for (size_t i = 0; i < batch->count; i++) {
        assert_int_equal(batch->ops[i].status,
                         i == 7 ? VALET_CONFLICT : VALET_CANCELLED);
        assert_int_equal(vl_buf_size(&batch->ops[i].found), 0);
    }
    vl_store_batch_free(batch);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, ""), 4);
    static const char *const keys[] = {"kept", "taken", "deleted", "bob's"};
    for (size_t i = 0; i < VL_COUNT(keys); i++)
        assert_ok(
            kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, keys[i], keys[i]));
}

/* Others of the same group are not touched by one that is undone. */
static void
undoes_only_the_batch_that_failed(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_SESSION, "kept", "", "kept", 0));
    struct vl_store_batch *batches[30];
    char keys[30][8];
    for (size_t i = 0; i < VL_COUNT(batches); i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%zu", i);
        batches[i] = i % 3 ? kit_batch(kit) : doomed_batch(kit);
        if (i % 3)
            (void)kit_add_put(batches[i], VL_STORE_FLOW, keys[i], "v");
        kit_submit(kit, batches[i]);
    }
    kit_wait(kit);
    for (size_t i = 0; i < VL_COUNT(batches); i++) {
        assert_int_equal(batches[i]->status, i % 3 ? VALET_OK : VALET_CONFLICT);
        vl_store_batch_free(batches[i]);
    }
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_FLOW, ""), 20);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, ""), 1);
}

static void
goes_on_when_nothing_is_found_unless_it_must(void **state)
{
    struct kit *kit = *state;
    for (unsigned must_find = 0; must_find < 2; must_find++) {
        struct vl_store_batch *batch = kit_batch(kit);
        batch->must_find = must_find;
        (void)kit_add_put(batch, VL_STORE_FLOW, must_find ? "b" : "a", "v");
        (void)kit_add(batch, VL_STORE_GET, VL_STORE_FLOW, "none");
        (void)kit_add(batch, VL_STORE_TAKE, VL_STORE_FLOW, "none");
        (void)kit_add(batch, VL_STORE_DELETE, VL_STORE_FLOW, "none");
        assert_int_equal(kit_run(kit, batch),
                         must_find ? VALET_NOT_FOUND : VALET_OK);
        assert_int_equal(batch->ops[1].status, VALET_NOT_FOUND);
        assert_int_equal(batch->ops[3].status,
                         must_find ? VALET_CANCELLED : VALET_NOT_FOUND);
        vl_store_batch_free(batch);
    }
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_FLOW, "a", "v"));
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_FLOW, "b", NULL),
                     VALET_NOT_FOUND);
}

static void
sees_its_own_steps(void **state)
{
    struct kit *kit = *state;
    struct vl_store_batch *batch = kit_batch(kit);
    (void)kit_add_put(batch, VL_STORE_FLOW, "a", "one");
    (void)kit_add(batch, VL_STORE_TAKE, VL_STORE_FLOW, "a");
    struct vl_store_op *put = kit_add_put(batch, VL_STORE_FLOW, "a", "two");
    put->if_version = VL_STORE_ABSENT;
    (void)kit_add(batch, VL_STORE_GET, VL_STORE_FLOW, "a");
    assert_ok(kit_run(kit, batch));
    assert_str(vl_buf_str(&batch->ops[1].found), "one");
    assert_str(vl_buf_str(&batch->ops[3].found), "two");
    assert_int_equal(batch->ops[3].version, put->version);
    vl_store_batch_free(batch);
}

static void
does_not_show_what_has_expired(void **state)
{
    struct kit *kit = *state;
    int64_t end = kit->now + 1000;
    assert_ok(kit_put(kit, VL_STORE_SESSION, "a", "u", "v", end));
    assert_ok(kit_put(kit, VL_STORE_SESSION, "b", "u", "v", end));
    kit->now = end - 1;
    int64_t version = kit_version(kit, "a");
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, "u"), 2);
    kit->now = end;
    assert_int_equal(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "a", NULL),
                     VALET_NOT_FOUND);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, "u"), 0);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_SESSION, ""), 0);
    /* One batch, so that no sweep comes between. */
    struct vl_store_batch *batch = kit_batch(kit);
    (void)kit_add(batch, VL_STORE_TAKE, VL_STORE_SESSION, "a");
    (void)kit_add(batch, VL_STORE_DELETE, VL_STORE_SESSION, "a");
    struct vl_store_op *owned =
        kit_add(batch, VL_STORE_DELETE_OWNED, VL_STORE_SESSION, "");
    owned->owner = VL_STR("u");
    struct vl_store_op *list =
        kit_add(batch, VL_STORE_LIST, VL_STORE_SESSION, "");
    list->owner = VL_STR("u");
    struct vl_store_op *put = kit_add_put(batch, VL_STORE_SESSION, "b", "new");
    put->if_version = VL_STORE_ABSENT;
    assert_ok(kit_run(kit, batch));
    assert_int_equal(batch->ops[0].status, VALET_NOT_FOUND);
    assert_int_equal(batch->ops[1].status, VALET_NOT_FOUND);
    assert_int_equal(owned->count, 0);
    assert_int_equal(vl_buf_size(&list->found), 0);
    vl_store_batch_free(batch);
    assert_int_equal(kit_put_if(kit, "a", "w", version), VALET_CONFLICT);
    assert_ok(kit_see(kit, VL_STORE_GET, VL_STORE_SESSION, "b", "new"));
}

static void
finds_by_owner(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_ACCESS, "a1", "s1", "v", 0));
    assert_ok(kit_put(kit, VL_STORE_ACCESS, "a2", "s1", "v", 0));
    assert_ok(kit_put(kit, VL_STORE_ACCESS, "a3", "s2", "v", 0));
    assert_ok(kit_put(kit, VL_STORE_ACCESS, "a4", "", "v", 0));
    assert_ok(kit_put(kit, VL_STORE_REFRESH, "r1", "s1", "v", 0));
    struct vl_store_op list =
        kit_one(kit, (struct vl_store_op){.verb = VL_STORE_LIST,
                                          .section = VL_STORE_ACCESS,
                                          .owner = VL_STR("s1")});
    assert_ok(list.status);
    assert_str(vl_buf_str(&list.found), "a1\na2\n");
    vl_buf_done(&list.found);
    assert_int_equal(
        kit_count(kit, VL_STORE_DELETE_OWNED, VL_STORE_ACCESS, "s1"), 2);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_ACCESS, ""), 2);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_REFRESH, "s1"), 1);
}

/* An id that came out empty must not revoke, or delete, everybody. */
static void
deletes_nothing_for_an_empty_owner(void **state)
{
    struct kit *kit = *state;
    assert_ok(kit_put(kit, VL_STORE_CLIENT, "c", "", "v", 0));
    assert_int_equal(
        kit_one(kit, (struct vl_store_op){.verb = VL_STORE_DELETE_OWNED,
                                          .section = VL_STORE_CLIENT})
            .status,
        VALET_INVALID);
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_CLIENT, ""), 1);
}

static void
lists_at_most_a_thousand(void **state)
{
    struct kit *kit = *state;
    char keys[VL_LIMIT_STORE_LIST + 10][8];
    for (size_t at = 0; at < VL_COUNT(keys);) {
        struct vl_store_batch *batch = kit_batch(kit);
        for (; at < VL_COUNT(keys) && batch->count < VL_STORE_BATCH_MAX; at++) {
            (void)snprintf(keys[at], sizeof keys[at], "%06zu", at);
            kit_add_put(batch, VL_STORE_GRANT, keys[at], "v")->owner =
                VL_STR("u");
        }
        assert_ok(kit_run(kit, batch));
        vl_store_batch_free(batch);
    }
    struct vl_store_op list =
        kit_one(kit, (struct vl_store_op){.verb = VL_STORE_LIST,
                                          .section = VL_STORE_GRANT,
                                          .owner = VL_STR("u")});
    assert_ok(list.status);
    assert_int_equal(vl_buf_size(&list.found), VL_LIMIT_STORE_LIST * 7);
    vl_buf_done(&list.found);
}

static void
puts_ten_thousand(void **state)
{
    enum { N = 10000 };
    struct kit *kit = *state;
    struct vl_store_batch **batches = vl_alloc(N * sizeof(*batches));
    char(*keys)[8] = vl_alloc(N * sizeof(*keys));
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%06zu", i);
        batches[i] = kit_batch(kit);
        (void)kit_add_put(batches[i], VL_STORE_ACCESS, keys[i], keys[i]);
        kit_submit(kit, batches[i]);
    }
    kit_wait(kit);
    for (size_t i = 0; i < N; i++) {
        assert_ok(batches[i]->status);
        vl_store_batch_free(batches[i]);
    }
    assert_int_equal(kit_count(kit, VL_STORE_COUNT, VL_STORE_ACCESS, ""), N);
    assert_ok(
        kit_see(kit, VL_STORE_GET, VL_STORE_ACCESS, keys[4711], "004711"));
    free(keys);
    free(batches);
}

static void
answers_all_that_waits_when_it_is_closed(void **state)
{
    struct kit *kit = *state;
    struct vl_store_batch *batches[500];
    char keys[500][8];
    for (size_t i = 0; i < VL_COUNT(batches); i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%zu", i);
        batches[i] = kit_batch(kit);
        (void)kit_add_put(batches[i], VL_STORE_ACCESS, keys[i], "v");
        kit_submit(kit, batches[i]);
    }
    kit_close(kit);
    kit_wait(kit);
    for (size_t i = 0; i < VL_COUNT(batches); i++) {
        assert_ok(batches[i]->status);
        vl_store_batch_free(batches[i]);
    }
}

/* Two loops on two threads, each with its own batches. */
struct rival {
    struct kit *kit;
    struct vl_store *store;
    unsigned won, failed;
    pthread_t thread;
};

static void
rival_answered(struct vl_store_batch *batch)
{
    *(bool *)batch->ctx = true;
}

static void *
take_all(void *arg)
{
    struct rival *rival = arg;
    struct vl_loop *loop;
    if (vl_loop_new(&loop, NULL) != VALET_OK)
        return NULL;
    for (unsigned i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "c%u", i);
        bool answered = false;
        struct vl_store_batch *batch =
            vl_store_batch_new(rival_answered, &answered);
        /* Reading first must not make the writing step late for the lock. */
        (void)kit_add(batch, VL_STORE_GET, VL_STORE_FLOW, key);
        struct vl_store_op *take =
            kit_add(batch, VL_STORE_TAKE, VL_STORE_CODE, key);
        vl_store_submit(rival->store, loop, batch);
        while (!answered)
            vl_loop_step(loop);
        rival->won += take->status == VALET_OK;
        rival->failed += batch->status != VALET_OK;
        vl_store_batch_free(batch);
    }
    vl_loop_free(loop);
    return NULL;
}

static void
race(struct kit *kit, struct vl_store *other)
{
    for (unsigned i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "c%u", i);
        assert_ok(kit_put(kit, VL_STORE_CODE, key, "", "v", 0));
    }
    struct rival rivals[2] = {{.kit = kit, .store = kit->store},
                              {.kit = kit, .store = other}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&rivals[i].thread, NULL, take_all, &rivals[i]), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
    assert_int_equal(rivals[0].won + rivals[1].won, 200);
    assert_int_equal(rivals[0].failed + rivals[1].failed, 0);
}

static void
lets_one_of_two_threads_win(void **state)
{
    struct kit *kit = *state;
    race(kit, kit->store);
}

static void
lets_one_of_two_stores_on_a_file_win(void **state)
{
    struct kit *kit = *state;
    if (kit->in_memory)
        return; /* a memory is nobody else's */
    struct vl_store *other;
    assert_ok(
        vl_store_open_sqlite(kit->path, kit->ring, &kit->clock, &other, NULL));
    race(kit, other);
    vl_store_close(other);
    assert_int_equal(kit_sql(kit, "SELECT count(*) FROM record"), 0);
    assert_ok(kit_put(kit, VL_STORE_CODE, "after", "", "v", 0));
}

#define EACH_DRIVER(test)                                                      \
    {"memory: " #test, test, set_up_memory, tear_down, NULL},                  \
    {                                                                          \
        "sqlite: " #test, test, set_up_sqlite, tear_down, NULL                 \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DRIVER(gives_back_what_was_put),
        EACH_DRIVER(keeps_sections_apart),
        EACH_DRIVER(keeps_empty_and_largest_values),
        EACH_DRIVER(refuses_names_that_break_the_rules),
        EACH_DRIVER(puts_only_over_the_version_it_was_told),
        EACH_DRIVER(tells_the_version_it_wrote),
        EACH_DRIVER(does_not_mistake_a_new_record_for_the_old),
        EACH_DRIVER(deletes_with_and_without_a_version),
        EACH_DRIVER(takes_once),
        EACH_DRIVER(lets_one_of_two_takers_win),
        EACH_DRIVER(undoes_the_whole_batch),
        EACH_DRIVER(undoes_only_the_batch_that_failed),
        EACH_DRIVER(goes_on_when_nothing_is_found_unless_it_must),
        EACH_DRIVER(sees_its_own_steps),
        EACH_DRIVER(does_not_show_what_has_expired),
        EACH_DRIVER(finds_by_owner),
        EACH_DRIVER(deletes_nothing_for_an_empty_owner),
        EACH_DRIVER(lists_at_most_a_thousand),
        EACH_DRIVER(puts_ten_thousand),
        EACH_DRIVER(answers_all_that_waits_when_it_is_closed),
        EACH_DRIVER(lets_one_of_two_threads_win),
        EACH_DRIVER(lets_one_of_two_stores_on_a_file_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
