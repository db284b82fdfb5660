/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the tokens for remote servers are kept: a document of its own beside
 * the token cache of sign-ins with Entra ID, in the same kind of place.
 */
#ifndef VL_APPS_LOCAL_CONNECT_PLACE_H
#define VL_APPS_LOCAL_CONNECT_PLACE_H

#include "keep/keep.h"

struct vl_connect_place {
    const char *cache_file; /* as typed; the document is in FILE.connect */
    bool secret_service, no_cache;
};

/* Opens what was typed, else what the environment says, else what the last
 * sign-in has remembered, else the Secret Service. `lock`: the path beside
 * which processes agree whose turn it is; empty: there are no others. Blocks.
 */
valet_status vl_connect_place_open(const struct vl_connect_place *place,
                                   struct vl_keep **ret, struct vl_buf *lock,
                                   valet_error *err) VALET_CHECK;

#endif
