/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers that repeat the body. The pairs of value and header are those of
 * SEP-2243's tables and of the transport page, and what lies next to them.
 */
#include "mcp/mirror.h"

#include "core/enc.h"
#include "vl_test.h"

#define STRING(name)   "{\"type\":\"string\",\"x-mcp-header\":\"" name "\"}"
#define OF(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"
/* What most tests call. */
#define SCHEMA                                                                 \
    OF("\"region\":" STRING(                                                   \
        "Region") ","                                                          \
                  "\"count\":{\"type\":\"integer\",\"x-mcp-header\":"          \
                  "\"Count\"},"                                                \
                  "\"flag\":{\"type\":\"boolean\",\"x-mcp-header\":\"Flag\"}," \
                  "\"plain\":{\"type\":\"number\"}")

static struct vl_mcp_mirror *
mirror_of(const char *schema)
{
    vl_auto(vl_json) doc = {NULL};
    struct vl_mcp_mirror *mirror = NULL;
    assert_ok(vl_json_parse(vl_str_z(schema), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    assert_ok(vl_mcp_mirror_new(doc.root, &mirror, NULL));
    return mirror;
}

static struct vl_headers
headers_of(const char *name, const char *value)
{
    struct vl_headers headers = {.count = 0};
    if (value)
        assert_true(vl_headers_add(&headers, vl_str_z(name), vl_str_z(value)));
    return headers;
}

/* Held against arguments (NULL: there are none) and one header (or NULL). */
static const char *
check(const char *schema, const char *arguments, const char *name,
      const char *value)
{
    static char sentence[256];
    vl_auto(vl_json) doc = {NULL};
    struct vl_mcp_mirror *mirror = mirror_of(schema);
    struct vl_headers headers = headers_of(name, value);
    assert_non_null(mirror);
    if (arguments)
        assert_ok(vl_json_parse(vl_str_z(arguments), 60, &doc, NULL));
    const char *why = vl_mcp_mirror_check(mirror, &headers, doc.root);
    if (why)
        (void)snprintf(sentence, sizeof sentence, "%s", why);
    vl_mcp_mirror_free(mirror);
    return why ? sentence : NULL;
}

struct pair {
    const char *arguments, *value;
};

static void
check_pairs(const char *name, const struct pair *pairs, size_t count, bool fit)
{
    for (size_t i = 0; i < count; i++) {
        const char *why =
            check(SCHEMA, pairs[i].arguments, name, pairs[i].value);
        if (fit != !why)
            fail_msg("%s with %s: %s", pairs[i].arguments,
                     pairs[i].value ? pairs[i].value : "no header",
                     why ? why : "taken");
    }
}

/* @spec HT-79 HT-82 HT-83 HT-84 HT-85 */
static void
takes_a_string_as_it_is_or_encoded(void **state)
{
    static const struct pair pairs[] = {
        {"{\"region\":\"us-west1\"}", "us-west1"},
        {"{\"region\":\"us-west1\"}", " \t us-west1\t "},
        {"{\"region\":\"us west 1\"}", "us west 1"},
        {"{\"region\":\"a\\tb\"}", "a\tb"},
        {"{\"region\":\"\"}", ""},
        {"{\"region\":\"\"}", "=?base64?"
                              "?="},
        {"{\"region\":\"Hello\"}", "=?base64?SGVsbG8=?="},
        {"{\"region\":\"Hello, 世界\"}", "=?base64?SGVsbG8sIOS4lueVjA==?="},
        {"{\"region\":\" padded \"}", "=?base64?IHBhZGRlZCA=?="},
        {"{\"region\":\"line1\\nline2\"}", "=?base64?bGluZTEKbGluZTI=?="},
        {"{\"region\":\"=?base64?literal?=\"}",
         "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="},
        /* Not the sentinel: an end is missing, or it is in capitals. */
        {"{\"region\":\"SGVsbG8=\"}", "SGVsbG8="},
        {"{\"region\":\"=?base64?SGVsbG8=\"}", "=?base64?SGVsbG8="},
        {"{\"region\":\"SGVsbG8=?=\"}", "SGVsbG8=?="},
        {"{\"region\":\"=?BASE64?SGVsbG8=?=\"}", "=?BASE64?SGVsbG8=?="},
        {"{\"region\":\"ÿÿÿ\"}", "=?base64?w7/Dv8O/?="},
        {"{\"region\":\"42\"}", "42"},
    };
    (void)state;
    check_pairs("Mcp-Param-Region", pairs, VL_COUNT(pairs), true);
    check_pairs("mcp-param-region", pairs, VL_COUNT(pairs), true);
    check_pairs("MCP-PARAM-REGION", pairs, VL_COUNT(pairs), true);
}

/* @spec HT-83 HT-84 HT-85 */
static void
refuses_a_string_that_is_another_or_badly_encoded(void **state)
{
    static const struct pair pairs[] = {
        {"{\"region\":\"us-west1\"}", NULL},
        {"{\"region\":\"us-west1\"}", ""},
        {"{\"region\":\"us-west1\"}", "us-west2"},
        {"{\"region\":\"us-west1\"}", "US-WEST1"},
        {"{\"region\":\"us-west1\"}", "us-west11"},
        {"{\"region\":\" padded \"}", " padded "},
        {"{\"region\":\"Hello\"}", "=?base64?SGVsbG8?="},
        {"{\"region\":\"Hello\"}", "=?base64?SGVsbG8==?="},
        {"{\"region\":\"Hello\"}", "=?base64?SGVsbG9=?="}, /* spare bits */
        {"{\"region\":\"Hello\"}", "=?base64?SGVs!!!bG8=?="},
        {"{\"region\":\"Hello\"}", "=?base64? SGVsbG8=?="},
        {"{\"region\":\"Hello\"}", "=?BASE64?SGVsbG8=?="},
        {"{\"region\":\"Hello\"}", "SGVsbG8="},
        {"{\"region\":\"ÿÿÿ\"}", "=?base64?w7_Dv8O_?="}, /* base64url */
        {"{\"region\":\"=?base64?literal?=\"}", "=?base64?literal?="},
        {"{\"region\":\"=?base64?=\"}", "=?base64?="},
        {"{\"region\":\"\"}", "=?base64?=?="},
        {"{\"region\":\"\"}", "=?base64?="}, /* the ends overlap */
        {"{\"region\":\"é\"}", "é"},         /* not ASCII */
        {"{\"region\":\"a\\u007f\"}", "a\x7f"},
        {"{\"region\":\"42\"}", "42.0"}, /* a string is no number */
    };
    (void)state;
    check_pairs("Mcp-Param-Region", pairs, VL_COUNT(pairs), false);
}

/* @spec HT-82 HT-84 */
static void
compares_integers_as_numbers(void **state)
{
    static const struct pair good[] = {
        {"{\"count\":42}", "42"},
        {"{\"count\":42}", "42.0"},
        {"{\"count\":42}", "42.000"},
        {"{\"count\":42}", "=?base64?NDI=?="},
        {"{\"count\":42.0}", "42"},
        {"{\"count\":4.2e1}", "42"},
        {"{\"count\":-7}", "-7"},
        {"{\"count\":0}", "0"},
        {"{\"count\":-0.0}", "-0.0"},
        {"{\"count\":9007199254740991}", "9007199254740991"},
        {"{\"count\":-9007199254740991}", "-9007199254740991"},
        {"{\"count\":9007199254740990}", "9007199254740990.0"},
    };
    static const struct pair bad[] = {
        {"{\"count\":42}", NULL},
        {"{\"count\":42}", ""},
        {"{\"count\":42}", "43"},
        {"{\"count\":42}", "-42"},
        {"{\"count\":42}", "42.5"},
        {"{\"count\":42}", "42."},
        {"{\"count\":42}", "+42"},
        {"{\"count\":42}", "042"},
        {"{\"count\":42}", "4.2e1"},
        {"{\"count\":42}", "0x2a"},
        {"{\"count\":42}", "42,0"},
        {"{\"count\":42}", "4 2"},
        {"{\"count\":42}", "42.0.0"},
        {"{\"count\":42}", "=?base64?IDQy?="}, /* a space in front */
        {"{\"count\":0}", "-"},
        {"{\"count\":0}", ".0"},
        {"{\"count\":0}", "00"},
        {"{\"count\":9007199254740991}", "9007199254740992"},
        {"{\"count\":9007199254740990}", "9007199254740991"},
        {"{\"count\":0}", "18446744073709551616"},
        /* Out of range, whatever is said. */
        {"{\"count\":9007199254740992}", "9007199254740992"},
        {"{\"count\":-9007199254740992}", "-9007199254740992"},
        {"{\"count\":9007199254740992}", NULL},
        {"{\"count\":9007199254740992.0}", "9007199254740991"},
        {"{\"count\":1e300}", NULL},
    };
    (void)state;
    check_pairs("Mcp-Param-Count", good, VL_COUNT(good), true);
    check_pairs("Mcp-Param-Count", bad, VL_COUNT(bad), false);
    for (size_t i = VL_COUNT(bad) - 5; i < VL_COUNT(bad); i++)
        assert_string_equal(
            check(SCHEMA, bad[i].arguments, "Mcp-Param-Count", bad[i].value),
            "Header mismatch: Mcp-Param-Count stands for a number beyond "
            "2^53 - 1");
}

/* @spec HT-82 */
static void
booleans_are_lower_case(void **state)
{
    static const struct pair good[] = {
        {"{\"flag\":true}", "true"},
        {"{\"flag\":false}", "false"},
        {"{\"flag\":true}", "=?base64?dHJ1ZQ==?="}};
    static const struct pair bad[] = {{"{\"flag\":true}", "True"},
                                      {"{\"flag\":true}", "1"},
                                      {"{\"flag\":true}", "false"},
                                      {"{\"flag\":false}", NULL},
                                      {"{\"flag\":false}", "FALSE"}};
    (void)state;
    check_pairs("Mcp-Param-Flag", good, VL_COUNT(good), true);
    check_pairs("Mcp-Param-Flag", bad, VL_COUNT(bad), false);
}

/* @spec HT-82 HT-84: what has no value in the body has no header */
static void
no_value_has_no_header(void **state)
{
    static const char *const none[] = {NULL,
                                       "{}",
                                       "{\"region\":null}",
                                       "{\"region\":{}}",
                                       "{\"region\":[\"a\"]}",
                                       "{\"region\":1.5}"};
    (void)state;
    for (size_t i = 0; i < VL_COUNT(none); i++) {
        assert_null(check(SCHEMA, none[i], "Mcp-Param-Region", NULL));
        assert_non_null(check(SCHEMA, none[i], "Mcp-Param-Region", ""));
        assert_non_null(check(SCHEMA, none[i], "Mcp-Param-Region", "null"));
        assert_non_null(check(SCHEMA, none[i], "Mcp-Param-Region", "eu"));
    }
}

/* What the schema says about it is said later, and better. */
static void
the_wrong_kind_of_value_is_left_to_the_schema(void **state)
{
    (void)state;
    assert_null(check(SCHEMA, "{\"count\":\"x\"}", "Mcp-Param-Count", "x"));
    assert_null(check(SCHEMA, "{\"region\":7}", "Mcp-Param-Region", "7"));
    assert_non_null(check(SCHEMA, "{\"count\":\"x\"}", "Mcp-Param-Count", "y"));
    assert_non_null(
        check(SCHEMA, "{\"count\":\"x\"}", "Mcp-Param-Count", NULL));
}

/* @spec HT-84: two readers could take one each */
static void
a_header_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    vl_auto(vl_json) doc = {NULL};
    struct vl_mcp_mirror *mirror = mirror_of(SCHEMA);
    struct vl_headers headers = headers_of("Mcp-Param-Region", "eu");
    assert_ok(vl_json_parse(VL_STR("{\"region\":\"eu\"}"), 8, &doc, NULL));
    assert_null(vl_mcp_mirror_check(mirror, &headers, doc.root));
    assert_true(
        vl_headers_add(&headers, VL_STR("mcp-param-REGION"), VL_STR("eu")));
    const char *why = vl_mcp_mirror_check(mirror, &headers, doc.root);
    assert_string_equal(
        why, "Header mismatch: Mcp-Param-Region is there more than once");
    vl_mcp_mirror_free(mirror);
}

/* @spec HT-86 */
static void
headers_that_nobody_named_are_ignored(void **state)
{
    (void)state;
    assert_null(check(SCHEMA, "{\"plain\":1.5}", "Mcp-Param-Plain", "2"));
    assert_null(check(SCHEMA, NULL, "Mcp-Param-", "2"));
    struct vl_headers headers = headers_of("Mcp-Param-Region", "eu");
    assert_null(vl_mcp_mirror_check(NULL, &headers, NULL));
}

/* @spec HT-80: a chain of `properties`, and the value at the same path */
static void
reaches_through_nested_properties(void **state)
{
    static const char schema[] =
        OF("\"region\":{\"type\":\"string\"},\"where\":" OF(
            "\"region\":" STRING("Region") ",\"x-mcp-header\":" STRING(
                "Other")) ",\"properties\":" OF("\"a\":" STRING("A")));
    (void)state;
    assert_null(check(schema,
                      "{\"where\":{\"region\":\"eu\"},\"region\":\"x\"}",
                      "Mcp-Param-Region", "eu"));
    assert_non_null(check(schema,
                          "{\"where\":{\"region\":\"eu\"},\"region\":\"x\"}",
                          "Mcp-Param-Region", "x"));
    assert_null(check(schema, "{\"where\":{\"x-mcp-header\":\"o\"}}",
                      "Mcp-Param-Other", "o"));
    assert_null(
        check(schema, "{\"properties\":{\"a\":\"b\"}}", "Mcp-Param-A", "b"));
    assert_non_null(
        check(schema, "{\"properties\":{\"a\":\"b\"}}", "Mcp-Param-A", NULL));
    /* No path, no value. */
    assert_null(check(schema, "{\"where\":\"region\",\"region\":\"x\"}",
                      "Mcp-Param-Region", NULL));
    assert_null(check(schema, "{\"where\":[{\"region\":\"eu\"}]}",
                      "Mcp-Param-Region", NULL));
    assert_null(check(schema, "{\"where\":null}", "Mcp-Param-Region", NULL));
}

/* @spec HT-80 */
static void
refuses_annotations_that_break_a_rule(void **state)
{
    static const char *const schemas[] = {
        OF("\"a\":" STRING("")),
        OF("\"a\":" STRING("My Region")),
        OF("\"a\":" STRING("Region:Primary")),
        OF("\"a\":" STRING("Région")),
        OF("\"a\":" STRING("Region\\t1")),
        OF("\"a\":" STRING("a\\r\\nEvil: b")),
        OF("\"a\":{\"type\":\"string\",\"x-mcp-header\":null}"),
        OF("\"a\":{\"type\":\"string\",\"x-mcp-header\":1}"),
        OF("\"a\":{\"type\":\"string\",\"x-mcp-header\":[\"A\"]}"),
        OF("\"a\":" STRING("Region") ",\"b\":" STRING("Region")),
        OF("\"a\":" STRING("Region") ",\"b\":" STRING("REGION")),
        OF("\"a\":" STRING("R") ",\"b\":" OF("\"c\":" STRING("r"))),
        OF("\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"type\":\"array\",\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"type\":\"object\",\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"type\":\"null\",\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"type\":[\"string\",\"null\"],\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"type\":[\"string\"],\"x-mcp-header\":\"A\"}"),
        OF("\"a\":{\"enum\":[\"b\"],\"x-mcp-header\":\"A\"}"),
        "{\"type\":\"string\",\"x-mcp-header\":\"A\"}",
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(schemas); i++) {
        vl_auto(vl_json) doc = {NULL};
        struct vl_mcp_mirror *mirror = NULL;
        valet_error err = {.message = ""};
        assert_ok(vl_json_parse(vl_str_z(schemas[i]), 60, &doc, NULL));
        if (vl_mcp_mirror_new(doc.root, &mirror, &err) != VALET_INVALID)
            fail_msg("taken: %s", schemas[i]);
        assert_null(mirror);
        assert_non_null(strstr(err.message, "x-mcp-header"));
    }
}

/* @spec HT-80: "an annotation anywhere else makes the tool invalid" */
static void
refuses_annotations_off_the_way(void **state)
{
    static const char *const around[][2] = {
        {"{\"items\":", "}"},
        {"{\"items\":[", "]}"},
        {"{\"prefixItems\":[true,", "]}"},
        {"{\"contains\":", "}"},
        {"{\"additionalItems\":", "}"},
        {"{\"additionalProperties\":", "}"},
        {"{\"unevaluatedProperties\":", "}"},
        {"{\"unevaluatedItems\":", "}"},
        {"{\"propertyNames\":", "}"},
        {"{\"contentSchema\":", "}"},
        {"{\"patternProperties\":{\"a\":", "}}"},
        {"{\"dependentSchemas\":{\"a\":", "}}"},
        {"{\"dependencies\":{\"b\":[\"c\"],\"a\":", "}}"},
        {"{\"$defs\":{\"a\":", "}}"},
        {"{\"definitions\":{\"a\":", "}}"},
        {"{\"oneOf\":[", "]}"},
        {"{\"anyOf\":[", "]}"},
        {"{\"allOf\":[{},", "]}"},
        {"{\"not\":", "}"},
        {"{\"if\":", "}"},
        {"{\"then\":", "}"},
        {"{\"else\":", "}"},
    };
    static const char *const inner[] = {STRING("A"), OF("\"a\":" STRING("A"))};
    (void)state;
    for (size_t i = 0; i < 4 * VL_COUNT(around); i++) {
        vl_auto(vl_buf) text = vl_buf_of(4096);
        vl_auto(vl_json) doc = {NULL};
        struct vl_mcp_mirror *mirror = NULL;
        bool is_nested = i & 2;
        vl_buf_addz(&text, is_nested ? "{\"properties\":{\"x\":" : "");
        vl_buf_addz(&text, around[i / 4][0]);
        vl_buf_addz(&text, inner[i & 1]);
        vl_buf_addz(&text, around[i / 4][1]);
        vl_buf_addz(&text, is_nested ? "}}" : "");
        assert_ok(vl_json_parse(vl_buf_str(&text), 60, &doc, NULL));
        if (vl_mcp_mirror_new(doc.root, &mirror, NULL) != VALET_INVALID)
            fail_msg("taken: %s", vl_buf_cstr(&text));
    }
}

static void
data_of_a_schema_is_no_annotation(void **state)
{
    static const char *const schemas[] = {
        "true",
        "{}",
        "[]",
        OF(""),
        OF("\"x-mcp-header\":{\"type\":\"string\"}"),
        OF("\"a\":{\"const\":" STRING("A") "}"),
        OF("\"a\":{\"default\":{\"x-mcp-header\":\"\"}}"),
        OF("\"a\":{\"examples\":[{\"x-mcp-header\":\"\"}]}"),
        OF("\"a\":{\"enum\":[{\"x-mcp-header\":\"\"}]}"),
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(schemas); i++)
        assert_null(mirror_of(schemas[i]));
    struct vl_mcp_mirror *mirror = NULL;
    assert_ok(vl_mcp_mirror_new(NULL, &mirror, NULL));
    assert_null(mirror);
    vl_mcp_mirror_free(NULL);
}

/* Names of other headers are fine: it is Mcp-Param-Method then. */
static void
any_token_is_a_name(void **state)
{
    (void)state;
    assert_null(check(OF("\"a\":" STRING("Method")), "{\"a\":\"b\"}",
                      "Mcp-Param-Method", "b"));
    assert_null(check(OF("\"a\":" STRING("!#$%&'*+-.^_`|~09azAZ")),
                      "{\"a\":\"b\"}", "mcp-param-!#$%&'*+-.^_`|~09AZaz", "b"));
}

static valet_status
make_many(size_t count, struct vl_mcp_mirror **ret)
{
    vl_auto(vl_buf) text = vl_buf_of(1 << 16);
    vl_auto(vl_json) doc = {NULL};
    vl_buf_addz(&text, "{\"properties\":{");
    for (size_t i = 0; i < count; i++)
        vl_buf_addf(&text,
                    "%s\"p%zu\":{\"type\":\"integer\",\"x-mcp-header\":"
                    "\"P%zu\"}",
                    i ? "," : "", i, i);
    vl_buf_addz(&text, "}}");
    assert_ok(vl_json_parse(vl_buf_str(&text), 60, &doc, NULL));
    return vl_mcp_mirror_new(doc.root, ret, NULL);
}

static void
annotations_are_bounded(void **state)
{
    (void)state;
    struct vl_mcp_mirror *mirror = NULL;
    assert_int_equal(make_many(VL_MCP_MIRROR_MAX + 1, &mirror), VALET_INVALID);
    assert_null(mirror);
    assert_ok(make_many(VL_MCP_MIRROR_MAX, &mirror));
    vl_auto(vl_json) doc = {NULL};
    struct vl_headers headers = headers_of("Mcp-Param-P31", "5");
    assert_ok(vl_json_parse(VL_STR("{\"p31\":5}"), 8, &doc, NULL));
    assert_null(vl_mcp_mirror_check(mirror, &headers, doc.root));
    headers = headers_of("Mcp-Param-P30", "5");
    assert_non_null(vl_mcp_mirror_check(mirror, &headers, doc.root));
    vl_mcp_mirror_free(mirror);
}

static void
names_are_bounded(void **state)
{
    (void)state;
    for (int n = 128; n <= 129; n++) {
        vl_auto(vl_json) doc = {NULL}, arguments = {NULL};
        vl_auto(vl_buf) text = vl_buf_of(1024), name = vl_buf_of(1024);
        struct vl_mcp_mirror *mirror = NULL;
        vl_buf_addf(&text, OF("\"a\":" STRING("%0*d")), n, 7);
        vl_buf_addf(&name, "Mcp-Param-%0*d", n, 7);
        assert_ok(vl_json_parse(vl_buf_str(&text), 60, &doc, NULL));
        assert_ok(vl_json_parse(VL_STR("{\"a\":\"b\"}"), 8, &arguments, NULL));
        valet_status status = vl_mcp_mirror_new(doc.root, &mirror, NULL);
        assert_int_equal(status, n == 128 ? VALET_OK : VALET_INVALID);
        struct vl_headers headers = headers_of(vl_buf_cstr(&name), "b");
        if (mirror)
            assert_null(vl_mcp_mirror_check(mirror, &headers, arguments.root));
        headers.count = 0;
        if (mirror)
            assert_non_null(
                strstr(vl_mcp_mirror_check(mirror, &headers, arguments.root),
                       "7 is missing"));
        vl_mcp_mirror_free(mirror);
    }
}

/* As deep as JSON is read. */
static void
a_deep_path_is_followed_to_its_end(void **state)
{
    (void)state;
    vl_auto(vl_buf) schema = vl_buf_of(4096);
    vl_auto(vl_buf) arguments = vl_buf_of(4096);
    size_t depth = (VL_LIMIT_JSON_DEPTH - 1) / 2;
    for (size_t i = 0; i < depth; i++) {
        vl_buf_addz(&schema, "{\"properties\":{\"a\":");
        vl_buf_addz(&arguments, "{\"a\":");
    }
    vl_buf_addz(&schema, STRING("Deep"));
    vl_buf_addz(&arguments, "\"x\"");
    for (size_t i = 0; i < depth; i++) {
        vl_buf_addz(&schema, "}}");
        vl_buf_addz(&arguments, "}");
    }
    assert_null(check(vl_buf_cstr(&schema), vl_buf_cstr(&arguments),
                      "Mcp-Param-Deep", "x"));
    assert_non_null(check(vl_buf_cstr(&schema), vl_buf_cstr(&arguments),
                          "Mcp-Param-Deep", "y"));
}

/* @spec HT-89 */
static void
values_are_bounded(void **state)
{
    (void)state;
    for (size_t n = VL_MCP_MIRROR_VALUE_MAX; n < VL_MCP_MIRROR_VALUE_MAX + 6;
         n++) {
        vl_auto(vl_buf) value = vl_buf_of(n), coded = vl_buf_of(2 * n);
        bool fits = n <= VL_MCP_MIRROR_VALUE_MAX;
        memset(vl_buf_reserve(&value, n), 'a', n);
        vl_buf_commit(&value, n);
        vl_buf_addz(&coded, "=?base64?");
        vl_enc_base64(&coded, vl_buf_str(&value));
        vl_buf_addz(&coded, "?=");
        struct vl_headers plain = headers_of("Mcp-Name", vl_buf_cstr(&value));
        struct vl_headers encoded = headers_of("Mcp-Name", vl_buf_cstr(&coded));
        assert_true(vl_headers_add(&plain, VL_STR("Mcp-Method"), VL_STR("m")));
        assert_true(
            vl_headers_add(&encoded, VL_STR("Mcp-Method"), VL_STR("m")));
        assert_int_equal(!vl_mcp_mirror_check_names(&plain, VL_STR("m"),
                                                    vl_buf_str(&value), false),
                         fits);
        assert_int_equal(!vl_mcp_mirror_check_names(&encoded, VL_STR("m"),
                                                    vl_buf_str(&value), false),
                         fits);
    }
}

static const char *
check_names(const char *method_header, const char *name_header,
            const char *method, const char *name, bool optional)
{
    struct vl_headers headers = headers_of("mcp-method", method_header);
    if (name_header)
        assert_true(vl_headers_add(&headers, VL_STR("MCP-Name"),
                                   vl_str_z(name_header)));
    return vl_mcp_mirror_check_names(&headers, vl_str_z(method), vl_str_z(name),
                                     optional);
}

/* @spec HT-78 HT-83 HT-85 */
static void
method_and_name_say_what_the_body_says(void **state)
{
    static const struct {
        const char *method_header, *name_header, *method, *name;
        bool fits;
    } cases[] = {
        {"tools/call", "foo", "tools/call", "foo", true},
        {" tools/call\t", "  foo  ", "tools/call", "foo", true},
        {"tools/call", "=?base64?Zm9v?=", "tools/call", "foo", true},
        {"resources/read", "file:///path/to/file%20name.txt", "resources/read",
         "file:///path/to/file%20name.txt", true},
        {"tools/list", NULL, "tools/list", NULL, true},
        {"tools/list", "what?", "tools/list", NULL, true},
        {"tools/call", "", "tools/call", "", true},
        {"TOOLS/CALL", "foo", "tools/call", "foo", false},
        {"prompts/get", "foo", "tools/call", "foo", false},
        {NULL, "foo", "tools/call", "foo", false},
        {"", NULL, "tools/list", NULL, false},
        {"tools/call", NULL, "tools/call", "foo", false},
        {"tools/call", "", "tools/call", "foo", false},
        {"tools/call", "Foo", "tools/call", "foo", false},
        {"tools/call", "=?base64?Zm9?=", "tools/call", "foo", false},
        {"tools/call", "f\xc3\xb6", "tools/call", "f\xc3\xb6", false},
        /* The method is never encoded. */
        {"=?base64?bQ==?=", NULL, "m", NULL, false},
        {"=?base64?bQ==?=", NULL, "=?base64?bQ==?=", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        const char *why =
            check_names(cases[i].method_header, cases[i].name_header,
                        cases[i].method, cases[i].name, false);
        if (cases[i].fits != !why)
            fail_msg("case %zu: %s", i, why ? why : "taken");
    }
    struct vl_headers twice = headers_of("Mcp-Method", "m");
    assert_true(vl_headers_add(&twice, VL_STR("Mcp-Method"), VL_STR("m")));
    assert_string_equal(
        vl_mcp_mirror_check_names(&twice, VL_STR("m"), VL_STR(""), false),
        "Header mismatch: Mcp-Method is there more than once");
}

/* @spec HT-47 */
static void
a_notification_may_leave_them_out_but_not_lie(void **state)
{
    (void)state;
    assert_null(check_names(NULL, NULL, "notifications/x", NULL, true));
    assert_null(check_names(NULL, NULL, "notifications/x", "n", true));
    assert_null(
        check_names("notifications/x", NULL, "notifications/x", NULL, true));
    assert_non_null(
        check_names("tools/call", NULL, "notifications/x", NULL, true));
    assert_non_null(check_names(NULL, "m", "notifications/x", "n", true));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_string_as_it_is_or_encoded),
        cmocka_unit_test(refuses_a_string_that_is_another_or_badly_encoded),
        cmocka_unit_test(compares_integers_as_numbers),
        cmocka_unit_test(booleans_are_lower_case),
        cmocka_unit_test(no_value_has_no_header),
        cmocka_unit_test(the_wrong_kind_of_value_is_left_to_the_schema),
        cmocka_unit_test(a_header_that_is_there_twice_is_refused),
        cmocka_unit_test(headers_that_nobody_named_are_ignored),
        cmocka_unit_test(reaches_through_nested_properties),
        cmocka_unit_test(refuses_annotations_that_break_a_rule),
        cmocka_unit_test(refuses_annotations_off_the_way),
        cmocka_unit_test(data_of_a_schema_is_no_annotation),
        cmocka_unit_test(any_token_is_a_name),
        cmocka_unit_test(annotations_are_bounded),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(a_deep_path_is_followed_to_its_end),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(method_and_name_say_what_the_body_says),
        cmocka_unit_test(a_notification_may_leave_them_out_but_not_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
