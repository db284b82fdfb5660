/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing an MCP server: tools are registered once and served to every client
 * that has signed in.
 *
 *     static void
 *     hello(valet_mcp_call *call, void *ctx)
 *     {
 *         (void)ctx;
 *         valet_mcp_finish(call, &(valet_mcp_result){.text = "Hello"});
 *     }
 *
 *     static const valet_mcp_tool tool = {
 *         .name = "hello",
 *         .description = "Says hello.",
 *         .input_schema = "{\"type\":\"object\"}",
 *         .permission = "mcp.tools.read",
 *         .call = hello,
 *     };
 *     status = valet_mcp_add_tool(server, &tool, &err);
 *
 * Protocol: Model Context Protocol 2025-03-26, 2025-06-18, 2025-11-25
 * (modelcontextprotocol.io/specification). Everything here belongs to the
 * thread that runs the server's loop.
 */
#ifndef VALET_MCP_H
#define VALET_MCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "valet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_mcp_server valet_mcp_server;
typedef struct vl_mcp_call valet_mcp_call;

/* What a tool does to the world; hints for people and clients (MCP tool
 * annotations), not permissions. */
enum {
    VALET_MCP_READ_ONLY = 1,
    VALET_MCP_DESTRUCTIVE = 2,
    VALET_MCP_IDEMPOTENT = 4,
    VALET_MCP_OPEN_WORLD = 8,
};

/*
 * One tool. Texts and ctx are borrowed and outlive the server. `call` runs for
 * each tools/call of a client that holds `permission`, with arguments that fit
 * `input_schema`; it answers by valet_mcp_finish(), at once or later, exactly
 * once. Arguments that do not fit are answered without it: by a result with
 * "isError", which the model reads (from 2025-11-25 on), or by the error
 * -32602; either says where and which keyword, and no values.
 *
 * Schemas are JSON Schema 2020-12 (without "$schema", or with that of 2020-12
 * or draft-07), type, enum, const, the bounds of numbers, strings, arrays and
 * objects, pattern, properties, patternProperties, required,
 * additionalProperties, propertyNames, items, prefixItems, contains,
 * uniqueItems, dependentRequired, dependentSchemas, allOf, anyOf, oneOf, not,
 * if/then/else, and $ref within the schema. Words that demand what is not
 * checked here are refused when the tool is added: what is no regular
 * expression of ECMA-262, or one that refers to a group that may come more than
 * once, unevaluatedProperties, unevaluatedItems, $dynamicRef, $recursiveRef, a
 * $ref elsewhere, an $id below the top, additionalItems, dependencies, items
 * with a list. `format` and all other words are for the reader. A check takes
 * 200000 steps at most. Patterns need libpcre2-8, which is loaded when the
 * first one is met.
 */
typedef struct valet_mcp_tool {
    const char *name;          /* 1 to 64 of A-Z a-z 0-9 _ - . */
    const char *title;         /* for people; may be NULL */
    const char *description;   /* for the model */
    const char *input_schema;  /* JSON Schema of an object */
    const char *output_schema; /* of structuredContent; may be NULL */
    unsigned hints;            /* VALET_MCP_READ_ONLY … */
    const char *permission;    /* scope the caller needs; never NULL */
    void (*call)(valet_mcp_call *call, void *ctx);
    void *ctx;
} valet_mcp_tool;

/* An empty server; `name` and `version` are told to clients. */
valet_status
valet_mcp_server_new(const char *name, const char *version,
                     const char *instructions, valet_mcp_server **ret,
                     valet_error *err) VALET_CHECK;
/* After the transport that serves it has ended. NULL is fine. */
void valet_mcp_server_free(valet_mcp_server *server);
/*
 * VALET_INVALID for a bad name, a schema that is no JSON object with
 * "type":"object" or says what cannot be checked (the sentence names the
 * keyword and where it is), or a tool without a permission; VALET_CONFLICT for
 * a name that is taken. Tools are listed in the order they were added.
 */
valet_status
valet_mcp_add_tool(valet_mcp_server *server, const valet_mcp_tool *tool,
                   valet_error *err) VALET_CHECK;

/* --- inside a call; everything returned is borrowed until the finish --- */

/* The arguments: a JSON object as text, which fits the input schema. */
const char *valet_mcp_arguments(const valet_mcp_call *call, size_t *ret_size);
/* Who asks: the user's tenant and object id, the client's id. */
const char *valet_mcp_user_tid(const valet_mcp_call *call);
const char *valet_mcp_user_oid(const valet_mcp_call *call);
const char *valet_mcp_client_id(const valet_mcp_call *call);
/* An id for logs and errors that also stands in the audit trail. */
const char *valet_mcp_correlation_id(const valet_mcp_call *call);

/*
 * Tells the client how far the work is, if it asked to know (otherwise
 * nothing happens). `progress` must grow; `total` 0 is unknown; `message` may
 * be NULL.
 */
void valet_mcp_progress(valet_mcp_call *call, double progress, double total,
                        const char *message);
/* `on_cancel` is called once when the client takes the request back; the call
 * still has to be finished (its result is then dropped). */
void valet_mcp_on_cancel(valet_mcp_call *call,
                         void (*on_cancel)(valet_mcp_call *call, void *ctx),
                         void *ctx);
bool valet_mcp_is_cancelled(const valet_mcp_call *call);

typedef struct valet_mcp_result {
    const char *text; /* readable text, UTF-8; never NULL */
    /* A JSON object (structuredContent), or NULL. Unless `is_error`, one that
     * does not fit the output schema is replaced by the error -32603. */
    const char *structured;
    bool is_error; /* the tool failed; `text` is safe to show */
    /* The user's sign-in has ended: the client is told to sign in again (HTTP
     * 401 with a challenge) where the transport still can. */
    bool login_required;
} valet_mcp_result;

/* Ends the call and frees it. Texts are copied. */
void valet_mcp_finish(valet_mcp_call *call, const valet_mcp_result *result);

#ifdef __cplusplus
}
#endif
#endif
