/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/result.h"

#include "core/limits.h"
#include "lot.h"
#include "json/read.h"

/* One of each sort; tools: one that promises nothing, an object, a list. */
struct desk {
    valet_mcp_server *server;
    struct vl_mcp_item *tool, *promising, *listing, *resource, *tmpl, *prompt;
    struct vl_buf text;
};

static struct vl_mcp_item *
add_tool(valet_mcp_server *server, const char *name, const char *schema)
{
    valet_mcp_tool tool = good_tool;
    tool.name = name;
    tool.output_schema = schema;
    assert_ok(valet_mcp_add_tool(server, &tool, NULL));
    return find(server, VL_MCP_TOOLS, name);
}

static int
open_desk(void **state)
{
    struct desk *desk = vl_alloc(sizeof *desk);
    valet_mcp_server *server = desk->server = new_server();
    desk->tool = add_tool(server, "free", NULL);
    desk->promising = add_tool(server, "promising",
                               "{\"type\":\"object\",\"required\":[\"a\"]}");
    desk->listing = add_tool(server, "listing", "{\"type\":\"array\"}");
    assert_ok(valet_mcp_add_resource(server, &good_resource, NULL));
    assert_ok(valet_mcp_add_template(server, &good_template, NULL));
    assert_ok(valet_mcp_add_prompt(server, &good_prompt, NULL));
    desk->resource = find(server, VL_MCP_RESOURCES, good_resource.uri);
    desk->tmpl = find(server, VL_MCP_TEMPLATES, good_template.uri_template);
    desk->prompt = find(server, VL_MCP_PROMPTS, good_prompt.name);
    desk->text = vl_buf_of(10000);
    *state = desk;
    return 0;
}

static int
close_desk(void **state)
{
    struct desk *desk = *state;
    vl_buf_done(&desk->text);
    valet_mcp_server_free(desk->server);
    free(desk);
    return 0;
}

/* What is wrong with it, or NULL; the whole object is in desk->text, and is
 * JSON on one line. */
static const char *
write(struct desk *desk, struct vl_mcp_result_form form,
      valet_mcp_result result)
{
    vl_buf_clear(&desk->text);
    struct vl_json_out out = {&desk->text, false};
    vl_json_open(&out, '{');
    const char *trouble = vl_mcp_result_write(&out, &form, &result);
    vl_json_close(&out, '}');
    if (!trouble) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(vl_buf_str(&desk->text), VL_LIMIT_JSON_DEPTH,
                                &doc, NULL));
        assert_false(vl_str_has(vl_buf_str(&desk->text), '\n'));
        assert_false(vl_str_has(vl_buf_str(&desk->text), '\r'));
    }
    return trouble;
}

#define assert_writes(desk, item_, version_, expected, ...)                    \
    do {                                                                       \
        assert_null(write(desk,                                                \
                          (struct vl_mcp_result_form){.item = (desk)->item_,   \
                                                      .uri = "note://7/text",  \
                                                      .version = version_},    \
                          (valet_mcp_result){__VA_ARGS__}));                   \
        assert_string_equal(vl_buf_cstr(&(desk)->text), expected);             \
    } while (0)

#define assert_fails(desk, item_, version_, expected, ...)                     \
    assert_string_equal(write(desk,                                            \
                              (struct vl_mcp_result_form){                     \
                                  .item = (desk)->item_, .version = version_}, \
                              (valet_mcp_result){__VA_ARGS__}),                \
                        expected)

#define LIST(...)                                                              \
    .content = (const valet_mcp_content[]){__VA_ARGS__},                       \
    .content_count = sizeof((const valet_mcp_content[]){__VA_ARGS__}) /        \
                     sizeof(valet_mcp_content)
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define SAYS(text) "\"content\":[" TEXT(text) "]"

/* --- tools --- */

static void
says_a_text_in_every_revision(void **state)
{
    struct desk *desk = *state;
    for (unsigned v = 0; v < VL_MCP_2026_07_28; v++)
        assert_writes(desk, tool, (enum vl_mcp_version)v,
                      "{" SAYS("a\\\"b") ",\"isError\":false}", .text = "a\"b");
    /* @spec HT-56 */
    assert_writes(
        desk, tool, VL_MCP_2026_07_28,
        "{\"resultType\":\"complete\"," SAYS("a") ",\"isError\":false}",
        .text = "a");
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{\"content\":[],\"isError\":false}", .text = NULL);
    assert_writes(desk, promising, VL_MCP_2025_11_25,
                  "{" SAYS("no") ",\"isError\":true}", .text = "no",
                  .is_error = true);
    assert_writes(desk, promising, VL_MCP_2025_11_25,
                  "{" SAYS("no") ",\"isError\":true}", .text = "no",
                  .login_required = true);
}

static void
says_the_text_before_the_contents(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{\"content\":[" TEXT("a") "," TEXT("b") "," TEXT(
                      "") "],\"isError\":false}",
                  .text = "a", LIST({.text = "b"}, {.text = NULL}));
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{" SAYS("b") ",\"isError\":false}", LIST({.text = "b"}));
}

static void
says_every_kind_of_content(void **state)
{
    struct desk *desk = *state;
    assert_writes(
        desk, tool, VL_MCP_2025_06_18,
        "{\"content\":[{\"type\":\"image\",\"data\":\"/wA=\","
        "\"mimeType\":\"image/png\"},"
        "{\"type\":\"audio\",\"data\":\"\",\"mimeType\":"
        "\"application/octet-stream\"},"
        "{\"type\":\"resource\",\"resource\":{\"uri\":\"n:1\","
        "\"mimeType\":\"text/plain\",\"text\":\"t\"}},"
        "{\"type\":\"resource\",\"resource\":{\"uri\":\"n:2\","
        "\"blob\":\"AAEC\"}},"
        "{\"type\":\"resource_link\",\"uri\":\"n:3\",\"name\":\"three\","
        "\"mimeType\":\"a/b\"},"
        "{\"type\":\"resource_link\",\"uri\":\"n:4\",\"name\":\"n:4\"}],"
        "\"isError\":false}",
        LIST({.kind = VALET_MCP_IMAGE,
              .data = "\xff\0",
              .size = 2,
              .mime_type = "image/png"},
             {.kind = VALET_MCP_AUDIO},
             {.kind = VALET_MCP_EMBEDDED,
              .uri = "n:1",
              .text = "t",
              .mime_type = "text/plain"},
             {.kind = VALET_MCP_EMBEDDED,
              .uri = "n:2",
              .text = "not this",
              .data = "\0\1\2",
              .size = 3},
             {.kind = VALET_MCP_LINK,
              .uri = "n:3",
              .name = "three",
              .mime_type = "a/b"},
             {.kind = VALET_MCP_LINK, .uri = "n:4"}));
}

/* @spec HT-39 */
static void
says_what_older_revisions_do_not_know_as_text(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tool, VL_MCP_2025_03_26,
                  "{\"content\":[{\"type\":\"audio\",\"data\":\"AA==\","
                  "\"mimeType\":\"audio/wav\"}," TEXT(
                      "See the resource n:3") "],\"isError\":false}",
                  LIST({.kind = VALET_MCP_AUDIO,
                        .data = "",
                        .size = 1,
                        .mime_type = "audio/wav"},
                       {.kind = VALET_MCP_LINK, .uri = "n:3"}));
    assert_writes(
        desk, tool, VL_MCP_2024_11_05,
        "{\"content\":[" TEXT(
            "A sound was left out here: audio/wav") "],\"isError\":false}",
        LIST({.kind = VALET_MCP_AUDIO,
              .data = "",
              .size = 1,
              .mime_type = "audio/wav"}));
}

static void
names_what_is_wrong_with_a_content(void **state)
{
    struct desk *desk = *state;
    assert_fails(desk, tool, VL_MCP_2025_11_25, "A link has no URI",
                 LIST({.kind = VALET_MCP_LINK}, {.text = "x"}));
    assert_fails(desk, tool, VL_MCP_2024_11_05, "A link has no URI",
                 LIST({.kind = VALET_MCP_LINK}));
    assert_fails(desk, tool, VL_MCP_2025_11_25,
                 "An embedded resource has no URI",
                 LIST({.kind = VALET_MCP_EMBEDDED, .text = "x"}));
    assert_fails(desk, tool, VL_MCP_2025_11_25, "A content is of no known kind",
                 LIST({.kind = (enum valet_mcp_kind)9}));
    assert_fails(desk, prompt, VL_MCP_2025_11_25, "A link has no URI",
                 LIST({.kind = VALET_MCP_LINK}));
}

/* Whatever bytes a handler gives, the answer stays JSON (write() parses). */
static void
never_breaks_the_frame(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{" SAYS("a\xEF\xBF\xBDz\\n") ",\"isError\":false}",
                  .text = "a\xffz\n");
    assert_writes(
        desk, tool, VL_MCP_2024_11_05,
        "{" SAYS("See the resource \xEF\xBF\xBD\\\"}") ",\"isError\":false}",
        LIST({.kind = VALET_MCP_LINK, .uri = "\xc3\"}"}));
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{\"content\":[{\"type\":\"image\",\"data\":\"\","
                  "\"mimeType\":\"\\\",\\\"x\\\":\\\"\"}],\"isError\":false}",
                  LIST({.kind = VALET_MCP_IMAGE, .mime_type = "\",\"x\":\""}));
    static const char *const broken[] = {
        "{\"a\":1},1", "{\"a\"", "", "{\"a\":\"\xff\"}", "{\"a\":1,\"a\":2}"};
    for (unsigned v = 0; v < VL_MCP_VERSION_COUNT; v++)
        for (size_t i = 0; i < VL_COUNT(broken); i++)
            assert_fails(desk, tool, (enum vl_mcp_version)v,
                         "The tool's structured result is no JSON", .text = "x",
                         .structured = broken[i]);
    char deep[2 * VL_LIMIT_JSON_DEPTH + 3] = "";
    memset(deep, '[', VL_LIMIT_JSON_DEPTH + 1);
    memset(deep + VL_LIMIT_JSON_DEPTH + 1, ']', VL_LIMIT_JSON_DEPTH + 1);
    assert_fails(desk, tool, VL_MCP_2026_07_28,
                 "The tool's structured result is no JSON", .text = "x",
                 .structured = deep);
}

static void
writes_structured_results_as_they_were(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tool, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":[1, 2]},"
                                "\"isError\":false}",
                  .text = "x", .structured = "{\"a\":[1, 2]}");
    /* On one line, whatever it was. */
    assert_writes(desk, tool, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":1},"
                                "\"isError\":false}",
                  .text = "x", .structured = "{\n\n\"a\"\n:\r1}");
    assert_writes(desk, tool, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":1},"
                                "\"isError\":false}",
                  .text = "x", .structured = "{\"a\":\n1}");
    assert_writes(desk, tool, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":1},"
                                "\"isError\":false}",
                  .text = "x", .structured = "{\"a\":\r1}");
    /* What the scanner does not look at. */
    assert_writes(desk, tool, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":0.5,"
                                "\"b\":\"\xC3\xA4\"},\"isError\":false}",
                  .text = "x", .structured = "{\"a\":0.5,\"b\":\"\\u00e4\"}");
}

/* Who knows no structured results reads it as text. */
static void
says_a_structured_result_alone_as_text_too(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tool, VL_MCP_2026_07_28,
                  "{\"resultType\":\"complete\"," SAYS(
                      "{\\\"a\\\":1}") ",\"structuredContent\":{\"a\":1},"
                                       "\"isError\":false}",
                  .structured = "{\"a\":1}");
    assert_writes(desk, tool, VL_MCP_2025_03_26,
                  "{" SAYS("{\\\"a\\\":1}") ",\"isError\":false}",
                  .structured = "{\"a\":1}");
    assert_writes(desk, tool, VL_MCP_2025_11_25,
                  "{" SAYS("b") ",\"structuredContent\":{},"
                                "\"isError\":false}",
                  .structured = "{}", LIST({.text = "b"}));
}

/* @spec HT-39 */
static void
leaves_out_structures_that_a_revision_does_not_know(void **state)
{
    struct desk *desk = *state;
    static const char *const values[] = {"[1]", "1", "\"a\"", "null", "true"};
    assert_writes(desk, tool, VL_MCP_2025_03_26,
                  "{" SAYS("x") ",\"isError\":false}", .text = "x",
                  .structured = "{}");
    for (size_t i = 0; i < VL_COUNT(values); i++) {
        assert_writes(desk, tool, VL_MCP_2025_11_25,
                      "{" SAYS("x") ",\"isError\":false}", .text = "x",
                      .structured = values[i]);
        vl_auto(vl_buf) expected = vl_buf_of(1000);
        vl_buf_addf(&expected,
                    "{\"resultType\":\"complete\"," SAYS(
                        "x") ",\"structuredContent\":%s,\"isError\":false}",
                    values[i]);
        assert_writes(desk, tool, VL_MCP_2026_07_28, vl_buf_cstr(&expected),
                      .text = "x", .structured = values[i]);
    }
    /* Nor what is said not to be an object. */
    assert_writes(desk, listing, VL_MCP_2025_11_25,
                  "{" SAYS("x") ",\"isError\":true}", .text = "x",
                  .structured = "{}", .is_error = true);
    assert_writes(desk, listing, VL_MCP_2026_07_28,
                  "{\"resultType\":\"complete\"," SAYS(
                      "[]") ",\"structuredContent\":[],\"isError\":false}",
                  .structured = "[]");
}

static void
keeps_what_an_output_schema_promises(void **state)
{
    struct desk *desk = *state;
    for (unsigned v = 0; v < VL_MCP_VERSION_COUNT; v++) {
        enum vl_mcp_version version = (enum vl_mcp_version)v;
        assert_fails(desk, promising, version,
                     "The tool's result is not what its output schema promises",
                     .text = "x", .structured = "{\"b\":1}");
        assert_fails(desk, promising, version,
                     "The tool's result lacks what its output schema promises",
                     .text = "x");
        assert_null(write(desk,
                          (struct vl_mcp_result_form){.item = desk->promising,
                                                      .version = version},
                          (valet_mcp_result){.text = "x",
                                             .structured = "{\"b\":1}",
                                             .is_error = true}));
    }
    assert_writes(desk, promising, VL_MCP_2025_06_18,
                  "{" SAYS("x") ",\"structuredContent\":{\"a\":1},"
                                "\"isError\":false}",
                  .text = "x", .structured = "{\"a\" : 1}");
}

static void
says_when_a_result_is_too_long(void **state)
{
    struct desk *desk = *state;
    char text[10001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_fails(desk, tool, VL_MCP_2025_11_25, "The result is too long",
                 .text = text);
    assert_fails(
        desk, tool, VL_MCP_2025_11_25, "The result is too long",
        LIST({.kind = VALET_MCP_IMAGE, .data = text, .size = sizeof text}));
}

/* --- resources --- */

static void
reads_a_resource(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, tmpl, VL_MCP_2025_11_25,
                  "{\"contents\":[{\"uri\":\"note://7/text\",\"mimeType\":"
                  "\"text/markdown\",\"text\":\"a\"}]}",
                  .text = "a");
    assert_writes(
        desk, resource, VL_MCP_2024_11_05,
        "{\"contents\":[{\"uri\":\"note://7/text\",\"mimeType\":"
        "\"text/plain\",\"text\":\"a\"},"
        "{\"uri\":\"note://7/text\",\"mimeType\":\"a/b\",\"blob\":\"AA==\"},"
        "{\"uri\":\"n:1\",\"text\":\"\"}]}",
        .text = "a",
        LIST({.kind = VALET_MCP_EMBEDDED,
              .data = "",
              .size = 1,
              .mime_type = "a/b"},
             {.kind = VALET_MCP_EMBEDDED, .uri = "n:1"}));
    assert_fails(desk, resource, VL_MCP_2025_11_25,
                 "What is in a resource is no text and not embedded",
                 LIST({.kind = VALET_MCP_IMAGE}));
}

/* @spec HT-71 RS-26 */
static void
says_for_how_long_and_for_whom_a_resource_is(void **state)
{
    struct desk *desk = *state;
#define CONTENTS "{\"resultType\":\"complete\",\"contents\":[],"
    assert_writes(desk, resource, VL_MCP_2026_07_28,
                  CONTENTS "\"ttlMs\":0,\"cacheScope\":\"private\"}",
                  .ttl_ms = -5);
    assert_writes(desk, resource, VL_MCP_2026_07_28,
                  CONTENTS "\"ttlMs\":7,\"cacheScope\":\"public\"}",
                  .ttl_ms = 7, .is_public = true);
    assert_writes(desk, resource, VL_MCP_2025_11_25, "{\"contents\":[]}",
                  .ttl_ms = 7, .is_public = true);
    valet_mcp_resource guarded = good_resource;
    guarded.uri = "note://guarded";
    guarded.permission = "notes.read";
    assert_ok(valet_mcp_add_resource(desk->server, &guarded, NULL));
    desk->resource = find(desk->server, VL_MCP_RESOURCES, guarded.uri);
    assert_writes(desk, resource, VL_MCP_2026_07_28,
                  CONTENTS "\"ttlMs\":7,\"cacheScope\":\"private\"}",
                  .ttl_ms = 7, .is_public = true);
}

/* --- prompts and completions --- */

static void
gets_a_prompt(void **state)
{
    struct desk *desk = *state;
    assert_writes(desk, prompt, VL_MCP_2025_11_25,
                  "{\"description\":\"Greets.\",\"messages\":[{\"role\":"
                  "\"user\",\"content\":" TEXT("a") "}]}",
                  .text = "a");
    assert_writes(
        desk, prompt, VL_MCP_2026_07_28,
        "{\"resultType\":\"complete\",\"description\":\"d\",\"messages\":["
        "{\"role\":\"assistant\",\"content\":" TEXT(
            "a") "},"
                 "{\"role\":\"user\",\"content\":{\"type\":\"image\",\"data\":"
                 "\"\","
                 "\"mimeType\":\"image/png\"}}]}",
        .description = "d",
        LIST({.text = "a", .role = VALET_MCP_ASSISTANT},
             {.kind = VALET_MCP_IMAGE, .mime_type = "image/png"}));
}

static void
assert_completes(enum vl_mcp_version version, size_t count, size_t total,
                 const char *begin, const char *end)
{
    static const char *const one = "a";
    const char *values[101];
    for (size_t i = 0; i < VL_COUNT(values); i++)
        values[i] = one;
    vl_auto(vl_buf) text = vl_buf_of(10000);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_mcp_result_write_completion(&out, version, values, count, total);
    vl_json_close(&out, '}');
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_buf_str(&text), 9, &doc, NULL));
    assert_true(vl_str_starts(vl_buf_str(&text), vl_str_z(begin)));
    assert_true(vl_str_ends(vl_buf_str(&text), vl_str_z(end)));
    assert_int_equal(vl_json_size(vl_json_get(
                         vl_json_get(doc.root, "completion"), "values")),
                     count < 100 ? count : 100);
}

static void
completes_with_a_hundred_values_at_most(void **state)
{
    (void)state;
    const char *old = "{\"completion\":{\"values\":[";
    assert_completes(VL_MCP_2024_11_05, 0, 0, old, "[],\"hasMore\":false}}");
    assert_completes(VL_MCP_2025_11_25, 2, 0, old,
                     "[\"a\",\"a\"],\"hasMore\":false}}");
    assert_completes(VL_MCP_2025_11_25, 2, 3, old,
                     "],\"total\":3,\"hasMore\":true}}");
    assert_completes(VL_MCP_2025_11_25, 2, 1, old,
                     "],\"total\":2,\"hasMore\":false}}");
    assert_completes(VL_MCP_2025_11_25, 100, 100, old,
                     "],\"total\":100,\"hasMore\":false}}");
    assert_completes(VL_MCP_2025_11_25, 101, 0, old, "],\"hasMore\":true}}");
    assert_completes(VL_MCP_2026_07_28, 1, 0,
                     "{\"resultType\":\"complete\",\"completion\":{",
                     "\"hasMore\":false}}");
}

#define DESK_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(says_a_text_in_every_revision),
        DESK_TEST(says_the_text_before_the_contents),
        DESK_TEST(says_every_kind_of_content),
        DESK_TEST(says_what_older_revisions_do_not_know_as_text),
        DESK_TEST(names_what_is_wrong_with_a_content),
        DESK_TEST(never_breaks_the_frame),
        DESK_TEST(writes_structured_results_as_they_were),
        DESK_TEST(says_a_structured_result_alone_as_text_too),
        DESK_TEST(leaves_out_structures_that_a_revision_does_not_know),
        DESK_TEST(keeps_what_an_output_schema_promises),
        DESK_TEST(says_when_a_result_is_too_long),
        DESK_TEST(reads_a_resource),
        DESK_TEST(says_for_how_long_and_for_whom_a_resource_is),
        DESK_TEST(gets_a_prompt),
        cmocka_unit_test(completes_with_a_hundred_values_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
