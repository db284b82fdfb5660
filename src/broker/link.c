/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/link.h"

#include "core/status.h"

/* What the connection waits for may be another thing after every turn. */
static void
arm(struct vl_broker_link *link)
{
    int events = link->module->events(link->bus);
    int64_t ms = link->module->timeout_ms(link->bus);
    vl_watch_set(link->watch,
                 (events & VL_BROKER_READ ? VL_WATCH_READ : 0) |
                     (events & VL_BROKER_WRITE ? VL_WATCH_WRITE : 0));
    if (link->is_woken)
        return;
    if (ms >= 0)
        vl_timer_start(link->timer, ms);
    else
        vl_timer_stop(link->timer);
}

static void
turn(struct vl_broker_link *link)
{
    link->is_woken = false;
    bool over = link->bus && !link->module->process(link->bus);
    if (link->bus && !over)
        arm(link);
    link->after(over, link->ctx);
}

static void
on_events(int events, void *ctx)
{
    (void)events;
    turn(ctx);
}

static void
on_time(void *ctx)
{
    turn(ctx);
}

void
vl_broker_link_init(struct vl_broker_link *link)
{
    link->timer = vl_timer_new(link->loop, on_time, link);
}

void
vl_broker_link_done(struct vl_broker_link *link)
{
    vl_broker_link_close(link);
    vl_timer_free(link->timer);
}

static valet_status
load(struct vl_broker_link *link, valet_error *err)
{
    const struct vl_module *module = NULL;
    VL_TRY(vl_module_load(link->modules, &VL_BROKER_MODULE_NAME, &module, err));
    link->module = (const struct vl_broker_module *)module; /* its first */
    return VALET_OK;
}

static valet_status
connect_to_bus(struct vl_broker_link *link, valet_error *err)
{
    VL_TRY(link->module->open(&link->bus, err));
    link->watch =
        vl_watch_new(link->loop, link->module->fd(link->bus), on_events, link);
    if (link->watch)
        return VALET_OK;
    link->module->close(link->bus);
    link->bus = NULL;
    return vl_fail(err, VALET_INTERNAL, "", "cannot watch the session bus");
}

valet_status
vl_broker_link_call(struct vl_broker_link *link, const char *method,
                    const char *correlation_id, const char *request,
                    vl_broker_reply *reply, void *ctx,
                    struct vl_broker_ask **ret, valet_error *err)
{
    if (!link->module)
        VL_TRY(load(link, err));
    if (!link->bus)
        VL_TRY(connect_to_bus(link, err));
    VL_TRY(link->module->call(link->bus, method, correlation_id, request, reply,
                              ctx, ret, err));
    arm(link);
    return VALET_OK;
}

void
vl_broker_link_wake(struct vl_broker_link *link)
{
    link->is_woken = true;
    vl_timer_start(link->timer, 0);
}

void
vl_broker_link_close(struct vl_broker_link *link)
{
    link->is_woken = false;
    vl_timer_stop(link->timer);
    if (!link->bus)
        return;
    vl_watch_free(link->watch);
    link->module->close(link->bus);
    link->watch = NULL;
    link->bus = NULL;
}
