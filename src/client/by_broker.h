/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of the identity broker: it keeps the person's refresh tokens itself,
 * so what we keep is the account alone, and ask it each time.
 */
#ifndef VL_CLIENT_BY_BROKER_H
#define VL_CLIENT_BY_BROKER_H

#include "broker/broker.h"
#include "client/run.h"

struct vl_by_broker {
    bool interactive;
    struct vl_str account;    /* as broker.h has it */
    struct vl_str login_hint; /* when interactive */
};

/* The run's request, to the broker. `done` gets what is borrowed for the call.
 */
struct vl_broker_call *
vl_by_broker_ask(struct vl_run *run, const struct vl_by_broker *how,
                 vl_broker_acquired *done, void *ctx);
/* Ends the run with the broker's token, if its account may sign in. */
void
vl_by_broker_succeed(struct vl_run *run, const struct vl_broker_token *token);

/* Ends it with the broker's refusal. Its own verdict follows the kind of
 * failure alone; Entra's number, where it told one, says more. */
void vl_by_broker_refuse(struct vl_run *run, const valet_entra_error *error);

#endif
