/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: sets of scopes, as words. What one allows, and whether
 * one holds another, is the server's business (@spec CL-08).
 */
#ifndef VL_ACCESS_SCOPES_H
#define VL_ACCESS_SCOPES_H

#include "core/buf.h"

/* Appends the words that are not there yet. */
void vl_access_scopes_add(struct vl_buf *set, struct vl_str words);
/* Are all words of `words` in `set`? */
bool vl_access_scopes_within(struct vl_str words, struct vl_str set);

#endif
