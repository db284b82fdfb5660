/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet serve`: the service, from the configuration to the last drained
 * connection.
 */
#include <signal.h>
#include <unistd.h>

#include "apps/valet/commands.h"
#include "apps/valet/dev_tenant.h"
#include "core/limits.h"
#include "core/status.h"
#include "gateway/serve.h"
#include "json/write.h"

#define DEV_LISTEN      "localhost:3001"
#define DEV_TENANT      "127.0.0.1:3002"
#define DEV_TENANT_FREE "127.0.0.1:0"
#define DEV_SECRET      "MCP_VALET_DEV_SECRET"

struct service {
    struct vl_conf *conf;
    struct vl_log log;
    struct vl_dev_tenant tenant;
    bool dev;
    bool failed; /* stopping because something broke */
};

/* --- configuration of --dev --- */

static void
write_dev_config(const struct vl_dev_tenant *tenant, const char *listen,
                 const char *audit, struct vl_buf *out)
{
    vl_buf_addf(out,
                "listen: \"%s\"\n"
                "entra:\n"
                "  tenant_id: \"%s\"\n"
                "  client_id: \"%s\"\n"
                "  client_secret_env: " DEV_SECRET "\n"
                "  authority_host: \"%s\"\n"
                "  graph_url: \"%s\"\n"
                "servers:\n"
                "  graph:\n"
                "    builtin: graph\n"
                "registration:\n"
                "  dynamic: true\n",
                listen, tenant->tenant_id, tenant->client_id, tenant->authority,
                tenant->authority);
    if (audit) /* as JSON, which is YAML: any path is quoted right */
        vl_buf_addf(out, "audit:\n  path: ");
    if (audit)
        vl_json_add_z(&(struct vl_json_out){out, false}, NULL, audit);
    vl_buf_addc(out, '\n');
}

/* @spec design.md 4: a free port for the stand-in when ours is free too. */
static valet_status
configure_dev(struct service *service, const char *listen, const char *audit,
              valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_CONFIG);
    vl_auto(vl_buf) secret = vl_buf_of_secret(1024);
    const char *at = listen ? listen : DEV_LISTEN;
    bool any_port = vl_str_ends(vl_str_z(at), VL_STR(":0"));
    VL_TRY(vl_dev_tenant_start(any_port ? DEV_TENANT_FREE : DEV_TENANT,
                               &service->tenant, err));
    /* The sample secret of a stand-in, not a secret of anybody's. */
    vl_buf_add(&secret, vl_secret_reveal(&service->tenant.client_secret));
    (void)setenv(DEV_SECRET, vl_buf_cstr(&secret), 1);
    write_dev_config(&service->tenant, at, audit, &text);
    VL_TRY(vl_conf_parse("--dev", vl_buf_str(&text), vl_environment,
                         &service->conf, err));
    (void)unsetenv(DEV_SECRET);
    service->conf->warning_count = 0;
    return VALET_OK;
}

/* --- life --- */

static bool
on_child_end(void *ctx)
{
    struct service *service = ctx;
    if (!vl_dev_tenant_has_ended(&service->tenant))
        return false;
    vl_log(&service->log, VL_LOG_ERROR, "the stand-in tenant has ended");
    service->failed = true;
    return true;
}

/* The one line on standard output that programs wait for. */
static void
announce(const char *url, void *ctx)
{
    const struct service *service = ctx;
    vl_auto(vl_buf) line = vl_buf_of(1024);
    struct vl_json_out out = {&line, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "event", "ready");
    vl_json_add_z(&out, "url", url);
    if (service->dev)
        vl_json_add_z(&out, "tenant", service->tenant.tenant_url);
    vl_json_close(&out, '}');
    (void)puts(vl_buf_cstr(&line));
    (void)fflush(stdout);
}

static valet_status
run(struct service *service, valet_error *err)
{
    (void)signal(SIGPIPE, SIG_IGN);
    return vl_serve(&(struct vl_serve){.options = {.conf = service->conf,
                                                   .log = &service->log,
                                                   .in_memory = service->dev},
                                       .ready = announce,
                                       .child_ended = on_child_end,
                                       .ctx = service},
                    err);
}

static void
service_done(struct service *service)
{
    vl_conf_free(service->conf);
    vl_dev_tenant_done(&service->tenant);
}

static int
serve(int argc, char **argv)
{
    const char *path = NULL, *listen = NULL, *audit = NULL;
    struct service service = {.log = {STDERR_FILENO, VL_LOG_INFO, false}};
    const struct vl_option options[] = {
        {.name = "--config", .value = &path},
        {.name = "--listen", .value = &listen},
        {.name = "--audit", .value = &audit},
        {.name = "--dev", .flag = &service.dev},
    };
    valet_error err = {0};
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)))
        return VL_EXIT_USAGE;
    if (service.dev ? path != NULL : listen || audit) {
        vl_complain("serve takes either --config FILE, or --dev with --listen "
                    "and --audit as you like (mcp-valet help serve)");
        return VL_EXIT_USAGE;
    }
    valet_status status =
        service.dev ? configure_dev(&service, listen, audit, &err)
                    : vl_conf_load(path, vl_environment, &service.conf, &err);
    if (status == VALET_OK)
        status = vl_gateway_check(service.conf, &err);
    if (status != VALET_OK) {
        vl_complain("%s", err.message);
        /* What the stand-in could not do is no mistake of the user's. */
        bool started = !service.dev || service.tenant.pid > 0;
        service_done(&service);
        return started ? VL_EXIT_USAGE : VL_EXIT_FAILED;
    }
    service.log.level = service.conf->log_level;
    service.log.json = service.conf->log_json;
    status = run(&service, &err);
    if (status != VALET_OK)
        vl_complain("%s", err.message);
    service_done(&service);
    return status == VALET_OK && !service.failed ? VL_EXIT_OK : VL_EXIT_FAILED;
}

const struct vl_command vl_command_serve = {
    .name = "serve",
    .summary = "run the secured MCP server",
    .usage =
        "usage: mcp-valet serve [--config FILE]\n"
        "       mcp-valet serve --dev [--listen HOST:PORT] [--audit FILE]\n\n"
        "  --config FILE       the YAML configuration (mcp-valet config "
        "sample);\n"
        "                      without it the environment alone\n"
        "  --dev               a stand-in for Entra ID and Graph as a child,\n"
        "                      clients may register, nothing is kept; "
        "loopback only\n"
        "  --listen HOST:PORT  where --dev listens (localhost:3001; port 0 "
        "takes\n"
        "                      a free one)\n"
        "  --audit FILE        where --dev writes its audit trail\n\n"
        "Writes one line of JSON to standard output when it is ready. Logs go\n"
        "to standard error. SIGTERM ends it when what runs is done, SIGHUP\n"
        "opens the audit file anew and reads certificate and key again. Exit\n"
        "codes: 0 ended, 1 failed while running, 2 usage or configuration.\n",
    .run = serve,
};
