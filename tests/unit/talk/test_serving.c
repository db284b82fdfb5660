/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that serves, and what other threads do to it meanwhile. Nothing is
 * asserted on those threads: they leave notes.
 */
#define _GNU_SOURCE /* usleep */
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "valet/mcp.h"
#include "vl_test.h"

enum { THREADS = 4, TIMES = 50 };

static struct {
    valet_mcp_server *server;
    pthread_t home, threads[THREADS];
    atomic_int sent, refused;
    int ran, elsewhere, ready;
    char url[64];
} watch;

static void
count(void *ctx)
{
    (void)ctx;
    watch.ran++; /* on one thread alone, or the sanitizer says so */
    watch.elsewhere += !pthread_equal(pthread_self(), watch.home);
}

static void
do_nothing(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
}

/* What a server's owner does there. */
static void
change_tools(void *ctx)
{
    static const valet_mcp_tool tool = {.name = "new",
                                        .description = "A tool.",
                                        .input_schema = "{\"type\":\"object\"}",
                                        .permission = VALET_MCP_ANY_CALLER,
                                        .call = do_nothing};
    if (!valet_mcp_remove_tool(watch.server, "new"))
        assert_int_equal(valet_mcp_add_tool(watch.server, &tool, NULL),
                         VALET_OK);
    count(ctx);
}

static void *
bother(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < TIMES; i++)
        atomic_fetch_add(valet_mcp_run(watch.server, change_tools, NULL)
                             ? &watch.sent
                             : &watch.refused,
                         1);
    valet_mcp_stop(watch.server);
    return NULL;
}

static void
start_threads(const char *url, void *ctx)
{
    (void)ctx;
    watch.ready++;
    (void)snprintf(watch.url, sizeof watch.url, "%s", url);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&watch.threads[i], NULL, bother, NULL),
                         0);
}

/* @spec HT-03 */
static void
serves_until_any_thread_says_stop(void **state)
{
    (void)state;
    const valet_mcp_address address = {.listen = "127.0.0.1:0",
                                       .ready = start_threads};
    memset(&watch, 0, sizeof watch);
    watch.home = pthread_self();
    assert_ok(valet_mcp_server_new("s", "1", NULL, &watch.server, NULL));
    /* A server may be served again. */
    for (int round = 1; round <= 3; round++) {
        assert_ok(valet_mcp_serve_local_http(watch.server, &address, NULL));
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(watch.threads[i], NULL), 0);
        assert_int_equal(watch.ready, round);
        assert_non_null(strstr(watch.url, "http://127.0.0.1:"));
        /* What was taken was run; what came too late was said to. */
        assert_int_equal(watch.ran, atomic_load(&watch.sent));
        assert_int_equal(watch.elsewhere, 0);
        assert_int_equal(atomic_load(&watch.sent) + atomic_load(&watch.refused),
                         round * THREADS * TIMES);
    }
    assert_false(valet_mcp_run(watch.server, count, NULL));
    valet_mcp_stop(watch.server);
    valet_mcp_server_free(watch.server);
}

static void
serve_once_more(const char *url, void *ctx)
{
    valet_mcp_server *server = ctx;
    (void)url;
    watch.ready++;
    assert_int_equal(valet_mcp_serve_stdio(server, NULL), VALET_CONFLICT);
    assert_int_equal(
        valet_mcp_serve_local_http(
            server, &(valet_mcp_address){.listen = "127.0.0.1:0"}, NULL),
        VALET_CONFLICT);
    valet_mcp_stop(server);
}

static void
is_served_in_one_way_at_a_time(void **state)
{
    (void)state;
    valet_mcp_server *server = NULL;
    assert_ok(valet_mcp_server_new("s", "1", NULL, &server, NULL));
    const valet_mcp_address address = {
        .listen = "127.0.0.1:0", .ready = serve_once_more, .ctx = server};
    watch.ready = 0;
    assert_ok(valet_mcp_serve_local_http(server, &address, NULL));
    assert_int_equal(watch.ready, 1);
    valet_mcp_server_free(server);
}

/* --- ending --- */

#define POST                                                                   \
    "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"     \
    "Accept: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"         \
    "Mcp-Method: tools/call\r\nMcp-Name: stops\r\nContent-Length: %zu\r\n"     \
    "\r\n%s"
#define CALL                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"     \
    "\"name\":\"stops\",\"_meta\":{\"io.modelcontextprotocol/"                 \
    "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"              \
    "clientCapabilities\":{}}}}"

/* Two say it, and it takes its time to be done. */
static void
stop_twice(valet_mcp_call *call, void *ctx)
{
    valet_mcp_stop(ctx);
    valet_mcp_stop(ctx);
    (void)usleep(50000);
    valet_mcp_finish(call, &(valet_mcp_result){.text = "done"});
}

static void *
call_over_http(void *ctx)
{
    char text[1024];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const char *host = watch.url + strlen("http://");
    size_t n = strcspn(host, "/");
    (void)ctx;
    (void)snprintf(text, sizeof text, "%.*s", (int)n, host);
    to.sin_port = htons((uint16_t)strtoul(strchr(text, ':') + 1, NULL, 10));
    char request[2048];
    (void)snprintf(request, sizeof request, POST, text, strlen(CALL), CALL);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
        ssize_t got = recv(fd, text, sizeof text - 1, MSG_WAITALL);
        text[got > 0 ? got : 0] = '\0';
        watch.ran = strstr(text, "\"text\":\"done\"") != NULL;
    }
    (void)close(fd);
    return NULL;
}

static void
start_caller(const char *url, void *ctx)
{
    (void)ctx;
    (void)snprintf(watch.url, sizeof watch.url, "%s", url);
    assert_int_equal(
        pthread_create(&watch.threads[0], NULL, call_over_http, NULL), 0);
}

static void
lets_calls_end_however_often_it_is_stopped(void **state)
{
    (void)state;
    valet_mcp_server *server = NULL;
    memset(&watch, 0, sizeof watch);
    assert_ok(valet_mcp_server_new("s", "1", NULL, &server, NULL));
    const valet_mcp_tool tool = {.name = "stops",
                                 .description = "A tool.",
                                 .input_schema = "{\"type\":\"object\"}",
                                 .permission = VALET_MCP_ANY_CALLER,
                                 .flags = VALET_MCP_ON_THREAD,
                                 .call = stop_twice,
                                 .ctx = server};
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    const valet_mcp_address address = {.listen = "127.0.0.1:0",
                                       .ready = start_caller};
    assert_ok(valet_mcp_serve_local_http(server, &address, NULL));
    assert_int_equal(pthread_join(watch.threads[0], NULL), 0);
    assert_int_equal(watch.ran, 1);
    valet_mcp_server_free(server);
}

static void
serves_nobody_from_elsewhere(void **state)
{
    (void)state;
    valet_mcp_server *server = NULL;
    valet_error err;
    assert_ok(valet_mcp_server_new("s", "1", NULL, &server, NULL));
    static const char *const denied[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"};
    for (size_t i = 0; i < VL_COUNT(denied); i++)
        assert_int_equal(
            valet_mcp_serve_local_http(
                server, &(valet_mcp_address){.listen = denied[i]}, &err),
            VALET_DENIED);
    static const char *const paths[] = {"mcp", "/sse", "/message", "/a?b",
                                        "/ "};
    for (size_t i = 0; i < VL_COUNT(paths); i++)
        assert_int_equal(
            valet_mcp_serve_local_http(
                server,
                &(valet_mcp_address){.listen = "127.0.0.1:0", .path = paths[i]},
                &err),
            VALET_INVALID);
    valet_mcp_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_until_any_thread_says_stop),
        cmocka_unit_test(is_served_in_one_way_at_a_time),
        cmocka_unit_test(lets_calls_end_however_often_it_is_stopped),
        cmocka_unit_test(serves_nobody_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
