/* SPDX-License-Identifier: Apache-2.0 */
#include "entra/graph_inside.h"
#include "vl_test.h"

#define NOW ((int64_t)1800000000000)
#define TTL 60000

struct desk {
    struct vl_graph_memory memory;
    struct vl_secret token, other_token;
    struct vl_buf json; /* what was found */
    struct vl_graph_outcome found;
};

static int
open_desk(void **state)
{
    struct desk *d = vl_alloc(sizeof *d);
    vl_graph_memory_init(&d->memory, TTL);
    d->token = vl_secret_of(VL_STR("token"));
    d->other_token = vl_secret_of(VL_STR("other"));
    d->json = vl_buf_of(VL_GRAPH_MEMORY_ONE);
    *state = d;
    return 0;
}

static int
close_desk(void **state)
{
    struct desk *d = *state;
    vl_graph_memory_done(&d->memory);
    vl_secret_done(&d->token);
    vl_secret_done(&d->other_token);
    vl_buf_done(&d->json);
    free(d);
    return 0;
}

static struct vl_graph_key
key_of(const char *user, const char *select)
{
    return vl_graph_key_of(vl_str_z(user), vl_str_z(select));
}

static void
note(struct desk *d, const char *user, const char *select, int http,
     const char *json)
{
    struct vl_graph_key key = key_of(user, select);
    struct vl_graph_outcome outcome = {
        .status = http == 200                  ? VALET_OK
                  : http == 401 || http == 403 ? VALET_DENIED
                  : http == 404                ? VALET_INTERNAL
                                               : VALET_RETRY,
        .http = http,
        .answer = {.json = vl_str_z(json),
                   .token_refused = http == 401,
                   .retry_after_ms = http == 429 ? 30000 : -1}};
    vl_graph_memory_note(&d->memory, &key, &d->token, NOW, &outcome);
}

static bool
finds_with(struct desk *d, const char *user, const char *select, int64_t at,
           const struct vl_secret *token)
{
    struct vl_graph_key key = key_of(user, select);
    vl_buf_clear(&d->json);
    return vl_graph_memory_find(&d->memory, &key, token, at, &d->found,
                                &d->json);
}

static bool
finds(struct desk *d, const char *user, const char *select, int64_t at)
{
    return finds_with(d, user, select, at, &d->token);
}

/* @spec S-100 */
static void
gives_a_profile_to_its_user_and_selection_alone(void **state)
{
    struct desk *d = *state;
    note(d, "tenant.a", "mail", 200, "{\"mail\":\"a\"}");
    note(d, "tenant.b", "mail", 200, "{\"mail\":\"b\"}");
    assert_true(finds(d, "tenant.a", "mail", NOW));
    assert_int_equal(d->found.status, VALET_OK);
    assert_true(d->found.answer.remembered);
    assert_str(d->found.answer.json, "{\"mail\":\"a\"}");
    assert_true(finds(d, "tenant.b", "mail", NOW));
    assert_str(d->found.answer.json, "{\"mail\":\"b\"}");
    assert_false(finds(d, "tenant.a", "id", NOW));
    assert_false(finds(d, "tenant.c", "mail", NOW));
    /* Where one text ends and the other begins is no secret way in. */
    assert_false(finds(d, "tenant.am", "ail", NOW));
    assert_false(finds(d, "tenant.amail", "", NOW));
}

static void
forgets_after_its_time(void **state)
{
    struct desk *d = *state;
    note(d, "a", "", 200, "{}");
    assert_true(finds(d, "a", "", NOW + TTL - 1));
    assert_false(finds(d, "a", "", NOW + TTL));
    assert_int_equal(vl_map_size(&d->memory.map), 0);
    assert_int_equal(d->memory.size, 0);
    note(d, "a", "", 200, "{}");
    assert_false(finds(d, "a", "", NOW - 1)); /* the clock was put back */
}

static void
remembers_nothing_if_it_is_told_so(void **state)
{
    struct desk *d = *state;
    vl_graph_memory_done(&d->memory);
    vl_graph_memory_init(&d->memory, 0);
    note(d, "a", "", 200, "{}");
    note(d, "b", "", 403, "");
    note(d, "c", "", 429, "");
    assert_int_equal(vl_map_size(&d->memory.map), 0);
}

/* @spec S-100 W-24 */
static void
remembers_refusals_for_moments_and_for_the_token(void **state)
{
    struct desk *d = *state;
    static const int refusals[] = {403, 404};
    for (size_t i = 0; i < VL_COUNT(refusals); i++) {
        note(d, "a", "", refusals[i], "");
        assert_true(finds(d, "a", "", NOW + VL_GRAPH_REFUSED_MS - 1));
        assert_int_equal(d->found.http, refusals[i]);
        assert_int_not_equal(d->found.status, VALET_OK);
        assert_false(finds_with(d, "a", "", NOW, &d->other_token));
        assert_false(finds(d, "a", "", NOW + VL_GRAPH_REFUSED_MS));
    }
}

/* Retry-After is of the user and the program, whatever the token. */
static void
has_a_throttled_user_wait(void **state)
{
    struct desk *d = *state;
    note(d, "a", "", 429, "");
    assert_true(finds_with(d, "a", "", NOW + 10000, &d->other_token));
    assert_int_equal(d->found.status, VALET_RETRY);
    assert_int_equal(d->found.answer.retry_after_ms, 20000);
    assert_false(finds(d, "b", "", NOW));
    assert_false(finds(d, "a", "", NOW + 30000));
    note(d, "a", "", 503, ""); /* without a time */
    assert_false(finds(d, "a", "", NOW));
}

static void
keeps_what_it_has_while_the_host_is_busy(void **state)
{
    struct desk *d = *state;
    note(d, "a", "", 200, "{}");
    note(d, "a", "", 429, "");
    assert_true(finds(d, "a", "", NOW));
    assert_int_equal(d->found.status, VALET_OK);
    note(d, "a", "", 403, "");
    assert_true(finds(d, "a", "", NOW));
    assert_int_equal(d->found.status, VALET_DENIED);
    assert_int_equal(d->found.answer.json.n, 0);
}

static void
forgets_all_of_a_user_whose_token_is_refused(void **state)
{
    struct desk *d = *state;
    note(d, "a", "mail", 200, "{}");
    note(d, "a", "id", 200, "{}");
    note(d, "b", "mail", 200, "{}");
    note(d, "a", "mail", 401, "");
    assert_false(finds(d, "a", "mail", NOW));
    assert_false(finds(d, "a", "id", NOW));
    assert_true(finds(d, "b", "mail", NOW));
    struct vl_graph_key key = key_of("b", "");
    vl_graph_memory_forget(&d->memory, key.user);
    assert_false(finds(d, "b", "mail", NOW));
    assert_int_equal(d->memory.size, 0);
}

static void
has_room_for_so_many(void **state)
{
    struct desk *d = *state;
    char user[16];
    for (unsigned i = 0; i < VL_GRAPH_MEMORY_USERS; i++) {
        (void)snprintf(user, sizeof user, "%u", i);
        note(d, user, "", 200, "{}");
    }
    assert_true(finds(d, "0", "", NOW)); /* now the one asked for last */
    note(d, "new", "", 200, "{}");
    assert_int_equal(vl_map_size(&d->memory.map), VL_GRAPH_MEMORY_USERS);
    assert_true(finds(d, "0", "", NOW));
    assert_false(finds(d, "1", "", NOW));
    assert_true(finds(d, "2", "", NOW));
    assert_true(finds(d, "new", "", NOW));
}

static void
has_room_for_so_much(void **state)
{
    struct desk *d = *state;
    char user[16];
    char *big = vl_alloc(VL_GRAPH_MEMORY_ONE + 2);
    memset(big, ' ', VL_GRAPH_MEMORY_ONE);
    for (unsigned i = 0; i <= VL_GRAPH_MEMORY_SIZE / VL_GRAPH_MEMORY_ONE; i++) {
        (void)snprintf(user, sizeof user, "%u", i);
        note(d, user, "", 200, big);
        assert_true(d->memory.size <= VL_GRAPH_MEMORY_SIZE);
    }
    assert_false(finds(d, "0", "", NOW));
    assert_true(finds(d, "1", "", NOW));
    assert_int_equal(d->found.answer.json.n, VL_GRAPH_MEMORY_ONE);
    big[VL_GRAPH_MEMORY_ONE] = ' ';
    note(d, "too big", "", 200, big);
    assert_false(finds(d, "too big", "", NOW));
    free(big);
}

static void
sweeps_what_nobody_asks_for(void **state)
{
    struct desk *d = *state;
    note(d, "a", "", 200, "{}");
    note(d, "b", "", 403, "");
    assert_true(vl_graph_memory_sweep(&d->memory, NOW + VL_GRAPH_REFUSED_MS));
    assert_int_equal(vl_map_size(&d->memory.map), 1);
    assert_false(vl_graph_memory_sweep(&d->memory, NOW + TTL));
    assert_int_equal(vl_map_size(&d->memory.map), 0);
}

int
main(void)
{
#define AT_DESK(test)                                                          \
    cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        AT_DESK(gives_a_profile_to_its_user_and_selection_alone),
        AT_DESK(forgets_after_its_time),
        AT_DESK(remembers_nothing_if_it_is_told_so),
        AT_DESK(remembers_refusals_for_moments_and_for_the_token),
        AT_DESK(has_a_throttled_user_wait),
        AT_DESK(keeps_what_it_has_while_the_host_is_busy),
        AT_DESK(forgets_all_of_a_user_whose_token_is_refused),
        AT_DESK(has_room_for_so_many),
        AT_DESK(has_room_for_so_much),
        AT_DESK(sweeps_what_nobody_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
