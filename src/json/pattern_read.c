/* SPDX-License-Identifier: Apache-2.0
 *
 * ECMA-262 section 22.2.1, Pattern, and its annex B where that can mean one
 * thing only: a brace or bracket that opens or closes nothing is itself.
 *
 * What a group has caught matters to references alone. There the two differ:
 * ECMA-262 forgets at each repetition what was caught within, PCRE2 does not.
 * So a reference to what may come more than once is refused, and a pattern
 * without references catches nothing.
 */
#include <string.h>

#include "core/status.h"
#include "json/pattern_inside.h"

typedef struct vl_pattern_reader reader_t;

/* PCRE2's own. */
#define REPEAT_MAX 65535

valet_status
vl_pattern_refuse(const reader_t *reader, const char *why)
{
    return vl_fail(reader->err, VALET_INVALID, "", "%s", why);
}

static valet_status read_alternatives(reader_t *reader);

/* --- groups, before all else: references may lead ahead --- */

static valet_status
count_group(reader_t *reader, struct vl_str after)
{
    struct vl_pattern_group group = {.name = {NULL, 0}};
    if (vl_str_starts(after, VL_STR("?"))) {
        if (!vl_str_starts(after, VL_STR("?<")) ||
            vl_str_starts(after, VL_STR("?<=")) ||
            vl_str_starts(after, VL_STR("?<!")))
            return VALET_OK;
        after = vl_str_from(after, 2);
        group.name = vl_str_head(after, vl_str_index(after, '>'));
        reader->has_names = true;
    }
    for (size_t i = 0;
         group.name.p && i < reader->group_count && i < VL_PATTERN_GROUPS; i++)
        if (vl_str_eq(reader->groups[i].name, group.name))
            return vl_pattern_refuse(reader, "has two groups of one name");
    if (reader->group_count < VL_PATTERN_GROUPS)
        reader->groups[reader->group_count] = group;
    reader->group_count++;
    return VALET_OK;
}

static valet_status
count_groups(reader_t *reader, struct vl_str text)
{
    bool in_class = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char next = i + 1 < text.n ? text.p[i + 1] : '\0';
        if (c == '\\') {
            i++;
            if (!in_class && (next == 'k' || (next >= '1' && next <= '9')))
                reader->has_references = true;
        } else if (in_class || c == '[') {
            in_class = c != ']';
        } else if (c == '(') {
            VL_TRY(count_group(reader, vl_str_from(text, i + 1)));
        }
    }
    if (reader->group_count > VL_PATTERN_GROUPS &&
        (reader->has_references || reader->has_names))
        return vl_pattern_refuse(reader, "has too many groups");
    return VALET_OK;
}

/* --- repetition --- */

struct repeat {
    uint64_t least, most; /* UINT64_MAX: there is no end */
};

/* {n}, {n,} or {n,m}: false, and nothing is taken, for what is none. */
static bool
take_braces(struct vl_str *rest, struct repeat *ret)
{
    size_t end = vl_str_index(*rest, '}');
    if (!vl_str_starts(*rest, VL_STR("{")) || end == rest->n)
        return false;
    struct vl_str within = {rest->p + 1, end - 1}, least = within;
    size_t comma = vl_str_index(within, ',');
    struct vl_str most = vl_str_from(within, comma + 1);
    least = vl_str_head(within, comma);
    ret->most = UINT64_MAX;
    if (!vl_str_u64(least, UINT64_MAX - 1, &ret->least) ||
        (most.n && !vl_str_u64(most, UINT64_MAX - 1, &ret->most)))
        return false;
    if (comma == within.n)
        ret->most = ret->least;
    *rest = vl_str_from(*rest, end + 1);
    return true;
}

static bool
take_repeat(struct vl_str *rest, struct repeat *ret)
{
    if (rest->n == 0)
        return false;
    switch (rest->p[0]) {
    case '*':
        *ret = (struct repeat){0, UINT64_MAX};
        break;
    case '+':
        *ret = (struct repeat){1, UINT64_MAX};
        break;
    case '?':
        *ret = (struct repeat){0, 1};
        break;
    default:
        return take_braces(rest, ret);
    }
    *rest = vl_str_from(*rest, 1);
    return true;
}

/* `first` to the last group met are what is repeated. */
static valet_status
read_repeat(reader_t *reader, size_t first)
{
    struct repeat repeat;
    bool is_one = first == reader->group_next;
    if (!take_repeat(&reader->rest, &repeat))
        return VALET_OK;
    bool has_end = repeat.most != UINT64_MAX;
    if (has_end && repeat.least > repeat.most)
        return vl_pattern_refuse(reader, "repeats from more to less");
    if (repeat.least > REPEAT_MAX || (has_end && repeat.most > REPEAT_MAX))
        return vl_pattern_refuse(reader, "repeats more than 65535 times");
    vl_buf_addf(reader->out, "{%u,", (unsigned)repeat.least);
    if (has_end)
        vl_buf_addu(reader->out, repeat.most);
    vl_buf_addc(reader->out, '}');
    if (vl_pattern_skip(reader, "?"))
        vl_buf_addc(reader->out, '?');
    for (size_t i = first; i < reader->group_next && i < VL_PATTERN_GROUPS; i++)
        reader->groups[i].is_repeated |= repeat.most > 1;
    if (is_one && repeat.least > reader->most_repeated)
        reader->most_repeated = (size_t)repeat.least;
    return VALET_OK;
}

/* --- references --- */

static valet_status
refer(reader_t *reader, size_t index)
{
    if (index >= reader->group_count)
        return vl_pattern_refuse(reader, "refers to a group that is not there");
    if (reader->groups[index].is_open)
        return vl_pattern_refuse(reader, "refers to a group from within");
    reader->groups[index].is_wanted = true;
    vl_buf_addf(reader->out, "\\g{%zu}", index + 1);
    return VALET_OK;
}

static valet_status
read_named_reference(reader_t *reader)
{
    struct vl_str name =
        vl_str_head(reader->rest, vl_str_index(reader->rest, '>'));
    for (size_t i = 0; i < reader->group_count && name.n < reader->rest.n;
         i++) {
        if (!vl_str_eq(reader->groups[i].name, name))
            continue;
        reader->rest = vl_str_from(reader->rest, name.n + 1);
        return refer(reader, i);
    }
    return vl_pattern_refuse(reader, "refers to a group that is not there");
}

static valet_status
read_numbered_reference(reader_t *reader)
{
    size_t index = 0;
    while (reader->rest.n && vl_is_digit(reader->rest.p[0]) && index < 1000)
        index = 10 * index + (vl_pattern_take(reader) - '0');
    return refer(reader, index - 1);
}

static valet_status
check_references(const reader_t *reader)
{
    for (size_t i = 0; i < reader->group_count && i < VL_PATTERN_GROUPS; i++)
        if (reader->groups[i].is_wanted && reader->groups[i].is_repeated)
            return vl_pattern_refuse(
                reader, "refers to a group that may come more than once");
    return VALET_OK;
}

/* --- terms --- */

/* IdentifierName, of ASCII: true when it is followed by its '>'. */
static bool
skip_name(reader_t *reader)
{
    struct vl_str name =
        vl_str_head(reader->rest, vl_str_index(reader->rest, '>'));
    bool good =
        name.n > 0 && name.n < reader->rest.n && !vl_is_digit(name.p[0]);
    for (size_t i = 0; good && i < name.n; i++)
        good = vl_is_letter(name.p[i]) || vl_is_digit(name.p[i]) ||
               name.p[i] == '_' || name.p[i] == '$';
    if (good)
        reader->rest = vl_str_from(reader->rest, name.n + 1);
    return good;
}

static valet_status
read_within(reader_t *reader)
{
    if (++reader->depth > VL_PATTERN_DEPTH)
        return vl_pattern_refuse(reader, "has too many groups in groups");
    VL_TRY(read_alternatives(reader));
    reader->depth--;
    if (!vl_pattern_skip(reader, ")"))
        return vl_pattern_refuse(reader, "has a group without an end");
    vl_buf_addc(reader->out, ')');
    return VALET_OK;
}

static valet_status
read_capture(reader_t *reader)
{
    struct vl_pattern_group none, *group = &none;
    if (reader->group_next < VL_PATTERN_GROUPS)
        group = &reader->groups[reader->group_next];
    reader->group_next++;
    vl_buf_addz(reader->out, reader->has_references ? "(" : "(?:");
    group->is_open = true;
    VL_TRY(read_within(reader));
    group->is_open = false;
    return VALET_OK;
}

/* After the '('. */
static valet_status
read_group(reader_t *reader)
{
    static const char *const looks[] = {"?=", "?!", "?<=", "?<!"};
    size_t first = reader->group_next;
    for (size_t i = 0; i < VL_COUNT(looks); i++) {
        if (!vl_pattern_skip(reader, looks[i]))
            continue;
        vl_buf_addf(reader->out, "(%s", looks[i]);
        return read_within(reader); /* and is not repeated */
    }
    if (vl_pattern_skip(reader, "?:")) {
        vl_buf_addz(reader->out, "(?:");
        VL_TRY(read_within(reader));
        return read_repeat(reader, first);
    }
    bool is_named = vl_pattern_skip(reader, "?<");
    if (is_named ? !skip_name(reader)
                 : vl_str_starts(reader->rest, VL_STR("?")))
        return vl_pattern_refuse(reader,
                                 "has a group that ECMA-262 does not know");
    VL_TRY(read_capture(reader));
    return read_repeat(reader, first);
}

/* After the '\'. */
static valet_status
read_escape(reader_t *reader)
{
    struct vl_pattern_atom atom;
    size_t none = reader->group_next;
    char c = reader->rest.n ? reader->rest.p[0] : '\0';
    if (vl_pattern_skip(reader, "b") || vl_pattern_skip(reader, "B")) {
        vl_buf_addf(reader->out, "\\%c", c);
        return VALET_OK; /* and is not repeated */
    }
    if (vl_pattern_skip(reader, "k<"))
        VL_TRY(read_named_reference(reader));
    else if (c >= '1' && c <= '9')
        VL_TRY(read_numbered_reference(reader));
    else {
        VL_TRY(vl_pattern_escape(reader, &atom));
        if (atom.is_set)
            vl_buf_addf(reader->out, "[%s]", atom.set);
        else
            vl_pattern_say(reader->out, atom.c);
    }
    return read_repeat(reader, none);
}

static valet_status
read_term(reader_t *reader)
{
    struct repeat repeat;
    struct vl_str rest = reader->rest;
    if (take_repeat(&rest, &repeat))
        return vl_pattern_refuse(reader, "repeats nothing");
    uint32_t c = vl_pattern_take(reader);
    switch (c) {
    case '^':
    case '$':
        vl_buf_addc(reader->out, (char)c);
        return VALET_OK;
    case '(':
        return read_group(reader);
    case '\\':
        return read_escape(reader);
    case '[':
        VL_TRY(vl_pattern_class(reader));
        break;
    case '.':
        vl_buf_addz(reader->out, "[^\\n\\r\\x{2028}\\x{2029}]");
        break;
    default:
        vl_pattern_say(reader->out, c);
        break;
    }
    return read_repeat(reader, reader->group_next);
}

/* To a ')' or the end. */
static valet_status
read_alternatives(reader_t *reader)
{
    while (reader->rest.n && reader->rest.p[0] != ')') {
        if (vl_pattern_skip(reader, "|"))
            vl_buf_addc(reader->out, '|');
        else
            VL_TRY(read_term(reader));
    }
    return VALET_OK;
}

valet_status
vl_pattern_read(reader_t *reader, struct vl_str text)
{
    if (text.n > VL_PATTERN_MAX)
        return vl_pattern_refuse(reader, "is too long");
    if (!vl_str_is_utf8(text))
        return vl_pattern_refuse(reader, "is not UTF-8");
    reader->rest = text;
    VL_TRY(count_groups(reader, text));
    VL_TRY(read_alternatives(reader));
    if (reader->rest.n)
        return vl_pattern_refuse(reader, "closes a group that is not open");
    VL_TRY(check_references(reader));
    if (reader->out->failed)
        return vl_pattern_refuse(reader, "is too long");
    return VALET_OK;
}
