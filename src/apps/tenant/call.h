/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-in's state, one request under way, and the forms of its answers:
 * what the sign-in service and Graph put on every one of them.
 */
#ifndef VL_TENANT_CALL_H
#define VL_TENANT_CALL_H

#include "apps/tenant/aadsts.h"
#include "apps/tenant/data.h"
#include "apps/tenant/keyset.h"
#include "apps/tenant/shelf.h"
#include "core/list.h"
#include "core/sys.h"
#include "http/server.h"
#include "http/url.h"
#include "web/page.h"
#include "json/write.h"

extern const struct vl_asset vl_tenant_assets[];

struct vl_tenant_route;

#define VL_TENANT_COUNTERS    48
#define VL_TENANT_CONNECTIONS 2000

struct vl_tenant_counter {
    const char *name; /* a literal */
    uint64_t count;
};

struct vl_tenant {
    struct vl_loop *loop;
    const struct vl_clock *clock;
    struct vl_tenant_data *data;
    struct vl_tenant_keyset keys;
    struct vl_tenant_shelf codes, refresh_tokens, sessions, devices;
    struct vl_tenant_counter counters[VL_TENANT_COUNTERS];
    struct vl_list delays;   /* answers that wait, of route.c */
    struct vl_list consents; /* of consent.c */
};

/* Where requests come in: what the HTTP server's site points to. */
struct vl_tenant_door {
    struct vl_tenant *tenant;
    bool is_https;
};

/* Lives in the arena of its exchange. */
struct vl_tenant_call {
    struct vl_tenant *tenant;
    struct vl_exchange *x;
    const struct vl_http_request *request;
    struct vl_arena *arena;
    const struct vl_tenant_route *route;
    const char *allow; /* other methods of the path, when it is refused */
    bool is_https;
    const char *origin;    /* scheme and Host that were asked */
    const char *host;      /* of it */
    const char *cookie;    /* what the answer sets, or NULL */
    struct vl_str segment; /* the tenant as it stands in the path */
    /* NULL for common and organizations, and where no tenant is asked for. */
    const struct vl_tenant_realm *realm;
    struct vl_params query, form;
    struct vl_tenant_fault fault; /* when has_fault */
    bool has_fault;
    /* For an error that is told: in place of the code's, or NULL. */
    const char *error, *claims;
    bool echo_correlation;
    char request_id[VL_UUID_SIZE];
    char correlation[VL_UUID_SIZE];
};

int64_t vl_tenant_now(const struct vl_tenant_call *call); /* milliseconds */
/* Counts one more of `name` for GET /_emul/log. */
void vl_tenant_count(struct vl_tenant *tenant, const char *name);

/* A text put together in the arena; "" when there is no room for it. */
const char *
vl_tenant_format(const struct vl_tenant_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What every answer of the sign-in service carries. */
void vl_tenant_sts_headers(struct vl_tenant_call *call, struct vl_reply *reply);
/* The same for a page, and the cookie. */
void
vl_tenant_page_headers(struct vl_tenant_call *call, struct vl_reply *reply);
/* A token answer: never cached. */
void vl_tenant_send_token(struct vl_tenant_call *call, struct vl_str json);
/* A document anybody may read for a day. */
void vl_tenant_send_document(struct vl_tenant_call *call, struct vl_str json);
/* The error of this code as JSON; `detail` (may be NULL) follows the text. */
void
vl_tenant_fail(struct vl_tenant_call *call, unsigned code, const char *detail);
/* The same as a page, for people whom we cannot send back. */
void vl_tenant_fail_page(struct vl_tenant_call *call, unsigned code,
                         const char *detail);
/* "AADSTS50126: … Trace ID: … Correlation ID: … Timestamp: …" */
const char *vl_tenant_describe_error(const struct vl_tenant_call *call,
                                     unsigned code, const char *detail);
/* The people of a tenant, or (NULL) all: person (username), shown (display
 * name), secret (password); in the arena. */
struct vl_page_list vl_tenant_list_people(const struct vl_tenant_call *call,
                                          const struct vl_tenant_realm *home);
/* Adds Retry-After if the fault of this call wants it. */
void vl_tenant_add_retry(struct vl_tenant_call *call, struct vl_reply *reply);

#endif
