/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the option table over the tree of the file. What the file does not
 * say comes from the environment, and what that does not say from the table:
 * both pass the same checks as the file (@spec S-21 S-92).
 */
#include "conf/load.h"

#include "conf/options.h"
#include "conf/value.h"
#include "core/limits.h"
#include "core/status.h"

#define KEY_SHOWN 40

/* Of options of items the key alone: the place says which item. */
static const char *
shown_name(const struct vl_option *option)
{
    return strchr(option->path, '*') ? vl_option_key(option) : option->path;
}

/* @spec S-57: secrets are named by reference, never written here. */
static bool
is_inline_secret(struct vl_str key)
{
    static const char *const names[] = {"client_secret", "secret", "password",
                                        "AZURE_CLIENT_SECRET",
                                        "FR_API_CLIENT_SECRET"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(key, vl_str_z(names[i])))
            return true;
    return false;
}

/* A key as it may be shown: short, and without what could forge a line. */
static void
add_key(struct vl_buf *out, struct vl_str key)
{
    for (size_t i = 0; i < key.n && i < KEY_SHOWN; i++)
        vl_buf_addc(out, key.p[i] > 0x20 && key.p[i] < 0x7f ? key.p[i] : '?');
    if (key.n > KEY_SHOWN)
        vl_buf_addz(out, "...");
}

static valet_status
fail_unknown(struct vl_conf_loader *loader, const struct vl_yaml *node,
             const struct vl_option *table, size_t count)
{
    struct vl_str key = vl_yaml_key(node);
    struct vl_yaml_mark mark = vl_yaml_key_mark(node);
    if (is_inline_secret(key))
        return vl_conf_fail(loader, mark, "inline_secret",
                            "a secret must not stand in this file; put it "
                            "into a file of its own (chmod 600) and write "
                            "client_secret_file: PATH");
    vl_auto(vl_buf) shown = vl_buf_of(2 * KEY_SHOWN);
    add_key(&shown, key);
    const struct vl_option *near = vl_option_suggest(table, count, key);
    if (near)
        return vl_conf_fail(loader, mark, "unknown_key",
                            "there is no option \"%s\" here; did you mean "
                            "%s? Write that, or remove it",
                            vl_buf_cstr(&shown), near->path);
    return vl_conf_fail(loader, mark, "unknown_key",
                        "there is no option \"%s\" here; write one that "
                        "--help lists, or remove it",
                        vl_buf_cstr(&shown));
}

/* Says where and of what `reason` complains. */
static valet_status
fail_value(struct vl_conf_loader *loader, const struct vl_option *option,
           struct vl_yaml_mark mark, const valet_error *reason)
{
    return vl_conf_fail(loader, mark, reason->code, "%s %s", shown_name(option),
                        reason->message);
}

static valet_status
fail_kind(struct vl_conf_loader *loader, const struct vl_option *option,
          const struct vl_yaml *node, const char *expected)
{
    if (vl_yaml_is_null(node))
        return vl_conf_fail(loader, vl_yaml_mark(node), "wrong_type",
                            "%s has no value; write one behind the colon, or "
                            "remove the line",
                            shown_name(option));
    return vl_conf_fail(loader, vl_yaml_mark(node), "wrong_type",
                        "%s must be %s, not %s; write %s", shown_name(option),
                        expected, vl_yaml_kind_name(vl_yaml_kind(node)),
                        strcmp(expected, "a map") == 0    ? "key: value lines"
                        : strcmp(expected, "a list") == 0 ? "- value lines"
                                                          : "one value");
}

/* A path is taken from where the file lies, not from where one stands. */
static struct vl_str
resolve(struct vl_conf_loader *loader, const struct vl_option *option,
        struct vl_str text)
{
    if (option->type != VL_OPTION_PATH || loader->folder.n == 0 ||
        vl_str_starts(text, VL_STR("/")) || text.n == 0)
        return text;
    vl_auto(vl_buf) path = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_add(&path, loader->folder);
    vl_buf_add(&path, text);
    return path.failed ? text : vl_arena_dup(&loader->tree, vl_buf_str(&path));
}

/* Cuts one text at its separator; more words than allowed stay uncounted. */
static struct vl_words
split_words(struct vl_conf_loader *loader, const struct vl_option *option,
            struct vl_str text)
{
    struct vl_words words = {NULL, 0};
    size_t room = (size_t)option->max + 1;
    words.items = vl_arena_alloc(&loader->tree, room * sizeof *words.items);
    struct vl_str word;
    while (words.items && words.count < room &&
           vl_str_split(&text, vl_value_separator(option), &word)) {
        word = vl_str_trim(word);
        if (word.n)
            words.items[words.count++] = word;
    }
    return words;
}

static valet_status
store_words(struct vl_conf_loader *loader, const struct vl_option *option,
            const struct vl_yaml *node, void *base)
{
    struct vl_words words = {NULL, vl_yaml_size(node)};
    bool is_list = vl_yaml_kind(node) == VL_YAML_LIST;
    if (!is_list && (vl_yaml_kind(node) != VL_YAML_SCALAR ||
                     vl_yaml_is_null(node) || !vl_value_separator(option)))
        return fail_kind(loader, option, node, "a list");
    if (!is_list)
        words = split_words(loader, option, vl_yaml_text(node));
    else
        words.items = vl_arena_alloc(&loader->tree,
                                     words.count * sizeof *words.items + 1);
    if (!words.items)
        return vl_fail(loader->err, VALET_LIMIT, "", "too large to be read");
    for (size_t i = 0; is_list && i < words.count; i++) {
        const struct vl_yaml *item = vl_yaml_at(node, i);
        if (vl_yaml_kind(item) != VL_YAML_SCALAR || vl_yaml_is_null(item))
            return fail_kind(loader, option, item, "a list of texts");
        words.items[i] = vl_yaml_text(item);
    }
    size_t bad;
    valet_error reason;
    if (vl_value_store_words(option, &words, loader->conf->arena, base, &bad,
                             &reason) == VALET_OK)
        return VALET_OK;
    if (is_list && bad < words.count)
        node = vl_yaml_at(node, bad);
    return fail_value(loader, option, vl_yaml_mark(node), &reason);
}

static valet_status
store_scalar(struct vl_conf_loader *loader, const struct vl_option *option,
             const struct vl_yaml *node, void *base)
{
    if (vl_yaml_kind(node) != VL_YAML_SCALAR || vl_yaml_is_null(node))
        return fail_kind(loader, option, node, "one value");
    struct vl_str text = vl_yaml_text(node);
    /* "100" in quotes is a text; the checks below say what to write. */
    if (vl_value_is_bare(option) && !vl_yaml_is_plain(node))
        text = VL_STR("\"");
    valet_error reason;
    if (vl_value_store(option, resolve(loader, option, text),
                       loader->conf->arena, base, &reason) == VALET_OK)
        return VALET_OK;
    return fail_value(loader, option, vl_yaml_mark(node), &reason);
}

/* A text that is not in the file: from the environment or the table. */
static valet_status
store_outside(struct vl_conf_loader *loader, const struct vl_option *option,
              struct vl_str text, void *base, valet_error *reason)
{
    if (!vl_value_is_words(option))
        return vl_value_store(option, resolve(loader, option, text),
                              loader->conf->arena, base, reason);
    size_t bad;
    struct vl_words words = split_words(loader, option, text);
    if (!words.items)
        return vl_fail(reason, VALET_LIMIT, "", "is too large");
    return vl_value_store_words(option, &words, loader->conf->arena, base, &bad,
                                reason);
}

static valet_status
store_variable(struct vl_conf_loader *loader, const struct vl_option *option,
               const char *variable, void *base)
{
    struct vl_str text = vl_str_z(vl_conf_variable(loader, variable));
    vl_auto(vl_buf) listen = vl_buf_of(VL_LIMIT_STATE);
    if (option->type == VL_OPTION_ENV_NAME)
        text = vl_str_z(variable);
    if (option->type == VL_OPTION_LISTEN) {
        vl_buf_addc(&listen, ':');
        vl_buf_add(&listen, text);
        text = vl_buf_str(&listen);
    }
    valet_error reason;
    if (store_outside(loader, option, text, base, &reason) == VALET_OK)
        return VALET_OK;
    return vl_fail(loader->err, VALET_INVALID, reason.code,
                   "the environment variable %s, which stands for %s, %s",
                   variable, option->path, reason.message);
}

static valet_status
store_missing(struct vl_conf_loader *loader, const struct vl_option *option,
              const struct vl_yaml *parent, void *base)
{
    for (size_t i = 0; i < VL_COUNT(option->env); i++)
        if (vl_conf_variable(loader, option->env[i]))
            return store_variable(loader, option, option->env[i], base);
    struct vl_yaml_mark mark = vl_yaml_key_mark(parent);
    if (option->is_required && option->env[0])
        return vl_conf_fail(loader, mark, "missing",
                            "%s is missing; write it, or set the environment "
                            "variable %s",
                            option->path, option->env[0]);
    if (option->is_required)
        return vl_conf_fail(loader, mark, "missing",
                            "%s is missing here; write for example %s: %s",
                            shown_name(option), vl_option_key(option),
                            option->example);
    if (option->fallback) {
        valet_error reason;
        VL_ASSERT(store_outside(loader, option, vl_str_z(option->fallback),
                                base, &reason) == VALET_OK);
    }
    return VALET_OK;
}

static valet_status
load_table(struct vl_conf_loader *loader, const struct vl_option *table,
           size_t count, const struct vl_yaml *map, void *base);

static valet_status
load_item(struct vl_conf_loader *loader, const struct vl_option *option,
          const struct vl_yaml *node, void *base)
{
    valet_error reason;
    if (vl_yaml_kind(node) != VL_YAML_MAP)
        return vl_conf_fail(loader, vl_yaml_mark(node), "wrong_type",
                            "each entry of %s must be a map, not %s; write "
                            "%s: value lines",
                            option->path, vl_yaml_kind_name(vl_yaml_kind(node)),
                            vl_option_key(&option->items[0]));
    if (option->type == VL_OPTION_NAMED &&
        vl_value_store(option, vl_yaml_key(node), loader->conf->arena, base,
                       &reason) != VALET_OK)
        return fail_value(loader, option, vl_yaml_key_mark(node), &reason);
    return load_table(loader, option->items, option->item_count, node, base);
}

static valet_status
load_items(struct vl_conf_loader *loader, const struct vl_option *option,
           const struct vl_yaml *node, void *base)
{
    bool named = option->type == VL_OPTION_NAMED;
    if (vl_yaml_is_null(node) && !option->fallback)
        return VALET_OK;
    if (vl_yaml_is_null(node)) {
        VL_TRY(vl_yaml_parse("", vl_str_z(option->fallback), &loader->tree,
                             &node, loader->err));
    }
    if (vl_yaml_kind(node) != (named ? VL_YAML_MAP : VL_YAML_LIST))
        return fail_kind(loader, option, node, named ? "a map" : "a list");
    size_t count = vl_yaml_size(node);
    if (count < (size_t)option->min || count > (size_t)option->max)
        return vl_conf_fail(loader, vl_yaml_mark(node), "out_of_range",
                            "%s must have %lld to %lld entries; write fewer, "
                            "or remove the line",
                            option->path, (long long)option->min,
                            (long long)option->max);
    char *items =
        vl_arena_alloc(loader->conf->arena, count * option->item_size + 1);
    if (!items)
        return vl_fail(loader->err, VALET_LIMIT, "", "too large to be read");
    for (size_t i = 0; i < count; i++)
        VL_TRY(load_item(loader, option, vl_yaml_at(node, i),
                         items + i * option->item_size));
    memcpy((char *)base + option->at, &items, sizeof items);
    memcpy((char *)base + option->count_at, &count, sizeof count);
    return VALET_OK;
}

static valet_status
load_option(struct vl_conf_loader *loader, const struct vl_option *option,
            const struct vl_yaml *parent, void *base)
{
    const struct vl_yaml *node = vl_yaml_find(parent, vl_option_key(option));
    if (option->type == VL_OPTION_NAMED || option->type == VL_OPTION_RECORDS)
        return load_items(loader, option, node, base);
    if (option->type == VL_OPTION_SECTION) {
        /* "entra:" with nothing below it is a section left empty. */
        if (!vl_yaml_is_null(node) && vl_yaml_kind(node) != VL_YAML_MAP)
            return fail_kind(loader, option, node, "a map");
        return load_table(loader, option->items, option->item_count, node,
                          base);
    }
    if (!node)
        return store_missing(loader, option, parent, base);
    return vl_value_is_words(option) ? store_words(loader, option, node, base)
                                     : store_scalar(loader, option, node, base);
}

static valet_status
load_table(struct vl_conf_loader *loader, const struct vl_option *table,
           size_t count, const struct vl_yaml *map, void *base)
{
    for (size_t i = 0; i < vl_yaml_size(map); i++) {
        const struct vl_yaml *node = vl_yaml_at(map, i);
        if (!vl_option_find(table, count, vl_yaml_key(node)))
            return fail_unknown(loader, node, table, count);
    }
    for (size_t i = 0; i < count; i++)
        VL_TRY(load_option(loader, &table[i], map, base));
    return VALET_OK;
}

valet_status
vl_conf_walk(struct vl_conf_loader *loader)
{
    size_t count;
    const struct vl_option *table = vl_options(&count);
    return load_table(loader, table, count, loader->root, loader->conf);
}
