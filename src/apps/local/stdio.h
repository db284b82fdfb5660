/* SPDX-License-Identifier: Apache-2.0
 *
 * What `mcp-valet stdio` and its gate, `mcp-valet stdio -- COMMAND …`, are told
 * on the command line.
 */
#ifndef VL_APPS_LOCAL_STDIO_H
#define VL_APPS_LOCAL_STDIO_H

#include "apps/local/whom.h"
#include "apps/stdio/lobby.h"

struct vl_stdio {
    struct vl_whom whom;
    struct vl_option_list scopes;
    const char *account, *select, *graph_url, *timeout, *consent, *cache_ttl;
    bool broker, browser, device_code;

    struct vl_lobby_config lobby; /* what comes of it */
};

/* Rows of options: of both, and of our own tools alone. */
#define VL_STDIO_OPTIONS(stdio)                                                \
    {.name = "--scope", .list = &(stdio).scopes},                              \
        {.name = "--account", .value = &(stdio).account},                      \
        {.name = "--timeout", .value = &(stdio).timeout},                      \
        {.name = "--consent", .value = &(stdio).consent},                      \
        {.name = "--device-code", .flag = &(stdio).device_code},               \
        {.name = "--browser", .flag = &(stdio).browser},                       \
        {.name = "--broker", .flag = &(stdio).broker},                         \
        VL_WHOM_OPTIONS((stdio).whom)
#define VL_STDIO_OPTIONS_TOOLS(stdio)                                          \
    {.name = "--select", .value = &(stdio).select},                            \
        {.name = "--graph-url", .value = &(stdio).graph_url},                  \
    {                                                                          \
        .name = "--cache-ttl", .value = &(stdio).cache_ttl                     \
    }

/* Fills `lobby`. Whom to ask is looked up at the first call, and again at the
 * next one if it could not be. False: usage, which has been complained about.
 */
bool vl_stdio_settle(struct vl_stdio *stdio);
void vl_stdio_done(struct vl_stdio *stdio);

/* With `argv[separator]` being "--": the command stands behind it. */
int vl_stdio_gate(int argc, char **argv, int separator);

#endif
