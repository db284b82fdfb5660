/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of a person at this machine are of a program of their own, so
 * that a server does not carry them (ADR 15).
 */
#ifndef VL_APPS_VALET_LOCAL_H
#define VL_APPS_VALET_LOCAL_H

/* Becomes mcp-valet-local, with these arguments and all else as it is. Returns
 * the exit code only when that cannot be, which has been complained about. */
int vl_local_run(char **argv);

#endif
