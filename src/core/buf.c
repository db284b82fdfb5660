/* SPDX-License-Identifier: Apache-2.0 */
#include "core/buf.h"

#include <stdarg.h>

#include "core/status.h"

/* One byte more than asked for is always there, for vl_buf_cstr(). */
#define SPARE 1
/* Whatever a buffer's maximum says; below it sizes can be doubled. */
#define MOST (SIZE_MAX / 4)

struct vl_buf
vl_buf_of(size_t max)
{
    return (struct vl_buf){.max = max};
}

struct vl_buf
vl_buf_of_secret(size_t max)
{
    return (struct vl_buf){.max = max, .secret = true};
}

static void
release(struct vl_buf *buf)
{
    if (buf->secret && buf->p)
        explicit_bzero(buf->p, buf->cap);
    free(buf->p);
}

void
vl_buf_done(struct vl_buf *buf)
{
    release(buf);
    *buf = (struct vl_buf){.max = buf->max, .secret = buf->secret};
}

void
vl_buf_clear(struct vl_buf *buf)
{
    if (buf->secret && buf->p)
        explicit_bzero(buf->p, buf->cap);
    buf->off = buf->n = 0;
    buf->failed = false;
}

/* Moves the content into a fresh allocation; realloc could leave a copy. */
static bool
grow(struct vl_buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need + SPARE)
        cap *= 2;
    if (cap - SPARE > buf->max)
        cap = buf->max + SPARE;
    char *p = malloc(cap);
    if (!p)
        return false;
    size_t size = buf->n - buf->off;
    if (size)
        memcpy(p, buf->p + buf->off, size);
    release(buf);
    buf->p = p;
    buf->cap = cap;
    buf->off = 0;
    buf->n = size;
    return true;
}

/* Makes room for `n` more bytes, or fails. */
static bool
make_room(struct vl_buf *buf, size_t n)
{
    size_t size = buf->n - buf->off;
    if (buf->off && buf->cap >= SPARE && size + n <= buf->cap - SPARE) {
        memmove(buf->p, buf->p + buf->off, size);
        buf->off = 0;
        buf->n = size;
        return true;
    }
    return grow(buf, size + n);
}

char *
vl_buf_reserve(struct vl_buf *buf, size_t n)
{
    size_t size = buf->n - buf->off;
    size_t max = buf->max < MOST ? buf->max : MOST;
    bool there = buf->cap >= SPARE && n <= buf->cap - SPARE - buf->n;
    if (buf->failed || n > max || size > max - n ||
        (!there && !make_room(buf, n))) {
        buf->failed = true;
        return NULL;
    }
    return buf->p + buf->n;
}

void
vl_buf_commit(struct vl_buf *buf, size_t n)
{
    VL_ASSERT(buf->cap >= SPARE && n <= buf->cap - SPARE - buf->n);
    buf->n += n;
}

void
vl_buf_consume(struct vl_buf *buf, size_t n)
{
    VL_ASSERT(n <= buf->n - buf->off);
    buf->off += n;
    if (buf->off == buf->n)
        buf->off = buf->n = 0;
}

void
vl_buf_add_slowly(struct vl_buf *buf, struct vl_str s)
{
    char *room = s.n ? vl_buf_reserve(buf, s.n) : NULL;
    if (!room)
        return;
    memcpy(room, s.p, s.n);
    buf->n += s.n;
}

void
vl_buf_addz(struct vl_buf *buf, const char *text)
{
    vl_buf_add(buf, vl_str_z(text));
}

void
vl_buf_addc(struct vl_buf *buf, char c)
{
    vl_buf_add(buf, (struct vl_str){&c, 1});
}

void
vl_buf_addu(struct vl_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    vl_buf_add(buf, (struct vl_str){digits + at, sizeof digits - at});
}

void
vl_buf_addf(struct vl_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0) /* longer than INT_MAX, or not to be formatted */
        buf->failed = true;
    char *room = n > 0 ? vl_buf_reserve(buf, (size_t)n) : NULL;
    if (room) {
        /* The spare byte takes the NUL. */
        (void)vsnprintf(room, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

struct vl_str
vl_buf_str(const struct vl_buf *buf)
{
    return (struct vl_str){buf->p ? buf->p + buf->off : "", buf->n - buf->off};
}

size_t
vl_buf_size(const struct vl_buf *buf)
{
    return buf->n - buf->off;
}

const char *
vl_buf_cstr(struct vl_buf *buf)
{
    if (buf->failed || !buf->p)
        return "";
    buf->p[buf->n] = '\0';
    return buf->p + buf->off;
}

valet_status
vl_buf_check(const struct vl_buf *buf, valet_error *err)
{
    if (!buf->failed)
        return VALET_OK;
    return vl_fail(err, VALET_LIMIT, "", "more than %zu bytes", buf->max);
}

struct vl_buf
vl_buf_take(struct vl_buf *from)
{
    struct vl_buf taken = *from;
    *from = (struct vl_buf){.max = from->max, .secret = from->secret};
    return taken;
}
