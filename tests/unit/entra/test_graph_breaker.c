/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph_inside.h"
#include "vl_test.h"

#define NOW ((int64_t)1800000000000)

static struct vl_graph_outcome
outcome(valet_status status, int http, int64_t retry_after_ms)
{
    return (struct vl_graph_outcome){
        .status = status,
        .http = http,
        .answer = {.retry_after_ms = retry_after_ms}};
}

/* One request at `now`, if it may, that ends so. */
static enum vl_graph_way
go(struct vl_graph_breaker *breaker, int64_t now, struct vl_graph_outcome how)
{
    int64_t wait_ms;
    enum vl_graph_way way = vl_graph_breaker_ask(breaker, now, &wait_ms);
    if (way != VL_GRAPH_CLOSED)
        vl_graph_breaker_note(breaker, way == VL_GRAPH_TRIAL, &how, now);
    return way;
}

static enum vl_graph_way
fail_at(struct vl_graph_breaker *breaker, int64_t now)
{
    return go(breaker, now, outcome(VALET_RETRY, 503, -1));
}

static void
open_it(struct vl_graph_breaker *breaker, int64_t now)
{
    for (int i = 0; i < VL_GRAPH_FAILURES; i++)
        assert_int_equal(fail_at(breaker, now), VL_GRAPH_FREE);
}

static int64_t
wait_at(struct vl_graph_breaker *breaker, int64_t now)
{
    int64_t wait_ms = 0;
    assert_int_equal(vl_graph_breaker_ask(breaker, now, &wait_ms),
                     VL_GRAPH_CLOSED);
    return wait_ms;
}

/* @spec S-100 */
static void
opens_after_failures_in_a_row(void **state)
{
    (void)state;
    struct vl_graph_breaker breaker = {0};
    for (int i = 1; i < VL_GRAPH_FAILURES; i++)
        assert_int_equal(fail_at(&breaker, NOW), VL_GRAPH_FREE);
    assert_int_equal(go(&breaker, NOW, outcome(VALET_OK, 200, -1)),
                     VL_GRAPH_FREE);
    open_it(&breaker, NOW);
    assert_int_equal(wait_at(&breaker, NOW), VL_GRAPH_PAUSE_MS);
    assert_int_equal(wait_at(&breaker, NOW + 2000), VL_GRAPH_PAUSE_MS - 2000);
}

static void
stays_closed_for_refusals(void **state)
{
    (void)state;
    static const int refusals[] = {401, 403, 404, 400, 204};
    struct vl_graph_breaker breaker = {0};
    for (int i = 0; i < 3 * VL_GRAPH_FAILURES; i++)
        for (size_t j = 0; j < VL_COUNT(refusals); j++)
            assert_int_equal(go(&breaker, NOW,
                                outcome(refusals[j] == 401 || refusals[j] == 403
                                            ? VALET_DENIED
                                            : VALET_INTERNAL,
                                        refusals[j], -1)),
                             VL_GRAPH_FREE);
}

/* What never left here says nothing of the host, good or bad. */
static void
ignores_what_was_not_sent(void **state)
{
    (void)state;
    struct vl_graph_breaker breaker = {0};
    struct vl_graph_outcome unsent = outcome(VALET_INTERNAL, 0, -1);
    unsent.unsent = true;
    for (int i = 1; i < VL_GRAPH_FAILURES; i++) {
        (void)fail_at(&breaker, NOW);
        (void)go(&breaker, NOW, unsent);
    }
    (void)fail_at(&breaker, NOW);
    assert_int_equal(wait_at(&breaker, NOW), VL_GRAPH_PAUSE_MS);
    /* And a trial of that kind does not use up the pause. */
    int64_t later = NOW + VL_GRAPH_PAUSE_MS;
    assert_int_equal(go(&breaker, later, unsent), VL_GRAPH_TRIAL);
    assert_int_equal(fail_at(&breaker, later), VL_GRAPH_TRIAL);
}

static void
lets_one_at_a_time_try_after_a_pause(void **state)
{
    (void)state;
    struct vl_graph_breaker breaker = {0};
    struct vl_graph_outcome well = outcome(VALET_DENIED, 403, -1);
    int64_t later = NOW + VL_GRAPH_PAUSE_MS, wait_ms;
    open_it(&breaker, NOW);
    assert_int_equal(vl_graph_breaker_ask(&breaker, later - 1, &wait_ms),
                     VL_GRAPH_CLOSED);
    assert_int_equal(vl_graph_breaker_ask(&breaker, later, &wait_ms),
                     VL_GRAPH_TRIAL);
    assert_true(wait_at(&breaker, later) > 0);
    assert_true(wait_at(&breaker, later + 60000) > 0);
    /* Taken back: another one may. */
    vl_graph_breaker_release(&breaker);
    assert_int_equal(vl_graph_breaker_ask(&breaker, later, &wait_ms),
                     VL_GRAPH_TRIAL);
    vl_graph_breaker_note(&breaker, true, &well, later);
    assert_int_equal(vl_graph_breaker_ask(&breaker, later, &wait_ms),
                     VL_GRAPH_FREE);
    /* All is forgotten: it takes as many failures as at first. */
    open_it(&breaker, later);
    assert_int_equal(wait_at(&breaker, later), VL_GRAPH_PAUSE_MS);
}

static void
pauses_longer_each_time(void **state)
{
    (void)state;
    static const int64_t pauses[] = {5000,  10000, 20000, 40000,
                                     60000, 60000, 60000};
    struct vl_graph_breaker breaker = {0};
    int64_t now = NOW;
    open_it(&breaker, now);
    for (size_t i = 0; i < VL_COUNT(pauses); i++) {
        assert_int_equal(wait_at(&breaker, now), pauses[i]);
        now += pauses[i];
        assert_int_equal(fail_at(&breaker, now), VL_GRAPH_TRIAL);
    }
}

static void
pauses_as_long_as_the_host_says(void **state)
{
    (void)state;
    static const struct {
        int64_t said, pause;
    } cases[] = {{30000, 30000},
                 {1000, VL_GRAPH_PAUSE_MS},
                 {0, VL_GRAPH_PAUSE_MS},
                 {86400000, VL_GRAPH_PAUSE_MOST_MS}};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_graph_breaker breaker = {0};
        for (int j = 1; j < VL_GRAPH_FAILURES; j++)
            (void)fail_at(&breaker, NOW);
        (void)go(&breaker, NOW, outcome(VALET_RETRY, 429, cases[i].said));
        assert_int_equal(wait_at(&breaker, NOW), cases[i].pause);
    }
}

/* Ten were under way when it opened: they are one failure, and one of them
 * that went well is enough. */
static void
hears_late_outcomes_once(void **state)
{
    (void)state;
    struct vl_graph_breaker breaker = {0};
    struct vl_graph_outcome ill = outcome(VALET_RETRY, 0, -1),
                            well = outcome(VALET_OK, 200, -1);
    int64_t wait_ms;
    open_it(&breaker, NOW);
    for (int i = 0; i < 10; i++)
        vl_graph_breaker_note(&breaker, false, &ill, NOW + 1000);
    assert_int_equal(wait_at(&breaker, NOW + 1000), VL_GRAPH_PAUSE_MS - 1000);
    vl_graph_breaker_note(&breaker, false, &well, NOW + 1000);
    assert_int_equal(vl_graph_breaker_ask(&breaker, NOW + 1000, &wait_ms),
                     VL_GRAPH_FREE);
}

static void
does_not_trust_a_clock_that_was_put_back(void **state)
{
    (void)state;
    struct vl_graph_breaker breaker = {0};
    int64_t wait_ms;
    open_it(&breaker, NOW);
    assert_int_equal(vl_graph_breaker_ask(&breaker, NOW - 1, &wait_ms),
                     VL_GRAPH_TRIAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(stays_closed_for_refusals),
        cmocka_unit_test(ignores_what_was_not_sent),
        cmocka_unit_test(lets_one_at_a_time_try_after_a_pause),
        cmocka_unit_test(pauses_longer_each_time),
        cmocka_unit_test(pauses_as_long_as_the_host_says),
        cmocka_unit_test(hears_late_outcomes_once),
        cmocka_unit_test(does_not_trust_a_clock_that_was_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
