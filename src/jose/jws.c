/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything about the form is checked first, then the signature. A header
 * tells us which key of ours to take, nothing else: `x5c` and `x5t` are never
 * looked at, and `jwk`, `jku` and `x5u` only to refuse them.
 */
#include "jose/jws.h"

#include "core/enc.h"
#include "core/limits.h"
#include "jose/inside_jws.h"
#include "json/table.h"

/* A header is flat but for the certificates some put into it. */
#define HEADER_DEPTH 4
/* The signature of the largest key, 4096 bits. */
#define SIGNATURE_MAX 512
#define HEADER_MAX    4096
/* Copies of a header's strings that had escapes. */
#define ARENA_MAX 65536

struct header {
    enum vl_alg alg;
    struct vl_str kid;
};

static size_t
count_dots(struct vl_str token)
{
    size_t dots = 0;
    for (size_t i = 0; i < token.n; i++)
        dots += token.p[i] == '.';
    return dots;
}

bool
vl_jws_split(struct vl_str token, struct vl_jws_parts *ret)
{
    size_t first = vl_str_index(token, '.');
    if (first == token.n)
        return false;
    struct vl_str rest = vl_str_from(token, first + 1);
    size_t second = vl_str_index(rest, '.');
    if (second == rest.n)
        return false;
    *ret = (struct vl_jws_parts){
        .header = vl_str_head(token, first),
        .payload = vl_str_head(rest, second),
        .signature = vl_str_from(rest, second + 1),
        .signed_text = vl_str_head(token, first + 1 + second),
    };
    return ret->header.n && ret->payload.n && ret->signature.n &&
           !vl_str_has(ret->signature, '.');
}

static struct vl_str
get_str(const struct vl_json_table *table, struct vl_str key)
{
    const struct vl_json_row *row = vl_json_table_find(table, key);
    if (!row || row->kind != VL_JSON_STRING)
        return (struct vl_str){NULL, 0};
    return row->value;
}

static bool
has(const struct vl_json_table *table, struct vl_str key)
{
    return vl_json_table_find(table, key) != NULL;
}

/* Zero for what we do not verify. */
static unsigned
alg_of(struct vl_str name)
{
    if (vl_str_eq(name, VL_STR("RS256")))
        return VL_ALG_RS256;
    if (vl_str_eq(name, VL_STR("PS256")))
        return VL_ALG_PS256;
    return vl_str_eq(name, VL_STR("ES256")) ? VL_ALG_ES256 : 0;
}

/*
 * RFC 8725 section 3.11: a JWT of another kind (a logout token, a proof of
 * possession) says so in `typ`, which is compared without case and may have
 * lost its "application/" (RFC 7515 section 4.1.9).
 */
static bool
is_good_type(const struct vl_json_table *header, bool only_at_jwt)
{
    const struct vl_json_row *row = vl_json_table_find(header, VL_STR("typ"));
    static const struct vl_str media = {"application/", 12};
    if (!row)
        return !only_at_jwt;
    struct vl_str type = row->kind == VL_JSON_STRING ? row->value : VL_STR("");
    if (type.n > media.n && vl_str_ieq(vl_str_head(type, media.n), media))
        type = vl_str_from(type, media.n);
    return vl_str_ieq(type, VL_STR("at+jwt")) ||
           (!only_at_jwt && vl_str_ieq(type, VL_STR("JWT")));
}

static enum vl_jws_fault
check_strictly(const struct vl_json_table *header, bool only_at_jwt)
{
    if (has(header, VL_STR("jwk")) || has(header, VL_STR("jku")) ||
        has(header, VL_STR("x5u")))
        return VL_JWS_KEY_IN_HEADER;
    if (has(header, VL_STR("nonce")))
        return VL_JWS_NONCE;
    return is_good_type(header, only_at_jwt) ? VL_JWS_GOOD : VL_JWS_TYPE;
}

/*
 * @spec S-15 W-97
 * RFC 7515 sections 4.1.1, 4.1.4 and 4.1.11, RFC 8725 section 3.1: the
 * algorithms are ours to choose, and an extension that has to be understood
 * is not.
 */
static enum vl_jws_fault
read_header(struct vl_str text, const struct vl_jws_rules *rules,
            struct vl_arena *arena, struct header *ret)
{
    struct vl_json_table header;
    if (vl_json_table_read(text, HEADER_DEPTH, arena, &header, NULL) !=
        VALET_OK)
        return VL_JWS_HEADER;
    unsigned alg = alg_of(get_str(&header, VL_STR("alg")));
    if (!(alg & rules->algs))
        return VL_JWS_ALGORITHM;
    if (has(&header, VL_STR("crit")))
        return VL_JWS_CRITICAL;
    enum vl_jws_fault fault = rules->strict
                                  ? check_strictly(&header, rules->only_at_jwt)
                                  : VL_JWS_GOOD;
    *ret = (struct header){(enum vl_alg)alg, get_str(&header, VL_STR("kid"))};
    return fault == VL_JWS_GOOD && !ret->kid.n ? VL_JWS_NO_KEY_ID : fault;
}

static enum vl_jws_fault
check_signature(const struct header *header, const struct vl_jwks *keys,
                struct vl_str text, struct vl_str signature)
{
    const struct vl_pkey *key =
        vl_jwks_find_for(keys, header->kid, header->alg);
    valet_status status = VALET_DENIED;
    if (!key)
        return vl_jwks_has(keys, header->kid) ? VL_JWS_UNFIT_KEY
                                              : VL_JWS_UNKNOWN_KEY;
    switch (header->alg) {
    case VL_ALG_RS256:
        status = vl_pkey_verify_rs256(key, text, signature, NULL);
        break;
    case VL_ALG_PS256:
        status = vl_pkey_verify_ps256(key, text, signature, NULL);
        break;
    case VL_ALG_ES256:
        status = vl_pkey_verify_es256(key, text, signature, NULL);
        break;
    }
    return status == VALET_OK ? VL_JWS_GOOD : VL_JWS_SIGNATURE;
}

static enum vl_jws_fault
verify_parts(const struct vl_jws_parts *parts, const struct vl_jws_rules *rules,
             const struct vl_jwks *keys, struct vl_arena *arena,
             struct vl_jws *ret)
{
    vl_auto(vl_buf) header_text = vl_buf_of(HEADER_MAX);
    vl_auto(vl_buf) signature = vl_buf_of(SIGNATURE_MAX);
    struct header header;
    if (!vl_dec_base64url(parts->header, &header_text) ||
        !vl_dec_base64url(parts->payload, &ret->payload) ||
        !vl_dec_base64url(parts->signature, &signature))
        return VL_JWS_ENCODING;
    enum vl_jws_fault fault =
        read_header(vl_buf_str(&header_text), rules, arena, &header);
    if (fault == VL_JWS_GOOD)
        fault = check_signature(&header, keys, parts->signed_text,
                                vl_buf_str(&signature));
    if (fault != VL_JWS_GOOD)
        return fault;
    vl_buf_add(&ret->kid, header.kid);
    ret->key_issuer = vl_jwks_issuer(keys, header.kid);
    return VL_JWS_GOOD;
}

enum vl_jws_fault
vl_jws_verify(struct vl_str token, const struct vl_jws_rules *rules,
              const struct vl_jwks *keys, struct vl_jws *ret)
{
    struct vl_jws_parts parts;
    if (token.n > VL_LIMIT_JWT)
        return VL_JWS_TOO_LONG;
    if (!vl_jws_split(token, &parts))
        return count_dots(token) == 4 ? VL_JWS_ENCRYPTED : VL_JWS_PARTS;
    struct vl_arena arena = vl_arena_of(ARENA_MAX);
    struct vl_jws jws = {.payload = vl_buf_of(VL_LIMIT_JWT),
                         .kid = vl_buf_of(HEADER_MAX)};
    enum vl_jws_fault fault = verify_parts(&parts, rules, keys, &arena, &jws);
    vl_arena_done(&arena);
    if (fault == VL_JWS_GOOD)
        *ret = jws;
    else
        vl_jws_done(&jws);
    return fault;
}

void
vl_jws_done(struct vl_jws *jws)
{
    vl_buf_done(&jws->payload);
    vl_buf_done(&jws->kid);
}

const char *
vl_jws_fault_text(enum vl_jws_fault fault)
{
    static const char *const texts[VL_JWS_FAULT_COUNT] = {
        [VL_JWS_GOOD] = "the token's signature is good",
        [VL_JWS_TOO_LONG] = "the token is too long",
        [VL_JWS_ENCRYPTED] = "the token is encrypted, not signed",
        [VL_JWS_PARTS] = "the token has not three parts",
        [VL_JWS_ENCODING] = "a part of the token is not base64url",
        [VL_JWS_HEADER] = "the token's header is no JSON object",
        [VL_JWS_ALGORITHM] = "the token is not signed with an allowed "
                             "algorithm",
        [VL_JWS_CRITICAL] = "the token has a critical extension",
        [VL_JWS_KEY_IN_HEADER] = "the token brings its own key",
        [VL_JWS_NONCE] = "the token is made for Microsoft Graph, which alone "
                         "can check it",
        [VL_JWS_TYPE] = "the token is of another type than an access token",
        [VL_JWS_NO_KEY_ID] = "the token names no key",
        [VL_JWS_UNKNOWN_KEY] = "the token was signed with an unknown key",
        [VL_JWS_UNFIT_KEY] = "the token's key is not for its algorithm",
        [VL_JWS_SIGNATURE] = "the token's signature is wrong",
    };
    return texts[fault];
}
