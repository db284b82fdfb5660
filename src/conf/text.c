/* SPDX-License-Identifier: Apache-2.0
 *
 * --help and the sample file, grown from the option table.
 *
 * In the sample a "# " starts a sentence and a "#" without a space an option:
 * taking that one character away switches the option on, at the right
 * indentation.
 */
#include "conf/conf.h"
#include "conf/options.h"
#include "conf/value.h"

#define COLUMNS 78

/* Adds `text` in lines that start with `lead` and have at most COLUMNS. */
static void
add_wrapped(struct vl_buf *out, const char *lead, const char *text)
{
    struct vl_str rest = vl_str_z(text), word;
    size_t column = 0;
    while (vl_str_split(&rest, ' ', &word)) {
        if (column && column + 1 + word.n > COLUMNS) {
            vl_buf_addc(out, '\n');
            column = 0;
        }
        vl_buf_addz(out, column ? " " : lead);
        column += column ? 1 : strlen(lead);
        vl_buf_add(out, word);
        column += word.n;
    }
    vl_buf_addc(out, '\n');
}

static void
add_env(struct vl_buf *out, const struct vl_option *option)
{
    for (size_t i = 0; i < VL_COUNT(option->env); i++)
        if (option->env[i])
            vl_buf_addf(out, "%s%s",
                        i ? ", " : "; environment: ", option->env[i]);
}

/* "duration from 1s to 1h; default 10m; environment: …" */
static void
add_facts(struct vl_buf *out, const struct vl_option *option)
{
    vl_value_describe(option, out);
    if (option->is_required)
        vl_buf_addz(out, "; needed");
    if (option->fallback)
        vl_buf_addf(out, "; default %s", option->fallback);
    add_env(out, option);
}

static void
add_help(struct vl_buf *out, const struct vl_option *option)
{
    vl_auto(vl_buf) facts = vl_buf_of(1024);
    add_facts(&facts, option);
    vl_buf_addf(out, "  %s\n", option->path);
    add_wrapped(out, "      ", option->help);
    add_wrapped(out, "      ", vl_buf_cstr(&facts));
}

void
vl_conf_help(struct vl_buf *out)
{
    size_t count;
    const struct vl_option *all = vl_options(&count);
    for (size_t i = 0; i < count; i++) {
        add_help(out, &all[i]);
        for (size_t j = 0; j < all[i].item_count; j++)
            add_help(out, &all[i].items[j]);
    }
}

/* A scalar that YAML would take for something else gets quotes. */
static void
add_yaml_value(struct vl_buf *out, const struct vl_option *option)
{
    const char *value = option->fallback ? option->fallback : option->example;
    bool array = vl_value_is_words(option) && !vl_value_separator(option);
    if (array)
        vl_buf_addf(out, "[\"%s\"]\n", value);
    else
        vl_buf_addf(out, "%s\n", value);
}

/* `lead` is the indentation, `mark` stands before the key ("- " or "  "). */
static void
add_sample(struct vl_buf *out, const struct vl_option *option, const char *lead,
           const char *mark)
{
    vl_auto(vl_buf) comment_lead = vl_buf_of(64);
    vl_auto(vl_buf) facts = vl_buf_of(1024);
    vl_buf_addf(&comment_lead, "%s# ", lead);
    add_facts(&facts, option);
    add_wrapped(out, vl_buf_cstr(&comment_lead), option->help);
    add_wrapped(out, vl_buf_cstr(&comment_lead), vl_buf_cstr(&facts));
    vl_buf_addf(out, "%s#%s%s: ", lead, mark, vl_option_key(option));
    add_yaml_value(out, option);
}

static void
add_sample_items(struct vl_buf *out, const struct vl_option *option)
{
    bool named = option->type == VL_OPTION_NAMED;
    bool records = option->type == VL_OPTION_RECORDS;
    add_wrapped(out, "# ", option->help);
    vl_buf_addf(out, "%s:\n", vl_option_key(option));
    if (named)
        vl_buf_addf(out, "  #%s:\n", option->example);
    for (size_t i = 0; i < option->item_count; i++)
        add_sample(out, &option->items[i], named ? "    " : "  ",
                   records && i == 0 ? "- "
                   : records         ? "  "
                                     : "");
}

void
vl_conf_sample(struct vl_buf *out)
{
    size_t count;
    const struct vl_option *all = vl_options(&count);
    vl_buf_addz(out,
                "# Configuration of mcp-valet. Lines that start with # and a "
                "space explain;\n# take the # of another line away to set an "
                "option. What is shown is the\n# default, or an example where "
                "there is none.\n");
    for (size_t i = 0; i < count; i++) {
        vl_buf_addc(out, '\n');
        if (all[i].items)
            add_sample_items(out, &all[i]);
        else
            add_sample(out, &all[i], "", "");
    }
}
