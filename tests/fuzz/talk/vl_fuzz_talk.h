/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchanges of HTTP, each with what was asked in it, and the model of what may
 * come back: looked at after every step, byte by byte.
 */
#ifndef VL_FUZZ_TALK_H
#define VL_FUZZ_TALK_H

#include "http/parse.h"
#include "vl_fake_exchange.h"
#include "vl_fuzz_model.h"

#define TALKS_MAX  64
#define ASKED_MAX  VL_MCP_BATCH_MAX
#define SHORT_TEXT 4096 /* what a client remembers of what it was told */

enum talk_kind { TALK_POST, TALK_GET, TALK_SSE, TALK_MESSAGE, TALK_OTHER };

struct talk {
    struct fake_answer answer;
    enum talk_kind kind;
    unsigned who;
    size_t seen; /* bytes of the answer that were looked at */
    struct asked *asked;
    size_t asked_count;
    size_t broken;      /* elements that are no message */
    size_t responses;   /* that came back */
    struct vl_buf body; /* JSON that was sent, or empty */
    bool is_json, is_batch, is_modern, is_note;
    bool says_modern; /* its head does */
    bool is_made;     /* its head is what a good client sends */
    bool resumes;     /* a GET for what was missed */
    bool hung_up, is_settled;
    unsigned silencers;  /* when it began */
    struct talk *stream; /* TALK_MESSAGE: where the answer goes */
    char session[VL_MCP_SESSION_ID_SIZE];
};

struct world {
    struct bench bench;
    struct talk *talks[TALKS_MAX];
    size_t count;
    unsigned silencers; /* what may have silenced anybody so far */
    /* What clients remember. */
    char sessions[4][VL_MCP_SESSION_ID_SIZE];
    size_t session_count;
    char question[64], task[64], event[64];
    char state[SHORT_TEXT];
};

/* --- what was asked --- */

static inline void
note_cancel(struct world *world, unsigned who, const struct json_t *value)
{
    struct vl_buf id = id_text(value);
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = 0; k < world->talks[i]->asked_count; k++)
            if (world->talks[i]->who == who &&
                same_text(&world->talks[i]->asked[k].id, &id))
                world->talks[i]->asked[k].may_be_silent = true;
    vl_buf_done(&id);
}

static inline void
note_message(struct world *world, struct talk *talk, const struct json_t *value)
{
    struct vl_rpc_message message;
    if (vl_rpc_read(value, &message, NULL) != VALET_OK) {
        talk->broken++;
        return;
    }
    talk->is_modern = !talk->is_batch && is_modern(&message);
    if (message.kind == VL_RPC_REQUEST && talk->asked_count < ASKED_MAX) {
        struct asked *asked = &talk->asked[talk->asked_count++];
        *asked = asked_of(&message);
        /* Only one that stands alone is of an era. */
        asked->is_modern = talk->is_modern && talk->kind == TALK_POST;
    } else if (vl_str_eqz(message.method, "notifications/cancelled")) {
        note_cancel(world, talk->who,
                    vl_json_get(vl_rpc_params(&message), "requestId"));
    }
    talk->is_note = !talk->is_batch && message.kind != VL_RPC_REQUEST;
}

static inline void
note_body(struct world *world, struct talk *talk, struct vl_str body)
{
    vl_auto(vl_json) json = {NULL};
    talk->asked = vl_alloc(ASKED_MAX * sizeof *talk->asked);
    talk->body = vl_buf_of(VL_LIMIT_MCP_BODY);
    if (vl_json_parse(body, VL_LIMIT_JSON_DEPTH, &json, NULL) != VALET_OK)
        return;
    vl_buf_add(&talk->body, body);
    talk->is_json = true;
    talk->is_batch = vl_json_kind(json.root) == VL_JSON_ARRAY;
    if (!talk->is_batch)
        note_message(world, talk, json.root);
    for (size_t i = 0; talk->is_batch && i < vl_json_size(json.root); i++)
        note_message(world, talk, vl_json_at(json.root, i));
}

/* --- what came back --- */

static inline void
remember(char *ret, size_t size, struct vl_str text)
{
    if (text.n && text.n < size)
        (void)snprintf(ret, size, VL_STR_FMT, VL_STR_ARG(text));
}

static inline void
remember_session(struct world *world, struct talk *talk, struct vl_str id)
{
    size_t at = world->session_count++ % VL_COUNT(world->sessions);
    remember(world->sessions[at], VL_MCP_SESSION_ID_SIZE, id);
    remember(talk->session, sizeof talk->session, id);
}

/* Which request is this the answer to? */
static inline struct asked *
find_asked(struct talk *talk, const struct told *told)
{
    for (size_t i = 0; i < talk->asked_count; i++)
        if (!talk->asked[i].answers && same_text(&talk->asked[i].id, &told->id))
            return &talk->asked[i];
    return NULL;
}

/* On the stream of HTTP+SSE, or one that goes on elsewhere. */
static inline struct asked *
find_asked_elsewhere(struct world *world, const struct talk *talk,
                     const struct told *told)
{
    for (size_t i = 0; i < world->count; i++) {
        struct talk *other = world->talks[i];
        bool fits = talk->kind == TALK_SSE
                        ? other->stream == talk
                        : other->who == talk->who && other->kind == TALK_POST;
        bool is_open = fits && other->answer.status < 400;
        struct asked *asked = is_open ? find_asked(other, told) : NULL;
        if (asked)
            return asked;
    }
    return NULL;
}

static inline void
take_response(struct world *world, struct talk *talk, const struct told *told)
{
    const struct json_t *result = told->message.result;
    remember(world->state, sizeof world->state,
             vl_json_get_str(result, "requestState"));
    remember(world->task, sizeof world->task,
             vl_json_get_str(result, "taskId"));
    talk->responses++;
    if (talk->answer.streaming && (talk->kind == TALK_SSE || talk->resumes)) {
        struct asked *asked = find_asked_elsewhere(world, talk, told);
        /* What is sent again was answered already. */
        VL_ASSERT(asked || talk->resumes);
        if (asked)
            check_answer(told, asked);
        return;
    }
    VL_ASSERT(talk->kind != TALK_GET || talk->answer.status != 200); /* HT-22 */
    struct asked *asked = find_asked(talk, told);
    if (asked) {
        check_answer(told, asked);
        return;
    }
    /* Then it says that something was no request, or no good as a whole: before
     * the body was read, or because there is no session any more. */
    bool was_read = talk->kind == TALK_POST && talk->answer.status != 406 &&
                    talk->answer.status != 415;
    VL_ASSERT(!talk->asked_count || talk->is_batch || !was_read ||
              told->code == -32001);
    VL_ASSERT(told->message.error);
    /* @spec HT-05: without an id, never with null. */
    VL_ASSERT(!talk->says_modern || told->message.id.value ||
              told->is_nameless);
    check_code(told->code, was_read ? talk->is_modern : talk->says_modern);
    VL_ASSERT(talk->answer.status >= 400 || talk->broken);
}

static inline bool
belongs_somewhere(struct world *world, const struct talk *talk,
                  const struct told *told)
{
    bool shared = talk->kind == TALK_SSE || talk->resumes;
    for (size_t i = 0; i < world->count; i++) {
        const struct talk *other = world->talks[i];
        bool fits = other == talk || (talk->kind == TALK_SSE
                                          ? other->stream == talk
                                          : shared && other->who == talk->who);
        for (size_t k = 0; fits && k < other->asked_count; k++)
            if (belongs_to(told, &other->asked[k]))
                return true;
    }
    /* Of sessions, on the stream that is for it. */
    return (talk->kind == TALK_SSE || talk->kind == TALK_GET) &&
           is_of_session(told);
}

static inline void
take_told(struct world *world, struct talk *talk, const struct json_t *value)
{
    struct told told = told_of(value);
    if (told.kind == VL_RPC_RESPONSE) {
        take_response(world, talk, &told);
    } else {
        VL_ASSERT(belongs_somewhere(world, talk, &told));
        if (told.kind == VL_RPC_REQUEST) {
            check_question(&told);
            remember(world->question, sizeof world->question,
                     vl_json_str(told.message.id.value));
        }
    }
    vl_buf_done(&told.id);
}

static inline void
take_text(struct world *world, struct talk *talk, struct vl_str text)
{
    vl_auto(vl_json) json = {NULL};
    VL_ASSERT(vl_json_parse(text, 120, &json, NULL) == VALET_OK);
    if (vl_json_kind(json.root) != VL_JSON_ARRAY) {
        take_told(world, talk, json.root);
        return;
    }
    VL_ASSERT(talk->is_batch || talk->resumes);
    VL_ASSERT(vl_json_size(json.root));
    for (size_t i = 0; i < vl_json_size(json.root); i++)
        take_told(world, talk, vl_json_at(json.root, i));
}

/* One event, without the empty line after it. */
static inline void
take_event(struct world *world, struct talk *talk, struct vl_str event)
{
    struct vl_str line, data = {NULL, 0}, name = {NULL, 0}, id = {NULL, 0};
    static const char home[] = "/message?sessionId=";
    while (vl_str_split(&event, '\n', &line)) {
        if (vl_str_starts(line, VL_STR("data: ")))
            data = vl_str_from(line, 6);
        else if (vl_str_starts(line, VL_STR("event: ")))
            name = vl_str_from(line, 7);
        else if (vl_str_starts(line, VL_STR("id: ")))
            id = vl_str_from(line, 4);
        else
            VL_ASSERT(vl_str_starts(line, VL_STR(":")) ||
                      vl_str_starts(line, VL_STR("retry: ")));
    }
    VL_ASSERT(!id.n || !talk->is_modern); /* HT-63 */
    remember(world->event, sizeof world->event, id);
    if (vl_str_eqz(name, "endpoint")) {
        VL_ASSERT(talk->kind == TALK_SSE &&
                  vl_str_starts(data, vl_str_z(home)));
        remember_session(world, talk, vl_str_from(data, sizeof home - 1));
    } else if (data.n) {
        take_text(world, talk, data);
    }
}

static inline void
take_events(struct world *world, struct talk *talk)
{
    struct vl_str rest =
        vl_str_from(vl_buf_str(&talk->answer.body), talk->seen);
    const char *end;
    while (rest.n && (end = memmem(rest.p, rest.n, "\n\n", 2))) {
        size_t n = (size_t)(end - rest.p);
        take_event(world, talk, vl_str_head(rest, n));
        talk->seen += n + 2;
        rest = vl_str_from(rest, n + 2);
    }
    VL_ASSERT(rest.n == 0);
}

static inline void
check_marks(const struct world *world, const struct talk *talk)
{
    struct vl_str body = vl_buf_str(&talk->answer.body);
    const char *foreign = world->bench.marks[!talk->who];
    VL_ASSERT(!body.n || !memmem(body.p, body.n, foreign, strlen(foreign)));
}

/* --- its end --- */

/* The status that HTTP has for an answer that is JSON. */
static inline void
check_status(const struct talk *talk, int64_t code)
{
    int status = talk->answer.status;
    bool bad = status == 400 || status == 404 || status == 405 ||
               status == 406 || status == 415;
    switch (code) {
    case 0:
        VL_ASSERT(status == 200);
        return;
    case -32020:
    case -32021:
    case -32022:
    case -32700:
        VL_ASSERT(status == 400);
        return;
    case -32601:
        VL_ASSERT(status == (talk->is_modern ? 404 : 200));
        return;
    case -32602:
        VL_ASSERT(status == 200 || status == 400);
        return;
    case -32001:
        VL_ASSERT(status == 404);
        return;
    case -32603:
        VL_ASSERT(status == 200 || status == 429 || status == 503);
        return;
    case -32000:
        VL_ASSERT(bad || status == 200 || status == 503);
        return;
    default:
        VL_ASSERT(bad || status == 200);
    }
}

static inline void
settle_json(struct world *world, struct talk *talk, struct vl_str body)
{
    vl_auto(vl_json) json = {NULL};
    int64_t code = 0;
    take_text(world, talk, body);
    VL_ASSERT(vl_json_parse(body, 120, &json, NULL) == VALET_OK);
    (void)vl_json_get_int(vl_json_get(json.root, "error"), "code", &code);
    if (vl_json_kind(json.root) == VL_JSON_OBJECT)
        check_status(talk, code);
    if (talk->is_made && talk->asked_count == 1 && talk->asked[0].is_modern)
        check_verdict(&talk->asked[0], code);
}

/* One answer to each request, or a reason for there being none. */
static inline void
check_count(const struct world *world, const struct talk *talk)
{
    bool silenced = world->silencers != talk->silencers;
    if (talk->answer.status >= 400) {
        bool is_refused =
            talk->answer.status == 401 || talk->answer.status == 403;
        VL_ASSERT(is_refused || talk->responses == 1);
        return;
    }
    for (size_t i = 0; i < talk->asked_count; i++)
        VL_ASSERT(talk->asked[i].answers == 1 || talk->asked[i].may_be_silent ||
                  silenced);
    if (talk->is_note)
        VL_ASSERT(talk->responses == 0 && talk->answer.status == 202);
    VL_ASSERT(talk->is_json);
}

static inline void
settle(struct world *world, struct talk *talk)
{
    struct vl_str body =
        vl_str_from(vl_buf_str(&talk->answer.body), talk->seen);
    const char *session = fake_header(&talk->answer, "Mcp-Session-Id");
    talk->is_settled = true;
    if (session) {
        VL_ASSERT(!talk->is_modern);
        remember_session(world, talk, vl_str_z(session));
    }
    if (!talk->answer.streaming && body.n && talk->answer.status != 202)
        settle_json(world, talk, body);
    if (talk->answer.status == 202 && talk->kind == TALK_POST)
        VL_ASSERT(body.n == 0);
    if (talk->kind == TALK_POST && !talk->hung_up)
        check_count(world, talk);
}

/* After every step. */
static inline void
look_at_all(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct talk *talk = world->talks[i];
        if (talk->is_settled)
            continue;
        check_marks(world, talk);
        if (talk->answer.streaming && !talk->hung_up)
            take_events(world, talk);
        if (talk->answer.finished)
            settle(world, talk);
    }
}

/* --- its beginning --- */

static inline struct talk *
talk_new(struct world *world, unsigned who)
{
    if (world->count == TALKS_MAX)
        return NULL;
    struct talk *talk = vl_alloc(sizeof *talk);
    world->talks[world->count++] = talk;
    talk->who = who;
    talk->silencers = world->silencers;
    return talk;
}

static inline void
talk_free(struct talk *talk)
{
    for (size_t i = 0; i < talk->asked_count; i++)
        asked_done(&talk->asked[i]);
    free(talk->asked);
    vl_buf_done(&talk->body);
    fake_answer_done(&talk->answer);
    free(talk);
}

/* The bytes of a request, strictly read, as an exchange that owns them; NULL
 * when they are no whole request. */
static inline struct vl_exchange *
exchange_of(struct fake_answer *answer, struct vl_str bytes)
{
    struct vl_parser parser;
    struct vl_body body;
    struct vl_str data, rest;
    size_t used;
    vl_parser_init(&parser, VL_PARSE_REQUEST);
    if (vl_parser_read(&parser, bytes) != VL_PARSE_DONE)
        return NULL;
    struct vl_buf content = vl_buf_of(VL_LIMIT_MCP_BODY);
    vl_body_init(&body, &parser);
    rest = vl_str_from(bytes, parser.head_size);
    enum vl_parse state = VL_PARSE_MORE;
    while (state == VL_PARSE_MORE) {
        state = vl_body_read(&body, rest, &data, &used);
        vl_buf_add(&content, data);
        rest = vl_str_from(rest, used);
        if (state == VL_PARSE_MORE && !rest.n)
            state = VL_PARSE_FAILED;
    }
    if (state == VL_PARSE_FAILED || content.failed) {
        vl_buf_done(&content);
        return NULL;
    }
    struct vl_exchange *x = fake_exchange(answer, "", NULL, bytes);
    const char *head = vl_buf_str(&x->body).p;
    x->request.method = vl_parser_method(&parser, head);
    x->request.target = vl_parser_target(&parser, head);
    size_t at = vl_str_index(x->request.target, '?');
    x->request.path = vl_str_head(x->request.target, at);
    if (at < x->request.target.n)
        x->request.query = vl_str_from(x->request.target, at + 1);
    x->request.host = vl_parser_host(&parser, head);
    vl_parser_headers(&parser, head, &x->request.headers);
    x->request.body = vl_arena_dup(&x->arena, vl_buf_str(&content));
    vl_buf_done(&content);
    return x;
}

#endif
