/* SPDX-License-Identifier: Apache-2.0
 *
 * A gateway from its first connection to its last: what `mcp-valet serve` and
 * valet_mcp_serve_signed_in() have in common. SIGTERM and SIGINT end it when
 * what runs is done, SIGHUP opens the audit file anew and reads certificate
 * and key again.
 */
#ifndef VL_GATEWAY_SERVE_H
#define VL_GATEWAY_SERVE_H

#include "gateway/gateway.h"

struct vl_serve {
    struct vl_gateway_options options;
    /* Called once when clients may come, with vl_gateway_url(). */
    void (*ready)(const char *url, void *ctx);
    /* A child of this process has ended: must we end, too? NULL: its children
     * are nobody's business here. */
    bool (*child_ended)(void *ctx);
    void *ctx;
};

/* Returns when it has ended. */
valet_status vl_serve(const struct vl_serve *how, valet_error *err) VALET_CHECK;

#endif
