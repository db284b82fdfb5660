/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/fold.h"

static bool
names_somebody(const struct vl_audit_event *event)
{
    return event->client || event->user || (event->session && *event->session);
}

static bool
same_text(const char kept[VL_FOLD_TEXT], const char *text)
{
    return strncmp(kept, text, VL_FOLD_TEXT - 1) == 0;
}

static struct vl_fold_row *
get_row(struct vl_fold *fold, const struct vl_audit_event *event)
{
    const char *reason = event->reason ? event->reason : "";
    for (size_t i = 0; i < fold->count; i++) {
        struct vl_fold_row *row = &fold->rows[i];
        if (row->kind == event->kind && same_text(row->peer, event->peer) &&
            same_text(row->reason, reason))
            return row;
    }
    if (fold->count == VL_FOLD_ROWS) {
        fold->crowd[event->kind].kind = event->kind;
        return &fold->crowd[event->kind];
    }
    struct vl_fold_row *row = &fold->rows[fold->count++];
    *row = (struct vl_fold_row){.kind = event->kind};
    (void)snprintf(row->peer, sizeof row->peer, "%s", event->peer);
    (void)snprintf(row->reason, sizeof row->reason, "%s", reason);
    return row;
}

bool
vl_fold_take(struct vl_fold *fold, const struct vl_audit_event *event,
             int64_t now)
{
    if (!event->refused || !event->peer || names_somebody(event) ||
        event->kind >= VL_AUDIT_KIND_COUNT)
        return false;
    if (!fold->open)
        fold->since = now;
    fold->open = true;
    struct vl_fold_row *row = get_row(fold, event);
    if (row->lines < VL_FOLD_LINES) {
        row->lines++;
        return false;
    }
    row->repeated++;
    return true;
}

bool
vl_fold_is_over(const struct vl_fold *fold, int64_t now)
{
    /* Clocks are also set back. */
    return fold->open &&
           (now < fold->since || now - fold->since >= VL_FOLD_WINDOW_MS);
}

static void
tell_row(const struct vl_fold_row *row,
         void (*tell)(const struct vl_audit_event *event, uint64_t repeated,
                      void *ctx),
         void *ctx)
{
    if (row->repeated)
        tell(&(struct vl_audit_event){.kind = row->kind,
                                      .refused = true,
                                      .reason = row->reason,
                                      .peer = row->peer},
             row->repeated, ctx);
}

void
vl_fold_settle(struct vl_fold *fold,
               void (*tell)(const struct vl_audit_event *event,
                            uint64_t repeated, void *ctx),
               void *ctx)
{
    for (size_t i = 0; i < fold->count; i++)
        tell_row(&fold->rows[i], tell, ctx);
    for (size_t i = 0; i < VL_AUDIT_KIND_COUNT; i++)
        tell_row(&fold->crowd[i], tell, ctx);
    fold->open = false;
    fold->count = 0;
    memset(fold->crowd, 0, sizeof fold->crowd);
}
