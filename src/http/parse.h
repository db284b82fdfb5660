/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP/1.1 parser (RFC 9112), for requests and answers. It is the border
 * of the house: what two parsers could read in two ways is refused here, and
 * nothing is repaired. It owns no bytes and copies none; it keeps offsets, so
 * the caller's buffer may move between calls.
 *
 * The head: collect bytes in a buffer and show it from its first byte, each
 * time with more in it. A byte is looked at once, however they arrive.
 *
 *     vl_parser_init(&parser, VL_PARSE_REQUEST);
 *     while (vl_parser_read(&parser, buffer) == VL_PARSE_MORE)
 *         …append to the buffer…
 *
 * Then the body, from wherever it is: vl_body_init(), vl_body_read(). After a
 * failure the connection has to be closed: nobody knows where the next
 * message begins.
 */
#ifndef VL_HTTP_PARSE_H
#define VL_HTTP_PARSE_H

#include "http/message.h"

enum vl_parse {
    VL_PARSE_MORE,   /* fine so far */
    VL_PARSE_DONE,   /* complete */
    VL_PARSE_FAILED, /* and stays so */
    VL_PARSE_COUNT
};

enum vl_parse_kind {
    VL_PARSE_REQUEST,
    VL_PARSE_ANSWER,
    VL_PARSE_ANSWER_TO_HEAD, /* has no body, whatever its head says */
    VL_PARSE_KIND_COUNT
};

/* How the end of the body is found (RFC 9112 section 6.3). */
enum vl_framing {
    VL_FRAMING_NONE, /* there is no body */
    VL_FRAMING_LENGTH,
    VL_FRAMING_CHUNKED,
    VL_FRAMING_CLOSE, /* an answer that ends with its connection */
    VL_FRAMING_COUNT
};

/* Where something stands in the head. */
struct vl_span {
    uint16_t at, n;
};

/* Header fields that decide about the message itself. */
enum vl_known_field {
    VL_FIELD_CONNECTION,
    VL_FIELD_CONTENT_LENGTH,
    VL_FIELD_EXPECT,
    VL_FIELD_HOST,
    VL_FIELD_TRANSFER_ENCODING,
    VL_FIELD_COUNT
};

struct vl_parser {
    /* Of a complete head. */
    size_t head_size; /* bytes up to and with the empty line */
    enum vl_framing framing;
    uint64_t length; /* VL_FRAMING_LENGTH: of the body, more than 0 */
    int status;      /* of an answer; of a failed request: what to answer */
    int minor;       /* the version is HTTP/1.minor: 0 or 1 */
    bool keep;       /* the connection may be used for another message */
    bool expect_continue;
    const char *why; /* it failed: in a sentence */

    /* Private. */
    enum vl_parse_kind kind;
    enum vl_parse state;
    size_t line;    /* where the line begins that is not read yet */
    size_t scanned; /* up to here that line has no end */
    struct vl_span method, target, reason;
    struct {
        struct vl_span value; /* of the first */
        unsigned count;
    } known[VL_FIELD_COUNT];
    struct vl_span names[VL_LIMIT_HEADERS], values[VL_LIMIT_HEADERS];
    size_t headers;
};

void vl_parser_init(struct vl_parser *parser, enum vl_parse_kind kind);
/* `head` begins with the first byte of the message, and may hold more. */
enum vl_parse vl_parser_read(struct vl_parser *parser, struct vl_str head);

/* Slices of a complete head; `head` is its buffer, wherever it is now. */
struct vl_str
vl_parser_method(const struct vl_parser *parser, const char *head);
/* Origin-form, never empty. */
struct vl_str
vl_parser_target(const struct vl_parser *parser, const char *head);
struct vl_str vl_parser_host(const struct vl_parser *parser, const char *head);
void vl_parser_headers(const struct vl_parser *parser, const char *head,
                       struct vl_headers *ret);

struct vl_body {
    /* VL_FRAMING_LENGTH: bytes to come; CHUNKED: of this chunk. */
    uint64_t left;
    const char *why; /* it failed: in a sentence */
    enum vl_framing framing;
    unsigned state; /* private */
    unsigned line;  /* private: bytes of the chunk line so far */
};

void vl_body_init(struct vl_body *body, const struct vl_parser *parser);
/*
 * Takes the next bytes of the message: `*ret_used` of `in` are done with,
 * `*ret_data` (a slice of `in`, or empty) is content. After VL_PARSE_MORE
 * call again with the rest; when `in` was not empty something was used. What
 * is left after VL_PARSE_DONE is the next message's.
 */
enum vl_parse vl_body_read(struct vl_body *body, struct vl_str in,
                           struct vl_str *ret_data, size_t *ret_used);
/* The connection was closed: was that the end (DONE), or was more to come? */
enum vl_parse vl_body_end(const struct vl_body *body);

/* May it be sent: is the name a token, and the value without controls? */
bool vl_header_is_valid(struct vl_str name, struct vl_str value);

/* "1a\r\n" before a chunk; its data is followed by CRLF. Returns the length. */
#define VL_CHUNK_HEAD_SIZE 18
size_t vl_chunk_head(size_t size, char ret[VL_CHUNK_HEAD_SIZE]);

#endif
