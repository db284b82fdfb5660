/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client writes into headers, held against what a server wants to read
 * there.
 */
#include "mcp/mirror.h"
#include "vl_test.h"

struct sent {
    struct vl_headers headers;
    struct vl_buf texts[VL_MCP_MIRROR_MAX];
};

static void
add(struct vl_str name, struct vl_str value, void *ctx)
{
    struct sent *sent = ctx;
    struct vl_buf *text = &sent->texts[sent->headers.count];
    *text = vl_buf_of(65536);
    vl_buf_add(text, value);
    assert_true(vl_headers_add(&sent->headers, name, vl_buf_str(text)));
}

/* The value of the one header, "-" for none; and servers take it. */
static void
writes(const char *type, const char *arguments, const char *expected)
{
    vl_auto(vl_json) schema = {NULL}, doc = {NULL};
    vl_auto(vl_buf) text = vl_buf_of(4096);
    struct sent sent = {.headers = {.count = 0}};
    struct vl_mcp_mirror *mirror = NULL;
    vl_buf_addf(&text,
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"%s\","
                "\"x-mcp-header\":\"A\"}}}",
                type);
    assert_ok(vl_json_parse(vl_buf_str(&text), 60, &schema, NULL));
    assert_ok(vl_json_parse(vl_str_z(arguments), 60, &doc, NULL));
    assert_ok(vl_mcp_mirror_new(schema.root, &mirror, NULL));
    vl_mcp_mirror_write(mirror, doc.root, add, &sent);
    struct vl_str value = vl_headers_get(&sent.headers, "Mcp-Param-A");
    if (!vl_str_eqz(value.p ? value : VL_STR("-"), expected))
        fail_msg("%s: " VL_STR_FMT, arguments, VL_STR_ARG(value));
    const char *why = vl_mcp_mirror_check(mirror, &sent.headers, doc.root);
    if (why)
        fail_msg("%s: %s", arguments, why);
    for (size_t i = 0; i < sent.headers.count; i++)
        vl_buf_done(&sent.texts[i]);
    vl_mcp_mirror_free(mirror);
}

/* @spec HT-79 HT-83 */
static void
a_string_is_sent_as_it_is_or_encoded(void **state)
{
    (void)state;
    writes("string", "{\"a\":\"us west 1\"}", "us west 1");
    writes("string", "{\"a\":\"\"}", "");
    writes("string", "{\"a\":\" padded \"}", "=?base64?IHBhZGRlZCA=?=");
    writes("string", "{\"a\":\"line1\\nline2\"}",
           "=?base64?bGluZTEKbGluZTI=?=");
    writes("string", "{\"a\":\"\\tx\"}", "=?base64?CXg=?=");
    writes("string", "{\"a\":\"a\\tb\"}", "=?base64?YQli?=");
    writes("string", "{\"a\":\"ÿ\"}", "=?base64?w78=?=");
    writes("string", "{\"a\":\"a\\u007f\"}", "=?base64?YX8=?=");
    writes("string", "{\"a\":\"=?base64?literal?=\"}",
           "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
}

/* @spec HT-82 */
static void
numbers_are_decimal_and_null_is_not_sent(void **state)
{
    (void)state;
    writes("integer", "{\"a\":42}", "42");
    writes("integer", "{\"a\":-9007199254740991}", "-9007199254740991");
    writes("integer", "{\"a\":4.2e1}", "42");
    writes("boolean", "{\"a\":true}", "true");
    writes("boolean", "{\"a\":false}", "false");
    writes("boolean", "{\"a\":null}", "-");
    writes("string", "{}", "-");
    writes("string", "{\"a\":[1]}", "-");
    writes("integer", "{\"a\":1.5}", "-");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_is_sent_as_it_is_or_encoded),
        cmocka_unit_test(numbers_are_decimal_and_null_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
