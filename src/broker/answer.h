/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to this room: what the broker answers. Slices are of the documents.
 */
#ifndef VL_BROKER_ANSWER_H
#define VL_BROKER_ANSWER_H

#include "broker/broker.h"
#include "core/arena.h"
#include "core/limits.h"
#include "json/read.h"

/* An answer and, where it holds JSON as text, that too. */
struct vl_broker_answer {
    struct vl_json outer, inner;
    struct vl_arena arena; /* of what had to be put together */
};

struct vl_broker_answer vl_broker_answer_of(void);
void vl_broker_answer_done(struct vl_broker_answer *answer);

struct vl_broker_list {
    size_t count;
    struct vl_broker_account accounts[VL_LIMIT_BROKER_ACCOUNTS];
    const struct json_t *told[VL_LIMIT_BROKER_ACCOUNTS]; /* the same, whole */
};

/*
 * Each reads a text into an empty answer. False: it is a refusal, or nonsense,
 * and `ret_error` (but for its correlation id) says so. Accounts without an id
 * or a username, and more than fit, are left out.
 */
bool
vl_broker_read_accounts(struct vl_str text, struct vl_broker_answer *answer,
                        struct vl_broker_list *ret,
                        valet_entra_error *ret_error) VALET_CHECK;
/* ret->access is the caller's. `interactive`: the person was asked. */
bool vl_broker_read_token(struct vl_str text, bool interactive,
                          struct vl_broker_answer *answer,
                          struct vl_broker_token *ret,
                          valet_entra_error *ret_error) VALET_CHECK;
bool vl_broker_read_version(struct vl_str text, struct vl_broker_answer *answer,
                            struct vl_str *ret,
                            valet_entra_error *ret_error) VALET_CHECK;

#endif
