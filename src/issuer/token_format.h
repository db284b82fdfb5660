/* SPDX-License-Identifier: Apache-2.0
 *
 * What our tokens look like: a prefix that scanners recognise, 256 random
 * bits, and a check part that only we can make. So a forged token is refused
 * without touching the store, and what is stored, a keyed hash, is of no use
 * to who reads the store (@spec W-55 S-23).
 *
 *     mvat_ BASE64URL( random[32] check[16] )            access token
 *     mvac_ BASE64URL( random[32] check[16] )            authorization code
 *     mvrt_ BASE64URL( family[16] random[32] check[16] ) refresh token
 *
 * One HMAC over what stands before the check gives both: its first half is
 * the check, its second half the key in the store. A refresh token also names
 * its family, so that *any* former one of a family is known as reused for as
 * long as the family lives, while one record is kept for all of them.
 */
#ifndef VL_ISSUER_TOKEN_FORMAT_H
#define VL_ISSUER_TOKEN_FORMAT_H

#include "core/buf.h"
#include "core/secret.h"
#include "crypto/digest.h"
#include "crypto/keyring.h"

enum vl_token_kind {
    VL_TOKEN_ACCESS,
    VL_TOKEN_CODE,
    VL_TOKEN_REFRESH,
    VL_TOKEN_KIND_COUNT
};

/* Of one thread: see struct vl_hmac. */
struct vl_token_keys {
    struct vl_hmac *kinds[VL_TOKEN_KIND_COUNT];
    struct vl_hmac *handles;
};

/* A keyed hash as text: what stands in the store in a secret's place. */
#define VL_TOKEN_ID_SIZE 65
struct vl_token_id {
    char text[VL_TOKEN_ID_SIZE];
};

#define VL_TOKEN_FAMILY_SIZE 16
struct vl_token_family {
    unsigned char bytes[VL_TOKEN_FAMILY_SIZE];
};

/* The longest token's text and a NUL. */
#define VL_TOKEN_TEXT_MAX 96

void
vl_token_keys_init(struct vl_token_keys *keys, const struct vl_keyring *ring);
void vl_token_keys_done(struct vl_token_keys *keys);

/* Appends a fresh token to `out` (a secret buffer). `family` for refresh
 * tokens alone. */
void vl_token_mint(const struct vl_token_keys *keys, enum vl_token_kind kind,
                   const struct vl_token_family *family, struct vl_buf *out,
                   struct vl_token_id *ret_id);
/* False: not one of ours. `ret_family` may be NULL. */
bool vl_token_read(const struct vl_token_keys *keys, enum vl_token_kind kind,
                   struct vl_str text, struct vl_token_id *ret_id,
                   struct vl_token_family *ret_family) VALET_CHECK;
/* Under which key the family's record stands. */
struct vl_token_id vl_token_family_id(const struct vl_token_keys *keys,
                                      const struct vl_token_family *family);

/* A fresh random handle of 256 bits, as text. */
#define VL_HANDLE_SIZE 44
void vl_handle_new(char ret[VL_HANDLE_SIZE]);
/* Could this be one? */
bool vl_handle_is_valid(struct vl_str text);
/* The keyed hash of a handle; `kind` keeps families of handles apart
 * (@spec W-49). */
struct vl_token_id vl_handle_id(const struct vl_token_keys *keys,
                                const char *kind, struct vl_str handle);

#endif
