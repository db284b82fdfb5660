/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a client's tokens are kept, opened as it was configured.
 */
#ifndef VL_CLIENT_PLACE_H
#define VL_CLIENT_PLACE_H

#include "client/config.h"
#include "keep/keep.h"

/* *ret is NULL for VALET_CACHE_MEMORY. Blocks; the Secret Service may ask the
 * person to unlock it. */
valet_status vl_place_open(const struct vl_client_config *config,
                           struct vl_keep **ret, valet_error *err) VALET_CHECK;

/* Appends the folder of the modules. */
void
vl_place_modules(const struct vl_client_config *config, struct vl_buf *out);

#endif
