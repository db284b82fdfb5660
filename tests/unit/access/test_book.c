/* SPDX-License-Identifier: Apache-2.0 */
#include "access/book.h"

#include "vl_test.h"

#define URL    "https://mcp.example/mcp"
#define ISSUER "https://as.example"

static const struct vl_book_key key = {ISSUER, URL, "registered"};

static valet_status
put_document(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)old;
    (void)err;
    vl_buf_addz(out, ctx);
    return VALET_OK;
}

static struct vl_keep *
keep_with(const char *document)
{
    struct vl_keep *keep = vl_keep_open_memory();
    char text[4096];
    (void)snprintf(text, sizeof text, "%s", document);
    assert_ok(vl_keep_update(keep, put_document, text, NULL));
    return keep;
}

static void
assert_document(struct vl_keep *keep, const char *wanted)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &text, NULL));
    assert_string_equal(vl_buf_cstr(&text), wanted);
}

static struct vl_book
load(struct vl_keep *keep)
{
    struct vl_book book;
    assert_ok(vl_book_load(keep, &book, NULL));
    return book;
}

static void
put_tokens(struct vl_keep *keep, const struct vl_book_key *at,
           const char *access, const char *client_id)
{
    vl_auto(vl_book_tokens) tokens = {
        .tokens = {.access = vl_secret_of(vl_str_z(access)),
                   .refresh = vl_secret_of(VL_STR("refresh")),
                   .scope = vl_strdup("a b"),
                   .expires_at = 2000,
                   .got_at = 1000},
        .asked = vl_strdup("a b c"),
        .client_id = vl_strdup(client_id),
    };
    assert_ok(vl_book_put_tokens(keep, at, &tokens, NULL));
}

static void
assert_tokens(struct vl_keep *keep, const struct vl_book_key *at,
              const char *access)
{
    vl_auto(vl_book) book = load(keep);
    vl_auto(vl_book_tokens) tokens;
    assert_int_equal(vl_book_tokens(&book, at, &tokens), access != NULL);
    if (access)
        assert_str(vl_secret_reveal(&tokens.tokens.access), access);
}

static void
put_client(struct vl_keep *keep, const char *id)
{
    vl_auto(vl_access_client) client = {
        .id = vl_strdup(id),
        .secret = vl_secret_of(VL_STR("secret")),
        .proof = VL_PROOF_POST,
        .redirect_uri = vl_strdup("http://127.0.0.1:1234/callback"),
        .secret_ends = 5000,
    };
    assert_ok(vl_book_put_client(keep, ISSUER, &client, NULL));
}

static void
put_site(struct vl_keep *keep, const char *url, const char *issuer)
{
    vl_auto(vl_site) site;
    vl_site_init(&site);
    site.issuer = issuer;
    site.resource = url;
    site.token_endpoint = "https://as.example/token";
    assert_ok(vl_book_put_site(keep, url, &site, NULL));
}

/* --- what is kept comes back --- */

static void
a_site_comes_back_as_it_was(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_site) site;
    vl_auto(vl_site) other;
    vl_site_init(&site);
    vl_site_init(&other);
    site.issuer = ISSUER;
    site.resource = "https://mcp.example/";
    site.authorization_endpoint = "https://as.example/authorize";
    site.token_endpoint = "https://as.example/token";
    site.registration_endpoint = "https://as.example/register";
    site.resource_scopes = "a b";
    site.no_sign_in = "no PKCE";
    site.offers_offline_access = site.sends_iss = site.has_documents = true;
    site.proofs = VL_PROOF_NONE | VL_PROOF_PRIVATE_KEY_JWT;
    site.signs_es256 = true;
    assert_ok(vl_book_put_site(keep, URL, &site, NULL));
    vl_auto(vl_book) book = load(keep);
    assert_true(vl_book_site(&book, URL, &other));
    assert_string_equal(other.issuer, site.issuer);
    assert_string_equal(other.resource, site.resource);
    assert_string_equal(other.authorization_endpoint,
                        site.authorization_endpoint);
    assert_string_equal(other.token_endpoint, site.token_endpoint);
    assert_string_equal(other.registration_endpoint,
                        site.registration_endpoint);
    assert_string_equal(other.resource_scopes, site.resource_scopes);
    assert_string_equal(other.no_sign_in, "no PKCE");
    assert_false(other.only_public);
    assert_true(other.offers_offline_access && other.sends_iss &&
                other.has_documents && !other.takes_metadata_url);
    assert_int_equal(other.proofs, site.proofs);
    assert_true(other.signs_es256 && !other.signs_rs256);
    assert_false(vl_book_site(&book, "https://mcp.example/other", &other));
    vl_keep_close(keep);
}

static void
tokens_come_back_as_they_were(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_book_tokens) tokens;
    put_tokens(keep, &key, "access", "client");
    vl_auto(vl_book) book = load(keep);
    assert_true(vl_book_tokens(&book, &key, &tokens));
    assert_str(vl_secret_reveal(&tokens.tokens.access), "access");
    assert_str(vl_secret_reveal(&tokens.tokens.refresh), "refresh");
    assert_string_equal(tokens.tokens.scope, "a b");
    assert_string_equal(tokens.asked, "a b c");
    assert_string_equal(tokens.client_id, "client");
    assert_int_equal(tokens.tokens.expires_at, 2000);
    assert_int_equal(tokens.tokens.got_at, 1000);
    vl_keep_close(keep);
}

/* @spec CL-13 CL-16 */
static void
tokens_are_of_one_issuer_one_resource_and_one_client(void **state)
{
    (void)state;
    static const struct vl_book_key others[] = {
        {"https://other.example", URL, "registered"},
        {ISSUER, "https://mcp.example/", "registered"},
        {ISSUER, URL, "given:id"},
    };
    struct vl_keep *keep = vl_keep_open_memory();
    put_tokens(keep, &key, "mine", "client");
    for (size_t i = 0; i < VL_COUNT(others); i++)
        assert_tokens(keep, &others[i], NULL);
    for (size_t i = 0; i < VL_COUNT(others); i++)
        put_tokens(keep, &others[i], "theirs", "client");
    assert_tokens(keep, &key, "mine");
    vl_keep_close(keep);
}

static void
a_client_is_found_by_its_id_or_is_the_latest(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_access_client) latest = {.id = NULL}, first = {.id = NULL},
                              none = {.id = NULL};
    put_client(keep, "first");
    put_client(keep, "second");
    vl_auto(vl_book) book = load(keep);
    assert_true(vl_book_client(&book, ISSUER, NULL, &latest));
    assert_string_equal(latest.id, "second");
    assert_true(vl_book_client(&book, ISSUER, "first", &first));
    assert_str(vl_secret_reveal(&first.secret), "secret");
    assert_int_equal(first.proof, VL_PROOF_POST);
    assert_int_equal(first.secret_ends, 5000);
    assert_string_equal(first.redirect_uri, "http://127.0.0.1:1234/callback");
    assert_true(first.is_registered);
    assert_false(vl_book_client(&book, "https://other.example", NULL, &none));
    vl_keep_close(keep);
}

static void
a_client_goes_with_its_tokens(void **state)
{
    (void)state;
    static const struct vl_book_key other = {ISSUER, URL "2", "registered"};
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_access_client) client = {.id = NULL};
    put_client(keep, "dead");
    put_client(keep, "living");
    put_tokens(keep, &key, "of the dead", "dead");
    put_tokens(keep, &other, "of the living", "living");
    assert_ok(vl_book_drop_client(keep, ISSUER, "dead", NULL));
    assert_tokens(keep, &key, NULL);
    assert_tokens(keep, &other, "of the living");
    vl_auto(vl_book) book = load(keep);
    assert_false(vl_book_client(&book, ISSUER, "dead", &client));
    vl_keep_close(keep);
}

static void
a_given_client_belongs_to_one_issuer(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    assert_ok(vl_book_put_given(keep, URL, "id", ISSUER, NULL));
    vl_auto(vl_book) book = load(keep);
    assert_str(vl_book_given(&book, URL, "id"), ISSUER);
    assert_null(vl_book_given(&book, URL, "other").p);
    assert_null(vl_book_given(&book, URL "2", "id").p);
    vl_keep_close(keep);
}

static void
a_failed_sign_in_is_told_to_others(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    const valet_error why = {VALET_CANCELLED, "", "nobody came"};
    valet_error told = {VALET_OK, "", ""};
    int64_t at = 0;
    assert_ok(
        vl_book_put_refused(keep, URL, "registered", 123456789, &why, NULL));
    vl_auto(vl_book) book = load(keep);
    assert_true(vl_book_refused(&book, URL, "registered", &at, &told));
    assert_int_equal(at, 123456789);
    assert_int_equal(told.status, VALET_CANCELLED);
    assert_string_equal(told.message, "nobody came");
    assert_false(vl_book_refused(&book, URL, "given:id", &at, &told));
    vl_keep_close(keep);
}

/* --- the document --- */

static void
what_is_not_known_stays(void **state)
{
    (void)state;
    struct vl_keep *keep = keep_with(
        "{\"version\":1,\"later\":{\"a\":[1,2.5]},"
        "\"tokens\":[{\"resource\":\"other\",\"new\":true},\"odd\","
        "{\"issuer\":\"" ISSUER "\",\"resource\":\"" URL
        "\",\"who\":\"registered\",\"refresh\":\"old\",\"new\":[{}]}],"
        "\"more\":[]}");
    vl_auto(vl_book_tokens) tokens = {
        .tokens = {.access = vl_secret_of(VL_STR("new")), .got_at = 7},
        .asked = vl_strdup(""),
    };
    assert_ok(vl_book_put_tokens(keep, &key, &tokens, NULL));
    assert_document(
        keep, "{\"version\":1,\"later\":{\"a\":[1,2.5]},\"more\":[],"
              "\"tokens\":[{\"resource\":\"other\",\"new\":true},\"odd\","
              "{\"issuer\":\"" ISSUER "\",\"resource\":\"" URL
              "\",\"who\":\"registered\",\"access\":\"new\",\"asked\":\"\","
              "\"got_at\":7,\"new\":[{}]}]}");
    vl_keep_close(keep);
}

static void
what_is_no_book_is_refused_and_stays(void **state)
{
    (void)state;
    static const struct {
        const char *document, *why;
    } cases[] = {
        {"{\"version\":2,\"tokens\":{}}", "later version"},
        {"{\"version\":1", "damaged"},
        {"{\"version\":0}", "damaged"},
        {"{\"AccessToken\":{}}", "damaged"},
        {"[1]", "damaged"},
        {"{\"version\":1,\"clients\":{}}", "damaged"},
        {"no JSON", "damaged"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_keep *keep = keep_with(cases[i].document);
        struct vl_book book;
        valet_error err = {VALET_OK, "", ""};
        assert_int_equal(vl_book_load(keep, &book, &err), VALET_INVALID);
        assert_non_null(strstr(err.message, cases[i].why));
        assert_int_equal(vl_book_put_given(keep, URL, "id", ISSUER, &err),
                         VALET_INVALID);
        assert_int_equal(vl_book_forget(keep, URL, &err), VALET_INVALID);
        assert_document(keep, cases[i].document);
        vl_keep_close(keep);
    }
}

static void
malformed_entries_are_not_found(void **state)
{
    (void)state;
    struct vl_keep *keep = keep_with(
        "{\"version\":1,\"sites\":[1,{\"url\":\"" URL
        "\",\"issuer\":7,\"token_endpoint\":\"https://as.example/token\"}],"
        "\"clients\":[{\"issuer\":\"" ISSUER "\",\"id\":[]}],"
        "\"refused\":[{\"url\":\"" URL
        "\",\"who\":\"registered\",\"at\":1,\"status\":99}]}");
    vl_auto(vl_book) book = load(keep);
    vl_auto(vl_site) site;
    struct vl_access_client client;
    int64_t at;
    vl_site_init(&site);
    assert_false(vl_book_site(&book, URL, &site));
    assert_false(vl_book_client(&book, ISSUER, NULL, &client));
    assert_false(vl_book_refused(&book, URL, "registered", &at, NULL));
    vl_keep_close(keep);
}

static void
what_was_written_longest_ago_goes_first(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    char id[32];
    for (int i = 0; i < VL_BOOK_ENTRIES; i++) {
        (void)snprintf(id, sizeof id, "id-%d", i);
        assert_ok(vl_book_put_given(keep, URL, id, ISSUER, NULL));
    }
    /* Written once more: it is the youngest now. */
    assert_ok(vl_book_put_given(keep, URL, "id-0", ISSUER, NULL));
    assert_ok(vl_book_put_given(keep, URL, "one more", ISSUER, NULL));
    vl_auto(vl_book) book = load(keep);
    assert_str(vl_book_given(&book, URL, "id-0"), ISSUER);
    assert_null(vl_book_given(&book, URL, "id-1").p);
    assert_str(vl_book_given(&book, URL, "id-2"), ISSUER);
    assert_str(vl_book_given(&book, URL, "one more"), ISSUER);
    vl_keep_close(keep);
}

/* --- forgetting --- */

static void
forgetting_takes_all_of_one_server(void **state)
{
    (void)state;
    static const struct vl_book_key other = {ISSUER, URL "2", "registered"};
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_access_client) client = {.id = NULL};
    put_site(keep, URL, ISSUER);
    put_site(keep, URL "2", ISSUER);
    put_client(keep, "shared");
    put_client(keep, "alone");
    put_tokens(keep, &key, "mine", "alone");
    put_tokens(keep, &other, "theirs", "shared");
    assert_ok(vl_book_put_given(keep, URL, "id", ISSUER, NULL));
    assert_ok(vl_book_forget(keep, URL, NULL));
    vl_auto(vl_book) book = load(keep);
    vl_auto(vl_site) site;
    vl_site_init(&site);
    assert_false(vl_book_site(&book, URL, &site));
    assert_tokens(keep, &key, NULL);
    assert_null(vl_book_given(&book, URL, "id").p);
    assert_false(vl_book_client(&book, ISSUER, "alone", &client));
    assert_true(vl_book_client(&book, ISSUER, "shared", &client));
    assert_tokens(keep, &other, "theirs");
    vl_keep_close(keep);
}

static void
what_is_not_kept_cannot_be_forgotten(void **state)
{
    (void)state;
    struct vl_keep *keep = vl_keep_open_memory();
    assert_int_equal(vl_book_forget(keep, URL, NULL), VALET_NOT_FOUND);
    assert_document(keep, "");
    put_site(keep, URL, ISSUER);
    assert_int_equal(vl_book_forget(keep, URL "2", NULL), VALET_NOT_FOUND);
    assert_ok(vl_book_forget(keep, URL, NULL));
    assert_int_equal(vl_book_forget(keep, URL, NULL), VALET_NOT_FOUND);
    vl_keep_close(keep);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_comes_back_as_it_was),
        cmocka_unit_test(tokens_come_back_as_they_were),
        cmocka_unit_test(tokens_are_of_one_issuer_one_resource_and_one_client),
        cmocka_unit_test(a_client_is_found_by_its_id_or_is_the_latest),
        cmocka_unit_test(a_client_goes_with_its_tokens),
        cmocka_unit_test(a_given_client_belongs_to_one_issuer),
        cmocka_unit_test(a_failed_sign_in_is_told_to_others),
        cmocka_unit_test(what_is_not_known_stays),
        cmocka_unit_test(what_is_no_book_is_refused_and_stays),
        cmocka_unit_test(malformed_entries_are_not_found),
        cmocka_unit_test(what_was_written_longest_ago_goes_first),
        cmocka_unit_test(forgetting_takes_all_of_one_server),
        cmocka_unit_test(what_is_not_kept_cannot_be_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
