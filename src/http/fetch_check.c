/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be asked at all, whoever carries it.
 */
#include "core/status.h"
#include "http/fetch_inner.h"

/* Headers of a request besides those in it. */
#define MORE_MAX 48

/* RFC 9110 5.6.2: token = 1*tchar */
bool
vl_fetch_is_token(struct vl_str s)
{
    static const struct vl_str marks = {"!#$%&'*+-.^_`|~", 15};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z');
        if (!is_alnum && !vl_str_has(marks, c))
            return false;
    }
    return s.n > 0;
}

/* Visible ASCII, and inside it spaces and tabs: nothing that starts a line. */
static bool
is_value(struct vl_str s, bool may_have_space)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_space = c == ' ' || c == '\t';
        if (c >= 0x7f || (c <= ' ' && !(is_space && may_have_space)))
            return false;
    }
    return true;
}

/* @spec S-96: secrets travel over TLS only; loopback never leaves the host. */
static valet_status
check_url(struct vl_fetch *fetch, const char *text, struct vl_url *ret,
          valet_error *err)
{
    fetch->url = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_addz(&fetch->url, text);
    VL_TRY(vl_buf_check(&fetch->url, err));
    VL_TRY(vl_url_parse(vl_buf_str(&fetch->url), ret, err));
    fetch->host = ret->host;
    if (vl_url_is_https(ret) && ret->host.n)
        return VALET_OK;
    if (vl_url_is_http(ret) && vl_url_is_loopback(ret))
        return VALET_OK;
    return vl_fail(err, VALET_INVALID, "",
                   "only https is fetched, or http on this machine");
}

static valet_status
check_headers(const struct vl_header *headers, size_t count, size_t max,
              valet_error *err)
{
    if (count > max)
        return vl_fail(err, VALET_INVALID, "", "too many request headers");
    for (size_t i = 0; i < count; i++)
        if (!vl_fetch_is_token(headers[i].name) ||
            !is_value(vl_str_trim(headers[i].value), true))
            return vl_fail(err, VALET_INVALID, "", "malformed request header");
    return VALET_OK;
}

static valet_status
check_content(const struct vl_fetch_request *request, valet_error *err)
{
    struct vl_str method = vl_str_z(request->method);
    bool is_post = vl_str_eqz(method, "POST");
    if (!is_post && !vl_str_eqz(method, "GET") && !vl_str_eqz(method, "DELETE"))
        return vl_fail(err, VALET_INVALID, "",
                       "only GET, POST and DELETE are sent");
    if ((request->form.n || request->json.n) && !is_post)
        return vl_fail(err, VALET_INVALID, "", "only a POST has a body");
    if (request->form.n > VL_LIMIT_FETCH_BODY ||
        (request->form.n && request->json.n))
        return vl_fail(err, VALET_INVALID, "", "a form that cannot be sent");
    return VALET_OK;
}

valet_status
vl_fetch_check(struct vl_fetch *fetch, const struct vl_fetch_request *request,
               struct vl_url *ret_url, valet_error *err)
{
    struct vl_str token = request->bearer ? vl_secret_reveal(request->bearer)
                                          : (struct vl_str){NULL, 0};
    VL_TRY(check_content(request, err));
    VL_TRY(check_url(fetch, request->url, ret_url, err));
    VL_TRY(check_headers(request->headers, request->header_count,
                         VL_COUNT(request->headers), err));
    VL_TRY(check_headers(request->more, request->more_count, MORE_MAX, err));
    if (request->bearer && (token.n == 0 || !is_value(token, false)))
        return vl_fail(err, VALET_INVALID, "", "malformed bearer token");
    return VALET_OK;
}
