/* SPDX-License-Identifier: Apache-2.0
 *
 * Page templates compiled in by cmake/Assets.cmake. A table ends with a row
 * whose name is NULL.
 */
#ifndef VL_WEB_ASSET_H
#define VL_WEB_ASSET_H

#include "core/base.h"

struct vl_asset {
    const char *name; /* file name without ending */
    const unsigned char *bytes;
    size_t size;
};

extern const struct vl_asset vl_web_assets[];
/* The Content-Security-Policy of every page; it names the one stylesheet. */
extern const char vl_web_content_policy[];

#endif
