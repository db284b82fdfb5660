/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON Schema of the file, for editors. It knows the shape; what is more
 * than shape (https off a loopback, one tenant) only the loader knows.
 */
#include "conf/conf.h"
#include "conf/options.h"
#include "conf/value.h"
#include "json/write.h"

#define GUID_PATTERN                                                           \
    "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-"             \
    "[0-9A-Fa-f]{12}"

static const char *const patterns[VL_OPTION_TYPE_COUNT] = {
    [VL_OPTION_ENV_NAME] = "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
    [VL_OPTION_GUID] = "^" GUID_PATTERN "$",
    [VL_OPTION_TENANT] = "^(" GUID_PATTERN "|[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+)"
                         "$",
    [VL_OPTION_CLIENT_ID] = "^[A-Za-z0-9._-]{1,128}$",
    [VL_OPTION_ORIGIN] = "^https?://[^/?#]+$",
    [VL_OPTION_HOST_URL] = "^https?://[^/?#]+/?$",
    [VL_OPTION_LISTEN] = ":[0-9]{1,5}$",
    [VL_OPTION_DURATION] = "^[0-9]+(ms|s|m|h|d)$",
};

static void
add_choices(struct vl_json_out *out, const struct vl_option *option)
{
    vl_json_open_key(out, "enum", '[');
    for (size_t i = 0; option->choices[i]; i++)
        vl_json_add_z(out, NULL, option->choices[i]);
    vl_json_close(out, ']');
}

/* {"type":"string",…} of one word of a list. */
static void
add_words(struct vl_json_out *out, const struct vl_option *option)
{
    if (vl_value_separator(option)) {
        vl_json_open_key(out, "type", '[');
        vl_json_add_z(out, NULL, "string");
        vl_json_add_z(out, NULL, "array");
        vl_json_close(out, ']');
    } else {
        vl_json_add_z(out, "type", "array");
    }
    vl_json_open_key(out, "items", '{');
    vl_json_add_z(out, "type", "string");
    vl_json_close(out, '}');
    vl_json_add_int(out, "minItems", option->min);
    vl_json_add_int(out, "maxItems", option->max);
    if (option->fallback)
        vl_json_add_z(out, "default", option->fallback);
}

static void
add_leaf(struct vl_json_out *out, const struct vl_option *option)
{
    uint64_t number = 0;
    switch (option->type) {
    case VL_OPTION_BOOL:
        vl_json_add_z(out, "type", "boolean");
        vl_json_add_bool(out, "default", strcmp(option->fallback, "true") == 0);
        return;
    case VL_OPTION_COUNT:
        vl_json_add_z(out, "type", "integer");
        vl_json_add_int(out, "minimum", option->min);
        vl_json_add_int(out, "maximum", option->max);
        if (vl_str_u64(vl_str_z(option->fallback), UINT32_MAX, &number))
            vl_json_add_int(out, "default", (int64_t)number);
        return;
    default:
        break;
    }
    vl_json_add_z(out, "type", "string");
    if (option->choices)
        add_choices(out, option);
    if (patterns[option->type])
        vl_json_add_z(out, "pattern", patterns[option->type]);
    if (option->fallback)
        vl_json_add_z(out, "default", option->fallback);
}

static void add_option(struct vl_json_out *out, const struct vl_option *option);

static void
add_members(struct vl_json_out *out, const struct vl_option *table,
            size_t count)
{
    vl_json_open_key(out, "properties", '{');
    for (size_t i = 0; i < count; i++)
        add_option(out, &table[i]);
    vl_json_close(out, '}');
    vl_json_add_bool(out, "additionalProperties", false);
}

/* The environment can give what the file leaves out; items have no other. */
static void
add_required(struct vl_json_out *out, const struct vl_option *table,
             size_t count)
{
    vl_json_open_key(out, "required", '[');
    for (size_t i = 0; i < count; i++)
        if (table[i].is_required)
            vl_json_add_z(out, NULL, vl_option_key(&table[i]));
    vl_json_close(out, ']');
}

/* "log:" with nothing below it is a section left empty. */
static void
add_nullable(struct vl_json_out *out, const char *type)
{
    vl_json_open_key(out, "type", '[');
    vl_json_add_z(out, NULL, type);
    vl_json_add_z(out, NULL, "null");
    vl_json_close(out, ']');
}

static void
add_items(struct vl_json_out *out, const struct vl_option *option)
{
    bool named = option->type == VL_OPTION_NAMED;
    add_nullable(out, named ? "object" : "array");
    vl_json_add_int(out, named ? "minProperties" : "minItems", option->min);
    vl_json_add_int(out, named ? "maxProperties" : "maxItems", option->max);
    if (named) {
        vl_json_open_key(out, "propertyNames", '{');
        vl_json_add_z(out, "pattern", "^[A-Za-z0-9_-]{1,64}$");
        vl_json_close(out, '}');
    }
    vl_json_open_key(out, named ? "additionalProperties" : "items", '{');
    vl_json_add_z(out, "type", "object");
    add_required(out, option->items, option->item_count);
    add_members(out, option->items, option->item_count);
    vl_json_close(out, '}');
}

static void
add_option(struct vl_json_out *out, const struct vl_option *option)
{
    vl_json_open_key(out, vl_option_key(option), '{');
    vl_json_add_z(out, "description", option->help);
    if (option->type == VL_OPTION_SECTION) {
        add_nullable(out, "object");
        add_members(out, option->items, option->item_count);
    } else if (option->items) {
        add_items(out, option);
    } else if (vl_value_is_words(option)) {
        add_words(out, option);
    } else {
        add_leaf(out, option);
    }
    vl_json_close(out, '}');
}

void
vl_conf_schema(struct vl_buf *buf)
{
    size_t count;
    const struct vl_option *all = vl_options(&count);
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "$schema",
                  "https://json-schema.org/draft/2020-12/schema");
    vl_json_add_z(&out, "title", "mcp-valet configuration");
    vl_json_add_z(&out, "type", "object");
    add_members(&out, all, count);
    vl_json_close(&out, '}');
}
