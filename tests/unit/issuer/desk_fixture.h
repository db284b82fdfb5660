/* SPDX-License-Identifier: Apache-2.0
 *
 * A token desk with everything around it, in one loop: a real HTTP server, a
 * store in memory (or one that fails), a provider that says what the test
 * wants, a clock that the test moves, and small browsers and clients.
 */
#ifndef DESK_FIXTURE_H
#define DESK_FIXTURE_H

#include <stdio.h>
#include <unistd.h>

#include "core/enc.h"
#include "http/server.h"
#include "http/url.h"
#include "issuer/desk.h"
#include "issuer/issuer.h"
#include "oauth/pkce.h"
#include "json/read.h"

#define ISSUER    "http://localhost:3001"
#define RESOURCE  ISSUER "/mcp"
#define RESOURCE2 ISSUER "/other/mcp"
#define CALLBACK  "http://127.0.0.1:7777/cb"
#define CALLBACK2 "https://client.example/second?x=1"
#define CLIENT    "test-client"
#define TID       "aaaaaaaa-0000-4000-8000-000000000001"
#define OID       "bbbbbbbb-0000-4000-8000-000000000002"
/* RFC 7636 appendix B. */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

/* --- the provider --- */

enum job_kind { JOB_NONE, JOB_BEGIN, JOB_REDEEM, JOB_REFRESH };

struct fake_idp {
    struct vl_idp idp; /* first */
    struct vl_loop *loop;
    const struct vl_clock *clock;
    valet_status begin_status, redeem_status, refresh_status;
    bool no_refresh_token;
    char state[64], nonce[64], challenge[64];      /* of the last begin */
    char code[64], verifier[64], redeem_nonce[64]; /* of the last redeem */
    char oid[VL_GUID_SIZE];
    unsigned begun, redeemed, refreshed;
    struct vl_list jobs;
    struct fake_job {
        struct vl_task task;
        struct vl_list node;
        struct fake_idp *idp; /* NULL: it was freed and is silent */
        enum job_kind kind;
        vl_idp_begin_done *begin;
        vl_idp_redeem_done *redeem;
        vl_idp_refresh_done *refresh;
        void *ctx;
    } * held;  /* answered by release_held() */
    bool hold; /* do not answer */
};

static inline void
note(char *to, size_t size, struct vl_str text)
{
    (void)snprintf(to, size, VL_STR_FMT, VL_STR_ARG(text));
}

static inline void
make_tokens(struct fake_idp *idp, const char *name, struct vl_idp_tokens *ret)
{
    char text[64];
    unsigned turn = idp->redeemed + idp->refreshed;
    (void)snprintf(text, sizeof text, "ENTRA-CANARY-%s-%u", name, turn);
    ret->access.secret = vl_secret_of(vl_str_z(text));
    (void)snprintf(text, sizeof text, "ENTRA-CANARY-refresh-%u", turn);
    if (!idp->no_refresh_token)
        ret->refresh.secret = vl_secret_of(vl_str_z(text));
    ret->expires_ms = vl_clock_now(idp->clock) + 3600000;
}

static inline void
run_job(struct vl_task *task)
{
    struct fake_job *job = VL_CONTAINER(task, struct fake_job, task);
    struct fake_idp *idp = job->idp;
    valet_error err = {0};
    struct vl_idp_tokens tokens = {0};
    vl_list_remove(&job->node);
    if (!idp) {
        free(job);
        return;
    }
    if (job->kind == JOB_BEGIN) {
        char url[256];
        (void)snprintf(url, sizeof url,
                       "https://login.example/authorize?state=%s", idp->state);
        job->begin(idp->begin_status, vl_str_z(url), &err, job->ctx);
    } else if (job->kind == JOB_REDEEM) {
        struct vl_idp_person person = {.user = {.tid = TID},
                                       .name = VL_STR("Ada"),
                                       .username = VL_STR("ada@c.example")};
        memcpy(person.user.oid, idp->oid, sizeof person.user.oid);
        if (idp->redeem_status == VALET_OK)
            make_tokens(idp, "access", &tokens);
        job->redeem(idp->redeem_status, &person, &tokens, &err, job->ctx);
    } else {
        if (idp->refresh_status == VALET_OK)
            make_tokens(idp, "renewed", &tokens);
        job->refresh(idp->refresh_status, &tokens, &err, job->ctx);
    }
    vl_idp_tokens_done(&tokens);
    free(job);
}

/* What freeing a provider does: it owes nobody a call any more. */
static inline void
silence(struct fake_idp *idp)
{
    VL_LIST_EACH (node, &idp->jobs) {
        struct fake_job *job = VL_CONTAINER(node, struct fake_job, node);
        vl_list_remove(node);
        job->idp = NULL;
        if (job == idp->held)
            free(job);
    }
    idp->held = NULL;
}

static inline struct fake_job *
post_job(struct vl_idp *base, enum job_kind kind, void *ctx)
{
    struct fake_idp *idp = (struct fake_idp *)(void *)base;
    struct fake_job *job = vl_alloc(sizeof *job);
    job->task.run = run_job;
    job->idp = idp;
    job->kind = kind;
    job->ctx = ctx;
    vl_list_add_last(&idp->jobs, &job->node);
    if (idp->hold) {
        assert_null(idp->held);
        idp->held = job;
    } else {
        vl_loop_post(idp->loop, &job->task);
    }
    return job;
}

static inline void
fake_begin(struct vl_idp *base, const struct vl_idp_begin *in,
           vl_idp_begin_done *done, void *ctx)
{
    struct fake_idp *idp = (struct fake_idp *)(void *)base;
    idp->begun++;
    note(idp->state, sizeof idp->state, in->state);
    note(idp->nonce, sizeof idp->nonce, in->nonce);
    note(idp->challenge, sizeof idp->challenge, in->code_challenge);
    post_job(base, JOB_BEGIN, ctx)->begin = done;
}

static inline void
fake_redeem(struct vl_idp *base, const struct vl_idp_redeem *in,
            vl_idp_redeem_done *done, void *ctx)
{
    struct fake_idp *idp = (struct fake_idp *)(void *)base;
    idp->redeemed++;
    note(idp->code, sizeof idp->code, in->code);
    note(idp->verifier, sizeof idp->verifier,
         vl_secret_reveal(in->code_verifier));
    note(idp->redeem_nonce, sizeof idp->redeem_nonce, in->nonce);
    post_job(base, JOB_REDEEM, ctx)->redeem = done;
}

static inline void
fake_refresh(struct vl_idp *base, const struct vl_upstream_token *refresh,
             vl_idp_refresh_done *done, void *ctx)
{
    struct fake_idp *idp = (struct fake_idp *)(void *)base;
    idp->refreshed++;
    assert_true(vl_str_starts(vl_secret_reveal(&refresh->secret),
                              VL_STR("ENTRA-CANARY-refresh-")));
    post_job(base, JOB_REFRESH, ctx)->refresh = done;
}

static const struct vl_idp_ops fake_ops = {"Test Sign-In", fake_begin,
                                           fake_redeem, fake_refresh};

/* --- the desk --- */

struct desk {
    struct vl_desk_limits *limits;
    int64_t now;
    struct vl_clock clock;
    struct vl_loop *loop;
    struct vl_keyring *ring;
    struct vl_store *store;
    struct vl_audit *audit;
    char audit_path[64];
    struct fake_idp idp;
    struct vl_issuer_config config;
    struct vl_issuer *issuer;
    struct vl_http_site site;
    struct vl_http_server *server;
    unsigned port;
    const char *peer; /* requests come from there; NULL: from where they do */
    char ended[VL_SESSION_ID_SIZE];
    unsigned ends;
};

static inline int64_t
desk_now(void *ctx)
{
    return ((struct desk *)ctx)->now;
}

static inline size_t
site_body_max(const struct vl_http_request *head, void *ctx)
{
    struct desk *desk = ctx;
    size_t max = 0;
    return vl_issuer_owns(desk->issuer, head->path, &max) ? max : 0;
}

static inline void
site_handle(struct vl_exchange *x, void *ctx)
{
    struct desk *desk = ctx;
    const struct vl_http_request *request = vl_exchange_request(x);
    if (desk->peer)
        ((struct vl_http_request *)(uintptr_t)request)->peer = desk->peer;
    vl_issuer_handle(desk->issuer, x);
}

static inline void
on_end(const char *session, void *ctx)
{
    struct desk *desk = ctx;
    (void)snprintf(desk->ended, sizeof desk->ended, "%s", session);
    desk->ends++;
}

static const char *const client_uris[] = {"http://127.0.0.1/cb", CALLBACK2,
                                          "cursor://a.b/cb"};
static const struct vl_issuer_client known_clients[] = {
    {CLIENT, "Test <Client>", client_uris, VL_COUNT(client_uris)},
    {"other-client", "Other", client_uris, VL_COUNT(client_uris)}};

static inline void
desk_start_issuer(struct desk *desk)
{
    vl_desk_limits_free(desk->limits);
    desk->limits = vl_desk_limits_new(&desk->config, &desk->clock);
    struct vl_issuer_deps deps = {.loop = desk->loop,
                                  .store = desk->store,
                                  .ring = desk->ring,
                                  .clock = &desk->clock,
                                  .idp = &desk->idp.idp,
                                  .audit = desk->audit,
                                  .limits = desk->limits};
    desk->issuer = vl_issuer_new(&deps, &desk->config);
    vl_issuer_on_end(desk->issuer, on_end, desk);
}

static inline void
desk_configure(struct desk *desk)
{
    desk->config =
        (struct vl_issuer_config){.issuer = ISSUER,
                                  .resources = {RESOURCE, RESOURCE2},
                                  .resource_count = 2,
                                  .scopes = "mcp.tools.read",
                                  .clients = known_clients,
                                  .client_count = VL_COUNT(known_clients),
                                  .registration_dynamic = true,
                                  .registration_max = 5,
                                  .registration_per_address_per_hour = 8,
                                  .registration_unused_ms = 3600000,
                                  .access_token_ms = 600000,
                                  .refresh_token_ms = 86400000,
                                  .session_max_ms = INT64_C(7) * 86400000};
}

static inline struct desk *
desk_new_with(struct vl_store *(*open)(const struct vl_keyring *ring,
                                       const struct vl_clock *clock))
{
    struct desk *desk = vl_alloc(sizeof *desk);
    desk->now = INT64_C(1800000000000);
    desk->clock = (struct vl_clock){desk_now, desk};
    assert_ok(vl_loop_new(&desk->loop, NULL));
    desk->ring = vl_keyring_new_random();
    desk->store = open(desk->ring, &desk->clock);
    (void)snprintf(desk->audit_path, sizeof desk->audit_path,
                   "/tmp/vl_desk_audit_XXXXXX");
    int fd = mkstemp(desk->audit_path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_ok(
        vl_audit_open(desk->audit_path, &desk->clock, &desk->audit, NULL));
    desk->idp.idp.ops = &fake_ops;
    vl_list_init(&desk->idp.jobs);
    desk->idp.loop = desk->loop;
    desk->idp.clock = &desk->clock;
    (void)snprintf(desk->idp.oid, sizeof desk->idp.oid, "%s", OID);
    desk_configure(desk);
    desk_start_issuer(desk);
    desk->site = (struct vl_http_site){site_body_max, site_handle, desk};
    desk->server =
        vl_http_server_new(desk->loop, &desk->site, &VL_HTTP_LIMITS_DEFAULT);
    assert_ok(
        vl_http_server_listen(desk->server, "127.0.0.1", 0, &desk->port, NULL));
    return desk;
}

static inline struct desk *
desk_new(void)
{
    return desk_new_with(vl_store_open_memory);
}

/* The same store, keys and clock; as after a restart. */
static inline void
desk_restart_issuer(struct desk *desk)
{
    silence(&desk->idp);
    vl_issuer_free(desk->issuer);
    desk_start_issuer(desk);
}

static inline void
desk_free(struct desk *desk)
{
    silence(&desk->idp);
    vl_issuer_free(desk->issuer);
    vl_http_server_free(desk->server);
    vl_store_close(desk->store);
    vl_desk_limits_free(desk->limits);
    vl_loop_free(desk->loop);
    vl_audit_close(desk->audit);
    vl_keyring_free(desk->ring);
    (void)unlink(desk->audit_path);
    free(desk);
}

static inline bool
desk_audited(struct desk *desk, const char *event, const char *reason)
{
    vl_auto(vl_buf) text = vl_buf_of(1 << 22);
    vl_audit_flush(desk->audit);
    assert_ok(vl_file_read(desk->audit_path, false, &text, NULL));
    struct vl_str rest = vl_buf_str(&text), line;
    while (vl_str_split(&rest, '\n', &line)) {
        vl_auto(vl_json) doc = {NULL};
        if (line.n == 0)
            continue;
        assert_ok(vl_json_parse(line, 8, &doc, NULL));
        if (vl_str_eqz(vl_json_get_str(doc.root, "event"), event) &&
            (!reason ||
             vl_str_eqz(vl_json_get_str(doc.root, "reason"), reason)))
            return true;
    }
    return false;
}

#define assert_audited(desk, event, reason)                                    \
    do {                                                                       \
        const char *reason_ = (reason);                                        \
        if (!desk_audited((desk), (event), reason_))                           \
            fail_msg("no audit line %s %s", (event), reason_ ? reason_ : "");  \
    } while (0)

/* --- talking HTTP --- */

struct answer {
    int status;
    bool ended;
    struct vl_buf raw;
    struct vl_str head, body;
    struct vl_stream *stream;
};

static inline void
answer_done(struct answer *answer)
{
    vl_buf_done(&answer->raw);
}

static inline void
answer_read(struct vl_str bytes, void *ctx)
{
    vl_buf_add(&((struct answer *)ctx)->raw, bytes);
}

static inline void
answer_ended(valet_status status, void *ctx)
{
    struct answer *answer = ctx;
    (void)status;
    answer->ended = true;
    vl_stream_close(answer->stream);
}

static const struct vl_stream_events answer_events = {answer_read, answer_ended,
                                                      NULL};

struct pending {
    struct vl_str request;
    struct answer *answer;
};

static inline void
connected(struct vl_stream *stream, void *ctx)
{
    struct pending *pending = ctx;
    assert_non_null(stream);
    pending->answer->stream = stream;
    vl_stream_attach(stream, &answer_events, pending->answer);
    vl_stream_write(stream, pending->request);
}

static inline struct vl_str
header_of(const struct answer *answer, const char *name, size_t nth)
{
    struct vl_str rest = answer->head, line;
    while (vl_str_split(&rest, '\n', &line)) {
        size_t colon = vl_str_index(line, ':');
        struct vl_str value = vl_str_from(line, colon + 1);
        if (!vl_str_ieq(vl_str_head(line, colon), vl_str_z(name)) || nth--)
            continue;
        if (vl_str_ends(value, VL_STR("\r")))
            value.n--;
        return vl_str_trim(value);
    }
    return (struct vl_str){NULL, 0};
}

static inline void
parse_answer(struct answer *answer)
{
    struct vl_str all = vl_buf_str(&answer->raw);
    size_t i = 0;
    uint64_t status = 0;
    while (i + 4 <= all.n && memcmp(all.p + i, "\r\n\r\n", 4) != 0)
        i++;
    assert_true(i + 4 <= all.n);
    answer->head = vl_str_head(all, i + 2);
    answer->body = vl_str_from(all, i + 4);
    assert_true(vl_str_u64(vl_str_head(vl_str_from(all, 9), 3), 999, &status));
    answer->status = (int)status;
}

/* Sends a request and runs the loop until it is answered. */
static inline struct answer
desk_send(struct desk *desk, struct vl_str request)
{
    struct answer *answer = vl_alloc(sizeof *answer);
    struct pending pending = {request, answer};
    answer->raw = vl_buf_of(1 << 20);
    assert_ok(vl_stream_connect(desk->loop, "127.0.0.1", desk->port, connected,
                                &pending, NULL, NULL));
    for (int i = 0; i < 10000 && !answer->ended; i++)
        vl_loop_step(desk->loop);
    assert_true(answer->ended);
    parse_answer(answer);
    struct answer result = *answer;
    free(answer);
    return result;
}

#define BROWSER_COOKIES 6
struct browser {
    char cookies[BROWSER_COOKIES][128]; /* name=value */
    char flow[64], csrf[80];            /* of the last consent page */
};

static inline void
browser_take(struct browser *browser, struct vl_str set_cookie)
{
    struct vl_str pair = vl_str_head(set_cookie, vl_str_index(set_cookie, ';'));
    size_t name = vl_str_index(pair, '=') + 1;
    bool is_removal = name == pair.n;
    for (size_t i = 0; i < BROWSER_COOKIES; i++) {
        char *slot = browser->cookies[i];
        if (slot[0] && strncmp(slot, pair.p, name) != 0)
            continue;
        if (!slot[0] && is_removal)
            continue;
        note(slot, sizeof browser->cookies[i], is_removal ? VL_STR("") : pair);
        return;
    }
}

static inline struct answer
desk_request(struct desk *desk, struct browser *browser, const char *method,
             const char *target, const char *headers, const char *body)
{
    vl_auto(vl_buf) out = vl_buf_of(1 << 20);
    vl_buf_addf(&out, "%s %s HTTP/1.1\r\nHost: localhost:3001\r\n", method,
                target);
    vl_buf_addf(&out, "Connection: close\r\n%s", headers);
    bool any = false;
    for (size_t i = 0; browser && i < BROWSER_COOKIES; i++) {
        if (!browser->cookies[i][0])
            continue;
        vl_buf_addf(&out, "%s%s", any ? "; " : "Cookie: ", browser->cookies[i]);
        any = true;
    }
    vl_buf_addz(&out, any ? "\r\n" : "");
    if (body)
        vl_buf_addf(&out, "Content-Length: %zu\r\n", strlen(body));
    vl_buf_addf(&out, "\r\n%s", body ? body : "");
    assert_ok(vl_buf_check(&out, NULL));
    struct answer answer = desk_send(desk, vl_buf_str(&out));
    struct vl_str cookie;
    for (size_t i = 0;
         browser && (cookie = header_of(&answer, "Set-Cookie", i)).p; i++)
        browser_take(browser, cookie);
    return answer;
}

static inline struct answer
desk_get(struct desk *desk, struct browser *browser, const char *target)
{
    return desk_request(desk, browser, "GET", target, "", NULL);
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static inline struct answer
desk_post(struct desk *desk, struct browser *browser, const char *target,
          const char *body)
{
    return desk_request(desk, browser, "POST", target, FORM, body);
}

/* --- what was answered --- */

static inline bool
has_text(struct vl_str where, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= where.n; i++)
        if (memcmp(where.p + i, what, n) == 0)
            return true;
    return false;
}

/* What stands between `before` and the next `end`. */
static inline void
cut_text(struct vl_str where, const char *before, char end, char *ret,
         size_t size)
{
    size_t n = strlen(before), i = 0;
    while (i + n <= where.n && memcmp(where.p + i, before, n) != 0)
        i++;
    assert_true(i + n <= where.n);
    struct vl_str rest = vl_str_from(where, i + n);
    note(ret, size, vl_str_head(rest, vl_str_index(rest, end)));
}

/* The parameter of a URL's query, decoded. */
static inline bool
url_param(struct vl_str url, const char *name, char *ret, size_t size)
{
    struct vl_arena arena = vl_arena_of(65536);
    struct vl_params params;
    size_t at = vl_str_index(url, '?');
    assert_ok(vl_params_parse(vl_str_from(url, at + 1), &arena, &params, NULL));
    struct vl_str value = vl_params_get(&params, name);
    note(ret, size, value);
    vl_arena_done(&arena);
    return value.p != NULL;
}

static inline void
json_text(const struct answer *answer, const char *name, char *ret, size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(answer->body, 16, &doc, NULL));
    note(ret, size, vl_json_get_str(doc.root, name));
}

#define assert_oauth_error(answer, code, name)                                 \
    do {                                                                       \
        char oauth_error_[64];                                                 \
        assert_int_equal((answer).status, (code));                             \
        json_text(&(answer), "error", oauth_error_, sizeof oauth_error_);      \
        assert_string_equal(oauth_error_, (name));                             \
        assert_str(header_of(&(answer), "Cache-Control", 0), "no-store");      \
    } while (0)

/* --- the dance, step by step --- */

#define AUTHORIZE(client, redirect, more)                                      \
    "/authorize?response_type=code&client_id=" client                          \
    "&redirect_uri=" redirect "&code_challenge=" CHALLENGE                     \
    "&code_challenge_method=S256&state=client-state" more
#define AUTHORIZE_DEFAULT AUTHORIZE(CLIENT, CALLBACK, "")

static inline void
open_consent(struct desk *desk, struct browser *browser, const char *target)
{
    struct answer answer = desk_get(desk, browser, target);
    assert_int_equal(answer.status, 200);
    cut_text(answer.body, "name=\"flow\" value=\"", '"', browser->flow,
             sizeof browser->flow);
    cut_text(answer.body, "name=\"csrf\" value=\"", '"', browser->csrf,
             sizeof browser->csrf);
    answer_done(&answer);
}

static inline struct answer
decide(struct desk *desk, struct browser *browser, const char *decision)
{
    char body[512];
    (void)snprintf(body, sizeof body, "flow=%s&csrf=%s&decision=%s",
                   browser->flow, browser->csrf, decision);
    return desk_request(desk, browser, "POST", "/authorize/consent",
                        FORM "Origin: http://localhost:3001\r\n"
                             "Sec-Fetch-Site: same-origin\r\n",
                        body);
}

static inline void
approve(struct desk *desk, struct browser *browser)
{
    struct answer answer = decide(desk, browser, "approve");
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
}

static inline struct answer
come_back(struct desk *desk, struct browser *browser)
{
    char target[512];
    (void)snprintf(target, sizeof target,
                   "/auth/callback?code=UPSTREAM-CODE&state=%s",
                   desk->idp.state);
    return desk_get(desk, browser, target);
}

/* From the client's link to its code. */
static inline void
sign_in(struct desk *desk, const char *target, char *ret_code, size_t size)
{
    struct browser browser = {0};
    open_consent(desk, &browser, target);
    approve(desk, &browser);
    struct answer answer = come_back(desk, &browser);
    assert_int_equal(answer.status, 302);
    assert_true(
        url_param(header_of(&answer, "Location", 0), "code", ret_code, size));
    answer_done(&answer);
}

static inline struct answer
redeem_as(struct desk *desk, const char *client, const char *redirect,
          const char *code, const char *verifier)
{
    vl_auto(vl_buf) body = vl_buf_of(8192);
    vl_form_add(&body, "grant_type", VL_STR("authorization_code"));
    vl_form_add(&body, "client_id", vl_str_z(client));
    vl_form_add(&body, "redirect_uri", vl_str_z(redirect));
    vl_form_add(&body, "code", vl_str_z(code));
    vl_form_add(&body, "code_verifier", vl_str_z(verifier));
    return desk_post(desk, NULL, "/token", vl_buf_cstr(&body));
}

static inline struct answer
redeem(struct desk *desk, const char *code)
{
    return redeem_as(desk, CLIENT, CALLBACK, code, VERIFIER);
}

static inline struct answer
refresh_as(struct desk *desk, const char *client, const char *token,
           const char *more)
{
    char body[1024];
    (void)snprintf(body, sizeof body,
                   "grant_type=refresh_token&client_id=%s&refresh_token=%s%s",
                   client, token, more);
    return desk_post(desk, NULL, "/token", body);
}

#define TOKEN_SIZE 128
struct tokens {
    char access[TOKEN_SIZE], refresh[TOKEN_SIZE];
};

static inline struct tokens
take_tokens(struct answer *answer)
{
    struct tokens tokens;
    assert_int_equal(answer->status, 200);
    json_text(answer, "access_token", tokens.access, sizeof tokens.access);
    json_text(answer, "refresh_token", tokens.refresh, sizeof tokens.refresh);
    answer_done(answer);
    return tokens;
}

static inline struct tokens
get_tokens(struct desk *desk)
{
    char code[TOKEN_SIZE];
    sign_in(desk, AUTHORIZE_DEFAULT, code, sizeof code);
    struct answer answer = redeem(desk, code);
    return take_tokens(&answer);
}

/* --- asking the desk about a token --- */

struct asked {
    bool done;
    valet_status status;
    struct vl_principal principal;
    char reason[64];
};

static inline void
looked_up(valet_status status, const struct vl_principal *principal,
          const char *reason, void *ctx)
{
    struct asked *asked = ctx;
    assert_false(asked->done);
    asked->done = true;
    asked->status = status;
    if (principal)
        asked->principal = *principal;
    (void)snprintf(asked->reason, sizeof asked->reason, "%s", reason);
}

static inline void
run_until(struct desk *desk, const bool *done)
{
    for (int i = 0; i < 10000 && !*done; i++)
        vl_loop_step(desk->loop);
    assert_true(*done);
}

/* As the gateway does: from memory, else from the store. */
static inline struct asked
ask(struct desk *desk, const char *token, const char *resource)
{
    struct asked asked = {0};
    const struct vl_principal *principal = NULL;
    const char *reason = "";
    asked.status = vl_issuer_verdict(desk->issuer, vl_str_z(token),
                                     vl_str_z(resource), &principal, &reason);
    if (asked.status == VALET_RETRY) {
        vl_issuer_look_up(desk->issuer, vl_str_z(token), vl_str_z(resource),
                          looked_up, &asked);
        assert_false(asked.done);
        run_until(desk, &asked.done);
        return asked;
    }
    if (principal)
        asked.principal = *principal;
    (void)snprintf(asked.reason, sizeof asked.reason, "%s", reason);
    return asked;
}

struct lent {
    bool done;
    valet_status status;
    char token[64];
};

static inline void
was_lent(valet_status status, const struct vl_upstream_token *token,
         const valet_error *err, void *ctx)
{
    struct lent *lent = ctx;
    (void)err;
    assert_false(lent->done);
    lent->done = true;
    lent->status = status;
    if (token)
        note(lent->token, sizeof lent->token, vl_secret_reveal(&token->secret));
}

static inline struct lent
lease(struct desk *desk, const char *session, bool force)
{
    struct lent lent = {0};
    vl_issuer_lease(desk->issuer, session, force, was_lent, &lent);
    assert_false(lent.done);
    run_until(desk, &lent.done);
    return lent;
}

#endif
