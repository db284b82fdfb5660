/* SPDX-License-Identifier: Apache-2.0
 *
 * HMAC is put together here from OpenSSL's SHA-256: the library's own HMAC()
 * looks its parts up by name at each call and takes more than twice as long,
 * and one is computed for every request that bears a token.
 */
#include "crypto/digest.h"

#include <openssl/evp.h>

#define BLOCK 64u /* of SHA-256 */

static void
digest(const EVP_MD *md, struct vl_str bytes, unsigned char *ret)
{
    VL_ASSERT(EVP_Digest(bytes.p, bytes.n, ret, NULL, md, NULL) == 1);
}

void
vl_sha256(struct vl_str bytes, unsigned char ret[VL_SHA256_SIZE])
{
    digest(EVP_sha256(), bytes, ret);
}

void
vl_sha1_thumbprint(struct vl_str bytes, unsigned char ret[VL_SHA1_SIZE])
{
    digest(EVP_sha1(), bytes, ret);
}

/* H(pad | parts …): one half of RFC 2104 section 2. */
static void
hash_parts(EVP_MD_CTX *ctx, const EVP_MD *md, const struct vl_str *parts,
           size_t count, unsigned char *ret)
{
    VL_ASSERT(EVP_DigestInit_ex(ctx, md, NULL) == 1);
    for (size_t i = 0; i < count; i++)
        VL_ASSERT(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1);
    VL_ASSERT(EVP_DigestFinal_ex(ctx, ret, NULL) == 1);
}

static void
fill_pad(unsigned char pad[BLOCK], struct vl_str key, unsigned char with)
{
    memset(pad, with, BLOCK);
    for (size_t i = 0; i < key.n; i++)
        pad[i] ^= (unsigned char)key.p[i];
}

/* RFC 2104 section 2: H(K ^ opad | H(K ^ ipad | text)). */
static void
hmac(struct vl_str key, const struct vl_str *text, size_t count,
     unsigned char ret[VL_SHA256_SIZE])
{
    enum { MOST = 3 };
    unsigned char pad[BLOCK], short_key[VL_SHA256_SIZE];
    struct vl_str parts[MOST + 1];
    VL_ASSERT(count <= MOST);
    for (size_t i = 0; i < count; i++)
        parts[i + 1] = text[i];
    if (key.n > BLOCK) {
        vl_sha256(key, short_key);
        key = vl_str_of(short_key, sizeof short_key);
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    VL_ASSERT(ctx);
    fill_pad(pad, key, 0x36);
    parts[0] = vl_str_of(pad, sizeof pad);
    hash_parts(ctx, EVP_sha256(), parts, count + 1, ret);
    fill_pad(pad, key, 0x5c);
    parts[1] = vl_str_of(ret, VL_SHA256_SIZE);
    /* No digest named: the context keeps the one it has. */
    hash_parts(ctx, NULL, parts, 2, ret);
    EVP_MD_CTX_free(ctx); /* wipes its state */
    vl_wipe(pad, sizeof pad);
    vl_wipe(short_key, sizeof short_key);
}

void
vl_hmac_sha256(const struct vl_secret *key, struct vl_str bytes,
               unsigned char ret[VL_SHA256_SIZE])
{
    hmac(vl_secret_reveal(key), &bytes, 1, ret);
}

/* RFC 5869 sections 2.2 (extract) and 2.3 (expand). */
void
vl_hkdf_sha256(struct vl_str salt, const struct vl_secret *key,
               struct vl_str info, unsigned char *ret, size_t size)
{
    unsigned char prk[VL_SHA256_SIZE], block[VL_SHA256_SIZE];
    struct vl_str ikm = vl_secret_reveal(key);
    VL_ASSERT(size <= 255u * VL_SHA256_SIZE);
    hmac(salt, &ikm, 1, prk);
    struct vl_str parts[3] = {{NULL, 0}, info, {NULL, 0}};
    for (unsigned char counter = 1; size > 0; counter++) {
        parts[2] = vl_str_of(&counter, 1);
        hmac(vl_str_of(prk, sizeof prk), parts, 3, block);
        parts[0] = vl_str_of(block, sizeof block);
        size_t n = size < sizeof block ? size : sizeof block;
        memcpy(ret, block, n);
        ret += n;
        size -= n;
    }
    vl_wipe(prk, sizeof prk);
    vl_wipe(block, sizeof block);
}

struct vl_secret
vl_hkdf(const struct vl_secret *key, const char *label)
{
    unsigned char derived[VL_SHA256_SIZE];
    vl_hkdf_sha256(VL_STR(""), key, vl_str_z(label), derived, sizeof derived);
    struct vl_secret secret = vl_secret_of(vl_str_of(derived, sizeof derived));
    vl_wipe(derived, sizeof derived);
    return secret;
}
