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

bool
vl_guid_is_valid(struct vl_str text)
{
    if (text.n != VL_GUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}
