/* SPDX-License-Identifier: Apache-2.0 */
#include "access/probe.h"

#include <stdlib.h>

#include "access/sign_in.h"
#include "core/sys.h"
#include "http/url.h"
#include "oauth/pkce.h"

/* A person waits for it; who is slower is not asked. */
#define PROBE_MS 5000

struct vl_probe {
    struct vl_fetch *fetch;
    char *redirect_uri;
    vl_probe_done *done;
    void *ctx;
};

static void
release(struct vl_probe *probe)
{
    vl_fetch_abort(&probe->fetch);
    free(probe->redirect_uri);
    free(probe);
}

void
vl_probe_abort(struct vl_probe **probe)
{
    if (*probe)
        release(*probe);
    *probe = NULL;
}

/* An error about the client that is sent back to us (RFC 6749 section 4.1.2.1:
 * it should not be, but some do). */
static bool
is_sent_back(const struct vl_probe *probe, const struct vl_headers *headers)
{
    struct vl_params params;
    struct vl_str location = vl_headers_get(headers, "location");
    struct vl_str uri = vl_str_z(probe->redirect_uri);
    if (!vl_str_starts(location, uri) || location.n == uri.n ||
        location.p[uri.n] != '?')
        return false;
    struct vl_arena arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    bool ret =
        vl_params_parse(vl_str_from(location, uri.n + 1), &arena, &params,
                        NULL) == VALET_OK &&
        (vl_str_eqz(vl_params_get(&params, "error"), "invalid_client") ||
         vl_str_eqz(vl_params_get(&params, "error"), "unauthorized_client"));
    vl_arena_done(&arena);
    return ret;
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *err, void *ctx)
{
    struct vl_probe *probe = ctx;
    bool is_dead = false;
    (void)err;
    probe->fetch = NULL;
    if (status == VALET_OK)
        is_dead = answer->status == 400 || answer->status == 401 ||
                  answer->status == 404 || answer->status == 422 ||
                  is_sent_back(probe, answer->headers);
    vl_probe_done *done = probe->done;
    void *to = probe->ctx;
    release(probe);
    done(is_dead, to);
}

struct vl_probe *
vl_probe_start(struct vl_fetcher *fetcher, const struct vl_site *site,
               const struct vl_access_client *client, const char *redirect_uri,
               const char *scope, vl_probe_done *done, void *ctx)
{
    struct vl_probe *probe = vl_alloc(sizeof *probe);
    char state[VL_RANDOM_TEXT_SIZE];
    vl_auto(vl_buf) url = vl_buf_of_secret(VL_LIMIT_SIGN_IN_URL);
    vl_auto(vl_secret) verifier = vl_pkce_new_verifier();
    vl_random_text(state);
    vl_access_sign_in_url(
        &url, &(struct vl_access_visit){site, client->id, scope, redirect_uri},
        vl_str_z(state), &verifier);
    *probe = (struct vl_probe){
        .redirect_uri = vl_strdup(redirect_uri), .done = done, .ctx = ctx};
    probe->fetch =
        vl_fetch_start(fetcher,
                       &(struct vl_fetch_request){
                           .method = "GET",
                           .url = vl_buf_cstr(&url),
                           .headers = {{VL_STR("Accept"), VL_STR("text/html")}},
                           .header_count = 1,
                           .only_public = site->only_public,
                           .attempts = 1,
                           .total_ms = PROBE_MS},
                       on_answer, probe);
    return probe;
}
