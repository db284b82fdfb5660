/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: the text of a record, read as each kind. What is read is written as
 * the same values again, and only one kind takes it.
 */
#include "issuer/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
    struct vl_flow flow;
    struct vl_session session;
    struct vl_code code;
    struct vl_access access;
    struct vl_refresh refresh;
    struct vl_client client;
    struct vl_grant grant;
} record;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vl_record_type *const types[] = {
        &vl_record_flow,   &vl_record_session, &vl_record_code,
        &vl_record_access, &vl_record_refresh, &vl_record_client,
        &vl_record_grant};
    struct vl_str text = vl_str_of(data, size);
    size_t taken = 0;
    for (size_t i = 0; i < VL_COUNT(types); i++) {
        vl_auto(vl_buf) first = vl_buf_of(1 << 20);
        vl_auto(vl_buf) second = vl_buf_of(1 << 20);
        if (vl_record_read(text, types[i], &record, NULL) != VALET_OK)
            continue;
        taken++;
        vl_record_write(&first, types[i], &record);
        VL_ASSERT(vl_record_read(vl_buf_str(&first), types[i], &record, NULL) ==
                  VALET_OK);
        vl_record_write(&second, types[i], &record);
        VL_ASSERT(vl_str_eq(vl_buf_str(&first), vl_buf_str(&second)));
    }
    VL_ASSERT(taken <= 1);
    return 0;
}
