/* SPDX-License-Identifier: Apache-2.0
 *
 * Two clients, each with a principal of its own, and what a server may live to
 * see: requests of both eras and of HTTP+SSE, sessions, answers to questions
 * of ours, cancels, lost connections, slow readers, time, changed lists, and
 * an end at any moment. The input is a list of steps, each "~" and a letter:
 *
 *     R who bytes           a whole request as bytes of HTTP
 *     M who to accept JSON  a POST whose head is made here; to: a session (0
 *                           to 3), i: none, m: modern, s: /message (0 to 3: S
 *                           and the next digit)
 *     G who session id      the stream of a session, with a Last-Event-ID
 *     D who session         its end
 *     E who                 the stream of HTTP+SSE
 *     F index how           a call at work goes on
 *     H index               a connection is lost
 *     W index much          nobody reads it any more, or again
 *     C digit               time passes
 *     T digit               a list changes
 *     U digit               a resource changes
 *     K who                 a sign-in is revoked
 *     Q digit               handlers finish what is cancelled at once, or not
 *     X, Z                  the server drains; it ends
 *
 * In R and M "$0" to "$3", "$q", "$t", "$r", "$e" stand for the ids of
 * sessions, of our last question, task, state and event, "$n" for the length of
 * the body. Clients are told nothing but what vl_fuzz_model.h allows.
 */
#define _GNU_SOURCE /* memmem */
#include "mcp/mirror.h"
#include "talk/call.h"
#include "talk/listen.h"
#include "talk/stream.h"
#include "vl_fuzz_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64
#define BYTES_MAX (1 << 20)

static void
refuse(struct vl_exchange *x, const char *permission, void *ctx)
{
    (void)ctx;
    VL_ASSERT(strcmp(permission, "admin") == 0);
    vl_exchange_reply(x, &(struct vl_reply){.status = 403});
}

static void
login(struct vl_exchange *x, void *ctx)
{
    (void)ctx;
    vl_exchange_reply(x, &(struct vl_reply){.status = 401});
}

/* --- text of a step --- */

static char
take_char(struct vl_str *text)
{
    char c = text->n ? text->p[0] : '0';
    *text = vl_str_from(*text, 1);
    return c;
}

static unsigned
take_digit(struct vl_str *text)
{
    return (unsigned char)take_char(text) % 16u;
}

static struct vl_str
known_as(const struct world *world, char name)
{
    switch (name) {
    case '0':
    case '1':
    case '2':
    case '3':
        return vl_str_z(world->sessions[name - '0']);
    case 'q':
        return vl_str_z(world->question);
    case 't':
        return vl_str_z(world->task);
    case 'r':
        return vl_str_z(world->state);
    case 'e':
        return vl_str_z(world->event);
    default:
        return (struct vl_str){NULL, 0};
    }
}

/* `length`: what "$n" stands for. */
static struct vl_buf
fill_in(const struct world *world, struct vl_str text, size_t length)
{
    struct vl_buf out = vl_buf_of(BYTES_MAX);
    for (size_t i = 0; i < text.n; i++) {
        char next = i + 1 < text.n ? text.p[i + 1] : ' ';
        struct vl_str value = known_as(world, next);
        if (text.p[i] == '$' && next == 'n')
            vl_buf_addu(&out, length);
        else if (text.p[i] == '$' && value.p)
            vl_buf_add(&out, value);
        else {
            vl_buf_addc(&out, text.p[i]);
            continue;
        }
        i++;
    }
    return out;
}

/* --- one request --- */

static struct vl_principal
principal_of(const struct world *world, unsigned who)
{
    struct vl_principal principal = {
        .client = {"c"}, .user = {.tid = "t"}, .session = "family-A"};
    principal.user.oid[0] = "AB"[who];
    principal.session[7] = "AB"[who];
    principal.expires_ms = world->bench.now_ms + 100000;
    return principal;
}

static vl_mcp_endpoint_handler *
find_handler(struct talk *talk, const struct vl_http_request *request)
{
    bool posts = vl_str_eqz(request->method, "POST");
    bool gets = vl_str_eqz(request->method, "GET");
    talk->kind = TALK_OTHER;
    if (vl_str_eqz(request->path, "/sse")) {
        if (gets)
            talk->kind = TALK_SSE;
        return vl_mcp_endpoint_handle_sse;
    }
    if (vl_str_eqz(request->path, "/message")) {
        if (posts)
            talk->kind = TALK_MESSAGE;
        return vl_mcp_endpoint_handle_message;
    }
    if (posts)
        talk->kind = TALK_POST;
    else if (gets)
        talk->kind = TALK_GET;
    return vl_mcp_endpoint_handle;
}

/* The stream that a message of HTTP+SSE is answered on. */
static struct talk *
find_stream(const struct world *world, struct vl_str query)
{
    for (size_t i = world->count; i-- > 0;) {
        struct talk *talk = world->talks[i];
        if (talk->kind == TALK_SSE && talk->session[0] &&
            memmem(query.p, query.n, talk->session, strlen(talk->session)))
            return talk;
    }
    return NULL;
}

/* What its head says; what it may do to others' answers. */
static void
note_head(struct world *world, struct talk *talk,
          const struct vl_http_request *request)
{
    struct vl_str last;
    talk->resumes =
        talk->kind == TALK_GET &&
        vl_headers_find(&request->headers, VL_STR("last-event-id"), &last);
    if (talk->resumes || vl_str_eqz(request->method, "DELETE"))
        world->silencers++;
    talk->says_modern =
        talk->kind == TALK_POST &&
        vl_str_eqz(vl_headers_get(&request->headers, "mcp-protocol-version"),
                   "2026-07-28");
    /* That alone does not make it so, but what is said about it. */
    talk->is_modern |= talk->says_modern && !talk->is_batch;
    if (talk->is_modern && talk->asked_count)
        talk->asked[0].is_modern = true;
    if (talk->kind == TALK_MESSAGE && request->query.n)
        talk->stream = find_stream(world, request->query);
}

static void
deliver(struct world *world, unsigned who, bool is_made, struct vl_str bytes)
{
    struct talk *talk = world->bench.endpoint ? talk_new(world, who) : NULL;
    if (!talk)
        return;
    talk->is_made = is_made;
    struct vl_exchange *x = exchange_of(&talk->answer, bytes);
    if (!x) {
        world->count--;
        talk_free(talk);
        return;
    }
    vl_mcp_endpoint_handler *handler = find_handler(talk, &x->request);
    if (talk->kind == TALK_POST || talk->kind == TALK_MESSAGE)
        note_body(world, talk, x->request.body);
    note_head(world, talk, &x->request);
    struct vl_principal principal = principal_of(world, who);
    world->bench.speaker = (int)who;
    handler(world->bench.endpoint, x, &principal);
    world->bench.speaker = -1;
}

/* "~R": the head goes up to the first empty line. */
static void
send_bytes(struct world *world, struct vl_str text)
{
    unsigned who = take_digit(&text) % PEOPLE;
    const char *end = memmem(text.p, text.n, "\r\n\r\n", 4);
    size_t head_size = end ? (size_t)(end - text.p) + 4 : text.n;
    struct vl_buf body = fill_in(world, vl_str_from(text, head_size), 0);
    struct vl_buf bytes =
        fill_in(world, vl_str_head(text, head_size), vl_buf_size(&body));
    vl_buf_add(&bytes, vl_buf_str(&body));
    deliver(world, who, false, vl_buf_str(&bytes));
    vl_buf_done(&bytes);
    vl_buf_done(&body);
}

static void
add_header(struct vl_buf *head, const char *name, struct vl_str value)
{
    if (value.p && vl_header_is_valid(vl_str_z(name), value))
        vl_buf_addf(head, "%s: " VL_STR_FMT "\r\n", name, VL_STR_ARG(value));
}

/* What a good client of 2026-07-28 repeats. */
static void
add_mirrors(struct vl_buf *head, struct vl_str body)
{
    vl_auto(vl_json) json = {NULL};
    if (vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &json, NULL) != VALET_OK)
        return;
    const struct json_t *params = vl_json_get(json.root, "params");
    struct vl_str name = vl_json_get_str(params, "name");
    if (!name.p)
        name = vl_json_get_str(params, "uri");
    if (!name.p)
        name = vl_json_get_str(params, "taskId");
    add_header(head, "MCP-Protocol-Version",
               vl_json_get_str(meta_in(params), META "protocolVersion"));
    add_header(head, "Mcp-Method", vl_json_get_str(json.root, "method"));
    add_header(head, "Mcp-Name", name);
    add_header(head, "Mcp-Param-Region",
               vl_json_get_str(vl_json_get(params, "arguments"), "region"));
}

static const char *
accept_of(char c)
{
    switch (c) {
    case 'j':
        return "application/json";
    case 'e':
        return "text/event-stream";
    case '*':
        return "*/*";
    default:
        return "application/json, text/event-stream";
    }
}

/* "~M" */
static void
send_message(struct world *world, struct vl_str text)
{
    unsigned who = take_digit(&text) % PEOPLE;
    char to = take_char(&text), slot = '0';
    if (to == 's')
        slot = take_char(&text);
    const char *accept = accept_of(take_char(&text));
    struct vl_buf body = fill_in(world, text, 0);
    struct vl_buf bytes = vl_buf_of(BYTES_MAX);
    if (to == 's')
        vl_buf_addf(&bytes, "POST /message?sessionId=" VL_STR_FMT,
                    VL_STR_ARG(known_as(world, slot)));
    else
        vl_buf_addz(&bytes, "POST /mcp");
    vl_buf_addf(&bytes,
                " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                "Accept: %s\r\nContent-Length: %zu\r\n",
                accept, vl_buf_size(&body));
    if (to == 'm')
        add_mirrors(&bytes, vl_buf_str(&body));
    else if (to >= '0' && to <= '3')
        add_header(&bytes, "Mcp-Session-Id", known_as(world, to));
    vl_buf_addz(&bytes, "\r\n");
    vl_buf_add(&bytes, vl_buf_str(&body));
    deliver(world, who, true, vl_buf_str(&bytes));
    vl_buf_done(&bytes);
    vl_buf_done(&body);
}

/* "~G", "~D", "~E" */
static void
send_bare(struct world *world, char step, struct vl_str text)
{
    unsigned who = take_digit(&text) % PEOPLE;
    char slot = (char)('0' + take_digit(&text) % 4);
    struct vl_buf bytes = vl_buf_of(BYTES_MAX);
    struct vl_buf last = fill_in(world, text, 0);
    vl_buf_addf(&bytes,
                "%s HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n",
                step == 'G'   ? "GET /mcp"
                : step == 'D' ? "DELETE /mcp"
                              : "GET /sse");
    if (step != 'E')
        add_header(&bytes, "Mcp-Session-Id", known_as(world, slot));
    if (step == 'G' && vl_buf_size(&last))
        add_header(&bytes, "Last-Event-ID", vl_buf_str(&last));
    vl_buf_addz(&bytes, "\r\n");
    deliver(world, who, true, vl_buf_str(&bytes));
    vl_buf_done(&bytes);
    vl_buf_done(&last);
}

/* --- other steps --- */

/* Some connection that is open. */
static struct talk *
find_open(const struct world *world, size_t index)
{
    size_t open = 0;
    for (size_t i = 0; i < world->count; i++)
        open += world->talks[i]->answer.x && !world->talks[i]->hung_up;
    if (!open)
        return NULL;
    index %= open;
    for (size_t i = 0;; i++)
        if (world->talks[i]->answer.x && !world->talks[i]->hung_up &&
            index-- == 0)
            return world->talks[i];
}

static void
hang_up(struct world *world, struct talk *talk)
{
    if (!talk)
        return;
    talk->hung_up = true;
    world->silencers++;
    fake_hang_up(&talk->answer);
}

static void
slow_down(struct world *world, struct talk *talk, unsigned how)
{
    if (!talk)
        return;
    world->silencers++; /* of HTTP+SSE: what is posted goes nowhere */
    talk->answer.full = how % 4 > 0;
    talk->answer.waiting = how % 4 == 0   ? 0
                           : how % 4 == 1 ? 1
                           : how % 4 == 2 ? VL_LIMIT_STREAM_HIGH
                                          : VL_LIMIT_STREAM_MOST;
    if (!talk->answer.full)
        fake_drain(&talk->answer);
}

static void
work_on(struct world *world, size_t index, unsigned how)
{
    struct bench *bench = &world->bench;
    if (how % 12 == 2) /* the server hangs up: the rest comes elsewhere */
        world->silencers++;
    if (bench->count)
        step_call(bench, index % bench->count, how);
}

/* Everything that has a date gets older, and is looked at. */
static void
pass_time(struct world *world, int64_t ms)
{
    struct vl_mcp_endpoint *endpoint = world->bench.endpoint;
    world->bench.now_ms += ms;
    if (!endpoint)
        return;
    if (ms >= 60000)
        world->silencers++;
    VL_LIST_EACH (it, &endpoint->calls) {
        struct vl_mcp_call *call =
            VL_CONTAINER(it, struct vl_mcp_call, in_endpoint);
        call->started -= ms;
        if (call->post)
            call->post->spoke_ms -= ms;
    }
    VL_LIST_EACH (it, &endpoint->streams)
        VL_CONTAINER(it, struct vl_mcp_stream, in_endpoint)->spoke_ms -= ms;
    VL_LIST_EACH (it, &endpoint->listeners) {
        struct vl_mcp_listener *listener =
            VL_CONTAINER(it, struct vl_mcp_listener, in_endpoint);
        listener->began_ms -= ms;
        listener->post->spoke_ms -= ms;
    }
    if (ms > VL_LIMIT_MCP_HISTORY_MS)
        vl_mcp_archive_sweep(&endpoint->archive, INT64_MAX);
    vl_mcp_endpoint_sweep(endpoint);
}

static void
revoke(struct world *world, unsigned who)
{
    struct vl_principal principal = principal_of(world, who);
    if (!world->bench.endpoint)
        return;
    world->silencers++;
    vl_mcp_endpoint_end_family(world->bench.endpoint, principal.session);
}

static void
update_resource(struct world *world, unsigned which)
{
    static const char *const uris[] = {"res://a", "res://admin",
                                       "note://x/text", "res://not-there"};
    valet_mcp_resource_updated(world->bench.server, uris[which % 4]);
}

static void
end_server(struct world *world)
{
    world->silencers++;
    vl_mcp_endpoint_free(world->bench.endpoint);
    world->bench.endpoint = NULL;
}

static void
drain(struct world *world)
{
    if (!world->bench.endpoint)
        return;
    world->silencers++; /* streams end, and sessions with them */
    vl_mcp_endpoint_drain(world->bench.endpoint);
}

static int64_t
milliseconds(unsigned digit)
{
    int64_t ms = 1;
    for (unsigned i = 0; i < digit % 8; i++)
        ms *= 10;
    return 3 * ms;
}

static void
take_step(struct world *world, char step, struct vl_str text)
{
    struct bench *bench = &world->bench;
    unsigned index = 0;
    switch (step) {
    case 'R':
        send_bytes(world, text);
        return;
    case 'M':
        send_message(world, text);
        return;
    case 'G':
    case 'D':
    case 'E':
        send_bare(world, step, text);
        return;
    case 'F':
        index = take_digit(&text);
        work_on(world, index, (unsigned char)take_char(&text));
        return;
    case 'H':
        hang_up(world, find_open(world, take_digit(&text)));
        return;
    case 'W':
        index = take_digit(&text);
        slow_down(world, find_open(world, index), take_digit(&text));
        return;
    case 'C':
        pass_time(world, milliseconds(take_digit(&text)));
        return;
    case 'T':
        change_list(bench, take_digit(&text));
        return;
    case 'U':
        update_resource(world, take_digit(&text));
        return;
    case 'K':
        revoke(world, take_digit(&text) % PEOPLE);
        return;
    case 'Q':
        bench->finishes_cancelled = take_digit(&text) % 2;
        return;
    case 'X':
        drain(world);
        return;
    case 'Z':
        end_server(world);
        return;
    default:
        return;
    }
}

/* --- the run --- */

/* Who posts to a stream and is accepted is answered there, unless somebody
 * waits for the client. */
static void
check_streams(const struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct talk *talk = world->talks[i];
        bool owed = talk->kind == TALK_MESSAGE && talk->answer.status == 202 &&
                    talk->stream && !world->bench.asked &&
                    talk->silencers == world->silencers;
        for (size_t k = 0; owed && k < talk->asked_count; k++)
            VL_ASSERT(talk->asked[k].answers == 1 ||
                      talk->asked[k].may_be_silent);
    }
}

static void
run(struct world *world, struct vl_str input)
{
    struct vl_str step;
    size_t steps = 0;
    while (steps++ < STEPS_MAX && vl_str_split(&input, '~', &step)) {
        char what = take_char(&step);
        take_step(world, what, step);
        look_at_all(world);
    }
    bench_settle(&world->bench);
    look_at_all(world);
    check_streams(world);
    end_server(world);
    bench_settle(&world->bench);
    look_at_all(world);
    for (size_t i = 0; i < world->count; i++) {
        VL_ASSERT(world->talks[i]->answer.finished);
        talk_free(world->talks[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    const struct vl_mcp_hooks hooks = {.refuse = refuse, .login = login};
    struct world *world = vl_alloc(sizeof *world);
    bench_begin(&world->bench, &hooks, data, size);
    run(world, vl_str_of(data, size));
    bench_end(&world->bench);
    free(world);
    return 0;
}
