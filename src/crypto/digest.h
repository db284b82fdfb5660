/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256, HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) by OpenSSL. They cannot
 * fail: OpenSSL refusing them is a broken installation and stops the process.
 */
#ifndef VL_CRYPTO_DIGEST_H
#define VL_CRYPTO_DIGEST_H

#include "core/secret.h"

#define VL_SHA256_SIZE 32

void vl_sha256(struct vl_str bytes, unsigned char ret[VL_SHA256_SIZE]);
/* For the thumbprints x5t (RFC 7517 section 4.8) only, never for trust. */
#define VL_SHA1_SIZE 20
void vl_sha1_thumbprint(struct vl_str bytes, unsigned char ret[VL_SHA1_SIZE]);

/* Thread-safe; the key is borrowed. */
void vl_hmac_sha256(const struct vl_secret *key, struct vl_str bytes,
                    unsigned char ret[VL_SHA256_SIZE]);
/*
 * A key made ready for many MACs: the two blocks that depend on the key alone
 * are hashed once. One thread at a time, for it hashes in memory of its own.
 */
struct vl_hmac;
struct vl_hmac *vl_hmac_new(const struct vl_secret *key);
void vl_hmac_free(struct vl_hmac *hmac); /* wipes; NULL is fine */
void vl_hmac_sum(struct vl_hmac *hmac, struct vl_str bytes,
                 unsigned char ret[VL_SHA256_SIZE]);

/*
 * HKDF with all its inputs; `size` is at most 255 * VL_SHA256_SIZE. Prefer
 * vl_hkdf(), which leaves nothing to choose.
 */
void vl_hkdf_sha256(struct vl_str salt, const struct vl_secret *key,
                    struct vl_str info, unsigned char *ret, size_t size);
/* A 32-byte key of its own for each `label`. */
struct vl_secret vl_hkdf(const struct vl_secret *key, const char *label);

#endif
