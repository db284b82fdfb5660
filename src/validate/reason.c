/* SPDX-License-Identifier: Apache-2.0
 *
 * Each reason: its name for machines and its sentence for people. No text of
 * a token is in either.
 */
#include "validate/reason.h"

#include "core/status.h"

static const struct {
    const char *name, *text;
} reasons[VALET_REASON_COUNT] = {
    [VALET_REASON_NONE] = {"none", "the token is good"},
    [VALET_REASON_TOO_LONG] = {"too_long", "the token is too long"},
    [VALET_REASON_ENCRYPTED] = {"encrypted",
                                "the token is encrypted, not signed"},
    [VALET_REASON_MALFORMED] = {"malformed", "the token is not three parts of "
                                             "base64url"},
    [VALET_REASON_BAD_HEADER] = {"bad_header", "the token's header is no JSON "
                                               "object"},
    [VALET_REASON_ALGORITHM] = {"algorithm", "the token is not signed with an "
                                             "allowed algorithm"},
    [VALET_REASON_CRITICAL] = {"critical",
                               "the token has a critical extension"},
    [VALET_REASON_KEY_IN_HEADER] = {"key_in_header",
                                    "the token brings its own key"},
    [VALET_REASON_GRAPH_NONCE] = {"graph_nonce",
                                  "the token is made for Microsoft Graph, "
                                  "which alone can check it"},
    [VALET_REASON_TYPE] = {"type", "the token is of another type than an "
                                   "access token"},
    [VALET_REASON_NO_KEY_ID] = {"no_key_id", "the token names no key"},
    [VALET_REASON_UNKNOWN_KEY] = {"unknown_key", "the token was signed with "
                                                 "an unknown key"},
    [VALET_REASON_UNFIT_KEY] = {"unfit_key",
                                "the token's key is not for its algorithm"},
    [VALET_REASON_SIGNATURE] = {"signature", "the token's signature is wrong"},
    [VALET_REASON_BAD_CLAIMS] = {"bad_claims",
                                 "the token's claims cannot be read"},
    [VALET_REASON_ISSUER] = {"issuer", "the token is from another issuer"},
    [VALET_REASON_VERSION] = {"version", "the token's version is not that of "
                                         "its issuer or not accepted"},
    [VALET_REASON_TENANT] = {"tenant", "the token is of another tenant"},
    [VALET_REASON_KEY_ISSUER] = {"key_issuer", "the token was signed with "
                                               "another issuer's key"},
    [VALET_REASON_AUDIENCE] = {"audience", "the token is for another API"},
    [VALET_REASON_GRAPH_AUDIENCE] = {"graph_audience",
                                     "the token is for Microsoft Graph: the "
                                     "client asked for a scope of Graph's"},
    [VALET_REASON_BAD_TIME] = {"bad_time", "a time of the token is missing or "
                                           "no whole number"},
    [VALET_REASON_EXPIRED] = {"expired", "the token has expired"},
    [VALET_REASON_NOT_YET] = {"not_yet", "the token is not valid yet"},
    [VALET_REASON_ID_TOKEN] = {"id_token", "this is an id token, not an "
                                           "access token"},
    [VALET_REASON_NO_CLIENT] = {"no_client", "the token names no client"},
    [VALET_REASON_CLIENT] = {"client", "the token is from another client"},
    [VALET_REASON_NO_SUBJECT] = {"no_subject", "the token names nobody"},
    [VALET_REASON_KIND] = {"kind", "the token is neither clearly a person's "
                                   "nor clearly an application's"},
    [VALET_REASON_APP_ONLY] = {"app_only", "the token is an application's "
                                           "own"},
    [VALET_REASON_USER] = {"user", "the token is a person's"},
    [VALET_REASON_SCOPE] = {"scope", "the token has none of the scopes"},
    [VALET_REASON_ROLE] = {"role", "the token has none of the roles"},
    [VALET_REASON_KEYS_UNAVAILABLE] = {"keys_unavailable",
                                       "the issuer's keys cannot be had now"},
};

const char *
valet_reason_name(valet_reason reason)
{
    return (unsigned)reason < VALET_REASON_COUNT ? reasons[reason].name
                                                 : reasons[0].name;
}

valet_reason
valet_reason_of(const valet_error *err)
{
    for (unsigned i = 1; err && i < VALET_REASON_COUNT; i++)
        if (strcmp(err->code, reasons[i].name) == 0)
            return (valet_reason)i;
    return VALET_REASON_NONE;
}

valet_reason
vl_reason_of_fault(enum vl_jws_fault fault)
{
    static const valet_reason of[VL_JWS_FAULT_COUNT] = {
        [VL_JWS_GOOD] = VALET_REASON_NONE,
        [VL_JWS_TOO_LONG] = VALET_REASON_TOO_LONG,
        [VL_JWS_ENCRYPTED] = VALET_REASON_ENCRYPTED,
        [VL_JWS_PARTS] = VALET_REASON_MALFORMED,
        [VL_JWS_ENCODING] = VALET_REASON_MALFORMED,
        [VL_JWS_HEADER] = VALET_REASON_BAD_HEADER,
        [VL_JWS_ALGORITHM] = VALET_REASON_ALGORITHM,
        [VL_JWS_CRITICAL] = VALET_REASON_CRITICAL,
        [VL_JWS_KEY_IN_HEADER] = VALET_REASON_KEY_IN_HEADER,
        [VL_JWS_NONCE] = VALET_REASON_GRAPH_NONCE,
        [VL_JWS_TYPE] = VALET_REASON_TYPE,
        [VL_JWS_NO_KEY_ID] = VALET_REASON_NO_KEY_ID,
        [VL_JWS_UNKNOWN_KEY] = VALET_REASON_UNKNOWN_KEY,
        [VL_JWS_UNFIT_KEY] = VALET_REASON_UNFIT_KEY,
        [VL_JWS_SIGNATURE] = VALET_REASON_SIGNATURE,
    };
    return of[fault];
}

valet_status
vl_refuse(valet_error *err, valet_status status, valet_reason reason)
{
    return vl_fail(err, status, reasons[reason].name, "%s",
                   reasons[reason].text);
}
