/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that fails again and again is left alone (@spec S-100): closed while
 * all is well; open for a pause that grows; then one request is let through,
 * and its outcome decides.
 */
#include "entra/graph_inside.h"

/* How long others wait for the outcome of a trial. */
#define TRIAL_MS 1000

/* A clock that was put back must not hold for ever. */
static int64_t
pause_left(const struct vl_graph_breaker *breaker, int64_t now_ms)
{
    if (now_ms < breaker->since_ms || now_ms >= breaker->until_ms)
        return 0;
    return breaker->until_ms - now_ms;
}

enum vl_graph_way
vl_graph_breaker_ask(struct vl_graph_breaker *breaker, int64_t now_ms,
                     int64_t *ret_wait_ms)
{
    *ret_wait_ms = -1;
    if (breaker->pauses == 0)
        return VL_GRAPH_FREE;
    *ret_wait_ms = pause_left(breaker, now_ms);
    if (*ret_wait_ms == 0 && !breaker->has_trial) {
        breaker->has_trial = true;
        return VL_GRAPH_TRIAL;
    }
    if (*ret_wait_ms < TRIAL_MS)
        *ret_wait_ms = TRIAL_MS;
    return VL_GRAPH_CLOSED;
}

static void
open(struct vl_graph_breaker *breaker, int64_t retry_after_ms, int64_t now_ms)
{
    int64_t pause = VL_GRAPH_PAUSE_MS;
    for (unsigned i = 0;
         i < breaker->pauses && pause < VL_GRAPH_PAUSE_LONGEST_MS; i++)
        pause *= 2;
    if (pause > VL_GRAPH_PAUSE_LONGEST_MS)
        pause = VL_GRAPH_PAUSE_LONGEST_MS;
    if (pause < retry_after_ms)
        pause = retry_after_ms < VL_GRAPH_PAUSE_MOST_MS
                    ? retry_after_ms
                    : VL_GRAPH_PAUSE_MOST_MS;
    breaker->pauses++;
    breaker->since_ms = now_ms;
    breaker->until_ms = now_ms + pause;
}

void
vl_graph_breaker_note(struct vl_graph_breaker *breaker, bool is_trial,
                      const struct vl_graph_outcome *outcome, int64_t now_ms)
{
    if (is_trial)
        breaker->has_trial = false;
    if (outcome->unsent)
        return;
    /* A refusal is an answer too: the host is well. */
    if (outcome->status != VALET_RETRY) {
        breaker->failures = 0;
        breaker->pauses = 0;
        return;
    }
    /* What was under way when it opened tells nothing new. */
    if (breaker->pauses > 0 && !is_trial)
        return;
    if (++breaker->failures >= VL_GRAPH_FAILURES)
        open(breaker, outcome->answer.retry_after_ms, now_ms);
}

void
vl_graph_breaker_release(struct vl_graph_breaker *breaker)
{
    breaker->has_trial = false;
}
