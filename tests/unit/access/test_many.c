/* SPDX-License-Identifier: Apache-2.0
 *
 * Several processes of one person that want the same server at once: one
 * browser window, one registration, one refresh.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "access/access.h"

#include "rig.h"

enum { MANY = 8, LIVE_MS = 5600 };

/* What all processes of a test see. */
struct many {
    struct as_state as;
    char folder[64], path[80];
    bool is_open;     /* the authorization server */
    unsigned windows; /* opened */
    unsigned waiting; /* processes that wait for another's sign-in */
    unsigned hangs;   /* so many windows are never looked at */
    bool is_long;     /* processes live for LIVE_MS */
    struct {
        valet_status status;
        char bearer[64];
        unsigned gaps; /* moments without a token */
    } results[MANY];
    pid_t server, clients[MANY], holder; /* the last that opened a window */
};

#define ADD(counter) __atomic_add_fetch(&(counter), 1, __ATOMIC_SEQ_CST)
#define GET(counter) __atomic_load_n(&(counter), __ATOMIC_SEQ_CST)

/* --- the authorization server, in a process of its own --- */

static void
serve(struct many *many)
{
    struct vl_loop *loop;
    struct as as;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    assert_ok(vl_loop_new(&loop, NULL));
    as_open(&as, &many->as, loop);
    __atomic_store_n(&many->is_open, true, __ATOMIC_SEQ_CST);
    vl_loop_run(loop);
}

static void
pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

#define until(condition)                                                       \
    do {                                                                       \
        int64_t until_ = vl_mono_now() + RIG_PATIENCE_MS;                      \
        while (!(condition)) {                                                 \
            assert_true(vl_mono_now() < until_);                               \
            pause_ms(5);                                                       \
        }                                                                      \
    } while (0)

static struct many *
many_new(void)
{
    struct many *many = mmap(NULL, sizeof *many, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(many != MAP_FAILED);
    many->as.expires_in = 3600;
    (void)snprintf(many->folder, sizeof many->folder,
                   "/tmp/valet-access-XXXXXX");
    assert_non_null(mkdtemp(many->folder));
    (void)snprintf(many->path, sizeof many->path, "%s/book", many->folder);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        serve(many);
        _exit(0);
    }
    many->server = child;
    until(GET(many->is_open));
    return many;
}

static void
many_free(struct many *many)
{
    char command[128];
    assert_int_equal(kill(many->server, SIGKILL), 0);
    assert_int_equal(waitpid(many->server, NULL, 0), many->server);
    (void)snprintf(command, sizeof command, "rm -r %s", many->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(munmap(many, sizeof *many), 0);
}

/* --- a program, in a process of its own --- */

struct client {
    struct many *many;
    struct rig *rig;
    struct vl_timer *timer;
    char start[256];
    unsigned wanted; /* who wait before the person acts */
};

static void
on_tell(const char *text, const char *url, void *ctx)
{
    struct client *client = ctx;
    (void)url;
    if (strstr(text, "waiting for it"))
        (void)ADD(client->many->waiting);
}

static void
look_at_window(void *ctx)
{
    struct client *client = ctx;
    if (GET(client->many->waiting) < client->wanted)
        vl_timer_start(client->timer, 10);
    else
        as_browser_go(&client->rig->browser, vl_str_z(client->start));
}

/* The person takes their time, until all others wait. */
static valet_status
on_open(const char *url, void *ctx, valet_error *err)
{
    struct client *client = ctx;
    struct many *many = client->many;
    (void)err;
    AS_COPY(client->start, vl_str_z(url));
    __atomic_store_n(&many->holder, getpid(), __ATOMIC_SEQ_CST);
    unsigned number = ADD(many->windows);
    if (number <= many->hangs)
        return VALET_OK;
    client->wanted = number == 1 ? MANY - 1 : 0;
    vl_timer_start(client->timer, 10);
    return VALET_OK;
}

static void
live(struct client *client, unsigned number)
{
    struct rig *rig = client->rig;
    int64_t end = vl_mono_now() + LIVE_MS;
    while (vl_mono_now() < end) {
        if (!vl_access_bearer(rig->access))
            client->many->results[number].gaps++;
        rig_wait(rig, 20);
    }
}

static void
run_client(struct many *many, unsigned number)
{
    char lock[96];
    struct vl_keep *keep = NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    assert_ok(vl_keep_open_file(many->path, &keep, NULL));
    struct rig *rig = rig_new_at(many->as.origin, keep);
    struct client client = {.many = many, .rig = rig};
    client.timer = vl_timer_new(rig->loop, look_at_window, &client);
    (void)snprintf(lock, sizeof lock, "%s/access", many->folder);
    rig->config.lock_path = lock;
    rig->config.tell = on_tell;
    rig->config.open = on_open;
    rig->config.ctx = &client;
    rig_restart(rig);
    if (!vl_access_bearer(rig->access))
        many->results[number].status = rig_ask(rig, 401, "scope=\"a\"", NULL);
    if (many->is_long)
        live(&client, number);
    AS_COPY(many->results[number].bearer, vl_str_z(rig_bearer(rig)));
    vl_timer_free(client.timer);
    rig_free(rig);
}

static void
start_all(struct many *many)
{
    for (unsigned i = 0; i < MANY; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            run_client(many, i);
            _exit(0);
        }
        many->clients[i] = child;
    }
}

/* How many ended well. */
static unsigned
wait_all(struct many *many)
{
    unsigned well = 0;
    for (unsigned i = 0; i < MANY; i++) {
        int status = 0;
        assert_int_equal(waitpid(many->clients[i], &status, 0),
                         many->clients[i]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            well++;
    }
    return well;
}

static void
assert_all_have(const struct many *many, const char *bearer)
{
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(many->results[i].status, VALET_OK);
        assert_string_equal(many->results[i].bearer, bearer);
    }
}

/* --- the tests --- */

static void
eight_at_once_open_one_window_and_register_once(void **state)
{
    (void)state;
    struct many *many = many_new();
    start_all(many);
    assert_int_equal(wait_all(many), MANY);
    assert_all_have(many, "access-2");
    assert_int_equal(many->windows, 1);
    assert_int_equal(many->as.registrations, 1);
    assert_int_equal(many->as.pages, 1);
    assert_int_equal(many->as.codes, 1);
    many_free(many);
}

static void
eight_that_start_after_its_end_renew_once(void **state)
{
    (void)state;
    struct many *many = many_new();
    many->as.expires_in = 1;
    start_all(many);
    (void)wait_all(many);
    unsigned windows = many->windows, refreshes = many->as.refreshes;
    pause_ms(1100);
    many->as.expires_in = 3600;
    start_all(many);
    assert_int_equal(wait_all(many), MANY);
    assert_int_equal(many->windows, windows);
    assert_int_equal(many->as.refreshes, refreshes + 1);
    assert_all_have(many, many->results[0].bearer);
    assert_int_equal(many->as.registrations, 1);
    many_free(many);
}

static void
eight_that_live_on_renew_once_ahead_and_miss_no_moment(void **state)
{
    (void)state;
    struct many *many = many_new();
    many->as.expires_in = 5;
    many->is_long = true;
    start_all(many);
    until(GET(many->as.codes) == 1);
    pause_ms(100);
    many->as.expires_in = 3600;
    assert_int_equal(wait_all(many), MANY);
    assert_all_have(many, "access-3");
    assert_int_equal(many->windows, 1);
    assert_int_equal(many->as.refreshes, 1);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(many->results[i].gaps, 0);
    many_free(many);
}

static unsigned
index_of(const struct many *many, pid_t pid)
{
    for (unsigned i = 0; i < MANY; i++)
        if (many->clients[i] == pid)
            return i;
    fail();
    return 0;
}

/* Killed in the middle, one after the other: the kernel gives the turn to the
 * next. */
static void
when_who_signs_in_is_killed_the_next_takes_over(void **state)
{
    (void)state;
    struct many *many = many_new();
    bool is_dead[MANY] = {false};
    const char *bearer = NULL;
    many->hangs = 3;
    start_all(many);
    until(GET(many->waiting) == MANY - 1);
    for (unsigned killed = 1; killed <= many->hangs; killed++) {
        until(GET(many->windows) == killed);
        unsigned dead = index_of(many, GET(many->holder));
        is_dead[dead] = true;
        assert_int_equal(kill(many->clients[dead], SIGKILL), 0);
    }
    assert_int_equal(wait_all(many), MANY - many->hangs);
    for (unsigned i = 0; i < MANY; i++) {
        if (is_dead[i])
            continue;
        assert_int_equal(many->results[i].status, VALET_OK);
        if (!bearer)
            bearer = many->results[i].bearer;
        assert_string_equal(many->results[i].bearer, bearer);
    }
    assert_int_equal(many->windows, many->hangs + 1);
    assert_int_equal(many->as.codes, 1);
    assert_int_equal(many->as.registrations, 1);
    many_free(many);
}

static void
who_has_said_no_is_not_asked_by_the_others(void **state)
{
    (void)state;
    struct many *many = many_new();
    (void)snprintf(many->as.refuses, sizeof many->as.refuses, "access_denied");
    start_all(many);
    assert_int_equal(wait_all(many), MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(many->results[i].status, VALET_CANCELLED);
    assert_int_equal(many->windows, 1);
    /* Later they may be. */
    many->windows = many->waiting = 0;
    start_all(many);
    assert_int_equal(wait_all(many), MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(many->results[i].status, VALET_OK);
    assert_int_equal(many->windows, 1);
    many_free(many);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_at_once_open_one_window_and_register_once),
        cmocka_unit_test(eight_that_start_after_its_end_renew_once),
        cmocka_unit_test(
            eight_that_live_on_renew_once_ahead_and_miss_no_moment),
        cmocka_unit_test(when_who_signs_in_is_killed_the_next_takes_over),
        cmocka_unit_test(who_has_said_no_is_not_asked_by_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
