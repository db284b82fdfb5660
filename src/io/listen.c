/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"

#include <arpa/inet.h>

#include "core/status.h"

static valet_status
fail_form(valet_error *err)
{
    return vl_fail(err, VALET_INVALID, "",
                   "must be HOST:PORT with an IP address or localhost; write "
                   "127.0.0.1:3001, [::1]:3001 or localhost:3001");
}

/* Fills host and is_loopback from the text before the last colon. */
static bool
take_host(struct vl_str host, struct vl_listen *ret)
{
    unsigned char bytes[16];
    bool bracketed = host.n >= 2 && host.p[0] == '[';
    if (bracketed && host.p[host.n - 1] != ']')
        return false;
    if (bracketed)
        host = vl_str_of(host.p + 1, host.n - 2);
    else if (host.n == 0)
        host = VL_STR("localhost");
    if (host.n >= sizeof ret->host || vl_str_has(host, '\0'))
        return false;
    memcpy(ret->host, host.p, host.n);
    ret->host[host.n] = '\0';
    if (bracketed) {
        ret->is_loopback = vl_str_eqz(host, "::1");
        return inet_pton(AF_INET6, ret->host, bytes) == 1;
    }
    ret->is_loopback =
        vl_str_eqz(host, "localhost") || vl_str_eqz(host, "127.0.0.1");
    return vl_str_eqz(host, "localhost") ||
           inet_pton(AF_INET, ret->host, bytes) == 1;
}

valet_status
vl_listen_parse(struct vl_str text, struct vl_listen *ret, valet_error *err)
{
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    uint64_t port;
    struct vl_listen parsed = {.port = 0};
    if (colon == 0)
        return fail_form(err);
    if (!vl_str_u64(vl_str_from(text, colon), 65535, &port))
        return vl_fail(err, VALET_INVALID, "",
                       "must end in a port from 0 to 65535; write for example "
                       "localhost:3001");
    if (!take_host(vl_str_head(text, colon - 1), &parsed))
        return fail_form(err);
    parsed.port = (unsigned)port;
    *ret = parsed;
    return VALET_OK;
}
