/* SPDX-License-Identifier: Apache-2.0
 *
 * When to ask again. vl_retry_after() is declared in http/fetch.h, since
 * callers pass the header on to their own clients.
 */
#ifndef VL_HTTP_RETRY_H
#define VL_HTTP_RETRY_H

#include "core/base.h"

/* Is it worth asking again after this HTTP status? */
bool vl_retry_is_temporary(int status);
/* A random time up to the step of this attempt (1 = the first has failed);
 * random from zero on, so that many who failed together come back apart. */
int64_t vl_retry_backoff(unsigned attempt);

#endif
