/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program is let in for, in the words of `mcp-valet allow`: the program,
 * and what it has started us with as far as that changes what it gets. A yes
 * to one is none to another: a program that was allowed to read the profile
 * has not been allowed a token for somebody's mailbox (@spec CL-21 W-43).
 *
 *     '/usr/bin/node /home/me/client.js' --scope Mail.Read -- npx server
 */
#ifndef VL_APPS_STDIO_GRANT_H
#define VL_APPS_STDIO_GRANT_H

#include "core/buf.h"

/* Longer ones cannot be remembered. */
#define VL_GRANT_SIZE 16384

/* As it was said; borrowed. */
struct vl_grant {
    const char *program;        /* program.h */
    const char *account;        /* or NULL */
    const char *const *scopes;  /* ends in NULL; NULL: none were named */
    const char *const *command; /* the same; NULL: our own tools */
};

/* For a shell, and for the list (programs.h). */
void vl_grant_write(const struct vl_grant *grant, struct vl_buf *out);
/* The arguments with spaces between them, in a form that a shell reads. */
void vl_grant_write_command(const char *const *command, struct vl_buf *out);
/* Is the written grant one of this program? */
bool vl_grant_is_of(struct vl_str written, const char *program);

#endif
