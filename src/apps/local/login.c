/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet login`: signs a person in, and says all the while what happens.
 */
#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/local/explain.h"
#include "core/limits.h"
#include "core/sys.h"
#include "json/write.h"

struct login {
    struct vl_whom whom;
    struct vl_option_list scopes;
    const char *account, *prompt, *claims, *output;
    bool broker, browser, device_code;
    bool is_json;
};

static const char *
method_name(unsigned method)
{
    return method == VALET_METHOD_BROKER    ? "broker"
           : method == VALET_METHOD_BROWSER ? "browser"
                                            : "device code";
}

/* 0: as the library sees fit. */
static unsigned
methods_of(const struct login *login)
{
    return login->broker        ? VALET_METHOD_BROKER
           : login->browser     ? VALET_METHOD_BROWSER
           : login->device_code ? VALET_METHOD_DEVICE_CODE
                                : 0;
}

/* --- while it lasts --- */

/* What comes from afar may not steer the terminal. */
static void
copy_tame(char *ret, size_t size, const char *text)
{
    (void)snprintf(ret, size, "%s", text ? text : "");
    vl_str_tame(ret);
}

/* Once a stand-in was asked it is asked again: nobody is to type a password
 * there who means the public cloud. */
static void
tell_whom(const struct vl_whom *whom)
{
    char host[VL_LIMIT_TARGET];
    if (!whom->kept.authority_host ||
        whom->now.authority_host != whom->kept.authority_host)
        return;
    copy_tame(host, sizeof host, whom->now.authority_host);
    (void)fprintf(stderr,
                  "%s is asked, as by the last sign-in; the public cloud is\n"
                  "--authority-host https://login.microsoftonline.com\n\n",
                  host);
}

static void
tell_code(const char *url, const char *code, int64_t expires_at)
{
    int64_t left_s = expires_at - vl_clock_now(&vl_clock_system) / 1000;
    (void)fprintf(stderr,
                  "To sign in, open this page on any device:\n\n"
                  "    %s\n\n"
                  "and type this code there:\n\n"
                  "    %s\n\n",
                  url, code);
    if (left_s >= 120)
        (void)fprintf(stderr, "Waiting; there are %lld minutes for it.\n",
                      (long long)(left_s + 30) / 60);
    else
        (void)fprintf(stderr, "Waiting; there are %lld seconds for it.\n",
                      (long long)(left_s > 0 ? left_s : 0));
}

static void
tell_browser(const char *url)
{
    (void)fprintf(stderr,
                  "The browser of this machine is asked to open this page:\n\n"
                  "    %s\n\nWaiting.\n",
                  url);
}

static void
tell(const valet_progress *progress, void *ctx)
{
    const struct login *login = ctx;
    char url[VL_LIMIT_TARGET], code[256], failed[256];
    copy_tame(url, sizeof url, progress->url);
    copy_tame(code, sizeof code, progress->user_code);
    copy_tame(failed, sizeof failed, progress->failed);
    if (progress->failed && methods_of(login))
        return; /* the only one: that is what will be complained about */
    if (progress->failed)
        (void)fprintf(stderr, "Not by %s: %s\n", method_name(progress->method),
                      failed);
    else if (progress->method == VALET_METHOD_DEVICE_CODE)
        tell_code(url, code, progress->expires_at);
    else if (progress->method == VALET_METHOD_BROWSER)
        tell_browser(url);
    else
        (void)fputs("The broker of this machine is asked.\n", stderr);
}

/* --- when it is done --- */

static void
write_json(const struct login *login, const valet_auth_result *result,
           struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "id", result->account_id);
    vl_json_add_z(&out, "username", result->username);
    vl_json_add_z(&out, "name", result->name);
    vl_json_add_z(&out, "tenant", result->tenant_id);
    vl_json_add_z(&out, "method", valet_source_name(result->source));
    vl_json_add_z(&out, "kept", vl_whom_place(&login->whom));
    vl_json_close(&out, '}');
    vl_buf_addc(text, '\n');
}

static void
write_line(const struct login *login, const valet_auth_result *result,
           struct vl_buf *text)
{
    char who[512];
    (void)snprintf(who, sizeof who, "%s (%s)",
                   result->name ? result->name : "somebody",
                   result->username ? result->username : result->account_id);
    vl_str_tame(who);
    vl_buf_addf(text, "%s is signed in to tenant %s by %s; kept in %s.\n", who,
                result->tenant_id,
                result->source == VALET_SOURCE_DEVICE_CODE
                    ? "device code"
                    : valet_source_name(result->source),
                vl_whom_place(&login->whom));
}

static int
finish(struct login *login, const valet_auth_result *result)
{
    valet_error err = {0};
    vl_auto(vl_buf) text = vl_buf_of(16384);
    if (result->not_kept) {
        vl_complain("signed in, but it could not be kept: %s",
                    result->not_kept);
        return VL_EXIT_FAILED;
    }
    if (login->is_json)
        write_json(login, result, &text);
    else
        write_line(login, result, &text);
    if (vl_whom_remember(&login->whom, result->tenant_id, &err) != VALET_OK)
        vl_complain("signed in, but the next commands have to be told whom to "
                    "ask: %s",
                    err.message);
    return vl_print(&text);
}

/* Where tokens could not be kept nobody is asked to sign in. */
static bool
check_place(const struct vl_whom *whom)
{
    valet_account_list list;
    valet_error err = {0};
    bool works = valet_accounts(whom->client, &list, &err) == VALET_OK;
    if (!works)
        vl_explain(whom, &err);
    valet_account_list_done(&list);
    return works;
}

static int
sign_in(struct login *login)
{
    valet_auth_result result;
    valet_entra_error refusal = {.error = {.status = VALET_OK}};
    static const char *const usual[] = {"User.Read", NULL};
    const valet_request request = {
        .flow = VALET_FLOW_SIGN_IN,
        .scopes = login->scopes.count ? login->scopes.items : usual,
        .account = login->account,
        .claims = login->claims,
        .prompt = login->prompt,
        .methods = methods_of(login),
        .timeout_s = 900,
        .tell = tell,
        .ctx = login,
    };
    if (!check_place(&login->whom))
        return VL_EXIT_FAILED;
    tell_whom(&login->whom);
    if (valet_acquire(login->whom.client, &request, &result, &refusal) !=
        VALET_OK) {
        vl_explain_refusal(&login->whom, &request, &refusal);
        return refusal.error.status == VALET_INVALID && !refusal.http_status
                   ? VL_EXIT_USAGE
                   : VL_EXIT_FAILED;
    }
    int code = finish(login, &result);
    valet_auth_result_done(&result);
    return code;
}

static int
login(int argc, char **argv)
{
    struct login login = {.output = NULL};
    static const char *const outputs[] = {"plain", "json"};
    size_t output;
    const struct vl_option options[] = {
        {.name = "--device-code", .flag = &login.device_code},
        {.name = "--browser", .flag = &login.browser},
        {.name = "--broker", .flag = &login.broker},
        {.name = "--account", .value = &login.account},
        {.name = "--scope", .list = &login.scopes},
        {.name = "--prompt", .value = &login.prompt},
        {.name = "--claims", .value = &login.claims},
        {.name = "--output", .value = &login.output},
        VL_WHOM_OPTIONS(login.whom),
    };
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)) ||
        !vl_output_choose(login.output, outputs, VL_COUNT(outputs), &output))
        return VL_EXIT_USAGE;
    if (login.broker + login.browser + login.device_code > 1) {
        vl_complain("only one of --broker, --browser and --device-code can be "
                    "forced");
        return VL_EXIT_USAGE;
    }
    login.is_json = output == 1;
    int code = vl_whom_open(&login.whom);
    if (code == VL_EXIT_OK)
        code = sign_in(&login);
    vl_whom_done(&login.whom);
    return code;
}

const struct vl_command vl_command_login = {
    VL_LOCAL_LOGIN,
    .usage =
        "usage: mcp-valet login [--device-code | --browser | --broker]\n"
        "                       [--account NAME] [--scope SCOPE] …\n\n"
        "Signs a person in: by the machine's broker, else in a browser, else\n"
        "by a code that is typed on another device. The session is kept for\n"
        "mcp-valet token; whom to ask is remembered for the next commands.\n\n"
        "  --device-code         sign in this way or not at all …\n"
        "  --browser             … or this way …\n"
        "  --broker              … or this one\n"
        "  --account NAME        let this username (or account id) in and "
        "nobody\n"
        "                        else\n"
        "  --scope SCOPE         what is consented to (User.Read); may be\n"
        "                        repeated\n"
        "  --prompt HOW          login, select_account or consent\n"
        "  --claims JSON         answers a claims challenge\n"
        "  --output plain|json   how it is told who has signed in\n\n" //
    VL_WHOM_USAGE "\nExit codes: 0 signed in, 1 not, 2 usage or "
        "configuration.\n",
    .run = login,
};
