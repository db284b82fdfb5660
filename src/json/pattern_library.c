/* SPDX-License-Identifier: Apache-2.0 */
#include "json/pattern_library.h"

#include "core/library.h"

struct vl_pcre2 vl_pcre2;

valet_status
vl_pattern_available(valet_error *err)
{
#define SYMBOL(name) {"pcre2_" #name "_8", &vl_pcre2.name},
    static const struct vl_library_symbol symbols[] = {
        VL_PCRE2_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    /* The ABI that <pcre2.h> describes, of characters of 8 bits. */
    static struct vl_library library = {.title = "PCRE2",
                                        .file = "libpcre2-8.so.0",
                                        .symbols = symbols,
                                        .count = VL_COUNT(symbols)};
    return vl_library_load(&library, err);
}
