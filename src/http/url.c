/* SPDX-License-Identifier: Apache-2.0
 *
 * Stricter than RFC 3986 where browsers, libraries and the RFC read the same
 * text differently: two readers of one URL must never see two hosts. So user
 * info, fragments, empty or odd ports, numeric hosts other than dotted quads
 * and percent-escapes in an http host are refused, not repaired.
 */
#include "http/url.h"

#include <arpa/inet.h>

#include "core/enc.h"
#include "core/status.h"

enum {
    IS_SCHEME = 1, /* ALPHA / DIGIT / "+" / "-" / "." */
    IS_HOST = 2,   /* unreserved / sub-delims */
    IS_PATH = 4,   /* pchar / "/" but for "%" */
    IS_QUERY = 8,  /* pchar / "/" / "?" but for "%" */
    IS_LABEL = 16, /* what an http host is made of */
    IS_HEX = 32
};

/* NUL ends the C strings here, and is in none of the classes. */
static bool
is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_in_class(char c, int class)
{
    bool word = vl_is_letter(c) || vl_is_digit(c);
    switch (class) {
    case IS_SCHEME:
        return word || is_one_of(c, "+-.");
    case IS_HOST:
        return word || is_one_of(c, "-._~!$&'()*+,;=");
    case IS_PATH:
        return word || is_one_of(c, "-._~!$&'()*+,;=:@/");
    case IS_QUERY:
        return word || is_one_of(c, "-._~!$&'()*+,;=:@/?");
    case IS_LABEL:
        return word || is_one_of(c, "-_");
    default:
        return vl_is_hex(c);
    }
}

/* Every byte of the class, or a whole escape where they are allowed. */
static bool
is_all(struct vl_str s, int class, bool escapes)
{
    for (size_t i = 0; i < s.n; i++) {
        if (escapes && s.p[i] == '%') {
            if (s.n - i < 3 || !vl_is_hex(s.p[i + 1]) || !vl_is_hex(s.p[i + 2]))
                return false;
            i += 2;
        } else if (!is_in_class(s.p[i], class)) {
            return false;
        }
    }
    return true;
}

bool
vl_url_is_https(const struct vl_url *url)
{
    return vl_str_ieq(url->scheme, VL_STR("https"));
}

bool
vl_url_is_http(const struct vl_url *url)
{
    return vl_url_is_https(url) || vl_str_ieq(url->scheme, VL_STR("http"));
}

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "not a usable URL: %s", why);
}

/* The bytes of an IPv4 or IPv6 address in its standard text form. */
static bool
is_address(struct vl_str text, int family)
{
    char z[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    if (text.n >= sizeof z || vl_str_has(text, '\0'))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    return inet_pton(family, z, bytes) == 1;
}

/* Would some reader take this label for a number: 127, 0x7f, 017? */
static bool
is_number(struct vl_str label)
{
    if (label.n >= 2 && label.p[0] == '0' && (label.p[1] | 0x20) == 'x')
        return is_all(vl_str_from(label, 2), IS_HEX, false);
    for (size_t i = 0; i < label.n; i++)
        if (!vl_is_digit(label.p[i]))
            return false;
    return true;
}

/*
 * A name of labels, or a dotted quad. What ends in a number is an address to
 * browsers and to inet_aton(), in forms such as 127.1 or 0x7f000001; only the
 * one form that all readers share passes.
 */
static bool
is_http_host(struct vl_str host)
{
    struct vl_str rest = host, label = {NULL, 0};
    if (host.n == 0 || host.n > 253)
        return false;
    while (vl_str_split(&rest, '.', &label))
        if (label.n == 0 || label.n > 63 || !is_all(label, IS_LABEL, false))
            return false;
    return !is_number(label) || is_address(host, AF_INET);
}

/* port = *DIGIT; here 1*5DIGIT, without leading zero, at most 65535. */
static valet_status
parse_port(struct vl_str text, struct vl_url *url, valet_error *err)
{
    uint64_t port;
    if (text.n == 0 || text.p[0] == '0' || !vl_str_u64(text, UINT16_MAX, &port))
        return refuse(err, "bad port");
    url->port = (uint16_t)port;
    return VALET_OK;
}

/* host = IP-literal / IPv4address / reg-name; IP-literal = "[" … "]" */
static valet_status
parse_host(struct vl_str *rest, struct vl_url *url, valet_error *err)
{
    if (rest->n && rest->p[0] == '[') {
        size_t end = vl_str_index(*rest, ']');
        if (end == rest->n)
            return refuse(err, "bad IPv6 address");
        url->host = vl_str_head(vl_str_from(*rest, 1), end - 1);
        url->is_ipv6 = true;
        *rest = vl_str_from(*rest, end + 1);
        return is_address(url->host, AF_INET6)
                   ? VALET_OK
                   : refuse(err, "bad IPv6 address");
    }
    size_t end = vl_str_index(*rest, ':');
    url->host = vl_str_head(*rest, end);
    *rest = vl_str_from(*rest, end);
    bool good = vl_url_is_http(url) ? is_http_host(url->host)
                                    : is_all(url->host, IS_HOST, true);
    return good ? VALET_OK : refuse(err, "bad host");
}

/* authority = [ userinfo "@" ] host [ ":" port ]; userinfo is refused. */
static valet_status
parse_authority(struct vl_str text, struct vl_url *url, valet_error *err)
{
    if (vl_str_has(text, '@'))
        return refuse(err, "it has user info");
    VL_TRY(parse_host(&text, url, err));
    if (vl_url_is_http(url))
        url->port = vl_url_is_https(url) ? 443 : 80;
    if (text.n == 0)
        return VALET_OK;
    if (text.p[0] != ':')
        return refuse(err, "bad authority");
    return parse_port(vl_str_from(text, 1), url, err);
}

bool
vl_url_is_authority(struct vl_str text)
{
    struct vl_url url = {.scheme = VL_STR("http")};
    return parse_authority(text, &url, NULL) == VALET_OK;
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
static valet_status
parse_scheme(struct vl_str *rest, struct vl_url *url, valet_error *err)
{
    size_t colon = vl_str_index(*rest, ':');
    url->scheme = vl_str_head(*rest, colon);
    if (colon == rest->n || colon == 0 || !vl_is_letter(rest->p[0]) ||
        !is_all(url->scheme, IS_SCHEME, false))
        return refuse(err, "no scheme");
    *rest = vl_str_from(*rest, colon + 1);
    return VALET_OK;
}

/* absolute-URI = scheme ":" hier-part [ "?" query ] */
valet_status
vl_url_parse(struct vl_str text, struct vl_url *ret, valet_error *err)
{
    struct vl_url url = {0};
    struct vl_str rest = text;
    VL_TRY(parse_scheme(&rest, &url, err));
    if (vl_str_has(rest, '#'))
        return refuse(err, "it has a fragment");

    size_t question = vl_str_index(rest, '?');
    url.has_query = question < rest.n;
    if (url.has_query)
        url.query = vl_str_from(rest, question + 1);
    rest = vl_str_head(rest, question);

    url.has_authority = vl_str_starts(rest, VL_STR("//"));
    if (url.has_authority) {
        rest = vl_str_from(rest, 2);
        size_t slash = vl_str_index(rest, '/');
        VL_TRY(parse_authority(vl_str_head(rest, slash), &url, err));
        rest = vl_str_from(rest, slash);
        url.origin = vl_str_head(text, (size_t)(rest.p - text.p));
    } else if (vl_url_is_http(&url)) {
        return refuse(err, "no host");
    }
    url.path = rest;
    if (!is_all(url.path, IS_PATH, true) || !is_all(url.query, IS_QUERY, true))
        return refuse(err, "bad byte or escape");
    *ret = url;
    return VALET_OK;
}

bool
vl_url_is_loopback(const struct vl_url *url)
{
    return vl_str_ieq(url->host, VL_STR("localhost")) ||
           vl_str_eq(url->host, VL_STR("127.0.0.1")) ||
           (url->is_ipv6 && vl_str_eq(url->host, VL_STR("::1")));
}

bool
vl_url_same_origin(const struct vl_url *a, const struct vl_url *b)
{
    /* Without authority an origin is opaque: equal to none, itself too. */
    return a->has_authority && b->has_authority &&
           vl_str_ieq(a->scheme, b->scheme) && vl_str_ieq(a->host, b->host) &&
           a->port == b->port;
}

/* --- parameters --- */

/* Decodes into the arena; `scratch` is kept from call to call. */
static valet_status
decode(struct vl_str raw, struct vl_arena *arena, struct vl_buf *scratch,
       struct vl_str *ret, valet_error *err)
{
    vl_buf_clear(scratch);
    if (!vl_dec_percent(raw, true, scratch))
        return vl_fail(err, VALET_INVALID, "", "a parameter has a bad escape");
    struct vl_str text = vl_buf_str(scratch);
    if (vl_str_has(text, '\0') || !vl_str_is_utf8(text))
        return vl_fail(err, VALET_INVALID, "", "a parameter is not UTF-8 text");
    struct vl_str copy = vl_arena_dup(arena, text);
    if (!copy.p)
        return vl_fail(err, VALET_LIMIT, "", "the parameters are too long");
    *ret = copy;
    return VALET_OK;
}

static valet_status
decode_pair(struct vl_str pair, struct vl_arena *arena, struct vl_buf *scratch,
            struct vl_param *ret, valet_error *err)
{
    size_t eq = vl_str_index(pair, '=');
    VL_TRY(decode(vl_str_head(pair, eq), arena, scratch, &ret->name, err));
    return decode(vl_str_from(pair, eq + 1), arena, scratch, &ret->value, err);
}

valet_status
vl_params_parse(struct vl_str text, struct vl_arena *arena,
                struct vl_params *ret, valet_error *err)
{
    struct vl_params params = {0};
    size_t room = 0;
    struct vl_str rest = text, pair;
    while (vl_str_split(&rest, '&', &pair))
        room += pair.n > 0;
    if (room > VL_PARAMS_MAX)
        return vl_fail(err, VALET_INVALID, "", "more than %d parameters",
                       VL_PARAMS_MAX);
    params.items = vl_arena_alloc(arena, (room + 1) * sizeof *params.items);
    if (!params.items)
        return vl_fail(err, VALET_LIMIT, "", "the parameters are too long");

    /* Passwords and codes pass through here: wiped at the end. */
    vl_auto(vl_buf) scratch = vl_buf_of_secret(text.n);
    rest = text;
    while (vl_str_split(&rest, '&', &pair))
        if (pair.n > 0)
            VL_TRY(decode_pair(pair, arena, &scratch,
                               &params.items[params.count++], err));
    *ret = params;
    return VALET_OK;
}

struct vl_str
vl_params_get(const struct vl_params *params, const char *name)
{
    struct vl_str wanted = vl_str_z(name);
    for (size_t i = 0; i < params->count; i++)
        if (vl_str_eq(params->items[i].name, wanted))
            return params->items[i].value;
    return (struct vl_str){NULL, 0};
}

bool
vl_params_repeat(const struct vl_params *params, const char *except)
{
    for (size_t i = 0; i < params->count; i++) {
        struct vl_str name = params->items[i].name;
        if (except && vl_str_eqz(name, except))
            continue;
        for (size_t j = 0; j < i; j++)
            if (vl_str_eq(params->items[j].name, name))
                return true;
    }
    return false;
}

/* --- writing --- */

void
vl_form_add(struct vl_buf *out, const char *name, struct vl_str value)
{
    if (vl_buf_size(out) > 0)
        vl_buf_addc(out, '&');
    vl_enc_percent(out, vl_str_z(name));
    vl_buf_addc(out, '=');
    vl_enc_percent(out, value);
}

void
vl_url_add_param(struct vl_buf *out, const char *name, struct vl_str value)
{
    struct vl_str url = vl_buf_str(out);
    bool has_query = vl_str_has(url, '?');
    /* A path may end in '&' too. */
    bool open = has_query && (vl_str_ends(url, VL_STR("?")) ||
                              vl_str_ends(url, VL_STR("&")));
    if (!open)
        vl_buf_addc(out, has_query ? '&' : '?');
    vl_enc_percent(out, vl_str_z(name));
    vl_buf_addc(out, '=');
    vl_enc_percent(out, value);
}
