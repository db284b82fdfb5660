/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of a page in freed memory. This file answers exchanges itself,
 * to see where the page lies; no HTTP server is linked.
 */
#include <fcntl.h>
#include <unistd.h>

#include "http/server.h"
#include "vl_test.h"
#include "web/page.h"

#define CODE "c0de.4f6e1565c2c743cb8a4c0981d022ce20b1a0bd0c7e0d4f43"

static uintptr_t address;

void
vl_reply_add(struct vl_reply *reply, const char *name, struct vl_str value)
{
    assert_true(reply->header_count < VL_COUNT(reply->headers));
    reply->headers[reply->header_count++] =
        (struct vl_header){vl_str_z(name), value};
}

void
vl_exchange_reply(struct vl_exchange *x, const struct vl_reply *reply)
{
    assert_null(x);
    for (size_t i = 0; i + sizeof CODE - 1 <= reply->body.n; i++)
        if (memcmp(reply->body.p + i, CODE, sizeof CODE - 1) == 0)
            address = (uintptr_t)(reply->body.p + i);
}

/* @spec S-56 W-61 */
static void
leaves_no_code_of_a_move_on_page_behind(void **state)
{
    (void)state;
    struct vl_reply reply = {.status = 0};
    char found[sizeof CODE] = "";
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    vl_page_move_on(NULL, VL_STR("Back"),
                    VL_STR("https://app.example/cb?code=" CODE), &reply);
    assert_true(address != 0);
    /* Nobody's memory any more, so it is looked at from outside. */
    assert_int_equal(pread(memory, found, sizeof CODE - 1, (off_t)address),
                     sizeof CODE - 1);
    assert_string_not_equal(found, CODE);
    assert_int_equal(close(memory), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_no_code_of_a_move_on_page_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
