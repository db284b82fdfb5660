/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/resource.h"

#include "http/url.h"

static struct vl_str
without_final_slash(struct vl_str path)
{
    return vl_str_ends(path, VL_STR("/")) ? vl_str_head(path, path.n - 1)
                                          : path;
}

/* @spec RS-21 AS-23 */
bool
vl_resource_same(struct vl_str a, struct vl_str b)
{
    struct vl_url x, y;
    if (vl_url_parse(a, &x, NULL) != VALET_OK ||
        vl_url_parse(b, &y, NULL) != VALET_OK)
        return false;
    return vl_url_is_http(&x) && vl_url_same_origin(&x, &y) &&
           vl_str_eq(without_final_slash(x.path),
                     without_final_slash(y.path)) &&
           x.has_query == y.has_query && vl_str_eq(x.query, y.query);
}
