/* SPDX-License-Identifier: Apache-2.0
 *
 * Each malformed request is tried whole and byte by byte, each time at the
 * edge of an unreadable page. None may be taken.
 */
#include "vl_test.h"

#include "http/parse.h"

#define H "Host: a.example\r\n"

/* One message, head and body, cut into two pieces at `cut` (or, with step,
 * byte by byte). Returns 0 when it is complete, else the status to answer;
 * -1 when more is wanted. */
struct outcome {
    int status;
    size_t used;
    size_t body;
    char bytes[512];
};

static enum vl_parse
read_body(struct vl_body *body, struct vl_str in, size_t *at,
          struct outcome *out)
{
    enum vl_parse result = VL_PARSE_MORE;
    do {
        struct vl_str data, rest = vl_str_from(in, *at);
        size_t used;
        result = vl_body_read(body, rest, &data, &used);
        assert_true(used <= rest.n);
        assert_true(used > 0 || rest.n == 0 || result != VL_PARSE_MORE);
        assert_true(out->body + data.n <= sizeof out->bytes);
        if (data.n)
            memcpy(out->bytes + out->body, data.p, data.n);
        out->body += data.n;
        *at += used;
    } while (result == VL_PARSE_MORE && *at < in.n);
    return result;
}

static struct outcome
read_pieces(struct vl_str all, size_t first, size_t step,
            enum vl_parse_kind kind)
{
    struct outcome out = {0};
    struct vl_parser parser;
    struct vl_body body = {0};
    vl_parser_init(&parser, kind);
    enum vl_parse result = VL_PARSE_MORE;
    bool in_body = false;
    for (size_t n = first;; n = n + step > all.n ? all.n : n + step) {
        struct vl_str seen = vl_test_guarded(vl_str_head(all, n));
        if (!in_body) {
            result = vl_parser_read(&parser, seen);
            in_body = result == VL_PARSE_DONE;
            out.used = in_body ? parser.head_size : 0;
            if (in_body)
                vl_body_init(&body, &parser);
        }
        if (in_body)
            result = read_body(&body, seen, &out.used, &out);
        vl_test_unguard(seen);
        if (result != VL_PARSE_MORE || n == all.n)
            break;
    }
    if (result == VL_PARSE_FAILED) {
        assert_non_null(in_body ? body.why : parser.why);
        out.status = in_body ? 400 : parser.status;
    }
    if (result == VL_PARSE_MORE)
        out.status = -1;
    return out;
}

static const struct {
    int status;
    const char *text;
} malformed[] = {
    /* lengths and codings */
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
          "Content-Length: 5\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
          "Content-Length: 1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
          "content-length: 2\r\n\r\nxx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1,2\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 01\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 00\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1;q=1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: 1.0\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: \"1\"\r\n\r\nx"},
    {400,
     "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\nx"},
    {400,
     "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Content-Length: \xd9\xa1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H
          "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H
          "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H
          "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;x=1\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
          "Transfer-encoding: cow\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
    /* lines */
    {400, "GET / HTTP/1.1\n" H "\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a\rY: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\r\n" H "\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "\r\r\n\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n X: a\r\n" H "\r\n"},
    {400, "GET / HTTP/1.1\r\n" H " \r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X : a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X\t: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H ": a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X(: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X,Y: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X Y: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "\xc3\xa9: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X\x7f: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: \x01\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: a long value with a bell\a in it\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "X: \x1b[31m\r\n\r\n"},
    {400, "\r\nGET / HTTP/1.1\r\n" H "\r\n"},
    {400, "\nGET / HTTP/1.1\r\n" H "\r\n"},
    {400, " GET / HTTP/1.1\r\n" H "\r\n"},
    {400, "\x16\x03\x01\x02\x00\x01"},
    /* Host */
    {400, "GET / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.0\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n" H H "\r\n"},
    {400, "GET / HTTP/1.1\r\n" H "Host: b.example\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a:70000\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"},
    /* targets */
    {400, "GET http://a.example/ HTTP/1.1\r\n" H "\r\n"},
    {400, "CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n"},
    {400, "CONNECT / HTTP/1.1\r\n" H "\r\n"},
    {400, "OPTIONS * HTTP/1.1\r\n" H "\r\n"},
    {400, "GET index.html HTTP/1.1\r\n" H "\r\n"},
    {400, "GET ?x HTTP/1.1\r\n" H "\r\n"},
    {400, "GET \\ HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /a\\b HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /#f HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /?x#f HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /\x7f HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /\x01 HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /a\tb HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /a\rb HTTP/1.1\r\n" H "\r\n"},
    /* request lines */
    {400, "GET  / HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /  HTTP/1.1\r\n" H "\r\n"},
    {400, "GET / HTTP/1.1 \r\n" H "\r\n"},
    {400, "GET\t/ HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /\tHTTP/1.1\r\n" H "\r\n"},
    {400, "GET / a HTTP/1.1\r\n" H "\r\n"},
    {400, "GET /\r\n" H "\r\n"},
    {400, "GET / \r\n" H "\r\n"},
    {400, "GET\r\n" H "\r\n"},
    {400, "GET(x) / HTTP/1.1\r\n" H "\r\n"},
    {400, "G\xc3\xa9T / HTTP/1.1\r\n" H "\r\n"},
    {400, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n"},
    /* versions */
    {505, "GET / HTTP/2.0\r\n" H "\r\n"},
    {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {505, "GET / HTTP/0.9\r\n" H "\r\n"},
    {400, "GET / HTTP/1.2\r\n" H "\r\n"},
    {400, "GET / HTTP/1.10\r\n" H "\r\n"},
    {400, "GET / HTTP/1.\r\n" H "\r\n"},
    {400, "GET / HTTP/11\r\n" H "\r\n"},
    {400, "GET / HTTP/+1.1\r\n" H "\r\n"},
    {400, "GET / http/1.1\r\n" H "\r\n"},
    {400, "GET / HTTP/2\r\n" H "\r\n"},
    {400, "GET / HTTPS/1.1\r\n" H "\r\n"},
    {400, "GET / RTSP/1.0\r\n" H "\r\n"},
    /* expectations */
    {417, "POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n"},
    {417, "POST / HTTP/1.1\r\n" H "Expect: 100-continue, x\r\n\r\n"},
    {417, "POST / HTTP/1.1\r\n" H "Expect:\r\n\r\n"},
    {417, "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
          "Expect: 100-continue\r\n\r\n"},
};

#define C "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

static const char *const bad_chunks[] = {
    C "\r\n\r\n",
    C " 1\r\nx\r\n0\r\n\r\n",
    C "1 \r\nx\r\n0\r\n\r\n",
    C "+1\r\nx\r\n0\r\n\r\n",
    C "-1\r\nx\r\n0\r\n\r\n",
    C "0x1\r\nx\r\n0\r\n\r\n",
    C "g\r\nx\r\n0\r\n\r\n",
    C "1;\r\nx\r\n0\r\n\r\n",
    C "1;a=b\r\nx\r\n0\r\n\r\n",
    C "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n",
    C "1\nx\n0\n\n",
    C "1\nx\r\n0\r\n\r\n",
    C "1\r\nx\n0\r\n\r\n",
    C "1\r\nx0\r\n\r\n",
    C "1\r\nxx\r\n0\r\n\r\n",
    C "1\rx\r\n0\r\n\r\n",
    C "1\r\rx\r\n0\r\n\r\n",
    C "1\r\nx\r\r0\r\n\r\n",
    C "1\r\nx\r\n0\n\r\n",
    C "1\r\nx\r\n0\r\n\n",
    C "1\r\nx\r\n0\r\n\r\r",
    C "1\r\nx\r\n0;a\r\n\r\n",
    C "1\r\nx\r\n0\r\nTrailer: a\r\n\r\n",
    C "1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n",
    C "1\r\nx\r\n0\r\n \r\n\r\n",
    C "000000000000001\r\nx\r\n0\r\n\r\n",
    C "fffffffffffffffff\r\nx\r\n0\r\n\r\n",
    C "10000000000000001\r\nx\r\n0\r\n\r\n",
    C "\0"
      "1\r\nx",
};

static void
expect_failure(struct vl_str text, int status)
{
    struct outcome whole = read_pieces(text, text.n, 1, VL_PARSE_REQUEST);
    struct outcome bytes = read_pieces(text, 0, 1, VL_PARSE_REQUEST);
    if (whole.status != status || bytes.status != status)
        fail_msg("%d and %d instead of %d for: " VL_STR_FMT, whole.status,
                 bytes.status, status, VL_STR_ARG(text));
}

/* @spec S-64 */
static void
refuses_every_malformed_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(malformed); i++)
        expect_failure(vl_str_z(malformed[i].text), malformed[i].status);
    for (size_t i = 0; i + 1 < VL_COUNT(bad_chunks); i++)
        expect_failure(vl_str_z(bad_chunks[i]), 400);
    /* The last one has a NUL where the size should be. */
    const char *last = bad_chunks[VL_COUNT(bad_chunks) - 1];
    expect_failure(vl_str_of(last, strlen(last) + 4), 400);
}

/* Puts each control byte at each place of a good head: none may pass. */
static void
refuses_controls_everywhere(void **state)
{
    (void)state;
    static const char good[] =
        "POST /a?b HTTP/1.1\r\nHost: a\r\nX-Y: some value\r\n\r\n";
    char bad[sizeof good];
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            bool control = byte < 0x20 || byte == 0x7f;
            bool kept = good[at] == '\r' || good[at] == '\n';
            if (!control || kept || byte == '\t')
                continue;
            memcpy(bad, good, sizeof good);
            bad[at] = (char)byte;
            struct outcome out =
                read_pieces(vl_str_of(bad, sizeof good - 1), sizeof good - 1, 1,
                            VL_PARSE_REQUEST);
            if (out.status != 400)
                fail_msg("byte %d at %zu: %d", byte, at, out.status);
        }
}

/* What is missing is waited for, and never taken for the whole. */
static void
waits_for_the_rest_of_a_cut_message(void **state)
{
    (void)state;
    struct vl_str text =
        VL_STR("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
    for (size_t n = 0; n < text.n; n++) {
        struct outcome out =
            read_pieces(vl_str_head(text, n), n, 1, VL_PARSE_REQUEST);
        assert_int_equal(out.status, -1);
    }
}

static const struct {
    const char *text;
    const char *body;
    size_t rest; /* bytes of the next message */
    bool keep;
} good[] = {
    {"GET / HTTP/1.1\r\n" H "\r\n", "", 0, true},
    {"GET / HTTP/1.0\r\n" H "\r\n", "", 0, false},
    {"GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", "", 0, false},
    {"get /a;b=c/%2e?x={y}|\\ HTTP/1.1\r\nhost:[::1]:3001\r\n\r\n", "", 0,
     true},
    {"GET //x HTTP/1.1\r\nHost: \t a_b.example:1 \t\r\nX:\r\n"
     "!#$%&'*+-.^_`|~09Az: \xff\t\xc3\xa9 \r\n\r\nGET",
     "", 3, true},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\nP", "", 1, true},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na\nbP", "a\nb", 1, true},
    {"POST / HTTP/1.1\r\n" H "Connection: x, Close\r\nContent-Length: 12\r\n"
     "\r\nhello, world",
     "hello, world", 0, false},
    {"POST / HTTP/1.1\r\n" H "Connection: x\r\nCONNECTION: close\r\n\r\n", "",
     0, false},
    {C "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nPP", "abc0123456789", 2, true},
    {C "0\r\n\r\n", "", 0, true},
    {C "0003\r\n\r\n\r\r\n000\r\n\r\nP", "\r\n\r", 1, true},
    {"POST / HTTP/1.1\r\n" H "transfer-ENCODING:CHUNKED\r\n\r\n1\r\nx\r\n"
     "0\r\n\r\n",
     "x", 0, true},
};

static void
reads_good_requests_alike_at_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(good); i++) {
        struct vl_str text = vl_str_z(good[i].text);
        for (size_t cut = 0; cut <= text.n + 1; cut++) {
            /* The last round goes byte by byte. */
            bool bytes = cut > text.n;
            struct outcome out = read_pieces(
                text, bytes ? 0 : cut, bytes ? 1 : text.n, VL_PARSE_REQUEST);
            if (out.status != 0)
                fail_msg("%d at %zu for: %s", out.status, cut, good[i].text);
            assert_int_equal(out.used, text.n - good[i].rest);
            assert_str(vl_str_of(out.bytes, out.body), good[i].body);
        }
        struct vl_parser parser;
        vl_parser_init(&parser, VL_PARSE_REQUEST);
        assert_int_equal(vl_parser_read(&parser, text), VL_PARSE_DONE);
        assert_int_equal(parser.keep, good[i].keep);
    }
}

static void
tells_what_stands_in_the_head(void **state)
{
    (void)state;
    char text[] = "POST /mcp?x=1 HTTP/1.1\r\nHost: a.example:80\r\nA:  b \r\n"
                  "Expect: 100-Continue\r\nContent-Length: 7\r\n\r\n";
    struct vl_parser parser;
    vl_parser_init(&parser, VL_PARSE_REQUEST);
    assert_int_equal(vl_parser_read(&parser, vl_str_z(text)), VL_PARSE_DONE);
    assert_int_equal(parser.head_size, strlen(text));
    assert_int_equal(parser.framing, VL_FRAMING_LENGTH);
    assert_int_equal(parser.length, 7);
    assert_true(parser.expect_continue);
    /* The buffer may move. */
    char moved[sizeof text];
    memcpy(moved, text, sizeof text);
    memset(text, 0, sizeof text);
    struct vl_headers headers;
    vl_parser_headers(&parser, moved, &headers);
    assert_str(vl_parser_method(&parser, moved), "POST");
    assert_str(vl_parser_target(&parser, moved), "/mcp?x=1");
    assert_str(vl_parser_host(&parser, moved), "a.example:80");
    assert_int_equal(headers.count, 4);
    assert_str(vl_headers_get(&headers, "a"), "b");
}

/* Fills a head up with header lines of 1000 bytes. */
static struct vl_str
make_head(char *room, size_t target, size_t headers, size_t header_size)
{
    size_t n = (size_t)sprintf(room, "GET /");
    memset(room + n, 'a', target);
    n += target;
    n += (size_t)sprintf(room + n, " HTTP/1.1\r\n" H);
    for (size_t i = 0; i < headers; i++) {
        n += (size_t)sprintf(room + n, "X: ");
        memset(room + n, 'b', header_size);
        n += header_size;
        n += (size_t)sprintf(room + n, "\r\n");
    }
    n += (size_t)sprintf(room + n, "\r\n");
    return vl_str_of(room, n);
}

static void
keeps_its_limits(void **state)
{
    (void)state;
    static char room[200000];
    struct outcome out;
    struct vl_str text = make_head(room, VL_LIMIT_TARGET - 1, 0, 0);
    out = read_pieces(text, text.n, 1, VL_PARSE_REQUEST);
    assert_int_equal(out.status, 0);
    expect_failure(make_head(room, VL_LIMIT_TARGET, 0, 0), 414);
    expect_failure(make_head(room, VL_LIMIT_TARGET + 100, 0, 0), 414);

    text = make_head(room, 1, VL_LIMIT_HEADERS - 1, 1);
    out = read_pieces(text, text.n, 1, VL_PARSE_REQUEST);
    assert_int_equal(out.status, 0);
    expect_failure(make_head(room, 1, VL_LIMIT_HEADERS, 1), 431);

    size_t frame = make_head(room, 1, 1, 0).n;
    text = make_head(room, 1, 1, VL_LIMIT_HEAD - frame);
    assert_int_equal(text.n, VL_LIMIT_HEAD);
    out = read_pieces(text, text.n, 1, VL_PARSE_REQUEST);
    assert_int_equal(out.status, 0);
    expect_failure(make_head(room, 1, 1, VL_LIMIT_HEAD - frame + 1), 431);
    expect_failure(make_head(room, 1, 1, VL_LIMIT_HEAD + 1), 431);
    /* Without an end in sight it is refused before it has come. */
    text = vl_str_head(make_head(room, 100000, 0, 0), 20000);
    expect_failure(text, 414);
    text = vl_str_head(make_head(room, 1, 1, 100000), 20000);
    expect_failure(text, 431);
}

static void
finds_the_end_of_answers(void **state)
{
    (void)state;
    static const struct {
        enum vl_parse_kind kind;
        int status; /* 0: refused */
        enum vl_framing framing;
        const char *text;
    } cases[] = {
        {VL_PARSE_ANSWER, 200, VL_FRAMING_LENGTH,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
        {VL_PARSE_ANSWER, 200, VL_FRAMING_NONE,
         "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"},
        {VL_PARSE_ANSWER, 404, VL_FRAMING_CHUNKED,
         "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {VL_PARSE_ANSWER, 200, VL_FRAMING_CLOSE, "HTTP/1.0 200 OK\r\n\r\n"},
        {VL_PARSE_ANSWER, 204, VL_FRAMING_NONE, "HTTP/1.1 204 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 100, VL_FRAMING_NONE, "HTTP/1.1 100 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 304, VL_FRAMING_NONE,
         "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n"},
        {VL_PARSE_ANSWER_TO_HEAD, 200, VL_FRAMING_NONE,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0,
         "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0,
         "HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0,
         "HTTP/1.1 200 X\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0,
         "HTTP/1.0 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 200\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 099 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 600 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1  200 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 2000 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/2.0 200 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 200 \x01\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 200 X\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "\r\nHTTP/1.1 200 X\r\n\r\n"},
        {VL_PARSE_ANSWER, 0, 0, "HTTP/1.1 200 X\r\nA : b\r\n\r\n"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i].text));
        struct vl_parser parser;
        vl_parser_init(&parser, cases[i].kind);
        enum vl_parse result = vl_parser_read(&parser, text);
        vl_test_unguard(text);
        if (result != (cases[i].status ? VL_PARSE_DONE : VL_PARSE_FAILED))
            fail_msg("%s", cases[i].text);
        assert_int_equal(parser.status,
                         cases[i].status ? cases[i].status : 502);
        if (cases[i].status)
            assert_int_equal(parser.framing, cases[i].framing);
    }
}

static void
knows_whether_a_closed_connection_was_the_end(void **state)
{
    (void)state;
    struct vl_body body = {.framing = VL_FRAMING_CLOSE};
    assert_int_equal(vl_body_end(&body), VL_PARSE_DONE);
    body = (struct vl_body){.framing = VL_FRAMING_LENGTH, .left = 1};
    assert_int_equal(vl_body_end(&body), VL_PARSE_FAILED);
    body = (struct vl_body){.framing = VL_FRAMING_CHUNKED};
    assert_int_equal(vl_body_end(&body), VL_PARSE_FAILED);
    struct vl_str data;
    size_t used;
    assert_int_equal(vl_body_read(&body, VL_STR("0\r\n\r\n"), &data, &used),
                     VL_PARSE_DONE);
    assert_int_equal(vl_body_end(&body), VL_PARSE_DONE);
}

static void
writes_chunk_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *text;
    } cases[] = {{0, "0\r\n"},
                 {9, "9\r\n"},
                 {0x1a, "1a\r\n"},
                 {0x10000, "10000\r\n"},
                 {SIZE_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char head[VL_CHUNK_HEAD_SIZE];
        size_t n = vl_chunk_head(cases[i].size, head);
        assert_str(vl_str_of(head, n), cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_malformed_request),
        cmocka_unit_test(refuses_controls_everywhere),
        cmocka_unit_test(waits_for_the_rest_of_a_cut_message),
        cmocka_unit_test(reads_good_requests_alike_at_every_cut),
        cmocka_unit_test(tells_what_stands_in_the_head),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(finds_the_end_of_answers),
        cmocka_unit_test(knows_whether_a_closed_connection_was_the_end),
        cmocka_unit_test(writes_chunk_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
