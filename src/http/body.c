/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies: counted, chunked, or up to the end of the connection. The chunk
 * reader is a small state machine; extensions and trailers are refused, since
 * nobody here uses them and others disagree about their ends.
 */
#include "http/parse.h"

enum chunk_state {
    CHUNK_SIZE_FIRST, /* at least one digit */
    CHUNK_SIZE,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_LAST_CR, /* after the last chunk: a trailer, or the end */
    CHUNK_LAST_LF,
    CHUNK_END,
    CHUNK_FAILED
};

/* Digits of a size within the line's limit never overflow. */
_Static_assert(VL_LIMIT_CHUNK_LINE - 2 <= 15, "a chunk size fits 60 bits");

void
vl_body_init(struct vl_body *body, const struct vl_parser *parser)
{
    *body = (struct vl_body){
        .framing = parser->framing,
        .left = parser->framing == VL_FRAMING_LENGTH ? parser->length : 0};
}

static enum vl_parse
fail(struct vl_body *body, const char *why)
{
    body->state = CHUNK_FAILED;
    body->why = why;
    return VL_PARSE_FAILED;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* chunk-size = 1*HEXDIG */
static enum vl_parse
read_size(struct vl_body *body, char c)
{
    int digit = hex_value(c);
    if (digit < 0 && c == '\r' && body->state == CHUNK_SIZE) {
        body->state = CHUNK_SIZE_LF;
        return VL_PARSE_MORE;
    }
    if (digit < 0)
        return fail(body, c == ';' ? "chunk extensions are not allowed"
                                   : "a chunk size is malformed");
    /* CR and LF count too. */
    if (++body->line > VL_LIMIT_CHUNK_LINE - 2)
        return fail(body, "a chunk size is too long");
    body->left = body->left << 4 | (unsigned)digit;
    body->state = CHUNK_SIZE;
    return VL_PARSE_MORE;
}

/* One byte of where only one byte is right. */
static enum vl_parse
read_mark(struct vl_body *body, char c)
{
    static const struct {
        char byte;
        enum chunk_state next;
        const char *why;
    } marks[] = {
        [CHUNK_SIZE_LF] = {'\n', CHUNK_DATA, "a chunk line has a bare CR"},
        [CHUNK_DATA_CR] = {'\r', CHUNK_DATA_LF, "a chunk is not of its size"},
        [CHUNK_DATA_LF] = {'\n', CHUNK_SIZE_FIRST, "a chunk ends in bare CR"},
        [CHUNK_LAST_CR] = {'\r', CHUNK_LAST_LF, "trailers are not allowed"},
        [CHUNK_LAST_LF] = {'\n', CHUNK_END, "the body ends in bare CR"},
    };
    if (c != marks[body->state].byte)
        return fail(body, marks[body->state].why);
    /* last-chunk = 1*("0") CRLF */
    bool last = body->state == CHUNK_SIZE_LF && body->left == 0;
    body->state = last ? CHUNK_LAST_CR : marks[body->state].next;
    body->line = 0;
    return body->state == CHUNK_END ? VL_PARSE_DONE : VL_PARSE_MORE;
}

/* Hands out what is here of `left` bytes. */
static void
take_data(struct vl_body *body, struct vl_str in, struct vl_str *ret_data,
          size_t *ret_used)
{
    *ret_data = body->left < in.n ? vl_str_head(in, (size_t)body->left) : in;
    *ret_used += ret_data->n;
    body->left -= ret_data->n;
}

/*
 * chunked-body = *chunk last-chunk CRLF ; without extensions and trailers
 * chunk        = chunk-size CRLF chunk-data CRLF
 */
static enum vl_parse
read_chunked(struct vl_body *body, struct vl_str in, struct vl_str *ret_data,
             size_t *ret_used)
{
    enum vl_parse result = VL_PARSE_MORE;
    while (result == VL_PARSE_MORE && *ret_used < in.n) {
        char c = in.p[*ret_used];
        if (body->state == CHUNK_DATA) {
            take_data(body, vl_str_from(in, *ret_used), ret_data, ret_used);
            if (body->left == 0)
                body->state = CHUNK_DATA_CR;
            return VL_PARSE_MORE;
        }
        result =
            body->state <= CHUNK_SIZE ? read_size(body, c) : read_mark(body, c);
        *ret_used += result != VL_PARSE_FAILED;
    }
    return result;
}

enum vl_parse
vl_body_read(struct vl_body *body, struct vl_str in, struct vl_str *ret_data,
             size_t *ret_used)
{
    *ret_data = (struct vl_str){NULL, 0};
    *ret_used = 0;
    if (body->state == CHUNK_FAILED)
        return VL_PARSE_FAILED;
    switch (body->framing) {
    case VL_FRAMING_CHUNKED:
        if (body->state == CHUNK_END)
            return VL_PARSE_DONE;
        return read_chunked(body, in, ret_data, ret_used);
    case VL_FRAMING_LENGTH:
        take_data(body, in, ret_data, ret_used);
        return body->left ? VL_PARSE_MORE : VL_PARSE_DONE;
    case VL_FRAMING_CLOSE:
        *ret_data = in;
        *ret_used = in.n;
        return VL_PARSE_MORE;
    default:
        return VL_PARSE_DONE;
    }
}

enum vl_parse
vl_body_end(const struct vl_body *body)
{
    bool whole =
        body->framing == VL_FRAMING_NONE || body->framing == VL_FRAMING_CLOSE ||
        (body->framing == VL_FRAMING_LENGTH && body->left == 0) ||
        (body->framing == VL_FRAMING_CHUNKED && body->state == CHUNK_END);
    return whole ? VL_PARSE_DONE : VL_PARSE_FAILED;
}

size_t
vl_chunk_head(size_t size, char ret[VL_CHUNK_HEAD_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 1;
    while (length < 16 && size >> (4 * length))
        length++;
    for (size_t i = 0; i < length; i++)
        ret[length - 1 - i] = digits[size >> (4 * i) & 15];
    memcpy(ret + length, "\r\n", 2);
    return length + 2;
}
