/* SPDX-License-Identifier: Apache-2.0
 *
 * The envelope of docs/protocol/seal.md:
 *
 *     version (1) | id size (1) | id | nonce (12) | ciphertext | tag (16)
 *
 * Each context has an AES key of its own, derived from the ring's sealing
 * key: so random nonces can repeat only among the seals of one record, not
 * among all that were ever made.
 */
#include "crypto/keyring.h"

#include <limits.h>

#include <openssl/evp.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"
#include "crypto/ring.h"

#define VERSION    1
#define NONCE_SIZE 12u
#define TAG_SIZE   16u
#define HEAD_MIN   2u
/* OpenSSL counts in int. */
#define SEAL_MAX (INT_MAX / 2)

/* One AES-256-GCM operation. */
struct gcm {
    EVP_CIPHER_CTX *ctx;
    bool good; /* OpenSSL agreed to every step so far */
};

static void
gcm_done(struct gcm *gcm)
{
    EVP_CIPHER_CTX_free(gcm->ctx); /* wipes the key schedule */
    gcm->ctx = NULL;
}

static void
authenticate(struct gcm *gcm, struct vl_str bytes)
{
    int n = 0;
    if (bytes.n)
        gcm->good =
            gcm->good &&
            EVP_CipherUpdate(gcm->ctx, NULL, &n, (const unsigned char *)bytes.p,
                             (int)bytes.n) == 1;
}

/* Keyed for this context, with header and context authenticated. */
static struct gcm
gcm_begin(const struct vl_master_key *key, struct vl_str context,
          struct vl_str head, const unsigned char *nonce, bool encrypt)
{
    unsigned char record_key[VL_SHA256_SIZE];
    const struct vl_secret sealing = vl_key_borrow(key->sealing);
    vl_hmac_sha256(&sealing, context, record_key);
    struct gcm gcm = {EVP_CIPHER_CTX_new(), false};
    gcm.good = gcm.ctx && EVP_CipherInit_ex(gcm.ctx, EVP_aes_256_gcm(), NULL,
                                            record_key, nonce, encrypt) == 1;
    vl_wipe(record_key, sizeof record_key);
    /* The header tells its own length, so the two cannot be shifted. */
    authenticate(&gcm, head);
    authenticate(&gcm, context);
    return gcm;
}

static void
crypt_bytes(struct gcm *gcm, struct vl_str bytes, unsigned char *ret)
{
    int n = 0;
    if (bytes.n)
        gcm->good =
            gcm->good &&
            EVP_CipherUpdate(gcm->ctx, ret, &n, (const unsigned char *)bytes.p,
                             (int)bytes.n) == 1 &&
            (size_t)n == bytes.n;
}

/* The last step of both directions; when opening, the tag is judged here. */
static bool
gcm_finish(struct gcm *gcm)
{
    unsigned char none[TAG_SIZE];
    int n = 0;
    return gcm->good && EVP_CipherFinal_ex(gcm->ctx, none, &n) == 1 && n == 0;
}

/* @spec S-101 W-55 */
valet_status
vl_seal(const struct vl_keyring *ring, struct vl_str context,
        struct vl_str plain, struct vl_buf *out, valet_error *err)
{
    const struct vl_master_key *key = &ring->keys[0];
    size_t head_size = HEAD_MIN + key->id_size;
    size_t size = head_size + NONCE_SIZE + plain.n + TAG_SIZE;
    if (plain.n > SEAL_MAX || context.n > SEAL_MAX)
        return vl_fail(err, VALET_LIMIT, "", "too much to seal");
    unsigned char *p = (unsigned char *)vl_buf_reserve(out, size);
    if (!p)
        return vl_fail(err, VALET_LIMIT, "", "no room for what was sealed");
    p[0] = VERSION;
    p[1] = (unsigned char)key->id_size;
    memcpy(p + HEAD_MIN, key->id, key->id_size);
    unsigned char *nonce = p + head_size, *text = nonce + NONCE_SIZE;
    vl_random(nonce, NONCE_SIZE);

    vl_auto(gcm) gcm =
        gcm_begin(key, context, vl_str_of(p, head_size), nonce, true);
    crypt_bytes(&gcm, plain, text);
    if (!gcm_finish(&gcm) || EVP_CIPHER_CTX_ctrl(gcm.ctx, EVP_CTRL_AEAD_GET_TAG,
                                                 TAG_SIZE, text + plain.n) != 1)
        return vl_ossl_fail(err, VALET_INTERNAL, "AES-256-GCM does not work");
    vl_buf_commit(out, size);
    return VALET_OK;
}

static const struct vl_master_key *
find_key(const struct vl_keyring *ring, struct vl_str id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (vl_str_eq(vl_str_of(ring->keys[i].id, ring->keys[i].id_size), id))
            return &ring->keys[i];
    return NULL;
}

/* One sentence for every refusal: the holder of a forgery learns nothing. */
static valet_status
refuse(valet_error *err)
{
    return vl_ossl_fail(err, VALET_DENIED, "the record was not sealed here");
}

valet_status
vl_unseal(const struct vl_keyring *ring, struct vl_str context,
          struct vl_str sealed, struct vl_buf *out, valet_error *err)
{
    const unsigned char *p = (const unsigned char *)sealed.p;
    if (sealed.n < HEAD_MIN || sealed.n > SEAL_MAX || context.n > SEAL_MAX ||
        p[0] != VERSION)
        return refuse(err);
    size_t head_size = HEAD_MIN + p[1];
    if (sealed.n < head_size + NONCE_SIZE + TAG_SIZE)
        return refuse(err);
    struct vl_str head = vl_str_head(sealed, head_size);
    const struct vl_master_key *key =
        find_key(ring, vl_str_from(head, HEAD_MIN));
    if (!key)
        return refuse(err);
    struct vl_str text = vl_str_from(sealed, head_size + NONCE_SIZE);
    text.n -= TAG_SIZE;
    unsigned char *room = (unsigned char *)vl_buf_reserve(out, text.n);
    if (!room)
        return vl_fail(err, VALET_LIMIT, "", "no room for what was unsealed");

    unsigned char tag[TAG_SIZE];
    memcpy(tag, text.p + text.n, TAG_SIZE);
    vl_auto(gcm) gcm = gcm_begin(key, context, head, p + head_size, false);
    crypt_bytes(&gcm, text, room);
    gcm.good = gcm.good && EVP_CIPHER_CTX_ctrl(gcm.ctx, EVP_CTRL_AEAD_SET_TAG,
                                               TAG_SIZE, tag) == 1;
    if (!gcm_finish(&gcm)) {
        vl_wipe(room, text.n); /* nobody sees what was not authenticated */
        return refuse(err);
    }
    vl_buf_commit(out, text.n);
    return VALET_OK;
}
