/* SPDX-License-Identifier: Apache-2.0
 *
 * The server behind the gate as a process: its pipes, its environment, its end.
 */
#ifndef VL_APPS_STDIO_CHILD_H
#define VL_APPS_STDIO_CHILD_H

#include "apps/stdio/identity.h"
#include "io/child.h"

struct vl_gate_child {
    struct vl_child *process; /* NULL: it has not been started */
    struct vl_identity *identity;
    int to, from; /* ours, of its input and output; -1: none */
};

/* Borrowed for the start. */
struct vl_gate_child_spec {
    char *const *command;  /* ends in NULL */
    bool gives_token;      /* with the identity */
    const char *token_env; /* the variable that gets … */
    const char *token;     /* … this; or NULL */
};

/*
 * Its standard error is ours; its environment is ours without our secrets, and
 * with VL_IDENTITY_VARIABLE (@spec ST-02). `ret` goes to vl_gate_child_done()
 * in any case.
 */
valet_status
vl_gate_child_start(struct vl_loop *loop, const struct vl_gate_child_spec *spec,
                    vl_child_ended *ended, void *ctx, struct vl_gate_child *ret,
                    valet_error *err) VALET_CHECK;
void vl_gate_child_done(struct vl_gate_child *child);

#endif
