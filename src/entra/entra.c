/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider: what its operations share, and their table.
 */
#include "entra/entra.h"

#include "entra/operation.h"

static const struct vl_idp_ops operations = {
    .name = "Microsoft Entra ID",
    .begin = vl_entra_begin,
    .redeem = vl_entra_redeem,
    .refresh = vl_entra_refresh,
};

struct vl_entra *
vl_entra_new(struct vl_loop *loop, struct vl_fetcher *fetcher,
             const struct vl_clock *clock, const struct vl_entra_config *config)
{
    struct vl_entra *entra = vl_alloc(sizeof *entra);
    entra->idp.ops = &operations;
    entra->config = config;
    entra->clock = clock;
    entra->instance = (struct vl_instance){.host = config->authority_host,
                                           .tenant = config->tenant_id};
    entra->authority = vl_authority_new(loop, fetcher, clock, &entra->instance);
    /* Without a throttle: each person's session backs off by itself, and a
     * request of one is never that of another. */
    entra->desk = (struct vl_grant_desk){
        .fetcher = fetcher,
        .authority = entra->authority,
        .clock = clock,
        .auth = config->auth,
        .client_id = config->client_id,
    };
    vl_list_init(&entra->operations);
    return entra;
}

void
vl_entra_free(struct vl_entra *entra)
{
    if (!entra)
        return;
    VL_LIST_EACH (node, &entra->operations)
        vl_entra_op_free(VL_CONTAINER(node, struct vl_entra_op, node));
    vl_authority_free(entra->authority);
    free(entra);
}

struct vl_idp *
vl_entra_idp(struct vl_entra *entra)
{
    return &entra->idp;
}
