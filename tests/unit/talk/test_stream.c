/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams that stay open: GET of Streamable HTTP, streams of a POST that are
 * lost and found again, and HTTP+SSE.
 */
#include "desk.h"

#include "talk/call.h"
#include "talk/stream.h"

#define PING(id)      "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id)      "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define MESSAGE(json) "event: message\ndata: " json "\n\n"
#define DONE          (&(valet_mcp_result){.text = "done"})
#define EVENTS        "text/event-stream"

static const struct vl_principal other_client = {
    .client = {"c9"},
    .user = {.tid = "t", .oid = "alice"},
    .session = "f9",
    .scopes = "read",
    .expires_ms = 600000,
};
static const struct vl_principal other_family = {
    .client = {"c1"},
    .user = {.tid = "t", .oid = "alice"},
    .session = "f8",
    .scopes = "read",
    .expires_ms = 600000,
};

/* --- helpers --- */

static void
get(const struct client *client, const char *last, struct fake_answer *answer)
{
    const char *const headers[] = {"Accept",
                                   client->accept,
                                   "Mcp-Session-Id",
                                   client->session,
                                   last ? "Last-Event-ID" : NULL,
                                   last,
                                   NULL};
    vl_mcp_endpoint_handle(client->desk->endpoint,
                           fake_exchange(answer, "GET", headers, VL_STR("")),
                           client->principal);
}

/* A stream of HTTP+SSE; `id` gets its session's. */
static void
open_sse(struct desk *desk, const struct vl_principal *principal,
         struct fake_answer *answer, char id[64])
{
    static const char *const headers[] = {"Accept", EVENTS, NULL};
    vl_mcp_endpoint_handle_sse(
        desk->endpoint, fake_exchange(answer, "GET", headers, VL_STR("")),
        principal);
    assert_int_equal(answer->status, 200);
    const char *body = vl_buf_cstr(&answer->body);
    static const char begin[] = "event: endpoint\ndata: /message?sessionId=";
    assert_int_equal(strncmp(body, begin, sizeof begin - 1), 0);
    (void)snprintf(id, 64, "%.*s", VL_MCP_SESSION_ID_SIZE - 1,
                   body + sizeof begin - 1);
    assert_string_equal(body + sizeof begin - 1 + strlen(id), "\n\n");
    vl_buf_clear(&answer->body);
}

static int
post_to(struct desk *desk, const struct vl_principal *principal,
        const char *query, const char *body)
{
    static const char *const headers[] = {"Content-Type", "application/json",
                                          NULL};
    struct fake_answer answer;
    struct vl_exchange *x =
        fake_exchange(&answer, "POST", headers, vl_str_z(body));
    x->request.query = vl_str_z(query);
    vl_mcp_endpoint_handle_message(desk->endpoint, x, principal);
    assert_true(answer.finished);
    if (answer.status == 202)
        assert_str(vl_buf_str(&answer.body), "Accepted");
    fake_answer_done(&answer);
    return answer.status;
}

static int
post(struct desk *desk, const struct vl_principal *principal, const char *id,
     const char *body)
{
    char query[100];
    (void)snprintf(query, sizeof query, "sessionId=%s", id);
    return post_to(desk, principal, query, body);
}

/* What came on the stream since the last look. */
static void
came(struct fake_answer *answer, const char *wanted)
{
    assert_string_equal(vl_buf_cstr(&answer->body), wanted);
    vl_buf_clear(&answer->body);
}

static void
pass_time(struct desk *desk, int64_t ms)
{
    desk->now += ms;
    vl_mcp_streams_tend(desk->endpoint);
}

/* --- GET --- */

/* @spec HT-21 HT-27 */
static void
opens_a_stream_to_get(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer answer;
    client.accept = EVENTS;
    get(&client, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.streaming && !answer.finished);
    assert_string_equal(fake_header(&answer, "Content-Type"), EVENTS);
    assert_string_equal(fake_header(&answer, "X-Accel-Buffering"), "no");
    /* @spec HT-22: nothing but what it begins with. */
    expect(&client, PING("1"), 200, "id: 1-1\n" MESSAGE(PONG("1")));
    came(&answer, "id: 0-1\ndata: \n\n");
    fake_hang_up(&answer);
    assert_true(answer.finished);
    fake_answer_done(&answer);
    /* The session outlives it. */
    expect(&client, PING("2"), 200, "id: 2-1\n" MESSAGE(PONG("2")));
}

static void
begins_older_streams_with_a_comment(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-06-18");
    struct fake_answer answer;
    get(&client, NULL, &answer);
    came(&answer, ":\n\n");
    fake_hang_up(&answer);
    fake_answer_done(&answer);
}

static void
has_one_stream_a_session(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer one, two;
    get(&client, NULL, &one);
    get(&client, NULL, &two);
    assert_true(one.finished);
    assert_false(two.finished);
    client_send(&client, "DELETE", "", &(struct fake_answer){.status = 0});
    assert_true(two.finished);
    fake_answer_done(&one);
    fake_answer_done(&two);
}

/* @spec W-02 SB-21 */
static void
gives_a_stream_to_its_owner_alone(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    const struct vl_principal *const others[] = {&mallory, &other_client,
                                                 &other_family};
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        struct fake_answer answer;
        client.principal = others[i];
        get(&client, NULL, &answer);
        assert_int_equal(answer.status, 404);
        fake_answer_done(&answer);
    }
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 3);
    struct fake_answer answer;
    client.principal = &alice;
    client.accept = "application/json";
    get(&client, NULL, &answer);
    assert_int_equal(answer.status, 406);
    fake_answer_done(&answer);
    client.accept = BOTH;
    get(&client, "1-", &answer);
    assert_int_equal(answer.status, 400);
    fake_answer_done(&answer);
}

/* --- lost and found --- */

/* A call whose stream has begun with one event of progress. */
static valet_mcp_call *
begin(const struct client *client, struct fake_answer *answer, const char *id)
{
    struct desk *desk = client->desk;
    char body[300];
    (void)snprintf(body, sizeof body,
                   CALL("%s", "\"name\":\"later\",\"_meta\":{"
                              "\"progressToken\":%s}"),
                   id, id);
    client_send(client, "POST", body, answer);
    valet_mcp_call *call = desk->calls[desk->call_count - 1];
    valet_mcp_progress(call, 1, 0, NULL);
    assert_true(answer->streaming);
    return call;
}

#define PROGRESS(token, n)                                                     \
    MESSAGE("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","      \
            "\"params\":{\"progressToken\":" token ",\"progress\":" n "}}")
#define RESULT(id)                                                             \
    MESSAGE("{\"jsonrpc\":\"2.0\",\"id\":" id                                  \
            ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]" \
            ",\"isError\":false}}")

/* @spec HT-20 HT-26 */
static void
goes_on_with_a_stream_that_was_lost(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer lost, found;
    valet_mcp_call *call = begin(&client, &lost, "5");
    lost.x->closed = true;
    valet_mcp_progress(call, 2, 0, NULL);
    get(&client, "1-1", &found);
    assert_true(lost.finished && !found.finished);
    came(&found, "id: 1-2\n" PROGRESS("5", "2"));
    valet_mcp_progress(call, 3, 0, NULL);
    finish(desk, DONE);
    came(&found, "id: 1-3\n" PROGRESS("5", "3") "id: 1-4\n" RESULT("5"));
    assert_true(found.finished);
    fake_answer_done(&lost);
    fake_answer_done(&found);
    assert_int_equal(desk->cancelled, 0);
}

static void
replays_a_stream_that_has_ended(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer lost, found;
    (void)begin(&client, &lost, "5");
    lost.x->closed = true;
    finish(desk, DONE);
    for (int i = 0; i < 2; i++) { /* as often as it is asked for */
        get(&client, "1-1", &found);
        came(&found, "id: 1-2\n" RESULT("5"));
        assert_true(found.finished);
        fake_answer_done(&found);
    }
    fake_answer_done(&lost);
}

/* A call at work for a while; calls_tend() looks at its age. */
static valet_mcp_call *
begin_silently(const struct client *client, struct fake_answer *answer)
{
    client_send(client, "POST", CALL("5", "\"name\":\"later\""), answer);
    valet_mcp_call *call = client->desk->calls[0];
    vl_mcp_calls_tend(client->desk->endpoint);
    assert_false(answer->streaming);
    call->started -= VL_MCP_PRIME_MS;
    vl_mcp_calls_tend(client->desk->endpoint);
    return call;
}

/* @spec HT-27 */
static void
begins_the_stream_of_a_call_that_takes_long(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer lost, found;
    valet_mcp_call *call = begin_silently(&client, &lost);
    came(&lost, "id: 1-0\ndata: \n\n");
    vl_mcp_calls_tend(desk->endpoint);
    came(&lost, "");
    call->post->spoke_ms -= VL_LIMIT_STREAM_QUIET_MS;
    vl_mcp_calls_tend(desk->endpoint);
    came(&lost, ":\n\n");
    lost.x->closed = true;
    finish(desk, DONE);
    get(&client, "1-0", &found);
    came(&found, "id: 1-1\n" RESULT("5"));
    fake_answer_done(&lost);
    fake_answer_done(&found);
    /* Older readers get a comment, and those of JSON nothing. */
    client = open_client(desk, &alice, "2025-06-18");
    (void)begin_silently(&client, &lost);
    came(&lost, ":\n\n");
    finish(desk, DONE);
    came(&lost, "id: 1-1\n" RESULT("5"));
    fake_answer_done(&lost);
    client.accept = "application/json";
    (void)begin_silently(&client, &lost);
    assert_false(lost.streaming);
    finish(desk, DONE);
    fake_answer_done(&lost);
}

/* @spec HT-24 HT-25 */
static void
replays_no_other_stream(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct client second = open_client(desk, &alice, "2025-11-25");
    struct fake_answer a, b, found;
    (void)begin(&client, &a, "1");
    (void)begin(&client, &b, "2");
    a.x->closed = b.x->closed = true;
    finish(desk, DONE);
    finish(desk, DONE);
    get(&client, "2-0", &found);
    came(&found, "id: 2-1\n" PROGRESS("2", "1") "id: 2-2\n" RESULT("2"));
    fake_answer_done(&found);
    /* Nor one of another session, whose numbers are its own. */
    get(&second, "2-0", &found);
    /* 204: readers of event streams do not come back after it. */
    assert_int_equal(found.status, 204);
    came(&found, "");
    assert_true(found.finished);
    fake_answer_done(&found);
    fake_answer_done(&a);
    fake_answer_done(&b);
}

static void
keeps_no_more_of_the_past_than_it_may(void **state)
{
    struct desk *desk = *state;
    struct vl_mcp_history one, two;
    struct vl_mcp_archive *archive = &desk->endpoint->archive;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_MCP_HISTORY + 1);
    vl_mcp_history_init(&one);
    vl_mcp_history_init(&two);
    for (int i = 0; i < VL_LIMIT_MCP_HISTORY / 4; i++)
        vl_buf_addc(&text, 'x');
    for (unsigned i = 1; i <= 100; i++)
        vl_mcp_history_keep(&one, archive, (struct vl_mcp_event_id){1, i},
                            vl_buf_str(&text), i);
    assert_in_range(one.size, VL_LIMIT_MCP_HISTORY / 2, VL_LIMIT_MCP_HISTORY);
    size_t whole = one.size;
    vl_mcp_history_keep(&two, archive, (struct vl_mcp_event_id){1, 1},
                        VL_STR("y"), 200);
    assert_int_equal(archive->size, whole + two.size);
    vl_mcp_archive_sweep(archive, 199);
    assert_int_equal(one.size, 0);
    size_t little = two.size;
    assert_in_range(little, 2, 200); /* a short one costs more than itself */
    while (vl_buf_size(&text) <= VL_LIMIT_MCP_HISTORY)
        vl_buf_addc(&text, 'x');
    vl_mcp_history_keep(&two, archive, (struct vl_mcp_event_id){1, 2},
                        vl_buf_str(&text), 201);
    assert_int_equal(two.size, little);
    vl_mcp_history_done(&two);
    assert_int_equal(archive->size, 0);
}

static void
reads_event_ids_of_its_own_alone(void **state)
{
    (void)state;
    struct vl_mcp_event_id id;
    char text[VL_MCP_EVENT_ID_SIZE];
    static const char *const bad[] = {
        "",     "-",    "1",    "1-",   "-1",   "1-2-3",        "a-1",
        "1-a",  " 1-1", "1 -1", "+1-1", "1--1", "4294967296-1", "1-4294967296",
        "01-1", "1-00"};
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_false(vl_mcp_event_id_parse(vl_str_z(bad[i]), &id));
    vl_mcp_event_id_write((struct vl_mcp_event_id){UINT32_MAX, UINT32_MAX},
                          text);
    assert_true(vl_mcp_event_id_parse(vl_str_z(text), &id));
    assert_int_equal(id.stream, UINT32_MAX);
    assert_int_equal(id.number, UINT32_MAX);
}

/* --- HTTP+SSE --- */

/* @spec HT-07 HT-08 HT-09 S-67 S-68 */
static void
answers_on_the_stream(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(post(desk, &alice, id,
                          "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":"
                          "\"initialize\",\"params\":{\"protocolVersion\":"
                          "\"2024-11-05\"}}"),
                     202);
    assert_non_null(
        strstr(vl_buf_cstr(&stream.body),
               "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":0,"
               "\"result\":{\"protocolVersion\":\"2024-11-05\""));
    vl_buf_clear(&stream.body);
    assert_int_equal(post(desk, &alice, id, PING("1")), 202);
    came(&stream, MESSAGE(PONG("1")));
    assert_int_equal(post(desk, &alice, id,
                          "{\"jsonrpc\":\"2.0\",\"method\":"
                          "\"notifications/initialized\"}"),
                     202);
    assert_int_equal(post(desk, &alice, id, CALL("2", "\"name\":\"later\"")),
                     202);
    came(&stream, "");
    finish(desk, DONE);
    came(&stream, RESULT("2"));
    fake_hang_up(&stream);
    assert_int_equal(post(desk, &alice, id, PING("3")), 404);
    assert_string_equal(desk->reasons[VL_MCP_SESSION_CLOSED], "client_gone");
    fake_answer_done(&stream);
}

/* @spec W-01 W-02 S-68 */
static void
takes_messages_of_its_owner_alone(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream, hers;
    char id[64], her_id[64];
    open_sse(desk, &alice, &stream, id);
    open_sse(desk, &mallory, &hers, her_id);
    assert_int_equal(post(desk, &mallory, id, PING("1")), 404);
    assert_int_equal(post(desk, &other_client, id, PING("1")), 404);
    assert_int_equal(post(desk, &other_family, id, PING("1")), 404);
    assert_int_equal(count_notes(desk, VL_MCP_SESSION_HIJACK), 3);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(post(desk, &alice, id, PING("1")), 202);
        assert_int_equal(post(desk, &mallory, her_id, PING("2")), 202);
        came(&stream, MESSAGE(PONG("1")));
        came(&hers, MESSAGE(PONG("2")));
    }
    fake_hang_up(&stream);
    fake_hang_up(&hers);
    fake_answer_done(&stream);
    fake_answer_done(&hers);
}

static void
refuses_what_is_no_message(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64], twice[160];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(post(desk, &alice, id, "{"), 400);
    assert_int_equal(post(desk, &alice, id, "[]"), 400);
    assert_int_equal(post(desk, &alice, id, "[" PING("1") "]"), 400);
    assert_int_equal(post(desk, &alice, id, "{\"jsonrpc\":\"2.0\"}"), 400);
    assert_int_equal(post_to(desk, &alice, "", PING("1")), 400);
    (void)snprintf(twice, sizeof twice, "sessionId=%s&sessionId=%s", id, id);
    assert_int_equal(post_to(desk, &alice, twice, PING("1")), 400);
    assert_int_equal(post(desk, &alice, "x", PING("1")), 404);
    assert_int_equal(post(desk, &alice, id, CALL("1", "\"name\":\"secret\"")),
                     403);
    came(&stream, "");
    /* A session of one transport is none of the other's. */
    struct client client = {desk, &alice, "", "", BOTH};
    (void)snprintf(client.session, sizeof client.session, "%s", id);
    expect(&client, PING("1"), 404,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001,"
           "\"message\":\"Session not found\"}}");
    struct client streamable = open_client(desk, &alice, "2025-11-25");
    assert_int_equal(post(desk, &alice, streamable.session, PING("1")), 404);
    /* The stream is still good. */
    assert_int_equal(post(desk, &alice, id, PING("1")), 202);
    came(&stream, MESSAGE(PONG("1")));
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

/* @spec HT-76: it would be answered as of another revision than it says. */
static void
refuses_requests_of_revisions_without_sessions(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(
        post(desk, &alice, id,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
             "\"params\":{\"_meta\":{"
             "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}"),
        400);
    came(&stream, "");
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

/* @spec S-08: only a 401 makes clients start a sign-in. */
static void
tells_a_poster_that_the_sign_in_has_ended(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(
        post(desk, &alice, id, CALL("1", "\"name\":\"signed_out\"")), 401);
    came(&stream, "");
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

static void
does_not_wait_for_a_slow_reader(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(post(desk, &alice, id, CALL("1", "\"name\":\"later\"")),
                     202);
    stream.waiting = VL_LIMIT_STREAM_HIGH;
    assert_int_equal(post(desk, &alice, id, PING("2")), 503);
    came(&stream, "");
    stream.waiting = VL_LIMIT_STREAM_MOST;
    finish(desk, DONE);
    assert_true(stream.finished);
    assert_string_equal(desk->reasons[VL_MCP_SESSION_CLOSED], "too_slow");
    assert_int_equal(post(desk, &alice, id, PING("3")), 404);
    fake_answer_done(&stream);
}

/* @spec S-67: for proxies, and to notice peers that are gone. */
static void
speaks_up_when_it_was_quiet(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    struct vl_mcp_stream *own = VL_CONTAINER(desk->endpoint->streams.next,
                                             struct vl_mcp_stream, in_endpoint);
    pass_time(desk, 1000);
    came(&stream, "");
    own->spoke_ms -= VL_LIMIT_STREAM_QUIET_MS;
    pass_time(desk, 1000);
    came(&stream, ":\n\n");
    pass_time(desk, 1000);
    came(&stream, "");
    /* Who has not read what is there gets no more of it. */
    own->spoke_ms -= VL_LIMIT_STREAM_QUIET_MS;
    stream.waiting = 1;
    pass_time(desk, 1000);
    came(&stream, "");
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

static void
closes_a_stream_with_its_token(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream, get_stream;
    char id[64];
    struct vl_principal renewed = alice;
    renewed.expires_ms = 900000;
    struct client client = open_client(desk, &alice, "2025-11-25");
    get(&client, NULL, &get_stream);
    open_sse(desk, &alice, &stream, id);
    pass_time(desk, 500000);
    assert_int_equal(post(desk, &renewed, id, PING("1")), 202);
    pass_time(desk, 99000); /* the first token is over: 600,000 */
    assert_true(get_stream.finished);
    assert_false(stream.finished);
    desk->now += 300000;
    while (!stream.finished) /* it looks for it by itself, every second */
        vl_loop_step(desk->loop);
    assert_string_equal(desk->reasons[VL_MCP_SESSION_CLOSED], "token_expire");
    fake_answer_done(&stream);
    fake_answer_done(&get_stream);
}

/* @spec W-11 S-14 */
static void
closes_the_streams_of_a_family_that_ended(void **state)
{
    struct desk *desk = *state;
    struct fake_answer hers, his, get_stream;
    char id[64], her_id[64];
    struct client client = open_client(desk, &alice, "2025-11-25");
    get(&client, NULL, &get_stream);
    open_sse(desk, &alice, &his, id);
    open_sse(desk, &mallory, &hers, her_id);
    vl_mcp_endpoint_end_family(desk->endpoint, "f1");
    assert_true(his.finished && get_stream.finished);
    assert_false(hers.finished);
    assert_string_equal(desk->reasons[VL_MCP_SESSION_CLOSED], "family_end");
    vl_mcp_endpoint_drain(desk->endpoint);
    assert_true(hers.finished);
    /* None begins that would hold up the end. */
    static const char *const headers[] = {"Accept", EVENTS, NULL};
    struct fake_answer late;
    vl_mcp_endpoint_handle_sse(desk->endpoint,
                               fake_exchange(&late, "GET", headers, VL_STR("")),
                               &mallory);
    assert_int_equal(late.status, 503);
    fake_answer_done(&late);
    fake_answer_done(&hers);
    fake_answer_done(&his);
    fake_answer_done(&get_stream);
}

/* A call outlives the stream that its answer was for. */
static void
drops_answers_to_streams_that_are_gone(void **state)
{
    struct desk *desk = *state;
    struct fake_answer stream;
    char id[64];
    open_sse(desk, &alice, &stream, id);
    assert_int_equal(post(desk, &alice, id, CALL("1", "\"name\":\"later\"")),
                     202);
    fake_hang_up(&stream);
    assert_int_equal(desk->cancelled, 1);
    finish(desk, DONE);
    fake_answer_done(&stream);
}

static bool
hand_over(struct vl_exchange *x, unsigned home, void *ctx)
{
    (void)ctx;
    if (home != 3)
        return false;
    vl_exchange_reply(x, &(struct vl_reply){.status = 299});
    return true;
}

static void
sends_a_request_to_the_worker_of_its_session(void **state)
{
    struct desk *desk = *state;
    struct client client = open_client(desk, &alice, "2025-11-25");
    struct fake_answer stream;
    char id[64];
    desk->hooks.hand_over = hand_over;
    open_sse(desk, &alice, &stream, id);
    memcpy(id + 43, "03", 3);
    assert_int_equal(post(desk, &alice, id, PING("1")), 299);
    memcpy(client.session + 43, "03", 3);
    expect(&client, PING("1"), 299, "");
    memcpy(client.session + 43, "04", 3); /* there is none */
    struct fake_answer answer;
    client_send(&client, "POST", PING("1"), &answer);
    assert_int_equal(answer.status, 404);
    fake_answer_done(&answer);
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(opens_a_stream_to_get),
        DESK_TEST(begins_older_streams_with_a_comment),
        DESK_TEST(has_one_stream_a_session),
        DESK_TEST(gives_a_stream_to_its_owner_alone),
        DESK_TEST(goes_on_with_a_stream_that_was_lost),
        DESK_TEST(replays_a_stream_that_has_ended),
        DESK_TEST(begins_the_stream_of_a_call_that_takes_long),
        DESK_TEST(replays_no_other_stream),
        DESK_TEST(keeps_no_more_of_the_past_than_it_may),
        DESK_TEST(reads_event_ids_of_its_own_alone),
        DESK_TEST(answers_on_the_stream),
        DESK_TEST(takes_messages_of_its_owner_alone),
        DESK_TEST(refuses_what_is_no_message),
        DESK_TEST(refuses_requests_of_revisions_without_sessions),
        DESK_TEST(tells_a_poster_that_the_sign_in_has_ended),
        DESK_TEST(does_not_wait_for_a_slow_reader),
        DESK_TEST(speaks_up_when_it_was_quiet),
        DESK_TEST(closes_a_stream_with_its_token),
        DESK_TEST(closes_the_streams_of_a_family_that_ended),
        DESK_TEST(drops_answers_to_streams_that_are_gone),
        DESK_TEST(sends_a_request_to_the_worker_of_its_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
