/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs are only looked at, never taken apart for use: that is http/url.h, on
 * this same floor, which the program asks again when it starts.
 */
#include "conf/syntax.h"

#include <arpa/inet.h>

#include "core/limits.h"
#include "io/network.h"

#define NAME_MAX_SIZE 64
#define PATH_MAX_SIZE 1024

/* Only letters, digits and the characters of `more`; never empty. */
static bool
is_word(struct vl_str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++)
        if (!vl_is_letter(s.p[i]) && !vl_is_digit(s.p[i]) &&
            !vl_str_has(vl_str_z(more), s.p[i]))
            return false;
    return s.n > 0;
}

static bool
has_control(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

const char *
vl_syntax_line(struct vl_str text)
{
    if (text.n == 0 || text.n > VL_LIMIT_CLIENT_NAME || has_control(text))
        return "must be one line of 1 to 200 bytes; write a short text";
    return NULL;
}

const char *
vl_syntax_path(struct vl_str text)
{
    if (text.n == 0 || text.n > PATH_MAX_SIZE || has_control(text))
        return "must be the path of a file, at most 1024 bytes; write for "
               "example /etc/mcp-valet/name";
    return NULL;
}

const char *
vl_syntax_env_name(struct vl_str text)
{
    if (!is_word(text, "_") || vl_is_digit(text.p[0]) || text.n > NAME_MAX_SIZE)
        return "must be the name of an environment variable, not the secret; "
               "write for example AZURE_CLIENT_SECRET";
    return NULL;
}

static bool
is_guid(struct vl_str text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.p[i] != '-' : !vl_is_hex(text.p[i]))
            return false;
    }
    return true;
}

const char *
vl_syntax_guid(struct vl_str text)
{
    if (!is_guid(text))
        return "must be a GUID; write the Application (client) ID shown on "
               "the app registration's Overview page";
    return NULL;
}

/* Labels of letters, digits and inner hyphens. */
static bool
is_host_name(struct vl_str text, size_t min_labels)
{
    struct vl_str label;
    size_t labels = 0;
    if (text.n == 0 || text.n > 253)
        return false;
    while (vl_str_split(&text, '.', &label)) {
        if (!is_word(label, "-") || label.n > 63 || label.p[0] == '-' ||
            label.p[label.n - 1] == '-')
            return false;
        labels++;
    }
    return labels >= min_labels && vl_is_letter(label.p[0]);
}

/* @spec S-22: who may sign in is one organisation, not the world. */
static bool
is_for_everybody(struct vl_str text)
{
    static const char *const names[] = {
        "common", "organizations", "consumers",
        /* the tenant of all personal accounts */
        "9188040d-6c67-4c5b-b112-36a304b66dad"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(text, vl_str_z(names[i])))
            return true;
    return false;
}

const char *
vl_syntax_tenant(struct vl_str text)
{
    if (is_for_everybody(text))
        return "must name one tenant: common, organizations and consumers let "
               "people of any organisation sign in; write the Directory "
               "(tenant) ID of yours";
    if (!is_guid(text) && !is_host_name(text, 2))
        return "must be a GUID or a domain name of the tenant; write the "
               "Directory (tenant) ID shown on the app registration's "
               "Overview page";
    return NULL;
}

const char *
vl_syntax_client_id(struct vl_str text)
{
    if (!is_word(text, "-._") || text.n > 128)
        return "must be 1 to 128 letters, digits, '-', '.' or '_'; write for "
               "example my-agent";
    return NULL;
}

const char *
vl_syntax_server_name(struct vl_str text)
{
    if (!is_word(text, "-_") || text.n > NAME_MAX_SIZE)
        return "must have names of 1 to 64 letters, digits, '-' or '_', as "
               "they become part of URLs; write for example graph";
    return NULL;
}

const char *
vl_syntax_scope(struct vl_str text)
{
    /* scope-token = 1*( %x21 / %x23-5B / %x5D-7E )  ; RFC 6749 section 3.3 */
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x21 || text.p[i] > 0x7e || text.p[i] == '"' ||
            text.p[i] == '\\')
            return "must be scopes of visible ASCII characters without \" and "
                   "\\; write for example mcp.tools.read";
    return NULL;
}

const char *
vl_syntax_property(struct vl_str text)
{
    if (!is_word(text, "_") || vl_is_digit(text.p[0]) || text.n > NAME_MAX_SIZE)
        return "must be names of properties of a Graph user; write for "
               "example displayName,mail";
    return NULL;
}

/* What is left of an http(s) URL after its origin. */
struct origin {
    bool is_good, is_https, is_loopback, has_default_port;
    struct vl_str rest;
};

static bool
has_upper(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

/* host = "[" IPv6address "]" / IPv4address / reg-name, in lower case */
static bool
check_host(struct vl_str host, struct origin *ret)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    ret->is_loopback = vl_str_eqz(host, "localhost") ||
                       vl_str_eqz(host, "127.0.0.1") ||
                       vl_str_eqz(host, "[::1]");
    bool bracketed = host.n > 2 && host.p[0] == '[';
    struct vl_str inner = bracketed ? vl_str_of(host.p + 1, host.n - 2) : host;
    if (has_upper(host))
        return false;
    if (inner.n >= sizeof text)
        return !bracketed && is_host_name(host, 1);
    if (inner.n)
        memcpy(text, inner.p, inner.n);
    text[inner.n] = '\0';
    if (bracketed)
        return inet_pton(AF_INET6, text, bytes) == 1;
    return inet_pton(AF_INET, text, bytes) == 1 || is_host_name(host, 1);
}

static size_t
host_length(struct vl_str authority)
{
    if (authority.n && authority.p[0] == '[') {
        size_t end = vl_str_index(authority, ']');
        return end < authority.n ? end + 1 : end;
    }
    return vl_str_index(authority, ':');
}

static bool
check_port(struct vl_str port, struct origin *ret)
{
    uint64_t number;
    if (port.n == 0)
        return true;
    /* As http/url.h reads it: with a first digit of 0 it is no port there. */
    if (port.p[0] != ':' || port.n < 2 || port.p[1] == '0' ||
        !vl_str_u64(vl_str_from(port, 1), 65535, &number))
        return false;
    ret->has_default_port = number == (ret->is_https ? 443 : 80);
    return true;
}

static struct origin
look_at_origin(struct vl_str text)
{
    struct origin origin = {.is_https =
                                vl_str_starts(text, VL_STR("https://"))};
    if (!origin.is_https && !vl_str_starts(text, VL_STR("http://")))
        return origin;
    struct vl_str after = vl_str_from(text, origin.is_https ? 8 : 7);
    size_t end = 0;
    while (end < after.n && !vl_str_has(VL_STR("/?#"), after.p[end]))
        end++;
    origin.rest = vl_str_from(after, end);
    struct vl_str authority = vl_str_head(after, end);
    size_t host = host_length(authority);
    origin.is_good = check_host(vl_str_head(authority, host), &origin) &&
                     check_port(vl_str_from(authority, host), &origin);
    return origin;
}

static const char *
check_origin(struct vl_str text, bool slash_allowed)
{
    struct origin origin = look_at_origin(text);
    if (!origin.is_good)
        return "must be a URL in lower case with a host and no user name; "
               "write for example https://mcp.example.com";
    if (!origin.is_https && !origin.is_loopback)
        return "must use https, as only localhost, 127.0.0.1 and [::1] may "
               "use http; write https://";
    if (slash_allowed && vl_str_eqz(origin.rest, "/"))
        return NULL;
    if (origin.rest.n)
        return "must end after host and port, without a slash, path, query or "
               "fragment; write for example https://mcp.example.com";
    if (origin.has_default_port)
        return "must not name the port that its scheme has anyway; remove the "
               "port";
    return NULL;
}

const char *
vl_syntax_origin(struct vl_str text)
{
    return check_origin(text, false);
}

bool
vl_syntax_is_loopback(struct vl_str origin)
{
    return look_at_origin(origin).is_loopback;
}

const char *
vl_syntax_host_url(struct vl_str text)
{
    return check_origin(text, true);
}

const char *
vl_syntax_network(struct vl_str text)
{
    struct vl_network network;
    if (!vl_network_parse(text, &network))
        return "must be IP addresses, or networks with no bits set behind the "
               "prefix; write for example 10.0.0.5 or 10.0.0.0/8";
    if (vl_network_has_everybody(&network))
        return "must not name everybody, who could then claim any address; "
               "write the addresses of the proxies";
    return NULL;
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )  ; RFC 3986 3.1 */
static bool
is_app_scheme(struct vl_str scheme)
{
    /* Registered by programs we know, from before RFC 8252 asked for a dot. */
    static const char *const known[] = {
        "cursor", "vscode", "vscode-insiders", "vscodium", "windsurf",
        "claude", "zed",    "goose",           "raycast"};
    for (size_t i = 0; i < VL_COUNT(known); i++)
        if (vl_str_eqz(scheme, known[i]))
            return true;
    /* @spec W-17: javascript:, data: and file: have no dot. */
    return is_word(scheme, "+-.") && vl_is_letter(scheme.p[0]) &&
           vl_str_has(scheme, '.');
}

const char *
vl_syntax_redirect_uri(struct vl_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x21 || text.p[i] > 0x7e || text.p[i] == '\\')
            return "must be URIs of visible ASCII characters without spaces; "
                   "write for example http://127.0.0.1:33418/";
    if (text.n > VL_LIMIT_REDIRECT_URI)
        return "must be URIs of at most 2048 bytes; write a shorter one";
    if (vl_str_has(text, '#'))
        return "must be URIs without a fragment (RFC 6749 section 3.1.2); "
               "remove # and what follows";
    size_t colon = vl_str_index(text, ':');
    struct vl_str scheme = vl_str_head(text, colon);
    if (vl_str_ieq(scheme, VL_STR("http")) ||
        vl_str_ieq(scheme, VL_STR("https"))) {
        struct origin origin = look_at_origin(text);
        if (origin.is_good && (origin.is_https || origin.is_loopback))
            return NULL;
        return "must be https, or http on localhost, 127.0.0.1 or [::1]; "
               "write for example https://app.example.com/callback";
    }
    if (colon + 1 >= text.n || !is_app_scheme(scheme))
        return "must be https, loopback http, or a scheme of an app with a "
               "dot in it; write for example com.example.app:/callback";
    return NULL;
}
