/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of gateway/ share. One struct vl_gateway per worker loop; it
 * is used by that loop's thread alone.
 */
#ifndef VL_GATEWAY_PRIVATE_H
#define VL_GATEWAY_PRIVATE_H

#include "entra/entra.h"
#include "entra/graph.h"
#include "gateway/gateway.h"
#include "gateway/graph_tool.h"
#include "gateway/idp_log.h"
#include "guard/audit.h"
#include "http/server.h"
#include "issuer/issuer.h"
#include "mcp/endpoint.h"

/* A path that is answered only to bearers of a token. */
struct vl_door {
    struct vl_backend *backend;
    char path[80];
    char metadata[640]; /* URL of its RFC 9728 document */
    vl_mcp_endpoint_handler *handle;
};

/* One MCP server behind us: an OAuth resource. It is reached by one door, at
 * /mcp or /NAME/mcp; the first one by two more, /sse and /message. */
struct vl_backend {
    struct vl_gateway *gateway;
    struct vl_door *door;
    char resource[512]; /* public URL + path: what tokens are bound to */
    struct vl_mcp_endpoint *endpoint;
};

/* A built-in MCP server: the registry and the tools in it. */
struct vl_builtin {
    struct vl_mcp_server *server;
    struct vl_graph_tool *graph;
};

/* The default server under /mcp, and each one under its name. */
#define VL_BACKENDS_MAX 8

#define VL_DOORS_MAX (VL_BACKENDS_MAX + 2)

/* A public URL's authority at its longest. */
#define VL_HOST_SIZE 256

struct vl_gateway {
    struct vl_loop *loop;
    const struct vl_conf *conf;
    const struct vl_log *log;
    char url[256];               /* public URL, port filled in */
    unsigned port;               /* bound */
    bool is_loopback;            /* clients reach us on this computer only */
    char hosts[5][VL_HOST_SIZE]; /* what a Host header may say */
    size_t host_count;

    struct vl_keyring *ring;
    struct vl_store *store;
    struct vl_audit *audit;
    struct vl_timer *flush;
    bool audit_failing; /* the log has been told */
    struct vl_fetcher *fetcher;
    struct vl_entra *entra;
    struct vl_idp_log *idp;
    struct vl_issuer *issuer;
    struct vl_entra_config entra_config;
    struct vl_issuer_config issuer_config;
    struct vl_issuer_client *clients;
    char redirect_uri[320];

    struct vl_builtin builtins[VL_BACKENDS_MAX]; /* one a configured server */
    size_t builtin_count;
    struct vl_mcp_hooks hooks[VL_BACKENDS_MAX];
    struct vl_backend backends[VL_BACKENDS_MAX];
    size_t backend_count;
    struct vl_door doors[VL_DOORS_MAX];
    size_t door_count;
    char sse_url[512]; /* the second name of the first resource */

    struct vl_http_site site;
    struct vl_http_server *server;
};

/* site.c: the HTTP server's site. */
void vl_gateway_site(struct vl_gateway *gateway, struct vl_http_site *ret);
/* Once URL and port are known: which hosts are ours. */
void vl_gateway_name_hosts(struct vl_gateway *gateway);

/* authn.c: lets a request through to its MCP endpoint, or answers it. */
void vl_authn_admit(struct vl_door *door, struct vl_exchange *x);
/* Does the request carry a token that was made here? Not: a good one. */
bool vl_authn_brings_token(const struct vl_gateway *gateway,
                           const struct vl_http_request *request);
/* 401 for a sign-in that has ended, 403 for a missing permission. */
void vl_authn_challenge(struct vl_door *door, struct vl_exchange *x,
                        bool token_came);
void
vl_authn_forbid(struct vl_door *door, struct vl_exchange *x, const char *scope);

#endif
