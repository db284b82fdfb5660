/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include "mcp/catalog.h"
#include "vl_test.h"
#include "json/read.h"

static void
do_nothing(valet_mcp_call *call, void *ctx)
{
    (void)call;
    (void)ctx;
}

static const valet_mcp_tool good = {
    .name = "hello",
    .title = "Greeting",
    .description = "Says hello.",
    .input_schema = "{ \"type\": \"object\",\n \"properties\": {} }",
    .output_schema = "{\"type\":\"object\"}",
    .hints = VALET_MCP_READ_ONLY,
    .permission = "mcp.tools.read",
    .call = do_nothing,
};

static valet_mcp_server *
new_server(void)
{
    valet_mcp_server *server = NULL;
    assert_ok(valet_mcp_server_new("test", "1.0", NULL, &server, NULL));
    return server;
}

/* @spec S-07 */
static void
registers_no_tool_without_a_permission(void **state)
{
    (void)state;
    static const char *const wrong[] = {NULL,  "",    "a b",
                                        "a\"", "a\\", "\xc3\xa4"};
    valet_mcp_server *server = new_server();
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        valet_mcp_tool tool = good;
        tool.permission = wrong[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, NULL),
                         VALET_INVALID);
    }
    assert_int_equal(server->count, 0);
    valet_mcp_server_free(server);
}

static void
refuses_what_clients_could_not_use(void **state)
{
    (void)state;
    static const char *const names[] = {
        NULL,
        "",
        "a b",
        "a/b",
        "\xc3\xa4",
        "x2345678901234567890123456789012345678901234567890123456789012345"};
    static const char *const schemas[] = {
        NULL,         "",
        "{}",         "[]",
        "null",       "{\"type\":\"string\"}",
        "{\"type\"",  "{\"type\":\"object\"}x",
        "\"object\"", "{\"type\":\"object\",\"type\":\"object\"}"};
    valet_mcp_server *server = new_server();
    valet_error err;
    for (size_t i = 0; i < VL_COUNT(names); i++) {
        valet_mcp_tool tool = good;
        tool.name = names[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         VALET_INVALID);
    }
    for (size_t i = 0; i < VL_COUNT(schemas); i++) {
        valet_mcp_tool tool = good;
        tool.input_schema = schemas[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         VALET_INVALID);
        tool = good;
        tool.output_schema = schemas[i];
        if (schemas[i])
            assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                             VALET_INVALID);
    }
    valet_mcp_tool tool = good;
    tool.name = "other";
    tool.call = NULL;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    tool = good;
    tool.name = "other";
    tool.description = NULL;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    valet_mcp_server_free(server);
    valet_mcp_server_free(NULL);
}

/* A check that cannot be made is a no, and the sentence says which. */
static void
refuses_schemas_that_cannot_be_checked(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_tool tool = good;
    valet_error err;
    tool.input_schema =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$dynamicRef\":\"#b\"}}}";
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(err.message,
                        "a schema of tool hello: /properties/a/$dynamicRef "
                        "cannot be checked by this server");
    tool = good;
    tool.output_schema =
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"int\"}}";
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(err.message,
                        "a schema of tool hello: /additionalProperties/type "
                        "names no type of JSON");
    assert_int_equal(server->count, 0);
    valet_mcp_server_free(server);
}

static void
takes_a_name_once(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    assert_ok(valet_mcp_add_tool(server, &good, NULL));
    assert_int_equal(valet_mcp_add_tool(server, &good, NULL), VALET_CONFLICT);
    assert_ptr_equal(vl_mcp_server_find(server, VL_STR("hello"))->def.name,
                     good.name);
    assert_null(vl_mcp_server_find(server, VL_STR("hell")));
    assert_null(vl_mcp_server_find(server, VL_STR("")));
    valet_mcp_server_free(server);
}

static void
has_room_for_64_permissions(void **state)
{
    (void)state;
    char names[66][16];
    valet_mcp_server *server = new_server();
    for (int i = 0; i < 66; i++) {
        (void)snprintf(names[i], sizeof names[i], "t%d", i);
        valet_mcp_tool tool = good;
        tool.name = tool.permission = names[i];
        valet_error err;
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         i < 64 ? VALET_OK : VALET_LIMIT);
    }
    valet_mcp_server_free(server);
}

static void
lists_in_the_order_of_adding_and_by_permission(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    struct vl_mcp_catalog catalog = {0};
    struct vl_mcp_view all = {.permissions = UINT64_MAX, .modern = true};
    assert_str(vl_mcp_catalog_get(&catalog, server, all), "{\"tools\":[]}");
    assert_ok(valet_mcp_add_tool(server, &good, NULL));
    valet_mcp_tool tool = good;
    tool.name = "a";
    tool.title = NULL;
    tool.output_schema = NULL;
    tool.hints = 0;
    tool.permission = "more";
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_str(
        vl_mcp_catalog_get(&catalog, server, all),
        "{\"tools\":[{\"name\":\"hello\",\"title\":\"Greeting\","
        "\"description\":\"Says hello.\",\"inputSchema\":{\"type\":\"object\","
        "\"properties\":{}},\"outputSchema\":{\"type\":\"object\"},"
        "\"annotations\":{\"title\":\"Greeting\",\"readOnlyHint\":true,"
        "\"destructiveHint\":false,\"idempotentHint\":false,"
        "\"openWorldHint\":false}},{\"name\":\"a\",\"description\":"
        "\"Says hello.\",\"inputSchema\":{\"type\":\"object\","
        "\"properties\":{}}}]}");
    struct vl_mcp_view old = {.permissions = 1};
    assert_str(
        vl_mcp_catalog_get(&catalog, server, old),
        "{\"tools\":[{\"name\":\"hello\",\"description\":\"Says hello.\","
        "\"inputSchema\":{\"type\":\"object\",\"properties\":{}},"
        "\"annotations\":{\"title\":\"Greeting\",\"readOnlyHint\":true,"
        "\"destructiveHint\":false,\"idempotentHint\":false,"
        "\"openWorldHint\":false}}]}");
    /* The same question is answered from memory. */
    assert_ptr_equal(vl_mcp_catalog_get(&catalog, server, old).p,
                     vl_mcp_catalog_get(&catalog, server, old).p);
    vl_mcp_catalog_done(&catalog);
    valet_mcp_server_free(server);
}

/* D8: whatever was asked before, each set of permissions gets its own list. */
static void
never_shows_the_list_of_another_set(void **state)
{
    (void)state;
    char names[5][16];
    valet_mcp_server *server = new_server();
    struct vl_mcp_catalog catalog = {0};
    for (int i = 0; i < 5; i++) {
        (void)snprintf(names[i], sizeof names[i], "t%d", i);
        valet_mcp_tool tool = good;
        tool.name = tool.permission = names[i];
        assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    }
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        seed = seed * 1664525u + 1013904223u;
        struct vl_mcp_view view = {.permissions = seed >> 16 & 31,
                                   .modern = seed >> 8 & 1};
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(vl_mcp_catalog_get(&catalog, server, view), 32,
                                &doc, NULL));
        const struct json_t *tools = vl_json_get(doc.root, "tools");
        size_t at = 0;
        for (int i = 0; i < 5; i++)
            if (view.permissions >> i & 1) {
                const struct json_t *tool = vl_json_at(tools, at++);
                assert_str(vl_json_get_str(tool, "name"), names[i]);
                assert_int_equal(!!vl_json_get(tool, "outputSchema"),
                                 view.modern);
            }
        assert_int_equal(vl_json_size(tools), at);
    }
    vl_mcp_catalog_done(&catalog);
    valet_mcp_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_no_tool_without_a_permission),
        cmocka_unit_test(refuses_what_clients_could_not_use),
        cmocka_unit_test(refuses_schemas_that_cannot_be_checked),
        cmocka_unit_test(takes_a_name_once),
        cmocka_unit_test(has_room_for_64_permissions),
        cmocka_unit_test(lists_in_the_order_of_adding_and_by_permission),
        cmocka_unit_test(never_shows_the_list_of_another_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
