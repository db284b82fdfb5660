/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of one entry, as the libraries spell them.
 */
#include "cache/inside.h"
#include "core/limits.h"
#include "core/status.h"
#include "json/write.h"

/* The first of these members that is a text with something in it. */
static struct vl_str
get_first(const struct json_t *object, const char *const *names)
{
    for (; *names; names++) {
        struct vl_str text = vl_json_get_str(object, *names);
        if (text.n)
            return text;
    }
    return (struct vl_str){NULL, 0};
}

/* Seconds: "1700000000", as the libraries write them; some wrote a number,
 * some a fraction behind it. 0 for all else. */
static int64_t
get_time(const struct json_t *object, const char *name)
{
    const struct json_t *value = vl_json_get(object, name);
    int64_t number = 0;
    uint64_t digits = 0;
    if (vl_json_int(value, &number))
        return number > 0 ? number : 0;
    struct vl_str text = vl_json_str(value);
    text = vl_str_head(text, vl_str_index(text, '.'));
    if (!vl_str_u64(text, INT64_MAX, &digits))
        return 0;
    return (int64_t)digits;
}

/*
 * What else the token was made for, whatever the library calls it: .NET `ext`,
 * Go `ext_cache_key`, JavaScript `resource`, and in older ones the claims that
 * were asked for. They do not hash alike, so each is compared with itself.
 */
static struct vl_str
get_extension(const struct json_t *object)
{
    static const char *const names[] = {
        "ext", "ext_cache_key", "resource", "requestedClaimsHash", NULL,
    };
    struct vl_str text = get_first(object, names);
    if (text.n)
        return text;
    /* An object: not comparable here, yet not a token for everybody. */
    static const char *const objects[] = {"additionalCacheKeyComponents",
                                          "persisted_cache_parameters"};
    for (size_t i = 0; i < VL_COUNT(objects); i++)
        if (vl_json_size(vl_json_get(object, objects[i])) > 0)
            return vl_str_z(objects[i]);
    return text;
}

static struct vl_secret
borrow_secret(struct vl_str text)
{
    return (struct vl_secret){(char *)(uintptr_t)text.p, text.n};
}

struct vl_cache_token
vl_cache_fields(const struct vl_cache_entry *entry)
{
    static const char *const assertion[] = {"user_assertion_hash",
                                            "userAssertionHash", NULL};
    static const char *const key[] = {"key_id", "kid", "keyid", NULL};
    const struct json_t *o = entry->doc.root;
    int64_t extended = get_time(o, "extended_expires_on");
    return (struct vl_cache_token){
        .home_account_id = vl_json_get_str(o, "home_account_id"),
        .environment = vl_json_get_str(o, "environment"),
        .client_id = vl_json_get_str(o, "client_id"),
        .realm = vl_json_get_str(o, "realm"),
        .target = vl_json_get_str(o, "target"),
        .token_type = vl_json_get_str(o, "token_type"),
        .family_id = vl_json_get_str(o, "family_id"),
        .key_id = get_first(o, key),
        .user_assertion_hash = get_first(o, assertion),
        .extension = get_extension(o),
        .cached_at = get_time(o, "cached_at"),
        .expires_on = get_time(o, "expires_on"),
        .extended_expires_on =
            extended ? extended : get_time(o, "ext_expires_on"),
        .refresh_on = get_time(o, "refresh_on"),
        .modified = get_time(o, "last_modification_time"),
        .secret = borrow_secret(vl_json_get_str(o, "secret")),
    };
}

struct vl_cache_account
vl_cache_account_fields(const struct vl_cache_entry *entry)
{
    const struct json_t *o = entry->doc.root;
    return (struct vl_cache_account){
        .home_account_id = vl_json_get_str(o, "home_account_id"),
        .environment = vl_json_get_str(o, "environment"),
        .realm = vl_json_get_str(o, "realm"),
        .local_account_id = vl_json_get_str(o, "local_account_id"),
        .username = vl_json_get_str(o, "username"),
        .name = vl_json_get_str(o, "name"),
        .authority_type = vl_json_get_str(o, "authority_type"),
        .client_info = vl_json_get_str(o, "client_info"),
    };
}

/* Has it what its kind cannot be without? */
static bool
is_known(enum vl_cache_kind kind, const struct vl_cache_token *fields)
{
    if (fields->environment.n == 0)
        return false;
    if (kind == VL_CACHE_ACCOUNT)
        return fields->home_account_id.n > 0;
    if (kind != VL_CACHE_REFRESH_TOKEN && fields->client_id.n == 0)
        return false;
    if (kind == VL_CACHE_APP)
        return true;
    return !vl_secret_is_empty(&fields->secret) &&
           (fields->client_id.n || fields->family_id.n) &&
           vl_cache_scopes_fit(fields->target);
}

/* Fills what follows from the JSON. */
static valet_status
understand(const struct vl_cache_cloud *clouds, struct vl_cache_entry *entry,
           valet_error *err)
{
    const struct vl_cache_token fields = vl_cache_fields(entry);
    entry->known = vl_json_kind(entry->doc.root) == VL_JSON_OBJECT &&
                   is_known(entry->kind, &fields);
    if (!entry->known)
        return VALET_OK;
    entry->stamp = entry->kind == VL_CACHE_ACCESS_TOKEN ? fields.cached_at
                                                        : fields.modified;
    return vl_cache_identify(clouds, entry->kind, &fields, &entry->identity,
                             &entry->base, err);
}

valet_status
vl_cache_entry_new(const struct vl_cache_cloud *clouds, enum vl_cache_kind kind,
                   struct vl_str key, struct vl_json *doc,
                   struct vl_cache_entry **ret, valet_error *err)
{
    struct vl_cache_entry *entry = vl_alloc(sizeof *entry);
    *entry = (struct vl_cache_entry){
        .kind = kind,
        /* Twice: every field may lie in it, with its length. */
        .identity = vl_buf_of((size_t)2 * VL_LIMIT_CACHE),
        .key = vl_buf_of((size_t)2 * VL_LIMIT_CACHE),
        .doc = *doc,
    };
    *doc = (struct vl_json){NULL};
    vl_list_init(&entry->node);
    valet_status status = understand(clouds, entry, err);
    if (status == VALET_OK && key.p) {
        vl_buf_add(&entry->key, key);
    } else if (status == VALET_OK) {
        const struct vl_cache_token fields = vl_cache_fields(entry);
        vl_cache_spell_key(kind, &fields, &entry->key);
    }
    if (status == VALET_OK)
        status = vl_buf_check(&entry->key, err);
    if (status == VALET_OK)
        *ret = entry;
    else
        vl_cache_entry_free(entry);
    return status;
}

void
vl_cache_entry_free(struct vl_cache_entry *entry)
{
    if (!entry)
        return;
    vl_list_remove(&entry->node);
    vl_buf_done(&entry->identity);
    vl_buf_done(&entry->key);
    vl_json_done(&entry->doc);
    free(entry);
}

/* --- what an older entry adds --- */

struct inheritance {
    struct vl_json_out out;
    const struct json_t *heir; /* what it has is not inherited */
};

static bool
inherit_member(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct inheritance *in = ctx;
    if (!in->heir || !vl_json_get(in->heir, key.p))
        vl_json_add_value(&in->out, key.p, value);
    return !in->out.buf->failed;
}

/* The old entry is already taken for the same thing by its identity. */
valet_status
vl_cache_entry_inherit(struct vl_cache_entry *entry,
                       const struct vl_cache_entry *old, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CACHE);
    struct inheritance in = {{&text, false}, NULL};
    vl_json_open(&in.out, '{');
    vl_json_each(entry->doc.root, inherit_member, &in);
    in.heir = entry->doc.root;
    vl_json_each(old->doc.root, inherit_member, &in);
    vl_json_close(&in.out, '}');
    VL_TRY(vl_buf_check(&text, err));
    struct vl_json doc = {NULL};
    VL_TRY(vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &doc, err));
    vl_json_done(&entry->doc);
    entry->doc = doc;
    return VALET_OK;
}
