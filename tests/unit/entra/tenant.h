/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider for Entra ID and a tenant for it to ask: real documents, real
 * keys and signatures, a clock that the test moves. And operations of the
 * provider, with what their callbacks were told.
 */
#ifndef VL_TEST_TENANT_H
#define VL_TEST_TENANT_H

#include "core/status.h"
#include "entra/entra.h"
#include "jose/jwt.h"
#include "peer.h"
#include "json/write.h"

#define TID       "aaaaaaaa-0000-4000-8000-000000000001"
#define OID       "bbbbbbbb-0000-4000-8000-000000000002"
#define OTHER     "cccccccc-0000-4000-8000-000000000003"
#define CLIENT    "dddddddd-0000-4000-8000-000000000004"
#define REDIRECT  "http://localhost:3001/auth/callback"
#define SCOPES    "openid profile offline_access User.Read"
#define SECRET    "the~secret/of=us"
#define DOCUMENT  "/" TID "/v2.0/.well-known/openid-configuration"
#define KEYS      "/" TID "/discovery/v2.0/keys"
#define TOKEN     "/" TID "/oauth2/v2.0/token"
#define DEVICE    "/" TID "/oauth2/v2.0/devicecode"
#define MINUTE_MS 60000

enum { PATIENCE_MS = 60000, START_S = 1800000000, RESULTS = 4 };

/* What a callback was told. */
struct result {
    struct bench *bench;
    int calls;
    valet_status status;
    valet_error err;
    char url[VL_LIMIT_TARGET];
    struct vl_user user;
    char name[64], username[64], access[64], refresh[64];
    int64_t expires_ms;
    bool free_provider; /* in the callback */
    struct result *begin_again;
};

struct signer {
    struct vl_pkey *key;
    struct vl_buf jwk, kid;
};

struct bench {
    struct vl_loop *loop;
    struct vl_timer *patience;
    struct vl_fetcher *fetcher;
    struct vl_clock clock;
    int64_t now_ms;
    struct peer peer;
    struct peer_route *document, *keys, *token;
    struct vl_buf document_text, keys_text, answer_text;
    struct vl_secret secret;
    struct vl_client_auth auth;
    struct vl_entra_config config;
    struct vl_entra *entra;
    struct vl_secret verifier;
    struct result results[RESULTS];
    int left; /* callbacks until the loop stops */
};

/* Making keys takes long, so all tests share three. */
static struct signer signers[3];

/* --- what the tenant says --- */

static inline void
write_document(struct bench *b, const char *tid)
{
    vl_buf_done(&b->document_text);
    b->document_text = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addf(&b->document_text,
                "{\"issuer\":\"%s/%s/v2.0\","
                "\"authorization_endpoint\":\"%s/%s/oauth2/v2.0/authorize\","
                "\"token_endpoint\":\"%s" TOKEN "\",\"jwks_uri\":\"%s" KEYS
                "\",\"device_authorization_endpoint\":\"%s" DEVICE "\"}",
                b->peer.origin, tid, b->peer.origin, tid, b->peer.origin,
                b->peer.origin, b->peer.origin);
    peer_reset(b->document);
    peer_say(b->document,
             (struct peer_answer){.status = 200,
                                  .body = vl_buf_cstr(&b->document_text)});
}

/* Publishes the key of one signer; the template names its issuer. */
static inline void
write_keys(struct bench *b, size_t signer)
{
    vl_buf_done(&b->keys_text);
    b->keys_text = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_buf_addz(&b->keys_text, "{\"keys\":[");
    vl_buf_add(&b->keys_text, vl_buf_str(&signers[signer].jwk));
    vl_buf_addz(&b->keys_text, "]}");
    b->keys->count = 0;
    peer_say(b->keys, (struct peer_answer){.status = 200,
                                           .body = vl_buf_cstr(&b->keys_text)});
}

struct identity {
    size_t signer;
    const char *nonce;
    const char *kid; /* NULL: the signer's */
    const char *tid; /* NULL: TID */
    const char *oid; /* NULL: OID */
};

static inline void
write_id_token(const struct bench *b, const struct identity *who,
               struct vl_buf *out)
{
    vl_auto(vl_buf) claims = vl_buf_of(VL_LIMIT_JWT), issuer = vl_buf_of(200);
    const struct signer *signer = &signers[who->signer];
    const char *tid = who->tid ? who->tid : TID;
    struct vl_json_out json = {&claims, false};
    vl_buf_addf(&issuer, "%s/%s/v2.0", b->peer.origin, tid);
    vl_json_open(&json, '{');
    vl_json_add_str(&json, "iss", vl_buf_str(&issuer));
    vl_json_add_z(&json, "aud", CLIENT);
    vl_json_add_z(&json, "tid", tid);
    vl_json_add_z(&json, "oid", who->oid ? who->oid : OID);
    vl_json_add_z(&json, "nonce", who->nonce);
    vl_json_add_int(&json, "exp", b->now_ms / 1000 + 3600);
    vl_json_add_int(&json, "nbf", b->now_ms / 1000);
    vl_json_add_z(&json, "name", "The User");
    vl_json_add_z(&json, "preferred_username", "user@contoso.example");
    vl_json_close(&json, '}');
    struct vl_str kid =
        who->kid ? vl_str_z(who->kid) : vl_buf_str(&signer->kid);
    assert_ok(vl_jwt_sign(signer->key, kid, vl_buf_str(&claims), out, NULL));
}

/* The token endpoint answers with tokens from now on. */
static inline void
issue(struct bench *b, const struct identity *who)
{
    vl_buf_done(&b->answer_text);
    b->answer_text = vl_buf_of(VL_LIMIT_FETCH_BODY);
    struct vl_json_out json = {&b->answer_text, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "token_type", "Bearer");
    vl_json_add_int(&json, "expires_in", 3600);
    vl_json_add_z(&json, "access_token", "upstream-access");
    vl_json_add_z(&json, "refresh_token", "upstream-refresh");
    if (who) {
        vl_auto(vl_buf) token = vl_buf_of(VL_LIMIT_JWT);
        write_id_token(b, who, &token);
        vl_json_add_str(&json, "id_token", vl_buf_str(&token));
    }
    vl_json_close(&json, '}');
    peer_reset(b->token);
    peer_say(b->token,
             (struct peer_answer){.status = 200,
                                  .body = vl_buf_cstr(&b->answer_text)});
}

/* The token endpoint answers so from now on. */
static inline void
refuse(struct bench *b, int status, const char *body, const char *retry_after)
{
    peer_reset(b->token);
    peer_say(b->token, (struct peer_answer){.status = status,
                                            .body = body,
                                            .retry_after = retry_after});
}

/* --- the bench --- */

static inline int64_t
read_clock(void *ctx)
{
    return *(int64_t *)ctx;
}

static inline void
out_of_patience(void *ctx)
{
    (void)ctx;
    fail_msg("nothing happens any more");
}

/* In place of the one there is. */
static inline void
make_provider(struct bench *b)
{
    vl_entra_free(b->entra);
    b->entra = vl_entra_new(b->loop, b->fetcher, &b->clock, &b->config);
}

static inline int
open_bench(void **state)
{
    struct bench *b = vl_alloc(sizeof *b);
    assert_ok(vl_loop_new(&b->loop, NULL));
    b->patience = vl_timer_new(b->loop, out_of_patience, NULL);
    vl_timer_start(b->patience, PATIENCE_MS);
    b->fetcher = vl_fetcher_new(b->loop);
    b->now_ms = (int64_t)START_S * 1000;
    b->clock = (struct vl_clock){read_clock, &b->now_ms};
    peer_open(&b->peer, b->loop);
    b->document = peer_add(&b->peer, DOCUMENT);
    b->keys = peer_add(&b->peer, KEYS);
    b->token = peer_add(&b->peer, TOKEN);
    b->secret = vl_secret_of(VL_STR(SECRET));
    b->verifier = vl_secret_of(VL_STR("our-verifier"));
    b->auth =
        (struct vl_client_auth){.kind = VL_AUTH_SECRET, .secret = &b->secret};
    b->config = (struct vl_entra_config){
        .authority_host = b->peer.origin,
        .tenant_id = TID,
        .client_id = CLIENT,
        .auth = &b->auth,
        .redirect_uri = REDIRECT,
        .scopes = SCOPES,
    };
    for (size_t i = 0; i < RESULTS; i++)
        b->results[i].bench = b;
    write_document(b, TID);
    write_keys(b, 0);
    make_provider(b);
    *state = b;
    return 0;
}

static inline int
close_bench(void **state)
{
    struct bench *b = *state;
    vl_entra_free(b->entra);
    vl_fetcher_free(b->fetcher);
    peer_close(&b->peer);
    vl_buf_done(&b->document_text);
    vl_buf_done(&b->keys_text);
    vl_buf_done(&b->answer_text);
    vl_secret_done(&b->secret);
    vl_secret_done(&b->verifier);
    vl_timer_free(b->patience);
    vl_loop_free(b->loop);
    free(b);
    return 0;
}

static inline int
make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(signers); i++) {
        struct signer *s = &signers[i];
        vl_auto(vl_buf) der = vl_buf_of(VL_LIMIT_DOCUMENT);
        s->jwk = vl_buf_of(VL_LIMIT_DOCUMENT);
        s->kid = vl_buf_of(64);
        assert_ok(vl_pkey_new_rsa(2048, &s->key, NULL));
        assert_ok(vl_pkey_self_signed(s->key, "tenant", &der, NULL));
        /* The last signs for another tenant. */
        assert_ok(vl_jwk_publish(
            s->key, vl_buf_str(&der),
            i == 2 ? VL_STR("https://login.example/" OTHER "/v2.0")
                   : (struct vl_str){NULL, 0},
            &s->jwk, &s->kid, NULL));
    }
    return 0;
}

static inline int
free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < VL_COUNT(signers); i++) {
        vl_pkey_free(signers[i].key);
        vl_buf_done(&signers[i].jwk);
        vl_buf_done(&signers[i].kid);
    }
    return 0;
}

/* --- operations and their callbacks --- */

static inline void begin(struct bench *b, struct result *r);

static inline void
came(struct result *r, valet_status status, const valet_error *err)
{
    struct bench *b = r->bench;
    r->calls++;
    r->status = status;
    assert_true((status == VALET_OK) == (err == NULL));
    if (err) {
        assert_int_equal(err->status, status);
        assert_true(err->message[0] != '\0');
        assert_null(strstr(err->message, SECRET));
        r->err = *err;
    }
    if (r->begin_again)
        begin(b, r->begin_again);
    if (r->free_provider) {
        vl_entra_free(b->entra);
        b->entra = NULL;
    }
    if (--b->left == 0)
        vl_loop_stop(b->loop);
}

static inline void
copy(char *to, size_t size, struct vl_str from)
{
    assert_true(from.n < size);
    if (from.n)
        memcpy(to, from.p, from.n);
    to[from.n] = '\0';
}

static inline void
begun(valet_status status, struct vl_str url, const valet_error *err, void *ctx)
{
    struct result *r = ctx;
    copy(r->url, sizeof r->url, url);
    assert_true((status == VALET_OK) == (url.n > 0));
    came(r, status, err);
}

static inline void
copy_tokens(struct result *r, const struct vl_idp_tokens *tokens)
{
    copy(r->access, sizeof r->access, vl_secret_reveal(&tokens->access.secret));
    copy(r->refresh, sizeof r->refresh,
         vl_secret_reveal(&tokens->refresh.secret));
    r->expires_ms = tokens->expires_ms;
}

static inline void
redeemed(valet_status status, const struct vl_idp_person *person,
         struct vl_idp_tokens *tokens, const valet_error *err, void *ctx)
{
    struct result *r = ctx;
    /* Without a person there are no tokens. */
    assert_true((status == VALET_OK) == (person != NULL));
    assert_true((status == VALET_OK) == (tokens != NULL));
    if (person) {
        r->user = person->user;
        copy(r->name, sizeof r->name, person->name);
        copy(r->username, sizeof r->username, person->username);
        copy_tokens(r, tokens);
    }
    came(r, status, err);
}

static inline void
refreshed(valet_status status, struct vl_idp_tokens *tokens,
          const valet_error *err, void *ctx)
{
    struct result *r = ctx;
    assert_true((status == VALET_OK) == (tokens != NULL));
    if (tokens) {
        copy_tokens(r, tokens);
        /* Moving out of them is allowed. */
        struct vl_idp_tokens mine = *tokens;
        *tokens = (struct vl_idp_tokens){.expires_ms = 0};
        vl_idp_tokens_done(&mine);
    }
    came(r, status, err);
}

static inline void
begin(struct bench *b, struct result *r)
{
    struct vl_idp *idp = vl_entra_idp(b->entra);
    struct vl_idp_begin in = {VL_STR("our-state"), VL_STR("our-nonce"),
                              VL_STR("our-challenge")};
    int calls = r->calls;
    b->left++;
    idp->ops->begin(idp, &in, begun, r);
    assert_int_equal(r->calls, calls); /* not before it has returned */
}

static inline void
redeem(struct bench *b, struct result *r, struct vl_str code)
{
    struct vl_idp *idp = vl_entra_idp(b->entra);
    struct vl_idp_redeem in = {code, &b->verifier, VL_STR("our-nonce")};
    int calls = r->calls;
    b->left++;
    idp->ops->redeem(idp, &in, redeemed, r);
    assert_int_equal(r->calls, calls);
}

static inline void
refresh(struct bench *b, struct result *r)
{
    struct vl_idp *idp = vl_entra_idp(b->entra);
    struct vl_upstream_token token = {vl_secret_of(VL_STR("old-refresh"))};
    int calls = r->calls;
    b->left++;
    idp->ops->refresh(idp, &token, refreshed, r);
    vl_secret_done(&token.secret);
    assert_int_equal(r->calls, calls);
}

static inline void
run(struct bench *b)
{
    vl_loop_run(b->loop);
    assert_int_equal(b->left, 0);
}

static inline const struct result *
after_begin(struct bench *b)
{
    b->results[0].calls = 0;
    begin(b, &b->results[0]);
    run(b);
    assert_int_equal(b->results[0].calls, 1);
    return &b->results[0];
}

static inline const struct result *
after_redeem(struct bench *b)
{
    b->results[0].calls = 0;
    redeem(b, &b->results[0], VL_STR("a code+/="));
    run(b);
    assert_int_equal(b->results[0].calls, 1);
    return &b->results[0];
}

static inline const struct result *
after_refresh(struct bench *b)
{
    b->results[0].calls = 0;
    refresh(b, &b->results[0]);
    run(b);
    assert_int_equal(b->results[0].calls, 1);
    return &b->results[0];
}

static const struct identity someone = {.nonce = "our-nonce"};

#define AT_BENCH(test)                                                         \
    cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

#endif
