/* SPDX-License-Identifier: Apache-2.0 */
#include "io/address.h"

#include <arpa/inet.h>

#include "core/status.h"

valet_status
vl_address_parse(const char *text, unsigned port, union vl_address *ret,
                 valet_error *err)
{
    union vl_address address = {0};
    if (port > 65535)
        return vl_fail(err, VALET_INVALID, "", "port %u is above 65535", port);
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons((uint16_t)port);
    } else {
        return vl_fail(err, VALET_INVALID, "",
                       "\"%.64s\" is not a numeric IP address", text);
    }
    *ret = address;
    return VALET_OK;
}

socklen_t
vl_address_size(const union vl_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6
                                              : sizeof address->v4;
}

unsigned
vl_address_port(const union vl_address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
                                                    : address->v4.sin_port);
}

void
vl_address_text(const union vl_address *address, char ret[INET6_ADDRSTRLEN])
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    const char *done = NULL;
    if (address->any.sa_family == AF_INET)
        done = inet_ntop(AF_INET, &address->v4.sin_addr, ret, INET6_ADDRSTRLEN);
    else if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        done = inet_ntop(AF_INET, &v6->s6_addr[12], ret, INET6_ADDRSTRLEN);
    else if (address->any.sa_family == AF_INET6)
        done = inet_ntop(AF_INET6, v6, ret, INET6_ADDRSTRLEN);
    if (!done)
        ret[0] = '\0';
}
