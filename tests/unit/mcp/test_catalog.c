/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/catalog.h"

#include "lot.h"
#include "json/read.h"

#define WHOSE                                                                  \
    "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"test\","    \
    "\"version\":\"1.0\"}}"

struct desk {
    valet_mcp_server *server;
    struct vl_mcp_catalog catalog;
};

static struct desk
open_desk(void)
{
    return (struct desk){.server = new_server()};
}

static void
close_desk(struct desk *desk)
{
    vl_mcp_catalog_done(&desk->catalog);
    valet_mcp_server_free(desk->server);
}

static struct vl_str
list(struct desk *desk, enum vl_mcp_sort sort, enum vl_mcp_version version)
{
    struct vl_mcp_view all = {
        .sort = sort, .version = version, .permissions = UINT64_MAX};
    return vl_mcp_catalog_get(&desk->catalog, desk->server, &all);
}

static void
lists_nothing_of_an_empty_shelf(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    assert_str(list(&desk, VL_MCP_TOOLS, VL_MCP_2025_11_25), "{\"tools\":[]}");
    assert_str(list(&desk, VL_MCP_RESOURCES, VL_MCP_2024_11_05),
               "{\"resources\":[]}");
    assert_str(list(&desk, VL_MCP_TEMPLATES, VL_MCP_2025_11_25),
               "{\"resourceTemplates\":[]}");
    assert_str(list(&desk, VL_MCP_PROMPTS, VL_MCP_2026_07_28),
               "{\"resultType\":\"complete\",\"prompts\":[],\"ttlMs\":60000,"
               "\"cacheScope\":\"public\"," WHOSE "}");
    close_desk(&desk);
}

#define INPUT "\"inputSchema\":{\"type\":\"object\",\"properties\":{}}"
#define HINTS                                                                  \
    "\"readOnlyHint\":true,\"destructiveHint\":false,"                         \
    "\"idempotentHint\":false,\"openWorldHint\":false"

/* @spec HT-39 */
static void
lists_tools_as_each_revision_knows_them(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [VL_MCP_2024_11_05] =
            "{\"tools\":[{\"name\":\"hello\",\"description\":\"Says "
            "hello.\"," INPUT
            "},{\"name\":\"a\",\"description\":\"Says hello.\"," INPUT "}]}",
        [VL_MCP_2025_03_26] =
            "{\"tools\":[{\"name\":\"hello\",\"description\":\"Says "
            "hello.\"," INPUT ",\"annotations\":{\"title\":\"Greeting\"," HINTS
            "}},{\"name\":\"a\",\"description\":\"Says hello.\"," INPUT "}]}",
        [VL_MCP_2025_06_18] =
            "{\"tools\":[{\"name\":\"hello\",\"title\":\"Greeting\","
            "\"description\":\"Says hello.\"," INPUT
            ",\"outputSchema\":{\"type\":\"object\"},"
            "\"annotations\":{\"title\":\"Greeting\"," HINTS
            "}},{\"name\":\"a\",\"description\":\"Says hello.\"," INPUT "}]}",
        [VL_MCP_2026_07_28] =
            "{\"resultType\":\"complete\","
            "\"tools\":[{\"name\":\"hello\",\"title\":\"Greeting\","
            "\"description\":\"Says hello.\"," INPUT
            ",\"outputSchema\":{\"type\":\"object\"},"
            "\"annotations\":{\"title\":\"Greeting\"," HINTS
            "}},{\"name\":\"a\",\"description\":\"Says hello.\"," INPUT
            ",\"outputSchema\":{\"type\":\"array\"}}],\"ttlMs\":5,"
            "\"cacheScope\":\"private\"," WHOSE "}",
    };
    struct desk desk = open_desk();
    valet_mcp_set_list_ttl(desk.server, 5);
    assert_ok(valet_mcp_add_tool(desk.server, &good_tool, NULL));
    valet_mcp_tool tool = good_tool;
    tool.name = "a";
    tool.title = NULL;
    tool.output_schema = "{\"type\":\"array\"}";
    tool.hints = 0;
    tool.flags = VALET_MCP_AS_TASK;
    tool.permission = VALET_MCP_ANY_CALLER;
    assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    for (unsigned v = 0; v < VL_MCP_VERSION_COUNT; v++)
        if (v != VL_MCP_2025_11_25)
            assert_str(list(&desk, VL_MCP_TOOLS, (enum vl_mcp_version)v),
                       expected[v]);
    assert_str(list(&desk, VL_MCP_TOOLS, VL_MCP_2025_11_25),
               expected[VL_MCP_2025_06_18]);
    close_desk(&desk);
}

/* @spec HT-79 */
static void
shows_which_arguments_headers_repeat(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    valet_mcp_tool tool = good_tool;
    tool.input_schema = "{\"type\":\"object\",\"properties\":{\"r\":{\"type\":"
                        "\"string\",\"x-mcp-header\":\"Region\"}}}";
    assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(list(&desk, VL_MCP_TOOLS, VL_MCP_2026_07_28), 32,
                            &doc, NULL));
    const struct json_t *schema = vl_json_get(
        vl_json_at(vl_json_get(doc.root, "tools"), 0), "inputSchema");
    assert_str(
        vl_json_get_str(vl_json_get(vl_json_get(schema, "properties"), "r"),
                        "x-mcp-header"),
        "Region");
    close_desk(&desk);
}

static void
lists_resources_templates_and_prompts(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    valet_mcp_resource bare = {.uri = "n:1",
                               .name = "bare",
                               .permission = VALET_MCP_ANY_CALLER,
                               .read = do_nothing};
    valet_mcp_prompt plain = {
        .name = "plain", .permission = VALET_MCP_ANY_CALLER, .get = do_nothing};
    assert_ok(valet_mcp_add_resource(desk.server, &good_resource, NULL));
    assert_ok(valet_mcp_add_resource(desk.server, &bare, NULL));
    assert_ok(valet_mcp_add_template(desk.server, &good_template, NULL));
    assert_ok(valet_mcp_add_prompt(desk.server, &good_prompt, NULL));
    assert_ok(valet_mcp_add_prompt(desk.server, &plain, NULL));
    assert_str(list(&desk, VL_MCP_RESOURCES, VL_MCP_2025_06_18),
               "{\"resources\":[{\"uri\":\"note://one\",\"name\":\"one\","
               "\"title\":\"Number one\",\"description\":\"A note.\","
               "\"mimeType\":\"text/plain\",\"size\":5},{\"uri\":\"n:1\","
               "\"name\":\"bare\"}]}");
    assert_str(list(&desk, VL_MCP_TEMPLATES, VL_MCP_2025_03_26),
               "{\"resourceTemplates\":[{\"uriTemplate\":\"note://{id}/text\","
               "\"name\":\"notes\",\"description\":\"Notes.\","
               "\"mimeType\":\"text/markdown\"}]}");
    assert_str(list(&desk, VL_MCP_PROMPTS, VL_MCP_2026_07_28),
               "{\"resultType\":\"complete\",\"prompts\":[{\"name\":\"greet\","
               "\"title\":\"Greet\",\"description\":\"Greets.\","
               "\"arguments\":[{\"name\":\"who\",\"title\":\"Who\","
               "\"description\":\"A name\",\"required\":true},"
               "{\"name\":\"how\"}]},{\"name\":\"plain\"}],\"ttlMs\":60000,"
               "\"cacheScope\":\"public\"," WHOSE "}");
    assert_str(list(&desk, VL_MCP_PROMPTS, VL_MCP_2024_11_05),
               "{\"prompts\":[{\"name\":\"greet\",\"description\":\"Greets.\","
               "\"arguments\":[{\"name\":\"who\",\"description\":\"A name\","
               "\"required\":true},{\"name\":\"how\"}]},"
               "{\"name\":\"plain\"}]}");
    close_desk(&desk);
}

/* D8: whatever was asked before, each set of permissions gets its own list.
 * @spec RS-25 RS-26 */
static void
never_shows_the_list_of_another_set(void **state)
{
    (void)state;
    char names[5][16];
    struct desk desk = open_desk();
    for (int i = 0; i < 5; i++) {
        (void)snprintf(names[i], sizeof names[i], "t%d", i);
        valet_mcp_tool tool = good_tool;
        tool.name = tool.permission = names[i];
        assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    }
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        seed = seed * 1664525u + 1013904223u;
        bool titled = seed >> 8 & 1;
        struct vl_mcp_view view = {.permissions = seed >> 16 & 31,
                                   .version = titled ? VL_MCP_2026_07_28
                                                     : VL_MCP_2025_03_26};
        vl_auto(vl_json) doc = {NULL};
        assert_ok(
            vl_json_parse(vl_mcp_catalog_get(&desk.catalog, desk.server, &view),
                          32, &doc, NULL));
        const struct json_t *tools = vl_json_get(doc.root, "tools");
        size_t at = 0;
        for (int i = 0; i < 5; i++)
            if (view.permissions >> i & 1) {
                const struct json_t *tool = vl_json_at(tools, at++);
                assert_str(vl_json_get_str(tool, "name"), names[i]);
                assert_int_equal(!!vl_json_get(tool, "outputSchema"), titled);
            }
        assert_int_equal(vl_json_size(tools), at);
    }
    close_desk(&desk);
}

/* @spec HT-71: what one page says of the scope, all say, and an item that not
 * everybody may see makes all of them private. */
static void
is_public_only_when_everybody_may_see_all(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    valet_mcp_tool tool = good_tool;
    tool.permission = VALET_MCP_ANY_CALLER;
    assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    struct vl_mcp_view view = {.permissions = 1, .version = VL_MCP_2026_07_28};
    struct vl_str text = vl_mcp_catalog_get(&desk.catalog, desk.server, &view);
    assert_true(
        vl_str_ends(text, VL_STR("\"cacheScope\":\"public\"," WHOSE "}")));
    tool.name = "secret";
    tool.permission = "more";
    assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    text = vl_mcp_catalog_get(&desk.catalog, desk.server, &view);
    assert_true(
        vl_str_ends(text, VL_STR("\"cacheScope\":\"private\"," WHOSE "}")));
    assert_true(valet_mcp_remove_tool(desk.server, "secret"));
    text = vl_mcp_catalog_get(&desk.catalog, desk.server, &view);
    assert_true(
        vl_str_ends(text, VL_STR("\"cacheScope\":\"public\"," WHOSE "}")));
    close_desk(&desk);
}

static void
answers_the_same_question_from_memory(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    assert_ok(valet_mcp_add_tool(desk.server, &good_tool, NULL));
    struct vl_mcp_view view = {.permissions = 1};
    const char *first = vl_mcp_catalog_get(&desk.catalog, desk.server, &view).p;
    /* Bits that mean nothing and places between things are no new question. */
    for (uint64_t i = 0; i < 40; i++) {
        view.permissions = i << 1 | 1;
        assert_ptr_equal(
            vl_mcp_catalog_get(&desk.catalog, desk.server, &view).p, first);
        view.after = 1000 + i;
        (void)vl_mcp_catalog_get(&desk.catalog, desk.server, &view);
        view.after = 0;
    }
    assert_int_equal(desk.catalog.next, 2);
    assert_true(valet_mcp_remove_tool(desk.server, "hello"));
    assert_str(vl_mcp_catalog_get(&desk.catalog, desk.server, &view),
               "{\"tools\":[]}");
    close_desk(&desk);
}

/* --- pages --- */

/* Reads one page: the names, joined, and the cursor's place (0: none). */
static uint64_t
read_page(struct desk *desk, struct vl_mcp_view view, struct vl_buf *ret_names)
{
    vl_auto(vl_json) doc = {NULL};
    uint64_t place = 0;
    assert_ok(
        vl_json_parse(vl_mcp_catalog_get(&desk->catalog, desk->server, &view),
                      32, &doc, NULL));
    const struct json_t *tools = vl_json_get(doc.root, "tools");
    for (size_t i = 0; i < vl_json_size(tools); i++)
        vl_buf_add(ret_names, vl_json_get_str(vl_json_at(tools, i), "name"));
    vl_buf_addc(ret_names, '|');
    const struct json_t *cursor = vl_json_get(doc.root, "nextCursor");
    if (cursor)
        assert_true(vl_mcp_cursor_read(vl_json_str(cursor), &place));
    return place;
}

static void
add_letters(struct desk *desk, const char *letters)
{
    static char names[26][2];
    for (; *letters; letters++) {
        char *name = names[*letters - 'a'];
        name[0] = *letters;
        valet_mcp_tool tool = good_tool;
        tool.name = name;
        tool.permission = *letters < 'n' ? "low" : "high";
        assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
    }
}

static void
lists_page_by_page(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t permissions;
        const char *pages;
    } cases[] = {
        {0, 3, "anbocpd|"},   {1, 3, "a|n|b|o|c|p|d|"},
        {3, 3, "anb|ocp|d|"}, {7, 3, "anbocpd|"},
        {2, 1, "ab|cd|"},     {3, 2, "nop|"},
        {2, 2, "no|p|"},      {2, 0, "|"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct desk desk = open_desk();
        vl_auto(vl_buf) names = vl_buf_of(100);
        add_letters(&desk, "anbocpd");
        valet_mcp_set_page_size(desk.server, cases[i].size);
        struct vl_mcp_view view = {.permissions = cases[i].permissions,
                                   .version = VL_MCP_2026_07_28};
        int left = 10;
        do
            view.after = read_page(&desk, view, &names);
        while (view.after && --left);
        assert_str(vl_buf_str(&names), cases[i].pages);
        close_desk(&desk);
    }
}

static void
finds_its_place_again_when_things_come_and_go(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    vl_auto(vl_buf) names = vl_buf_of(100);
    struct vl_mcp_view view = {.permissions = 3};
    valet_mcp_set_page_size(desk.server, 2);
    add_letters(&desk, "abcd");
    view.after = read_page(&desk, view, &names);
    assert_true(valet_mcp_remove_tool(desk.server, "b"));
    assert_true(valet_mcp_remove_tool(desk.server, "a"));
    add_letters(&desk, "a");
    view.after = read_page(&desk, view, &names);
    view.after = read_page(&desk, view, &names);
    assert_int_equal(view.after, 0);
    assert_str(vl_buf_str(&names), "ab|cd|a|");
    /* A place behind everything is the end. */
    view.after = UINT64_MAX;
    assert_int_equal(read_page(&desk, view, &names), 0);
    assert_str(vl_buf_str(&names), "ab|cd|a||");
    close_desk(&desk);
}

static void
knows_no_other_form_of_a_cursor(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1",
        "AAAAAAAAAAA",  /* nothing is at 0 */
        "AAAAAAAAAAE=", /* padding */
        "AAAAAAAAAAF",  /* bits that are left over */
        "AAAAAAAAAA",
        "AAAAAAAAAAEA",
        "AAAAAAAAA+E",
        " AAAAAAAAAE",
        "eyJwYWdlIjogMn0"};
    uint64_t place = 7;
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        struct vl_str text = vl_test_guarded(vl_str_z(wrong[i]));
        assert_false(vl_mcp_cursor_read(text, &place));
        vl_test_unguard(text);
    }
    assert_false(vl_mcp_cursor_read((struct vl_str){NULL, 0}, &place));
    assert_int_equal(place, 7);
    assert_true(vl_mcp_cursor_read(VL_STR("AAAAAAAAAAE"), &place));
    assert_int_equal(place, 1);
    assert_true(vl_mcp_cursor_read(VL_STR("__________8"), &place));
    assert_true(place == UINT64_MAX);
}

static void
gives_no_list_that_is_too_long(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    char *text = vl_alloc(VL_MCP_CATALOG_MAX + 1);
    memset(text, 'a', VL_MCP_CATALOG_MAX);
    valet_mcp_tool tool = good_tool;
    tool.description = text;
    assert_ok(valet_mcp_add_tool(desk.server, &tool, NULL));
    assert_null(list(&desk, VL_MCP_TOOLS, VL_MCP_2025_11_25).p);
    assert_null(list(&desk, VL_MCP_TOOLS, VL_MCP_2025_11_25).p);
    close_desk(&desk);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_nothing_of_an_empty_shelf),
        cmocka_unit_test(lists_tools_as_each_revision_knows_them),
        cmocka_unit_test(shows_which_arguments_headers_repeat),
        cmocka_unit_test(lists_resources_templates_and_prompts),
        cmocka_unit_test(never_shows_the_list_of_another_set),
        cmocka_unit_test(is_public_only_when_everybody_may_see_all),
        cmocka_unit_test(answers_the_same_question_from_memory),
        cmocka_unit_test(lists_page_by_page),
        cmocka_unit_test(finds_its_place_again_when_things_come_and_go),
        cmocka_unit_test(knows_no_other_form_of_a_cursor),
        cmocka_unit_test(gives_no_list_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
