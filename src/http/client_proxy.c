/* SPDX-License-Identifier: Apache-2.0
 *
 * The proxy of this machine's network, as the environment names it in the way
 * that curl and most others read: https_proxy or HTTPS_PROXY, else all_proxy or
 * ALL_PROXY, but not for what no_proxy or NO_PROXY lists. Through it goes
 * CONNECT (RFC 9110 section 9.3.6) and then TLS to the server itself.
 */
#define _GNU_SOURCE /* secure_getenv */
#include "core/enc.h"
#include "core/status.h"
#include "http/client_private.h"

static const char *
variable(const char *lower, const char *upper)
{
    const char *value = secure_getenv(lower);
    if (!value || !*value)
        value = secure_getenv(upper);
    return value && *value ? value : NULL;
}

/* --- for whom it is not --- */

/* "example.com" and ".example.com" stand for the host and all below it. */
static bool
covers(struct vl_str pattern, struct vl_str host)
{
    if (vl_str_starts(pattern, VL_STR(".")))
        pattern = vl_str_from(pattern, 1);
    if (pattern.n == 0 || pattern.n > host.n)
        return false;
    struct vl_str tail = vl_str_from(host, host.n - pattern.n);
    return vl_str_ieq(tail, pattern) &&
           (tail.n == host.n || host.p[host.n - tail.n - 1] == '.');
}

static bool
is_excepted(struct vl_str host)
{
    char address[VL_ADDRESS_SIZE];
    if (vl_str_ieq(host, VL_STR("localhost")) ||
        (vl_address_canonical(host, address) &&
         vl_address_is_loopback(address)))
        return true;
    struct vl_str rest = vl_str_z(variable("no_proxy", "NO_PROXY")), item;
    while (vl_str_split(&rest, ',', &item)) {
        item = vl_str_trim(item);
        if (vl_str_eqz(item, "*") || covers(item, host))
            return true;
    }
    return false;
}

/* --- which one it is --- */

/* userinfo = *( unreserved / pct-encoded / sub-delims / ":" ), sent as RFC 7617
 * has it. */
static bool
add_credentials(struct vl_buf *out, struct vl_str userinfo)
{
    vl_auto(vl_buf) plain = vl_buf_of_secret(1024);
    if (!vl_dec_percent(userinfo, false, &plain))
        return false;
    vl_buf_addz(out, "Proxy-Authorization: Basic ");
    vl_enc_base64(out, vl_buf_str(&plain));
    vl_buf_addz(out, "\r\n");
    return true;
}

/* [ "http://" ] [ userinfo "@" ] host [ ":" port ] [ "/" ] */
static bool
read_proxy(struct vl_str text, struct vl_http_proxy *ret)
{
    static const struct vl_str scheme = {"http://", 7};
    vl_auto(vl_buf) plain = vl_buf_of_secret(2048);
    struct vl_url url;
    if (vl_str_ieq(vl_str_head(text, scheme.n), scheme))
        text = vl_str_from(text, scheme.n);
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != '@')
        at--;
    vl_buf_add(&plain, scheme);
    vl_buf_add(&plain, vl_str_from(text, at));
    if (vl_url_parse(vl_buf_str(&plain), &url, NULL) != VALET_OK ||
        url.host.n == 0 || url.host.n >= sizeof ret->host || url.has_query ||
        (url.path.n && !vl_str_eqz(url.path, "/")))
        return false;
    memcpy(ret->host, url.host.p, url.host.n);
    ret->host[url.host.n] = '\0';
    /* Without one it is 1080, as curl has it. */
    struct vl_str authority = vl_str_from(url.origin, scheme.n);
    if (url.is_ipv6)
        authority = vl_str_from(authority, vl_str_index(authority, ']'));
    ret->port = vl_str_has(authority, ':') ? url.port : 1080;
    return at == 0 ||
           add_credentials(&ret->credentials, vl_str_head(text, at - 1));
}

valet_status
vl_http_proxy_for(const struct vl_http_place *place, bool always,
                  struct vl_http_proxy *ret, valet_error *err)
{
    const char *value = variable("https_proxy", "HTTPS_PROXY");
    ret->host[0] = '\0';
    ret->credentials = vl_buf_of_secret(2048);
    if (!value)
        value = variable("all_proxy", "ALL_PROXY");
    if (!value || !place->is_secure ||
        (!always && is_excepted(vl_str_z(place->host))))
        return VALET_OK;
    if (!read_proxy(vl_str_z(value), ret) || ret->credentials.failed)
        return vl_fail(err, VALET_INVALID, "",
                       "the proxy that the environment names is none of the "
                       "form http://HOST:PORT");
    return VALET_OK;
}

void
vl_http_proxy_write(const struct vl_http_proxy *proxy,
                    const struct vl_http_place *place, struct vl_buf *out)
{
    bool is_v6 = vl_str_has(vl_str_z(place->host), ':');
    char authority[VL_HTTP_HOST_MAX + 16];
    (void)snprintf(authority, sizeof authority, "%s%s%s:%u", is_v6 ? "[" : "",
                   place->host, is_v6 ? "]" : "", (unsigned)place->port);
    vl_buf_addf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority,
                authority);
    vl_buf_add(out, vl_buf_str(&proxy->credentials));
    vl_buf_addz(out, "\r\n");
}
