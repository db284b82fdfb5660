/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: the body of a registration. What is taken obeys the rules for
 * redirect URIs, and the name that people will see is clean text.
 */
#include "issuer/registration.h"
#include "oauth/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_registration read = {0};
    if (vl_registration_read(vl_str_of(data, size), &read, NULL) == VALET_OK) {
        struct vl_str rest = vl_buf_str(&read.redirects), uri;
        struct vl_str name = vl_buf_str(&read.name);
        size_t count = 0;
        while (vl_str_split(&rest, '\n', &uri)) {
            if (uri.n == 0 && rest.n == 0)
                break;
            VL_ASSERT(vl_redirect_check(uri, NULL) == VALET_OK);
            count++;
        }
        VL_ASSERT(count > 0 && count <= VL_LIMIT_REDIRECT_URIS);
        VL_ASSERT(name.n > 0 && name.n <= VL_LIMIT_CLIENT_NAME);
        VL_ASSERT(vl_str_is_utf8(name));
        for (size_t i = 0; i < name.n; i++)
            VL_ASSERT((unsigned char)name.p[i] >= 0x20);
    }
    vl_registration_done(&read);
    return 0;
}
