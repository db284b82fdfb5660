/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/command/command.h"

static const struct vl_option *
find_option(struct vl_str name, const struct vl_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vl_str_eqz(name, options[i].name))
            return &options[i];
    return NULL;
}

static bool
set_value(const struct vl_option *option, const char *value)
{
    if (option->value) {
        *option->value = value;
        return true;
    }
    struct vl_option_list *list = option->list;
    if (list->count == VL_OPTION_VALUES) {
        vl_complain("%s is given too often", option->name);
        return false;
    }
    list->items[list->count++] = value;
    return true;
}

/* The option at argv[*i], and its value. */
static bool
parse_option(int argc, char **argv, int *i, const struct vl_option *options,
             size_t count)
{
    struct vl_str argument = vl_str_z(argv[*i]);
    const struct vl_option *bare = find_option(VL_STR(""), options, count);
    if (bare && argument.n && argument.p[0] != '-' && !*bare->value)
        return set_value(bare, argv[*i]);
    size_t equals = vl_str_index(argument, '=');
    const struct vl_option *option =
        find_option(vl_str_head(argument, equals), options, count);
    if (!option || option == bare) {
        vl_complain("unknown argument: %s", argv[*i]);
        return false;
    }
    if (option->flag && equals == argument.n) {
        *option->flag = true;
        return true;
    }
    if (!option->flag && equals < argument.n)
        return set_value(option, argv[*i] + equals + 1);
    if (!option->flag && *i + 1 < argc)
        return set_value(option, argv[++*i]);
    vl_complain(option->flag ? "%s takes no value" : "%s needs a value",
                option->name);
    return false;
}

bool
vl_options_parse(int argc, char **argv, const struct vl_option *options,
                 size_t count)
{
    for (int i = 1; i < argc; i++)
        if (!parse_option(argc, argv, &i, options, count))
            return false;
    return true;
}

int
vl_options_separator(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return i;
    return 0;
}

bool
vl_output_choose(const char *text, const char *const *names, size_t count,
                 size_t *ret)
{
    for (*ret = 0; *ret < count; ++*ret)
        if (!text || strcmp(text, names[*ret]) == 0)
            return true;
    vl_complain("there is no --output %s here", text);
    return false;
}
