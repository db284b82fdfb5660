/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl copies requests and answers through buffers of its own, tokens
 * included. It lets us provide its allocator: ours wipes what it frees.
 */
#include <malloc.h>

#include "core/secret.h"
#include "core/status.h"
#include "http/fetch_inner.h"

static void
wipe_free(void *p)
{
    if (p)
        vl_wipe(p, malloc_usable_size(p));
    free(p);
}

/* realloc() would leave a copy behind. */
static void *
wipe_realloc(void *p, size_t size)
{
    if (!p)
        return malloc(size);
    size_t had = malloc_usable_size(p);
    if (size <= had && size >= had / 2)
        return p;
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, p, had < size ? had : size);
    wipe_free(p);
    return moved;
}

/*
 * Counted and thread-safe in libcurl; each call is paired with a
 * curl_global_cleanup(). Where the program has started libcurl before us, its
 * allocator stays.
 */
valet_status
vl_fetch_start_curl(valet_error *err)
{
    VL_TRY(vl_fetch_available(err));
    CURLcode code = vl_curl.global_init_mem(
        CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup, calloc);
    if (code != CURLE_OK)
        return vl_fail(err, VALET_INTERNAL, "", "cannot start libcurl: %s",
                       vl_curl.easy_strerror(code));
    return VALET_OK;
}
