/* SPDX-License-Identifier: Apache-2.0
 *
 * The issuer itself, for the files of this room, and the bounds of the desk.
 */
#ifndef VL_ISSUER_INSIDE_H
#define VL_ISSUER_INSIDE_H

#include "core/list.h"
#include "core/map.h"
#include "guard/limit.h"
#include "http/peer.h"
#include "issuer/issuer.h"
#include "issuer/token_format.h"

/* --- bounds of the desk, all with a reason --- */

/* What conf/options.c says as well, for who has no configuration file.
 * Requests a minute from one address to one endpoint: an office of a thousand
 * programs that renew their tokens every ten minutes sends 100; a loop is
 * cut. */
#define VL_DESK_REQUESTS_PER_MINUTE 600
/* Sign-ins begun in VL_LIMIT_FLOW_MS and so, at most twice as many, pending:
 * in all (1 kB each in the store) and from one address: a class of students
 * that begins at nine o'clock. */
#define VL_DESK_FLOWS             50000
#define VL_DESK_FLOWS_PER_ADDRESS 300
/* Addresses that are counted at a time. */
#define VL_DESK_ADDRESSES 20000
/* A registration in use lives so long after a sign-in; it is renewed when
 * half of that is over, so that a busy client is seldom written. */
#define VL_DESK_CLIENT_LIFE_MS (INT64_C(180) * 24 * 3600 * 1000)
/* What a user allowed a client is remembered for the register so long. */
#define VL_DESK_GRANT_LIFE_MS (INT64_C(365) * 24 * 3600 * 1000)
/* A used code is remembered so long, to notice a replay. */
#define VL_DESK_USED_CODE_MS 600000
/* Live token families of one user; the oldest go (@spec W-31). Ten programs on
 * each of a few machines. */
#define VL_DESK_SESSIONS_PER_USER 50
/* Entra's token is renewed when less than this is left (@spec S-31). */
#define VL_DESK_RENEW_MS 300000
/* A forced renewal is not repeated within this: the callers saw the refusal
 * of the same, older token. */
#define VL_DESK_RENEW_AGAIN_MS 5000
/* After a renewal that failed, the next one is tried no sooner, as long as the
 * old token is good: or each of its last calls would wait for the whole of a
 * failing exchange with Entra. Failures of so many sessions are remembered. */
#define VL_DESK_RENEW_PAUSE_MS 30000
#define VL_DESK_RENEW_FAILURES 5000
/* How often a lost race for a record is run again. */
#define VL_DESK_TRIES 4

struct vl_verdicts;
struct vl_leases;

struct vl_desk_limits {
    struct vl_limiter *requests, *refusals, *flows, *flows_of_address,
        *registrations;
};

struct vl_desk_document; /* documents.c */

struct vl_issuer {
    struct vl_issuer_deps deps;
    const struct vl_issuer_config *config;
    struct vl_token_keys keys;
    struct vl_str base; /* path of the issuer's URL, usually empty */
    bool is_secure;     /* https: cookies get Secure and __Host- */
    struct vl_list ops;
    struct vl_desk_limits *limits;
    struct vl_map documents; /* path → struct vl_desk_document */
    struct vl_verdicts *verdicts;
    struct vl_leases *leases;
    struct {
        void (*call)(const char *session, void *ctx);
        void *ctx;
    } ended[4];
    size_t ended_count;
};

static inline int64_t
vl_desk_now(const struct vl_issuer *issuer)
{
    return vl_clock_now(issuer->deps.clock);
}

#endif
