/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp-valet-local: the commands of a person at this machine. mcp-valet becomes
 * this program for them; nobody calls it by hand.
 */
#include "apps/local/commands.h"

int
main(int argc, char **argv)
{
    static const struct vl_command *const rows[] = {
        &vl_command_login,   &vl_command_logout, &vl_command_accounts,
        &vl_command_token,   &vl_command_stdio,  &vl_command_allow,
        &vl_command_connect,
    };
    static const struct vl_commands commands = {rows, VL_COUNT(rows), NULL};
    return vl_commands_main(&commands, argc, argv);
}
