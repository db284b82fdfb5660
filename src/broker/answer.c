/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/answer.h"

#include "broker/refusal.h"
#include "core/buf.h"
#include "oauth/words.h"

/* What is longer is nobody's name, id or version. */
#define TEXT_MAX 512
/* Later than any token lasts: the year 2286. A smaller number than that of
 * 1973 are seconds, as some brokers have told. */
#define TIME_MAX_MS  9999999999999
#define SECONDS_MOST 100000000000
#define ARENA_MAX    VL_LIMIT_BROKER_ANSWER
#define BEARER       0 /* accessTokenType; 1 is bound to a key */

struct vl_broker_answer
vl_broker_answer_of(void)
{
    return (struct vl_broker_answer){.arena = vl_arena_of(ARENA_MAX)};
}

void
vl_broker_answer_done(struct vl_broker_answer *answer)
{
    vl_json_done(&answer->outer);
    vl_json_done(&answer->inner);
    vl_arena_done(&answer->arena);
}

/* --- the outer shape --- */

static bool
is_told(const struct json_t *value)
{
    enum vl_json_kind kind = vl_json_kind(value);
    return kind != VL_JSON_ABSENT && kind != VL_JSON_NULL;
}

/* A value, or the value that it is the text of. */
static const struct json_t *
unfold(const struct json_t *value, struct vl_json *inner)
{
    if (vl_json_kind(value) != VL_JSON_STRING)
        return value;
    if (vl_json_parse(vl_json_str(value), VL_LIMIT_JSON_DEPTH, inner, NULL) !=
        VALET_OK)
        return NULL;
    return inner->root;
}

static bool
fail_by(const struct json_t *error, bool interactive, valet_entra_error *ret)
{
    vl_broker_refusal_read(error, interactive, ret);
    return false;
}

static bool
fail_as_nonsense(valet_entra_error *ret)
{
    vl_broker_refusal(VALET_INTERNAL, VALET_NEXT_GIVE_UP, "",
                      "the identity broker's answer makes no sense", ret);
    return false;
}

/* An object that is no refusal. */
static bool
open_answer(struct vl_str text, bool interactive,
            struct vl_broker_answer *answer, valet_entra_error *ret_error)
{
    if (text.n > VL_LIMIT_BROKER_ANSWER ||
        vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &answer->outer, NULL) !=
            VALET_OK ||
        vl_json_kind(answer->outer.root) != VL_JSON_OBJECT)
        return fail_as_nonsense(ret_error);
    const struct json_t *error = vl_json_get(answer->outer.root, "error");
    return !is_told(error) || fail_by(error, interactive, ret_error);
}

/* --- accounts --- */

/* Empty as well when it is longer than any. */
static struct vl_str
short_text(const struct json_t *object, const char *key)
{
    struct vl_str text = vl_json_get_str(object, key);
    return text.n <= TEXT_MAX ? text : (struct vl_str){NULL, 0};
}

static struct vl_broker_account
read_account(const struct json_t *account)
{
    return (struct vl_broker_account){
        .home_account_id = short_text(account, "homeAccountId"),
        .username = short_text(account, "username"),
        .name = short_text(account, "name"),
        .tenant_id = short_text(account, "realm"),
    };
}

bool
vl_broker_read_accounts(struct vl_str text, struct vl_broker_answer *answer,
                        struct vl_broker_list *ret,
                        valet_entra_error *ret_error)
{
    ret->count = 0;
    if (!open_answer(text, false, answer, ret_error))
        return false;
    const struct json_t *list =
        unfold(vl_json_get(answer->outer.root, "accounts"), &answer->inner);
    if (vl_json_kind(list) != VL_JSON_ARRAY)
        return fail_as_nonsense(ret_error);
    for (size_t i = 0; i < vl_json_size(list); i++) {
        const struct json_t *told = vl_json_at(list, i);
        struct vl_broker_account account = read_account(told);
        if (!account.home_account_id.n || !account.username.n ||
            ret->count == VL_LIMIT_BROKER_ACCOUNTS)
            continue;
        ret->accounts[ret->count] = account;
        ret->told[ret->count++] = told;
    }
    return true;
}

/* --- a token --- */

/* Milliseconds since 1970, as a number or as decimal text; 0: neither. */
static int64_t
read_time(const struct json_t *value)
{
    uint64_t digits = 0;
    int64_t time = 0;
    if (!vl_json_int(value, &time) &&
        vl_str_u64(vl_json_str(value), TIME_MAX_MS, &digits))
        time = (int64_t)digits;
    if (time <= 0 || time > TIME_MAX_MS)
        return 0;
    return time < SECONDS_MOST ? time * 1000 : time;
}

/* Text with spaces, or a list; empty when there is neither. */
static struct vl_str
read_scopes(const struct json_t *value, struct vl_arena *arena)
{
    if (vl_json_kind(value) != VL_JSON_ARRAY)
        return vl_json_str(value);
    vl_auto(vl_buf) joined = vl_buf_of(ARENA_MAX);
    for (size_t i = 0; i < vl_json_size(value); i++) {
        struct vl_str scope = vl_json_str(vl_json_at(value, i));
        if (scope.n && vl_buf_size(&joined))
            vl_buf_addc(&joined, ' ');
        vl_buf_add(&joined, scope);
    }
    return vl_arena_dup(arena, vl_buf_str(&joined));
}

static bool
is_bearer(const struct json_t *type)
{
    int64_t number = BEARER;
    return !is_told(type) || (vl_json_int(type, &number) && number == BEARER);
}

bool
vl_broker_read_token(struct vl_str text, bool interactive,
                     struct vl_broker_answer *answer,
                     struct vl_broker_token *ret, valet_entra_error *ret_error)
{
    if (!open_answer(text, interactive, answer, ret_error))
        return false;
    const struct json_t *body = unfold(
        vl_json_get(answer->outer.root, "brokerTokenResponse"), &answer->inner);
    const struct json_t *error = vl_json_get(body, "error");
    if (is_told(error))
        return fail_by(error, interactive, ret_error);
    struct vl_str access = vl_json_get_str(body, "accessToken");
    int64_t expires_ms = read_time(vl_json_get(body, "expiresOn"));
    if (!access.n || !vl_oauth_is_token(access) || !expires_ms ||
        !is_bearer(vl_json_get(body, "accessTokenType")))
        return fail_as_nonsense(ret_error);
    *ret = (struct vl_broker_token){
        .access = vl_secret_of(access),
        .scopes =
            read_scopes(vl_json_get(body, "grantedScopes"), &answer->arena),
        .expires_ms = expires_ms,
        .account = read_account(vl_json_get(body, "account")),
    };
    return true;
}

bool
vl_broker_read_version(struct vl_str text, struct vl_broker_answer *answer,
                       struct vl_str *ret, valet_entra_error *ret_error)
{
    if (!open_answer(text, false, answer, ret_error))
        return false;
    *ret = short_text(answer->outer.root, "linuxBrokerVersion");
    return ret->n > 0 || fail_as_nonsense(ret_error);
}
