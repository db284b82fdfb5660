/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to this room: what the broker is asked, as JSON. One shape does for
 * all brokers: those up to 2.0.1 look for the account beside the parameters,
 * newer ones in them, and both overlook the other place (ADR 11).
 */
#ifndef VL_BROKER_REQUEST_H
#define VL_BROKER_REQUEST_H

#include "broker/broker.h"
#include "core/buf.h"
#include "json/read.h"

/* The most that a request needs: scopes, a claims challenge, an account. */
#define VL_BROKER_REQUEST_MAX 65536

/* acquireTokenSilently, acquireTokenInteractively. `account` is one of the
 * broker's own, as it was told; or NULL. */
void vl_broker_write_acquire(const struct vl_broker_in *in,
                             const struct json_t *account, struct vl_buf *out);
/* getAccounts. */
void vl_broker_write_accounts(struct vl_str client_id,
                              struct vl_str redirect_uri, struct vl_buf *out);
/* getLinuxBrokerVersion. */
void vl_broker_write_version(struct vl_buf *out);
/* cancelInteractiveFlow. */
void vl_broker_write_cancel(const char *correlation_id, struct vl_buf *out);

#endif
