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

/* A key longer than a block is replaced by its hash, which goes to `room`. */
static struct vl_str
fit_key(struct vl_str key, unsigned char room[VL_SHA256_SIZE])
{
    if (key.n <= BLOCK)
        return key;
    vl_sha256(key, room);
    return vl_str_of(room, VL_SHA256_SIZE);
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
    key = fit_key(key, short_key);
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

/* --- a key made ready --- */

struct vl_hmac {
    EVP_MD_CTX *inner, *outer; /* they have read K ^ ipad and K ^ opad */
    EVP_MD_CTX *work;
};

static EVP_MD_CTX *
begin_half(struct vl_str key, unsigned char with)
{
    unsigned char pad[BLOCK];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    VL_ASSERT(ctx);
    fill_pad(pad, key, with);
    VL_ASSERT(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    VL_ASSERT(EVP_DigestUpdate(ctx, pad, sizeof pad) == 1);
    vl_wipe(pad, sizeof pad);
    return ctx;
}

struct vl_hmac *
vl_hmac_new(const struct vl_secret *key)
{
    unsigned char short_key[VL_SHA256_SIZE];
    struct vl_str fit = fit_key(vl_secret_reveal(key), short_key);
    struct vl_hmac *hmac = vl_alloc(sizeof *hmac);
    hmac->inner = begin_half(fit, 0x36);
    hmac->outer = begin_half(fit, 0x5c);
    hmac->work = EVP_MD_CTX_new();
    VL_ASSERT(hmac->work);
    vl_wipe(short_key, sizeof short_key);
    return hmac;
}

void
vl_hmac_free(struct vl_hmac *hmac)
{
    if (!hmac)
        return;
    /* Each wipes its state. */
    EVP_MD_CTX_free(hmac->inner);
    EVP_MD_CTX_free(hmac->outer);
    EVP_MD_CTX_free(hmac->work);
    free(hmac);
}

static void
finish_half(struct vl_hmac *hmac, const EVP_MD_CTX *half, struct vl_str bytes,
            unsigned char *ret)
{
    VL_ASSERT(EVP_MD_CTX_copy_ex(hmac->work, half) == 1);
    VL_ASSERT(EVP_DigestUpdate(hmac->work, bytes.p, bytes.n) == 1);
    VL_ASSERT(EVP_DigestFinal_ex(hmac->work, ret, NULL) == 1);
}

void
vl_hmac_sum(struct vl_hmac *hmac, struct vl_str bytes,
            unsigned char ret[VL_SHA256_SIZE])
{
    unsigned char first[VL_SHA256_SIZE]; /* `ret` may be in `bytes` */
    finish_half(hmac, hmac->inner, bytes, first);
    finish_half(hmac, hmac->outer, vl_str_of(first, sizeof first), ret);
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
