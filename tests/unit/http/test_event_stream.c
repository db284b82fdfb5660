/* SPDX-License-Identifier: Apache-2.0
 *
 * Event streams as they are written, and as they arrive: in any pieces.
 */
#include "vl_test.h"

#include "http/event_stream.h"

#define MAX ((size_t)64)

/* What was told, as text: name|data|id, '+' after an id that was said now. */
struct told {
    struct vl_buf text;
    int count, stop_after; /* 0: never */
};

static bool
tell(const struct vl_event *event, void *ctx)
{
    struct told *told = ctx;
    vl_buf_addf(&told->text, "%s" VL_STR_FMT "|", told->count ? "; " : "",
                VL_STR_ARG(event->name));
    vl_buf_add(&told->text, event->data);
    vl_buf_addf(&told->text, "|" VL_STR_FMT "%s", VL_STR_ARG(event->id),
                event->has_id ? "+" : "");
    told->count++;
    return told->count != told->stop_after;
}

struct bench {
    struct vl_event_reader reader;
    struct told told;
    valet_error err;
};

static void
begin(struct bench *b)
{
    *b = (struct bench){.told.text = vl_buf_of(4096)};
    vl_event_reader_init(&b->reader, MAX);
}

static void
end(struct bench *b)
{
    vl_event_reader_done(&b->reader);
    vl_buf_done(&b->told.text);
}

static valet_status
take(struct bench *b, struct vl_str bytes)
{
    return vl_event_reader_take(&b->reader, bytes, tell, &b->told, &b->err);
}

/* In two pieces, cut at every byte; and byte by byte. */
static void
assert_told_of(struct vl_str stream, const char *wanted)
{
    struct bench b;
    for (size_t cut = 0; cut <= stream.n; cut++) {
        begin(&b);
        assert_ok(take(&b, vl_str_head(stream, cut)));
        assert_ok(take(&b, vl_str_from(stream, cut)));
        assert_string_equal(vl_buf_cstr(&b.told.text), wanted);
        end(&b);
    }
    begin(&b);
    for (size_t i = 0; i < stream.n; i++)
        assert_ok(take(&b, vl_str_of(stream.p + i, 1)));
    assert_string_equal(vl_buf_cstr(&b.told.text), wanted);
    end(&b);
}

#define ASSERT_TOLD(text, wanted) assert_told_of(VL_STR(text), wanted)

static void
reads_events_with_any_line_end(void **state)
{
    (void)state;
    ASSERT_TOLD("data: a\n\ndata: b\n\n", "message|a|; message|b|");
    ASSERT_TOLD("data: a\r\n\r\ndata: b\r\n\r\n", "message|a|; message|b|");
    ASSERT_TOLD("data: a\r\rdata: b\r\r", "message|a|; message|b|");
    ASSERT_TOLD("data: a\r\n\ndata: b\n\r\n", "message|a|; message|b|");
    ASSERT_TOLD("data: a\r\n\rdata: b\n\r", "message|a|; message|b|");
    ASSERT_TOLD("event: endpoint\ndata: /m?s=1\n\n", "endpoint|/m?s=1|");
}

/* An event that has ended with CR is told; LF may never come. */
static void
does_not_wait_for_what_may_follow(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    assert_ok(take(&b, VL_STR("data: a\r\r")));
    assert_int_equal(b.told.count, 1);
    assert_ok(take(&b, VL_STR("\n")));
    assert_ok(take(&b, VL_STR("data: b\r\n\r")));
    assert_int_equal(b.told.count, 2);
    end(&b);
}

static void
joins_lines_of_data(void **state)
{
    (void)state;
    ASSERT_TOLD("data: YHOO\ndata: +2\ndata: 10\n\n", "message|YHOO\n+2\n10|");
    ASSERT_TOLD("data\n\ndata\ndata\n\ndata:", "message||; message|\n|");
    ASSERT_TOLD("data:test\n\ndata: test\n\ndata:  test\n\n",
                "message|test|; message|test|; message| test|");
    ASSERT_TOLD("data: a:b\n\n", "message|a:b|");
}

static void
passes_over_what_is_no_field(void **state)
{
    (void)state;
    ASSERT_TOLD(": a comment\n\n:\n\n\n\ndata: a\n:\n\n", "message|a|");
    ASSERT_TOLD("Data: a\n data: b\nother: c\ndata : d\nnothing\n\n", "");
    ASSERT_TOLD("event: x\n\ndata: a\n\n", "message|a|"); /* no data: none */
    ASSERT_TOLD("event: x\nevent:\ndata: a\n\n", "message|a|");
}

static void
a_byte_order_mark_is_passed_over_once(void **state)
{
    (void)state;
    ASSERT_TOLD("\xef\xbb\xbf"
                "data: a\n\n",
                "message|a|");
    ASSERT_TOLD("\xef\xbb\xbf\xef\xbb\xbf"
                "data: a\n\n",
                "");
    ASSERT_TOLD("data: a\n\n\xef\xbb\xbf"
                "data: b\n\n",
                "message|a|");
}

/* @spec HT-41: with an id alone a stream begins that can be resumed. */
static void
keeps_the_last_id(void **state)
{
    (void)state;
    ASSERT_TOLD("id: 1\ndata:\n\ndata: a\n\n", "message||1+; message|a|1");
    ASSERT_TOLD("id: 1\n\ndata: a\n\nid\ndata: b\n\n",
                "message||1+; message|a|1; message|b|+");
    ASSERT_TOLD("id: 1\nid: 2\ndata: a\n\n", "message|a|2+");
    ASSERT_TOLD("id: 1\n\nid: a\0b\ndata: a\n\n", "message||1+; message|a|1");
}

static void
an_event_that_was_not_ended_is_none(void **state)
{
    struct bench b;
    (void)state;
    ASSERT_TOLD("data: a\n\ndata: b\n", "message|a|");
    ASSERT_TOLD("data: a\n\ndata: b", "message|a|");
    begin(&b);
    assert_ok(take(&b, VL_STR("id: 1\ndata: a\n\nid: 2\ndata: half\nda")));
    assert_string_equal(vl_buf_cstr(&b.reader.id), "1");
    vl_event_reader_restart(&b.reader);
    assert_ok(take(&b, VL_STR("\xef\xbb\xbf"
                              "data: b\n\n")));
    assert_string_equal(vl_buf_cstr(&b.told.text), "message|a|1+; message|b|1");
    vl_event_reader_restart(&b.reader);
    assert_string_equal(vl_buf_cstr(&b.reader.id), "1");
    end(&b);
}

static int64_t
retry_of(struct vl_str stream)
{
    struct bench b;
    begin(&b);
    assert_ok(take(&b, stream));
    assert_int_equal(b.told.count, 0);
    int64_t ms = b.reader.retry_ms;
    vl_event_reader_restart(&b.reader);
    assert_int_equal(b.reader.retry_ms, ms);
    end(&b);
    return ms;
}

static void
takes_a_time_to_wait_of_digits_alone(void **state)
{
    (void)state;
    assert_int_equal(retry_of(VL_STR("")), -1);
    assert_int_equal(retry_of(VL_STR("retry: 10")), -1);
    assert_int_equal(retry_of(VL_STR("retry: 10\n")), 10);
    assert_int_equal(retry_of(VL_STR("retry:0\n\n")), 0);
    assert_int_equal(retry_of(VL_STR("retry: 10\nretry: 1s\n")), 10);
    assert_int_equal(retry_of(VL_STR("retry: -1\n")), -1);
    assert_int_equal(retry_of(VL_STR("retry:  1\n")), -1);
    assert_int_equal(retry_of(VL_STR("retry\n")), -1);
    assert_int_equal(retry_of(VL_STR("retry: 99999999999999999999999\n")),
                     INT32_MAX);
}

/* --- limits --- */

static void
assert_refused(struct vl_str stream, valet_status wanted, int told)
{
    struct bench b;
    for (size_t size = 1; size <= stream.n; size += 7) {
        valet_status status = VALET_OK;
        begin(&b);
        for (size_t at = 0; at < stream.n && status == VALET_OK; at += size)
            status = take(&b, vl_str_head(vl_str_from(stream, at), size));
        assert_int_equal(status, wanted);
        assert_int_equal(b.told.count, told);
        end(&b);
    }
}

#define TEN "0123456789"

static void
refuses_lines_and_events_that_are_too_long(void **state)
{
    (void)state;
    ASSERT_TOLD("data: " TEN TEN TEN TEN TEN "01234567\n\n",
                "message|" TEN TEN TEN TEN TEN "01234567|"); /* 64 */
    assert_refused(
        VL_STR("data: a\n\ndata: " TEN TEN TEN TEN TEN "012345678\n\n"),
        VALET_LIMIT, 1);
    assert_refused(VL_STR(":" TEN TEN TEN TEN TEN TEN "0123"), VALET_LIMIT, 0);
    /* 31, a line end, and 32; then one more. */
    ASSERT_TOLD("data:" TEN TEN TEN "0\ndata:" TEN TEN TEN "01\n\n",
                "message|" TEN TEN TEN "0\n" TEN TEN TEN "01|");
    assert_refused(VL_STR("data:" TEN TEN TEN "0\ndata:" TEN TEN TEN "012\n\n"),
                   VALET_LIMIT, 0);
}

static void
refuses_what_is_no_utf8(void **state)
{
    (void)state;
    ASSERT_TOLD("data: \xc3\xa4\xf0\x9f\x99\x82\n\n",
                "message|\xc3\xa4\xf0\x9f\x99\x82|");
    assert_refused(VL_STR("data: a\n\ndata: \xc3\n\n"), VALET_INVALID, 1);
    assert_refused(VL_STR(": \xff\n"), VALET_INVALID, 0);
}

static void
stops_when_no_more_are_wanted(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    b.told.stop_after = 2;
    assert_ok(take(&b, VL_STR("data: a\n\ndata: b\n\ndata: c\n\n\xff\n")));
    assert_string_equal(vl_buf_cstr(&b.told.text), "message|a|; message|b|");
    end(&b);
}

static bool
free_reader(const struct vl_event *event, void *ctx)
{
    (void)event;
    vl_event_reader_done(ctx);
    memset(ctx, 0xff, sizeof(struct vl_event_reader));
    return false;
}

static void
may_be_freed_when_no_more_are_wanted(void **state)
{
    struct vl_event_reader *reader = vl_alloc(sizeof *reader);
    (void)state;
    vl_event_reader_init(reader, MAX);
    assert_ok(vl_event_reader_take(reader, VL_STR("data: a\n\ndata: b\n\n"),
                                   free_reader, reader, NULL));
    free(reader);
}

static void
forgets_the_memory_of_a_long_event(void **state)
{
    enum { SIZE = 1024 * 1024 };
    struct vl_event_reader reader;
    struct told told = {.text = vl_buf_of(16)};
    char *data = vl_alloc(SIZE);
    (void)state;
    memset(data, 'x', SIZE);
    vl_event_reader_init(&reader, SIZE + 16);
    assert_ok(
        vl_event_reader_take(&reader, VL_STR("data: "), tell, &told, NULL));
    assert_ok(vl_event_reader_take(&reader, vl_str_of(data, SIZE), tell, &told,
                                   NULL));
    assert_ok(vl_event_reader_take(&reader, VL_STR("\n\n"), tell, &told, NULL));
    assert_int_equal(told.count, 1);
    assert_true(reader.data.cap + reader.line.cap < 131072);
    vl_event_reader_done(&reader);
    free(data);
    vl_buf_done(&told.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_events_with_any_line_end),
        cmocka_unit_test(does_not_wait_for_what_may_follow),
        cmocka_unit_test(joins_lines_of_data),
        cmocka_unit_test(passes_over_what_is_no_field),
        cmocka_unit_test(a_byte_order_mark_is_passed_over_once),
        cmocka_unit_test(keeps_the_last_id),
        cmocka_unit_test(an_event_that_was_not_ended_is_none),
        cmocka_unit_test(takes_a_time_to_wait_of_digits_alone),
        cmocka_unit_test(refuses_lines_and_events_that_are_too_long),
        cmocka_unit_test(refuses_what_is_no_utf8),
        cmocka_unit_test(stops_when_no_more_are_wanted),
        cmocka_unit_test(may_be_freed_when_no_more_are_wanted),
        cmocka_unit_test(forgets_the_memory_of_a_long_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
