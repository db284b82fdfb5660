/* SPDX-License-Identifier: Apache-2.0
 *
 * The token cache in the schema that Microsoft's libraries share (MSAL for
 * .NET, JavaScript, Python, Java and Go): docs/protocol/token-cache.md.
 *
 * The libraries spell the keys of that document differently, so nothing here
 * looks at a key: entries are found by their fields, without regard to case.
 * An entry that is put takes the place of all entries with the same fields,
 * whoever wrote them, under one canonical key. What is not understood (fields,
 * entries, sections) is kept as it is.
 *
 * In memory only, and of one thread: cache/kept.h reads and writes it
 * where it is kept. Times are seconds since 1970; 0 is "not told". Slices that
 * are handed out are borrowed until the cache is changed.
 *
 *     struct vl_cache *cache = vl_cache_new(NULL);
 *     VL_TRY(vl_cache_read(cache, document, err));
 *     if (vl_cache_find_access(cache, &wanted, now, 300, &token))
 *         use(&token.secret);
 */
#ifndef VL_CACHE_CACHE_H
#define VL_CACHE_CACHE_H

#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"

/* Names of one and the same authority, the preferred one first; NULL ends. */
struct vl_cache_cloud {
    const char *hosts[6];
};

/* Microsoft's cloud that has this host among its names; NULL: none. */
const struct vl_cache_cloud *vl_cache_known_cloud(struct vl_str host);

struct vl_cache;

/* `clouds` (borrowed, ended by one without hosts, may be NULL) adds to the
 * clouds that are known: what instance discovery of a private one told. */
struct vl_cache *vl_cache_new(const struct vl_cache_cloud *clouds);
/* Wipes and frees. NULL is fine. */
void vl_cache_free(struct vl_cache *cache);
/* The name under which entries of this host (with its port) are written. */
struct vl_str
vl_cache_environment(const struct vl_cache *cache, struct vl_str host);

/* --- the document --- */

/*
 * Replaces what the cache holds by a document; an empty text is an empty
 * cache. VALET_INVALID: no cache, and nothing of it is quoted. VALET_LIMIT:
 * too large. The cache is then as it was.
 */
valet_status vl_cache_read(struct vl_cache *cache, struct vl_str document,
                           valet_error *err) VALET_CHECK;
/*
 * The same, but what was changed here since the last vl_cache_settle() stays
 * changed: for a document that another process has written meanwhile.
 *
 * - An entry put here wins against the same one there unless that is newer
 *   (last_modification_time, cached_at; one without a time is the oldest).
 * - What was removed here stays removed, unless it is newer there.
 * - What was not changed here is as it is there.
 * - What was put as VL_CACHE_RENEWED is dropped if its account is gone: who
 *   signed out meanwhile is not signed in again by a refresh that ran.
 */
valet_status vl_cache_merge(struct vl_cache *cache, struct vl_str document,
                            valet_error *err) VALET_CHECK;
/* How often that was done: another number than before, and what was found
 * before may be gone. */
unsigned vl_cache_merges(const struct vl_cache *cache);
/* The document; `out` is a secret buffer. The same content gives the same
 * bytes. */
valet_status vl_cache_write(const struct vl_cache *cache, struct vl_buf *out,
                            valet_error *err) VALET_CHECK;
/* Is there a change that was not settled? */
bool vl_cache_is_changed(const struct vl_cache *cache);
/* What was written is kept: the changes are forgotten as changes. */
void vl_cache_settle(struct vl_cache *cache);

/* --- what is in it --- */

/* A person, as one tenant knows them. */
struct vl_cache_account {
    struct vl_str home_account_id; /* uid.utid */
    struct vl_str environment, realm;
    struct vl_str local_account_id, username, name;
    struct vl_str authority_type; /* MSSTS if empty */
    struct vl_str client_info;    /* as Entra sent it */
};

/* A token of any kind; fields that its kind does not have are empty. */
struct vl_cache_token {
    struct vl_str home_account_id; /* empty: the application's own token */
    struct vl_str environment, client_id;
    struct vl_str realm;      /* access and id tokens: the tenant */
    struct vl_str target;     /* access token: scopes, separated by spaces */
    struct vl_str token_type; /* access token: Bearer if empty */
    struct vl_str family_id;  /* refresh token of a family of clients: "1" */
    /* What else the token was made for, and is only found with: a key, the
     * assertion of an on-behalf-of flow, further parts of the cache key. */
    struct vl_str key_id, user_assertion_hash, extension;
    int64_t cached_at, expires_on, extended_expires_on, refresh_on;
    int64_t modified;        /* when it was written, if told */
    struct vl_secret secret; /* borrowed: vl_secret_done() is not for it */
};

/* What is known of a client: whether it is of a family. */
struct vl_cache_app {
    struct vl_str environment, client_id;
    struct vl_str family_id; /* empty: of none */
};

/* Calls `visit` for each person once (the entry of their home tenant if there
 * is one), until it returns false. `environment` empty: of all. */
void
vl_cache_each_account(const struct vl_cache *cache, struct vl_str environment,
                      bool (*visit)(const struct vl_cache_account *account,
                                    void *ctx),
                      void *ctx);
/* `realm` empty: the home tenant's entry, else any. */
bool
vl_cache_find_account(const struct vl_cache *cache,
                      struct vl_str home_account_id, struct vl_str environment,
                      struct vl_str realm, struct vl_cache_account *ret);
/*
 * The newest access token with the fields of `wanted` that lives for more than
 * `skew` seconds and has all scopes of `wanted->target` (in any order and
 * case). openid, profile, offline_access and email are not looked for; if
 * nothing else is asked for, there is none, since any token would do.
 * @spec S-31
 */
bool vl_cache_find_access(const struct vl_cache *cache,
                          const struct vl_cache_token *wanted, int64_t now,
                          int64_t skew, struct vl_cache_token *ret);
/* The newest refresh token: of the family if `wanted->family_id` is set, else
 * the client's own. */
bool vl_cache_find_refresh(const struct vl_cache *cache,
                           const struct vl_cache_token *wanted,
                           struct vl_cache_token *ret);
bool vl_cache_find_id_token(const struct vl_cache *cache,
                            const struct vl_cache_token *wanted,
                            struct vl_cache_token *ret);
bool vl_cache_find_app(const struct vl_cache *cache, struct vl_str environment,
                       struct vl_str client_id, struct vl_cache_app *ret);

/* --- changes --- */

enum vl_cache_kind {
    VL_CACHE_ACCOUNT,
    VL_CACHE_ID_TOKEN,
    VL_CACHE_ACCESS_TOKEN,
    VL_CACHE_REFRESH_TOKEN,
    VL_CACHE_APP,
    VL_CACHE_KIND_COUNT
};

enum vl_cache_origin {
    VL_CACHE_SIGNED_IN, /* a person was there, or an application asked */
    VL_CACHE_RENEWED,   /* holds only while the account is in the cache */
};

/* After a sign-in, never after a renewal: the account would come back that was
 * signed out meanwhile. */
valet_status vl_cache_put_account(struct vl_cache *cache,
                                  const struct vl_cache_account *account,
                                  int64_t now, valet_error *err) VALET_CHECK;
/*
 * Puts a token of this kind (one of the three). An access token also replaces
 * older ones that have a scope in common with it. VALET_NOT_FOUND: it was
 * renewed, and the account is not in the cache any more.
 */
valet_status vl_cache_put_token(struct vl_cache *cache, enum vl_cache_kind kind,
                                const struct vl_cache_token *token,
                                enum vl_cache_origin origin, int64_t now,
                                valet_error *err) VALET_CHECK;
valet_status
vl_cache_put_app(struct vl_cache *cache, const struct vl_cache_app *app,
                 int64_t now, valet_error *err) VALET_CHECK;
/* The account and every token of it, of all clients. With an empty id: the
 * tokens of applications themselves. False: there was nothing. */
bool
vl_cache_remove_account(struct vl_cache *cache, struct vl_str home_account_id,
                        struct vl_str environment, int64_t now);
/* The refresh token that Entra refused for good (suberror bad_token): exactly
 * this one, wherever it is, and not one that was put in its place. */
void vl_cache_remove_refresh(struct vl_cache *cache,
                             const struct vl_secret *secret, int64_t now);
/* Access tokens whose time is over; returns how many. */
size_t vl_cache_sweep(struct vl_cache *cache, int64_t now);

#endif
