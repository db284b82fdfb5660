/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/rpc.h"

#include "core/limits.h"
#include "vl_test.h"

static valet_status
read_text(const char *text, struct vl_json *doc, struct vl_rpc_message *ret)
{
    assert_ok(vl_json_parse(vl_str_z(text), 64, doc, NULL));
    valet_error err;
    return vl_rpc_read(doc->root, ret, &err);
}

static void
tells_the_three_kinds_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum vl_rpc_kind kind;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", VL_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"m\",\"params\":{}}",
         VL_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"extra\":1}",
         VL_RPC_NOTIFICATION},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", VL_RPC_RESPONSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-1,"
         "\"message\":\"no\"}}",
         VL_RPC_RESPONSE},
        {"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"no\"}}",
         VL_RPC_RESPONSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,"
         "\"message\":\"no\"}}",
         VL_RPC_RESPONSE},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_json) doc = {NULL};
        struct vl_rpc_message message;
        assert_ok(read_text(cases[i].text, &doc, &message));
        assert_int_equal(message.kind, cases[i].kind);
    }
}

/* @spec HT-05 */
static void
refuses_what_is_none_of_them(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "1",
        "null",
        "\"x\"",
        "[]",
        "{}",
        "{\"id\":1,\"method\":\"m\"}",
        "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,"
        "\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,"
        "\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_json) doc = {NULL};
        struct vl_rpc_message message;
        assert_int_equal(read_text(cases[i], &doc, &message), VALET_INVALID);
    }
}

static void
refuses_an_id_without_end(void **state)
{
    (void)state;
    char text[VL_RPC_ID_MAX + 64];
    for (int more = 0; more < 2; more++) {
        (void)snprintf(text, sizeof text,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"%0*d\"}",
                       VL_RPC_ID_MAX + more, 0);
        vl_auto(vl_json) doc = {NULL};
        struct vl_rpc_message message;
        assert_int_equal(read_text(text, &doc, &message),
                         more ? VALET_INVALID : VALET_OK);
    }
}

/* D24: "1" is not 1. */
static void
writes_an_id_exactly_as_it_came(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "0",
        "1",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"1\"",
        "\"9007199254740993\"",
        "\"a\\nb\\\"\\\\\"",
        "\"\xc3\xa4\xf0\x9f\x98\x80\"",
        "\"</script>\"",
    };
    for (size_t i = 0; i < VL_COUNT(ids); i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":%s}",
                       ids[i]);
        vl_auto(vl_json) doc = {NULL};
        struct vl_rpc_message message;
        assert_ok(read_text(text, &doc, &message));
        vl_auto(vl_buf) buf = vl_buf_of(4096);
        vl_rpc_write_error(&buf, message.id, VL_RPC_NO_METHOD, "no");
        char wanted[256];
        (void)snprintf(wanted, sizeof wanted,
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":"
                       "-32601,\"message\":\"no\"}}",
                       ids[i]);
        assert_str(vl_buf_str(&buf), wanted);
    }
}

static void
finds_the_id_of_a_broken_message_or_says_null(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(VL_STR("{\"id\":\"x\"}"), 9, &doc, NULL));
    assert_str(vl_json_str(vl_rpc_find_id(doc.root).value), "x");
    vl_auto(vl_json) odd = {NULL};
    assert_ok(vl_json_parse(VL_STR("{\"id\":1.5}"), 9, &odd, NULL));
    assert_null(vl_rpc_find_id(odd.root).value);
    assert_null(vl_rpc_find_id(NULL).value);
    vl_auto(vl_buf) buf = vl_buf_of(4096);
    vl_rpc_write_error(&buf, VL_RPC_NULL_ID, VL_RPC_PARSE_ERROR, "Parse error");
    assert_str(vl_buf_str(&buf), "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{"
                                 "\"code\":-32700,\"message\":\"Parse "
                                 "error\"}}");
}

/* The short way reads what the long way reads. */
static void
scans_plain_calls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *id, *params;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", "1", ""},
        {" { \"method\" : \"m\" , \"id\" : \"\xc3\xa4\" , \"jsonrpc\" : "
         "\"2.0\" "
         "} ",
         "\"\xc3\xa4\"", ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":-9,\"method\":\"m\",\"params\":{\"a\":"
         "\"}\\\"]\"}}",
         "-9", "{\"a\":\"}\\\"]\"}"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[],\"more\":null}",
         "null", "[]"},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"m\",\"more\":{\"a\":[]}}",
         "2", ""},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_rpc_message message;
        static struct vl_rpc_body body;
        assert_true(vl_rpc_scan(vl_str_z(cases[i].text), &body, &message));
        assert_int_equal(message.kind, strcmp(cases[i].id, "null")
                                           ? VL_RPC_REQUEST
                                           : VL_RPC_NOTIFICATION);
        assert_str(message.method, "m");
        assert_null(message.params.value);
        assert_str(message.params.node ? message.params.node->text : VL_STR(""),
                   cases[i].params);
        vl_auto(vl_buf) id = vl_buf_of(100);
        vl_rpc_write_id(&id, message.id);
        assert_str(vl_buf_str(&id), cases[i].id);
    }
}

static void
leaves_what_is_not_plain_to_the_parser(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "1",
        "[]",
        "{}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"error\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{x}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{]}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"more\":{x}}",
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":1,"
         "\"a\":1}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        static struct vl_rpc_body body;
        struct vl_rpc_message message;
        assert_false(vl_rpc_scan(vl_str_z(cases[i]), &body, &message));
    }
}

/* @spec W-04: the short way is no way around the limit. */
static void
scans_no_deeper_than_the_parser(void **state)
{
    (void)state;
    for (int depth = VL_LIMIT_JSON_DEPTH - 1; depth <= VL_LIMIT_JSON_DEPTH;
         depth++) {
        vl_auto(vl_buf) text = vl_buf_of(1000);
        vl_buf_addz(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\","
                           "\"params\":");
        for (int i = 0; i < depth; i++)
            vl_buf_addc(&text, '[');
        for (int i = 0; i < depth; i++)
            vl_buf_addc(&text, ']');
        vl_buf_addc(&text, '}');
        vl_auto(vl_json) whole = {NULL};
        struct vl_rpc_message message;
        bool fits = depth < VL_LIMIT_JSON_DEPTH;
        assert_int_equal(vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH,
                                       &whole, NULL) == VALET_OK,
                         fits);
        static struct vl_rpc_body body;
        assert_int_equal(vl_rpc_scan(vl_buf_str(&text), &body, &message), fits);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_three_kinds_apart),
        cmocka_unit_test(refuses_what_is_none_of_them),
        cmocka_unit_test(refuses_an_id_without_end),
        cmocka_unit_test(writes_an_id_exactly_as_it_came),
        cmocka_unit_test(scans_plain_calls),
        cmocka_unit_test(leaves_what_is_not_plain_to_the_parser),
        cmocka_unit_test(scans_no_deeper_than_the_parser),
        cmocka_unit_test(finds_the_id_of_a_broken_message_or_says_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
