/* SPDX-License-Identifier: Apache-2.0 */
#include "core/principal.h"

bool
vl_principal_same(const struct vl_principal *a, const struct vl_principal *b)
{
    return strcmp(a->client.text, b->client.text) == 0 &&
           strcmp(a->user.tid, b->user.tid) == 0 &&
           strcmp(a->user.oid, b->user.oid) == 0 &&
           strcmp(a->session, b->session) == 0;
}
