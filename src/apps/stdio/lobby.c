/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/lobby.h"

#include "core/status.h"
#include "http/url.h"

/* Where people sign in who have not said otherwise. */
#define PUBLIC_CLOUD "https://login.microsoftonline.com"

void
vl_lobby_init(struct vl_lobby *lobby, const struct vl_lobby_config *config,
              struct vl_loop *loop)
{
    *lobby = (struct vl_lobby){.config = config, .loop = loop};
}

static valet_status
make_doorman(struct vl_lobby *lobby, const struct vl_lobby_whom *whom)
{
    const struct vl_lobby_config *config = lobby->config;
    lobby->doorman = vl_doorman_new(&(struct vl_doorman_config){
        .loop = lobby->loop,
        .client = whom->client,
        .scopes = config->scopes,
        .account = config->account,
        .named_scopes = config->named_scopes,
        .command = config->command,
        .methods = config->methods,
        .timeout_s = config->timeout_s,
        .consent = config->consent,
        .parent = config->parent,
    });
    return VALET_OK;
}

valet_status
vl_lobby_open(struct vl_lobby *lobby, valet_error *err)
{
    struct vl_lobby_whom whom;
    if (lobby->doorman)
        return VALET_OK;
    VL_TRY(lobby->config->whom(&whom, err, lobby->config->ctx));
    return make_doorman(lobby, &whom);
}

/* A real token goes to no port of this machine: the program that has started us
 * may sit there, and was not given the token (@spec S-42 CL-21). */
static valet_status
check_graph(const char *graph, const char *authority, bool is_standin,
            valet_error *err)
{
    struct vl_url url;
    VL_TRY(vl_graph_check_url(graph, false, err));
    VL_TRY(vl_url_parse(vl_str_z(graph), &url, err));
    if (vl_url_is_loopback(&url) && !is_standin)
        return vl_fail(err, VALET_INVALID, "",
                       "%s is on this machine: tokens of %s are not sent there",
                       graph, authority);
    return vl_graph_fits(graph, authority)
               ? VALET_OK
               : vl_fail(err, VALET_INVALID, "",
                         "%s is of another cloud than %s", graph, authority);
}

/* A stand-in serves both, at one address. */
static valet_status
find_graph(const struct vl_lobby *lobby, const struct vl_lobby_whom *whom,
           const char **ret, valet_error *err)
{
    const char *host =
        whom->authority_host ? whom->authority_host : PUBLIC_CLOUD;
    struct vl_url url;
    VL_TRY(vl_url_parse(vl_str_z(host), &url, err));
    *ret = lobby->config->graph_url   ? lobby->config->graph_url
           : vl_url_is_loopback(&url) ? host
                                      : vl_graph_of_authority(url.host);
    if (!*ret)
        return vl_fail(err, VALET_INVALID, "",
                       "which Microsoft Graph belongs to %s is not known: "
                       "start this server with --graph-url URL",
                       host);
    return check_graph(*ret, host, vl_url_is_loopback(&url), err);
}

valet_status
vl_lobby_graph(struct vl_lobby *lobby, valet_error *err)
{
    struct vl_lobby_whom whom;
    const char *url;
    VL_TRY(vl_lobby_open(lobby, err));
    if (lobby->graph)
        return VALET_OK;
    VL_TRY(lobby->config->whom(&whom, err, lobby->config->ctx));
    VL_TRY(find_graph(lobby, &whom, &url, err));
    if (!lobby->fetcher)
        lobby->fetcher = vl_fetcher_new_small(lobby->loop);
    if (whom.ca_file)
        VL_TRY(vl_fetcher_trust(lobby->fetcher, whom.ca_file, err));
    lobby->graph = vl_graph_new(&(struct vl_graph_config){
        .loop = lobby->loop,
        .fetcher = lobby->fetcher,
        .clock = &vl_clock_system,
        .url = url,
        .ttl_ms = lobby->config->ttl_ms,
    });
    return VALET_OK;
}

void
vl_lobby_done(struct vl_lobby *lobby)
{
    vl_graph_free(lobby->graph);
    vl_fetcher_free(lobby->fetcher);
    vl_doorman_free(lobby->doorman);
    *lobby = (struct vl_lobby){.config = lobby->config};
}
