/* SPDX-License-Identifier: Apache-2.0
 *
 * The corpus of bad tokens (@spec S-15). Each is signed by a key the validator
 * trusts, unless the signature is what is wrong: so the one thing the name
 * tells is the only reason there can be for the refusal, and the reason has to
 * be that. Good tokens of every kind stand in between, so that nothing is
 * refused for another reason than it says.
 */
#include "issuer.h"

#define RS   "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"
#define GOOD VALET_REASON_NONE

enum signer { BY_RSA, BY_PSS, BY_EC, BY_OTHER, EMPTY, BY_HMAC, SWAPPED };

struct bad {
    const char *name;
    valet_reason reason;
    const struct member *base; /* NULL: v2_user */
    const char *header;        /* NULL: RS256 by the key "rsa" */
    enum signer signer;
    struct member changes[4];
    const char *claims; /* all of them, instead */
};

static const struct bad corpus[] = {
    /* --- good ones --- */
    {.name = "a v2 token of a person is good", .reason = GOOD},
    {.name = "a v1 token of a person is good", .reason = GOOD, .base = v1_user},
    {.name = "a v2 token of an application is good",
     .reason = GOOD,
     .base = v2_app},
    {.name = "a token of the second tenant is good",
     .reason = GOOD,
     .changes = {{"tid", "\"" TID2 "\""},
                 {"iss", "\"" HOST "/" TID2 "/v2.0\""}}},
    {.name = "a token signed with PS256 is good",
     .reason = GOOD,
     .header = "{\"alg\":\"PS256\",\"kid\":\"ps\"}",
     .signer = BY_PSS},
    {.name = "a token signed with ES256 is good",
     .reason = GOOD,
     .header = "{\"alg\":\"ES256\",\"kid\":\"ec\"}",
     .signer = BY_EC},
    {.name = "a token typed at+jwt is good",
     .reason = GOOD,
     .header = "{\"typ\":\"at+JWT\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "a token typed application/at+jwt is good",
     .reason = GOOD,
     .header =
         "{\"typ\":\"application/at+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "one of several audiences is enough",
     .reason = GOOD,
     .changes = {{"aud", "[\"other\",\"" API "\"]"}}},
    {.name = "a v1 token whose key names the v1 issuer is good",
     .reason = GOOD,
     .base = v1_user,
     .header = "{\"alg\":\"RS256\",\"kid\":\"v1\"}"},
    {.name = "a token with a five minutes' slow clock is good",
     .reason = GOOD,
     .changes = {{"exp", "1799999701"}, {"nbf", "1799990000"}}},
    {.name = "a token with a five minutes' fast clock is good",
     .reason = GOOD,
     .changes = {{"nbf", "1800000300"}, {"iat", "1800000300"}}},
    {.name = "a token of an application that says so by idtyp is good",
     .reason = GOOD,
     .base = v2_app,
     .changes = {{"idtyp", "\"app\""}, {"oid", NULL}}},
    {.name = "an escaped issuer is the same issuer",
     .reason = GOOD,
     .changes = {{"iss", "\"https:\\/\\/login.microsoftonline.com\\/" TID
                         "\\/v2.0\""}}},

    /* --- form --- */
    {.name = "an empty text is no token",
     .reason = VALET_REASON_MALFORMED,
     .claims = ""},
    {.name = "a claim twice is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .claims = "{\"aud\":\"" API "\",\"aud\":\"" API "\"}"},
    {.name = "a claim twice, once escaped, is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"\\u0074id", "\"" TID "\""}}},
    {.name = "claims that are an array are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .claims = "[]"},
    {.name = "claims that are a string are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .claims = "\"x\""},
    {.name = "claims with something behind them are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .claims = "{}{}"},
    {.name = "claims that break off are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .claims = "{\"aud\":\"x\""},
    {.name = "claims that are not UTF-8 are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"name", "\"\xC0\xAE\""}}},
    {.name = "a NUL in a claim is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"sub", "\"a\\u0000b\""}}},
    {.name = "a broken claim that nobody asks for is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"amr", "[\"pwd\",]"}}},
    {.name = "a claim twice within a claim is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"x", "{\"a\":1,\"a\":2}"}}},

    /* --- header --- */
    {.name = "alg none is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":\"none\",\"kid\":\"rsa\"}"},
    {.name = "alg None is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":\"None\",\"kid\":\"rsa\"}"},
    {.name = "alg none without a signature is refused",
     .reason = VALET_REASON_MALFORMED,
     .header = "{\"alg\":\"none\",\"kid\":\"rsa\"}",
     .signer = EMPTY},
    {.name = "HS256 with the public key as secret is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":\"HS256\",\"kid\":\"rsa\"}",
     .signer = BY_HMAC},
    {.name = "RS512 is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":\"RS512\",\"kid\":\"rsa\"}"},
    {.name = "an algorithm in small letters is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":\"rs256\",\"kid\":\"rsa\"}"},
    {.name = "a list of algorithms is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}"},
    {.name = "a header without algorithm is refused",
     .reason = VALET_REASON_ALGORITHM,
     .header = "{\"kid\":\"rsa\"}"},
    {.name = "a header with two algorithms is refused",
     .reason = VALET_REASON_BAD_HEADER,
     .header = "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "a header that is no object is refused",
     .reason = VALET_REASON_BAD_HEADER,
     .header = "[\"RS256\"]"},
    {.name = "a critical extension is refused",
     .reason = VALET_REASON_CRITICAL,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"]}"},
    {.name = "an empty list of critical extensions is refused",
     .reason = VALET_REASON_CRITICAL,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[]}"},
    {.name = "an unencoded payload is refused",
     .reason = VALET_REASON_CRITICAL,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":false,\"crit\":["
               "\"b64\"]}"},
    {.name = "a key in the header is refused",
     .reason = VALET_REASON_KEY_IN_HEADER,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":{\"kty\":\"RSA\"}}"},
    {.name = "the address of a key set in the header is refused",
     .reason = VALET_REASON_KEY_IN_HEADER,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"https://evil\"}"},
    {.name = "the address of a certificate in the header is refused",
     .reason = VALET_REASON_KEY_IN_HEADER,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x5u\":\"https://evil\"}"},
    {.name = "a token for Graph, with its nonce, is refused",
     .reason = VALET_REASON_GRAPH_NONCE,
     .header = "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"nonce\":\"abc\"}"},
    {.name = "a logout token is refused",
     .reason = VALET_REASON_TYPE,
     .header = "{\"typ\":\"logout+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "a proof of possession is refused",
     .reason = VALET_REASON_TYPE,
     .header = "{\"typ\":\"dpop+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "a type that is no string is refused",
     .reason = VALET_REASON_TYPE,
     .header = "{\"typ\":1,\"alg\":\"RS256\",\"kid\":\"rsa\"}"},
    {.name = "a token without key id is refused",
     .reason = VALET_REASON_NO_KEY_ID,
     .header = "{\"alg\":\"RS256\"}"},
    {.name = "an empty key id is refused",
     .reason = VALET_REASON_NO_KEY_ID,
     .header = "{\"alg\":\"RS256\",\"kid\":\"\"}"},
    {.name = "a key id that is a path is unknown",
     .reason = VALET_REASON_UNKNOWN_KEY,
     .header = "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}"},
    {.name = "a key that is for encryption is unknown",
     .reason = VALET_REASON_UNKNOWN_KEY,
     .header = "{\"alg\":\"RS256\",\"kid\":\"enc\"}"},

    /* --- key and signature --- */
    {.name = "an RSA key does not verify ES256",
     .reason = VALET_REASON_UNFIT_KEY,
     .header = "{\"alg\":\"ES256\",\"kid\":\"rsa\"}"},
    {.name = "an EC key does not verify RS256",
     .reason = VALET_REASON_UNFIT_KEY,
     .header = "{\"alg\":\"RS256\",\"kid\":\"ec\"}",
     .signer = BY_EC},
    {.name = "a key for PS256 does not verify RS256",
     .reason = VALET_REASON_UNFIT_KEY,
     .header = "{\"alg\":\"RS256\",\"kid\":\"ps\"}"},
    {.name = "a key for RS256 does not verify PS256",
     .reason = VALET_REASON_UNFIT_KEY,
     .header = "{\"alg\":\"PS256\",\"kid\":\"rs\"}",
     .signer = BY_PSS},
    {.name = "a signature by another key is wrong",
     .reason = VALET_REASON_SIGNATURE,
     .signer = BY_OTHER},
    {.name = "an RS256 signature is no PS256 signature",
     .reason = VALET_REASON_SIGNATURE,
     .header = "{\"alg\":\"PS256\",\"kid\":\"rsa\"}"},
    {.name = "a PS256 signature is no RS256 signature",
     .reason = VALET_REASON_SIGNATURE,
     .signer = BY_PSS},
    {.name = "the signature of other claims is wrong",
     .reason = VALET_REASON_SIGNATURE,
     .signer = SWAPPED},
    {.name = "claims are not looked at when the signature is wrong",
     .reason = VALET_REASON_SIGNATURE,
     .signer = BY_OTHER,
     .changes = {{"exp", "1"}, {"iss", "\"https://evil\""}}},

    /* --- issuer and tenant: @spec S-22 W-97 W-102 --- */
    {.name = "a token of another tenant is refused",
     .reason = VALET_REASON_TENANT,
     .changes = {{"tid", "\"" STRANGER "\""},
                 {"iss", "\"" HOST "/" STRANGER "/v2.0\""}}},
    {.name = "a tenant that the issuer does not name is refused",
     .reason = VALET_REASON_TENANT,
     .changes = {{"tid", "\"" TID2 "\""}}},
    {.name = "an issuer that the tenant does not name is refused",
     .reason = VALET_REASON_TENANT,
     .changes = {{"iss", "\"" HOST "/" TID2 "/v2.0\""}}},
    {.name = "a token without tenant is refused",
     .reason = VALET_REASON_TENANT,
     .changes = {{"tid", NULL}}},
    {.name = "the template itself as issuer is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", "\"" HOST "/{tenantid}/v2.0\""}}},
    {.name = "an issuer that only begins with the host is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", "\"" HOST ".evil.example/" TID "/v2.0\""}}},
    {.name = "an issuer with something behind it is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", "\"" HOST "/" TID "/v2.0/\""}}},
    {.name = "an issuer over http is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", "\"http://login.microsoftonline.com/" TID "/v2.0\""}}},
    {.name = "an issuer of another cloud is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", "\"https://login.microsoftonline.us/" TID "/v2.0\""}}},
    {.name = "an issuer in capitals is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss",
                  "\"HTTPS://login.microsoftonline.com/" TID "/v2.0\""}}},
    {.name = "a token without issuer is refused",
     .reason = VALET_REASON_ISSUER,
     .changes = {{"iss", NULL}}},
    {.name = "an issuer that is a list is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"iss", "[\"" HOST "/" TID "/v2.0\"]"}}},
    {.name = "a v2 token of the v1 issuer is refused",
     .reason = VALET_REASON_VERSION,
     .changes = {{"iss", "\"https://sts.windows.net/" TID "/\""}}},
    {.name = "a v1 token of the v2 issuer is refused",
     .reason = VALET_REASON_VERSION,
     .base = v1_user,
     .changes = {{"iss", "\"" HOST "/" TID "/v2.0\""}}},
    {.name = "a token without version is refused",
     .reason = VALET_REASON_VERSION,
     .changes = {{"ver", NULL}}},
    {.name = "a key of another tenant is refused",
     .reason = VALET_REASON_KEY_ISSUER,
     .header = "{\"alg\":\"RS256\",\"kid\":\"foreign\"}"},

    /* --- audience --- */
    {.name = "a token for Graph by its id is refused",
     .reason = VALET_REASON_GRAPH_AUDIENCE,
     .changes = {{"aud", "\"00000003-0000-0000-c000-000000000000\""}}},
    {.name = "a token for Graph by its address is refused",
     .reason = VALET_REASON_GRAPH_AUDIENCE,
     .base = v1_user,
     .changes = {{"aud", "\"https://graph.microsoft.com/\""}}},
    {.name = "a token for another API is refused",
     .reason = VALET_REASON_AUDIENCE,
     .changes = {{"aud", "\"" APP "\""}}},
    {.name = "an audience with a slash more is refused",
     .reason = VALET_REASON_AUDIENCE,
     .base = v1_user,
     .changes = {{"aud", "\"api://orders/\""}}},
    {.name = "an audience in capitals is refused",
     .reason = VALET_REASON_AUDIENCE,
     .base = v1_user,
     .changes = {{"aud", "\"API://orders\""}}},
    {.name = "no audience is refused",
     .reason = VALET_REASON_AUDIENCE,
     .changes = {{"aud", NULL}}},
    {.name = "an empty list of audiences is refused",
     .reason = VALET_REASON_AUDIENCE,
     .changes = {{"aud", "[]"}}},
    {.name = "an audience that is an object is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"aud", "{\"" API "\":true}"}}},
    {.name = "a list of audiences with a number in it is refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"aud", "[\"" API "\",1]"}}},

    /* --- times --- */
    {.name = "an expired token is refused",
     .reason = VALET_REASON_EXPIRED,
     .changes = {{"exp", "1799999700"}}},
    {.name = "a token that never expires is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", NULL}}},
    {.name = "a token that expires at null is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "null"}}},
    {.name = "an expiry in a string is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "\"1800003600\""}}},
    {.name = "an expiry with a fraction is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "1800003600.5"}}},
    {.name = "an expiry with an exponent is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "1e300"}}},
    {.name = "an expiry past the year 9999 is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "253402300800"}}},
    {.name = "the largest integer as expiry is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "9223372036854775807"}}},
    {.name = "a negative expiry is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"exp", "-1"}}},
    {.name = "a token from the future is refused",
     .reason = VALET_REASON_NOT_YET,
     .changes = {{"nbf", "1800000301"}}},
    {.name = "a token issued in the future is refused",
     .reason = VALET_REASON_NOT_YET,
     .changes = {{"iat", "1800000301"}}},
    {.name = "a beginning that is true is refused",
     .reason = VALET_REASON_BAD_TIME,
     .changes = {{"nbf", "true"}}},

    /* --- client, kind, permission: @spec W-89 --- */
    {.name = "a token of another client is refused",
     .reason = VALET_REASON_CLIENT,
     .changes = {{"azp", "\"" STRANGER "\""}}},
    {.name = "a v1 token of another client is refused",
     .reason = VALET_REASON_CLIENT,
     .base = v1_user,
     .changes = {{"appid", "\"" STRANGER "\""}}},
    {.name = "a v2 token's client is azp, whatever appid says",
     .reason = VALET_REASON_CLIENT,
     .changes = {{"azp", "\"" STRANGER "\""}, {"appid", "\"" APP "\""}}},
    {.name = "a v1 token's client is appid, whatever azp says",
     .reason = VALET_REASON_CLIENT,
     .base = v1_user,
     .changes = {{"appid", "\"" STRANGER "\""}, {"azp", "\"" APP "\""}}},
    {.name = "a token without client is refused",
     .reason = VALET_REASON_NO_CLIENT,
     .changes = {{"azp", NULL}}},
    {.name = "an id token is refused",
     .reason = VALET_REASON_ID_TOKEN,
     .changes = {{"azp", NULL}, {"scp", NULL}, {"nonce", "\"n\""}}},
    {.name = "an id token with roles is refused",
     .reason = VALET_REASON_ID_TOKEN,
     .base = v2_app,
     .changes = {{"azp", NULL}}},
    {.name = "a token with the hash of another is refused",
     .reason = VALET_REASON_ID_TOKEN,
     .changes = {{"at_hash", "\"x\""}}},
    {.name = "a token without subject is refused",
     .reason = VALET_REASON_NO_SUBJECT,
     .changes = {{"sub", NULL}}},
    {.name = "a token without object id is refused",
     .reason = VALET_REASON_NO_SUBJECT,
     .changes = {{"oid", NULL}}},
    {.name = "an object id that is no GUID is refused",
     .reason = VALET_REASON_NO_SUBJECT,
     .changes = {{"oid", "\"admin\""}}},
    {.name = "an application's token with a person's scopes is refused",
     .reason = VALET_REASON_KIND,
     .base = v2_app,
     .changes = {{"idtyp", "\"app\""}, {"scp", "\"Orders.Read\""}}},
    {.name = "a token without scopes that is not an application's is refused",
     .reason = VALET_REASON_KIND,
     .changes = {{"scp", NULL}}},
    {.name = "a token of an unknown kind is refused",
     .reason = VALET_REASON_KIND,
     .changes = {{"idtyp", "\"device\""}}},
    {.name = "an application without the role is refused",
     .reason = VALET_REASON_ROLE,
     .base = v2_app,
     .changes = {{"roles", "[\"Other\"]"}}},
    {.name = "an application without any role is refused",
     .reason = VALET_REASON_ROLE,
     .base = v2_app,
     .changes = {{"roles", NULL}}},
    {.name = "a person without the scope is refused",
     .reason = VALET_REASON_SCOPE,
     .changes = {{"scp", "\"Mail.Read\""}}},
    {.name = "a scope that only begins like ours is refused",
     .reason = VALET_REASON_SCOPE,
     .changes = {{"scp", "\"Orders.ReadX Orders\""}}},
    {.name = "scopes in a list of numbers are refused",
     .reason = VALET_REASON_BAD_CLAIMS,
     .changes = {{"scp", "[1]"}}},
    {.name = "a person's roles are no scopes",
     .reason = VALET_REASON_SCOPE,
     .changes = {{"scp", "\"x\""}, {"roles", "[\"Orders.Read\"]"}}},
};

/* --- the bench --- */

static struct issuer issuer;
static valet_validator *validator;

static void
publish_all(void)
{
    vl_auto(vl_buf) set = vl_buf_of(VL_LIMIT_DOCUMENT);
    static const struct {
        const char *kid, *members;
    } rsa[] = {
        {"rsa", "\"use\":\"sig\",\"issuer\":\"" HOST "/{tenantid}/v2.0\","},
        {"v1", "\"issuer\":\"https://sts.windows.net/{tenantid}/\","},
        {"ps", "\"alg\":\"PS256\","},
        {"rs", "\"alg\":\"RS256\","},
        {"foreign", "\"issuer\":\"" HOST "/" STRANGER "/v2.0\","},
        {"enc", "\"use\":\"enc\","},
    };
    vl_buf_addz(&set, "{\"keys\":[");
    for (size_t i = 0; i < VL_COUNT(rsa); i++) {
        add_jwk(&set, rsa_key, rsa[i].kid, rsa[i].members);
        vl_buf_addc(&set, ',');
    }
    add_jwk(&set, ec_key, "ec", "");
    vl_buf_addz(&set, "]}");
    issuer_write(&issuer, &issuer.keys, vl_buf_cstr(&set));
}

static int
open_bench(void **state)
{
    static const char *const tenants[] = {TID, TID2, NULL};
    static const char *const audiences[] = {API, "api://orders", NULL};
    static const char *const clients[] = {APP, NULL};
    static const char *const scopes[] = {"Orders.Read", NULL};
    static const char *const app_roles[] = {"Orders.Read.All", NULL};
    if (make_keys(state))
        return -1;
    issuer_open(&issuer);
    publish_all();
    validator = validator_of(&(valet_validator_options){
        .tenants = tenants,
        .audiences = audiences,
        .clients = clients,
        .scopes = scopes,
        .app_roles = app_roles,
        .jwks_uri = issuer.jwks_uri,
    });
    return 0;
}

static int
close_bench(void **state)
{
    valet_validator_free(validator);
    issuer_close(&issuer);
    return free_keys(state);
}

/* "HS256" with what everybody knows as the secret. */
static void
sign_by_hmac(struct vl_str header, struct vl_str claims, struct vl_buf *out)
{
    vl_auto(vl_buf) key = vl_buf_of(4096);
    unsigned char mac[VL_SHA256_SIZE];
    add_jwk(&key, rsa_key, "rsa", "");
    vl_auto(vl_secret) secret = vl_secret_of(vl_buf_str(&key));
    vl_enc_base64url(out, header);
    vl_buf_addc(out, '.');
    vl_enc_base64url(out, claims);
    vl_hmac_sha256(&secret, vl_buf_str(out), mac);
    vl_buf_addc(out, '.');
    vl_enc_base64url(out, vl_str_of(mac, sizeof mac));
}

static void
swap_claims(struct vl_str header, struct vl_str claims, struct vl_buf *out)
{
    vl_auto(vl_buf) other = vl_buf_of(20000);
    sign(rsa_key, false, header, VL_STR("{}"), &other);
    struct vl_str token = vl_buf_str(&other);
    size_t dot = token.n;
    while (token.p[dot - 1] != '.')
        dot--;
    vl_enc_base64url(out, header);
    vl_buf_addc(out, '.');
    vl_enc_base64url(out, claims);
    vl_buf_add(out, vl_str_from(token, dot - 1));
}

static void
make_token(const struct bad *bad, struct vl_buf *out)
{
    vl_auto(vl_buf) claims = vl_buf_of(20000);
    struct vl_str header = vl_str_z(bad->header ? bad->header : RS);
    if (bad->claims)
        vl_buf_addz(&claims, bad->claims);
    else
        write_members(&claims, bad->base ? bad->base : v2_user, bad->changes,
                      VL_COUNT(bad->changes));
    struct vl_str text = vl_buf_str(&claims);
    EVP_PKEY *keys[] = {[BY_RSA] = rsa_key,
                        [BY_PSS] = rsa_key,
                        [BY_EC] = ec_key,
                        [BY_OTHER] = other_rsa_key};
    if (bad->signer == BY_HMAC)
        sign_by_hmac(header, text, out);
    else if (bad->signer == SWAPPED)
        swap_claims(header, text, out);
    else if (bad->signer != EMPTY)
        sign(keys[bad->signer], bad->signer == BY_PSS, header, text, out);
    else {
        vl_enc_base64url(out, header);
        vl_buf_addc(out, '.');
        vl_enc_base64url(out, text);
        vl_buf_addc(out, '.');
    }
}

static void
is_judged(void **state)
{
    const struct bad *bad = *state;
    vl_auto(vl_buf) text = vl_buf_of(100000);
    valet_token token = {.inside = NULL};
    valet_error err = {0};
    make_token(bad, &text);
    struct vl_str guarded = vl_test_guarded(vl_buf_str(&text));
    valet_status status =
        valet_validate(validator, guarded.p, guarded.n, &token, &err);
    vl_test_unguard(guarded);
    assert_string_equal(valet_reason_name(valet_reason_of(&err)),
                        valet_reason_name(bad->reason));
    assert_int_equal(status, bad->reason == GOOD ? VALET_OK : VALET_DENIED);
    assert_int_equal(token.inside != NULL, bad->reason == GOOD);
    valet_token_done(&token);
}

int
main(void)
{
    struct CMUnitTest tests[VL_COUNT(corpus)];
    for (size_t i = 0; i < VL_COUNT(corpus); i++)
        tests[i] = (struct CMUnitTest){
            .name = corpus[i].name,
            .test_func = is_judged,
            .initial_state = (void *)(uintptr_t)&corpus[i],
        };
    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
