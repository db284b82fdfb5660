/* SPDX-License-Identifier: Apache-2.0
 *
 * Where requests come in: one gate for http, one for https. Who came through
 * which decides the scheme of the URLs in the answer.
 */
#ifndef VL_TENANT_GATE_H
#define VL_TENANT_GATE_H

#include "apps/tenant/call.h"
#include "io/listen.h"

struct vl_tls;

struct vl_tenant_gate {
    struct vl_tenant_door door;
    struct vl_http_site site;
    struct vl_http_server *servers[2]; /* one per loopback address */
    struct vl_buf origin;              /* empty: it is not open */
};

/* `tls` NULL: http. Borrowed, like the gate. Once opened, close it. */
valet_status
vl_tenant_gate_open(struct vl_tenant_gate *gate, struct vl_tenant *tenant,
                    const struct vl_listen *listen, struct vl_tls *tls,
                    valet_error *err) VALET_CHECK;
/* Lets running requests end; returns how often `done` will be called. */
size_t vl_tenant_gate_drain(struct vl_tenant_gate *gate,
                            void (*done)(void *ctx), void *ctx);
void vl_tenant_gate_close(struct vl_tenant_gate *gate);

#endif
