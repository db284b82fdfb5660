/* SPDX-License-Identifier: Apache-2.0 */
#include "vl_test.h"

#include "http/message.h"

static struct vl_headers
headers_of(const char *const *pairs, size_t count)
{
    struct vl_headers headers = {.count = 0};
    for (size_t i = 0; i < count; i += 2)
        assert_true(vl_headers_add(&headers, vl_str_z(pairs[i]),
                                   vl_str_z(pairs[i + 1])));
    return headers;
}

static void
finds_headers_without_case(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "Host",       "a", "X-Y",        "1",
        "x-y",        "2", "Connection", "keep-alive , Upgrade",
        "connection", "TE"};
    struct vl_headers headers = headers_of(pairs, VL_COUNT(pairs));
    assert_str(vl_headers_get(&headers, "host"), "a");
    assert_str(vl_headers_get(&headers, "X-y"), "1");
    assert_null(vl_headers_get(&headers, "X").p);
    assert_int_equal(vl_headers_count(&headers, "x-Y"), 2);
    assert_int_equal(vl_headers_count(&headers, "z"), 0);
    assert_true(vl_headers_have_token(&headers, "connection", "upgrade"));
    assert_true(vl_headers_have_token(&headers, "connection", "te"));
    assert_false(vl_headers_have_token(&headers, "connection", "close"));
    assert_false(vl_headers_have_token(&headers, "connection", "keep"));
}

static void
has_room_for_so_many_headers_and_no_more(void **state)
{
    (void)state;
    struct vl_headers headers = {.count = 0};
    for (size_t i = 0; i < VL_LIMIT_HEADERS; i++)
        assert_true(vl_headers_add(&headers, VL_STR("a"), VL_STR("b")));
    assert_false(vl_headers_add(&headers, VL_STR("a"), VL_STR("b")));
    assert_int_equal(headers.count, VL_LIMIT_HEADERS);
}

static void
reads_a_cookie(void **state)
{
    (void)state;
    static const char *const pairs[] = {"Cookie", "a=1; __Host-b=x=y; c=; B=2",
                                        "cookie", "d=\"q\";e"};
    struct vl_headers headers = headers_of(pairs, VL_COUNT(pairs));
    assert_str(vl_cookie_get(&headers, "a"), "1");
    assert_str(vl_cookie_get(&headers, "__Host-b"), "x=y");
    assert_str(vl_cookie_get(&headers, "c"), "");
    assert_non_null(vl_cookie_get(&headers, "c").p);
    assert_str(vl_cookie_get(&headers, "d"), "\"q\"");
    assert_null(vl_cookie_get(&headers, "b").p);
    assert_null(vl_cookie_get(&headers, "e").p);
    assert_null(vl_cookie_get(&headers, "").p);
    assert_str(vl_cookie_get(&headers, "B"), "2");
}

/* A neighbour host may set a second cookie of our name: then neither counts. */
static void
takes_no_cookie_that_came_twice(void **state)
{
    (void)state;
    static const char *const one[] = {"Cookie", "a=1; a=2"};
    static const char *const two[] = {"Cookie", "a=1", "Cookie", "b=1;a=2"};
    static const char *const spaced[] = {"Cookie", "a=1; a =2"};
    struct vl_headers headers = headers_of(one, 2);
    assert_null(vl_cookie_get(&headers, "a").p);
    headers = headers_of(two, 4);
    assert_null(vl_cookie_get(&headers, "a").p);
    headers = headers_of(spaced, 2);
    assert_null(vl_cookie_get(&headers, "a").p);
}

static void
compares_media_types_without_parameters(void **state)
{
    (void)state;
    static const char type[] = "application/json";
    assert_true(vl_media_type_is(VL_STR("application/json"), type));
    assert_true(vl_media_type_is(VL_STR("Application/JSON ; charset=x"), type));
    assert_false(vl_media_type_is(VL_STR("application/jsonp"), type));
    assert_false(vl_media_type_is(VL_STR("application/json, a/b"), type));
    assert_false(vl_media_type_is((struct vl_str){NULL, 0}, type));
}

static void
knows_reasons(void **state)
{
    (void)state;
    assert_string_equal(vl_http_reason(200), "OK");
    assert_string_equal(vl_http_reason(505), "HTTP Version Not Supported");
    assert_string_equal(vl_http_reason(299), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_headers_without_case),
        cmocka_unit_test(has_room_for_so_many_headers_and_no_more),
        cmocka_unit_test(reads_a_cookie),
        cmocka_unit_test(takes_no_cookie_that_came_twice),
        cmocka_unit_test(compares_media_types_without_parameters),
        cmocka_unit_test(knows_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
