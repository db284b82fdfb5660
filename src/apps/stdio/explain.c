/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/doorman.h"
#include "core/str.h"

/* What has to be said in other words than the error's own. */
static const struct {
    const char *code, *sentence;
} sentences[] = {
    {"several_accounts",
     "several accounts are signed in, and which one is meant was not said: "
     "`mcp-valet accounts` lists them, and this server has to be started with "
     "`--account NAME`"},
    {"no_account", "the account that this server was started with is not "
                   "signed in"},
    {"no_secret_service",
     "there is no Secret Service to keep the sign-in in: start it, or choose "
     "an encrypted file once with `mcp-valet login --cache-file FILE`"},
    {"declined", "the person declined to sign in"},
    {"access_denied", "the person declined to sign in"},
    {"timeout", "nobody signed in within the time for it; call again to be "
                "asked again"},
    {"expired_token", "nobody signed in within the time for it; call again to "
                      "be asked again"},
    {"other_account", "another account has signed in than the one this server "
                      "was started with"},
    {"no_method", "there is no way to sign in here: sign in once with "
                  "`mcp-valet login --device-code`"},
};

/* What Entra ID says may name people: its number is enough to look it up. */
static void
explain_answer(const valet_entra_error *error, char *ret, size_t size)
{
    const char *advice =
        error->next == VALET_NEXT_RETRY     ? "try again later"
        : error->next == VALET_NEXT_SIGN_IN ? "the person has to sign in again"
        : error->next == VALET_NEXT_ADMIN
            ? "an administrator of the tenant has to change something there"
            : "`mcp-valet login` says more about it";
    (void)snprintf(ret, size, "Entra ID refused (%s%s%s): %s",
                   error->error.code,
                   error->correlation_id[0] ? ", correlation id " : "",
                   error->correlation_id, advice);
}

static void
explain_here(const valet_entra_error *error, char *ret, size_t size)
{
    long long wait_s = (long long)(error->retry_after_ms + 999) / 1000;
    if (error->next == VALET_NEXT_RETRY && wait_s > 0)
        (void)snprintf(ret, size, "%s; try again in %lld s",
                       error->error.message, wait_s);
    else
        (void)snprintf(ret, size, "%s%s", error->error.message,
                       error->next == VALET_NEXT_RETRY ? "; try again later"
                                                       : "");
}

/* "access_denied" is also an administrator's no. */
static bool
is_meant(const valet_entra_error *error, const char *code)
{
    return strcmp(error->error.code, code) == 0 ||
           (error->next == VALET_NEXT_SIGN_IN &&
            strcmp(error->oauth, code) == 0);
}

void
vl_doorman_explain(valet_status status, const valet_entra_error *error,
                   char *ret, size_t size)
{
    if (!error) {
        (void)snprintf(ret, size, "%s", valet_status_name(status));
        return;
    }
    for (size_t i = 0; i < VL_COUNT(sentences); i++)
        if (is_meant(error, sentences[i].code)) {
            (void)snprintf(ret, size, "%s", sentences[i].sentence);
            return;
        }
    if (error->http_status || error->aadsts || error->oauth[0])
        explain_answer(error, ret, size);
    else
        explain_here(error, ret, size);
    vl_str_tame(ret);
}
