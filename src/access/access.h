/* SPDX-License-Identifier: Apache-2.0
 *
 * A token for a protected MCP server, whoever its authorization server is: what
 * a program needs that connects to one. One sign-in serves all processes of a
 * person: tokens and registrations are kept (keep/), by issuer and resource
 * (@spec CL-13), and of several processes that need one at once, one asks and
 * the others wait for what it got.
 *
 *   1. a token at hand that lives: vl_access_bearer()
 *   2. else one that another process has kept, else a refresh
 *   3. else the client's own credentials, else a person at a browser
 *
 * A token is renewed ahead of its end, by one process, while the old one still
 * serves. Who may not be asked again and again is remembered: the same
 * challenge twice in a row ends it (@spec CL-09).
 */
#ifndef VL_ACCESS_ACCESS_H
#define VL_ACCESS_ACCESS_H

#include "access/token.h"
#include "keep/keep.h"

struct vl_access;

enum vl_access_flow {
    VL_ACCESS_PERSON,             /* by a browser */
    VL_ACCESS_CLIENT_CREDENTIALS, /* as a program (@spec EX-02) */
    VL_ACCESS_GIVEN,              /* `token`, and nothing else */
};

/* All copied but for what it points to: loop, fetcher, keep, hooks. */
struct vl_access_config {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    const char *url; /* of the MCP server */
    enum vl_access_flow flow;
    /* --- who we are; NULL: registered with each authorization server --- */
    const char *client_id;
    const char *client_issuer; /* the one it is of; NULL: the first that is met,
                                  remembered (@spec CL-13) */
    const struct vl_secret *client_secret;
    const char *client_key_file;     /* PEM */
    const char *client_metadata_url; /* client ID metadata document */
    unsigned callback_port;          /* 0: a free one */
    bool callback_on_localhost;      /* the redirect URI is
                                        http://localhost:PORT/callback; else
                                        http://127.0.0.1:PORT/callback */
    const char *scope;               /* in place of what the server asks for */
    const struct vl_secret *token;   /* GIVEN */
    /* --- where it is kept --- */
    struct vl_keep *keep;  /* in memory alone: vl_keep_open_memory() */
    const char *lock_path; /* files beside it say whose turn it is; NULL: there
                              are no other processes */
    /* --- a person --- */
    int64_t timeout_ms; /* for one sign-in; 0: five minutes */
    /* What happens, for the person, one sentence without a secret. A URL that
     * is opened stands in `url` (it works once), else NULL. */
    void (*tell)(const char *text, const char *url, void *ctx);
    /* Opens it in place of the system's browser; NULL: the system's. */
    valet_status (*open)(const char *url, void *ctx, valet_error *err);
    void *ctx;
};

valet_status
vl_access_new(const struct vl_access_config *config, struct vl_access **ret,
              valet_error *err) VALET_CHECK;
void vl_access_free(struct vl_access *access); /* NULL is fine */

/* The token to send now; NULL: none is known, or it has ended. Borrowed until
 * the loop turns. Looks into the keep at its first call, and sees to it that a
 * token that ends soon is renewed. */
const struct vl_secret *vl_access_bearer(struct vl_access *access);

struct vl_access_ask;
/* VALET_OK: vl_access_bearer() has one that is worth a try. VALET_DENIED: no,
 * and asking again does not help; VALET_RETRY; VALET_CANCELLED: the person did
 * not come, or said no. All else is about this machine: what is kept cannot be
 * read, the port that was chosen is taken. `err` is safe to show, and says what
 * to do. */
typedef void
vl_access_done(valet_status status, const valet_error *err, void *ctx);
/*
 * The server has refused (`headers` of its 401, or of a 403 with
 * insufficient_scope) what `sent` was: NULL, if no token was sent. Several asks
 * at once are one. A token that has changed since `sent` is not renewed.
 */
struct vl_access_ask *
vl_access_ask(struct vl_access *access, int http_status,
              const struct vl_headers *headers, const struct vl_secret *sent,
              vl_access_done *done, void *ctx);
/* Silences and frees it; nobody left who asks: the sign-in ends. *ask becomes
 * NULL. NULL is fine. */
void vl_access_ask_abort(struct vl_access_ask **ask);
/* The server has taken the token: challenges are counted anew. */
void vl_access_worked(struct vl_access *access);

/* Forgets tokens and registration of this server (`--forget`), wherever they
 * are kept. VALET_NOT_FOUND: there were none. */
valet_status vl_access_forget(struct vl_keep *keep, const char *url,
                              valet_error *err) VALET_CHECK;

#endif
