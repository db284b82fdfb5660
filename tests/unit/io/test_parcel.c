/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections that change threads, and one listening socket for several.
 */
#include "vl_test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#include "io/stream.h"

/* --- a thread with a loop --- */

struct worker {
    struct vl_loop *loop;
    pthread_t thread;
    struct vl_task stop;
    /* Touched by its thread alone while it runs. */
    struct vl_stream *stream;
    struct vl_listener *listener;
    struct vl_socket *socket;
    struct worker *next; /* who gets the connection */
    struct vl_task post;
    struct vl_parcel *parcel;
    int accepted, reads, ends;
    char heard[64];
    size_t heard_size;
    char peer[64];
};

static void
stop_now(struct vl_task *task)
{
    struct worker *w = VL_CONTAINER(task, struct worker, stop);
    vl_loop_stop(w->loop);
}

static void *
run_worker(void *ctx)
{
    struct worker *w = ctx;
    vl_loop_run(w->loop);
    return NULL;
}

static void
start_worker(struct worker *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, run_worker, w), 0);
}

static void
join_worker(struct worker *w)
{
    w->stop.run = stop_now;
    vl_loop_post(w->loop, &w->stop);
    assert_int_equal(pthread_join(w->thread, NULL), 0);
}

static void
free_worker(struct worker *w)
{
    vl_listener_close(w->listener);
    vl_loop_free(w->loop);
}

/* --- a client that blocks --- */

static int
dial(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 10};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
expect(int fd, const char *text)
{
    char got[64] = {0};
    assert_int_equal(recv(fd, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_string_equal(got, text);
}

static void
expect_end(int fd)
{
    char got;
    assert_int_equal(recv(fd, &got, 1, 0), 0);
    close(fd);
}

/* --- from one thread to the other --- */

static void
note_end(valet_status status, void *ctx)
{
    struct worker *w = ctx;
    (void)status;
    w->ends++;
    vl_stream_close(w->stream);
    w->stream = NULL;
}

static void
echo(struct vl_str bytes, void *ctx)
{
    struct worker *w = ctx;
    w->reads++;
    vl_stream_write(w->stream, bytes);
}

static const struct vl_stream_events echoing = {echo, note_end, NULL};

static void
adopt_and_echo(struct vl_task *task)
{
    struct worker *from = VL_CONTAINER(task, struct worker, post);
    struct worker *w = from->next;
    w->stream = vl_stream_adopt(w->loop, from->parcel);
    assert_non_null(w->stream);
    (void)snprintf(w->peer, sizeof w->peer, "%s", vl_stream_peer(w->stream));
    vl_stream_attach(w->stream, &echoing, w);
    assert_int_equal(w->reads, 0); /* not from within */
}

/* Answers the first two bytes itself, hands the rest over. */
static void
hand_over(struct vl_str bytes, void *ctx)
{
    struct worker *w = ctx;
    w->reads++;
    vl_stream_write(w->stream, VL_STR("1:"));
    w->parcel = vl_stream_detach(w->stream, vl_str_from(bytes, 2));
    assert_non_null(w->parcel);
    w->stream = NULL;
    w->post.run = adopt_and_echo;
    vl_loop_post(w->next->loop, &w->post);
}

static const struct vl_stream_events handing_over = {hand_over, note_end, NULL};

static void
accept_to_hand_over(struct vl_stream *stream, void *ctx)
{
    struct worker *w = ctx;
    w->stream = stream;
    vl_stream_attach(stream, &handing_over, w);
}

static void
moves_from_one_thread_to_another_with_what_was_not_used(void **state)
{
    (void)state;
    struct worker b = {0}, a = {.next = &b};
    assert_ok(vl_loop_new(&a.loop, NULL));
    assert_ok(vl_loop_new(&b.loop, NULL));
    assert_ok(vl_listener_open(a.loop, "127.0.0.1", 0, accept_to_hand_over, &a,
                               &a.listener, NULL));
    unsigned port = vl_listener_port(a.listener);
    start_worker(&a);
    start_worker(&b);
    int fd = dial(port);
    say(fd, "abcd");
    expect(fd, "1:cd");
    say(fd, "more");
    expect(fd, "more");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect_end(fd);
    join_worker(&a);
    join_worker(&b);
    assert_int_equal(a.reads, 1);
    assert_int_equal(a.ends, 0);
    assert_int_equal(b.reads, 2);
    assert_int_equal(b.ends, 1);
    assert_string_equal(b.peer, "127.0.0.1");
    free_worker(&a);
    free_worker(&b);
}

/* --- on one loop --- */

static void
accept_only(struct vl_stream *stream, void *ctx)
{
    struct worker *w = ctx;
    w->accepted++;
    if (w->stream)
        vl_stream_close(w->stream);
    w->stream = stream;
}

static void
listen_at(struct worker *w)
{
    assert_ok(vl_loop_new(&w->loop, NULL));
    assert_ok(vl_listener_open(w->loop, "127.0.0.1", 0, accept_only, w,
                               &w->listener, NULL));
}

static int
dial_and_accept(struct worker *w)
{
    int before = w->accepted, fd = dial(vl_listener_port(w->listener));
    while (w->accepted == before)
        vl_loop_step(w->loop);
    return fd;
}

static void
hear(struct vl_str bytes, void *ctx)
{
    struct worker *w = ctx;
    w->reads++;
    assert_true(bytes.n <= sizeof w->heard - w->heard_size - 1);
    memcpy(w->heard + w->heard_size, bytes.p, bytes.n);
    w->heard_size += bytes.n;
}

static const struct vl_stream_events hearing = {hear, note_end, NULL};

static void
stop_loop(void *ctx)
{
    vl_loop_stop(ctx);
}

static void
keeps_what_is_not_used_through_two_moves_and_a_pause(void **state)
{
    (void)state;
    struct worker w = {0};
    listen_at(&w);
    int fd = dial_and_accept(&w);
    struct vl_parcel *parcel = vl_stream_detach(w.stream, VL_STR("one "));
    w.stream = vl_stream_adopt(w.loop, parcel);
    parcel = vl_stream_detach(w.stream, VL_STR("half "));
    w.stream = vl_stream_adopt(w.loop, parcel);
    vl_stream_attach(w.stream, &hearing, &w);
    vl_stream_pause(w.stream);
    say(fd, "two");
    struct vl_timer *timer = vl_timer_new(w.loop, stop_loop, w.loop);
    vl_timer_start(timer, 20);
    vl_loop_run(w.loop);
    assert_int_equal(w.reads, 0);
    vl_stream_resume(w.stream);
    assert_int_equal(w.reads, 0);
    while (w.heard_size < 12)
        vl_loop_step(w.loop);
    assert_string_equal(w.heard, "half one two");
    vl_timer_free(timer);
    vl_stream_close(w.stream);
    expect_end(fd);
    free_worker(&w);
}

static void
fill(struct vl_stream *stream)
{
    static const char piece[65536];
    while (vl_stream_waiting(stream) == 0)
        vl_stream_write(stream, vl_str_of(piece, sizeof piece));
}

static void
stays_where_it_is_while_something_waits_or_has_ended(void **state)
{
    (void)state;
    struct worker w = {0};
    listen_at(&w);
    int fd = dial_and_accept(&w);
    fill(w.stream);
    assert_null(vl_stream_detach(w.stream, (struct vl_str){0}));
    close(fd);
    fd = dial_and_accept(&w);
    vl_stream_shutdown(w.stream);
    assert_null(vl_stream_detach(w.stream, (struct vl_str){0}));
    close(fd);
    fd = dial_and_accept(&w);
    vl_stream_attach(w.stream, &echoing, &w);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_null(vl_stream_detach(w.stream, (struct vl_str){0}));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    say(fd, "still here");
    while (w.reads == 0)
        vl_loop_step(w.loop);
    expect(fd, "still here");
    close(fd);
    free_worker(&w);
}

static int
open_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        uint64_t fd;
        if (!vl_str_u64(vl_str_z(e->d_name), 65535, &fd) || fd <= 2)
            continue;
        n += (fcntl((int)fd, F_GETFD) & FD_CLOEXEC) != 0;
    }
    closedir(dir);
    return n;
}

static void
closes_what_nobody_adopts_and_leaks_no_descriptor(void **state)
{
    (void)state;
    struct worker w = {0};
    listen_at(&w);
    int fd = dial_and_accept(&w);
    int before = open_descriptors();
    struct vl_parcel *parcel = vl_stream_detach(w.stream, VL_STR("unread"));
    w.stream = NULL;
    struct worker other = {0};
    assert_ok(vl_loop_new(&other.loop, NULL));
    vl_loop_free(other.loop);
    vl_loop_step(w.loop); /* the old handle is closed */
    assert_int_equal(open_descriptors(), before);
    vl_parcel_free(parcel);
    vl_parcel_free(NULL);
    assert_int_equal(open_descriptors(), before - 1);
    expect_end(fd);
    /* Adopted by a loop that is freed before anything happens. */
    fd = dial_and_accept(&w);
    parcel = vl_stream_detach(w.stream, VL_STR("unread"));
    w.stream = NULL;
    assert_ok(vl_loop_new(&other.loop, NULL));
    assert_non_null(vl_stream_adopt(other.loop, parcel));
    vl_loop_free(other.loop);
    expect_end(fd);
    free_worker(&w);
}

/* --- a shared socket --- */

enum { CALLS = 60 };

static void
greet(struct vl_stream *stream, void *ctx)
{
    struct worker *w = ctx;
    struct timespec busy = {.tv_nsec = 1000000};
    w->accepted++;
    vl_stream_write(stream, VL_STR("hello"));
    vl_stream_close(stream);
    /* Whoever is busy accepts no more for that long. */
    (void)nanosleep(&busy, NULL);
}

static void
shares_connections_between_two_threads(void **state)
{
    (void)state;
    struct worker w[2] = {0};
    struct vl_socket *shared;
    assert_ok(vl_socket_listen("127.0.0.1", 0, &shared, NULL));
    for (int i = 0; i < 2; i++) {
        assert_ok(vl_loop_new(&w[i].loop, NULL));
        w[i].listener = vl_listener_watch(w[i].loop, shared, greet, &w[i]);
        assert_int_equal(vl_listener_port(w[i].listener),
                         vl_socket_port(shared));
    }
    int fds[CALLS];
    for (int i = 0; i < CALLS; i++)
        fds[i] = dial(vl_socket_port(shared));
    for (int i = 0; i < 2; i++)
        start_worker(&w[i]);
    for (int i = 0; i < CALLS; i++) {
        expect(fds[i], "hello");
        close(fds[i]);
    }
    for (int i = 0; i < 2; i++)
        join_worker(&w[i]);
    assert_int_equal(w[0].accepted + w[1].accepted, CALLS);
    assert_true(w[0].accepted >= CALLS / 6);
    assert_true(w[1].accepted >= CALLS / 6);
    vl_socket_free(shared);
    for (int i = 0; i < 2; i++)
        free_worker(&w[i]);
}

static void
goes_on_while_one_of_its_listeners_is_left(void **state)
{
    (void)state;
    struct worker w[2] = {0};
    struct vl_socket *shared, *second;
    assert_ok(vl_socket_listen("127.0.0.1", 0, &shared, NULL));
    unsigned port = vl_socket_port(shared);
    for (int i = 0; i < 2; i++) {
        assert_ok(vl_loop_new(&w[i].loop, NULL));
        w[i].listener =
            vl_listener_watch(w[i].loop, shared, accept_only, &w[i]);
    }
    vl_socket_free(shared);
    vl_socket_free(NULL);
    free_worker(&w[0]);
    int fd = dial_and_accept(&w[1]);
    assert_int_equal(vl_socket_listen("127.0.0.1", port, &second, NULL),
                     VALET_CONFLICT);
    vl_stream_close(w[1].stream);
    free_worker(&w[1]);
    expect_end(fd);
    assert_ok(vl_socket_listen("127.0.0.1", port, &second, NULL));
    vl_socket_free(second);
}

static void
accepts_one_connection_a_turn_when_it_is_shared(void **state)
{
    (void)state;
    struct worker w = {0};
    struct vl_socket *shared;
    assert_ok(vl_socket_listen("127.0.0.1", 0, &shared, NULL));
    assert_ok(vl_loop_new(&w.loop, NULL));
    w.listener = vl_listener_watch(w.loop, shared, accept_only, &w);
    vl_socket_free(shared);
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = dial(vl_listener_port(w.listener));
    for (int i = 0; i < 3; i++) {
        int before = w.accepted;
        while (w.accepted == before)
            vl_loop_step(w.loop);
        assert_int_equal(w.accepted, before + 1);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    free_worker(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            moves_from_one_thread_to_another_with_what_was_not_used),
        cmocka_unit_test(keeps_what_is_not_used_through_two_moves_and_a_pause),
        cmocka_unit_test(stays_where_it_is_while_something_waits_or_has_ended),
        cmocka_unit_test(closes_what_nobody_adopts_and_leaks_no_descriptor),
        cmocka_unit_test(shares_connections_between_two_threads),
        cmocka_unit_test(goes_on_while_one_of_its_listeners_is_left),
        cmocka_unit_test(accepts_one_connection_a_turn_when_it_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
