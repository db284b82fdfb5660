/* SPDX-License-Identifier: Apache-2.0
 *
 * Two kinds of cookies, both of fixed size and without meaning of their own:
 * the browser's handle, to which a consent page is bound, and one proof per
 * approved sign-in, which only the browser that approved it holds.
 */
#include "issuer/desk.h"

/* Prefix, "valet_flow_" and eight digits. */
#define NAME_MAX_SIZE 40

static void
write_name(const struct vl_issuer *issuer, const char *base,
           struct vl_str suffix, char ret[NAME_MAX_SIZE])
{
    /* @spec SB-04 W-06: __Host- cannot be set from another host; browsers
     * take it over https only. */
    (void)snprintf(ret, NAME_MAX_SIZE, "%s%s" VL_STR_FMT,
                   issuer->is_secure ? "__Host-" : "", base,
                   VL_STR_ARG(suffix));
}

static struct vl_str
get(const struct vl_req *req, const char *base, struct vl_str suffix)
{
    char name[NAME_MAX_SIZE];
    write_name(req->op.issuer, base, suffix, name);
    struct vl_str value = vl_cookie_get(&req->in->headers, name);
    return vl_handle_is_valid(value) ? value : (struct vl_str){NULL, 0};
}

static void
set(struct vl_req *req, const char *base, struct vl_str suffix,
    struct vl_str value, struct vl_reply *reply)
{
    char name[NAME_MAX_SIZE];
    struct vl_buf *text = vl_op_value(&req->op);
    write_name(req->op.issuer, base, suffix, name);
    vl_buf_addf(text, "%s=" VL_STR_FMT, name, VL_STR_ARG(value));
    vl_buf_addf(text, "; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
                value.n ? VL_LIMIT_FLOW_MS / 1000 : 0,
                req->op.issuer->is_secure ? "; Secure" : "");
    vl_reply_add(reply, "Set-Cookie", vl_buf_str(text));
}

static const struct vl_str none = {NULL, 0};

struct vl_str
vl_cookie_browser(const struct vl_req *req)
{
    return get(req, "valet_browser", none);
}

void
vl_cookie_set_browser(struct vl_req *req, struct vl_reply *reply)
{
    set(req, "valet_browser", none, vl_str_z(req->browser), reply);
}

struct vl_str
vl_cookie_flow(const struct vl_req *req, struct vl_str suffix)
{
    return get(req, "valet_flow_", suffix);
}

void
vl_cookie_set_flow(struct vl_req *req, struct vl_reply *reply)
{
    set(req, "valet_flow_", vl_str_z(req->cookie), vl_str_z(req->proof), reply);
}

void
vl_cookie_clear_flow(struct vl_req *req, struct vl_str suffix,
                     struct vl_reply *reply)
{
    set(req, "valet_flow_", suffix, none, reply);
}
