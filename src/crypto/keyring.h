/* SPDX-License-Identifier: Apache-2.0
 *
 * The master keys that seal what is stored, and the keys derived from them.
 *
 * A key file is text, one key a line, newest first: an id of 1 to 16 letters
 * and digits, a space, 32 bytes in base64url. The newest one seals, all of
 * them open: so keys rotate by adding a line. The file belongs to its owner
 * alone (mode 0600, no symbolic link), or it is not read.
 */
#ifndef VL_CRYPTO_KEYRING_H
#define VL_CRYPTO_KEYRING_H

#include "core/buf.h"
#include "core/secret.h"

struct vl_keyring;

/*
 * Reads the file; when there is none and `create` is set, writes a new one
 * with a random key first (*ret_created tells). Immutable afterwards, so
 * threads may share it. Locked in memory where the system allows it.
 */
valet_status
vl_keyring_open(const char *path, bool create, bool *ret_created,
                struct vl_keyring **ret, valet_error *err) VALET_CHECK;
/* The same from the text of such a file; `name` is for messages. */
valet_status
vl_keyring_parse(const char *name, struct vl_str text, struct vl_keyring **ret,
                 valet_error *err) VALET_CHECK;
/* A ring that lives in memory only, with one random key: for tests. */
struct vl_keyring *vl_keyring_new_random(void);
void vl_keyring_free(struct vl_keyring *ring);

/* A key for one purpose, derived (HKDF) from the *oldest* master key, so that
 * hashes stay the same when a new key is added in front. */
struct vl_secret
vl_keyring_derive(const struct vl_keyring *ring, const char *label);

/*
 * Seals with AES-256-GCM: key id, random 96-bit nonce and ciphertext with tag
 * go to `out` (format: docs/protocol/seal.md). `context` (the record's id) is
 * authenticated but not stored: a record put in another's place does not open.
 */
valet_status
vl_seal(const struct vl_keyring *ring, struct vl_str context,
        struct vl_str plain, struct vl_buf *out, valet_error *err) VALET_CHECK;
/* VALET_DENIED for anything that was not sealed by this ring in this context;
 * `out` is then unchanged. */
valet_status vl_unseal(const struct vl_keyring *ring, struct vl_str context,
                       struct vl_str sealed, struct vl_buf *out,
                       valet_error *err) VALET_CHECK;

#endif
