/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/serve.h"

#include "apps/stdio/user_tool.h"
#include "talk/serve_stdio.h"

struct service {
    const struct vl_lobby_config *config;
    struct vl_lobby lobby;
    struct vl_user_tool *tool;
};

static void
begin(struct vl_loop *loop, void *ctx)
{
    struct service *service = ctx;
    vl_lobby_init(&service->lobby, service->config, loop);
}

static void
end(void *ctx)
{
    struct service *service = ctx;
    vl_user_tool_end(service->tool);
    vl_lobby_done(&service->lobby);
}

valet_status
vl_stdio_serve(const struct vl_lobby_config *config, valet_error *err)
{
    static const char instructions[] =
        "Reads who the user is from Microsoft Graph. The first call asks the "
        "user to sign in with Microsoft Entra ID, which can take minutes; "
        "later calls are silent.";
    struct service service = {.config = config};
    const struct vl_mcp_around around = {begin, end, &service};
    valet_mcp_server *server;
    VL_TRY(valet_mcp_server_new("mcp-valet", valet_version(), instructions,
                                &server, err));
    valet_status status = vl_user_tool_new(server, &service.lobby,
                                           config->select, &service.tool, err);
    if (status == VALET_OK)
        status = vl_mcp_serve_stdio(server, &around, err);
    valet_mcp_server_free(server);
    vl_user_tool_free(service.tool);
    return status;
}
