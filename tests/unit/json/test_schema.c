/* SPDX-License-Identifier: Apache-2.0 */
#include "json/schema.h"

#include "core/buf.h"
#include "core/limits.h"
#include "vl_test.h"

static struct vl_json
parse(const char *text)
{
    struct vl_json doc = {NULL};
    assert_ok(vl_json_parse(vl_str_z(text), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    return doc;
}

/* Its document is gone by then. */
static struct vl_schema *
schema_of(const char *text)
{
    struct vl_schema *schema = NULL;
    valet_error err = {.message = ""};
    vl_auto(vl_json) doc = parse(text);
    if (vl_schema_new(doc.root, &schema, &err) != VALET_OK)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

#define NODES 256

/* A value that is still text is judged like the document of it. */
static void
check_text(const struct vl_schema *schema, const char *text,
           valet_status wanted, const char *message)
{
    static struct vl_json_node nodes[NODES];
    vl_auto(vl_buf) whole = vl_buf_of(strlen(text) + 10);
    valet_error err = {.status = VALET_OK};
    vl_buf_addf(&whole, "{\"v\":%s}", text);
    if (!vl_json_scan_nodes(vl_buf_str(&whole), VL_LIMIT_JSON_DEPTH, nodes,
                            NODES) ||
        !vl_json_node_is_plain(nodes, NULL))
        return;
    struct vl_json_view value =
        vl_json_view_get((struct vl_json_view){NULL, nodes}, VL_STR("v"));
    assert_int_equal(vl_schema_check_view(schema, value, &err), wanted);
    assert_string_equal(err.message, message);
}

static valet_status
check(const struct vl_schema *schema, const char *text, valet_error *err)
{
    vl_auto(vl_json) doc = parse(text);
    valet_error why = {.status = VALET_OK};
    valet_status status = vl_schema_check(schema, doc.root, &why);
    check_text(schema, text, status, why.message);
    if (err && status != VALET_OK)
        *err = why;
    return status;
}

/* Values in one string each, `|` between them. */
struct row {
    const char *schema, *good, *bad;
};

static void
all_are(const struct vl_schema *schema, const struct row *row,
        const char *values, valet_status wanted)
{
    struct vl_str rest = vl_str_z(values), value;
    while (vl_str_split(&rest, '|', &value)) {
        vl_auto(vl_buf) text = vl_buf_of(4096);
        vl_buf_add(&text, value);
        valet_error err = {.status = VALET_OK};
        if (check(schema, vl_buf_cstr(&text), &err) != wanted)
            fail_msg("%s: %s is told: %d %s", row->schema, vl_buf_cstr(&text),
                     err.status, err.message);
        assert_int_equal(err.status, wanted);
        assert_int_equal(err.message[0] == '\0', wanted == VALET_OK);
    }
}

static void
keep(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vl_schema *schema = schema_of(rows[i].schema);
        all_are(schema, &rows[i], rows[i].good, VALET_OK);
        all_are(schema, &rows[i], rows[i].bad, VALET_INVALID);
        vl_schema_free(schema);
    }
}

#define KEEP(rows) keep(rows, VL_COUNT(rows))

static void
knows_types(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"true", "1|null|{}|[]", NULL},
        {"false", NULL, "1|null|{}|[]"},
        {"{}", "1|null|{}|[]|\"\"|true", NULL},
        {"{\"type\":\"string\"}", "\"\"|\"1\"", "1|null|true|[]|{}"},
        {"{\"type\":\"integer\"}", "0|-1|1.0|-2.0|1e300|9223372036854775807",
         "1.5|\"1\"|true|null|1e-300"},
        {"{\"type\":\"number\"}", "0|1.0|1.5|1e300", "\"1\"|true|null"},
        {"{\"type\":\"boolean\"}", "true|false", "0|1|\"true\"|null"},
        {"{\"type\":\"null\"}", "null", "0|false|\"\"|[]|{}"},
        {"{\"type\":\"array\"}", "[]|[1]", "{}|\"\"|null"},
        {"{\"type\":\"object\"}", "{}|{\"a\":1}", "[]|\"\"|null"},
        {"{\"type\":[\"integer\",\"null\"]}", "1|null|2.0", "1.5|\"\"|false"},
    };
    KEEP(rows);
}

static void
knows_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"const\":1}", "1|1.0", "2|true|\"1\"|1.5"},
        {"{\"const\":false}", "false", "0|true|null|[]"},
        {"{\"const\":[0]}", "[0]|[0.0]", "[false]|[]|[0,0]|0"},
        {"{\"const\":{\"a\":1,\"b\":null}}", "{\"b\":null,\"a\":1.0}",
         "{\"a\":1}|{\"a\":1,\"c\":null}|{\"a\":1,\"b\":0}"},
        {"{\"const\":9007199254740993}", "9007199254740993",
         "9007199254740992|9007199254740992.0"},
        {"{\"const\":1e300}", "1e300", "1|9223372036854775807|1e299"},
        {"{\"enum\":[]}", NULL, "1|null"},
        {"{\"enum\":[\"a\",\"\xc3\xa4\",null,{}]}",
         "\"a\"|\"\xc3\xa4\"|\"\\u00e4\"|null|{}", "\"A\"|\"\"|0|[]"},
    };
    KEEP(rows);
}

static void
knows_numbers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"minimum\":1}", "1|1.0|1.1|9e99|\"0\"|null", "0|0.9|-9e99"},
        {"{\"maximum\":-1.5}", "-1.5|-2|-9e99|\"0\"", "-1|-1.4|9e99"},
        {"{\"exclusiveMinimum\":1.5}", "1.6|2|\"\"", "1.5|1|1.4"},
        {"{\"exclusiveMaximum\":3}", "2|2.9|[]", "3|3.0|4"},
        /* As doubles the two would be equal. */
        {"{\"maximum\":9007199254740992.0}", "9007199254740992",
         "9007199254740993"},
        {"{\"exclusiveMinimum\":9223372036854775806}", "9223372036854775807",
         "9223372036854775806|0"},
        {"{\"minimum\":1e19}", "1e19", "9223372036854775807|9e18"},
        {"{\"maximum\":-1e19}", "-1e19", "-9223372036854775807|-9e18"},
        {"{\"multipleOf\":2}", "0|4|-6|4.0|\"1\"|1e300", "1|-3|1.5|5.0"},
        {"{\"multipleOf\":0.01}", "0|1|4.02|0.07|-19.99|1.10",
         "0.075|4.025|-0.001"},
        {"{\"multipleOf\":0.0001}", "0.0075", "0.00751"},
        {"{\"multipleOf\":1.5}", "0|4.5|3|1.5e300", "35|1"},
        {"{\"multipleOf\":0.123456789}", "0", "1e308"},
        {"{\"multipleOf\":0.5}", "1e308|0.5|7", "0.25"},
        {"{\"multipleOf\":1e-300}", "0", NULL},
    };
    KEEP(rows);
}

static void
counts_characters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"minLength\":2}", "\"ab\"|\"abc\"|1|null|\"\xc3\xa4\xc3\xb6\"",
         "\"a\"|\"\"|\"\xc3\xa4\"|\"\xf0\x9f\x92\xa9\""},
        {"{\"maxLength\":2.0}",
         "\"\"|\"ab\"|100|\"\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\"|"
         "\"\\ud83d\\udca9b\"",
         "\"abc\"|\"\xc3\xa4\xc3\xa4\xc3\xa4\""},
        {"{\"type\":\"string\",\"format\":\"email\"}", "\"no mail\"", "1"},
    };
    KEEP(rows);
}

static void
looks_into_objects(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":false}}",
         "{}|{\"a\":1}|{\"c\":\"x\"}|[]|1",
         "{\"a\":\"1\"}|{\"a\":1,\"b\":1}|{\"b\":null}"},
        {"{\"required\":[\"a\",\"\"]}", "{\"a\":null,\"\":1}|[]|\"\"",
         "{}|{\"a\":1}|{\"\":1}"},
        {"{\"required\":[]}", "{}", NULL},
        {"{\"additionalProperties\":false}", "{}|1|[1]", "{\"a\":1}"},
        {"{\"additionalProperties\":{\"type\":\"null\"},"
         "\"properties\":{\"a\":true}}",
         "{}|{\"a\":1}|{\"a\":1,\"b\":null}", "{\"b\":1}|{\"a\":1,\"b\":0}"},
        /* It sees its own siblings only. */
        {"{\"allOf\":[{\"properties\":{\"a\":true}}],"
         "\"additionalProperties\":false}",
         "{}", "{\"a\":1}"},
        {"{\"propertyNames\":{\"maxLength\":2}}", "{}|{\"ab\":1}|[]|\"abc\"",
         "{\"abc\":1}|{\"a\":1,\"abc\":1}"},
        {"{\"propertyNames\":false}", "{}", "{\"a\":1}"},
        {"{\"minProperties\":1}", "{\"a\":1}|[]|\"\"", "{}"},
        {"{\"maxProperties\":1}", "{}|{\"a\":1}|[1,2]", "{\"a\":1,\"b\":2}"},
        {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"],\"d\":[]}}",
         "{}|{\"b\":1}|{\"a\":1,\"b\":1,\"c\":1}|{\"d\":1}|[]",
         "{\"a\":1}|{\"a\":1,\"b\":1}"},
        {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]},\"c\":false}}",
         "{}|{\"b\":1}|{\"a\":1,\"b\":1}|\"a\"",
         "{\"a\":1}|{\"c\":1}|{\"a\":1,\"b\":1,\"c\":1}"},
    };
    KEEP(rows);
}

static void
looks_into_arrays(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"items\":{\"type\":\"integer\"}}", "[]|[1,2]|{}|\"a\"",
         "[\"1\"]|[1,null]"},
        {"{\"items\":false}", "[]|1", "[1]"},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
         "[]|[1]|[1,\"a\"]|[1,\"a\",null]|{}", "[\"a\"]|[1,1]"},
        {"{\"prefixItems\":[true],\"items\":{\"type\":\"null\"}}",
         "[]|[1]|[1,null]", "[1,2]|[null,null,0]"},
        {"{\"minItems\":2}", "[1,2]|[1,2,3]|{}|\"\"", "[]|[1]"},
        {"{\"maxItems\":2.0}", "[]|[1,2]|{\"a\":1,\"b\":2,\"c\":3}", "[1,2,3]"},
        {"{\"uniqueItems\":true}",
         "[]|[1]|[1,true]|[0,false]|[1,\"1\"]|[{\"a\":1},{\"a\":2}]|"
         "[[1],[[1]]]|\"aa\"|[\"a\",\"b\"]|[null,0,\"\",[],{}]",
         "[1,1]|[1,2,1.0]|[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]|[[1],[1]]|"
         "[null,null]|[\"a\",\"b\",\"a\"]"},
        {"{\"uniqueItems\":false}", "[1,1]", NULL},
        {"{\"contains\":{\"minimum\":5}}", "[5]|[1,6,2]|{}|1", "[]|[1,2]"},
        {"{\"contains\":{\"const\":1},\"minContains\":2,\"maxContains\":3}",
         "[1,1]|[1,2,1,1.0]|1", "[]|[1]|[1,1,1,1]"},
        {"{\"contains\":false,\"minContains\":0}", "[]|[1]", NULL},
        {"{\"minContains\":5,\"maxContains\":0}", "[]|[1]", NULL},
    };
    KEEP(rows);
}

static void
joins_schemas(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"allOf\":[{\"minimum\":2},{\"maximum\":4}]}", "2|4|\"\"", "1|5"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}",
         "\"\"|2|null|[]", "1|0.5"},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1|2.5|\"a\"",
         "3|1.5"},
        {"{\"oneOf\":[true,true,false]}", NULL, "1"},
        {"{\"not\":{\"type\":\"integer\"}}", "\"\"|1.5|null", "1|1.0"},
        {"{\"not\":{\"not\":{\"type\":\"null\"}}}", "null", "1"},
        {"{\"not\":true}", NULL, "1|{}"},
        {"{\"if\":{\"type\":\"integer\"},\"then\":{\"minimum\":5},"
         "\"else\":{\"type\":\"string\"}}",
         "5|\"a\"", "4|null|[]"},
        {"{\"if\":{\"minimum\":5},\"then\":{\"maximum\":7}}", "1|6|\"\"", "8"},
        {"{\"if\":{\"minimum\":5},\"else\":false}", "5|\"\"", "4"},
        {"{\"then\":false,\"else\":false}", "1", NULL},
        {"{\"if\":false}", "1", NULL},
    };
    KEEP(rows);
}

static void
follows_references(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"$defs\":{\"n\":{\"type\":\"integer\"}},"
         "\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\",\"minimum\":2}}}",
         "{\"a\":2}|{}", "{\"a\":\"2\"}|{\"a\":1}"},
        {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}},"
         "\"additionalProperties\":false}",
         "{}|{\"next\":{\"next\":{}}}",
         "{\"next\":1}|{\"next\":{\"next\":{\"x\":1}}}"},
        {"{\"$defs\":{\"a/b~c %\":{\"type\":\"null\"}},"
         "\"$ref\":\"#/$defs/a~1b~0c%20%25\"}",
         "null", "1"},
        {"{\"allOf\":[{\"type\":\"integer\"}],\"properties\":{\"a\":"
         "{\"$ref\":\"#/allOf/0\"}}}",
         "1", "{\"a\":1}|\"x\""},
        {"{\"$defs\":{\"x\":{\"$anchor\":\"n\",\"type\":\"null\"}},"
         "\"$ref\":\"#n\"}",
         "null", "1"},
        {"{\"$defs\":{\"x\":{\"$dynamicAnchor\":\"n\",\"type\":\"null\"}},"
         "\"items\":{\"$ref\":\"#n\"}}",
         "[null]", "[1]"},
        {"{\"$defs\":{\"x\":false},\"$ref\":\"#/$defs/x\"}", NULL, "1"},
        /* A member that is called so is no reference. */
        {"{\"properties\":{\"$ref\":{\"type\":\"string\"}}}",
         "{\"$ref\":\"#/nowhere\"}", "{\"$ref\":1}"},
        {"{\"const\":{\"$ref\":\"#/nowhere\"}}", "{\"$ref\":\"#/nowhere\"}",
         "{}"},
        {"{\"$id\":\"https://e.example/s\",\"$schema\":"
         "\"https://json-schema.org/draft/2020-12/schema\","
         "\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\"}},"
         "\"maximum\":1}",
         "null", "1|2"},
        {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
         "\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"type\":"
         "\"integer\"}},\"maximum\":1}",
         "1|2", "\"\""},
    };
    KEEP(rows);
}

static void
knows_patterns(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"pattern\":\"^[a-z]+$\"}", "\"a\"|1|null|[\"A\"]|{}",
         "\"A\"|\"\"|\"a1\""},
        {"{\"pattern\":\"\"}", "\"\"|\"a\"", NULL},
        {"{\"pattern\":\"b\",\"not\":{\"pattern\":\"a\"}}", "\"b\"",
         "\"ab\"|\"c\""},
        {"{\"items\":{\"pattern\":\"^\\\\d$\"}}", "[\"1\",\"2\",3]|\"x\"",
         "[\"1\",\"x\"]"},
        {"{\"propertyNames\":{\"pattern\":\"^x-\"}}", "{}|{\"x-a\":1}",
         "{\"a\":1}|{\"x-a\":1,\"x\":2}"},
        {"{\"patternProperties\":{\"^n\":{\"type\":\"number\"},\"s$\":"
         "{\"maximum\":5}}}",
         "{}|{\"n\":1}|{\"ns\":5}|{\"s\":\"\"}|{\"a\":null}|[]|1",
         "{\"n\":\"\"}|{\"ns\":6}|{\"as\":6}|{\"a\":1,\"nn\":null}"},
        {"{\"properties\":{\"na\":{\"maximum\":1}},\"patternProperties\":"
         "{\"^n\":{\"type\":\"number\"}},\"additionalProperties\":false}",
         "{\"na\":1,\"nb\":2}|{}",
         "{\"a\":1}|{\"na\":2}|{\"na\":\"\"}|"
         "{\"nb\":1,\"\":1}"},
        {"{\"patternProperties\":{\"^x\":true},\"additionalProperties\":"
         "{\"type\":\"null\"}}",
         "{\"x\":1,\"a\":null}", "{\"a\":1}"},
        {"{\"patternProperties\":{\"^x\":false}}", "{\"a\":1}", "{\"x\":1}"},
        {"{\"$ref\":\"#/patternProperties/%5Ex\",\"patternProperties\":"
         "{\"^x\":{\"type\":\"object\"}}}",
         "{\"x\":{}}|{}", "{\"x\":1}|1"},
    };
    KEEP(rows);
}

/* The words of the conformance suite's fixture. */
static void
knows_a_schema_of_all_vocabularies(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
         "\"type\":\"object\",\"$defs\":{\"place\":{\"$anchor\":\"home\","
         "\"type\":\"object\",\"properties\":{\"city\":{\"type\":"
         "\"string\"}}}},\"properties\":{\"by\":{\"enum\":[\"phone\","
         "\"mail\"]},\"phone\":{\"type\":\"string\"},\"mail\":{\"type\":"
         "\"string\"},\"from\":{\"$ref\":\"#/$defs/place\"},\"to\":"
         "{\"$ref\":\"#home\"}},\"allOf\":[{\"anyOf\":[{\"required\":"
         "[\"phone\"]},{\"required\":[\"mail\"]}]}],\"if\":{\"properties\":"
         "{\"by\":{\"const\":\"phone\"}},\"required\":[\"by\"]},\"then\":"
         "{\"required\":[\"phone\"]},\"else\":{\"required\":[\"mail\"]},"
         "\"additionalProperties\":false}",
         "{\"by\":\"phone\",\"phone\":\"1\"}|{\"mail\":\"a\",\"from\":"
         "{\"city\":\"b\"},\"to\":{\"city\":\"c\",\"x\":1}}",
         "{}|{\"phone\":\"1\"}|{\"by\":\"phone\",\"mail\":\"a\"}|"
         "{\"mail\":\"a\",\"to\":{\"city\":1}}|{\"mail\":\"a\",\"from\":"
         "1}|{\"mail\":\"a\",\"x\":1}|{\"mail\":\"a\",\"by\":\"fax\"}"},
    };
    KEEP(rows);
}

static void
ignores_what_means_nothing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"title\":1,\"description\":null,\"default\":{\"pattern\":1},"
         "\"examples\":0,\"$comment\":[],\"x-own\":{\"type\":\"no\"},"
         "\"contentEncoding\":\"base64\",\"deprecated\":true,\"zzz\":1,"
         "\"\":2,\"enumeration\":[]}",
         "1|null|\"\"", NULL},
        {"{\"properties\":{\"pattern\":{\"type\":\"string\"},"
         "\"$id\":true}}",
         "{\"pattern\":\"x\",\"$id\":1}", "{\"pattern\":1}"},
    };
    KEEP(rows);
}

static void
refuses_what_it_cannot_check(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *sentence;
    } rows[] = {
        {"1", "the schema is no schema"},
        {"null", "the schema is no schema"},
        {"[]", "the schema is no schema"},
        {"{\"properties\":{\"a/b\":{\"$dynamicRef\":\"#a\"}}}",
         "/properties/a~1b/$dynamicRef cannot be checked by this server"},
        {"{\"properties\":{\"a\":{\"pattern\":\"(?i)a\"}}}",
         "/properties/a/pattern has a group that ECMA-262 does not know"},
        {"{\"pattern\":1}", "/pattern is no string"},
        {"{\"patternProperties\":{\"a\":{},\"*\":{}}}",
         "/patternProperties/* repeats nothing"},
        {"{\"patternProperties\":{\"a\":1}}", "/patternProperties/a is no"},
        {"{\"patternProperties\":[]}", "/patternProperties is no object"},
        {"{\"unevaluatedProperties\":false}", "cannot be checked"},
        {"{\"unevaluatedItems\":false}", "cannot be checked"},
        {"{\"not\":{\"$dynamicRef\":\"#a\"}}", "/not/$dynamicRef cannot"},
        {"{\"$recursiveRef\":\"#\"}", "cannot be checked"},
        {"{\"additionalItems\":false}", "cannot be checked"},
        {"{\"dependencies\":{}}", "cannot be checked"},
        {"{\"items\":[{}]}", "/items is no schema"},
        {"{\"type\":\"int\"}", "/type names no type"},
        {"{\"type\":[]}", "/type names no type"},
        {"{\"type\":[\"string\",\"x\"]}", "/type names no type"},
        {"{\"type\":1}", "/type names no type"},
        {"{\"enum\":{}}", "/enum is no list"},
        {"{\"required\":\"a\"}", "/required is no list of strings"},
        {"{\"required\":[1]}", "/required is no list of strings"},
        {"{\"required\":true}", "/required is no list of strings"},
        {"{\"dependentRequired\":[]}", "/dependentRequired is no object"},
        {"{\"dependentRequired\":{\"a\":[1]}}", "/dependentRequired/a is no"},
        {"{\"properties\":[]}", "/properties is no object of schemas"},
        {"{\"properties\":{\"a\":1}}", "/properties/a is no schema"},
        {"{\"allOf\":[]}", "/allOf is no list of schemas"},
        {"{\"anyOf\":{}}", "/anyOf is no list of schemas"},
        {"{\"oneOf\":[{},{},2]}", "/oneOf/2 is no schema"},
        {"{\"not\":null}", "/not is no schema"},
        {"{\"then\":1}", "/then is no schema"},
        {"{\"minimum\":\"1\"}", "/minimum is no number"},
        {"{\"exclusiveMinimum\":true}", "/exclusiveMinimum is no number"},
        {"{\"multipleOf\":0}", "/multipleOf is no number above 0"},
        {"{\"multipleOf\":-0.5}", "/multipleOf is no number above 0"},
        {"{\"minLength\":-1}", "/minLength is no whole number"},
        {"{\"maxItems\":1.5}", "/maxItems is no whole number"},
        {"{\"maxContains\":1e300}", "/maxContains is no whole number"},
        {"{\"uniqueItems\":1}", "/uniqueItems is neither true nor false"},
        {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
         "/$schema is neither 2020-12 nor draft-07"},
        {"{\"$schema\":1}", "/$schema is neither"},
        {"{\"not\":{\"$schema\":\"http://json-schema.org/draft-07/schema\"}}",
         "/not/$schema is neither"},
        {"{\"not\":{\"$id\":\"x\"}}", "/not/$id cannot be checked"},
        {"{\"$id\":1}", "/$id cannot be checked"},
        {"{\"$anchor\":1}", "/$anchor is no name"},
        {"{\"$anchor\":\"a\",\"not\":{\"$anchor\":\"a\"}}", "/not/$anchor is"},
        {"{\"$ref\":1}", "/$ref leads out of the schema"},
        {"{\"$ref\":\"https://e.example/s\"}", "/$ref leads out"},
        {"{\"$ref\":\"other.json#/a\"}", "/$ref leads out of the schema"},
        {"{\"$ref\":\"#/$defs/a\"}", "/$ref leads to no schema"},
        {"{\"$ref\":\"#a\"}", "/$ref leads to no schema"},
        {"{\"$ref\":\"#/\"}", "/$ref leads to no schema"},
        {"{\"$ref\":\"#/%zz\"}", "/$ref leads to no schema"},
        {"{\"$ref\":\"#/allOf/1\",\"allOf\":[{}]}", "leads to no schema"},
        {"{\"$ref\":\"#/$defs\",\"$defs\":{}}", "leads to no schema"},
        {"{\"$ref\":\"#/x\",\"x\":{\"pattern\":\"a\"}}", "leads to no schema"},
        {"{\"$ref\":\"#/default\",\"default\":{\"type\":\"no\"}}",
         "/$ref leads to no schema"},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_schema *schema = NULL;
        valet_error err = {.status = VALET_OK};
        vl_auto(vl_json) doc = parse(rows[i].schema);
        assert_int_equal(vl_schema_new(doc.root, &schema, &err), VALET_INVALID);
        assert_null(schema);
        if (!strstr(err.message, rows[i].sentence))
            fail_msg("%s is told: %s", rows[i].schema, err.message);
    }
    vl_schema_free(NULL);
}

static void
says_where_and_which_keyword_but_no_value(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *value, *sentence;
    } rows[] = {
        {"{\"type\":\"object\"}", "[\"s3cret\"]",
         "the value breaks \"type\":\"object\""},
        {"{\"properties\":{\"a\":{\"items\":{\"maximum\":18}}}}",
         "{\"a\":[1,2,19]}", "/a/2 breaks \"maximum\":18"},
        {"{\"required\":[\"a\",\"b\"]}", "{\"a\":\"s3cret\"}",
         "/b breaks \"required\":[\"a\",\"b\"]"},
        {"{\"additionalProperties\":false}", "{\"x/~y\":\"s3cret\"}",
         "/x~1~0y breaks \"additionalProperties\":false"},
        {"{\"properties\":{\"a\":false}}", "{\"a\":1}",
         "/a breaks \"properties\":{\"a\":false}"},
        {"{\"items\":{\"$ref\":\"#/$defs/n\"},\"$defs\":{\"n\":{\"enum\":"
         "[1,2]}}}",
         "[1,\"s3cret\"]", "/1 breaks \"enum\":[1,2]"},
        {"{\"items\":{\"anyOf\":[{\"type\":\"null\"},{\"const\":3}]}}",
         "[null,4]", "/1 breaks \"anyOf\":[{\"type\":\"null\"},{\"const\":3}]"},
        {"{\"uniqueItems\":true}", "[1,2,1]", "/2 breaks \"uniqueItems\":true"},
        {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
         "/ab breaks \"maxLength\":1"},
        {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
         "/b breaks \"dependentRequired\":{\"a\":[\"b\"]}"},
        {"{\"const\":\"a very long demand that does not help anybody to see "
         "what is wrong with what was sent\"}",
         "1", "the value breaks \"const\""},
        {"false", "1", "the value breaks \"schema\":false"},
    };
    for (size_t i = 0; i < VL_COUNT(rows); i++) {
        struct vl_schema *schema = schema_of(rows[i].schema);
        valet_error err;
        assert_int_equal(check(schema, rows[i].value, &err), VALET_INVALID);
        assert_string_equal(err.message, rows[i].sentence);
        assert_int_equal(check(schema, rows[i].value, NULL), VALET_INVALID);
        vl_schema_free(schema);
    }
}

/* The pointer ends early, and the keyword is still told. */
static void
tells_of_long_names_in_one_sentence(void **state)
{
    (void)state;
    char value[600] = "{\"";
    memset(value + 2, 'k', 500);
    memcpy(value + 502, "\":1}", 5);
    struct vl_schema *schema = schema_of("{\"additionalProperties\":false}");
    valet_error err;
    assert_int_equal(check(schema, value, &err), VALET_INVALID);
    assert_true(vl_str_ends(vl_str_z(err.message),
                            VL_STR("k breaks \"additionalProperties\":false")));
    assert_int_equal(check(schema, "{\"a\\nb\\u001b\":1}", &err),
                     VALET_INVALID);
    assert_null(strpbrk(err.message, "\n\x1b"));
    vl_schema_free(schema);
}

/* What cannot be decided is a no, under a `not` as well. */
static void
gives_up_on_what_has_no_end(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "{\"$ref\":\"#\"}",
        "{\"not\":{\"$ref\":\"#\"}}",
        "{\"anyOf\":[{\"$ref\":\"#\"},true]}",
        "{\"if\":{\"$ref\":\"#\"},\"else\":true}",
        ("{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"$ref\":"
         "\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}"),
        "{\"oneOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
    };
    for (size_t i = 0; i < VL_COUNT(endless); i++) {
        struct vl_schema *schema = schema_of(endless[i]);
        valet_error err;
        assert_int_equal(check(schema, "1", &err), VALET_LIMIT);
        assert_string_equal(err.message,
                            "it takes too much work to check the value");
        vl_schema_free(schema);
    }
}

/* 2^20 ways through twenty doublings, and none of them fits. */
static void
bounds_the_ways_through_a_schema(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(8192);
    vl_buf_addz(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (unsigned i = 0; i < 20; i++)
        vl_buf_addf(&text,
                    "\"d%u\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%u\"},"
                    "{\"$ref\":\"#/$defs/d%u\"}]},",
                    i, i + 1, i + 1);
    vl_buf_addz(&text, "\"d20\":{\"type\":\"null\"}}}");
    struct vl_schema *schema = schema_of(vl_buf_cstr(&text));
    assert_ok(check(schema, "null", NULL));
    assert_int_equal(check(schema, "1", NULL), VALET_LIMIT);
    vl_schema_free(schema);
}

static void
bounds_the_pairs_of_a_list(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(100000);
    struct vl_schema *schema = schema_of("{\"uniqueItems\":true}");
    vl_buf_addz(&text, "[0");
    for (unsigned i = 1; i < 600; i++)
        vl_buf_addf(&text, ",%u", i);
    vl_buf_addz(&text, "]");
    assert_ok(check(schema, vl_buf_cstr(&text), NULL));
    vl_buf_clear(&text);
    vl_buf_addz(&text, "[0");
    for (unsigned i = 1; i < 700; i++)
        vl_buf_addf(&text, ",%u", i);
    vl_buf_addz(&text, "]");
    assert_int_equal(check(schema, vl_buf_cstr(&text), NULL), VALET_LIMIT);
    vl_schema_free(schema);
}

static void
takes_values_as_deep_as_they_are_read(void **state)
{
    (void)state;
    char text[2 * VL_LIMIT_JSON_DEPTH + 1];
    memset(text, '[', VL_LIMIT_JSON_DEPTH);
    memset(text + VL_LIMIT_JSON_DEPTH, ']', VL_LIMIT_JSON_DEPTH);
    text[2 * VL_LIMIT_JSON_DEPTH] = '\0';
    struct vl_schema *schema =
        schema_of("{\"allOf\":[{\"anyOf\":[{\"$ref\":\"#/$defs/l\"}]}],"
                  "\"$defs\":{\"l\":{\"items\":{\"$ref\":\"#\"}}}}");
    assert_ok(check(schema, text, NULL));
    vl_schema_free(schema);
}

/* A no that took too long is no yes, whatever stands around it. */
static void
gives_up_on_patterns_that_never_end(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "{\"pattern\":\"^(a+)+$\"}",
        "{\"not\":{\"pattern\":\"^(a+)+$\"}}",
        "{\"anyOf\":[{\"pattern\":\"^(a+)+$\"},true]}",
        "{\"allOf\":[{\"maxLength\":100},{\"pattern\":\"^(a|a)*$\"}]}",
    };
    const char *text =
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"";
    for (size_t i = 0; i < VL_COUNT(endless); i++) {
        struct vl_schema *schema = schema_of(endless[i]);
        assert_int_equal(check(schema, text, NULL), VALET_LIMIT);
        vl_schema_free(schema);
    }
    struct vl_schema *schema =
        schema_of("{\"patternProperties\":{\"^(a+)+$\":true},"
                  "\"additionalProperties\":true}");
    vl_auto(vl_buf) object = vl_buf_of(1000);
    vl_buf_addf(&object, "{%s:1}", text);
    assert_int_equal(check(schema, vl_buf_cstr(&object), NULL), VALET_LIMIT);
    vl_schema_free(schema);
}

/* All the values of one check share its steps. */
static void
counts_patterns_with_all_else(void **state)
{
    (void)state;
    struct vl_schema *schema =
        schema_of("{\"items\":{\"pattern\":\"^[ab]*c$\"}}");
    vl_auto(vl_buf) list = vl_buf_of(1000000);
    vl_buf_addz(&list, "[\"c\"");
    for (unsigned i = 0; i < 10000; i++)
        vl_buf_addz(&list, ",\"abc\"");
    vl_buf_addz(&list, "]");
    assert_ok(check(schema, vl_buf_cstr(&list), NULL));
    list.n--;
    for (unsigned i = 0; i < 50000; i++)
        vl_buf_addz(&list, ",\"abc\"");
    vl_buf_addz(&list, "]");
    assert_int_equal(check(schema, vl_buf_cstr(&list), NULL), VALET_LIMIT);
    vl_schema_free(schema);
}

static void
bounds_what_patterns_take_of_memory(void **state)
{
    (void)state;
    struct vl_schema *schema = NULL;
    vl_auto(vl_buf) text = vl_buf_of(1000000);
    const unsigned counts[] = {4, 40};
    for (size_t k = 0; k < VL_COUNT(counts); k++) {
        vl_buf_clear(&text);
        vl_buf_addz(&text, "{\"allOf\":[true");
        for (unsigned i = 0; i < counts[k]; i++)
            vl_buf_addf(&text, ",{\"pattern\":\"(?:a%ub){1000}\"}", i % 37);
        vl_buf_addz(&text, "]}");
        vl_auto(vl_json) doc = parse(vl_buf_cstr(&text));
        valet_error err = {.status = VALET_OK};
        assert_int_equal(vl_schema_new(doc.root, &schema, &err),
                         k ? VALET_INVALID : VALET_OK);
        if (k)
            assert_non_null(strstr(err.message, "is one pattern too many"));
        else
            vl_schema_free(schema);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_types),
        cmocka_unit_test(knows_values),
        cmocka_unit_test(knows_numbers),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(looks_into_objects),
        cmocka_unit_test(looks_into_arrays),
        cmocka_unit_test(joins_schemas),
        cmocka_unit_test(follows_references),
        cmocka_unit_test(knows_patterns),
        cmocka_unit_test(knows_a_schema_of_all_vocabularies),
        cmocka_unit_test(ignores_what_means_nothing),
        cmocka_unit_test(refuses_what_it_cannot_check),
        cmocka_unit_test(says_where_and_which_keyword_but_no_value),
        cmocka_unit_test(tells_of_long_names_in_one_sentence),
        cmocka_unit_test(gives_up_on_what_has_no_end),
        cmocka_unit_test(bounds_the_ways_through_a_schema),
        cmocka_unit_test(bounds_the_pairs_of_a_list),
        cmocka_unit_test(takes_values_as_deep_as_they_are_read),
        cmocka_unit_test(gives_up_on_patterns_that_never_end),
        cmocka_unit_test(counts_patterns_with_all_else),
        cmocka_unit_test(bounds_what_patterns_take_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
