/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that wants a token, and a person with a browser.
 */
#ifndef VL_TEST_RIG_H
#define VL_TEST_RIG_H

#include "access/access.h"

#include "as.h"
#include "core/sys.h"

/* Slower than anything here should be. */
#define RIG_PATIENCE_MS 10000

struct rig {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_timer *guard;
    struct as_state state;
    struct as as;
    struct as_browser browser;
    struct vl_keep *keep;
    struct vl_access_config config;
    struct vl_access *access;
    char url[80];
    bool is_absent; /* nobody looks at the browser */
    bool is_late;
    unsigned windows;
    char told[8192];
    /* of the last ask */
    unsigned ended;
    valet_status status;
    valet_error err;
};

static inline void
rig_say(const char *text, const char *url, void *ctx)
{
    struct rig *rig = ctx;
    size_t n = strlen(rig->told);
    (void)snprintf(rig->told + n, sizeof rig->told - n, "%s [%s]\n", text,
                   url ? url : "");
}

static inline valet_status
rig_show(const char *url, void *ctx, valet_error *err)
{
    struct rig *rig = ctx;
    (void)err;
    rig->windows++;
    if (!rig->is_absent)
        as_browser_go(&rig->browser, vl_str_z(url));
    return VALET_OK;
}

static inline void
rig_too_late(void *ctx)
{
    ((struct rig *)ctx)->is_late = true;
}

/* Another process that starts. */
static inline void
rig_restart(struct rig *rig)
{
    vl_access_free(rig->access);
    assert_ok(vl_access_new(&rig->config, &rig->access, NULL));
}

/* Without an authorization server of its own; the keep becomes the rig's. */
static inline struct rig *
rig_new_at(const char *origin, struct vl_keep *keep)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    assert_ok(vl_loop_new(&rig->loop, NULL));
    rig->fetcher = vl_fetcher_new_small(rig->loop);
    rig->guard = vl_timer_new(rig->loop, rig_too_late, rig);
    rig->browser.fetcher = rig->fetcher;
    rig->keep = keep;
    if (!origin) {
        as_open(&rig->as, &rig->state, rig->loop);
        origin = rig->state.origin;
    }
    (void)snprintf(rig->url, sizeof rig->url, "%s/mcp", origin);
    rig->config = (struct vl_access_config){
        .loop = rig->loop,
        .fetcher = rig->fetcher,
        .url = rig->url,
        .keep = rig->keep,
        .tell = rig_say,
        .open = rig_show,
        .ctx = rig,
    };
    return rig;
}

static inline struct rig *
rig_new(void)
{
    struct rig *rig = rig_new_at(NULL, vl_keep_open_memory());
    rig->state.expires_in = 3600;
    rig_restart(rig);
    return rig;
}

static inline void
rig_free(struct rig *rig)
{
    vl_access_free(rig->access);
    vl_fetch_abort(&rig->browser.fetch);
    vl_fetcher_free(rig->fetcher);
    if (rig->as.server)
        as_close(&rig->as);
    vl_keep_close(rig->keep);
    vl_timer_free(rig->guard);
    vl_loop_free(rig->loop);
    free(rig);
}

#define rig_until(rig, condition)                                              \
    do {                                                                       \
        (rig)->is_late = false;                                                \
        vl_timer_start((rig)->guard, RIG_PATIENCE_MS);                         \
        while (!(condition)) {                                                 \
            assert_false((rig)->is_late);                                      \
            vl_loop_step((rig)->loop);                                         \
        }                                                                      \
        vl_timer_stop((rig)->guard);                                           \
    } while (0)

static inline void
rig_wait(struct rig *rig, int64_t ms)
{
    int64_t end = vl_mono_now() + ms;
    vl_timer_start(rig->guard, ms);
    while (vl_mono_now() < end)
        vl_loop_step(rig->loop);
}

static inline void
rig_answer(valet_status status, const valet_error *err, void *ctx)
{
    struct rig *rig = ctx;
    rig->status = status;
    rig->err = err ? *err : (valet_error){0};
    rig->ended++;
}

/* `challenge` is what stands behind "Bearer", NULL: there is no such header. */
static inline struct vl_access_ask *
rig_start(struct rig *rig, int http_status, const char *challenge,
          const char *sent)
{
    struct vl_headers headers = {.count = 0};
    char text[512];
    vl_auto(vl_secret) secret = vl_secret_of(vl_str_z(sent));
    (void)snprintf(text, sizeof text, "Bearer %s", challenge ? challenge : "");
    if (challenge)
        assert_true(vl_headers_add(&headers, VL_STR("WWW-Authenticate"),
                                   vl_str_z(text)));
    return vl_access_ask(rig->access, http_status, &headers,
                         sent ? &secret : NULL, rig_answer, rig);
}

static inline valet_status
rig_ask(struct rig *rig, int http_status, const char *challenge,
        const char *sent)
{
    unsigned before = rig->ended;
    struct vl_access_ask *ask = rig_start(rig, http_status, challenge, sent);
    assert_non_null(ask);
    assert_int_equal(rig->ended, before);
    rig_until(rig, rig->ended > before);
    assert_int_equal(rig->ended, before + 1);
    return rig->status;
}

/* "" if there is none. */
static inline const char *
rig_bearer(struct rig *rig)
{
    static char text[128];
    const struct vl_secret *bearer = vl_access_bearer(rig->access);
    AS_COPY(text, bearer ? vl_secret_reveal(bearer) : VL_STR(""));
    return text;
}

#endif
