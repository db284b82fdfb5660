/* SPDX-License-Identifier: Apache-2.0
 *
 * What is taken as a URL is made of its parts, and its authority is one.
 */
#include "core/base.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_parts(struct vl_str text, const struct vl_url *url)
{
    struct vl_str rest = vl_str_from(text, url->scheme.n + 1);
    for (size_t i = 0; i < text.n; i++)
        VL_ASSERT(text.p[i] > 0x20 && text.p[i] < 0x7f && text.p[i] != '\\' &&
                  text.p[i] != '#');
    if (url->has_authority) {
        VL_ASSERT(vl_str_starts(text, url->origin));
        VL_ASSERT(url->origin.n >= url->scheme.n + 3 + url->host.n);
        VL_ASSERT(!vl_str_has(url->origin, '@'));
        rest = vl_str_from(text, url->origin.n);
    }
    VL_ASSERT(vl_str_starts(rest, url->path));
    rest = vl_str_from(rest, url->path.n);
    VL_ASSERT(url->has_query == (rest.n > 0));
    VL_ASSERT(!url->has_query || vl_str_eq(vl_str_from(rest, 1), url->query));
    if (vl_url_is_http(url)) {
        VL_ASSERT(url->host.n > 0 && url->port > 0);
        struct vl_str authority = vl_str_from(url->origin, url->scheme.n + 3);
        VL_ASSERT(vl_url_is_authority(authority));
    }
    VL_ASSERT(!url->has_authority || vl_url_same_origin(url, url));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_url url;
    if (vl_url_parse(text, &url, NULL) == VALET_OK)
        check_parts(text, &url);
    (void)vl_url_is_authority(text);
    return 0;
}
