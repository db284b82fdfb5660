/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/server.h"

#include "lot.h"

/* @spec S-07 */
static void
registers_nothing_without_a_permission(void **state)
{
    (void)state;
    static const char *const wrong[] = {NULL,  "",    "a b",
                                        "a\"", "a\\", "\xc3\xa4"};
    valet_mcp_server *server = new_server();
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        valet_mcp_tool tool = good_tool;
        valet_mcp_resource resource = good_resource;
        valet_mcp_template tmpl = good_template;
        valet_mcp_prompt prompt = good_prompt;
        tool.permission = resource.permission = wrong[i];
        tmpl.permission = prompt.permission = wrong[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, NULL),
                         VALET_INVALID);
        assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                         VALET_INVALID);
        assert_int_equal(valet_mcp_add_template(server, &tmpl, NULL),
                         VALET_INVALID);
        assert_int_equal(valet_mcp_add_prompt(server, &prompt, NULL),
                         VALET_INVALID);
    }
    for (size_t i = 0; i < VL_MCP_SORT_COUNT; i++) {
        assert_int_equal(server->shelves[i].count, 0);
        assert_int_equal(server->shelves[i].generation, 0);
    }
    assert_int_equal(server->permission_count, 0);
    valet_mcp_server_free(server);
}

static void
wants_a_name_and_a_version(void **state)
{
    (void)state;
    valet_mcp_server *server = NULL;
    assert_int_equal(valet_mcp_server_new(NULL, "1", NULL, &server, NULL),
                     VALET_INVALID);
    assert_int_equal(valet_mcp_server_new("a", "", NULL, &server, NULL),
                     VALET_INVALID);
    assert_int_equal(valet_mcp_server_new("a", "1", "\xff", &server, NULL),
                     VALET_INVALID);
    assert_null(server);
    valet_mcp_server_free(NULL);
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
        valet_mcp_tool tool = good_tool;
        tool.name = names[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         VALET_INVALID);
    }
    for (size_t i = 0; i < VL_COUNT(schemas); i++) {
        valet_mcp_tool tool = good_tool;
        tool.input_schema = schemas[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         VALET_INVALID);
    }
    valet_mcp_tool tool = good_tool;
    tool.call = NULL;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    tool = good_tool;
    tool.description = NULL;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(err.message, "the description of hello is missing");
    tool = good_tool;
    tool.title = "\xff";
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    tool = good_tool;
    tool.flags = 16;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(err.message, "tool hello cannot have these flags");
    tool = good_tool;
    tool.hints = 16;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(err.message, "tool hello cannot have these hints");
    assert_int_equal(server->shelves[VL_MCP_TOOLS].count, 0);
    valet_mcp_server_free(server);
}

/* 2026-07-28 knows results of all types; what is no schema stays none. */
static void
takes_output_schemas_of_any_type(void **state)
{
    (void)state;
    static const char *const schemas[] = {"{}", "{\"type\":\"array\"}",
                                          "{\"type\":\"object\"}"};
    static const char *const wrong[] = {
        "", "[]", "null", "true", "{\"type\"", "{\"type\":\"int\"}"};
    static const char *const names[] = {"a", "b", "c"};
    valet_mcp_server *server = new_server();
    for (size_t i = 0; i < VL_COUNT(schemas); i++) {
        valet_mcp_tool tool = good_tool;
        tool.name = names[i];
        tool.output_schema = schemas[i];
        assert_ok(valet_mcp_add_tool(server, &tool, NULL));
        struct vl_mcp_item *item = find(server, VL_MCP_TOOLS, names[i]);
        assert_non_null(item->gives);
        assert_int_equal(item->gives_object, i == 2);
    }
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        valet_mcp_tool tool = good_tool;
        tool.output_schema = wrong[i];
        assert_int_equal(valet_mcp_add_tool(server, &tool, NULL),
                         VALET_INVALID);
    }
    valet_mcp_server_free(server);
}

/* A check that cannot be made is a no, and the sentence says which. */
static void
refuses_members_that_only_later_versions_have(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_tool tool = good_tool;
    tool.later[7] = server;
    assert_int_equal(valet_mcp_add_tool(server, &tool, NULL), VALET_INVALID);
    tool.later[7] = NULL;
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    valet_mcp_server_free(server);
}

static void
refuses_schemas_that_cannot_be_checked(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_tool tool = good_tool;
    valet_error err;
    tool.input_schema =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$dynamicRef\":\"#b\"}}}";
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(
        err.message,
        "the input schema of tool hello: /properties/a/$dynamicRef "
        "cannot be checked by this server");
    tool = good_tool;
    tool.output_schema =
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"int\"}}";
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_string_equal(
        err.message,
        "the output schema of tool hello: /additionalProperties/type "
        "names no type of JSON");
    assert_int_equal(server->shelves[VL_MCP_TOOLS].count, 0);
    valet_mcp_server_free(server);
}

/* @spec HT-80 */
static void
reads_which_arguments_headers_repeat(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_tool tool = good_tool;
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_null(find(server, VL_MCP_TOOLS, "hello")->mirror);
    tool.name = "other";
    tool.input_schema = "{\"type\":\"object\",\"properties\":{\"r\":{\"type\":"
                        "\"string\",\"x-mcp-header\":\"Region\"}}}";
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_non_null(find(server, VL_MCP_TOOLS, "other")->mirror);
    tool.name = "third";
    tool.input_schema = "{\"type\":\"object\",\"properties\":{\"r\":{\"type\":"
                        "\"string\",\"x-mcp-header\":\"a b\"}}}";
    valet_error err;
    assert_int_equal(valet_mcp_add_tool(server, &tool, &err), VALET_INVALID);
    assert_ptr_equal(strstr(err.message, "the input schema of tool third: "),
                     err.message);
    valet_mcp_server_free(server);
}

static void
takes_a_name_once(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    assert_ok(valet_mcp_add_tool(server, &good_tool, NULL));
    valet_error err;
    assert_int_equal(valet_mcp_add_tool(server, &good_tool, &err),
                     VALET_CONFLICT);
    assert_string_equal(err.message, "there is a tool hello already");
    struct vl_mcp_item *item = find(server, VL_MCP_TOOLS, "hello");
    assert_ptr_equal(item->def.tool.name, good_tool.name);
    assert_ptr_equal(item->handle, do_nothing);
    assert_null(find(server, VL_MCP_TOOLS, "hell"));
    assert_null(find(server, VL_MCP_TOOLS, ""));
    /* Another shelf has names of its own. */
    assert_null(find(server, VL_MCP_PROMPTS, "hello"));
    valet_mcp_prompt prompt = good_prompt;
    prompt.name = "hello";
    assert_ok(valet_mcp_add_prompt(server, &prompt, NULL));
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
        valet_mcp_tool tool = good_tool;
        tool.name = tool.permission = names[i];
        valet_error err;
        assert_int_equal(valet_mcp_add_tool(server, &tool, &err),
                         i < 64 ? VALET_OK : VALET_LIMIT);
    }
    valet_mcp_server_free(server);
}

/* A bit means the same for as long as the server lives, and the texts of what
 * was removed may be gone. */
static void
keeps_permissions_of_what_was_removed(void **state)
{
    (void)state;
    char permission[] = "first";
    valet_mcp_server *server = new_server();
    valet_mcp_tool tool = good_tool;
    tool.permission = permission;
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    struct vl_mcp_item *item = find(server, VL_MCP_TOOLS, "hello");
    vl_mcp_item_hold(item);
    assert_true(valet_mcp_remove_tool(server, "hello"));
    permission[0] = 'X';
    assert_string_equal(item->permission, "first");
    vl_mcp_item_release(item);
    tool.permission = "second";
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_int_equal(find(server, VL_MCP_TOOLS, "hello")->permission_bit, 1);
    tool.name = "again";
    tool.permission = "first";
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_int_equal(find(server, VL_MCP_TOOLS, "again")->permission_bit, 0);
    assert_int_equal(server->permission_count, 2);
    assert_string_equal(server->permissions[0], "first");
    valet_mcp_server_free(server);
}

static void
lets_a_removed_thing_live_while_it_is_held(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    assert_ok(valet_mcp_add_tool(server, &good_tool, NULL));
    struct vl_mcp_item *item = find(server, VL_MCP_TOOLS, "hello");
    vl_mcp_item_hold(item);
    assert_true(valet_mcp_remove_tool(server, "hello"));
    assert_false(valet_mcp_remove_tool(server, "hello"));
    assert_null(find(server, VL_MCP_TOOLS, "hello"));
    assert_int_equal(server->shelves[VL_MCP_TOOLS].count, 0);
    assert_str(vl_buf_str(&item->output), "{\"type\":\"object\"}");
    assert_string_equal(item->permission, "mcp.tools.read");
    /* The name is free meanwhile. */
    assert_ok(valet_mcp_add_tool(server, &good_tool, NULL));
    assert_ptr_not_equal(find(server, VL_MCP_TOOLS, "hello"), item);
    vl_mcp_item_release(item);
    valet_mcp_server_free(server);
}

static void
removes_from_the_middle(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    valet_mcp_server *server = new_server();
    for (size_t i = 0; i < 3; i++) {
        valet_mcp_tool tool = good_tool;
        tool.name = names[i];
        assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    }
    assert_true(valet_mcp_remove_tool(server, "b"));
    const struct vl_mcp_shelf *shelf = &server->shelves[VL_MCP_TOOLS];
    assert_int_equal(shelf->count, 2);
    assert_string_equal(shelf->items[0]->id, "a");
    assert_string_equal(shelf->items[1]->id, "c");
    assert_true(shelf->items[0]->serial < shelf->items[1]->serial);
    assert_int_equal(shelf->generation, 4);
    valet_mcp_server_free(server);
}

/* --- who watches --- */

struct ears {
    struct vl_mcp_watcher watcher;
    int changes[VL_MCP_SORT_COUNT];
    char uri[32];
};

static void
hear_change(struct vl_mcp_watcher *watcher, enum vl_mcp_sort sort)
{
    VL_CONTAINER(watcher, struct ears, watcher)->changes[sort]++;
}

static void
hear_update(struct vl_mcp_watcher *watcher, const char *uri)
{
    struct ears *ears = VL_CONTAINER(watcher, struct ears, watcher);
    (void)snprintf(ears->uri, sizeof ears->uri, "%s", uri);
}

static void
tells_watchers_what_changes(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    struct ears one = {.watcher = {.list_changed = hear_change,
                                   .updated = hear_update}},
                two = one;
    vl_mcp_server_watch(server, &one.watcher);
    vl_mcp_server_watch(server, &two.watcher);
    assert_ok(valet_mcp_add_tool(server, &good_tool, NULL));
    assert_int_equal(valet_mcp_add_tool(server, &good_tool, NULL),
                     VALET_CONFLICT);
    assert_int_equal(two.changes[VL_MCP_TOOLS], 1);
    vl_mcp_server_unwatch(&two.watcher);
    assert_true(valet_mcp_remove_tool(server, "hello"));
    assert_int_equal(one.changes[VL_MCP_TOOLS], 2);
    assert_ok(valet_mcp_add_resource(server, &good_resource, NULL));
    assert_ok(valet_mcp_add_template(server, &good_template, NULL));
    assert_true(valet_mcp_remove_template(server, good_template.uri_template));
    assert_ok(valet_mcp_add_prompt(server, &good_prompt, NULL));
    assert_int_equal(one.changes[VL_MCP_RESOURCES], 3);
    assert_int_equal(one.changes[VL_MCP_TEMPLATES], 0);
    assert_int_equal(one.changes[VL_MCP_PROMPTS], 1);
    valet_mcp_resource_updated(server, "note://one");
    assert_string_equal(one.uri, "note://one");
    assert_string_equal(two.uri, "");
    assert_int_equal(two.changes[VL_MCP_TOOLS], 1);
    vl_mcp_server_unwatch(&one.watcher);
    valet_mcp_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_nothing_without_a_permission),
        cmocka_unit_test(wants_a_name_and_a_version),
        cmocka_unit_test(refuses_what_clients_could_not_use),
        cmocka_unit_test(takes_output_schemas_of_any_type),
        cmocka_unit_test(refuses_members_that_only_later_versions_have),
        cmocka_unit_test(refuses_schemas_that_cannot_be_checked),
        cmocka_unit_test(reads_which_arguments_headers_repeat),
        cmocka_unit_test(takes_a_name_once),
        cmocka_unit_test(has_room_for_64_permissions),
        cmocka_unit_test(keeps_permissions_of_what_was_removed),
        cmocka_unit_test(lets_a_removed_thing_live_while_it_is_held),
        cmocka_unit_test(removes_from_the_middle),
        cmocka_unit_test(tells_watchers_what_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
