/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sign-in leaves for the commands after it: whom to ask, and where the
 * tokens are. No secret is in it; yet who can change it chooses whom this
 * person signs in to, hence it is theirs alone.
 */
#ifndef VL_APPS_LOCAL_SETTINGS_H
#define VL_APPS_LOCAL_SETTINGS_H

#include "core/arena.h"
#include "core/buf.h"

/* Zeroed but for the arena: nothing is known. NULL: not set. */
struct vl_settings {
    struct vl_arena arena; /* of the texts, and of others' beside them */
    const char *tenant;
    const char *client_id;
    const char *authority_host;
    const char *ca_file;    /* absolute, as the next */
    const char *cache_file; /* NULL: the Secret Service */
};

/* $XDG_CONFIG_HOME/mcp-valet/login.json, else in ~/.config; it need not be
 * there. VALET_NOT_FOUND: this person has no such place. */
valet_status vl_settings_path(struct vl_buf *ret, valet_error *err) VALET_CHECK;
/* `ret` goes to vl_settings_done() in any case. No file: VALET_OK and nothing
 * is set. One that is not exactly as it should be is refused, by its name. */
valet_status
vl_settings_read(struct vl_settings *ret, valet_error *err) VALET_CHECK;
valet_status vl_settings_write(const struct vl_settings *settings,
                               valet_error *err) VALET_CHECK;
bool vl_settings_eq(const struct vl_settings *a, const struct vl_settings *b);
void vl_settings_done(struct vl_settings *settings);

#endif
