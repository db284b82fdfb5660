/* SPDX-License-Identifier: Apache-2.0
 *
 * The issuer's keys, for many threads: an immutable set, swapped whole and
 * counted. A thread that finds them missing or old fetches them itself, one at
 * a time; those that can go on with what there is do, the others wait for it.
 *
 * Nobody makes us hammer the issuer (@spec S-15): for unknown key ids there is
 * one fetch in `pause_ms`, and until it is over every unknown id, whichever,
 * is known to be unknown. After failures the wait grows from a second up to
 * the same pause.
 */
#ifndef VL_VALIDATE_KEYS_H
#define VL_VALIDATE_KEYS_H

#include "core/sys.h"
#include "jose/jwk.h"
#include "validate/rules.h"

struct vl_keys;

/* The rules are borrowed; so is the clock, which never goes back. */
struct vl_keys *
vl_keys_new(const struct vl_rules *rules, const struct vl_clock *clock);
void vl_keys_free(struct vl_keys *keys);

/* Have there ever been any? */
bool vl_keys_are_there(struct vl_keys *keys);
/*
 * A reference to the keys, fetched before if need be and `may_wait`.
 * VALET_RETRY: there are none that may be used.
 */
valet_status vl_keys_get(struct vl_keys *keys, bool may_wait,
                         struct vl_jwks **ret, valet_error *err) VALET_CHECK;
/*
 * The same for who has looked in `than` in vain: a newer set, or `than` itself
 * when there will be none for now. VALET_RETRY when the issuer cannot be
 * asked, or not without waiting.
 */
valet_status vl_keys_get_newer(struct vl_keys *keys, const struct vl_jwks *than,
                               bool may_wait, struct vl_jwks **ret,
                               valet_error *err) VALET_CHECK;
/* Fetches if the last vl_keys_get_newer() wanted to and might not wait, or if
 * vl_keys_get() would. */
valet_status
vl_keys_refresh(struct vl_keys *keys, valet_error *err) VALET_CHECK;

/* One trip to the issuer, on a loop of its own; blocks up to the time-out.
 * VALET_RETRY for every failure: the issuer may be repaired. */
valet_status vl_keys_fetch(const struct vl_rules *rules, struct vl_jwks **ret,
                           valet_error *err) VALET_CHECK;

#endif
