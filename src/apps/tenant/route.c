/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table, and what happens before a handler: Host, tenant,
 * correlation, parameters, faults.
 */
#include "apps/tenant/route.h"
#include "apps/tenant/grant.h"

#include "core/limits.h"

#define FORM VL_LIMIT_FORM_BODY

/* @spec entra-wire 2.2: with a path that fits two rows, the first one's. */
static const struct vl_tenant_route routes[] = {
    {"home", "GET HEAD", "/", VL_TENANT_NO_SEGMENT, VL_TENANT_AT_NOTHING, 0,
     vl_tenant_home},
    {"error_page", "GET HEAD", "/error", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, 0, vl_tenant_error_page},
    {"graph_me", "GET", "/v1.0/me", VL_TENANT_NO_SEGMENT, VL_TENANT_AT_GRAPH, 0,
     vl_tenant_graph_me},
    {"userinfo", "GET POST", "/oidc/userinfo", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_GRAPH, FORM, vl_tenant_userinfo},
    {"control", "POST", "/_emul/faults", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_add_fault},
    {"control", "DELETE", "/_emul/faults", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_clear_faults},
    {"control", "POST", "/_emul/consent", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_consent},
    {"control", "POST", "/_emul/revoke", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_revoke},
    {"control", "POST", "/_emul/certificate", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_certificate},
    {"control", "POST", "/_emul/settings", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_settings},
    {"control", "GET", "/_emul/log", VL_TENANT_NO_SEGMENT, VL_TENANT_AT_NOTHING,
     0, vl_tenant_control_log},
    {"control", "POST", "/_emul/keys/rotate", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, FORM, vl_tenant_control_rotate},
    {"control", "GET", "/_emul/describe", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, 0, vl_tenant_control_describe},
    {"discovery", "GET HEAD", "/.well-known/openid-configuration",
     VL_TENANT_NO_SEGMENT, VL_TENANT_AT_DISCOVERY, 0, vl_tenant_openid},
    {"discovery", "GET HEAD", "/v2.0/.well-known/openid-configuration",
     VL_TENANT_NO_SEGMENT, VL_TENANT_AT_DISCOVERY, 0, vl_tenant_openid},
    {"instance_discovery", "GET HEAD", "/discovery/instance",
     VL_TENANT_ANY_SEGMENT, VL_TENANT_AT_DISCOVERY, 0, vl_tenant_instance},
    {"discovery", "GET HEAD", "/v2.0/.well-known/openid-configuration",
     VL_TENANT_JSON_SEGMENT, VL_TENANT_AT_DISCOVERY, 0, vl_tenant_openid},
    {"discovery", "GET HEAD", "/.well-known/openid-configuration",
     VL_TENANT_JSON_SEGMENT, VL_TENANT_AT_DISCOVERY, 0, vl_tenant_openid},
    {"keys", "GET HEAD", "/discovery/v2.0/keys", VL_TENANT_JSON_SEGMENT,
     VL_TENANT_AT_KEYS, 0, vl_tenant_keys},
    {"keys", "GET HEAD", "/discovery/keys", VL_TENANT_JSON_SEGMENT,
     VL_TENANT_AT_KEYS, 0, vl_tenant_keys},
    {"authorize", "GET POST", "/oauth2/v2.0/authorize", VL_TENANT_PAGE_SEGMENT,
     VL_TENANT_AT_AUTHORIZE, FORM, vl_tenant_authorize},
    {"sign_in", "POST", "/login", VL_TENANT_PAGE_SEGMENT, VL_TENANT_AT_SIGN_IN,
     FORM, vl_tenant_sign_in},
    {"consent", "POST", "/consent", VL_TENANT_PAGE_SEGMENT,
     VL_TENANT_AT_SIGN_IN, FORM, vl_tenant_consent},
    {"sign_out", "GET POST", "/oauth2/v2.0/logout", VL_TENANT_PAGE_SEGMENT,
     VL_TENANT_AT_SIGN_OUT, FORM, vl_tenant_sign_out},
    {"sign_out", "GET POST", "/oauth2/logout", VL_TENANT_PAGE_SEGMENT,
     VL_TENANT_AT_SIGN_OUT, FORM, vl_tenant_sign_out},
    {"device_page", "GET", "/device", VL_TENANT_NO_SEGMENT,
     VL_TENANT_AT_NOTHING, 0, vl_tenant_device_short},
    {"device_page", "GET POST", "/oauth2/deviceauth", VL_TENANT_PAGE_SEGMENT,
     VL_TENANT_AT_DEVICE, FORM, vl_tenant_device_page},
    {"device_code", "POST", "/oauth2/v2.0/devicecode", VL_TENANT_JSON_SEGMENT,
     VL_TENANT_AT_DEVICE, FORM, vl_tenant_device_code},
    {"native", "GET", "/oauth2/nativeclient", VL_TENANT_ANY_SEGMENT,
     VL_TENANT_AT_NOTHING, 0, vl_tenant_native},
    {"token", "POST", "/oauth2/v2.0/token", VL_TENANT_JSON_SEGMENT,
     VL_TENANT_AT_TOKEN, FORM, vl_tenant_token},
};

/* "/tenant/rest" → "tenant" and "/rest" */
static struct vl_str
cut_segment(struct vl_str path, struct vl_str *ret_rest)
{
    struct vl_str after = vl_str_from(path, 1);
    size_t end = vl_str_index(after, '/');
    *ret_rest = vl_str_from(after, end);
    return vl_str_head(after, end);
}

static bool
route_has_path(const struct vl_tenant_route *route, struct vl_str path)
{
    struct vl_str rest = path;
    if (route->segment != VL_TENANT_NO_SEGMENT && !cut_segment(path, &rest).n)
        return false;
    return vl_str_eqz(rest, route->path);
}

/* `ret_other` tells that the path is known for another method. */
static const struct vl_tenant_route *
find_route(const struct vl_http_request *request,
           const struct vl_tenant_route **ret_other)
{
    *ret_other = NULL;
    for (size_t i = 0; i < VL_COUNT(routes); i++) {
        if (!route_has_path(&routes[i], request->path))
            continue;
        if (vl_str_has_word(vl_str_z(routes[i].methods), request->method))
            return &routes[i];
        *ret_other = &routes[i];
    }
    return NULL;
}

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    const struct vl_tenant_route *other;
    const struct vl_tenant_route *route = find_route(head, &other);
    (void)ctx;
    return route ? route->body_max : 0;
}

/*
 * The URLs we publish are those of the Host that was asked. Only names of
 * this machine: a page elsewhere whose name was bent to 127.0.0.1 gets
 * nothing.
 */
static bool
read_origin(struct vl_tenant_call *call)
{
    struct vl_url url;
    call->origin = vl_tenant_format(call, "%s://" VL_STR_FMT,
                                    call->is_https ? "https" : "http",
                                    VL_STR_ARG(call->request->host));
    call->host = vl_arena_cstr(call->arena, call->request->host);
    return call->host &&
           vl_url_parse(vl_str_z(call->origin), &url, NULL) == VALET_OK &&
           vl_url_is_loopback(&url) && !url.path.n && !url.has_query;
}

static void
send_plain(struct vl_tenant_call *call, int status, const char *text)
{
    struct vl_reply reply = {.status = status,
                             .type = "text/plain; charset=utf-8",
                             .body = vl_str_z(text)};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    if (call->allow)
        vl_reply_add(&reply, "Allow", vl_str_z(call->allow));
    vl_exchange_reply(call->x, &reply);
}

/* Of the header, or of the parameter as MSAL for JavaScript sends it. */
static void
read_correlation(struct vl_tenant_call *call)
{
    const struct vl_headers *headers = &call->request->headers;
    struct vl_str id = vl_headers_get(headers, "client-request-id");
    if (!id.n)
        id = vl_params_get(&call->form, "client-request-id");
    if (!id.n)
        id = vl_params_get(&call->query, "client-request-id");
    vl_uuid(call->correlation);
    if (!vl_tenant_is_guid(id))
        return;
    memcpy(call->correlation, id.p, id.n);
    call->echo_correlation = vl_str_ieq(
        vl_headers_get(headers, "return-client-request-id"), VL_STR("true"));
}

static bool
read_params(struct vl_tenant_call *call)
{
    const struct vl_http_request *request = call->request;
    if (vl_params_parse(request->query, call->arena, &call->query, NULL) !=
        VALET_OK)
        return false;
    struct vl_str type = vl_headers_get(&request->headers, "content-type");
    if (!vl_media_type_is(type, "application/x-www-form-urlencoded"))
        return true;
    return vl_params_parse(request->body, call->arena, &call->form, NULL) ==
           VALET_OK;
}

/* 0, or the code of the error. */
static unsigned
read_realm(struct vl_tenant_call *call)
{
    struct vl_str rest, name = cut_segment(call->request->path, &rest);
    call->segment = name;
    if (call->route->segment == VL_TENANT_ANY_SEGMENT ||
        vl_str_ieq(name, VL_STR("common")) ||
        vl_str_ieq(name, VL_STR("organizations")))
        return 0;
    call->realm = vl_tenant_find_realm(call->tenant->data, name);
    if (call->realm)
        return 0;
    bool well_formed = vl_tenant_is_guid(name) || vl_str_has(name, '.') ||
                       vl_str_ieq(name, VL_STR("consumers"));
    return well_formed ? 90002 : 900023;
}

/* As a proxy or a tired gateway says it: no JSON, and nothing of ours. */
static void
send_html(struct vl_tenant_call *call)
{
    struct vl_reply reply = {
        .status = call->fault.status ? call->fault.status : 200,
        .type = "text/html; charset=utf-8",
        .body = VL_STR("<!doctype html>\n<title>Please wait</title>\n"
                       "<h1>The service is not available</h1>\n")};
    vl_reply_add(&reply, "Cache-Control", VL_STR("no-store"));
    vl_tenant_add_retry(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

static void
answer_fault(struct vl_tenant_call *call)
{
    unsigned passing = call->fault.status == 429 ? 90055 : 90033;
    unsigned code = call->fault.aadsts ? call->fault.aadsts : passing;
    if (call->fault.shape == VL_TENANT_HTML)
        send_html(call);
    else if (call->route->where == VL_TENANT_AT_GRAPH)
        vl_tenant_graph_fault(call);
    else if (call->route->segment == VL_TENANT_PAGE_SEGMENT)
        vl_tenant_fail_page(call, code, NULL);
    else
        vl_tenant_fail(call, code, NULL);
}

/* An error of Entra's meets the person on the way back to the application:
 * the handler first sees whether it may send the browser there. */
static bool
travels_back(const struct vl_tenant_call *call)
{
    return call->fault.aadsts && call->fault.shape != VL_TENANT_HTML &&
           (call->route->where == VL_TENANT_AT_AUTHORIZE ||
            call->route->where == VL_TENANT_AT_SIGN_IN);
}

static void
go_on(struct vl_tenant_call *call)
{
    bool answered = call->has_fault && vl_tenant_fault_answers(&call->fault) &&
                    !travels_back(call);
    if (call->has_fault && call->fault.shape == VL_TENANT_RESET) {
        vl_exchange_reset(call->x);
        return;
    }
    if (call->has_fault && call->fault.shape == VL_TENANT_TRUNCATED)
        vl_exchange_cut_short(call->x);
    if (answered)
        answer_fault(call);
    else
        call->route->handle(call);
}

struct delay {
    struct vl_list node; /* in the tenant's list */
    struct vl_timer *timer;
    struct vl_tenant_call *call;
};

static struct vl_tenant_call *
take_delay(struct delay *delay)
{
    struct vl_tenant_call *call = delay->call;
    vl_list_remove(&delay->node);
    vl_timer_free(delay->timer);
    free(delay);
    return call;
}

static void
end_delay(void *ctx)
{
    go_on(take_delay(ctx));
}

void
vl_tenant_drop_delays(struct vl_tenant *tenant)
{
    VL_LIST_EACH (node, &tenant->delays) {
        struct vl_tenant_call *call =
            take_delay(VL_CONTAINER(node, struct delay, node));
        /* To nobody: an exchange lives until it is answered. */
        vl_exchange_reply(call->x, &(struct vl_reply){.status = 503});
    }
}

static void
meet_faults(struct vl_tenant_call *call)
{
    call->has_fault = vl_tenant_faults_take(
        &call->tenant->data->faults, call->route->where,
        vl_tenant_grant_type_of(vl_params_get(&call->form, "grant_type")),
        &call->fault);
    if (!call->has_fault || !call->fault.delay_ms) {
        go_on(call);
        return;
    }
    struct delay *delay = vl_alloc(sizeof *delay);
    delay->call = call;
    vl_list_add_last(&call->tenant->delays, &delay->node);
    delay->timer = vl_timer_new(call->tenant->loop, end_delay, delay);
    vl_timer_start(delay->timer, call->fault.delay_ms);
}

static void
dispatch(struct vl_tenant_call *call)
{
    if (!read_params(call)) {
        if (call->route->segment == VL_TENANT_PAGE_SEGMENT)
            vl_tenant_fail_page(call, 90023, "The parameters are malformed.");
        else
            vl_tenant_fail(call, 90023, "The parameters are malformed.");
        return;
    }
    read_correlation(call);
    unsigned code =
        call->route->segment == VL_TENANT_NO_SEGMENT ? 0 : read_realm(call);
    if (code && call->route->segment == VL_TENANT_PAGE_SEGMENT)
        vl_tenant_fail_page(call, code, NULL);
    else if (code)
        vl_tenant_fail(call, code, NULL);
    else
        meet_faults(call);
}

/* "GET, HEAD": of all rows with this path. */
static const char *
list_methods(const struct vl_tenant_call *call)
{
    const char *list = "";
    for (size_t i = 0; i < VL_COUNT(routes); i++) {
        struct vl_str rest = vl_str_z(routes[i].methods), method;
        if (!route_has_path(&routes[i], call->request->path))
            continue;
        while (vl_str_split(&rest, ' ', &method))
            list = vl_tenant_format(call, "%s%s" VL_STR_FMT, list,
                                    *list ? ", " : "", VL_STR_ARG(method));
    }
    return list;
}

static void
refuse_method(struct vl_tenant_call *call, const struct vl_tenant_route *other)
{
    bool sts = other->segment != VL_TENANT_NO_SEGMENT ||
               other->where == VL_TENANT_AT_DISCOVERY;
    if (sts && vl_str_eqz(call->request->method, "OPTIONS")) {
        vl_tenant_send_document(call, VL_STR("{}"));
        return;
    }
    call->allow = list_methods(call);
    if (other->where == VL_TENANT_AT_GRAPH)
        vl_tenant_graph_method(call);
    else if (other->handle == vl_tenant_token ||
             other->handle == vl_tenant_device_code)
        vl_tenant_fail(call, 900561, NULL);
    else
        send_plain(call, 405, "Not with this method.\n");
}

static void
refuse_path(struct vl_tenant_call *call, const struct vl_tenant_route *other)
{
    if (other)
        refuse_method(call, other);
    else if (vl_str_starts(call->request->path, VL_STR("/v1.0/")))
        vl_tenant_graph_unknown(call);
    else
        send_plain(call, 404, "Nothing is here.\n");
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct vl_arena *arena = vl_exchange_arena(x);
    struct vl_tenant_call *call = vl_arena_alloc(arena, sizeof *call);
    if (!call) {
        vl_exchange_reply(x, &(struct vl_reply){.status = 503});
        return;
    }
    const struct vl_tenant_door *door = ctx;
    *call = (struct vl_tenant_call){.tenant = door->tenant,
                                    .is_https = door->is_https,
                                    .x = x,
                                    .request = vl_exchange_request(x),
                                    .arena = arena};
    const struct vl_tenant_route *other;
    call->route = find_route(call->request, &other);
    vl_uuid(call->request_id);
    vl_uuid(call->correlation);
    if (!read_origin(call)) {
        send_plain(call, 400, "Ask by localhost, 127.0.0.1 or [::1].\n");
        return;
    }
    vl_tenant_count(call->tenant, call->route ? call->route->name : "unknown");
    if (call->route)
        dispatch(call);
    else
        refuse_path(call, other);
}

const struct vl_http_site vl_tenant_site = {body_max, handle, NULL};
