/* SPDX-License-Identifier: Apache-2.0 */
#include "access/scopes.h"

void
vl_access_scopes_add(struct vl_buf *set, struct vl_str words)
{
    struct vl_str word;
    while (vl_str_split(&words, ' ', &word)) {
        if (!word.n || vl_str_has_word(vl_buf_str(set), word))
            continue;
        if (vl_buf_size(set))
            vl_buf_addc(set, ' ');
        vl_buf_add(set, word);
    }
}

bool
vl_access_scopes_within(struct vl_str words, struct vl_str set)
{
    struct vl_str word;
    while (vl_str_split(&words, ' ', &word))
        if (word.n && !vl_str_has_word(set, word))
            return false;
    return true;
}
