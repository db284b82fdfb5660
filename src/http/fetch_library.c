/* SPDX-License-Identifier: Apache-2.0 */
#include "http/fetch_library.h"

#include "core/library.h"
#include "http/fetch.h"

struct vl_curl vl_curl;

valet_status
vl_fetch_available(valet_error *err)
{
#define SYMBOL(name) {"curl_" #name, &vl_curl.name},
    static const struct vl_library_symbol symbols[] = {
        VL_CURL_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    /* The ABI that <curl/curl.h> describes; it has been 4 since 2006. */
    static struct vl_library library = {.title = "libcurl",
                                        .file = "libcurl.so.4",
                                        .symbols = symbols,
                                        .count = VL_COUNT(symbols)};
    return vl_library_load(&library, err);
}
