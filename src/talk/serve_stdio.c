/* SPDX-License-Identifier: Apache-2.0
 *
 * valet_mcp_serve_stdio(), and what ends all ways of serving.
 */
#include <unistd.h>

#include "io/life.h"
#include "talk/inside.h"
#include "talk/serve_stdio.h"
#include "talk/stdio.h"

/* For a client that does not read its last answers. */
#define FINISH_MS 1000

struct service {
    struct vl_life life;
    struct vl_mcp_endpoint *endpoint;
    struct vl_mcp_stdio *stdio;
};

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)principal;
    (void)permission;
    (void)ctx;
    return true;
}

/* Lines have no exchange that could be taken. */
static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)x;
    (void)permission;
    (void)ctx;
}

static void
login(struct vl_exchange *x, void *ctx)
{
    (void)x;
    (void)ctx;
}

static const struct vl_mcp_hooks hooks = {
    .may = may, .refuse = refuse, .login = login};

static void
drain(void (*done)(void *done_ctx), void *done_ctx, void *ctx)
{
    struct service *service = ctx;
    vl_mcp_stdio_finish(service->stdio, FINISH_MS, done, done_ctx);
}

static valet_status
serve(struct service *service, struct vl_mcp_server *server, valet_error *err)
{
    struct vl_loop *loop = service->life.loop;
    VL_TRY(vl_life_watch(&service->life, err));
    service->endpoint =
        vl_mcp_endpoint_new(server, &hooks, loop, &vl_clock_system, 0);
    VL_TRY(vl_mcp_stdio_new(service->endpoint, loop, STDIN_FILENO,
                            STDOUT_FILENO, vl_life_stop, &service->life,
                            &service->stdio, err));
    server->stop = vl_life_stop;
    server->stop_ctx = &service->life;
    vl_loop_run(loop);
    server->stop = NULL;
    return VALET_OK;
}

valet_status
vl_mcp_serve_stdio(struct vl_mcp_server *server,
                   const struct vl_mcp_around *around, valet_error *err)
{
    struct service service = {.life = {.drain = drain}};
    service.life.ctx = &service;
    VL_TRY(vl_mcp_server_check_rest(server, err));
    VL_TRY(vl_loop_new(&service.life.loop, err));
    if (around)
        around->begin(service.life.loop, around->ctx);
    valet_status status = serve(&service, server, err);
    vl_mcp_stdio_free(service.stdio);
    vl_mcp_endpoint_free(service.endpoint);
    if (around)
        around->end(around->ctx);
    vl_loop_free(service.life.loop);
    return status;
}

valet_status
valet_mcp_serve_stdio(valet_mcp_server *server, valet_error *err)
{
    return vl_mcp_serve_stdio(server, NULL, err);
}

/* --- from any thread --- */

static void
stop(void *ctx)
{
    struct vl_mcp_server *server = ctx;
    if (server->stop)
        server->stop(server->stop_ctx);
}

void
valet_mcp_stop(valet_mcp_server *server)
{
    (void)vl_mcp_gate_post(server->gate, stop, server);
}

bool
valet_mcp_run(valet_mcp_server *server, void (*run)(void *ctx), void *ctx)
{
    return vl_mcp_gate_post(server->gate, run, ctx);
}
