/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"
#include "keep/driver.h"

struct memory {
    struct vl_keep keep; /* first: a keep is cast to its place */
    struct vl_buf document;
};

static valet_status
memory_read(struct vl_keep *keep, struct vl_buf *out, valet_error *err)
{
    vl_buf_add(out, vl_buf_str(&((struct memory *)keep)->document));
    return vl_buf_check(out, err);
}

static valet_status
memory_write(struct vl_keep *keep, struct vl_str document, valet_error *err)
{
    struct memory *memory = (struct memory *)keep;
    vl_buf_done(&memory->document);
    vl_buf_add(&memory->document, document);
    return vl_buf_check(&memory->document, err);
}

static valet_status
memory_forget(struct vl_keep *keep, valet_error *err)
{
    (void)err;
    vl_buf_done(&((struct memory *)keep)->document);
    return VALET_OK;
}

static void
memory_free(struct vl_keep *keep)
{
    vl_buf_done(&((struct memory *)keep)->document);
}

struct vl_keep *
vl_keep_open_memory(void)
{
    static const struct vl_keep_ops ops = {memory_read, memory_write,
                                           memory_forget, memory_free};
    struct memory *memory = vl_alloc(sizeof *memory);
    *memory = (struct memory){
        .keep = {.ops = &ops, .lock = vl_buf_of(1)},
        .document = vl_buf_of_secret(VL_LIMIT_KEEP),
    };
    return &memory->keep;
}
