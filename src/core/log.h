/* SPDX-License-Identifier: Apache-2.0
 *
 * The operator's log: one line per event on a descriptor (stderr), with time
 * and level. Bytes that could forge a line are replaced. It is not the audit
 * trail (guard/audit.h), and floors 0 to 4 do not use it: they return errors.
 */
#ifndef VL_CORE_LOG_H
#define VL_CORE_LOG_H

#include "core/base.h"

enum vl_log_level {
    VL_LOG_ERROR,
    VL_LOG_WARN,
    VL_LOG_INFO,
    VL_LOG_DEBUG,
    VL_LOG_LEVEL_COUNT
};

struct vl_log {
    int fd;
    enum vl_log_level level; /* lines above it are not written */
    bool json;               /* one JSON object per line instead of text */
};

const char *vl_log_level_name(enum vl_log_level level);

/* One write(2) per line: threads may share a log. Longer lines are cut. */
void vl_log(const struct vl_log *log, enum vl_log_level level,
            const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
