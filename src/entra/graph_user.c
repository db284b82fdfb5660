/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph_user.h"

#include "json/write.h"

#define NAMES_MAX 32
#define NAME_SIZE 64

static bool
is_name(struct vl_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!vl_is_letter(text.p[i]) && !vl_is_digit(text.p[i]))
            return false;
    return text.n > 0 && text.n <= NAME_SIZE;
}

bool
vl_graph_select_is_valid(struct vl_str select)
{
    struct vl_str rest = select, item;
    size_t count = 0;
    while (vl_str_split(&rest, ',', &item))
        if (!is_name(item) || ++count > NAMES_MAX)
            return false;
    return count > 0;
}

/* --- for people --- */

/* The lines people read, as in the lesson's sample (@spec S-79). */
static const struct {
    const char *label, *property;
} lines[] = {
    {"Name", "displayName"},
    {"Email", "mail"},
    {"UPN", "userPrincipalName"},
};

/* People choose their names: one must not look like another line. */
static void
add_tamed(struct vl_buf *out, struct vl_str value)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(value.n);
    vl_buf_add(&text, value);
    (void)vl_buf_cstr(&text); /* ends it in NUL */
    vl_str_tame(text.p);
    vl_buf_add(out, vl_buf_str(&text));
}

void
vl_graph_user_write_lines(const struct json_t *user, struct vl_buf *out)
{
    vl_buf_addz(out, "User Details");
    for (size_t i = 0; i < VL_COUNT(lines); i++) {
        struct vl_str value = vl_json_get_str(user, lines[i].property);
        vl_buf_addf(out, "\n%s: ", lines[i].label);
        if (value.n)
            add_tamed(out, value);
        else
            vl_buf_addc(out, '-');
    }
}

/* --- for programs --- */

struct selection {
    struct vl_str wanted; /* comma-separated; empty is everything */
    struct vl_json_out out;
};

static bool
is_wanted(struct vl_str wanted, struct vl_str key)
{
    struct vl_str item;
    if (wanted.n == 0)
        return !vl_str_has(key, '@');
    while (vl_str_split(&wanted, ',', &item))
        if (vl_str_eq(vl_str_trim(item), key))
            return true;
    return false;
}

static bool
write_property(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct selection *selection = ctx;
    if (is_wanted(selection->wanted, key))
        vl_json_add_value(&selection->out, key.p, value);
    return true;
}

/* @spec S-44 W-42: only what was selected, whatever Graph sent. */
void
vl_graph_user_write_json(const struct json_t *user, struct vl_str select,
                         struct vl_buf *out)
{
    struct selection selection = {select, {out, false}};
    vl_json_open(&selection.out, '{');
    vl_json_each(user, write_property, &selection);
    vl_json_close(&selection.out, '}');
}

/* Of Graph's usual properties all are texts, or absent, but for these; what
 * another one is, Graph alone knows. */
static void
write_type(struct vl_json_out *out, struct vl_str name)
{
    static const char usual[] = "," VL_GRAPH_SELECT_ALL ",";
    char between[NAME_SIZE + 3], key[NAME_SIZE + 1];
    (void)snprintf(key, sizeof key, VL_STR_FMT, VL_STR_ARG(name));
    (void)snprintf(between, sizeof between, ",%s,", key);
    vl_json_open_key(out, key, '{');
    if (strcmp(key, "businessPhones") == 0) {
        vl_json_add_z(out, "type", "array");
        vl_json_open_key(out, "items", '{');
        vl_json_add_z(out, "type", "string");
        vl_json_close(out, '}');
    } else if (strstr(usual, between)) {
        vl_json_open_key(out, "type", '[');
        vl_json_add_z(out, NULL, "string");
        vl_json_add_z(out, NULL, "null");
        vl_json_close(out, ']');
    }
    vl_json_close(out, '}');
}

void
vl_graph_user_write_schema(struct vl_str select, struct vl_buf *out)
{
    struct vl_json_out json = {out, false};
    struct vl_str rest = select.n ? select : VL_STR(VL_GRAPH_SELECT_ALL), item;
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "type", "object");
    vl_json_open_key(&json, "properties", '{');
    while (vl_str_split(&rest, ',', &item))
        write_type(&json, vl_str_trim(item));
    vl_json_close(&json, '}');
    if (select.n)
        vl_json_add_bool(&json, "additionalProperties", false);
    vl_json_close(&json, '}');
}
