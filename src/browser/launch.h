/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to browser/: a program that is started and let go.
 */
#ifndef VL_BROWSER_LAUNCH_H
#define VL_BROWSER_LAUNCH_H

#include "core/base.h"

enum { VL_LAUNCH_ARGS = 3 };

/* How it ended: one byte of the pipe. */
enum vl_launched { VL_LAUNCHED_WELL, VL_LAUNCHED_ILL, VL_LAUNCHED_NOT };

/*
 * Starts args[0], a path, with all that is not NULL of `args` (copied) as its
 * arguments. *ret_fd, the caller's, becomes readable with one byte when it has
 * ended or could not be started.
 */
valet_status vl_launch(const char *const args[VL_LAUNCH_ARGS], int *ret_fd,
                       valet_error *err) VALET_CHECK;

#endif
