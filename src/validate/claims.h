/* SPDX-License-Identifier: Apache-2.0
 *
 * The claims of an access token, read: each of the type it has to have, and
 * whatever issuers call the same thing under one name. Judged is nothing yet.
 */
#ifndef VL_VALIDATE_CLAIMS_H
#define VL_VALIDATE_CLAIMS_H

#include "validate/rules.h"
#include "json/table.h"

struct vl_claims {
    const struct vl_json_table *table;
    struct vl_str iss, sub, tid, oid, ver, idtyp;
    struct vl_str client; /* azp, appid, client_id */
    struct vl_str scopes; /* scp or scope, with a space between them */
    struct vl_words audiences, roles;
    int64_t exp, nbf, iat; /* seconds; -1: absent */
};

/* Bounds what the copies of lists and of escaped strings take. */
#define VL_CLAIMS_ARENA 262144

/*
 * VALET_REASON_NONE, BAD_CLAIMS or BAD_TIME. The slices point into the table
 * or the arena.
 */
valet_reason vl_claims_read(const struct vl_json_table *table,
                            struct vl_arena *arena, struct vl_claims *ret);

#endif
