/* SPDX-License-Identifier: Apache-2.0
 *
 * A refusal of Entra ID, read and judged in one place: the token endpoint, the
 * device endpoint and the redirect of the authorize endpoint say the same
 * things in the same words (entra-wire 2.8, 2.9).
 */
#ifndef VL_ENTRA_FAILURE_H
#define VL_ENTRA_FAILURE_H

#include "http/fetch.h"
#include "valet/entra.h"
#include "json/read.h"

/* An answer with a JSON body that is no success. */
void vl_failure_read(const struct vl_fetch_answer *answer,
                     const struct json_t *body, valet_entra_error *ret);
/* An answer that is no JSON: a proxy's page, a truncated body. */
void vl_failure_of_text(const struct vl_fetch_answer *answer,
                        valet_entra_error *ret);
/* A success that has no usable token in it. */
void vl_failure_of_nonsense(const struct vl_fetch_answer *answer,
                            valet_entra_error *ret);
/* The parameters of a redirect: error, error_description, error_subcode. */
void vl_failure_of_redirect(struct vl_str error, struct vl_str description,
                            struct vl_str suberror, valet_entra_error *ret);
/* What no answer tells of: a fault of ours or of the authority's documents. It
 * may pass (VALET_RETRY), or never does. */
void vl_failure_of_ours(const valet_error *why, valet_entra_error *ret);
/* Nobody answered: a failure of the network, as a fetch told it. */
void vl_failure_of_network(const valet_error *why, valet_entra_error *ret);

/* What to do about one of Entra's numbers, where it says more than the words
 * beside it. False: ask the words. */
bool vl_failure_by_number(unsigned aadsts, valet_next *ret);

#endif
