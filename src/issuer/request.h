/* SPDX-License-Identifier: Apache-2.0
 *
 * A request at the desk on its way through the endpoints' steps: each step is
 * a small function, and the struct carries what the steps know. When the
 * issuer goes first, the exchange is answered 503.
 */
#ifndef VL_ISSUER_REQUEST_H
#define VL_ISSUER_REQUEST_H

#include "http/url.h"
#include "issuer/op.h"

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

#endif
