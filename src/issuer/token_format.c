/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/token_format.h"

#include "core/enc.h"
#include "core/sys.h"

#define PREFIX_SIZE 5
#define RANDOM_SIZE 32
#define CHECK_SIZE  16
#define BYTES_MAX   (VL_TOKEN_FAMILY_SIZE + RANDOM_SIZE + CHECK_SIZE)

static const struct {
    const char *prefix, *label;
    size_t family; /* bytes of it in the token */
} formats[VL_TOKEN_KIND_COUNT] = {
    [VL_TOKEN_ACCESS] = {"mvat_", "token desk: access token", 0},
    [VL_TOKEN_CODE] = {"mvac_", "token desk: authorization code", 0},
    [VL_TOKEN_REFRESH] = {"mvrt_", "token desk: refresh token",
                          VL_TOKEN_FAMILY_SIZE},
};

static struct vl_hmac *
make_key(const struct vl_keyring *ring, const char *label)
{
    struct vl_secret key = vl_keyring_derive(ring, label);
    struct vl_hmac *hmac = vl_hmac_new(&key);
    vl_secret_done(&key);
    return hmac;
}

void
vl_token_keys_init(struct vl_token_keys *keys, const struct vl_keyring *ring)
{
    for (size_t i = 0; i < VL_TOKEN_KIND_COUNT; i++)
        keys->kinds[i] = make_key(ring, formats[i].label);
    keys->handles = make_key(ring, "token desk: handles");
}

void
vl_token_keys_done(struct vl_token_keys *keys)
{
    for (size_t i = 0; i < VL_TOKEN_KIND_COUNT; i++)
        vl_hmac_free(keys->kinds[i]);
    vl_hmac_free(keys->handles);
    *keys = (struct vl_token_keys){0};
}

static struct vl_token_id
id_of(const unsigned char *bytes, size_t n)
{
    struct vl_token_id id = {""};
    VL_ASSERT(2 * n < sizeof id.text);
    vl_hex(vl_str_of(bytes, n), id.text);
    return id;
}

void
vl_token_mint(const struct vl_token_keys *keys, enum vl_token_kind kind,
              const struct vl_token_family *family, struct vl_buf *out,
              struct vl_token_id *ret_id)
{
    unsigned char bytes[BYTES_MAX], mac[VL_SHA256_SIZE];
    size_t n = formats[kind].family;
    VL_ASSERT((family != NULL) == (n > 0));
    if (family)
        memcpy(bytes, family->bytes, n);
    vl_random(bytes + n, RANDOM_SIZE);
    n += RANDOM_SIZE;
    vl_hmac_sum(keys->kinds[kind], vl_str_of(bytes, n), mac);
    memcpy(bytes + n, mac, CHECK_SIZE);
    vl_buf_addz(out, formats[kind].prefix);
    vl_enc_base64url(out, vl_str_of(bytes, n + CHECK_SIZE));
    *ret_id = id_of(mac + CHECK_SIZE, sizeof mac - CHECK_SIZE);
    vl_wipe(bytes, sizeof bytes);
}

/* @spec W-55: one way through, whatever is wrong with the token. */
bool
vl_token_read(const struct vl_token_keys *keys, enum vl_token_kind kind,
              struct vl_str text, struct vl_token_id *ret_id,
              struct vl_token_family *ret_family)
{
    unsigned char bytes[BYTES_MAX], mac[VL_SHA256_SIZE];
    size_t size = formats[kind].family + RANDOM_SIZE;
    bool good = text.n <= VL_TOKEN_TEXT_MAX &&
                vl_str_starts(text, vl_str_z(formats[kind].prefix)) &&
                vl_dec_base64url_into(vl_str_from(text, PREFIX_SIZE), bytes,
                                      size + CHECK_SIZE);
    if (good) {
        vl_hmac_sum(keys->kinds[kind], vl_str_of(bytes, size), mac);
        good = vl_str_same_secret(vl_str_of(bytes + size, CHECK_SIZE),
                                  vl_str_of(mac, CHECK_SIZE));
    }
    if (good)
        *ret_id = id_of(mac + CHECK_SIZE, sizeof mac - CHECK_SIZE);
    if (good && ret_family)
        memcpy(ret_family->bytes, bytes, formats[kind].family);
    vl_wipe(bytes, sizeof bytes);
    return good;
}

struct vl_token_id
vl_token_family_id(const struct vl_token_keys *keys,
                   const struct vl_token_family *family)
{
    return vl_handle_id(keys, "family",
                        vl_str_of(family->bytes, sizeof family->bytes));
}

void
vl_handle_new(char ret[VL_HANDLE_SIZE])
{
    vl_random_text(ret);
}

bool
vl_handle_is_valid(struct vl_str text)
{
    vl_auto(vl_buf) bytes = vl_buf_of_secret(32);
    return text.n == VL_HANDLE_SIZE - 1 && vl_dec_base64url(text, &bytes);
}

struct vl_token_id
vl_handle_id(const struct vl_token_keys *keys, const char *kind,
             struct vl_str handle)
{
    unsigned char mac[VL_SHA256_SIZE];
    vl_auto(vl_buf) text = vl_buf_of_secret(256);
    vl_buf_addz(&text, kind);
    vl_buf_addc(&text, ':');
    vl_buf_add(&text, handle);
    VL_ASSERT(!text.failed);
    vl_hmac_sum(keys->handles, vl_buf_str(&text), mac);
    return id_of(mac, sizeof mac);
}
