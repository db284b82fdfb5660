/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a page in the system's browser, by the program that the desktop has
 * for it, without a shell (@spec S-33). Which browser, and whether $BROWSER
 * counts, is that program's business.
 */
#ifndef VL_BROWSER_OPEN_H
#define VL_BROWSER_OPEN_H

#include "browser/screen.h"
#include "core/str.h"
#include "io/loop.h"

struct vl_opening;

/* `error` is NULL when the page is on its way: the program ended well, or is
 * still at work after a while (some become the browser). */
typedef void vl_browser_opened(const valet_error *error, void *ctx);

/*
 * `url` is https, or http of this machine; VALET_INVALID else. Everybody on
 * the machine can read it in the list of programs: it holds no secret (see
 * loopback.h). VALET_NOT_FOUND: there is no program that opens pages.
 *
 * The program runs in a session of its own with no descriptor of ours; it is
 * waited for, so that it is never a zombie, but nobody is held up by it, and
 * it outlives us.
 */
valet_status
vl_browser_open(struct vl_loop *loop, vl_browser_env *env, struct vl_str url,
                vl_browser_opened *done, void *ctx, struct vl_opening **ret,
                valet_error *err) VALET_CHECK;
/* Silences and frees it, and lets the program run; *opening becomes NULL. NULL
 * is fine. */
void vl_opening_abort(struct vl_opening **opening);

#endif
