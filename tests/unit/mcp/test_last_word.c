/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets the last word, and who none: what still waits when a server ends is
 * answered, each by its id; notifications are not, whatever is wrong with them.
 * Fuzzers found both to be otherwise.
 */
#include "io/lines.h"
#include "mcp/stdio.h"
#include "modern.h"

#define STOPPING(id) REFUSED(id, "-32603", "The server is stopping")
#define LATER(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":" \
    "{\"name\":\"later\"}}"

/* --- in place of io/lines --- */

struct vl_lines {
    struct vl_lines_hooks hooks;
    struct vl_buf out;
};

static struct vl_lines lines;

valet_status
vl_lines_new(struct vl_loop *loop, int in, int out, size_t line_max,
             const struct vl_lines_hooks *hooks, struct vl_lines **ret,
             valet_error *err)
{
    (void)loop, (void)in, (void)out, (void)line_max, (void)err;
    lines = (struct vl_lines){.hooks = *hooks, .out = vl_buf_of(1 << 20)};
    *ret = &lines;
    return VALET_OK;
}

bool
vl_lines_write(struct vl_lines *to, struct vl_str line)
{
    vl_buf_add(&to->out, line);
    vl_buf_addc(&to->out, '\n');
    return true;
}

size_t
vl_lines_waiting(const struct vl_lines *of)
{
    (void)of;
    return 0;
}

void
vl_lines_finish(struct vl_lines *of, int64_t ms,
                void (*done)(bool all, void *ctx), void *ctx)
{
    (void)of, (void)ms;
    done(true, ctx);
}

void
vl_lines_free(struct vl_lines *of)
{
    vl_buf_done(&of->out);
}

/* --- tests --- */

static void
end_server(struct desk *desk)
{
    vl_mcp_endpoint_free(desk->endpoint);
    desk->endpoint = NULL;
    while (desk->call_count)
        finish(desk, &(valet_mcp_result){.text = "done"});
}

/* @spec HT-05 */
static void
answers_by_its_id_what_waits_at_the_end(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct client old = open_client(desk, &mallory, "2025-11-25");
    struct fake_answer modern, legacy;
    call_modern(&m, "\"a\"", "later", "", &modern);
    client_send(&old, "POST", LATER("7"), &legacy);
    end_server(desk);
    assert_int_equal(modern.status, 503);
    assert_string_equal(vl_buf_cstr(&modern.body), STOPPING("\"a\""));
    assert_int_equal(legacy.status, 503);
    assert_string_equal(vl_buf_cstr(&legacy.body), STOPPING("7"));
    fake_answer_done(&modern);
    fake_answer_done(&legacy);
}

/* @spec HT-05 HT-19 */
static void
answers_at_the_end_of_a_stream_too(void **state)
{
    struct desk *desk = *state;
    struct modern m = modern_of(desk, &alice);
    struct fake_answer answer;
    size_t at = 0;
    m.meta = ",\"progressToken\":1";
    call_modern(&m, "1", "later", "", &answer);
    valet_mcp_progress(desk->calls[0], 1, 0, NULL);
    end_server(desk);
    assert_true(answer.streaming && answer.finished);
    assert_non_null(next_event(&answer, &at).p);
    expect_event(&answer, &at, STOPPING("1"));
    fake_answer_done(&answer);
}

static void
ignore_end(void *ctx)
{
    (void)ctx;
}

/* @spec HT-05: over stdio there is no status, and nothing else either. */
static void
never_answers_a_notification_over_stdio(void **state)
{
    struct desk *desk = *state;
    struct vl_mcp_stdio *stdio = NULL;
    assert_ok(vl_mcp_stdio_new(desk->endpoint, desk->loop, 0, 1, ignore_end,
                               NULL, &stdio, NULL));
    lines.hooks.line(
        VL_STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
               "\"params\":{\"_meta\":{\"" META_VERSION "\":\"1999-01-01\"}}}"),
        lines.hooks.ctx);
    assert_int_equal(vl_buf_size(&lines.out), 0);
    lines.hooks.line(
        VL_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
               "\"params\":{\"_meta\":{\"" META_VERSION "\":\"1999-01-01\"}}}"),
        lines.hooks.ctx);
    assert_true(vl_str_starts(vl_buf_str(&lines.out),
                              VL_STR("{\"jsonrpc\":\"2.0\",\"id\":1,")));
    vl_mcp_stdio_free(stdio);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(answers_by_its_id_what_waits_at_the_end),
        DESK_TEST(answers_at_the_end_of_a_stream_too),
        DESK_TEST(never_answers_a_notification_over_stdio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
