/* SPDX-License-Identifier: Apache-2.0
 *
 * The names that clients have for our resources (RFC 8707).
 */
#include "issuer/desk.h"
#include "oauth/resource.h"

const char *
vl_desk_find_resource(const struct vl_issuer *issuer, struct vl_str name)
{
    const struct vl_issuer_config *config = issuer->config;
    for (size_t i = 0; i < config->resource_count; i++)
        if (vl_resource_same(vl_str_z(config->resources[i]), name))
            return config->resources[i];
    if (config->alias && vl_resource_same(vl_str_z(config->alias), name))
        return config->resources[0];
    return NULL;
}

/* @spec AS-23 */
bool
vl_req_wants_other_resource(const struct vl_req *req, struct vl_str bound)
{
    struct vl_str name = vl_req_param(req, "resource");
    if (!name.n)
        return false;
    const char *wanted = vl_desk_find_resource(req->op.issuer, name);
    return !wanted || !vl_resource_same(vl_str_z(wanted), bound);
}
