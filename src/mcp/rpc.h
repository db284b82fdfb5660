/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON-RPC 2.0 as MCP narrows it: what kind of message a JSON value is, and
 * the frames of answers. It knows no methods.
 */
#ifndef VL_MCP_RPC_H
#define VL_MCP_RPC_H

#include "json/view.h"
#include "json/write.h"

enum vl_rpc_code {
    VL_RPC_PARSE_ERROR = -32700,
    VL_RPC_INVALID_REQUEST = -32600,
    VL_RPC_NO_METHOD = -32601,
    VL_RPC_INVALID_PARAMS = -32602,
    VL_RPC_INTERNAL = -32603,
    /* Of the range that servers define themselves. */
    VL_RPC_REFUSED = -32000,
    VL_RPC_NO_SESSION = -32001,  /* as the official SDKs have it */
    VL_RPC_NO_RESOURCE = -32002, /* up to 2025-11-25 */
    VL_RPC_NOT_PERMITTED = -32003,
    /* Of the range that MCP defines, from 2026-07-28 on (@spec HT-73). */
    VL_RPC_HEADER_MISMATCH = -32020,
    VL_RPC_MISSING_ABILITY = -32021,
    VL_RPC_NO_VERSION = -32022,
};

/* @spec HT-73: what servers define themselves is nothing that a client of
 * 2026-07-28 gets to see. */
static inline enum vl_rpc_code
vl_rpc_code_for(bool is_modern, enum vl_rpc_code code)
{
    if (!is_modern || code < -32019 || code > -32000)
        return code;
    return code == VL_RPC_NO_RESOURCE ? VL_RPC_INVALID_PARAMS : VL_RPC_INTERNAL;
}

/* A longer id is nobody's; it would be kept as long as its call. */
#define VL_RPC_ID_MAX 1024

enum vl_rpc_kind { VL_RPC_REQUEST, VL_RPC_NOTIFICATION, VL_RPC_RESPONSE };

/* An id to be sent back: a value of a document, or JSON text. Neither of them
 * stands for null; a text that is empty, for none. */
struct vl_rpc_id {
    const struct json_t *value;
    struct vl_str text;
};
#define VL_RPC_NULL_ID ((struct vl_rpc_id){NULL, {NULL, 0}})
#define VL_RPC_NO_ID   ((struct vl_rpc_id){NULL, {"", 0}})

/* Borrowed from the document or text. */
struct vl_rpc_message {
    enum vl_rpc_kind kind;
    struct vl_rpc_id id;         /* requests; of responses it may be null */
    struct vl_str method;        /* requests and notifications */
    struct vl_json_view params;  /* of any kind, or absent */
    struct vl_json_view meta;    /* their _meta */
    struct vl_rpc_body *body;    /* of scanned messages */
    const struct json_t *result; /* responses: this, */
    const struct json_t *error;  /* or that: an object with code and message */
};

/* Values that are noted; what a message has more, it has as text. */
#define VL_RPC_NODES 96

/*
 * What a message was read into, and what was made of it when somebody asked.
 * The nodes are written before they are read.
 */
struct vl_rpc_body {
    struct vl_json doc;    /* the whole, unless it was scanned */
    struct vl_json params; /* documents, once they are needed */
    struct vl_json arguments;
    struct vl_json_node nodes[VL_RPC_NODES];
};
void vl_rpc_body_init(struct vl_rpc_body *body);
void vl_rpc_body_done(struct vl_rpc_body *body);

/* VALET_INVALID (an "Invalid Request") unless it is exactly one of the three
 * kinds: version "2.0", an id that is a string or an integer. */
valet_status vl_rpc_read(const struct json_t *value, struct vl_rpc_message *ret,
                         valet_error *err) VALET_CHECK;
/*
 * The same for most requests and notifications, without allocating: their
 * parameters are left where they stand, to be looked at as nodes (which may
 * not be plain). False for everything else and for what is wrong: then parse
 * the whole.
 */
bool vl_rpc_scan(struct vl_str text, struct vl_rpc_body *body,
                 struct vl_rpc_message *ret) VALET_CHECK;
/* The same, for the functions below: what is not plain is read. */
bool vl_rpc_read_quickly(struct vl_str text, struct vl_rpc_body *body,
                         struct vl_rpc_message *ret) VALET_CHECK;

/* One of the parameters; its name ends in NUL. */
struct vl_json_view
vl_rpc_param(const struct vl_rpc_message *message, struct vl_str name);
struct vl_str
vl_rpc_param_str(const struct vl_rpc_message *message, struct vl_str name);
/* All parameters, or the one called "arguments", as a document: borrowed from
 * the message. NULL when there are none. */
const struct json_t *vl_rpc_params(const struct vl_rpc_message *message);
const struct json_t *vl_rpc_arguments(const struct vl_rpc_message *message);
/* The same, without a document where they are plain. */
struct vl_json_view vl_rpc_view_arguments(const struct vl_rpc_message *message);

/* Is it a string or integer that may be an id (or a progress token)? */
bool vl_rpc_is_id(const struct json_t *value);
/* The same of a value that may be text still. */
bool vl_rpc_id_read(struct vl_json_view value, struct vl_rpc_id *ret);
/* The id of whatever it is, for an error about it; null when unreadable. */
struct vl_rpc_id vl_rpc_find_id(const struct json_t *value);
/* @spec HT-05: the same id; but one that could not be read is null for JSON-RPC
 * and the older revisions of MCP, and left out since 2025-11-25. */
struct vl_rpc_id vl_rpc_id_told(struct vl_rpc_id id, bool is_of_2025_11_25);
/* Just the id. */
void vl_rpc_write_id(struct vl_buf *buf, struct vl_rpc_id id);

/*
 * `{"jsonrpc":"2.0","id":…` with the id exactly as it came. The caller adds
 * "result" or an error, and closes the object.
 */
void vl_rpc_open_answer(struct vl_json_out *out, struct vl_rpc_id id);
/* The same with an id that is JSON text already. */
void vl_rpc_open_answer_raw(struct vl_json_out *out, struct vl_str id);
void vl_rpc_add_error(struct vl_json_out *out, enum vl_rpc_code code,
                      const char *message);
/* The same with "data", which is JSON. */
void vl_rpc_add_error_data(struct vl_json_out *out, enum vl_rpc_code code,
                           const char *message, struct vl_str data);
/* Just the object, under `key` or on its own. */
void vl_rpc_write_error_object(struct vl_json_out *out, const char *key,
                               enum vl_rpc_code code, const char *message,
                               struct vl_str data);
/* `{"jsonrpc":"2.0","method":…` of a notification; the caller adds "params"
 * and closes the object. */
void vl_rpc_open_notification(struct vl_json_out *out, const char *method);
/* A whole error. */
void vl_rpc_write_error(struct vl_buf *buf, struct vl_rpc_id id,
                        enum vl_rpc_code code, const char *message);

#endif
