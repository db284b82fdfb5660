/* SPDX-License-Identifier: Apache-2.0
 *
 * The input is what follows a head that announces chunks.
 */
#include "message_fuzz.h"

#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    vl_auto(vl_buf) text = vl_buf_of(70000);
    vl_buf_addz(&text, "POST / HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n");
    vl_buf_add(&text, vl_str_of(data, size));
    fuzz_message(vl_buf_str(&text), VL_PARSE_REQUEST);
    return 0;
}
