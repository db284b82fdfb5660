/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/inside.h"

/* What a bucket can hold at most; more is as good as no limit. */
#define BURST_MAX 1000000u

static unsigned
or_default(unsigned value, unsigned otherwise)
{
    unsigned chosen = value ? value : otherwise;
    return chosen < BURST_MAX ? chosen : BURST_MAX;
}

struct vl_desk_limits *
vl_desk_limits_new(const struct vl_issuer_config *config,
                   const struct vl_clock *clock)
{
    struct vl_desk_limits *limits = vl_alloc(sizeof *limits);
    limits->refusals = vl_limiter_new(1, 60000, VL_DESK_ADDRESSES, clock);
    limits->requests = vl_limiter_new(
        or_default(config->requests_per_minute, VL_DESK_REQUESTS_PER_MINUTE),
        60000, VL_DESK_ADDRESSES, clock);
    limits->flows = vl_limiter_new(or_default(config->flows_max, VL_DESK_FLOWS),
                                   VL_LIMIT_FLOW_MS, 1, clock);
    limits->flows_of_address = vl_limiter_new(
        or_default(config->flows_per_address_max, VL_DESK_FLOWS_PER_ADDRESS),
        VL_LIMIT_FLOW_MS, VL_DESK_ADDRESSES, clock);
    limits->registrations =
        vl_limiter_new(or_default(config->registration_per_address_per_hour, 1),
                       3600000, VL_DESK_ADDRESSES, clock);
    return limits;
}

void
vl_desk_limits_free(struct vl_desk_limits *limits)
{
    if (!limits)
        return;
    vl_limiter_free(limits->requests);
    vl_limiter_free(limits->refusals);
    vl_limiter_free(limits->flows);
    vl_limiter_free(limits->flows_of_address);
    vl_limiter_free(limits->registrations);
    free(limits);
}
