/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the parts of this installation lie that nobody calls by hand:
 * mcp-valet/ holds the helpers, programs that our programs run, and in it
 * modules/ what is loaded at run time, such as keep_secret_service.so. An
 * installation may be moved as a whole. Nothing is taken from the environment
 * or the working folder: what lies there becomes code of the process.
 */
#ifndef VL_CORE_INSTALLED_H
#define VL_CORE_INSTALLED_H

#include "core/buf.h"

/*
 * Appends the folder for the library: beside libvalet.so when this code is
 * part of it. In a program that was linked with libvalet.a it is the one of
 * the build's own prefix: nobody said that what lies around such a program is
 * ours.
 */
void vl_modules_of_library(struct vl_buf *ret);
/* The same for a helper: beside it. */
void vl_modules_of_helper(struct vl_buf *ret);
/*
 * Appends the path of a helper, for our own programs: below the prefix that the
 * program lies in, and nowhere else, for one of another installation may be
 * of another version. Nobody has looked whether it is there.
 */
void vl_helper_path(struct vl_buf *ret, const char *name);

#endif
