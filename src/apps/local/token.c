/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet token`: an access token of a person who has signed in, for a
 * script. Nobody is asked anything but which account is meant.
 */
#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/local/explain.h"
#include "apps/local/people.h"
#include "core/limits.h"
#include "json/write.h"

struct token {
    struct vl_whom whom;
    struct vl_option_list scopes;
    const char *account, *claims, *output;
    bool renew;
    bool is_plain;
};

/* --- showing it --- */

/* As `az account get-access-token` has it: local time, and microseconds. */
static void
write_local_time(int64_t seconds, char *ret, size_t size)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!localtime_r(&t, &tm) ||
        strftime(ret, size, "%Y-%m-%d %H:%M:%S.000000", &tm) == 0)
        ret[0] = '\0';
}

static int
show(const struct token *token, const valet_auth_result *result)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(2 * VL_LIMIT_JWT);
    struct vl_json_out out = {&text, false};
    char expires_on[64];
    write_local_time(result->expires_at, expires_on, sizeof expires_on);
    if (token->is_plain) {
        vl_buf_addz(&text, result->access_token);
    } else {
        vl_json_open(&out, '{');
        vl_json_add_z(&out, "accessToken", result->access_token);
        vl_json_add_z(&out, "expiresOn", expires_on);
        vl_json_add_int(&out, "expires_on", result->expires_at);
        vl_json_add_z(&out, "tenant", result->tenant_id);
        vl_json_add_z(&out, "tokenType", result->token_type);
        vl_json_close(&out, '}');
    }
    vl_buf_addc(&text, '\n');
    return vl_print(&text);
}

/* --- getting it --- */

/* @spec S-30 W-38 */
static valet_status
ask_which(const struct token *token, valet_request *request,
          valet_auth_result *result, valet_entra_error *refusal)
{
    valet_account_list list;
    valet_error err = {0};
    valet_status status = valet_accounts(token->whom.client, &list, &err);
    if (status != VALET_OK) {
        vl_explain(&token->whom, &err);
        return status;
    }
    request->account = vl_people_choose(&list);
    status = VALET_CONFLICT;
    if (request->account) {
        status = valet_acquire(token->whom.client, request, result, refusal);
        if (status != VALET_OK)
            vl_explain_refusal(&token->whom, request, refusal);
    }
    valet_account_list_done(&list);
    return status;
}

static valet_status
acquire(const struct token *token, valet_request *request,
        valet_auth_result *result, valet_entra_error *refusal)
{
    valet_status status =
        valet_acquire(token->whom.client, request, result, refusal);
    if (status == VALET_OK)
        return VALET_OK;
    if (strcmp(refusal->error.code, "several_accounts") == 0)
        return ask_which(token, request, result, refusal);
    vl_explain_refusal(&token->whom, request, refusal);
    return status;
}

static int
get(const struct token *token)
{
    valet_auth_result result = {.inside = NULL};
    valet_entra_error refusal = {.error = {.status = VALET_OK}};
    valet_request request = {
        .flow = VALET_FLOW_SILENT,
        .scopes = token->scopes.items,
        .account = token->account,
        .claims = token->claims,
        .renew = token->renew,
    };
    valet_status status = acquire(token, &request, &result, &refusal);
    if (status != VALET_OK)
        return status == VALET_INVALID && !refusal.http_status ? VL_EXIT_USAGE
                                                               : VL_EXIT_FAILED;
    if (result.not_kept)
        vl_complain("warning: the token could not be kept: %s",
                    result.not_kept);
    int code = show(token, &result);
    valet_auth_result_done(&result);
    return code;
}

static int
token(int argc, char **argv)
{
    struct token token = {.output = NULL};
    static const char *const outputs[] = {"json", "plain"};
    size_t output;
    const struct vl_option options[] = {
        {.name = "--scope", .list = &token.scopes},
        {.name = "--account", .value = &token.account},
        {.name = "--output", .value = &token.output},
        {.name = "--renew", .flag = &token.renew},
        {.name = "--claims", .value = &token.claims},
        VL_WHOM_OPTIONS(token.whom),
    };
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)) ||
        !vl_output_choose(token.output, outputs, VL_COUNT(outputs), &output))
        return VL_EXIT_USAGE;
    if (token.scopes.count == 0) {
        vl_complain("for what is the token? --scope SCOPE, such as User.Read");
        return VL_EXIT_USAGE;
    }
    token.is_plain = output == 1;
    int code = vl_whom_open(&token.whom);
    if (code == VL_EXIT_OK)
        code = get(&token);
    vl_whom_done(&token.whom);
    return code;
}

const struct vl_command vl_command_token = {
    VL_LOCAL_TOKEN,
    .usage =
        "usage: mcp-valet token --scope SCOPE … [--account NAME]\n"
        "                       [--output json|plain]\n\n"
        "Prints an access token, from the cache or by the session that login\n"
        "has kept. Nobody is asked to sign in. When several accounts are\n"
        "signed in it has to be said which.\n\n"
        "  --scope SCOPE         what the token is for; may be repeated\n"
        "  --account NAME        a username or an account id\n"
        "  --output json|plain   as az account get-access-token, or the token\n"
        "                        alone\n"
        "  --renew               a new one, whatever the cache has\n"
        "  --claims JSON         answers a claims challenge\n\n" //
    VL_WHOM_USAGE "\nExit codes: 0 printed, 1 none to be had, 2 usage or "
        "configuration.\n",
    .run = token,
};
