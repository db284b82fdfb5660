/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the issuer itself, and the request that
 * walks through it.
 *
 * A request asks the store, or the provider, and goes on in a callback: each
 * step is a small function, and the struct carries what the steps know. It is
 * on the issuer's list as long as it lives. When the issuer goes first, the
 * exchange is answered 503. If the store is being asked, the struct then waits,
 * alone, for its answer: the store works on memory of ours until then. If the
 * provider is, the struct goes at once, and its secrets with it: the provider
 * was freed before the issuer and calls nobody back (issuer.h).
 */
#ifndef VL_ISSUER_DESK_H
#define VL_ISSUER_DESK_H

#include "core/list.h"
#include "core/map.h"
#include "guard/limit.h"
#include "http/peer.h"
#include "http/url.h"
#include "issuer/issuer.h"
#include "issuer/record.h"
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

struct vl_desk_document; /* documents.c */

struct vl_issuer {
    struct vl_issuer_deps deps;
    const struct vl_issuer_config *config;
    struct vl_token_keys keys;
    struct vl_str base; /* path of the issuer's URL, usually empty */
    bool is_secure;     /* https: cookies get Secure and __Host- */
    struct vl_list ops;
    struct vl_limiter *requests, *refusals, *flows, *flows_of_address,
        *registrations;
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

/* --- operations (op.c) --- */

#define VL_OP_BATCHES 16
#define VL_OP_VALUES  48

struct vl_op {
    struct vl_list node;
    struct vl_issuer *issuer;          /* NULL: it is gone, be silent */
    bool is_upstream;                  /* the provider owes it a call */
    void (*next)(struct vl_op *op);    /* after the store's answer */
    void (*orphan)(struct vl_op *op);  /* the issuer goes; may be NULL */
    void (*release)(struct vl_op *op); /* frees what contains this op */
    struct vl_store_batch *batches[VL_OP_BATCHES]; /* asked so far */
    size_t batch_count;
    struct vl_buf values[VL_OP_VALUES]; /* what was written, wiped at the end */
    size_t value_count;
    struct vl_arena arena; /* parameters, keys and the like; not the exchange's,
                              which ends with the answer; wiped at the end */
};

void vl_op_init(struct vl_op *op, struct vl_issuer *issuer,
                void (*release)(struct vl_op *op));
/* Off the list, batches and values freed, then `release`. */
void vl_op_end(struct vl_op *op);
/* Right before the provider is asked, and first of all when it answers. */
void vl_op_go_upstream(struct vl_op *op);
void vl_op_come_back(struct vl_op *op);
/* The issuer goes: silences all that is under way. */
void vl_op_orphan_all(struct vl_issuer *issuer);

/* The batch of the next question. It lives as long as the op. */
struct vl_store_batch *vl_op_ask(struct vl_op *op);
/* Goes on in `next` when the store has answered; at once if the batch has no
 * steps. */
void vl_op_submit(struct vl_op *op, void (*next)(struct vl_op *op));
/* The last batch, answered. */
struct vl_store_batch *vl_op_answer(const struct vl_op *op);
/*
 * What step `i` of the last batch found. NOT_FOUND; DENIED: a record of the
 * batch does not open or is none; RETRY: the store cannot say (@spec S-70).
 */
valet_status
vl_op_read(const struct vl_op *op, size_t i, const struct vl_record_type *type,
           void *ret) VALET_CHECK;
/* Text that lives as long as the op. */
struct vl_str vl_op_keep(struct vl_op *op, struct vl_str text);
/* A secret buffer that lives as long as the op. */
struct vl_buf *vl_op_value(struct vl_op *op);
/* PUT of a record. */
struct vl_store_op *
vl_op_put(struct vl_op *op, enum vl_section section, struct vl_str key,
          const struct vl_record_type *type, const void *record);

/* --- requests (request.c) --- */

/* What /token gives. */
struct vl_token_answer {
    struct vl_str access, refresh, scopes;
    int64_t expires_ms;
};

struct vl_req {
    struct vl_op op;
    struct vl_exchange *x; /* NULL once answered */
    const struct vl_http_request *in;
    bool is_page; /* people see the answer; else programs */
    struct vl_params params;
    char peer[64];
    char correlation[VL_UUID_SIZE];

    /* Known so far, for the audit too: */
    struct vl_client_id client_id;
    bool client_known; /* the id is a client's, not only what somebody sent */
    struct vl_user user;
    char session_id[VL_SESSION_ID_SIZE];

    const struct vl_issuer_client *preregistered; /* or */
    struct vl_client client;
    int64_t client_version;
    size_t client_step; /* of the batch that asks for it */

    struct vl_flow flow;
    struct vl_code code;
    struct vl_refresh refresh;
    struct vl_access access;
    struct vl_session session;
    int64_t code_version, refresh_version, session_version;
    struct vl_token_id id; /* of the code or refresh token at hand */
    struct vl_token_family family;
    struct vl_token_id family_id;

    /* A sign-in on its way to the provider and back: */
    char state[VL_HANDLE_SIZE], nonce[VL_HANDLE_SIZE], proof[VL_HANDLE_SIZE];
    char cookie[9];
    struct vl_secret verifier;
    struct vl_idp_tokens tokens;
    struct vl_str name, username;
    char browser[VL_HANDLE_SIZE];
    struct vl_buf *code_text; /* the code we issue */
    struct vl_token_answer answer;
    struct vl_str provider_url;
    struct vl_str scopes_known;   /* of a registration */
    const char *application_type; /* of a registration, or NULL */
    unsigned tries;
};

struct vl_req *
vl_req_new(struct vl_issuer *issuer, struct vl_exchange *x, bool is_page);
static inline struct vl_req *
vl_req_of(struct vl_op *op)
{
    return VL_CONTAINER(op, struct vl_req, op);
}

/* Reads the form of a POST; false: answered. */
bool vl_req_read_form(struct vl_req *req);
struct vl_str vl_req_param(const struct vl_req *req, const char *name);
/* The id of a client that exists: from here on it stands in the audit. */
void vl_req_set_client_id(struct vl_req *req, struct vl_str id);
void vl_req_set_user(struct vl_req *req, struct vl_str tid, struct vl_str oid);
void vl_req_set_session(struct vl_req *req, struct vl_str id);
void vl_req_set_correlation(struct vl_req *req, struct vl_str correlation);
/* `reason` NULL: it went well. */
void vl_req_audit(const struct vl_req *req, enum vl_audit_kind kind,
                  const char *reason);

/* Each of these answers and ends the request. */
void vl_req_page_error(struct vl_req *req, int status, const char *title,
                       const char *advice);
void vl_req_json_error(struct vl_req *req, int status, const char *error,
                       const char *description);
/* The store, or the provider, cannot be asked: 503, and nothing is allowed. */
void vl_req_unavailable(struct vl_req *req);
/* 302 to the client with its answer, and the flow's cookie taken back. */
void vl_req_redirect(struct vl_req *req, struct vl_str code, const char *error,
                     const char *description);
/* Without answering again. */
void vl_req_end(struct vl_req *req);

/* --- cookies (cookie.c): handles alone (@spec W-50 W-51 SB-04) --- */

/* The browser's handle, or {NULL,0}. */
struct vl_str vl_cookie_browser(const struct vl_req *req);
void vl_cookie_set_browser(struct vl_req *req, struct vl_reply *reply);
/* The proof of one approved flow; `suffix` is 8 hexadecimal digits. */
struct vl_str vl_cookie_flow(const struct vl_req *req, struct vl_str suffix);
void vl_cookie_set_flow(struct vl_req *req, struct vl_reply *reply);
void vl_cookie_clear_flow(struct vl_req *req, struct vl_str suffix,
                          struct vl_reply *reply);

/* --- clients (clients.c) --- */

/* Adds the look-up to the batch unless the client is a pre-registered one.
 * False: this cannot be an id (@spec W-64). */
bool vl_client_ask(struct vl_req *req, struct vl_store_batch *batch,
                   struct vl_str id) VALET_CHECK;
/* As vl_op_read(); from the last batch. */
valet_status vl_client_read(struct vl_req *req) VALET_CHECK;
struct vl_str vl_client_name(const struct vl_req *req);
/* Is `uri` one of its redirect URIs? (@spec AS-18 W-52) */
bool vl_client_may_redirect(const struct vl_req *req, struct vl_str uri);
/* Adds the renewal of its registration to the batch, if it is due. */
void vl_client_renew(struct vl_req *req);

/* --- token families (sessions.c) --- */

/* A fresh id; ids sort by their birth. */
void
vl_session_new_id(const struct vl_issuer *issuer, char ret[VL_SESSION_ID_SIZE]);
struct vl_str
vl_session_owner(struct vl_op *op, struct vl_str tid, struct vl_str oid);
struct vl_store_op *vl_session_put(struct vl_op *op, struct vl_str id,
                                   const struct vl_session *session);
/* Adds the steps that end a family to the batch. */
void vl_session_end_steps(struct vl_op *op, struct vl_str id);
/* After they took effect (or may have): tells this worker. */
void vl_session_ended(struct vl_issuer *issuer, const char *id);
/* Ends a family, then goes on in `next`. */
void vl_req_end_session(struct vl_req *req, void (*next)(struct vl_op *op));
/* Ends families of the user past the cap, the oldest first; nobody waits. */
void vl_session_trim(struct vl_issuer *issuer, const struct vl_user *user);

/* --- the endpoints --- */

void vl_desk_authorize(struct vl_req *req);
void vl_desk_consent(struct vl_req *req);
void vl_desk_callback(struct vl_req *req);
void vl_desk_token(struct vl_req *req);
void vl_desk_revoke(struct vl_req *req);
void vl_desk_register(struct vl_req *req);

/* A proof for the consent form that it is of this browser and this flow. */
struct vl_token_id vl_consent_csrf(const struct vl_issuer *issuer,
                                   struct vl_str browser, struct vl_str flow);
/* callback.c → grant.c: the person has signed in; issues the code. */
void vl_callback_issue(struct vl_req *req);

/* token.c's parts. */
void vl_token_by_code(struct vl_req *req);
void vl_token_by_refresh(struct vl_req *req);
/* Did it bring a secret? Then it is answered 401. */
bool vl_token_refuses_secret(struct vl_req *req);
/* 400 invalid_grant with an audit line. */
void vl_token_refuse(struct vl_req *req, enum vl_audit_kind kind,
                     const char *reason);
/* Adds the access token to the batch; its text is in the returned buffer. */
struct vl_buf *vl_token_add_access(struct vl_req *req, struct vl_str scopes,
                                   int64_t *ret_expires_ms);
/* Adds the family's record with a fresh refresh token. */
struct vl_buf *vl_token_add_refresh(struct vl_req *req, struct vl_str scopes,
                                    int64_t if_version);
/* Moves the idle limit of the session on, within the batch. */
void vl_token_touch_session(struct vl_req *req);
void vl_token_reply(struct vl_req *req, const struct vl_token_answer *answer);

/* --- documents (documents.c) --- */

void vl_documents_init(struct vl_issuer *issuer);
void vl_documents_done(struct vl_issuer *issuer);
bool vl_documents_owns(const struct vl_issuer *issuer, struct vl_str path);
void vl_documents_reply(struct vl_issuer *issuer, struct vl_exchange *x);

/* --- verdicts (verdict.c), leases (upstream.c) --- */

struct vl_verdicts *vl_verdicts_new(struct vl_issuer *issuer);
void vl_verdicts_free(struct vl_verdicts *verdicts);
size_t vl_verdicts_count(const struct vl_verdicts *verdicts);
/* Forgets what is known of a family's tokens. */
void vl_verdicts_forget(struct vl_verdicts *verdicts, const char *session);
struct vl_leases *vl_leases_new(struct vl_issuer *issuer);
void vl_leases_free(struct vl_leases *leases);

/* For the audit: the provider's own code (such as AADSTS7000215) if it gave
 * one, else our word for what happened. */
const char *vl_provider_reason(const valet_error *err, const char *otherwise);

#endif
