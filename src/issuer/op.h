/* SPDX-License-Identifier: Apache-2.0
 *
 * An operation of the desk: it asks the store, or the provider, and goes on in
 * a callback. It is on the issuer's list as long as it lives. If the issuer
 * goes while the store is being asked, the struct waits, alone, for its
 * answer: the store works on memory of ours until then. If the provider is,
 * the struct goes at once, and its secrets with it: the provider was freed
 * before the issuer and calls nobody back (issuer.h).
 */
#ifndef VL_ISSUER_OP_H
#define VL_ISSUER_OP_H

#include "core/arena.h"
#include "issuer/inside.h"
#include "issuer/record.h"

#define VL_OP_BATCHES 16
#define VL_OP_VALUES  48

struct vl_op {
    struct vl_list node;
    struct vl_issuer *issuer;          /* NULL: it is gone, be silent */
    bool is_upstream;                  /* the provider owes it a call */
    void (*next)(struct vl_op *op);    /* after the store's answer */
    void (*orphan)(struct vl_op *op);  /* the issuer goes; may be NULL */
    void (*release)(struct vl_op *op); /* frees what contains this op */
    struct vl_store_batch *batches[VL_OP_BATCHES]; /* asked so far */
    size_t batch_count;
    struct vl_buf values[VL_OP_VALUES]; /* what was written, wiped at the end */
    size_t value_count;
    struct vl_arena arena; /* parameters, keys and the like; not the exchange's,
                              which ends with the answer; wiped at the end */
};

void vl_op_init(struct vl_op *op, struct vl_issuer *issuer,
                void (*release)(struct vl_op *op));
/* Off the list, batches and values freed, then `release`. */
void vl_op_end(struct vl_op *op);
/* Right before the provider is asked, and first of all when it answers. */
void vl_op_go_upstream(struct vl_op *op);
void vl_op_come_back(struct vl_op *op);
/* The issuer goes: silences all that is under way. */
void vl_op_orphan_all(struct vl_issuer *issuer);

/* The batch of the next question. It lives as long as the op. */
struct vl_store_batch *vl_op_ask(struct vl_op *op);
/* Goes on in `next` when the store has answered; at once if the batch has no
 * steps. */
void vl_op_submit(struct vl_op *op, void (*next)(struct vl_op *op));
/* The last batch, answered. */
struct vl_store_batch *vl_op_answer(const struct vl_op *op);
/*
 * What step `i` of the last batch found. NOT_FOUND; DENIED: a record of the
 * batch does not open or is none; RETRY: the store cannot say (@spec S-70).
 */
valet_status
vl_op_read(const struct vl_op *op, size_t i, const struct vl_record_type *type,
           void *ret) VALET_CHECK;
/* Text that lives as long as the op. */
struct vl_str vl_op_keep(struct vl_op *op, struct vl_str text);
/* A secret buffer that lives as long as the op. */
struct vl_buf *vl_op_value(struct vl_op *op);
/* PUT of a record. */
struct vl_store_op *
vl_op_put(struct vl_op *op, enum vl_section section, struct vl_str key,
          const struct vl_record_type *type, const void *record);

#endif
