/* SPDX-License-Identifier: Apache-2.0
 *
 * A session bus and a keyring of the test's own.
 */
#ifndef VL_KEEP_PRIVATE_BUS_H
#define VL_KEEP_PRIVATE_BUS_H

#include "folder.h"

struct private_bus {
    struct folder folder;
    pid_t bus, keyring; /* 0: none */
};

static inline void
bus_start(struct private_bus *bus)
{
    *bus = (struct private_bus){.keyring = 0};
    folder_make(&bus->folder);
    bus->bus = start_session_bus(bus->folder.name);
}

/* With a password the login keyring is made or unlocked; without one it is
 * locked, or not there. */
static inline void
keyring_start(struct private_bus *bus, const char *password)
{
    char control[128], option[160], log[128];
    (void)snprintf(log, sizeof log, "%s/log", bus->folder.name);
    (void)snprintf(control, sizeof control, "%s/control", bus->folder.name);
    (void)snprintf(option, sizeof option, "--control-directory=%s", control);
    const char *const arguments[] = {
        "gnome-keyring-daemon",       "--foreground",
        "--components=secrets",       option,
        password ? "--unlock" : NULL, NULL};
    bus->keyring = run_program(log, password ? password : "", arguments);
}

static inline void
bus_stop(struct private_bus *bus)
{
    stop_program(&bus->keyring);
    stop_program(&bus->bus);
}

#endif
