/* SPDX-License-Identifier: Apache-2.0
 *
 * http/client without a network: answers come in pieces over a pair of sockets,
 * and the reader holds, lets go on, aborts and asks again at any moment, from
 * inside the hooks too. Whatever comes, each call has at most one head, before
 * its pieces, and one end; and a connection that is used again brings nothing
 * of the call before: an answer is whole, or has failed.
 *
 * The input is a list of steps: a byte that says what, for some the length of
 * what follows.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <sys/socket.h>
#include <unistd.h>

#include "core/sys.h"
#include "http/client_private.h"
#include "io/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS 4

struct seen {
    struct bench *bench;
    struct vl_http_call *call; /* NULL: none is under way */
    bool has_head, is_held;
    uint8_t at_head, at_piece; /* what the hooks do */
};

struct bench {
    struct vl_loop *loop;
    struct vl_http_client *client; /* NULL: freed in a hook */
    int peer;                      /* -1: closed */
    struct seen calls[CALLS];
    struct vl_task task; /* so that no step of the loop waits */
};

static void
act(struct seen *seen, uint8_t what)
{
    struct bench *bench = seen->bench;
    if (!seen->call)
        return;
    switch (what % 8) {
    case 1:
        vl_http_call_hold(seen->call, seen->is_held = true);
        break;
    case 2:
        vl_http_call_hold(seen->call, seen->is_held = false);
        break;
    case 3:
        vl_http_call_hold(seen->call, true);
        vl_http_call_hold(seen->call, seen->is_held = false);
        break;
    case 4:
        vl_http_call_abort(&seen->call);
        break;
    case 5:
        vl_http_client_free(bench->client);
        bench->client = NULL;
        for (size_t i = 0; i < CALLS; i++)
            bench->calls[i].call = NULL;
        break;
    default:
        break;
    }
}

static void
head(int status, const struct vl_headers *headers, void *ctx)
{
    struct seen *seen = ctx;
    VL_ASSERT(seen->call && !seen->has_head);
    VL_ASSERT(status >= 200 && status <= 599);
    for (size_t i = 0; i < headers->count; i++)
        VL_ASSERT(vl_header_is_valid(headers->items[i].name,
                                     headers->items[i].value));
    seen->has_head = true;
    act(seen, seen->at_head);
}

static void
piece(struct vl_str bytes, void *ctx)
{
    struct seen *seen = ctx;
    VL_ASSERT(seen->call && seen->has_head && bytes.n > 0);
    /* One that was held before the loop turned hears nothing. */
    VL_ASSERT(!seen->is_held);
    act(seen, seen->at_piece);
}

static void
end(valet_status status, const valet_error *err, void *ctx)
{
    struct seen *seen = ctx;
    VL_ASSERT(seen->call && (status == VALET_OK) == (err == NULL));
    VL_ASSERT(status != VALET_OK || seen->has_head);
    seen->call = NULL;
}

/* An idle connection to where calls go, whose other end is ours. */
static void
connect_pair(struct bench *bench, const struct vl_http_place *place)
{
    int fds[2];
    if (bench->peer >= 0)
        (void)close(bench->peer);
    VL_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                         fds) == 0);
    bench->peer = fds[1];
    struct vl_stream *stream = vl_stream_of_socket(bench->loop, fds[0]);
    VL_ASSERT(stream);
    struct vl_link *link = vl_link_new(bench->client, place, stream, true);
    link->good_until = INT64_MAX;
    link->is_idle = true;
    bench->client->idle_count++;
    vl_list_add_last(bench->client->idle.next, &link->node);
}

static void
ask(struct bench *bench, uint8_t how)
{
    static const struct vl_http_hooks hooks = {head, piece, end};
    struct vl_url url;
    VL_ASSERT(vl_url_parse(VL_STR("http://127.0.0.1:9/"), &url, NULL) ==
              VALET_OK);
    struct vl_http_place place = {.host = "127.0.0.1", .port = 9};
    struct seen *seen = &bench->calls[how % CALLS];
    if (seen->call)
        vl_http_call_abort(&seen->call);
    if (vl_list_is_empty(&bench->client->idle))
        connect_pair(bench, &place);
    *seen = (struct seen){.bench = bench,
                          .at_head = (uint8_t)(how >> 2),
                          .at_piece = (uint8_t)(how >> 5)};
    seen->call = vl_http_call_start(
        bench->client,
        &(struct vl_http_ask){.method = how & 128 ? "GET" : "POST",
                              .url = &url,
                              .body = VL_STR(""),
                              .connect_ms = 1000,
                              .total_ms = 100000,
                              .until_head = true},
        &hooks, seen);
}

static void
wake(struct vl_task *task)
{
    (void)task;
}

/* Until all that is there has been read. */
static void
turn(struct bench *bench)
{
    for (int i = 0; i < 3; i++) {
        vl_loop_post(bench->loop, &bench->task);
        vl_loop_step(bench->loop);
    }
    char bin[4096];
    while (bench->peer >= 0 && read(bench->peer, bin, sizeof bin) > 0)
        continue;
}

static void
step(struct bench *bench, uint8_t what, struct vl_str *rest)
{
    size_t n = what >> 1 & 63;
    struct vl_str bytes = vl_str_head(*rest, n);
    if (what & 128) {
        struct seen *seen = &bench->calls[what & 3];
        if ((what & 0x70) == 0x70) {
            ask(bench, rest->n ? (uint8_t)rest->p[0] : 0);
            *rest = vl_str_from(*rest, 1);
        } else if ((what & 0x70) == 0x60) {
            if (bench->peer >= 0)
                (void)close(bench->peer);
            bench->peer = -1;
        } else {
            act(seen, (what >> 2) & 7);
        }
        return;
    }
    if (bench->peer >= 0 && bytes.n)
        (void)!send(bench->peer, bytes.p, bytes.n, MSG_NOSIGNAL);
    *rest = vl_str_from(*rest, n);
    if (what & 1)
        turn(bench);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench bench = {.peer = -1};
    struct vl_str rest = vl_str_of(data, size);
    VL_ASSERT(vl_loop_new(&bench.loop, NULL) == VALET_OK);
    bench.task.run = wake;
    bench.client = vl_http_client_new(bench.loop);
    ask(&bench, rest.n ? (uint8_t)rest.p[0] : 0);
    rest = vl_str_from(rest, 1);
    while (rest.n && bench.client) {
        uint8_t what = (uint8_t)rest.p[0];
        rest = vl_str_from(rest, 1);
        step(&bench, what, &rest);
    }
    turn(&bench);
    if (bench.peer >= 0)
        (void)close(bench.peer);
    bench.peer = -1;
    if (bench.client)
        turn(&bench);
    vl_http_client_free(bench.client);
    vl_loop_free(bench.loop);
    return 0;
}
