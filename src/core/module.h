/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules: shared objects that keep a foreign library out of the processes
 * that do not use it (ADR 9, ADR 11). A module exports one table, which begins
 * with its number; it is built and installed together with who loads it, and
 * the number notices one that was left behind.
 */
#ifndef VL_CORE_MODULE_H
#define VL_CORE_MODULE_H

#include "valet/status.h"

/* What every module's table begins with. */
struct vl_module {
    unsigned abi;
};

/* Where a module lies, and for whom. */
struct vl_module_name {
    const char *purpose; /* "the Secret Service", for the error */
    const char *file;    /* in the folder of modules */
    const char *symbol;  /* of the table */
    unsigned abi;
};

/*
 * Loads it, or finds it loaded; it is never unloaded, for the threads and types
 * of foreign libraries do not survive that. Blocks for as long as the disk
 * takes. VALET_NOT_FOUND: there is none, or its foreign library is missing;
 * VALET_INTERNAL: it is of another version.
 */
valet_status
vl_module_load(const char *folder, const struct vl_module_name *name,
               const struct vl_module **ret, valet_error *err) VALET_CHECK;

#endif
