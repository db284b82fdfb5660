/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"
#include "http/url.h"

/* RFC 3986 3.1: a scheme comes before any of "/?#". */
static bool
has_scheme(struct vl_str text)
{
    size_t colon = vl_str_index(text, ':');
    return colon > 0 && colon < vl_str_index(text, '/') &&
           colon < vl_str_index(text, '?');
}

/* RFC 3986 5.2.4; `from` is where the path begins in `out`. */
static void
add_segment(struct vl_buf *out, size_t from, struct vl_str segment,
            bool is_last)
{
    bool up = vl_str_eq(segment, VL_STR(".."));
    if (up && out->n > from) {
        size_t end = out->n - 1; /* before the last '/' */
        while (end > from && out->p[end - 1] != '/')
            end--;
        out->n = end;
    }
    if (up || vl_str_eq(segment, VL_STR(".")))
        return;
    vl_buf_add(out, segment);
    if (!is_last)
        vl_buf_addc(out, '/');
}

/* A path with its leading '/'. */
static void
add_path(struct vl_buf *out, struct vl_str path)
{
    struct vl_str rest = vl_str_from(path, 1), segment;
    vl_buf_addc(out, '/');
    size_t from = out->n;
    while (vl_str_split(&rest, '/', &segment) && !out->failed)
        add_segment(out, from, segment, rest.p == NULL);
}

static valet_status
resolve(const struct vl_url *base, struct vl_str reference, struct vl_buf *out,
        valet_error *err)
{
    size_t query = vl_str_index(reference, '?');
    struct vl_str path = vl_str_head(reference, query);
    vl_auto(vl_buf) whole = vl_buf_of(out->max);
    vl_buf_add(out, base->origin);
    if (path.n == 0) {
        vl_buf_add(&whole, base->path.n ? base->path : VL_STR("/"));
    } else if (path.p[0] == '/') {
        vl_buf_add(&whole, path);
    } else {
        size_t end = base->path.n;
        while (end > 0 && base->path.p[end - 1] != '/')
            end--;
        vl_buf_add(&whole, end ? vl_str_head(base->path, end) : VL_STR("/"));
        vl_buf_add(&whole, path);
    }
    VL_TRY(vl_buf_check(&whole, err));
    add_path(out, vl_buf_str(&whole));
    vl_buf_add(out, vl_str_from(reference, query));
    if (reference.n == 0 && base->has_query) {
        vl_buf_addc(out, '?');
        vl_buf_add(out, base->query);
    }
    return VALET_OK;
}

valet_status
vl_url_resolve(const struct vl_url *base, struct vl_str reference,
               struct vl_buf *out, valet_error *err)
{
    struct vl_url parsed;
    size_t before = vl_buf_size(out);
    if (!base->has_authority)
        return vl_fail(err, VALET_INVALID, "", "a URL without authority");
    if (has_scheme(reference)) {
        vl_buf_add(out, reference);
    } else if (vl_str_starts(reference, VL_STR("//"))) {
        vl_buf_add(out, base->scheme);
        vl_buf_addc(out, ':');
        vl_buf_add(out, reference);
    } else {
        VL_TRY(resolve(base, reference, out, err));
    }
    VL_TRY(vl_buf_check(out, err));
    return vl_url_parse(vl_str_from(vl_buf_str(out), before), &parsed, err);
}
