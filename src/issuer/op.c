/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/desk.h"

#include "core/status.h"

#define ARENA_MAX 65536

void
vl_op_init(struct vl_op *op, struct vl_issuer *issuer,
           void (*release)(struct vl_op *op))
{
    op->issuer = issuer;
    op->release = release;
    op->arena = vl_arena_of(ARENA_MAX);
    vl_list_add_last(&issuer->ops, &op->node);
}

void
vl_op_end(struct vl_op *op)
{
    vl_list_remove(&op->node);
    for (size_t i = 0; i < op->batch_count; i++)
        vl_store_batch_free(op->batches[i]);
    for (size_t i = 0; i < op->value_count; i++)
        vl_buf_done(&op->values[i]);
    vl_arena_done(&op->arena);
    op->release(op);
}

void
vl_op_go_upstream(struct vl_op *op)
{
    VL_ASSERT(op->issuer && !op->is_upstream);
    op->is_upstream = true;
}

void
vl_op_come_back(struct vl_op *op)
{
    VL_ASSERT(op->issuer && op->is_upstream);
    op->is_upstream = false;
}

void
vl_op_orphan_all(struct vl_issuer *issuer)
{
    VL_LIST_EACH (node, &issuer->ops) {
        struct vl_op *op = VL_CONTAINER(node, struct vl_op, node);
        vl_list_remove(node);
        if (op->orphan)
            op->orphan(op);
        op->issuer = NULL;
        if (op->is_upstream)
            vl_op_end(op); /* nobody else knows of it any more */
    }
}

static void
batch_done(struct vl_store_batch *batch)
{
    struct vl_op *op = batch->ctx;
    if (!op->issuer)
        vl_op_end(op);
    else
        op->next(op);
}

struct vl_store_batch *
vl_op_ask(struct vl_op *op)
{
    VL_ASSERT(op->batch_count < VL_OP_BATCHES);
    struct vl_store_batch *batch = vl_store_batch_new(batch_done, op);
    op->batches[op->batch_count++] = batch;
    return batch;
}

void
vl_op_submit(struct vl_op *op, void (*next)(struct vl_op *op))
{
    struct vl_store_batch *batch = vl_op_answer(op);
    op->next = next;
    if (batch->count == 0)
        next(op);
    else
        vl_store_submit(op->issuer->deps.store, op->issuer->deps.loop, batch);
}

struct vl_store_batch *
vl_op_answer(const struct vl_op *op)
{
    VL_ASSERT(op->batch_count > 0);
    return op->batches[op->batch_count - 1];
}

/* @spec S-70: what cannot be answered is not a yes. */
valet_status
vl_op_read(const struct vl_op *op, size_t i, const struct vl_record_type *type,
           void *ret)
{
    const struct vl_store_batch *batch = vl_op_answer(op);
    VL_ASSERT(i < batch->count);
    const struct vl_store_op *step = &batch->ops[i];
    if (batch->status == VALET_DENIED)
        return VALET_DENIED;
    if (batch->status != VALET_OK)
        return batch->status == VALET_NOT_FOUND ? VALET_NOT_FOUND : VALET_RETRY;
    if (step->status == VALET_NOT_FOUND)
        return VALET_NOT_FOUND;
    if (step->status != VALET_OK)
        return VALET_RETRY;
    if (vl_record_read(vl_buf_str(&step->found), type, ret, NULL) != VALET_OK)
        return VALET_DENIED;
    return VALET_OK;
}

struct vl_str
vl_op_keep(struct vl_op *op, struct vl_str text)
{
    struct vl_str kept = vl_arena_dup(&op->arena, text);
    /* Bounded by the limits of requests; see ARENA_MAX. */
    VL_ASSERT(kept.p);
    return kept;
}

struct vl_buf *
vl_op_value(struct vl_op *op)
{
    VL_ASSERT(op->value_count < VL_OP_VALUES);
    struct vl_buf *value = &op->values[op->value_count++];
    *value = vl_buf_of_secret(VL_LIMIT_STORE_VALUE);
    return value;
}

struct vl_store_op *
vl_op_put(struct vl_op *op, enum vl_section section, struct vl_str key,
          const struct vl_record_type *type, const void *record)
{
    struct vl_buf *value = vl_op_value(op);
    vl_record_write(value, type, record);
    struct vl_store_op *step =
        vl_store_add(vl_op_answer(op), VL_STORE_PUT, section, key);
    /* A record that did not fit would be cut: better none (the store
     * refuses what is too long). */
    VL_ASSERT(!value->failed);
    step->value = vl_buf_str(value);
    return step;
}
