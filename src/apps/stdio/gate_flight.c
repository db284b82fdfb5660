/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_inside.h"

/* What the map holds of a request: its era. */
static char legacy, modern;

bool
vl_gate_flight_add(struct vl_gate *gate, const struct vl_gate_call *call)
{
    if (vl_map_size(&gate->flight) >= VL_GATE_FLIGHT_MAX)
        return false;
    (void)vl_map_put(&gate->flight, vl_buf_str(&call->id),
                     call->is_modern ? &modern : &legacy);
    return true;
}

void
vl_gate_flight_take(struct vl_gate *gate, struct vl_str id)
{
    (void)vl_map_take(&gate->flight, id);
}

static void
tell_end(struct vl_str key, void *value, void *ctx)
{
    vl_gate_say_error(ctx, (struct vl_rpc_id){NULL, key},
                      vl_rpc_code_for(value == &modern, VL_RPC_REFUSED),
                      "The server has ended before it answered");
}

void
vl_gate_flight_end(struct vl_gate *gate)
{
    vl_map_each(&gate->flight, tell_end, gate);
    vl_map_done(&gate->flight);
    vl_map_init(&gate->flight);
}
