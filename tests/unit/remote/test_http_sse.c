/* SPDX-License-Identifier: Apache-2.0
 *
 * The older transport: one stream to hear by, one address to speak to.
 */
#include "remote_rig.h"

static struct {
    const char *endpoint;
    int status; /* of GET; 0: the stream */
    bool wants_token;
} server;

static void
play(struct vl_exchange *x, size_t number)
{
    char text[512];
    bool is_get = strcmp(rig.seen[number].method, "GET") == 0;
    if (server.wants_token && !rig.seen[number].authorization[0]) {
        reply_with(x, 401, "WWW-Authenticate", "Bearer");
    } else if (!is_get) {
        reply(x, 202, "text/plain", "Accepted");
        vl_exchange_write(rig.open[rig.open_count - 1],
                          VL_STR("event: message\ndata: " PONG "\n\n"));
    } else if (server.status) {
        reply(x, server.status, "application/json", "{\"a\":1}");
    } else {
        (void)snprintf(text, sizeof text,
                       "data: {\"early\":1}\n\nevent: endpoint\ndata: %s\n\n",
                       server.endpoint);
        stream(x, text);
    }
}

static int
open_it(void **state)
{
    memset(&server, 0, sizeof server);
    server.endpoint = "/message?id=1";
    (void)rig_open(state);
    vl_remote_free(rig.remote);
    rig.remote = rig_remote("/a/sse");
    rig.play = play;
    return 0;
}

static void
use_it(void)
{
    size_t before = rig.ends;
    vl_remote_use_http_sse(rig.remote, rig_done, NULL);
    assert_int_equal(rig.ends, before);
    RIG_UNTIL(rig.ends > before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_it, rig_close)

/* @spec HT-08 HT-09 */
static void
messages_go_to_the_endpoint_and_come_by_the_stream(void **state)
{
    (void)state;
    assert_false(vl_remote_is_http_sse(rig.remote));
    use_it();
    assert_int_equal(rig.status, VALET_OK);
    assert_true(vl_remote_is_http_sse(rig.remote));
    assert_string_equal(rig.seen[0].method, "GET");
    assert_string_equal(rig.seen[0].target, "/a/sse");
    assert_string_equal(rig.seen[0].accept, "text/event-stream");
    ping();
    assert_int_equal(rig.status, VALET_OK);
    assert_int_equal(rig.http_status, 202);
    assert_string_equal(rig.seen[1].target, "/message?id=1");
    RIG_UNTIL(rig.told_count == 1);
    assert_string_equal(rig.told[0].json, PONG);
    assert_null(rig.told[0].call);
}

static void
the_endpoint_may_be_said_in_many_ways(void **state)
{
    (void)state;
    char absolute[128];
    (void)snprintf(absolute, sizeof absolute, "http://127.0.0.1:%u/b?c=d",
                   rig.port);
    const char *const cases[][2] = {{"post", "/a/post"},
                                    {"?id=2", "/a/sse?id=2"},
                                    {"../up/./x", "/up/x"},
                                    {absolute, "/b?c=d"}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        server.endpoint = cases[i][0];
        use_it();
        assert_int_equal(rig.status, VALET_OK);
        ping();
        assert_string_equal(rig.seen[rig.seen_count - 1].target, cases[i][1]);
    }
}

/* @spec HT-08 CL-16 D13: a server may not send us, and the token, elsewhere. */
static void
the_endpoint_is_of_the_same_origin(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "http://127.0.0.1:1/message",
        "http://localhost/message",
        "https://evil.example/",
        "//evil.example/message",
        "javascript:x",
        "/a#b",
        "/a b",
        "http://a@127.0.0.1/",
        "file:///etc/passwd",
        "\\\\evil.example",
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        server.endpoint = bad[i];
        use_it();
        assert_int_equal(rig.status, VALET_INVALID);
        assert_null(strstr(rig.err.message, "evil"));
        assert_false(vl_remote_is_http_sse(rig.remote));
        RIG_UNTIL(rig.closed == i + 1);
    }
    assert_int_equal(rig.deafs, 0);
    assert_int_equal(rig.told_count, 0);
}

static void
a_server_without_it_is_told_as_a_call_is(void **state)
{
    (void)state;
    static const struct {
        int http;
        valet_status status;
    } cases[] = {{404, VALET_NOT_FOUND},
                 {405, VALET_INVALID},
                 {500, VALET_RETRY},
                 {200, VALET_INTERNAL}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        server.status = cases[i].http;
        use_it();
        assert_int_equal(rig.status, cases[i].status);
        assert_int_equal(rig.http_status, cases[i].http);
        assert_string_equal(rig.body, cases[i].http == 200 ? "" : "{\"a\":1}");
        assert_false(vl_remote_is_http_sse(rig.remote));
    }
    assert_int_equal(rig.deafs, 0);
}

static void
play_other_stream(struct vl_exchange *x, size_t number)
{
    (void)number;
    reply_events(x, "data: {\"n\":1}\n\nevent: end\ndata: /message\n\n");
}

static void
a_stream_without_an_endpoint_is_another_one(void **state)
{
    (void)state;
    rig.play = play_other_stream;
    use_it();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_false(vl_remote_is_http_sse(rig.remote));
    assert_int_equal(rig.told_count, 0);
    assert_int_equal(rig.deafs, 0);
}

/* @spec HT-09 */
static void
tokens_are_got_on_both_ways(void **state)
{
    (void)state;
    server.wants_token = true;
    rig.new_bearer = "t0";
    vl_remote_use_http_sse(rig.remote, rig_done, NULL);
    RIG_UNTIL(rig.retry);
    rig_answer_retry();
    RIG_UNTIL(rig.ends == 1);
    assert_int_equal(rig.status, VALET_OK);
    rig_set_bearer("");
    (void)send_text(PING);
    RIG_UNTIL(rig.retry);
    rig_answer_retry();
    RIG_UNTIL(rig.ends == 2);
    assert_int_equal(rig.status, VALET_OK);
}

static void
a_lost_stream_is_told_and_nothing_can_be_sent(void **state)
{
    (void)state;
    use_it();
    end(rig.open[0]);
    RIG_UNTIL(rig.deafs == 1);
    assert_int_equal(rig.deaf.status, VALET_RETRY);
    ping();
    assert_int_equal(rig.status, VALET_RETRY);
    assert_int_equal(rig.seen_count, 1);
    /* It may be begun anew. */
    use_it();
    ping();
    assert_int_equal(rig.status, VALET_OK);
}

static void
before_the_endpoint_nothing_can_be_sent(void **state)
{
    (void)state;
    vl_remote_use_http_sse(rig.remote, rig_done, NULL);
    (void)send_text(PING);
    RIG_UNTIL(rig.ends == 1);
    assert_int_equal(rig.status, VALET_RETRY);
    RIG_UNTIL(rig.ends == 2);
    assert_int_equal(rig.status, VALET_OK);
}

static void
free_all(void)
{
    vl_remote_free(rig.remote);
    rig.remote = NULL;
}

static void
its_beginning_may_free_everything(void **state)
{
    (void)state;
    rig.on_done = free_all;
    use_it();
    RIG_UNTIL(rig.closed == 1);
    rig.remote = rig_remote("/a/sse");
    server.status = 404;
    use_it();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_to_the_endpoint_and_come_by_the_stream),
        TEST(the_endpoint_may_be_said_in_many_ways),
        TEST(the_endpoint_is_of_the_same_origin),
        TEST(a_server_without_it_is_told_as_a_call_is),
        TEST(a_stream_without_an_endpoint_is_another_one),
        TEST(tokens_are_got_on_both_ways),
        TEST(a_lost_stream_is_told_and_nothing_can_be_sent),
        TEST(before_the_endpoint_nothing_can_be_sent),
        TEST(its_beginning_may_free_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
