/* SPDX-License-Identifier: Apache-2.0
 *
 * Any WWW-Authenticate field: what comes out of it is an object of JSON, which
 * can be asked for, with and without what we can do.
 */
#include "entra/claims.h"
#include "http/challenge.h"
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It ends, and every step is one forward. */
static void
walk(struct vl_str rest)
{
    struct vl_challenge challenge;
    size_t before = rest.n + 1;
    while (vl_challenge_next(&rest, &challenge) == VL_CHALLENGE_FOUND) {
        vl_auto(vl_buf) value = vl_buf_of(rest.n + before);
        VL_ASSERT(rest.n < before);
        VL_ASSERT(challenge.scheme.n > 0);
        VL_ASSERT(!challenge.token68.n || !challenge.params.n);
        (void)!vl_challenge_get(&challenge, "realm", &value, NULL);
        before = rest.n;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const capabilities[] = {"cp1", NULL};
    char claims[2 * VL_LIMIT_CLAIMS];
    struct vl_json doc = {NULL};
    vl_auto(vl_buf) field = vl_buf_of(size + 1), merged = vl_buf_of(65536);
    walk(vl_str_of(data, size));
    vl_buf_add(&field, vl_str_of(data, size));
    if (valet_claims_challenge(vl_buf_cstr(&field), claims, sizeof claims,
                               NULL) != VALET_OK)
        return 0;
    struct vl_str text = vl_str_z(claims);
    VL_ASSERT(vl_json_parse(text, 64, &doc, NULL) == VALET_OK);
    VL_ASSERT(vl_json_kind(doc.root) == VL_JSON_OBJECT);
    vl_json_done(&doc);
    if (vl_claims_merge(text, capabilities, &merged, NULL) == VALET_OK) {
        VL_ASSERT(vl_json_parse(vl_buf_str(&merged), 64, &doc, NULL) ==
                  VALET_OK);
        vl_json_done(&doc);
    }
    return 0;
}
