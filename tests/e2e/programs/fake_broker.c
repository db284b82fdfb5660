/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for Microsoft's identity broker on the session bus of
 * DBUS_SESSION_BUS_ADDRESS. It writes "ready" to standard output when it has
 * its name, and then a line for each call: the method, the correlation id and
 * the request. SIGTERM and the end of the bus end it.
 *
 *     fake-broker [OPTION …]
 *
 *     --account ID,USERNAME,NAME,TENANT   one it knows; may be repeated
 *     --picks N            whom the person signs in as when nobody is named;
 *                          0 is the first account, and the default
 *     --token TEXT         the access token (default "fake-access-token")
 *     --token-file PATH    … as the file holds it at each call
 *     --lifetime SECONDS   of the token (default 3600)
 *     --old                as brokers up to 2.0.1: wants the account beside
 *                          authParameters, and does not tell whose token it is
 *     --folded             inner objects are told as JSON text
 *     --version TEXT       (default "2.0.4"; "2.0.1" with --old)
 *     --silent-error STATUS[,CODE[,SUBERROR[,CONTEXT]]]
 *     --interactive-error …  as well: a refusal instead of a token
 *     --dbus-error NAME    tokens are refused by a D-Bus error
 *     --delay MS           before a token, or the refusal
 *     --waits              a sign-in lasts until it is cancelled
 *     --mute METHOD        never answers it
 *     --dies METHOD        ends without an answer
 *     --answer METHOD TEXT answers with just this
 *     --size METHOD BYTES  answers with so many bytes
 *
 * An account in the request has to be one it knows, just as it was told.
 */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/str.h"
#include "core/sys.h"
#include "json/read.h"
#include "json/write.h"

#define NAME          "com.microsoft.identity.broker1"
#define PATH          "/com/microsoft/identity/broker1"
#define INTERFACE     "com.microsoft.identity.Broker1"
#define ACCOUNTS_MAX  16
#define API_VIOLATION 6
#define CANCELLED     8
#define NO_ACCOUNT    16
#define TEXT_SIZE_MAX (64 * 1024 * 1024)

struct account {
    struct vl_str id, username, name, tenant;
};

/* An answer that is not given yet. */
struct later {
    sd_bus_message *call;
    struct vl_buf text;
    bool is_token; /* or the refusal of one */
};

static struct {
    struct account accounts[ACCOUNTS_MAX];
    size_t account_count, picks;
    const char *token, *token_file, *version;
    int64_t lifetime_s, delay_ms;
    bool old, folded, waits;
    const char *errors[2]; /* silent, interactive */
    const char *dbus_error, *mute, *dies, *answer_method, *answer;
    const char *size_method;
    uint64_t size;
    struct later *waiting; /* the sign-in that is not cancelled yet */
} fake = {.token = "fake-access-token", .lifetime_s = 3600};

/* --- answers --- */

static void
write_account(struct vl_json_out *out, const char *key,
              const struct account *account)
{
    vl_json_open_key(out, key, '{');
    vl_json_add_z(out, "environment", "login.windows.net");
    vl_json_add_str(out, "givenName", account->name);
    vl_json_add_str(out, "homeAccountId", account->id);
    vl_json_add_str(out, "localAccountId",
                    vl_str_head(account->id, vl_str_index(account->id, '.')));
    vl_json_add_str(out, "name", account->name);
    vl_json_add_int(out, "passwordExpiry", 0);
    vl_json_add_str(out, "realm", account->tenant);
    vl_json_add_str(out, "username", account->username);
    vl_json_close(out, '}');
}

/* {"KEY": inner}, where inner may be told as its text. */
static void
write_outer(struct vl_buf *text, const char *key, const struct vl_buf *inner)
{
    struct vl_json_out out = {text, false};
    vl_json_open(&out, '{');
    if (fake.folded)
        vl_json_add_str(&out, key, vl_buf_str(inner));
    else
        vl_json_add_raw(&out, key, vl_buf_str(inner));
    vl_json_close(&out, '}');
}

static void
write_accounts(struct vl_buf *text)
{
    vl_auto(vl_buf) inner = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    struct vl_json_out out = {&inner, false};
    vl_json_open(&out, '[');
    for (size_t i = 0; i < fake.account_count; i++)
        write_account(&out, NULL, &fake.accounts[i]);
    vl_json_close(&out, ']');
    write_outer(text, "accounts", &inner);
}

/* `told` is STATUS[,CODE[,SUBERROR[,CONTEXT]]]. */
static void
write_error(struct vl_buf *text, const char *told)
{
    struct vl_str rest = vl_str_z(told), part;
    uint64_t status = 0;
    vl_auto(vl_buf) inner = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    struct vl_json_out out = {&inner, false};
    (void)(vl_str_split(&rest, ',', &part) && vl_str_u64(part, 9999, &status));
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "accessTokenType", 0);
    vl_json_open_key(&out, "error", '{');
    vl_json_open_key(&out, "diagnostics", '{');
    if (vl_str_split(&rest, ',', &part))
        vl_json_add_str(&out, "raw_error_code", part);
    if (vl_str_split(&rest, ',', &part))
        vl_json_add_str(&out, "oauth2_sub_error_code", part);
    vl_json_close(&out, '}');
    vl_json_add_str(&out, "context", rest);
    vl_json_add_int(&out, "errorCode", 0);
    vl_json_add_int(&out, "status", (int64_t)status);
    vl_json_add_int(&out, "subStatus", 0);
    vl_json_add_int(&out, "tag", 0);
    vl_json_close(&out, '}');
    vl_json_add_int(&out, "expiresOn", 0);
    vl_json_close(&out, '}');
    write_outer(text, "brokerTokenResponse", &inner);
}

static void
fail_with(struct vl_buf *text, int status)
{
    char told[16];
    (void)snprintf(told, sizeof told, "%d", status);
    write_error(text, told);
}

static void
write_scopes(struct vl_json_out *out, const struct json_t *scopes)
{
    vl_auto(vl_buf) joined = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    for (size_t i = 0; i < vl_json_size(scopes); i++) {
        if (i)
            vl_buf_addc(&joined, ' ');
        vl_buf_add(&joined, vl_json_str(vl_json_at(scopes, i)));
    }
    if (fake.old)
        vl_json_add_str(out, "grantedScopes", vl_buf_str(&joined));
    else
        vl_json_add_value(out, "grantedScopes", scopes);
}

static void
write_token(struct vl_buf *text, const struct account *account,
            const struct json_t *scopes)
{
    vl_auto(vl_buf) inner = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    struct vl_json_out out = {&inner, false};
    int64_t end_ms = vl_clock_now(&vl_clock_system) + fake.lifetime_s * 1000;
    if (!fake.token_file)
        vl_buf_addz(&token, fake.token);
    else if (vl_file_read(fake.token_file, false, &token, NULL) != VALET_OK)
        exit(1);
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "accessToken", vl_str_trim(vl_buf_str(&token)));
    vl_json_add_int(&out, "accessTokenType", 0);
    if (!fake.old)
        write_account(&out, "account", account);
    vl_json_add_z(&out, "clientInfo", "e30");
    vl_json_add_int(&out, "expiresOn", end_ms);
    vl_json_add_int(&out, "extendedExpiresOn", end_ms);
    write_scopes(&out, scopes);
    vl_json_add_z(&out, "idToken", "e30.e30.e30");
    vl_json_close(&out, '}');
    write_outer(text, "brokerTokenResponse", &inner);
}

/* --- requests --- */

/* The account that the request names, in the place where this broker looks. */
static const struct account *
find_account(const struct json_t *request, const struct json_t *parameters)
{
    const struct json_t *told =
        vl_json_get(fake.old ? request : parameters, "account");
    vl_auto(vl_buf) whole = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
    struct vl_json_out out = {&whole, false};
    vl_json_open(&out, '{');
    vl_json_add_value(&out, "x", told);
    vl_json_close(&out, '}');
    for (size_t i = 0; told && i < fake.account_count; i++) {
        vl_auto(vl_buf) own = vl_buf_of(VL_LIMIT_BROKER_ANSWER);
        struct vl_json_out own_out = {&own, false};
        vl_json_open(&own_out, '{');
        write_account(&own_out, "x", &fake.accounts[i]);
        vl_json_close(&own_out, '}');
        if (vl_str_eq(vl_buf_str(&own), vl_buf_str(&whole)))
            return &fake.accounts[i];
    }
    return NULL;
}

static bool
is_well_formed(const struct json_t *parameters, bool interactive)
{
    int64_t type = 0;
    const struct json_t *scopes = vl_json_get(parameters, "requestedScopes");
    return vl_json_get_str(parameters, "authority").n &&
           vl_json_get_str(parameters, "clientId").n &&
           vl_json_get_str(parameters, "redirectUri").n &&
           vl_json_kind(scopes) == VL_JSON_ARRAY && vl_json_size(scopes) &&
           vl_json_get_int(parameters, "authorizationType", &type) &&
           (fake.old || type == (interactive ? 6 : 1));
}

static void
acquire(struct vl_str text, bool interactive, struct vl_buf *answer)
{
    vl_auto(vl_json) request = {NULL};
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &request, NULL) != VALET_OK) {
        fail_with(answer, API_VIOLATION);
        return;
    }
    const struct json_t *parameters =
        vl_json_get(request.root, "authParameters");
    const struct account *account = find_account(request.root, parameters);
    if (!account && interactive && fake.picks < fake.account_count)
        account = &fake.accounts[fake.picks];
    if (!is_well_formed(parameters, interactive))
        fail_with(answer, API_VIOLATION);
    else if (fake.errors[interactive])
        write_error(answer, fake.errors[interactive]);
    else if (!account)
        fail_with(answer, NO_ACCOUNT);
    else
        write_token(answer, account,
                    vl_json_get(parameters, "requestedScopes"));
}

/* --- calls --- */

static void
answer_now(struct later *later)
{
    int rc = fake.dbus_error && later->is_token
                 ? sd_bus_reply_method_errorf(later->call, fake.dbus_error,
                                              "alice@contoso.example failed")
                 : sd_bus_reply_method_return(later->call, "s",
                                              vl_buf_cstr(&later->text));
    (void)rc;
    (void)sd_bus_message_unref(later->call);
    vl_buf_done(&later->text);
    free(later);
}

static int
on_delay(sd_event_source *source, uint64_t time, void *ctx)
{
    (void)time;
    (void)sd_event_source_unref(source);
    answer_now(ctx);
    return 0;
}

static void
answer_token(struct later *later, bool interactive)
{
    sd_event_source *source = NULL;
    sd_event *event = sd_bus_get_event(sd_bus_message_get_bus(later->call));
    if (interactive && fake.waits)
        fake.waiting = later;
    else if (fake.delay_ms == 0)
        answer_now(later);
    else if (sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC,
                                        (uint64_t)fake.delay_ms * 1000, 1,
                                        on_delay, later) < 0)
        exit(1);
}

static void
cancel(void)
{
    if (!fake.waiting)
        return;
    vl_buf_clear(&fake.waiting->text);
    fail_with(&fake.waiting->text, CANCELLED);
    answer_now(fake.waiting);
    fake.waiting = NULL;
}

static bool
is(const char *method, const char *option)
{
    return option && strcmp(method, option) == 0;
}

/* What the options want of any method. */
static bool
answer_oddly(const char *method, struct later *later)
{
    if (is(method, fake.dies))
        _exit(0);
    if (is(method, fake.mute))
        return true;
    if (is(method, fake.size_method))
        for (uint64_t i = 0; i < fake.size; i++)
            vl_buf_addc(&later->text, 'x');
    else if (is(method, fake.answer_method))
        vl_buf_addz(&later->text, fake.answer);
    else
        return false;
    answer_now(later);
    return true;
}

static int
on_call(sd_bus_message *call, void *ctx, sd_bus_error *error)
{
    const char *protocol = NULL, *correlation_id = NULL, *request = NULL;
    const char *method = sd_bus_message_get_member(call);
    (void)ctx, (void)error;
    if (strcmp(sd_bus_message_get_interface(call), INTERFACE) != 0)
        return 0; /* no introspection, as in brokers after 2.0.1 */
    if (sd_bus_message_read(call, "sss", &protocol, &correlation_id, &request) <
            0 ||
        strcmp(protocol, "0.0") != 0)
        return -EINVAL;
    printf("%s %s %s\n", method, correlation_id, request);
    (void)fflush(stdout);
    struct later *later = vl_alloc(sizeof *later);
    *later = (struct later){.call = sd_bus_message_ref(call),
                            .text = vl_buf_of(TEXT_SIZE_MAX)};
    bool interactive = is(method, "acquireTokenInteractively");
    if (answer_oddly(method, later))
        return 1;
    if (interactive || is(method, "acquireTokenSilently")) {
        later->is_token = true;
        acquire(vl_str_z(request), interactive, &later->text);
        answer_token(later, interactive);
        return 1;
    }
    if (is(method, "getAccounts"))
        write_accounts(&later->text);
    else if (is(method, "getLinuxBrokerVersion"))
        vl_buf_addf(&later->text, "{\"linuxBrokerVersion\":\"%s\"}",
                    fake.version);
    else
        vl_buf_addz(&later->text, "{}");
    if (is(method, "cancelInteractiveFlow"))
        cancel();
    answer_now(later);
    return 1;
}

/* --- starting --- */

static bool
add_account(const char *text)
{
    struct vl_str rest = vl_str_z(text);
    if (fake.account_count == ACCOUNTS_MAX)
        return false;
    struct account *account = &fake.accounts[fake.account_count++];
    return vl_str_split(&rest, ',', &account->id) &&
           vl_str_split(&rest, ',', &account->username) &&
           vl_str_split(&rest, ',', &account->name) &&
           vl_str_split(&rest, ',', &account->tenant);
}

static bool
read_number(const char *text, uint64_t *ret)
{
    return vl_str_u64(vl_str_z(text), TEXT_SIZE_MAX - 1, ret);
}

/* How many arguments it has taken; 0: it is none of ours. */
static int
read_option(char **argv)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"--token", &fake.token},
        {"--token-file", &fake.token_file},
        {"--version", &fake.version},
        {"--silent-error", &fake.errors[0]},
        {"--interactive-error", &fake.errors[1]},
        {"--dbus-error", &fake.dbus_error},
        {"--mute", &fake.mute},
        {"--dies", &fake.dies},
    };
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--old", &fake.old},
        {"--folded", &fake.folded},
        {"--waits", &fake.waits},
    };
    uint64_t number = 0;
    for (size_t i = 0; i < VL_COUNT(flags); i++)
        if (is(argv[0], flags[i].name))
            return *flags[i].flag = true;
    if (!argv[1])
        return 0;
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        if (is(argv[0], texts[i].name)) {
            *texts[i].text = argv[1];
            return 2;
        }
    if (is(argv[0], "--account"))
        return add_account(argv[1]) ? 2 : 0;
    if (is(argv[0], "--answer") && argv[2]) {
        fake.answer_method = argv[1];
        fake.answer = argv[2];
        return 3;
    }
    if (is(argv[0], "--size") && argv[2] && read_number(argv[2], &fake.size)) {
        fake.size_method = argv[1];
        return 3;
    }
    if (!read_number(argv[1], &number))
        return 0;
    if (is(argv[0], "--delay"))
        fake.delay_ms = (int64_t)number;
    else if (is(argv[0], "--lifetime"))
        fake.lifetime_s = (int64_t)number;
    else if (is(argv[0], "--picks"))
        fake.picks = number;
    else
        return 0;
    return 2;
}

static int
serve(void)
{
    sd_bus *bus = NULL;
    sd_event *event = NULL;
    int rc = sd_event_default(&event);
    if (rc >= 0)
        rc = sd_bus_open_user(&bus);
    if (rc >= 0)
        rc = sd_bus_set_exit_on_disconnect(bus, true);
    if (rc >= 0)
        rc = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (rc >= 0)
        rc = sd_bus_add_object(bus, NULL, PATH, on_call, NULL);
    if (rc >= 0)
        rc = sd_bus_request_name(bus, NAME, 0);
    if (rc >= 0) {
        puts("ready");
        (void)fflush(stdout);
        rc = sd_event_loop(event);
    }
    if (rc < 0)
        (void)fprintf(stderr, "fake-broker: %s\n", strerror(-rc));
    (void)sd_bus_unref(bus);
    (void)sd_event_unref(event);
    return rc < 0;
}

int
main(int argc, char **argv)
{
    for (int i = 1, taken; i < argc; i += taken) {
        taken = read_option(argv + i);
        if (taken == 0) {
            (void)fprintf(stderr, "fake-broker: what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (!fake.version)
        fake.version = fake.old ? "2.0.1" : "2.0.4";
    return serve();
}
