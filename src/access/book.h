/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: what is kept of protected servers, as one JSON document
 * in a keep that all processes of a person share:
 *
 *     {"version": 1,
 *      "sites":   [{"url", "issuer", "resource", "token_endpoint", …}],
 *      "clients": [{"issuer", "id", "secret", "proof", "redirect_uri", …}],
 *      "tokens":  [{"issuer", "resource", "who", "access", "refresh", …}],
 *      "given":   [{"url", "client_id", "issuer"}],
 *      "refused": [{"url", "who", "at", "status", "message"}]}
 *
 * Tokens are found by issuer and resource (@spec CL-13), and by who asked: a
 * program's are not a person's, and those of one client id are not another's.
 * Members that are not known stay. What is no such document, or one of a
 * later version, is refused and never written over. Sections are bounded: what
 * was written longest ago goes first.
 *
 * Calls block, as the keep does.
 */
#ifndef VL_ACCESS_BOOK_H
#define VL_ACCESS_BOOK_H

#include "access/token.h"
#include "keep/keep.h"
#include "json/read.h"

#define VL_BOOK_VERSION 1
/* Of each section; people have a handful of servers. */
#define VL_BOOK_ENTRIES 256

/* A document that was read; its texts are borrowed from it. */
struct vl_book {
    struct vl_json doc;
};
void vl_book_done(struct vl_book *book);
/* No document: an empty book. VALET_INVALID: it is none of ours. */
valet_status vl_book_load(struct vl_keep *keep, struct vl_book *ret,
                          valet_error *err) VALET_CHECK;

/* What was found out about a server; `ret` is inited. */
bool
vl_book_site(const struct vl_book *book, const char *url, struct vl_site *ret);
valet_status
vl_book_put_site(struct vl_keep *keep, const char *url,
                 const struct vl_site *site, valet_error *err) VALET_CHECK;

/* Registered clients. `id` NULL: the latest one. */
bool vl_book_client(const struct vl_book *book, const char *issuer,
                    const char *id, struct vl_access_client *ret);
valet_status vl_book_put_client(struct vl_keep *keep, const char *issuer,
                                const struct vl_access_client *client,
                                valet_error *err) VALET_CHECK;
/* With the tokens that were given to it: they cannot be renewed any more. */
valet_status vl_book_drop_client(struct vl_keep *keep, const char *issuer,
                                 const char *id, valet_error *err) VALET_CHECK;

struct vl_book_key {
    const char *issuer, *resource, *who;
};
/* Owned. */
struct vl_book_tokens {
    struct vl_access_tokens tokens;
    char *asked;     /* all scopes that were asked for; "" if none */
    char *client_id; /* whom they were given to */
};
void vl_book_tokens_done(struct vl_book_tokens *tokens);
bool vl_book_tokens(const struct vl_book *book, const struct vl_book_key *key,
                    struct vl_book_tokens *ret);
valet_status
vl_book_put_tokens(struct vl_keep *keep, const struct vl_book_key *key,
                   const struct vl_book_tokens *tokens,
                   valet_error *err) VALET_CHECK;

/* Which issuer a client id that was given belongs to, for this server; {NULL}:
 * it was not met yet (@spec CL-13). */
struct vl_str vl_book_given(const struct vl_book *book, const char *url,
                            const char *client_id);
valet_status
vl_book_put_given(struct vl_keep *keep, const char *url, const char *client_id,
                  const char *issuer, valet_error *err) VALET_CHECK;

/* A sign-in that came to nothing: of several processes that waited for it, the
 * others shall not ask the same person again. Milliseconds since 1970. */
bool vl_book_refused(const struct vl_book *book, const char *url,
                     const char *who, int64_t *ret_at, valet_error *ret_err);
valet_status
vl_book_put_refused(struct vl_keep *keep, const char *url, const char *who,
                    int64_t at, const valet_error *why,
                    valet_error *err) VALET_CHECK;

/* All of a server. VALET_NOT_FOUND: there was nothing. */
valet_status vl_book_forget(struct vl_keep *keep, const char *url,
                            valet_error *err) VALET_CHECK;

#endif
