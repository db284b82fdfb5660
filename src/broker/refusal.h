/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to this room: why there is no token, and what to do about it.
 */
#ifndef VL_BROKER_REFUSAL_H
#define VL_BROKER_REFUSAL_H

#include "valet/entra.h"
#include "json/read.h"

/* One of our own; `code` may be "". */
void vl_broker_refusal(valet_status status, valet_next next, const char *code,
                       const char *message, valet_entra_error *ret);
/*
 * The broker's `error`: a status of MSAL's runtime, and Entra's own words where
 * Entra has refused. `interactive`: the person was asked already.
 */
void vl_broker_refusal_read(const struct json_t *error, bool interactive,
                            valet_entra_error *ret);
/* The bus said no, or nobody answered. */
void vl_broker_refusal_of_bus(const valet_error *why, bool interactive,
                              valet_entra_error *ret);

#endif
