/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a server, which carries one call at a time.
 */
#include "core/status.h"
#include "core/sys.h"
#include "http/client_private.h"

/* What a stream gives at once (io/handle.h). */
#define READ_MOST 65536
/* Nobody asks more than a few hosts. */
#define IDLE_MOST 16
/* Servers in Node close what was idle for 5 s, without saying so. */
#define IDLE_USUAL_MS 4000
/* Of what a server says it keeps (Keep-Alive: timeout=N). */
#define IDLE_MOST_MS 60000

void
vl_link_close(struct vl_link *link)
{
    struct vl_http_client *client = link->client;
    if (link->gone)
        *link->gone = true;
    if (link->call)
        link->call->link = NULL;
    client->idle_count -= link->is_idle;
    vl_list_remove(&link->node);
    vl_stream_close(link->stream);
    vl_timer_free(link->later);
    vl_buf_done(&link->head);
    vl_buf_done(&link->unread);
    free(link);
}

/* --- between calls --- */

static bool
leads_to(const struct vl_link *link, const struct vl_http_place *place)
{
    return link->place.port == place->port &&
           link->place.is_secure == place->is_secure &&
           vl_str_ieq(vl_str_z(link->place.host), vl_str_z(place->host));
}

struct vl_link *
vl_link_find(struct vl_http_client *client, const struct vl_http_place *place,
             bool only_public)
{
    /* The server has not slept with us. */
    int64_t now = vl_awake_or_not_now();
    VL_LIST_EACH (node, &client->idle) {
        struct vl_link *link = VL_CONTAINER(node, struct vl_link, node);
        if (link->good_until <= now)
            vl_link_close(link);
        else if (leads_to(link, place) && (link->is_public || !only_public))
            return link;
    }
    return NULL;
}

/* "timeout=5, max=100", as Apache began to say it. */
static int64_t
idle_ms_of(const struct vl_headers *headers)
{
    struct vl_str rest = vl_headers_get(headers, "keep-alive"), item;
    const struct vl_str name = VL_STR("timeout=");
    uint64_t seconds;
    while (vl_str_split(&rest, ',', &item)) {
        item = vl_str_trim(item);
        if (vl_str_starts(item, name) &&
            vl_str_u64(vl_str_from(item, name.n), INT32_MAX, &seconds))
            return seconds < 2 ? 0
                   : seconds * 1000 - 1000 > IDLE_MOST_MS
                       ? IDLE_MOST_MS
                       : (int64_t)seconds * 1000 - 1000;
    }
    return IDLE_USUAL_MS;
}

/* Who had its last piece held, or let go on just then, is not asked any more:
 * the next call reads from its beginning. */
static void
make_idle(struct vl_link *link)
{
    struct vl_http_client *client = link->client;
    link->call = NULL;
    if (link->later)
        vl_timer_stop(link->later);
    vl_stream_resume(link->stream);
    link->is_used = link->is_idle = true;
    vl_buf_done(&link->head);
    client->idle_count++;
    vl_list_add_last(client->idle.next, &link->node); /* before the first */
    if (client->idle_count > IDLE_MOST)
        vl_link_close(VL_CONTAINER(client->idle.prev, struct vl_link, node));
}

/* --- the answer --- */

static void
drop(struct vl_link *link)
{
    link->call = NULL;
    vl_link_close(link);
}

/* `keep`: another call may follow. */
static void
finish(struct vl_link *link, bool keep, valet_status status,
       const valet_error *err)
{
    struct vl_http_call *call = link->call;
    call->link = NULL;
    if (keep)
        make_idle(link);
    else
        drop(link);
    vl_http_call_end(call, status, err);
}

static void
fail(struct vl_link *link, valet_status status, const char *why)
{
    valet_error err;
    (void)vl_fail(&err, status, "", "%s: %s", link->place.host, why);
    finish(link, false, status, &err);
}

/* A server that closes what it has kept does so when it likes: whoever asks
 * just then asks once more, if asking twice does no harm. */
static void
break_off(struct vl_link *link, const char *why)
{
    struct vl_http_call *call = link->call;
    if (!link->is_used || vl_buf_size(&link->head) || link->has_head ||
        !call->is_repeatable) {
        fail(link, VALET_RETRY, why);
        return;
    }
    call->link = NULL;
    drop(link);
    vl_http_call_dial(call);
}

/* Interim answers (RFC 9110 section 15.2) are no answers. False: more has to
 * come, or it is over. `*rest` is what follows the head. */
static bool
take_head(struct vl_link *link, struct vl_str *rest)
{
    vl_buf_add(&link->head, *rest);
    for (;;) {
        enum vl_parse found =
            vl_parser_read(&link->parser, vl_buf_str(&link->head));
        bool is_long =
            found != VL_PARSE_DONE && vl_buf_size(&link->head) > VL_LIMIT_HEAD;
        if (found == VL_PARSE_MORE && !is_long)
            return false;
        if (found != VL_PARSE_DONE || link->parser.status == 101) {
            fail(link, is_long ? VALET_LIMIT : VALET_INVALID,
                 is_long ? "its answer is too long" : "its answer is no HTTP");
            return false;
        }
        if (link->parser.status >= 200)
            break;
        vl_buf_consume(&link->head, link->parser.head_size);
        vl_parser_init(&link->parser, link->call->kind);
    }
    link->has_head = true;
    vl_body_init(&link->body, &link->parser);
    *rest = vl_str_from(vl_buf_str(&link->head), link->parser.head_size);
    return true;
}

static void
tell_head(struct vl_link *link)
{
    struct vl_headers headers;
    vl_parser_headers(&link->parser, vl_buf_str(&link->head).p, &headers);
    link->good_until = vl_awake_or_not_now() + idle_ms_of(&headers);
    vl_http_call_has_head(link->call);
    link->call->hooks->head(link->parser.status, &headers, link->call->ctx);
}

/* What was read with the head, or before its reader had enough. */
static void
keep_unread(struct vl_link *link, struct vl_str rest)
{
    vl_auto(vl_buf) bytes = vl_buf_of_secret(VL_LIMIT_HEAD + READ_MOST);
    vl_buf_add(&bytes, rest);
    vl_buf_done(&link->unread); /* `rest` may be in it */
    link->unread = vl_buf_take(&bytes);
    vl_stream_pause(link->stream);
}

/* The body, piece by piece; hooks may end all of it at any time. */
static void
take_body(struct vl_link *link, struct vl_str rest, const bool *gone)
{
    for (;;) {
        if (link->call->is_held) {
            keep_unread(link, rest);
            return;
        }
        struct vl_str data;
        size_t used;
        enum vl_parse found = vl_body_read(&link->body, rest, &data, &used);
        rest = vl_str_from(rest, used);
        if (found == VL_PARSE_FAILED) {
            fail(link, VALET_INVALID, "its answer is no HTTP");
            return;
        }
        if (data.n)
            link->call->hooks->piece(data, link->call->ctx);
        if (*gone)
            return;
        if (found == VL_PARSE_DONE) {
            /* What follows was not asked for. */
            finish(link, link->parser.keep && rest.n == 0, VALET_OK, NULL);
            return;
        }
        if (rest.n == 0)
            return;
    }
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct vl_link *link = ctx;
    bool gone = false;
    if (!link->call) {
        vl_link_close(link); /* nobody asked */
        return;
    }
    link->gone = &gone;
    if (link->has_head) {
        take_body(link, bytes, &gone);
    } else if (take_head(link, &bytes)) {
        tell_head(link);
        if (!gone)
            take_body(link, bytes, &gone);
    }
    if (gone)
        return;
    link->gone = NULL;
    if (link->has_head)
        vl_buf_done(&link->head); /* an event stream may last for days */
}

static void
on_later(void *ctx)
{
    struct vl_link *link = ctx;
    bool gone = false;
    vl_auto(vl_buf) bytes = vl_buf_take(&link->unread);
    link->gone = &gone;
    take_body(link, vl_buf_str(&bytes), &gone);
    if (gone)
        return;
    link->gone = NULL;
    if (!link->call || !link->call->is_held)
        vl_stream_resume(link->stream);
}

static void
on_end(valet_status status, void *ctx)
{
    struct vl_link *link = ctx;
    const char *why = vl_stream_distrust(link->stream);
    char text[160];
    if (!link->call) {
        vl_link_close(link);
    } else if (why) {
        (void)snprintf(text, sizeof text, "its certificate is not trusted (%s)",
                       why);
        fail(link, VALET_RETRY, text);
    } else if (link->has_head && status == VALET_OK &&
               vl_body_end(&link->body) == VL_PARSE_DONE) {
        finish(link, false, VALET_OK, NULL);
    } else if (status == VALET_INVALID) {
        fail(link, VALET_RETRY, "it does not speak TLS as it should");
    } else {
        break_off(link, "the connection broke off");
    }
}

static const struct vl_stream_events events = {.on_read = on_read,
                                               .on_end = on_end};

/* --- a call --- */

struct vl_link *
vl_link_new(struct vl_http_client *client, const struct vl_http_place *place,
            struct vl_stream *stream, bool is_public)
{
    struct vl_link *link = vl_alloc(sizeof *link);
    memset(link, 0, sizeof *link);
    vl_list_init(&link->node);
    link->client = client;
    link->place = *place;
    link->stream = stream;
    link->is_public = is_public;
    return link;
}

void
vl_link_begin(struct vl_link *link, struct vl_http_call *call)
{
    vl_list_remove(&link->node);
    link->client->idle_count -= link->is_idle;
    link->is_idle = false;
    link->call = call;
    link->head = vl_buf_of_secret(VL_LIMIT_HEAD + READ_MOST);
    link->has_head = false;
    vl_parser_init(&link->parser, call->kind);
    if (!link->is_used)
        vl_stream_attach(link->stream, &events, link);
    vl_stream_write(link->stream, vl_buf_str(&call->request));
    if (!call->is_repeatable)
        vl_buf_done(&call->request);
}

/* Its head comes in any case. */
void
vl_link_hold(struct vl_link *link, bool is_held)
{
    if (!link->has_head)
        return;
    if (is_held)
        vl_stream_pause(link->stream);
    if (!link->later)
        link->later = vl_timer_new(link->client->loop, on_later, link);
    if (is_held)
        vl_timer_stop(link->later);
    else
        vl_timer_start(link->later, 0);
}
