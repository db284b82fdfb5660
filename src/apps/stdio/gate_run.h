/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet stdio -- COMMAND`: the gate (gate.h) between our standard input
 * and output and a server that is our child.
 */
#ifndef VL_APPS_STDIO_GATE_RUN_H
#define VL_APPS_STDIO_GATE_RUN_H

#include "apps/stdio/lobby.h"

/* Borrowed. */
struct vl_gate_run {
    const struct vl_lobby_config *lobby;
    char *const *command; /* ends in NULL */
    /* The server gets the token of the lobby's scopes, not only the name of
     * whose it is: over its identity's descriptor … */
    bool gives_token;
    /* … and once, at its start, in this variable; or NULL. */
    const char *token_env;
};

/* Until the client or the server ends. The exit code: what the server ended
 * with, if it was by itself; else 0. What is wrong has been complained about.
 */
int vl_gate_run(const struct vl_gate_run *config);

#endif
