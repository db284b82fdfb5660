/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the modules of this installation lie: the folder of what is loaded at
 * run time, such as keep_secret_service.so. An installation may be moved as a
 * whole. Nothing is taken from the environment or the working folder: what
 * lies there becomes code of the process.
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
/* The same for our own programs: below the prefix that the program lies in. */
void vl_modules_of_program(struct vl_buf *ret);

#endif
