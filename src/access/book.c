/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what is kept; book_edit.c writes it.
 */
#include "access/book.h"

#include "access/book_inside.h"
#include "access/documents.h"
#include "core/status.h"

/* --- the document --- */

void
vl_book_done(struct vl_book *book)
{
    vl_json_done(&book->doc);
}

static bool
is_section(enum vl_json_kind kind)
{
    return kind == VL_JSON_ABSENT || kind == VL_JSON_ARRAY;
}

valet_status
vl_book_parse(struct vl_str text, struct vl_book *ret, valet_error *err)
{
    int64_t version = 0;
    vl_auto(vl_json) doc = {NULL};
    *ret = (struct vl_book){{NULL}};
    if (!text.n)
        return VALET_OK;
    bool is_ours =
        vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK &&
        vl_json_get_int(doc.root, "version", &version) && version > 0;
    if (is_ours && version > VL_BOOK_VERSION)
        return vl_fail(err, VALET_INVALID, "",
                       "what is kept of MCP servers was written by a later "
                       "version of mcp-valet: use that one");
    for (size_t i = 0; is_ours && i < VL_BOOK_SECTION_COUNT; i++)
        is_ours = is_section(
            vl_json_kind(vl_json_get(doc.root, vl_book_sections[i].name)));
    if (!is_ours)
        return vl_fail(err, VALET_INVALID, "",
                       "what is kept of MCP servers cannot be read: it is "
                       "damaged, or not of mcp-valet; nothing was changed");
    ret->doc = doc;
    doc.root = NULL;
    return VALET_OK;
}

valet_status
vl_book_load(struct vl_keep *keep, struct vl_book *ret, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_KEEP);
    *ret = (struct vl_book){{NULL}};
    VL_TRY(vl_keep_read(keep, &text, err));
    return vl_book_parse(vl_buf_str(&text), ret, err);
}

bool
vl_book_matches(const struct json_t *entry, const struct vl_book_match *match)
{
    for (size_t i = 0; i < VL_BOOK_FIELDS && match->fields[i].name; i++) {
        struct vl_str have = vl_json_get_str(entry, match->fields[i].name);
        if (!have.p || !vl_str_eq(have, match->fields[i].value))
            return false;
    }
    return true;
}

/* The one that was written last. */
static const struct json_t *
find(const struct vl_book *book, enum vl_book_section section,
     const struct vl_book_match *match)
{
    const struct json_t *list =
        vl_json_get(book->doc.root, vl_book_sections[section].name);
    for (size_t i = vl_json_size(list); i > 0; i--)
        if (vl_book_matches(vl_json_at(list, i - 1), match))
            return vl_json_at(list, i - 1);
    return NULL;
}

/* --- words --- */

static unsigned
read_proofs(const struct json_t *words)
{
    unsigned ret = 0;
    for (size_t i = 0; i < vl_json_size(words); i++)
        ret |= vl_proof_of_name(vl_json_str(vl_json_at(words, i)));
    return ret;
}

/* NULL if it is not there. */
static char *
dup_text(const struct json_t *entry, const char *name)
{
    struct vl_str text = vl_json_get_str(entry, name);
    if (!text.p)
        return NULL;
    char *ret = vl_alloc(text.n + 1);
    memcpy(ret, text.p, text.n);
    ret[text.n] = 0;
    return ret;
}

static int64_t
read_int(const struct json_t *entry, const char *name)
{
    int64_t value = 0;
    return vl_json_get_int(entry, name, &value) && value > 0 ? value : 0;
}

/* --- sites --- */

bool
vl_book_site(const struct vl_book *book, const char *url, struct vl_site *ret)
{
    const struct vl_book_match match = {{{"url", vl_str_z(url)}}};
    const struct json_t *entry = find(book, VL_BOOK_SITES, &match);
    const struct {
        const char *name, **to;
    } texts[] = {
        {"issuer", &ret->issuer},
        {"resource", &ret->resource},
        {"authorization_endpoint", &ret->authorization_endpoint},
        {"token_endpoint", &ret->token_endpoint},
        {"registration_endpoint", &ret->registration_endpoint},
        {"no_sign_in", &ret->no_sign_in},
        {"resource_scopes", &ret->resource_scopes},
    };
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        struct vl_str text = vl_json_get_str(entry, texts[i].name);
        *texts[i].to = text.p ? vl_arena_cstr(&ret->arena, text) : NULL;
    }
    ret->offers_offline_access =
        vl_json_is_true(vl_json_get(entry, "offers_offline_access"));
    ret->takes_metadata_url =
        vl_json_is_true(vl_json_get(entry, "takes_metadata_url"));
    ret->sends_iss = vl_json_is_true(vl_json_get(entry, "sends_iss"));
    ret->is_entra = vl_json_is_true(vl_json_get(entry, "is_entra"));
    ret->has_documents = vl_json_is_true(vl_json_get(entry, "has_documents"));
    ret->proofs = read_proofs(vl_json_get(entry, "proofs"));
    ret->signs_es256 =
        vl_json_has_str(vl_json_get(entry, "signs"), VL_STR("ES256"));
    ret->signs_rs256 =
        vl_json_has_str(vl_json_get(entry, "signs"), VL_STR("RS256"));
    ret->only_public =
        vl_json_kind(vl_json_get(entry, "only_public")) != VL_JSON_BOOL ||
        vl_json_is_true(vl_json_get(entry, "only_public"));
    return ret->issuer && ret->token_endpoint;
}

/* --- clients --- */

bool
vl_book_client(const struct vl_book *book, const char *issuer, const char *id,
               struct vl_access_client *ret)
{
    struct vl_book_match match = {{{"issuer", vl_str_z(issuer)}}};
    if (id)
        match.fields[1] = (struct vl_book_field){"id", vl_str_z(id)};
    const struct json_t *entry = find(book, VL_BOOK_CLIENTS, &match);
    *ret = (struct vl_access_client){.id = dup_text(entry, "id")};
    if (!ret->id)
        return false;
    ret->secret = vl_secret_of(vl_json_get_str(entry, "secret"));
    ret->proof = vl_proof_of_name(vl_json_get_str(entry, "proof"));
    ret->redirect_uri = dup_text(entry, "redirect_uri");
    ret->secret_ends = read_int(entry, "secret_ends");
    ret->is_registered = true;
    return true;
}

/* --- tokens --- */

void
vl_book_tokens_done(struct vl_book_tokens *tokens)
{
    vl_access_tokens_done(&tokens->tokens);
    free(tokens->asked);
    free(tokens->client_id);
    tokens->asked = tokens->client_id = NULL;
}

struct vl_book_match
vl_book_match_key(const struct vl_book_key *key)
{
    return (struct vl_book_match){{{"issuer", vl_str_z(key->issuer)},
                                   {"resource", vl_str_z(key->resource)},
                                   {"who", vl_str_z(key->who)}}};
}

/* @spec CL-13 CL-16 */
bool
vl_book_tokens(const struct vl_book *book, const struct vl_book_key *key,
               struct vl_book_tokens *ret)
{
    const struct vl_book_match match = vl_book_match_key(key);
    const struct json_t *entry = find(book, VL_BOOK_TOKENS, &match);
    *ret = (struct vl_book_tokens){.asked = NULL};
    if (!entry)
        return false;
    ret->tokens.access = vl_secret_of(vl_json_get_str(entry, "access"));
    ret->tokens.refresh = vl_secret_of(vl_json_get_str(entry, "refresh"));
    ret->tokens.scope = dup_text(entry, "scope");
    ret->tokens.expires_at = read_int(entry, "expires_at");
    ret->tokens.got_at = read_int(entry, "got_at");
    ret->asked = dup_text(entry, "asked");
    if (!ret->asked)
        ret->asked = vl_strdup("");
    ret->client_id = dup_text(entry, "client_id");
    return true;
}

/* --- client ids that were given; sign-ins that failed --- */

struct vl_str
vl_book_given(const struct vl_book *book, const char *url,
              const char *client_id)
{
    const struct vl_book_match match = {
        {{"url", vl_str_z(url)}, {"client_id", vl_str_z(client_id)}}};
    return vl_json_get_str(find(book, VL_BOOK_GIVEN, &match), "issuer");
}

bool
vl_book_refused(const struct vl_book *book, const char *url, const char *who,
                int64_t *ret_at, valet_error *ret_err)
{
    const struct vl_book_match match = {
        {{"url", vl_str_z(url)}, {"who", vl_str_z(who)}}};
    const struct json_t *entry = find(book, VL_BOOK_REFUSED, &match);
    int64_t status = read_int(entry, "status");
    if (status <= VALET_OK || status >= VALET_STATUS_COUNT)
        return false;
    *ret_at = read_int(entry, "at");
    (void)vl_fail(ret_err, (valet_status)status, "", VL_STR_FMT,
                  VL_STR_ARG(vl_json_get_str(entry, "message")));
    return true;
}
