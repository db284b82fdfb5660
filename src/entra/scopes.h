/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of Entra for a person.
 */
#ifndef VL_ENTRA_SCOPES_H
#define VL_ENTRA_SCOPES_H

#include "core/buf.h"

/* Without the first two there is no id token, without the last no refresh
 * token. */
#define VL_SCOPES_SIGN_IN "openid profile offline_access"

/* The scopes of a resource, each once, and behind them those of OpenID that
 * the flow needs, whichever were among them (@spec S-36). */
void
vl_scopes_write(struct vl_buf *out, struct vl_str scopes, const char *openid);

#endif
