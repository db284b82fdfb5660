/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/pkce.h"

#include "core/enc.h"
#include "core/sys.h"
#include "crypto/digest.h"

static bool
is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

/* code-verifier = 43*128unreserved */
bool
vl_pkce_verifier_is_valid(struct vl_str verifier)
{
    if (verifier.n < 43 || verifier.n > 128)
        return false;
    for (size_t i = 0; i < verifier.n; i++)
        if (!is_unreserved(verifier.p[i]))
            return false;
    return true;
}

bool
vl_pkce_challenge_is_valid(struct vl_str challenge)
{
    vl_auto(vl_buf) bytes = vl_buf_of(VL_SHA256_SIZE);
    return challenge.n == VL_PKCE_CHALLENGE_SIZE - 1 &&
           vl_dec_base64url(challenge, &bytes) &&
           vl_buf_size(&bytes) == VL_SHA256_SIZE;
}

static void
hash(struct vl_str verifier, char ret[VL_PKCE_CHALLENGE_SIZE])
{
    unsigned char digest[VL_SHA256_SIZE];
    vl_auto(vl_buf) text = vl_buf_of(VL_PKCE_CHALLENGE_SIZE);
    vl_sha256(verifier, digest);
    vl_enc_base64url(&text, vl_str_of(digest, sizeof digest));
    VL_ASSERT(vl_buf_size(&text) == VL_PKCE_CHALLENGE_SIZE - 1);
    memcpy(ret, vl_buf_cstr(&text), VL_PKCE_CHALLENGE_SIZE);
}

/* @spec AS-07 W-58 */
bool
vl_pkce_verify(struct vl_str verifier, struct vl_str challenge)
{
    char expected[VL_PKCE_CHALLENGE_SIZE];
    if (!vl_pkce_verifier_is_valid(verifier) ||
        !vl_pkce_challenge_is_valid(challenge))
        return false;
    hash(verifier, expected);
    return vl_str_same_secret(vl_str_z(expected), challenge);
}

struct vl_secret
vl_pkce_new_verifier(void)
{
    char text[VL_RANDOM_TEXT_SIZE];
    vl_random_text(text);
    struct vl_secret verifier = vl_secret_of(vl_str_z(text));
    vl_wipe(text, sizeof text);
    return verifier;
}

void
vl_pkce_challenge(const struct vl_secret *verifier,
                  char ret[VL_PKCE_CHALLENGE_SIZE])
{
    hash(vl_secret_reveal(verifier), ret);
}
