/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base.h"

void
vl_assert_failed(const char *text, const char *file, int line)
{
    (void)fprintf(stderr, "mcp-valet: %s:%d: broken invariant: %s\n", file,
                  line, text);
    abort();
}

void *
vl_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    VL_ASSERT(memory);
    return memory;
}

char *
vl_strdup(const char *text)
{
    char *copy = strdup(text);
    VL_ASSERT(copy);
    return copy;
}
