/* SPDX-License-Identifier: Apache-2.0
 *
 * What the endpoints of the desk share beside a request: token families, the
 * parts of /token, documents, verdicts and leases.
 */
#ifndef VL_ISSUER_DESK_H
#define VL_ISSUER_DESK_H

#include "issuer/request.h"

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
/* After the steps that ended a family because its code or refresh token came
 * twice: refuses, and says so if the store could not end it. */
void vl_token_family_ended(struct vl_req *req, enum vl_audit_kind kind,
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

/* --- resources (resources.c) --- */

/* The resource that a client means by this URL; NULL when it is none of ours.
 * One of the configuration's strings, so they compare as pointers. */
const char *
vl_desk_find_resource(const struct vl_issuer *issuer, struct vl_str name);
/* Does the request name another resource than the one a grant is bound to? */
bool vl_req_wants_other_resource(const struct vl_req *req, struct vl_str bound);

/* --- scopes (scopes.c) --- */

/* May clients ask for it? `issuer` is the struct vl_issuer: for
 * vl_scope_filter(). */
bool vl_desk_knows_scope(struct vl_str scope, const void *issuer);
/* Of what the person has approved: what the person has. */
void
vl_req_keep_scopes_of(struct vl_req *req, const struct vl_idp_person *person);

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
