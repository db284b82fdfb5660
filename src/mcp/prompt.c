/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"
#include "mcp/server.h"

static valet_status
check_argument(const valet_mcp_prompt *prompt, size_t index, valet_error *err)
{
    const valet_mcp_prompt_argument *argument = &prompt->arguments[index];
    VL_TRY(vl_mcp_check_later(argument->later, VL_COUNT(argument->later), err));
    VL_TRY(vl_mcp_check_name("prompt argument's name", argument->name, err));
    VL_TRY(
        vl_mcp_check_text("title", argument->name, argument->title, true, err));
    VL_TRY(vl_mcp_check_text("description", argument->name,
                             argument->description, true, err));
    for (size_t i = 0; i < index; i++)
        if (strcmp(prompt->arguments[i].name, argument->name) == 0)
            return vl_fail(err, VALET_INVALID, "",
                           "prompt %s has two arguments %s", prompt->name,
                           argument->name);
    return VALET_OK;
}

static valet_status
check(const valet_mcp_prompt *prompt, valet_error *err)
{
    VL_TRY(vl_mcp_check_name("prompt's name", prompt->name, err));
    VL_TRY(vl_mcp_check_permission(prompt->name, prompt->permission, err));
    VL_TRY(vl_mcp_check_text("title", prompt->name, prompt->title, true, err));
    VL_TRY(vl_mcp_check_text("description", prompt->name, prompt->description,
                             true, err));
    if (prompt->argument_count && !prompt->arguments)
        return vl_fail(err, VALET_INVALID, "",
                       "prompt %s has arguments that are not there",
                       prompt->name);
    for (size_t i = 0; i < prompt->argument_count; i++)
        VL_TRY(check_argument(prompt, i, err));
    if (!prompt->get)
        return vl_fail(err, VALET_INVALID, "", "prompt %s says nothing",
                       prompt->name);
    return VALET_OK;
}

valet_status
valet_mcp_add_prompt(valet_mcp_server *server, const valet_mcp_prompt *prompt,
                     valet_error *err)
{
    VL_TRY(vl_mcp_check_later(prompt->later, VL_COUNT(prompt->later), err));
    VL_TRY(check(prompt, err));
    struct vl_mcp_item *item = vl_mcp_item_new(VL_MCP_PROMPTS);
    item->id = prompt->name;
    item->permission = prompt->permission;
    item->flags = prompt->flags;
    item->handle = prompt->get;
    item->complete = prompt->complete;
    item->ctx = prompt->ctx;
    item->def.prompt = *prompt;
    return vl_mcp_server_put(server, item, err);
}
