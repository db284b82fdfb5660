/* SPDX-License-Identifier: Apache-2.0
 *
 * The input as an OpenID configuration. Whatever comes out is an address over
 * TLS, and for Entra on the authority's host.
 */
#include "http/url.h"
#include "validate/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vl_rules rules[2];
    static const char *const tenants[] = {
        "aaaaaaaa-0000-4000-8000-00000000000a", NULL};
    static const char *const audiences[] = {"api", NULL};
    if (!rules[0].audiences.count) {
        VL_ASSERT(
            vl_rules_read(&(valet_validator_options){.tenants = tenants,
                                                     .audiences = audiences},
                          &rules[0], NULL) == VALET_OK);
        VL_ASSERT(
            vl_rules_read(&(valet_validator_options){.issuer = "https://i",
                                                     .audiences = audiences},
                          &rules[1], NULL) == VALET_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        vl_auto(vl_buf) uri = vl_buf_of(2048);
        struct vl_url url;
        if (vl_document_read(vl_str_of(data, size), &rules[i], &uri, NULL) !=
            VALET_OK)
            continue;
        VL_ASSERT(vl_url_parse(vl_buf_str(&uri), &url, NULL) == VALET_OK);
        VL_ASSERT(vl_url_is_https(&url));
        VL_ASSERT(i == 1 ||
                  vl_str_ieq(url.host, VL_STR("login.microsoftonline.com")));
    }
    return 0;
}
