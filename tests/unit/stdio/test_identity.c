/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2 */
#include "apps/stdio/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "vl_test.h"
#include "json/read.h"

struct scene {
    struct vl_loop *loop;
    struct vl_timer *soon;
    struct vl_identity *identity;
    int from;
    struct vl_buf heard;
};

/* It always runs, so that no step waits for ever. */
static void
tick(void *ctx)
{
    struct scene *s = ctx;
    vl_timer_start(s->soon, 1);
}

static void
begin(struct scene *s, bool gives_token)
{
    int ends[2];
    *s = (struct scene){.heard = vl_buf_of(1 << 24)};
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_ok(vl_loop_new(&s->loop, NULL));
    s->soon = vl_timer_new(s->loop, tick, s);
    tick(s);
    s->from = ends[0];
    s->identity = vl_identity_new(s->loop, ends[1], gives_token);
}

static void
finish(struct scene *s)
{
    vl_identity_free(s->identity);
    vl_loop_free(s->loop);
    if (s->from >= 0)
        (void)close(s->from);
    vl_buf_done(&s->heard);
}

static void
hear(struct scene *s)
{
    char some[4096];
    ssize_t n;
    while ((n = read(s->from, some, sizeof some)) > 0)
        vl_buf_add(&s->heard, vl_str_of(some, (size_t)n));
    assert_true(n == 0 || errno == EAGAIN);
}

static valet_auth_result
person(const char *token, int64_t expires_at)
{
    return (valet_auth_result){.tenant_id = "t",
                               .account_id = "o.t",
                               .username = "a\n\"b",
                               .expires_at = expires_at,
                               .access_token = token,
                               .token_type = "Bearer",
                               .scopes = "User.Read"};
}

static void
it_is_told_when_it_changes_and_as_one_line(void **state)
{
    struct scene s;
    valet_auth_result who = person("secret", 1);
    (void)state;
    begin(&s, false);
    for (int i = 0; i < 3; i++)
        vl_identity_tell(s.identity, &who);
    hear(&s);
    assert_str(vl_buf_str(&s.heard),
               "{\"event\":\"signed_in\",\"tenant_id\":\"t\",\"account_id\":"
               "\"o.t\",\"username\":\"a\\n\\\"b\",\"expires_at\":1}\n");
    who.expires_at = 2;
    vl_buf_clear(&s.heard);
    vl_identity_tell(s.identity, &who);
    hear(&s);
    assert_non_null(strstr(vl_buf_cstr(&s.heard), "\"expires_at\":2}\n"));
    finish(&s);
}

static void
a_token_is_told_only_where_it_was_asked_for(void **state)
{
    struct scene s;
    valet_auth_result who = person("secret", 1);
    (void)state;
    begin(&s, true);
    vl_identity_tell(s.identity, &who);
    who.access_token = "other";
    vl_identity_tell(s.identity, &who);
    hear(&s);
    const char *heard = vl_buf_cstr(&s.heard);
    assert_non_null(strstr(heard, "\"access_token\":\"secret\","
                                  "\"token_type\":\"Bearer\","
                                  "\"scopes\":\"User.Read\"}\n"));
    assert_non_null(strstr(heard, "\"access_token\":\"other\""));
    finish(&s);
}

/* Every line is whole; the first are those that fitted, the last is the newest.
 */
static void
who_never_reads_holds_nobody_up_and_finds_the_newest(void **state)
{
    struct scene s;
    struct vl_str rest, line;
    static char token[VL_LIMIT_UPSTREAM_TOKEN];
    int64_t last = 0;
    (void)state;
    memset(token, 'x', sizeof token - 1);
    begin(&s, true);
    for (int i = 1; i <= 1000; i++) {
        valet_auth_result who = person(token, i);
        vl_identity_tell(s.identity, &who);
    }
    for (int i = 0; i < 200; i++) {
        hear(&s);
        vl_loop_step(s.loop);
    }
    rest = vl_buf_str(&s.heard);
    assert_true(vl_str_ends(rest, VL_STR("\n")));
    while (vl_str_split(&rest, '\n', &line) && line.n) {
        vl_auto(vl_json) doc = {NULL};
        int64_t at;
        assert_ok(vl_json_parse(line, 8, &doc, NULL));
        assert_true(vl_json_get_int(doc.root, "expires_at", &at) && at > last);
        last = at;
    }
    assert_int_equal(last, 1000);
    assert_in_range(vl_buf_size(&s.heard), 65536, 4 * 65536);
    finish(&s);
}

static void
who_has_closed_it_is_not_told(void **state)
{
    struct scene s;
    valet_auth_result who = person("secret", 1);
    (void)state;
    begin(&s, true);
    (void)close(s.from);
    s.from = -1;
    for (int i = 0; i < 3; i++) {
        who.expires_at++;
        vl_identity_tell(s.identity, &who);
        vl_loop_step(s.loop);
    }
    finish(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_when_it_changes_and_as_one_line),
        cmocka_unit_test(a_token_is_told_only_where_it_was_asked_for),
        cmocka_unit_test(who_never_reads_holds_nobody_up_and_finds_the_newest),
        cmocka_unit_test(who_has_closed_it_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
