/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/failure.h"

#include "core/principal.h"
#include "core/status.h"
#include "entra/claims.h"
#include "oauth/words.h"

/* --- what to do --- */

/* Entra's numbers say most; the list holds those whose OAuth error or suberror
 * would mislead (entra-wire 1.8, 2.9). */
static const struct {
    unsigned aadsts;
    valet_next next;
} by_number[] = {
    {50020, VALET_NEXT_ADMIN},   /* the person is of another tenant */
    {50053, VALET_NEXT_RETRY},   /* locked for a while */
    {50057, VALET_NEXT_ADMIN},   /* the person is disabled */
    {50105, VALET_NEXT_ADMIN},   /* not assigned to the application */
    {50196, VALET_NEXT_GIVE_UP}, /* we ask in a loop */
    {53003, VALET_NEXT_SIGN_IN}, /* Conditional Access, with claims */
    {90055, VALET_NEXT_RETRY},
    {90072, VALET_NEXT_ADMIN},
    {90094, VALET_NEXT_ADMIN}, /* consent of an administrator */
    {240002, VALET_NEXT_GIVE_UP},
    {500011, VALET_NEXT_ADMIN}, /* the resource is not in the tenant */
    {500131, VALET_NEXT_GIVE_UP},
    {650057, VALET_NEXT_ADMIN},
    {700016, VALET_NEXT_ADMIN}, /* the application is not in the tenant */
    {700024, VALET_NEXT_RETRY}, /* our clock, or a stale assertion */
    {7000112, VALET_NEXT_ADMIN},
    {7000114, VALET_NEXT_ADMIN},
    {7000215, VALET_NEXT_ADMIN}, /* the secret is not the registered one */
    {7000222, VALET_NEXT_ADMIN}, /* it has expired */
    {7000218, VALET_NEXT_GIVE_UP},
    {700025, VALET_NEXT_GIVE_UP},
    {700027, VALET_NEXT_ADMIN},
    {700030, VALET_NEXT_ADMIN},
};

static const struct {
    const char *word;
    valet_next next;
} by_suberror[] = {
    {"message_only", VALET_NEXT_ADMIN},
    {"basic_action", VALET_NEXT_SIGN_IN},
    {"additional_action", VALET_NEXT_SIGN_IN},
    {"consent_required", VALET_NEXT_SIGN_IN},
    {"user_password_expired", VALET_NEXT_SIGN_IN},
    {"bad_token", VALET_NEXT_SIGN_IN},
    {"token_expired", VALET_NEXT_SIGN_IN},
    {"protection_policy_required", VALET_NEXT_ADMIN},
    {"device_authentication_failed", VALET_NEXT_ADMIN},
};

/* With the status that callers branch on. */
static const struct {
    const char *word;
    valet_next next;
    valet_status status;
} by_error[] = {
    {"invalid_grant", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"interaction_required", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"consent_required", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"login_required", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"access_denied", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"authorization_declined", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"expired_token", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"code_expired", VALET_NEXT_SIGN_IN, VALET_DENIED},
    {"temporarily_unavailable", VALET_NEXT_RETRY, VALET_RETRY},
    {"server_error", VALET_NEXT_RETRY, VALET_RETRY},
    {"slow_down", VALET_NEXT_RETRY, VALET_RETRY},
    {"authorization_pending", VALET_NEXT_RETRY, VALET_RETRY},
    {"invalid_client", VALET_NEXT_ADMIN, VALET_INTERNAL},
    {"unauthorized_client", VALET_NEXT_ADMIN, VALET_INTERNAL},
    {"invalid_resource", VALET_NEXT_ADMIN, VALET_INTERNAL},
};

bool
vl_failure_by_number(unsigned aadsts, valet_next *ret)
{
    for (size_t i = 0; i < VL_COUNT(by_number); i++)
        if (by_number[i].aadsts == aadsts) {
            *ret = by_number[i].next;
            return true;
        }
    return false;
}

/* What is throttled or broken is asked again whatever the words; else the
 * number counts before the suberror, and that before the error. */
static valet_next
judge(const valet_entra_error *failure)
{
    if (failure->http_status == 429 || failure->http_status >= 500)
        return VALET_NEXT_RETRY;
    valet_next next;
    if (vl_failure_by_number(failure->aadsts, &next))
        return next;
    for (size_t i = 0; i < VL_COUNT(by_suberror); i++)
        if (strcmp(by_suberror[i].word, failure->suberror) == 0)
            /* Whoever brings claims along can be let in after all. */
            return failure->claims[0] ? VALET_NEXT_SIGN_IN
                                      : by_suberror[i].next;
    for (size_t i = 0; i < VL_COUNT(by_error); i++)
        if (strcmp(by_error[i].word, failure->oauth) == 0)
            return by_error[i].next;
    return VALET_NEXT_GIVE_UP;
}

static valet_status
status_of(const valet_entra_error *failure)
{
    if (failure->http_status == 429 || failure->http_status >= 500)
        return VALET_RETRY;
    /* No refusal has such a status. */
    if (failure->http_status && failure->http_status < 400)
        return VALET_INTERNAL;
    /* What may succeed later ends nobody's session. */
    if (failure->next == VALET_NEXT_RETRY)
        return VALET_RETRY;
    for (size_t i = 0; i < VL_COUNT(by_error); i++)
        if (strcmp(by_error[i].word, failure->oauth) == 0)
            return by_error[i].status;
    return VALET_INTERNAL;
}

/* --- reading --- */

static void
copy_guid(char ret[37], struct vl_str id)
{
    ret[0] = '\0';
    if (!vl_guid_is_valid(id))
        return;
    memcpy(ret, id.p, 36);
    ret[36] = '\0';
}

/* The prose of Entra may name people: it is not passed on. */
static void
conclude(valet_entra_error *failure)
{
    char code[48] = "", answer[24] = "by the browser";
    failure->next = judge(failure);
    if (failure->aadsts)
        (void)snprintf(code, sizeof code, "AADSTS%u", failure->aadsts);
    else
        (void)snprintf(code, sizeof code, "%.47s", failure->oauth);
    if (failure->http_status)
        (void)snprintf(answer, sizeof answer, "HTTP %d", failure->http_status);
    (void)vl_fail(&failure->error, status_of(failure), code,
                  "Entra ID refused the request (%s, %s, correlation id %s)",
                  answer, code[0] ? code : "no error code",
                  failure->correlation_id[0] ? failure->correlation_id
                                             : "none");
}

/* What could not be sent back nobody could answer. */
static bool
is_challenge(struct vl_str claims)
{
    vl_auto(vl_buf) merged = vl_buf_of(VL_CLAIMS_MERGED_MAX);
    return claims.n && vl_claims_merge(claims, NULL, &merged, NULL) == VALET_OK;
}

static void
begin(const struct vl_fetch_answer *answer, valet_entra_error *ret)
{
    *ret = (valet_entra_error){
        .http_status = answer ? answer->status : 0,
        .retry_after_ms = answer ? answer->retry_after_ms : -1,
    };
}

void
vl_failure_read(const struct vl_fetch_answer *answer, const struct json_t *body,
                valet_entra_error *ret)
{
    int64_t number = 0;
    struct vl_str claims = vl_json_get_str(body, "claims");
    begin(answer, ret);
    vl_oauth_copy_word(ret->oauth, sizeof ret->oauth,
                       vl_json_get_str(body, "error"));
    vl_oauth_copy_word(ret->suberror, sizeof ret->suberror,
                       vl_json_get_str(body, "suberror"));
    copy_guid(ret->correlation_id, vl_json_get_str(body, "correlation_id"));
    copy_guid(ret->trace_id, vl_json_get_str(body, "trace_id"));
    if (vl_json_int(vl_json_at(vl_json_get(body, "error_codes"), 0), &number) &&
        number > 0 && number <= 99999999)
        ret->aadsts = (unsigned)number;
    else
        ret->aadsts =
            vl_oauth_aadsts(vl_json_get_str(body, "error_description"));
    if (claims.n < sizeof ret->claims && is_challenge(claims)) {
        memcpy(ret->claims, claims.p, claims.n);
        ret->claims[claims.n] = '\0';
    }
    conclude(ret);
}

void
vl_failure_of_text(const struct vl_fetch_answer *answer, valet_entra_error *ret)
{
    begin(answer, ret);
    ret->next = VALET_NEXT_RETRY;
    (void)vl_fail(&ret->error, VALET_RETRY, "",
                  "Entra ID answered HTTP %d without JSON", answer->status);
}

void
vl_failure_of_nonsense(const struct vl_fetch_answer *answer,
                       valet_entra_error *ret)
{
    begin(answer, ret);
    ret->next = VALET_NEXT_GIVE_UP;
    (void)vl_fail(&ret->error, VALET_INTERNAL, "",
                  "Entra ID's token answer lacks a usable token");
}

void
vl_failure_of_redirect(struct vl_str error, struct vl_str description,
                       struct vl_str suberror, valet_entra_error *ret)
{
    begin(NULL, ret);
    vl_oauth_copy_word(ret->oauth, sizeof ret->oauth, error);
    vl_oauth_copy_word(ret->suberror, sizeof ret->suberror, suberror);
    ret->aadsts = vl_oauth_aadsts(description);
    conclude(ret);
}

void
vl_failure_of_ours(const valet_error *why, valet_entra_error *ret)
{
    begin(NULL, ret);
    ret->error = *why;
    ret->next =
        why->status == VALET_RETRY ? VALET_NEXT_RETRY : VALET_NEXT_GIVE_UP;
}

void
vl_failure_of_network(const valet_error *why, valet_entra_error *ret)
{
    begin(NULL, ret);
    ret->next = VALET_NEXT_RETRY;
    (void)vl_fail(&ret->error, VALET_RETRY, "", "cannot reach Entra ID: %s",
                  why ? why->message : "no reason given");
}

const char *
valet_next_name(valet_next next)
{
    static const char *const names[VALET_NEXT_COUNT] = {
        [VALET_NEXT_NONE] = "none",
        [VALET_NEXT_RETRY] = "retry",
        [VALET_NEXT_SIGN_IN] = "sign_in",
        [VALET_NEXT_ADMIN] = "ask_an_administrator",
        [VALET_NEXT_GIVE_UP] = "give_up",
    };
    return next < VALET_NEXT_COUNT ? names[next] : "?";
}
