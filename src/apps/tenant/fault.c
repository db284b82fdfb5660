/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/fault.h"

#include "core/status.h"

static const char *const where_names[VL_TENANT_WHERE_COUNT] = {
    [VL_TENANT_AT_NOTHING] = "nothing", [VL_TENANT_AT_DISCOVERY] = "discovery",
    [VL_TENANT_AT_KEYS] = "keys",       [VL_TENANT_AT_AUTHORIZE] = "authorize",
    [VL_TENANT_AT_SIGN_IN] = "sign_in", [VL_TENANT_AT_SIGN_OUT] = "sign_out",
    [VL_TENANT_AT_DEVICE] = "device",   [VL_TENANT_AT_TOKEN] = "token",
    [VL_TENANT_AT_GRAPH] = "graph",     [VL_TENANT_ANYWHERE] = "any",
};

static const char *const grant_names[VL_TENANT_GRANT_TYPE_COUNT] = {
    [VL_TENANT_ANY_GRANT] = "",
    [VL_TENANT_AUTHORIZATION_CODE] = "authorization_code",
    [VL_TENANT_REFRESH_TOKEN] = "refresh_token",
    [VL_TENANT_CLIENT_CREDENTIALS] = "client_credentials",
    [VL_TENANT_ON_BEHALF_OF] = "on_behalf_of",
    [VL_TENANT_DEVICE_CODE] = "device_code",
};

bool
vl_tenant_where_of(struct vl_str name, enum vl_tenant_where *ret)
{
    for (int i = VL_TENANT_AT_DISCOVERY; i < VL_TENANT_WHERE_COUNT; i++) {
        if (!vl_str_eqz(name, where_names[i]))
            continue;
        *ret = (enum vl_tenant_where)i;
        return true;
    }
    return false;
}

struct vl_tenant_fault
vl_tenant_fault_of(void)
{
    return (struct vl_tenant_fault){.count = 1, .retry_after = -1};
}

valet_status
vl_tenant_fault_retry(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err)
{
    uint64_t seconds = 2;
    struct vl_str rest = text;
    bool date = vl_str_starts(text, VL_STR("date"));
    if (date)
        rest = vl_str_from(text, 4);
    if (date && vl_str_starts(rest, VL_STR(":")))
        rest = vl_str_from(rest, 1);
    else if (date && rest.n)
        return vl_fail(err, VALET_INVALID, "",
                       "retry_after is seconds, \"date\" or \"date:SECONDS\"");
    if ((rest.n || !date) && !vl_str_u64(rest, 86400, &seconds))
        return vl_fail(err, VALET_INVALID, "",
                       "retry_after is seconds, \"date\" or \"date:SECONDS\"");
    fault->retry_after = (int64_t)seconds;
    fault->retry_date = date;
    return VALET_OK;
}

valet_status
vl_tenant_fault_shape(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err)
{
    static const char *const names[VL_TENANT_SHAPE_COUNT] = {
        [VL_TENANT_WHOLE] = "whole",
        [VL_TENANT_TRUNCATED] = "truncated",
        [VL_TENANT_HTML] = "html",
        [VL_TENANT_RESET] = "reset",
    };
    for (int i = 0; i < VL_TENANT_SHAPE_COUNT; i++) {
        fault->shape = (enum vl_tenant_shape)i;
        if (vl_str_eqz(text, names[i]))
            return VALET_OK;
    }
    return vl_fail(err, VALET_INVALID, "",
                   "`answer` is whole, truncated, html or reset");
}

valet_status
vl_tenant_fault_grant(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err)
{
    for (int i = VL_TENANT_ANY_GRANT + 1; i < VL_TENANT_GRANT_TYPE_COUNT; i++) {
        fault->grant = (enum vl_tenant_grant_type)i;
        if (vl_str_eqz(text, grant_names[i]))
            return VALET_OK;
    }
    return vl_fail(err, VALET_INVALID, "",
                   "`grant` is authorization_code, refresh_token, "
                   "client_credentials, on_behalf_of or device_code");
}

valet_status
vl_tenant_fault_error(struct vl_tenant_fault *fault, struct vl_str text,
                      valet_error *err)
{
    bool good = text.n && text.n < sizeof fault->error;
    for (size_t i = 0; good && i < text.n; i++)
        good = (text.p[i] >= 'a' && text.p[i] <= 'z') || text.p[i] == '_';
    if (!good)
        return vl_fail(err, VALET_INVALID, "",
                       "`error` is a word such as slow_down");
    memcpy(fault->error, text.p, text.n);
    return VALET_OK;
}

valet_status
vl_tenant_fault_claims(struct vl_tenant_fault *fault, struct vl_str text,
                       valet_error *err)
{
    if (!text.n || text.n >= sizeof fault->claims || text.p[0] != '{')
        return vl_fail(err, VALET_INVALID, "",
                       "`claims` is the text of a JSON object, at most 399 "
                       "bytes");
    memcpy(fault->claims, text.p, text.n);
    return VALET_OK;
}

bool
vl_tenant_fault_answers(const struct vl_tenant_fault *fault)
{
    return fault->aadsts || fault->status || fault->retry_after >= 0 ||
           fault->error[0] || fault->claims[0] ||
           fault->shape == VL_TENANT_HTML;
}

valet_status
vl_tenant_faults_add(struct vl_tenant_faults *faults,
                     const struct vl_tenant_fault *fault, valet_error *err)
{
    if (fault->where == VL_TENANT_AT_NOTHING)
        return vl_fail(err, VALET_INVALID, "",
                       "a fault needs `where`: discovery, keys, authorize, "
                       "sign_in, sign_out, device, token, graph or any");
    if (fault->grant && fault->where != VL_TENANT_AT_TOKEN)
        return vl_fail(err, VALET_INVALID, "", "`grant` goes with token only");
    /* A page in place of an answer may well pretend that all is well. */
    if (fault->status && (fault->status < 400 || fault->status > 599) &&
        (fault->status != 200 || fault->shape != VL_TENANT_HTML))
        return vl_fail(err, VALET_INVALID, "",
                       "the status of a fault is 400 to 599");
    if (fault->delay_ms < 0 || fault->delay_ms > VL_TENANT_DELAY_MAX ||
        fault->count < 0)
        return vl_fail(err, VALET_INVALID, "",
                       "delay_ms is 0 to 60000, count not below 0");
    if (!fault->delay_ms && fault->shape == VL_TENANT_WHOLE &&
        !vl_tenant_fault_answers(fault))
        return vl_fail(err, VALET_INVALID, "",
                       "a fault needs aadsts, status, error, claims, "
                       "retry_after, answer or delay_ms");
    if (faults->count == VL_TENANT_FAULTS_MAX)
        return vl_fail(err, VALET_LIMIT, "", "there are too many faults");
    struct vl_tenant_fault *added = &faults->items[faults->count++];
    *added = *fault;
    /* What OAuth calls an error comes with 400, unless somebody knows better.
     */
    if (added->error[0] && !added->aadsts && !added->status)
        added->status = 400;
    return VALET_OK;
}

bool
vl_tenant_faults_take(struct vl_tenant_faults *faults,
                      enum vl_tenant_where where,
                      enum vl_tenant_grant_type grant,
                      struct vl_tenant_fault *ret)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct vl_tenant_fault *fault = &faults->items[i];
        if (fault->where != where && (fault->where != VL_TENANT_ANYWHERE ||
                                      where == VL_TENANT_AT_NOTHING))
            continue;
        if (fault->grant && fault->grant != grant)
            continue;
        *ret = *fault;
        if (fault->count && --fault->count == 0) {
            memmove(fault, fault + 1, (faults->count - i - 1) * sizeof *fault);
            faults->count--;
        }
        return true;
    }
    return false;
}
