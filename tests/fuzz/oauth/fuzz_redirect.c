/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a URI to register, a newline, a URI that is asked for. What may be
 * registered matches itself; what matches is as harmless as the registered
 * one; the answer is added without a second reading of the URI.
 */
#include "core/limits.h"
#include "http/url.h"
#include "oauth/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(struct vl_str uri)
{
    struct vl_url before, after;
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_redirect_write(&out, uri,
                      &(struct vl_redirect_answer){.code = VL_STR("c"),
                                                   .state = uri,
                                                   .iss = VL_STR("https://v")});
    VL_ASSERT(vl_url_parse(uri, &before, NULL) == VALET_OK);
    VL_ASSERT(vl_url_parse(vl_buf_str(&out), &after, NULL) == VALET_OK);
    VL_ASSERT(vl_str_eq(before.host, after.host));
    VL_ASSERT(vl_str_eq(before.path, after.path));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str input = vl_str_of(data, size);
    size_t end = vl_str_index(input, '\n');
    struct vl_str registered = vl_str_head(input, end);
    struct vl_str requested = vl_str_from(input, end + 1);
    bool allowed = vl_redirect_check(registered, NULL) == VALET_OK;
    bool matches = vl_redirect_matches(registered, requested);
    (void)vl_redirect_is_local(requested);
    (void)vl_redirect_host(requested);
    if (allowed) {
        VL_ASSERT(vl_redirect_matches(registered, registered));
        check_answer(registered);
    }
    if (allowed && matches && requested.n <= VL_LIMIT_REDIRECT_URI)
        VL_ASSERT(vl_redirect_check(requested, NULL) == VALET_OK);
    return 0;
}
