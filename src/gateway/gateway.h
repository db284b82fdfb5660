/* SPDX-License-Identifier: Apache-2.0
 *
 * The one room where everything meets: one configuration becomes a running
 * service, on the caller's loop and as many more, each on a thread of its own,
 * as the configuration says. A request's way through it, top to bottom:
 *
 *     http/server → site.c (host, origin, route) → authn.c (bearer)
 *                 → talk/endpoint → graph_tool.c → entra/graph
 *
 * Floors below return errors; this one logs them.
 */
#ifndef VL_GATEWAY_GATEWAY_H
#define VL_GATEWAY_GATEWAY_H

#include "conf/conf.h"
#include "core/log.h"
#include "io/loop.h"

struct vl_gateway;
struct vl_mcp_server;

struct vl_gateway_options {
    const struct vl_conf *conf; /* borrowed, outlives the gateway */
    const struct vl_log *log;   /* borrowed */
    bool in_memory;             /* keep no state on disk (--dev) */
    /* A program's server, in place of those that the configuration names:
     * served at /mcp alone, and on the caller's loop alone, whose thread its
     * handlers are called on. Borrowed, outlives the gateway; or NULL. */
    struct vl_mcp_server *own;
    bool audit_to_stderr; /* unless the configuration names a file */
};

/*
 * Does the configuration ask for what this program does not have? VALET_INVALID
 * says what to write instead. vl_gateway_new() asks as well; nothing is opened.
 */
valet_status
vl_gateway_check(const struct vl_conf *conf, valet_error *err) VALET_CHECK;
/*
 * Tells, in sentences for the operator, what was accepted but is unwise: the
 * warnings of the configuration, and what clients will have against the
 * certificate. The gateway logs and audits the same when it starts.
 */
typedef void vl_gateway_tell(const char *sentence, void *ctx);
void
vl_gateway_warn(const struct vl_conf *conf, vl_gateway_tell *tell, void *ctx);
/*
 * Opens keys, store and audit file, binds the sockets, builds the service.
 * Nothing is served before the loop runs, and then the store is ready (@spec
 * W-18). No network is touched.
 */
valet_status
vl_gateway_new(struct vl_loop *loop, const struct vl_gateway_options *options,
               struct vl_gateway **ret, valet_error *err) VALET_CHECK;
/* The base URL clients use, such as "http://localhost:3001". */
const char *vl_gateway_url(const struct vl_gateway *gateway);
/* Stops accepting, lets what runs end; `done` once. */
void vl_gateway_drain(struct vl_gateway *gateway, void (*done)(void *ctx),
                      void *ctx);
/* Opens the audit file anew, for log rotation, and reads certificate and key
 * again; where the new ones are no good the old ones stay. */
void vl_gateway_reopen(struct vl_gateway *gateway);
void vl_gateway_free(struct vl_gateway *gateway);

#endif
