/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on loopback that plays an MCP server, its authorization server, or
 * both, by a script: for each path an answer; 404 for all others. "{}" in an
 * answer stands for its own origin. It keeps what it was asked.
 */
#ifndef VL_TEST_TOWN_H
#define VL_TEST_TOWN_H

#include "vl_test_tls.h"

#include "core/sys.h"
#include "http/fetch.h"
#include "http/server.h"

enum { TOWN_PLACES = 12, TOWN_PATIENCE_MS = 20000 };

struct town_place {
    const char *path;
    int status;
    const char *body;
    const char *location; /* NULL: none */
    unsigned asked;
};

struct town {
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_timer *patience;
    struct vl_http_server *server;
    struct vl_tls *tls; /* NULL: none */
    struct vl_test_pair pair;
    struct vl_http_site site;
    char origin[64];
    struct town_place places[TOWN_PLACES];
    size_t place_count;
    struct vl_buf log; /* "METHOD target\n" of each request */
    /* Of the last request. */
    struct vl_buf body, authorization, accept, revision, type;
};

static inline void
town_keep(struct vl_buf *buf, struct vl_str text)
{
    vl_buf_clear(buf);
    vl_buf_add(buf, text);
}

/* With the origin in place of "{}". */
static inline void
town_fill(const struct town *town, const char *text, struct vl_buf *out)
{
    for (; *text; text++)
        if (text[0] == '{' && text[1] == '}') {
            vl_buf_addz(out, town->origin);
            text++;
        } else {
            vl_buf_addc(out, *text);
        }
}

static inline void
town_handle(struct vl_exchange *x, void *ctx)
{
    struct town *town = ctx;
    const struct vl_http_request *request = vl_exchange_request(x);
    const struct vl_headers *headers = &request->headers;
    struct vl_reply reply = {.status = 404, .type = "text/plain"};
    vl_auto(vl_buf) body = vl_buf_of(65536);
    vl_auto(vl_buf) location = vl_buf_of(4096);
    vl_buf_addf(&town->log, VL_STR_FMT " " VL_STR_FMT "\n",
                VL_STR_ARG(request->method), VL_STR_ARG(request->target));
    town_keep(&town->body, request->body);
    town_keep(&town->authorization, vl_headers_get(headers, "authorization"));
    town_keep(&town->accept, vl_headers_get(headers, "accept"));
    town_keep(&town->revision, vl_headers_get(headers, "mcp-protocol-version"));
    town_keep(&town->type, vl_headers_get(headers, "content-type"));
    for (size_t i = 0; i < town->place_count; i++) {
        struct town_place *place = &town->places[i];
        if (!vl_str_eqz(request->path, place->path))
            continue;
        place->asked++;
        town_fill(town, place->body, &body);
        reply.status = place->status;
        reply.type = "application/json";
        if (place->location) {
            town_fill(town, place->location, &location);
            vl_reply_add(&reply, "Location", vl_buf_str(&location));
        }
    }
    reply.body = vl_buf_str(&body);
    vl_exchange_reply(x, &reply);
}

static inline size_t
town_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return VL_LIMIT_FETCH_BODY;
}

static inline void
town_give_up(void *ctx)
{
    (void)ctx;
    fail_msg("waited in vain");
}

static inline void
town_begin(struct town *town)
{
    *town = (struct town){.site = {town_body_max, town_handle, town}};
    assert_ok(vl_loop_new(&town->loop, NULL));
    town->fetcher = vl_fetcher_new_small(town->loop);
    town->patience = vl_timer_new(town->loop, town_give_up, NULL);
    vl_timer_start(town->patience, TOWN_PATIENCE_MS);
    town->server =
        vl_http_server_new(town->loop, &town->site, &VL_HTTP_LIMITS_DEFAULT);
    town->log = vl_buf_of(65536);
    town->body = town->authorization = town->accept = town->revision =
        town->type = vl_buf_of(VL_LIMIT_FETCH_BODY);
}

static inline void
town_listen(struct town *town, const char *base)
{
    unsigned port = 0;
    assert_ok(vl_http_server_listen(town->server, "127.0.0.1", 0, &port, NULL));
    (void)snprintf(town->origin, sizeof town->origin, "%s:%u", base, port);
}

static inline void
town_open(struct town *town)
{
    town_begin(town);
    town_listen(town, "http://127.0.0.1");
}

/* By TLS, under a name that says nothing of this machine: to us it is a server
 * in a network of its own. */
static inline void
town_open_private(struct town *town)
{
    town_begin(town);
    vl_test_pair_new(&town->pair, "a.localhost");
    assert_ok(
        vl_tls_new(town->pair.certificate, town->pair.key, &town->tls, NULL));
    vl_http_server_secure(town->server, town->tls);
    assert_ok(vl_fetcher_trust(town->fetcher, town->pair.certificate, NULL));
    town_listen(town, "https://a.localhost");
}

static inline void
town_close(struct town *town)
{
    vl_fetcher_free(town->fetcher);
    vl_http_server_free(town->server);
    if (town->tls)
        vl_test_pair_done(&town->pair);
    vl_tls_free(town->tls);
    vl_timer_free(town->patience);
    vl_loop_free(town->loop);
    vl_buf_done(&town->log);
    vl_buf_done(&town->body);
    vl_buf_done(&town->authorization);
    vl_buf_done(&town->accept);
    vl_buf_done(&town->revision);
    vl_buf_done(&town->type);
}

/* All borrowed. */
static inline struct town_place *
town_put(struct town *town, const char *path, int status, const char *body)
{
    assert_true(town->place_count < TOWN_PLACES);
    struct town_place *place = &town->places[town->place_count++];
    *place = (struct town_place){.path = path, .status = status, .body = body};
    return place;
}

static inline unsigned
town_asked(const struct town *town, const char *path)
{
    for (size_t i = 0; i < town->place_count; i++)
        if (strcmp(town->places[i].path, path) == 0)
            return town->places[i].asked;
    return 0;
}

#define TOWN_RESOURCE "/.well-known/oauth-protected-resource"
#define TOWN_OAUTH    "/.well-known/oauth-authorization-server"
#define TOWN_OPENID   "/.well-known/openid-configuration"

/* The members that a server has at least, after its issuer. */
#define TOWN_ENDPOINTS                                                         \
    "\"authorization_endpoint\":\"{}/authorize\","                             \
    "\"token_endpoint\":\"{}/token\","                                         \
    "\"registration_endpoint\":\"{}/register\","                               \
    "\"response_types_supported\":[\"code\"],"                                 \
    "\"code_challenge_methods_supported\":[\"S256\"]"

#endif
