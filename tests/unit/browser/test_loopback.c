/* SPDX-License-Identifier: Apache-2.0
 *
 * The listener for the redirect, asked by the person's browser and by those
 * who should get nothing from it.
 */
#include "vl_test.h"

#include "browser/inside.h"
#include "browser/loopback.h"
#include "core/buf.h"
#include "core/sys.h"

#define PATIENCE_MS 20000
#define ANSWER_MAX  65536
#define AUTHORIZE   "https://login.example/authorize?state=1&nonce=2"
#define FORM        "application/x-www-form-urlencoded"

struct bench {
    struct vl_loop *loop;
    struct vl_timer *pulse; /* so that no step waits for ever */
    struct vl_loopback *loopback;
    unsigned port;
    int calls;
    bool close_in_callback;
    char code[64], error[64], description[128], suberror[64], iss[64];
};

struct client {
    struct bench *bench;
    struct vl_stream *stream;
    struct vl_buf got;
    bool connecting, ended;
};

static void
pulse(void *ctx)
{
    struct bench *b = ctx;
    vl_timer_start(b->pulse, 5);
}

static void
copy(char *to, size_t size, struct vl_str from)
{
    (void)snprintf(to, size, VL_STR_FMT, VL_STR_ARG(from));
}

static void
on_redirect(const struct vl_redirect *redirect, void *ctx)
{
    struct bench *b = ctx;
    b->calls++;
    copy(b->code, sizeof b->code, redirect->code);
    copy(b->error, sizeof b->error, redirect->error);
    copy(b->description, sizeof b->description, redirect->description);
    copy(b->suberror, sizeof b->suberror, redirect->suberror);
    copy(b->iss, sizeof b->iss, redirect->iss);
    if (b->close_in_callback)
        vl_loopback_close(&b->loopback);
}

static int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->pulse = vl_timer_new(b->loop, pulse, b);
    pulse(b);
    assert_ok(vl_loopback_open(b->loop, on_redirect, b, &b->loopback, NULL));
    assert_int_equal(sscanf(vl_loopback_redirect_uri(b->loopback),
                            "http://localhost:%u", &b->port),
                     1);
    *state = b;
    return 0;
}

static int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_loopback_close(&b->loopback);
    vl_timer_free(b->pulse);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

#define UNTIL(b, condition)                                                    \
    do {                                                                       \
        int64_t until_end_ = vl_mono_now() + PATIENCE_MS;                      \
        while (!(condition)) {                                                 \
            vl_loop_step((b)->loop);                                           \
            if (vl_mono_now() > until_end_)                                    \
                fail_msg("waited in vain for: %s", #condition);                \
        }                                                                      \
    } while (0)

/* --- clients --- */

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct client *c = ctx;
    vl_buf_add(&c->got, bytes);
}

static void
on_end(valet_status status, void *ctx)
{
    struct client *c = ctx;
    (void)status;
    c->ended = true;
}

static const struct vl_stream_events events = {.on_read = on_read,
                                               .on_end = on_end};

static void
on_connect(struct vl_stream *stream, void *ctx)
{
    struct client *c = ctx;
    c->connecting = false;
    c->stream = stream;
    if (stream)
        vl_stream_attach(stream, &events, c);
}

/* False when nobody listens. */
static bool
client_open(struct client *c, struct bench *b, const char *address)
{
    *c = (struct client){.bench = b, .connecting = true};
    c->got = vl_buf_of(ANSWER_MAX);
    assert_ok(vl_stream_connect(b->loop, address, b->port, on_connect, c, NULL,
                                NULL));
    UNTIL(b, !c->connecting);
    return c->stream;
}

static void
client_close(struct client *c)
{
    if (c->stream)
        vl_stream_close(c->stream);
    vl_buf_done(&c->got);
}

/* A request of a browser: `fields` end in CRLF; `host` NULL is the right one.
 * With `body` not NULL it is a form, unless the fields say what it is. */
struct request {
    const char *method, *target, *host, *fields, *body;
    const char *address; /* NULL: 127.0.0.1 */
    bool keep;           /* the connection */
};

static void
client_send(struct client *c, const struct request *r)
{
    vl_auto(vl_buf) text = vl_buf_of(ANSWER_MAX);
    const char *fields = r->fields ? r->fields : "";
    vl_buf_addf(&text, "%s %s HTTP/1.1\r\n", r->method ? r->method : "GET",
                r->target ? r->target : "/");
    if (r->host)
        vl_buf_addf(&text, "Host: %s\r\n", r->host);
    else
        vl_buf_addf(&text, "Host: localhost:%u\r\n", c->bench->port);
    if (!r->keep)
        vl_buf_addz(&text, "Connection: close\r\n");
    vl_buf_addz(&text, fields);
    if (r->body && !strstr(fields, "Content-Type"))
        vl_buf_addz(&text, "Content-Type: " FORM "\r\n");
    if (r->body)
        vl_buf_addf(&text, "Content-Length: %zu\r\n", strlen(r->body));
    vl_buf_addf(&text, "\r\n%s", r->body ? r->body : "");
    assert_ok(vl_buf_check(&text, NULL));
    vl_stream_write(c->stream, vl_buf_str(&text));
}

/* The whole answer; freed by the caller. "" when nobody listens. */
static struct vl_buf
ask(struct bench *b, const struct request *r)
{
    struct client c;
    if (client_open(&c, b, r->address ? r->address : "127.0.0.1")) {
        client_send(&c, r);
        UNTIL(b, c.ended);
    }
    struct vl_buf answer = vl_buf_take(&c.got);
    client_close(&c);
    return answer;
}

/* "200" … or "" */
static const char *
status_of(struct vl_buf *answer)
{
    static char status[4];
    const char *text = vl_buf_cstr(answer);
    copy(status, sizeof status, vl_str_z(strlen(text) > 12 ? text + 9 : ""));
    return status;
}

static bool
has(struct vl_buf *answer, const char *text)
{
    return strstr(vl_buf_cstr(answer), text);
}

#define ASSERT_STATUS(b, wanted, ...)                                          \
    do {                                                                       \
        struct request request_ = {__VA_ARGS__};                               \
        vl_auto(vl_buf) answer_ = ask(b, &request_);                           \
        assert_string_equal(status_of(&answer_), wanted);                      \
    } while (0)

/* "code=…&state=…" with the right state. */
static const char *
with_state(const struct bench *b, const char *rest)
{
    static char text[512];
    struct vl_str state = vl_loopback_state(b->loopback);
    (void)snprintf(text, sizeof text, "%s&state=" VL_STR_FMT, rest,
                   VL_STR_ARG(state));
    return text;
}

static const char *
query_with_state(const struct bench *b, const char *rest)
{
    static char text[520];
    (void)snprintf(text, sizeof text, "/?%s", with_state(b, rest));
    return text;
}

/* The sign-in still waits, and the right redirect gets through. */
static void
assert_still_waits(struct bench *b)
{
    assert_int_equal(b->calls, 0);
    ASSERT_STATUS(b, "200", .method = "POST",
                  .body = with_state(b, "code=the-code"));
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "the-code");
}

/* --- the good ones --- */

/* @spec S-33 */
static void
takes_the_form_of_the_authority(void **state)
{
    struct bench *b = *state;
    struct request r = {
        .method = "POST",
        .body = with_state(b, "code=0.AX%2Ba&session_state=s"),
        .fields = "Origin: https://login.microsoftonline.com\r\n"
                  "Sec-Fetch-Site: cross-site\r\n"
                  "Content-Type: " FORM ";charset=UTF-8\r\n",
    };
    vl_auto(vl_buf) answer = ask(b, &r);
    assert_string_equal(status_of(&answer), "200");
    assert_true(has(&answer, "You can close this window"));
    assert_true(has(&answer, "Content-Security-Policy: default-src 'none'"));
    assert_true(has(&answer, "Cache-Control: no-store"));
    assert_true(has(&answer, "Connection: close"));
    assert_false(has(&answer, "0.AX"));
    assert_false(has(&answer, vl_loopback_state(b->loopback).p));
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "0.AX+a");
    assert_string_equal(b->error, "");
    assert_int_equal(b->calls, 1);
}

static void
takes_a_query_as_well(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "200", .target = query_with_state(b, "code=c-1"));
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "c-1");
}

/* @spec CL-14: RFC 9207. */
static void
tells_who_says_to_have_sent_it(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "200",
                  .target = query_with_state(
                      b, "code=c-1&iss=https%3A%2F%2Fas.example%2Fa"));
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "c-1");
    assert_string_equal(b->iss, "https://as.example/a");
}

static void
tells_who_says_to_have_refused(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "200", .method = "POST",
                  .body = with_state(b, "error=access_denied&iss=x"));
    UNTIL(b, b->calls);
    assert_string_equal(b->error, "access_denied");
    assert_string_equal(b->iss, "x");
}

static void
takes_a_form_without_an_origin_to_tell(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "200", .method = "POST", .fields = "Origin: null\r\n",
                  .body = with_state(b, "code=c-1"));
    UNTIL(b, b->calls);
}

static void
tells_a_refusal_and_shows_nothing_of_it(void **state)
{
    struct bench *b = *state;
    struct request r = {
        .method = "POST",
        .body = with_state(b, "error=access_denied&error_description="
                              "AADSTS65004%3a+<b>no</b>&error_subcode=cancel"),
    };
    vl_auto(vl_buf) answer = ask(b, &r);
    assert_string_equal(status_of(&answer), "200");
    assert_true(has(&answer, "The sign-in did not work"));
    assert_false(has(&answer, "access_denied"));
    assert_false(has(&answer, "65004"));
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "");
    assert_string_equal(b->error, "access_denied");
    assert_string_equal(b->description, "AADSTS65004: <b>no</b>");
    assert_string_equal(b->suberror, "cancel");
}

static void
listens_on_both_loopbacks_where_there_are_two(void **state)
{
    struct bench *b = *state;
    struct client c;
    struct vl_socket *other;
    bool has_v6 = vl_socket_listen("::1", 0, &other, NULL) == VALET_OK;
    if (!has_v6)
        skip();
    vl_socket_free(other);
    assert_true(client_open(&c, b, "::1"));
    client_close(&c);
    ASSERT_STATUS(b, "200", .address = "::1",
                  .target = query_with_state(b, "code=c-1"));
    UNTIL(b, b->calls);
}

static void
may_be_closed_by_its_callback(void **state)
{
    struct bench *b = *state;
    b->close_in_callback = true;
    ASSERT_STATUS(b, "200", .target = query_with_state(b, "code=c-1"));
    UNTIL(b, b->calls);
    assert_null(b->loopback);
}

static void
does_not_call_back_when_it_was_closed(void **state)
{
    struct bench *b = *state;
    struct client c;
    assert_true(client_open(&c, b, "127.0.0.1"));
    client_send(&c,
                &(struct request){.target = query_with_state(b, "code=c-1")});
    vl_loopback_close(&b->loopback);
    UNTIL(b, c.ended);
    client_close(&c);
    assert_int_equal(b->calls, 0);
}

static void
has_another_state_each_time(void **state)
{
    struct bench *b = *state;
    struct vl_loopback *other;
    assert_ok(vl_loopback_open(b->loop, on_redirect, b, &other, NULL));
    struct vl_str one = vl_loopback_state(b->loopback);
    assert_int_equal(one.n, 43); /* 256 bits */
    assert_false(vl_str_eq(one, vl_loopback_state(other)));
    vl_loopback_close(&other);
}

/* --- attacks --- */

/* @spec S-33 */
static void
a_wrong_state_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct vl_str right = vl_loopback_state(b->loopback);
    char near_miss[128];
    (void)snprintf(near_miss, sizeof near_miss, "code=evil&state=%.42s%c",
                   right.p, right.p[42] == 'A' ? 'B' : 'A');
    const char *const forms[] = {
        near_miss,
        "code=evil&state=x",
        "code=evil&state=",
        "code=evil",
        "error=access_denied",
        "error=access_denied&state=x",
        "state=",
        "",
    };
    for (size_t i = 0; i < VL_COUNT(forms); i++) {
        char target[160];
        (void)snprintf(target, sizeof target, "/?%s", forms[i]);
        ASSERT_STATUS(b, "400", .method = "POST", .body = forms[i],
                      .fields = "Origin: https://evil.example\r\n");
        ASSERT_STATUS(b, "400", .target = target);
    }
    for (int i = 0; i < 200; i++)
        ASSERT_STATUS(b, "400", .target = "/?code=evil&state=guess");
    assert_still_waits(b);
}

/* @spec S-33 */
static void
what_is_said_twice_is_not_believed(void **state)
{
    struct bench *b = *state;
    static const char *const forms[] = {
        "code=a&code=b",      "code=a&state=x",
        "code=a&error=x",     "code=&error=",
        "code=a&%63ode=b",    "code=%00",
        "code=%ff",           "a=b",
        "error=a&error=b",    "session_state=only",
        "code=a&iss=b&iss=c", "iss=only",
    };
    for (size_t i = 0; i < VL_COUNT(forms); i++) {
        ASSERT_STATUS(b, "400", .method = "POST",
                      .body = with_state(b, forms[i]));
        ASSERT_STATUS(b, "400", .target = query_with_state(b, forms[i]));
    }
    assert_still_waits(b);
}

/* A form is the body's alone, and a query the URL's. */
static void
half_a_redirect_in_each_place_is_none(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "415", .method = "POST", .body = "code=evil",
                  .target = query_with_state(b, "x=1"));
    ASSERT_STATUS(b, "413", .body = with_state(b, "code=evil"));
    assert_still_waits(b);
}

static void
other_media_types_are_no_form(void **state)
{
    struct bench *b = *state;
    ASSERT_STATUS(b, "415", .method = "POST",
                  .fields = "Content-Type: text/plain\r\n",
                  .body = with_state(b, "code=evil"));
    ASSERT_STATUS(b, "415", .method = "POST",
                  .fields = "Content-Type: application/json\r\n", .body = "{}");
    assert_still_waits(b);
}

/* @spec S-33: DNS rebinding */
static void
a_foreign_host_is_refused_even_with_the_state(void **state)
{
    struct bench *b = *state;
    char other_port[32];
    (void)snprintf(other_port, sizeof other_port, "localhost:%u", b->port ^ 1);
    const char *const hosts[] = {"evil.example", "localhost", "127.0.0.1",
                                 other_port, "[::1]"};
    for (size_t i = 0; i < VL_COUNT(hosts); i++)
        ASSERT_STATUS(b, "403", .host = hosts[i],
                      .target = query_with_state(b, "code=evil"));
    assert_still_waits(b);
}

static void
its_own_names_are_good(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"localhost", "LOCALHOST", "127.0.0.1",
                                        "[::1]"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        char host[32];
        (void)snprintf(host, sizeof host, "%s:%u", names[i], b->port);
        ASSERT_STATUS(b, "400", .host = host); /* not 403 */
    }
}

static void
other_methods_and_paths_get_nothing(void **state)
{
    struct bench *b = *state;
    static const char *const methods[] = {"HEAD", "OPTIONS", "PUT", "DELETE",
                                          "PATCH"};
    for (size_t i = 0; i < VL_COUNT(methods); i++) {
        struct request r = {.method = methods[i],
                            .target = query_with_state(b, "code=evil")};
        vl_auto(vl_buf) answer = ask(b, &r);
        assert_string_equal(status_of(&answer), "405");
        assert_true(has(&answer, "Allow: GET, POST\r\n"));
        assert_false(has(&answer, "Access-Control"));
    }
    ASSERT_STATUS(b, "404", .target = "/favicon.ico");
    ASSERT_STATUS(b, "404", .target = "/index.html");
    ASSERT_STATUS(b, "404", .method = "POST", .target = "/callback",
                  .body = with_state(b, "code=evil"));
    ASSERT_STATUS(b, "404", .target = "/start/");
    ASSERT_STATUS(b, "404", .target = "/start/guess");
    assert_still_waits(b);
}

static void
a_body_too_large_is_refused(void **state)
{
    struct bench *b = *state;
    vl_auto(vl_buf) body = vl_buf_of(40000);
    vl_buf_addz(&body, with_state(b, "code="));
    while (vl_buf_size(&body) <= VL_LIMIT_FORM_BODY)
        vl_buf_addz(&body, "aaaaaaaaaaaaaaaa");
    ASSERT_STATUS(b, "413", .method = "POST", .body = vl_buf_cstr(&body));
    vl_buf_clear(&body);
    vl_buf_addz(&body, query_with_state(b, "code="));
    while (vl_buf_size(&body) <= VL_LIMIT_TARGET)
        vl_buf_addz(&body, "aaaaaaaaaaaaaaaa");
    ASSERT_STATUS(b, "414", .target = vl_buf_cstr(&body));
    assert_still_waits(b);
}

/* @spec S-33 */
static void
who_sends_slowly_holds_nobody_up(void **state)
{
    struct bench *b = *state;
    struct client slow;
    assert_true(client_open(&slow, b, "127.0.0.1"));
    vl_stream_write(slow.stream, VL_STR("POST / HTTP/1.1\r\nHost: loc"));
    ASSERT_STATUS(b, "404", .target = "/while-it-sends");
    UNTIL(b, slow.ended);
    assert_string_equal(status_of(&slow.got), "408");
    client_close(&slow);
    assert_still_waits(b);
}

/* @spec S-33: all places are taken, but not for long. */
static void
who_says_nothing_is_sent_away(void **state)
{
    struct bench *b = *state;
    static struct client mute[VL_LOOPBACK_CONNECTIONS];
    for (size_t i = 0; i < VL_COUNT(mute); i++)
        assert_true(client_open(&mute[i], b, "127.0.0.1"));
    ASSERT_STATUS(b, "503", .target = "/");
    for (size_t i = 0; i < VL_COUNT(mute); i++) {
        UNTIL(b, mute[i].ended);
        client_close(&mute[i]);
    }
    assert_still_waits(b);
}

/* Those who connected before are gone as well. */
static void
only_the_first_good_redirect_counts(void **state)
{
    struct bench *b = *state;
    struct client first, second, half, idle;
    assert_true(client_open(&first, b, "127.0.0.1"));
    assert_true(client_open(&second, b, "127.0.0.1"));
    assert_true(client_open(&half, b, "127.0.0.1"));
    assert_true(client_open(&idle, b, "127.0.0.1"));
    client_send(&second, &(struct request){.keep = true});
    UNTIL(b, vl_buf_size(&second.got) > 0);
    vl_stream_write(half.stream, VL_STR("GET /?code=evil"));
    struct request good = {.keep = true,
                           .target = query_with_state(b, "code=good")};
    client_send(&first, &good);
    struct request evil = {.keep = true,
                           .target = query_with_state(b, "code=evil")};
    client_send(&first, &evil); /* behind it, on the same connection */
    UNTIL(b, vl_buf_size(&first.got) > 0);
    client_send(&second, &evil);
    UNTIL(b,
          b->calls && first.ended && second.ended && half.ended && idle.ended);
    assert_int_equal(b->calls, 1);
    assert_string_equal(b->code, "good");
    assert_null(
        strstr(strstr(vl_buf_cstr(&first.got), "HTTP/1.1") + 1, "HTTP/1.1"));
    client_close(&first);
    client_close(&second);
    client_close(&half);
    client_close(&idle);
    ASSERT_STATUS(b, "", .target = query_with_state(b, "code=evil"));
}

/* A browser that keeps its end open does not keep the program waiting. */
static void
does_not_wait_for_a_browser_that_stays(void **state)
{
    struct bench *b = *state;
    struct client c;
    assert_true(client_open(&c, b, "127.0.0.1"));
    client_send(&c,
                &(struct request){.target = query_with_state(b, "code=c-1")});
    int64_t begun = vl_mono_now();
    UNTIL(b, b->calls);
    assert_true(vl_mono_now() - begun < 3000);
    assert_string_equal(status_of(&c.got), "200");
    client_close(&c);
}

static void
a_port_of_which_another_has_one_half_is_not_taken(void **state)
{
    struct bench *b = *state;
    struct vl_socket *other;
    struct vl_http_site site = {0};
    valet_error err = {0};
    unsigned port = 0;
    if (vl_socket_listen("::1", 0, &other, NULL) != VALET_OK)
        skip();
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    struct vl_http_server *server = vl_http_server_new(b->loop, &site, &limits);
    assert_int_equal(
        vl_loopback_listen(server, vl_socket_port(other), &port, &err),
        VALET_CONFLICT);
    assert_non_null(strstr(err.message, "in use"));
    vl_http_server_free(server);
    vl_socket_free(other);
}

/* --- at a place that was agreed upon --- */

static void
open_at(struct bench *b, unsigned port, const char *host, const char *path)
{
    const struct vl_loopback_at at = {port, host, path};
    vl_loopback_close(&b->loopback);
    assert_ok(
        vl_loopback_open_at(b->loop, &at, on_redirect, b, &b->loopback, NULL));
    const char *uri = vl_loopback_redirect_uri(b->loopback);
    assert_int_equal(sscanf(strrchr(uri, ':'), ":%u", &b->port), 1);
}

static void
takes_the_redirect_at_its_path_alone(void **state)
{
    struct bench *b = *state;
    char uri[64], target[600];
    open_at(b, 0, "127.0.0.1", "/callback");
    (void)snprintf(uri, sizeof uri, "http://127.0.0.1:%u/callback", b->port);
    assert_string_equal(vl_loopback_redirect_uri(b->loopback), uri);
    static const char *const others[] = {"/", "/callback/", "/Callback", "//",
                                         "/callback/x"};
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        (void)snprintf(target, sizeof target, "%s?%s", others[i],
                       with_state(b, "code=evil"));
        ASSERT_STATUS(b, "404", .target = target);
        ASSERT_STATUS(b, "404", .method = "POST", .target = others[i],
                      .body = with_state(b, "code=evil"));
    }
    ASSERT_STATUS(b, "405", .method = "PUT", .target = "/callback");
    ASSERT_STATUS(b, "400", .target = "/callback?code=evil&state=guess");
    assert_int_equal(b->calls, 0);
    (void)snprintf(target, sizeof target, "/callback?%s",
                   with_state(b, "code=c-1"));
    ASSERT_STATUS(b, "200", .target = target);
    UNTIL(b, b->calls);
    assert_string_equal(b->code, "c-1");
}

static void
begins_beside_its_path(void **state)
{
    struct bench *b = *state;
    const char *start;
    unsigned port;
    int end = 0;
    open_at(b, 0, NULL, "/callback");
    assert_ok(
        vl_loopback_send_to(b->loopback, VL_STR(AUTHORIZE), &start, NULL));
    assert_int_equal(sscanf(start, "http://localhost:%u/start/%n", &port, &end),
                     1);
    assert_int_equal(port, b->port);
    assert_int_equal(strlen(start + end), 43);
    ASSERT_STATUS(b, "302", .target = strstr(start, "/start/"));
}

static void
listens_on_the_port_that_was_agreed_upon(void **state)
{
    struct bench *b = *state;
    struct vl_loopback *other = NULL;
    valet_error err = {0};
    unsigned port = b->port; /* free after this */
    open_at(b, port, "localhost", NULL);
    assert_int_equal(b->port, port);
    const struct vl_loopback_at at = {.port = port};
    assert_int_equal(
        vl_loopback_open_at(b->loop, &at, on_redirect, b, &other, &err),
        VALET_CONFLICT);
    assert_non_null(strstr(err.message, "in use"));
    assert_null(other);
    assert_still_waits(b);
}

static void
comes_back_to_no_place_but_this_machine(void **state)
{
    struct bench *b = *state;
    static const struct vl_loopback_at bad[] = {
        {0, "evil.example", NULL},
        {0, "0.0.0.0", NULL},
        {0, "", NULL},
        {65536, NULL, NULL},
        {0, NULL, "callback"},
        {0, NULL, "/a?b"},
        {0, NULL, "/a b"},
        {0, NULL, "/a\r\nb"},
        {0, NULL, "/%2e"},
        {0, NULL, "/start/x"},
        {0, NULL,
         "/23456789012345678901234567890123456789012345678901234567890"
         "1234"},
    };
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct vl_loopback *other = NULL;
        assert_int_equal(
            vl_loopback_open_at(b->loop, &bad[i], on_redirect, b, &other, NULL),
            VALET_INVALID);
        assert_null(other);
    }
}

/* --- the start --- */

static const char *
start_target(struct bench *b)
{
    static char target[128];
    const char *start;
    const char *uri = vl_loopback_redirect_uri(b->loopback);
    assert_ok(
        vl_loopback_send_to(b->loopback, VL_STR(AUTHORIZE), &start, NULL));
    assert_memory_equal(start, uri, strlen(uri));
    (void)snprintf(target, sizeof target, "%s", start + strlen(uri));
    return target;
}

/* @spec S-33 */
static void
sends_the_browser_on_once(void **state)
{
    struct bench *b = *state;
    struct request r = {.target = start_target(b)};
    assert_null(strstr(r.target, vl_loopback_state(b->loopback).p));
    ASSERT_STATUS(b, "405", .method = "HEAD", .target = r.target);
    ASSERT_STATUS(b, "403", .host = "evil.example", .target = r.target);
    vl_auto(vl_buf) first = ask(b, &r);
    assert_string_equal(status_of(&first), "302");
    assert_true(has(&first, "Location: " AUTHORIZE "\r\n"));
    assert_true(has(&first, "Cache-Control: no-store\r\n"));
    assert_true(has(&first, "Referrer-Policy: no-referrer\r\n"));
    vl_auto(vl_buf) again = ask(b, &r);
    assert_string_equal(status_of(&again), "410");
    assert_false(has(&again, "login.example"));
    assert_true(has(&again, "open already"));
    assert_still_waits(b);
}

static void
sends_the_browser_nowhere_but_to_an_authority(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = {
        "http://login.example/",      "javascript:alert(1)",
        "file:///etc/passwd",         "https://a.example/\r\nX: y",
        "https://user@evil.example/", "",
    };
    const char *start;
    for (size_t i = 0; i < VL_COUNT(bad); i++)
        assert_int_equal(
            vl_loopback_send_to(b->loopback, vl_str_z(bad[i]), &start, NULL),
            VALET_INVALID);
    assert_ok(vl_loopback_send_to(
        b->loopback, VL_STR("http://127.0.0.1:3002/authorize"), &start, NULL));
}

#define AT_BENCH(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        AT_BENCH(takes_the_form_of_the_authority),
        AT_BENCH(takes_a_query_as_well),
        AT_BENCH(tells_who_says_to_have_sent_it),
        AT_BENCH(tells_who_says_to_have_refused),
        AT_BENCH(takes_a_form_without_an_origin_to_tell),
        AT_BENCH(tells_a_refusal_and_shows_nothing_of_it),
        AT_BENCH(listens_on_both_loopbacks_where_there_are_two),
        AT_BENCH(may_be_closed_by_its_callback),
        AT_BENCH(does_not_call_back_when_it_was_closed),
        AT_BENCH(has_another_state_each_time),
        AT_BENCH(a_wrong_state_changes_nothing),
        AT_BENCH(what_is_said_twice_is_not_believed),
        AT_BENCH(half_a_redirect_in_each_place_is_none),
        AT_BENCH(other_media_types_are_no_form),
        AT_BENCH(a_foreign_host_is_refused_even_with_the_state),
        AT_BENCH(its_own_names_are_good),
        AT_BENCH(other_methods_and_paths_get_nothing),
        AT_BENCH(a_body_too_large_is_refused),
        AT_BENCH(who_sends_slowly_holds_nobody_up),
        AT_BENCH(who_says_nothing_is_sent_away),
        AT_BENCH(only_the_first_good_redirect_counts),
        AT_BENCH(does_not_wait_for_a_browser_that_stays),
        AT_BENCH(a_port_of_which_another_has_one_half_is_not_taken),
        AT_BENCH(takes_the_redirect_at_its_path_alone),
        AT_BENCH(begins_beside_its_path),
        AT_BENCH(listens_on_the_port_that_was_agreed_upon),
        AT_BENCH(comes_back_to_no_place_but_this_machine),
        AT_BENCH(sends_the_browser_on_once),
        AT_BENCH(sends_the_browser_nowhere_but_to_an_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
