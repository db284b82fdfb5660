/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of gateway/ share.
 *
 *     gateway.c  what there is once: keys, store, sockets, names; the threads
 *     front.c    addresses, TLS, proxies that may speak for others
 *     lane.c     what there is on each worker's loop: Entra, desk, MCP, server
 *     site.c     a lane's HTTP site: Host, Origin, route
 *     authn.c    the bearer check
 *
 * The gateway is made before the lanes run and not changed afterwards, but for
 * what has a lock of its own (store, audit, limits, sockets). A lane is its
 * thread's alone; lanes speak by messages to each other's loops.
 */
#ifndef VL_GATEWAY_PRIVATE_H
#define VL_GATEWAY_PRIVATE_H

#include <pthread.h>

#include "entra/entra.h"
#include "gateway/gateway.h"
#include "gateway/graph_tool.h"
#include "gateway/idp_log.h"
#include "gateway/profiles.h"
#include "guard/audit.h"
#include "http/origin.h"
#include "http/server.h"
#include "issuer/issuer.h"
#include "talk/endpoint.h"

/* The default server under /mcp, and each one under its name. */
#define VL_BACKENDS_MAX 8
/* Each has one, the default server two more: /sse and /message. */
#define VL_DOORS_MAX (VL_BACKENDS_MAX + 2)
/* Session ids have two hexadecimal digits for the lane. */
#define VL_LANES_MAX 64

/* One MCP server behind us and what it is called: an OAuth resource. */
struct vl_resource {
    char path[80]; /* "/mcp" or "/NAME/mcp" */
    char url[512]; /* public URL + path: what tokens are bound to */
};

/* It, as one lane serves it. */
struct vl_backend {
    struct vl_lane *lane;
    const struct vl_resource *resource;
    struct vl_door *door; /* the one at the resource's path */
    struct vl_mcp_endpoint *endpoint;
};

/* A path that is answered only to bearers of a token. */
struct vl_door {
    struct vl_backend *backend;
    char path[80];
    char metadata[640]; /* URL of its RFC 9728 document */
    vl_mcp_endpoint_handler *handle;
};

/* A built-in MCP server: the registry and the tools in it. */
struct vl_builtin {
    struct vl_mcp_server *server;
    struct vl_graph_tool *graph;
};

struct vl_lane {
    struct vl_gateway *gateway;
    unsigned number;
    struct vl_loop *loop; /* that of lane 0 is the caller's */
    pthread_t thread;     /* of the others */
    bool runs;            /* it has been started */
    struct vl_task drain, drained, stop;

    struct vl_fetcher *fetcher;
    struct vl_entra *entra;
    struct vl_idp_log *idp;
    struct vl_issuer *issuer;
    struct vl_profiles *profiles; /* or NULL: of a program's own server */
    struct vl_builtin builtins[VL_BACKENDS_MAX]; /* one a configured server */
    size_t builtin_count;
    struct vl_mcp_hooks hooks[VL_BACKENDS_MAX];
    struct vl_backend backends[VL_BACKENDS_MAX];
    size_t backend_count;
    struct vl_door doors[VL_DOORS_MAX];
    size_t door_count;
    const struct vl_principal *caller; /* of the request being handled */
    struct vl_http_site site;
    struct vl_http_server *server;
};

struct vl_gateway {
    struct vl_loop *loop; /* the caller's */
    const struct vl_conf *conf;
    const struct vl_log *log;
    struct vl_mcp_server *own;      /* a program's, or NULL */
    char url[256];                  /* public URL, port filled in */
    unsigned port;                  /* bound */
    struct vl_origin_rules origins; /* who may ask, by which name */
    struct vl_resource resources[VL_BACKENDS_MAX];
    size_t resource_count;
    char sse_url[512]; /* the second name of the first resource */
    char redirect_uri[320];

    struct vl_keyring *ring;
    struct vl_store *store;
    struct vl_audit *audit;
    struct vl_timer *flush;
    bool audit_failing; /* the log has been told */
    struct vl_http_group *group;
    struct vl_tls *tls; /* or NULL */
    struct vl_network proxies[VL_CONF_PROXIES_MAX];
    struct vl_http_trust trust;
    bool is_strict;           /* browsers are told to come over https alone */
    struct vl_signer *signer; /* or NULL: a secret */
    struct vl_client_auth auth;
    struct vl_entra_config entra_config;
    struct vl_issuer_config issuer_config;
    struct vl_issuer_client *clients;
    struct vl_desk_limits *limits;

    struct vl_lane *lanes;
    unsigned lane_count;
    unsigned undrained; /* lanes that still are at it */
    void (*drained)(void *ctx);
    void *drained_ctx;
};

/* credential.c. The one that is read may be NULL: then it is a secret. */
valet_status
vl_credential_read(const struct vl_conf *conf, struct vl_signer **ret,
                   valet_error *err) VALET_CHECK;
valet_status
vl_credential_check(const struct vl_conf *conf, valet_error *err) VALET_CHECK;
struct vl_client_auth
vl_credential_of(const struct vl_conf *conf, const struct vl_signer *signer);

/* lane.c: on the main thread, before it runs and after it has ended. */
valet_status vl_lane_build(struct vl_lane *lane, valet_error *err) VALET_CHECK;
/* `done` once, on the lane's thread, as the rest is. */
void vl_lane_drain(struct vl_lane *lane, void (*done)(void *ctx), void *ctx);
void vl_lane_free(struct vl_lane *lane);

/* gateway.c: a warning, in the log and in the audit trail. */
void vl_gateway_note(const char *sentence, void *ctx);

/* front.c: sockets, and who comes in how. */
valet_status
vl_front_open(struct vl_gateway *gateway, valet_error *err) VALET_CHECK;
/* Are certificates and keys good? Nothing is kept. */
valet_status
vl_front_check(const struct vl_conf *conf, valet_error *err) VALET_CHECK;
/* What clients will have against the certificate. */
void
vl_front_warn(const struct vl_conf *conf, vl_gateway_tell *tell, void *ctx);
void vl_front_renew(struct vl_gateway *gateway);
/* What a lane's server has to know of it. */
void vl_front_guard(struct vl_gateway *gateway, struct vl_http_server *server);

/* site.c: a lane's HTTP site. */
void vl_lane_site(struct vl_lane *lane, struct vl_http_site *ret);

/* authn.c: lets a request through to its MCP endpoint, or answers it. */
void vl_authn_admit(struct vl_door *door, struct vl_exchange *x);
/* Does the request carry a token that was made here? Not: a good one. */
bool vl_authn_brings_token(const struct vl_lane *lane,
                           const struct vl_http_request *request);
/* 401 for a sign-in that has ended, 403 for a missing permission. */
void vl_authn_challenge(struct vl_door *door, struct vl_exchange *x,
                        bool token_came);
/* Adds scopes that are not in the set yet, as far as a token has room. */
void vl_authn_add_scopes(struct vl_buf *set, const char *scopes);
void
vl_authn_forbid(struct vl_door *door, struct vl_exchange *x, const char *scope);

#endif
