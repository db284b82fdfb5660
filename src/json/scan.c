/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar is RFC 8259's, less what the header says.
 */
#include "json/scan_inside.h"

#include "core/limits.h"

static bool take_value(struct vl_scanner *s, struct vl_scan_value *ret);

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void
skip_space(struct vl_scanner *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* With the space before it. */
static bool
take_byte(struct vl_scanner *s, char byte)
{
    skip_space(s);
    if (vl_scan_next(s) != byte)
        return false;
    s->p++;
    return true;
}

/* Different for most keys that differ. */
static uint64_t
mark_of(struct vl_str key)
{
    uint32_t head = 0, tail = 0;
    if (key.n >= sizeof head) {
        memcpy(&head, key.p, sizeof head);
        memcpy(&tail, key.p + key.n - sizeof tail, sizeof tail);
    } else {
        for (size_t i = 0; i < key.n; i++)
            head = head << 8 | (unsigned char)key.p[i];
    }
    return ((uint64_t)head << 32 | tail) ^ (uint64_t)key.n << 16;
}

/* The name of a member of the object whose keys begin at `first`. */
static bool
take_key(struct vl_scanner *s, size_t first)
{
    bool plain;
    skip_space(s);
    const char *begin = s->p;
    if (vl_scan_next(s) != '"' || !vl_scan_take_string(s, &plain) || !plain ||
        s->key_count == VL_JSON_SCAN_KEYS)
        return false;
    struct vl_str key = vl_str_of(begin + 1, (size_t)(s->p - begin) - 2);
    uint64_t mark = mark_of(key);
    for (size_t i = first; i < s->key_count; i++)
        if (s->keys[i].mark == mark && vl_str_eq(s->keys[i].key, key))
            return false;
    s->keys[s->key_count++] = (struct vl_scan_key){key, mark};
    s->key = key;
    return take_byte(s, ':');
}

/* object = begin-object [ member *( value-separator member ) ] end-object */
static bool
take_object(struct vl_scanner *s)
{
    size_t first = s->key_count;
    struct vl_scan_value value;
    s->p++;
    if (take_byte(s, '}'))
        return true;
    do {
        if (!take_key(s, first) || !take_value(s, &value))
            return false;
    } while (take_byte(s, ','));
    s->key_count = first;
    return take_byte(s, '}');
}

/* array = begin-array [ value *( value-separator value ) ] end-array */
static bool
take_array(struct vl_scanner *s)
{
    struct vl_scan_value value;
    s->p++;
    if (take_byte(s, ']'))
        return true;
    do {
        if (!take_value(s, &value))
            return false;
    } while (take_byte(s, ','));
    return take_byte(s, ']');
}

static bool
take_nested(struct vl_scanner *s, bool (*take)(struct vl_scanner *))
{
    if (s->depth == 0)
        return false;
    s->depth--;
    bool taken = take(s);
    s->depth++;
    return taken;
}

/* value = false / null / true / object / array / number / string */
static bool
take_unnoted(struct vl_scanner *s, struct vl_scan_value *ret)
{
    ret->plain = true;
    switch (vl_scan_next(s)) {
    case '"':
        ret->kind = VL_JSON_STRING;
        return vl_scan_take_string(s, &ret->plain);
    case '{':
        ret->kind = VL_JSON_OBJECT;
        return take_nested(s, take_object);
    case '[':
        ret->kind = VL_JSON_ARRAY;
        return take_nested(s, take_array);
    case 't':
        ret->kind = VL_JSON_BOOL;
        return vl_scan_take_word(s, VL_STR("true"));
    case 'f':
        ret->kind = VL_JSON_BOOL;
        return vl_scan_take_word(s, VL_STR("false"));
    case 'n':
        ret->kind = VL_JSON_NULL;
        return vl_scan_take_word(s, VL_STR("null"));
    case '\0':
        return false;
    default:
        return vl_scan_take_number(s, ret);
    }
}

/* What no longer has room is there as part of what holds it, and that as
 * text alone: so there is room again for what comes after. */
static bool
take_noted(struct vl_scanner *s, struct vl_scan_value *ret)
{
    size_t at = s->node_count;
    const char *begin = s->p;
    struct vl_str key = s->key;
    s->key = (struct vl_str){NULL, 0};
    if (at == s->node_max) {
        s->is_lost = true;
        return take_unnoted(s, ret);
    }
    s->node_count++;
    if (!take_unnoted(s, ret))
        return false;
    if (s->is_lost)
        s->node_count = at + 1;
    s->nodes[at] = (struct vl_json_node){
        .key = key,
        .text = vl_str_of(begin, (size_t)(s->p - begin)),
        .kind = ret->kind,
        .is_plain = ret->plain && !s->is_lost,
        .span = (unsigned)(s->node_count - at),
    };
    s->is_lost = false;
    return true;
}

static bool
take_value(struct vl_scanner *s, struct vl_scan_value *ret)
{
    skip_space(s);
    return s->nodes ? take_noted(s, ret) : take_unnoted(s, ret);
}

static bool
take_member(struct vl_scanner *s, struct vl_json_member *ret)
{
    struct vl_scan_value value;
    if (!take_key(s, 0))
        return false;
    ret->key = s->keys[s->key_count - 1].key;
    skip_space(s);
    const char *begin = s->p;
    if (!take_value(s, &value) || !value.plain)
        return false;
    ret->kind = value.kind;
    ret->text = vl_str_of(begin, (size_t)(s->p - begin));
    return true;
}

/* Its keys are written before they are read. */
static void
begin(struct vl_scanner *s, struct vl_str text, unsigned max_depth)
{
    s->p = text.p;
    s->end = text.p + text.n;
    s->depth =
        max_depth < VL_LIMIT_JSON_DEPTH ? max_depth : VL_LIMIT_JSON_DEPTH;
    s->nodes = NULL;
    s->node_count = s->node_max = 0;
    s->is_lost = false;
    s->key = (struct vl_str){NULL, 0};
    s->key_count = 0;
}

bool
vl_json_scan(struct vl_str text, unsigned max_depth,
             struct vl_json_member *members, size_t max, size_t *ret_count)
{
    struct vl_scanner s;
    size_t count = 0;
    if (text.n == 0 || max_depth == 0)
        return false;
    begin(&s, text, max_depth);
    s.depth--;
    if (!take_byte(&s, '{'))
        return false;
    if (!take_byte(&s, '}')) {
        do {
            if (count == max || !take_member(&s, &members[count]))
                return false;
            count++;
        } while (take_byte(&s, ','));
        if (!take_byte(&s, '}'))
            return false;
    }
    skip_space(&s);
    *ret_count = count;
    return s.p == s.end;
}

bool
vl_json_scan_nodes(struct vl_str text, unsigned max_depth,
                   struct vl_json_node *nodes, size_t max)
{
    struct vl_scanner s;
    struct vl_scan_value value;
    if (text.n == 0 || max == 0)
        return false;
    begin(&s, text, max_depth);
    s.nodes = nodes;
    s.node_max = max;
    if (!take_value(&s, &value) || value.kind != VL_JSON_OBJECT)
        return false;
    skip_space(&s);
    return s.p == s.end;
}

struct vl_str
vl_json_member_str(const struct vl_json_member *member)
{
    if (member->kind != VL_JSON_STRING)
        return (struct vl_str){NULL, 0};
    return (struct vl_str){member->text.p + 1, member->text.n - 2};
}
