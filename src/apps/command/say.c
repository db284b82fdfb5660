/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "apps/command/command.h"

const char *
vl_environment(const char *name)
{
    return getenv(name);
}

/* Longer than the longest command that is printed. */
#define COMPLAINT_MAX 20000

/* What is in it may be an argument, or from afar. */
void
vl_complain(const char *format, ...)
{
    char text[COMPLAINT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vl_str_tame(text);
    (void)fprintf(stderr, "mcp-valet: %s\n", text);
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
