/* SPDX-License-Identifier: Apache-2.0
 *
 * The only file that knows jansson's parser. Two things are done before it
 * sees a text: depth is counted, for jansson's own bound is a fixed 2048, and
 * what it says about a fault is replaced, for it quotes the input and that
 * may be a token.
 */
#include "json/read.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>

#include "core/secret.h"
#include "core/status.h"

/* jansson's own bound: reaching it would be reported as a syntax error. */
#define DEEPEST 2000u

static void
wipe_free(void *p)
{
    if (p)
        vl_wipe(p, malloc_usable_size(p));
    free(p);
}

/*
 * Entra's tokens come as JSON, and jansson's copies of them must not stay in
 * freed memory (@spec S-56). What was allocated before is freed by ours just
 * as well. Where the program has given jansson an allocator of its own before
 * us, that stays.
 */
static void
provide_memory(void)
{
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    if (allocate == malloc && release == free)
        json_set_alloc_funcs(malloc, wipe_free);
}

void
vl_json_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, provide_memory);
}

/* jansson's getters want what they do not change without const. */
static json_t *
without_const(const json_t *value)
{
    return (json_t *)(uintptr_t)value;
}

/* Line and column (in bytes), both from 1, of the byte at `at`. */
static valet_status
refuse_at(struct vl_str text, size_t at, const char *why, valet_error *err)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    return vl_fail(err, VALET_INVALID, "", "%s at line %zu, column %zu", why,
                   line, at - start + 1);
}

/* The index behind the string that begins at `i` (after the quote). */
static size_t
skip_string(struct vl_str text, size_t i)
{
    while (i < text.n && text.p[i] != '"')
        i += text.p[i] == '\\' ? 2 : 1;
    return i + 1;
}

/*
 * Brackets outside strings, counted before anything is built: a text of a
 * million brackets costs one pass and no memory. Whether they match is
 * jansson's business.
 */
static valet_status
check_depth(struct vl_str text, unsigned max_depth, valet_error *err)
{
    unsigned depth = 0;
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        if (c == '"') {
            i = skip_string(text, i + 1);
            continue;
        }
        if (c == '{' || c == '[') {
            if (depth++ >= max_depth)
                return refuse_at(text, i, "the JSON is nested too deep", err);
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
        i++;
    }
    return VALET_OK;
}

static const char *
reason_of(const json_error_t *error)
{
    static const struct {
        enum json_error_code code;
        const char *why;
    } reasons[] = {
        {json_error_invalid_utf8, "the JSON is not UTF-8"},
        {json_error_premature_end_of_input, "the JSON is cut off"},
        {json_error_end_of_input_expected, "something follows the JSON"},
        {json_error_null_character, "the JSON has a NUL in a string"},
        {json_error_null_byte_in_key, "the JSON has a NUL in a key"},
        {json_error_duplicate_key, "the JSON has the same key twice"},
        {json_error_numeric_overflow, "the JSON has a number out of range"},
    };
    for (size_t i = 0; i < VL_COUNT(reasons); i++)
        if (reasons[i].code == json_error_code(error))
            return reasons[i].why;
    return "the JSON is malformed";
}

valet_status
vl_json_parse(struct vl_str text, unsigned max_depth, struct vl_json *ret,
              valet_error *err)
{
    /* jansson loses a NUL behind a number: "7\0" would read as "7". */
    const char *nul = text.n ? memchr(text.p, '\0', text.n) : NULL;
    if (nul)
        return refuse_at(text, (size_t)(nul - text.p), "the JSON has a NUL",
                         err);
    VL_TRY(check_depth(text, max_depth < DEEPEST ? max_depth : DEEPEST, err));
    vl_json_prepare();
    json_error_t error = {.line = -1};
    json_t *root = json_loadb(text.n ? text.p : "", text.n,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (root) {
        ret->root = root;
        return VALET_OK;
    }
    if (json_error_code(&error) == json_error_out_of_memory)
        return vl_fail(err, VALET_LIMIT, "", "no memory for the JSON");
    size_t at = error.position > 0 ? (size_t)error.position : 0;
    return refuse_at(text, at < text.n ? at : text.n, reason_of(&error), err);
}

void
vl_json_done(struct vl_json *doc)
{
    json_decref(doc->root);
    doc->root = NULL;
}

struct vl_json
vl_json_share(const struct json_t *value)
{
    return (struct vl_json){json_incref(without_const(value))};
}

struct vl_json
vl_json_of_str(struct vl_str text)
{
    return (struct vl_json){json_stringn(text.p ? text.p : "", text.n)};
}

enum vl_json_kind
vl_json_kind(const struct json_t *value)
{
    if (!value)
        return VL_JSON_ABSENT;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return VL_JSON_OBJECT;
    case JSON_ARRAY:
        return VL_JSON_ARRAY;
    case JSON_STRING:
        return VL_JSON_STRING;
    case JSON_INTEGER:
        return VL_JSON_INT;
    case JSON_REAL:
        return VL_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return VL_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return VL_JSON_NULL;
}

const struct json_t *
vl_json_get(const struct json_t *object, const char *key)
{
    return json_object_get(object, key);
}

struct vl_str
vl_json_str(const struct json_t *value)
{
    if (!json_is_string(value))
        return (struct vl_str){NULL, 0};
    return (struct vl_str){json_string_value(value), json_string_length(value)};
}

struct vl_str
vl_json_get_str(const struct json_t *object, const char *key)
{
    return vl_json_str(vl_json_get(object, key));
}

bool
vl_json_int(const struct json_t *value, int64_t *ret)
{
    if (!json_is_integer(value))
        return false;
    *ret = json_integer_value(value);
    return true;
}

bool
vl_json_get_int(const struct json_t *object, const char *key, int64_t *ret)
{
    return vl_json_int(vl_json_get(object, key), ret);
}

bool
vl_json_real(const struct json_t *value, double *ret)
{
    if (!json_is_real(value))
        return false;
    *ret = json_real_value(value);
    return true;
}

bool
vl_json_whole(const struct json_t *value, int64_t *ret)
{
    double real;
    if (!vl_json_real(value, &real))
        return vl_json_int(value, ret);
    /* 2^63 is the first that does not fit, and a double. */
    if (!(real >= -0x1p63 && real < 0x1p63) || (double)(int64_t)real != real)
        return false;
    *ret = (int64_t)real;
    return true;
}

bool
vl_json_number(const struct json_t *value, double *ret)
{
    int64_t integer;
    if (!vl_json_int(value, &integer))
        return vl_json_real(value, ret);
    *ret = (double)integer;
    return true;
}

bool
vl_json_is_true(const struct json_t *value)
{
    return json_is_true(value);
}

size_t
vl_json_size(const struct json_t *value)
{
    return json_is_object(value) ? json_object_size(value)
                                 : json_array_size(value);
}

const struct json_t *
vl_json_at(const struct json_t *array, size_t index)
{
    return json_array_get(array, index);
}

bool
vl_json_has_str(const struct json_t *value, struct vl_str wanted)
{
    if (json_is_string(value))
        return vl_str_eq(vl_json_str(value), wanted);
    size_t size = json_array_size(value);
    for (size_t i = 0; i < size; i++) {
        const json_t *member = json_array_get(value, i);
        if (json_is_string(member) && vl_str_eq(vl_json_str(member), wanted))
            return true;
    }
    return false;
}

void
vl_json_each(const struct json_t *object,
             bool (*visit)(struct vl_str key, const struct json_t *value,
                           void *ctx),
             void *ctx)
{
    json_t *members = without_const(object);
    void *it = json_object_iter(members);
    for (; it; it = json_object_iter_next(members, it)) {
        struct vl_str key = {json_object_iter_key(it),
                             json_object_iter_key_len(it)};
        if (!visit(key, json_object_iter_value(it), ctx))
            return;
    }
}
