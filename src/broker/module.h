/* SPDX-License-Identifier: Apache-2.0
 *
 * What broker_dbus.so gives to who loads it (core/module.h): calls of the
 * identity broker's methods over the session bus, without ever waiting. The
 * module links nothing of the house, and the house nothing of libsystemd.
 *
 * A bus belongs to one thread. The caller watches its descriptor.
 */
#ifndef VL_BROKER_MODULE_H
#define VL_BROKER_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/module.h"

#define VL_BROKER_MODULE_ABI 1
#define VL_BROKER_MODULE_NAME                                                  \
    ((struct vl_module_name){"the identity broker", "broker_dbus.so",          \
                             "vl_broker_module", VL_BROKER_MODULE_ABI})

struct vl_broker_bus; /* a connection to the session bus */
struct vl_broker_ask; /* a call that is under way */

/*
 * VALET_OK: `text` (UTF-8) is the answer, borrowed for the call. Else it is
 * NULL and `err` says why: VALET_NOT_FOUND: nobody has the broker's name, nor
 * can be started; VALET_RETRY: it, or the bus, ended without an answer;
 * VALET_DENIED: the bus does not let us; VALET_INTERNAL: all other D-Bus
 * errors. Only from within `process`. The ask is gone with it.
 */
typedef void vl_broker_reply(valet_status status, const char *text,
                             const valet_error *err, void *ctx);

enum { VL_BROKER_READ = 1, VL_BROKER_WRITE = 2 };

struct vl_broker_module {
    struct vl_module module;
    /* Begins to connect. VALET_NOT_FOUND: there is no session bus. */
    valet_status (*open)(struct vl_broker_bus **ret, valet_error *err);
    /* What was sent is sent; nobody is called back. */
    void (*close)(struct vl_broker_bus *bus);
    int (*fd)(struct vl_broker_bus *bus);
    int (*events)(struct vl_broker_bus *bus); /* VL_BROKER_READ and _WRITE */
    /* Milliseconds until `process` has to be called in any case; -1: never. */
    int64_t (*timeout_ms)(struct vl_broker_bus *bus);
    /* Reads and writes what can be, and calls back. False: the connection is
     * over, and nothing more comes. */
    bool (*process)(struct vl_broker_bus *bus);
    /*
     * Calls a method of the broker. Without `reply` nobody waits for an answer
     * and there is no ask.
     */
    valet_status (*call)(struct vl_broker_bus *bus, const char *method,
                         const char *correlation_id, const char *request,
                         vl_broker_reply *reply, void *ctx,
                         struct vl_broker_ask **ret, valet_error *err);
    void (*drop)(struct vl_broker_ask *ask); /* it will not call back */
};

#endif
