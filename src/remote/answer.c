/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/answer.h"

#include "core/limits.h"
#include "core/status.h"
#include "http/message.h"
#include "json/read.h"
#include "json/scan.h"
#include "json/write.h"

/* An envelope has four; another one is read in full. */
#define MEMBERS_MAX 8
/* It goes into a header; the servers we know use 20 to 80 bytes. */
#define EVENT_ID_MAX 1024

struct vl_answer {
    struct vl_answer_sink sink;
    enum vl_answer_kind kind;
    struct vl_event_reader reader;
    struct vl_buf body;
    bool busy; /* bytes are being taken */
    bool dead; /* freed meanwhile */
    valet_status broken;
    valet_error err;
};

/* --- one message --- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct vl_str
trim(struct vl_str text)
{
    while (text.n && is_space(text.p[0]))
        text = vl_str_from(text, 1);
    while (text.n && is_space(text.p[text.n - 1]))
        text.n--;
    return text;
}

static bool
is_scanned(struct vl_str text)
{
    struct vl_json_member members[MEMBERS_MAX];
    size_t count;
    return vl_json_scan(text, VL_LIMIT_JSON_DEPTH, members, MEMBERS_MAX,
                        &count);
}

/* @spec HT-05: whoever reads it after us reads the same: it was looked at as a
 * whole, and no key is there twice. */
valet_status
vl_message_line(struct vl_str text, struct vl_buf *scratch, struct vl_str *ret,
                valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    valet_error why = {0};
    text = trim(text);
    bool has_lines = vl_str_has(text, '\n') || vl_str_has(text, '\r');
    if (!has_lines && is_scanned(text)) {
        *ret = text;
        return VALET_OK;
    }
    if (vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, &why) != VALET_OK)
        return vl_fail(err, VALET_INTERNAL, "",
                       "the server's message is no JSON: %s", why.message);
    enum vl_json_kind kind = vl_json_kind(doc.root);
    if (kind != VL_JSON_OBJECT && kind != VL_JSON_ARRAY)
        return vl_fail(err, VALET_INTERNAL, "",
                       "the server's message is no JSON object");
    if (has_lines) {
        struct vl_json_out out = {scratch, false};
        vl_buf_clear(scratch);
        vl_json_add_value(&out, NULL, doc.root);
        VL_TRY(vl_buf_check(scratch, err));
        text = vl_buf_str(scratch);
    }
    *ret = text;
    return VALET_OK;
}

static valet_status
give(struct vl_answer *answer, struct vl_str text, valet_error *err)
{
    vl_auto(vl_buf) scratch = vl_buf_of(VL_REMOTE_MESSAGE_MAX);
    struct vl_str line;
    VL_TRY(vl_message_line(text, &scratch, &line, err));
    answer->sink.message(line, answer->sink.ctx);
    return VALET_OK;
}

/* --- an event stream --- */

/* An event of another name is nothing of ours; one without data begins a
 * stream that can be resumed (@spec HT-27). */
static bool
is_message(const struct vl_event *event)
{
    return vl_str_eq(event->name, VL_STR("message")) && trim(event->data).n;
}

static bool
on_event(const struct vl_event *event, void *ctx)
{
    struct vl_answer *answer = ctx;
    valet_error why = {0};
    valet_status status = VALET_OK;
    if (answer->sink.event)
        answer->sink.event(event, answer->sink.ctx);
    if (!answer->dead && is_message(event))
        status = give(answer, event->data, &why);
    if (status != VALET_OK && !answer->sink.is_lenient) {
        answer->broken = status;
        answer->err = why;
    }
    return !answer->dead && answer->broken == VALET_OK;
}

static valet_status
take_events(struct vl_answer *answer, struct vl_str bytes, valet_error *err)
{
    valet_error why = {0};
    valet_status status =
        vl_event_reader_take(&answer->reader, bytes, on_event, answer, &why);
    if (answer->broken != VALET_OK) {
        status = answer->broken;
        why = answer->err;
    }
    if (status == VALET_OK)
        return VALET_OK;
    return vl_fail(err, status == VALET_LIMIT ? status : VALET_INTERNAL, "",
                   "%s", why.message);
}

/* --- its life --- */

struct vl_answer *
vl_answer_new(const struct vl_answer_sink *sink)
{
    struct vl_answer *answer = vl_alloc(sizeof *answer);
    *answer = (struct vl_answer){.sink = *sink,
                                 .body = vl_buf_of(VL_REMOTE_MESSAGE_MAX)};
    vl_event_reader_init(&answer->reader, VL_REMOTE_MESSAGE_MAX);
    return answer;
}

static void
release(struct vl_answer *answer)
{
    vl_event_reader_done(&answer->reader);
    vl_buf_done(&answer->body);
    free(answer);
}

void
vl_answer_free(struct vl_answer *answer)
{
    if (!answer)
        return;
    answer->dead = true;
    if (!answer->busy)
        release(answer);
}

/* The end of what its owner asked for; it may be gone by now. */
static valet_status
leave(struct vl_answer *answer, valet_status status)
{
    answer->busy = false;
    if (!answer->dead)
        return status;
    release(answer);
    return VALET_CANCELLED;
}

enum vl_answer_kind
vl_answer_kind_of(int status, struct vl_str content_type)
{
    if (status == 202 || status == 204)
        return VL_ANSWER_NOTHING;
    if (vl_media_type_is(content_type, "text/event-stream"))
        return VL_ANSWER_EVENTS;
    if (vl_media_type_is(content_type, "application/json"))
        return VL_ANSWER_JSON;
    return VL_ANSWER_OTHER;
}

void
vl_answer_begin(struct vl_answer *answer, enum vl_answer_kind kind)
{
    answer->kind = kind;
    answer->broken = VALET_OK;
    vl_buf_clear(&answer->body);
    vl_event_reader_restart(&answer->reader);
}

static valet_status
take(struct vl_answer *answer, struct vl_str bytes, valet_error *err)
{
    switch (answer->kind) {
    case VL_ANSWER_EVENTS:
        return take_events(answer, bytes, err);
    case VL_ANSWER_JSON:
        vl_buf_add(&answer->body, bytes);
        if (vl_buf_check(&answer->body, NULL) != VALET_OK)
            return vl_fail(err, VALET_LIMIT, "",
                           "the server's answer is too long");
        return VALET_OK;
    case VL_ANSWER_OTHER:
        return bytes.n == 0 ? VALET_OK
                            : vl_fail(err, VALET_INTERNAL, "",
                                      "the server's answer is neither JSON nor "
                                      "an event stream");
    case VL_ANSWER_NOTHING:
    case VL_ANSWER_KIND_COUNT:
    default:
        return VALET_OK;
    }
}

valet_status
vl_answer_take(struct vl_answer *answer, struct vl_str bytes, valet_error *err)
{
    answer->busy = true;
    return leave(answer, take(answer, bytes, err));
}

/* Half an event at the end is nothing: so says the grammar. An empty body is
 * how some servers accept a notification. */
valet_status
vl_answer_end(struct vl_answer *answer, valet_error *err)
{
    valet_status status = VALET_OK;
    answer->busy = true;
    if (answer->kind == VL_ANSWER_JSON && vl_buf_size(&answer->body))
        status = give(answer, vl_buf_str(&answer->body), err);
    return leave(answer, status);
}

/* --- resuming --- */

struct vl_str
vl_answer_last_id(const struct vl_answer *answer)
{
    struct vl_str id = vl_buf_str(&answer->reader.id);
    /* What a header would change or cut short would name another event. */
    bool can_be_sent = id.n <= EVENT_ID_MAX && vl_str_trim(id).n == id.n;
    for (size_t i = 0; i < id.n && can_be_sent; i++)
        can_be_sent = id.p[i] >= ' ' && id.p[i] <= '~';
    return can_be_sent ? id : VL_STR("");
}

int64_t
vl_answer_retry_ms(const struct vl_answer *answer)
{
    return answer->reader.retry_ms;
}

void
vl_answer_forget(struct vl_answer *answer)
{
    vl_event_reader_done(&answer->reader);
    vl_event_reader_init(&answer->reader, VL_REMOTE_MESSAGE_MAX);
}
