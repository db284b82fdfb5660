/* SPDX-License-Identifier: Apache-2.0
 *
 * Where Microsoft Graph is, in each of Microsoft's clouds.
 */
#include "cache/cache.h"
#include "core/status.h"
#include "entra/graph.h"
#include "entra/instance.h"
#include "http/url.h"

#define PUBLIC_GRAPH "https://graph.microsoft.com"
#define SCHEME_SIZE  (sizeof "https://" - 1)

/* By the first name of a cloud's authority (cache/cloud.c). */
static const struct {
    const char *authority, *graph;
} graphs[] = {
    {"login.windows.net", PUBLIC_GRAPH},
    {"login.partner.microsoftonline.cn",
     "https://microsoftgraph.chinacloudapi.cn"},
    {"login.microsoftonline.us", "https://graph.microsoft.us"},
    /* Of the same authority: the Department of Defense's. */
    {"login.microsoftonline.us", "https://dod-graph.microsoft.us"},
    {"login.sovcloud-identity.fr", "https://graph.svc.sovcloud.fr"},
    {"login.sovcloud-identity.de", "https://graph.svc.sovcloud.de"},
    {"login.sovcloud-identity.sg", "https://graph.svc.sovcloud.sg"},
};

/* The first name of the cloud; NULL: it is none of Microsoft's. */
static const char *
cloud_of_authority(struct vl_str host)
{
    const struct vl_cache_cloud *cloud =
        vl_instance_external_name(host).n
            ? vl_cache_known_cloud(VL_STR("login.microsoftonline.com"))
            : vl_cache_known_cloud(host);
    return cloud ? cloud->hosts[0] : NULL;
}

/* Whose Graph is there; NULL: nobody's. */
static const char *
cloud_of_graph(const struct vl_url *url)
{
    if (!vl_url_is_https(url) || url->port != 443)
        return NULL;
    for (size_t i = 0; i < VL_COUNT(graphs); i++)
        if (vl_str_ieq(url->host, vl_str_z(graphs[i].graph + SCHEME_SIZE)))
            return graphs[i].authority;
    return NULL;
}

const char *
vl_graph_of_authority(struct vl_str host)
{
    const char *cloud = cloud_of_authority(host);
    for (size_t i = 0; cloud && i < VL_COUNT(graphs); i++)
        if (strcmp(cloud, graphs[i].authority) == 0)
            return graphs[i].graph;
    return NULL;
}

bool
vl_graph_fits(const char *text, const char *authority)
{
    struct vl_url url, at;
    if (vl_url_parse(vl_str_z(text), &url, NULL) != VALET_OK ||
        vl_url_parse(vl_str_z(authority), &at, NULL) != VALET_OK)
        return true;
    const char *graph = cloud_of_graph(&url);
    const char *cloud = cloud_of_authority(at.host);
    return !graph || !cloud || strcmp(graph, cloud) == 0;
}

/* @spec S-42 */
valet_status
vl_graph_check_url(const char *text, bool own, valet_error *err)
{
    struct vl_url url;
    if (vl_url_parse(vl_str_z(text), &url, NULL) != VALET_OK ||
        !vl_url_is_http(&url) || !url.host.n)
        return vl_fail(err, VALET_INVALID, "bad_url",
                       "has to be a URL such as " PUBLIC_GRAPH);
    if (url.path.n || url.has_query)
        return vl_fail(err, VALET_INVALID, "bad_url",
                       "has to end with the host, as " PUBLIC_GRAPH " does");
    if (vl_url_is_loopback(&url) || cloud_of_graph(&url))
        return VALET_OK;
    if (!vl_url_is_https(&url))
        return vl_fail(err, VALET_INVALID, "clear_text",
                       "has to be https; http is for a loopback alone");
    return own ? VALET_OK
               : vl_fail(err, VALET_INVALID, "unknown_host",
                         "has to be Microsoft Graph in one of Microsoft's "
                         "clouds, such as " PUBLIC_GRAPH
                         ", as people's tokens are sent there");
}
