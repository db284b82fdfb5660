/* SPDX-License-Identifier: Apache-2.0
 *
 * A way to sign in.
 */
#ifndef VL_CLIENT_METHOD_H
#define VL_CLIENT_METHOD_H

#include "valet/entra.h"

struct vl_sign_in;

struct vl_method {
    unsigned bit; /* VALET_METHOD_… */
    const char *name;
    valet_source source;
    /* Begins it: it ends by one of the functions of sign_in.h, later. Not
     * VALET_OK: it cannot be used here. *ret is what `free` gets. */
    valet_status (*begin)(struct vl_sign_in *sign_in, void **ret,
                          valet_error *err);
    void (*free)(void *at_work);
    /* The caller has opened the URL (VALET_OK), or could not. May be NULL. */
    void (*opened)(void *at_work, const valet_error *error);
};

extern const struct vl_method vl_method_broker;
extern const struct vl_method vl_method_browser;
extern const struct vl_method vl_method_device;

#endif
