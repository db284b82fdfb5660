/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a browser would be seen, by the variables that desktops, SSH and WSL
 * set.
 */
#include "vl_test.h"

#include "browser/screen.h"

static const char *const *variables; /* names and values, by turns */

static const char *
env(const char *name)
{
    for (const char *const *at = variables; *at; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

#define SEEN(...)                                                              \
    (variables = (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL},       \
     vl_browser_has_screen(env))

/* @spec S-28 */
static void
a_desktop_has_a_screen(void **state)
{
    (void)state;
    assert_true(SEEN("DISPLAY", ":0"));
    assert_true(SEEN("WAYLAND_DISPLAY", "wayland-0"));
    assert_true(SEEN("WSL_DISTRO_NAME", "Debian"));
    assert_true(SEEN("WSL_INTEROP", "/run/WSL/8_interop"));
}

/* @spec S-28 */
static void
a_server_has_none(void **state)
{
    (void)state;
    assert_false(SEEN());
    assert_false(SEEN("DISPLAY", ""));
    assert_false(SEEN("DISPLAY", "", "WAYLAND_DISPLAY", ""));
    assert_false(SEEN("TERM", "xterm", "HOME", "/root"));
}

/* @spec S-28 */
static void
ssh_shows_what_it_forwards(void **state)
{
    (void)state;
    assert_false(SEEN("SSH_CONNECTION", "::1 1 ::1 22"));
    assert_true(
        SEEN("SSH_CONNECTION", "::1 1 ::1 22", "DISPLAY", "localhost:10.0"));
    assert_false(SEEN("SSH_CONNECTION", "::1 1 ::1 22", "WSL_INTEROP", "/x"));
    assert_false(SEEN("SSH_TTY", "/dev/pts/1", "WSL_DISTRO_NAME", "Debian"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_desktop_has_a_screen),
        cmocka_unit_test(a_server_has_none),
        cmocka_unit_test(ssh_shows_what_it_forwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
