/* SPDX-License-Identifier: Apache-2.0 */
#include "message_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_message(vl_str_of(data, size), VL_PARSE_REQUEST);
    return 0;
}
