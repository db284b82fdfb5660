/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling a `valet_error`. The sentence is shown to strangers in places, so
 * it must not contain a secret; the secret types have no formatter, which
 * keeps them out.
 */
#ifndef VL_CORE_STATUS_H
#define VL_CORE_STATUS_H

#include "core/base.h"

/* Fills `err` (which may be NULL) and returns `status`, which is not OK. What
 * is formatted may come from strangers, and from `err` itself: it stays one
 * line.
 */
valet_status
vl_fail(valet_error *err, valet_status status, const char *code,
        const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
