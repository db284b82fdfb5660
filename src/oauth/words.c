/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/words.h"

#include "core/limits.h"

#define AADSTS_MAX 99999999

bool
vl_oauth_is_token(struct vl_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
            return false;
    return text.n <= VL_LIMIT_UPSTREAM_TOKEN;
}

void
vl_oauth_copy_word(char *ret, size_t size, struct vl_str word)
{
    ret[0] = '\0';
    if (word.n >= size)
        return;
    for (size_t i = 0; i < word.n; i++)
        if (!(word.p[i] >= 'a' && word.p[i] <= 'z') && word.p[i] != '_')
            return;
    if (word.n)
        memcpy(ret, word.p, word.n);
    ret[word.n] = '\0';
}

unsigned
vl_oauth_aadsts(struct vl_str description)
{
    uint64_t number;
    if (!vl_str_starts(description, VL_STR("AADSTS")))
        return 0;
    struct vl_str rest = vl_str_from(description, 6);
    return vl_str_u64(vl_str_head(rest, vl_str_index(rest, ':')), AADSTS_MAX,
                      &number)
               ? (unsigned)number
               : 0;
}
