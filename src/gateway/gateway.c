/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pthread_setname_np */
#include "gateway/private.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "core/status.h"
#include "guard/policy.h"
#include "http/url.h"
#include "mcp/server.h"

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

/* --- what there is once --- */

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
open_state(struct vl_gateway *gateway, const struct vl_gateway_options *options,
           valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    if (options->audit_to_stderr && !*conf->audit_path)
        gateway->audit = vl_audit_open_stderr(&vl_clock_system);
    else
        VL_TRY(vl_audit_open(conf->audit_path, &vl_clock_system,
                             &gateway->audit, err));
    if (options->in_memory) {
        gateway->ring = vl_keyring_new_random();
        gateway->store = vl_store_open_memory(gateway->ring, &vl_clock_system);
        return VALET_OK;
    }
    VL_TRY(open_keys(gateway, err));
    return vl_store_open_sqlite(conf->store_path, gateway->ring,
                                &vl_clock_system, &gateway->store, err);
}

/* One more URL at which a server is reached; `name` NULL is the default. */
static void
add_resource(struct vl_gateway *gateway, const char *name)
{
    struct vl_resource *resource =
        &gateway->resources[gateway->resource_count++];
    char path[sizeof resource->path];
    (void)snprintf(path, sizeof path, "/%s%smcp", name ? name : "",
                   name ? "/" : "");
    memcpy(resource->path, path, sizeof path);
    (void)snprintf(resource->url, sizeof resource->url, "%s%s", gateway->url,
                   path);
}

/* /mcp is the first server's, and each has one under its name. Clients of the
 * older kind ask for tokens for /sse: to them that is the server's name. */
static void
name_all(struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    vl_origin_rules_init(&gateway->origins, gateway->url, gateway->port);
    gateway->origins.allowed = conf->allowed_origins;
    gateway->origins.allowed_count = conf->allowed_origin_count;
    gateway->is_strict =
        gateway->origins.is_https && !gateway->origins.is_loopback;
    add_resource(gateway, NULL);
    for (size_t i = 0; !gateway->own && i < conf->server_count &&
                       gateway->resource_count < VL_BACKENDS_MAX;
         i++)
        add_resource(gateway, conf->servers[i].name);
    (void)snprintf(gateway->sse_url, sizeof gateway->sse_url, "%s/sse",
                   gateway->url);
    (void)snprintf(gateway->redirect_uri, sizeof gateway->redirect_uri,
                   "%s/auth/callback", gateway->url);
}

static void
configure_entra(struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    gateway->auth = vl_credential_of(conf, gateway->signer);
    gateway->entra_config = (struct vl_entra_config){
        .authority_host = conf->authority_host,
        .tenant_id = conf->tenant_id,
        .client_id = conf->client_id,
        .auth = &gateway->auth,
        .redirect_uri = gateway->redirect_uri,
        .scopes = conf->entra_scopes,
    };
}

/* The permissions of a program's tools, of which there may be more later. */
static bool
is_own_scope(struct vl_str scope, const void *own_scopes)
{
    const struct vl_mcp_server *server = own_scopes;
    if (vl_str_eqz(scope, VALET_MCP_ANY_CALLER))
        return false;
    for (unsigned i = 0; i < server->permission_count; i++)
        if (vl_str_eqz(scope, server->permissions[i]))
            return true;
    return false;
}

static void
configure_issuer(struct vl_gateway *gateway)
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
        .is_own_scope = gateway->own ? is_own_scope : NULL,
        .own_scopes = gateway->own,
        .open_scopes = conf->open_scopes,
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
    for (size_t i = 0; i < gateway->resource_count; i++)
        config->resources[config->resource_count++] = gateway->resources[i].url;
    gateway->limits = vl_desk_limits_new(config, &vl_clock_system);
}

/* The desk grants what guard/policy knows and nothing else: with another scope
 * required, people would sign in for ever and be refused by every call. */
static valet_status
check_scopes(const struct vl_conf *conf, valet_error *err)
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

/* @spec S-42: people's tokens go there. */
static valet_status
check_graph(const struct vl_conf *conf, valet_error *err)
{
    struct vl_url authority;
    valet_error why;
    if (vl_graph_check_url(conf->graph_url, false, &why) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "entra.graph_url %s",
                       why.message);
    if (vl_graph_fits(conf->graph_url, conf->authority_host))
        return VALET_OK;
    VL_TRY(vl_url_parse(vl_str_z(conf->authority_host), &authority, err));
    return vl_fail(err, VALET_INVALID, "",
                   "entra.graph_url is of another cloud than "
                   "entra.authority_host, whose tokens are of no use there; "
                   "write graph_url: %s",
                   vl_graph_of_authority(authority.host));
}

static valet_status
check(const struct vl_conf *conf, bool serves_own, valet_error *err)
{
    VL_TRY(check_scopes(conf, err));
    if (!serves_own) /* else nobody asks it */
        VL_TRY(check_graph(conf, err));
    VL_TRY(vl_credential_check(conf, err));
    return vl_front_check(conf, err);
}

valet_status
vl_gateway_check(const struct vl_conf *conf, valet_error *err)
{
    return check(conf, false, err);
}

void
vl_gateway_warn(const struct vl_conf *conf, vl_gateway_tell *tell, void *ctx)
{
    for (size_t i = 0; i < conf->warning_count; i++)
        tell(conf->warnings[i], ctx);
    vl_front_warn(conf, tell, ctx);
}

/* --- lanes --- */

static unsigned
count_lanes(const struct vl_gateway *gateway)
{
    const struct vl_conf *conf = gateway->conf;
    unsigned wanted = conf->workers ? conf->workers : vl_cores();
    if (gateway->own) /* its handlers run on one thread */
        return 1;
    return wanted < VL_LANES_MAX ? wanted : VL_LANES_MAX;
}

static valet_status
build_lanes(struct vl_gateway *gateway, valet_error *err)
{
    for (unsigned i = 0; i < gateway->lane_count; i++) {
        struct vl_lane *lane = &gateway->lanes[i];
        lane->gateway = gateway;
        lane->number = i;
        lane->loop = gateway->loop;
        if (i > 0)
            VL_TRY(vl_loop_new(&lane->loop, err));
        VL_TRY(vl_lane_build(lane, err));
    }
    return VALET_OK;
}

static void *
run_lane(void *ctx)
{
    struct vl_lane *lane = ctx;
    vl_loop_run(lane->loop);
    return NULL;
}

/* Signals are the main thread's. */
static valet_status
start_lanes(struct vl_gateway *gateway, valet_error *err)
{
    sigset_t all, old;
    int error = 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 1; i < gateway->lane_count && error == 0; i++) {
        struct vl_lane *lane = &gateway->lanes[i];
        char name[32];
        error = pthread_create(&lane->thread, NULL, run_lane, lane);
        lane->runs = error == 0;
        (void)snprintf(name, sizeof name, "worker-%u", i);
        if (lane->runs)
            (void)pthread_setname_np(lane->thread, name);
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error ? vl_fail(err, VALET_INTERNAL, "",
                           "cannot start a worker thread: %s", strerror(error))
                 : VALET_OK;
}

static void
stop_loop(struct vl_task *task)
{
    vl_loop_stop(VL_CONTAINER(task, struct vl_lane, stop)->loop);
}

static void
stop_lanes(struct vl_gateway *gateway)
{
    for (unsigned i = 1; i < gateway->lane_count; i++) {
        struct vl_lane *lane = &gateway->lanes[i];
        lane->stop.run = stop_loop;
        if (lane->runs)
            vl_loop_post(lane->loop, &lane->stop);
    }
    for (unsigned i = 1; i < gateway->lane_count; i++)
        if (gateway->lanes[i].runs)
            (void)pthread_join(gateway->lanes[i].thread, NULL);
}

/* --- life --- */

void
vl_gateway_note(const char *sentence, void *ctx)
{
    struct vl_gateway *gateway = ctx;
    vl_log(gateway->log, VL_LOG_WARN, "%s", sentence);
    vl_audit(gateway->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_WARN,
                                      .reason = "configuration"});
}

static void
announce(struct vl_gateway *gateway)
{
    vl_audit(gateway->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_LOAD});
    vl_gateway_warn(gateway->conf, vl_gateway_note, gateway);
    gateway->flush = vl_timer_new(gateway->loop, flush_audit, gateway);
    vl_timer_start(gateway->flush, FLUSH_MS);
}

static valet_status
build(struct vl_gateway *gateway, const struct vl_gateway_options *options,
      valet_error *err)
{
    if (gateway->own && gateway->conf->names_servers)
        return vl_fail(err, VALET_INVALID, "",
                       "servers: the program brings the one that is served; "
                       "remove these lines");
    VL_TRY(check(gateway->conf, gateway->own != NULL, err));
    VL_TRY(open_state(gateway, options, err));
    VL_TRY(vl_front_open(gateway, err));
    name_all(gateway);
    VL_TRY(vl_credential_read(gateway->conf, &gateway->signer, err));
    configure_entra(gateway);
    configure_issuer(gateway);
    VL_TRY(build_lanes(gateway, err));
    announce(gateway);
    return start_lanes(gateway, err);
}

valet_status
vl_gateway_new(struct vl_loop *loop, const struct vl_gateway_options *options,
               struct vl_gateway **ret, valet_error *err)
{
    struct vl_gateway *gateway = vl_alloc(sizeof *gateway);
    gateway->loop = loop;
    gateway->conf = options->conf;
    gateway->log = options->log;
    gateway->own = options->own;
    gateway->lane_count = count_lanes(gateway);
    gateway->lanes = vl_alloc(gateway->lane_count * sizeof *gateway->lanes);
    valet_status status = build(gateway, options, err);
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

/* On the main thread, once for each lane. */
static void
count_drained(struct vl_task *task)
{
    struct vl_gateway *gateway =
        VL_CONTAINER(task, struct vl_lane, drained)->gateway;
    void (*done)(void *ctx) = gateway->drained;
    if (--gateway->undrained > 0)
        return;
    gateway->drained = NULL;
    if (done)
        done(gateway->drained_ctx);
}

static void
on_drained(void *ctx)
{
    struct vl_lane *lane = ctx;
    lane->drained.run = count_drained;
    vl_loop_post(lane->gateway->loop, &lane->drained);
}

static void
drain_lane(struct vl_task *task)
{
    struct vl_lane *lane = VL_CONTAINER(task, struct vl_lane, drain);
    if (lane->server) /* else it was stopped before it came to this */
        vl_lane_drain(lane, on_drained, lane);
}

void
vl_gateway_drain(struct vl_gateway *gateway, void (*done)(void *ctx), void *ctx)
{
    gateway->drained = done;
    gateway->drained_ctx = ctx;
    gateway->undrained = gateway->lane_count;
    vl_http_group_close(gateway->group);
    for (unsigned i = 0; i < gateway->lane_count; i++) {
        gateway->lanes[i].drain.run = drain_lane;
        vl_loop_post(gateway->lanes[i].loop, &gateway->lanes[i].drain);
    }
}

void
vl_gateway_reopen(struct vl_gateway *gateway)
{
    valet_error err = {0};
    if (vl_audit_reopen(gateway->audit, &err) != VALET_OK)
        vl_log(gateway->log, VL_LOG_ERROR, "%s", err.message);
    vl_front_renew(gateway);
}

/* The threads first; then what they used, in the order of vl_issuer_free();
 * then what was still under way to a loop, while its memory is there. */
void
vl_gateway_free(struct vl_gateway *gateway)
{
    if (!gateway)
        return;
    stop_lanes(gateway);
    for (unsigned i = 0; i < gateway->lane_count; i++)
        vl_lane_free(&gateway->lanes[i]);
    if (gateway->store)
        vl_store_close(gateway->store);
    for (unsigned i = 1; i < gateway->lane_count; i++)
        vl_loop_free(gateway->lanes[i].loop);
    vl_loop_deliver(gateway->loop);
    vl_tls_free(gateway->tls);
    vl_timer_free(gateway->flush);
    vl_http_group_free(gateway->group);
    vl_desk_limits_free(gateway->limits);
    vl_audit_close(gateway->audit);
    vl_signer_free(gateway->signer);
    vl_keyring_free(gateway->ring);
    free(gateway->clients);
    free(gateway->lanes);
    free(gateway);
}
