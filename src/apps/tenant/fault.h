/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults on purpose: what the next requests to one endpoint get instead of,
 * or before, the real answer.
 */
#ifndef VL_TENANT_FAULT_H
#define VL_TENANT_FAULT_H

#include "core/str.h"

enum vl_tenant_where {
    VL_TENANT_AT_NOTHING, /* endpoints that no fault meets */
    VL_TENANT_AT_DISCOVERY,
    VL_TENANT_AT_KEYS,
    VL_TENANT_AT_AUTHORIZE,
    VL_TENANT_AT_SIGN_IN, /* what the pages of a sign-in post */
    VL_TENANT_AT_SIGN_OUT,
    VL_TENANT_AT_DEVICE, /* asking for a device code, and its page */
    VL_TENANT_AT_TOKEN,
    VL_TENANT_AT_GRAPH,
    VL_TENANT_ANYWHERE, /* all of these */
    VL_TENANT_WHERE_COUNT
};

/* How the answer arrives. */
enum vl_tenant_shape {
    VL_TENANT_WHOLE,
    VL_TENANT_TRUNCATED, /* half a body, then the connection ends */
    VL_TENANT_HTML,      /* a page of somebody in between */
    VL_TENANT_RESET,     /* no answer: the connection is reset */
    VL_TENANT_SHAPE_COUNT
};

/* The kinds of request at the token endpoint. */
enum vl_tenant_grant_type {
    VL_TENANT_ANY_GRANT,
    VL_TENANT_AUTHORIZATION_CODE,
    VL_TENANT_REFRESH_TOKEN,
    VL_TENANT_CLIENT_CREDENTIALS,
    VL_TENANT_ON_BEHALF_OF,
    VL_TENANT_DEVICE_CODE,
    VL_TENANT_GRANT_TYPE_COUNT
};

struct vl_tenant_fault {
    enum vl_tenant_where where;
    enum vl_tenant_grant_type grant; /* of the token endpoint's */
    unsigned aadsts;                 /* 0: none */
    int status;                      /* 0: what belongs to the code */
    int64_t count;                   /* how often; 0 is for ever */
    int64_t delay_ms;                /* before the answer */
    int64_t retry_after;             /* seconds; -1: no such header */
    bool retry_date;                 /* as a date instead */
    enum vl_tenant_shape shape;
    char error[40];   /* in place of the code's OAuth error, or "" */
    char claims[400]; /* the challenge of the answer (JSON), or "" */
};

#define VL_TENANT_FAULTS_MAX 64
#define VL_TENANT_DELAY_MAX  60000

struct vl_tenant_faults {
    struct vl_tenant_fault items[VL_TENANT_FAULTS_MAX];
    size_t count;
};

/* "token" → VL_TENANT_AT_TOKEN; false for a name that is none. */
bool vl_tenant_where_of(struct vl_str name, enum vl_tenant_where *ret);

/* A fault that does nothing yet: once, at nothing. */
struct vl_tenant_fault vl_tenant_fault_of(void);
/* "5" or "date" or "date:5"; VALET_INVALID otherwise. */
valet_status
vl_tenant_fault_retry(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err) VALET_CHECK;
/* "truncated", "html" or "reset". */
valet_status
vl_tenant_fault_shape(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err) VALET_CHECK;
/* "on_behalf_of" */
valet_status
vl_tenant_fault_grant(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err) VALET_CHECK;
/* Lower-case letters and underscores: "slow_down". */
valet_status
vl_tenant_fault_error(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err) VALET_CHECK;
/* JSON, taken as it is. */
valet_status
vl_tenant_fault_claims(struct vl_tenant_fault *fault, struct vl_str text,
                       valet_error *err) VALET_CHECK;
/* VALET_INVALID for senseless ones, VALET_LIMIT when there are too many. */
valet_status vl_tenant_faults_add(struct vl_tenant_faults *faults,
                                  const struct vl_tenant_fault *fault,
                                  valet_error *err) VALET_CHECK;
/* The first one for this place, spent once; false when there is none. */
bool vl_tenant_faults_take(struct vl_tenant_faults *faults,
                           enum vl_tenant_where where,
                           enum vl_tenant_grant_type grant,
                           struct vl_tenant_fault *ret);
/* Does it replace the answer, or only delay or break it? */
bool vl_tenant_fault_answers(const struct vl_tenant_fault *fault);

#endif
