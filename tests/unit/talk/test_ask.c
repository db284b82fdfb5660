/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers that ask the client back: the same ones in both eras.
 */
#include "modern.h"

#include "mcp/state.h"
#include "talk/call.h"

/* --- handlers --- */

#define FORM                                                                   \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","      \
    "\"maxLength\":100}},\"required\":[\"name\"]}"

static void
say(valet_mcp_call *call, const char *text)
{
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
}

static void
handle_greet(valet_mcp_call *call, void *ctx)
{
    ((struct desk *)ctx)->started++;
    const char *answer = valet_mcp_elicit(call, "name", "Who?", FORM);
    if (!answer) {
        valet_mcp_await(call);
        return;
    }
    const char *name = valet_mcp_form_text(call, "name", "name");
    assert_null(valet_mcp_form_text(call, "name", "other"));
    assert_null(valet_mcp_form_text(call, "other", "name"));
    say(call, name ? name : answer);
}

static void
handle_all(valet_mcp_call *call, void *ctx)
{
    ((struct desk *)ctx)->started++;
    const char *form = valet_mcp_elicit(call, "form", "Who?", FORM);
    const char *page =
        valet_mcp_elicit_url(call, "page", "Look!", "https://a.example/x");
    const char *text = valet_mcp_sample(
        call, "text", " { \"messages\" : [ ] , \"maxTokens\" : 5 } ");
    const char *roots = valet_mcp_list_roots(call, "roots");
    if (!form || !page || !text || !roots) {
        valet_mcp_await(call);
        return;
    }
    vl_auto(vl_buf) all = vl_buf_of(4096);
    vl_buf_addz(&all, form);
    vl_buf_addz(&all, page);
    vl_buf_addz(&all, text);
    vl_buf_addz(&all, roots);
    valet_mcp_finish(call, &(valet_mcp_result){.text = vl_buf_cstr(&all)});
}

/* One after the other, and what was kept. */
static void
handle_steps(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    const char *kept = valet_mcp_kept(call);
    (void)snprintf(desk->arguments, sizeof desk->arguments, "%s",
                   kept ? kept : "nothing");
    desk->started++;
    if (!valet_mcp_elicit(call, "one", "One?", FORM)) {
        valet_mcp_keep(call, "first");
        valet_mcp_await(call);
    } else if (!valet_mcp_elicit(call, "two", "Two?", FORM)) {
        valet_mcp_keep(call, "forgotten");
        valet_mcp_keep(call, "second \"\\\xc3\xa4");
        valet_mcp_await(call);
    } else if (!valet_mcp_elicit(call, "three", "Three?", FORM)) {
        valet_mcp_await(call);
    } else {
        say(call, valet_mcp_form_text(call, "one", "name"));
    }
}

static void
handle_too_much(valet_mcp_call *call, void *ctx)
{
    const size_t *count = ctx;
    for (size_t i = 0; i < *count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "key-%zu", i);
        (void)valet_mcp_list_roots(call, key);
    }
    valet_mcp_await(call);
}

static void
handle_bad_key(valet_mcp_call *call, void *ctx)
{
    assert_null(valet_mcp_list_roots(call, ctx));
    valet_mcp_await(call);
}

static void
handle_nothing(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_await(call);
}

static void
handle_bad_schema(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    assert_null(valet_mcp_elicit(call, "a", "?", "{"));
    valet_mcp_await(call);
}

static void
handle_bad_sample(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    assert_null(valet_mcp_sample(call, "a", "[]"));
    valet_mcp_await(call);
}

static void
handle_sample(valet_mcp_call *call, void *ctx)
{
    if (valet_mcp_sample(call, "text", ctx))
        say(call, valet_mcp_sampled_text(call, "text"));
    else
        valet_mcp_await(call);
}

static void
handle_keeps_much(valet_mcp_call *call, void *ctx)
{
    static char much[VL_MCP_KEPT_MAX + 2];
    size_t n = *(const size_t *)ctx;
    memset(much, 'k', n);
    much[n] = '\0';
    if (valet_mcp_kept(call)) {
        say(call, "kept");
        return;
    }
    valet_mcp_keep(call, much);
    valet_mcp_await(call);
}

static void
handle_abilities(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    char text[8];
    (void)snprintf(text, sizeof text, "%d%d%d%d",
                   valet_mcp_can(call, VALET_MCP_CAN_FILL_FORM),
                   valet_mcp_can(call, VALET_MCP_CAN_OPEN_URL),
                   valet_mcp_can(call, VALET_MCP_CAN_SAMPLE),
                   valet_mcp_can(call, VALET_MCP_CAN_LIST_ROOTS));
    say(call, text);
}

static void
add(struct desk *desk, const char *name, valet_mcp_handler *handle, void *ctx)
{
    valet_mcp_tool tool = {
        .name = name,
        .description = "A tool.",
        .input_schema = "{\"type\":\"object\"}",
        .permission = "read",
        .call = handle,
        .ctx = ctx,
    };
    assert_ok(valet_mcp_add_tool(desk->server, &tool, NULL));
}

static int
open_asking_desk(void **state)
{
    (void)open_desk(state);
    struct desk *desk = *state;
    add(desk, "greet", handle_greet, desk);
    add(desk, "all", handle_all, desk);
    add(desk, "steps3", handle_steps, desk);
    add(desk, "nothing", handle_nothing, desk);
    return 0;
}

/* --- a person that is asked --- */

struct person {
    struct desk *desk;
    bool is_modern;
    struct client client;
    struct modern modern;
    const char *tool;
    struct fake_answer answer;
    size_t seen; /* of the stream, up to 2025-11-25 */
    char ids[20][64];
    size_t count;          /* questions that are open */
    struct vl_buf replies; /* from 2026-07-28 on: inputResponses */
};

static const char *const versions[] = {"2025-06-18", "2025-11-25",
                                       "2026-07-28"};

static struct person
person_of(struct desk *desk, const char *version, const char *abilities)
{
    struct person p = {.desk = desk,
                       .is_modern = strcmp(version, "2026-07-28") == 0,
                       .replies = vl_buf_of(1 << 20)};
    if (p.is_modern) {
        p.modern = modern_of(desk, &alice);
        p.modern.abilities = abilities;
    } else {
        p.client = open_able_client(desk, &alice, version, abilities);
    }
    return p;
}

static void
read_questions(struct person *p)
{
    struct vl_str event;
    p->count = 0;
    while (!p->is_modern && (event = next_event(&p->answer, &p->seen)).p) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(event, 32, &doc, NULL));
        if (!vl_json_get_str(doc.root, "method").p)
            continue;
        struct vl_str id = vl_json_get_str(doc.root, "id");
        assert_int_equal(id.n, 36);
        (void)snprintf(p->ids[p->count++], sizeof p->ids[0], VL_STR_FMT,
                       VL_STR_ARG(id));
    }
    if (!p->is_modern || p->answer.status != 200)
        return;
    vl_auto(vl_json) doc = {NULL};
    const struct json_t *result = read_result(&p->answer, &doc);
    if (!vl_str_eqz(vl_json_get_str(result, "resultType"), "input_required"))
        return;
    p->count = vl_json_size(vl_json_get(result, "inputRequests"));
    assert_true(has(&p->answer, WHOSE));
    /* @spec HT-71 */
    assert_null(vl_json_get(result, "ttlMs"));
}

static void
begin(struct person *p, const char *tool)
{
    char body[200];
    p->tool = tool;
    if (p->is_modern) {
        call_modern(&p->modern, "1", tool, "", &p->answer);
    } else {
        (void)snprintf(body, sizeof body, CALL("1", "\"name\":\"%s\""), tool);
        p->seen = 0;
        client_send(&p->client, "POST", body, &p->answer);
    }
    read_questions(p);
}

#define RESPONSE(id, result)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"

/* Answers one question, which is the `i`-th of those that are open. */
static void
reply(struct person *p, size_t i, const char *key, const char *json)
{
    vl_auto(vl_buf) body = vl_buf_of(1 << 20);
    if (p->is_modern) {
        vl_buf_addz(&p->replies, vl_buf_size(&p->replies) ? ",\"" : "\"");
        vl_buf_addz(&p->replies, key);
        vl_buf_addz(&p->replies, "\":");
        vl_buf_addz(&p->replies, json);
        return;
    }
    assert_true(i < p->count);
    vl_buf_addz(&body, "{\"jsonrpc\":\"2.0\",\"id\":\"");
    vl_buf_addz(&body, p->ids[i]);
    vl_buf_addz(&body, "\",\"result\":");
    vl_buf_addz(&body, json);
    vl_buf_addz(&body, "}");
    expect(&p->client, vl_buf_cstr(&body), 202, "");
}

static void
copy_state(const struct person *p, struct vl_buf *ret)
{
    vl_auto(vl_json) doc = {NULL};
    vl_buf_add(ret,
               vl_json_get_str(read_result(&p->answer, &doc), "requestState"));
    assert_true(vl_buf_size(ret) > 0);
}

/* All was answered that is going to be. */
static void
go_on(struct person *p)
{
    if (p->is_modern) {
        vl_auto(vl_buf) more = vl_buf_of(1 << 21);
        vl_auto(vl_buf) text = vl_buf_of(1 << 20);
        copy_state(p, &text);
        vl_buf_addz(&more, ",\"inputResponses\":{");
        vl_buf_add(&more, vl_buf_str(&p->replies));
        vl_buf_addz(&more, "},\"requestState\":\"");
        vl_buf_add(&more, vl_buf_str(&text));
        vl_buf_addz(&more, "\"");
        vl_buf_clear(&p->replies);
        fake_answer_done(&p->answer);
        call_modern(&p->modern, "2", p->tool, vl_buf_cstr(&more), &p->answer);
    }
    read_questions(p);
}

static void
expect_end(struct person *p, const char *part)
{
    assert_true(p->answer.finished);
    if (!has(&p->answer, part))
        assert_string_equal(body_of(&p->answer), part);
    fake_answer_done(&p->answer);
    vl_buf_done(&p->replies);
}

#define SAYS(text)  "\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]"
#define FAILS(text) SAYS(text) ",\"isError\":true"
#define ANN         "{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}"
#define A_TEXT                                                                 \
    "{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"x\"},"  \
    "\"model\":\"m\"}"
#define ROOTS "{\"roots\":[{\"uri\":\"file:///a\"}]}"

/* --- asking --- */

/* @spec HT-68 HT-56 */
static void
asks_with_a_form_in_every_revision(void **state)
{
    struct desk *desk = *state;
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        desk->started = 0;
        begin(&p, "greet");
        assert_int_equal(p.count, 1);
        assert_int_equal(p.answer.finished, p.is_modern);
        assert_true(has(&p.answer, "\"method\":\"elicitation/create\""));
        assert_true(
            has(&p.answer, "\"message\":\"Who?\",\"requestedSchema\":" FORM));
        /* @spec HT-39 */
        assert_int_equal(has(&p.answer, "\"mode\":\"form\""), i > 0);
        reply(&p, 0, "name", ANN);
        go_on(&p);
        assert_int_equal(desk->started, 2);
        expect_end(&p, SAYS("Ann"));
    }
    assert_string_equal(desk->reasons[VL_MCP_TOOL_ENDED] ? "some" : "none",
                        "none");
}

static void
asks_several_things_at_once(void **state)
{
    struct desk *desk = *state;
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        desk->started = 0;
        begin(&p, "all");
        assert_int_equal(p.count, 4);
        assert_true(has(&p.answer, "\"method\":\"sampling/createMessage\","
                                   "\"params\":{\"messages\":[],"
                                   "\"maxTokens\":5}"));
        assert_true(has(&p.answer, "\"method\":\"roots/list\",\"params\":{}"));
        assert_true(has(&p.answer, "\"url\":\"https://a.example/x\""));
        assert_int_equal(has(&p.answer, "\"mode\":\"url\""), i > 0);
        assert_int_equal(has(&p.answer, "elicitationId"), i == 1);
        reply(&p, 3, "roots", ROOTS);
        reply(&p, 1, "page", "{\"action\":\"accept\"}");
        reply(&p, 0, "form", ANN);
        assert_int_equal(desk->started, 1);
        reply(&p, 2, "text", A_TEXT);
        go_on(&p);
        assert_int_equal(desk->started, 2);
        expect_end(&p, "{\\\"action\\\":\\\"accept\\\",\\\"content\\\":{"
                       "\\\"name\\\":\\\"Ann\\\"}}{\\\"action\\\":"
                       "\\\"accept\\\"}{\\\"role\\\":\\\"assistant\\\"");
    }
}

/* @spec HT-70 */
static void
keeps_what_was_answered_and_asks_for_the_rest(void **state)
{
    struct person p = person_of(*state, "2026-07-28", CAN_ALL);
    begin(&p, "all");
    reply(&p, 0, "text", A_TEXT);
    reply(&p, 0, "unknown", "7");
    go_on(&p);
    assert_int_equal(p.count, 3);
    assert_false(has(&p.answer, "\"text\":{"));
    reply(&p, 0, "form", ANN);
    reply(&p, 0, "roots", ROOTS);
    /* What is known does not change any more. */
    reply(&p, 0, "text", "{\"role\":\"user\",\"content\":\"other\"}");
    go_on(&p);
    assert_int_equal(p.count, 1);
    go_on(&p);
    assert_int_equal(p.count, 1);
    reply(&p, 0, "page", "{\"action\":\"decline\"}");
    go_on(&p);
    expect_end(&p, "{\\\"action\\\":\\\"decline\\\"}{\\\"role\\\":"
                   "\\\"assistant\\\"");
}

/* Clients may answer before they are asked. */
static void
takes_answers_without_a_state(void **state)
{
    struct modern m = modern_of(*state, &alice);
    struct fake_answer answer;
    m.abilities = CAN_ALL;
    call_modern(&m, "1", "greet", ",\"inputResponses\":{\"name\":" ANN "}",
                &answer);
    assert_true(has(&answer, SAYS("Ann")));
    fake_answer_done(&answer);
}

static void
asks_again_where_an_answer_does_not_fit(void **state)
{
    static const char *const forms[] = {
        "{}",
        "{\"action\":\"accept\"}",
        "{\"action\":\"accept\",\"content\":null}",
        "{\"action\":\"accept\",\"content\":[]}",
        "{\"action\":\"accept\",\"content\":{}}",
        "{\"action\":\"accept\",\"content\":{\"name\":7}}",
        "{\"action\":\"Accept\",\"content\":{\"name\":\"x\"}}",
        "{\"action\":7}",
        "[]",
    };
    struct desk *desk = *state;
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "greet");
        for (size_t k = 0; k < VL_COUNT(forms); k++) {
            reply(&p, 0, "name", forms[k]);
            go_on(&p);
            assert_int_equal(p.count, 1);
        }
        reply(&p, 0, "name", ANN);
        go_on(&p);
        expect_end(&p, SAYS("Ann"));
        p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "all");
        reply(&p, 0, "form", "{\"action\":\"cancel\"}");
        reply(&p, 1, "page", "{\"action\":\"x\"}");
        reply(&p, 2, "text", "{\"role\":\"assistant\"}");
        reply(&p, 3, "roots", "{\"roots\":{}}");
        go_on(&p);
        assert_int_equal(p.count, 3);
        reply(&p, 0, "page", "{\"action\":\"cancel\"}");
        reply(&p, 1, "text", A_TEXT);
        reply(&p, 2, "roots", "{\"roots\":[]}");
        go_on(&p);
        expect_end(&p, "{\\\"roots\\\":[]}");
    }
}

static void
takes_no_for_an_answer(void **state)
{
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(*state, versions[i], CAN_ALL);
        begin(&p, "greet");
        reply(&p, 0, "name", "{\"action\":\"decline\"}");
        go_on(&p);
        expect_end(&p, SAYS("{\\\"action\\\":\\\"decline\\\"}"));
    }
}

/* Up to 2025-11-25 the server keeps what it asks: not for ever. */
static void
asks_an_obstinate_client_so_often(void **state)
{
    struct person p = person_of(*state, "2025-11-25", CAN_ALL);
    begin(&p, "greet");
    for (int i = 0; i < VL_MCP_ROUNDS_MAX; i++) {
        assert_int_equal(p.count, 1);
        reply(&p, 0, "name", "{}");
        go_on(&p);
    }
    assert_int_equal(p.count, 0);
    expect_end(&p, FAILS("The client was asked too often"));
}

static void
asks_for_prompts_and_resources_too(void **state)
{
    struct desk *desk = *state;
    static valet_mcp_prompt prompt = {
        .name = "greet", .permission = "read", .get = handle_greet};
    static valet_mcp_resource resource = {.uri = "note://1",
                                          .name = "one",
                                          .permission = "read",
                                          .read = handle_greet};
    prompt.ctx = resource.ctx = desk;
    assert_ok(valet_mcp_add_prompt(desk->server, &prompt, NULL));
    assert_ok(valet_mcp_add_resource(desk->server, &resource, NULL));
    static const struct {
        const char *method, *name, *params;
    } cases[] = {{"prompts/get", "greet", "\"name\":\"greet\""},
                 {"resources/read", "note://1", "\"uri\":\"note://1\""}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct modern m = modern_of(desk, &alice);
        struct fake_answer answer;
        vl_auto(vl_json) doc = {NULL};
        vl_auto(vl_buf) more = vl_buf_of(1 << 16);
        m.abilities = CAN_ALL;
        m.name = cases[i].name;
        send_modern(&m, "1", cases[i].method, cases[i].params, &answer);
        struct vl_str sealed =
            vl_json_get_str(read_result(&answer, &doc), "requestState");
        vl_buf_addz(&more, cases[i].params);
        vl_buf_addz(&more, ",\"inputResponses\":{\"name\":" ANN
                           "},\"requestState\":\"");
        vl_buf_add(&more, sealed);
        vl_buf_addz(&more, "\"");
        fake_answer_done(&answer);
        send_modern(&m, "2", cases[i].method, vl_buf_cstr(&more), &answer);
        assert_true(has(&answer, "\"Ann\""));
        fake_answer_done(&answer);
        /* Who cannot be asked gets an error of the protocol. */
        struct client client = open_client(desk, &alice, "2025-11-25");
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\","
                       "\"params\":{%s}}",
                       cases[i].method, cases[i].params);
        expect(&client, body, 200,
               REFUSED("1", "-32603",
                       "This needs a client that can be asked back (sampling, "
                       "elicitation or roots)"));
    }
}

/* --- what is kept --- */

static void
keeps_a_text_for_the_next_run_alone(void **state)
{
    struct desk *desk = *state;
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "steps3");
        assert_string_equal(desk->arguments, "nothing");
        reply(&p, 0, "one", ANN);
        go_on(&p);
        assert_string_equal(desk->arguments, "first");
        assert_false(has(&p.answer, "first"));
        reply(&p, 0, "two", ANN);
        go_on(&p);
        assert_string_equal(desk->arguments, "second \"\\\xc3\xa4");
        reply(&p, 0, "three", ANN);
        go_on(&p);
        assert_string_equal(desk->arguments, "nothing");
        expect_end(&p, SAYS("Ann"));
    }
}

static void
keeps_as_much_as_is_promised(void **state)
{
    struct desk *desk = *state;
    static size_t fits = VL_MCP_KEPT_MAX, too_much = VL_MCP_KEPT_MAX + 1;
    add(desk, "fits", handle_keeps_much, &fits);
    add(desk, "much", handle_keeps_much, &too_much);
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "fits");
        if (p.is_modern) /* just comes again */
            go_on(&p);
        expect_end(&p, SAYS("kept"));
        p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "much");
        expect_end(&p, FAILS("The handler keeps too much"));
    }
}

static void
bounds_what_a_state_holds(void **state)
{
    struct person p = person_of(*state, "2026-07-28", CAN_ALL);
    vl_auto(vl_buf) huge = vl_buf_of(1 << 20);
    begin(&p, "all");
    vl_buf_addz(&huge, "{\"roots\":[\"");
    for (size_t i = 0; i < VL_MCP_STATE_MAX; i++)
        vl_buf_addc(&huge, 'x');
    vl_buf_addz(&huge, "\"]}");
    reply(&p, 0, "roots", vl_buf_cstr(&huge));
    go_on(&p);
    expect_end(&p, FAILS("The answers so far are too long"));
}

static void
refuses_handlers_that_ask_wrongly(void **state)
{
    struct desk *desk = *state;
    static size_t sixteen = VL_MCP_ASKS_MAX, more = VL_MCP_ASKS_MAX + 1;
    static char space[] = "a b", empty[] = "", dot[] = "a.b",
                long_one[VL_MCP_NAME_MAX + 2];
    memset(long_one, 'k', VL_MCP_NAME_MAX + 1);
    add(desk, "sixteen", handle_too_much, &sixteen);
    add(desk, "more", handle_too_much, &more);
    add(desk, "space", handle_bad_key, space);
    add(desk, "empty", handle_bad_key, empty);
    add(desk, "dot", handle_bad_key, dot);
    add(desk, "long", handle_bad_key, long_one);
    add(desk, "schema", handle_bad_schema, NULL);
    add(desk, "sample", handle_bad_sample, NULL);
    static const struct {
        const char *tool, *why;
    } cases[] = {
        {"more", "The handler asks too much, or by a bad name"},
        {"space", "The handler asks too much, or by a bad name"},
        {"empty", "The handler asks too much, or by a bad name"},
        {"dot", "The handler asks too much, or by a bad name"},
        {"long", "The handler asks too much, or by a bad name"},
        {"schema", "The handler's schema of a form is no JSON"},
        {"sample", "The handler's sampling request is no object"},
        {"nothing", "The handler waits for nothing"},
    };
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "sixteen");
        assert_int_equal(p.count, VL_MCP_ASKS_MAX);
        if (!p.is_modern) {
            struct fake_answer gone;
            client_send(&p.client, "DELETE", "", &gone);
            fake_answer_done(&gone);
        }
        fake_answer_done(&p.answer);
        vl_buf_done(&p.replies);
        for (size_t k = 0; k < VL_COUNT(cases); k++) {
            char wanted[200];
            p = person_of(desk, versions[i], CAN_ALL);
            begin(&p, cases[k].tool);
            (void)snprintf(wanted, sizeof wanted, FAILS("%s"), cases[k].why);
            expect_end(&p, wanted);
        }
    }
}

/* --- who can be asked --- */

static void
tells_what_a_client_can_be_asked(void **state)
{
    struct desk *desk = *state;
    add(desk, "abilities", handle_abilities, NULL);
    static const struct {
        const char *abilities, *says;
    } cases[] = {
        {"{}", "0000"},
        {CAN_ALL, "1111"},
        {"{\"elicitation\":{}}", "1000"},
        {"{\"elicitation\":{\"url\":{}}}", "0100"},
        {"{\"elicitation\":{\"form\":{}}}", "1000"},
        {"{\"sampling\":{\"tools\":{}}}", "0010"},
        {"{\"roots\":{\"listChanged\":true}}", "0001"},
        {"{\"roots\":true,\"sampling\":[],\"elicitation\":null}", "0000"},
    };
    for (size_t i = 0; i < VL_COUNT(versions); i++)
        for (size_t k = 0; k < VL_COUNT(cases); k++) {
            char wanted[100];
            struct person p = person_of(desk, versions[i], cases[k].abilities);
            begin(&p, "abilities");
            (void)snprintf(wanted, sizeof wanted, SAYS("%s"), cases[k].says);
            expect_end(&p, wanted);
        }
}

/* @spec HT-53 */
static void
asks_nobody_who_cannot_be_asked(void **state)
{
    struct desk *desk = *state;
    struct person p =
        person_of(desk, "2026-07-28", "{\"sampling\":{},\"elicitation\":{}}");
    begin(&p, "all");
    assert_int_equal(p.answer.status, 400);
    expect_end(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32021,"
                   "\"message\":\"The client lacks a capability that this "
                   "needs\",\"data\":{\"requiredCapabilities\":{\"roots\":{},"
                   "\"elicitation\":{\"url\":{}}}}}}");
    assert_string_equal(desk->reasons[VL_MCP_TOOL_ENDED], "tool_error");
    for (size_t i = 0; i < 2; i++) {
        p = person_of(desk, versions[i], "{\"sampling\":{}}");
        begin(&p, "greet");
        assert_int_equal(p.answer.status, 200);
        expect_end(&p, FAILS("This needs a client that can be asked back "
                             "(sampling, elicitation or roots)"));
    }
    /* What a session can, another request cannot. */
    p = person_of(desk, "2026-07-28", "{}");
    begin(&p, "greet");
    assert_int_equal(p.answer.status, 400);
    expect_end(&p, "-32021");
}

#define LACKS(what) "\"requiredCapabilities\":{\"sampling\":{" what "}}"

/* @spec HT-53 HT-68 */
static void
samples_with_tools_where_that_is_known(void **state)
{
    struct desk *desk = *state;
    static char tools[] = "{\"messages\":[],\"maxTokens\":5,\"tools\":[]}",
                choice[] = "{\"messages\":[],\"toolChoice\":{}}",
                context[] = "{\"messages\":[],"
                            "\"includeContext\":\"thisServer\"}",
                none[] = "{\"messages\":[],\"includeContext\":\"none\"}";
    add(desk, "tools", handle_sample, tools);
    add(desk, "choice", handle_sample, choice);
    add(desk, "context", handle_sample, context);
    add(desk, "none", handle_sample, none);
    static const struct {
        const char *tool, *able, *lacks;
    } cases[] = {
        {"tools", "{\"sampling\":{\"tools\":{}}}", LACKS("\"tools\":{}")},
        {"choice", "{\"sampling\":{\"tools\":{}}}", LACKS("\"tools\":{}")},
        {"context", "{\"sampling\":{\"context\":{}}}", LACKS("\"context\":{}")},
        {"none", "{\"sampling\":{}}", NULL},
    };
    for (size_t i = 0; i < VL_COUNT(versions); i++)
        for (size_t k = 0; k < VL_COUNT(cases); k++) {
            struct person p = person_of(desk, versions[i], cases[k].able);
            begin(&p, cases[k].tool);
            assert_int_equal(p.count, 1);
            reply(&p, 0, "text", A_TEXT);
            go_on(&p);
            expect_end(&p, SAYS("x"));
            p = person_of(desk, versions[i], "{\"sampling\":{}}");
            begin(&p, cases[k].tool);
            /* Before 2025-11-25 nobody declared what was everybody's. */
            if (!cases[k].lacks || (i == 0 && cases[k].tool[0] == 'c' &&
                                    cases[k].tool[1] == 'o')) {
                assert_int_equal(p.count, 1);
                reply(&p, 0, "text", A_TEXT);
                go_on(&p);
                expect_end(&p, SAYS("x"));
                continue;
            }
            assert_int_equal(p.count, 0);
            expect_end(&p, p.is_modern ? cases[k].lacks
                                       : FAILS("This needs a client that can "
                                               "be asked back (sampling, "
                                               "elicitation or roots)"));
        }
}

static void
needs_a_stream_to_ask_on(void **state)
{
    struct person p = person_of(*state, "2025-11-25", CAN_ALL);
    p.client.accept = "application/json";
    begin(&p, "greet");
    expect_end(&p, FAILS("The client cannot be asked: it takes no event "
                         "stream, or reads it too slowly"));
    /* Without a stream it works in the other era. */
    p = person_of(*state, "2026-07-28", CAN_ALL);
    p.modern.accept = "application/json";
    begin(&p, "greet");
    reply(&p, 0, "name", ANN);
    go_on(&p);
    expect_end(&p, SAYS("Ann"));
}

static void
complete_by_asking(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    assert_false(valet_mcp_can(call, VALET_MCP_CAN_FILL_FORM));
    assert_null(valet_mcp_elicit(call, "a", "?", FORM));
    valet_mcp_await(call);
}

/* @spec HT-68 */
/* A client whose stream fills up while it is asked. */
static void
handle_slow(valet_mcp_call *call, void *ctx)
{
    struct person *p = ctx;
    p->answer.full = true;
    handle_all(call, p->desk);
}

static void
loses_no_question_on_a_stream_that_is_full(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2025-11-25", CAN_ALL);
    add(desk, "slow", handle_slow, &p);
    begin(&p, "slow");
    assert_int_equal(p.count, 4);
    reply(&p, 0, "form", ANN);
    reply(&p, 1, "page", "{\"action\":\"accept\"}");
    reply(&p, 2, "text", A_TEXT);
    reply(&p, 3, "roots", ROOTS);
    assert_true(p.answer.finished);
    fake_answer_done(&p.answer);
    vl_buf_done(&p.replies);
}

static void
handle_stuck(valet_mcp_call *call, void *ctx)
{
    struct person *p = ctx;
    p->answer.waiting = VL_LIMIT_STREAM_MOST;
    handle_all(call, p->desk);
}

static void
ends_a_call_when_a_question_has_no_room(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2025-11-25", CAN_ALL);
    add(desk, "stuck", handle_stuck, &p);
    begin(&p, "stuck");
    assert_int_equal(p.count, 0);
    expect_end(&p, FAILS("The client cannot be asked: it takes no event "
                         "stream, or reads it too slowly"));
    /* Nothing is left of what was asked. */
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

static void
asks_nothing_for_a_completion(void **state)
{
    struct desk *desk = *state;
    static const valet_mcp_prompt_argument arguments[] = {{.name = "who"}};
    static const valet_mcp_prompt prompt = {
        .name = "greet",
        .arguments = arguments,
        .argument_count = 1,
        .permission = "read",
        .get = handle_nothing,
        .complete = complete_by_asking,
    };
    assert_ok(valet_mcp_add_prompt(desk->server, &prompt, NULL));
    struct modern m = modern_of(desk, &alice);
    m.abilities = CAN_ALL;
    expect_modern(&m, "1", "completion/complete",
                  "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet\"},"
                  "\"argument\":{\"name\":\"who\",\"value\":\"a\"}",
                  200, REFUSED("1", "-32603", "The handler waits for nothing"));
}

/* --- states (from 2026-07-28 on) --- */

#define NOT_GOOD(id)                                                           \
    REFUSED(id, "-32602",                                                      \
            "The requestState is not good for this request; begin without it")

static void
try_state(const struct modern *m, const char *tool, struct vl_str sealed,
          const char *more, struct fake_answer *answer)
{
    vl_auto(vl_buf) all = vl_buf_of(1 << 17);
    vl_buf_addz(&all,
                ",\"inputResponses\":{\"name\":" ANN "},\"requestState\":\"");
    vl_buf_add(&all, sealed);
    vl_buf_addz(&all, "\"");
    vl_buf_addz(&all, more);
    call_modern(m, "2", tool, vl_buf_cstr(&all), answer);
}

static void
refuse_state(const struct modern *m, const char *tool, struct vl_str sealed,
             const char *more)
{
    struct fake_answer answer;
    try_state(m, tool, sealed, more, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(body_of(&answer), NOT_GOOD("2"));
    fake_answer_done(&answer);
}

/* @spec HT-69 D10 SB-24 */
static void
believes_no_state_but_the_one_it_gave(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2026-07-28", CAN_ALL);
    vl_auto(vl_buf) sealed = vl_buf_of(1 << 16);
    begin(&p, "greet");
    copy_state(&p, &sealed);
    desk->started = 0;
    struct modern m = p.modern, other = p.modern;
    struct vl_principal client = alice, family = alice;
    struct vl_str good = vl_buf_str(&sealed);
    /* Another person; another client; other arguments; another tool. */
    other.principal = &mallory;
    refuse_state(&other, "greet", good, "");
    (void)snprintf(client.client.text, sizeof client.client.text, "c9");
    other.principal = &client;
    refuse_state(&other, "greet", good, "");
    refuse_state(&m, "greet", good, ",\"arguments\":{\"a\":1}");
    refuse_state(&m, "all", good, "");
    /* Changed, cut, empty. */
    char *bytes = vl_strdup(vl_buf_cstr(&sealed));
    for (size_t i = 0; i < good.n; i += 7) {
        char before = bytes[i];
        bytes[i] = before == 'A' ? 'B' : 'A';
        refuse_state(&m, "greet", vl_str_of(bytes, good.n), "");
        bytes[i] = before;
    }
    refuse_state(&m, "greet", vl_str_of(bytes, good.n - 1), "");
    refuse_state(&m, "greet", VL_STR(""), "");
    free(bytes);
    assert_int_equal(desk->started, 0);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    /* A new sign-in of the same person and program is fine. */
    (void)snprintf(family.session, sizeof family.session, "f9");
    other.principal = &family;
    struct fake_answer answer;
    try_state(&other, "greet", good, "", &answer);
    assert_true(has(&answer, SAYS("Ann")));
    fake_answer_done(&answer);
    desk->now += VL_MCP_STATE_TTL_MS - 1;
    try_state(&m, "greet", good, "", &answer);
    assert_true(has(&answer, SAYS("Ann")));
    fake_answer_done(&answer);
    desk->now += 2;
    refuse_state(&m, "greet", good, "");
    fake_answer_done(&p.answer);
}

static void
refuses_what_is_no_state_and_no_answers(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    m.abilities = CAN_ALL;
    static const struct {
        const char *more, *wanted;
    } cases[] = {
        {",\"requestState\":7", NOT_GOOD("1")},
        {",\"requestState\":{}", NOT_GOOD("1")},
        {",\"requestState\":\"x\"", NOT_GOOD("1")},
        {",\"inputResponses\":[]",
         REFUSED("1", "-32602", "The inputResponses are no object")},
        {",\"inputResponses\":\"x\"",
         REFUSED("1", "-32602", "The inputResponses are no object")},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct fake_answer answer;
        call_modern(&m, "1", "greet", cases[i].more, &answer);
        assert_string_equal(body_of(&answer), cases[i].wanted);
        fake_answer_done(&answer);
    }
    assert_int_equal(desk->started, 0);
    /* Null is as good as nothing: then it is asked. */
    struct fake_answer asked;
    call_modern(&m, "1", "greet",
                ",\"requestState\":null,\"inputResponses\":null", &asked);
    assert_true(has(&asked, "\"resultType\":\"input_required\""));
    fake_answer_done(&asked);
    assert_int_equal(desk->started, 1);
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    /* To a session they mean nothing. */
    struct client client = open_able_client(desk, &alice, "2025-11-25", "{}");
    struct fake_answer answer;
    client_send(&client, "POST",
                CALL("1", "\"name\":\"steps\",\"requestState\":7,"
                          "\"inputResponses\":[]"),
                &answer);
    assert_true(has(&answer, SAYS("done")));
    fake_answer_done(&answer);
}

/* Whoever has the key: another worker, or this one after it began anew. */
static void
goes_on_at_another_endpoint_with_the_same_key(void **state)
{
    struct desk *desk = *state;
    struct vl_keyring *ring = vl_keyring_new_random();
    vl_mcp_endpoint_seal_with(desk->endpoint, ring, "https://v/a/mcp");
    struct person p = person_of(desk, "2026-07-28", CAN_ALL);
    begin(&p, "greet");
    vl_auto(vl_buf) sealed = vl_buf_of(1 << 16);
    copy_state(&p, &sealed);
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = vl_mcp_endpoint_new(desk->server, &desk->hooks, desk->loop,
                                         &desk->clock, 1);
    refuse_state(&p.modern, "greet", vl_buf_str(&sealed), "");
    /* @spec HT-69 SB-24: of the same server. */
    vl_mcp_endpoint_seal_with(desk->endpoint, ring, "https://v/b/mcp");
    refuse_state(&p.modern, "greet", vl_buf_str(&sealed), "");
    vl_mcp_endpoint_seal_with(desk->endpoint, ring, "https://v/a/mcp");
    reply(&p, 0, "name", ANN);
    go_on(&p);
    expect_end(&p, SAYS("Ann"));
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    vl_keyring_free(ring);
}

/* --- answers (up to 2025-11-25) --- */

/* @spec D9 */
static void
drops_answers_of_whoever_was_not_asked(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2025-11-25", CAN_ALL);
    struct client other = open_able_client(desk, &alice, "2025-11-25", CAN_ALL);
    struct client his = open_able_client(desk, &mallory, "2025-11-25", CAN_ALL);
    begin(&p, "greet");
    desk->started = 0;
    char body[300];
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":" ANN "}",
                   p.ids[0]);
    expect(&other, body, 202, "");
    expect(&his, body, 202, "");
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%.35s%c\",\"result\":" ANN
                   "}",
                   p.ids[0], p.ids[0][35] == '0' ? '1' : '0');
    expect(&p.client, body, 202, "");
    expect(&p.client, RESPONSE("1", ANN), 202, "");
    expect(&p.client, RESPONSE("\"name\"", ANN), 202, "");
    expect(&p.client, RESPONSE("\"\"", ANN), 202, "");
    assert_int_equal(desk->started, 0);
    assert_false(p.answer.finished);
    reply(&p, 0, "name", "{\"action\":\"decline\"}");
    assert_int_equal(desk->started, 1);
    /* Once is enough. */
    reply(&p, 0, "name", ANN);
    assert_int_equal(desk->started, 1);
    expect_end(&p, SAYS("{\\\"action\\\":\\\"decline\\\"}"));
}

static void
counts_an_answer_once(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2025-11-25", CAN_ALL);
    begin(&p, "all");
    desk->started = 0;
    for (int i = 0; i < 4; i++)
        reply(&p, 0, "form", ANN);
    assert_int_equal(desk->started, 0);
    reply(&p, 1, "page", "{\"action\":\"cancel\"}");
    reply(&p, 2, "text", A_TEXT);
    reply(&p, 3, "roots", ROOTS);
    assert_int_equal(desk->started, 1);
    expect_end(&p, "{\\\"action\\\":\\\"cancel\\\"}");
}

static void
ends_a_call_whose_question_got_an_error(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2025-11-25", CAN_ALL);
    char body[300];
    begin(&p, "all");
    reply(&p, 0, "form", ANN);
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"error\":{\"code\":-1,"
                   "\"message\":\"no\"}}",
                   p.ids[1]);
    expect(&p.client, body, 202, "");
    assert_true(p.answer.finished);
    /* The others are nobody's any more. */
    reply(&p, 2, "text", A_TEXT);
    expect_end(&p, FAILS("The client did not answer a question"));
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
}

static void
ends_what_waits_with_whatever_it_waits_in(void **state)
{
    struct desk *desk = *state;
    static const char *const reasons[] = {
        "client", "session_end", "session_end", "time_out", "shutdown"};
    for (size_t i = 0; i < VL_COUNT(reasons); i++) {
        struct person p = person_of(desk, "2025-11-25", CAN_ALL);
        struct fake_answer gone;
        begin(&p, "all");
        reply(&p, 2, "text", A_TEXT);
        if (i == 0)
            expect(&p.client,
                   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "cancelled\",\"params\":{\"requestId\":1}}",
                   202, "");
        else if (i == 1)
            client_send(&p.client, "DELETE", "", &gone);
        else if (i == 2)
            vl_mcp_endpoint_end_family(desk->endpoint, "f1");
        else if (i == 3)
            vl_mcp_call_sweep(desk->endpoint, vl_mono_now() + 1);
        else
            vl_mcp_endpoint_free(desk->endpoint);
        if (i == 1)
            fake_answer_done(&gone);
        assert_true(p.answer.finished);
        assert_string_equal(desk->reasons[VL_MCP_TOOL_CANCELLED], reasons[i]);
        assert_int_equal(has(&p.answer, "The tool took too long"), i == 3);
        assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
        if (i == 0 || i == 3)
            reply(&p, 0, "form", ANN);
        fake_answer_done(&p.answer);
    }
    desk->endpoint = NULL;
}

static void
note_lost(void *ctx)
{
    ++((struct desk *)ctx)->cancelled;
}

static void
handle_and_keep(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    const char *answer = valet_mcp_elicit(call, "form", "Who?", FORM);
    desk->started++;
    if (answer) {
        valet_mcp_finish(call, &(valet_mcp_result){.text = answer});
        return;
    }
    vl_mcp_call_on_lost(call, note_lost, desk);
    valet_mcp_await(call);
}

/* What a handler has begun for a call that waits has to end with it; and only
 * with it. */
static void
tells_who_keeps_something_that_a_waiting_call_is_lost(void **state)
{
    struct desk *desk = *state;
    add(desk, "keeper", handle_and_keep, desk);
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        desk->cancelled = 0;
        begin(&p, "keeper");
        if (!p.is_modern)
            reply(&p, 0, "form", ANN);
        assert_true(p.answer.finished);
        fake_answer_done(&p.answer);
        assert_int_equal(desk->cancelled, 0);
        p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "keeper");
        vl_mcp_endpoint_end_family(desk->endpoint, "f1");
        assert_int_equal(desk->cancelled, !p.is_modern);
        fake_answer_done(&p.answer);
    }
}

/* From 2026-07-28 on nothing waits here while a client makes up its mind. */
static void
remembers_nothing_of_a_question(void **state)
{
    struct desk *desk = *state;
    struct person p = person_of(desk, "2026-07-28", CAN_ALL);
    begin(&p, "greet");
    assert_true(vl_list_is_empty(&desk->endpoint->calls));
    assert_int_equal(vl_mcp_people_busy(&desk->server->people), 0);
    assert_string_equal(desk->reasons[VL_MCP_TOOL_ENDED], "input_required");
    assert_false(desk->last_failed);
    fake_answer_done(&p.answer);
}

static void
handle_cancelled(valet_mcp_call *call, void *ctx)
{
    struct desk *desk = ctx;
    desk->calls[desk->call_count++] = call;
    (void)valet_mcp_elicit(call, "name", "Who?", FORM);
}

static void
bears_a_handler_that_asks_after_the_end(void **state)
{
    struct desk *desk = *state;
    add(desk, "slow", handle_cancelled, desk);
    for (size_t i = 0; i < VL_COUNT(versions); i++) {
        struct person p = person_of(desk, versions[i], CAN_ALL);
        begin(&p, "slow");
        if (p.is_modern)
            fake_hang_up(&p.answer);
        else
            vl_mcp_endpoint_end_family(desk->endpoint, "f1");
        valet_mcp_call *call = desk->calls[0];
        forget(desk, call);
        valet_mcp_await(call);
        assert_true(vl_list_is_empty(&desk->endpoint->calls));
        fake_answer_done(&p.answer);
    }
}

/* --- HTTP+SSE --- */

static void
post_sse(struct desk *desk, const char *id, const char *body)
{
    static const char *const headers[] = {"Content-Type", "application/json",
                                          NULL};
    struct fake_answer answer;
    struct vl_exchange *x =
        fake_exchange(&answer, "POST", headers, vl_str_z(body));
    char query[100];
    (void)snprintf(query, sizeof query, "sessionId=%s", id);
    x->request.query = vl_str_z(query);
    vl_mcp_endpoint_handle_message(desk->endpoint, x, &alice);
    assert_int_equal(answer.status, 202);
    fake_answer_done(&answer);
}

static void
asks_on_the_stream_of_http_sse(void **state)
{
    struct desk *desk = *state;
    static const char *const headers[] = {"Accept", "text/event-stream", NULL};
    struct fake_answer stream;
    char body[600], id[64];
    size_t at = 0;
    vl_mcp_endpoint_handle_sse(
        desk->endpoint, fake_exchange(&stream, "GET", headers, VL_STR("")),
        &alice);
    struct vl_str endpoint = next_event(&stream, &at);
    const char *eq = memchr(endpoint.p, '=', endpoint.n);
    (void)snprintf(id, sizeof id, "%.*s",
                   (int)(endpoint.p + endpoint.n - eq - 1), eq + 1);
    post_sse(desk, id,
             "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
             "\"params\":{\"protocolVersion\":\"2024-11-05\","
             "\"capabilities\":" CAN_ALL "}}");
    (void)next_event(&stream, &at);
    post_sse(desk, id, CALL("1", "\"name\":\"greet\""));
    struct vl_str event = next_event(&stream, &at);
    assert_non_null(event.p);
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(event, 32, &doc, NULL));
    assert_str(vl_json_get_str(doc.root, "method"), "elicitation/create");
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":" ANN "}",
                   vl_json_get_str(doc.root, "id").p);
    post_sse(desk, id, body);
    assert_true(has(&stream, SAYS("Ann")));
    fake_hang_up(&stream);
    fake_answer_done(&stream);
}

#define ASK_TEST(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_asking_desk, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(asks_with_a_form_in_every_revision),
        ASK_TEST(asks_several_things_at_once),
        ASK_TEST(keeps_what_was_answered_and_asks_for_the_rest),
        ASK_TEST(takes_answers_without_a_state),
        ASK_TEST(asks_again_where_an_answer_does_not_fit),
        ASK_TEST(takes_no_for_an_answer),
        ASK_TEST(asks_an_obstinate_client_so_often),
        ASK_TEST(asks_for_prompts_and_resources_too),
        ASK_TEST(keeps_a_text_for_the_next_run_alone),
        ASK_TEST(keeps_as_much_as_is_promised),
        ASK_TEST(bounds_what_a_state_holds),
        ASK_TEST(refuses_handlers_that_ask_wrongly),
        ASK_TEST(tells_what_a_client_can_be_asked),
        ASK_TEST(asks_nobody_who_cannot_be_asked),
        ASK_TEST(samples_with_tools_where_that_is_known),
        ASK_TEST(needs_a_stream_to_ask_on),
        ASK_TEST(loses_no_question_on_a_stream_that_is_full),
        ASK_TEST(ends_a_call_when_a_question_has_no_room),
        ASK_TEST(asks_nothing_for_a_completion),
        ASK_TEST(believes_no_state_but_the_one_it_gave),
        ASK_TEST(refuses_what_is_no_state_and_no_answers),
        ASK_TEST(goes_on_at_another_endpoint_with_the_same_key),
        ASK_TEST(drops_answers_of_whoever_was_not_asked),
        ASK_TEST(counts_an_answer_once),
        ASK_TEST(ends_a_call_whose_question_got_an_error),
        ASK_TEST(ends_what_waits_with_whatever_it_waits_in),
        ASK_TEST(tells_who_keeps_something_that_a_waiting_call_is_lost),
        ASK_TEST(remembers_nothing_of_a_question),
        ASK_TEST(bears_a_handler_that_asks_after_the_end),
        ASK_TEST(asks_on_the_stream_of_http_sse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
