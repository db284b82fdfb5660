/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: what the token endpoint answers (RFC 6749 sections 5.1
 * and 5.2), read strictly. Without I/O.
 */
#ifndef VL_ACCESS_ANSWER_H
#define VL_ACCESS_ANSWER_H

#include "access/token.h"

/* VL_REDEEM_FINE: `ret` is set. Else `err` is; of what the server says only its
 * error word is in it. */
enum vl_redeem_advice
vl_token_read(const struct vl_site *site, int http_status, struct vl_str body,
              int64_t now_s, struct vl_access_tokens *ret, valet_error *err);

#endif
