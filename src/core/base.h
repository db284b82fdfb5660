/* SPDX-License-Identifier: Apache-2.0
 *
 * The few words every file of the house speaks. Nothing here allocates.
 */
#ifndef VL_CORE_BASE_H
#define VL_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/banned.h"
#include "valet/status.h"

#define VL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `field` at `pointer`. */
#define VL_CONTAINER(pointer, type, field)                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, field)))

/* `vl_auto(vl_buf) b = …;` calls vl_buf_done(&b) when the scope is left. */
#define vl_auto(type) __attribute__((cleanup(type##_done))) struct type

/* Passes a failure on to our own caller. */
#define VL_TRY(call)                                                           \
    do {                                                                       \
        valet_status try_status_ = (call);                                     \
        if (try_status_ != VALET_OK)                                           \
            return try_status_;                                                \
    } while (0)

/*
 * An invariant of memory or authority, checked in release builds too: to go
 * on would be worse than to stop. Never used for input.
 */
#define VL_ASSERT(condition)                                                   \
    ((condition) ? (void)0 : vl_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void vl_assert_failed(const char *text, const char *file, int line);

/*
 * Memory for what the program cannot go on without. They stop the process
 * when there is none: every *input-sized* allocation goes through vl_buf or
 * vl_arena instead, which have limits and report VALET_LIMIT.
 */
void *vl_alloc(size_t size) __attribute__((malloc, returns_nonnull));
char *vl_strdup(const char *text) __attribute__((malloc, returns_nonnull));

#endif
