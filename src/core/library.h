/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign libraries that are loaded when they are first needed (ADR 5, ADR
 * 13), by the name of their ABI. They stay until the process ends.
 */
#ifndef VL_CORE_LIBRARY_H
#define VL_CORE_LIBRARY_H

#include "core/base.h"

struct vl_library_symbol {
    const char *name;
    void *at; /* of the pointer to fill */
};

/* One library; static, and zero but for the first four. */
struct vl_library {
    const char *title; /* "libcurl", for the error */
    const char *file;  /* "libcurl.so.4" */
    const struct vl_library_symbol *symbols;
    size_t count;
    bool is_loaded;    /* from here on: under the lock of library.c */
    char problem[256]; /* empty: none */
};

/* From any thread: the pointers are complete and constant once this has said
 * OK. VALET_INTERNAL: it cannot be loaded, and why; asked again it says the
 * same. */
valet_status
vl_library_load(struct vl_library *library, valet_error *err) VALET_CHECK;

#endif
