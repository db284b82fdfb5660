/* SPDX-License-Identifier: Apache-2.0
 *
 * What libcurl is told about one request, and what it hands us of the answer.
 * libcurl reads the request from our memory, so the secrets in it are wiped
 * with the fetch.
 */
#include "core/status.h"
#include "http/fetch_inner.h"

/* Name, colon and value of all lines of a request. */
#define LINES_MAX (4 * VL_LIMIT_HEAD)

/* --- the request --- */

/* Ends a line; libcurl wants each as C text. */
static void
end_line(struct vl_fetch *fetch, size_t *ends, size_t *count)
{
    vl_buf_addc(&fetch->lines, '\0');
    ends[(*count)++] = vl_buf_size(&fetch->lines);
}

static void
add_line(struct vl_fetch *fetch, struct vl_str name, struct vl_str value)
{
    vl_buf_add(&fetch->lines, name);
    /* libcurl's way to say "empty": a bare colon would remove the header. */
    vl_buf_addz(&fetch->lines, value.n ? ": " : ";");
    vl_buf_add(&fetch->lines, value);
}

static valet_status
make_lines(struct vl_fetch *fetch, const struct vl_fetch_request *request,
           valet_error *err)
{
    size_t ends[VL_FETCH_LINES], count = 0;
    fetch->lines = vl_buf_of_secret(LINES_MAX);
    /* A body is sent without asking first. */
    vl_buf_addz(&fetch->lines, "Expect:");
    end_line(fetch, ends, &count);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct vl_header *h = &request->headers[i];
        add_line(fetch, h->name, vl_str_trim(h->value));
        end_line(fetch, ends, &count);
    }
    if (request->bearer) {
        vl_buf_addz(&fetch->lines, "Authorization: Bearer ");
        vl_buf_add(&fetch->lines, vl_secret_reveal(request->bearer));
        end_line(fetch, ends, &count);
    }
    VL_TRY(vl_buf_check(&fetch->lines, err));
    for (size_t i = 0; i < count; i++) {
        fetch->list[i].data = fetch->lines.p + (i ? ends[i - 1] : 0);
        fetch->list[i].next = i + 1 < count ? &fetch->list[i + 1] : NULL;
    }
    return VALET_OK;
}

/* --- the answer --- */

/* CURLOPT_HEADERFUNCTION: one line, with its end. */
static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
    (void)size; /* 1 */
    struct vl_fetch *fetch = ctx;
    struct vl_str line = {p, n};
    if (vl_str_starts(line, VL_STR("HTTP/"))) {
        /* The last one counts: 1xx answers come before it. */
        vl_buf_clear(&fetch->head);
        fetch->head_done = false;
        return n;
    }
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
        line.n--;
    if (line.n == 0)
        fetch->head_done = true;
    if (fetch->head_done)
        return n;
    vl_buf_add(&fetch->head, line);
    vl_buf_addc(&fetch->head, '\n');
    fetch->too_large = fetch->head.failed;
    return fetch->too_large ? 0 : n;
}

/* CURLOPT_WRITEFUNCTION */
static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
    (void)size; /* 1 */
    struct vl_fetch *fetch = ctx;
    vl_buf_add(&fetch->body, vl_str_of(p, n));
    fetch->too_large = fetch->body.failed;
    return fetch->too_large ? 0 : n;
}

valet_status
vl_fetch_headers(const struct vl_fetch *fetch, struct vl_headers *ret,
                 valet_error *err)
{
    struct vl_str rest = vl_buf_str(&fetch->head), line;
    ret->count = 0;
    while (vl_str_split(&rest, '\n', &line)) {
        size_t colon = vl_str_index(line, ':');
        /* No folded lines, no junk: nobody we ask sends them. */
        if (colon == line.n || !vl_fetch_is_token(vl_str_head(line, colon)))
            continue;
        if (!vl_headers_add(ret, vl_str_head(line, colon),
                            vl_str_trim(vl_str_from(line, colon + 1))))
            return vl_fail(err, VALET_LIMIT, "",
                           VL_STR_FMT ": more than %d headers",
                           VL_STR_ARG(fetch->host), VL_LIMIT_HEADERS);
    }
    return VALET_OK;
}

/* --- libcurl's options --- */

/* libcurl takes them as variable arguments: a plain int would be misread. */
static void
set_long(CURL *easy, CURLoption option, long value)
{
    (void)vl_curl.easy_setopt(easy, option, value);
}

static void
set_size(CURL *easy, CURLoption option, size_t value)
{
    (void)vl_curl.easy_setopt(easy, option, (curl_off_t)value);
}

static void
set_text(CURL *easy, CURLoption option, const char *value)
{
    (void)vl_curl.easy_setopt(easy, option, value);
}

static void
set_policy(CURL *easy, bool is_loopback)
{
    set_text(easy, CURLOPT_PROTOCOLS_STR, is_loopback ? "http,https" : "https");
    set_long(easy, CURLOPT_FOLLOWLOCATION, 0);
    set_long(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set_long(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
    set_long(easy, CURLOPT_PATH_AS_IS, 1);
    set_long(easy, CURLOPT_NOSIGNAL, 1);
    /* An abort must not wait for a name server: the loop would stand still. */
    set_long(easy, CURLOPT_QUICK_EXIT, 1);
    set_long(easy, CURLOPT_TCP_KEEPALIVE, 1);
    set_text(easy, CURLOPT_USERAGENT, "mcp-valet");
    set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    set_long(easy, CURLOPT_HEADEROPT, CURLHEADER_SEPARATE);
    /* What is on this machine is not asked for at a proxy. */
    if (is_loopback)
        set_text(easy, CURLOPT_PROXY, "");
}

/* @spec S-96: verification cannot be turned off. */
static void
set_tls(CURL *easy)
{
    set_long(easy, CURLOPT_SSL_VERIFYPEER, 1);
    set_long(easy, CURLOPT_SSL_VERIFYHOST, 2);
    set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

static void
set_receiver(struct vl_fetch *fetch)
{
    CURL *easy = fetch->easy;
    (void)vl_curl.easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    (void)vl_curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)vl_curl.easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    (void)vl_curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)vl_curl.easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    /* Refused early when the length is announced; on_body() has the say. */
    set_size(easy, CURLOPT_MAXFILESIZE_LARGE, VL_LIMIT_FETCH_BODY);
}

static void
set_request(struct vl_fetch *fetch, bool is_post)
{
    CURL *easy = fetch->easy;
    struct vl_str form = vl_secret_reveal(&fetch->content);
    (void)vl_curl.easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->list);
    if (!is_post) {
        set_long(easy, CURLOPT_HTTPGET, 1);
        return;
    }
    set_long(easy, CURLOPT_POST, 1);
    set_text(easy, CURLOPT_POSTFIELDS, form.n ? form.p : "");
    set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, form.n);
}

valet_status
vl_fetch_prepare(struct vl_fetch *fetch, const struct vl_fetch_request *request,
                 const struct vl_url *url, valet_error *err)
{
    VL_TRY(make_lines(fetch, request, err));
    fetch->content = vl_secret_of(request->form);
    VL_TRY(vl_fetcher_open(fetch->fetcher, err));
    fetch->easy = vl_curl.easy_init();
    if (!fetch->easy ||
        vl_curl.easy_setopt(fetch->easy, CURLOPT_URL,
                            vl_buf_cstr(&fetch->url)) != CURLE_OK)
        return vl_fail(err, VALET_LIMIT, "", "no memory for libcurl");
    set_policy(fetch->easy, vl_url_is_loopback(url));
    set_tls(fetch->easy);
    vl_fetch_set_roots(fetch);
    set_receiver(fetch);
    set_request(fetch, strcmp(request->method, "POST") == 0);
    return VALET_OK;
}

void
vl_fetch_rewind(struct vl_fetch *fetch, int64_t ms_left)
{
    long total = ms_left < 1 ? 1 : (long)ms_left;
    long connect =
        total < VL_LIMIT_FETCH_CONNECT_MS ? total : VL_LIMIT_FETCH_CONNECT_MS;
    vl_buf_clear(&fetch->head);
    vl_buf_clear(&fetch->body);
    fetch->head_done = fetch->too_large = false;
    set_long(fetch->easy, CURLOPT_TIMEOUT_MS, total);
    set_long(fetch->easy, CURLOPT_CONNECTTIMEOUT_MS, connect);
}
