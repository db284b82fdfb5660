/* SPDX-License-Identifier: Apache-2.0
 *
 * Each line is the value of one Accept header.
 */
#include "core/buf.h"
#include "mcp/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vl_mcp_accept
read_lines(struct vl_str text, char separator)
{
    struct vl_headers headers = {.count = 0};
    struct vl_str value;
    while (vl_str_split(&text, separator, &value))
        if (!vl_headers_add(&headers, VL_STR("Accept"), value))
            break;
    return vl_mcp_accept_read(&headers);
}

/* RFC 9110 5.3: several headers are one, joined by commas; and what was
 * accepted stays so when more is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size), value, rest = text;
    vl_auto(vl_buf) joined = vl_buf_of(size + 64);
    size_t lines = 0;
    while (lines < VL_LIMIT_HEADERS && vl_str_split(&rest, '\n', &value)) {
        if (lines++)
            vl_buf_addc(&joined, ',');
        vl_buf_add(&joined, value);
    }
    struct vl_mcp_accept apart = read_lines(text, '\n');
    struct vl_headers one = {.count = 0};
    VL_ASSERT(vl_headers_add(&one, VL_STR("accept"), vl_buf_str(&joined)));
    struct vl_mcp_accept together = vl_mcp_accept_read(&one);
    if (lines)
        VL_ASSERT(apart.json == together.json &&
                  apart.events == together.events);
    VL_ASSERT(
        vl_headers_add(&one, VL_STR("Accept"), VL_STR("application/json;q=0")));
    struct vl_mcp_accept more = vl_mcp_accept_read(&one);
    VL_ASSERT(more.json == together.json && more.events == together.events);
    VL_ASSERT(vl_headers_add(&one, VL_STR("Accept"),
                             VL_STR("text/event-stream, */*")));
    more = vl_mcp_accept_read(&one);
    VL_ASSERT(more.json && more.events);
    return 0;
}
