/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the cache: what its files share.
 *
 *     cloud.c   the names of Microsoft's clouds
 *     key.c     fields → identity and canonical key; scopes
 *     entry.c   one entry: its JSON, and the fields in it
 *     put.c     new entries
 *     json.c    the whole document, read and written
 *     find.c    questions
 *     cache.c   changes
 *     merge.c   our changes on top of another process's document
 *
 * An entry is the JSON object as it was read: so what is not understood stays
 * in it by itself. Its strings, tokens among them, are in memory that json/
 * wipes when it is freed.
 */
#ifndef VL_CACHE_INSIDE_H
#define VL_CACHE_INSIDE_H

#include "cache/cache.h"
#include "core/list.h"
#include "json/read.h"

struct vl_cache_entry {
    struct vl_list node;
    enum vl_cache_kind kind; /* the section it stands in */
    bool known;              /* has the fields of its kind; else only kept */
    bool changed;            /* put since the last vl_cache_settle() */
    bool renewed;            /* put as VL_CACHE_RENEWED */
    int64_t stamp;           /* when it was written, or what it replaced;
                                0: nobody knows */
    size_t base;             /* of the identity: what comes before the scopes */
    struct vl_buf identity;  /* same identity: same thing; if known */
    struct vl_buf key;       /* as it stands in the document */
    struct vl_json doc;
};

/* A section of the document that is not one of the schema's. */
struct vl_cache_section {
    struct vl_list node;
    struct vl_buf name;
    struct vl_json doc;
};

struct vl_cache_content {
    struct vl_list entries, sections;
    size_t count; /* entries */
};

/* Something that was removed here and may still stand in the document. */
enum vl_cache_loss {
    VL_CACHE_LOST_ACCOUNT,  /* all that has this home account id */
    VL_CACHE_LOST_IDENTITY, /* the entry of this identity */
    VL_CACHE_LOST_SECRET,   /* refresh tokens that are this one */
};

struct vl_cache_gone {
    struct vl_list node;
    enum vl_cache_loss loss;
    struct vl_secret text;     /* home account id, identity or secret */
    struct vl_buf environment; /* account: its preferred name */
    int64_t at;
};

struct vl_cache {
    struct vl_cache_content content;
    struct vl_list gone;
    const struct vl_cache_cloud *clouds; /* more than the known ones; or NULL */
    unsigned merges;
};

/* --- cloud.c --- */

struct vl_str
vl_cache_preferred(const struct vl_cache_cloud *clouds, struct vl_str host);

/* --- key.c --- */

/* Fills identity and base of an entry with these fields. */
valet_status
vl_cache_identify(const struct vl_cache_cloud *clouds, enum vl_cache_kind kind,
                  const struct vl_cache_token *fields, struct vl_buf *identity,
                  size_t *ret_base, valet_error *err) VALET_CHECK;
/* The one spelling of the key that is written. */
void
vl_cache_spell_key(enum vl_cache_kind kind, const struct vl_cache_token *fields,
                   struct vl_buf *out);
bool vl_cache_scopes_fit(struct vl_str target);
/* Does `have` hold all of `want` (at least one) that is not OIDC's own? */
bool vl_cache_scopes_cover(struct vl_str have, struct vl_str want);
bool vl_cache_scopes_meet(struct vl_str a, struct vl_str b);
/* Bearer, whatever its letters, and absent are one. */
bool vl_cache_is_bearer(struct vl_str token_type);

/* --- entry.c --- */

/* The fields of an entry of any kind, as far as a token has them. */
struct vl_cache_token vl_cache_fields(const struct vl_cache_entry *entry);
struct vl_cache_account
vl_cache_account_fields(const struct vl_cache_entry *entry);
/* Takes the value's JSON into a new entry that is in no list. */
valet_status
vl_cache_entry_new(const struct vl_cache_cloud *clouds, enum vl_cache_kind kind,
                   struct vl_str key, struct vl_json *doc,
                   struct vl_cache_entry **ret, valet_error *err) VALET_CHECK;
/* Takes it off its list, wipes and frees it. NULL is fine. */
void vl_cache_entry_free(struct vl_cache_entry *entry);
/* What `old` says of the same person or client and `entry` does not. */
valet_status vl_cache_entry_inherit(struct vl_cache_entry *entry,
                                    const struct vl_cache_entry *old,
                                    valet_error *err) VALET_CHECK;

/* --- json.c --- */

extern const char *const vl_cache_section_names[VL_CACHE_KIND_COUNT];

void vl_cache_content_init(struct vl_cache_content *content);
void vl_cache_content_done(struct vl_cache_content *content);
/* Moves `from` (initialised) into `to`, whose own content is freed. */
void vl_cache_content_move(struct vl_cache_content *to,
                           struct vl_cache_content *from);
/* Into an initialised one; leaves it empty when it fails. */
valet_status
vl_cache_content_read(const struct vl_cache_cloud *clouds,
                      struct vl_str document, struct vl_cache_content *ret,
                      valet_error *err) VALET_CHECK;
void vl_cache_remove_entry(struct vl_cache_content *content,
                           struct vl_cache_entry *entry);

/* --- cache.c --- */

/*
 * Moves the entry in, in place of all it stands for. What is `newer_stay` and
 * only has a scope in common with it stays if it is newer. `gone` (or NULL)
 * remembers what was removed and is not the same thing.
 */
valet_status vl_cache_enter(struct vl_cache_content *content,
                            struct vl_cache_entry *entry, bool newer_stay,
                            struct vl_list *gone, valet_error *err) VALET_CHECK;
bool vl_cache_has_account(const struct vl_cache_content *content,
                          const struct vl_cache_cloud *clouds,
                          struct vl_str home, struct vl_str environment);
void vl_cache_forget_gone(struct vl_list *gone);
/* Is this what was removed, and not newer than that? */
bool vl_cache_is_gone(const struct vl_cache_gone *gone,
                      const struct vl_cache_cloud *clouds,
                      const struct vl_cache_entry *entry);

static inline struct vl_cache_entry *
vl_cache_entry_at(struct vl_list *node)
{
    return VL_CONTAINER(node, struct vl_cache_entry, node);
}

#endif
