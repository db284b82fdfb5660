/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing what is kept: all that is there stays as it is, but for the entries
 * of a change. Who reads between reading and writing is kept out by the keep's
 * lock; two processes that change different things lose nothing.
 */
#include "access/book_inside.h"
#include "access/documents.h"
#include "core/status.h"
#include "json/write.h"

const struct vl_book_section_form vl_book_sections[VL_BOOK_SECTION_COUNT] = {
    [VL_BOOK_SITES] = {"sites",
                       {"url", "issuer", "resource", "authorization_endpoint",
                        "token_endpoint", "registration_endpoint",
                        "resource_scopes", "offers_offline_access",
                        "takes_metadata_url", "sends_iss", "is_entra",
                        "has_documents", "no_sign_in", "only_public", "proofs",
                        "signs"}},
    [VL_BOOK_CLIENTS] = {"clients",
                         {"issuer", "id", "secret", "proof", "redirect_uri",
                          "secret_ends"}},
    [VL_BOOK_TOKENS] = {"tokens",
                        {"issuer", "resource", "who", "client_id", "access",
                         "refresh", "scope", "asked", "expires_at", "got_at"}},
    [VL_BOOK_GIVEN] = {"given", {"url", "client_id", "issuer"}},
    [VL_BOOK_REFUSED] = {"refused", {"url", "who", "at", "status", "message"}},
};

/* --- changes --- */

struct change {
    enum vl_book_section section;
    struct vl_book_match match; /* these go */
    /* NULL, or which of them stay after all. */
    bool (*spares)(const struct vl_book *book, const struct json_t *entry,
                   const void *ctx);
    const void *ctx;
    /* Writes the members of what comes in their place; NULL: nothing does. */
    void (*write)(struct vl_json_out *out, const void *what);
    const void *what;
};

struct edit {
    const struct change *changes;
    size_t count;
    const struct vl_book *book; /* as it was */
    struct vl_json_out *out;
    const struct vl_book_section_form *form;
};

static bool
is_replaced(const struct edit *edit, const struct change *change,
            const struct json_t *entry)
{
    return vl_book_matches(entry, &change->match) &&
           !(change->spares && change->spares(edit->book, entry, change->ctx));
}

static bool
keep_unknown(struct vl_str key, const struct json_t *value, void *ctx)
{
    const struct edit *edit = ctx;
    for (size_t i = 0; i < VL_COUNT(edit->form->members); i++)
        if (vl_str_eq(key, vl_str_z(edit->form->members[i])))
            return true;
    vl_json_add_value(edit->out, key.p, value);
    return true;
}

static void
write_section(struct edit *edit, const struct change *change)
{
    struct vl_json_out *out = edit->out;
    edit->form = &vl_book_sections[change->section];
    const struct json_t *old = NULL, *list = vl_json_get(edit->book->doc.root,
                                                         edit->form->name);
    size_t count = vl_json_size(list), kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_replaced(edit, change, vl_json_at(list, i)))
            old = vl_json_at(list, i);
        else
            kept++;
    }
    size_t room = VL_BOOK_ENTRIES - (change->write ? 1 : 0);
    vl_json_open_key(out, edit->form->name, '[');
    for (size_t i = 0; i < count; i++) {
        if (is_replaced(edit, change, vl_json_at(list, i)))
            continue;
        if (kept-- <= room)
            vl_json_add_value(out, NULL, vl_json_at(list, i));
    }
    if (change->write) {
        vl_json_open(out, '{');
        change->write(out, change->what);
        vl_json_each(old, keep_unknown, edit);
        vl_json_close(out, '}');
    }
    vl_json_close(out, ']');
}

static const struct change *
change_of(const struct edit *edit, struct vl_str name)
{
    for (size_t i = 0; i < edit->count; i++)
        if (vl_str_eqz(name, vl_book_sections[edit->changes[i].section].name))
            return &edit->changes[i];
    return NULL;
}

static bool
copy_member(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct edit *edit = ctx;
    if (!change_of(edit, key))
        vl_json_add_value(edit->out, key.p, value);
    return true;
}

static valet_status
apply(struct vl_str old, struct vl_buf *ret, void *ctx, valet_error *err)
{
    struct edit *edit = ctx;
    struct vl_json_out out = {ret, false};
    vl_auto(vl_book) book = {{NULL}};
    VL_TRY(vl_book_parse(old, &book, err));
    edit->book = &book;
    edit->out = &out;
    vl_json_open(&out, '{');
    if (!book.doc.root)
        vl_json_add_int(&out, "version", VL_BOOK_VERSION);
    vl_json_each(book.doc.root, copy_member, edit);
    for (size_t i = 0; i < edit->count; i++)
        write_section(edit, &edit->changes[i]);
    vl_json_close(&out, '}');
    return VALET_OK;
}

/* Changes are of different sections. */
static valet_status
update(struct vl_keep *keep, const struct change *changes, size_t count,
       valet_error *err)
{
    struct edit edit = {.changes = changes, .count = count};
    return vl_keep_update(keep, apply, &edit, err);
}

/* --- sites --- */

struct site_at {
    const char *url;
    const struct vl_site *site;
};

static void
add_if(struct vl_json_out *out, const char *name, const char *text)
{
    if (text)
        vl_json_add_z(out, name, text);
}

static void
write_site(struct vl_json_out *out, const void *what)
{
    const struct site_at *at = what;
    const struct vl_site *site = at->site;
    vl_json_add_z(out, "url", at->url);
    vl_json_add_z(out, "issuer", site->issuer);
    add_if(out, "resource", site->resource);
    add_if(out, "authorization_endpoint", site->authorization_endpoint);
    add_if(out, "token_endpoint", site->token_endpoint);
    add_if(out, "registration_endpoint", site->registration_endpoint);
    add_if(out, "no_sign_in", site->no_sign_in);
    add_if(out, "resource_scopes", site->resource_scopes);
    vl_json_add_bool(out, "offers_offline_access", site->offers_offline_access);
    vl_json_add_bool(out, "takes_metadata_url", site->takes_metadata_url);
    vl_json_add_bool(out, "sends_iss", site->sends_iss);
    vl_json_add_bool(out, "is_entra", site->is_entra);
    vl_json_add_bool(out, "has_documents", site->has_documents);
    vl_json_add_bool(out, "only_public", site->only_public);
    vl_json_open_key(out, "proofs", '[');
    for (unsigned bit = 1; bit <= VL_PROOF_PRIVATE_KEY_JWT; bit <<= 1)
        if (site->proofs & bit)
            vl_json_add_z(out, NULL, vl_proof_name(bit));
    vl_json_close(out, ']');
    vl_json_open_key(out, "signs", '[');
    if (site->signs_es256)
        vl_json_add_z(out, NULL, "ES256");
    if (site->signs_rs256)
        vl_json_add_z(out, NULL, "RS256");
    vl_json_close(out, ']');
}

valet_status
vl_book_put_site(struct vl_keep *keep, const char *url,
                 const struct vl_site *site, valet_error *err)
{
    const struct site_at at = {url, site};
    const struct change change = {.section = VL_BOOK_SITES,
                                  .match = {{{"url", vl_str_z(url)}}},
                                  .write = write_site,
                                  .what = &at};
    return update(keep, &change, 1, err);
}

/* --- clients --- */

struct client_of {
    const char *issuer;
    const struct vl_access_client *client;
};

static void
write_client(struct vl_json_out *out, const void *what)
{
    const struct client_of *of = what;
    const struct vl_access_client *client = of->client;
    vl_json_add_z(out, "issuer", of->issuer);
    vl_json_add_z(out, "id", client->id);
    if (!vl_secret_is_empty(&client->secret))
        vl_json_add_str(out, "secret", vl_secret_reveal(&client->secret));
    add_if(out, "proof", vl_proof_name(client->proof));
    add_if(out, "redirect_uri", client->redirect_uri);
    if (client->secret_ends)
        vl_json_add_int(out, "secret_ends", client->secret_ends);
}

valet_status
vl_book_put_client(struct vl_keep *keep, const char *issuer,
                   const struct vl_access_client *client, valet_error *err)
{
    const struct client_of of = {issuer, client};
    const struct change change = {
        .section = VL_BOOK_CLIENTS,
        .match = {{{"issuer", vl_str_z(issuer)}, {"id", vl_str_z(client->id)}}},
        .write = write_client,
        .what = &of};
    return update(keep, &change, 1, err);
}

valet_status
vl_book_drop_client(struct vl_keep *keep, const char *issuer, const char *id,
                    valet_error *err)
{
    const struct change changes[] = {
        {.section = VL_BOOK_CLIENTS,
         .match = {{{"issuer", vl_str_z(issuer)}, {"id", vl_str_z(id)}}}},
        {.section = VL_BOOK_TOKENS,
         .match = {{{"issuer", vl_str_z(issuer)},
                    {"client_id", vl_str_z(id)}}}},
    };
    return update(keep, changes, VL_COUNT(changes), err);
}

/* --- tokens --- */

struct tokens_of {
    const struct vl_book_key *key;
    const struct vl_book_tokens *tokens;
};

static void
write_tokens(struct vl_json_out *out, const void *what)
{
    const struct tokens_of *of = what;
    const struct vl_access_tokens *tokens = &of->tokens->tokens;
    vl_json_add_z(out, "issuer", of->key->issuer);
    vl_json_add_z(out, "resource", of->key->resource);
    vl_json_add_z(out, "who", of->key->who);
    add_if(out, "client_id", of->tokens->client_id);
    if (!vl_secret_is_empty(&tokens->access))
        vl_json_add_str(out, "access", vl_secret_reveal(&tokens->access));
    if (!vl_secret_is_empty(&tokens->refresh))
        vl_json_add_str(out, "refresh", vl_secret_reveal(&tokens->refresh));
    add_if(out, "scope", tokens->scope);
    add_if(out, "asked", of->tokens->asked);
    if (tokens->expires_at)
        vl_json_add_int(out, "expires_at", tokens->expires_at);
    vl_json_add_int(out, "got_at", tokens->got_at);
}

valet_status
vl_book_put_tokens(struct vl_keep *keep, const struct vl_book_key *key,
                   const struct vl_book_tokens *tokens, valet_error *err)
{
    const struct tokens_of of = {key, tokens};
    const struct change change = {.section = VL_BOOK_TOKENS,
                                  .match = vl_book_match_key(key),
                                  .write = write_tokens,
                                  .what = &of};
    return update(keep, &change, 1, err);
}

/* --- client ids that were given; sign-ins that failed --- */

struct given {
    const char *url, *client_id, *issuer;
};

static void
write_given(struct vl_json_out *out, const void *what)
{
    const struct given *given = what;
    vl_json_add_z(out, "url", given->url);
    vl_json_add_z(out, "client_id", given->client_id);
    vl_json_add_z(out, "issuer", given->issuer);
}

valet_status
vl_book_put_given(struct vl_keep *keep, const char *url, const char *client_id,
                  const char *issuer, valet_error *err)
{
    const struct given given = {url, client_id, issuer};
    const struct change change = {
        .section = VL_BOOK_GIVEN,
        .match = {{{"url", vl_str_z(url)}, {"client_id", vl_str_z(client_id)}}},
        .write = write_given,
        .what = &given};
    return update(keep, &change, 1, err);
}

struct refused {
    const char *url, *who;
    int64_t at;
    const valet_error *why;
};

static void
write_refused(struct vl_json_out *out, const void *what)
{
    const struct refused *refused = what;
    vl_json_add_z(out, "url", refused->url);
    vl_json_add_z(out, "who", refused->who);
    vl_json_add_int(out, "at", refused->at);
    vl_json_add_int(out, "status", refused->why->status);
    vl_json_add_z(out, "message", refused->why->message);
}

valet_status
vl_book_put_refused(struct vl_keep *keep, const char *url, const char *who,
                    int64_t at, const valet_error *why, valet_error *err)
{
    const struct refused refused = {url, who, at, why};
    const struct change change = {
        .section = VL_BOOK_REFUSED,
        .match = {{{"url", vl_str_z(url)}, {"who", vl_str_z(who)}}},
        .write = write_refused,
        .what = &refused};
    return update(keep, &change, 1, err);
}

/* --- forgetting --- */

/* Clients by which another server's tokens are renewed. */
static bool
is_used_elsewhere(const struct vl_book *book, const struct json_t *client,
                  const void *resource)
{
    const struct vl_book_match match = {
        {{"issuer", vl_json_get_str(client, "issuer")},
         {"client_id", vl_json_get_str(client, "id")}}};
    const struct json_t *list =
        vl_json_get(book->doc.root, vl_book_sections[VL_BOOK_TOKENS].name);
    for (size_t i = 0; i < vl_json_size(list); i++)
        if (vl_book_matches(vl_json_at(list, i), &match) &&
            !vl_str_eqz(vl_json_get_str(vl_json_at(list, i), "resource"),
                        resource))
            return true;
    return false;
}

static bool
is_there(const struct vl_book *book, const struct change *change)
{
    const struct json_t *list =
        vl_json_get(book->doc.root, vl_book_sections[change->section].name);
    for (size_t i = 0; i < vl_json_size(list); i++)
        if (vl_book_matches(vl_json_at(list, i), &change->match))
            return true;
    return false;
}

valet_status
vl_book_forget(struct vl_keep *keep, const char *url, valet_error *err)
{
    vl_auto(vl_book) book = {{NULL}};
    vl_auto(vl_site) site;
    vl_site_init(&site);
    VL_TRY(vl_book_load(keep, &book, err));
    bool is_known = vl_book_site(&book, url, &site);
    const char *resource = site.resource ? site.resource : url;
    /* The last, of the issuer, only if it is known. */
    const struct change changes[] = {
        {VL_BOOK_SITES, {{{"url", vl_str_z(url)}}}, NULL, NULL, NULL, NULL},
        {VL_BOOK_GIVEN, {{{"url", vl_str_z(url)}}}, NULL, NULL, NULL, NULL},
        {VL_BOOK_REFUSED, {{{"url", vl_str_z(url)}}}, NULL, NULL, NULL, NULL},
        {VL_BOOK_TOKENS,
         {{{"resource", vl_str_z(resource)}}},
         NULL,
         NULL,
         NULL,
         NULL},
        {VL_BOOK_CLIENTS,
         {{{"issuer", vl_str_z(site.issuer)}}},
         is_used_elsewhere,
         resource,
         NULL,
         NULL},
    };
    size_t count = VL_COUNT(changes) - (is_known ? 0 : 1);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || is_there(&book, &changes[i]);
    if (!found)
        return vl_fail(err, VALET_NOT_FOUND, "", "nothing is kept of %s", url);
    return update(keep, changes, count, err);
}
