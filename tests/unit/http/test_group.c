/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers of several threads that share a socket: where connections go, and
 * how they change servers. The site answers with the number of its member;
 * /at/N is answered by member N, wherever it was asked, and /late/N too, but
 * decided a while later.
 */
#define _GNU_SOURCE
#include "vl_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys.h"
#include "http/server_private.h"

enum { MEMBERS = 4 };

struct member {
    struct house *house;
    struct vl_loop *loop;
    struct vl_http_server *server;
    struct vl_http_site site;
    pthread_t thread;
    struct vl_task stop, drain;
    unsigned number;
};

struct house {
    struct vl_http_group *group;
    unsigned port;
    struct member members[MEMBERS];
};

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head, (void)ctx;
    return 100000;
}

static void
answer(struct member *member, struct vl_exchange *x)
{
    const struct vl_http_request *r = vl_exchange_request(x);
    vl_auto(vl_buf) text = vl_buf_of(200000);
    vl_buf_addf(&text, "member %u " VL_STR_FMT " " VL_STR_FMT "\n",
                member->number, VL_STR_ARG(r->target), VL_STR_ARG(r->body));
    vl_exchange_reply(
        x, &(struct vl_reply){.status = 200, .body = vl_buf_str(&text)});
}

static void
decide(struct member *member, struct vl_exchange *x, char digit)
{
    unsigned to = (unsigned)(digit - '0');
    if (to == member->number || !vl_exchange_move(x, to))
        answer(member, x);
}

struct later {
    struct member *member;
    struct vl_exchange *x;
    struct vl_timer *timer;
};

static void
decide_late(void *ctx)
{
    struct later later = *(struct later *)ctx;
    vl_timer_free(later.timer);
    free(ctx);
    decide(later.member, later.x, vl_exchange_request(later.x)->path.p[6]);
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct member *member = ctx;
    struct vl_str path = vl_exchange_request(x)->path;
    if (vl_str_starts(path, VL_STR("/late/"))) {
        struct later *later = vl_alloc(sizeof *later);
        *later = (struct later){member, x, NULL};
        later->timer = vl_timer_new(member->loop, decide_late, later);
        vl_timer_start(later->timer, vl_exchange_request(x)->query.n ? 2 : 200);
    } else if (vl_str_starts(path, VL_STR("/at/"))) {
        decide(member, x, path.p[4]);
    } else {
        answer(member, x);
    }
}

static void *
run(void *ctx)
{
    struct member *member = ctx;
    vl_loop_run(member->loop);
    return NULL;
}

static void
stop(struct vl_task *task)
{
    vl_loop_stop(VL_CONTAINER(task, struct member, stop)->loop);
}

static int
open_house(void **state)
{
    struct house *house = vl_alloc(sizeof *house);
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections_per_address = 100;
    (void)alarm(60);
    house->group = vl_http_group_new(MEMBERS, &limits);
    assert_ok(
        vl_http_group_listen(house->group, "127.0.0.1", 0, &house->port, NULL));
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &house->members[i];
        *member = (struct member){.house = house,
                                  .site = {body_max, handle, member},
                                  .stop.run = stop,
                                  .number = i};
        assert_ok(vl_loop_new(&member->loop, NULL));
        member->server =
            vl_http_server_join(house->group, i, member->loop, &member->site);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_int_equal(pthread_create(&house->members[i].thread, NULL, run,
                                        &house->members[i]),
                         0);
    *state = house;
    return 0;
}

static void
stop_all(struct house *house)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &house->members[i];
        vl_loop_post(member->loop, &member->stop);
        assert_int_equal(pthread_join(member->thread, NULL), 0);
    }
}

static int
close_house(void **state)
{
    struct house *house = *state;
    stop_all(house);
    for (unsigned i = 0; i < MEMBERS; i++)
        vl_http_server_free(house->members[i].server);
    for (unsigned i = 0; i < MEMBERS; i++)
        vl_loop_free(house->members[i].loop);
    assert_int_equal(vl_map_size(&house->group->clients), 0);
    assert_int_equal(house->group->connection_count, 0);
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_int_equal(atomic_load(&house->group->members[i].connections), 0);
    vl_http_group_free(house->group);
    free(house);
    (void)alarm(0);
    return 0;
}

/* --- a client that blocks --- */

static int
dial(const struct house *house)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)house->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until `wanted` has come `times` times, or the end. */
static size_t
hear(int fd, const char *wanted, size_t times, char *ret, size_t size)
{
    size_t n = 0;
    for (;;) {
        size_t found = 0;
        ret[n] = '\0';
        for (char *p = ret; (p = strstr(p, wanted)); p++)
            found++;
        if (found >= times)
            return found;
        ssize_t got = recv(fd, ret + n, size - 1 - n, 0);
        if (got <= 0)
            return found;
        n += (size_t)got;
    }
}

#define ASK(target) "GET " target " HTTP/1.1\r\nHost: a.example\r\n\r\n"

static unsigned
member_of(int fd)
{
    char text[4096];
    say(fd, ASK("/"));
    assert_int_equal(hear(fd, "member ", 1, text, sizeof text), 1);
    return (unsigned)(strstr(text, "member ")[7] - '0');
}

/* --- tests --- */

/* @spec S-64: the balance of accepting, exactly. */
static void
spreads_connections_evenly(void **state)
{
    struct house *house = *state;
    int fds[80];
    unsigned count[MEMBERS] = {0};
    for (size_t i = 0; i < VL_COUNT(fds); i++)
        fds[i] = dial(house);
    for (size_t i = 0; i < VL_COUNT(fds); i++)
        count[member_of(fds[i])]++;
    for (size_t i = 0; i < MEMBERS; i++)
        assert_in_range(count[i], VL_COUNT(fds) / MEMBERS - MEMBERS,
                        VL_COUNT(fds) / MEMBERS + MEMBERS);
    for (size_t i = 0; i < VL_COUNT(fds); i++)
        (void)close(fds[i]);
}

static void
counts_the_connections_of_all(void **state)
{
    struct house *house = *state;
    int fds[100];
    char text[4096];
    for (size_t i = 0; i < VL_COUNT(fds); i++) {
        fds[i] = dial(house);
        (void)member_of(fds[i]);
    }
    int more = dial(house);
    assert_int_equal(hear(more, "503 Service", 1, text, sizeof text), 1);
    (void)close(more);
    for (size_t i = 0; i < VL_COUNT(fds); i++)
        (void)close(fds[i]);
}

static void
moves_a_request_with_its_connection(void **state)
{
    struct house *house = *state;
    int fd = dial(house);
    char text[4096], wanted[64];
    for (unsigned i = 0; i < 200; i++) {
        char request[100];
        unsigned to = (i * 7 + i / 3) % MEMBERS;
        (void)snprintf(request, sizeof request, ASK("/at/%u?%u"), to, i);
        say(fd, request);
        (void)snprintf(wanted, sizeof wanted, "member %u /at/%u?%u ", to, to,
                       i);
        assert_int_equal(hear(fd, wanted, 1, text, sizeof text), 1);
        /* It stays where it went. */
        assert_int_equal(member_of(fd), to);
    }
    (void)close(fd);
}

static void
takes_along_what_came_behind(void **state)
{
    struct house *house = *state;
    char text[65536];
    int fd = dial(house);
    /* In one piece: bodies, chunks, and a half request at the end. */
    say(fd, ASK("/at/1") ASK("/at/2") "POST /at/3 HTTP/1.1\r\nHost: a\r\n"
                                      "Content-Length: 4\r\n\r\nbody"
                                      "POST /at/0 HTTP/1.1\r\nHost: a\r\n"
                                      "Transfer-Encoding: chunked\r\n\r\n"
                                      "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" ASK(
                                          "/at/2") "GET /at/1 HTT");
    assert_int_equal(hear(fd, "member ", 5, text, sizeof text), 5);
    const char *at = text;
    static const char *const wanted[] = {
        "member 1 /at/1 \n", "member 2 /at/2 \n", "member 3 /at/3 body\n",
        "member 0 /at/0 abc\n", "member 2 /at/2 \n"};
    for (size_t i = 0; i < VL_COUNT(wanted); i++) {
        at = strstr(at, wanted[i]);
        assert_non_null(at);
    }
    say(fd, "P/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(hear(fd, "member 1 /at/1", 1, text, sizeof text), 1);
    (void)close(fd);
}

/* A peer that has closed its direction cannot be sent on: it is told to ask
 * again, and is told. */
static void
answers_who_cannot_be_moved(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial(house);
    unsigned to = (member_of(fd) + 1) % MEMBERS;
    (void)snprintf(text, sizeof text, ASK("/late/%u"), to);
    say(fd, text);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    (void)hear(fd, "nothing", 1, text, sizeof text);
    assert_non_null(strstr(text, "503 Service Unavailable"));
    assert_non_null(strstr(text, "Retry-After: 0\r\n"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    (void)close(fd);
}

/* Each hop pauses reading where the one before has. */
static void
bounds_what_is_read_ahead(void **state)
{
    struct house *house = *state;
    static char request[9000], text[400000];
    enum { REQUESTS = 400 };
    char padding[8000];
    memset(padding, 'x', sizeof padding - 1);
    padding[sizeof padding - 1] = '\0';
    int fd = dial(house);
    pid_t child = fork();
    if (child == 0) { /* writes, while we read */
        for (int i = 0; i < REQUESTS; i++) {
            int n = snprintf(request, sizeof request,
                             "GET /late/%d?soon HTTP/1.1\r\nHost: a\r\n"
                             "X-Padding: %s\r\n\r\n",
                             i % 2, padding);
            for (int at = 0; at < n;) {
                ssize_t put =
                    send(fd, request + at, (size_t)(n - at), MSG_NOSIGNAL);
                if (put <= 0)
                    _exit(1);
                at += (int)put;
            }
        }
        _exit(0);
    }
    assert_int_equal(hear(fd, "member ", REQUESTS, text, sizeof text),
                     REQUESTS);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(fd);
}

static void
drain(struct vl_task *task)
{
    struct member *member = VL_CONTAINER(task, struct member, drain);
    vl_http_server_drain(member->server, 5000, NULL, NULL);
}

/* Who stops first may be the one that a request moves to. */
static void
answers_what_moves_while_all_stop(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial(house);
    unsigned to = (member_of(fd) + 1) % MEMBERS;
    (void)snprintf(text, sizeof text, ASK("/late/%u"), to);
    say(fd, text);
    (void)usleep(50000);
    vl_http_group_close(house->group);
    for (size_t i = 0; i < MEMBERS; i++) {
        house->members[i].drain.run = drain;
        vl_loop_post(house->members[i].loop, &house->members[i].drain);
    }
    (void)hear(fd, "nothing", 1, text, sizeof text);
    assert_non_null(strstr(text, "503 Service Unavailable"));
    (void)close(fd);
}

static void
knows_its_members(void **state)
{
    struct house *house = *state;
    char text[4096];
    int fd = dial(house);
    unsigned here = member_of(fd);
    say(fd, ASK("/at/9")); /* there is none: answered where it is */
    assert_int_equal(hear(fd, "member ", 1, text, sizeof text), 1);
    assert_int_equal(strstr(text, "member ")[7] - '0', here);
    (void)close(fd);
}

/* In the middle of it all, the house is closed: nothing is left behind. */
static void
loses_nothing_when_it_ends(void **state)
{
    struct house *house = *state;
    int fds[60];
    for (size_t i = 0; i < VL_COUNT(fds); i++) {
        fds[i] = dial(house);
        say(fds[i], ASK("/at/1") ASK("/at/2") ASK("/at/3"));
    }
    for (size_t i = 0; i < VL_COUNT(fds); i += 2)
        (void)close(fds[i]);
    assert_int_equal(close_house(state), 0);
    for (size_t i = 1; i < VL_COUNT(fds); i += 2)
        (void)close(fds[i]);
}

int
main(void)
{
#define HOUSE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, open_house, close_house)
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(spreads_connections_evenly),
        HOUSE_TEST(counts_the_connections_of_all),
        HOUSE_TEST(moves_a_request_with_its_connection),
        HOUSE_TEST(takes_along_what_came_behind),
        HOUSE_TEST(answers_who_cannot_be_moved),
        HOUSE_TEST(bounds_what_is_read_ahead),
        HOUSE_TEST(answers_what_moves_while_all_stop),
        HOUSE_TEST(knows_its_members),
        cmocka_unit_test_setup(loses_nothing_when_it_ends, open_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
