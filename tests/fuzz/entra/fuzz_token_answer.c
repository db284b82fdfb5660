/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer of a token endpoint, with its status in the first byte: there are
 * tokens and they can be sent on, or there is nothing and a reason.
 */
#include "entra/token_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_token(struct vl_str token)
{
    VL_ASSERT(token.n <= VL_LIMIT_UPSTREAM_TOKEN);
    for (size_t i = 0; i < token.n; i++)
        VL_ASSERT(token.p[i] > ' ' && token.p[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 401, 429, 503, 302};
    const int64_t now = 1800000000000;
    if (size == 0)
        return 0;
    struct vl_headers headers = {.count = 0};
    struct vl_fetch_answer answer = {
        .status = statuses[data[0] % VL_COUNT(statuses)],
        .headers = &headers,
        .body = vl_str_of(data + 1, size - 1),
        .attempts = 1,
    };
    vl_auto(vl_json) document = {NULL};
    struct vl_token_answer all = {.extended_ms = 0};
    struct vl_idp_tokens *tokens = &all.tokens;
    valet_entra_error error;
    if (vl_token_answer_read(&answer, now, &document, &all, &error)) {
        VL_ASSERT(answer.status == 200);
        VL_ASSERT(!vl_secret_is_empty(&tokens->access.secret));
        VL_ASSERT(tokens->expires_ms > now);
        VL_ASSERT(!all.extended_ms || all.extended_ms > now);
        VL_ASSERT(!all.refresh_ms || all.refresh_ms > now);
        check_token(vl_secret_reveal(&tokens->access.secret));
        check_token(vl_secret_reveal(&tokens->refresh.secret));
    } else {
        valet_status status = error.error.status;
        VL_ASSERT(status != VALET_OK && error.error.message[0]);
        VL_ASSERT(status != VALET_DENIED || answer.status / 100 == 4);
        VL_ASSERT(!document.root && !all.id_token.p);
        VL_ASSERT(vl_secret_is_empty(&tokens->access.secret));
        VL_ASSERT(vl_secret_is_empty(&tokens->refresh.secret));
    }
    vl_idp_tokens_done(tokens);
    return 0;
}
