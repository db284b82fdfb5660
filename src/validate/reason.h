/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VL_VALIDATE_REASON_H
#define VL_VALIDATE_REASON_H

#include "jose/jws.h"
#include "valet/validate.h"

valet_reason vl_reason_of_fault(enum vl_jws_fault fault);
/* Fills `err` with the reason's name and sentence; returns `status`. */
valet_status
vl_refuse(valet_error *err, valet_status status, valet_reason reason);

#endif
