/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet accounts` and `mcp-valet logout`: who is signed in, and who is no
 * longer.
 */
#include <errno.h>

#include "apps/command/local.h"
#include "apps/local/commands.h"
#include "apps/local/explain.h"
#include "apps/local/people.h"
#include "core/limits.h"
#include "json/write.h"

/* --- who is signed in --- */

static void
write_json(const valet_account_list *list, struct vl_buf *text)
{
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '[');
    for (size_t i = 0; i < list->count; i++) {
        const valet_account *account = &list->accounts[i];
        vl_json_open(&out, '{');
        vl_json_add_z(&out, "id", account->id);
        vl_json_add_z(&out, "username", account->username);
        vl_json_add_z(&out, "name", account->name);
        vl_json_add_z(&out, "tenant", account->tenant_id);
        vl_json_close(&out, '}');
    }
    vl_json_close(&out, ']');
    vl_buf_addc(text, '\n');
}

static int
show(const struct vl_whom *whom, bool is_json)
{
    valet_account_list list;
    valet_error err = {0};
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_CACHE);
    int code = VL_EXIT_OK;
    if (valet_accounts(whom->client, &list, &err) != VALET_OK) {
        vl_explain(whom, &err);
        return VL_EXIT_FAILED;
    }
    if (is_json) {
        write_json(&list, &text);
        code = vl_print(&text);
    } else if (list.count) {
        vl_people_print(stdout, &list, false);
        if (fflush(stdout) != 0) {
            vl_complain("cannot write to standard output: %s", strerror(errno));
            code = VL_EXIT_FAILED;
        }
    } else {
        vl_complain("nobody is signed in");
    }
    valet_account_list_done(&list);
    return code;
}

static int
accounts(int argc, char **argv)
{
    struct vl_whom whom = {.client = NULL};
    const char *output = NULL;
    static const char *const outputs[] = {"table", "json"};
    size_t chosen;
    const struct vl_option options[] = {
        {.name = "--output", .value = &output},
        VL_WHOM_OPTIONS(whom),
    };
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)) ||
        !vl_output_choose(output, outputs, VL_COUNT(outputs), &chosen))
        return VL_EXIT_USAGE;
    int code = vl_whom_open(&whom);
    if (code == VL_EXIT_OK)
        code = show(&whom, chosen == 1);
    vl_whom_done(&whom);
    return code;
}

const struct vl_command vl_command_accounts = {
    VL_LOCAL_ACCOUNTS,
    .usage = "usage: mcp-valet accounts [--output table|json]\n\n"
             "Lists who is signed in: username, name, tenant and id.\n\n"
             "  --output table|json   for people, or for programs\n\n" //
    VL_WHOM_USAGE "\nExit codes: 0 listed, 1 failed, 2 usage or "
             "configuration.\n",
    .run = accounts,
};

/* --- who is no longer --- */

static int
sign_out(const struct vl_whom *whom, const char *account)
{
    valet_error err = {0};
    if (valet_sign_out(whom->client, account, &err) == VALET_OK)
        return VL_EXIT_OK;
    vl_explain(whom, &err);
    return VL_EXIT_FAILED;
}

static int
sign_out_of(const struct vl_whom *whom, const valet_account_list *list,
            bool all)
{
    int code = VL_EXIT_OK;
    if (list->count == 0) {
        vl_complain("nobody is signed in");
        return all ? VL_EXIT_OK : VL_EXIT_FAILED;
    }
    if (all) {
        for (size_t i = 0; i < list->count && code == VL_EXIT_OK; i++)
            code = sign_out(whom, list->accounts[i].id);
        return code;
    }
    const char *id =
        list->count == 1 ? list->accounts[0].id : vl_people_choose(list);
    return id ? sign_out(whom, id) : VL_EXIT_FAILED;
}

static int
leave(const struct vl_whom *whom, const char *account, bool all)
{
    valet_account_list list;
    valet_error err = {0};
    int code;
    if (account) {
        code = sign_out(whom, account);
    } else if (valet_accounts(whom->client, &list, &err) == VALET_OK) {
        code = sign_out_of(whom, &list, all);
        valet_account_list_done(&list);
    } else {
        vl_explain(whom, &err);
        return VL_EXIT_FAILED;
    }
    if (code == VL_EXIT_OK)
        (void)fputs(
            "Signed out here. The browser's own session goes on, and the "
            "broker's: sign out there as well if others use them.\n",
            stderr);
    return code;
}

static int
logout(int argc, char **argv)
{
    struct vl_whom whom = {.client = NULL};
    const char *account = NULL;
    bool all = false;
    const struct vl_option options[] = {
        {.name = "--account", .value = &account},
        {.name = "--all", .flag = &all},
        VL_WHOM_OPTIONS(whom),
    };
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)))
        return VL_EXIT_USAGE;
    if (account && all) {
        vl_complain("--account and --all do not go together");
        return VL_EXIT_USAGE;
    }
    int code = vl_whom_open(&whom);
    if (code == VL_EXIT_OK)
        code = leave(&whom, account, all);
    vl_whom_done(&whom);
    return code;
}

const struct vl_command vl_command_logout = {
    VL_LOCAL_LOGOUT,
    .usage =
        "usage: mcp-valet logout [--account NAME | --all]\n\n"
        "Forgets an account and all of its tokens on this machine. When\n"
        "several are signed in it has to be said which.\n\n"
        "  --account NAME        its username or id\n"
        "  --all                 all of them\n\n" //
    VL_WHOM_USAGE
        "\nThe browser's own session, and the broker's, is not ended. Exit\n"
        "codes: 0 signed out, 1 not, 2 usage or configuration.\n",
    .run = logout,
};
