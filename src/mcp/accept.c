/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/accept.h"

/* RFC 9110 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
 * All that matters is whether it is zero. */
static bool
is_refused(struct vl_str parameters)
{
    struct vl_str one;
    while (vl_str_split(&parameters, ';', &one)) {
        one = vl_str_trim(one);
        if (!vl_str_ieq(vl_str_head(one, 2), VL_STR("q=")))
            continue;
        struct vl_str value = vl_str_from(one, 2);
        size_t i = 0;
        while (i < value.n && (value.p[i] == '0' || value.p[i] == '.'))
            i++;
        return i == value.n;
    }
    return false;
}

/* RFC 9110 12.5.1: media-range [ weight ] */
static void
read_range(struct vl_str range, struct vl_mcp_accept *ret)
{
    size_t semicolon = vl_str_index(range, ';');
    struct vl_str type = vl_str_trim(vl_str_head(range, semicolon));
    if (is_refused(vl_str_from(range, semicolon + 1)))
        return;
    if (vl_str_ieq(type, VL_STR("application/json")) ||
        vl_str_ieq(type, VL_STR("application/*")) ||
        vl_str_ieq(type, VL_STR("*/*")))
        ret->json = true;
    else if (vl_str_ieq(type, VL_STR("text/event-stream")))
        ret->events = true;
}

struct vl_mcp_accept
vl_mcp_accept_read(const struct vl_headers *headers)
{
    struct vl_mcp_accept accept = {false, false};
    bool present = false;
    for (size_t i = 0; i < headers->count; i++) {
        if (!vl_str_ieq(headers->items[i].name, VL_STR("accept")))
            continue;
        present = true;
        struct vl_str rest = headers->items[i].value, range;
        while (vl_str_split(&rest, ',', &range))
            read_range(vl_str_trim(range), &accept);
    }
    if (!present)
        accept.json = true;
    return accept;
}
