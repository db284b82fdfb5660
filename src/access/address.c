/* SPDX-License-Identifier: Apache-2.0 */
#include "access/address.h"

#include "core/status.h"

valet_status
vl_address_check(struct vl_str address, const char *what,
                 const struct vl_url *server, valet_error *err)
{
    struct vl_url url;
    if (address.n > VL_ADDRESS_MAX ||
        vl_url_parse(address, &url, NULL) != VALET_OK || !url.host.n)
        return vl_fail(err, VALET_DENIED, "", "%s is no usable address", what);
    if (!vl_url_is_https(&url) &&
        !(vl_url_is_http(&url) && vl_url_is_loopback(&url)))
        return vl_fail(err, VALET_DENIED, "",
                       "%s is neither https nor of this machine", what);
    if (vl_url_is_loopback(&url) && !vl_url_is_loopback(server))
        return vl_fail(err, VALET_DENIED, "",
                       "%s leads to this machine, where the server is not",
                       what);
    return VALET_OK;
}

/* "/a" and "/a/" cover "/a", "/a/" and "/a/b", but not "/ab". */
static bool
is_at_or_below(struct vl_str path, struct vl_str above)
{
    while (above.n && above.p[above.n - 1] == '/')
        above.n--;
    return vl_str_starts(path, above) &&
           (path.n == above.n || path.p[above.n] == '/');
}

bool
vl_resource_covers(struct vl_str resource, const struct vl_url *server)
{
    struct vl_url url;
    if (resource.n > VL_ADDRESS_MAX ||
        vl_url_parse(resource, &url, NULL) != VALET_OK ||
        !vl_url_is_http(&url) || !vl_url_same_origin(&url, server))
        return false;
    /* Nothing is below a query: it has to be this one. */
    if (url.has_query && !(vl_str_eq(url.query, server->query) &&
                           vl_str_eq(url.path, server->path)))
        return false;
    return is_at_or_below(server->path, url.path);
}
