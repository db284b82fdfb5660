/* SPDX-License-Identifier: Apache-2.0
 *
 * One lane: all that serves requests on one loop. Nothing in it is shared, so
 * nothing on a request's way waits for another lane.
 */
#include "gateway/private.h"
#include "guard/policy.h"

/* --- what an MCP endpoint asks of us --- */

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)ctx;
    /* Nobody comes here without the scopes that all need: authn.c. */
    if (permission && strcmp(permission, VALET_MCP_ANY_CALLER) == 0)
        return principal != NULL;
    return vl_policy_may_call(principal, permission);
}

/* @spec RS-12: all that the next token has to have. A client asks for what
 * stands here and nothing else, so a permission alone would cost it the way in
 * and what it was granted before. */
static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    struct vl_backend *backend = ctx;
    const struct vl_lane *lane = backend->lane;
    vl_auto(vl_buf) scopes = vl_buf_of(VL_SCOPES_SIZE);
    vl_authn_add_scopes(&scopes, lane->gateway->conf->required_scopes);
    vl_authn_add_scopes(&scopes, permission);
    if (lane->caller)
        vl_authn_add_scopes(&scopes, lane->caller->scopes);
    vl_authn_forbid(backend->door, x, vl_buf_cstr(&scopes));
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
        vl_audit(backend->lane->gateway->audit, &allowed);
    }
    vl_audit(backend->lane->gateway->audit, &event);
}

/* A session of another lane: the request goes there, with its connection. */
static bool
hand_over(struct vl_exchange *x, unsigned home, void *ctx)
{
    (void)ctx;
    return vl_exchange_move(x, home);
}

/* --- token families --- */

static void
end_family(struct vl_lane *lane, const char *session)
{
    for (size_t i = 0; i < lane->backend_count; i++)
        vl_mcp_endpoint_end_family(lane->backends[i].endpoint, session);
    if (lane->profiles)
        vl_profiles_end(lane->profiles, session);
}

/* A message to another lane. */
struct ending {
    struct vl_task task;
    struct vl_lane *lane;
    char session[VL_SESSION_ID_SIZE];
};

static void
hear_of_end(struct vl_task *task)
{
    struct ending *ending = VL_CONTAINER(task, struct ending, task);
    struct vl_lane *lane = ending->lane;
    if (lane->issuer) { /* else it has gone before */
        vl_issuer_forget(lane->issuer, ending->session);
        end_family(lane, ending->session);
    }
    free(ending);
}

/* @spec S-14: what hangs on a token family ends with it, on all lanes. */
static void
on_family_end(const char *session, void *ctx)
{
    struct vl_lane *lane = ctx;
    struct vl_gateway *gateway = lane->gateway;
    end_family(lane, session);
    for (unsigned i = 0; i < gateway->lane_count; i++) {
        if (i == lane->number)
            continue;
        struct ending *ending = vl_alloc(sizeof *ending);
        ending->task.run = hear_of_end;
        ending->lane = &gateway->lanes[i];
        (void)snprintf(ending->session, sizeof ending->session, "%s", session);
        vl_loop_post(ending->lane->loop, &ending->task);
    }
}

/* --- building --- */

static valet_status
build_issuer(struct vl_lane *lane, valet_error *err)
{
    struct vl_gateway *gateway = lane->gateway;
    lane->fetcher = vl_fetcher_new(lane->loop);
    if (gateway->conf->outbound_ca_file)
        VL_TRY(vl_fetcher_trust(lane->fetcher, gateway->conf->outbound_ca_file,
                                err));
    lane->entra = vl_entra_new(lane->loop, lane->fetcher, &vl_clock_system,
                               &gateway->entra_config);
    lane->idp = vl_idp_log_new(vl_entra_idp(lane->entra), gateway->log);
    struct vl_issuer_deps deps = {
        .loop = lane->loop,
        .store = gateway->store,
        .ring = gateway->ring,
        .clock = &vl_clock_system,
        .idp = vl_idp_log_idp(lane->idp),
        .audit = gateway->audit,
        .limits = gateway->limits,
    };
    lane->issuer = vl_issuer_new(&deps, &gateway->issuer_config);
    vl_issuer_on_end(lane->issuer, on_family_end, lane);
    return VALET_OK;
}

/* `named` is the path of the resource that its clients know. */
static struct vl_door *
add_door(struct vl_backend *backend, const char *path, const char *named,
         vl_mcp_endpoint_handler *handle)
{
    struct vl_lane *lane = backend->lane;
    struct vl_door *door = &lane->doors[lane->door_count++];
    door->backend = backend;
    door->handle = handle;
    (void)snprintf(door->path, sizeof door->path, "%s", path);
    (void)snprintf(door->metadata, sizeof door->metadata,
                   "%s/.well-known/oauth-protected-resource%s",
                   lane->gateway->url, named);
    return door;
}

static void
build_profiles(struct vl_lane *lane)
{
    const struct vl_conf *conf = lane->gateway->conf;
    if (lane->gateway->own)
        return;
    lane->profiles = vl_profiles_new(&(struct vl_graph_config){
        .loop = lane->loop,
        .fetcher = lane->fetcher,
        .clock = &vl_clock_system,
        .url = conf->graph_url,
        .ttl_ms = conf->graph_cache_ms,
    });
}

static valet_status
build_builtin(struct vl_lane *lane, const struct vl_conf_server *server,
              valet_error *err)
{
    struct vl_builtin *builtin = &lane->builtins[lane->builtin_count++];
    struct vl_graph_tool_deps deps = {
        .issuer = lane->issuer,
        .profiles = lane->profiles,
        .audit = lane->gateway->audit,
        .select = server->graph_select,
    };
    VL_TRY(valet_mcp_server_new("mcp-valet", VALET_VERSION, NULL,
                                &builtin->server, err));
    return vl_graph_tool_new(&deps, builtin->server, &builtin->graph, err);
}

/* The first resource is another name of the first configured server. */
static struct vl_mcp_server *
find_server(const struct vl_lane *lane, size_t i)
{
    return lane->gateway->own ? lane->gateway->own
                              : lane->builtins[i ? i - 1 : 0].server;
}

static void
add_backend(struct vl_lane *lane, const struct vl_resource *resource)
{
    size_t i = lane->backend_count++;
    struct vl_backend *backend = &lane->backends[i];
    backend->lane = lane;
    backend->resource = resource;
    backend->door = add_door(backend, resource->path, resource->path,
                             vl_mcp_endpoint_handle);
    lane->hooks[i] = (struct vl_mcp_hooks){
        .may = may,
        .refuse = refuse,
        .login = login,
        .note = vl_audit_is_kept(lane->gateway->audit) ? note : NULL,
        .hand_over = hand_over,
        .ctx = backend,
    };
    backend->endpoint =
        vl_mcp_endpoint_new(find_server(lane, i), &lane->hooks[i], lane->loop,
                            &vl_clock_system, lane->number);
    vl_mcp_endpoint_seal_with(backend->endpoint, lane->gateway->ring,
                              resource->url);
}

static valet_status
build_mcp(struct vl_lane *lane, valet_error *err)
{
    const struct vl_gateway *gateway = lane->gateway;
    build_profiles(lane);
    for (size_t i = 0; !gateway->own && i + 1 < gateway->resource_count; i++)
        VL_TRY(build_builtin(lane, &gateway->conf->servers[i], err));
    for (size_t i = 0; i < gateway->resource_count; i++)
        add_backend(lane, &gateway->resources[i]);
    /* Who posts to /message was given the address /sse. */
    (void)add_door(&lane->backends[0], "/sse", "/sse",
                   vl_mcp_endpoint_handle_sse);
    (void)add_door(&lane->backends[0], "/message", "/sse",
                   vl_mcp_endpoint_handle_message);
    return VALET_OK;
}

valet_status
vl_lane_build(struct vl_lane *lane, valet_error *err)
{
    VL_TRY(build_issuer(lane, err));
    VL_TRY(build_mcp(lane, err));
    vl_lane_site(lane, &lane->site);
    lane->server = vl_http_server_join(lane->gateway->group, lane->number,
                                       lane->loop, &lane->site);
    vl_front_guard(lane->gateway, lane->server);
    return VALET_OK;
}

void
vl_lane_drain(struct vl_lane *lane, void (*done)(void *ctx), void *ctx)
{
    for (size_t i = 0; i < lane->backend_count; i++)
        vl_mcp_endpoint_drain(lane->backends[i].endpoint);
    vl_http_server_drain(lane->server, VL_LIMIT_DRAIN_MS, done, ctx);
}

/* What asks is gone before what answers; but the provider goes before the
 * issuer, which then frees what waited for it (issuer.h). */
void
vl_lane_free(struct vl_lane *lane)
{
    if (lane->server)
        vl_http_server_free(lane->server);
    lane->server = NULL; /* for messages that come later */
    for (size_t i = 0; i < lane->backend_count; i++)
        vl_mcp_endpoint_take_over(lane->backends[i].endpoint);
    vl_entra_free(lane->entra);
    vl_idp_log_free(lane->idp);
    if (lane->issuer)
        vl_issuer_free(lane->issuer);
    lane->issuer = NULL;
    for (size_t i = 0; i < lane->builtin_count; i++)
        vl_graph_tool_free(lane->builtins[i].graph);
    for (size_t i = 0; i < lane->backend_count; i++)
        vl_mcp_endpoint_free(lane->backends[i].endpoint);
    for (size_t i = 0; i < lane->builtin_count; i++)
        valet_mcp_server_free(lane->builtins[i].server);
    vl_profiles_free(lane->profiles);
    if (lane->fetcher)
        vl_fetcher_free(lane->fetcher);
}
