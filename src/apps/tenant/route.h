/* SPDX-License-Identifier: Apache-2.0
 *
 * Which path is answered by whom.
 */
#ifndef VL_TENANT_ROUTE_H
#define VL_TENANT_ROUTE_H

#include "apps/tenant/call.h"

/* How a route deals with the tenant before its own path. */
enum vl_tenant_segment {
    VL_TENANT_NO_SEGMENT,   /* the path stands alone */
    VL_TENANT_ANY_SEGMENT,  /* one is there and is not looked at */
    VL_TENANT_JSON_SEGMENT, /* it must be known, or the error is JSON */
    VL_TENANT_PAGE_SEGMENT, /* … or the error is a page */
};

struct vl_tenant_route {
    const char *name;    /* in the log */
    const char *methods; /* space-separated */
    const char *path;    /* after the segment, if there is one */
    enum vl_tenant_segment segment;
    enum vl_tenant_where where; /* of faults */
    size_t body_max;
    void (*handle)(struct vl_tenant_call *call);
};

/* What the HTTP server asks; ctx is a struct vl_tenant_door. */
extern const struct vl_http_site vl_tenant_site;
/* Gives back what still waits for its delay, when the servers are gone. */
void vl_tenant_drop_delays(struct vl_tenant *tenant);

/* discovery.c */
void vl_tenant_instance(struct vl_tenant_call *call);
void vl_tenant_openid(struct vl_tenant_call *call);
void vl_tenant_keys(struct vl_tenant_call *call);
/* authorize.c */
void vl_tenant_authorize(struct vl_tenant_call *call);
void vl_tenant_sign_in(struct vl_tenant_call *call);
void vl_tenant_consent(struct vl_tenant_call *call);
/* sign_out.c */
void vl_tenant_sign_out(struct vl_tenant_call *call);
/* device.c */
void vl_tenant_device_code(struct vl_tenant_call *call);
void vl_tenant_device_short(struct vl_tenant_call *call);
void vl_tenant_device_page(struct vl_tenant_call *call);
/* token.c */
void vl_tenant_token(struct vl_tenant_call *call);
/* graph.c */
void vl_tenant_graph_me(struct vl_tenant_call *call);
void vl_tenant_userinfo(struct vl_tenant_call *call);
void vl_tenant_graph_unknown(struct vl_tenant_call *call);
void vl_tenant_graph_method(struct vl_tenant_call *call);
/* The answer of a fault. */
void vl_tenant_graph_fault(struct vl_tenant_call *call);
/* control.c */
void vl_tenant_control_add_fault(struct vl_tenant_call *call);
void vl_tenant_control_clear_faults(struct vl_tenant_call *call);
void vl_tenant_control_consent(struct vl_tenant_call *call);
void vl_tenant_control_revoke(struct vl_tenant_call *call);
void vl_tenant_control_certificate(struct vl_tenant_call *call);
void vl_tenant_control_settings(struct vl_tenant_call *call);
void vl_tenant_control_log(struct vl_tenant_call *call);
void vl_tenant_control_rotate(struct vl_tenant_call *call);
void vl_tenant_control_describe(struct vl_tenant_call *call);
/* front.c */
void vl_tenant_home(struct vl_tenant_call *call);
void vl_tenant_error_page(struct vl_tenant_call *call);
void vl_tenant_native(struct vl_tenant_call *call);

#endif
