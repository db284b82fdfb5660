/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of the token desk and their text in the store: a first line with
 * type and version, then `name=LENGTH:VALUE` lines. One table per type gives
 * writing and reading. Reading is strict: a record that is of another type,
 * has an unknown, doubled or missing field, or one byte too many is no record
 * (@spec W-49): a yes is never read out of something odd.
 *
 * Texts are slices: of what was read, or of what the writer put in.
 */
#ifndef VL_ISSUER_RECORD_H
#define VL_ISSUER_RECORD_H

#include "core/buf.h"
#include "core/limits.h"

/* A registered client. */
struct vl_client {
    struct vl_str name;
    struct vl_str redirects; /* each ended by '\n' */
    int64_t created_ms, expires_ms;
};

/* A sign-in under way: first by the handle in the consent page, then, once
 * approved, by the state that went to the provider. */
struct vl_flow {
    struct vl_str client, redirect, challenge, resource, scopes, correlation;
    struct vl_str state;   /* the client's; {NULL,0} when it sent none */
    struct vl_str browser; /* keyed hash of the browser's handle */
    bool approved;
    /* Only once approved: */
    struct vl_str nonce, verifier;
    struct vl_str cookie; /* what makes the cookie's name unique */
    struct vl_str proof;  /* keyed hash of its value */
};

/* A one-time code. */
struct vl_code {
    struct vl_str session, client, redirect, challenge, resource, scopes,
        correlation;
    int64_t expires_ms;
    bool used;
};

/* A token family: who signed in with which client, and what Entra gave us. */
struct vl_session {
    struct vl_str client, tid, oid, name, username, resource, scopes;
    struct vl_str access, refresh; /* Entra's tokens: secrets */
    int64_t access_expires_ms;
    int64_t renewed_ms; /* last refresh at Entra, or 0 */
    int64_t created_ms;
    int64_t ends_ms; /* whatever happens */
    int64_t idle_ms; /* unless the client comes before */
};

struct vl_access {
    struct vl_str session, client, tid, oid, resource, scopes;
    int64_t expires_ms;
};

/* One per family: which refresh token is the current one. */
struct vl_refresh {
    struct vl_str session, client, resource, scopes;
    struct vl_str current; /* keyed hash */
    int64_t expires_ms;
};

/* What a user allowed a client (@spec SB-02 W-50). */
struct vl_grant {
    struct vl_str client, redirect, resource, scopes, username;
    int64_t created_ms;
};

enum vl_field_kind { VL_FIELD_TEXT, VL_FIELD_INT, VL_FIELD_FLAG };

struct vl_field {
    const char *name;
    size_t offset;
    enum vl_field_kind kind;
    bool required;
};

struct vl_record_type {
    const char *name;
    size_t size;
    const struct vl_field *fields;
    size_t count;
};

extern const struct vl_record_type vl_record_client, vl_record_flow,
    vl_record_code, vl_record_session, vl_record_access, vl_record_refresh,
    vl_record_grant;

/* Appends; a full buffer shows in vl_buf_check(). */
void vl_record_write(struct vl_buf *out, const struct vl_record_type *type,
                     const void *record);
/* `ret` is a struct of the type; VALET_INVALID for anything odd. */
valet_status
vl_record_read(struct vl_str text, const struct vl_record_type *type, void *ret,
               valet_error *err) VALET_CHECK;

#endif
