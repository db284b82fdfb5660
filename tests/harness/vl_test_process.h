/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that a test starts, ended by their ids, and a session bus of its
 * own: on a socket in a folder of the test, with nothing of the machine's
 * session.
 */
#ifndef VL_TEST_PROCESS_H
#define VL_TEST_PROCESS_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vl_test.h"

static inline void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline int
wait_for(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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

/* Runs a program with `input` on its standard input and its output in the file
 * `log`. */
static inline pid_t
run_program(const char *log, const char *input, const char *const *arguments)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves none */
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

/* Until somebody listens there. */
static inline void
wait_for_socket(const char *path)
{
    const struct timespec pause = {0, 10000000};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    for (int i = 0;
         connect(fd, (struct sockaddr *)&address, sizeof address) != 0; i++) {
        assert_true(i < 1000);
        (void)nanosleep(&pause, NULL);
    }
    (void)close(fd);
}

/* In `folder`, and from now on this process's. */
static inline pid_t
start_session_bus(const char *folder)
{
    char config[128], socket[128], address[160], log[128], text[512];
    (void)snprintf(config, sizeof config, "%s/bus.conf", folder);
    (void)snprintf(socket, sizeof socket, "%s/bus", folder);
    (void)snprintf(log, sizeof log, "%s/log", folder);
    (void)snprintf(address, sizeof address, "unix:path=%s", socket);
    /* Nothing is started but what the test describes in its folder. */
    (void)snprintf(text, sizeof text,
                   "<busconfig><type>session</type><listen>%s</listen>"
                   "<servicedir>%s</servicedir>"
                   "<auth>EXTERNAL</auth><policy context=\"default\">"
                   "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                   "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>"
                   "</busconfig>",
                   address, folder);
    write_file(config, text, 0600);
    (void)snprintf(text, sizeof text, "--config-file=%s", config);
    const char *const arguments[] = {"dbus-daemon", "--nofork", text, NULL};
    pid_t bus = run_program(log, "", arguments);
    wait_for_socket(socket);
    assert_int_equal(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", folder, 1), 0);
    assert_int_equal(setenv("HOME", folder, 1), 0);
    return bus;
}

#endif
