/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of options of mcp-valet.yaml(5) in mdoc, grown from the option
 * table: one item an option, one line a sentence.
 */
#include "conf/conf.h"
#include "conf/options.h"
#include "conf/value.h"

#define COLUMNS 78

/* Roff takes a dot or an apostrophe at the start of a line for a request. */
static void
add_word(struct vl_buf *out, struct vl_str word, bool at_start)
{
    if (at_start && word.n && (word.p[0] == '.' || word.p[0] == '\''))
        vl_buf_addz(out, "\\&");
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] == '\\')
            vl_buf_addz(out, "\\e");
        else
            vl_buf_addc(out, word.p[i]);
}

/* Whole sentences, each on a line of its own, in lines of at most COLUMNS. */
static void
add_sentences(struct vl_buf *out, const char *text)
{
    struct vl_str rest = vl_str_z(text), word;
    size_t column = 0;
    while (vl_str_split(&rest, ' ', &word)) {
        if (column && column + 1 + word.n > COLUMNS) {
            vl_buf_addc(out, '\n');
            column = 0;
        } else if (column) {
            vl_buf_addc(out, ' ');
            column++;
        }
        add_word(out, word, column == 0);
        column += word.n;
        if (vl_str_ends(word, VL_STR("."))) {
            vl_buf_addc(out, '\n');
            column = 0;
        }
    }
    if (column)
        vl_buf_addc(out, '\n');
}

/* What may be written, and how often where it may be several. */
static void
add_value(struct vl_buf *out, const struct vl_option *option)
{
    vl_auto(vl_buf) line = vl_buf_of(1024);
    if (option->type == VL_OPTION_SECTION)
        return;
    vl_buf_addz(&line, "Value: ");
    vl_value_describe(option, &line);
    if (vl_value_is_words(option) || option->items) {
        if (option->min > 0)
            vl_buf_addf(&line, ", %lld to ", (long long)option->min);
        else
            vl_buf_addz(&line, ", at most ");
        vl_buf_addf(&line, "%lld entries", (long long)option->max);
    }
    vl_buf_addz(&line, ".");
    add_sentences(out, vl_buf_cstr(&line));
}

static void
add_environment(struct vl_buf *out, const struct vl_option *option)
{
    if (!option->env[0])
        return;
    vl_buf_addz(out, "Environment:\n");
    for (size_t i = 0; i < VL_COUNT(option->env) && option->env[i]; i++) {
        bool last =
            i + 1 == VL_COUNT(option->env) || option->env[i + 1] == NULL;
        vl_buf_addf(out, ".Ev %s %s\n", option->env[i], last ? "." : ",");
    }
}

static void
add_option(struct vl_buf *out, const struct vl_option *option)
{
    vl_buf_addf(out, ".It Ic %s\n", option->path);
    add_sentences(out, option->help);
    add_value(out, option);
    if (option->is_required)
        vl_buf_addz(out, "It is needed.\n");
    if (option->fallback)
        vl_buf_addf(out, "Default:\n.Ql \"%s\" .\n", option->fallback);
    add_environment(out, option);
}

void
vl_conf_man(struct vl_buf *out)
{
    size_t count;
    const struct vl_option *all = vl_options(&count);
    vl_buf_addz(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        add_option(out, &all[i]);
        for (size_t j = 0; j < all[i].item_count; j++)
            add_option(out, &all[i].items[j]);
    }
    vl_buf_addz(out, ".El\n");
}
