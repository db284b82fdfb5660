/* SPDX-License-Identifier: Apache-2.0
 *
 * The `requestState` that a client brings back with its answers (@spec HT-69
 * SB-24 D10): what was answered so far and what the handler keeps, sealed, and
 * bound to who asked for what, until when. A client can neither read nor
 * change nor pass it on, nor use it for another request.
 *
 * Text: base64url( vl_seal( expiry in ms, payload ) ). What it is bound to is
 * the seal's context and not in it.
 */
#ifndef VL_MCP_STATE_H
#define VL_MCP_STATE_H

#include "core/buf.h"
#include "core/principal.h"
#include "crypto/keyring.h"
#include "json/read.h"

#define VL_MCP_STATE_MAX    65536 /* sealed, as text */
#define VL_MCP_STATE_DIGEST 32
/* Bytes of a resource's URL, with its NUL. */
#define VL_MCP_STATE_RESOURCE 512
/* People take their time; a retry later than this begins anew. */
#define VL_MCP_STATE_TTL_MS 600000

/* What a state is good for. */
struct vl_mcp_state_use {
    const struct vl_principal *principal; /* user, client */
    const char *resource; /* URL of the server that was asked; or NULL */
    char request[VL_MCP_STATE_DIGEST]; /* see below */
};
/* A digest of the method and of the parameters that matter: all but _meta,
 * inputResponses and requestState, whatever the order of members. NULL is as
 * good as an empty object. */
void vl_mcp_state_digest(struct vl_str method, const struct json_t *params,
                         char ret[VL_MCP_STATE_DIGEST]);

/* VALET_LIMIT when it would be longer than VL_MCP_STATE_MAX. */
valet_status
vl_mcp_state_seal(const struct vl_keyring *ring,
                  const struct vl_mcp_state_use *use, int64_t now_ms,
                  struct vl_str payload, struct vl_buf *ret,
                  valet_error *err) VALET_CHECK;
/* VALET_DENIED for whatever is wrong with it, which is not said; VALET_LIMIT
 * only when it is good and `ret` has no room (a payload of a good one is
 * smaller than VL_MCP_STATE_MAX). `ret` is unchanged unless it is OK. */
valet_status
vl_mcp_state_open(const struct vl_keyring *ring,
                  const struct vl_mcp_state_use *use, int64_t now_ms,
                  struct vl_str text, struct vl_buf *ret) VALET_CHECK;

#endif
