/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes over the wire with a page: one request to a server on loopback.
 */
#include "vl_test.h"

#include "http/server.h"
#include "web/page.h"

#define ANSWER_MAX 65536

struct bench {
    struct vl_loop *loop;
    void (*answer)(struct vl_exchange *x);
    struct vl_buf received;
    bool done;
};

static const char *move_to;

static size_t
allow_no_body(const struct vl_http_request *head, void *ctx)
{
    (void)head;
    (void)ctx;
    return 0;
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct bench *bench = ctx;
    bench->answer(x);
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct bench *bench = ctx;
    vl_buf_add(&bench->received, bytes);
}

static void
on_end(valet_status status, void *ctx)
{
    struct bench *bench = ctx;
    (void)status;
    bench->done = true;
}

static const struct vl_stream_events events = {on_read, on_end, NULL};

static void
on_connect(struct vl_stream *stream, void *ctx)
{
    assert_non_null(stream);
    vl_stream_attach(stream, &events, ctx);
    vl_stream_write(stream, VL_STR("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                   "Connection: close\r\n\r\n"));
}

/* The whole answer, head and body; freed by the caller. */
static struct vl_buf
ask(void (*answer)(struct vl_exchange *x))
{
    struct bench bench = {.answer = answer, .received = vl_buf_of(ANSWER_MAX)};
    struct vl_http_site site = {allow_no_body, handle, &bench};
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    unsigned port = 0;
    assert_ok(vl_loop_new(&bench.loop, NULL));
    struct vl_http_server *server =
        vl_http_server_new(bench.loop, &site, &limits);
    assert_ok(vl_http_server_listen(server, "127.0.0.1", 0, &port, NULL));
    assert_ok(vl_stream_connect(bench.loop, "127.0.0.1", port, on_connect,
                                &bench, NULL, NULL));
    while (!bench.done)
        vl_loop_step(bench.loop);
    vl_http_server_free(server);
    vl_loop_free(bench.loop);
    return bench.received;
}

static void
assert_has(struct vl_buf *answer, const char *text)
{
    assert_non_null(strstr(vl_buf_cstr(answer), text));
}

static void
answer_error(struct vl_exchange *x)
{
    vl_page_error(x, 403, "No <way>", "Try & retry", "abc-1");
}

/* @spec W-69 S-94 */
static void
sends_an_error_page_with_every_header(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "HTTP/1.1 403 ",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "Referrer-Policy: no-referrer\r\n",
        "X-Content-Type-Options: nosniff\r\n",
        "X-Frame-Options: DENY\r\n",
        "Cache-Control: no-store\r\n",
        "No &lt;way&gt;",
        "Try &amp; retry",
        "abc-1",
    };
    vl_auto(vl_buf) answer = ask(answer_error);
    for (size_t i = 0; i < VL_COUNT(wanted); i++)
        assert_has(&answer, wanted[i]);
}

static void
answer_move_on(struct vl_exchange *x)
{
    struct vl_reply reply = {.status = 0};
    vl_reply_add(&reply, "Set-Cookie", VL_STR("a=b"));
    vl_page_move_on(x, VL_STR("Back"), vl_str_z(move_to), &reply);
}

static void
moves_on_by_a_page_of_200(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "https://app.example/cb?code=1&state=%22", "http://127.0.0.1:5/cb",
        "com.example.app:/back?code=1", "cursor://mcp/callback?code=1"};
    for (size_t i = 0; i < VL_COUNT(urls); i++) {
        move_to = urls[i];
        vl_auto(vl_buf) answer = ask(answer_move_on);
        assert_has(&answer, "HTTP/1.1 200 ");
        assert_has(&answer, "Set-Cookie: a=b\r\n");
        assert_has(&answer, "http-equiv=\"refresh\" content=\"0; url=");
        assert_has(&answer, "href=\"");
        assert_null(strstr(vl_buf_cstr(&answer), "Location:"));
    }
    move_to = urls[0];
    vl_auto(vl_buf) answer = ask(answer_move_on);
    assert_has(&answer, "url=https://app.example/cb?code=1&amp;state=%22\"");
}

static void
moves_nobody_to_content_or_plain_http(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "http://app.example/cb",
        "//app.example",
        "/here",
        "",
        "https://app.example/\"><script>",
        "'https://app.example/'",
    };
    for (size_t i = 0; i < VL_COUNT(urls); i++) {
        move_to = urls[i];
        vl_auto(vl_buf) answer = ask(answer_move_on);
        assert_has(&answer, "HTTP/1.1 500 ");
        assert_null(strstr(vl_buf_cstr(&answer), "refresh"));
    }
}

static void
answer_broken(struct vl_exchange *x)
{
    struct vl_page page = {.asset = "consent"};
    struct vl_reply reply = {.status = 200};
    vl_page_reply(x, &page, &reply);
}

static void
makes_a_plain_500_of_a_page_that_cannot_be_shown(void **state)
{
    (void)state;
    vl_auto(vl_buf) answer = ask(answer_broken);
    assert_has(&answer, "HTTP/1.1 500 ");
    assert_has(&answer, "Content-Type: text/plain; charset=utf-8\r\n");
    assert_has(&answer, "Content-Security-Policy: ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_an_error_page_with_every_header),
        cmocka_unit_test(moves_on_by_a_page_of_200),
        cmocka_unit_test(moves_nobody_to_content_or_plain_http),
        cmocka_unit_test(makes_a_plain_500_of_a_page_that_cannot_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
