/* SPDX-License-Identifier: Apache-2.0 */
#include "browser/open.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "browser/launch.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/status.h"
#include "http/url.h"

/* A program that cannot open a page says so sooner. */
#define SETTLE_MS     3000
#define PATH_MAX_SIZE 4096

struct vl_opening {
    struct vl_timer *timer;
    struct vl_watch *watch;
    int fd; /* of the launch */
    vl_browser_opened *done;
    void *ctx;
};

/* --- which program --- */

static const struct {
    const char *name, *verb; /* the verb comes before the URL, or is NULL */
} openers[] = {{"xdg-open", NULL}, {"gio", "open"}, {"wslview", NULL}};

static bool
is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

/* In the folders of PATH that do not depend on where we are. */
static bool
find_program(struct vl_str folders, const char *name, struct vl_buf *ret)
{
    struct vl_str folder;
    while (vl_str_split(&folders, ':', &folder)) {
        if (!vl_str_starts(folder, VL_STR("/")))
            continue;
        vl_buf_clear(ret);
        vl_buf_add(ret, folder);
        vl_buf_addc(ret, '/');
        vl_buf_addz(ret, name);
        if (vl_buf_check(ret, NULL) == VALET_OK && is_program(vl_buf_cstr(ret)))
            return true;
    }
    return false;
}

static valet_status
launch(vl_browser_env *env, const char *url, int *ret_fd, valet_error *err)
{
    vl_auto(vl_buf) path = vl_buf_of(PATH_MAX_SIZE);
    for (size_t i = 0; i < VL_COUNT(openers); i++) {
        const char *verb = openers[i].verb;
        if (!find_program(vl_str_z(env("PATH")), openers[i].name, &path))
            continue;
        const char *const args[VL_LAUNCH_ARGS] = {
            vl_buf_cstr(&path), verb ? verb : url, verb ? url : NULL};
        return vl_launch(args, ret_fd, err);
    }
    return vl_fail(err, VALET_NOT_FOUND, "",
                   "no program that opens a browser was found (xdg-open, gio, "
                   "wslview)");
}

/* --- how it ends --- */

static void
release(struct vl_opening *opening)
{
    vl_watch_free(opening->watch);
    vl_timer_free(opening->timer);
    (void)close(opening->fd);
    free(opening);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_opening *opening, const valet_error *error)
{
    vl_browser_opened *done = opening->done;
    void *ctx = opening->ctx;
    release(opening);
    done(error, ctx);
}

static void
on_settled(void *ctx)
{
    finish(ctx, NULL);
}

static void
on_end(int events, void *ctx)
{
    struct vl_opening *opening = ctx;
    char how = VL_LAUNCHED_NOT;
    valet_error error = {0};
    (void)events;
    ssize_t n = read(opening->fd, &how, 1);
    if (n == 1 && how == VL_LAUNCHED_WELL) {
        finish(opening, NULL);
        return;
    }
    (void)vl_fail(&error, VALET_INTERNAL, "", "%s",
                  n == 1 && how == VL_LAUNCHED_ILL
                      ? "the desktop could not open a browser"
                      : "the program that opens a browser cannot be started");
    finish(opening, &error);
}

/* --- life --- */

/* @spec S-33: visible ASCII alone, see http/url.h. */
static bool
may_be_opened(struct vl_str text)
{
    struct vl_url url;
    return vl_url_parse(text, &url, NULL) == VALET_OK &&
           (vl_url_is_https(&url) ||
            (vl_url_is_http(&url) && vl_url_is_loopback(&url)));
}

valet_status
vl_browser_open(struct vl_loop *loop, vl_browser_env *env, struct vl_str url,
                vl_browser_opened *done, void *ctx, struct vl_opening **ret,
                valet_error *err)
{
    int fd;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_SIGN_IN_URL);
    vl_buf_add(&text, url);
    VL_TRY(vl_buf_check(&text, err));
    if (!may_be_opened(url))
        return vl_fail(err, VALET_INVALID, "",
                       "a browser opens https addresses only, and those of "
                       "this machine");
    VL_TRY(launch(env, vl_buf_cstr(&text), &fd, err));
    struct vl_opening *opening = vl_alloc(sizeof *opening);
    opening->fd = fd;
    opening->done = done;
    opening->ctx = ctx;
    opening->timer = vl_timer_new(loop, on_settled, opening);
    vl_timer_start(opening->timer, SETTLE_MS);
    opening->watch = vl_watch_new(loop, fd, on_end, opening);
    if (opening->watch)
        vl_watch_set(opening->watch, VL_WATCH_READ);
    *ret = opening;
    return VALET_OK;
}

void
vl_opening_abort(struct vl_opening **opening)
{
    if (*opening)
        release(*opening);
    *opening = NULL;
}
