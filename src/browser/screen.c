/* SPDX-License-Identifier: Apache-2.0 */
#include "browser/screen.h"

static bool
is_set(vl_browser_env *env, const char *name)
{
    const char *value = env(name);
    return value && value[0];
}

/* @spec S-28 */
bool
vl_browser_has_screen(vl_browser_env *env)
{
    if (is_set(env, "DISPLAY") || is_set(env, "WAYLAND_DISPLAY"))
        return true;
    /* Windows opens its browser on its own screen: not for who came by SSH. */
    bool in_windows =
        is_set(env, "WSL_DISTRO_NAME") || is_set(env, "WSL_INTEROP");
    bool from_afar = is_set(env, "SSH_CONNECTION") || is_set(env, "SSH_TTY");
    return in_windows && !from_afar;
}
