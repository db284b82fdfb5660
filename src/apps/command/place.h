/* SPDX-License-Identifier: Apache-2.0
 *
 * Where commands remember things of a person: $XDG_CONFIG_HOME/mcp-valet, else
 * ~/.config/mcp-valet (XDG Base Directory Specification).
 */
#ifndef VL_APPS_COMMAND_PLACE_H
#define VL_APPS_COMMAND_PLACE_H

#include "core/buf.h"

/* Appends the path of the file `name` there. VALET_NOT_FOUND: there is no such
 * place. */
valet_status vl_place_path(const char *name, struct vl_buf *ret,
                           valet_error *err) VALET_CHECK;
/* All of the file at once, the person's alone; the folder is made. */
valet_status vl_place_write(const char *name, struct vl_str content,
                            valet_error *err) VALET_CHECK;

#endif
