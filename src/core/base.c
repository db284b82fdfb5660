/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base.h"

void
vl_assert_failed(const char *text, const char *file, int line)
{
    (void)fprintf(stderr, "mcp-valet: %s:%d: broken invariant: %s\n", file,
                  line, text);
    abort();
}

/* glibc keeps small pieces that were freed at hand for malloc() alone. */
#define SMALL 1024

void *
vl_alloc(size_t size)
{
    void *memory = size < SMALL ? malloc(size ? size : 1) : calloc(1, size);
    VL_ASSERT(memory);
    return size < SMALL ? memset(memory, 0, size) : memory;
}

char *
vl_strdup(const char *text)
{
    char *copy = strdup(text);
    VL_ASSERT(copy);
    return copy;
}
