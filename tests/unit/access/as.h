/* SPDX-License-Identifier: Apache-2.0
 *
 * An authorization server on loopback, and the documents of an MCP server that
 * it protects. Its state is one struct without pointers, so that a test can
 * put it where several processes see it.
 */
#ifndef VL_TEST_AS_H
#define VL_TEST_AS_H

#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "http/fetch.h"
#include "http/server.h"
#include "http/url.h"
#include "oauth/pkce.h"
#include "vl_test.h"
#include "json/read.h"

enum { AS_TEXT = 512, AS_CLIENTS = 8 };

struct as_state {
    /* --- how it is --- */
    char origin[64], issuer[64]; /* of its documents; the second may be given */
    char server[64];      /* authorization_servers of the resource's document */
    char scopes[128];     /* scopes_supported of the resource, "" for none */
    char known[64];       /* a client id that is known without registration */
    char granted[128];    /* scope of token answers, "" for none */
    char refuses[64];     /* error of the next redirect */
    char token_error[64]; /* error of each token answer from now on */
    bool no_registration, takes_documents, offers_offline, sends_iss, wrong_iss,
        gives_no_refresh, keeps_refresh, insists_on_port, is_down,
        keeps_refusing;
    int64_t expires_in;
    unsigned loses; /* so many refresh answers, after the rotation */
    bool forgives;  /* the refresh token before the last still does */
    /* --- what it knows --- */
    char clients[AS_CLIENTS][64], redirects[AS_CLIENTS][128];
    unsigned client_count; /* those of 0 to forgotten - 1 are not known now */
    unsigned forgotten;
    char code[64], challenge[64], code_redirect[128];
    char refresh[64], refresh_before[64];
    /* --- what it was asked --- */
    unsigned discoveries, registrations, pages, codes, refreshes, grants,
        unknown_clients;
    char scope[AS_TEXT], resource[AS_TEXT], prompt[64], client[AS_TEXT],
        redirect[AS_TEXT], token_resource[AS_TEXT];
    unsigned serial;
};

struct as {
    struct as_state *state;
    struct vl_http_server *server;
    struct vl_http_site site;
};

static inline void
as_copy(char *to, size_t size, struct vl_str from)
{
    (void)snprintf(to, size, VL_STR_FMT, VL_STR_ARG(from));
}
#define AS_COPY(to, from) as_copy((to), sizeof(to), (from))

/* A connection for each request: when one that was used before is reset,
 * libcurl asks once more by itself. */
static inline void
as_reply(struct vl_exchange *x, int status, const char *body)
{
    struct vl_reply reply = {.status = status,
                             .type = "application/json",
                             .body = vl_str_z(body),
                             .close = true};
    vl_exchange_reply(x, &reply);
}

/* --- documents --- */

static inline void
as_list(struct vl_buf *out, const char *name, const char *words)
{
    struct vl_str rest = vl_str_z(words), word;
    bool comma = false;
    if (!words[0])
        return;
    vl_buf_addf(out, ",\"%s\":[", name);
    while (vl_str_split(&rest, ' ', &word)) {
        vl_buf_addf(out, "%s\"" VL_STR_FMT "\"", comma ? "," : "",
                    VL_STR_ARG(word));
        comma = true;
    }
    vl_buf_addz(out, "]");
}

static inline void
as_resource_document(struct as_state *as, struct vl_exchange *x)
{
    vl_auto(vl_buf) body = vl_buf_of(4096);
    as->discoveries++;
    vl_buf_addf(&body,
                "{\"resource\":\"%s/mcp\",\"authorization_servers\":[\"%s\"]",
                as->origin, as->server);
    as_list(&body, "scopes_supported", as->scopes);
    vl_buf_addz(&body, "}");
    as_reply(x, 200, vl_buf_cstr(&body));
}

static inline void
as_server_document(struct as_state *as, struct vl_exchange *x)
{
    vl_auto(vl_buf) body = vl_buf_of(4096);
    vl_buf_addf(&body,
                "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/authorize\""
                ",\"token_endpoint\":\"%s/token\","
                "\"response_types_supported\":[\"code\"],"
                "\"code_challenge_methods_supported\":[\"S256\"]",
                as->issuer, as->origin, as->origin);
    vl_buf_addz(&body, ",\"token_endpoint_auth_methods_supported\":"
                       "[\"none\",\"client_secret_post\"]");
    if (!as->no_registration)
        vl_buf_addf(&body, ",\"registration_endpoint\":\"%s/register\"",
                    as->origin);
    if (as->takes_documents)
        vl_buf_addz(&body, ",\"client_id_metadata_document_supported\":true");
    if (as->sends_iss)
        vl_buf_addz(&body, ",\"authorization_response_iss_parameter_supported"
                           "\":true");
    if (as->offers_offline)
        as_list(&body, "scopes_supported", "a offline_access");
    vl_buf_addz(&body, "}");
    as_reply(x, 200, vl_buf_cstr(&body));
}

/* --- registration --- */

static inline void
as_register(struct as_state *as, struct vl_exchange *x)
{
    vl_auto(vl_json) doc = {NULL};
    char body[1024], id[64];
    unsigned i = as->client_count++ % AS_CLIENTS;
    assert_ok(vl_json_parse(vl_exchange_request(x)->body, 8, &doc, NULL));
    struct vl_str uri =
        vl_json_str(vl_json_at(vl_json_get(doc.root, "redirect_uris"), 0));
    assert_true(uri.n > 0);
    as->registrations++;
    AS_COPY(as->redirects[i], uri);
    /* By the name of the port, so that no other would give it, too. */
    (void)snprintf(id, sizeof id, "client-%u-" VL_STR_FMT, as->client_count,
                   VL_STR_ARG(vl_str_from(vl_str_z(as->origin),
                                          sizeof "http://127.0.0.1")));
    AS_COPY(as->clients[i], vl_str_z(id));
    (void)snprintf(body, sizeof body,
                   "{\"client_id\":\"%s\",\"redirect_uris\":[\"" VL_STR_FMT
                   "\"],\"token_endpoint_auth_method\":\"none\"}",
                   as->clients[i], VL_STR_ARG(uri));
    as_reply(x, 201, body);
}

/* -1: it is not registered. */
static inline int
as_find_client(struct as_state *as, struct vl_str id)
{
    for (unsigned i = as->forgotten; i < as->client_count && i < AS_CLIENTS;
         i++)
        if (vl_str_eqz(id, as->clients[i]))
            return (int)i;
    return -1;
}

static inline bool
as_is_known(struct as_state *as, struct vl_str id, struct vl_str redirect)
{
    int i = as_find_client(as, id);
    if (i >= 0)
        return !as->insists_on_port || !redirect.n ||
               vl_str_eqz(redirect, as->redirects[i]);
    return (as->known[0] && vl_str_eqz(id, as->known)) ||
           (as->takes_documents && vl_str_starts(id, VL_STR("https://")));
}

/* --- the page: whoever comes has signed in and says yes --- */

static inline void
as_send_back(struct as_state *as, struct vl_exchange *x,
             const struct vl_params *params)
{
    struct vl_reply reply = {.status = 302, .close = true};
    vl_auto(vl_buf) to = vl_buf_of(4096);
    vl_buf_add(&to, vl_params_get(params, "redirect_uri"));
    vl_url_add_param(&to, "state", vl_params_get(params, "state"));
    if (as->refuses[0]) {
        vl_url_add_param(&to, "error", vl_str_z(as->refuses));
        if (!as->keeps_refusing)
            as->refuses[0] = 0;
    } else {
        (void)snprintf(as->code, sizeof as->code, "code-%u", ++as->serial);
        vl_url_add_param(&to, "code", vl_str_z(as->code));
    }
    if (as->wrong_iss)
        vl_url_add_param(&to, "iss", VL_STR("https://evil.example"));
    else if (as->sends_iss)
        vl_url_add_param(&to, "iss", vl_str_z(as->issuer));
    vl_reply_add(&reply, "Location", vl_buf_str(&to));
    vl_exchange_reply(x, &reply);
}

static inline void
as_authorize(struct as_state *as, struct vl_exchange *x)
{
    struct vl_params params;
    assert_ok(vl_params_parse(vl_exchange_request(x)->query,
                              vl_exchange_arena(x), &params, NULL));
    assert_str(vl_params_get(&params, "response_type"), "code");
    assert_str(vl_params_get(&params, "code_challenge_method"), "S256");
    assert_true(vl_params_get(&params, "state").n > 0);
    if (!as_is_known(as, vl_params_get(&params, "client_id"),
                     vl_params_get(&params, "redirect_uri"))) {
        as->unknown_clients++;
        as_reply(x, 400, "{}");
        return;
    }
    as->pages++;
    AS_COPY(as->scope, vl_params_get(&params, "scope"));
    AS_COPY(as->resource, vl_params_get(&params, "resource"));
    AS_COPY(as->prompt, vl_params_get(&params, "prompt"));
    AS_COPY(as->client, vl_params_get(&params, "client_id"));
    AS_COPY(as->redirect, vl_params_get(&params, "redirect_uri"));
    AS_COPY(as->code_redirect, vl_params_get(&params, "redirect_uri"));
    AS_COPY(as->challenge, vl_params_get(&params, "code_challenge"));
    as_send_back(as, x, &params);
}

/* --- tokens --- */

static inline void
as_refuse(struct vl_exchange *x, const char *error)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"error\":\"%s\"}", error);
    as_reply(x, strcmp(error, "invalid_client") == 0 ? 401 : 400, body);
}

static inline void
as_give(struct as_state *as, struct vl_exchange *x, bool rotates, bool is_lost)
{
    vl_auto(vl_buf) body = vl_buf_of(4096);
    vl_buf_addf(&body,
                "{\"access_token\":\"access-%u\",\"token_type\":"
                "\"Bearer\"",
                ++as->serial);
    if (as->expires_in)
        vl_buf_addf(&body, ",\"expires_in\":%lld", (long long)as->expires_in);
    if (as->granted[0])
        vl_buf_addf(&body, ",\"scope\":\"%s\"", as->granted);
    if (rotates) {
        (void)snprintf(as->refresh_before, sizeof as->refresh_before, "%s",
                       as->refresh);
        (void)snprintf(as->refresh, sizeof as->refresh, "refresh-%u",
                       as->serial);
        vl_buf_addf(&body, ",\"refresh_token\":\"%s\"", as->refresh);
    }
    vl_buf_addz(&body, "}");
    if (is_lost)
        vl_exchange_reset(x);
    else
        as_reply(x, 200, vl_buf_cstr(&body));
}

static inline void
as_redeem_code(struct as_state *as, struct vl_exchange *x,
               const struct vl_params *params)
{
    as->codes++;
    if (!as->code[0] || !vl_str_eqz(vl_params_get(params, "code"), as->code) ||
        !vl_str_eqz(vl_params_get(params, "redirect_uri"), as->code_redirect) ||
        !vl_pkce_verify(vl_params_get(params, "code_verifier"),
                        vl_str_z(as->challenge))) {
        as_refuse(x, "invalid_grant");
        return;
    }
    as->code[0] = 0;
    as_give(as, x, !as->gives_no_refresh, false);
}

static inline void
as_redeem_refresh(struct as_state *as, struct vl_exchange *x,
                  const struct vl_params *params)
{
    struct vl_str token = vl_params_get(params, "refresh_token");
    as->refreshes++;
    bool is_right = (as->refresh[0] && vl_str_eqz(token, as->refresh)) ||
                    (as->forgives && vl_str_eqz(token, as->refresh_before));
    if (!is_right) {
        as_refuse(x, "invalid_grant");
        return;
    }
    bool is_lost = as->loses > 0;
    if (is_lost)
        as->loses--;
    as_give(as, x, !as->keeps_refresh, is_lost);
}

static inline void
as_token(struct as_state *as, struct vl_exchange *x)
{
    struct vl_params params;
    assert_ok(vl_params_parse(vl_exchange_request(x)->body,
                              vl_exchange_arena(x), &params, NULL));
    struct vl_str grant = vl_params_get(&params, "grant_type");
    AS_COPY(as->token_resource, vl_params_get(&params, "resource"));
    if (as->token_error[0]) {
        as_refuse(x, as->token_error);
    } else if (!as_is_known(as, vl_params_get(&params, "client_id"),
                            (struct vl_str){NULL, 0})) {
        as->unknown_clients++;
        as_refuse(x, "invalid_client");
    } else if (vl_str_eqz(grant, "authorization_code")) {
        as_redeem_code(as, x, &params);
    } else if (vl_str_eqz(grant, "refresh_token")) {
        as_redeem_refresh(as, x, &params);
    } else {
        assert_str(grant, "client_credentials");
        AS_COPY(as->scope, vl_params_get(&params, "scope"));
        as->grants++;
        as_give(as, x, false, false);
    }
}

/* --- life --- */

static inline void
as_handle(struct vl_exchange *x, void *ctx)
{
    struct as_state *as = ((struct as *)ctx)->state;
    struct vl_str path = vl_exchange_request(x)->path;
    if (as->is_down)
        vl_exchange_reset(x);
    else if (vl_str_eqz(path, "/.well-known/oauth-protected-resource/mcp"))
        as_resource_document(as, x);
    else if (vl_str_eqz(path, "/.well-known/oauth-authorization-server"))
        as_server_document(as, x);
    else if (vl_str_eqz(path, "/register"))
        as_register(as, x);
    else if (vl_str_eqz(path, "/authorize"))
        as_authorize(as, x);
    else if (vl_str_eqz(path, "/token"))
        as_token(as, x);
    else
        as_reply(x, 404, "{}");
}

static inline size_t
as_body_max(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return VL_LIMIT_FORM_BODY;
}

static inline void
as_open(struct as *as, struct as_state *state, struct vl_loop *loop)
{
    unsigned port = 0;
    *as = (struct as){.state = state, .site = {as_body_max, as_handle, as}};
    as->server = vl_http_server_new(loop, &as->site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(vl_http_server_listen(as->server, "127.0.0.1", 0, &port, NULL));
    char *addresses[] = {state->origin, state->issuer, state->server};
    for (size_t i = 0; i < VL_COUNT(addresses); i++)
        (void)snprintf(addresses[i], sizeof state->origin,
                       "http://127.0.0.1:%u", port);
}

static inline void
as_close(struct as *as)
{
    vl_http_server_free(as->server);
}

/* --- a browser: follows what it is sent to --- */

struct as_browser {
    struct vl_fetcher *fetcher;
    struct vl_fetch *fetch;
    struct vl_buf next;
    unsigned opened;
};

static inline void as_browser_go(struct as_browser *browser, struct vl_str url);

static inline void
as_browser_came(valet_status status, const struct vl_fetch_answer *answer,
                const valet_error *err, void *ctx)
{
    struct as_browser *browser = ctx;
    (void)err;
    browser->fetch = NULL;
    if (status != VALET_OK || answer->status != 302)
        return;
    as_browser_go(browser, vl_headers_get(answer->headers, "location"));
}

static inline void
as_browser_go(struct as_browser *browser, struct vl_str url)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_SIGN_IN_URL);
    vl_buf_add(&text, url);
    vl_fetch_abort(&browser->fetch);
    browser->fetch = vl_fetch_start(
        browser->fetcher,
        &(struct vl_fetch_request){
            .method = "GET", .url = vl_buf_cstr(&text), .attempts = 1},
        as_browser_came, browser);
}

#endif
