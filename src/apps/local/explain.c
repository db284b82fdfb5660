/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/local/explain.h"

#include "core/str.h"

/* What people at the start of a registration meet most (@spec S-23). */
static const struct {
    unsigned aadsts;
    const char *advice;
} advices[] = {
    {50011, "the application needs the redirect URI http://localhost, for "
            "mobile and desktop applications"},
    {7000218, "the application has to allow public client flows (its "
              "registration, Authentication, Advanced settings)"},
    {700016, "the client id is of no application in this tenant: is it the "
             "right tenant?"},
    {90002, "there is no such tenant: is its id or domain right?"},
};

void
vl_explain(const struct vl_whom *whom, const valet_error *err)
{
    vl_complain("%s", err->message);
    /* @spec W-37: nothing is used in its place but what is asked for. */
    if (!whom->now.cache_file && strcmp(err->code, "no_secret_service") == 0)
        vl_complain("to keep tokens in an encrypted file instead, say so once: "
                    "mcp-valet login --cache-file FILE");
    if (whom->now.cache_file && strcmp(err->code, "damaged_cache") == 0)
        vl_complain("to begin anew remove it and its key (%s.key); then sign "
                    "in again",
                    whom->now.cache_file);
}

static void
advise_sign_in(const struct vl_whom *whom, const valet_request *request,
               const valet_entra_error *refusal)
{
    vl_auto(vl_buf) command = vl_buf_of(16384);
    char claims[sizeof refusal->claims];
    (void)snprintf(claims, sizeof claims, "%s", refusal->claims);
    vl_str_tame(claims); /* it was Entra ID that wrote them */
    if (request->flow == VALET_FLOW_SIGN_IN && !claims[0])
        return; /* they know that command */
    vl_whom_add_options(whom, &command);
    vl_add_option(&command, "--account", request->account);
    for (const char *const *scope = request->scopes; *scope; scope++)
        vl_add_option(&command, "--scope", *scope);
    vl_add_option(&command, "--claims", claims[0] ? claims : request->claims);
    vl_complain("to sign in: mcp-valet login%s", vl_buf_cstr(&command));
}

/* @spec S-23 W-45: who has no redirect URI is told so by Entra's page, which
 * then does not come back. */
static void
advise_looking(void)
{
    vl_complain("if the page in the browser said AADSTS50011: %s",
                advices[0].advice);
}

static void
advise_waiting(int64_t retry_after_ms)
{
    if (retry_after_ms > 0)
        vl_complain("try again in %lld s",
                    (long long)(retry_after_ms + 999) / 1000);
    else
        vl_complain("try again later");
}

static void
advise(const struct vl_whom *whom, const valet_request *request,
       const valet_entra_error *refusal)
{
    switch (refusal->next) {
    case VALET_NEXT_SIGN_IN:
        if (strcmp(refusal->error.code, "timeout") == 0)
            advise_looking();
        advise_sign_in(whom, request, refusal);
        break;
    case VALET_NEXT_RETRY:
        advise_waiting(refusal->retry_after_ms);
        break;
    case VALET_NEXT_ADMIN:
        vl_complain("signing in again does not help: an administrator of the "
                    "tenant has to change something there");
        break;
    default:
        if (refusal->http_status)
            vl_complain("asking again does not help: the registration of the "
                        "application, or what it is asked for, is wrong");
        break;
    }
}

void
vl_explain_refusal(const struct vl_whom *whom, const valet_request *request,
                   const valet_entra_error *refusal)
{
    const char *id = refusal->correlation_id, *code = refusal->error.code;
    vl_explain(whom, &refusal->error);
    if ((refusal->aadsts || refusal->http_status) && id[0] &&
        (!strstr(refusal->error.message, id) ||
         !strstr(refusal->error.message, code)))
        vl_complain("for an administrator: %s, correlation id %s", code, id);
    for (size_t i = 0; i < VL_COUNT(advices); i++)
        if (advices[i].aadsts == refusal->aadsts) {
            vl_complain("%s", advices[i].advice);
            return;
        }
    advise(whom, request, refusal);
}
