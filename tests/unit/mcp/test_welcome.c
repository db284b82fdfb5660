/* SPDX-License-Identifier: Apache-2.0 */
#include "lot.h"
#include "mcp/result.h"

static void
assert_welcomes(const valet_mcp_server *server, enum vl_mcp_version version,
                const char *expected)
{
    vl_auto(vl_buf) text = vl_buf_of(10000);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_mcp_result_write_welcome(&out, server, version);
    vl_json_close(&out, '}');
    assert_string_equal(vl_buf_cstr(&text), expected);
}

#define INFO "{\"name\":\"test\",\"version\":\"1.0\"}"

static void
welcomes_with_nothing_to_offer(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    for (unsigned v = 0; v <= VL_MCP_LAST_LEGACY; v++)
        assert_welcomes(
            server, (enum vl_mcp_version)v,
            "{\"capabilities\":{\"logging\":{}},\"serverInfo\":" INFO "}");
    valet_mcp_server_free(server);
}

/* @spec HT-55 HT-56 HT-71 */
static void
describes_itself_from_2026_on(void **state)
{
    (void)state;
    valet_mcp_server *server = NULL;
    assert_ok(valet_mcp_server_new("test", "1.0", "Be kind.", &server, NULL));
    assert_welcomes(server, VL_MCP_2025_11_25,
                    "{\"capabilities\":{\"logging\":{}},\"serverInfo\":" INFO
                    ",\"instructions\":\"Be kind.\"}");
    valet_mcp_set_list_ttl(server, -1);
    assert_welcomes(
        server, VL_MCP_2026_07_28,
        "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
        "\"capabilities\":{\"logging\":{}},\"instructions\":\"Be kind.\","
        "\"ttlMs\":0,\"cacheScope\":\"public\","
        "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" INFO "}}");
    valet_mcp_server_free(server);
}

#define ALL                                                                    \
    "\"tools\":{\"listChanged\":true},\"resources\":{\"subscribe\":true,"      \
    "\"listChanged\":true},\"prompts\":{\"listChanged\":true}"

static void
says_what_sorts_of_things_there_are(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    assert_ok(valet_mcp_add_tool(server, &good_tool, NULL));
    /* What was there once may come again. */
    assert_true(valet_mcp_remove_tool(server, good_tool.name));
    assert_welcomes(server, VL_MCP_2025_11_25,
                    "{\"capabilities\":{\"logging\":{},\"tools\":{"
                    "\"listChanged\":true}},\"serverInfo\":" INFO "}");
    assert_ok(valet_mcp_add_template(server, &good_template, NULL));
    assert_ok(valet_mcp_add_prompt(server, &good_prompt, NULL));
    assert_welcomes(server, VL_MCP_2025_11_25,
                    "{\"capabilities\":{\"logging\":{}," ALL
                    "},\"serverInfo\":" INFO "}");
    valet_mcp_server_free(server);
}

static void
says_that_it_completes_and_has_tasks(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_template tmpl = good_template;
    valet_mcp_prompt prompt = good_prompt;
    valet_mcp_tool tool = good_tool;
    tmpl.complete = prompt.complete = do_nothing;
    tool.flags = VALET_MCP_ONLY_AS_TASK;
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    assert_ok(valet_mcp_add_prompt(server, &prompt, NULL));
    assert_ok(valet_mcp_add_template(server, &tmpl, NULL));
    assert_welcomes(server, VL_MCP_2024_11_05,
                    "{\"capabilities\":{\"logging\":{}," ALL
                    "},\"serverInfo\":" INFO "}");
    assert_welcomes(server, VL_MCP_2025_03_26,
                    "{\"capabilities\":{\"logging\":{},\"completions\":{}," ALL
                    "},\"serverInfo\":" INFO "}");
    assert_welcomes(
        server, VL_MCP_2026_07_28,
        "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
        "\"capabilities\":{\"logging\":{},\"completions\":{}," ALL
        ",\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}},"
        "\"ttlMs\":60000,\"cacheScope\":\"public\","
        "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" INFO "}}");
    /* Either sort is enough. */
    assert_true(valet_mcp_remove_prompt(server, prompt.name));
    assert_welcomes(server, VL_MCP_2025_03_26,
                    "{\"capabilities\":{\"logging\":{},\"completions\":{}," ALL
                    "},\"serverInfo\":" INFO "}");
    valet_mcp_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(welcomes_with_nothing_to_offer),
        cmocka_unit_test(describes_itself_from_2026_on),
        cmocka_unit_test(says_what_sorts_of_things_there_are),
        cmocka_unit_test(says_that_it_completes_and_has_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
