/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/session.h"
#include "vl_test.h"

static int64_t
read_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

static const struct vl_mcp_peer peer = {.version = VL_MCP_2025_11_25};

struct desk {
    int64_t now;
    struct vl_clock clock;
    struct vl_mcp_sessions sessions;
    size_t ended;
};

static void
count_end(struct vl_mcp_session *session, const char *reason, void *ctx)
{
    assert_non_null(reason);
    struct desk *desk = ctx;
    assert_null(session->table);
    desk->ended++;
}

static void
open_desk(struct desk *desk, size_t max, size_t max_per_owner)
{
    *desk = (struct desk){.now = 1000000};
    desk->clock = (struct vl_clock){read_hand, &desk->now};
    vl_mcp_sessions_init(&desk->sessions, &(struct vl_mcp_session_rules){
                                              .max = max,
                                              .max_per_user = 3 * max_per_owner,
                                              .max_per_owner = max_per_owner,
                                              .idle_ms = 1000,
                                              .clock = &desk->clock,
                                              .on_end = count_end,
                                              .ctx = desk,
                                          });
}

static const struct vl_principal alice = {
    .client = {"c1"},
    .user = {.tid = "t", .oid = "alice"},
    .session = "f1",
};

static struct vl_mcp_session *
add(struct desk *desk, const struct vl_principal *principal)
{
    struct vl_mcp_session *session = NULL;
    assert_ok(vl_mcp_sessions_add(&desk->sessions, principal, VL_MCP_STREAMABLE,
                                  &peer, &session, NULL));
    return session;
}

static valet_status
find(struct desk *desk, const char *id, const struct vl_principal *principal)
{
    struct vl_mcp_session *session = NULL;
    return vl_mcp_sessions_find(&desk->sessions, vl_str_z(id), principal,
                                &session);
}

/* @spec HT-29 SB-22 */
static void
makes_long_random_visible_ids(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 1000, 1000);
    char last[VL_MCP_SESSION_ID_SIZE] = "";
    for (int i = 0; i < 100; i++) {
        struct vl_mcp_session *session = add(&desk, &alice);
        assert_int_equal(strlen(session->id), 45);
        for (const char *p = session->id; *p; p++)
            assert_in_range(*p, 0x21, 0x7e);
        assert_string_not_equal(session->id, last);
        memcpy(last, session->id, sizeof last);
    }
    vl_mcp_sessions_done(&desk.sessions);
    assert_int_equal(desk.ended, 100);
}

/* @spec SB-21 SB-23 W-02 */
static void
finds_a_session_for_its_owner_alone(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 10, 10);
    struct vl_mcp_session *session = add(&desk, &alice);
    assert_ok(find(&desk, session->id, &alice));
    struct vl_principal other = alice;
    (void)snprintf(other.user.oid, sizeof other.user.oid, "mallory");
    assert_int_equal(find(&desk, session->id, &other), VALET_DENIED);
    other = alice;
    (void)snprintf(other.user.tid, sizeof other.user.tid, "u");
    assert_int_equal(find(&desk, session->id, &other), VALET_DENIED);
    other = alice;
    (void)snprintf(other.client.text, sizeof other.client.text, "c2");
    assert_int_equal(find(&desk, session->id, &other), VALET_DENIED);
    other = alice;
    (void)snprintf(other.session, sizeof other.session, "f2");
    assert_int_equal(find(&desk, session->id, &other), VALET_DENIED);
    /* A new token of the same sign-in has other scopes and another expiry. */
    other = alice;
    other.expires_ms = 5;
    (void)snprintf(other.scopes, sizeof other.scopes, "x");
    assert_ok(find(&desk, session->id, &other));
    assert_int_equal(find(&desk, "", &alice), VALET_NOT_FOUND);
    assert_int_equal(find(&desk, "x", &alice), VALET_NOT_FOUND);
    vl_mcp_sessions_done(&desk.sessions);
}

/* Rule 4.4.10: clients that leak sessions lose their own oldest ones. */
static void
evicts_the_oldest_idle_of_the_same_client(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 1000, 100);
    struct vl_principal bob = alice;
    (void)snprintf(bob.user.oid, sizeof bob.user.oid, "bob");
    char bobs[VL_MCP_SESSION_ID_SIZE], first[VL_MCP_SESSION_ID_SIZE],
        kept[VL_MCP_SESSION_ID_SIZE];
    memcpy(bobs, add(&desk, &bob)->id, sizeof bobs);
    memcpy(first, add(&desk, &alice)->id, sizeof first);
    memcpy(kept, add(&desk, &alice)->id, sizeof kept);
    for (int i = 0; i < 999; i++) {
        desk.now++;
        (void)add(&desk, &alice);
        /* Used now and then. */
        if (i % 50 == 0)
            assert_ok(find(&desk, kept, &alice));
    }
    assert_int_equal(desk.sessions.count, 101);
    assert_int_equal(desk.ended, 901);
    assert_int_equal(find(&desk, first, &alice), VALET_NOT_FOUND);
    assert_ok(find(&desk, kept, &alice));
    /* Older than all of them, but not hers. */
    assert_ok(find(&desk, bobs, &bob));
    vl_mcp_sessions_done(&desk.sessions);
}

/* A user may register as many clients as he likes. */
static void
evicts_the_oldest_idle_of_the_same_user(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 50, 10);
    struct vl_principal bob = alice, her = alice;
    (void)snprintf(bob.user.oid, sizeof bob.user.oid, "bob");
    char bobs[VL_MCP_SESSION_ID_SIZE], busy[VL_MCP_SESSION_ID_SIZE];
    memcpy(bobs, add(&desk, &bob)->id, sizeof bobs);
    struct vl_mcp_session *held = add(&desk, &her);
    memcpy(busy, held->id, sizeof busy);
    vl_mcp_session_hold(held);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(her.client.text, sizeof her.client.text, "c%d", i);
        (void)add(&desk, &her);
        assert_true(desk.sessions.count <= 31);
    }
    assert_int_equal(desk.sessions.count, 31);
    assert_int_equal(vl_map_size(&desk.sessions.owners), 31);
    assert_int_equal(vl_map_size(&desk.sessions.users), 2);
    assert_ok(find(&desk, bobs, &bob));
    assert_ok(find(&desk, busy, &alice));
    vl_mcp_session_release(held);
    vl_mcp_sessions_done(&desk.sessions);
    assert_int_equal(desk.ended, 1002);
}

static void
evicts_the_oldest_of_all_when_the_table_is_full(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 50, 10);
    char ids[60][VL_MCP_SESSION_ID_SIZE];
    struct vl_principal who[60];
    for (int i = 0; i < 60; i++) {
        who[i] = alice;
        (void)snprintf(who[i].user.oid, sizeof who[i].user.oid, "u%d", i);
        memcpy(ids[i], add(&desk, &who[i])->id, sizeof ids[i]);
        assert_true(desk.sessions.count <= 50);
    }
    for (int i = 0; i < 60; i++)
        assert_int_equal(find(&desk, ids[i], &who[i]),
                         i < 10 ? VALET_NOT_FOUND : VALET_OK);
    assert_int_equal(vl_map_size(&desk.sessions.owners), 50);
    vl_mcp_sessions_done(&desk.sessions);
}

static void
takes_no_busy_session_away(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 10, 2);
    struct vl_mcp_session *one = add(&desk, &alice), *two = add(&desk, &alice),
                          *three = NULL;
    vl_mcp_session_hold(one);
    vl_mcp_session_hold(two);
    desk.now += 5000;
    assert_ok(find(&desk, one->id, &alice));
    valet_error err;
    assert_int_equal(vl_mcp_sessions_add(&desk.sessions, &alice,
                                         VL_MCP_STREAMABLE, &peer, &three,
                                         &err),
                     VALET_LIMIT);
    assert_int_equal(desk.ended, 0);
    vl_mcp_session_release(one);
    /* Idle from now on. */
    desk.now += 999;
    assert_ok(vl_mcp_sessions_add(&desk.sessions, &alice, VL_MCP_STREAMABLE,
                                  &peer, &three, &err));
    assert_int_equal(desk.ended, 1);
    /* Ended while held: it stays in memory for its holder. */
    vl_mcp_session_end(two, "client");
    assert_null(two->table);
    vl_mcp_session_end(two, "client");
    assert_int_equal(desk.ended, 2);
    vl_mcp_session_release(two);
    vl_mcp_sessions_done(&desk.sessions);
}

static void
ends_what_was_idle_for_too_long(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 10, 10);
    char one[VL_MCP_SESSION_ID_SIZE], two[VL_MCP_SESSION_ID_SIZE];
    memcpy(one, add(&desk, &alice)->id, sizeof one);
    memcpy(two, add(&desk, &alice)->id, sizeof two);
    desk.now += 600;
    assert_ok(find(&desk, two, &alice));
    desk.now += 400;
    assert_int_equal(find(&desk, one, &alice), VALET_NOT_FOUND);
    assert_ok(find(&desk, two, &alice));
    desk.now += 1000;
    vl_mcp_sessions_sweep(&desk.sessions);
    assert_int_equal(desk.sessions.count, 0);
    assert_int_equal(vl_map_size(&desk.sessions.owners), 0);
    vl_mcp_sessions_done(&desk.sessions);
}

static void
ends_a_token_family(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 10, 10);
    struct vl_principal again = alice;
    (void)snprintf(again.session, sizeof again.session, "f2");
    char kept[VL_MCP_SESSION_ID_SIZE];
    (void)add(&desk, &alice);
    memcpy(kept, add(&desk, &again)->id, sizeof kept);
    (void)add(&desk, &alice);
    vl_mcp_sessions_end_family(&desk.sessions, "f1");
    assert_int_equal(desk.ended, 2);
    assert_ok(find(&desk, kept, &again));
    vl_mcp_sessions_end_family(&desk.sessions, "");
    assert_int_equal(desk.ended, 2);
    vl_mcp_sessions_done(&desk.sessions);
}

static void
says_on_which_worker_it_lives(void **state)
{
    (void)state;
    struct desk desk;
    unsigned home;
    open_desk(&desk, 10, 10);
    const unsigned homes[] = {0, 1, 10, 255};
    for (size_t i = 0; i < VL_COUNT(homes); i++) {
        desk.sessions.rules.home = homes[i];
        struct vl_mcp_session *session = add(&desk, &alice);
        assert_true(vl_mcp_session_home(vl_str_z(session->id), &home));
        assert_int_equal(home, homes[i]);
    }
    struct vl_mcp_session *session = add(&desk, &alice);
    struct vl_str id = vl_str_z(session->id);
    assert_false(vl_mcp_session_home(vl_str_head(id, id.n - 1), &home));
    assert_false(vl_mcp_session_home(VL_STR(""), &home));
    session->id[44] = 'F';
    assert_false(vl_mcp_session_home(id, &home));
    session->id[44] = '\0';
    assert_false(vl_mcp_session_home(id, &home));
    vl_mcp_sessions_done(&desk.sessions);
}

static void
names_every_version(void **state)
{
    (void)state;
    for (int i = 0; i < VL_MCP_VERSION_COUNT; i++) {
        enum vl_mcp_version version = VL_MCP_VERSION_COUNT;
        const char *name = vl_mcp_version_name((enum vl_mcp_version)i);
        assert_true(vl_mcp_version_parse(vl_str_z(name), &version));
        assert_int_equal(version, i);
    }
    enum vl_mcp_version version;
    assert_false(vl_mcp_version_parse(VL_STR("2024-10-07"), &version));
    assert_false(vl_mcp_version_parse(VL_STR(""), &version));
    assert_string_equal(vl_mcp_version_name(VL_MCP_LAST_LEGACY), "2025-11-25");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_long_random_visible_ids),
        cmocka_unit_test(finds_a_session_for_its_owner_alone),
        cmocka_unit_test(evicts_the_oldest_idle_of_the_same_client),
        cmocka_unit_test(evicts_the_oldest_idle_of_the_same_user),
        cmocka_unit_test(evicts_the_oldest_of_all_when_the_table_is_full),
        cmocka_unit_test(takes_no_busy_session_away),
        cmocka_unit_test(ends_what_was_idle_for_too_long),
        cmocka_unit_test(ends_a_token_family),
        cmocka_unit_test(says_on_which_worker_it_lives),
        cmocka_unit_test(names_every_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
