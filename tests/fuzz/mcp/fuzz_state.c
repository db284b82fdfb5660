/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lines: a state that nobody sealed, and parameters of a request. Whatever
 * they are, the first does not open; what is sealed for the second opens for
 * it, however it is written, and not when a byte of it was changed.
 */
#include "core/limits.h"
#include "mcp/state.h"
#include "json/read.h"
#include "json/write.h"

#define METHOD VL_STR("tools/call")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
opens(const struct vl_keyring *ring, const struct vl_mcp_state_use *use,
      struct vl_str text, struct vl_str payload)
{
    vl_auto(vl_buf) out = vl_buf_of_secret(VL_MCP_STATE_MAX);
    valet_status status = vl_mcp_state_open(ring, use, 1, text, &out);
    VL_ASSERT(status == VALET_OK || status == VALET_DENIED);
    VL_ASSERT(status == VALET_OK ? vl_str_eq(vl_buf_str(&out), payload)
                                 : vl_buf_size(&out) == 0);
    return status == VALET_OK;
}

static void
seal_and_spoil(const struct vl_keyring *ring,
               const struct vl_mcp_state_use *use, struct vl_str payload,
               size_t at)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_STATE_MAX);
    if (vl_mcp_state_seal(ring, use, 1, payload, &text, NULL) != VALET_OK)
        return;
    VL_ASSERT(opens(ring, use, vl_buf_str(&text), payload));
    text.p[text.off + at % vl_buf_size(&text)] ^= (char)(1u << (at % 8));
    VL_ASSERT(!opens(ring, use, vl_buf_str(&text), payload));
}

/* The same without white space, and with what a round adds. */
static void
check_digest(const struct json_t *params, const char *digest)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) text = vl_buf_of(8 * VL_LIMIT_MCP_BODY);
    struct vl_json_out out = {&text, false};
    char again[VL_MCP_STATE_DIGEST];
    if (vl_json_kind(params) != VL_JSON_OBJECT ||
        vl_json_get(params, "requestState"))
        return;
    vl_json_add_value(&out, NULL, params);
    VL_ASSERT(!text.failed);
    text.n--; /* the bracket that closes it */
    out.comma = vl_json_size(params) > 0;
    vl_json_add_z(&out, "requestState", "s");
    vl_json_close(&out, '}');
    VL_ASSERT(vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &doc,
                            NULL) == VALET_OK);
    vl_mcp_state_digest(METHOD, doc.root, again);
    VL_ASSERT(memcmp(again, digest, sizeof again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str rest = vl_str_of(data, size), text;
    vl_auto(vl_json) doc = {NULL};
    if (size > VL_LIMIT_MCP_BODY || !vl_str_split(&rest, '\n', &text))
        return 0;
    (void)!vl_json_parse(rest, VL_LIMIT_JSON_DEPTH, &doc, NULL);
    struct vl_principal principal = {
        .client = {"c"}, .user = {"t", "o"}, .session = ""};
    struct vl_mcp_state_use use = {.principal = &principal};
    vl_mcp_state_digest(METHOD, doc.root, use.request);
    check_digest(doc.root, use.request);
    /* A new one each time: no seed can have been sealed by it. */
    struct vl_keyring *ring = vl_keyring_new_random();
    VL_ASSERT(!opens(ring, &use, text, VL_STR("")));
    seal_and_spoil(ring, &use, text, size);
    vl_keyring_free(ring);
    return 0;
}
