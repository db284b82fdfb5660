/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that share one kept cache. @spec S-29 S-31
 */
#include "cache/kept.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_kit.h"

enum { WRITERS = 8, WRITES = 50 };

struct rig {
    char folder[64], path[96];
};

static struct vl_keep *
open_keep(const struct rig *rig)
{
    struct vl_keep *keep = NULL;
    assert_ok(vl_keep_open_file(rig->path, &keep, NULL));
    return keep;
}

static struct rig
make_rig(void)
{
    struct rig rig;
    (void)snprintf(rig.folder, sizeof rig.folder, "/tmp/valet-cache-XXXXXX");
    assert_non_null(mkdtemp(rig.folder));
    (void)snprintf(rig.path, sizeof rig.path, "%s/cache", rig.folder);
    return rig;
}

static void
remove_rig(const struct rig *rig)
{
    static const char *const suffixes[] = {"", ".key", ".lock"};
    char path[128];
    for (size_t i = 0; i < VL_COUNT(suffixes); i++) {
        (void)snprintf(path, sizeof path, "%s%s", rig->path, suffixes[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(rig->folder), 0);
}

/* Tokens of its own, and the one refresh token that all of them renew. */
static int
write_many(const struct rig *rig, int number)
{
    struct vl_keep *keep = open_keep(rig);
    struct vl_cache *cache = vl_cache_new(NULL);
    for (int i = 0; i < WRITES; i++) {
        char scope[32];
        (void)snprintf(scope, sizeof scope, "Scope.%d.%d", number, i);
        put_at(cache, VL_CACHE_ACCESS_TOKEN, scope, scope, NOW);
        put_at(cache, VL_CACHE_REFRESH_TOKEN, "", scope, NOW + i);
        if (vl_cache_save(cache, keep, NOW, NULL) != VALET_OK)
            return 1;
    }
    vl_cache_free(cache);
    vl_keep_close(keep);
    return 0;
}

static void
loses_nothing_when_eight_processes_save(void **state)
{
    (void)state;
    struct rig rig = make_rig();
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(write_many(&rig, i));
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct vl_keep *keep = open_keep(&rig);
    struct vl_cache *cache = vl_cache_new(NULL);
    struct vl_cache_token found;
    assert_ok(vl_cache_load(cache, keep, NULL));
    for (int i = 0; i < WRITERS * WRITES; i++) {
        char scope[32];
        (void)snprintf(scope, sizeof scope, "Scope.%d.%d", i / WRITES,
                       i % WRITES);
        assert_true(has_access(cache, scope, scope));
    }
    const struct vl_cache_token want = wanted("");
    assert_true(vl_cache_find_refresh(cache, &want, &found));
    assert_int_equal(found.modified, NOW + WRITES - 1); /* the newest */
    assert_int_equal(count_in(cache, "-refreshtoken-"), 1);
    vl_cache_free(cache);
    vl_keep_close(keep);
    remove_rig(&rig);
}

static void
saves_only_changes_and_sweeps_what_is_over(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    struct vl_cache *cache = vl_cache_new(NULL);
    assert_ok(vl_cache_load(cache, keep, NULL));
    assert_ok(vl_cache_save(cache, keep, NOW, NULL));
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &found, NULL));
    assert_int_equal(vl_buf_size(&found), 0);

    put_at(cache, VL_CACHE_ACCESS_TOKEN, "User.Read", "one", NOW);
    assert_ok(vl_cache_save(cache, keep, NOW, NULL));
    assert_false(vl_cache_is_changed(cache));
    put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "two", NOW);
    assert_ok(vl_cache_save(cache, keep, NOW + 3600, NULL));
    assert_int_equal(count_in(cache, "-accesstoken-"), 0);
    assert_true(has_refresh(cache, "two"));
    vl_cache_free(cache);
    vl_keep_close(keep);
}

static valet_status
spoil(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)old, (void)ctx, (void)err;
    vl_buf_addz(out, "no cache");
    return VALET_OK;
}

static void
does_not_overwrite_what_it_cannot_read(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    struct vl_cache *cache = vl_cache_new(NULL);
    assert_ok(vl_keep_update(keep, spoil, NULL, NULL));
    put_at(cache, VL_CACHE_REFRESH_TOKEN, "", "ours", NOW);
    assert_int_equal(vl_cache_save(cache, keep, NOW, NULL), VALET_INVALID);
    assert_true(vl_cache_is_changed(cache));
    assert_int_equal(vl_cache_load(cache, keep, NULL), VALET_INVALID);
    assert_true(has_refresh(cache, "ours"));
    assert_ok(vl_keep_forget(keep, NULL));
    assert_ok(vl_cache_save(cache, keep, NOW, NULL));
    assert_false(vl_cache_is_changed(cache));
    vl_cache_free(cache);
    vl_keep_close(keep);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_nothing_when_eight_processes_save),
        cmocka_unit_test(saves_only_changes_and_sweeps_what_is_over),
        cmocka_unit_test(does_not_overwrite_what_it_cannot_read),
    };
    return cmocka_run_group_tests_name("cache/kept", tests, NULL, NULL);
}
