/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything at once, and anything: a server that answers at random, a client
 * that aborts at random. Each call ends once, or never if it was aborted, and
 * nothing is left.
 */
#include "remote_rig.h"

#define CALLS 1000
/* At a time. */
#define MOST 24

struct slot {
    struct vl_remote_call *call;
    bool is_answered;
};

static struct slot slots[MOST];
static size_t begun, ended, aborted, told;
static uint32_t state_of_dice = 1;

/* The same each time: xorshift. */
static uint32_t
dice(uint32_t sides)
{
    state_of_dice ^= state_of_dice << 13;
    state_of_dice ^= state_of_dice >> 17;
    state_of_dice ^= state_of_dice << 5;
    return state_of_dice % sides;
}

static void
play_stream(struct vl_exchange *x)
{
    static const char *const texts[] = {
        "id: 1\nretry: 1\ndata: \n\n",
        "id: 2\ndata: {\"a\":1}\n\ndata: " PONG "\n\n",
        "data: {\"a\":1}\n\ndata: {\n\n",
        "id: 3\ndata: {\"half\":",
        "",
    };
    const char *text = texts[dice(VL_COUNT(texts))];
    switch (dice(3)) {
    case 0:
        vl_exchange_cut_short(x);
        reply_events(x, text);
        break;
    case 1:
        reply_events(x, text);
        break;
    default:
        vl_exchange_start(x, &(struct vl_reply){.status = 200,
                                                .type = "text/event-stream",
                                                .body = vl_str_z(text)});
        vl_exchange_finish(x);
    }
}

static void
play(struct vl_exchange *x, size_t number)
{
    (void)number;
    rig.seen_count = 0;
    switch (dice(10)) {
    case 0:
        vl_exchange_reset(x);
        break;
    case 1:
        vl_exchange_cut_short(x);
        reply_json(x, PONG);
        break;
    case 2:
        reply_with(x, 429, "Retry-After", "0");
        break;
    case 3:
        reply(x, 400 + (int)dice(200), "application/json", "{\"a\":\n1}");
        break;
    case 4:
        reply_with(x, 401, "WWW-Authenticate", "Bearer");
        break;
    case 5:
        reply(x, 202, NULL, NULL);
        break;
    case 6:
        reply_with(x, 307, "Location", "/elsewhere");
        break;
    case 7:
        reply_json(x, PONG);
        break;
    default:
        play_stream(x);
    }
}

static void
end_slot(struct slot *slot)
{
    aborted += slot->call != NULL;
    vl_remote_call_abort(&slot->call);
}

static void
on_message(struct vl_str json, struct vl_remote_call *call, void *ctx)
{
    (void)ctx;
    told++;
    VL_ASSERT(!vl_str_has(json, '\n'));
    if (!call)
        return;
    struct slot *slot = vl_remote_call_ctx(call);
    assert_ptr_equal(slot->call, call);
    slot->is_answered = vl_str_eqz(json, PONG);
    if (dice(8) == 0)
        end_slot(&slots[dice(MOST)]);
}

/* At once is not allowed: in the next round. */
static struct vl_remote_retry *retries[MOST * 2];
static size_t retry_count;

static void
authorize(const struct vl_remote_refusal *refusal,
          struct vl_remote_retry *retry, void *ctx)
{
    (void)ctx;
    assert_int_equal(refusal->status, 401);
    assert_true(retry_count < VL_COUNT(retries));
    retries[retry_count++] = retry;
    if (dice(8) == 0)
        end_slot(&slots[dice(MOST)]);
}

static void
answer_retries(void)
{
    while (retry_count) {
        struct vl_remote_retry *retry = retries[--retry_count];
        vl_remote_retry(retry, dice(2) ? VALET_OK : VALET_DENIED, NULL);
    }
}

static void
on_done(valet_status status, const struct vl_remote_end *with,
        const valet_error *err, void *ctx)
{
    struct slot *slot = ctx;
    assert_non_null(slot->call);
    assert_true(status == VALET_OK || err->message[0]);
    assert_false(vl_str_has(with->body, '\n'));
    slot->call = NULL;
    ended++;
}

static bool
is_answered(struct vl_remote_call *call, void *ctx)
{
    struct slot *slot = ctx;
    assert_ptr_equal(slot->call, call);
    return slot->is_answered;
}

static void
begin_slot(struct slot *slot)
{
    struct vl_remote_send in = {.json = VL_STR(PING),
                                .begins_session = dice(10) == 0,
                                .is_stateless = dice(10) == 0,
                                .is_answered = dice(3) ? is_answered : NULL,
                                .done = on_done,
                                .ctx = slot};
    slot->is_answered = false;
    slot->call = vl_remote_send(rig.remote, &in);
    begun++;
}

static void
act(void)
{
    struct slot *slot = &slots[dice(MOST)];
    if (begun < CALLS && !slot->call)
        begin_slot(slot);
    if (dice(20) == 0)
        end_slot(&slots[dice(MOST)]);
    if (dice(10) == 0)
        vl_remote_listen(rig.remote);
    if (dice(10) == 0)
        vl_remote_hold(rig.remote, dice(2));
    if (dice(50) == 0)
        vl_remote_forget_session(rig.remote);
}

static void
whatever_happens_each_call_ends_once(void **state)
{
    (void)state;
    const struct vl_remote_hooks hooks = {
        .message = on_message, .authorize = authorize, .ctx = &rig};
    rig.play = play;
    vl_remote_free(rig.remote);
    assert_ok(vl_remote_new(rig.loop, rig.fetcher, rig.url, &hooks, &rig.remote,
                            NULL));
    while (begun < CALLS) {
        act();
        vl_loop_step(rig.loop);
        answer_retries();
    }
    vl_remote_hold(rig.remote, false);
    int64_t end = vl_mono_now() + 60000;
    while (ended + aborted < begun && vl_mono_now() < end) {
        vl_loop_step(rig.loop);
        answer_retries();
    }
    assert_int_equal(ended + aborted, begun);
    assert_true(ended > CALLS / 3);
    assert_true(told > CALLS / 20);
    assert_int_equal(rig.remote->call_count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(whatever_happens_each_call_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
