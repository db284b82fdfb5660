/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes two entries the same thing, and how their key is spelled. The
 * identity is ours alone and never leaves memory; the key is for the others.
 */
#include "cache/inside.h"
#include "core/enc.h"
#include "crypto/digest.h"

/* --- scopes --- */

/* The next word of a list that may have more than one space between two. */
static bool
next_word(struct vl_str *rest, struct vl_str *ret)
{
    while (vl_str_split(rest, ' ', ret))
        if (ret->n)
            return true;
    return false;
}

bool
vl_cache_scopes_fit(struct vl_str target)
{
    struct vl_str word;
    size_t count = 0;
    while (next_word(&target, &word))
        if (++count > VL_LIMIT_CACHE_SCOPES)
            return false;
    return true;
}

static bool
has_scope(struct vl_str list, struct vl_str wanted)
{
    struct vl_str word;
    while (next_word(&list, &word))
        if (vl_str_ieq(word, wanted))
            return true;
    return false;
}

/* Entra grants them with any token and does not name them in every answer. */
static bool
is_oidc(struct vl_str scope)
{
    return has_scope(VL_STR("openid profile offline_access email"), scope);
}

bool
vl_cache_scopes_cover(struct vl_str have, struct vl_str want)
{
    struct vl_str word;
    bool asked = false;
    while (next_word(&want, &word)) {
        if (is_oidc(word))
            continue;
        if (!has_scope(have, word))
            return false;
        asked = true;
    }
    return asked;
}

bool
vl_cache_scopes_meet(struct vl_str a, struct vl_str b)
{
    struct vl_str word;
    while (next_word(&a, &word))
        if (!is_oidc(word) && has_scope(b, word))
            return true;
    return false;
}

bool
vl_cache_is_bearer(struct vl_str token_type)
{
    return token_type.n == 0 || vl_str_ieq(token_type, VL_STR("Bearer"));
}

/* --- text --- */

static void
add_lower(struct vl_buf *out, struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        vl_buf_addc(out, vl_to_lower(s.p[i]));
}

static int
compare_words(const void *a, const void *b)
{
    const struct vl_str *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)vl_to_lower(x->p[i]);
        int d = (unsigned char)vl_to_lower(y->p[i]);
        if (c != d)
            return c - d;
    }
    return (x->n > y->n) - (x->n < y->n);
}

/* Lower-cased, sorted, each once. */
static void
add_scopes(struct vl_buf *out, struct vl_str target)
{
    struct vl_str words[VL_LIMIT_CACHE_SCOPES], word;
    size_t count = 0;
    while (count < VL_COUNT(words) && next_word(&target, &word))
        words[count++] = word;
    qsort(words, count, sizeof words[0], compare_words);
    for (size_t i = 0; i < count; i++) {
        if (i && vl_str_ieq(words[i - 1], words[i]))
            continue;
        if (i)
            vl_buf_addc(out, ' ');
        add_lower(out, words[i]);
    }
}

/* Told with its length, so that no two lists of fields read the same. */
static void
add_part(struct vl_buf *out, struct vl_str part)
{
    vl_buf_addu(out, part.n);
    vl_buf_addc(out, ':');
    add_lower(out, part);
}

static void
add_exact_part(struct vl_buf *out, struct vl_str part)
{
    vl_buf_addu(out, part.n);
    vl_buf_addc(out, ':');
    vl_buf_add(out, part);
}

valet_status
vl_cache_identify(const struct vl_cache_cloud *clouds, enum vl_cache_kind kind,
                  const struct vl_cache_token *fields, struct vl_buf *identity,
                  size_t *ret_base, valet_error *err)
{
    bool family = kind == VL_CACHE_REFRESH_TOKEN && fields->family_id.n;
    vl_buf_addu(identity, (uint64_t)kind);
    add_part(identity, vl_cache_preferred(clouds, fields->environment));
    add_part(identity,
             kind == VL_CACHE_APP ? VL_STR("") : fields->home_account_id);
    vl_buf_addc(identity, family ? 'f' : 'c');
    add_part(identity, family                     ? fields->family_id
                       : kind == VL_CACHE_ACCOUNT ? VL_STR("")
                                                  : fields->client_id);
    /* A refresh token is good for every tenant and scope. */
    if (kind != VL_CACHE_REFRESH_TOKEN && kind != VL_CACHE_APP)
        add_part(identity, fields->realm);
    add_exact_part(identity, fields->user_assertion_hash);
    if (kind == VL_CACHE_ACCESS_TOKEN) {
        bool bearer = vl_cache_is_bearer(fields->token_type);
        add_part(identity, bearer ? VL_STR("") : fields->token_type);
        add_exact_part(identity, fields->key_id);
        add_exact_part(identity, fields->extension);
    }
    *ret_base = vl_buf_size(identity);
    if (kind == VL_CACHE_ACCESS_TOKEN)
        add_scopes(identity, fields->target);
    return vl_buf_check(identity, err);
}

/* --- the key --- */

static void
add_slot(struct vl_buf *out, struct vl_str part)
{
    vl_buf_addc(out, '-');
    add_lower(out, part);
}

/* What few tokens have. The libraries do not agree on it, and a key that is
 * too long for some store is no help: long parts are told by their hash. */
static void
add_rare_slot(struct vl_buf *out, struct vl_str part)
{
    if (part.n == 0)
        return;
    unsigned char hash[VL_SHA256_SIZE];
    vl_sha256(part, hash);
    vl_buf_addc(out, '-');
    vl_enc_hex(out, vl_str_of(hash, sizeof hash));
}

/*
 * MSAL for .NET, Java and Python write these (their golden files agree), Go
 * all but the trailing dashes: with them we overwrite in place what three of
 * the five would write.
 */
void
vl_cache_spell_key(enum vl_cache_kind kind, const struct vl_cache_token *fields,
                   struct vl_buf *out)
{
    static const char *const words[VL_CACHE_KIND_COUNT] = {
        [VL_CACHE_ID_TOKEN] = "idtoken",
        [VL_CACHE_ACCESS_TOKEN] = "accesstoken",
        [VL_CACHE_REFRESH_TOKEN] = "refreshtoken",
        [VL_CACHE_APP] = "appmetadata",
    };
    add_lower(out, kind == VL_CACHE_APP ? vl_str_z(words[kind])
                                        : fields->home_account_id);
    add_slot(out, fields->environment);
    if (kind == VL_CACHE_ACCOUNT) {
        add_slot(out, fields->realm);
        return;
    }
    if (kind != VL_CACHE_APP)
        add_slot(out, vl_str_z(words[kind]));
    bool family = kind == VL_CACHE_REFRESH_TOKEN && fields->family_id.n;
    add_slot(out, family ? fields->family_id : fields->client_id);
    if (kind == VL_CACHE_APP)
        return;
    add_slot(out, kind == VL_CACHE_REFRESH_TOKEN ? VL_STR("") : fields->realm);
    vl_buf_addc(out, '-');
    if (kind == VL_CACHE_ACCESS_TOKEN) {
        add_scopes(out, fields->target);
        if (!vl_cache_is_bearer(fields->token_type))
            add_slot(out, fields->token_type);
        add_rare_slot(out, fields->key_id);
        add_rare_slot(out, fields->extension);
    }
    add_rare_slot(out, fields->user_assertion_hash);
}
