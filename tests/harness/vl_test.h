/* SPDX-License-Identifier: Apache-2.0
 *
 * What unit tests share: cmocka with the headers it wants, and input that
 * ends at an unreadable page.
 */
#ifndef VL_TEST_H
#define VL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "core/str.h"

#define assert_ok(call) assert_int_equal((call), VALET_OK)
#define assert_str(s, text)                                                    \
    do {                                                                       \
        struct vl_str assert_str_ = (s);                                       \
        assert_int_equal(assert_str_.n, strlen(text));                         \
        assert_memory_equal(assert_str_.p ? assert_str_.p : "", text,          \
                            assert_str_.n);                                    \
    } while (0)

#define VL_TEST_PAGE        4096u
#define VL_TEST_GUARDED_MAX (64u * VL_TEST_PAGE)

/*
 * A copy of `s` whose last byte is the last readable one: reading one byte
 * too far ends the test at once. Freed by vl_test_unguard().
 */
static inline struct vl_str
vl_test_guarded(struct vl_str s)
{
    size_t room = VL_TEST_GUARDED_MAX;
    assert_true(s.n <= room);
    char *base = mmap(NULL, room + VL_TEST_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(mprotect(base + room, VL_TEST_PAGE, PROT_NONE), 0);
    if (s.n)
        memcpy(base + room - s.n, s.p, s.n);
    return (struct vl_str){base + room - s.n, s.n};
}

static inline void
vl_test_unguard(struct vl_str s)
{
    char *end = (char *)(uintptr_t)(s.p + s.n);
    (void)munmap(end - VL_TEST_GUARDED_MAX, VL_TEST_GUARDED_MAX + VL_TEST_PAGE);
}

#endif
