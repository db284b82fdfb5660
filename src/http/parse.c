/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a head line by line. A line is searched for its LF once, from where
 * the last search ended, and taken apart once, when it is whole.
 */
#include "http/parse.h"

#include "http/url.h"

/* Longer methods are not even registered. */
#define METHOD_MAX 32
/* method SP target SP "HTTP/1.1" CRLF */
#define FIRST_LINE_MAX (METHOD_MAX + 1 + VL_LIMIT_TARGET + 1 + 8 + 2)

_Static_assert(VL_LIMIT_HEAD <= UINT16_MAX, "spans are 16 bits wide");
_Static_assert(FIRST_LINE_MAX < VL_LIMIT_HEAD, "a long target is told apart");

/* tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" /
 *         "_" / "`" / "|" / "~" / DIGIT / ALPHA */
static bool
is_token_byte(char c)
{
    /* clang-format off */
    static const bool table[128] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0,
    };
    /* clang-format on */
    unsigned char byte = (unsigned char)c;
    return byte < sizeof table && table[byte];
}

/* token = 1*tchar */
static bool
is_token(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_byte(s.p[i]))
            return false;
    return s.n > 0;
}

static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* field-content = *( VCHAR / obs-text / SP / HTAB ) */
static bool
is_text(struct vl_str s)
{
    const uint64_t ones = UINT64_MAX / 255;
    size_t i = 0;
    /* Eight bytes at a time: tokens are long. A word with any byte below
     * 0x20, or with 0x7f, is looked at byte by byte, since HTAB is fine. */
    while (i < s.n) {
        if (s.n - i >= 8) {
            uint64_t w, d;
            memcpy(&w, s.p + i, 8);
            d = w ^ (ones * 0x7f);
            uint64_t low = (w - ones * 0x20) & ~w;
            uint64_t del = (d - ones) & ~d;
            if (((low | del) & (ones * 0x80)) == 0) {
                i += 8;
                continue;
            }
        }
        if (is_control(s.p[i]) && s.p[i] != '\t')
            return false;
        i++;
    }
    return true;
}

bool
vl_header_is_valid(struct vl_str name, struct vl_str value)
{
    return is_token(name) && is_text(value);
}

/* What may stand in a request target, fragments apart: VCHAR. */
static bool
is_visible(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
            return false;
    return true;
}

static enum vl_parse
fail(struct vl_parser *parser, int status, const char *why)
{
    parser->state = VL_PARSE_FAILED;
    parser->status = parser->kind == VL_PARSE_REQUEST ? status : 502;
    parser->why = why;
    return VL_PARSE_FAILED;
}

static struct vl_span
span_of(const char *head, struct vl_str s)
{
    return (struct vl_span){(uint16_t)(s.p - head), (uint16_t)s.n};
}

static struct vl_str
slice_of(const char *head, struct vl_span span)
{
    return (struct vl_str){head + span.at, span.n};
}

void
vl_parser_init(struct vl_parser *parser, enum vl_parse_kind kind)
{
    /* The spans are written before they are read: they need no zeroes. */
    memset(parser, 0, offsetof(struct vl_parser, names));
    parser->headers = 0;
    parser->kind = kind;
}

/* --- first lines --- */

/* HTTP-version = "HTTP" "/" DIGIT "." DIGIT ; here 1.0 or 1.1 */
static enum vl_parse
read_version(struct vl_parser *parser, struct vl_str s)
{
    if (vl_str_eq(s, VL_STR("HTTP/1.1")) || vl_str_eq(s, VL_STR("HTTP/1.0"))) {
        parser->minor = s.p[7] - '0';
        return VL_PARSE_MORE;
    }
    bool other = s.n == 8 && vl_str_starts(s, VL_STR("HTTP/")) &&
                 s.p[5] >= '0' && s.p[5] <= '9' && s.p[5] != '1' &&
                 s.p[6] == '.' && s.p[7] >= '0' && s.p[7] <= '9';
    return other ? fail(parser, 505, "only HTTP/1.1 is spoken here")
                 : fail(parser, 400, "the HTTP version is malformed");
}

/* origin-form = absolute-path [ "?" query ] */
static enum vl_parse
read_target(struct vl_parser *parser, struct vl_str target)
{
    if (target.n > VL_LIMIT_TARGET)
        return fail(parser, 414, "the target is too long");
    if (target.n == 0 || target.p[0] != '/')
        return fail(parser, 400, "the target is not of origin-form");
    struct vl_str path = vl_str_head(target, vl_str_index(target, '?'));
    /* Some take a backslash for a slash, so it may not be in a path. */
    if (!is_visible(target) || vl_str_has(target, '#') ||
        vl_str_has(path, '\\'))
        return fail(parser, 400, "the target has a byte that is not allowed");
    return VL_PARSE_MORE;
}

/* request-line = method SP request-target SP HTTP-version */
static enum vl_parse
read_request_line(struct vl_parser *parser, const char *head,
                  struct vl_str line)
{
    struct vl_str method = vl_str_head(line, vl_str_index(line, ' '));
    struct vl_str rest = vl_str_from(line, method.n + 1);
    struct vl_str target = vl_str_head(rest, vl_str_index(rest, ' '));
    if (!is_token(method) || method.n > METHOD_MAX)
        return fail(parser, 400, "the method is malformed");
    if (target.n == rest.n)
        return fail(parser, 400, "the request line is malformed");
    /* The version first: HTTP/2's preface has another target, and 505. */
    if (read_version(parser, vl_str_from(rest, target.n + 1)) != VL_PARSE_MORE)
        return VL_PARSE_FAILED;
    /* CONNECT has no origin-form. */
    if (vl_str_eq(method, VL_STR("CONNECT")))
        return fail(parser, 400, "CONNECT is not for servers");
    parser->method = span_of(head, method);
    parser->target = span_of(head, target);
    return read_target(parser, target);
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] */
static enum vl_parse
read_status_line(struct vl_parser *parser, const char *head, struct vl_str line)
{
    struct vl_str version = vl_str_head(line, 8);
    struct vl_str code = vl_str_head(vl_str_from(line, 9), 3);
    struct vl_str reason = vl_str_from(line, 13);
    uint64_t status;
    if (line.n < 13 || line.p[8] != ' ' || line.p[12] != ' ' ||
        !vl_str_u64(code, 599, &status) || status < 100)
        return fail(parser, 502, "the status line is malformed");
    if (!is_text(reason))
        return fail(parser, 502, "the reason phrase has a control character");
    if (read_version(parser, version) != VL_PARSE_MORE)
        return VL_PARSE_FAILED;
    parser->status = (int)status;
    parser->reason = span_of(head, reason);
    return VL_PARSE_MORE;
}

/* --- fields --- */

static const struct {
    struct vl_str name;
    enum vl_known_field field;
} known_fields[] = {
    {{"connection", 10}, VL_FIELD_CONNECTION},
    {{"content-length", 14}, VL_FIELD_CONTENT_LENGTH},
    {{"expect", 6}, VL_FIELD_EXPECT},
    {{"host", 4}, VL_FIELD_HOST},
    {{"transfer-encoding", 17}, VL_FIELD_TRANSFER_ENCODING},
};

static void
note_known(struct vl_parser *parser, struct vl_str name, struct vl_span value)
{
    for (size_t i = 0; i < VL_COUNT(known_fields); i++) {
        if (!vl_str_ieq(name, known_fields[i].name))
            continue;
        enum vl_known_field field = known_fields[i].field;
        if (parser->known[field].count++ == 0)
            parser->known[field].value = value;
    }
}

/* field-line = field-name ":" OWS field-value OWS */
static enum vl_parse
read_field(struct vl_parser *parser, const char *head, struct vl_str line)
{
    size_t colon = 0;
    while (colon < line.n && is_token_byte(line.p[colon]))
        colon++;
    /* A space before the colon, obs-fold and a line without colon too. */
    if (colon == 0 || colon == line.n || line.p[colon] != ':')
        return fail(parser, 400, "a header line is malformed");
    if (parser->headers == VL_LIMIT_HEADERS)
        return fail(parser, 431, "there are too many header lines");
    struct vl_str name = vl_str_head(line, colon);
    struct vl_str value = vl_str_trim(vl_str_from(line, colon + 1));
    if (!is_text(value))
        return fail(parser, 400, "a header line has a control character");
    struct vl_span span = span_of(head, value);
    parser->names[parser->headers] = span_of(head, name);
    parser->values[parser->headers++] = span;
    note_known(parser, name, span);
    return VL_PARSE_MORE;
}

/* --- what the fields say about the message --- */

/* Transfer-Encoding = #transfer-coding ; here exactly "chunked" */
static enum vl_parse
check_encoding(struct vl_parser *parser, const char *head)
{
    struct vl_str coding =
        slice_of(head, parser->known[VL_FIELD_TRANSFER_ENCODING].value);
    if (parser->known[VL_FIELD_TRANSFER_ENCODING].count > 1 ||
        !vl_str_ieq(coding, VL_STR("chunked")))
        return fail(parser, 400, "the transfer coding is not just chunked");
    if (parser->known[VL_FIELD_CONTENT_LENGTH].count > 0)
        return fail(parser, 400, "it has both a length and a transfer coding");
    if (parser->minor == 0)
        return fail(parser, 400, "HTTP/1.0 has no transfer codings");
    parser->framing = VL_FRAMING_CHUNKED;
    return VL_PARSE_MORE;
}

/* Content-Length = 1*DIGIT ; here once, and without leading zeros */
static enum vl_parse
check_length(struct vl_parser *parser, const char *head)
{
    struct vl_str digits =
        slice_of(head, parser->known[VL_FIELD_CONTENT_LENGTH].value);
    if (parser->known[VL_FIELD_CONTENT_LENGTH].count > 1)
        return fail(parser, 400, "it has several lengths");
    if (!vl_str_u64(digits, INT64_MAX, &parser->length) ||
        (digits.n > 1 && digits.p[0] == '0'))
        return fail(parser, 400, "the length is malformed");
    parser->framing = parser->length ? VL_FRAMING_LENGTH : VL_FRAMING_NONE;
    return VL_PARSE_MORE;
}

/* RFC 9112 section 6.3, without its lenient cases */
static enum vl_parse
check_framing(struct vl_parser *parser, const char *head)
{
    bool coded = parser->known[VL_FIELD_TRANSFER_ENCODING].count > 0;
    bool sized = parser->known[VL_FIELD_CONTENT_LENGTH].count > 0;
    if (coded && check_encoding(parser, head) != VL_PARSE_MORE)
        return VL_PARSE_FAILED;
    if (sized && check_length(parser, head) != VL_PARSE_MORE)
        return VL_PARSE_FAILED;
    if (parser->kind == VL_PARSE_REQUEST)
        return VL_PARSE_MORE;

    bool bare = parser->status < 200 || parser->status == 204;
    if (bare && parser->framing != VL_FRAMING_NONE)
        return fail(parser, 502, "an answer of this status has no body");
    if (bare || parser->status == 304 ||
        parser->kind == VL_PARSE_ANSWER_TO_HEAD) {
        parser->framing = VL_FRAMING_NONE;
        parser->length = 0;
    } else if (!coded && !sized) {
        parser->framing = VL_FRAMING_CLOSE;
    }
    return VL_PARSE_MORE;
}

/* Host = uri-host [ ":" port ] ; exactly one, and not empty */
static enum vl_parse
check_host(struct vl_parser *parser, const char *head)
{
    if (parser->known[VL_FIELD_HOST].count != 1)
        return fail(parser, 400, "there is not exactly one Host");
    if (!vl_url_is_authority(
            slice_of(head, parser->known[VL_FIELD_HOST].value)))
        return fail(parser, 400, "the Host is malformed");
    return VL_PARSE_MORE;
}

/* Expect = "100-continue" */
static enum vl_parse
check_expect(struct vl_parser *parser, const char *head)
{
    if (parser->known[VL_FIELD_EXPECT].count == 0)
        return VL_PARSE_MORE;
    struct vl_str value = slice_of(head, parser->known[VL_FIELD_EXPECT].value);
    if (parser->known[VL_FIELD_EXPECT].count > 1 ||
        !vl_str_ieq(value, VL_STR("100-continue")))
        return fail(parser, 417, "the expectation cannot be met");
    /* RFC 9110 10.1.1: from HTTP/1.0 it is ignored. */
    parser->expect_continue = parser->minor == 1;
    return VL_PARSE_MORE;
}

/* Connection = #connection-option */
static bool
wants_close(const struct vl_parser *parser, const char *head)
{
    if (parser->known[VL_FIELD_CONNECTION].count == 0)
        return false;
    for (size_t i = 0; i < parser->headers; i++) {
        struct vl_str rest = slice_of(head, parser->values[i]), option;
        if (!vl_str_ieq(slice_of(head, parser->names[i]), VL_STR("connection")))
            continue;
        while (vl_str_split(&rest, ',', &option))
            if (vl_str_ieq(vl_str_trim(option), VL_STR("close")))
                return true;
    }
    return false;
}

static enum vl_parse
finish_head(struct vl_parser *parser, const char *head)
{
    if (check_framing(parser, head) != VL_PARSE_MORE)
        return VL_PARSE_FAILED;
    if (parser->kind == VL_PARSE_REQUEST &&
        (check_host(parser, head) != VL_PARSE_MORE ||
         check_expect(parser, head) != VL_PARSE_MORE))
        return VL_PARSE_FAILED;
    parser->keep = parser->minor == 1 && parser->framing != VL_FRAMING_CLOSE &&
                   !wants_close(parser, head);
    parser->head_size = parser->line;
    parser->state = VL_PARSE_DONE;
    return VL_PARSE_DONE;
}

/* --- lines --- */

static enum vl_parse
read_line(struct vl_parser *parser, const char *head, struct vl_str line)
{
    bool first = line.p == head;
    parser->line += line.n + 2;
    parser->scanned = parser->line;
    if (first && parser->kind == VL_PARSE_REQUEST)
        return read_request_line(parser, head, line);
    if (first)
        return read_status_line(parser, head, line);
    if (line.n == 0)
        return finish_head(parser, head);
    return read_field(parser, head, line);
}

/* How far the end of the current line may be. */
static size_t
line_limit(const struct vl_parser *parser)
{
    bool target = parser->line == 0 && parser->kind == VL_PARSE_REQUEST;
    return target ? FIRST_LINE_MAX : VL_LIMIT_HEAD;
}

static enum vl_parse
fail_long(struct vl_parser *parser)
{
    return parser->line == 0
               ? fail(parser, 414, "the request line is too long")
               : fail(parser, 431, "the header lines are too long");
}

/* @spec S-64 */
/* HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ] */
enum vl_parse
vl_parser_read(struct vl_parser *parser, struct vl_str head)
{
    /* What speaks another protocol, or sends empty lines first, is told so
     * before its line is whole: it may never be. */
    if (parser->state == VL_PARSE_MORE && parser->scanned == 0 && head.n > 0 &&
        !is_token_byte(head.p[0]))
        return fail(parser, 400, "this is not HTTP");
    while (parser->state == VL_PARSE_MORE) {
        size_t limit = line_limit(parser);
        struct vl_str seen = vl_str_head(head, limit);
        size_t end = parser->scanned +
                     vl_str_index(vl_str_from(seen, parser->scanned), '\n');
        if (end >= seen.n) {
            parser->scanned = seen.n;
            return seen.n < limit ? VL_PARSE_MORE : fail_long(parser);
        }
        if (end == parser->line || head.p[end - 1] != '\r')
            return fail(parser, 400, "a line does not end in CRLF");
        (void)read_line(
            parser, head.p,
            (struct vl_str){head.p + parser->line, end - 1 - parser->line});
    }
    return parser->state;
}

/* --- slices --- */

struct vl_str
vl_parser_method(const struct vl_parser *parser, const char *head)
{
    return slice_of(head, parser->method);
}

struct vl_str
vl_parser_target(const struct vl_parser *parser, const char *head)
{
    return slice_of(head, parser->target);
}

struct vl_str
vl_parser_host(const struct vl_parser *parser, const char *head)
{
    return slice_of(head, parser->known[VL_FIELD_HOST].value);
}

void
vl_parser_headers(const struct vl_parser *parser, const char *head,
                  struct vl_headers *ret)
{
    ret->count = parser->headers;
    for (size_t i = 0; i < parser->headers; i++)
        ret->items[i] = (struct vl_header){slice_of(head, parser->names[i]),
                                           slice_of(head, parser->values[i])};
}
