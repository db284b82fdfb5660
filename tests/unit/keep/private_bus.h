/* SPDX-License-Identifier: Apache-2.0
 *
 * A session bus and a keyring of the test's own: both on sockets in the test's
 * folder, with nothing of the machine's session, ended by their ids.
 */
#ifndef VL_KEEP_PRIVATE_BUS_H
#define VL_KEEP_PRIVATE_BUS_H

#include <signal.h>
#include <sys/prctl.h>

#include "folder.h"

struct private_bus {
    struct folder folder;
    pid_t bus, keyring; /* 0: none */
};

/* Runs a program with `input` on its standard input and its output in the
 * folder. */
static inline pid_t
run_program(const struct private_bus *bus, const char *input,
            const char *const *arguments)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char log[128];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves none */
        (void)snprintf(log, sizeof log, "%s/log", bus->folder.name);
        (void)dup2(ends[0], 0);
        (void)close(ends[1]);
        if (!freopen(log, "a", stdout) || !freopen(log, "a", stderr))
            _exit(126);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], input, strlen(input)), strlen(input));
    (void)close(ends[1]);
    return child;
}

static inline void
wait_for_file(const char *path)
{
    const struct timespec pause = {0, 10000000};
    for (int i = 0; access(path, F_OK) != 0; i++) {
        assert_true(i < 1000);
        (void)nanosleep(&pause, NULL);
    }
}

static inline void
bus_start(struct private_bus *bus)
{
    char config[128], socket[128], address[160], text[512];
    *bus = (struct private_bus){.keyring = 0};
    folder_make(&bus->folder);
    (void)snprintf(config, sizeof config, "%s/bus.conf", bus->folder.name);
    (void)snprintf(socket, sizeof socket, "%s/bus", bus->folder.name);
    (void)snprintf(address, sizeof address, "unix:path=%s", socket);
    /* No folder of services: nothing is started that the test does not. */
    (void)snprintf(text, sizeof text,
                   "<busconfig><type>session</type><listen>%s</listen>"
                   "<auth>EXTERNAL</auth><policy context=\"default\">"
                   "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                   "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>"
                   "</busconfig>",
                   address);
    write_file(config, text, 0600);
    (void)snprintf(text, sizeof text, "--config-file=%s", config);
    const char *const arguments[] = {"dbus-daemon", "--nofork", text, NULL};
    bus->bus = run_program(bus, "", arguments);
    wait_for_file(socket);
    assert_int_equal(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", bus->folder.name, 1), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", bus->folder.name, 1), 0);
    assert_int_equal(setenv("HOME", bus->folder.name, 1), 0);
}

/* With a password the login keyring is made or unlocked; without one it is
 * locked, or not there. */
static inline void
keyring_start(struct private_bus *bus, const char *password)
{
    char control[128], option[160];
    (void)snprintf(control, sizeof control, "%s/control", bus->folder.name);
    (void)snprintf(option, sizeof option, "--control-directory=%s", control);
    const char *const arguments[] = {
        "gnome-keyring-daemon",       "--foreground",
        "--components=secrets",       option,
        password ? "--unlock" : NULL, NULL};
    bus->keyring = run_program(bus, password ? password : "", arguments);
}

static inline void
stop_program(pid_t *child)
{
    if (*child == 0)
        return;
    (void)kill(*child, SIGTERM);
    (void)wait_for(*child);
    *child = 0;
}

static inline void
bus_stop(struct private_bus *bus)
{
    stop_program(&bus->keyring);
    stop_program(&bus->bus);
}

#endif
