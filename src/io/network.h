/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks of IP addresses: 10.0.0.0/8, 2001:db8::/32, or one address.
 */
#ifndef VL_IO_NETWORK_H
#define VL_IO_NETWORK_H

#include "core/str.h"

#define VL_ADDRESS_SIZE 46 /* of an address as text, with its end */

struct vl_network {
    unsigned char prefix[16]; /* IPv4 as mapped into IPv6 */
    unsigned bits;
};

/* Strict: no bits may be set behind the prefix. */
bool vl_network_parse(struct vl_str text, struct vl_network *ret);
/* False for what is no address. An IPv4 address and its mapped form are one,
 * and in no network of IPv6. */
bool vl_network_has(const struct vl_network *network, const char *address);
/* Are all of IPv4 in it, mapped or not, or all of IPv6? */
bool vl_network_has_everybody(const struct vl_network *network);
/* Is it this machine's own (127.0.0.0/8, ::1)? */
bool vl_address_is_loopback(const char *address);
/* Is it everybody's: one that may be connected to because a stranger says so?
 * Not this machine's, a private, shared or local network's, or one with a
 * special meaning (RFC 6890 and IANA's registries); an IPv4 address that is
 * reached by NAT64 is judged as such. False for what is no address. */
bool vl_address_is_public(const char *address);
/* Of a host in a URL: false of such an address, and of names that are this
 * machine's whatever a resolver says (RFC 6761 section 6.3). */
bool vl_host_is_public(struct vl_str host);
/* "a.localhost", but not "localhost". */
bool vl_host_is_below_localhost(struct vl_str host);
/* An address in the one form that all of the house compares and counts by. */
bool vl_address_canonical(struct vl_str text, char ret[VL_ADDRESS_SIZE]);

#endif
