/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp-valet: the table of commands.
 */
#include "apps/command/local.h"
#include "apps/valet/commands.h"
#include "apps/valet/local.h"

int
main(int argc, char **argv)
{
    static const struct vl_command login = {VL_LOCAL_LOGIN};
    static const struct vl_command logout = {VL_LOCAL_LOGOUT};
    static const struct vl_command accounts = {VL_LOCAL_ACCOUNTS};
    static const struct vl_command token = {VL_LOCAL_TOKEN};
    static const struct vl_command connect = {VL_LOCAL_CONNECT};
    static const struct vl_command stdio = {VL_LOCAL_STDIO};
    static const struct vl_command allow = {VL_LOCAL_ALLOW};
    static const struct vl_command *const rows[] = {
        &vl_command_serve,
        &vl_command_check,
        &vl_command_config,
        &login,
        &logout,
        &accounts,
        &token,
        &stdio,
        &allow,
        &connect,
    };
    static const struct vl_commands commands = {rows, VL_COUNT(rows),
                                                vl_local_run};
    return vl_commands_main(&commands, argc, argv);
}
