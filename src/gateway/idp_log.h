/* SPDX-License-Identifier: Apache-2.0
 *
 * An identity provider that is another one, with its failures in the
 * operator's log: rooms below return errors, this room logs them.
 */
#ifndef VL_GATEWAY_IDP_LOG_H
#define VL_GATEWAY_IDP_LOG_H

#include "core/log.h"
#include "oauth/idp.h"

struct vl_idp_log;

/* Both are borrowed and outlive it. */
struct vl_idp_log *
vl_idp_log_new(struct vl_idp *inner, const struct vl_log *log);
void vl_idp_log_free(struct vl_idp_log *logged); /* NULL is fine */
struct vl_idp *vl_idp_log_idp(struct vl_idp_log *logged);

#endif
