/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in a keep: it is refused and stays, or it is a book, and
 * after each change what was not changed is there as it was.
 */
#include "access/book.h"

#include <stdlib.h>

#include "json/write.h"

#define URL    "https://a.example/mcp"
#define ISSUER "https://as.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static valet_status
put(struct vl_str old, struct vl_buf *out, void *ctx, valet_error *err)
{
    (void)old;
    (void)err;
    vl_buf_add(out, *(const struct vl_str *)ctx);
    return VALET_OK;
}

static void
look(const struct vl_book *book, const struct vl_book_key *key)
{
    vl_auto(vl_site) site;
    vl_auto(vl_book_tokens) tokens;
    vl_auto(vl_access_client) client = {.id = NULL};
    valet_error why;
    int64_t at;
    vl_site_init(&site);
    if (vl_book_site(book, URL, &site))
        VL_ASSERT(site.issuer && site.token_endpoint);
    (void)vl_book_tokens(book, key, &tokens);
    if (vl_book_client(book, ISSUER, NULL, &client))
        VL_ASSERT(client.id && client.is_registered);
    if (vl_book_refused(book, URL, key->who, &at, &why))
        VL_ASSERT(why.status != VALET_OK);
    (void)vl_book_given(book, URL, "id");
}

/* Of a member that no change touches. */
static void
write_later(const struct vl_book *book, struct vl_buf *ret)
{
    struct vl_json_out out = {ret, false};
    const struct json_t *later = vl_json_get(book->doc.root, "later");
    if (later)
        vl_json_add_value(&out, NULL, later);
}

static void
change(struct vl_keep *keep, const struct vl_book *before,
       const struct vl_book_key *key)
{
    vl_auto(vl_book) after = {{NULL}};
    vl_auto(vl_book_tokens) tokens = {
        .tokens = {.access = vl_secret_of(VL_STR("access")), .got_at = 1},
        .asked = vl_strdup("a"),
    };
    vl_auto(vl_book_tokens) found;
    vl_auto(vl_buf) was = vl_buf_of(VL_LIMIT_KEEP);
    vl_auto(vl_buf) is = vl_buf_of(VL_LIMIT_KEEP);
    VL_ASSERT(vl_book_put_tokens(keep, key, &tokens, NULL) == VALET_OK);
    VL_ASSERT(vl_book_load(keep, &after, NULL) == VALET_OK);
    VL_ASSERT(vl_book_tokens(&after, key, &found));
    VL_ASSERT(vl_secret_eq(&found.tokens.access, &tokens.tokens.access));
    write_later(before, &was);
    write_later(&after, &is);
    VL_ASSERT(vl_str_eq(vl_buf_str(&was), vl_buf_str(&is)));
    VL_ASSERT(vl_book_drop_client(keep, ISSUER, "id", NULL) == VALET_OK);
    /* The tokens may be of a resource with another name than its address, and
     * others of the address itself. */
    for (int i = 0; i < 2; i++) {
        valet_status status = vl_book_forget(keep, URL, NULL);
        VL_ASSERT(status == VALET_OK || status == VALET_NOT_FOUND);
    }
    VL_ASSERT(vl_book_forget(keep, URL, NULL) == VALET_NOT_FOUND);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vl_book_key key = {ISSUER, URL, "person "};
    struct vl_str text = vl_str_of(data, size);
    struct vl_keep *keep = vl_keep_open_memory();
    vl_auto(vl_book) book = {{NULL}};
    vl_auto(vl_buf) now = vl_buf_of_secret(VL_LIMIT_KEEP);
    if (vl_keep_update(keep, put, &text, NULL) == VALET_OK) {
        if (vl_book_load(keep, &book, NULL) == VALET_OK) {
            look(&book, &key);
            change(keep, &book, &key);
        } else {
            VL_ASSERT(vl_book_put_given(keep, URL, "id", ISSUER, NULL) ==
                      VALET_INVALID);
            VL_ASSERT(vl_keep_read(keep, &now, NULL) == VALET_OK);
            VL_ASSERT(vl_str_eq(vl_buf_str(&now), text));
        }
    }
    vl_keep_close(keep);
    return 0;
}
