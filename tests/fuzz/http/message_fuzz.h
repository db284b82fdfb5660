/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a message twice, whole and in pieces, and stops the process when the
 * two disagree: how bytes arrive must not change what they mean.
 */
#ifndef VL_MESSAGE_FUZZ_H
#define VL_MESSAGE_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "http/parse.h"

struct fuzz_result {
    enum vl_parse head, body;
    int status;
    size_t used;  /* up to the end of the message */
    uint64_t sum; /* of the body's bytes */
    size_t size;
};

static inline enum vl_parse
fuzz_body(struct vl_body *body, struct vl_str in, struct fuzz_result *r)
{
    enum vl_parse result = VL_PARSE_MORE;
    while (result == VL_PARSE_MORE) {
        struct vl_str data;
        size_t used, left = in.n - r->used;
        result = vl_body_read(body, vl_str_from(in, r->used), &data, &used);
        VL_ASSERT(used <= left && data.n <= used);
        VL_ASSERT(result != VL_PARSE_MORE || used > 0 || left == 0);
        for (size_t i = 0; i < data.n; i++)
            r->sum = r->sum * 31 + (unsigned char)data.p[i];
        r->size += data.n;
        r->used += used;
        if (r->used == in.n)
            break;
    }
    return result;
}

/* Shows `all` in steps, each a copy of its own that ends where it ends. */
static inline struct fuzz_result
fuzz_read(struct vl_str all, size_t step, enum vl_parse_kind kind)
{
    struct fuzz_result r = {.head = VL_PARSE_MORE, .body = VL_PARSE_MORE};
    struct vl_parser parser;
    struct vl_body body = {0};
    vl_parser_init(&parser, kind);
    for (size_t n = step < all.n ? step : all.n;;
         n = all.n - n < step ? all.n : n + step) {
        char *copy = malloc(n ? n : 1);
        VL_ASSERT(copy);
        if (n)
            memcpy(copy, all.p, n);
        struct vl_str seen = {copy, n};
        if (r.head == VL_PARSE_MORE) {
            r.head = vl_parser_read(&parser, seen);
            if (r.head == VL_PARSE_DONE) {
                struct vl_headers headers;
                vl_parser_headers(&parser, copy, &headers);
                for (size_t i = 0; i < headers.count; i++)
                    VL_ASSERT(vl_header_is_valid(headers.items[i].name,
                                                 headers.items[i].value));
                VL_ASSERT(parser.head_size <= n);
                r.used = parser.head_size;
                vl_body_init(&body, &parser);
            }
            r.status = parser.status;
        }
        if (r.head == VL_PARSE_DONE && r.body == VL_PARSE_MORE)
            r.body = fuzz_body(&body, seen, &r);
        free(copy);
        if (n == all.n || r.head == VL_PARSE_FAILED || r.body != VL_PARSE_MORE)
            return r;
    }
}

static inline void
fuzz_message(struct vl_str all, enum vl_parse_kind kind)
{
    /* Byte by byte is quadratic here: copies are for the sanitizer. */
    size_t steps[] = {1, 7, 4096};
    struct fuzz_result whole = fuzz_read(all, all.n + 1, kind);
    for (size_t i = all.n > 600 ? 1 : 0; i < VL_COUNT(steps); i++) {
        struct fuzz_result cut = fuzz_read(all, steps[i], kind);
        VL_ASSERT(cut.head == whole.head && cut.body == whole.body);
        VL_ASSERT(cut.status == whole.status);
        VL_ASSERT(cut.sum == whole.sum && cut.size == whole.size);
        VL_ASSERT(cut.used == whole.used);
    }
}

#endif
