/* SPDX-License-Identifier: Apache-2.0
 *
 * A token's way: signature (jose/jws), claims read, claims judged, and what it
 * says handed out. Everything but the keys is immutable.
 */
#include "validate/validator.h"

#include "core/limits.h"
#include "core/status.h"
#include "validate/keys.h"
#include "validate/reason.h"
#include "validate/token.h"

struct vl_validator {
    struct vl_rules rules;
    const struct vl_clock *clock;
    struct vl_keys *keys;
};

static int64_t
read_steady(void *ctx)
{
    (void)ctx;
    return vl_mono_now();
}

static const struct vl_clock steady_clock = {read_steady, NULL};

valet_status
vl_validator_new(const valet_validator_options *options,
                 const struct vl_clock *clock, const struct vl_clock *steady,
                 valet_validator **ret, valet_error *err)
{
    struct vl_validator *validator = vl_alloc(sizeof *validator);
    validator->clock = clock;
    validator->keys = NULL;
    valet_status status = vl_rules_read(options, &validator->rules, err);
    if (status != VALET_OK) {
        valet_validator_free(validator);
        return status;
    }
    validator->keys = vl_keys_new(&validator->rules, steady);
    *ret = validator;
    return VALET_OK;
}

/* @spec S-25 */
valet_status
valet_validator_new(const valet_validator_options *options,
                    valet_validator **ret, valet_error *err)
{
    return vl_validator_new(options, &vl_clock_system, &steady_clock, ret, err);
}

void
valet_validator_free(valet_validator *validator)
{
    if (!validator)
        return;
    if (validator->keys)
        vl_keys_free(validator->keys);
    vl_rules_done(&validator->rules);
    free(validator);
}

/* Signed by one of these keys: what does it claim, and is that good? */
static valet_reason
judge(const struct vl_validator *validator, const struct vl_jws *jws,
      struct vl_arena *arena, valet_token *ret)
{
    struct vl_json_table table;
    struct vl_claims claims;
    struct vl_judgement judgement;
    int64_t now_s = vl_clock_now(validator->clock) / 1000;
    if (vl_json_table_read(vl_buf_str(&jws->payload), VL_LIMIT_JSON_DEPTH,
                           arena, &table, NULL) != VALET_OK)
        return VALET_REASON_BAD_CLAIMS;
    valet_reason reason = vl_claims_read(&table, arena, &claims);
    if (reason == VALET_REASON_NONE)
        reason = vl_judge(&validator->rules, &claims, jws->key_issuer, now_s,
                          &judgement);
    if (reason == VALET_REASON_NONE &&
        !vl_token_make(&claims, &judgement, vl_buf_str(&jws->kid), ret))
        reason = VALET_REASON_BAD_CLAIMS;
    return reason;
}

static valet_reason
check(const struct vl_validator *validator, const struct vl_jwks *keys,
      struct vl_str text, valet_token *ret)
{
    vl_auto(vl_jws) jws = {.kid = {0}};
    enum vl_jws_fault fault =
        vl_jws_verify(text, &validator->rules.jws, keys, &jws);
    if (fault != VL_JWS_GOOD)
        return vl_reason_of_fault(fault);
    struct vl_arena arena = vl_arena_of(VL_CLAIMS_ARENA);
    valet_reason reason = judge(validator, &jws, &arena, ret);
    vl_arena_done(&arena);
    return reason;
}

/* It cannot be told; what is in `why` is about the issuer, not the token. */
static valet_status
postpone(valet_error *err, valet_reason reason, const valet_error *why)
{
    return vl_fail(err, VALET_RETRY, valet_reason_name(reason), "%s",
                   why->message);
}

/* Takes the reference `keys` over. */
static valet_status
check_again(struct vl_validator *validator, struct vl_jwks *keys, bool may_wait,
            struct vl_str text, valet_token *ret, valet_error *err)
{
    struct vl_jwks *newer = NULL;
    valet_error why = {0};
    valet_reason reason = check(validator, keys, text, ret);
    if (reason == VALET_REASON_UNKNOWN_KEY) {
        if (vl_keys_get_newer(validator->keys, keys, may_wait, &newer, &why) !=
            VALET_OK) {
            vl_jwks_unref(keys);
            return postpone(err, VALET_REASON_UNKNOWN_KEY, &why);
        }
        if (newer != keys)
            reason = check(validator, newer, text, ret);
        vl_jwks_unref(newer);
    }
    vl_jwks_unref(keys);
    return reason == VALET_REASON_NONE ? VALET_OK
                                       : vl_refuse(err, VALET_DENIED, reason);
}

/* Before the first keys: what is wrong whatever they will be does not make us
 * ask for them. */
static valet_reason
check_form(struct vl_validator *validator, struct vl_str text)
{
    valet_token none;
    if (vl_keys_are_there(validator->keys))
        return VALET_REASON_NONE;
    valet_reason reason = check(validator, NULL, text, &none);
    return reason == VALET_REASON_UNKNOWN_KEY ? VALET_REASON_NONE : reason;
}

static valet_status
validate(struct vl_validator *validator, bool may_wait, struct vl_str text,
         valet_token *ret, valet_error *err)
{
    struct vl_jwks *keys = NULL;
    valet_error why = {0};
    valet_reason reason = check_form(validator, text);
    if (reason != VALET_REASON_NONE)
        return vl_refuse(err, VALET_DENIED, reason);
    if (vl_keys_get(validator->keys, may_wait, &keys, &why) != VALET_OK)
        return postpone(err, VALET_REASON_KEYS_UNAVAILABLE, &why);
    return check_again(validator, keys, may_wait, text, ret, err);
}

valet_status
valet_validate(valet_validator *validator, const char *text, size_t size,
               valet_token *ret, valet_error *err)
{
    return validate(validator, true, vl_str_of(text, size), ret, err);
}

valet_status
valet_validate_now(valet_validator *validator, const char *text, size_t size,
                   valet_token *ret, valet_error *err)
{
    return validate(validator, false, vl_str_of(text, size), ret, err);
}

valet_status
valet_validator_refresh(valet_validator *validator, valet_error *err)
{
    valet_error why = {0};
    if (vl_keys_refresh(validator->keys, &why) != VALET_OK)
        return postpone(err, VALET_REASON_KEYS_UNAVAILABLE, &why);
    return VALET_OK;
}
