/* SPDX-License-Identifier: Apache-2.0
 *
 * What resources, templates and prompts have to be.
 */
#include "lot.h"

static void
refuses_uris_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        NULL,    "",       "one",        ":one", "1a:b",
        "a b:c", "n:a b",  "n:\xc3\xa4", "n:%",  "n:%4",
        "n:%4x", "n:{id}", "n:a\"b",     "n:\n", "//host/path"};
    static const char *const right[] = {"n:", "N+1.2-3:a", "note://a/%C3%a4",
                                        "urn:x:y?z#f"};
    valet_mcp_server *server = new_server();
    valet_mcp_resource resource = good_resource;
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        resource.uri = wrong[i];
        assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                         VALET_INVALID);
    }
    for (size_t i = 0; i < VL_COUNT(right); i++) {
        resource.uri = right[i];
        assert_ok(valet_mcp_add_resource(server, &resource, NULL));
    }
    char uri[VL_MCP_URI_MAX + 2] = "n:";
    memset(uri + 2, 'a', VL_MCP_URI_MAX - 1);
    resource.uri = uri;
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    uri[VL_MCP_URI_MAX] = '\0';
    assert_ok(valet_mcp_add_resource(server, &resource, NULL));
    valet_mcp_server_free(server);
}

static void
refuses_resources_that_clients_could_not_use(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_resource resource = good_resource;
    resource.name = NULL;
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    resource = good_resource;
    resource.size = -1;
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    resource = good_resource;
    resource.read = NULL;
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    resource = good_resource;
    resource.mime_type = "\xff";
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    /* Tasks are for tools. */
    resource = good_resource;
    resource.flags = VALET_MCP_AS_TASK;
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_INVALID);
    resource.flags = VALET_MCP_ON_THREAD;
    assert_ok(valet_mcp_add_resource(server, &resource, NULL));
    resource.name = "other";
    assert_int_equal(valet_mcp_add_resource(server, &resource, NULL),
                     VALET_CONFLICT);
    valet_mcp_server_free(server);
}

static void
refuses_templates_that_cannot_be_read_backwards(void **state)
{
    (void)state;
    static const char *const wrong[] = {NULL, "", "note://{id", "note://{+id}",
                                        "note://{a}{b}"};
    valet_mcp_server *server = new_server();
    valet_mcp_template tmpl = good_template;
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        tmpl.uri_template = wrong[i];
        assert_int_equal(valet_mcp_add_template(server, &tmpl, NULL),
                         VALET_INVALID);
    }
    tmpl = good_template;
    tmpl.read = NULL;
    assert_int_equal(valet_mcp_add_template(server, &tmpl, NULL),
                     VALET_INVALID);
    tmpl = good_template;
    tmpl.complete = do_nothing;
    assert_ok(valet_mcp_add_template(server, &tmpl, NULL));
    assert_ptr_equal(
        find(server, VL_MCP_TEMPLATES, tmpl.uri_template)->complete,
        do_nothing);
    assert_int_equal(valet_mcp_add_template(server, &tmpl, NULL),
                     VALET_CONFLICT);
    valet_mcp_server_free(server);
}

static void
finds_a_resource_before_templates_in_order(void **state)
{
    (void)state;
    valet_mcp_server *server = new_server();
    valet_mcp_template second = good_template;
    valet_mcp_resource exact = good_resource;
    second.uri_template = "note://{a}/{b}";
    exact.uri = "note://7/text";
    assert_ok(valet_mcp_add_template(server, &good_template, NULL));
    assert_ok(valet_mcp_add_template(server, &second, NULL));
    struct vl_str uri = VL_STR("note://7/text");
    assert_ptr_equal(vl_mcp_server_find_uri(server, uri),
                     find(server, VL_MCP_TEMPLATES, "note://{id}/text"));
    assert_ptr_equal(vl_mcp_server_find_uri(server, VL_STR("note://7/x")),
                     find(server, VL_MCP_TEMPLATES, "note://{a}/{b}"));
    assert_ok(valet_mcp_add_resource(server, &exact, NULL));
    assert_ptr_equal(vl_mcp_server_find_uri(server, uri),
                     find(server, VL_MCP_RESOURCES, "note://7/text"));
    assert_null(vl_mcp_server_find_uri(server, VL_STR("note://7")));
    assert_null(vl_mcp_server_find_uri(server, VL_STR("")));
    assert_true(valet_mcp_remove_resource(server, "note://7/text"));
    assert_true(valet_mcp_remove_template(server, "note://{id}/text"));
    assert_ptr_equal(vl_mcp_server_find_uri(server, uri),
                     find(server, VL_MCP_TEMPLATES, "note://{a}/{b}"));
    char big[VL_MCP_URI_MAX + 1];
    memset(big, 'a', sizeof big);
    memcpy(big, "note://a/", 9);
    assert_null(vl_mcp_server_find_uri(server, vl_str_of(big, sizeof big)));
    assert_non_null(
        vl_mcp_server_find_uri(server, vl_str_of(big, sizeof big - 1)));
    valet_mcp_server_free(server);
}

static void
refuses_prompts_that_clients_could_not_use(void **state)
{
    (void)state;
    static const valet_mcp_prompt_argument wrong[][2] = {
        {{.name = "a"}, {.name = "a"}},
        {{.name = "a"}, {.name = NULL}},
        {{.name = "a"}, {.name = "b c"}},
        {{.name = "a", .title = "\xff"}, {.name = "b"}},
        {{.name = "a"}, {.name = "b", .description = ""}},
    };
    valet_mcp_server *server = new_server();
    valet_mcp_prompt prompt = good_prompt;
    for (size_t i = 0; i < VL_COUNT(wrong); i++) {
        prompt.arguments = wrong[i];
        assert_int_equal(valet_mcp_add_prompt(server, &prompt, NULL),
                         VALET_INVALID);
    }
    prompt.arguments = NULL;
    assert_int_equal(valet_mcp_add_prompt(server, &prompt, NULL),
                     VALET_INVALID);
    prompt = good_prompt;
    prompt.get = NULL;
    assert_int_equal(valet_mcp_add_prompt(server, &prompt, NULL),
                     VALET_INVALID);
    prompt = good_prompt;
    prompt.name = "a b";
    assert_int_equal(valet_mcp_add_prompt(server, &prompt, NULL),
                     VALET_INVALID);
    assert_ok(valet_mcp_add_prompt(server, &good_prompt, NULL));
    assert_true(valet_mcp_remove_prompt(server, "greet"));
    assert_false(valet_mcp_remove_prompt(server, "greet"));
    valet_mcp_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_uris_that_are_none),
        cmocka_unit_test(refuses_resources_that_clients_could_not_use),
        cmocka_unit_test(refuses_templates_that_cannot_be_read_backwards),
        cmocka_unit_test(finds_a_resource_before_templates_in_order),
        cmocka_unit_test(refuses_prompts_that_clients_could_not_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
