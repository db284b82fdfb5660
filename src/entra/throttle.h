/* SPDX-License-Identifier: Apache-2.0
 *
 * What failed is not asked again at once: a request that Entra throttled or
 * refused is answered from here, with the very error it got, until its time is
 * over (entra-wire 1.7; both forms of Retry-After). The table is bounded.
 */
#ifndef VL_ENTRA_THROTTLE_H
#define VL_ENTRA_THROTTLE_H

#include "core/str.h"
#include "core/sys.h"
#include "valet/entra.h"

struct vl_throttle;

struct vl_throttle *vl_throttle_new(const struct vl_clock *clock);
void vl_throttle_free(struct vl_throttle *throttle); /* NULL is fine */

/* `request` tells identical requests from others: everything that is sent, but
 * what is new each time. It is kept as a hash. True: do not send it; *ret gets
 * the error of then, with the time that is left. */
bool vl_throttle_holds(struct vl_throttle *throttle, struct vl_str request,
                       valet_entra_error *ret);
/* A request failed. For how long it is held follows from the error. */
void vl_throttle_note(struct vl_throttle *throttle, struct vl_str request,
                      const valet_entra_error *error);
/* It succeeded. */
void vl_throttle_clear(struct vl_throttle *throttle, struct vl_str request);

#endif
