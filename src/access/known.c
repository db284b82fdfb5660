/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of the server. What cannot be kept serves this process alone,
 * and the person is told: to sign in again next time is better than not at all.
 */
#include "access/inside.h"
#include "core/sys.h"

/* A token is not sent with less left: it has a way to go. */
#define SKEW_S 30
/* Renewed ahead by so much; but the token of a short life would be renewed all
 * the time, so at most the last fifth of it counts. */
#define AHEAD_S 300

void
vl_access_say(const struct vl_access *access, const char *text, const char *url)
{
    if (access->tell)
        access->tell(text, url, access->ctx);
}

static void
say_unkept(const struct vl_access *access, const valet_error *why)
{
    vl_auto(vl_buf) line = vl_buf_of(512);
    vl_buf_addf(&line,
                "What was got for %s cannot be kept, and serves this program "
                "alone: %s",
                access->host, why->message);
    vl_access_say(access, vl_buf_cstr(&line), NULL);
}

static struct vl_book_key
key_of(const struct vl_access *access)
{
    return (struct vl_book_key){access->site.issuer,
                                access->site.resource ? access->site.resource
                                                      : access->url,
                                access->who};
}

/* --- from the book --- */

static void
forget_tokens(struct vl_access *access)
{
    vl_book_tokens_done(&access->tokens);
    access->origin = VL_ACCESS_FROM_BOOK;
    access->has_worked = access->is_unkept = false;
}

/* What we know of the token at hand stays, if it is the same. */
static void
take_kept(struct vl_access *access, const struct vl_book *book)
{
    struct vl_book_key key = key_of(access);
    vl_auto(vl_book_tokens) kept;
    bool is_there = vl_book_tokens(book, &key, &kept);
    if (access->is_unkept &&
        (!is_there || kept.tokens.got_at <= access->tokens.tokens.got_at))
        return;
    if (!vl_secret_eq(&kept.tokens.access, &access->tokens.tokens.access))
        forget_tokens(access);
    vl_book_tokens_done(&access->tokens);
    access->tokens = kept;
    kept = (struct vl_book_tokens){.asked = NULL};
}

valet_status
vl_access_look(struct vl_access *access, valet_error *err)
{
    vl_auto(vl_book) book = {{NULL}};
    vl_auto(vl_site) site;
    vl_site_init(&site);
    access->mark = vl_keep_now(access->keep); /* before: none is missed */
    access->marked_ms = vl_mono_now();
    VL_TRY(vl_book_load(access->keep, &book, err));
    if (vl_book_site(&book, access->url, &site)) {
        if (access->has_site && strcmp(access->site.issuer, site.issuer) != 0)
            forget_tokens(access);
        vl_site_done(&access->site);
        access->site = vl_site_take(&site);
        access->has_site = true;
    }
    if (access->has_site)
        take_kept(access, &book);
    return VALET_OK;
}

bool
vl_access_client_kept(const struct vl_access *access, const char *id,
                      struct vl_access_client *ret)
{
    vl_auto(vl_book) book = {{NULL}};
    *ret = (struct vl_access_client){.id = NULL};
    return vl_book_load(access->keep, &book, NULL) == VALET_OK &&
           vl_book_client(&book, access->site.issuer, id, ret);
}

/* --- into the book --- */

/* @spec CL-13: with another issuer, or for another resource, nothing of the
 * former is used. */
void
vl_access_learn(struct vl_access *access, struct vl_site *site)
{
    valet_error err;
    vl_auto(vl_book) book = {{NULL}};
    bool is_same =
        access->has_site && strcmp(access->site.issuer, site->issuer) == 0 &&
        vl_str_eq(vl_str_z(access->site.resource), vl_str_z(site->resource));
    vl_site_done(&access->site);
    access->site = vl_site_take(site);
    access->has_site = true;
    if (vl_book_put_site(access->keep, access->url, &access->site, &err) !=
        VALET_OK)
        say_unkept(access, &err);
    if (is_same)
        return;
    forget_tokens(access);
    if (vl_book_load(access->keep, &book, NULL) == VALET_OK)
        take_kept(access, &book);
}

static void
keep_tokens(struct vl_access *access)
{
    struct vl_book_key key = key_of(access);
    valet_error err;
    access->is_unkept = vl_book_put_tokens(access->keep, &key, &access->tokens,
                                           &err) != VALET_OK;
    if (access->is_unkept)
        say_unkept(access, &err);
}

static void
replace(char **text, const char *by)
{
    char *copy = by ? vl_strdup(by) : NULL;
    free(*text);
    *text = copy;
}

/* @spec CL-18: a refresh token is not always given again (RFC 6749 section 6).
 */
void
vl_access_take(struct vl_access *access, struct vl_access_tokens *tokens,
               enum vl_access_origin origin, const char *asked,
               const char *client_id)
{
    struct vl_access_tokens *mine = &access->tokens.tokens;
    if (origin == VL_ACCESS_RENEWED) {
        if (vl_secret_is_empty(&tokens->refresh)) {
            tokens->refresh = mine->refresh;
            mine->refresh = (struct vl_secret){NULL, 0};
        }
        if (!tokens->scope) {
            tokens->scope = mine->scope;
            mine->scope = NULL;
        }
    }
    vl_access_tokens_done(mine);
    *mine = *tokens;
    *tokens = (struct vl_access_tokens){.scope = NULL};
    if (asked)
        replace(&access->tokens.asked, asked);
    replace(&access->tokens.client_id, client_id);
    replace(&access->proven, client_id);
    access->origin = origin;
    access->has_worked = false;
    keep_tokens(access);
}

void
vl_access_drop_refresh(struct vl_access *access)
{
    vl_secret_done(&access->tokens.tokens.refresh);
    keep_tokens(access);
}

void
vl_access_drop_client(struct vl_access *access, const char *id)
{
    valet_error err;
    if (vl_book_drop_client(access->keep, access->site.issuer, id, &err) !=
        VALET_OK)
        say_unkept(access, &err);
    if (access->tokens.client_id && strcmp(access->tokens.client_id, id) == 0)
        forget_tokens(access);
}

/* --- how long it lives --- */

static int64_t
now_s(void)
{
    return vl_clock_now(&vl_clock_system) / 1000;
}

/* 0: not told. */
static int64_t
life_of(const struct vl_access_tokens *tokens)
{
    return tokens->expires_at > tokens->got_at
               ? tokens->expires_at - tokens->got_at
               : 0;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool
vl_access_is_alive(const struct vl_access *access)
{
    const struct vl_access_tokens *tokens = &access->tokens.tokens;
    int64_t skew = least(SKEW_S, life_of(tokens) / 10);
    return !vl_secret_is_empty(&tokens->access) &&
           (!tokens->expires_at || now_s() < tokens->expires_at - skew);
}

bool
vl_access_can_renew(const struct vl_access *access)
{
    return access->has_site &&
           !vl_secret_is_empty(&access->tokens.tokens.refresh);
}

/* Several processes come to it at different times: the first renews, and the
 * others find what it got. */
bool
vl_access_is_due(const struct vl_access *access)
{
    const struct vl_access_tokens *tokens = &access->tokens.tokens;
    int64_t life = life_of(tokens);
    int64_t ahead = least(life / 10 > AHEAD_S ? life / 10 : AHEAD_S, life / 5);
    if (!tokens->expires_at || !vl_access_can_renew(access))
        return false;
    ahead -= ahead / 2 * access->jitter / 100;
    return now_s() >= tokens->expires_at - ahead;
}
