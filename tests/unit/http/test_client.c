/* SPDX-License-Identifier: Apache-2.0
 *
 * http/client against a peer on loopback that plays a script: for each request
 * the next answer, in the pieces that it is written in.
 */
#define _GNU_SOURCE /* memmem */
#include "vl_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/status.h"
#include "core/sys.h"
#include "crypto/ca.h"
#include "http/client.h"
#include "io/stream.h"

enum { PARTS = 8, LINKS = 8 };

struct link {
    struct vl_stream *stream;
    struct vl_buf got;
};

struct seen {
    struct vl_http_call *call;
    int heads, ends, status;
    struct vl_buf body;
    char type[64];
    valet_status end;
    valet_error err;
    bool abort_at_head, abort_at_piece, hold_at_head, hold_at_piece, go_on,
        free_at_end;
};

static struct {
    struct vl_loop *loop;
    struct vl_http_client *client;
    struct vl_listener *listener;
    struct vl_tls *tls;
    bool is_proxy; /* TLS begins after a first answer */
    struct vl_timer *pulse;
    struct link links[LINKS];
    size_t connected;
    /* What is answered to each request; NULL: nothing, "": the connection is
     * closed. "…" in an answer: the rest comes when it is asked for. */
    const char *answers[PARTS];
    size_t asked;
    char requests[PARTS][512];
    int64_t total_ms;
    bool until_head, only_public;
} rig;

/* --- the peer --- */

static void
drop(struct link *link)
{
    if (link->stream)
        vl_stream_close(link->stream);
    link->stream = NULL;
    vl_buf_done(&link->got);
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct link *link = ctx;
    vl_buf_add(&link->got, bytes);
    struct vl_str got = vl_buf_str(&link->got);
    if (!memmem(got.p, got.n, "\r\n\r\n", 4) || rig.asked == PARTS)
        return;
    const char *answer = rig.answers[rig.asked];
    assert_true(got.n < sizeof rig.requests[0]);
    memcpy(rig.requests[rig.asked++], got.p, got.n);
    vl_buf_clear(&link->got);
    if (answer && !answer[0])
        drop(link);
    else if (answer)
        vl_stream_write(link->stream, vl_str_z(answer));
    if (link->stream && rig.is_proxy && rig.asked == 1 && rig.tls)
        vl_stream_secure(link->stream, rig.tls);
}

static void
on_end(valet_status status, void *ctx)
{
    (void)status;
    drop(ctx);
}

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    static const struct vl_stream_events events = {on_read, on_end, NULL};
    (void)ctx;
    assert_true(rig.connected < LINKS);
    struct link *link = &rig.links[rig.connected++];
    *link = (struct link){stream, vl_buf_of(65536)};
    if (rig.tls && !rig.is_proxy)
        vl_stream_secure(stream, rig.tls);
    vl_stream_attach(stream, &events, link);
}

static void
on_pulse(void *ctx)
{
    (void)ctx;
    vl_timer_start(rig.pulse, 5);
}

static int
open_rig(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    assert_ok(vl_loop_new(&rig.loop, NULL));
    rig.client = vl_http_client_new(rig.loop);
    rig.pulse = vl_timer_new(rig.loop, on_pulse, NULL);
    vl_timer_start(rig.pulse, 5);
    rig.total_ms = 5000;
    assert_ok(vl_listener_open(rig.loop, "127.0.0.1", 0, on_accept, NULL,
                               &rig.listener, NULL));
    return 0;
}

static int
close_rig(void **state)
{
    (void)state;
    vl_http_client_free(rig.client);
    for (size_t i = 0; i < rig.connected; i++)
        drop(&rig.links[i]);
    vl_listener_close(rig.listener);
    vl_timer_free(rig.pulse);
    vl_loop_free(rig.loop);
    return 0;
}

#define UNTIL(condition)                                                       \
    for (int64_t until_ = vl_mono_now() + 10000; !(condition);) {              \
        assert_true(vl_mono_now() < until_);                                   \
        vl_loop_step(rig.loop);                                                \
    }

/* --- calls --- */

static void
head(int status, const struct vl_headers *headers, void *ctx)
{
    struct seen *seen = ctx;
    struct vl_str type = vl_headers_get(headers, "content-type");
    seen->heads++;
    seen->status = status;
    (void)snprintf(seen->type, sizeof seen->type, VL_STR_FMT, VL_STR_ARG(type));
    if (seen->hold_at_head)
        vl_http_call_hold(seen->call, true);
    if (seen->abort_at_head)
        vl_http_call_abort(&seen->call);
}

static void
piece(struct vl_str bytes, void *ctx)
{
    struct seen *seen = ctx;
    vl_buf_add(&seen->body, bytes);
    if (seen->hold_at_piece)
        vl_http_call_hold(seen->call, true);
    if (seen->go_on)
        vl_http_call_hold(seen->call, false);
    if (seen->abort_at_piece)
        vl_http_call_abort(&seen->call);
}

static void
end(valet_status status, const valet_error *err, void *ctx)
{
    struct seen *seen = ctx;
    seen->ends++;
    seen->end = status;
    seen->call = NULL;
    assert_true((status == VALET_OK) == (err == NULL));
    if (err)
        seen->err = *err;
    if (seen->free_at_end) {
        vl_http_client_free(rig.client);
        rig.client = NULL;
    }
}

static const struct vl_http_hooks hooks = {head, piece, end};

static void
ask_at(struct seen *seen, const char *method, const char *base)
{
    struct vl_url url;
    char text[128];
    (void)snprintf(text, sizeof text, "%s:%u/path?a=b", base,
                   vl_listener_port(rig.listener));
    assert_ok(vl_url_parse(vl_str_z(text), &url, NULL));
    seen->body = vl_buf_of(65536);
    seen->call = vl_http_call_start(
        rig.client,
        &(struct vl_http_ask){.method = method,
                              .url = &url,
                              .lines = VL_STR("X-Test: yes\r\n"),
                              .body = strcmp(method, "POST") == 0 ? VL_STR("{}")
                                                                  : VL_STR(""),
                              .connect_ms = 2000,
                              .total_ms = rig.total_ms,
                              .until_head = rig.until_head,
                              .only_public = rig.only_public},
        &hooks, seen);
    assert_int_equal(seen->heads + seen->ends, 0);
}

static void
ask(struct seen *seen, const char *method)
{
    ask_at(seen, method, "http://127.0.0.1");
}

static void
run(struct seen *seen, const char *method)
{
    *seen = (struct seen){.call = NULL};
    ask(seen, method);
    UNTIL(seen->ends);
}

static void
expect(struct seen *seen, int status, const char *body)
{
    if (seen->end != VALET_OK)
        print_error("%s\n", seen->err.message);
    assert_int_equal(seen->end, VALET_OK);
    assert_int_equal(seen->heads, 1);
    assert_int_equal(seen->ends, 1);
    assert_int_equal(seen->status, status);
    assert_str(vl_buf_str(&seen->body), body);
    vl_buf_done(&seen->body);
}

#define HI                                                                     \
    "HTTP/1.1 200 OK\r\nContent-Type: text/a\r\nContent-Length: 2\r\n\r\nhi"

/* --- tests --- */

static void
sends_what_was_asked_and_tells_what_came(void **state)
{
    (void)state;
    struct seen seen;
    rig.answers[0] = HI;
    run(&seen, "POST");
    expect(&seen, 200, "hi");
    assert_string_equal(seen.type, "text/a");
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted,
                   "POST /path?a=b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                   "X-Test: yes\r\nContent-Length: 2\r\n\r\n{}",
                   vl_listener_port(rig.listener));
    assert_string_equal(rig.requests[0], wanted);
}

static void
uses_a_connection_again(void **state)
{
    (void)state;
    struct seen seen;
    for (size_t i = 0; i < 3; i++)
        rig.answers[i] = HI;
    for (int i = 0; i < 3; i++) {
        run(&seen, i == 1 ? "GET" : "POST");
        expect(&seen, 200, "hi");
    }
    assert_int_equal(rig.connected, 1);
}

/* The reader had enough just when there was no more. */
static void
reads_on_a_connection_whose_last_piece_was_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARTS; i++)
        rig.answers[i] = HI;
    for (int i = 0; i < 4; i++) {
        struct seen seen = {.hold_at_piece = true, .go_on = i % 2};
        ask(&seen, "POST");
        UNTIL(seen.ends);
        expect(&seen, 200, "hi");
        for (int turns = 0; turns < 5; turns++)
            vl_loop_step(rig.loop);
    }
    assert_int_equal(rig.connected, 1);
}

static void
opens_one_for_each_that_is_under_way(void **state)
{
    (void)state;
    struct seen a = {.call = NULL}, b = {.call = NULL};
    ask(&a, "POST");
    ask(&b, "POST");
    UNTIL(rig.asked == 2);
    for (size_t i = 0; i < 2; i++)
        vl_stream_write(rig.links[i].stream, VL_STR(HI));
    UNTIL(a.ends && b.ends);
    expect(&a, 200, "hi");
    expect(&b, 200, "hi");
    assert_int_equal(rig.connected, 2);
}

static void
does_not_use_one_again_that_the_server_will_close(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        ("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\n"
         "hi"),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more",
    };
    struct seen seen;
    for (size_t i = 0; i < VL_COUNT(answers); i++) {
        rig.answers[i] = answers[i];
        run(&seen, "GET");
        expect(&seen, 200, "hi");
    }
    rig.answers[3] = HI;
    run(&seen, "GET");
    expect(&seen, 200, "hi");
    assert_int_equal(rig.connected, 4);
}

static void
asks_once_more_where_a_kept_connection_was_closed_just_then(void **state)
{
    (void)state;
    struct seen seen;
    rig.answers[0] = HI;
    rig.answers[1] = "";
    rig.answers[2] = HI;
    run(&seen, "GET");
    expect(&seen, 200, "hi");
    run(&seen, "GET");
    expect(&seen, 200, "hi");
    assert_int_equal(rig.connected, 2);
}

static void
does_not_repeat_what_may_have_been_done(void **state)
{
    (void)state;
    struct seen seen;
    rig.answers[0] = HI;
    rig.answers[1] = "";
    run(&seen, "POST");
    expect(&seen, 200, "hi");
    run(&seen, "POST");
    assert_int_equal(seen.end, VALET_RETRY);
    assert_non_null(strstr(seen.err.message, "broke off"));
    vl_buf_done(&seen.body);
    assert_int_equal(rig.asked, 2);
}

static void
notices_a_kept_connection_that_ends(void **state)
{
    (void)state;
    struct seen seen;
    rig.answers[0] = rig.answers[1] = HI;
    run(&seen, "POST");
    expect(&seen, 200, "hi");
    drop(&rig.links[0]);
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    run(&seen, "POST");
    expect(&seen, 200, "hi");
    assert_int_equal(rig.connected, 2);
}

static void
reads_every_framing(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *body;
        int status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r"
         "\nde\r\n0\r\n\r\n",
         "abcde", 200},
        {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "", 202},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", 204},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
         "a\r\n\r\n" HI,
         "hi", 200},
    };
    struct seen seen;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        rig.answers[i] = cases[i].answer;
        run(&seen, "POST");
        expect(&seen, cases[i].status, cases[i].body);
    }
    assert_int_equal(rig.connected, 1);
}

static void
takes_the_end_of_the_connection_as_the_end_where_nothing_else_says_it(
    void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    rig.answers[0] = "HTTP/1.1 200 OK\r\n\r\nall of";
    ask(&seen, "GET");
    UNTIL(vl_buf_size(&seen.body) == 6);
    vl_stream_write(rig.links[0].stream, VL_STR(" it"));
    vl_stream_shutdown(rig.links[0].stream);
    UNTIL(seen.ends);
    expect(&seen, 200, "all of it");
}

static void
says_when_an_answer_broke_off(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
        "HTTP/1.1 200 O",
    };
    for (size_t i = 0; i < VL_COUNT(answers); i++) {
        struct seen seen = {.call = NULL};
        rig.answers[i] = answers[i];
        ask(&seen, "POST");
        UNTIL(rig.asked == i + 1 && (i == 2 || vl_buf_size(&seen.body) == 4));
        drop(&rig.links[i]);
        UNTIL(seen.ends);
        assert_int_equal(seen.end, VALET_RETRY);
        vl_buf_done(&seen.body);
    }
}

static void
refuses_what_is_no_answer(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    for (size_t i = 0; i < VL_COUNT(answers); i++) {
        struct seen seen;
        rig.answers[i] = answers[i];
        run(&seen, "POST");
        assert_int_equal(seen.end, VALET_INVALID);
        vl_buf_done(&seen.body);
    }
    assert_int_equal(rig.connected, VL_COUNT(answers));
}

static void
refuses_a_head_without_end(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    ask(&seen, "GET");
    UNTIL(rig.asked == 1);
    vl_stream_write(rig.links[0].stream, VL_STR("HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 600 && rig.links[0].stream; i++)
        vl_stream_write(rig.links[0].stream,
                        VL_STR("X-More: 0123456789012345678901234567890\r\n"));
    UNTIL(seen.ends);
    assert_int_equal(seen.end, VALET_LIMIT);
    vl_buf_done(&seen.body);
}

static void
may_be_aborted_by_each_hook(void **state)
{
    (void)state;
    struct seen seen = {.abort_at_head = true};
    rig.answers[0] = rig.answers[1] = HI;
    ask(&seen, "GET");
    UNTIL(seen.heads);
    assert_null(seen.call);
    vl_buf_done(&seen.body);
    seen = (struct seen){.abort_at_piece = true};
    ask(&seen, "GET");
    UNTIL(vl_buf_size(&seen.body));
    assert_null(seen.call);
    vl_buf_done(&seen.body);
    for (int i = 0; i < 5; i++)
        vl_loop_step(rig.loop);
    assert_int_equal(seen.ends, 0);
    seen = (struct seen){.free_at_end = true};
    rig.answers[2] = HI;
    ask(&seen, "GET");
    UNTIL(seen.ends);
    expect(&seen, 200, "hi");
}

static void
may_be_aborted_while_it_connects(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    for (int steps = 0; steps < 4; steps++) {
        ask(&seen, "GET");
        for (int i = 0; i < steps; i++)
            vl_loop_step(rig.loop);
        vl_http_call_abort(&seen.call);
        vl_buf_done(&seen.body);
    }
    for (int i = 0; i < 10; i++)
        vl_loop_step(rig.loop);
    assert_int_equal(seen.ends, 0);
}

static void
holds_pieces_back_until_it_is_let_go_on(void **state)
{
    (void)state;
    struct seen seen = {.hold_at_head = true};
    rig.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    ask(&seen, "GET");
    UNTIL(seen.heads);
    vl_stream_write(rig.links[0].stream, VL_STR("hiho"));
    for (int i = 0; i < 10; i++)
        vl_loop_step(rig.loop);
    assert_int_equal(vl_buf_size(&seen.body), 0);
    vl_http_call_hold(seen.call, false);
    UNTIL(seen.ends);
    expect(&seen, 200, "hiho");
}

static void
gives_up_when_the_time_is_over(void **state)
{
    (void)state;
    struct seen seen;
    rig.total_ms = 50;
    run(&seen, "POST");
    assert_int_equal(seen.end, VALET_RETRY);
    assert_non_null(strstr(seen.err.message, "no answer in time"));
    vl_buf_done(&seen.body);
}

static void
gives_a_stream_all_the_time_once_it_has_begun(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    rig.total_ms = 60;
    rig.until_head = true;
    rig.answers[0] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    ask(&seen, "GET");
    UNTIL(seen.heads);
    for (int64_t end_ms = vl_mono_now() + 120; vl_mono_now() < end_ms;)
        vl_loop_step(rig.loop);
    vl_stream_write(rig.links[0].stream, VL_STR("2\r\nhi\r\n0\r\n\r\n"));
    UNTIL(seen.ends);
    expect(&seen, 200, "hi");
}

static void
says_that_nobody_answers(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    unsigned port = vl_listener_port(rig.listener);
    vl_listener_close(rig.listener);
    assert_ok(vl_listener_open(rig.loop, "127.0.0.1", 0, on_accept, NULL,
                               &rig.listener, NULL));
    struct vl_url url;
    char text[64];
    (void)snprintf(text, sizeof text, "http://127.0.0.1:%u/", port);
    assert_ok(vl_url_parse(vl_str_z(text), &url, NULL));
    seen.call = vl_http_call_start(
        rig.client,
        &(struct vl_http_ask){
            .method = "GET", .url = &url, .connect_ms = 2000, .total_ms = 5000},
        &hooks, &seen);
    UNTIL(seen.ends);
    assert_int_equal(seen.end, VALET_RETRY);
    assert_non_null(strstr(seen.err.message, "does not answer"));
}

/* @spec CL-20 SB-13 */
static void
does_not_go_into_a_private_network_for_a_stranger(void **state)
{
    (void)state;
    struct seen seen;
    rig.only_public = true;
    rig.answers[0] = HI;
    run(&seen, "GET");
    assert_int_equal(seen.end, VALET_DENIED);
    vl_buf_done(&seen.body);
    /* Nor by a connection that was made for somebody else. */
    rig.only_public = false;
    run(&seen, "GET");
    expect(&seen, 200, "hi");
    rig.only_public = true;
    run(&seen, "GET");
    assert_int_equal(seen.end, VALET_DENIED);
    vl_buf_done(&seen.body);
    assert_int_equal(rig.connected, 1);
}

/* --- TLS --- */

static struct vl_tls_trust *trust;
static char folder[32], certificate[64], key[64];

static void
write_file(const char *path, const struct vl_buf *text)
{
    struct vl_str bytes = vl_buf_str(text);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

/* A certificate for `name`, of an authority that is trusted or not. */
static void
secure_for(const char *name, bool trusted)
{
    struct vl_ca *ca, *other;
    vl_auto(vl_buf) cert = vl_buf_of(65536);
    vl_auto(vl_buf) secret = vl_buf_of_secret(65536);
    vl_auto(vl_buf) roots = vl_buf_of(65536);
    assert_ok(vl_ca_new("ours", &ca, NULL));
    assert_ok(vl_ca_new("another", &other, NULL));
    assert_ok(vl_ca_issue(ca, &name, 1, &cert, &secret, NULL));
    assert_ok(vl_ca_certificate(trusted ? ca : other, &roots, NULL));
    (void)snprintf(folder, sizeof folder, "/tmp/vl-client-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(certificate, sizeof certificate, "%s/cert", folder);
    (void)snprintf(key, sizeof key, "%s/key", folder);
    write_file(certificate, &cert);
    write_file(key, &secret);
    assert_ok(vl_tls_new(certificate, key, &rig.tls, NULL));
    assert_ok(vl_tls_trust_new(vl_buf_str(&roots), &trust, NULL));
    vl_http_client_trust(rig.client, trust);
    vl_ca_free(ca);
    vl_ca_free(other);
}

static void
end_tls(void)
{
    vl_http_client_free(rig.client);
    rig.client = NULL;
    vl_tls_trust_free(trust);
    vl_tls_free(rig.tls);
    rig.tls = NULL;
    (void)unlink(certificate);
    (void)unlink(key);
    assert_int_equal(rmdir(folder), 0);
}

static void
speaks_tls_with_whom_it_trusts(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "127.0.0.1"};
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        char base[64];
        struct seen seen = {.call = NULL};
        (void)snprintf(base, sizeof base, "https://%s", names[i]);
        secure_for(names[i], true);
        rig.answers[rig.asked] = rig.answers[rig.asked + 1] = HI;
        ask_at(&seen, "POST", base);
        UNTIL(seen.ends);
        expect(&seen, 200, "hi");
        seen = (struct seen){.call = NULL};
        ask_at(&seen, "POST", base);
        UNTIL(seen.ends);
        expect(&seen, 200, "hi");
        assert_int_equal(rig.connected, i + 1);
        end_tls();
        rig.client = vl_http_client_new(rig.loop);
    }
}

/* @spec S-96 */
static void
tells_nothing_to_whom_it_does_not_trust(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
        bool trusted;
    } cases[] = {
        {"localhost", "certificate", false},
        {"a.example", "hostname mismatch", true},
        {"127.0.0.1", "hostname mismatch", true},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct seen seen = {.call = NULL};
        secure_for(cases[i].name, cases[i].trusted);
        ask_at(&seen, "POST", "https://localhost");
        UNTIL(seen.ends);
        assert_int_equal(seen.end, VALET_RETRY);
        assert_non_null(strstr(seen.err.message, "not trusted"));
        assert_non_null(strstr(seen.err.message, cases[i].why));
        assert_int_equal(rig.asked, 0);
        vl_buf_done(&seen.body);
        end_tls();
        rig.client = vl_http_client_new(rig.loop);
    }
}

static void
speaks_no_tls_with_who_speaks_none(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    secure_for("localhost", true);
    vl_tls_free(rig.tls);
    rig.tls = NULL;
    ask_at(&seen, "POST", "https://localhost");
    UNTIL(rig.connected == 1);
    vl_stream_write(rig.links[0].stream, VL_STR("HTTP/1.1 200 OK\r\n\r\n"));
    UNTIL(seen.ends);
    assert_int_equal(seen.end, VALET_RETRY);
    vl_buf_done(&seen.body);
    end_tls();
    rig.client = NULL;
}

static void
asks_no_https_without_roots(void **state)
{
    (void)state;
    struct seen seen = {.call = NULL};
    ask_at(&seen, "GET", "https://localhost");
    UNTIL(seen.ends);
    assert_int_equal(seen.end, VALET_INVALID);
    vl_buf_done(&seen.body);
}

/* --- proxies --- */

static void
ask_through_proxy(struct seen *seen, const char *credentials, const char *host)
{
    struct vl_url url;
    char proxy[128], text[128];
    (void)snprintf(proxy, sizeof proxy, "http://%s127.0.0.1:%u/", credentials,
                   vl_listener_port(rig.listener));
    assert_int_equal(setenv("HTTPS_PROXY", proxy, 1), 0);
    (void)snprintf(text, sizeof text, "https://%s/path", host);
    assert_ok(vl_url_parse(vl_str_z(text), &url, NULL));
    *seen = (struct seen){.body = vl_buf_of(65536)};
    seen->call = vl_http_call_start(
        rig.client,
        &(struct vl_http_ask){
            .method = "GET", .url = &url, .connect_ms = 2000, .total_ms = 5000},
        &hooks, seen);
    UNTIL(seen->ends);
    assert_int_equal(unsetenv("HTTPS_PROXY"), 0);
}

static void
goes_through_the_proxy_of_the_environment(void **state)
{
    (void)state;
    struct seen seen;
    secure_for("server.example", true);
    rig.is_proxy = true;
    rig.answers[0] = "HTTP/1.1 200 Connection established\r\n\r\n";
    rig.answers[1] = HI;
    ask_through_proxy(&seen, "a:b%40c@", "server.example");
    expect(&seen, 200, "hi");
    assert_string_equal(rig.requests[0],
                        "CONNECT server.example:443 HTTP/1.1\r\n"
                        "Host: server.example:443\r\n"
                        "Proxy-Authorization: Basic YTpiQGM=\r\n\r\n");
    assert_non_null(strstr(rig.requests[1], "GET /path HTTP/1.1\r\n"));
    assert_null(strstr(rig.requests[1], "Proxy-"));
    end_tls();
}

static void
says_what_is_wrong_with_the_proxy(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *why;
    } cases[] = {
        {"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "password"},
        {"HTTP/1.1 403 No\r\n\r\n", "let us through"},
        {"SOCKS\r\n\r\n", "no HTTP"},
        {"HTTP/1.1 200 OK\r\n\r\nand more", "no HTTP"},
        {"", "hangs up"},
    };
    secure_for("server.example", true);
    rig.is_proxy = true;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct seen seen;
        rig.asked = 0;
        rig.answers[0] = cases[i].answer;
        ask_through_proxy(&seen, "", "server.example");
        assert_int_equal(seen.end, VALET_RETRY);
        assert_non_null(strstr(seen.err.message, cases[i].why));
        vl_buf_done(&seen.body);
    }
    end_tls();
}

static void
goes_through_no_proxy_where_it_is_not_for(void **state)
{
    (void)state;
    static const struct {
        const char *list, *host;
        bool is_for;
    } cases[] = {
        {"", "localhost", false},
        {"", "127.0.0.1", false},
        {"*", "a.invalid", false},
        {"b.invalid, .invalid", "a.invalid", false},
        {"a.invalid", "a.invalid", false},
        {"a.invalid", "x.A.invalid", false},
        {"a.invalid", "xa.invalid", true},
        {"invalid.a", "a.invalid", true},
    };
    secure_for("server.example", true);
    rig.is_proxy = true;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct seen seen;
        rig.asked = 0;
        rig.answers[0] = "";
        assert_int_equal(setenv("no_proxy", cases[i].list, 1), 0);
        ask_through_proxy(&seen, "", cases[i].host);
        assert_int_equal(seen.end, VALET_RETRY);
        assert_int_equal(rig.asked, cases[i].is_for);
        vl_buf_done(&seen.body);
    }
    assert_int_equal(unsetenv("no_proxy"), 0);
    end_tls();
}

static void
refuses_proxies_that_it_cannot_use(void **state)
{
    (void)state;
    static const char *const names[] = {"socks5h://a", "https://a", "http://",
                                        "http://a/b", "http://%zz@a"};
    secure_for("server.example", true);
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        struct seen seen = {.body = vl_buf_of(65536)};
        assert_int_equal(setenv("ALL_PROXY", names[i], 1), 0);
        ask_at(&seen, "GET", "https://server.example");
        UNTIL(seen.ends);
        assert_int_equal(seen.end, VALET_INVALID);
        assert_null(strstr(seen.err.message, "zz"));
        vl_buf_done(&seen.body);
    }
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
    end_tls();
}

#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RIG(sends_what_was_asked_and_tells_what_came),
        IN_RIG(uses_a_connection_again),
        IN_RIG(reads_on_a_connection_whose_last_piece_was_held),
        IN_RIG(opens_one_for_each_that_is_under_way),
        IN_RIG(does_not_use_one_again_that_the_server_will_close),
        IN_RIG(asks_once_more_where_a_kept_connection_was_closed_just_then),
        IN_RIG(does_not_repeat_what_may_have_been_done),
        IN_RIG(notices_a_kept_connection_that_ends),
        IN_RIG(reads_every_framing),
        IN_RIG(
            takes_the_end_of_the_connection_as_the_end_where_nothing_else_says_it),
        IN_RIG(says_when_an_answer_broke_off),
        IN_RIG(refuses_what_is_no_answer),
        IN_RIG(refuses_a_head_without_end),
        IN_RIG(may_be_aborted_by_each_hook),
        IN_RIG(may_be_aborted_while_it_connects),
        IN_RIG(holds_pieces_back_until_it_is_let_go_on),
        IN_RIG(gives_up_when_the_time_is_over),
        IN_RIG(gives_a_stream_all_the_time_once_it_has_begun),
        IN_RIG(says_that_nobody_answers),
        IN_RIG(does_not_go_into_a_private_network_for_a_stranger),
        IN_RIG(speaks_tls_with_whom_it_trusts),
        IN_RIG(tells_nothing_to_whom_it_does_not_trust),
        IN_RIG(speaks_no_tls_with_who_speaks_none),
        IN_RIG(asks_no_https_without_roots),
        IN_RIG(goes_through_the_proxy_of_the_environment),
        IN_RIG(says_what_is_wrong_with_the_proxy),
        IN_RIG(goes_through_no_proxy_where_it_is_not_for),
        IN_RIG(refuses_proxies_that_it_cannot_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
