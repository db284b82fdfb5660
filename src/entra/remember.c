/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/remember.h"

#include "core/enc.h"
#include "core/status.h"

#define CLIENT_INFO_MAX 2048

/* It becomes part of names that are told apart by '.' and '-', and of what is
 * shown: letters, digits, '-' and '_'. */
static bool
is_part(struct vl_str part)
{
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        if (!vl_is_letter(c) && !vl_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return part.n > 0;
}

static bool
write_home(struct vl_str uid, struct vl_str utid,
           char ret[VL_HOME_ACCOUNT_SIZE])
{
    if (!is_part(uid) || !is_part(utid) ||
        uid.n + 1 + utid.n >= VL_HOME_ACCOUNT_SIZE)
        return false;
    (void)snprintf(ret, VL_HOME_ACCOUNT_SIZE, "%.*s.%.*s", (int)uid.n, uid.p,
                   (int)utid.n, utid.p);
    return true;
}

/*
 * The person's home: in a guest's token the object id is the guest's, so the
 * client info tells it. Without it, who they are here.
 */
static bool
read_home(const struct vl_remember *what, char ret[VL_HOME_ACCOUNT_SIZE])
{
    vl_auto(vl_buf) text = vl_buf_of(CLIENT_INFO_MAX);
    vl_auto(vl_json) info = {NULL};
    struct vl_str encoded = what->answer->client_info;
    if (!encoded.n)
        return what->person &&
               write_home(vl_str_z(what->person->user.oid),
                          vl_str_z(what->person->user.tid), ret);
    return vl_dec_base64url(encoded, &text) &&
           vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &info, NULL) ==
               VALET_OK &&
           write_home(vl_json_get_str(info.root, "uid"),
                      vl_json_get_str(info.root, "utid"), ret);
}

valet_status
vl_remember_home(const struct vl_remember *what,
                 char ret_home[VL_HOME_ACCOUNT_SIZE], valet_error *err)
{
    return what->person && read_home(what, ret_home)
               ? VALET_OK
               : vl_fail(err, VALET_DENIED, "invalid_client_info",
                         "Entra ID's answer names no account");
}

static valet_status
put_account(struct vl_cache *cache, const struct vl_remember *what,
            struct vl_str home, int64_t now_s, valet_error *err)
{
    struct vl_cache_account account = {
        .home_account_id = home,
        .environment = what->environment,
        .realm = vl_str_z(what->person->user.tid),
        .local_account_id = vl_str_z(what->person->user.oid),
        .username = what->person->username,
        .name = what->person->name,
        .client_info = what->answer->client_info,
    };
    return vl_cache_put_account(cache, &account, now_s, err);
}

/* Seconds, never later than the milliseconds say. */
static int64_t
seconds(int64_t ms)
{
    return ms / 1000;
}

/* Puts one token, if there is one. */
static valet_status
put_token(struct vl_cache *cache, const struct vl_remember *what,
          enum vl_cache_kind kind, struct vl_cache_token *token, int64_t now_s,
          valet_error *err)
{
    /* An application's own tokens have no account that could be gone. */
    bool renewed = what->home_account_id.n > 0;
    if (vl_secret_is_empty(&token->secret))
        return VALET_OK;
    token->environment = what->environment;
    token->client_id = what->client_id;
    token->user_assertion_hash = what->user_assertion_hash;
    return vl_cache_put_token(cache, kind, token,
                              renewed ? VL_CACHE_RENEWED : VL_CACHE_SIGNED_IN,
                              now_s, err);
}

static valet_status
put_tokens(struct vl_cache *cache, const struct vl_remember *what,
           struct vl_str home, int64_t now_s, valet_error *err)
{
    const struct vl_token_answer *answer = what->answer;
    struct vl_secret id = vl_secret_of(answer->id_token);
    bool all = what->user_assertion_hash.n == 0;
    struct vl_cache_token access = {.home_account_id = home,
                                    .realm = what->tenant_id,
                                    .target = answer->scope.n ? answer->scope
                                                              : what->scopes,
                                    .cached_at = now_s,
                                    .expires_on =
                                        seconds(answer->tokens.expires_ms),
                                    .extended_expires_on =
                                        seconds(answer->extended_ms),
                                    .refresh_on = seconds(answer->refresh_ms),
                                    .secret = answer->tokens.access.secret},
                          refresh = {.home_account_id = home,
                                     .family_id = answer->family_id,
                                     .secret = answer->tokens.refresh.secret},
                          id_token = {.home_account_id = home,
                                      .realm = what->tenant_id,
                                      .secret = id};
    /* The refresh token first: without an account it fails before anything
     * was put. */
    valet_status status = VALET_OK;
    if (all)
        status = put_token(cache, what, VL_CACHE_REFRESH_TOKEN, &refresh, now_s,
                           err);
    if (status == VALET_OK)
        status =
            put_token(cache, what, VL_CACHE_ACCESS_TOKEN, &access, now_s, err);
    /* One that nobody has checked proves nobody. */
    if (status == VALET_OK && what->person)
        status =
            put_token(cache, what, VL_CACHE_ID_TOKEN, &id_token, now_s, err);
    vl_secret_done(&id);
    return status;
}

valet_status
vl_remember(struct vl_cache *cache, const struct vl_remember *what,
            int64_t now_ms, char ret_home[VL_HOME_ACCOUNT_SIZE],
            valet_error *err)
{
    char told[VL_HOME_ACCOUNT_SIZE] = "";
    int64_t now_s = seconds(now_ms);
    bool is_assertion = what->user_assertion_hash.n > 0;
    bool tells = what->person || is_assertion ||
                 (what->home_account_id.n && what->answer->client_info.n);
    if (tells && !read_home(what, told))
        return vl_fail(err, VALET_DENIED, "invalid_client_info",
                       "Entra ID's answer names no account");
    if (tells && what->home_account_id.n &&
        !vl_str_ieq(what->home_account_id, vl_str_z(told)))
        return vl_fail(err, VALET_DENIED, "invalid_client_info",
                       "Entra ID's answer is for another account");
    struct vl_str home =
        what->home_account_id.n ? what->home_account_id : vl_str_z(told);
    if (home.n >= VL_HOME_ACCOUNT_SIZE)
        return vl_fail(err, VALET_LIMIT, "", "the account's id is too long");
    if (ret_home)
        (void)snprintf(ret_home, VL_HOME_ACCOUNT_SIZE, "%.*s", (int)home.n,
                       home.p);
    if (what->person)
        VL_TRY(put_account(cache, what, home, now_s, err));
    VL_TRY(put_tokens(cache, what, home, now_s, err));
    struct vl_cache_app app = {.environment = what->environment,
                               .client_id = what->client_id,
                               .family_id = what->answer->family_id};
    if (home.n && !is_assertion)
        VL_TRY(vl_cache_put_app(cache, &app, now_s, err));
    return VALET_OK;
}
