/* SPDX-License-Identifier: Apache-2.0 */
#include "core/enc.h"
#include "core/limits.h"
#include "mcp/state.h"
#include "json/read.h"

#include "vl_test.h"

#define NOW INT64_C(1790000000000)

static int
make_ring(void **state)
{
    *state = vl_keyring_new_random();
    return 0;
}

static int
free_ring(void **state)
{
    vl_keyring_free(*state);
    return 0;
}

static const struct vl_principal alice = {
    .client = {"vscode"},
    .user = {"11111111-1111-1111-1111-111111111111",
             "22222222-2222-2222-2222-222222222222"},
    .session = "first",
};

static void
digest(const char *method, const char *params, char ret[VL_MCP_STATE_DIGEST])
{
    vl_auto(vl_json) doc = {NULL};
    if (params)
        assert_ok(
            vl_json_parse(vl_str_z(params), VL_LIMIT_JSON_DEPTH, &doc, NULL));
    vl_mcp_state_digest(vl_str_z(method), doc.root, ret);
}

static struct vl_mcp_state_use
use_of(const struct vl_principal *principal, const char *params)
{
    struct vl_mcp_state_use use = {.principal = principal,
                                   .resource = "https://valet/mcp"};
    digest("tools/call", params, use.request);
    return use;
}

static struct vl_mcp_state_use
usual(void)
{
    return use_of(&alice,
                  "{\"name\":\"deploy\",\"arguments\":{\"to\":\"eu\"}}");
}

static struct vl_buf
sealed(const struct vl_keyring *ring, struct vl_str payload)
{
    struct vl_buf text = vl_buf_of(VL_MCP_STATE_MAX);
    struct vl_mcp_state_use use = usual();
    assert_ok(vl_mcp_state_seal(ring, &use, NOW, payload, &text, NULL));
    return text;
}

/* Nothing that a caller could look at differs from one refusal to another. */
static void
refuses(const struct vl_keyring *ring, struct vl_mcp_state_use use, int64_t now,
        struct vl_str text)
{
    vl_auto(vl_buf) out = vl_buf_of(VL_MCP_STATE_MAX);
    vl_buf_addz(&out, "before");
    struct vl_str guarded = vl_test_guarded(text);
    assert_int_equal(vl_mcp_state_open(ring, &use, now, guarded, &out),
                     VALET_DENIED);
    vl_test_unguard(guarded);
    assert_str(vl_buf_str(&out), "before");
    assert_false(out.failed);
}

static void
opens(const struct vl_keyring *ring, struct vl_mcp_state_use use, int64_t now,
      struct vl_str text, struct vl_str payload)
{
    vl_auto(vl_buf) out = vl_buf_of_secret(VL_MCP_STATE_MAX);
    assert_ok(vl_mcp_state_open(ring, &use, now, text, &out));
    assert_true(vl_str_eq(vl_buf_str(&out), payload));
}

/* @spec HT-69 */
static void
opens_what_it_sealed(void **state)
{
    static char large[48000];
    memset(large, 'x', sizeof large);
    const struct vl_str payloads[] = {VL_STR(""), VL_STR("{\"answers\":{}}"),
                                      VL_STR("with \0 a NUL"),
                                      vl_str_of(large, sizeof large)};
    for (size_t i = 0; i < VL_COUNT(payloads); i++) {
        vl_auto(vl_buf) text = sealed(*state, payloads[i]);
        opens(*state, usual(), NOW, vl_buf_str(&text), payloads[i]);
    }
}

static void
appends_to_what_is_there(void **state)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_STATE_MAX);
    vl_auto(vl_buf) out = vl_buf_of(100);
    struct vl_mcp_state_use use = usual();
    vl_buf_addz(&text, "\"");
    vl_buf_addz(&out, "the ");
    assert_ok(
        vl_mcp_state_seal(*state, &use, NOW, VL_STR("secret"), &text, NULL));
    assert_ok(vl_mcp_state_open(*state, &use, NOW,
                                vl_str_from(vl_buf_str(&text), 1), &out));
    assert_str(vl_buf_str(&out), "the secret");
}

static bool
holds(struct vl_str text, struct vl_str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (vl_str_starts(vl_str_from(text, i), part))
            return true;
    return false;
}

static void
is_a_text_of_one_word_that_tells_nothing(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("secret"));
    vl_auto(vl_buf) again = sealed(*state, VL_STR("secret"));
    vl_auto(vl_buf) bytes = vl_buf_of(1000);
    assert_true(vl_dec_base64url(vl_buf_str(&text), &bytes));
    assert_false(holds(vl_buf_str(&bytes), VL_STR("secret")));
    assert_false(holds(vl_buf_str(&bytes), vl_str_z(alice.user.oid)));
    assert_false(vl_str_eq(vl_buf_str(&text), vl_buf_str(&again)));
}

/* @spec HT-69 */
static void
refuses_every_changed_byte(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    char bytes[200];
    size_t n = vl_buf_size(&text);
    assert_true(n <= sizeof bytes);
    for (size_t i = 0; i < n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bytes, vl_buf_str(&text).p, n);
            bytes[i] = (char)((unsigned char)bytes[i] ^ (1u << bit));
            refuses(*state, usual(), NOW, vl_str_of(bytes, n));
        }
    }
}

static void
refuses_what_is_cut_or_longer_or_no_state_at_all(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    for (size_t n = 0; n < vl_buf_size(&text); n++)
        refuses(*state, usual(), NOW, vl_str_head(vl_buf_str(&text), n));
    vl_buf_addc(&text, 'A');
    refuses(*state, usual(), NOW, vl_buf_str(&text));
    vl_buf_addz(&text, "AAA");
    refuses(*state, usual(), NOW, vl_buf_str(&text));
    refuses(*state, usual(), NOW, (struct vl_str){NULL, 0});
    refuses(*state, usual(), NOW, VL_STR("{\"round\":1}"));
    static char large[VL_MCP_STATE_MAX + 4];
    memset(large, 'A', sizeof large);
    refuses(*state, usual(), NOW, vl_str_of(large, sizeof large));
    refuses(*state, usual(), NOW, vl_str_of(large, VL_MCP_STATE_MAX));
}

/* @spec HT-69 D10 */
static void
refuses_another_persons_state(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_mcp_state_use use = usual();
    struct vl_principal bob = alice;
    use.principal = &bob;
    bob.user.oid[0] = '3';
    refuses(*state, use, NOW, vl_buf_str(&text));
    bob = alice;
    bob.user.tid[35] = '3';
    refuses(*state, use, NOW, vl_buf_str(&text));
    bob = alice;
    bob.user.oid[0] = '\0';
    refuses(*state, use, NOW, vl_buf_str(&text));
}

/* @spec HT-69 D10 */
static void
refuses_the_state_of_another_client(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_mcp_state_use use = usual();
    struct vl_principal other = alice;
    use.principal = &other;
    static const char *const clients[] = {"", "vscod", "vscode2", "VSCODE"};
    for (size_t i = 0; i < VL_COUNT(clients); i++) {
        (void)snprintf(other.client.text, sizeof other.client.text, "%s",
                       clients[i]);
        refuses(*state, use, NOW, vl_buf_str(&text));
    }
}

/* @spec HT-69 D10 */
static void
refuses_the_state_of_another_server(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_mcp_state_use use = usual();
    static const char *const others[] = {NULL, "", "https://valet/a/mcp",
                                         "https://valet/mc"};
    for (size_t i = 0; i < VL_COUNT(others); i++) {
        use.resource = others[i];
        refuses(*state, use, NOW, vl_buf_str(&text));
    }
}

/* What one field loses at its end another may not win at its front. */
static void
keeps_the_fields_of_a_principal_apart(void **state)
{
    struct vl_principal one = {.user = {"a", "bc"}, .client = {"d"}};
    struct vl_principal two = {.user = {"ab", "c"}, .client = {"d"}};
    struct vl_principal three = {.user = {"a", "b"}, .client = {"cd"}};
    struct vl_mcp_state_use use = use_of(&one, "{}");
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_STATE_MAX);
    assert_ok(
        vl_mcp_state_seal(*state, &use, NOW, VL_STR("kept"), &text, NULL));
    opens(*state, use, NOW, vl_buf_str(&text), VL_STR("kept"));
    refuses(*state, use_of(&two, "{}"), NOW, vl_buf_str(&text));
    refuses(*state, use_of(&three, "{}"), NOW, vl_buf_str(&text));
}

static void
holds_fields_of_any_length(void **state)
{
    struct vl_principal long_one = alice;
    char resource[VL_MCP_STATE_RESOURCE] = "";
    memset(long_one.client.text, 'c', sizeof long_one.client.text - 1);
    memset(resource, 'r', sizeof resource - 1);
    struct vl_mcp_state_use use = use_of(&long_one, "{}");
    use.resource = resource;
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_STATE_MAX);
    assert_ok(
        vl_mcp_state_seal(*state, &use, NOW, VL_STR("kept"), &text, NULL));
    opens(*state, use, NOW, vl_buf_str(&text), VL_STR("kept"));
    long_one.client.text[sizeof long_one.client.text - 2] = 'd';
    refuses(*state, use, NOW, vl_buf_str(&text));
}

/* A person who signs in again goes on. */
static void
does_not_ask_for_the_same_sign_in(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_principal later = alice;
    struct vl_mcp_state_use use = usual();
    use.principal = &later;
    (void)snprintf(later.session, sizeof later.session, "second");
    opens(*state, use, NOW, vl_buf_str(&text), VL_STR("kept"));
}

/* @spec HT-69 */
static void
refuses_the_state_of_another_request(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    refuses(
        *state,
        use_of(&alice, "{\"name\":\"deploy\",\"arguments\":{\"to\":\"us\"}}"),
        NOW, vl_buf_str(&text));
    struct vl_mcp_state_use use = usual();
    digest("prompts/get", "{\"name\":\"deploy\",\"arguments\":{\"to\":\"eu\"}}",
           use.request);
    refuses(*state, use, NOW, vl_buf_str(&text));
}

/* @spec HT-69 */
static void
refuses_it_when_its_time_is_over(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_str t = vl_buf_str(&text);
    opens(*state, usual(), NOW + VL_MCP_STATE_TTL_MS - 1, t, VL_STR("kept"));
    refuses(*state, usual(), NOW + VL_MCP_STATE_TTL_MS, t);
    refuses(*state, usual(), NOW + 10 * VL_MCP_STATE_TTL_MS, t);
    refuses(*state, usual(), INT64_MAX, t);
}

static void
refuses_the_state_of_another_ring(void **state)
{
    vl_auto(vl_buf) text = sealed(*state, VL_STR("kept"));
    struct vl_keyring *other = vl_keyring_new_random();
    refuses(other, usual(), NOW, vl_buf_str(&text));
    vl_keyring_free(other);
}

/* A record of the store that was sealed by the same ring, or a state that was
 * made for another purpose. */
static void
refuses_what_was_sealed_for_something_else(void **state)
{
    vl_auto(vl_buf) raw = vl_buf_of(1000), text = vl_buf_of(1000);
    assert_ok(vl_seal(*state, VL_STR("session/7f"),
                      VL_STR("\x7f\xff\xff\xff\xff\xff\xff\xffkept"), &raw,
                      NULL));
    vl_enc_base64url(&text, vl_buf_str(&raw));
    refuses(*state, usual(), NOW, vl_buf_str(&text));
}

static void
says_when_it_would_be_too_long(void **state)
{
    static char large[VL_MCP_STATE_MAX];
    memset(large, 'x', sizeof large);
    struct vl_mcp_state_use use = usual();
    const size_t sizes[] = {sizeof large, sizeof large / 4 * 3,
                            sizeof large / 4 * 3 - 8};
    for (size_t i = 0; i < VL_COUNT(sizes); i++) {
        vl_auto(vl_buf) text = vl_buf_of(2 * VL_MCP_STATE_MAX);
        valet_error err = {.status = VALET_OK};
        assert_int_equal(vl_mcp_state_seal(*state, &use, NOW,
                                           vl_str_of(large, sizes[i]), &text,
                                           &err),
                         VALET_LIMIT);
        assert_int_equal(err.status, VALET_LIMIT);
        assert_int_equal(vl_buf_size(&text), 0);
    }
    vl_auto(vl_buf) small = vl_buf_of(20);
    assert_int_equal(
        vl_mcp_state_seal(*state, &use, NOW, VL_STR("kept"), &small, NULL),
        VALET_LIMIT);
    assert_int_equal(vl_buf_size(&small), 0);
}

/* --- the digest --- */

static bool
same(const char *one, const char *two)
{
    char a[VL_MCP_STATE_DIGEST], b[VL_MCP_STATE_DIGEST];
    digest("tools/call", one, a);
    digest("tools/call", two, b);
    return memcmp(a, b, sizeof a) == 0;
}

static void
knows_a_request_however_it_is_written(void **state)
{
    (void)state;
    assert_true(same("{\"name\":\"a\",\"arguments\":{\"x\":1,\"y\":[{\"p\":1,"
                     "\"q\":2}]}}",
                     " { \"arguments\" : { \"y\" : [ { \"q\":2, \"p\":1 } ] ,\n"
                     "\"x\":1 }, \"name\":\"\\u0061\" }"));
    assert_true(same("{\"a\":1.50,\"b\":1e2}", "{\"b\":100.0,\"a\":1.5}"));
    assert_true(
        same("{\"a\":1,\"ab\":2,\"b\":3}", "{\"b\":3,\"ab\":2,\"a\":1}"));
    assert_true(same("[1,{\"a\":1,\"b\":2}]", "[1, {\"b\":2,\"a\":1}]"));
}

/* @spec HT-69 */
static void
takes_no_notice_of_what_a_round_adds(void **state)
{
    (void)state;
    assert_true(same("{\"name\":\"a\"}",
                     "{\"_meta\":{\"progressToken\":7},\"name\":\"a\","
                     "\"inputResponses\":{\"k\":{}},\"requestState\":\"s\"}"));
    assert_true(same(NULL, "{\"requestState\":\"s\"}"));
    assert_true(same(NULL, "{}"));
    /* At the top only. */
    assert_false(same("{\"arguments\":{}}", "{\"arguments\":{\"_meta\":{}}}"));
    assert_false(same("{\"arguments\":{\"requestState\":\"a\"}}",
                      "{\"arguments\":{\"requestState\":\"b\"}}"));
    assert_false(
        same("{\"arguments\":{}}", "{\"arguments\":{\"inputResponses\":{}}}"));
}

static void
tells_different_requests_apart(void **state)
{
    (void)state;
    static const char *const all[] = {
        "{}",
        "[]",
        "[[]]",
        "[{}]",
        "{\"a\":{}}",
        "{\"a\":[]}",
        "{\"a\":null}",
        "{\"a\":false}",
        "{\"a\":true}",
        "{\"a\":\"true\"}",
        "{\"a\":0}",
        "{\"a\":1}",
        "{\"a\":1.5}",
        "{\"a\":\"1\"}",
        "{\"a\":\"\"}",
        "{\"a\":[1,2]}",
        "{\"a\":[2,1]}",
        "{\"a\":[12]}",
        "{\"a\":[[1],2]}",
        "{\"a\":[1,[2]]}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
        "{\"a\":{\"b\":2}}",
        "{\"a\\\",\\\"b\":2}",
        "{\"A\":1}",
        "{\"\":1}",
        "{\"b\":[{\"a\":1},{\"a\":2}]}",
        "{\"b\":[{\"a\":2},{\"a\":1}]}",
        "{\"a\":9007199254740993}",
        "{\"a\":9007199254740992}",
        "{\"_Meta\":{}}",
        "{\"requestState2\":1}",
    };
    for (size_t i = 0; i < VL_COUNT(all); i++)
        for (size_t j = 0; j < i; j++)
            assert_false(same(all[i], all[j]));
    char a[VL_MCP_STATE_DIGEST], b[VL_MCP_STATE_DIGEST];
    digest("tools/call", "{}", a);
    digest("tools/cal", "{}", b);
    assert_memory_not_equal(a, b, sizeof a);
    digest("tools/call\",{}", NULL, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* A message of the largest size, of what grows most when it is written again.
 */
static void
knows_the_largest_requests_again(void **state)
{
    (void)state;
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_MCP_BODY);
    vl_buf_addz(&text, "{\"list\":[1e14");
    while (vl_buf_size(&text) + 10 < VL_LIMIT_MCP_BODY)
        vl_buf_addz(&text, ",1e14");
    vl_buf_addz(&text, "]}");
    assert_false(text.failed);
    assert_true(same(vl_buf_cstr(&text), vl_buf_cstr(&text)));
}

/* Made by other means, for states outlive an update of the server. */
static void
has_the_documented_form(void **state)
{
    (void)state;
    char bytes[VL_MCP_STATE_DIGEST], hex[2 * VL_MCP_STATE_DIGEST + 1];
    digest("tools/call", "{\"b\":[true,null],\"a\":{\"y\":1.5,\"x\":\"\\n\"}}",
           bytes);
    vl_hex(vl_str_of(bytes, sizeof bytes), hex);
    assert_string_equal(
        hex,
        "6b65725b25075f9059885ec3a4ab4e3980f1d31ea172be0c86b820b2968e7b79");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_it_sealed),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(is_a_text_of_one_word_that_tells_nothing),
        cmocka_unit_test(refuses_every_changed_byte),
        cmocka_unit_test(refuses_what_is_cut_or_longer_or_no_state_at_all),
        cmocka_unit_test(refuses_another_persons_state),
        cmocka_unit_test(refuses_the_state_of_another_client),
        cmocka_unit_test(refuses_the_state_of_another_server),
        cmocka_unit_test(keeps_the_fields_of_a_principal_apart),
        cmocka_unit_test(holds_fields_of_any_length),
        cmocka_unit_test(does_not_ask_for_the_same_sign_in),
        cmocka_unit_test(refuses_the_state_of_another_request),
        cmocka_unit_test(refuses_it_when_its_time_is_over),
        cmocka_unit_test(refuses_the_state_of_another_ring),
        cmocka_unit_test(refuses_what_was_sealed_for_something_else),
        cmocka_unit_test(says_when_it_would_be_too_long),
        cmocka_unit_test(knows_a_request_however_it_is_written),
        cmocka_unit_test(takes_no_notice_of_what_a_round_adds),
        cmocka_unit_test(tells_different_requests_apart),
        cmocka_unit_test(knows_the_largest_requests_again),
        cmocka_unit_test(has_the_documented_form),
    };
    return cmocka_run_group_tests(tests, make_ring, free_ring);
}
