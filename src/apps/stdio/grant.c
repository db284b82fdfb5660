/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/grant.h"

static bool
is_plain(struct vl_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!vl_is_letter(text.p[i]) && !vl_is_digit(text.p[i]) &&
            !strchr("/._:@%+=,-", text.p[i]))
            return false;
    return text.n > 0;
}

static void
quote(const char *text, struct vl_buf *out)
{
    if (is_plain(vl_str_z(text))) {
        vl_buf_addz(out, text);
        return;
    }
    vl_buf_addc(out, '\'');
    for (const char *c = text; *c; c++)
        if (*c == '\'')
            vl_buf_addz(out, "'\\''");
        else
            vl_buf_addc(out, *c);
    vl_buf_addc(out, '\'');
}

void
vl_grant_write_command(const char *const *command, struct vl_buf *out)
{
    for (size_t i = 0; command[i]; i++) {
        if (i)
            vl_buf_addc(out, ' ');
        quote(command[i], out);
    }
}

void
vl_grant_write(const struct vl_grant *grant, struct vl_buf *out)
{
    quote(grant->program, out);
    if (grant->account) {
        vl_buf_addz(out, " --account ");
        quote(grant->account, out);
    }
    for (size_t i = 0; grant->scopes && grant->scopes[i]; i++) {
        vl_buf_addz(out, " --scope ");
        quote(grant->scopes[i], out);
    }
    if (grant->command) {
        vl_buf_addz(out, " -- ");
        vl_grant_write_command(grant->command, out);
    }
}

bool
vl_grant_is_of(struct vl_str written, const char *program)
{
    vl_auto(vl_buf) name = vl_buf_of(VL_GRANT_SIZE);
    quote(program, &name);
    return vl_str_starts(written, vl_buf_str(&name)) &&
           (written.n == vl_buf_size(&name) ||
            written.p[vl_buf_size(&name)] == ' ');
}
