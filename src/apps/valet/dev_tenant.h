/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-in tenant as a child of `serve --dev`: the program that lies
 * beside our own executable, never one from PATH. It ends when we do.
 */
#ifndef VL_APPS_VALET_DEV_TENANT_H
#define VL_APPS_VALET_DEV_TENANT_H

#include <sys/types.h>

#include "core/secret.h"

struct vl_dev_tenant {
    pid_t pid;
    int lifeline; /* its standard input: it ends when this closes */
    int output;
    char authority[128]; /* http://127.0.0.1:PORT */
    char tenant_url[192];
    char tenant_id[64];
    char client_id[64];
    struct vl_secret client_secret;
};

/* Asks the program what it knows (--describe), starts it on `listen` and
 * waits, at most ten seconds, until it is ready. */
valet_status vl_dev_tenant_start(const char *listen, struct vl_dev_tenant *ret,
                                 valet_error *err) VALET_CHECK;
/* After SIGCHLD: is it gone? Then it is forgotten. */
bool vl_dev_tenant_has_ended(struct vl_dev_tenant *tenant);
void vl_dev_tenant_done(struct vl_dev_tenant *tenant);

#endif
