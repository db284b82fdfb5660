/* SPDX-License-Identifier: Apache-2.0
 *
 * The search: the resource's document, then that of its authorization server,
 * each at its places in turn. Who has neither may be a server of 2025-03-26.
 */
#include "access/address.h"
#include "access/candidates.h"
#include "access/documents.h"
#include "core/status.h"

/* A document is a kilobyte of a machine that answers at once, or is down. */
#define DOCUMENT_MS       10000
#define DOCUMENT_ATTEMPTS 2
/* From a path without a final slash to one with it, and to a new place. */
#define REDIRECTS 2
/* The newest revision whose metadata all servers know (@spec CL-05). */
#define REVISION "2025-11-25"

enum step {
    RESOURCE,
    SERVER,
    PROBE, /* of the MCP server itself: is it in a network of its own? */
};

struct vl_discover {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_fetch *fetch;
    struct vl_timer *timer; /* of a refusal before the first request */
    struct vl_buf url;      /* of the MCP server */
    struct vl_url server;
    struct vl_site site;
    enum step step, before_probe;
    bool is_seen; /* the MCP server has answered: it is a public one or not */
    bool has_resource;
    unsigned redirects; /* of this candidate */
    struct vl_candidates candidates;
    size_t next;
    struct vl_buf asked;   /* the address of the running request */
    struct vl_buf put_off; /* what is asked after the probe */
    const char *issuer;    /* that is asked; of the site's arena */
    valet_error why;       /* a document that was of another issuer */
    valet_error refused;
    vl_discover_done *done;
    void *ctx;
};

/* --- its end --- */

static void
release(struct vl_discover *discover)
{
    vl_fetch_abort(&discover->fetch);
    vl_timer_free(discover->timer);
    vl_buf_done(&discover->url);
    vl_buf_done(&discover->asked);
    vl_buf_done(&discover->put_off);
    vl_site_done(&discover->site);
    free(discover);
}

/* The callback may free what we stand on: it comes last. */
static void
finish(struct vl_discover *discover, valet_status status,
       const valet_error *err)
{
    vl_discover_done *done = discover->done;
    void *ctx = discover->ctx;
    valet_error why = err ? *err : (valet_error){0};
    vl_auto(vl_site) site = vl_site_take(&discover->site);
    why.status = status;
    if (status != VALET_OK)
        vl_site_done(&site); /* half of one is none */
    release(discover);
    done(status, &site, status == VALET_OK ? NULL : &why, ctx);
}

/* With the name of who said it. */
static void
deny(struct vl_discover *discover, valet_status status, const valet_error *why)
{
    valet_error err;
    struct vl_url url;
    struct vl_str host = discover->server.host;
    if (vl_url_parse(vl_buf_str(&discover->asked), &url, NULL) == VALET_OK)
        host = url.host;
    (void)vl_fail(&err, status, "", "%.*s: %s",
                  (int)(host.n < 80 ? host.n : 80), host.p, why->message);
    finish(discover, status, &err);
}

/* --- asking --- */

static void on_answer(valet_status status, const struct vl_fetch_answer *answer,
                      const valet_error *err, void *ctx);

/* At the MCP server's own origin, which no stranger has named? */
static bool
is_own(const struct vl_discover *discover)
{
    struct vl_url url;
    return vl_url_parse(vl_buf_str(&discover->asked), &url, NULL) == VALET_OK &&
           vl_url_same_origin(&url, &discover->server);
}

static void
ask(struct vl_discover *discover)
{
    struct vl_fetch_request request = {
        .method = "GET",
        .url = vl_buf_cstr(&discover->asked),
        .headers = {{VL_STR("Accept"), VL_STR("application/json")},
                    {VL_STR("MCP-Protocol-Version"), VL_STR(REVISION)}},
        .header_count = 2,
        .only_public = discover->site.only_public && !is_own(discover),
        .attempts = DOCUMENT_ATTEMPTS,
        .total_ms = DOCUMENT_MS,
    };
    discover->fetch =
        vl_fetch_start(discover->fetcher, &request, on_answer, discover);
}

/*
 * @spec CL-20: others' addresses may be private ones if that of the server is,
 * which is seen when it answers; TLS says that it is the server. So it comes
 * first.
 */
static void
probe(struct vl_discover *discover)
{
    struct vl_arena arena = vl_arena_of((size_t)4 * VL_ADDRESS_MAX);
    struct vl_candidates own;
    vl_buf_clear(&discover->put_off);
    vl_buf_add(&discover->put_off, vl_buf_str(&discover->asked));
    discover->before_probe = discover->step;
    discover->step = PROBE;
    vl_candidates_of_resource(&discover->server, "", &arena, &own);
    VL_ASSERT(own.count > 0);
    vl_buf_clear(&discover->asked);
    vl_buf_addz(&discover->asked, own.urls[0]);
    vl_arena_done(&arena);
    ask(discover);
}

static void
ask_at(struct vl_discover *discover, struct vl_str address)
{
    vl_buf_clear(&discover->asked);
    vl_buf_add(&discover->asked, address);
    if (discover->site.only_public && !discover->is_seen && !is_own(discover))
        probe(discover);
    else
        ask(discover);
}

static void
note_server(struct vl_discover *discover, const struct vl_fetch_answer *answer)
{
    discover->is_seen = true;
    if (answer->from_private)
        discover->site.only_public = false;
}

/* --- a step's end --- */

static void ask_next(struct vl_discover *discover);

/* @spec CL-03 CL-05: the one that the resource names; of who names none it is
 * the server's own origin. */
static void
begin_server(struct vl_discover *discover, const char *issuer)
{
    struct vl_url url;
    struct vl_site *site = &discover->site;
    if (!issuer)
        issuer = vl_arena_cstr(&site->arena, discover->server.origin);
    discover->issuer = issuer;
    discover->step = SERVER;
    discover->next = 0;
    valet_status status = vl_url_parse(vl_str_z(issuer), &url, NULL);
    VL_ASSERT(status == VALET_OK); /* it has been looked at */
    vl_candidates_of_issuer(&url, &site->arena, &discover->candidates);
    ask_next(discover);
}

static void
end_step(struct vl_discover *discover)
{
    valet_error err;
    if (discover->step == RESOURCE) {
        begin_server(discover, NULL);
        return;
    }
    if (discover->why.message[0]) {
        finish(discover, VALET_DENIED, &discover->why);
        return;
    }
    if (discover->has_resource) {
        (void)vl_fail(&err, VALET_NOT_FOUND, "",
                      "the authorization server %.120s has no metadata where "
                      "clients look for it",
                      discover->issuer);
        finish(discover, VALET_NOT_FOUND, &err);
        return;
    }
    vl_document_guess_server(&discover->server, &discover->site);
    finish(discover, VALET_OK, NULL);
}

static void
ask_next(struct vl_discover *discover)
{
    discover->redirects = 0;
    if (discover->next < discover->candidates.count)
        ask_at(discover, vl_str_z(discover->candidates.urls[discover->next++]));
    else
        end_step(discover);
}

/* --- answers --- */

static void
read_resource(struct vl_discover *discover, struct vl_str body)
{
    valet_error err;
    const char *issuer;
    valet_status status = vl_document_read_resource(
        body, &discover->server, &discover->site, &issuer, &err);
    if (status == VALET_OK) {
        discover->has_resource = true;
        begin_server(discover, issuer);
    } else if (status == VALET_NOT_FOUND) {
        ask_next(discover);
    } else {
        deny(discover, status, &err);
    }
}

static void
read_server(struct vl_discover *discover, struct vl_str body)
{
    valet_error err;
    struct vl_document_of of = {.server = &discover->server,
                                .issuer = discover->issuer,
                                .is_guessed = !discover->has_resource};
    valet_status status =
        vl_document_read_server(body, &of, &discover->site, &err);
    if (status == VALET_OK) {
        finish(discover, VALET_OK, NULL);
        return;
    }
    if (status == VALET_CONFLICT)
        discover->why = err;
    if (status == VALET_CONFLICT || status == VALET_NOT_FOUND)
        ask_next(discover);
    else
        deny(discover, status, &err);
}

/* Within the origin that was asked: @spec CL-20, each hop is one that might
 * have been asked for in the first place. */
static bool
follow(struct vl_discover *discover, const struct vl_fetch_answer *answer)
{
    struct vl_url from, to;
    vl_auto(vl_buf) target = vl_buf_of(VL_ADDRESS_MAX);
    struct vl_str location = vl_headers_get(answer->headers, "location");
    if (answer->status < 300 || answer->status > 399 || !location.n ||
        discover->redirects >= REDIRECTS ||
        vl_url_parse(vl_buf_str(&discover->asked), &from, NULL) != VALET_OK)
        return false;
    if (location.p[0] == '/' && !vl_str_starts(location, VL_STR("//")))
        vl_buf_add(&target, from.origin);
    vl_buf_add(&target, location);
    if (vl_buf_check(&target, NULL) != VALET_OK ||
        vl_url_parse(vl_buf_str(&target), &to, NULL) != VALET_OK ||
        !vl_url_same_origin(&from, &to))
        return false;
    discover->redirects++;
    ask_at(discover, vl_buf_str(&target));
    return true;
}

/* 404 and its like say that nothing is there; so does the 502 of a proxy that
 * knows no such place. */
static bool
is_passing(int status)
{
    return status == 429 || (status >= 500 && status != 502);
}

static void
judge(struct vl_discover *discover, const struct vl_fetch_answer *answer)
{
    valet_error err;
    if (answer->status == 200 && discover->step == RESOURCE) {
        read_resource(discover, answer->body);
    } else if (answer->status == 200) {
        read_server(discover, answer->body);
    } else if (is_passing(answer->status)) {
        (void)vl_fail(&err, VALET_RETRY, "", "it answers with status %d",
                      answer->status);
        deny(discover, VALET_RETRY, &err);
    } else if (!follow(discover, answer)) {
        ask_next(discover);
    }
}

static void
on_answer(valet_status status, const struct vl_fetch_answer *answer,
          const valet_error *err, void *ctx)
{
    struct vl_discover *discover = ctx;
    discover->fetch = NULL;
    if (status != VALET_OK) {
        finish(discover, status == VALET_RETRY ? VALET_RETRY : VALET_DENIED,
               err);
        return;
    }
    if (is_own(discover))
        note_server(discover, answer);
    if (discover->step == PROBE) {
        discover->step = discover->before_probe;
        ask_at(discover, vl_buf_str(&discover->put_off));
    } else {
        judge(discover, answer);
    }
}

/* --- its beginning --- */

static void
on_timer(void *ctx)
{
    struct vl_discover *discover = ctx;
    valet_error err = discover->refused;
    finish(discover, err.status, &err);
}

/* What the challenge said is judged like what a document says. */
static valet_status
prepare(struct vl_discover *discover, const char *metadata_url,
        valet_error *err)
{
    struct vl_site *site = &discover->site;
    VL_TRY(vl_buf_check(&discover->url, err));
    VL_TRY(vl_url_parse(vl_buf_str(&discover->url), &discover->server, err));
    if (metadata_url[0])
        VL_TRY(vl_address_check(vl_str_z(metadata_url), "resource_metadata",
                                &discover->server, err));
    site->only_public = !vl_url_is_loopback(&discover->server);
    vl_candidates_of_resource(&discover->server, metadata_url, &site->arena,
                              &discover->candidates);
    return VALET_OK;
}

struct vl_discover *
vl_discover_start(struct vl_loop *loop, struct vl_fetcher *fetcher,
                  const char *url, const char *metadata_url,
                  vl_discover_done *done, void *ctx)
{
    struct vl_discover *discover = vl_alloc(sizeof *discover);
    *discover = (struct vl_discover){
        .loop = loop,
        .fetcher = fetcher,
        .url = vl_buf_of(VL_ADDRESS_MAX),
        .asked = vl_buf_of((size_t)2 * VL_ADDRESS_MAX),
        .put_off = vl_buf_of((size_t)2 * VL_ADDRESS_MAX),
        .done = done,
        .ctx = ctx,
    };
    vl_site_init(&discover->site);
    vl_buf_addz(&discover->url, url);
    (void)vl_buf_cstr(&discover->url); /* what is parsed stays where it is */
    if (prepare(discover, metadata_url, &discover->refused) == VALET_OK) {
        ask_next(discover);
        return discover;
    }
    discover->timer = vl_timer_new(loop, on_timer, discover);
    vl_timer_start(discover->timer, 0);
    return discover;
}

void
vl_discover_abort(struct vl_discover **discover)
{
    if (*discover)
        release(*discover);
    *discover = NULL;
}
