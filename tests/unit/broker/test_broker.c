/* SPDX-License-Identifier: Apache-2.0
 *
 * The real module, a bus of the test's own, and a broker that answers as it is
 * told (tests/e2e/programs/fake_broker.c).
 */
#include "broker/broker.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/sys.h"
#include "vl_test_process.h"

#define CLIENT      "11111111-0000-4000-8000-000000000001"
#define TENANT      "22222222-0000-4000-8000-000000000001"
#define AUTHORITY   "https://login.microsoftonline.com/" TENANT
#define ALICE       "aaaaaaaa-0000-4000-8000-000000000001." TENANT
#define BOB         "bbbbbbbb-0000-4000-8000-000000000001." TENANT
#define ALICE_AT    "alice@contoso.example"
#define BOB_AT      "bob@contoso.example"
#define KNOWS_ALICE "--account", ALICE "," ALICE_AT ",Alice," TENANT
#define KNOWS_BOB   "--account", BOB "," BOB_AT ",Bob," TENANT
#define START(...)  START_WITH(__VA_ARGS__, NULL)
#define START_WITH(kit, ...)                                                   \
    start_broker(kit, (const char *const[]){"", __VA_ARGS__})

enum { ARGUMENTS_MAX = 32, LONG_MS = 20000 };

struct kit {
    char folder[64], log[96];
    pid_t bus, program;
    struct vl_loop *loop;
    struct vl_broker *broker;
};

/* What one caller was told. */
struct caller {
    struct kit *kit;
    int calls;
    char token[64], scopes[128], home_account_id[128], username[64];
    size_t accounts;
    bool frees; /* the broker, in its callback */
    valet_entra_error error;
};

/* --- the stage --- */

static int
open_kit(void **state)
{
    struct kit *kit = vl_alloc(sizeof *kit);
    *kit = (struct kit){.program = 0};
    (void)snprintf(kit->folder, sizeof kit->folder, "/tmp/valet-broker-XXXXXX");
    assert_non_null(mkdtemp(kit->folder));
    (void)snprintf(kit->log, sizeof kit->log, "%s/broker.log", kit->folder);
    kit->bus = start_session_bus(kit->folder);
    assert_ok(vl_loop_new(&kit->loop, NULL));
    kit->broker = vl_broker_new(kit->loop, getenv("VALET_MODULES"));
    *state = kit;
    return 0;
}

static int
close_kit(void **state)
{
    struct kit *kit = *state;
    char command[128];
    vl_broker_free(kit->broker);
    vl_loop_free(kit->loop);
    stop_program(&kit->program);
    stop_program(&kit->bus);
    (void)snprintf(command, sizeof command, "rm -rf %s", kit->folder);
    assert_int_equal(system(command), 0);
    free(kit);
    return 0;
}

/* Has the broker written this? */
static bool
log_has(const struct kit *kit, const char *text)
{
    vl_auto(vl_buf) log = vl_buf_of((size_t)1 << 20);
    return vl_file_read(kit->log, false, &log, NULL) == VALET_OK &&
           strstr(vl_buf_cstr(&log), text);
}

static void
wait_for_log(const struct kit *kit, const char *text)
{
    const struct timespec pause = {0, 5000000};
    for (int i = 0; !log_has(kit, text); i++) {
        assert_true(i < 2000);
        (void)nanosleep(&pause, NULL);
    }
}

/* Which lies beside the modules of the build. */
static void
name_program(char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s/fake-broker", getenv("VALET_PROGRAMS"));
}

/* The first option is the place
 * of the program's name. */
static void
start_broker(struct kit *kit, const char *const *options)
{
    char path[512];
    const char *arguments[ARGUMENTS_MAX] = {path};
    name_program(path, sizeof path);
    for (size_t i = 1; options[i]; i++) {
        assert_true(i + 1 < ARGUMENTS_MAX);
        arguments[i] = options[i];
    }
    (void)unlink(kit->log);
    kit->program = run_program(kit->log, "", arguments);
    wait_for_log(kit, "ready\n");
}

static void
on_late(void *ctx)
{
    (void)ctx;
    fail_msg("nothing came in time");
}

static void
run_until(struct caller *caller, int calls)
{
    struct vl_timer *timer = vl_timer_new(caller->kit->loop, on_late, NULL);
    vl_timer_start(timer, LONG_MS);
    while (caller->calls < calls)
        vl_loop_step(caller->kit->loop);
    vl_timer_free(timer);
}

static void
on_tick(void *ctx)
{
    (void)ctx;
}

/* Until the broker has written this. It may do so when the loop has nothing
 * left to wait for. */
static void
run_until_log(struct kit *kit, const char *text)
{
    struct vl_timer *timer = vl_timer_new(kit->loop, on_tick, NULL);
    for (int i = 0; !log_has(kit, text); i++) {
        assert_true(i < 2000);
        vl_timer_start(timer, 5);
        vl_loop_step(kit->loop);
    }
    vl_timer_free(timer);
}

/* --- calls --- */

static void
copy(char *ret, size_t size, struct vl_str text)
{
    (void)snprintf(ret, size, VL_STR_FMT, VL_STR_ARG(text));
}

static void
on_acquired(const struct vl_broker_token *token, const valet_entra_error *error,
            void *ctx)
{
    struct caller *caller = ctx;
    caller->calls++;
    assert_true(!token != !error);
    if (error) {
        caller->error = *error;
        assert_int_equal(strlen(error->correlation_id), 36);
        return;
    }
    caller->error = (valet_entra_error){.next = VALET_NEXT_COUNT};
    copy(caller->token, sizeof caller->token, vl_secret_reveal(&token->access));
    copy(caller->scopes, sizeof caller->scopes, token->scopes);
    copy(caller->home_account_id, sizeof caller->home_account_id,
         token->account.home_account_id);
    copy(caller->username, sizeof caller->username, token->account.username);
    assert_true(token->expires_ms > vl_clock_now(&vl_clock_system));
    if (caller->frees) {
        vl_broker_free(caller->kit->broker);
        caller->kit->broker = NULL;
    }
}

static struct vl_broker_in
request(const char *account)
{
    return (struct vl_broker_in){
        .authority = VL_STR(AUTHORITY),
        .client_id = VL_STR(CLIENT),
        .scopes = VL_STR("User.Read Mail.Read"),
        .account = vl_str_z(account),
    };
}

static struct caller
acquire_as(struct kit *kit, const struct vl_broker_in *in)
{
    struct caller caller = {.kit = kit};
    assert_non_null(vl_broker_acquire(kit->broker, in, on_acquired, &caller));
    assert_int_equal(caller.calls, 0);
    run_until(&caller, 1);
    return caller;
}

static struct caller
acquire(struct kit *kit, const char *account)
{
    struct vl_broker_in in = request(account);
    return acquire_as(kit, &in);
}

static struct caller
sign_in(struct kit *kit, const char *account, int64_t timeout_ms)
{
    struct vl_broker_in in = request(account);
    in.interactive = true;
    in.timeout_ms = timeout_ms;
    return acquire_as(kit, &in);
}

static void
expect_token(const struct caller *caller, const char *whose)
{
    assert_string_equal(caller->error.error.message, "");
    assert_string_equal(caller->token, "fake-access-token");
    assert_string_equal(caller->home_account_id, whose);
    assert_string_equal(caller->scopes, "User.Read Mail.Read");
}

static void
expect_error(const struct caller *caller, valet_status status, const char *code,
             valet_next next)
{
    assert_string_equal(caller->token, "");
    assert_int_equal(caller->error.error.status, status);
    assert_string_equal(caller->error.error.code, code);
    assert_int_equal(caller->error.next, next);
}

/* --- there is none --- */

/* @spec S-27 */
static void
without_a_bus_there_is_no_broker(void **state)
{
    struct kit *kit = *state;
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    unsetenv("XDG_RUNTIME_DIR");
    caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", 1);
    caller = sign_in(kit, "", 0);
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
}

static void
without_the_module_there_is_no_broker(void **state)
{
    struct kit *kit = *state;
    vl_broker_free(kit->broker);
    kit->broker = vl_broker_new(kit->loop, kit->folder);
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    assert_non_null(strstr(caller.error.error.message, "broker_dbus.so"));
}

/* @spec S-27 */
static void
a_bus_without_a_broker_says_so_at_once(void **state)
{
    struct kit *kit = *state;
    int64_t begun = vl_mono_now();
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    caller = sign_in(kit, "", 0);
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    assert_true(vl_mono_now() - begun < 5000);
}

/* The bus starts what has the name, when it is asked for. */
static void
describe_service(const struct kit *kit, const char *program,
                 const char *options)
{
    char path[160], text[1024];
    (void)snprintf(path, sizeof path, "%s/broker.service", kit->folder);
    (void)snprintf(text, sizeof text,
                   "[D-BUS Service]\nName=com.microsoft.identity.broker1\n"
                   "Exec=%s %s\n",
                   program, options);
    write_file(path, text, 0600);
}

static void
a_broker_is_started_by_the_bus(void **state)
{
    struct kit *kit = *state;
    char program[512];
    name_program(program, sizeof program);
    describe_service(kit, program,
                     "--account " ALICE "," ALICE_AT ",Alice," TENANT);
    struct caller caller = acquire(kit, "");
    expect_token(&caller, ALICE);
}

static void
a_broker_that_cannot_be_started_is_none(void **state)
{
    struct kit *kit = *state;
    describe_service(kit, "/bin/false", "");
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
}

/* --- there is one --- */

/* @spec S-32 */
static void
the_only_account_is_used_silently(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE);
    struct caller caller = acquire(kit, "");
    expect_token(&caller, ALICE);
    assert_string_equal(caller.username, ALICE_AT);
    assert_true(log_has(kit, "\"redirectUri\":\"" VL_BROKER_REDIRECT_URI "\""));
    assert_false(log_has(kit, "acquireTokenInteractively"));
}

static void
old_brokers_are_understood(void **state)
{
    struct kit *kit = *state;
    START(kit, "--old", KNOWS_ALICE, KNOWS_BOB);
    struct caller caller = acquire(kit, BOB_AT);
    expect_token(&caller, BOB);
    caller = sign_in(kit, ALICE, 0);
    expect_token(&caller, ALICE);
}

static void
folded_answers_are_understood(void **state)
{
    struct kit *kit = *state;
    START(kit, "--folded", KNOWS_ALICE, KNOWS_BOB);
    struct caller caller = acquire(kit, "BOB@contoso.example");
    expect_token(&caller, BOB);
    caller = acquire(kit, ALICE);
    expect_token(&caller, ALICE);
}

static void
nobody_is_chosen_among_several(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, KNOWS_BOB);
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "several_accounts", VALET_NEXT_SIGN_IN);
    caller = acquire(kit, "carol@contoso.example");
    expect_error(&caller, VALET_DENIED, "no_account", VALET_NEXT_SIGN_IN);
    assert_false(log_has(kit, "acquireToken"));
}

static void
nobody_is_chosen_among_two_of_one_name(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--account", BOB "," ALICE_AT ",Alice," TENANT);
    struct caller caller = acquire(kit, ALICE_AT);
    expect_error(&caller, VALET_DENIED, "several_accounts", VALET_NEXT_SIGN_IN);
    caller = sign_in(kit, ALICE_AT, 0);
    expect_error(&caller, VALET_DENIED, "several_accounts", VALET_NEXT_SIGN_IN);
    assert_false(log_has(kit, "acquireToken"));
    caller = acquire(kit, BOB);
    expect_token(&caller, BOB);
    /* A hint is no more than that. */
    struct vl_broker_in in = request("");
    in.interactive = true;
    in.login_hint = VL_STR(ALICE_AT);
    caller = acquire_as(kit, &in);
    expect_token(&caller, ALICE);
}

/* Himmelblau refuses to list when nobody is known yet. */
static void
a_person_may_sign_in_where_no_accounts_are_told(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--answer", "getAccounts",
          "{\"error\":{\"context\":\"Unable to find account\"}}");
    struct caller caller = sign_in(kit, "", 0);
    expect_token(&caller, ALICE);
    caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "interaction_required",
                 VALET_NEXT_SIGN_IN);
}

static void
without_accounts_the_person_has_to_sign_in(void **state)
{
    struct kit *kit = *state;
    START(kit);
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "no_account", VALET_NEXT_SIGN_IN);
}

/* A person who is a guest elsewhere is told twice. */
static void
a_guest_is_asked_for_in_the_tenant_that_is_wanted(void **state)
{
    struct kit *kit = *state;
    START(kit, "--account",
          ALICE "," ALICE_AT ",Alice,33333333-0000-4000-8000-000000000001",
          KNOWS_ALICE);
    struct caller caller = acquire(kit, ALICE);
    expect_token(&caller, ALICE);
    caller = acquire(kit, "");
    expect_token(&caller, ALICE);
    assert_true(log_has(kit, "\"realm\":\"" TENANT "\""));
    assert_false(
        log_has(kit, "\"realm\":\"33333333-0000-4000-8000-000000000001\""));
}

static void
anybody_may_sign_in(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, KNOWS_BOB, "--picks", "1");
    struct vl_broker_in in = request("");
    in.interactive = true;
    in.claims = VL_STR("{\"access_token\":{}}");
    in.prompt = VL_STR("select_account");
    in.domain_hint = VL_STR("contoso.example");
    struct caller caller = acquire_as(kit, &in);
    expect_token(&caller, BOB);
    assert_true(
        log_has(kit, "\"decodedClaims\":\"{\\\"access_token\\\":{}}\""));
    assert_true(log_has(kit, "\"prompt\":\"select_account\""));
    assert_true(log_has(kit, "{\"domain_hint\":\"contoso.example\"}"));
    in.login_hint = VL_STR(ALICE_AT);
    caller = acquire_as(kit, &in);
    expect_token(&caller, ALICE);
}

static void
a_token_of_somebody_else_is_refused(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, KNOWS_BOB, "--picks", "1");
    struct caller caller = sign_in(kit, "carol@contoso.example", 0);
    expect_error(&caller, VALET_DENIED, "account_mismatch", VALET_NEXT_SIGN_IN);
    stop_program(&kit->program);
    START(kit, KNOWS_ALICE, "--answer", "acquireTokenSilently",
          "{\"brokerTokenResponse\":{\"accessToken\":\"at\",\"expiresOn\":"
          "9000000000000,\"account\":{\"homeAccountId\":\"" BOB "\"}}}");
    caller = acquire(kit, ALICE_AT);
    expect_error(&caller, VALET_DENIED, "account_mismatch", VALET_NEXT_SIGN_IN);
    caller = acquire(kit, ""); /* the only one there is */
    expect_error(&caller, VALET_DENIED, "account_mismatch", VALET_NEXT_SIGN_IN);
    stop_program(&kit->program);
    /* An old broker does not say who has signed in. */
    START(kit, "--old", KNOWS_BOB);
    caller = sign_in(kit, "carol@contoso.example", 0);
    expect_error(&caller, VALET_DENIED, "account_mismatch", VALET_NEXT_SIGN_IN);
}

/* --- refusals and faults --- */

static void
refusals_are_passed_on(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--silent-error",
          "2,invalid_grant,basic_action,AADSTS50078: alice",
          "--interactive-error", "7");
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "AADSTS50078", VALET_NEXT_SIGN_IN);
    assert_string_equal(caller.error.suberror, "basic_action");
    caller = sign_in(kit, "", 0);
    expect_error(&caller, VALET_DENIED, "user_cancelled", VALET_NEXT_SIGN_IN);
}

static void
errors_of_the_bus_are_told_without_their_prose(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--dbus-error",
          "org.freedesktop.DBus.Error.Failed");
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "interaction_required",
                 VALET_NEXT_SIGN_IN);
    assert_null(strstr(caller.error.error.message, "alice"));
    caller = sign_in(kit, "", 0);
    expect_error(&caller, VALET_INTERNAL, "", VALET_NEXT_GIVE_UP);
    stop_program(&kit->program);
    START(kit, KNOWS_ALICE, "--dbus-error",
          "org.freedesktop.DBus.Error.AccessDenied");
    caller = acquire(kit, "");
    expect_error(&caller, VALET_DENIED, "", VALET_NEXT_GIVE_UP);
    stop_program(&kit->program);
    START(kit, KNOWS_ALICE, "--dbus-error",
          "org.freedesktop.DBus.Error.UnknownMethod");
    caller = acquire(kit, "");
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
}

static void
hostile_answers_are_refused(void **state)
{
    struct kit *kit = *state;
    static const char *const answers[] = {"", "no JSON", "[]",
                                          "{\"accounts\":7}",
                                          "{\"brokerTokenResponse\":[]}"};
    static const char *const methods[] = {"getAccounts",
                                          "acquireTokenSilently"};
    for (size_t i = 0; i < VL_COUNT(answers); i++)
        for (size_t m = 0; m < VL_COUNT(methods); m++) {
            START(kit, KNOWS_ALICE, "--answer", methods[m], answers[i]);
            struct caller caller = acquire(kit, "");
            expect_error(&caller, VALET_INTERNAL, "", VALET_NEXT_GIVE_UP);
            stop_program(&kit->program);
        }
}

static void
huge_answers_are_refused(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--size", "acquireTokenSilently", "30000000");
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_INTERNAL, "", VALET_NEXT_GIVE_UP);
}

static void
a_broker_that_dies_has_not_answered(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--dies", "acquireTokenSilently");
    struct caller caller = acquire(kit, "");
    expect_error(&caller, VALET_RETRY, "", VALET_NEXT_RETRY);
    stop_program(&kit->program);
    START(kit, KNOWS_ALICE);
    caller = acquire(kit, "");
    expect_token(&caller, ALICE);
}

static void
a_bus_that_dies_has_not_answered(void **state)
{
    struct kit *kit = *state;
    struct caller caller = {.kit = kit};
    struct vl_broker_in in = request("");
    START(kit, KNOWS_ALICE, "--mute", "getAccounts");
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &caller);
    run_until_log(kit, "getAccounts");
    stop_program(&kit->bus);
    run_until(&caller, 1);
    expect_error(&caller, VALET_RETRY, "", VALET_NEXT_RETRY);
    stop_program(&kit->program);
    kit->bus = start_session_bus(kit->folder);
    START(kit, KNOWS_ALICE);
    caller = acquire(kit, "");
    expect_token(&caller, ALICE);
}

/* What listens there is no bus, or one that does not let us in. */
static pid_t
start_nonsense(const char *path, const char *words)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char heard[256];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int peer = accept(fd, NULL, NULL);
        if (read(peer, heard, sizeof heard) > 0 &&
            write(peer, words, strlen(words)) > 0)
            (void)pause();
        _exit(0);
    }
    (void)close(fd);
    return child;
}

static void
a_bus_that_talks_nonsense_has_not_answered(void **state)
{
    struct kit *kit = *state;
    static const char *const words[] = {
        "REJECTED\r\nREJECTED\r\nREJECTED\r\n",
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        "", /* hangs up */
    };
    for (size_t i = 0; i < VL_COUNT(words); i++) {
        char path[96], address[128];
        int64_t begun = vl_mono_now();
        (void)snprintf(path, sizeof path, "%s/nonsense%zu", kit->folder, i);
        (void)snprintf(address, sizeof address, "unix:path=%s", path);
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
        kit->program = start_nonsense(path, words[i]);
        struct caller caller = acquire(kit, "");
        expect_error(&caller, VALET_RETRY, "", VALET_NEXT_RETRY);
        assert_true(vl_mono_now() - begun < 5000);
        stop_program(&kit->program);
    }
}

static void
a_broker_that_does_not_answer_is_given_up(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--mute", "acquireTokenSilently");
    struct vl_broker_in in = request("");
    in.timeout_ms = 200;
    struct caller caller = acquire_as(kit, &in);
    expect_error(&caller, VALET_RETRY, "", VALET_NEXT_RETRY);
    assert_false(log_has(kit, "cancelInteractiveFlow"));
}

/* --- a person who takes their time --- */

static void
a_slow_person_may_sign_in(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--delay", "300");
    struct caller caller = sign_in(kit, "", LONG_MS);
    expect_token(&caller, ALICE);
}

static void
a_sign_in_that_lasts_too_long_is_taken_off_the_screen(void **state)
{
    struct kit *kit = *state;
    START(kit, KNOWS_ALICE, "--waits");
    struct caller caller = sign_in(kit, "", 300);
    expect_error(&caller, VALET_DENIED, "sign_in_timeout", VALET_NEXT_SIGN_IN);
    wait_for_log(kit, "cancelInteractiveFlow");
}

static struct vl_broker_call *
begin_sign_in(struct kit *kit, struct caller *caller)
{
    struct vl_broker_in in = request("");
    in.interactive = true;
    in.timeout_ms = LONG_MS;
    *caller = (struct caller){.kit = kit};
    struct vl_broker_call *call =
        vl_broker_acquire(kit->broker, &in, on_acquired, caller);
    run_until_log(kit, "acquireTokenInteractively");
    return call;
}

static void
an_aborted_sign_in_is_taken_off_the_screen(void **state)
{
    struct kit *kit = *state;
    struct caller caller;
    START(kit, KNOWS_ALICE, "--waits");
    struct vl_broker_call *call = begin_sign_in(kit, &caller);
    vl_broker_abort(&call);
    assert_null(call);
    wait_for_log(kit, "cancelInteractiveFlow");
    vl_broker_abort(&call);
    struct caller next = acquire(kit, "");
    expect_token(&next, ALICE);
    assert_int_equal(caller.calls, 0);
}

static void
a_freed_broker_takes_its_sign_in_off_the_screen(void **state)
{
    struct kit *kit = *state;
    struct caller caller;
    START(kit, KNOWS_ALICE, "--waits");
    (void)begin_sign_in(kit, &caller);
    vl_broker_free(kit->broker);
    kit->broker = NULL;
    wait_for_log(kit, "cancelInteractiveFlow");
    assert_int_equal(caller.calls, 0);
}

/* --- many at once --- */

static void
two_calls_at_once_are_told_apart(void **state)
{
    struct kit *kit = *state;
    struct caller alice = {.kit = kit}, bob = {.kit = kit};
    struct vl_broker_in in = request(ALICE_AT);
    START(kit, KNOWS_ALICE, KNOWS_BOB, "--delay", "50");
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &alice);
    in = request(BOB);
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &bob);
    run_until(&alice, 1);
    run_until(&bob, 1);
    expect_token(&alice, ALICE);
    expect_token(&bob, BOB);
}

/* Nothing comes over the bus that would wake us by chance. */
static void
a_request_that_is_too_long_fails_at_once(void **state)
{
    struct kit *kit = *state;
    struct caller long_one = {.kit = kit}, other = {.kit = kit};
    struct vl_broker_in in = request("");
    vl_auto(vl_buf) claims = vl_buf_of(200000);
    while (vl_buf_size(&claims) < 100000)
        vl_buf_addc(&claims, 'x');
    START(kit, KNOWS_ALICE, "--mute", "getAccounts");
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &other);
    run_until_log(kit, "getAccounts");
    in.claims = vl_buf_str(&claims);
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &long_one);
    in = request("");
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &other);
    run_until(&long_one, 1);
    expect_error(&long_one, VALET_LIMIT, "", VALET_NEXT_GIVE_UP);
    assert_int_equal(other.calls, 0);
}

static void
a_callback_may_free_the_broker(void **state)
{
    struct kit *kit = *state;
    struct caller first = {.kit = kit, .frees = true}, second = {.kit = kit};
    struct vl_broker_in in = request("");
    START(kit, KNOWS_ALICE);
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &first);
    (void)vl_broker_acquire(kit->broker, &in, on_acquired, &second);
    run_until(&first, 1);
    assert_int_equal(second.calls, 0);
}

static void
a_call_may_be_aborted_before_it_has_begun(void **state)
{
    struct kit *kit = *state;
    struct caller caller = {.kit = kit};
    struct vl_broker_in in = request("");
    START(kit, KNOWS_ALICE);
    struct vl_broker_call *call =
        vl_broker_acquire(kit->broker, &in, on_acquired, &caller);
    vl_broker_abort(&call);
    struct caller next = acquire(kit, "");
    expect_token(&next, ALICE);
    assert_int_equal(caller.calls, 0);
}

/* --- looking --- */

static void
on_listed(const struct vl_broker_account *accounts, size_t count,
          const valet_entra_error *error, void *ctx)
{
    struct caller *caller = ctx;
    caller->calls++;
    caller->accounts = count;
    assert_true(!accounts == (error != NULL));
    if (error)
        caller->error = *error;
    if (count)
        copy(caller->username, sizeof caller->username, accounts[0].username);
}

static void
on_version(struct vl_str version, const valet_entra_error *error, void *ctx)
{
    struct caller *caller = ctx;
    caller->calls++;
    if (error)
        caller->error = *error;
    copy(caller->token, sizeof caller->token, version);
}

static void
the_brokers_accounts_and_version_are_told(void **state)
{
    struct kit *kit = *state;
    struct caller caller = {.kit = kit};
    (void)vl_broker_accounts(kit->broker, VL_STR(CLIENT), on_listed, &caller);
    (void)vl_broker_version(kit->broker, on_version, &caller);
    run_until(&caller, 2);
    expect_error(&caller, VALET_NOT_FOUND, "no_broker", VALET_NEXT_GIVE_UP);
    START(kit, KNOWS_ALICE, KNOWS_BOB);
    (void)vl_broker_accounts(kit->broker, VL_STR(CLIENT), on_listed, &caller);
    run_until(&caller, 3);
    assert_int_equal(caller.accounts, 2);
    assert_string_equal(caller.username, ALICE_AT);
    (void)vl_broker_version(kit->broker, on_version, &caller);
    run_until(&caller, 4);
    assert_string_equal(caller.token, "2.0.4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kit, close_kit)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_bus_there_is_no_broker),
        TEST(without_the_module_there_is_no_broker),
        TEST(a_bus_without_a_broker_says_so_at_once),
        TEST(a_broker_is_started_by_the_bus),
        TEST(a_broker_that_cannot_be_started_is_none),
        TEST(the_only_account_is_used_silently),
        TEST(old_brokers_are_understood),
        TEST(folded_answers_are_understood),
        TEST(nobody_is_chosen_among_several),
        TEST(nobody_is_chosen_among_two_of_one_name),
        TEST(a_person_may_sign_in_where_no_accounts_are_told),
        TEST(without_accounts_the_person_has_to_sign_in),
        TEST(a_guest_is_asked_for_in_the_tenant_that_is_wanted),
        TEST(anybody_may_sign_in),
        TEST(a_token_of_somebody_else_is_refused),
        TEST(refusals_are_passed_on),
        TEST(errors_of_the_bus_are_told_without_their_prose),
        TEST(hostile_answers_are_refused),
        TEST(huge_answers_are_refused),
        TEST(a_broker_that_dies_has_not_answered),
        TEST(a_bus_that_dies_has_not_answered),
        TEST(a_bus_that_talks_nonsense_has_not_answered),
        TEST(a_broker_that_does_not_answer_is_given_up),
        TEST(a_slow_person_may_sign_in),
        TEST(a_sign_in_that_lasts_too_long_is_taken_off_the_screen),
        TEST(an_aborted_sign_in_is_taken_off_the_screen),
        TEST(a_freed_broker_takes_its_sign_in_off_the_screen),
        TEST(two_calls_at_once_are_told_apart),
        TEST(a_request_that_is_too_long_fails_at_once),
        TEST(a_callback_may_free_the_broker),
        TEST(a_call_may_be_aborted_before_it_has_begun),
        TEST(the_brokers_accounts_and_version_are_told),
    };
    return cmocka_run_group_tests_name("broker/broker", tests, NULL, NULL);
}
