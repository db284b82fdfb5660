/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/call.h"

#include <stdarg.h>

#include "core/limits.h"

#define DATE_SIZE 40

int64_t
vl_tenant_now(const struct vl_tenant_call *call)
{
    return vl_clock_now(call->tenant->clock);
}

void
vl_tenant_count(struct vl_tenant *tenant, const char *name)
{
    for (size_t i = 0; i < VL_TENANT_COUNTERS; i++) {
        struct vl_tenant_counter *counter = &tenant->counters[i];
        if (!counter->name)
            counter->name = name;
        if (strcmp(counter->name, name) != 0)
            continue;
        counter->count++;
        return;
    }
}

const char *
vl_tenant_format(const struct vl_tenant_call *call, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text =
        size < 0 ? NULL : vl_arena_alloc(call->arena, (size_t)size + 1);
    if (text)
        (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text ? text : "";
}

/* "2026-11-22 10:15:30Z" */
static const char *
timestamp_of(const struct vl_tenant_call *call)
{
    char iso[VL_TIME_ISO_SIZE];
    vl_time_iso(vl_tenant_now(call), iso);
    return vl_tenant_format(call, "%.10s %.8sZ", iso, iso + 11);
}

void
vl_tenant_sts_headers(struct vl_tenant_call *call, struct vl_reply *reply)
{
    vl_reply_add(reply, "x-ms-request-id", vl_str_z(call->request_id));
    vl_reply_add(reply, "x-ms-ests-server", VL_STR("2.1.0 - LOCAL ProdSlices"));
    if (call->echo_correlation)
        vl_reply_add(reply, "client-request-id", vl_str_z(call->correlation));
}

void
vl_tenant_page_headers(struct vl_tenant_call *call, struct vl_reply *reply)
{
    vl_tenant_sts_headers(call, reply);
    if (call->cookie)
        vl_reply_add(reply, "Set-Cookie", vl_str_z(call->cookie));
}

static void
add_api_headers(struct vl_tenant_call *call, struct vl_reply *reply)
{
    vl_tenant_sts_headers(call, reply);
    /* Not Strict-Transport-Security, which the real one sends: a browser would
     * come to all of localhost over https alone, for a year. */
    vl_reply_add(reply, "X-Content-Type-Options", VL_STR("nosniff"));
}

static void
add_no_store(struct vl_reply *reply)
{
    vl_reply_add(reply, "Cache-Control", VL_STR("no-store, no-cache"));
    vl_reply_add(reply, "Pragma", VL_STR("no-cache"));
    vl_reply_add(reply, "Expires", VL_STR("-1"));
}

void
vl_tenant_send_token(struct vl_tenant_call *call, struct vl_str json)
{
    struct vl_reply reply = {
        .status = 200, .type = "application/json; charset=utf-8", .body = json};
    add_no_store(&reply);
    add_api_headers(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_send_document(struct vl_tenant_call *call, struct vl_str json)
{
    struct vl_reply reply = {
        .status = 200, .type = "application/json; charset=utf-8", .body = json};
    vl_reply_add(&reply, "Cache-Control", VL_STR("max-age=86400, private"));
    vl_reply_add(&reply, "Access-Control-Allow-Origin", VL_STR("*"));
    vl_reply_add(&reply, "Access-Control-Allow-Methods",
                 VL_STR("GET, HEAD, OPTIONS"));
    add_api_headers(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

const char *
vl_tenant_describe_error(const struct vl_tenant_call *call, unsigned code,
                         const char *detail)
{
    return vl_tenant_format(
        call, "AADSTS%u: %s%s%s Trace ID: %s Correlation ID: %s Timestamp: %s",
        code, vl_tenant_aadsts_find(code)->text, detail ? " " : "",
        detail ? detail : "", call->request_id, call->correlation,
        timestamp_of(call));
}

void
vl_tenant_add_retry(struct vl_tenant_call *call, struct vl_reply *reply)
{
    const struct vl_tenant_fault *fault = &call->fault;
    if (!call->has_fault || fault->retry_after < 0)
        return;
    const char *value =
        vl_tenant_format(call, "%lld", (long long)fault->retry_after);
    char *date = vl_arena_alloc(call->arena, DATE_SIZE);
    if (fault->retry_date && date) {
        /* A date has whole seconds: rounded up, so that who waits until then
         * has waited long enough. */
        time_t at =
            (time_t)((vl_tenant_now(call) + 999) / 1000 + fault->retry_after);
        struct tm parts;
        if (gmtime_r(&at, &parts) &&
            strftime(date, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &parts))
            value = date;
    }
    vl_reply_add(reply, "Retry-After", vl_str_z(value));
}

/* What a client asks for next, to be let in after all (entra-wire 2.9). */
static const char *
claims_of(const struct vl_tenant_call *call, unsigned code)
{
    if (call->claims)
        return call->claims;
    if (call->has_fault && call->fault.claims[0])
        return call->fault.claims;
    switch (code) {
    case 50076:
    case 53003:
        return "{\"access_token\":{\"capolids\":{\"essential\":true,"
               "\"values\":[\"e1f7a2c4-5d38-4b96-8c0e-72a9d4f3b615\"]}}}";
    case 50079:
        return "{\"access_token\":{\"polids\":{\"essential\":true,"
               "\"values\":[\"e1f7a2c4-5d38-4b96-8c0e-72a9d4f3b615\"]}}}";
    default:
        return NULL;
    }
}

static const char *
error_of(const struct vl_tenant_call *call, unsigned code)
{
    if (call->error)
        return call->error;
    return call->has_fault && call->fault.error[0]
               ? call->fault.error
               : vl_tenant_aadsts_find(code)->error;
}

static void
write_error(struct vl_tenant_call *call, struct vl_json_out *json,
            unsigned code, const char *detail)
{
    const struct vl_tenant_aadsts *row = vl_tenant_aadsts_find(code);
    vl_json_open(json, '{');
    vl_json_add_z(json, "error", error_of(call, code));
    vl_json_add_z(json, "error_description",
                  vl_tenant_describe_error(call, code, detail));
    vl_json_open_key(json, "error_codes", '[');
    vl_json_add_int(json, NULL, code);
    vl_json_close(json, ']');
    vl_json_add_z(json, "timestamp", timestamp_of(call));
    vl_json_add_z(json, "trace_id", call->request_id);
    vl_json_add_z(json, "correlation_id", call->correlation);
    vl_json_add_z(
        json, "error_uri",
        vl_tenant_format(call, "%s/error?code=%u", call->origin, code));
    if (row->suberror)
        vl_json_add_z(json, "suberror", row->suberror);
    if (claims_of(call, code))
        vl_json_add_z(json, "claims", claims_of(call, code));
    vl_json_close(json, '}');
}

/* @spec entra-wire 2.8 */
void
vl_tenant_fail(struct vl_tenant_call *call, unsigned code, const char *detail)
{
    vl_auto(vl_buf) body = vl_buf_of(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    write_error(call, &json, code, detail);
    int status = call->has_fault ? call->fault.status : 0;
    struct vl_reply reply = {
        .status = status ? status : vl_tenant_aadsts_find(code)->status,
        .type = "application/json; charset=utf-8",
        .body = vl_buf_str(&body)};
    add_no_store(&reply);
    add_api_headers(call, &reply);
    vl_reply_add(&reply, "x-ms-clitelem",
                 vl_str_z(vl_tenant_format(call, "1,%u,0,,", code)));
    if (call->allow)
        vl_reply_add(&reply, "Allow", vl_str_z(call->allow));
    vl_tenant_add_retry(call, &reply);
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_fail_page(struct vl_tenant_call *call, unsigned code,
                    const char *detail)
{
    const char *text = vl_tenant_describe_error(call, code, detail);
    struct vl_page page = {.asset = "sign-in-error",
                           .assets = vl_tenant_assets};
    vl_page_set(&page, "text", vl_str_z(text));
    int status = call->has_fault ? call->fault.status : 0;
    struct vl_reply reply = {
        .status = status ? status : vl_tenant_aadsts_find(code)->status};
    vl_tenant_page_headers(call, &reply);
    vl_tenant_add_retry(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}
