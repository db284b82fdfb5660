/* SPDX-License-Identifier: Apache-2.0
 *
 * One request on its way between the caller's thread and the client's: the
 * engine writes notes, the caller reads them (a thread that waits in
 * valet_acquire(), or valet_client_dispatch()). It lives while either of them
 * or a task on its way holds it.
 */
#ifndef VL_CLIENT_CALL_H
#define VL_CLIENT_CALL_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/ready.h"
#include "client/request.h"
#include "core/list.h"
#include "io/loop.h"

struct vl_run;

enum vl_note_kind {
    VL_NOTE_TELL, /* for the person */
    VL_NOTE_OPEN, /* the caller is to open this URL, and to say if it could */
    VL_NOTE_DONE, /* the last one */
};

struct vl_note {
    struct vl_note *next;
    enum vl_note_kind kind;
    unsigned method;
    struct vl_buf failed, url, user_code; /* secret; empty: NULL */
    int64_t expires_at;
    valet_auth_result result; /* DONE; if not moved, it is given back */
    valet_entra_error error;  /* DONE, unless its status is VALET_OK */
};

struct vl_note *vl_note_new(enum vl_note_kind kind);
void vl_note_free(struct vl_note *note); /* NULL is fine */

struct vl_call {
    struct vl_client *client;
    atomic_int holders;
    struct vl_client_request request; /* immutable */
    struct vl_ready_key key;          /* immutable */

    /* The engine's. */
    struct vl_run *run; /* NULL before and after */

    /* From here to there, each at most one on its way. */
    struct vl_task begin, opened, give_up;
    valet_error open_error; /* of `opened`; VALET_OK: it was */

    /* Of both, under the client's lock. */
    struct vl_list node; /* among the client's blocked calls, or its due ones */
    struct vl_note *first, *last;
    bool cancelled;

    /* The caller's. */
    pthread_cond_t arrived;   /* valet_acquire() */
    bool blocks;              /* … or the event loop's form: */
    valet_acquire_done *done; /* NULL when it is not to be called any more */
    void *done_ctx;
};

/* One hold, the caller's. The request may be wrong: `err` says so, and it is
 * then not to be begun. */
struct vl_call *vl_call_new(struct vl_client *client,
                            const valet_request *request, valet_error *err);
void vl_call_hold(struct vl_call *call);
void vl_call_drop(struct vl_call *call);

/* The engine's side: gives a note to the caller. */
void vl_call_note(struct vl_call *call, struct vl_note *note);

/* The caller's side. */

/* Posts it to the engine, which holds it until the last note. */
void vl_call_begin(struct vl_call *call);
/* The caller wants nothing of it any more. */
void vl_call_give_up(struct vl_call *call);
/* The next note, or NULL. With the client's lock held. */
struct vl_note *vl_call_take(struct vl_call *call);
/* Does what a note says, other than DONE. Without the lock. */
void vl_call_follow(struct vl_call *call, const struct vl_note *note);

#endif
