/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/scope.h"

#include "core/limits.h"

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
static bool
is_scope_char(char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool
vl_scope_is_valid(struct vl_str scopes)
{
    struct vl_str rest = scopes, word;
    if (scopes.n == 0 || scopes.n > VL_LIMIT_SCOPE)
        return false;
    while (vl_str_split(&rest, ' ', &word)) {
        if (word.n == 0)
            return false;
        for (size_t i = 0; i < word.n; i++)
            if (!is_scope_char(word.p[i]))
                return false;
    }
    return true;
}

void
vl_scope_filter(struct vl_buf *out, struct vl_str scopes,
                bool (*keep)(struct vl_str scope, const void *ctx),
                const void *ctx)
{
    struct vl_str rest = scopes, word;
    while (vl_str_split(&rest, ' ', &word)) {
        if (word.n == 0 || !keep(word, ctx) ||
            vl_str_has_word(vl_buf_str(out), word))
            continue;
        if (vl_buf_size(out) > 0)
            vl_buf_addc(out, ' ');
        vl_buf_add(out, word);
    }
}
