/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests, and for who serves tokens of his own clock: a validator whose
 * times come from elsewhere.
 */
#ifndef VL_VALIDATE_VALIDATOR_H
#define VL_VALIDATE_VALIDATOR_H

#include "core/sys.h"
#include "valet/validate.h"

/* `clock` tells the date, for tokens; `steady` never goes back, for keys. Both
 * are borrowed. */
valet_status
vl_validator_new(const valet_validator_options *options,
                 const struct vl_clock *clock, const struct vl_clock *steady,
                 valet_validator **ret, valet_error *err) VALET_CHECK;

#endif
