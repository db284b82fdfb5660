/* SPDX-License-Identifier: Apache-2.0
 *
 * broker_dbus.so: the identity broker by sd-bus. Connecting, too, happens
 * within `process`: what is called before waits in sd-bus.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "broker/module.h"

#define NAME      "com.microsoft.identity.broker1"
#define PATH      "/com/microsoft/identity/broker1"
#define INTERFACE "com.microsoft.identity.Broker1"
/* The one that all brokers and their clients speak. */
#define PROTOCOL "0.0"
/* The caller has time-outs of its own. */
#define NO_TIMEOUT UINT64_MAX

struct vl_broker_ask {
    sd_bus_slot *slot;
    vl_broker_reply *reply;
    void *ctx;
};

/* sd-bus has a type of its own behind ours. */
static sd_bus *
of(struct vl_broker_bus *bus)
{
    return (sd_bus *)bus;
}

/* --- errors --- */

static valet_status
fail(valet_error *err, valet_status status, const char *why)
{
    if (err) {
        *err = (valet_error){.status = status};
        (void)snprintf(err->message, sizeof err->message, "%s", why);
    }
    return status;
}

static valet_status
fail_by(valet_error *err, int error, const char *what)
{
    char why[sizeof err->message];
    bool absent = error == -ENOENT || error == -ECONNREFUSED ||
                  error == -ENOMEDIUM || error == -ENOTDIR;
    (void)snprintf(why, sizeof why, "%s: %s", what, strerror(-error));
    return fail(err, absent ? VALET_NOT_FOUND : VALET_RETRY, why);
}

#define ERROR(name) "org.freedesktop.DBus.Error." name
#define ABSENT      VALET_NOT_FOUND, "there is no identity broker on the session bus"
#define BROKEN      VALET_NOT_FOUND, "the identity broker cannot be started"
#define OTHER       VALET_NOT_FOUND, "the identity broker has no such method"
#define ENDED       VALET_RETRY, "the identity broker ended without an answer"
#define REFUSED                                                                \
    VALET_DENIED, "the session bus does not let us talk to the identity "      \
                  "broker"

/* What of D-Bus has a meaning to the caller. */
static const struct {
    const char *name;
    valet_status status;
    const char *why;
} meanings[] = {
    {ERROR("ServiceUnknown"), ABSENT},  {ERROR("NameHasNoOwner"), ABSENT},
    {ERROR("UnknownMethod"), OTHER},    {ERROR("UnknownObject"), OTHER},
    {ERROR("UnknownInterface"), OTHER}, {ERROR("NoReply"), ENDED},
    {ERROR("Disconnected"), ENDED},     {ERROR("Timeout"), ENDED},
    {ERROR("TimedOut"), ENDED},         {ERROR("AccessDenied"), REFUSED},
};

/* The message of a D-Bus error may name people, and is not passed on. */
static valet_status
fail_by_name(valet_error *err, const char *name)
{
    char why[sizeof err->message];
    static const char spawn[] = ERROR("Spawn.");
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(name, meanings[i].name) == 0)
            return fail(err, meanings[i].status, meanings[i].why);
    if (strncmp(name, spawn, sizeof spawn - 1) == 0)
        return fail(err, BROKEN);
    (void)snprintf(why, sizeof why, "the identity broker failed (%s)", name);
    return fail(err, VALET_INTERNAL, why);
}

/* --- the connection --- */

static valet_status
open_bus(struct vl_broker_bus **ret, valet_error *err)
{
    sd_bus *bus = NULL;
    int rc = sd_bus_open_user(&bus);
    if (rc == -ENOMEDIUM) /* nothing says where it would be */
        return fail(err, VALET_NOT_FOUND, "there is no session bus");
    if (rc < 0)
        return fail_by(err, rc, "there is no session bus");
    *ret = (struct vl_broker_bus *)bus;
    return VALET_OK;
}

static void
close_bus(struct vl_broker_bus *bus)
{
    (void)sd_bus_close_unref(of(bus));
}

static int
get_fd(struct vl_broker_bus *bus)
{
    return sd_bus_get_fd(of(bus));
}

static int
get_events(struct vl_broker_bus *bus)
{
    int events = sd_bus_get_events(of(bus));
    if (events < 0)
        return 0;
    return (events & POLLIN ? VL_BROKER_READ : 0) |
           (events & POLLOUT ? VL_BROKER_WRITE : 0);
}

static int64_t
get_timeout_ms(struct vl_broker_bus *bus)
{
    uint64_t end_us = UINT64_MAX;
    struct timespec now;
    if (sd_bus_get_timeout(of(bus), &end_us) < 0 || end_us == UINT64_MAX)
        return -1;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_us =
        (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return end_us <= now_us ? 0 : (int64_t)((end_us - now_us + 999) / 1000);
}

static bool
process(struct vl_broker_bus *bus)
{
    int rc = 1;
    while (rc > 0)
        rc = sd_bus_process(of(bus), NULL);
    return rc == 0;
}

/* --- calls --- */

static int
on_reply(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    struct vl_broker_ask ask = *(struct vl_broker_ask *)userdata;
    const sd_bus_error *error = sd_bus_message_get_error(message);
    const char *text = NULL;
    valet_error err;
    (void)unused;
    free(userdata);
    (void)sd_bus_message_sensitive(message); /* wiped when it is freed */
    if (error)
        ask.reply(fail_by_name(&err, error->name), NULL, &err, ask.ctx);
    else if (sd_bus_message_read(message, "s", &text) < 0)
        ask.reply(fail(&err, VALET_INTERNAL,
                       "the identity broker's answer is no text"),
                  NULL, &err, ask.ctx);
    else
        ask.reply(VALET_OK, text, NULL, ask.ctx);
    (void)sd_bus_slot_unref(ask.slot);
    return 0;
}

static int
make_message(sd_bus *bus, const char *method, const char *correlation_id,
             const char *request, sd_bus_message **ret)
{
    int rc =
        sd_bus_message_new_method_call(bus, ret, NAME, PATH, INTERFACE, method);
    return rc < 0 ? rc
                  : sd_bus_message_append(*ret, "sss", PROTOCOL, correlation_id,
                                          request);
}

static int
send_message(sd_bus *bus, sd_bus_message *message, struct vl_broker_ask *ask)
{
    if (ask)
        return sd_bus_call_async(bus, &ask->slot, message, on_reply, ask,
                                 NO_TIMEOUT);
    int rc = sd_bus_message_set_expect_reply(message, false);
    return rc < 0 ? rc : sd_bus_send(bus, message, NULL);
}

static valet_status
call(struct vl_broker_bus *bus, const char *method, const char *correlation_id,
     const char *request, vl_broker_reply *reply, void *ctx,
     struct vl_broker_ask **ret, valet_error *err)
{
    sd_bus_message *message = NULL;
    struct vl_broker_ask *ask = reply ? calloc(1, sizeof *ask) : NULL;
    if (reply && !ask)
        return fail(err, VALET_LIMIT, "there is no memory left");
    if (ask)
        *ask = (struct vl_broker_ask){.reply = reply, .ctx = ctx};
    int rc = make_message(of(bus), method, correlation_id, request, &message);
    if (rc >= 0)
        rc = send_message(of(bus), message, ask);
    (void)sd_bus_message_unref(message);
    if (rc < 0) {
        free(ask);
        return fail_by(err, rc, "cannot call the identity broker");
    }
    if (ask)
        *ret = ask;
    return VALET_OK;
}

static void
drop(struct vl_broker_ask *ask)
{
    (void)sd_bus_slot_unref(ask->slot);
    free(ask);
}

extern const struct vl_broker_module vl_broker_module;

__attribute__((visibility("default")))
const struct vl_broker_module vl_broker_module = {
    {VL_BROKER_MODULE_ABI}, open_bus, close_bus, get_fd, get_events,
    get_timeout_ms,         process,  call,      drop,
};
