/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/desk.h"
#include "oauth/redirect.h"

/* Ids of ours, ids an operator chose, and URLs (@spec W-64). */
static bool
is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~:/?=&%+@", c));
}

static bool
is_id(struct vl_str id)
{
    if (id.n == 0 || id.n >= VL_CLIENT_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!is_id_char(id.p[i]))
            return false;
    return true;
}

static const struct vl_issuer_client *
find_preregistered(const struct vl_issuer *issuer, struct vl_str id)
{
    for (size_t i = 0; i < issuer->config->client_count; i++)
        if (vl_str_eqz(id, issuer->config->clients[i].id))
            return &issuer->config->clients[i];
    return NULL;
}

bool
vl_client_ask(struct vl_req *req, struct vl_store_batch *batch,
              struct vl_str id)
{
    if (!is_id(id))
        return false;
    vl_req_set_client_id(req, id);
    req->preregistered = find_preregistered(req->op.issuer, id);
    req->client_known = req->preregistered != NULL;
    if (req->preregistered)
        return true;
    req->client_step = batch->count;
    (void)vl_store_add(batch, VL_STORE_GET, VL_STORE_CLIENT,
                       vl_str_z(req->client_id.text));
    return true;
}

valet_status
vl_client_read(struct vl_req *req)
{
    if (req->preregistered)
        return VALET_OK;
    VL_TRY(vl_op_read(&req->op, req->client_step, &vl_record_client,
                      &req->client));
    req->client_known = true;
    req->client_version = vl_op_answer(&req->op)->ops[req->client_step].version;
    return VALET_OK;
}

struct vl_str
vl_client_name(const struct vl_req *req)
{
    return req->preregistered ? vl_str_z(req->preregistered->name)
                              : req->client.name;
}

/* @spec AS-18 SB-05 W-52 W-07 */
bool
vl_client_may_redirect(const struct vl_req *req, struct vl_str uri)
{
    struct vl_str rest = req->client.redirects, registered;
    const struct vl_issuer_client *fixed = req->preregistered;
    if (uri.n == 0 || uri.n > VL_LIMIT_REDIRECT_URI)
        return false;
    if (fixed) {
        for (size_t i = 0; i < fixed->redirect_uri_count; i++)
            if (vl_redirect_matches(vl_str_z(fixed->redirect_uris[i]), uri))
                return true;
        return false;
    }
    while (vl_str_split(&rest, '\n', &registered))
        if (vl_redirect_matches(registered, uri))
            return true;
    return false;
}

void
vl_client_renew(struct vl_req *req)
{
    int64_t now = vl_desk_now(req->op.issuer);
    if (req->preregistered ||
        req->client.expires_ms - now >= VL_DESK_CLIENT_LIFE_MS / 2)
        return;
    struct vl_client renewed = req->client;
    renewed.expires_ms = now + VL_DESK_CLIENT_LIFE_MS;
    struct vl_store_op *step =
        vl_op_put(&req->op, VL_STORE_CLIENT, vl_str_z(req->client_id.text),
                  &vl_record_client, &renewed);
    step->expires_ms = renewed.expires_ms;
    /* One that was removed meanwhile must not come back. */
    step->if_version = req->client_version;
}
