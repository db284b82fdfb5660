/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a server writes into Retry-After, the answer is -1 or a time that
 * can be added to a clock.
 */
#include "http/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t clocks[] = {0, 1795341600000, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < VL_COUNT(clocks); i++) {
        int64_t ms = vl_retry_after(vl_str_of(data, size), clocks[i]);
        VL_ASSERT(ms >= -1 && ms <= (int64_t)INT32_MAX * 1000);
    }
    return 0;
}
