/* SPDX-License-Identifier: Apache-2.0
 *
 * What strangers can write into the audit trail, and how much of it.
 */
#include "guard/fold.h"

#include <unistd.h>

#include "vl_test.h"
#include "json/read.h"

struct desk {
    char folder[32], path[64];
    int64_t now;
    struct vl_clock clock;
    struct vl_audit *audit;
};

static int64_t
read_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

static int
open_desk(void **state)
{
    struct desk *desk = vl_alloc(sizeof *desk);
    memcpy(desk->folder, "/tmp/valet-fold-XXXXXX", 23);
    if (!mkdtemp(desk->folder))
        return -1;
    (void)snprintf(desk->path, sizeof desk->path, "%s/audit.log", desk->folder);
    desk->now = INT64_C(1795867200123);
    desk->clock = (struct vl_clock){read_hand, &desk->now};
    assert_ok(vl_audit_open(desk->path, &desk->clock, &desk->audit, NULL));
    *state = desk;
    return 0;
}

static int
close_desk(void **state)
{
    struct desk *desk = *state;
    vl_audit_close(desk->audit);
    (void)unlink(desk->path);
    (void)rmdir(desk->folder);
    free(desk);
    return 0;
}

static void
knock(struct desk *desk, const char *peer, const char *reason)
{
    vl_audit(desk->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_BEARER_REJECT,
                                      .refused = true,
                                      .reason = reason,
                                      .peer = peer});
}

struct tally {
    size_t lines, folded; /* of these, how many stand for more */
    int64_t events;
    struct vl_buf last;
};

/* Lines of the trail that have `text` in them. */
static struct tally
count(const struct desk *desk, const char *text)
{
    struct tally tally = {.last = vl_buf_of(4096)};
    vl_auto(vl_buf) trail = vl_buf_of(1 << 22);
    assert_ok(vl_file_read(desk->path, true, &trail, NULL));
    struct vl_str rest = vl_buf_str(&trail), line;
    while (vl_str_split(&rest, '\n', &line) && line.n) {
        vl_auto(vl_json) doc = {NULL};
        int64_t repeated = 1;
        assert_ok(vl_json_parse(line, 4, &doc, NULL));
        vl_buf_clear(&tally.last);
        vl_buf_add(&tally.last, line);
        if (!strstr(vl_buf_cstr(&tally.last), text))
            continue;
        tally.folded += vl_json_get_int(doc.root, "repeated", &repeated);
        tally.events += repeated;
        tally.lines++;
    }
    return tally;
}

static void
assert_tally(const struct desk *desk, const char *text, size_t lines,
             size_t folded, int64_t events)
{
    struct tally tally = count(desk, text);
    vl_buf_done(&tally.last);
    assert_int_equal(tally.lines, lines);
    assert_int_equal(tally.folded, folded);
    assert_int_equal(tally.events, events);
}

static void
puts_a_flood_of_a_stranger_together(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 1000; i++) {
        knock(desk, "192.0.2.1", "forged");
        knock(desk, "192.0.2.1", "malformed");
        if (i < 5)
            knock(desk, "192.0.2.2", "forged");
    }
    vl_audit_flush(desk->audit);
    assert_tally(desk, "", 45, 0, 45);
    desk->now += 999;
    vl_audit_flush(desk->audit);
    assert_tally(desk, "", 45, 0, 45);
    desk->now += 1;
    vl_audit_flush(desk->audit);
    assert_tally(desk, "\"forged\",\"peer\":\"192.0.2.1\"", 21, 1, 1000);
    assert_tally(desk, "\"malformed\",\"peer\":\"192.0.2.1\"", 21, 1, 1000);
    assert_tally(desk, "192.0.2.2", 5, 0, 5);
    assert_tally(desk, "\"peer\":\"192.0.2.1\",\"repeated\":980}", 2, 2, 1960);
    /* The next second has lines again; without a flush it is seen too. */
    knock(desk, "192.0.2.1", "forged");
    assert_tally(desk, "\"forged\",\"peer\":\"192.0.2.1\"", 22, 1, 1001);
}

static void
never_puts_together_what_names_somebody(void **state)
{
    struct desk *desk = *state;
    struct vl_client_id client = {"c1"};
    struct vl_user user = {.tid = "t", .oid = "o"};
    struct vl_audit_event events[] = {
        {.client = &client}, {.user = &user}, {.session = "s"}, {.kind = 0}};
    for (size_t i = 0; i < VL_COUNT(events); i++) {
        events[i].kind = VL_AUDIT_TOKEN_REJECT;
        events[i].peer = "192.0.2.1";
        events[i].reason = "x";
        events[i].refused = true;
    }
    events[3].refused = false;
    for (int n = 0; n < 100; n++)
        for (size_t i = 0; i < VL_COUNT(events); i++)
            vl_audit(desk->audit, &events[i]);
    desk->now += 1000;
    vl_audit_flush(desk->audit);
    assert_tally(desk, "", 400, 0, 400);
}

static void
bounds_a_crowd_of_strangers(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 10000; i++) {
        char peer[32];
        (void)snprintf(peer, sizeof peer, "2001:db8::%x", (unsigned)i);
        knock(desk, peer, "forged");
    }
    assert_tally(desk, "", VL_FOLD_ROWS + VL_FOLD_LINES, 0,
                 VL_FOLD_ROWS + VL_FOLD_LINES);
    desk->now += 1000;
    vl_audit_flush(desk->audit);
    struct tally tally = count(desk, "");
    assert_int_equal(tally.events, 10000);
    assert_int_equal(tally.folded, 1);
    assert_non_null(strstr(vl_buf_cstr(&tally.last),
                           "\"event\":\"bearer.reject\",\"outcome\":"
                           "\"refused\",\"repeated\":"));
    vl_buf_done(&tally.last);
}

/* Nothing that was counted is forgotten. */
static void
tells_at_the_end_and_when_the_clock_is_set_back(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 25; i++)
        knock(desk, "192.0.2.1", "forged");
    desk->now -= 3600000;
    knock(desk, "192.0.2.1", "forged");
    assert_tally(desk, "", 22, 1, 26);
    for (int i = 0; i < 30; i++)
        knock(desk, "192.0.2.1", "forged");
    vl_audit_close(desk->audit);
    desk->audit = NULL;
    assert_tally(desk, "", 42, 2, 56);
}

#define FOLD_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOLD_TEST(puts_a_flood_of_a_stranger_together),
        FOLD_TEST(never_puts_together_what_names_somebody),
        FOLD_TEST(bounds_a_crowd_of_strangers),
        FOLD_TEST(tells_at_the_end_and_when_the_clock_is_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
