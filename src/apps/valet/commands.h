/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of this program (command.h).
 */
#ifndef VL_APPS_VALET_COMMANDS_H
#define VL_APPS_VALET_COMMANDS_H

#include "apps/command/command.h"

extern const struct vl_command vl_command_serve;
extern const struct vl_command vl_command_check;
extern const struct vl_command vl_command_config;

#endif
