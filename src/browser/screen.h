/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the person there who would look at a browser?
 */
#ifndef VL_BROWSER_SCREEN_H
#define VL_BROWSER_SCREEN_H

#include "core/base.h"

/* Where variables come from: getenv in production. */
typedef const char *vl_browser_env(const char *name);

/*
 * Can a program started from here show something to the person who started us:
 * on X11 (also through SSH), on Wayland, or on the Windows around WSL? "No" is
 * the answer on a server, in a container and over plain SSH, where a browser
 * would open before somebody else's eyes or nobody's (@spec S-28).
 */
bool vl_browser_has_screen(vl_browser_env *env);

#endif
