/* SPDX-License-Identifier: Apache-2.0
 *
 * What keep_secret_service.so gives to who loads it. The two are built and
 * installed together; the number notices a module that was left behind. The
 * module links nothing of the house, and the house nothing of GLib.
 */
#ifndef VL_KEEP_MODULE_H
#define VL_KEEP_MODULE_H

#include <stddef.h>

#include "valet/status.h"

#define VL_KEEP_MODULE_ABI    1
#define VL_KEEP_MODULE_SYMBOL "vl_keep_module_get"

/*
 * All calls block for at most `timeout_ms`. VALET_NOT_FOUND: no session bus or
 * no Secret Service; VALET_DENIED: locked, or refused; VALET_RETRY: no answer
 * in time; VALET_INTERNAL: all else.
 */
struct vl_keep_module {
    unsigned abi;
    /* Calls `found` with the item's text, borrowed; not if there is none. */
    valet_status (*read)(const char *name, int timeout_ms,
                         void (*found)(const char *text, size_t n, void *ctx),
                         void *ctx, valet_error *err);
    /* `text` ends in NUL and is UTF-8. */
    valet_status (*write)(const char *name, const char *text, int timeout_ms,
                          valet_error *err);
    valet_status (*remove)(const char *name, int timeout_ms, valet_error *err);
};

typedef const struct vl_keep_module *vl_keep_module_get_fn(void);

#endif
