/* SPDX-License-Identifier: Apache-2.0
 *
 * The four trust domains, as four types that cannot be assigned to each other
 * (@spec S-10): the MCP client, the user, the token we issued, the token that
 * Entra issued to us. Handing an upstream token to an MCP client is thereby a
 * compile error, not a review finding.
 */
#ifndef VL_CORE_PRINCIPAL_H
#define VL_CORE_PRINCIPAL_H

#include "core/secret.h"

#define VL_CLIENT_ID_SIZE  256
#define VL_SCOPES_SIZE     512
#define VL_SESSION_ID_SIZE 44
#define VL_GUID_SIZE       37

/* The program that asks: an MCP client's id. */
struct vl_client_id {
    char text[VL_CLIENT_ID_SIZE];
};

/* The person it asks for: tenant and object id, which never change (@spec
 * S-62). Names are not identity and live elsewhere. */
struct vl_user {
    char tid[VL_GUID_SIZE];
    char oid[VL_GUID_SIZE];
};

/* A token of ours: for MCP clients, worthless anywhere else. */
struct vl_issued_token {
    struct vl_secret secret;
};

/* A token of Entra's: for us, never for an MCP client (@spec RS-18 S-13). */
struct vl_upstream_token {
    struct vl_secret secret;
};

/*
 * What a verified bearer token proves. Made by issuer/ alone; everybody else
 * reads it. The session id names the token family in the store; it is not a
 * secret and not a login.
 */
struct vl_principal {
    struct vl_client_id client;
    struct vl_user user;
    char session[VL_SESSION_ID_SIZE];
    char scopes[VL_SCOPES_SIZE]; /* granted to this token, space-separated */
    int64_t expires_ms;          /* of the access token */
};

/* Is it 8-4-4-4-12 hexadecimal digits? */
bool vl_guid_is_valid(struct vl_str text);

/* Same user, same client, same token family? */
bool
vl_principal_same(const struct vl_principal *a, const struct vl_principal *b);

#endif
