/* SPDX-License-Identifier: Apache-2.0
 *
 * What keep_secret_service.so gives to who loads it (core/module.h). The module
 * links nothing of the house, and the house nothing of GLib.
 */
#ifndef VL_KEEP_MODULE_H
#define VL_KEEP_MODULE_H

#include <stddef.h>

#include "core/module.h"

#define VL_KEEP_MODULE_ABI 2
#define VL_KEEP_MODULE_NAME                                                    \
    ((struct vl_module_name){"the Secret Service", "keep_secret_service.so",   \
                             "vl_keep_module", VL_KEEP_MODULE_ABI})

/*
 * All calls block for at most `timeout_ms`. VALET_NOT_FOUND: no session bus or
 * no Secret Service; VALET_DENIED: locked, or refused; VALET_RETRY: no answer
 * in time; VALET_INTERNAL: all else.
 */
struct vl_keep_module {
    struct vl_module module;
    /* Calls `found` with the item's text, borrowed; not if there is none. */
    valet_status (*read)(const char *name, int timeout_ms,
                         void (*found)(const char *text, size_t n, void *ctx),
                         void *ctx, valet_error *err);
    /* `text` ends in NUL and is UTF-8. */
    valet_status (*write)(const char *name, const char *text, int timeout_ms,
                          valet_error *err);
    valet_status (*remove)(const char *name, int timeout_ms, valet_error *err);
};

#endif
