/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/private.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/status.h"
#include "guard/policy.h"
#include "http/url.h"

/* The audit file is at most this much behind (refusals are not at all). */
#define FLUSH_MS 100

/* A trail that cannot be written is told of once, and once when it can. */
static void
watch_audit(struct vl_gateway *gateway)
{
    bool failing = vl_audit_is_failing(gateway->audit);
    if (failing == gateway->audit_failing)
        return;
    gateway->audit_failing = failing;
    if (failing)
        vl_log(gateway->log, VL_LOG_ERROR,
               "the audit trail %s cannot be written: is the disk full?",
               gateway->conf->audit_path);
    else
        vl_log(gateway->log, VL_LOG_WARN,
               "the audit trail %s is written again; lost since the start: "
               "%" PRIu64 " events",
               gateway->conf->audit_path, vl_audit_lost(gateway->audit));
}

static void
flush_audit(void *ctx)
{
    struct vl_gateway *gateway = ctx;
    vl_audit_flush(gateway->audit);
    watch_audit(gateway);
    vl_timer_start(gateway->flush, FLUSH_MS);
}

/* --- what an MCP endpoint asks of us --- */

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)ctx;
    return vl_policy_may_call(principal, permission);
}

static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    struct vl_backend *backend = ctx;
    vl_authn_forbid(backend->door, x, permission);
}

static void
login(struct vl_exchange *x, void *ctx)
{
    struct vl_backend *backend = ctx;
    vl_authn_challenge(backend->door, x, true);
}

static const struct {
    enum vl_audit_kind kind;
    bool refused;
} audited[] = {
    [VL_MCP_SESSION_OPENED] = {VL_AUDIT_SESSION_OPEN, false},
    [VL_MCP_SESSION_CLOSED] = {VL_AUDIT_SESSION_CLOSE, false},
    [VL_MCP_SESSION_HIJACK] = {VL_AUDIT_SESSION_HIJACK_ATTEMPT, true},
    [VL_MCP_TOOL_DENIED] = {VL_AUDIT_RBAC_DENY, true},
    [VL_MCP_TOOL_STARTED] = {VL_AUDIT_TOOL_START, false},
    [VL_MCP_TOOL_ENDED] = {VL_AUDIT_TOOL_END, false},
    [VL_MCP_TOOL_CANCELLED] = {VL_AUDIT_TOOL_CANCEL, false},
};

static void
note(const struct vl_mcp_note *what, void *ctx)
{
    struct vl_backend *backend = ctx;
    const struct vl_principal *who = what->principal;
    struct vl_audit_event event = {.kind = audited[what->what].kind,
                                   .refused = audited[what->what].refused ||
                                              what->failed,
                                   .reason = what->reason,
                                   .client = who ? &who->client : NULL,
                                   .user = who ? &who->user : NULL,
                                   .session = who ? who->session : NULL,
                                   .tool = what->tool,
                                   .peer = what->peer,
                                   .correlation = what->correlation,
                                   .ms = what->ms};
    if (what->what == VL_MCP_TOOL_STARTED) {
        /* Nothing starts without it: told where it takes effect. */
        struct vl_audit_event allowed = event;
        allowed.kind = VL_AUDIT_RBAC_ALLOW;
        vl_audit(backend->gateway->audit, &allowed);
    }
    vl_audit(backend->gateway->audit, &event);
}

/* A token family ended: what hangs on it ends too (@spec S-14). */
static void
on_family_end(const char *session, void *ctx)
{
    struct vl_gateway *gateway = ctx;
    for (size_t i = 0; i < gateway->backend_count; i++)
        vl_mcp_endpoint_end_family(gateway->backends[i].endpoint, session);
}

/* --- building --- */

/*
 * Keys are made for a new store alone: a new key opens nothing of an old one,
 * and would sign everybody out without a word (@spec S-101).
 */
static valet_status
open_keys(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    bool created = false;
    bool is_new = access(conf->store_path, F_OK) != 0 && errno == ENOENT;
    valet_status status =
        vl_keyring_open(conf->key_path, is_new, &created, &gateway->ring, err);
    if (status == VALET_NOT_FOUND && !is_new)
        return vl_fail(err, status, "",
                       "the key file %s is missing, and nothing else opens the "
                       "store %s; bring the file back from its backup, or move "
                       "the store away: then everybody has to sign in again",
                       conf->key_path, conf->store_path);
    if (created)
        vl_log(gateway->log, VL_LOG_INFO, "made a new key file %s: back it up",
               conf->key_path);
    return status;
}

static valet_status
open_state(struct vl_gateway *gateway, bool in_memory, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    VL_TRY(vl_audit_open(conf->audit_path, &vl_clock_system, &gateway->audit,
                         err));
    if (in_memory) {
        gateway->ring = vl_keyring_new_random();
        gateway->store = vl_store_open_memory(gateway->ring, &vl_clock_system);
        return VALET_OK;
    }
    VL_TRY(open_keys(gateway, err));
    return vl_store_open_sqlite(conf->store_path, gateway->ring,
                                &vl_clock_system, &gateway->store, err);
}

/*
 * "localhost" is both loopbacks. A machine without IPv6 has one of them; but a
 * port that is taken on ::1 is an error: whoever has it would get what
 * browsers send to localhost, codes and tokens included.
 */
static valet_status
bind_ipv6(struct vl_gateway *gateway, valet_error *err)
{
    valet_error why = {0};
    valet_status status = vl_http_server_listen(gateway->server, "::1",
                                                gateway->port, NULL, &why);
    if (status == VALET_OK)
        return VALET_OK;
    if (status == VALET_CONFLICT)
        return vl_fail(err, VALET_CONFLICT, "", "%s", why.message);
    vl_log(gateway->log, VL_LOG_WARN, "not listening on ::1: %s", why.message);
    return VALET_OK;
}

static valet_status
bind_sockets(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    const char *host = conf->listen_host;
    bool both = strcmp(host, "localhost") == 0;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections = conf->max_connections;
    limits.connections_per_address = conf->max_connections_per_address;
    VL_TRY(vl_http_raise_nofile(limits.connections, err));
    vl_gateway_site(gateway, &gateway->site);
    gateway->server =
        vl_http_server_new(gateway->loop, &gateway->site, &limits);
    VL_TRY(vl_http_server_listen(gateway->server, both ? "127.0.0.1" : host,
                                 conf->listen_port, &gateway->port, err));
    if (both)
        VL_TRY(bind_ipv6(gateway, err));
    if (conf->public_url[0])
        (void)snprintf(gateway->url, sizeof gateway->url, "%s",
                       conf->public_url);
    else /* @spec W-21: what clients use, with the port that was bound */
        (void)snprintf(gateway->url, sizeof gateway->url, "http://localhost:%u",
                       gateway->port);
    vl_gateway_name_hosts(gateway);
    return VALET_OK;
}

static void
build_entra(struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    (void)snprintf(gateway->redirect_uri, sizeof gateway->redirect_uri,
                   "%s/auth/callback", gateway->url);
    gateway->entra_config = (struct vl_entra_config){
        .authority_host = conf->authority_host,
        .tenant_id = conf->tenant_id,
        .client_id = conf->client_id,
        .client_secret = &conf->client_secret,
        .redirect_uri = gateway->redirect_uri,
        .scopes = conf->entra_scopes,
    };
    gateway->fetcher = vl_fetcher_new(gateway->loop);
    gateway->entra = vl_entra_new(gateway->loop, gateway->fetcher,
                                  &vl_clock_system, &gateway->entra_config);
    gateway->idp = vl_idp_log_new(vl_entra_idp(gateway->entra), gateway->log);
}

static struct vl_door *
add_door(struct vl_backend *backend, const char *path,
         vl_mcp_endpoint_handler *handle)
{
    struct vl_gateway *gateway = backend->gateway;
    struct vl_door *door = &gateway->doors[gateway->door_count++];
    door->backend = backend;
    door->handle = handle;
    (void)snprintf(door->path, sizeof door->path, "%s", path);
    (void)snprintf(door->metadata, sizeof door->metadata,
                   "%s/.well-known/oauth-protected-resource%s", gateway->url,
                   path);
    return door;
}

/* One more URL at which a server is reached; `name` NULL is the default. */
static void
add_backend(struct vl_gateway *gateway, const char *name)
{
    struct vl_backend *backend = &gateway->backends[gateway->backend_count++];
    char path[sizeof backend->door->path];
    (void)snprintf(path, sizeof path, "/%s%smcp", name ? name : "",
                   name ? "/" : "");
    (void)snprintf(backend->resource, sizeof backend->resource, "%s%s",
                   gateway->url, path);
    backend->gateway = gateway;
    backend->door = add_door(backend, path, vl_mcp_endpoint_handle);
}

/* /mcp is the first server's, and each has one under its name. Clients of the
 * older kind ask for tokens for /sse: to them that is the server's name. */
static void
name_backends(struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    add_backend(gateway, NULL);
    for (size_t i = 0;
         i < conf->server_count && gateway->backend_count < VL_BACKENDS_MAX;
         i++)
        add_backend(gateway, conf->servers[i].name);
    (void)add_door(&gateway->backends[0], "/sse", vl_mcp_endpoint_handle_sse);
    (void)add_door(&gateway->backends[0], "/message",
                   vl_mcp_endpoint_handle_message);
    (void)snprintf(gateway->sse_url, sizeof gateway->sse_url, "%s/sse",
                   gateway->url);
}

static void
build_issuer(struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    struct vl_issuer_config *config = &gateway->issuer_config;
    gateway->clients = vl_alloc(conf->client_count * sizeof *gateway->clients);
    for (size_t i = 0; i < conf->client_count; i++)
        gateway->clients[i] = (struct vl_issuer_client){
            conf->clients[i].id, conf->clients[i].name,
            conf->clients[i].redirect_uris,
            conf->clients[i].redirect_uri_count};
    *config = (struct vl_issuer_config){
        .issuer = gateway->url,
        .scopes = conf->required_scopes,
        .clients = gateway->clients,
        .client_count = conf->client_count,
        .registration_dynamic = conf->registration_dynamic,
        .registration_max = conf->registration_max,
        .registration_per_address_per_hour = conf->registration_per_address,
        .registration_unused_ms = conf->registration_unused_ms,
        .access_token_ms = conf->access_token_ms,
        .refresh_token_ms = conf->refresh_token_ms,
        .session_max_ms = conf->session_max_ms,
        .requests_per_minute = conf->requests_per_minute,
        .flows_per_address_max = conf->flows_per_address,
        .sessions_per_user = conf->sessions_per_user,
        .alias = gateway->sse_url,
    };
    for (size_t i = 0; i < gateway->backend_count; i++)
        config->resources[config->resource_count++] =
            gateway->backends[i].resource;
    struct vl_issuer_deps deps = {
        .loop = gateway->loop,
        .store = gateway->store,
        .ring = gateway->ring,
        .clock = &vl_clock_system,
        .idp = vl_idp_log_idp(gateway->idp),
        .audit = gateway->audit,
    };
    gateway->issuer = vl_issuer_new(&deps, config);
    vl_issuer_on_end(gateway->issuer, on_family_end, gateway);
}

static valet_status
build_builtin(struct vl_gateway *gateway, const struct vl_conf_server *server,
              valet_error *err)
{
    struct vl_builtin *builtin = &gateway->builtins[gateway->builtin_count++];
    struct vl_graph_tool_deps deps = {
        .issuer = gateway->issuer,
        .fetcher = gateway->fetcher,
        .audit = gateway->audit,
        .graph_url = gateway->conf->graph_url,
        .select = server->graph_select,
    };
    VL_TRY(valet_mcp_server_new("mcp-valet", VALET_VERSION, NULL,
                                &builtin->server, err));
    return vl_graph_tool_new(&deps, builtin->server, &builtin->graph, err);
}

static valet_status
build_mcp(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    for (size_t i = 0; i + 1 < gateway->backend_count; i++)
        VL_TRY(build_builtin(gateway, &conf->servers[i], err));
    for (size_t i = 0; i < gateway->backend_count; i++) {
        struct vl_backend *backend = &gateway->backends[i];
        gateway->hooks[i] =
            (struct vl_mcp_hooks){may, refuse, login, note, NULL, backend};
        backend->endpoint = vl_mcp_endpoint_new(
            gateway->builtins[i ? i - 1 : 0].server, &gateway->hooks[i],
            gateway->loop, &vl_clock_system, 0);
    }
    return VALET_OK;
}

/* The desk grants what guard/policy knows and nothing else: with another scope
 * required, people would sign in for ever and be refused by every call. */
valet_status
vl_gateway_check(const struct vl_conf *conf, valet_error *err)
{
    struct vl_str rest = vl_str_z(conf->required_scopes), word;
    while (vl_str_split(&rest, ' ', &word))
        if (word.n && !vl_policy_is_known_scope(word))
            return vl_fail(err, VALET_INVALID, "",
                           "required_scopes names \"" VL_STR_FMT
                           "\", which nobody can be granted here; write %s",
                           VL_STR_ARG(word), vl_policy_known_scopes());
    return VALET_OK;
}

static valet_status
build(struct vl_gateway *gateway, bool in_memory, valet_error *err)
{
    VL_TRY(vl_gateway_check(gateway->conf, err));
    VL_TRY(open_state(gateway, in_memory, err));
    VL_TRY(bind_sockets(gateway, err));
    build_entra(gateway);
    name_backends(gateway);
    build_issuer(gateway);
    VL_TRY(build_mcp(gateway, err));
    vl_audit(gateway->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_LOAD});
    for (size_t i = 0; i < gateway->conf->warning_count; i++) {
        vl_log(gateway->log, VL_LOG_WARN, "%s", gateway->conf->warnings[i]);
        vl_audit(gateway->audit,
                 &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_WARN,
                                          .reason = "configuration"});
    }
    gateway->flush = vl_timer_new(gateway->loop, flush_audit, gateway);
    vl_timer_start(gateway->flush, FLUSH_MS);
    return VALET_OK;
}

valet_status
vl_gateway_new(struct vl_loop *loop, const struct vl_gateway_options *options,
               struct vl_gateway **ret, valet_error *err)
{
    struct vl_gateway *gateway = vl_alloc(sizeof *gateway);
    gateway->loop = loop;
    gateway->conf = options->conf;
    gateway->log = options->log;
    valet_status status = build(gateway, options->in_memory, err);
    if (status != VALET_OK) {
        vl_gateway_free(gateway);
        return status;
    }
    *ret = gateway;
    return VALET_OK;
}

const char *
vl_gateway_url(const struct vl_gateway *gateway)
{
    return gateway->url;
}

void
vl_gateway_drain(struct vl_gateway *gateway, void (*done)(void *ctx), void *ctx)
{
    for (size_t i = 0; i < gateway->backend_count; i++)
        vl_mcp_endpoint_drain(gateway->backends[i].endpoint);
    vl_http_server_drain(gateway->server, VL_LIMIT_DRAIN_MS, done, ctx);
}

void
vl_gateway_reopen(struct vl_gateway *gateway)
{
    valet_error err = {0};
    if (vl_audit_reopen(gateway->audit, &err) != VALET_OK)
        vl_log(gateway->log, VL_LOG_ERROR, "%s", err.message);
}

/* What asks is gone before what answers; but the provider goes before the
 * issuer, which then frees what waited for it (issuer.h). */
void
vl_gateway_free(struct vl_gateway *gateway)
{
    if (!gateway)
        return;
    if (gateway->server)
        vl_http_server_free(gateway->server);
    vl_entra_free(gateway->entra);
    vl_idp_log_free(gateway->idp);
    if (gateway->issuer)
        vl_issuer_free(gateway->issuer);
    for (size_t i = 0; i < gateway->builtin_count; i++)
        vl_graph_tool_free(gateway->builtins[i].graph);
    for (size_t i = 0; i < gateway->backend_count; i++)
        if (gateway->backends[i].endpoint)
            vl_mcp_endpoint_free(gateway->backends[i].endpoint);
    for (size_t i = 0; i < gateway->builtin_count; i++)
        valet_mcp_server_free(gateway->builtins[i].server);
    if (gateway->fetcher)
        vl_fetcher_free(gateway->fetcher);
    if (gateway->store)
        vl_store_close(gateway->store);
    vl_timer_free(gateway->flush);
    vl_audit_close(gateway->audit);
    vl_keyring_free(gateway->ring);
    free(gateway->clients);
    free(gateway);
}
