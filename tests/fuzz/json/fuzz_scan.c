/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner against the parser, which is jansson's, and its depth:
 *
 * - what the scanner reads, the parser reads too, and the same: each member's
 *   text is parsed alone and compared with the member of the whole;
 * - what the parser reads and the scanner does not has one of the oddities
 *   that json/scan.h leaves to the parser;
 * - what the parser has read is written plainly, and the scanner has to read
 *   that exactly when the values hold none of the oddities.
 */
#include "core/limits.h"
#include "json/view.h"
#include "json/write.h"

#define MEMBERS 8
#define NODES   12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vl_buf
written(const struct json_t *value, size_t size)
{
    struct vl_buf buf = vl_buf_of(32 * (size + 1));
    vl_json_add_value(&(struct vl_json_out){&buf, false}, NULL, value);
    VL_ASSERT(!buf.failed);
    return buf;
}

static bool
is_nested(enum vl_json_kind kind)
{
    return kind == VL_JSON_OBJECT || kind == VL_JSON_ARRAY;
}

static void
check_member(const struct vl_json_member *member, const struct json_t *value,
             size_t size)
{
    vl_auto(vl_json) doc = {NULL};
    VL_ASSERT(vl_json_kind(value) == member->kind);
    VL_ASSERT(vl_json_parse(member->text, VL_LIMIT_JSON_DEPTH - 1, &doc,
                            NULL) == VALET_OK);
    vl_auto(vl_buf) alone = written(doc.root, size);
    vl_auto(vl_buf) within = written(value, size);
    VL_ASSERT(vl_str_eq(vl_buf_str(&alone), vl_buf_str(&within)));
    VL_ASSERT(vl_str_eq(vl_json_member_str(member), vl_json_str(value)));
    /* Ids are sent back as they stand in the text. */
    if (!is_nested(member->kind))
        VL_ASSERT(vl_str_eq(vl_buf_str(&within), member->text));
}

static void
check_members(const struct vl_json_member *members, size_t count,
              const struct json_t *object, size_t size)
{
    VL_ASSERT(vl_json_kind(object) == VL_JSON_OBJECT);
    VL_ASSERT(vl_json_size(object) == count && count <= MEMBERS);
    for (size_t i = 0; i < count; i++) {
        vl_auto(vl_buf) key = vl_buf_of(size + 1);
        vl_buf_add(&key, members[i].key);
        check_member(&members[i], vl_json_get(object, vl_buf_cstr(&key)), size);
    }
}

/* --- what is left to the parser --- */

/* May a text have one of the oddities? It has one more often than not. */
static bool
looks_odd(struct vl_str text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\\' || (digits && (c == '.' || c == 'e' || c == 'E')) ||
            (c == '0' && i && text.p[i - 1] == '-'))
            return true;
        digits = vl_is_digit(c) ? digits + 1 : 0;
        if (digits > 18)
            return true;
    }
    return text.n > VL_JSON_SCAN_KEYS * sizeof("\"\":1") - 1;
}

/* Would it be written with an escape? */
static bool
needs_escape(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == '"' || s.p[i] == '\\')
            return true;
    return false;
}

struct search {
    unsigned level; /* 0 is the outermost object */
    size_t keys;
    bool odd;
};

static void look_at(const struct json_t *value, struct search *search);

static bool
look_at_member(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct search *search = ctx;
    search->odd |= needs_escape(key) || ++search->keys > VL_JSON_SCAN_KEYS;
    look_at(value, search);
    return !search->odd;
}

/* Every rule of json/scan.h, of a value as it is written. */
static void
look_at(const struct json_t *value, struct search *search)
{
    int64_t number = 0;
    bool outermost = search->level == 1;
    enum vl_json_kind kind = vl_json_kind(value);
    if (kind == VL_JSON_STRING)
        search->odd |= outermost && needs_escape(vl_json_str(value));
    if (vl_json_int(value, &number))
        search->odd |= number > INT64_C(999999999999999999) ||
                       number < -INT64_C(999999999999999999);
    if (kind == VL_JSON_REAL) {
        vl_auto(vl_buf) text = written(value, 1);
        const char *e = strchr(vl_buf_cstr(&text), 'e');
        search->odd |= outermost || (e && strlen(e + 1 + (e[1] == '-')) > 2);
    }
    search->level++;
    size_t before = search->keys;
    if (kind == VL_JSON_OBJECT)
        vl_json_each(value, look_at_member, search);
    for (size_t i = 0; kind == VL_JSON_ARRAY && i < vl_json_size(value); i++)
        look_at(vl_json_at(value, i), search);
    search->keys = before;
    search->level--;
}

static void
check_written(const struct json_t *object, size_t size)
{
    struct vl_json_member members[MEMBERS];
    size_t count = 0;
    struct search search = {.level = 0};
    look_at(object, &search);
    search.odd |= vl_json_size(object) > MEMBERS;
    vl_auto(vl_buf) text = written(object, size);
    bool scanned = vl_json_scan(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, members,
                                MEMBERS, &count);
    VL_ASSERT(scanned == !search.odd);
    if (scanned)
        check_members(members, count, object, 32 * size);
}

/* What is noted is built into the same document, whatever was left out. */
static void
check_nodes(struct vl_str text, const struct json_t *object, bool scanned)
{
    struct vl_json_node nodes[NODES];
    vl_auto(vl_json) built = {NULL};
    bool noted = vl_json_scan_nodes(text, VL_LIMIT_JSON_DEPTH, nodes, NODES);
    VL_ASSERT(noted ? object != NULL : !scanned);
    if (!noted)
        return;
    VL_ASSERT(vl_json_node_build(nodes, &built) == VALET_OK);
    vl_auto(vl_buf) one = written(built.root, text.n);
    vl_auto(vl_buf) two = written(object, text.n);
    VL_ASSERT(vl_str_eq(vl_buf_str(&one), vl_buf_str(&two)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_json_member members[MEMBERS];
    size_t count = 0;
    vl_auto(vl_json) doc = {NULL};
    bool scanned =
        vl_json_scan(text, VL_LIMIT_JSON_DEPTH, members, MEMBERS, &count);
    bool parsed =
        vl_json_parse(text, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK &&
        vl_json_kind(doc.root) == VL_JSON_OBJECT;
    VL_ASSERT(parsed || !scanned);
    check_nodes(text, parsed ? doc.root : NULL, scanned);
    if (!parsed)
        return 0;
    if (scanned)
        check_members(members, count, doc.root, size);
    else
        VL_ASSERT(vl_json_size(doc.root) > MEMBERS || looks_odd(text));
    check_written(doc.root, size);
    return 0;
}
