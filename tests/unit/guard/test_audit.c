/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/audit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vl_test.h"
#include "json/read.h"

static int64_t
noon(void *ctx)
{
    (void)ctx;
    return INT64_C(1795867200123);
}

static const struct vl_clock clock_at_noon = {noon, NULL};

struct desk {
    char folder[32], path[64];
};

static int
make_folder(void **state)
{
    struct desk *desk = vl_alloc(sizeof *desk);
    memcpy(desk->folder, "/tmp/valet-audit-XXXXXX", 24);
    if (!mkdtemp(desk->folder))
        return -1;
    (void)snprintf(desk->path, sizeof desk->path, "%s/audit.log", desk->folder);
    *state = desk;
    return 0;
}

static int
remove_folder(void **state)
{
    struct desk *desk = *state;
    (void)unlink(desk->path);
    (void)rmdir(desk->folder);
    free(desk);
    return 0;
}

static struct vl_audit *
open_trail(const struct desk *desk)
{
    struct vl_audit *audit = NULL;
    assert_ok(vl_audit_open(desk->path, &clock_at_noon, &audit, NULL));
    return audit;
}

static struct vl_buf
read_trail(const struct desk *desk)
{
    struct vl_buf text = vl_buf_of(1 << 22);
    assert_ok(vl_file_read(desk->path, true, &text, NULL));
    return text;
}

static size_t
count_lines(struct vl_str text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

/* @spec S-98 */
static void
writes_every_field_of_an_event(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    struct vl_client_id client = {"c1"};
    struct vl_user user = {.tid = "t1", .oid = "o1"};
    vl_audit(audit, &(struct vl_audit_event){
                        .kind = VL_AUDIT_RBAC_DENY,
                        .refused = true,
                        .reason = "insufficient_scope",
                        .client = &client,
                        .user = &user,
                        .session = "s1",
                        .tool = "mail",
                        .peer = "127.0.0.1",
                        .correlation = "k1",
                        .upstream_correlation = "u1",
                        .ms = 12,
                    });
    /* A refusal does not wait for a flush. */
    vl_auto(vl_buf) text = read_trail(desk);
    assert_str(vl_buf_str(&text),
               "{\"time\":\"2026-11-28T12:00:00.123Z\",\"event\":\"rbac.deny\","
               "\"outcome\":\"refused\",\"reason\":\"insufficient_scope\","
               "\"tenant\":\"t1\",\"user\":\"o1\",\"client\":\"c1\","
               "\"session\":\"s1\",\"tool\":\"mail\",\"peer\":\"127.0.0.1\","
               "\"correlation\":\"k1\",\"upstream_correlation\":\"u1\","
               "\"ms\":12}\n");
    vl_audit_close(audit);
}

static void
buffers_what_went_well_until_the_flush(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_TOOL_END});
    vl_auto(vl_buf) before = read_trail(desk);
    assert_int_equal(vl_buf_size(&before), 0);
    vl_audit_flush(audit);
    vl_auto(vl_buf) after = read_trail(desk);
    assert_str(vl_buf_str(&after),
               "{\"time\":\"2026-11-28T12:00:00.123Z\",\"event\":\"tool.end\","
               "\"outcome\":\"ok\"}\n");
    vl_audit_close(audit);
}

/* @spec S-98: whatever strangers send, it stays one line and one field. */
static void
lets_no_stranger_forge_a_line(void **state)
{
    struct desk *desk = *state;
    static const char *const attacks[] = {
        "x\n{\"event\":\"token.issue\",\"outcome\":\"ok\"}",
        "x\r\n",
        "\",\"outcome\":\"ok\",\"user\":\"admin",
        "\\",
        "\x1b[2J\x1b]0;title\a",
        "\xc2\x9b[2J\x7f",
        "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
        "\xff\xfe\xc0\x80",
        "\xc2",
    };
    struct vl_audit *audit = open_trail(desk);
    for (size_t i = 0; i < VL_COUNT(attacks); i++)
        vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_CLIENT_REJECT,
                                                 .refused = true,
                                                 .reason = "bad",
                                                 .tool = attacks[i]});
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    struct vl_str rest = vl_buf_str(&text), line;
    assert_int_equal(count_lines(rest), VL_COUNT(attacks));
    for (size_t i = 0; i < VL_COUNT(attacks); i++) {
        assert_true(vl_str_split(&rest, '\n', &line));
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(line, 4, &doc, NULL));
        assert_int_equal(vl_json_size(doc.root), 5);
        assert_str(vl_json_get_str(doc.root, "event"), "client.reject");
        assert_str(vl_json_get_str(doc.root, "outcome"), "refused");
        for (size_t at = 0; at < line.n; at++) {
            assert_true((unsigned char)line.p[at] >= 0x20);
            assert_true(line.p[at] != 0x7f);
            struct vl_str from = vl_str_from(line, at);
            assert_false(vl_str_starts(from, VL_STR("\xc2\x9b")));
            assert_false(vl_str_starts(from, VL_STR("\xe2\x80")));
        }
    }
}

static void
cuts_long_text_between_characters(void **state)
{
    struct desk *desk = *state;
    char flood[3001];
    /* 2 bytes a character, one byte off: 256 falls within one. */
    flood[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof flood - 1; i += 2)
        memcpy(flood + i, "\xc3\xa4", 2);
    flood[2999] = flood[3000] = '\0';
    struct vl_audit *audit = open_trail(desk);
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_TOOL_START,
                                             .tool = flood});
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    vl_auto(vl_json) doc = {NULL};
    assert_ok(vl_json_parse(vl_buf_str(&text), 4, &doc, NULL));
    struct vl_str tool = vl_json_get_str(doc.root, "tool");
    assert_int_equal(tool.n, 255);
    assert_true(vl_str_eq(tool, vl_str_of(flood, 255)));
}

static void
holds_the_longest_event(void **state)
{
    struct desk *desk = *state;
    char worst[512];
    memset(worst, 1, sizeof worst - 1);
    worst[sizeof worst - 1] = '\0';
    struct vl_client_id client;
    memset(client.text, 1, sizeof client.text);
    client.text[sizeof client.text - 1] = '\0';
    struct vl_user user;
    memset(&user, 1, sizeof user);
    struct vl_audit *audit = open_trail(desk);
    for (int i = 0; i < 100; i++)
        vl_audit(audit, &(struct vl_audit_event){
                            .kind = VL_AUDIT_SESSION_HIJACK_ATTEMPT,
                            .reason = worst,
                            .client = &client,
                            .user = &user,
                            .session = worst,
                            .tool = worst,
                            .peer = worst,
                            .correlation = worst,
                            .upstream_correlation = worst,
                            .ms = INT64_MAX,
                        });
    assert_int_equal(vl_audit_lost(audit), 0);
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    assert_int_equal(count_lines(vl_buf_str(&text)), 100);
}

static void
makes_a_file_for_its_owner_alone(void **state)
{
    struct desk *desk = *state;
    mode_t old = umask(0);
    vl_audit_close(open_trail(desk));
    (void)umask(old);
    struct stat st;
    assert_int_equal(stat(desk->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void
refuses_a_file_that_others_can_read(void **state)
{
    struct desk *desk = *state;
    vl_audit_close(open_trail(desk));
    assert_int_equal(chmod(desk->path, 0640), 0);
    struct vl_audit *audit = NULL;
    valet_error err;
    assert_int_equal(vl_audit_open(desk->path, &clock_at_noon, &audit, &err),
                     VALET_DENIED);
    assert_null(audit);
}

static void
refuses_a_link_a_pipe_and_a_missing_folder(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = NULL;
    assert_int_equal(symlink("/dev/null", desk->path), 0);
    assert_int_equal(vl_audit_open(desk->path, &clock_at_noon, &audit, NULL),
                     VALET_DENIED);
    assert_int_equal(unlink(desk->path), 0);
    assert_int_equal(mkfifo(desk->path, 0600), 0);
    assert_int_equal(vl_audit_open(desk->path, &clock_at_noon, &audit, NULL),
                     VALET_DENIED);
    assert_int_equal(
        vl_audit_open("/nowhere/audit", &clock_at_noon, &audit, NULL),
        VALET_INTERNAL);
}

static void
appends_to_what_is_there_and_mends_a_torn_line(void **state)
{
    struct desk *desk = *state;
    assert_ok(vl_file_create(desk->path, VL_STR("{\"half\":"), NULL));
    struct vl_audit *audit = open_trail(desk);
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_LOAD});
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    assert_true(
        vl_str_starts(vl_buf_str(&text), VL_STR("{\"half\":\n{\"time\":")));
}

static void
opens_a_new_file_after_rotation(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_LOAD});
    char moved[80];
    (void)snprintf(moved, sizeof moved, "%s.1", desk->path);
    assert_int_equal(rename(desk->path, moved), 0);
    assert_ok(vl_audit_reopen(audit, NULL));
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_CONFIG_WARN});
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    assert_int_equal(count_lines(vl_buf_str(&text)), 1);
    assert_non_null(strstr(vl_buf_cstr(&text), "config.warn"));
    vl_auto(vl_buf) old = vl_buf_of(4096);
    assert_ok(vl_file_read(moved, true, &old, NULL));
    assert_non_null(strstr(vl_buf_cstr(&old), "config.load"));
    assert_int_equal(unlink(moved), 0);
}

/* A full disk, played by the limit of file sizes. */
static void
outlives_a_disk_that_is_full_and_tells_of_it(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, tight = {0, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_cur = 100;
    tight.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const struct vl_audit_event event = {
        .kind = VL_AUDIT_BEARER_REJECT, .refused = true, .reason = "expired"};
    size_t sent = 0;
    for (; vl_audit_lost(audit) < 7 && sent < 100000; sent++)
        vl_audit(audit, &event);
    bool failing = vl_audit_is_failing(audit);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(failing);
    assert_int_equal(vl_audit_lost(audit), 7);
    vl_audit(audit, &event);
    assert_false(vl_audit_is_failing(audit));
    vl_audit_close(audit);

    vl_auto(vl_buf) text = read_trail(desk);
    struct vl_str rest = vl_buf_str(&text), line, last = {NULL, 0};
    size_t lines = 0;
    while (vl_str_split(&rest, '\n', &line)) {
        if (line.n == 0)
            break;
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(line, 4, &doc, NULL));
        last = line;
        lines++;
    }
    assert_int_equal(lines, sent + 1 - 7);
    assert_true(vl_str_ends(last, VL_STR(",\"lost\":7}")));
}

/* Rotated while the disk is full, in the middle of a line. */
static void
begins_a_new_file_with_a_whole_line(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, tight = {0, 0};
    char moved[sizeof desk->path + 8];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_cur = 100;
    tight.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const struct vl_audit_event event = {
        .kind = VL_AUDIT_CALLBACK_FAIL, .refused = true, .reason = "expired"};
    for (int i = 0; i < 3; i++)
        vl_audit(audit, &event);
    bool failing = vl_audit_is_failing(audit);
    (void)snprintf(moved, sizeof moved, "%s.1", desk->path);
    int renamed = rename(desk->path, moved);
    valet_status status = vl_audit_reopen(audit, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(failing);
    assert_int_equal(renamed, 0);
    assert_ok(status);
    assert_int_equal(vl_audit_lost(audit), 1);
    vl_audit(audit, &event);
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    struct vl_str rest = vl_buf_str(&text), line;
    assert_true(count_lines(rest) >= 2);
    while (vl_str_split(&rest, '\n', &line) && line.n) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(line, 4, &doc, NULL));
    }
    assert_int_equal(unlink(moved), 0);
}

static void *
write_many(void *audit)
{
    for (int i = 0; i < 500; i++)
        vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_TOOL_END,
                                                 .refused = i % 7 == 0,
                                                 .tool = "getUserDetails"});
    return NULL;
}

static void
keeps_lines_of_several_threads_apart(void **state)
{
    struct desk *desk = *state;
    struct vl_audit *audit = open_trail(desk);
    pthread_t threads[4];
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, audit),
                         0);
    for (int i = 0; i < 50; i++) {
        vl_audit_flush(audit);
        assert_ok(vl_audit_reopen(audit, NULL));
    }
    for (size_t i = 0; i < VL_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    vl_audit_close(audit);
    vl_auto(vl_buf) text = read_trail(desk);
    struct vl_str rest = vl_buf_str(&text), line;
    assert_int_equal(count_lines(rest), 2000);
    while (vl_str_split(&rest, '\n', &line) && line.n) {
        vl_auto(vl_json) doc = {NULL};
        assert_ok(vl_json_parse(line, 4, &doc, NULL));
    }
}

static void
discards_without_a_path(void **state)
{
    (void)state;
    struct vl_audit *audit = NULL;
    assert_ok(vl_audit_open("", &clock_at_noon, &audit, NULL));
    vl_audit(audit, &(struct vl_audit_event){.kind = VL_AUDIT_TOOL_END});
    vl_audit_flush(audit);
    assert_ok(vl_audit_reopen(audit, NULL));
    vl_audit_close(audit);
    vl_audit(NULL, &(struct vl_audit_event){.kind = VL_AUDIT_TOOL_END});
    vl_audit_close(NULL);
}

/* Enum, names and docs/protocol/audit.md say the same. */
static void
documents_every_event(void **state)
{
    (void)state;
    vl_auto(vl_buf) page = vl_buf_of(65536);
    assert_ok(vl_file_read("../docs/protocol/audit.md", false, &page, NULL));
    char *events = strstr(vl_buf_cstr(&page), "## Events");
    assert_non_null(events);
    size_t rows = 0;
    for (const char *p = events; (p = strstr(p, "\n| `")); p++)
        rows++;
    assert_int_equal(rows, VL_AUDIT_KIND_COUNT);
    for (int i = 0; i < VL_AUDIT_KIND_COUNT; i++) {
        const char *name = vl_audit_kind_name((enum vl_audit_kind)i);
        assert_non_null(name);
        char row[64];
        (void)snprintf(row, sizeof row, "\n| `%s` |", name);
        if (!strstr(events, row))
            fail_msg("docs/protocol/audit.md does not tell of %s", name);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name,
                                    vl_audit_kind_name((enum vl_audit_kind)j));
    }
    assert_string_equal(vl_audit_kind_name(VL_AUDIT_KIND_COUNT), "?");
}

#define TRAIL_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(writes_every_field_of_an_event),
        TRAIL_TEST(buffers_what_went_well_until_the_flush),
        TRAIL_TEST(lets_no_stranger_forge_a_line),
        TRAIL_TEST(cuts_long_text_between_characters),
        TRAIL_TEST(holds_the_longest_event),
        TRAIL_TEST(makes_a_file_for_its_owner_alone),
        TRAIL_TEST(refuses_a_file_that_others_can_read),
        TRAIL_TEST(refuses_a_link_a_pipe_and_a_missing_folder),
        TRAIL_TEST(appends_to_what_is_there_and_mends_a_torn_line),
        TRAIL_TEST(opens_a_new_file_after_rotation),
        TRAIL_TEST(outlives_a_disk_that_is_full_and_tells_of_it),
        TRAIL_TEST(begins_a_new_file_with_a_whole_line),
        TRAIL_TEST(keeps_lines_of_several_threads_apart),
        cmocka_unit_test(discards_without_a_path),
        cmocka_unit_test(documents_every_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
