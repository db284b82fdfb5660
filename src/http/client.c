/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include "core/status.h"
#include "core/sys.h"
#include "http/client_private.h"

struct vl_http_client *
vl_http_client_new(struct vl_loop *loop)
{
    struct vl_http_client *client = vl_alloc(sizeof *client);
    client->loop = loop;
    vl_list_init(&client->idle);
    vl_list_init(&client->calls);
    return client;
}

void
vl_http_client_trust(struct vl_http_client *client, struct vl_tls_trust *trust)
{
    client->trust = trust;
}

void
vl_http_client_free(struct vl_http_client *client)
{
    if (!client)
        return;
    VL_LIST_EACH (node, &client->calls) {
        struct vl_http_call *call =
            VL_CONTAINER(node, struct vl_http_call, node);
        vl_http_call_abort(&call);
    }
    VL_LIST_EACH (node, &client->idle)
        vl_link_close(VL_CONTAINER(node, struct vl_link, node));
    free(client);
}

/* --- the end --- */

static void
release(struct vl_http_call *call)
{
    vl_dial_abort(&call->dial);
    if (call->link)
        vl_link_close(call->link);
    vl_timer_free(call->timer);
    vl_buf_done(&call->request);
    vl_list_remove(&call->node);
    free(call);
}

void
vl_http_call_abort(struct vl_http_call **at)
{
    struct vl_http_call *call = *at;
    *at = NULL;
    if (call)
        release(call);
}

/* The hook may free the client. */
void
vl_http_call_end(struct vl_http_call *call, valet_status status,
                 const valet_error *err)
{
    const struct vl_http_hooks *hooks = call->hooks;
    void *ctx = call->ctx;
    const valet_error copy = err ? *err : (valet_error){0};
    release(call);
    hooks->end(status, status == VALET_OK ? NULL : &copy, ctx);
}

/* Too late, or what vl_http_call_start() could not do. */
static void
on_timer(void *ctx)
{
    struct vl_http_call *call = ctx;
    if (call->status == VALET_OK)
        call->status = vl_fail(&call->err, VALET_RETRY, "",
                               "%s: no answer in time", call->place.host);
    vl_http_call_end(call, call->status, &call->err);
}

void
vl_http_call_has_head(struct vl_http_call *call)
{
    if (call->until_head)
        vl_timer_stop(call->timer);
}

/* --- the beginning --- */

static void
on_dialled(struct vl_stream *stream, bool is_public, valet_status status,
           const valet_error *err, void *ctx)
{
    struct vl_http_call *call = ctx;
    call->dial = NULL;
    if (!stream) {
        vl_http_call_end(call, status, err);
        return;
    }
    call->link = vl_link_new(call->client, &call->place, stream, is_public);
    vl_link_begin(call->link, call);
}

void
vl_http_call_dial(struct vl_http_call *call)
{
    call->dial = vl_dial_start(call->client, &call->place, call->only_public,
                               call->connect_ms, on_dialled, call);
}

static valet_status
read_place(const struct vl_url *url, struct vl_http_place *ret,
           valet_error *err)
{
    if (url->host.n == 0 || url->host.n >= sizeof ret->host)
        return vl_fail(err, VALET_INVALID, "", "this is no name of a host");
    memcpy(ret->host, url->host.p, url->host.n);
    ret->host[url->host.n] = '\0';
    ret->port = url->port;
    ret->is_secure = vl_url_is_https(url);
    return VALET_OK;
}

/* RFC 9112 sections 3.2 and 3.3. The origin has the authority as it was
 * written, which is what the server calls itself. */
static void
write_request(struct vl_buf *out, const struct vl_http_ask *ask)
{
    const struct vl_url *url = ask->url;
    struct vl_str authority =
        vl_str_from(url->origin, url->scheme.n + sizeof "://" - 1);
    vl_buf_addf(out, "%s ", ask->method);
    vl_buf_add(out, url->path.n ? url->path : VL_STR("/"));
    if (url->has_query) {
        vl_buf_addc(out, '?');
        vl_buf_add(out, url->query);
    }
    vl_buf_addz(out, " HTTP/1.1\r\nHost: ");
    vl_buf_add(out, authority);
    vl_buf_addz(out, "\r\n");
    vl_buf_add(out, ask->lines);
    if (strcmp(ask->method, "POST") == 0)
        vl_buf_addf(out, "Content-Length: %zu\r\n", ask->body.n);
    vl_buf_addz(out, "\r\n");
    vl_buf_add(out, ask->body);
}

static valet_status
begin(struct vl_http_call *call, const struct vl_http_ask *ask,
      valet_error *err)
{
    VL_TRY(read_place(ask->url, &call->place, err));
    if (call->place.is_secure && !call->client->trust)
        return vl_fail(err, VALET_INVALID, "", "no certificate is believed");
    call->request =
        vl_buf_of_secret(ask->body.n + ask->lines.n + 4 * VL_LIMIT_TARGET);
    write_request(&call->request, ask);
    VL_TRY(vl_buf_check(&call->request, err));
    call->link = vl_link_find(call->client, &call->place, call->only_public);
    if (call->link)
        vl_link_begin(call->link, call);
    else
        vl_http_call_dial(call);
    return VALET_OK;
}

struct vl_http_call *
vl_http_call_start(struct vl_http_client *client, const struct vl_http_ask *ask,
                   const struct vl_http_hooks *hooks, void *ctx)
{
    struct vl_http_call *call = vl_alloc(sizeof *call);
    *call = (struct vl_http_call){
        .client = client,
        .hooks = hooks,
        .ctx = ctx,
        .kind = VL_PARSE_ANSWER,
        .only_public = ask->only_public,
        .until_head = ask->until_head,
        .is_repeatable = strcmp(ask->method, "POST") != 0,
        .connect_ms = ask->connect_ms,
    };
    vl_list_add_last(&client->calls, &call->node);
    call->timer = vl_timer_new(client->loop, on_timer, call);
    vl_timer_start(call->timer, ask->total_ms);
    call->status = begin(call, ask, &call->err);
    /* A refusal is told like everything else: after we have returned. */
    if (call->status != VALET_OK)
        vl_timer_start(call->timer, 0);
    return call;
}

bool
vl_http_call_is_private(const struct vl_http_call *call)
{
    return call->link && !call->link->is_public;
}

void
vl_http_call_hold(struct vl_http_call *call, bool is_held)
{
    call->is_held = is_held;
    if (call->link)
        vl_link_hold(call->link, is_held);
}
