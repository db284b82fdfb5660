/* SPDX-License-Identifier: Apache-2.0
 *
 * A peer on loopback that plays Entra or Graph by a script: for each path the
 * next answer of a list, the last one for ever. It keeps what it was asked.
 */
#ifndef VL_TEST_PEER_H
#define VL_TEST_PEER_H

#include "core/buf.h"
#include "http/server.h"
#include "vl_test.h"

enum { PEER_ROUTES = 4, PEER_ANSWERS = 6, PEER_HELD = 4 };

struct peer_answer {
    int status; /* 0: none, the connection stays as it is */
    const char *body, *type;
    const char *retry_after, *location, *challenge; /* NULL: none */
};

struct peer_route {
    const char *path; /* up to '?' */
    struct peer_answer answers[PEER_ANSWERS];
    size_t count;
    unsigned asked;
    /* Of the last request. */
    struct vl_buf body, query, bearer, correlation;
    struct vl_str method;
};

struct peer {
    struct vl_http_server *server;
    struct vl_http_site site;
    char origin[64];
    struct peer_route routes[PEER_ROUTES];
    size_t route_count;
    unsigned strays; /* requests for anything else */
    struct vl_exchange *held[PEER_HELD];
    size_t held_count;
};

static inline void
peer_keep(struct vl_buf *buf, struct vl_str text)
{
    vl_buf_done(buf);
    *buf = vl_buf_of(VL_LIMIT_FETCH_BODY);
    vl_buf_add(buf, text);
}

static inline void
peer_handle(struct vl_exchange *x, void *ctx)
{
    struct peer *peer = ctx;
    const struct vl_http_request *request = vl_exchange_request(x);
    for (size_t i = 0; i < peer->route_count; i++) {
        struct peer_route *route = &peer->routes[i];
        if (!vl_str_eqz(request->path, route->path))
            continue;
        size_t next =
            route->asked < route->count ? route->asked : route->count - 1;
        const struct peer_answer *answer = &route->answers[next];
        route->asked++;
        peer_keep(&route->body, request->body);
        peer_keep(&route->query, request->query);
        peer_keep(&route->bearer,
                  vl_headers_get(&request->headers, "authorization"));
        peer_keep(&route->correlation,
                  vl_headers_get(&request->headers, "client-request-id"));
        route->method = vl_str_eqz(request->method, "POST") ? VL_STR("POST")
                                                            : VL_STR("GET");
        if (answer->status == 0) {
            assert_true(peer->held_count < PEER_HELD);
            peer->held[peer->held_count++] = x;
            return;
        }
        struct vl_reply reply = {
            .status = answer->status,
            .type = answer->type ? answer->type : "application/json",
            .body = vl_str_z(answer->body),
        };
        vl_reply_add(&reply, "request-id", VL_STR("request-of-the-peer"));
        if (answer->retry_after)
            vl_reply_add(&reply, "Retry-After", vl_str_z(answer->retry_after));
        if (answer->challenge)
            vl_reply_add(&reply, "WWW-Authenticate",
                         vl_str_z(answer->challenge));
        if (answer->location)
            vl_reply_add(&reply, "Location", vl_str_z(answer->location));
        vl_exchange_reply(x, &reply);
        return;
    }
    peer->strays++;
    vl_exchange_reply(x, &(struct vl_reply){.status = 404});
}

static inline size_t
peer_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return VL_LIMIT_FETCH_BODY;
}

static inline void
peer_open(struct peer *peer, struct vl_loop *loop)
{
    unsigned port = 0;
    *peer = (struct peer){.site = {peer_body_max, peer_handle, peer}};
    peer->server =
        vl_http_server_new(loop, &peer->site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(vl_http_server_listen(peer->server, "127.0.0.1", 0, &port, NULL));
    (void)snprintf(peer->origin, sizeof peer->origin, "http://127.0.0.1:%u",
                   port);
}

static inline void
peer_close(struct peer *peer)
{
    for (size_t i = 0; i < peer->held_count; i++)
        vl_exchange_reply(peer->held[i], &(struct vl_reply){.status = 503});
    vl_http_server_free(peer->server);
    for (size_t i = 0; i < peer->route_count; i++) {
        struct peer_route *route = &peer->routes[i];
        vl_buf_done(&route->body);
        vl_buf_done(&route->query);
        vl_buf_done(&route->bearer);
        vl_buf_done(&route->correlation);
    }
}

/* Its path is borrowed. */
static inline struct peer_route *
peer_add(struct peer *peer, const char *path)
{
    assert_true(peer->route_count < PEER_ROUTES);
    struct peer_route *route = &peer->routes[peer->route_count++];
    route->path = path;
    return route;
}

/* Forgets the script; what follows are the answers from now on. */
static inline void
peer_reset(struct peer_route *route)
{
    route->count = 0;
    route->asked = 0;
}

static inline void
peer_say(struct peer_route *route, struct peer_answer answer)
{
    assert_true(route->count < PEER_ANSWERS);
    route->answers[route->count++] = answer;
}

#endif
