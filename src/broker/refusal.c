/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/refusal.h"

#include "core/status.h"
#include "oauth/words.h"

#define SIGN_IN VALET_DENIED, VALET_NEXT_SIGN_IN
#define AGAIN   VALET_RETRY, VALET_NEXT_RETRY
#define WRONG   VALET_INTERNAL, VALET_NEXT_GIVE_UP
/* Another way to sign in may do. */
#define WITHOUT VALET_NOT_FOUND, VALET_NEXT_GIVE_UP

struct meaning {
    valet_status status;
    valet_next next;
    const char *code, *message;
};

/* By MSALRUNTIME_RESPONSE_STATUS, as Microsoft's public bindings number them.
 */
static const struct meaning meanings[] = {
    [2] = {SIGN_IN, "interaction_required", "the person has to be asked"},
    [3] = {AGAIN, "no_network", "the identity broker has no network"},
    [4] = {AGAIN, "no_network", "the identity broker has no network"},
    [5] = {AGAIN, "temporarily_unavailable", "Entra ID does not answer"},
    [6] = {WRONG, "invalid_request", "the identity broker refused the request"},
    [7] = {SIGN_IN, "user_cancelled", "the person did not go on"},
    [8] = {SIGN_IN, "application_cancelled", "the sign-in was taken back"},
    [9] = {VALET_INTERNAL, VALET_NEXT_ADMIN, "invalid_client",
           "the application is not set up for the identity broker (is its "
           "redirect URI registered?)"},
    [10] = {WRONG, "", "the identity broker failed"},
    [11] = {WRONG, "untrusted_authority",
            "the identity broker does not trust the authority"},
    [12] = {SIGN_IN, "user_switched", "another person signed in"},
    [13] = {SIGN_IN, "account_unusable", "the account cannot be used as it is"},
    [14] = {SIGN_IN, "account_unusable", "the account has to be removed"},
    [15] = {WRONG, "", "the identity broker has lost its key"},
    [16] = {SIGN_IN, "no_account", "the identity broker lacks the account"},
    [17] = {AGAIN, "temporarily_unavailable", "the identity broker is busy"},
    [18] = {SIGN_IN, "user_switched", "another person signed in"},
    [19] = {WITHOUT, "no_broker", "the identity broker is not complete"},
    [20] = {WITHOUT, "no_broker",
            "this device is not registered with Entra ID"},
    [21] = {WITHOUT, "no_broker", "the identity broker leaves it to us"},
};

/* Status 0, and what has no name: who was not asked may be able to go on. */
static const struct meaning unnamed = {WRONG, "", "the identity broker failed"};
static const struct meaning unnamed_silently = {
    SIGN_IN, "interaction_required", "the identity broker failed silently"};

static const struct meaning *
meaning_of(int64_t status, bool interactive)
{
    if (status >= 0 && status < (int64_t)VL_COUNT(meanings) &&
        meanings[status].message)
        return &meanings[status];
    return interactive ? &unnamed : &unnamed_silently;
}

void
vl_broker_refusal(valet_status status, valet_next next, const char *code,
                  const char *message, valet_entra_error *ret)
{
    *ret = (valet_entra_error){.next = next, .retry_after_ms = -1};
    (void)vl_fail(&ret->error, status, code, "%s", message);
}

void
vl_broker_refusal_read(const struct json_t *error, bool interactive,
                       valet_entra_error *ret)
{
    char code[sizeof ret->error.code];
    int64_t status = 0;
    const struct json_t *words = vl_json_get(error, "diagnostics");
    (void)vl_json_get_int(error, "status", &status);
    const struct meaning *meaning = meaning_of(status, interactive);
    unsigned aadsts = vl_oauth_aadsts(vl_json_get_str(error, "context"));
    (void)snprintf(code, sizeof code, "AADSTS%u", aadsts);
    vl_broker_refusal(meaning->status, meaning->next,
                      aadsts ? code : meaning->code, meaning->message, ret);
    ret->aadsts = aadsts;
    vl_oauth_copy_word(ret->oauth, sizeof ret->oauth,
                       vl_json_get_str(words, "raw_error_code"));
    vl_oauth_copy_word(ret->suberror, sizeof ret->suberror,
                       vl_json_get_str(words, "oauth2_sub_error_code"));
}

void
vl_broker_refusal_of_bus(const valet_error *why, bool interactive,
                         valet_entra_error *ret)
{
    switch (why->status) {
    case VALET_NOT_FOUND:
        vl_broker_refusal(WITHOUT, "no_broker", why->message, ret);
        break;
    case VALET_RETRY:
        vl_broker_refusal(AGAIN, "", why->message, ret);
        break;
    case VALET_DENIED:
        vl_broker_refusal(VALET_DENIED, VALET_NEXT_GIVE_UP, "", why->message,
                          ret);
        break;
    default: /* Himmelblau says no more than that it failed */
        vl_broker_refusal(interactive ? VALET_INTERNAL : VALET_DENIED,
                          meaning_of(0, interactive)->next,
                          meaning_of(0, interactive)->code, why->message, ret);
        break;
    }
}
