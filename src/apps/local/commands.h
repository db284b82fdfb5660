/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of this program (command.h).
 */
#ifndef VL_APPS_LOCAL_COMMANDS_H
#define VL_APPS_LOCAL_COMMANDS_H

#include "apps/command/command.h"

extern const struct vl_command vl_command_login;
extern const struct vl_command vl_command_logout;
extern const struct vl_command vl_command_accounts;
extern const struct vl_command vl_command_token;
extern const struct vl_command vl_command_connect;
extern const struct vl_command vl_command_stdio;
extern const struct vl_command vl_command_allow;

#endif
