/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to io/: numeric addresses to and from what the kernel speaks.
 */
#ifndef VL_IO_ADDRESS_H
#define VL_IO_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base.h"

union vl_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* VALET_INVALID unless `text` is a numeric address and `port` is in range. */
valet_status
vl_address_parse(const char *text, unsigned port, union vl_address *ret,
                 valet_error *err) VALET_CHECK;
socklen_t vl_address_size(const union vl_address *address);
unsigned vl_address_port(const union vl_address *address);
/* Without port; an IPv4 address mapped into IPv6 is shown as IPv4. */
void
vl_address_text(const union vl_address *address, char ret[INET6_ADDRSTRLEN]);

#endif
