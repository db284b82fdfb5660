/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer: what is believed of it can be sent on, and what is not is a
 * refusal without a stranger's prose.
 */
#include "broker/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_refusal(const valet_entra_error *error)
{
    VL_ASSERT(error->error.status != VALET_OK);
    VL_ASSERT(error->next < VALET_NEXT_COUNT);
    VL_ASSERT(error->error.message[0]);
    for (const char *c = error->oauth; *c; c++)
        VL_ASSERT((*c >= 'a' && *c <= 'z') || *c == '_');
    for (const char *c = error->suberror; *c; c++)
        VL_ASSERT((*c >= 'a' && *c <= 'z') || *c == '_');
}

static void
check_token(struct vl_str text, bool interactive)
{
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_broker_token token;
    valet_entra_error error;
    if (vl_broker_read_token(text, interactive, &answer, &token, &error)) {
        struct vl_str access = vl_secret_reveal(&token.access);
        VL_ASSERT(access.n > 0 && access.n <= VL_LIMIT_UPSTREAM_TOKEN);
        for (size_t i = 0; i < access.n; i++)
            VL_ASSERT(access.p[i] > ' ' && access.p[i] < 0x7f);
        VL_ASSERT(token.expires_ms > 0);
        VL_ASSERT(token.scopes.n <= text.n);
        vl_secret_done(&token.access);
    } else {
        check_refusal(&error);
    }
    vl_broker_answer_done(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_broker_answer answer = vl_broker_answer_of();
    struct vl_broker_list list;
    struct vl_str version;
    valet_entra_error error;
    if (vl_broker_read_accounts(text, &answer, &list, &error)) {
        VL_ASSERT(list.count <= VL_LIMIT_BROKER_ACCOUNTS);
        for (size_t i = 0; i < list.count; i++)
            VL_ASSERT(list.accounts[i].home_account_id.n &&
                      list.accounts[i].username.n && list.told[i]);
    } else {
        check_refusal(&error);
    }
    vl_broker_answer_done(&answer);
    if (!vl_broker_read_version(text, &answer, &version, &error))
        check_refusal(&error);
    vl_broker_answer_done(&answer);
    check_token(text, true);
    check_token(text, false);
    return 0;
}
