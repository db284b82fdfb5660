/* SPDX-License-Identifier: Apache-2.0
 *
 * A lane's Graph client, asked for people who have signed in here: what is
 * remembered of a person goes with the end of the sign-in it was got by.
 */
#ifndef VL_GATEWAY_PROFILES_H
#define VL_GATEWAY_PROFILES_H

#include "entra/graph.h"

struct vl_profiles;

struct vl_profiles *vl_profiles_new(const struct vl_graph_config *config);
void vl_profiles_free(struct vl_profiles *profiles); /* NULL is fine */

/* vl_graph_me_start(); whose profile it is, this page knows by itself. */
struct vl_graph_me *
vl_profiles_ask(struct vl_profiles *profiles, const struct vl_principal *who,
                const struct vl_graph_request *request, vl_graph_done *done,
                void *ctx);
/* A token family has ended. */
void vl_profiles_end(struct vl_profiles *profiles, const char *session);

#endif
