/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/gate.h"

#include "apps/tenant/route.h"
#include "core/limits.h"

#define DRAIN_MS 1000

static valet_status
add_server(struct vl_tenant_gate *gate, size_t at, const char *address,
           struct vl_tls *tls, unsigned *port, valet_error *err)
{
    const struct vl_http_limits limits = {.connections = VL_TENANT_CONNECTIONS,
                                          .connections_per_address =
                                              VL_TENANT_CONNECTIONS,
                                          .idle_ms = VL_LIMIT_IDLE_MS,
                                          .request_ms = VL_LIMIT_REQUEST_MS,
                                          .write_ms = VL_LIMIT_WRITE_MS};
    gate->servers[at] =
        vl_http_server_new(gate->door.tenant->loop, &gate->site, &limits);
    vl_http_server_secure(gate->servers[at], tls);
    return vl_http_server_listen(gate->servers[at], address, *port, port, err);
}

/* "localhost" is both loopbacks; a machine may be without the second. */
valet_status
vl_tenant_gate_open(struct vl_tenant_gate *gate, struct vl_tenant *tenant,
                    const struct vl_listen *listen, struct vl_tls *tls,
                    valet_error *err)
{
    bool both = strcmp(listen->host, "localhost") == 0;
    bool ipv6 = strcmp(listen->host, "::1") == 0;
    unsigned port = listen->port;
    gate->door = (struct vl_tenant_door){tenant, tls != NULL};
    gate->site = vl_tenant_site;
    gate->site.ctx = &gate->door;
    VL_TRY(add_server(gate, 0, both ? "127.0.0.1" : listen->host, tls, &port,
                      err));
    if (both && add_server(gate, 1, "::1", tls, &port, NULL) != VALET_OK) {
        vl_http_server_free(gate->servers[1]);
        gate->servers[1] = NULL;
    }
    gate->origin = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_addf(&gate->origin, "%s://%s:%u", tls ? "https" : "http",
                ipv6 ? "[::1]" : listen->host, port);
    return vl_buf_check(&gate->origin, err);
}

size_t
vl_tenant_gate_drain(struct vl_tenant_gate *gate, void (*done)(void *ctx),
                     void *ctx)
{
    size_t count = 0;
    for (size_t i = 0; i < VL_COUNT(gate->servers); i++) {
        if (!gate->servers[i])
            continue;
        count++;
        vl_http_server_drain(gate->servers[i], DRAIN_MS, done, ctx);
    }
    return count;
}

void
vl_tenant_gate_close(struct vl_tenant_gate *gate)
{
    for (size_t i = 0; i < VL_COUNT(gate->servers); i++)
        if (gate->servers[i])
            vl_http_server_free(gate->servers[i]);
    vl_buf_done(&gate->origin);
}
