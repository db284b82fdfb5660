/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing an MCP server: tools, resources and prompts are registered once and
 * served to every client, over stdio, Streamable HTTP and HTTP+SSE, in every
 * revision of the protocol from 2024-11-05 to 2026-07-28, with sign-in or
 * without.
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
 *         .permission = VALET_MCP_ANY_CALLER,
 *         .call = hello,
 *     };
 *     status = valet_mcp_add_tool(server, &tool, &err);
 *     …
 *     status = valet_mcp_serve_stdio(server, &err);
 *
 * Protocol: Model Context Protocol 2024-11-05, 2025-03-26, 2025-06-18,
 * 2025-11-25, 2026-07-28 (modelcontextprotocol.io/specification).
 *
 * Threads: a server belongs to one thread, that which calls
 * valet_mcp_serve_…(); while it is served, all functions that take it are for
 * that thread, but valet_mcp_run() and valet_mcp_stop(), which may be called
 * from every one. Handlers run there one at a time, unless they ask for a
 * thread of their own (VALET_MCP_ON_THREAD). What is done with a call inside a
 * handler, or later, may be done on any thread, but on one at a time, and not
 * any more once it is finished.
 * All texts are UTF-8, NUL-terminated unless a size stands beside them.
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

/* --- a server --- */

/* Not ready to serve anything yet; `name` and `version` are told to clients,
 * and `instructions` (or NULL) are for the model. They are copied;
 * VALET_INVALID for one that is empty or not UTF-8. */
valet_status
valet_mcp_server_new(const char *name, const char *version,
                     const char *instructions, valet_mcp_server **ret,
                     valet_error *err) VALET_CHECK;
/* After what serves it has returned; waits for handlers on threads of their
 * own. A call that is not finished yet can still be, and has to. NULL is
 * fine. */
void valet_mcp_server_free(valet_mcp_server *server);

/* How many tools, resources or prompts one answer lists; 0, the default: all.
 * Before it is served. */
void valet_mcp_set_page_size(valet_mcp_server *server, size_t count);
/* For how long clients may keep a list or a description of the server (from
 * 2026-07-28 on); a minute, unless it is set. Before it is served. */
void valet_mcp_set_list_ttl(valet_mcp_server *server, int64_t ms);

/* What a caller needs who needs nothing but to reach the server. */
#define VALET_MCP_ANY_CALLER "*"

/* What whoever answers a request is like. */
enum {
    /* Runs on a thread of the server's, beside others and the server itself:
     * for work that waits or computes. There are 32, of which a person who has
     * signed in gets 8 at a time; more calls wait for one, and when they are
     * cancelled meanwhile they do not run. */
    VALET_MCP_ON_THREAD = 1,
    /* Of tools: clients that can wait for a task (the extension
     * io.modelcontextprotocol/tasks) are given one at once, and the result by
     * it. To all others the call just takes long. */
    VALET_MCP_AS_TASK = 2,
    /* The same, and other clients may not call it. */
    VALET_MCP_ONLY_AS_TASK = 4,
    /* Not at once, but with valet_mcp_begin_task(); alone, or beside one of the
     * two. */
    VALET_MCP_TASK_LATER = 8,
};

/*
 * Answers one request: by valet_mcp_finish(), valet_mcp_fail() or
 * valet_mcp_await() (valet_mcp_finish_completion() where it completes), at once
 * or later, exactly once: a program that goes on with a call that it has
 * finished is ended, where that can be seen. After five minutes, or an hour of
 * a task, nobody waits any more: the client is told, the call cancelled.
 */
typedef void valet_mcp_handler(valet_mcp_call *call, void *ctx);

/* What a tool does to the world; hints for people and clients (MCP tool
 * annotations), not permissions. */
enum {
    VALET_MCP_READ_ONLY = 1,
    VALET_MCP_DESTRUCTIVE = 2,
    VALET_MCP_IDEMPOTENT = 4,
    VALET_MCP_OPEN_WORLD = 8,
};

/*
 * One tool. Here as in all that is registered: texts and ctx are borrowed, and
 * outlive the server, or the removal and the calls that are at work then;
 * `permission` is the scope or role that a caller needs, never NULL; names are
 * 1 to 64 of A-Z a-z 0-9 _ - . and `title` is for people; what is left out is
 * NULL, not "".
 *
 * `call` runs with arguments that fit `input_schema`. Arguments that do not
 * fit are answered without it: by a result with "isError", which the model
 * reads (from 2025-11-25 on), or by the error -32602; either says where and
 * which keyword, and no values.
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
 * with a list. `format` and all other words are for the reader. A schema has at
 * most 256 kB; a check takes 200000 steps at most. Patterns need libpcre2-8,
 * which is loaded when the first one is met.
 *
 * A property of the input schema with "x-mcp-header" is sent as an HTTP header
 * by clients from 2026-07-28 on; what stands there has to be what stands in
 * the arguments.
 */
typedef struct valet_mcp_tool {
    const char *name;
    const char *title;
    const char *description;   /* for the model; never NULL */
    const char *input_schema;  /* JSON Schema of an object */
    const char *output_schema; /* of structured results; or NULL */
    const char *permission;
    unsigned hints; /* VALET_MCP_READ_ONLY … */
    unsigned flags; /* VALET_MCP_ON_THREAD … */
    valet_mcp_handler *call;
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_tool;

/* A thing to read, known by its URI. */
typedef struct valet_mcp_resource {
    const char *uri;
    const char *name;
    const char *title;
    const char *description;
    const char *mime_type;
    const char *permission;
    int64_t size; /* in bytes; 0: not known */
    unsigned flags;
    valet_mcp_handler *read;
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_resource;

/* Many things to read, whose URIs are alike: "note://{id}/text". Only simple
 * expressions (RFC 6570, level 1), which stand for one or more characters
 * without '/' (and not for "." or ".."); at most 16, with something between
 * two. A resource comes before templates that fit its URI, and they in their
 * order. */
typedef struct valet_mcp_template {
    const char *uri_template;
    const char *name;
    const char *title;
    const char *description;
    const char *mime_type;
    const char *permission;
    unsigned flags;
    valet_mcp_handler *read;     /* asks with valet_mcp_argument(); what is
                                  * there is percent-decoded, without '/' */
    valet_mcp_handler *complete; /* or NULL; see valet_mcp_completing() */
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_template;

typedef struct valet_mcp_prompt_argument {
    const char *name;
    const char *title;
    const char *description;
    bool is_required;
    void *later[4]; /* NULL: for members of later versions */
} valet_mcp_prompt_argument;

/* Messages to begin with, which a person chooses. */
typedef struct valet_mcp_prompt {
    const char *name;
    const char *title;
    const char *description;
    const valet_mcp_prompt_argument *arguments;
    size_t argument_count;
    const char *permission;
    unsigned flags;
    valet_mcp_handler *get;      /* asks with valet_mcp_argument() */
    valet_mcp_handler *complete; /* or NULL; see valet_mcp_completing() */
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_prompt;

/*
 * VALET_INVALID for a bad name or URI, a schema that says what cannot be
 * checked (the sentence names the keyword and where it is), or a missing
 * permission; VALET_CONFLICT for a name or URI that is taken; VALET_LIMIT for
 * more than 64 different permissions, those of what was removed among them.
 * Things are listed in the order in which they were added, to whom they are
 * permitted. While it is served, on the server's thread: clients that listen
 * are told.
 */
valet_status
valet_mcp_add_tool(valet_mcp_server *server, const valet_mcp_tool *tool,
                   valet_error *err) VALET_CHECK;
valet_status valet_mcp_add_resource(valet_mcp_server *server,
                                    const valet_mcp_resource *resource,
                                    valet_error *err) VALET_CHECK;
valet_status
valet_mcp_add_template(valet_mcp_server *server, const valet_mcp_template *tmpl,
                       valet_error *err) VALET_CHECK;
valet_status
valet_mcp_add_prompt(valet_mcp_server *server, const valet_mcp_prompt *prompt,
                     valet_error *err) VALET_CHECK;
/* False when there is none. Calls at work are not disturbed: what they borrow
 * has to live until they are finished. */
bool valet_mcp_remove_tool(valet_mcp_server *server, const char *name);
bool valet_mcp_remove_resource(valet_mcp_server *server, const char *uri);
bool
valet_mcp_remove_template(valet_mcp_server *server, const char *uri_template);
bool valet_mcp_remove_prompt(valet_mcp_server *server, const char *name);

/* Tells the clients that have subscribed to it that a resource has changed. */
void valet_mcp_resource_updated(valet_mcp_server *server, const char *uri);

/* --- serving it --- */

/*
 * To the one client at the other end of standard input and output, until it
 * closes them, SIGTERM or SIGINT comes, or valet_mcp_stop(). Nothing else may
 * write to standard output meanwhile. Whoever starts the program is the
 * caller: every permission is granted.
 *
 * All that serve return VALET_OK when they were ended. Calls at work are
 * cancelled then, over HTTP after ten seconds. A server is served in one way at
 * a time (VALET_CONFLICT), and may be served again.
 */
valet_status
valet_mcp_serve_stdio(valet_mcp_server *server, valet_error *err) VALET_CHECK;

typedef struct valet_mcp_address {
    const char *listen; /* "127.0.0.1:3000", "[::1]:0"; loopback alone */
    const char *path;   /* NULL: "/mcp" */
    /* Called once when clients may come; may be NULL. */
    void (*ready)(const char *url, void *ctx);
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_address;
/*
 * To everybody on this machine, over HTTP, without sign-in, until SIGTERM,
 * SIGINT or valet_mcp_stop(): for development, and for what stands behind
 * somebody who checks. VALET_DENIED for an address that others reach,
 * VALET_CONFLICT for a port that is taken, VALET_INVALID for what is neither.
 */
valet_status valet_mcp_serve_local_http(valet_mcp_server *server,
                                        const valet_mcp_address *address,
                                        valet_error *err) VALET_CHECK;

typedef struct valet_mcp_service {
    const char *config_file; /* as of `mcp-valet serve --config` */
    /* Called once when clients may come; may be NULL. */
    void (*ready)(const char *url, void *ctx);
    void *ctx;
    void *later[8]; /* NULL: for members of later versions */
} valet_mcp_service;
/*
 * To everybody who signs in with Entra ID: what `mcp-valet serve` does, with
 * this server at /mcp, until SIGTERM, SIGINT or valet_mcp_stop(). The audit
 * trail and the log are the program's standard error unless the configuration
 * says otherwise. `servers` of the configuration have to be left out, and
 * `workers` counts for nothing: there is one.
 *
 * A permission is a scope that a client asks for and its user approves.
 * VALET_MCP_ANY_CALLER and "mcp.tools.read" are everybody's who signs in, and
 * so is what `open_scopes` names; every other one is had by people with an app
 * role of its name in Entra ID. Only who has it sees the thing.
 */
valet_status valet_mcp_serve_signed_in(valet_mcp_server *server,
                                       const valet_mcp_service *service,
                                       valet_error *err) VALET_CHECK;

/* Ends what serves it, as a signal does; from any thread. Nothing happens when
 * it is not served, or is ending already. */
void valet_mcp_stop(valet_mcp_server *server);
/* Runs it on the server's thread, soon, from any thread: for what a server's
 * owner has to do there, such as adding a tool. False when it is not served:
 * then nothing runs. */
bool valet_mcp_run(valet_mcp_server *server, void (*run)(void *ctx), void *ctx);

/* --- inside a call; what is returned is borrowed until it is finished --- */

/* The arguments of a tool: a JSON object as text, which fits the input schema,
 * ends in NUL, and stands on one line. */
const char *valet_mcp_arguments(const valet_mcp_call *call, size_t *ret_size);
/* One of them that is a text, one argument of a prompt, or one variable of a
 * template; NULL when it was left out (or is something else). */
const char *valet_mcp_argument(const valet_mcp_call *call, const char *name);
/* One argument of a tool that is a number, or a whole one (5.0 is 5); false,
 * and *ret is as it was, when it was left out or is something else. True of
 * `true` alone. */
bool valet_mcp_argument_number(const valet_mcp_call *call, const char *name,
                               double *ret);
bool valet_mcp_argument_int(const valet_mcp_call *call, const char *name,
                            int64_t *ret);
bool valet_mcp_argument_is_true(const valet_mcp_call *call, const char *name);
/* The URI that is to be read; "" where nothing is. */
const char *valet_mcp_uri(const valet_mcp_call *call);
/* Of a completion: which argument or variable, and what stands there so far.
 * The others that are there already are valet_mcp_argument()s, unless the
 * client does not say them. */
const char *valet_mcp_completing(const valet_mcp_call *call);
const char *valet_mcp_completing_value(const valet_mcp_call *call);

/* Who asks: the user's tenant and object id, the client's id. "" without
 * sign-in. */
const char *valet_mcp_user_tid(const valet_mcp_call *call);
const char *valet_mcp_user_oid(const valet_mcp_call *call);
const char *valet_mcp_client_id(const valet_mcp_call *call);
/* An id for logs and errors that also stands in the audit trail. */
const char *valet_mcp_correlation_id(const valet_mcp_call *call);

/*
 * Tells the client how far the work is, if it asked to know (otherwise
 * nothing happens). `progress` must grow, or it is not told; `total` 0 is
 * unknown; `message` may be NULL. Of a task the message alone is told, to who
 * asks.
 */
void valet_mcp_progress(valet_mcp_call *call, double progress, double total,
                        const char *message);

/* RFC 5424, the least urgent first. */
enum valet_mcp_level {
    VALET_MCP_DEBUG,
    VALET_MCP_INFO,
    VALET_MCP_NOTICE,
    VALET_MCP_WARNING,
    VALET_MCP_ERROR,
    VALET_MCP_CRITICAL,
    VALET_MCP_ALERT,
    VALET_MCP_EMERGENCY,
};
/* Tells the client, if it wants to hear that level; no secrets and no
 * personal data. `logger` may be NULL. */
void valet_mcp_log(valet_mcp_call *call, enum valet_mcp_level level,
                   const char *logger, const char *text);

/* `on_cancel` is called once, on the server's thread, when nobody waits for
 * the result any more; the call still has to be finished (its result is then
 * dropped), there or by who is at work. When nobody waits already, it is
 * called before this returns: so it must not wait for the thread that has the
 * call. Only in this run: a call that waits for answers just ends. NULL:
 * nothing. */
void valet_mcp_on_cancel(valet_mcp_call *call,
                         void (*on_cancel)(valet_mcp_call *call, void *ctx),
                         void *ctx);
bool valet_mcp_is_cancelled(const valet_mcp_call *call);

/*
 * Ends the connection on which the client waits, which comes back for the
 * rest after `retry_ms`: for long silent work. Clients that cannot do that
 * (only those of 2025-11-25 over HTTP can) notice nothing.
 */
void valet_mcp_disconnect(valet_mcp_call *call, int64_t retry_ms);

/* --- asking back --- */

/*
 * Some clients can be asked in the middle of a call: for a form or a page to
 * be filled in by the person (elicitation), for a text of their model
 * (sampling), for the folders they work in (roots). How depends on the
 * revision; a handler does the same for all of them:
 *
 *     const char *answer = valet_mcp_elicit(call, "name", "Who are you?",
 *                                           schema);
 *     if (!answer) {
 *         valet_mcp_await(call);
 *         return;
 *     }
 *
 * Without an answer the question is only noted; valet_mcp_await() asks all
 * that were noted, and when the answers are there **the handler runs again
 * from its beginning**, perhaps in another process. So nothing that must
 * happen only once may stand before the last question, and what a handler
 * wants to know in its next run it keeps with valet_mcp_keep(). Whoever asks a
 * client that did not say that it can be asked this gets no answer: the call
 * ends with an error that says so (from 2026-07-28 on: -32021).
 *
 * The key names the question, 1 to 64 of A-Z a-z 0-9 _ - ; a call has at most
 * 16, of 256 kB each. Answers are JSON objects as text, and as untrusted as
 * arguments: of elicit {"action":"accept"|"decline"|"cancel","content":{…}} (an
 * accepted form that does not fit its schema is asked for again), of sample and
 * roots what MCP calls CreateMessageResult and ListRootsResult. Nobody has to
 * read that: valet_mcp_form_…(), valet_mcp_sampled_text() and
 * valet_mcp_root_uri() do.
 *
 * From 2026-07-28 on a client has ten minutes for each round, and together
 * answers and what is kept have to fit into about 48 kB; before, the call waits
 * on its stream as long as a call may take. A client may send answers before it
 * was asked: who has to know that it was keeps something. A completion cannot
 * ask.
 */
enum valet_mcp_ability {
    VALET_MCP_CAN_FILL_FORM = 1,
    VALET_MCP_CAN_OPEN_URL = 2,
    VALET_MCP_CAN_SAMPLE = 4,
    VALET_MCP_CAN_LIST_ROOTS = 8,
};
bool valet_mcp_can(const valet_mcp_call *call, enum valet_mcp_ability what);
/* `schema`: a flat JSON Schema, as MCP restricts it. Never for secrets. */
const char *valet_mcp_elicit(valet_mcp_call *call, const char *key,
                             const char *message, const char *schema);
/* For what must not pass the client, such as a secret. */
const char *valet_mcp_elicit_url(valet_mcp_call *call, const char *key,
                                 const char *message, const char *url);
/* A text, as one question of the user's, and at most how many tokens the answer
 * may have; or `params`: the JSON of MCP's CreateMessageRequestParams (with
 * `tools` only for clients that say sampling.tools). */
const char *valet_mcp_ask_model(valet_mcp_call *call, const char *key,
                                const char *question, int max_tokens);
const char *
valet_mcp_sample(valet_mcp_call *call, const char *key, const char *params);
const char *valet_mcp_list_roots(valet_mcp_call *call, const char *key);

/* Of an elicitation that is answered: was it accepted? */
bool valet_mcp_is_accepted(const valet_mcp_call *call, const char *key);
/* What stands in a form that was accepted, like arguments of a tool; NULL or
 * false when it was not, or is not there. */
const char *valet_mcp_form_text(const valet_mcp_call *call, const char *key,
                                const char *name);
bool valet_mcp_form_number(const valet_mcp_call *call, const char *key,
                           const char *name, double *ret);
bool valet_mcp_form_int(const valet_mcp_call *call, const char *key,
                        const char *name, int64_t *ret);
bool valet_mcp_form_is_true(const valet_mcp_call *call, const char *key,
                            const char *name);
/* The first text that a model has answered; NULL when there is none. */
const char *valet_mcp_sampled_text(const valet_mcp_call *call, const char *key);
/* The first root is 0; NULL after the last. */
const char *
valet_mcp_root_uri(const valet_mcp_call *call, const char *key, size_t index);

/* Asks. The call is gone for this run. At least one question has to be open,
 * or something kept. */
void valet_mcp_await(valet_mcp_call *call);
/* A text for the next run, at most 8 kB, which a client can neither read nor
 * change; and what was kept by the last one, or NULL. What is not kept again is
 * gone after the next run. */
void valet_mcp_keep(valet_mcp_call *call, const char *text);
const char *valet_mcp_kept(const valet_mcp_call *call);

/*
 * From here on the call is a task, if the client can wait for one and the tool
 * has VALET_MCP_TASK_LATER: where only some calls take long, or where something
 * has to be asked first, of whoever still waits. What is asked from here on is
 * asked by the task. Others notice nothing; nor is there anything to do for a
 * call that is a task already.
 */
void valet_mcp_begin_task(valet_mcp_call *call);

/* --- answering --- */

enum valet_mcp_kind {
    VALET_MCP_TEXT,
    VALET_MCP_IMAGE,
    VALET_MCP_AUDIO,
    VALET_MCP_EMBEDDED, /* a resource with what is in it */
    VALET_MCP_LINK,     /* a resource, by its URI */
};
enum valet_mcp_role { VALET_MCP_USER, VALET_MCP_ASSISTANT };

typedef struct valet_mcp_content {
    enum valet_mcp_kind kind;
    enum valet_mcp_role role; /* who says it, in prompts */
    const char *text;         /* TEXT; EMBEDDED unless there is `data` */
    const void *data;         /* IMAGE, AUDIO, EMBEDDED: bytes as they are */
    size_t size;              /* of data */
    const char *mime_type;
    const char *uri;  /* EMBEDDED (NULL: that which is read), LINK */
    const char *name; /* LINK */
    void *later[4];   /* NULL: for members of later versions */
} valet_mcp_content;

typedef struct valet_mcp_result {
    /* What a tool says, the messages of a prompt, what is in a resource (each
     * EMBEDDED, or TEXT for short). `text` alone is the same as one TEXT; both:
     * the text stands first. A tool that only gives `structured` says that. */
    const char *text;
    const valet_mcp_content *content;
    size_t content_count;
    /* Of tools: a JSON value (structuredContent), or NULL. One that does not
     * fit the output schema, or is missing where there is one, is replaced by
     * the error -32603, unless `is_error`. Clients before 2026-07-28 get none
     * but objects, those before 2025-06-18 none at all. */
    const char *structured;
    bool is_error; /* of tools: it failed; the text is safe to show */
    /* The user's sign-in has ended: the client is told to sign in again (HTTP
     * 401 with a challenge) where the transport still can. */
    bool login_required;
    /* Of resources: for how long clients may keep it (from 2026-07-28 on), and
     * whether it is the same for everybody (which is not believed of one that
     * needs another permission than VALET_MCP_ANY_CALLER). */
    int64_t ttl_ms;
    bool is_public;
    const char *description; /* of prompts; or NULL */
    void *later[8];          /* NULL: for members of later versions */
} valet_mcp_result;

/* Ends the call and frees it. Everything is copied; a result of more than 8 MB
 * is replaced by the error -32603. */
void valet_mcp_finish(valet_mcp_call *call, const valet_mcp_result *result);
/* The same of a completion: at most 100 values; `total` of how many, 0 if that
 * is not known. */
void
valet_mcp_finish_completion(valet_mcp_call *call, const char *const *values,
                            size_t count, size_t total);
/* The same with an error of the protocol, which no model reads: VALET_INVALID
 * and VALET_NOT_FOUND (a resource that is not there) blame the request,
 * everything else is internal. `message` is safe to show. */
void
valet_mcp_fail(valet_mcp_call *call, valet_status status, const char *message);

#ifdef __cplusplus
}
#endif
#endif
