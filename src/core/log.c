/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "core/str.h"
#include "core/sys.h"

static const char *const names[VL_LOG_LEVEL_COUNT] = {
    [VL_LOG_ERROR] = "error",
    [VL_LOG_WARN] = "warn",
    [VL_LOG_INFO] = "info",
    [VL_LOG_DEBUG] = "debug",
};

const char *
vl_log_level_name(enum vl_log_level level)
{
    return level < VL_LOG_LEVEL_COUNT ? names[level] : "?";
}

/* Input must not forge lines; as JSON, it must not end the string either. */
static void
make_harmless(char *text, bool json)
{
    vl_str_tame(text);
    for (; json && *text; text++)
        if (*text == '"' || *text == '\\')
            *text = '\'';
}

void
vl_log(const struct vl_log *log, enum vl_log_level level, const char *format,
       ...)
{
    if (level > log->level)
        return;
    char text[1024], when[VL_TIME_ISO_SIZE], line[1200];
    va_list args;
    va_start(args, format);
    text[0] = '\0';
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_harmless(text, log->json);
    vl_time_iso(vl_clock_now(&vl_clock_system), when);
    int n =
        log->json
            ? snprintf(line, sizeof line,
                       "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":\"%s\"}\n",
                       when, vl_log_level_name(level), text)
            : snprintf(line, sizeof line, "%s %-5s %s\n", when,
                       vl_log_level_name(level), text);
    /* A log that cannot be written must not stop the service. */
    if (n > 0 && write(log->fd, line, (size_t)n) < 0)
        return;
}
