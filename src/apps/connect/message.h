/* SPDX-License-Identifier: Apache-2.0
 *
 * A message of JSON-RPC as text: what there is to be seen of it without a
 * document.
 */
#ifndef VL_APPS_CONNECT_MESSAGE_H
#define VL_APPS_CONNECT_MESSAGE_H

#include "mcp/rpc.h"

/* A message of the server; slices of JSON text. */
struct vl_bridge_message {
    enum vl_rpc_kind kind;
    struct vl_str line; /* all of it */
    struct vl_str id, method, params;
    struct vl_str result, error;
    struct vl_buf room; /* of what was not plain */
};
void vl_bridge_message_done(struct vl_bridge_message *message);
/* False: it is no message. */
bool vl_bridge_message_read(struct vl_str line,
                            struct vl_bridge_message *ret) VALET_CHECK;
/* Of an error object. */
bool vl_bridge_error_code(struct vl_str error, int64_t *ret);
/* The same error with another code. */
void
vl_bridge_error_recode(struct vl_str error, int64_t code, struct vl_buf *ret);
/* The error of a body that is a JSON-RPC error; else empty. Borrowed from
 * `ret`, which is to be done with in any case. */
struct vl_str
vl_bridge_body_error(struct vl_str body, struct vl_bridge_message *ret);

#endif
