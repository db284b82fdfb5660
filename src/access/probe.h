/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to access/: is a client that was registered long ago still known?
 * An authorization server that has forgotten it shows an error in the browser
 * and sends nobody back, so that a program would wait for ever and a person be
 * stuck with the dead id. So it is asked before, with a
 * request like the one of the sign-in, but for nobody.
 */
#ifndef VL_ACCESS_PROBE_H
#define VL_ACCESS_PROBE_H

#include "access/token.h"

struct vl_probe;
/* `is_dead`: the authorization server does not know it any more. In doubt it
 * does. */
typedef void vl_probe_done(bool is_dead, void *ctx);
struct vl_probe *
vl_probe_start(struct vl_fetcher *fetcher, const struct vl_site *site,
               const struct vl_access_client *client, const char *redirect_uri,
               const char *scope, vl_probe_done *done, void *ctx);
/* Silences and frees it; *probe becomes NULL. NULL is fine. */
void vl_probe_abort(struct vl_probe **probe);

#endif
