/* SPDX-License-Identifier: Apache-2.0
 *
 * The endpoint behind the real HTTP server, spoken to through a socket.
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk/endpoint.h"
#include "vl_test.h"

struct house {
    struct vl_loop *loop;
    struct vl_http_server *http;
    unsigned port;
    struct vl_http_site site;
    struct vl_mcp_hooks hooks;
    valet_mcp_server *server;
    struct vl_mcp_endpoint *endpoint;
    valet_mcp_call *call; /* the last one that waits */
    size_t cancelled, ended;
    int fd;
    char session[64];
};

static const struct vl_principal alice = {
    .client = {"c1"}, .user = {.tid = "t", .oid = "alice"}, .session = "f1"};

static bool
may(const struct vl_principal *principal, const char *permission, void *ctx)
{
    (void)principal;
    (void)ctx;
    return strcmp(permission, "read") == 0;
}

static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)permission;
    (void)ctx;
    vl_exchange_reply(x, &(struct vl_reply){.status = 403});
}

static void
login(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    struct vl_reply reply = {.status = 401};
    vl_reply_add(&reply, "WWW-Authenticate", VL_STR("Bearer"));
    vl_exchange_reply(x, &reply);
}

static void
count(const struct vl_mcp_note *note, void *ctx)
{
    ((struct house *)ctx)->ended += note->what == VL_MCP_TOOL_ENDED;
}

static void
on_cancel(valet_mcp_call *call, void *ctx)
{
    (void)call;
    ((struct house *)ctx)->cancelled++;
}

static void
later(valet_mcp_call *call, void *ctx)
{
    struct house *house = ctx;
    house->call = call;
    valet_mcp_on_cancel(call, on_cancel, house);
    valet_mcp_progress(call, 1, 2, "begun");
}

static void
at_once(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "hello"});
}

static void
signed_out(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_finish(call,
                     &(valet_mcp_result){.text = "no", .login_required = true});
}

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return VL_LIMIT_MCP_BODY;
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    vl_mcp_endpoint_handle(((struct house *)ctx)->endpoint, x, &alice);
}

static void
add_tool(struct house *house, const char *name,
         void (*call)(valet_mcp_call *call, void *ctx))
{
    valet_mcp_tool tool = {.name = name,
                           .description = "A tool.",
                           .input_schema = "{\"type\":\"object\"}",
                           .permission = "read",
                           .call = call,
                           .ctx = house};
    assert_ok(valet_mcp_add_tool(house->server, &tool, NULL));
}

static int
dial(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void
send_text(const struct house *house, const char *text)
{
    assert_int_equal(send(house->fd, text, strlen(text), 0), strlen(text));
}

static void
post(const struct house *house, const char *body)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\n"
                   "Accept: application/json, text/event-stream\r\n"
                   "%s%s%sContent-Length: %zu\r\n\r\n%s",
                   house->session[0] ? "Mcp-Session-Id: " : "", house->session,
                   house->session[0] ? "\r\n" : "", strlen(body), body);
    send_text(house, text);
}

/* Turns the loop until what came holds `wanted`; all of it is in `ret`. The
 * alarm of the test ends a wait in vain. */
static void
read_until(struct house *house, const char *wanted, char ret[8192])
{
    size_t n = 0;
    ret[0] = '\0';
    while (!strstr(ret, wanted)) {
        vl_loop_step(house->loop);
        ssize_t got = recv(house->fd, ret + n, 8191 - n, MSG_DONTWAIT);
        assert_true(got != 0);
        if (got > 0)
            n += (size_t)got;
        ret[n] = '\0';
    }
}

#define REPLY(id, result)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
#define TEXT(text)                                                             \
    "{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],"                \
    "\"isError\":false}"
#define CALL(id, rest)                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"method\":\"tools/call\",\"params\":{" rest "}}"

static int
open_house(void **state)
{
    struct house *house = vl_alloc(sizeof *house);
    assert_ok(vl_loop_new(&house->loop, NULL));
    assert_ok(valet_mcp_server_new("house", "1", NULL, &house->server, NULL));
    add_tool(house, "hello", at_once);
    add_tool(house, "later", later);
    add_tool(house, "signed_out", signed_out);
    house->hooks =
        (struct vl_mcp_hooks){may, refuse, login, count, NULL, house};
    house->endpoint = vl_mcp_endpoint_new(house->server, &house->hooks,
                                          house->loop, &vl_clock_system, 0);
    house->site = (struct vl_http_site){body_max, handle, house};
    house->http =
        vl_http_server_new(house->loop, &house->site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(
        vl_http_server_listen(house->http, "127.0.0.1", 0, &house->port, NULL));
    house->fd = dial(house->port);
    (void)alarm(60);
    char text[8192];
    post(house, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                "\"params\":{\"protocolVersion\":\"2025-11-25\"}}");
    read_until(house, "\"house\"", text);
    const char *id = strstr(text, "Mcp-Session-Id: ");
    assert_non_null(id);
    memcpy(house->session, id + 16, 45);
    *state = house;
    return 0;
}

static int
close_house(void **state)
{
    struct house *house = *state;
    vl_mcp_endpoint_free(house->endpoint);
    if (house->call)
        valet_mcp_finish(house->call, &(valet_mcp_result){.text = "late"});
    if (house->http)
        vl_http_server_free(house->http);
    valet_mcp_server_free(house->server);
    (void)close(house->fd);
    vl_loop_free(house->loop);
    free(house);
    (void)alarm(0);
    return 0;
}

static void
serves_one_request_after_the_other(void **state)
{
    struct house *house = *state;
    char text[8192];
    for (int i = 0; i < 100; i++) {
        post(house, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
        read_until(house, "}]}}", text);
        assert_true(strstr(text, "HTTP/1.1 200 ") == text);
        post(house, CALL("2", "\"name\":\"hello\""));
        read_until(house, REPLY("2", TEXT("hello")), text);
    }
    post(house, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                "initialized\"}");
    read_until(house, "\r\n\r\n", text);
    assert_true(strstr(text, "HTTP/1.1 202 ") == text);
    post(house, CALL("3", "\"name\":\"signed_out\""));
    read_until(house, "\r\n\r\n", text);
    assert_true(strstr(text, "HTTP/1.1 401 ") == text);
    assert_non_null(strstr(text, "WWW-Authenticate: Bearer\r\n"));
}

static void
streams_progress_before_the_answer(void **state)
{
    struct house *house = *state;
    char text[8192];
    post(house,
         CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"));
    read_until(house, "\"message\":\"begun\"}}\n\n", text);
    assert_non_null(strstr(text, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(text, "X-Accel-Buffering: no\r\n"));
    valet_mcp_finish(house->call, &(valet_mcp_result){.text = "done"});
    house->call = NULL;
    read_until(house, "\r\n0\r\n\r\n", text);
    assert_non_null(
        strstr(text, "event: message\ndata: " REPLY("1", TEXT("done")) "\n\n"));
    /* The connection is kept. */
    post(house, CALL("2", "\"name\":\"hello\""));
    read_until(house, REPLY("2", TEXT("hello")), text);
}

/* @spec HT-20 */
static void
finishes_after_the_client_has_gone(void **state)
{
    struct house *house = *state;
    for (int streamed = 0; streamed < 2; streamed++) {
        house->call = NULL;
        post(house, streamed ? CALL("1", "\"name\":\"later\",\"_meta\":{"
                                         "\"progressToken\":1}")
                             : CALL("1", "\"name\":\"later\""));
        while (!house->call)
            vl_loop_step(house->loop);
        struct linger hard = {.l_onoff = 1};
        (void)setsockopt(house->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        (void)close(house->fd);
        house->fd = dial(house->port);
        char text[8192];
        post(house, CALL("2", "\"name\":\"hello\""));
        read_until(house, REPLY("2", TEXT("hello")), text);
        assert_false(valet_mcp_is_cancelled(house->call));
        valet_mcp_progress(house->call, 5, 0, NULL);
        valet_mcp_finish(house->call, &(valet_mcp_result){.text = "done"});
        house->call = NULL;
        post(house, CALL("3", "\"name\":\"hello\""));
        read_until(house, REPLY("3", TEXT("hello")), text);
    }
    assert_int_equal(house->cancelled, 0);
    assert_int_equal(house->ended, 6);
}

static void
cancels_over_another_connection(void **state)
{
    struct house *house = *state;
    char text[8192];
    post(house, CALL("1", "\"name\":\"later\""));
    while (!house->call)
        vl_loop_step(house->loop);
    int waiting = house->fd;
    house->fd = dial(house->port);
    post(house, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                "\"params\":{\"requestId\":1}}");
    read_until(house, "\r\n\r\n", text);
    assert_int_equal(house->cancelled, 1);
    (void)close(house->fd);
    house->fd = waiting;
    read_until(house, "\r\n\r\n", text);
    assert_true(strstr(text, "HTTP/1.1 202 ") == text);
}

static void
answers_what_was_sent_ahead_in_order(void **state)
{
    struct house *house = *state;
    char text[8192];
    post(house, CALL("1", "\"name\":\"later\""));
    post(house, CALL("2", "\"name\":\"hello\""));
    while (!house->call)
        vl_loop_step(house->loop);
    valet_mcp_call *call = house->call;
    house->call = NULL;
    valet_mcp_finish(call, &(valet_mcp_result){.text = "first"});
    read_until(house, REPLY("2", TEXT("hello")), text);
    const char *first = strstr(text, REPLY("1", TEXT("first")));
    assert_non_null(first);
    assert_true(first < strstr(text, REPLY("2", TEXT("hello"))));
}

static void
lets_the_server_go_before_its_calls(void **state)
{
    struct house *house = *state;
    post(house,
         CALL("1", "\"name\":\"later\",\"_meta\":{\"progressToken\":1}"));
    while (!house->call)
        vl_loop_step(house->loop);
    vl_http_server_free(house->http);
    house->http = NULL;
    valet_mcp_progress(house->call, 2, 0, NULL);
    valet_mcp_finish(house->call, &(valet_mcp_result){.text = "late"});
    house->call = NULL;
    assert_int_equal(house->ended, 1);
}

#define HOUSE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, open_house, close_house)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(serves_one_request_after_the_other),
        HOUSE_TEST(streams_progress_before_the_answer),
        HOUSE_TEST(finishes_after_the_client_has_gone),
        HOUSE_TEST(cancels_over_another_connection),
        HOUSE_TEST(answers_what_was_sent_ahead_in_order),
        HOUSE_TEST(lets_the_server_go_before_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
