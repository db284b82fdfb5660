/* SPDX-License-Identifier: Apache-2.0
 *
 * A program's server for everybody on this machine, without sign-in: loopback
 * alone, and not for pages of elsewhere that a browser here shows (@spec HT-01
 * HT-02 SB-14 D21). The program's handlers run on the thread that called.
 */
#include "core/status.h"
#include "http/origin.h"
#include "io/life.h"
#include "io/listen.h"
#include "mcp/server.h"
#include "talk/endpoint.h"
#include "talk/reply.h"

#define PATH_MAX_SIZE 256
#define URL_SIZE      (VL_HOST_SIZE + PATH_MAX_SIZE)

struct route {
    const char *path; /* without a final slash */
    vl_mcp_endpoint_handler *handle;
};

struct site {
    struct vl_life life;
    struct vl_listen listen;
    char base[VL_HOST_SIZE]; /* "http://127.0.0.1:3000" */
    char path[PATH_MAX_SIZE];
    struct route routes[3];
    struct vl_origin_rules origins;
    struct vl_principal caller; /* nobody in particular */
    struct vl_mcp_hooks hooks;
    struct vl_mcp_endpoint *endpoint;
    struct vl_http_site site;
    struct vl_http_server *server;
};

/* --- what the endpoint asks --- */

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)principal;
    (void)permission;
    (void)ctx;
    return true;
}

/* @spec HT-17 D17: in JSON-RPC what the status says in HTTP; not by the code
 * that means a session which is lost. */
static void
reply_error(struct vl_exchange *x, int status, const char *why)
{
    vl_auto(vl_buf) text = vl_buf_of(512);
    struct vl_reply reply = {.status = status, .type = "application/json"};
    vl_mcp_write_refusal(&text, x, status, VL_RPC_NULL_ID, VL_RPC_REFUSED, why);
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    reply.body = vl_buf_str(&text);
    vl_exchange_reply(x, &reply);
}

static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)permission;
    (void)ctx;
    reply_error(x, 403, "Not allowed");
}

static void
login(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    reply_error(x, 401, "The sign-in behind this server has ended");
}

/* --- requests --- */

static void
route(struct site *site, struct vl_exchange *x)
{
    struct vl_str path = vl_exchange_request(x)->path;
    if (vl_str_ends(path, VL_STR("/")))
        path.n--;
    for (size_t i = 0; i < VL_COUNT(site->routes); i++)
        if (vl_str_eqz(path, site->routes[i].path)) {
            site->routes[i].handle(site->endpoint, x, &site->caller);
            return;
        }
    reply_error(x, 404, "There is nothing at this path");
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct site *site = ctx;
    const struct vl_http_request *request = vl_exchange_request(x);
    struct vl_str origin;
    if (!vl_origin_is_our_host(&site->origins, request->host)) {
        reply_error(x, 403, "The Host is not this server");
        return;
    }
    switch (vl_origin_judge(&site->origins, &request->headers, &origin)) {
    case VL_ORIGIN_NONE:
        break;
    case VL_ORIGIN_FOREIGN:
        reply_error(x, 403, "The Origin is not of this machine");
        return;
    case VL_ORIGIN_ALLOWED:
        vl_cors_allow(x, origin);
        if (vl_cors_is_preflight(request)) {
            vl_cors_reply_preflight(x);
            return;
        }
    }
    route(site, x);
}

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return VL_LIMIT_MCP_BODY;
}

/* --- the address --- */

/* @spec HT-03 */
static valet_status
check_listen(struct site *site, const char *text, valet_error *err)
{
    valet_error why = {0};
    if (!text)
        return vl_fail(err, VALET_INVALID, "",
                       "listen is missing; write "
                       "for example 127.0.0.1:3000");
    if (vl_listen_parse(vl_str_z(text), &site->listen, &why) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "listen %s", why.message);
    if (!site->listen.is_loopback)
        return vl_fail(err, VALET_DENIED, "",
                       "listen names an address that others may reach, and "
                       "nobody has to sign in; write localhost, 127.0.0.1 or "
                       "[::1]");
    return VALET_OK;
}

/* A path as it stands in a URL; kept without its final slash. */
static valet_status
check_path(struct site *site, const char *path, valet_error *err)
{
    struct vl_str text = vl_str_z(path ? path : "/mcp");
    struct vl_url url;
    vl_auto(vl_buf) whole = vl_buf_of(PATH_MAX_SIZE + 64);
    vl_buf_addz(&whole, "http://localhost");
    vl_buf_add(&whole, text);
    if (!text.n || text.p[0] != '/' || text.n >= sizeof site->path ||
        vl_url_parse(vl_buf_str(&whole), &url, NULL) != VALET_OK ||
        url.has_query)
        return vl_fail(err, VALET_INVALID, "",
                       "path is not one of a URL; write for example /mcp");
    if (vl_str_ends(text, VL_STR("/")))
        text.n--;
    if (vl_str_eqz(text, "/sse") || vl_str_eqz(text, "/message"))
        return vl_fail(err, VALET_INVALID, "",
                       "path is that of the older transport; write another");
    memcpy(site->path, text.p, text.n);
    return VALET_OK;
}

/* --- life --- */

/* "localhost" is both loopbacks. A machine may have no IPv6; but a port that
 * somebody has there would get half of our clients. */
static valet_status
listen_ipv6(struct site *site, valet_error *err)
{
    valet_error why = {0};
    valet_status status = vl_http_server_listen(site->server, "::1",
                                                site->listen.port, NULL, &why);
    return status == VALET_CONFLICT
               ? vl_fail(err, status, "", "%s", why.message)
               : VALET_OK;
}

static valet_status
open_server(struct site *site, valet_error *err)
{
    struct vl_listen *listen = &site->listen;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    bool both = strcmp(listen->host, "localhost") == 0;
    bool ipv6 = strchr(listen->host, ':') != NULL;
    limits.connections = VL_LIMIT_LOCAL_CONNECTIONS;
    limits.connections_per_address = VL_LIMIT_LOCAL_CONNECTIONS;
    site->site = (struct vl_http_site){body_max, handle, site};
    site->server = vl_http_server_new(site->life.loop, &site->site, &limits);
    VL_TRY(vl_http_server_listen(site->server,
                                 both ? "127.0.0.1" : listen->host,
                                 listen->port, &listen->port, err));
    if (both)
        VL_TRY(listen_ipv6(site, err));
    (void)snprintf(site->base, sizeof site->base, "http://%s%s%s:%u",
                   ipv6 ? "[" : "", listen->host, ipv6 ? "]" : "",
                   listen->port);
    vl_origin_rules_init(&site->origins, site->base, listen->port);
    return VALET_OK;
}

static void
build(struct site *site, struct vl_mcp_server *server)
{
    site->hooks = (struct vl_mcp_hooks){
        .may = may, .refuse = refuse, .login = login, .ctx = site};
    site->caller.expires_ms = INT64_MAX;
    site->routes[0] = (struct route){site->path, vl_mcp_endpoint_handle};
    site->routes[1] = (struct route){"/sse", vl_mcp_endpoint_handle_sse};
    site->routes[2] =
        (struct route){"/message", vl_mcp_endpoint_handle_message};
    site->endpoint = vl_mcp_endpoint_new(server, &site->hooks, site->life.loop,
                                         &vl_clock_system, 0);
}

static void
drain(void (*done)(void *done_ctx), void *done_ctx, void *ctx)
{
    struct site *site = ctx;
    vl_mcp_endpoint_drain(site->endpoint);
    vl_http_server_drain(site->server, VL_LIMIT_DRAIN_MS, done, done_ctx);
}

static void
tell_ready(const struct site *site, const valet_mcp_address *address)
{
    char url[URL_SIZE];
    (void)snprintf(url, sizeof url, "%s%s", site->base,
                   site->path[0] ? site->path : "/");
    if (address->ready)
        address->ready(url, address->ctx);
}

static valet_status
run(struct site *site, struct vl_mcp_server *server,
    const valet_mcp_address *address, valet_error *err)
{
    VL_TRY(vl_life_watch(&site->life, err));
    VL_TRY(open_server(site, err));
    build(site, server);
    server->stop = vl_life_stop;
    server->stop_ctx = &site->life;
    tell_ready(site, address);
    vl_loop_run(site->life.loop);
    server->stop = NULL;
    return VALET_OK;
}

/* The loop begins and ends here. */
valet_status
valet_mcp_serve_local_http(valet_mcp_server *server,
                           const valet_mcp_address *address, valet_error *err)
{
    struct site site = {.life = {.drain = drain}};
    site.life.ctx = &site;
    VL_TRY(vl_mcp_check_later(address->later, VL_COUNT(address->later), err));
    VL_TRY(vl_mcp_server_check_rest(server, err));
    VL_TRY(check_listen(&site, address->listen, err));
    VL_TRY(check_path(&site, address->path, err));
    VL_TRY(vl_loop_new(&site.life.loop, err));
    valet_status status = run(&site, server, address, err);
    if (site.server)
        vl_http_server_free(site.server);
    vl_mcp_endpoint_free(site.endpoint);
    vl_loop_free(site.life.loop);
    return status;
}
