/* SPDX-License-Identifier: Apache-2.0
 *
 * The token cache, driven by lines of JSON on standard input; each gets one
 * line as its answer: {"ok":true,…} or {"error":"invalid","message":"…"}.
 *
 *     {"do":"read","document":"{…}"}      also "merge"
 *     {"do":"write"}                      → "document"
 *     {"do":"load","path":"…"}            an encrypted file; also "save"
 *     {"do":"accounts"}                   → "accounts"
 *     {"do":"find","kind":"access",…}     → "token"
 *     {"do":"put","kind":"refresh",…}     also kind "account"
 *     {"do":"remove","home_account_id":"…","environment":"…"}
 */
#include <stdio.h>

#include "cache/kept.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "json/read.h"
#include "json/write.h"

#define LINE_MAX_SIZE ((size_t)2 * VL_LIMIT_CACHE)

struct shell {
    struct vl_cache *cache;
    const struct json_t *in;
    struct vl_json_out *out;
};

static struct vl_str
get(const struct shell *shell, const char *name)
{
    return vl_json_get_str(shell->in, name);
}

static int64_t
get_now(const struct shell *shell)
{
    int64_t now = vl_clock_now(&vl_clock_system) / 1000;
    (void)vl_json_get_int(shell->in, "now", &now);
    return now;
}

static struct vl_cache_token
get_token(const struct shell *shell)
{
    struct vl_str secret = get(shell, "secret");
    struct vl_cache_token token = {
        .home_account_id = get(shell, "home_account_id"),
        .environment = get(shell, "environment"),
        .client_id = get(shell, "client_id"),
        .realm = get(shell, "realm"),
        .target = get(shell, "target"),
        .family_id = get(shell, "family_id"),
        .secret = {(char *)(uintptr_t)secret.p, secret.n},
    };
    (void)vl_json_get_int(shell->in, "expires_on", &token.expires_on);
    return token;
}

static bool
add_account(const struct vl_cache_account *account, void *ctx)
{
    struct vl_json_out *out = ctx;
    vl_json_open(out, '{');
    vl_json_add_str(out, "home_account_id", account->home_account_id);
    vl_json_add_str(out, "environment", account->environment);
    vl_json_add_str(out, "realm", account->realm);
    vl_json_add_str(out, "local_account_id", account->local_account_id);
    vl_json_add_str(out, "username", account->username);
    vl_json_add_str(out, "name", account->name);
    vl_json_close(out, '}');
    return true;
}

static valet_status
list_accounts(struct shell *shell, valet_error *err)
{
    (void)err;
    vl_json_open_key(shell->out, "accounts", '[');
    vl_cache_each_account(shell->cache, get(shell, "environment"), add_account,
                          shell->out);
    vl_json_close(shell->out, ']');
    return VALET_OK;
}

static valet_status
find_token(struct shell *shell, valet_error *err)
{
    const struct vl_cache_token wanted = get_token(shell);
    struct vl_cache_token found;
    struct vl_str kind = get(shell, "kind");
    bool good = vl_str_eqz(kind, "access")
                    ? vl_cache_find_access(shell->cache, &wanted,
                                           get_now(shell), 300, &found)
                : vl_str_eqz(kind, "refresh")
                    ? vl_cache_find_refresh(shell->cache, &wanted, &found)
                    : vl_cache_find_id_token(shell->cache, &wanted, &found);
    if (!good)
        return vl_fail(err, VALET_NOT_FOUND, "", "there is no such token");
    vl_json_open_key(shell->out, "token", '{');
    vl_json_add_str(shell->out, "secret", vl_secret_reveal(&found.secret));
    vl_json_add_str(shell->out, "target", found.target);
    vl_json_add_int(shell->out, "expires_on", found.expires_on);
    vl_json_close(shell->out, '}');
    return VALET_OK;
}

static valet_status
put(struct shell *shell, valet_error *err)
{
    const struct vl_cache_token token = get_token(shell);
    struct vl_str kind = get(shell, "kind");
    const struct vl_cache_account account = {
        .home_account_id = token.home_account_id,
        .environment = token.environment,
        .realm = token.realm,
        .local_account_id = get(shell, "local_account_id"),
        .username = get(shell, "username"),
        .name = get(shell, "name"),
        .client_info = get(shell, "client_info"),
    };
    if (vl_str_eqz(kind, "account"))
        return vl_cache_put_account(shell->cache, &account, get_now(shell),
                                    err);
    enum vl_cache_kind of = vl_str_eqz(kind, "access") ? VL_CACHE_ACCESS_TOKEN
                            : vl_str_eqz(kind, "refresh")
                                ? VL_CACHE_REFRESH_TOKEN
                                : VL_CACHE_ID_TOKEN;
    return vl_cache_put_token(shell->cache, of, &token, VL_CACHE_SIGNED_IN,
                              get_now(shell), err);
}

static valet_status
remove_account(struct shell *shell, valet_error *err)
{
    if (vl_cache_remove_account(shell->cache, get(shell, "home_account_id"),
                                get(shell, "environment"), get_now(shell)))
        return VALET_OK;
    return vl_fail(err, VALET_NOT_FOUND, "", "there is no such account");
}

static valet_status
read_document(struct shell *shell, valet_error *err)
{
    return vl_cache_read(shell->cache, get(shell, "document"), err);
}

static valet_status
merge_document(struct shell *shell, valet_error *err)
{
    return vl_cache_merge(shell->cache, get(shell, "document"), err);
}

static valet_status
write_document(struct shell *shell, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CACHE);
    VL_TRY(vl_cache_write(shell->cache, &text, err));
    vl_json_add_str(shell->out, "document", vl_buf_str(&text));
    return VALET_OK;
}

/* "load" and "save" by an encrypted file. */
static valet_status
use_keep(struct shell *shell, valet_error *err)
{
    struct vl_keep *keep = NULL;
    char path[1024];
    struct vl_str text = get(shell, "path");
    (void)snprintf(path, sizeof path, VL_STR_FMT, VL_STR_ARG(text));
    VL_TRY(vl_keep_open_file(path, &keep, err));
    valet_status status =
        vl_str_eqz(get(shell, "do"), "load")
            ? vl_cache_load(shell->cache, keep, err)
            : vl_cache_save(shell->cache, keep, get_now(shell), err);
    vl_keep_close(keep);
    return status;
}

static valet_status
run_command(struct shell *shell, valet_error *err)
{
    static const struct {
        const char *name;
        valet_status (*run)(struct shell *shell, valet_error *err);
    } commands[] = {
        {"read", read_document},    {"merge", merge_document},
        {"write", write_document},  {"load", use_keep},
        {"save", use_keep},         {"accounts", list_accounts},
        {"find", find_token},       {"put", put},
        {"remove", remove_account},
    };
    for (size_t i = 0; i < VL_COUNT(commands); i++)
        if (vl_str_eqz(get(shell, "do"), commands[i].name))
            return commands[i].run(shell, err);
    return vl_fail(err, VALET_INVALID, "", "there is no such command");
}

static void
answer_line(struct vl_cache *cache, struct vl_str line)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) text = vl_buf_of_secret(LINE_MAX_SIZE);
    struct vl_json_out out = {&text, false};
    valet_error err = {.status = VALET_OK};
    struct shell shell = {cache, NULL, &out};
    vl_json_open(&out, '{');
    valet_status status = vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &doc, &err);
    shell.in = doc.root;
    if (status == VALET_OK)
        status = run_command(&shell, &err);
    if (status == VALET_OK) {
        vl_json_add_bool(&out, "ok", true);
    } else {
        vl_json_add_z(&out, "error", valet_status_name(status));
        vl_json_add_z(&out, "message", err.message);
    }
    vl_json_close(&out, '}');
    (void)puts(vl_buf_cstr(&text));
    (void)fflush(stdout);
}

int
main(void)
{
    struct vl_cache *cache = vl_cache_new(NULL);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;)
        answer_line(cache, vl_str_of(line, (size_t)n));
    free(line);
    vl_cache_free(cache);
    return 0;
}
