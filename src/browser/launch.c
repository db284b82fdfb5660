/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread for each program, which does nothing but wait for its end: that
 * works in every application, whatever it does with SIGCHLD and however many
 * children and loops it has, and it goes on when nobody asks any more. It
 * shares nothing but the pipe.
 */
#define _GNU_SOURCE /* pipe2, posix_spawn_file_actions_addclosefrom_np */
#include "browser/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/status.h"

struct launch {
    char *args[VL_LAUNCH_ARGS + 1];
    int fd; /* to tell */
};

static void
release(struct launch *launch)
{
    for (size_t i = 0; i < VL_LAUNCH_ARGS; i++)
        free(launch->args[i]);
    (void)close(launch->fd);
    free(launch);
}

/* In a session of its own it gets no Ctrl-C that is meant for us, and cannot
 * write to our terminal or read from it. */
static int
spawn(const struct launch *launch, pid_t *ret)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&how);
    (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID |
                                             POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&how, &none);
    (void)posix_spawnattr_setsigdefault(&how, &all);
    int failed = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
                                                  "/dev/null", O_RDWR, 0);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && !failed; fd++)
        failed = posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, fd);
    if (!failed)
        failed =
            posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    if (!failed)
        failed = posix_spawn(ret, launch->args[0], &files, &how, launch->args,
                             environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&how);
    return failed;
}

static enum vl_launched
wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        /* The application has waited for it in our place. */
        if (errno != EINTR)
            return VL_LAUNCHED_WELL;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? VL_LAUNCHED_WELL
                                                         : VL_LAUNCHED_ILL;
}

static void *
run(void *ctx)
{
    struct launch *launch = ctx;
    pid_t pid;
    bool started = spawn(launch, &pid) == 0;
    char how = (char)(started ? wait_for(pid) : VL_LAUNCHED_NOT);
    /* Nobody may listen any more; SIGPIPE is blocked here. */
    ssize_t told = write(launch->fd, &how, 1);
    (void)told;
    release(launch);
    return NULL;
}

/* The thread takes no signal that is meant for the application. */
static int
start(struct launch *launch)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attr, run, launch);
    (void)pthread_attr_destroy(&attr);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

valet_status
vl_launch(const char *const args[VL_LAUNCH_ARGS], int *ret_fd, valet_error *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot make a pipe: %s",
                       strerror(errno));
    struct launch *launch = vl_alloc(sizeof *launch);
    launch->fd = fds[1];
    for (size_t i = 0; i < VL_LAUNCH_ARGS && args[i]; i++)
        launch->args[i] = vl_strdup(args[i]);
    int failed = start(launch);
    if (failed) {
        release(launch);
        (void)close(fds[0]);
        return vl_fail(err, VALET_INTERNAL, "", "cannot start a thread: %s",
                       strerror(failed));
    }
    *ret_fd = fds[0];
    return VALET_OK;
}
