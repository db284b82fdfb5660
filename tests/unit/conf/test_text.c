/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table, --help, the sample file and the JSON Schema tell the same.
 */
#include "conf/conf.h"
#include "conf/options.h"
#include "conf/value.h"
#include "core/limits.h"
#include "vl_test.h"
#include "json/read.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *
no_environment(const char *name)
{
    (void)name;
    return NULL;
}

/* Calls `visit` for every option with the section or list it is part of. */
static size_t
each_option(void (*visit)(const struct vl_option *parent,
                          const struct vl_option *option, void *ctx),
            void *ctx)
{
    size_t count, visited = 0;
    const struct vl_option *all = vl_options(&count);
    for (size_t i = 0; i < count; i++) {
        visit(NULL, &all[i], ctx);
        for (size_t j = 0; j < all[i].item_count; j++)
            visit(&all[i], &all[i].items[j], ctx);
        visited += 1 + all[i].item_count;
    }
    return visited;
}

static void
check_entry(const struct vl_option *parent, const struct vl_option *option,
            void *ctx)
{
    (void)ctx;
    assert_true(option->type < VL_OPTION_TYPE_COUNT);
    assert_true(strlen(option->help) > 10);
    assert_int_equal(option->help[strlen(option->help) - 1], '.');
    if (parent)
        assert_memory_equal(option->path, parent->path, strlen(parent->path));
    if (option->type != VL_OPTION_SECTION && option->type != VL_OPTION_RECORDS)
        assert_true(option->fallback || option->example);
    if (option->min)
        assert_true(option->min <= option->max);
    assert_true(!option->items || option->item_count > 0);
}

static void
the_table_is_complete(void **state)
{
    (void)state;
    assert_true(each_option(check_entry, NULL) > 35);
}

static void
find_in_help(const struct vl_option *parent, const struct vl_option *option,
             void *ctx)
{
    (void)parent;
    char line[128];
    (void)snprintf(line, sizeof line, "\n  %s\n", option->path);
    if (!strstr(vl_buf_cstr(ctx), line))
        fail_msg("--help lacks %s", option->path);
    for (size_t i = 0; i < VL_COUNT(option->env); i++)
        if (option->env[i])
            assert_non_null(strstr(vl_buf_cstr(ctx), option->env[i]));
}

static void
assert_lines_fit(struct vl_str text)
{
    struct vl_str line;
    while (vl_str_split(&text, '\n', &line))
        if (line.n > 80)
            fail_msg("too long: " VL_STR_FMT, VL_STR_ARG(line));
}

static void
help_names_every_option(void **state)
{
    (void)state;
    vl_auto(vl_buf) help = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addc(&help, '\n');
    vl_conf_help(&help);
    assert_ok(vl_buf_check(&help, NULL));
    size_t options = each_option(find_in_help, &help);
    assert_lines_fit(vl_buf_str(&help));
    /* and no others */
    size_t entries = 0;
    struct vl_str rest = vl_buf_str(&help), line;
    while (vl_str_split(&rest, '\n', &line))
        entries += line.n > 2 && line.p[1] == ' ' && line.p[2] != ' ';
    assert_int_equal(entries, options);
}

static void
find_in_man(const struct vl_option *parent, const struct vl_option *option,
            void *ctx)
{
    (void)parent;
    char line[128];
    (void)snprintf(line, sizeof line, "\n.It Ic %s\n", option->path);
    const char *item = strstr(vl_buf_cstr(ctx), line);
    if (!item)
        fail_msg("the man page lacks %s", option->path);
    for (size_t i = 0; item && i < VL_COUNT(option->env); i++) {
        (void)snprintf(line, sizeof line, "\n.Ev %s ", option->env[i]);
        assert_true(!option->env[i] || strstr(item, line));
    }
}

static void
man_names_every_option(void **state)
{
    (void)state;
    vl_auto(vl_buf) man = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_conf_man(&man);
    assert_ok(vl_buf_check(&man, NULL));
    size_t options = each_option(find_in_man, &man);
    assert_lines_fit(vl_buf_str(&man));
    /* and no others, and no request of roff that is none of these */
    size_t entries = 0;
    struct vl_str rest = vl_buf_str(&man), line;
    while (vl_str_split(&rest, '\n', &line)) {
        bool item = vl_str_starts(line, VL_STR(".It Ic "));
        entries += item;
        if (vl_str_starts(line, VL_STR(".")) && !item &&
            !vl_str_starts(line, VL_STR(".Ev ")) &&
            !vl_str_starts(line, VL_STR(".Ql \"")) &&
            !vl_str_starts(line, VL_STR(".Bl ")) && !vl_str_eqz(line, ".El"))
            fail_msg("a request: " VL_STR_FMT, VL_STR_ARG(line));
    }
    assert_int_equal(entries, options);
}

/* What a person gets who takes every '#' in front of an option away. */
static void
uncomment(struct vl_str sample, struct vl_buf *out)
{
    struct vl_str line;
    while (vl_str_split(&sample, '\n', &line)) {
        size_t i = 0;
        while (i < line.n && line.p[i] == ' ')
            i++;
        bool option = i + 1 < line.n && line.p[i] == '#' &&
                      (line.p[i + 1] != ' ' || line.n > i + 2);
        bool prose = i + 1 < line.n && line.p[i] == '#' &&
                     line.p[i + 1] == ' ' &&
                     !(i + 2 < line.n && line.p[i + 2] == ' ');
        /* Two credentials are refused. */
        if (vl_str_starts(vl_str_from(line, i), VL_STR("#client_secret_env")) ||
            vl_str_starts(vl_str_from(line, i),
                          VL_STR("#client_certificate_file")))
            continue;
        vl_buf_add(out, vl_str_head(line, i));
        vl_buf_add(out, vl_str_from(line, option && !prose ? i + 1 : i));
        vl_buf_addc(out, '\n');
    }
}

static void
find_in_sample(const struct vl_option *parent, const struct vl_option *option,
               void *ctx)
{
    char line[128];
    const char *mark = parent && parent->type == VL_OPTION_RECORDS
                           ? (option == parent->items ? "- " : "  ")
                           : "";
    (void)snprintf(line, sizeof line,
                   option->items ? "%s%s:\n" : "#%s%s: ", mark,
                   vl_option_key(option));
    if (!strstr(vl_buf_cstr(ctx), line))
        fail_msg("the sample lacks %s", option->path);
}

static void
sample_names_every_option(void **state)
{
    (void)state;
    vl_auto(vl_buf) sample = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_conf_sample(&sample);
    assert_ok(vl_buf_check(&sample, NULL));
    (void)each_option(find_in_sample, &sample);
    assert_lines_fit(vl_buf_str(&sample));
}

static const char *
azure_environment(const char *name)
{
    if (strcmp(name, "AZURE_TENANT_ID") == 0)
        return "contoso.com";
    if (strcmp(name, "AZURE_CLIENT_ID") == 0)
        return "11111111-2222-4333-8444-555555555555";
    return strcmp(name, "AZURE_CLIENT_SECRET") == 0 ? "secret" : NULL;
}

static void
sample_is_all_defaults_as_it_stands(void **state)
{
    (void)state;
    vl_auto(vl_buf) sample = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_conf_sample(&sample);
    struct vl_conf *conf = NULL;
    valet_error err = {.message = ""};
    if (vl_conf_parse("sample.yaml", vl_buf_str(&sample), azure_environment,
                      &conf, &err) != VALET_OK)
        fail_msg("%s", err.message);
    assert_string_equal(conf->servers[0].name, "graph");
    assert_int_equal(conf->client_count, 0);
    vl_conf_free(conf);
}

static void
sample_loads_with_every_option_set(void **state)
{
    (void)state;
    char folder[] = "/tmp/vl-conf-XXXXXX", secret[64], name[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(secret, sizeof secret, "%s/client-secret", folder);
    (void)snprintf(name, sizeof name, "%s/sample.yaml", folder);
    FILE *file = fopen(secret, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_true(fputs("secret\n", file) >= 0);
    assert_int_equal(fclose(file), 0);

    vl_auto(vl_buf) sample = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_conf_sample(&sample);
    uncomment(vl_buf_str(&sample), &text);
    struct vl_conf *conf = NULL;
    valet_error err = {.message = ""};
    valet_status status =
        vl_conf_parse(name, vl_buf_str(&text), no_environment, &conf, &err);
    (void)unlink(secret);
    (void)rmdir(folder);
    if (status != VALET_OK)
        fail_msg("%s\n%s", err.message, vl_buf_cstr(&text));
    assert_string_equal(conf->public_url, "https://mcp.example.com");
    assert_string_equal(conf->clients[0].id, "my-agent");
    assert_int_equal(conf->allowed_origin_count, 1);
    assert_int_equal(conf->access_token_ms, 600000);
    vl_conf_free(conf);
}

static void
find_in_schema(const struct vl_option *parent, const struct vl_option *option,
               void *ctx)
{
    const struct json_t *map = vl_json_get(ctx, "properties");
    if (parent) {
        map = vl_json_get(map, vl_option_key(parent));
        if (parent->type == VL_OPTION_NAMED)
            map = vl_json_get(map, "additionalProperties");
        if (parent->type == VL_OPTION_RECORDS)
            map = vl_json_get(map, "items");
        assert_false(vl_json_is_true(vl_json_get(map, "additionalProperties")));
        assert_int_equal(vl_json_size(vl_json_get(map, "properties")),
                         parent->item_count);
        map = vl_json_get(map, "properties");
    }
    const struct json_t *entry = vl_json_get(map, vl_option_key(option));
    if (vl_json_kind(entry) != VL_JSON_OBJECT)
        fail_msg("the schema lacks %s", option->path);
    assert_str(vl_json_get_str(entry, "description"), option->help);
    assert_true(vl_json_kind(vl_json_get(entry, "type")) != VL_JSON_ABSENT);
    if (option->fallback && !option->items)
        assert_true(vl_json_kind(vl_json_get(entry, "default")) !=
                    VL_JSON_ABSENT);
}

static void
schema_is_json_and_names_every_option(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_json) doc = {NULL};
    valet_error err = {.message = ""};
    vl_conf_schema(&text);
    assert_ok(vl_buf_check(&text, NULL));
    if (vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &doc, &err) !=
        VALET_OK)
        fail_msg("%s", err.message);
    (void)each_option(find_in_schema, doc.root);
    size_t count;
    (void)vl_options(&count);
    assert_int_equal(vl_json_size(vl_json_get(doc.root, "properties")), count);
    const struct json_t *level = vl_json_get(
        vl_json_get(vl_json_get(vl_json_get(doc.root, "properties"), "log"),
                    "properties"),
        "level");
    assert_true(vl_json_has_str(vl_json_get(level, "enum"), VL_STR("warn")));
}

static void
suggests_only_what_is_near(void **state)
{
    (void)state;
    static const struct {
        const char *key, *path;
    } cases[] = {
        {"lisen", "listen"},
        {"publicurl", "public_url"},
        {"logs", "log"},
        {"token", "tokens"},
        {"client", "clients"},
        {"graph_url", "entra.graph_url"},
        {"server", "servers"},
        {"redirect_uris", "clients.*.redirect_uris"},
        {"x", NULL},
        {"", NULL},
        {"completely_other", NULL},
        {"a_key_that_is_longer_than_any_key_there_could_be", NULL},
    };
    size_t count;
    const struct vl_option *all = vl_options(&count);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        const struct vl_option *near =
            vl_option_suggest(all, count, vl_str_z(cases[i].key));
        if (!near != !cases[i].path ||
            (near && strcmp(near->path, cases[i].path) != 0))
            fail_msg("%s: %s", cases[i].key, near ? near->path : "nothing");
    }
}

static void
writes_durations_as_it_reads_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"90d", "25h", "10m", "61s", "1500ms"};
    for (size_t i = 0; i < VL_COUNT(texts); i++) {
        int64_t ms;
        vl_auto(vl_buf) out = vl_buf_of(32);
        assert_true(vl_value_duration(vl_str_z(texts[i]), &ms));
        vl_value_add_duration(&out, ms);
        assert_str(vl_buf_str(&out), texts[i]);
    }
    int64_t ms = 7;
    assert_false(vl_value_duration(VL_STR("d"), &ms));
    assert_false(vl_value_duration(VL_STR(""), &ms));
    assert_false(vl_value_duration(VL_STR("1 d"), &ms));
    assert_false(vl_value_duration(VL_STR("9999999999d"), &ms));
    assert_int_equal(ms, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(man_names_every_option),
        cmocka_unit_test(sample_names_every_option),
        cmocka_unit_test(sample_is_all_defaults_as_it_stands),
        cmocka_unit_test(sample_loads_with_every_option_set),
        cmocka_unit_test(schema_is_json_and_names_every_option),
        cmocka_unit_test(suggests_only_what_is_near),
        cmocka_unit_test(writes_durations_as_it_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
