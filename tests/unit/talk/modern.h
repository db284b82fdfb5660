/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of 2026-07-28 at the desk: every request says who speaks how, in
 * its body and in its headers. Each of the two may be bent by a test.
 */
#ifndef VL_TEST_MCP_MODERN_H
#define VL_TEST_MCP_MODERN_H

#include "desk.h"
#include "json/write.h"

#define META_VERSION   "io.modelcontextprotocol/protocolVersion"
#define META_ABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_LEVEL     "io.modelcontextprotocol/logLevel"
#define META_SERVER    "io.modelcontextprotocol/serverInfo"
#define META_LISTEN    "io.modelcontextprotocol/subscriptionId"
#define KNOWS_TASKS    "{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"
#define CAN_ALL                                                                \
    "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},\"roots\":{}}"
#define CAN_ALL_AND_TASKS                                                      \
    "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},\"roots\":{},"  \
    "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"
/* What every result has. */
#define WHOSE                                                                  \
    "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"desk\","    \
    "\"version\":\"1.0\"}}"
/* An error as it stands on the wire. */
#define REFUSED(id, code, why)                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code             \
    ",\"message\":\"" why "\"}}"

struct modern {
    struct desk *desk;
    const struct vl_principal *principal;
    const char *accept;    /* NULL: none */
    const char *abilities; /* JSON; NULL: left out */
    const char *inside;    /* the version in the body; NULL: left out */
    const char *meta;      /* more of "_meta", with a comma before it */
    const char *version;   /* the headers; NULL: left out */
    const char *method;    /* "": that of the request */
    const char *name;
    const char *extra[8]; /* more headers: name, value, … */
};

static inline struct modern
modern_of(struct desk *desk, const struct vl_principal *principal)
{
    return (struct modern){.desk = desk,
                           .principal = principal,
                           .accept = BOTH,
                           .abilities = "{}",
                           .inside = "2026-07-28",
                           .meta = "",
                           .version = "2026-07-28",
                           .method = ""};
}

static inline void
add_meta(struct vl_buf *body, const struct modern *m)
{
    struct vl_json_out out = {body, false};
    vl_buf_addz(body, "\"_meta\":{");
    if (m->inside)
        vl_json_add_z(&out, META_VERSION, m->inside);
    if (m->abilities)
        vl_json_add_raw(&out, META_ABILITIES, vl_str_z(m->abilities));
    vl_buf_addz(body, m->meta);
    vl_buf_addc(body, '}');
}

/* `id` NULL: a notification. `params`: members without braces. */
static inline void
write_modern(struct vl_buf *body, const struct modern *m, const char *id,
             const char *method, const char *params)
{
    vl_buf_addz(body, "{\"jsonrpc\":\"2.0\",");
    if (id) {
        vl_buf_addz(body, "\"id\":");
        vl_buf_addz(body, id);
        vl_buf_addc(body, ',');
    }
    vl_buf_addz(body, "\"method\":\"");
    vl_buf_addz(body, method);
    vl_buf_addz(body, "\",\"params\":{");
    vl_buf_addz(body, params);
    if (*params)
        vl_buf_addc(body, ',');
    add_meta(body, m);
    vl_buf_addz(body, "}}");
}

static inline void
post_modern(const struct modern *m, const char *method, const char *body,
            struct fake_answer *answer)
{
    const char *headers[32] = {"Content-Type", "application/json"};
    const char *all[][2] = {
        {"Accept", m->accept},
        {"MCP-Protocol-Version", m->version},
        {"Mcp-Method", m->method && !*m->method ? method : m->method},
        {"Mcp-Name", m->name},
    };
    size_t n = 2;
    for (size_t i = 0; i < VL_COUNT(all); i++)
        if (all[i][1]) {
            headers[n++] = all[i][0];
            headers[n++] = all[i][1];
        }
    for (size_t i = 0; i < VL_COUNT(m->extra) && m->extra[i]; i++)
        headers[n++] = m->extra[i];
    vl_mcp_endpoint_handle(
        m->desk->endpoint,
        fake_exchange(answer, "POST", headers, vl_str_z(body)), m->principal);
}

static inline void
send_modern(const struct modern *m, const char *id, const char *method,
            const char *params, struct fake_answer *answer)
{
    vl_auto(vl_buf) body = vl_buf_of(1 << 21);
    write_modern(&body, m, id, method, params);
    post_modern(m, method, vl_buf_cstr(&body), answer);
}

static inline void
expect_modern(const struct modern *m, const char *id, const char *method,
              const char *params, int status, const char *wanted)
{
    struct fake_answer answer;
    send_modern(m, id, method, params, &answer);
    assert_true(answer.finished);
    assert_string_equal(vl_buf_cstr(&answer.body), wanted);
    assert_int_equal(answer.status, status);
    fake_answer_done(&answer);
}

/* tools/call of a tool, with more members of the parameters. */
static inline void
call_modern(const struct modern *m, const char *id, const char *tool,
            const char *more, struct fake_answer *answer)
{
    struct modern named = *m;
    vl_auto(vl_buf) params = vl_buf_of(1 << 21);
    vl_buf_addz(&params, "\"name\":\"");
    vl_buf_addz(&params, tool);
    vl_buf_addz(&params, "\"");
    vl_buf_addz(&params, more);
    named.name = tool;
    send_modern(&named, id, "tools/call", vl_buf_cstr(&params), answer);
}

/* --- what came back --- */

static inline const char *
body_of(const struct fake_answer *answer)
{
    return vl_buf_cstr((struct vl_buf *)(uintptr_t)&answer->body);
}

/* The data of the next event, without its line; {NULL,0}: there is none. */
static inline struct vl_str
next_event(const struct fake_answer *answer, size_t *at)
{
    const char *body = body_of(answer);
    const char *begin = strstr(body + *at, "data: ");
    if (!begin)
        return (struct vl_str){NULL, 0};
    begin += 6;
    const char *end = strchr(begin, '\n');
    assert_non_null(end);
    *at = (size_t)(end - body);
    return vl_str_of(begin, (size_t)(end - begin));
}

static inline void
expect_event(const struct fake_answer *answer, size_t *at, const char *wanted)
{
    struct vl_str event = next_event(answer, at);
    assert_non_null(event.p);
    assert_str(event, wanted);
}

static inline bool
has(const struct fake_answer *answer, const char *text)
{
    return strstr(body_of(answer), text) != NULL;
}

/* The result in a JSON answer, or in the last event of a stream; borrowed from
 * `doc`. */
static inline const struct json_t *
read_result(const struct fake_answer *answer, struct vl_json *doc)
{
    struct vl_str text = vl_buf_str(&answer->body), event;
    size_t at = 0;
    while (answer->streaming && (event = next_event(answer, &at)).p)
        text = event;
    assert_ok(vl_json_parse(text, 32, doc, NULL));
    const struct json_t *result = vl_json_get(doc->root, "result");
    assert_non_null(result);
    return result;
}

#endif
