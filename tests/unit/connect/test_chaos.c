/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that says anything, a server that does anything: each request gets
 * one answer, or none if it was cancelled, and nothing is left.
 */
#define _GNU_SOURCE /* memmem */
#include "rig.h"

#define RUNS      200
#define STEPS     250
#define IDS       (STEPS + 8)
#define SETTLE_MS 20000

enum fate { UNUSED, ASKED, CANCELLED, LISTENS };

static enum fate fates[IDS];
static unsigned answers[IDS];
static int next_id;
/* Of the bridge, that wait for the client. */
static unsigned questions[IDS];
static size_t question_count;
static bool says_modern, says_legacy;
static uint32_t state_of_dice;

/* The same each time: xorshift. */
static uint32_t
dice(uint32_t sides)
{
    state_of_dice ^= state_of_dice << 13;
    state_of_dice ^= state_of_dice >> 17;
    state_of_dice ^= state_of_dice << 5;
    return state_of_dice % sides;
}

static bool
has(struct vl_str text, const char *word)
{
    return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

/* --- the client --- */

#define META                                                                   \
    "\"_meta\":{\"progressToken\":1,\"io.modelcontextprotocol/"                \
    "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"              \
    "clientCapabilities\":{\"elicitation\":{},\"roots\":{}}}"

static void
ask(void)
{
    static const char *const older[] = {"tools/call",
                                        "tools/list",
                                        "resources/read",
                                        "resources/subscribe",
                                        "logging/setLevel",
                                        "resources/unsubscribe",
                                        "ping",
                                        "initialize",
                                        "x/y"};
    static const char *const newer[] = {
        "tools/call",  "tools/list", "resources/read",      "server/discover",
        "prompts/get", "x/y",        "subscriptions/listen"};
    char line[1024];
    bool is_modern = says_modern && (!says_legacy || dice(2));
    const char *method = is_modern ? newer[dice(VL_COUNT(newer))]
                         : next_id == 0 || dice(30) == 0
                             ? "initialize"
                             : older[dice(VL_COUNT(older))];
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\","
                   "\"params\":{\"name\":\"n\",\"uri\":\"a:%u\",\"level\":"
                   "\"info\",\"protocolVersion\":\"2025-06-18\","
                   "\"capabilities\":{},\"notifications\":{"
                   "\"toolsListChanged\":true,\"resourceSubscriptions\":["
                   "\"a:1\",\"a:%u\"]},\"arguments\":{}%s%s}}",
                   next_id, method, dice(3), dice(3), is_modern ? "," : "",
                   is_modern ? META : "");
    fates[next_id++] =
        strcmp(method, "subscriptions/listen") == 0 ? LISTENS : ASKED;
    client_says(line);
}

static void
cancel(void)
{
    char line[256];
    int id = next_id ? (int)dice((uint32_t)next_id) : 0;
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "cancelled\",\"params\":{\"requestId\":%d}}",
                   id);
    if (fates[id] != UNUSED)
        fates[id] = CANCELLED;
    client_says(line);
}

/* What the client was asked, or not. */
static void
answer(void)
{
    char line[256];
    bool is_ours = dice(2);
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s%u\",%s}",
                   is_ours ? "mcp-valet-" : "s", dice(40),
                   dice(4) ? "\"result\":{\"action\":\"accept\"}"
                           : "\"error\":{\"code\":-1,\"message\":\"m\"}");
    client_says(line);
}

static void
say_something(void)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/roots/list_changed\"}",
        "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"},7]",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
        "nonsense",
    };
    client_says(lines[dice(VL_COUNT(lines))]);
}

static void
client_does(void)
{
    switch (dice(8)) {
    case 0:
        cancel();
        break;
    case 1:
        answer();
        break;
    case 2:
        say_something();
        break;
    default:
        ask();
    }
}

/* --- the server --- */

/* The id of a message that was sent, as it stands there; empty: none. */
static struct vl_str
id_of(const struct vl_remote_call *call)
{
    struct vl_str json = vl_buf_str(&call->json);
    const char *at = memmem(json.p, json.n, "\"id\":", 5);
    if (!at || !has(json, "\"method\":"))
        return VL_STR("");
    struct vl_str rest = vl_str_from(json, (size_t)(at + 5 - json.p));
    return vl_str_head(rest, vl_str_index(rest, ','));
}

/* By HTTP+SSE all comes on one stream. */
static void
says(size_t number, const char *json)
{
    if (the_remote->is_http_sse)
        server_tells(json);
    else if (!the_remote->sent[number].is_gone)
        server_says(number, json);
}

static void
says_for(size_t number, struct vl_str id, const char *rest)
{
    char line[2048];
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":" VL_STR_FMT ",%s}",
                   VL_STR_ARG(id), rest);
    says(number, line);
}

/* As a good server answers. */
static void
says_well(size_t number)
{
    const struct vl_remote_call *call = &the_remote->sent[number];
    struct vl_str json = vl_buf_str(&call->json);
    struct vl_str id = id_of(call);
    if (!id.n)
        return;
    if (has(json, "\"method\":\"initialize\"") ||
        has(json, "\"method\":\"server/discover\""))
        says_for(number, id,
                 "\"result\":{\"resultType\":\"complete\","
                 "\"protocolVersion\":\"2025-06-18\",\"supportedVersions\":["
                 "\"2026-07-28\"],\"capabilities\":{\"tools\":{"
                 "\"listChanged\":true},\"logging\":{},\"resources\":{"
                 "\"subscribe\":true}}}");
    else
        says_for(number, id, "\"result\":{\"tools\":[]}");
}

static void
gives_up(size_t number, valet_status status, int http_status, bool is_lost,
         const char *body)
{
    if (the_remote->sent[number].is_gone)
        return;
    if (is_lost)
        the_remote->has_session = false;
    server_ends_with(number, status,
                     &(struct vl_remote_end){.http_status = http_status,
                                             .session_ended = is_lost,
                                             .body = vl_str_z(body)},
                     "no");
}

static void
refuses(size_t number)
{
    static const struct {
        valet_status status;
        int http_status;
    } rows[] = {{VALET_INVALID, 400}, {VALET_DENIED, 401},
                {VALET_DENIED, 403},  {VALET_NOT_FOUND, 404},
                {VALET_INVALID, 405}, {VALET_RETRY, 429},
                {VALET_RETRY, 503},   {VALET_RETRY, 0},
                {VALET_LIMIT, 200},   {VALET_INTERNAL, 200}};
    static const int codes[] = {-32000, -32601, -32602, -32020, -32022, 7};
    char body[256] = "";
    size_t row = dice(VL_COUNT(rows));
    if (dice(2))
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":"
                       "%d,\"message\":\"m\"}}",
                       codes[dice(VL_COUNT(codes))]);
    gives_up(number, rows[row].status, rows[row].http_status,
             rows[row].http_status == 404 && the_remote->has_session && dice(2),
             body);
}

static void
says_anything(size_t number)
{
    struct vl_str id = id_of(&the_remote->sent[number]);
    switch (dice(9)) {
    case 0:
        says_well(number);
        says_well(number);
        break;
    case 1:
        says_for(number, VL_STR("999"), "\"result\":{}");
        break;
    case 2:
        if (id.n)
            says_for(number, id,
                     "\"result\":{\"resultType\":\"input_required\","
                     "\"inputRequests\":{\"k\":{\"method\":\"roots/list\"}},"
                     "\"requestState\":\"z\"}");
        break;
    case 3:
        if (id.n)
            says_for(number, id,
                     dice(2) ? "\"error\":{\"code\":-32601,\"message\":\"m\"}"
                             : "\"error\":{\"code\":-32020,\"message\":"
                               "\"m\"}");
        break;
    case 4:
        says(number, dice(2) ? "{\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":"
                               "\"roots/list\"}"
                             : "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                               "\"elicitation/create\"}");
        break;
    case 5:
        says(number, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                     "subscriptions/acknowledged\",\"params\":{}}");
        break;
    case 6:
        says(number, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
                     "list_changed\"}");
        break;
    case 7:
        says(number, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":5},{}]");
        break;
    default:
        says(number, "{\"error\":{}}");
    }
}

static void
http_sse_begins(bool is_good)
{
    valet_error err = {.status = is_good ? VALET_OK : VALET_RETRY};
    static const int statuses[] = {0, 404, 503};
    vl_remote_done *done = the_remote->http_sse_done;
    const struct vl_remote_end end = {.http_status =
                                          is_good ? 200 : statuses[dice(3)]};
    if (!done)
        return;
    the_remote->http_sse_done = NULL;
    the_remote->is_http_sse = is_good;
    done(err.status, &end, &err, the_remote->http_sse_ctx);
}

static void
server_does(void)
{
    size_t number = the_remote->count ? dice((uint32_t)the_remote->count) : 0;
    if (the_remote->http_sse_done && dice(3) == 0)
        http_sse_begins(dice(2));
    if (dice(40) == 0) {
        bool is_lost = the_remote->has_session && !the_remote->is_http_sse;
        the_remote->has_session &= !is_lost;
        server_is_deaf(is_lost ? VALET_NOT_FOUND : VALET_RETRY);
    }
    /* The latest are the ones that live. */
    for (size_t i = 0; i < the_remote->count; i++) {
        if (!the_remote->sent[number].is_gone)
            break;
        number = (number + 1) % the_remote->count;
    }
    if (!the_remote->count || the_remote->sent[number].is_gone)
        return;
    switch (dice(6)) {
    case 0:
        refuses(number);
        break;
    case 1:
        says_anything(number);
        break;
    case 2:
        gives_up(number, VALET_OK, dice(2) ? 200 : 202, false, "");
        break;
    default:
        the_remote->has_session |= the_remote->sent[number].begins_session;
        says_well(number);
        if (dice(4))
            gives_up(number, VALET_OK, 200, false, "");
    }
}

/* --- what comes of it --- */

static void
note_question(struct vl_str line)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-";
    uint64_t id;
    if (!vl_str_starts(line, vl_str_z(head)) || question_count == IDS)
        return;
    line = vl_str_from(line, sizeof head - 1);
    if (vl_str_u64(vl_str_head(line, vl_str_index(line, '"')), UINT32_MAX, &id))
        questions[question_count++] = (unsigned)id;
}

static void
count_answers(void)
{
    struct vl_str all = vl_buf_str(&the_lines->out);
    struct vl_str rest = vl_str_from(all, the_lines->seen), line;
    the_lines->seen = all.n;
    while (vl_str_split(&rest, '\n', &line)) {
        static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":";
        uint64_t id;
        if (has(line, "\"method\":\"") && !has(line, "\"inputRequests\"")) {
            note_question(line);
            continue;
        }
        if (!vl_str_starts(line, vl_str_z(head)))
            continue;
        line = vl_str_from(line, sizeof head - 1);
        if (!vl_str_u64(vl_str_head(line, vl_str_index(line, ',')), IDS - 1,
                        &id))
            continue;
        if (++answers[id] > 1 || fates[id] == UNUSED)
            fail_msg("an answer too many to %u", (unsigned)id);
    }
}

static int
find_unanswered(void)
{
    count_answers();
    for (int i = 0; i < next_id; i++)
        if (fates[i] == ASKED && !answers[i])
            return i;
    return -1;
}

/* The server is good again, and the client answers what it is asked. */
static void
settle(void)
{
    int64_t until = vl_mono_now() + SETTLE_MS;
    while (find_unanswered() >= 0 && vl_mono_now() < until) {
        bool was_quiet = true;
        http_sse_begins(true);
        for (size_t i = 0; i < the_remote->count; i++) {
            was_quiet &= the_remote->sent[i].is_gone;
            says_well(i);
            gives_up(i, VALET_OK, 200, false, "");
        }
        for (; question_count; question_count--) {
            char line[128];
            (void)snprintf(line, sizeof line,
                           "{\"jsonrpc\":\"2.0\",\"id\":\"mcp-valet-%u\","
                           "\"result\":{}}",
                           questions[question_count - 1]);
            client_says(line);
            was_quiet = false;
        }
        if (was_quiet)
            vl_loop_step(the_loop);
    }
}

static void
run(uint32_t seed)
{
    state_of_dice = seed * 2654435761u + 1;
    next_id = 0;
    question_count = 0;
    memset(fates, 0, sizeof fates);
    memset(answers, 0, sizeof answers);
    says_modern = seed % 3 != 0;
    says_legacy = seed % 3 != 1;
    (void)rig_begin(NULL);
    for (int i = 0; i < STEPS && the_remote->count < RIG_SENT_MAX / 4; i++) {
        if (dice(2))
            client_does();
        else
            server_does();
        count_answers();
    }
    settle();
    int id = find_unanswered();
    if (id >= 0)
        fail_msg("run %u: nobody answers %d", (unsigned)seed, id);
    (void)rig_end(NULL);
}

static void
each_request_gets_one_answer(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < RUNS; i++)
        run(i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_gets_one_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
