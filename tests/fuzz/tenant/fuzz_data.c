/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of data of the stand-in: what is taken can be described as JSON, and
 * what is refused says where.
 */
#include "apps/tenant/data.h"
#include "core/limits.h"
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_tenant_data *set = NULL;
    valet_error err = {.message = ""};
    struct vl_str text = vl_str_of(data, size);
    if (vl_tenant_data_parse("set", text, &set, &err) != VALET_OK) {
        VL_ASSERT(!set && err.message[0]);
        VL_ASSERT(err.status != VALET_INVALID ||
                  vl_str_starts(vl_str_z(err.message), VL_STR("set:")));
        return 0;
    }
    vl_auto(vl_buf) described = vl_buf_of((size_t)64 * VL_LIMIT_CONFIG);
    vl_tenant_describe(set, &described);
    vl_auto(vl_json) doc = {NULL};
    VL_ASSERT(vl_json_parse(vl_buf_str(&described), VL_LIMIT_JSON_DEPTH, &doc,
                            NULL) == VALET_OK);
    VL_ASSERT(vl_json_size(vl_json_get(doc.root, "tenants")) ==
              set->realm_count);
    /* The first tenant's; the others' stand with their tenants. */
    VL_ASSERT(vl_json_size(vl_json_get(doc.root, "users")) <= set->user_count);
    VL_ASSERT(vl_json_size(vl_json_get(doc.root, "apps")) == set->app_count);
    vl_tenant_data_free(set);
    return 0;
}
