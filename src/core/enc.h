/* SPDX-License-Identifier: Apache-2.0
 *
 * Text forms of bytes: base64url without padding (RFC 4648 section 5), plain
 * base64, hexadecimal, percent-encoding (RFC 3986 section 2.1). The decoders
 * of base64 are strict: a text that is not the one canonical form of its bytes
 * is refused.
 */
#ifndef VL_CORE_ENC_H
#define VL_CORE_ENC_H

#include "core/buf.h"

/* Appends; a full buffer shows in vl_buf_check(). */
void vl_enc_base64url(struct vl_buf *out, struct vl_str bytes);
void vl_enc_base64(struct vl_buf *out, struct vl_str bytes);
void vl_enc_hex(struct vl_buf *out, struct vl_str bytes);
/* The same as C text: `ret` holds 2 * bytes.n + 1. */
void vl_hex(struct vl_str bytes, char *ret);
/* Everything but A-Z a-z 0-9 - . _ ~ becomes %XX. */
void vl_enc_percent(struct vl_buf *out, struct vl_str bytes);

/* False, with `out` as it was, when the text is not of that form. */
bool vl_dec_base64url(struct vl_str text, struct vl_buf *out) VALET_CHECK;
bool vl_dec_base64(struct vl_str text, struct vl_buf *out) VALET_CHECK;
/* Exactly `size` bytes, no more and no less; `ret` may be partly written when
 * it is false. */
bool
vl_dec_base64url_into(struct vl_str text, void *ret, size_t size) VALET_CHECK;
/* `plus_is_space` as in application/x-www-form-urlencoded. What is not escaped
 * is taken as it is, and %00 is a NUL: what the text may hold, the caller asks.
 */
bool vl_dec_percent(struct vl_str text, bool plus_is_space,
                    struct vl_buf *out) VALET_CHECK;

#endif
