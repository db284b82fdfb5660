/* SPDX-License-Identifier: Apache-2.0
 *
 * What still waits when a server ends is answered, each by its id. A fuzzer
 * found it to be otherwise.
 */
#include "modern.h"

#define STOPPING(id) REFUSED(id, "-32603", "The server is stopping")
#define LATER(id)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":" \
    "{\"name\":\"later\"}}"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(answers_by_its_id_what_waits_at_the_end),
        DESK_TEST(answers_at_the_end_of_a_stream_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
