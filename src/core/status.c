/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include <stdarg.h>

#include "core/str.h"

static const char *const names[VALET_STATUS_COUNT] = {
    [VALET_OK] = "ok",
    [VALET_DENIED] = "denied",
    [VALET_INVALID] = "invalid",
    [VALET_NOT_FOUND] = "not found",
    [VALET_CONFLICT] = "conflict",
    [VALET_LIMIT] = "limit",
    [VALET_RETRY] = "retry",
    [VALET_CANCELLED] = "cancelled",
    [VALET_INTERNAL] = "internal",
};

const char *
valet_version(void)
{
    return VALET_VERSION;
}

const char *
valet_status_name(valet_status status)
{
    return (unsigned)status < VALET_STATUS_COUNT ? names[status] : "unknown";
}

valet_status
vl_fail(valet_error *err, valet_status status, const char *code,
        const char *format, ...)
{
    VL_ASSERT(status != VALET_OK);
    if (!err)
        return status;
    /* Made apart: what is formatted may be what `err` held before. */
    valet_error made = {.status = status};
    (void)snprintf(made.code, sizeof made.code, "%s", code ? code : "");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(made.message, sizeof made.message, format, args);
    va_end(args);
    vl_str_tame(made.code);
    vl_str_tame(made.message);
    *err = made;
    return status;
}
