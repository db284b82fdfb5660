/* SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events become nodes in an arena. An open collection keeps its
 * children as a chain; when it ends they become an array, so that looking one
 * up by index takes no walk. Recursion is bounded because depth is: a stack
 * of VL_YAML_DEPTH open collections takes its place.
 */
#include "conf/yaml.h"

#include <yaml.h>

#include "core/limits.h"
#include "core/map.h"
#include "core/status.h"

struct vl_yaml {
    enum vl_yaml_kind kind;
    bool plain;
    struct vl_yaml_mark mark, key_mark;
    struct vl_str text, key;
    const struct vl_yaml **items;
    size_t count;
    struct vl_yaml *first, *last, *next; /* while being read */
};

/* A key that was read and waits for its value. */
struct waiting_key {
    struct vl_str text;
    struct vl_yaml_mark mark;
    bool is_set;
};

struct reader {
    const char *name;
    yaml_parser_t parser;
    struct vl_arena *arena;
    struct vl_yaml *root;
    struct vl_yaml *open[VL_YAML_DEPTH];
    struct waiting_key keys[VL_YAML_DEPTH];
    size_t depth, nodes;
    bool has_document, has_ended;
    valet_error *err;
};

static struct vl_yaml_mark
mark_of(yaml_mark_t mark)
{
    /* libyaml counts from 0; the text is short enough for unsigned. */
    return (struct vl_yaml_mark){(unsigned)mark.line + 1,
                                 (unsigned)mark.column + 1};
}

static valet_status
fail_at(struct reader *r, struct vl_yaml_mark at, const char *what)
{
    return vl_fail(r->err, VALET_INVALID, "", "%s:%u:%u: %s", r->name, at.line,
                   at.column, what);
}

static valet_status
fail_for_room(struct reader *r)
{
    return vl_fail(r->err, VALET_LIMIT, "",
                   "%s: too large to be read into the memory set aside for it",
                   r->name);
}

static valet_status
fail_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not readable";
    if (p->error == YAML_MEMORY_ERROR)
        return fail_for_room(r);
    return vl_fail(r->err, VALET_INVALID, "",
                   "%s:%u:%u: this is not YAML: %s; check indentation and "
                   "quotes here and in the line above",
                   r->name, (unsigned)p->problem_mark.line + 1,
                   (unsigned)p->problem_mark.column + 1, problem);
}

/* Puts a finished or opened node under the collection that is open. */
static void
attach(struct reader *r, struct vl_yaml *node)
{
    node->key_mark = node->mark;
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct vl_yaml *parent = r->open[r->depth - 1];
    struct waiting_key *key = &r->keys[r->depth - 1];
    if (parent->kind == VL_YAML_MAP) {
        node->key = key->text;
        node->key_mark = key->mark;
        key->is_set = false;
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
}

static valet_status
add_node(struct reader *r, enum vl_yaml_kind kind, struct vl_yaml_mark mark,
         struct vl_yaml **ret)
{
    if (++r->nodes > VL_YAML_NODES)
        return fail_at(r, mark,
                       "the file holds too many values; write fewer than "
                       "20000");
    struct vl_yaml *node = vl_arena_alloc(r->arena, sizeof *node);
    if (!node)
        return fail_for_room(r);
    node->kind = kind;
    node->mark = mark;
    attach(r, node);
    *ret = node;
    return VALET_OK;
}

static bool
expects_key(const struct reader *r)
{
    return r->depth > 0 && r->open[r->depth - 1]->kind == VL_YAML_MAP &&
           !r->keys[r->depth - 1].is_set;
}

static valet_status
open_collection(struct reader *r, enum vl_yaml_kind kind,
                const yaml_event_t *event)
{
    struct vl_yaml_mark mark = mark_of(event->start_mark);
    if (expects_key(r))
        return fail_at(r, mark,
                       "a key must be plain text, not a list or a map; write "
                       "key: value");
    if (r->depth == VL_YAML_DEPTH)
        return fail_at(r, mark,
                       "lists and maps are nested too deeply; write at most "
                       "16 levels");
    struct vl_yaml *node;
    VL_TRY(add_node(r, kind, mark, &node));
    r->open[r->depth] = node;
    r->keys[r->depth].is_set = false;
    r->depth++;
    return VALET_OK;
}

/* @spec W-26: of two equal keys one would be silently without effect. */
static valet_status
refuse_duplicates(struct reader *r, const struct vl_yaml *map)
{
    struct vl_map seen;
    vl_map_init(&seen);
    valet_status status = VALET_OK;
    for (struct vl_yaml *node = map->first; node && status == VALET_OK;
         node = node->next) {
        const struct vl_yaml *before = vl_map_put(&seen, node->key, node);
        if (before)
            status = vl_fail(r->err, VALET_INVALID, "",
                             "%s:%u:%u: this key stands in line %u already; "
                             "write it once",
                             r->name, node->key_mark.line,
                             node->key_mark.column, before->key_mark.line);
    }
    vl_map_done(&seen);
    return status;
}

static valet_status
close_collection(struct reader *r)
{
    struct vl_yaml *node = r->open[--r->depth];
    if (node->kind == VL_YAML_MAP)
        VL_TRY(refuse_duplicates(r, node));
    if (node->count == 0)
        return VALET_OK;
    node->items = vl_arena_alloc(r->arena, node->count * sizeof *node->items);
    if (!node->items)
        return fail_for_room(r);
    size_t i = 0;
    for (const struct vl_yaml *child = node->first; child; child = child->next)
        node->items[i++] = child;
    return VALET_OK;
}

static valet_status
add_scalar(struct reader *r, const yaml_event_t *event)
{
    struct vl_yaml_mark mark = mark_of(event->start_mark);
    struct vl_str text =
        vl_str_of(event->data.scalar.value, event->data.scalar.length);
    if (event->data.scalar.tag)
        return fail_at(r, mark, "tags (!) are not allowed; remove the tag");
    if (vl_str_has(text, '\0'))
        return fail_at(r, mark, "a zero byte is not allowed; remove it");
    text = vl_arena_dup(r->arena, text);
    if (!text.p)
        return fail_for_room(r);
    if (expects_key(r)) {
        r->keys[r->depth - 1] = (struct waiting_key){text, mark, true};
        return VALET_OK;
    }
    struct vl_yaml *node;
    VL_TRY(add_node(r, VL_YAML_SCALAR, mark, &node));
    node->text = text;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return VALET_OK;
}

static valet_status
start_document(struct reader *r, const yaml_event_t *event)
{
    struct vl_yaml_mark mark = mark_of(event->start_mark);
    if (r->has_document)
        return fail_at(r, mark,
                       "a second document starts here; write one document "
                       "without further ---");
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        return fail_at(r, mark, "directives (%) are not allowed; remove them");
    r->has_document = true;
    return VALET_OK;
}

static const yaml_char_t *
anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static const yaml_char_t *
collection_tag_of(const yaml_event_t *event)
{
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return event->data.sequence_start.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.tag;
    return NULL;
}

static valet_status
take_event(struct reader *r, const yaml_event_t *event)
{
    struct vl_yaml_mark mark = mark_of(event->start_mark);
    if (anchor_of(event) || event->type == YAML_ALIAS_EVENT)
        return fail_at(r, mark,
                       "anchors (&) and aliases (*) are not allowed; write "
                       "the value itself, in quotes if it starts with & or *");
    if (collection_tag_of(event))
        return fail_at(r, mark, "tags (!) are not allowed; remove the tag");
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return start_document(r, event);
    case YAML_SCALAR_EVENT:
        return add_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(r, VL_YAML_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return open_collection(r, VL_YAML_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(r);
    case YAML_STREAM_END_EVENT:
        r->has_ended = true;
        return VALET_OK;
    default:
        return VALET_OK;
    }
}

static valet_status
read_events(struct reader *r)
{
    while (!r->has_ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event))
            return fail_syntax(r);
        valet_status status = take_event(r, &event);
        yaml_event_delete(&event);
        VL_TRY(status);
    }
    /* "# nothing but comments" means: all defaults. */
    struct vl_yaml *empty;
    if (r->root && !vl_yaml_is_null(r->root))
        return VALET_OK;
    return add_node(r, VL_YAML_MAP, (struct vl_yaml_mark){1, 1}, &empty);
}

valet_status
vl_yaml_parse(const char *name, struct vl_str text, struct vl_arena *arena,
              const struct vl_yaml **ret, valet_error *err)
{
    if (text.n > VL_LIMIT_CONFIG)
        return vl_fail(err, VALET_LIMIT, "", "%s is larger than %d bytes", name,
                       VL_LIMIT_CONFIG);
    if (!vl_str_is_utf8(text))
        return vl_fail(err, VALET_INVALID, "",
                       "%s:1:1: the text is not UTF-8; save it as UTF-8", name);
    struct reader r = {.name = name, .arena = arena, .err = err};
    if (!yaml_parser_initialize(&r.parser))
        return vl_fail(err, VALET_LIMIT, "", "no memory to read %s", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    valet_status status = read_events(&r);
    yaml_parser_delete(&r.parser);
    VL_TRY(status);
    *ret = r.root;
    return VALET_OK;
}

enum vl_yaml_kind
vl_yaml_kind(const struct vl_yaml *node)
{
    return node ? node->kind : VL_YAML_ABSENT;
}

const char *
vl_yaml_kind_name(enum vl_yaml_kind kind)
{
    static const char *const names[VL_YAML_KIND_COUNT] = {
        [VL_YAML_ABSENT] = "nothing",
        [VL_YAML_SCALAR] = "text",
        [VL_YAML_LIST] = "a list",
        [VL_YAML_MAP] = "a map",
    };
    return (unsigned)kind < VL_YAML_KIND_COUNT ? names[kind] : names[0];
}

size_t
vl_yaml_size(const struct vl_yaml *node)
{
    return node ? node->count : 0;
}

const struct vl_yaml *
vl_yaml_at(const struct vl_yaml *node, size_t index)
{
    return index < vl_yaml_size(node) ? node->items[index] : NULL;
}

const struct vl_yaml *
vl_yaml_find(const struct vl_yaml *map, const char *key)
{
    for (size_t i = 0; i < vl_yaml_size(map); i++)
        if (map->kind == VL_YAML_MAP && vl_str_eqz(map->items[i]->key, key))
            return map->items[i];
    return NULL;
}

struct vl_str
vl_yaml_text(const struct vl_yaml *node)
{
    return node ? node->text : (struct vl_str){NULL, 0};
}

bool
vl_yaml_is_plain(const struct vl_yaml *node)
{
    return node && node->plain;
}

bool
vl_yaml_is_null(const struct vl_yaml *node)
{
    if (vl_yaml_kind(node) != VL_YAML_SCALAR)
        return !node;
    return node->plain && (node->text.n == 0 || vl_str_eqz(node->text, "~") ||
                           vl_str_ieq(node->text, VL_STR("null")));
}

struct vl_str
vl_yaml_key(const struct vl_yaml *node)
{
    return node ? node->key : (struct vl_str){NULL, 0};
}

struct vl_yaml_mark
vl_yaml_mark(const struct vl_yaml *node)
{
    return node ? node->mark : (struct vl_yaml_mark){1, 1};
}

struct vl_yaml_mark
vl_yaml_key_mark(const struct vl_yaml *node)
{
    return node ? node->key_mark : (struct vl_yaml_mark){1, 1};
}
