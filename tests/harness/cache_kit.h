/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the token cache share: documents as the other libraries
 * spell them (the fuzz target's seeds), and the person in them.
 */
#ifndef VL_CACHE_KIT_H
#define VL_CACHE_KIT_H

#include "cache/cache.h"
#include "core/sys.h"
#include "vl_test.h"

#define SEEDS  "fuzz/cache/fuzz_cache.seeds/"
#define UID    "9f4880d8-80ba-4c40-97bc-f7a23c703084"
#define UTID   "f645ad92-e38d-4d1a-b510-d1b09a74a8ca"
#define HOME   UID "." UTID
#define CLIENT "b6c69a37-df96-4db0-9088-2ab96e1d8215"
#define HOST   "login.microsoftonline.com"

enum { THEN = 1800000000, NOW = THEN + 100, SKEW = 300 };

static inline struct vl_cache *
read_text(struct vl_str text)
{
    struct vl_cache *cache = vl_cache_new(NULL);
    assert_ok(vl_cache_read(cache, text, NULL));
    return cache;
}

static inline struct vl_buf
text_of(const struct vl_cache *cache)
{
    struct vl_buf out = vl_buf_of_secret(VL_LIMIT_CACHE);
    assert_ok(vl_cache_write(cache, &out, NULL));
    return out;
}

static inline struct vl_buf
seed_text(const char *name)
{
    char path[256];
    struct vl_buf text = vl_buf_of_secret(VL_LIMIT_CACHE);
    (void)snprintf(path, sizeof path, SEEDS "%s.json", name);
    assert_ok(vl_file_read(path, false, &text, NULL));
    return text;
}

static inline struct vl_cache *
read_seed(const char *name)
{
    vl_auto(vl_buf) text = seed_text(name);
    return read_text(vl_buf_str(&text));
}

/* Does the document hold this text, and how often? */
static inline unsigned
count_in(const struct vl_cache *cache, const char *text)
{
    vl_auto(vl_buf) out = text_of(cache);
    unsigned count = 0;
    const char *at = vl_buf_cstr(&out);
    while ((at = strstr(at, text))) {
        count++;
        at++;
    }
    return count;
}

/* What an application asks for; the host is not the one in the documents. */
static inline struct vl_cache_token
wanted(const char *scopes)
{
    return (struct vl_cache_token){
        .home_account_id = VL_STR(HOME),
        .environment = VL_STR(HOST),
        .client_id = VL_STR(CLIENT),
        .realm = VL_STR(UTID),
        .target = vl_str_z(scopes),
    };
}

/* The same with a secret, to be put. */
static inline struct vl_cache_token
token_of(const char *scopes, const char *secret)
{
    struct vl_cache_token token = wanted(scopes);
    token.expires_on = NOW + 3600;
    token.secret =
        (struct vl_secret){(char *)(uintptr_t)secret, strlen(secret)};
    return token;
}

static inline void
put_at(struct vl_cache *cache, enum vl_cache_kind kind, const char *scopes,
       const char *secret, int64_t when)
{
    const struct vl_cache_token token = token_of(scopes, secret);
    assert_ok(vl_cache_put_token(cache, kind, &token, VL_CACHE_SIGNED_IN, when,
                                 NULL));
}

static inline void
put_person(struct vl_cache *cache, int64_t when)
{
    const struct vl_cache_account account = {
        .home_account_id = VL_STR(HOME),
        .environment = VL_STR(HOST),
        .realm = VL_STR(UTID),
        .local_account_id = VL_STR(UID),
        .username = VL_STR("adele@contoso.example"),
    };
    assert_ok(vl_cache_put_account(cache, &account, when, NULL));
}

static inline bool
has_access(const struct vl_cache *cache, const char *scopes, const char *secret)
{
    struct vl_cache_token found;
    const struct vl_cache_token want = wanted(scopes);
    return vl_cache_find_access(cache, &want, NOW, SKEW, &found) &&
           vl_str_eqz(vl_secret_reveal(&found.secret), secret);
}

static inline bool
has_refresh(const struct vl_cache *cache, const char *secret)
{
    struct vl_cache_token found;
    const struct vl_cache_token want = wanted("");
    return vl_cache_find_refresh(cache, &want, &found) &&
           vl_str_eqz(vl_secret_reveal(&found.secret), secret);
}

#endif
