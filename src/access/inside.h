/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: what its files share.
 *
 *   access.c   its life, the token to send, who asks and is told
 *   known.c    what is known of the server: looked up in the book, and kept
 *   work.c     one attempt to get a token: whose turn it is, what comes first
 *   renew.c    … by a refresh token
 *   obtain.c   … by a person, or as a program: which client, which scopes
 *   sign_in.c  a person at a browser
 *   probe.c    whether a client that was kept is still known
 *   book*.c    the document
 */
#ifndef VL_ACCESS_INSIDE_H
#define VL_ACCESS_INSIDE_H

#include <stdlib.h>

#include "access/access.h"
#include "access/book.h"
#include "access/probe.h"
#include "access/sign_in.h"
#include "core/list.h"
#include "core/status.h"
#include "keep/lock.h"

/* A person is asked at most so often in so long: a server that takes no token
 * for long would have them sign in again and again (@spec CL-09). */
#define VL_ACCESS_SIGN_INS    5
#define VL_ACCESS_SIGN_INS_MS 600000
/* What was asked for, and the longest challenge; a URL of them is still one
 * that browsers take. */
#define VL_ACCESS_SCOPES_MAX 8192

/* How the token at hand was got. */
enum vl_access_origin {
    VL_ACCESS_FROM_BOOK,
    VL_ACCESS_RENEWED,
    VL_ACCESS_OBTAINED, /* by the client's credentials, or a person */
};

struct vl_access {
    /* --- as configured --- */
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_keep *keep;
    enum vl_access_flow flow;
    char *url, *host;
    char *client_id, *client_issuer, *key_file, *metadata_url, *scope;
    const char *callback_host;
    struct vl_secret client_secret, given;
    unsigned callback_port;
    char *turn_path; /* NULL: there are no others */
    char *who;       /* in the book's keys */
    int64_t timeout_ms;
    void (*tell)(const char *text, const char *url, void *ctx);
    valet_status (*open)(const char *url, void *ctx, valet_error *err);
    void *ctx;
    /* --- what is known --- */
    struct vl_site site;
    bool has_site;
    struct vl_book_tokens tokens; /* empty secrets: none */
    enum vl_access_origin origin;
    bool has_worked;          /* the server has taken it since */
    bool is_unkept;           /* it could not be kept: the book's is older */
    struct vl_keep_mark mark; /* of the keep, when it was looked at */
    int64_t marked_ms; /* vl_mono_now(): when it was last asked for; 0: never */
    unsigned jitter;   /* of this process: 0 to 99 */
    char *proven;      /* id of a client by which tokens came; NULL */
    struct vl_buf rose; /* scopes that were asked for once more, in vain */
    int64_t sign_ins[VL_ACCESS_SIGN_INS]; /* vl_mono_now(), the latest first */
    /* --- renewal ahead --- */
    int64_t rest_until; /* vl_mono_now() */
    unsigned failures;
    /* --- who asks --- */
    struct vl_list asks;
    struct vl_access_work *work; /* NULL: nothing is done */
    bool is_telling, is_dead;
};

struct vl_access_ask {
    struct vl_list node;
    struct vl_access *access;
    int http_status;
    struct vl_site_challenge challenge;
    struct vl_secret sent; /* empty: none */
    bool is_done;
    valet_status status;
    valet_error err;
    vl_access_done *done;
    void *ctx;
};

/* --- known.c --- */

/* The book, once more. What is in memory alone stays. */
valet_status
vl_access_look(struct vl_access *access, valet_error *err) VALET_CHECK;
/* Takes a site that was found (moved out of), and what is kept for it. */
void vl_access_learn(struct vl_access *access, struct vl_site *site);
bool vl_access_is_alive(const struct vl_access *access);
/* Is it time to renew it, while it lives? */
bool vl_access_is_due(const struct vl_access *access);
bool vl_access_can_renew(const struct vl_access *access);
/* Takes the tokens (moved out of). `asked` NULL: as before; a refresh token
 * that is not among them stays. */
void vl_access_take(struct vl_access *access, struct vl_access_tokens *tokens,
                    enum vl_access_origin origin, const char *asked,
                    const char *client_id);
/* The refresh token is good for nothing. */
void vl_access_drop_refresh(struct vl_access *access);
/* `id` NULL: the latest that is kept of this site's issuer. */
bool vl_access_client_kept(const struct vl_access *access, const char *id,
                           struct vl_access_client *ret);
void vl_access_drop_client(struct vl_access *access, const char *id);
void vl_access_say(const struct vl_access *access, const char *text,
                   const char *url);

/* --- work.c --- */

struct vl_access_work {
    struct vl_access *access;
    bool is_ahead; /* nobody waits for it */
    int http_status;
    struct vl_site_challenge challenge;
    struct vl_secret sent;
    struct vl_timer *timer;
    void (*next)(struct vl_access_work *work); /* when it fires */
    struct vl_keep_lock turn;
    int64_t began_ms;    /* since 1970 */
    int64_t deadline_ms; /* vl_mono_now(): for the turn */
    bool has_told, has_discovered, has_renewed, has_registered, is_second;
    struct vl_discover *discover;
    struct vl_register *registration;
    struct vl_redeem *redeem;
    struct vl_access_sign_in *sign_in;
    struct vl_probe *probe;
    struct vl_access_client client;
    struct vl_buf scope; /* to be asked for */
};

/* For the first who asks; NULL: ahead of time. */
void
vl_access_work_start(struct vl_access *access, const struct vl_access_ask *ask);
void vl_access_work_free(struct vl_access_work *work);
void vl_access_work_later(struct vl_access_work *work, int64_t ms,
                          void (*next)(struct vl_access_work *work));
/* Both end it, and tell; nothing may be touched afterwards. */
void vl_access_work_done(struct vl_access_work *work);
void vl_access_work_failed(struct vl_access_work *work, const valet_error *err);
/* Does it want more scopes than the token has? */
bool vl_access_work_is_step_up(const struct vl_access_work *work);
/* Somebody who can be shown a browser waits for it. */
bool vl_access_work_is_wanted(const struct vl_access_work *work);
/* What the server says in its documents, then what is best; not ahead. */
void vl_access_work_discover(struct vl_access_work *work);

/* --- renew.c, obtain.c --- */

void vl_access_renew(struct vl_access_work *work);
void vl_access_obtain(struct vl_access_work *work);
/* A client that was given, or whose metadata document is its id. */
bool vl_access_client_given(const struct vl_access *access,
                            struct vl_access_client *ret);
/* The scopes that the server wants, as far as it says. */
struct vl_str vl_access_work_challenged(const struct vl_access_work *work);
/* Would asking for what the challenge wants change anything? VALET_DENIED: no.
 */
valet_status
vl_access_check_step_up(const struct vl_access_work *work,
                        struct vl_str challenged, valet_error *err) VALET_CHECK;

/* --- access.c --- */

/* Tells those who asked what this work was for. */
void vl_access_tell(struct vl_access *access, const struct vl_access_work *work,
                    const valet_error *err);
/* Delivers; the access may be gone afterwards. */
void vl_access_deliver(struct vl_access *access);

#endif
