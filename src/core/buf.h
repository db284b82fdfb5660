/* SPDX-License-Identifier: Apache-2.0
 *
 * Owned, growable bytes with a hard maximum. Appending never fails at the
 * call: a buffer that would pass its maximum (or finds no memory) marks
 * itself failed, keeps what it has and ignores the rest, and is asked once at
 * the end. So writers read as a list of lines.
 *
 *     vl_auto(vl_buf) b = vl_buf_of(VL_LIMIT_PAGE);
 *     vl_buf_addz(&b, "hello ");
 *     vl_buf_add(&b, name);
 *     VL_TRY(vl_buf_check(&b, err));
 *
 * A buffer may be memset to zero except for `max`. One that held a secret is
 * made with vl_buf_of_secret() and wipes all it ever held.
 */
#ifndef VL_CORE_BUF_H
#define VL_CORE_BUF_H

#include "core/str.h"

struct vl_buf {
    char *p;    /* start of the allocation */
    size_t off; /* bytes already consumed from the front */
    size_t n;   /* end of the content; content is p[off … n) */
    size_t cap;
    size_t max; /* of n - off; 0 allows nothing */
    bool failed;
    bool secret;
};

struct vl_buf vl_buf_of(size_t max);
struct vl_buf vl_buf_of_secret(size_t max);
/* Frees (and wipes a secret one); the buffer is empty and usable again. */
void vl_buf_done(struct vl_buf *buf);
/* Empties without giving the memory back; forgets a failure. */
void vl_buf_clear(struct vl_buf *buf);

/* vl_buf_add() where memory has to be got, or there is none. */
void vl_buf_add_slowly(struct vl_buf *buf, struct vl_str s);

/* Inline, since most of what is added is a literal: a store or two. */
static inline void
vl_buf_add(struct vl_buf *buf, struct vl_str s)
{
    if (s.n >= buf->cap - buf->n || buf->n - buf->off + s.n > buf->max ||
        buf->failed || s.n == 0) {
        vl_buf_add_slowly(buf, s);
        return;
    }
    memcpy(buf->p + buf->n, s.p, s.n);
    buf->n += s.n;
}

void vl_buf_addz(struct vl_buf *buf, const char *text);
void vl_buf_addc(struct vl_buf *buf, char c);
void vl_buf_addu(struct vl_buf *buf, uint64_t value);
void vl_buf_addf(struct vl_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Room for `n` bytes at the end, to be filled by the caller and announced by
 * vl_buf_commit(). NULL when it would pass the maximum.
 */
char *vl_buf_reserve(struct vl_buf *buf, size_t n);
void vl_buf_commit(struct vl_buf *buf, size_t n);
/* Forgets the first `n` bytes of the content. */
void vl_buf_consume(struct vl_buf *buf, size_t n);

/* The content, borrowed until the next change. */
struct vl_str vl_buf_str(const struct vl_buf *buf);
size_t vl_buf_size(const struct vl_buf *buf);
/* The content as C text, borrowed; "" for a failed or empty buffer. */
const char *vl_buf_cstr(struct vl_buf *buf);
/* VALET_LIMIT if any append was refused. */
valet_status
vl_buf_check(const struct vl_buf *buf, valet_error *err) VALET_CHECK;
/* Moves the content out; `from` is left empty. */
struct vl_buf vl_buf_take(struct vl_buf *from);

#endif
