/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/serve.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "io/life.h"
#include "mcp/server.h"
#include "valet/mcp.h"

struct service {
    const struct vl_serve *how;
    struct vl_life life;
    struct vl_gateway *gateway;
};

static void
drain(void (*done)(void *done_ctx), void *done_ctx, void *ctx)
{
    struct service *service = ctx;
    vl_log(service->how->options.log, VL_LOG_INFO,
           "stopping: finishing what runs");
    vl_gateway_drain(service->gateway, done, done_ctx);
}

static void
on_signal(int signal, void *ctx)
{
    struct service *service = ctx;
    if (signal == SIGHUP)
        vl_gateway_reopen(service->gateway);
    else if (!service->life.ending &&
             service->how->child_ended(service->how->ctx))
        vl_life_end(&service->life);
}

static valet_status
watch_signals(struct service *service, valet_error *err)
{
    struct vl_loop *loop = service->life.loop;
    VL_TRY(vl_life_watch(&service->life, err));
    VL_TRY(vl_loop_on_signal(loop, SIGHUP, on_signal, service, err));
    return service->how->child_ended
               ? vl_loop_on_signal(loop, SIGCHLD, on_signal, service, err)
               : VALET_OK;
}

static valet_status
run(struct service *service, valet_error *err)
{
    const struct vl_serve *how = service->how;
    VL_TRY(watch_signals(service, err));
    VL_TRY(vl_gateway_new(service->life.loop, &how->options, &service->gateway,
                          err));
    const char *url = vl_gateway_url(service->gateway);
    if (how->ready)
        how->ready(url, how->ctx);
    vl_log(how->options.log, VL_LOG_INFO, "serving at %s", url);
    struct vl_mcp_server *own = how->options.own;
    if (own) {
        own->stop = vl_life_stop;
        own->stop_ctx = &service->life;
    }
    vl_loop_run(service->life.loop);
    if (own)
        own->stop = NULL;
    return VALET_OK;
}

valet_status
vl_serve(const struct vl_serve *how, valet_error *err)
{
    struct service service = {.how = how, .life = {.drain = drain}};
    service.life.ctx = &service;
    VL_TRY(vl_loop_new(&service.life.loop, err));
    valet_status status = run(&service, err);
    vl_gateway_free(service.gateway);
    vl_loop_free(service.life.loop);
    return status;
}

/* --- a program's own server --- */

static const char *
look_up(const char *name)
{
    return getenv(name);
}

/* The program is told where its server is, not where we are. */
static void
tell_ready(const char *url, void *ctx)
{
    const valet_mcp_service *service = ctx;
    vl_auto(vl_buf) text = vl_buf_of(2 * VL_LIMIT_PUBLIC_URL + 64);
    vl_buf_addz(&text, url);
    vl_buf_addz(&text, "/mcp");
    service->ready(vl_buf_cstr(&text), service->ctx);
}

valet_status
valet_mcp_serve_signed_in(valet_mcp_server *server,
                          const valet_mcp_service *service, valet_error *err)
{
    struct vl_conf *conf = NULL;
    valet_mcp_service told = *service;
    VL_TRY(vl_mcp_check_later(service->later, VL_COUNT(service->later), err));
    VL_TRY(vl_mcp_server_check_rest(server, err));
    VL_TRY(vl_conf_load(service->config_file, look_up, &conf, err));
    const struct vl_log log = {STDERR_FILENO, conf->log_level, conf->log_json};
    const struct vl_serve how = {.options = {.conf = conf,
                                             .log = &log,
                                             .own = server,
                                             .audit_to_stderr = true},
                                 .ready = service->ready ? tell_ready : NULL,
                                 .ctx = &told};
    valet_status status = vl_serve(&how, err);
    vl_conf_free(conf);
    return status;
}
