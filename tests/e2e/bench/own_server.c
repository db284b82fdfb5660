/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmarks of MCP measure: a server with one tool, which answers a
 * short text at once, and the same engine without MCP.
 *
 *     bench-own-server signed-in CONFIG   as `mcp-valet serve`, with the tool
 *     bench-own-server stdio              the tool over standard input, output
 *     bench-own-server fixed BYTES        every request is answered by a text
 *                                         of this size: no MCP, no token
 *
 * Over HTTP one line of JSON says when clients may come. It is made of the
 * rooms and not of the public functions, which write an audit trail to
 * standard error where the configuration names no file: here there is none.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "http/server.h"
#include "valet/mcp.h"

#define FIXED_MAX 65536

/* --- the tool: bench/ts-tool.mjs has the same --- */

static void
tell_weather(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){
                               .text = "It is 21 degrees in Oslo, and dry."});
}

static const valet_mcp_tool tool = {
    .name = "weather",
    .title = "Weather",
    .description = "The weather of a city.",
    .input_schema = "{\"type\":\"object\",\"properties\":{"
                    "\"city\":{\"type\":\"string\",\"maxLength\":100},"
                    "\"days\":{\"type\":\"integer\",\"minimum\":1}},"
                    "\"required\":[\"city\"]}",
    .permission = "mcp.tools.read",
    .hints = VALET_MCP_READ_ONLY,
    .call = tell_weather,
};

/* --- the same engine without MCP --- */

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return FIXED_MAX;
}

/* With the headers of an answer of MCP. */
static void
reply_fixed(struct vl_exchange *x, void *ctx)
{
    const struct vl_str *text = ctx;
    struct vl_reply reply = {
        .status = 200, .type = "application/json", .body = *text};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_exchange_reply(x, &reply);
}

/* --- life --- */

static void
announce(const char *url)
{
    (void)printf("{\"event\":\"ready\",\"url\":\"%s\"}\n", url);
    (void)fflush(stdout);
}

static void
on_signal(int signal, void *ctx)
{
    (void)signal;
    vl_loop_stop(ctx);
}

static valet_status
serve_fixed(struct vl_loop *loop, size_t size, valet_error *err)
{
    char *x = vl_alloc(size + 1), url[64];
    unsigned port = 0;
    struct vl_str text = vl_str_of(memset(x, 'x', size), size);
    const struct vl_http_site site = {body_max, reply_fixed, &text};
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections_per_address = limits.connections;
    struct vl_http_server *server = vl_http_server_new(loop, &site, &limits);
    valet_status status =
        vl_http_server_listen(server, "127.0.0.1", 0, &port, err);
    if (status == VALET_OK) {
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
        announce(url);
        vl_loop_run(loop);
    }
    vl_http_server_free(server);
    free(x);
    return status;
}

static const char *
read_environment(const char *name)
{
    return getenv(name);
}

static valet_status
serve_signed_in(struct vl_loop *loop, valet_mcp_server *server,
                const char *file, valet_error *err)
{
    struct vl_conf *conf = NULL;
    struct vl_gateway *gateway = NULL;
    const struct vl_log log = {STDERR_FILENO, VL_LOG_WARN, false};
    valet_status status = vl_conf_load(file, read_environment, &conf, err);
    const struct vl_gateway_options options = {
        .conf = conf, .log = &log, .own = server};
    if (status == VALET_OK)
        status = vl_gateway_new(loop, &options, &gateway, err);
    if (status == VALET_OK) {
        announce(vl_gateway_url(gateway));
        vl_loop_run(loop);
    }
    vl_gateway_free(gateway);
    vl_conf_free(conf);
    return status;
}

static valet_status
serve_http(const char *how, const char *what, valet_mcp_server *server,
           valet_error *err)
{
    struct vl_loop *loop = NULL;
    valet_status status = vl_loop_new(&loop, err);
    if (status == VALET_OK)
        status = vl_loop_on_signal(loop, SIGTERM, on_signal, loop, err);
    if (status == VALET_OK && strcmp(how, "fixed") == 0)
        status = serve_fixed(loop, strtoul(what, NULL, 10) % FIXED_MAX, err);
    else if (status == VALET_OK)
        status = serve_signed_in(loop, server, what, err);
    vl_loop_free(loop);
    return status;
}

static void
announce_local(const char *url, void *ctx)
{
    (void)ctx;
    announce(url);
}

static valet_status
serve_local(const char *listen, valet_mcp_server *server, valet_error *err)
{
    const valet_mcp_address address = {.listen = listen,
                                       .ready = announce_local};
    return valet_mcp_serve_local_http(server, &address, err);
}

int
main(int argc, char **argv)
{
    valet_error err = {0};
    valet_mcp_server *server = NULL;
    if (argc < 2)
        return 2;
    valet_status status =
        valet_mcp_server_new("bench", "1", NULL, &server, &err);
    if (status == VALET_OK)
        status = valet_mcp_add_tool(server, &tool, &err);
    if (status == VALET_OK)
        status = argc < 3 ? valet_mcp_serve_stdio(server, &err)
                 : strcmp(argv[1], "local") == 0
                     ? serve_local(argv[2], server, &err)
                     : serve_http(argv[1], argv[2], server, &err);
    if (status != VALET_OK)
        (void)fprintf(stderr, "bench-own-server: %s\n", err.message);
    valet_mcp_server_free(server);
    return status == VALET_OK ? 0 : 1;
}
