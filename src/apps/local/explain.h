/* SPDX-License-Identifier: Apache-2.0
 *
 * A refusal, for the person at the terminal: what happened, by which numbers
 * an administrator finds it, and what to do next.
 */
#ifndef VL_APPS_LOCAL_EXPLAIN_H
#define VL_APPS_LOCAL_EXPLAIN_H

#include "apps/local/whom.h"

/* What could not be done without asking Entra ID. */
void vl_explain(const struct vl_whom *whom, const valet_error *err);
/* Of a request; with what has to be typed if the person has to sign in
 * first. */
void
vl_explain_refusal(const struct vl_whom *whom, const valet_request *request,
                   const valet_entra_error *refusal);

#endif
