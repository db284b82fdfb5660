/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/command/command.h"

const char *
vl_environment(const char *name)
{
    return getenv(name);
}

/* Longer than the longest command that is printed. */
#define COMPLAINT_MAX 20000

/*
 * Clients may leave standard error alone, and a server behind the gate may fill
 * it for us: who waited for room there would serve nobody, and not end. What
 * finds none is lost. A terminal that was stopped is waited for: a person looks
 * at it. (A pipe that can be written takes PIPE_BUF bytes at once.)
 */
static void
write_what_fits(struct vl_str text)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (text.n) {
        size_t part = text.n < PIPE_BUF ? text.n : PIPE_BUF;
        ssize_t n = send(out.fd, text.p, part, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK &&
            poll(&out, 1, isatty(out.fd) ? -1 : 0) == 1)
            n = write(out.fd, text.p, part);
        if (n <= 0)
            return;
        text = vl_str_from(text, (size_t)n);
    }
}

/* What is in it may be an argument, or from afar. */
void
vl_complain(const char *format, ...)
{
    char text[COMPLAINT_MAX];
    vl_auto(vl_buf) line = vl_buf_of(COMPLAINT_MAX + 32);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vl_str_tame(text);
    vl_buf_addf(&line, "mcp-valet: %s\n", text);
    write_what_fits(vl_buf_str(&line));
}

int
vl_print(const struct vl_buf *text)
{
    struct vl_str rest = vl_buf_str(text);
    while (!text->failed && rest.n) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno != EINTR) {
            vl_complain("cannot write to standard output: %s", strerror(errno));
            return VL_EXIT_FAILED;
        }
        rest = vl_str_from(rest, n > 0 ? (size_t)n : 0);
    }
    if (!text->failed)
        return VL_EXIT_OK;
    vl_complain("there is too much to be written");
    return VL_EXIT_FAILED;
}
