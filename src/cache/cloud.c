/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft's clouds: what instance discovery says of them, preferred_cache
 * first. No network is asked for what does not change.
 */
#include "cache/inside.h"

static const struct vl_cache_cloud known_clouds[] = {
    {{"login.windows.net", "login.microsoftonline.com", "login.microsoft.com",
      "sts.windows.net"}},
    {{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}},
    {{"login.microsoftonline.us", "login.usgovcloudapi.net"}},
    {{"login-us.microsoftonline.com"}},
    /* Partners' sovereign clouds, each alone: Bleu, Delos, GovSG. */
    {{"login.sovcloud-identity.fr"}},
    {{"login.sovcloud-identity.de"}},
    {{"login.sovcloud-identity.sg"}},
    {{NULL}},
};

static const struct vl_cache_cloud *
find(const struct vl_cache_cloud *cloud, struct vl_str host)
{
    for (; cloud && cloud->hosts[0]; cloud++)
        for (size_t i = 0; i < VL_COUNT(cloud->hosts) && cloud->hosts[i]; i++)
            if (vl_str_ieq(host, vl_str_z(cloud->hosts[i])))
                return cloud;
    return NULL;
}

const struct vl_cache_cloud *
vl_cache_known_cloud(struct vl_str host)
{
    return find(known_clouds, host);
}

struct vl_str
vl_cache_preferred(const struct vl_cache_cloud *clouds, struct vl_str host)
{
    const struct vl_cache_cloud *cloud = find(clouds, host);
    if (!cloud)
        cloud = vl_cache_known_cloud(host);
    return cloud ? vl_str_z(cloud->hosts[0]) : host;
}
