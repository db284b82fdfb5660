/* SPDX-License-Identifier: Apache-2.0
 *
 * Any document as a cache: it is refused with a reason, or what is written of
 * it reads as the same again; and changes to it stay a document. Two documents,
 * parted by a line feed byte pair, are ours and another process's.
 */
#include "cache/cache.h"
#include "core/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000100 };

static struct vl_buf
write_cache(const struct vl_cache *cache)
{
    struct vl_buf out = vl_buf_of_secret((size_t)8 * VL_LIMIT_CACHE);
    VL_ASSERT(vl_cache_write(cache, &out, NULL) == VALET_OK);
    return out;
}

/* What was written is read, and written as the same bytes. */
static void
check_fixed_point(const struct vl_cache *cache)
{
    vl_auto(vl_buf) first = write_cache(cache);
    struct vl_cache *again = vl_cache_new(NULL);
    VL_ASSERT(vl_cache_read(again, vl_buf_str(&first), NULL) == VALET_OK);
    vl_auto(vl_buf) second = write_cache(again);
    VL_ASSERT(vl_str_eq(vl_buf_str(&first), vl_buf_str(&second)));
    vl_cache_free(again);
}

struct first_account {
    struct vl_cache_account account;
    bool found;
};

static bool
take_first(const struct vl_cache_account *account, void *ctx)
{
    struct first_account *first = ctx;
    *first = (struct first_account){*account, true};
    return false;
}

/* Puts a token for the first person, finds it, and removes all of them. */
static void
change(struct vl_cache *cache)
{
    struct first_account first = {.found = false};
    vl_cache_each_account(cache, VL_STR(""), take_first, &first);
    if (!first.found)
        return;
    char secret[] = "fuzz";
    vl_auto(vl_buf) home = vl_buf_of(VL_LIMIT_CACHE);
    vl_auto(vl_buf) host = vl_buf_of(VL_LIMIT_CACHE);
    vl_buf_add(&home, first.account.home_account_id);
    vl_buf_add(&host, first.account.environment);
    struct vl_cache_token token = {
        .home_account_id = vl_buf_str(&home),
        .environment = vl_buf_str(&host),
        .client_id = VL_STR("client"),
        .realm = VL_STR("realm"),
        .target = VL_STR("User.Read"),
        .expires_on = NOW + 3600,
        .secret = {secret, sizeof secret - 1},
    };
    struct vl_cache_token found;
    VL_ASSERT(vl_cache_put_token(cache, VL_CACHE_ACCESS_TOKEN, &token,
                                 VL_CACHE_RENEWED, NOW, NULL) == VALET_OK);
    VL_ASSERT(vl_cache_find_access(cache, &token, NOW, 300, &found));
    check_fixed_point(cache);
    VL_ASSERT(vl_cache_remove_account(cache, token.home_account_id,
                                      token.environment, NOW));
    VL_ASSERT(!vl_cache_find_access(cache, &token, NOW, 300, &found));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size), theirs = {NULL, 0};
    for (size_t i = 0; i + 1 < size; i++)
        if (data[i] == '\n' && data[i + 1] == '\n') {
            theirs = vl_str_from(text, i + 2);
            text = vl_str_head(text, i);
            break;
        }
    struct vl_cache *cache = vl_cache_new(NULL);
    valet_error err = {.status = VALET_OK};
    valet_status status = vl_cache_read(cache, text, &err);
    VL_ASSERT(status == err.status);
    if (status == VALET_OK) {
        check_fixed_point(cache);
        change(cache);
        if (vl_cache_merge(cache, theirs, NULL) == VALET_OK)
            check_fixed_point(cache);
        (void)vl_cache_sweep(cache, NOW + 7200);
        check_fixed_point(cache);
    } else {
        VL_ASSERT(err.message[0]);
    }
    vl_cache_free(cache);
    return 0;
}
