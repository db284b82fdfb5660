/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/history.h"

#include <stdlib.h>

#include "core/base.h"
#include "core/limits.h"

struct event {
    struct vl_list in_history, in_archive;
    struct vl_mcp_history *history;
    struct vl_mcp_archive *archive;
    struct vl_mcp_event_id id;
    int64_t kept_ms;
    size_t n;
    char json[];
};

/* Short ones cost more than their text. */
static size_t
cost_of(size_t n)
{
    return sizeof(struct event) + n;
}

static bool
parse_number(struct vl_str text, uint64_t *ret)
{
    return vl_str_u64(text, UINT32_MAX, ret) &&
           (text.n == 1 || text.p[0] != '0');
}

/* STREAM "-" NUMBER, both without leading zeros */
bool
vl_mcp_event_id_parse(struct vl_str text, struct vl_mcp_event_id *ret)
{
    struct vl_str stream = vl_str_head(text, vl_str_index(text, '-'));
    struct vl_str number = vl_str_from(text, stream.n + 1);
    uint64_t a, b;
    if (stream.n == text.n || !parse_number(stream, &a) ||
        !parse_number(number, &b))
        return false;
    *ret = (struct vl_mcp_event_id){(unsigned)a, (unsigned)b};
    return true;
}

void
vl_mcp_event_id_write(struct vl_mcp_event_id id, char ret[VL_MCP_EVENT_ID_SIZE])
{
    (void)snprintf(ret, VL_MCP_EVENT_ID_SIZE, "%u-%u", id.stream, id.number);
}

void
vl_mcp_history_init(struct vl_mcp_history *history)
{
    *history = (struct vl_mcp_history){.size = 0};
    vl_list_init(&history->events);
}

void
vl_mcp_archive_init(struct vl_mcp_archive *archive)
{
    archive->size = 0;
    vl_list_init(&archive->events);
}

static void
drop(struct event *event)
{
    vl_list_remove(&event->in_history);
    vl_list_remove(&event->in_archive);
    event->history->size -= cost_of(event->n);
    event->archive->size -= cost_of(event->n);
    /* Answers carry people's data. */
    explicit_bzero(event->json, event->n);
    free(event);
}

void
vl_mcp_history_done(struct vl_mcp_history *history)
{
    VL_LIST_EACH (node, &history->events)
        drop(VL_CONTAINER(node, struct event, in_history));
}

static void
make_room(struct vl_mcp_history *history, struct vl_mcp_archive *archive,
          size_t cost)
{
    while (history->size + cost > VL_LIMIT_MCP_HISTORY)
        drop(VL_CONTAINER(history->events.next, struct event, in_history));
    while (archive->size + cost > VL_LIMIT_MCP_ARCHIVE)
        drop(VL_CONTAINER(archive->events.next, struct event, in_archive));
}

void
vl_mcp_history_keep(struct vl_mcp_history *history,
                    struct vl_mcp_archive *archive, struct vl_mcp_event_id id,
                    struct vl_str json, int64_t now)
{
    if (cost_of(json.n) > VL_LIMIT_MCP_HISTORY)
        return;
    make_room(history, archive, cost_of(json.n));
    struct event *event = vl_alloc(sizeof *event + json.n);
    event->history = history;
    event->archive = archive;
    event->id = id;
    event->kept_ms = now;
    event->n = json.n;
    memcpy(event->json, json.p, json.n);
    vl_list_init(&event->in_history);
    vl_list_init(&event->in_archive);
    vl_list_add_last(&history->events, &event->in_history);
    vl_list_add_last(&archive->events, &event->in_archive);
    history->size += cost_of(event->n);
    archive->size += cost_of(event->n);
}

void
vl_mcp_history_replay(const struct vl_mcp_history *history,
                      struct vl_mcp_event_id last,
                      void (*send)(struct vl_mcp_event_id id,
                                   struct vl_str json, void *ctx),
                      void *ctx)
{
    VL_LIST_EACH (node, &history->events) {
        const struct event *event =
            VL_CONTAINER(node, struct event, in_history);
        if (event->id.stream == last.stream && event->id.number > last.number)
            send(event->id, vl_str_of(event->json, event->n), ctx);
    }
}

void
vl_mcp_archive_sweep(struct vl_mcp_archive *archive, int64_t before)
{
    while (!vl_list_is_empty(&archive->events)) {
        struct event *oldest =
            VL_CONTAINER(archive->events.next, struct event, in_archive);
        if (oldest->kept_ms > before)
            return;
        drop(oldest);
    }
}
