/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/redirect.h"

#include "core/limits.h"
#include "core/status.h"
#include "http/url.h"

/*
 * Schemes that are no program of the user's choice: browsers make content in
 * some origin of them, run them, or hand them to parts of the system that act
 * on what the address says.
 */
static const char *const dangerous[] = {"about",         "acct",
                                        "blob",          "callto",
                                        "chrome",        "chrome-extension",
                                        "cid",           "data",
                                        "dav",           "dict",
                                        "dns",           "feed",
                                        "file",          "filesystem",
                                        "ftp",           "ftps",
                                        "gopher",        "help",
                                        "intent",        "jar",
                                        "javascript",    "ldap",
                                        "ldaps",         "livescript",
                                        "mailto",        "mhtml",
                                        "mid",           "mocha",
                                        "moz-extension", "news",
                                        "nfs",           "nntp",
                                        "res",           "resource",
                                        "search",        "search-ms",
                                        "sftp",          "shell",
                                        "sip",           "sips",
                                        "sms",           "smb",
                                        "ssh",           "tel",
                                        "telnet",        "urn",
                                        "vbscript",      "view-source",
                                        "vnd.ms.radio",  "ws",
                                        "wss",           "wyciwyg"};

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "invalid_redirect_uri",
                   "this redirect URI is not allowed: %s", why);
}

static bool
is_dangerous(struct vl_str scheme)
{
    for (size_t i = 0; i < VL_COUNT(dangerous); i++)
        if (vl_str_ieq(scheme, vl_str_z(dangerous[i])))
            return true;
    /* Office, Settings and other protocol handlers of Windows. */
    return vl_str_ieq(vl_str_head(scheme, 3), VL_STR("ms-"));
}

/*
 * A query of its own may not hold what our answer adds: the client would see
 * two of them and believe one (@spec AS-31 W-71).
 */
static bool
has_answer_params(struct vl_str query)
{
    static const char *const ours[] = {
        "code", "state", "iss", "error", "error_description", "error_uri"};
    vl_auto(vl_arena) arena = vl_arena_of(4 * VL_LIMIT_REDIRECT_URI);
    struct vl_params params;
    if (vl_params_parse(query, &arena, &params, NULL) != VALET_OK)
        return true;
    for (size_t i = 0; i < VL_COUNT(ours); i++)
        if (vl_params_get(&params, ours[i]).p)
            return true;
    return false;
}

/* @spec W-17 W-63 RS-22 AS-20 */
valet_status
vl_redirect_check(struct vl_str uri, valet_error *err)
{
    struct vl_url url;
    if (uri.n == 0 || uri.n > VL_LIMIT_REDIRECT_URI)
        return refuse(err, "it is empty or too long");
    if (vl_url_parse(uri, &url, NULL) != VALET_OK)
        return refuse(err, "not an absolute URI without user information and "
                           "fragment");
    if (url.has_query && has_answer_params(url.query))
        return refuse(err, "its query holds a parameter of the answer, or "
                           "cannot be read");
    if (vl_url_is_https(&url))
        return VALET_OK;
    if (vl_url_is_http(&url))
        return vl_url_is_loopback(&url)
                   ? VALET_OK
                   : refuse(err, "http is for this computer only, use https");
    if (is_dangerous(url.scheme))
        return refuse(err, "this scheme is not a program's own");
    /* @spec RFC 8252 7.1: reversed domain names; in the wild also names
     * without a dot, then at least with an authority. */
    if (!vl_str_has(url.scheme, '.') && (!url.has_authority || !url.host.n))
        return refuse(err, "a private-use scheme is a reversed domain name "
                           "or followed by ://");
    return VALET_OK;
}

static bool
is_loopback_http(const struct vl_url *url)
{
    return vl_str_eqz(url->scheme, "http") && vl_url_is_loopback(url);
}

/* @spec AS-18 SB-05 W-52 */
bool
vl_redirect_matches(struct vl_str registered, struct vl_str requested)
{
    struct vl_url a, b;
    if (registered.n == 0)
        return false;
    if (vl_str_eq(registered, requested))
        return true;
    if (vl_url_parse(registered, &a, NULL) != VALET_OK ||
        vl_url_parse(requested, &b, NULL) != VALET_OK)
        return false;
    /* The path (with its slash or without) and the query stay exact. */
    return is_loopback_http(&a) && is_loopback_http(&b) &&
           vl_str_eq(a.host, b.host) && vl_str_eq(a.path, b.path) &&
           a.has_query == b.has_query && vl_str_eq(a.query, b.query);
}

bool
vl_redirect_is_local(struct vl_str uri)
{
    struct vl_url url;
    if (vl_url_parse(uri, &url, NULL) != VALET_OK)
        return true;
    return !vl_url_is_http(&url) || vl_url_is_loopback(&url);
}

struct vl_str
vl_redirect_host(struct vl_str uri)
{
    struct vl_url url;
    if (vl_url_parse(uri, &url, NULL) != VALET_OK)
        return (struct vl_str){NULL, 0};
    if (vl_url_is_http(&url))
        return url.host;
    return vl_str_head(uri, url.scheme.n + 1);
}

/* @spec W-71 AS-25 AS-31 W-20 */
void
vl_redirect_write(struct vl_buf *out, struct vl_str uri,
                  const struct vl_redirect_answer *answer)
{
    vl_buf_add(out, uri);
    /* Said here, so that a path that ends in '&' is not taken for a query. */
    if (!vl_str_has(uri, '?'))
        vl_buf_addc(out, '?');
    if (answer->error) {
        vl_url_add_param(out, "error", vl_str_z(answer->error));
        if (answer->description)
            vl_url_add_param(out, "error_description",
                             vl_str_z(answer->description));
    } else {
        vl_url_add_param(out, "code", answer->code);
    }
    if (answer->state.p)
        vl_url_add_param(out, "state", answer->state);
    vl_url_add_param(out, "iss", answer->iss);
}
