/* SPDX-License-Identifier: Apache-2.0
 *
 * New entries: their fields as JSON, as most of the libraries spell them.
 */
#include "cache/inside.h"
#include "core/limits.h"
#include "core/status.h"
#include "json/write.h"

static void
add_text(struct vl_json_out *out, const char *name, struct vl_str text)
{
    if (text.n)
        vl_json_add_str(out, name, text);
}

/* Seconds are written as text: two of the libraries read nothing else. */
static void
add_time(struct vl_json_out *out, const char *name, int64_t seconds)
{
    char text[24];
    if (seconds <= 0)
        return;
    (void)snprintf(text, sizeof text, "%lld", (long long)seconds);
    vl_json_add_z(out, name, text);
}

/* Reads the JSON back as an entry and puts it in. */
static valet_status
enter_text(struct vl_cache *cache, enum vl_cache_kind kind, struct vl_str text,
           bool renewed, valet_error *err)
{
    struct vl_json doc = {NULL};
    struct vl_cache_entry *entry = NULL;
    VL_TRY(vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, err));
    VL_TRY(vl_cache_entry_new(cache->clouds, kind, (struct vl_str){NULL, 0},
                              &doc, &entry, err));
    entry->changed = true;
    entry->renewed = renewed;
    valet_status status =
        entry->known
            ? vl_cache_enter(&cache->content, entry, false, &cache->gone, err)
            : vl_fail(err, VALET_INVALID, "",
                      "an entry of the token cache lacks a field");
    if (status != VALET_OK)
        vl_cache_entry_free(entry);
    return status;
}

valet_status
vl_cache_put_account(struct vl_cache *cache,
                     const struct vl_cache_account *account, int64_t now,
                     valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CACHE);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "home_account_id", account->home_account_id);
    vl_json_add_str(&out, "environment",
                    vl_cache_environment(cache, account->environment));
    vl_json_add_str(&out, "realm", account->realm);
    vl_json_add_str(&out, "local_account_id", account->local_account_id);
    vl_json_add_str(&out, "username", account->username);
    vl_json_add_str(&out, "authority_type",
                    account->authority_type.n ? account->authority_type
                                              : VL_STR("MSSTS"));
    add_text(&out, "name", account->name);
    add_text(&out, "client_info", account->client_info);
    add_time(&out, "last_modification_time", now);
    vl_json_close(&out, '}');
    VL_TRY(vl_buf_check(&text, err));
    return enter_text(cache, VL_CACHE_ACCOUNT, vl_buf_str(&text), false, err);
}

valet_status
vl_cache_put_app(struct vl_cache *cache, const struct vl_cache_app *app,
                 int64_t now, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CACHE);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "client_id", app->client_id);
    vl_json_add_str(&out, "environment",
                    vl_cache_environment(cache, app->environment));
    /* Written when empty, too: "of none" is known, and not inherited. */
    vl_json_add_str(&out, "family_id", app->family_id);
    add_time(&out, "last_modification_time", now);
    vl_json_close(&out, '}');
    VL_TRY(vl_buf_check(&text, err));
    return enter_text(cache, VL_CACHE_APP, vl_buf_str(&text), false, err);
}

static void
add_access_fields(struct vl_json_out *out, const struct vl_cache_token *token,
                  int64_t now)
{
    vl_json_add_str(out, "target", token->target);
    add_time(out, "cached_at", token->cached_at ? token->cached_at : now);
    add_time(out, "expires_on", token->expires_on);
    add_time(out, "extended_expires_on",
             token->extended_expires_on ? token->extended_expires_on
                                        : token->expires_on);
    add_time(out, "refresh_on", token->refresh_on);
    vl_json_add_str(out, "token_type",
                    token->token_type.n ? token->token_type : VL_STR("Bearer"));
    add_text(out, "key_id", token->key_id);
    add_text(out, "ext", token->extension);
}

static void
write_token(const struct vl_cache *cache, enum vl_cache_kind kind,
            const struct vl_cache_token *token, int64_t now,
            struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "home_account_id", token->home_account_id);
    vl_json_add_str(&out, "environment",
                    vl_cache_environment(cache, token->environment));
    vl_json_add_z(&out, "credential_type", vl_cache_section_names[kind]);
    vl_json_add_str(&out, "client_id", token->client_id);
    vl_json_add_str(&out, "secret", vl_secret_reveal(&token->secret));
    if (kind != VL_CACHE_REFRESH_TOKEN)
        vl_json_add_str(&out, "realm", token->realm);
    if (kind == VL_CACHE_REFRESH_TOKEN)
        add_text(&out, "family_id", token->family_id);
    if (kind == VL_CACHE_ACCESS_TOKEN)
        add_access_fields(&out, token, now);
    else
        add_time(&out, "last_modification_time", now);
    add_text(&out, "user_assertion_hash", token->user_assertion_hash);
    vl_json_close(&out, '}');
}

valet_status
vl_cache_put_token(struct vl_cache *cache, enum vl_cache_kind kind,
                   const struct vl_cache_token *token,
                   enum vl_cache_origin origin, int64_t now, valet_error *err)
{
    VL_ASSERT(kind == VL_CACHE_ID_TOKEN || kind == VL_CACHE_ACCESS_TOKEN ||
              kind == VL_CACHE_REFRESH_TOKEN);
    /* Written as JSON, other bytes would silently become another token. */
    if (!vl_str_is_utf8(vl_secret_reveal(&token->secret)))
        return vl_fail(err, VALET_INVALID, "", "a token is not text");
    bool renewed = origin == VL_CACHE_RENEWED && token->home_account_id.n;
    if (renewed &&
        !vl_cache_has_account(&cache->content, cache->clouds,
                              token->home_account_id, token->environment))
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "the account was removed while its token was renewed");
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CACHE);
    write_token(cache, kind, token, now, &text);
    VL_TRY(vl_buf_check(&text, err));
    return enter_text(cache, kind, vl_buf_str(&text), renewed, err);
}
