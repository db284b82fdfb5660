/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to json/pattern*.c: PCRE2, loaded when the first pattern is made.
 * Most servers have none in their schemas: see ADR 5 and ADR 13.
 */
#ifndef VL_JSON_PATTERN_LIBRARY_H
#define VL_JSON_PATTERN_LIBRARY_H

#include "core/base.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What we call of it. */
#define VL_PCRE2_FUNCTIONS(X)                                                  \
    X(code_free)                                                               \
    X(compile)                                                                 \
    X(get_error_message)                                                       \
    X(match)                                                                   \
    X(match_context_create)                                                    \
    X(match_context_free)                                                      \
    X(match_data_create)                                                       \
    X(match_data_free)                                                         \
    X(pattern_info)                                                            \
    X(set_callout)                                                             \
    X(set_heap_limit)                                                          \
    X(set_match_limit)

#define VL_PCRE2_POINTER(name) __typeof__(&pcre2_##name##_8) name;
struct vl_pcre2 {
    VL_PCRE2_FUNCTIONS(VL_PCRE2_POINTER)
};
#undef VL_PCRE2_POINTER

/* Complete and constant once vl_pattern_available() has said OK; that may be
 * called from any thread. The library stays until the process ends. */
extern struct vl_pcre2 vl_pcre2;

/* VALET_INTERNAL: it cannot be loaded, and why. */
valet_status vl_pattern_available(valet_error *err) VALET_CHECK;

#endif
