/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway over a real socket: who gets past Host, Origin and the bearer
 * check, and what those see who do not. Nothing here needs Entra.
 */
#include "core/sys.h"
#include "gateway/gateway.h"
#include "gateway/private.h"
#include "io/stream.h"
#include "issuer/record.h"
#include "issuer/token_format.h"
#include "vl_test.h"

static const char config[] =
    "listen: \"localhost:0\"\n"
    "entra:\n"
    "  tenant_id: 11111111-1111-1111-1111-111111111111\n"
    "  client_id: 22222222-2222-2222-2222-222222222222\n"
    "  client_secret_env: SECRET\n"
    "  authority_host: http://127.0.0.1:9\n"
    "  graph_url: http://127.0.0.1:9\n"
    "servers:\n"
    "  graph:\n"
    "    builtin: graph\n"
    "allowed_origins: [\"https://inspector.example\"]\n";

static const char *
environment(const char *name)
{
    return strcmp(name, "SECRET") == 0 ? "not-a-secret-of-anybody" : NULL;
}

struct rig {
    struct vl_loop *loop;
    struct vl_conf *conf;
    struct vl_log log;
    struct vl_gateway *gateway;
    unsigned port;
    struct vl_stream *stream;
    struct vl_str request;
    struct vl_buf answer;
    bool over;
};

static int
set_up(void **state)
{
    struct rig *rig = vl_alloc(sizeof *rig);
    struct vl_gateway_options options = {.in_memory = true};
    uint64_t port;
    rig->log = (struct vl_log){2, VL_LOG_ERROR, false};
    rig->answer = vl_buf_of(1 << 20);
    assert_ok(
        vl_conf_parse("test", vl_str_z(config), environment, &rig->conf, NULL));
    assert_ok(vl_loop_new(&rig->loop, NULL));
    options.conf = rig->conf;
    options.log = &rig->log;
    assert_ok(vl_gateway_new(rig->loop, &options, &rig->gateway, NULL));
    const char *colon = strrchr(vl_gateway_url(rig->gateway), ':');
    assert_true(vl_str_u64(vl_str_z(colon + 1), 65535, &port));
    rig->port = (unsigned)port;
    *state = rig;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *rig = *state;
    vl_gateway_free(rig->gateway);
    vl_loop_free(rig->loop);
    vl_conf_free(rig->conf);
    vl_buf_done(&rig->answer);
    free(rig);
    return 0;
}

static void
on_read(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    vl_buf_add(&rig->answer, bytes);
}

static void
on_end(valet_status status, void *ctx)
{
    struct rig *rig = ctx;
    (void)status;
    rig->over = true;
}

static const struct vl_stream_events events = {on_read, on_end, NULL};

static void
on_connect(struct vl_stream *stream, void *ctx)
{
    struct rig *rig = ctx;
    assert_non_null(stream);
    rig->stream = stream;
    vl_stream_attach(stream, &events, rig);
    vl_stream_write(stream, rig->request);
}

/* Sends one request; the answer stands in rig->answer. `headers` are lines;
 * "@" in them stands for our port. */
static int
ask(struct rig *rig, const char *line, const char *headers)
{
    vl_auto(vl_buf) text = vl_buf_of(1 << 16);
    uint64_t status;
    vl_buf_addf(&text, "%s HTTP/1.1\r\n", line);
    for (const char *p = headers; *p; p++)
        if (*p == '@')
            vl_buf_addu(&text, rig->port);
        else
            vl_buf_addc(&text, *p);
    vl_buf_addz(&text, "Connection: close\r\n\r\n");
    vl_buf_clear(&rig->answer);
    rig->over = false;
    rig->request = vl_buf_str(&text);
    assert_ok(vl_stream_connect(rig->loop, "127.0.0.1", rig->port, on_connect,
                                rig, NULL, NULL));
    int64_t give_up = vl_mono_now() + 10000;
    while (!rig->over) {
        assert_true(vl_mono_now() < give_up);
        vl_loop_step(rig->loop);
    }
    vl_stream_close(rig->stream);
    struct vl_str answer = vl_buf_str(&rig->answer);
    assert_true(answer.n > 12);
    assert_true(
        vl_str_u64(vl_str_head(vl_str_from(answer, 9), 3), 999, &status));
    return (int)status;
}

static bool
says(struct rig *rig, const char *text)
{
    return strstr(vl_buf_cstr(&rig->answer), text) != NULL;
}

#define OURS "Host: localhost:@\r\n"

/* @spec RS-04 RS-08 RS-09 S-11 */
static void
no_token_gets_a_challenge_without_an_error(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(ask(rig, "POST /mcp", OURS), 401);
    assert_true(says(rig, "WWW-Authenticate: Bearer realm=\"mcp-valet\", "
                          "scope=\"mcp.tools.read\", resource_metadata=\""));
    assert_true(says(rig, "/.well-known/oauth-protected-resource/mcp\""));
    assert_false(says(rig, "error=\""));
}

/* @spec S-01 RS-19 */
static void
every_method_and_path_of_the_resource_needs_a_token(void **state)
{
    static const char *const methods[] = {"GET",   "POST",    "PUT", "DELETE",
                                          "PATCH", "OPTIONS", "HEAD"};
    static const char *const paths[] = {"/mcp", "/mcp/", "/graph/mcp",
                                        "/graph/mcp/"};
    struct rig *rig = *state;
    for (size_t m = 0; m < VL_COUNT(methods); m++)
        for (size_t p = 0; p < VL_COUNT(paths); p++) {
            char line[64];
            (void)snprintf(line, sizeof line, "%s %s", methods[m], paths[p]);
            assert_int_equal(ask(rig, line, OURS), 401);
        }
}

/* @spec W-55 W-56: Date and id aside, the bytes are the same whatever is wrong.
 */
static void
all_bad_tokens_get_the_same_answer(void **state)
{
    static const char *const credentials[] = {
        "Authorization: Bearer x\r\n",
        "Authorization: bearer mvat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic dXNlcjpwYXNz\r\n",
        "Authorization: Bearer a b\r\n",
        "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n",
        "Authorization: Bearer x\r\nAuthorization: Bearer x\r\n",
    };
    struct rig *rig = *state;
    vl_auto(vl_buf) first = vl_buf_of(1 << 16);
    for (size_t i = 0; i < VL_COUNT(credentials); i++) {
        vl_auto(vl_buf) headers = vl_buf_of(1024);
        vl_buf_addf(&headers, OURS "%s", credentials[i]);
        assert_int_equal(ask(rig, "POST /mcp", vl_buf_cstr(&headers)), 401);
        assert_true(says(rig, "error=\"invalid_token\""));
        /* What follows the two that differ: Date and the correlation id. */
        const char *id =
            strstr(vl_buf_cstr(&rig->answer), "\r\nX-Correlation-Id: ");
        assert_non_null(id);
        assert_true(says(rig, "\r\nDate: "));
        struct vl_str rest = vl_str_z(strchr(id + 2, '\n'));
        if (i == 0)
            vl_buf_add(&first, rest);
        assert_true(vl_str_eq(rest, vl_buf_str(&first)));
    }
}

/* @spec W-22 SB-14: chain 10, DNS rebinding */
static void
foreign_hosts_are_refused(void **state)
{
    static const char *const hosts[] = {
        "Host: evil.example\r\n", "Host: localhost\r\n",
        "Host: localhost:1\r\n", "Host: localhost.evil.example:@\r\n",
        "Host: 127.0.0.2:@\r\n"};
    struct rig *rig = *state;
    for (size_t i = 0; i < VL_COUNT(hosts); i++) {
        assert_int_equal(ask(rig, "POST /mcp", hosts[i]), 403);
        assert_false(says(rig, "WWW-Authenticate"));
    }
    assert_int_equal(ask(rig, "POST /mcp", "Host: 127.0.0.1:@\r\n"), 401);
    assert_int_equal(ask(rig, "POST /mcp", "Host: LOCALHOST:@\r\n"), 401);
}

/* @spec HT-01 HT-02 */
static void
foreign_origins_are_refused_and_ours_are_not(void **state)
{
    static const struct {
        const char *origin;
        int status;
    } table[] = {
        {"Origin: https://evil.example\r\n", 403},
        {"Origin: null\r\n", 403},
        {"Origin: null\r\nSec-Fetch-Site: cross-site\r\n", 403},
        {"Origin: https://localhost.evil.example\r\n", 403},
        {"Origin: http://localhost:@\r\nOrigin: https://evil.example\r\n", 403},
        {"Origin: http://localhost:@\r\n", 401},
        {"Origin: http://localhost:6274\r\n", 401},
        {"Origin: https://inspector.example\r\n", 401},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < VL_COUNT(table); i++) {
        vl_auto(vl_buf) headers = vl_buf_of(1024);
        vl_buf_addf(&headers, OURS "%s", table[i].origin);
        assert_int_equal(ask(rig, "POST /mcp", vl_buf_cstr(&headers)),
                         table[i].status);
        assert_int_equal(says(rig, "Access-Control-Allow-Origin"),
                         table[i].status == 401);
    }
}

/* @spec RS-04: the one thing before the token, and only for allowed pages */
static void
preflight_is_answered_without_a_token(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(ask(rig, "OPTIONS /mcp",
                         OURS "Origin: https://inspector.example\r\n"
                              "Access-Control-Request-Method: POST\r\n"),
                     204);
    assert_true(says(rig, "Access-Control-Allow-Origin: "
                          "https://inspector.example\r\n"));
    assert_true(says(rig, "authorization"));
    assert_int_equal(ask(rig, "OPTIONS /mcp",
                         OURS "Origin: https://evil.example\r\n"
                              "Access-Control-Request-Method: POST\r\n"),
                     403);
}

/* @spec S-84 */
static void
a_browser_gets_a_page_with_the_challenge(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(ask(rig, "GET /mcp", OURS "Accept: text/html\r\n"), 401);
    assert_true(says(rig, "WWW-Authenticate: Bearer"));
    assert_true(says(rig, "Content-Type: text/html"));
    assert_true(says(rig, "Content-Security-Policy:"));
}

static void
unknown_paths_are_not_found_and_say_nothing(void **state)
{
    static const char *const lines[] = {"GET /nowhere", "POST /mcp2",
                                        "GET /mcp/x", "GET /admin",
                                        "GET /.well-known/nothing"};
    struct rig *rig = *state;
    for (size_t i = 0; i < VL_COUNT(lines); i++)
        assert_int_equal(ask(rig, lines[i], OURS), 404);
    assert_int_equal(ask(rig, "GET /", OURS), 200);
}

/* @spec RS-06 AS-04: the same documents wherever clients look */
static void
metadata_is_public_and_names_the_resource(void **state)
{
    static const char *const lines[] = {
        "GET /.well-known/oauth-protected-resource",
        "GET /.well-known/oauth-protected-resource/mcp",
        "GET /.well-known/oauth-authorization-server",
        "GET /.well-known/oauth-authorization-server/mcp",
        "GET /.well-known/openid-configuration",
        "GET /.well-known/openid-configuration/mcp"};
    struct rig *rig = *state;
    for (size_t i = 0; i < VL_COUNT(lines); i++) {
        assert_int_equal(ask(rig, lines[i], OURS), 200);
        assert_true(says(rig, i < 2 ? "/mcp\"" : "\"issuer\""));
    }
}

/* Strangers do not fill the memory: only who brings a token of ours may send
 * a message of full size. */
static void
large_bodies_are_not_read_from_strangers(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(ask(rig, "POST /mcp", OURS "Content-Length: 1000000\r\n"),
                     413);
    assert_int_equal(ask(rig, "POST /mcp",
                         OURS "Authorization: Bearer mvat_AAAA\r\n"
                              "Content-Length: 1000000\r\n"),
                     413);
}

static void
stored(struct vl_store_batch *batch)
{
    *(bool *)batch->ctx = batch->status == VALET_OK;
    vl_store_batch_free(batch);
}

/* Puts an access token with these scopes into the store, as the desk does. */
static void
put_token(struct rig *rig, const char *scopes, struct vl_buf *ret_text)
{
    struct vl_gateway *gateway = rig->gateway;
    struct vl_token_keys keys;
    struct vl_token_id id;
    struct vl_access access = {
        .session = VL_STR("000"),
        .client = VL_STR("an-agent"),
        .tid = VL_STR("11111111-1111-1111-1111-111111111111"),
        .oid = VL_STR("33333333-3333-3333-3333-333333333333"),
        .resource = vl_str_z(gateway->resources[0].url),
        .scopes = vl_str_z(scopes),
        .expires_ms = vl_clock_now(&vl_clock_system) + 60000};
    vl_auto(vl_buf) record = vl_buf_of(4096);
    bool done = false;
    vl_token_keys_init(&keys, gateway->ring);
    vl_token_mint(&keys, VL_TOKEN_ACCESS, NULL, ret_text, &id);
    vl_record_write(&record, &vl_record_access, &access);
    struct vl_store_batch *batch = vl_store_batch_new(stored, &done);
    struct vl_store_op *op =
        vl_store_add(batch, VL_STORE_PUT, VL_STORE_ACCESS, vl_str_z(id.text));
    op->value = vl_buf_str(&record);
    op->expires_ms = access.expires_ms;
    vl_store_submit(gateway->store, rig->loop, batch);
    for (int i = 0; i < 10000 && !done; i++)
        vl_loop_step(rig->loop);
    assert_true(done);
    vl_token_keys_done(&keys);
}

/* @spec RS-11 RS-05: a token of a time when there were other scopes. */
static void
a_token_with_too_little_is_told_what_it_needs(void **state)
{
    static const struct {
        const char *scopes;
        int status; /* 400: let in, and there is no message in the body */
    } cases[] = {{"mcp.of.old", 403},
                 {"mcp.tools.reader", 403},
                 {"mcp.tools.read", 400},
                 {"User.Read", 400}};
    struct rig *rig = *state;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        vl_auto(vl_buf) token = vl_buf_of_secret(128);
        vl_auto(vl_buf) headers = vl_buf_of_secret(1024);
        put_token(rig, cases[i].scopes, &token);
        vl_buf_addf(&headers,
                    OURS "Content-Type: application/json\r\n"
                         "Authorization: Bearer %s\r\n",
                    vl_buf_cstr(&token));
        int status = ask(rig, "POST /mcp", vl_buf_cstr(&headers));
        assert_int_equal(status, cases[i].status);
        if (status != 403)
            continue;
        assert_true(says(rig, "WWW-Authenticate: Bearer realm=\"mcp-valet\", "
                              "error=\"insufficient_scope\""));
        assert_true(says(rig, "scope=\"mcp.tools.read\""));
        assert_true(says(rig, "resource_metadata=\""));
    }
}

/* Two servers at one path would be one too many. */
static void
a_program_with_its_own_server_configures_no_other(void **state)
{
    struct rig *rig = *state;
    struct vl_gateway_options options = {
        .conf = rig->conf, .log = &rig->log, .in_memory = true};
    struct vl_gateway *gateway = NULL;
    valet_error err = {0};
    assert_ok(valet_mcp_server_new("own", "1", NULL, &options.own, NULL));
    assert_int_equal(vl_gateway_new(rig->loop, &options, &gateway, &err),
                     VALET_INVALID);
    assert_non_null(strstr(err.message, "servers: "));
    assert_null(gateway);
    valet_mcp_server_free(options.own);
}

/* @spec S-42: people's tokens are for Microsoft, of the cloud they are of. */
static void
tokens_are_sent_to_graph_alone(void **state)
{
    static const struct {
        const char *authority, *graph, *says; /* NULL: it is good */
    } cases[] = {
        {"https://login.microsoftonline.com", "https://graph.microsoft.com",
         NULL},
        {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us",
         NULL},
        {"https://login.microsoftonline.com", "http://127.0.0.1:9", NULL},
        {"http://127.0.0.1:9", "https://graph.microsoft.com", NULL},
        {"https://login.microsoftonline.com", "https://graph.example",
         "entra.graph_url has to be Microsoft Graph"},
        {"http://127.0.0.1:9", "https://graph.microsoft.com.example",
         "entra.graph_url has to be Microsoft Graph"},
        {"https://login.microsoftonline.us", "https://graph.microsoft.com",
         "write graph_url: https://graph.microsoft.us"},
    };
    struct rig *rig = *state;
    struct vl_conf conf = *rig->conf;
    struct vl_gateway_options options = {
        .conf = &conf, .log = &rig->log, .in_memory = true};
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_gateway *gateway = NULL;
        valet_error err = {0};
        conf.authority_host = cases[i].authority;
        conf.graph_url = cases[i].graph;
        if (!cases[i].says) {
            assert_ok(vl_gateway_check(&conf, NULL));
            continue;
        }
        assert_int_equal(vl_gateway_check(&conf, &err), VALET_INVALID);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_int_equal(vl_gateway_new(rig->loop, &options, &gateway, &err),
                         VALET_INVALID);
        assert_null(gateway);
    }
}

/* Nobody could ever come in. */
static void
a_scope_that_nobody_is_granted_cannot_be_required(void **state)
{
    (void)state;
    static const char *const bad[] = {"mcp.admin", "mcp.tools.read mcp.admin",
                                      "MCP.tools.read"};
    static const char *const good[] = {"mcp.tools.read", "User.Read",
                                       "User.Read mcp.tools.read"};
    struct rig *rig = *state;
    struct vl_conf conf = *rig->conf;
    struct vl_gateway_options options = {
        .conf = &conf, .log = &rig->log, .in_memory = true};
    for (size_t i = 0; i < VL_COUNT(good); i++) {
        conf.required_scopes = good[i];
        assert_ok(vl_gateway_check(&conf, NULL));
    }
    for (size_t i = 0; i < VL_COUNT(bad); i++) {
        struct vl_gateway *gateway = NULL;
        valet_error err = {0};
        conf.required_scopes = bad[i];
        assert_int_equal(vl_gateway_check(&conf, &err), VALET_INVALID);
        assert_int_equal(vl_gateway_new(rig->loop, &options, &gateway, &err),
                         VALET_INVALID);
        assert_null(gateway);
        assert_non_null(strstr(err.message, "; write mcp.tools.read"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_token_gets_a_challenge_without_an_error),
        cmocka_unit_test(every_method_and_path_of_the_resource_needs_a_token),
        cmocka_unit_test(all_bad_tokens_get_the_same_answer),
        cmocka_unit_test(foreign_hosts_are_refused),
        cmocka_unit_test(foreign_origins_are_refused_and_ours_are_not),
        cmocka_unit_test(preflight_is_answered_without_a_token),
        cmocka_unit_test(a_browser_gets_a_page_with_the_challenge),
        cmocka_unit_test(unknown_paths_are_not_found_and_say_nothing),
        cmocka_unit_test(large_bodies_are_not_read_from_strangers),
        cmocka_unit_test(a_token_with_too_little_is_told_what_it_needs),
        cmocka_unit_test(a_program_with_its_own_server_configures_no_other),
        cmocka_unit_test(tokens_are_sent_to_graph_alone),
        cmocka_unit_test(a_scope_that_nobody_is_granted_cannot_be_required),
        cmocka_unit_test(metadata_is_public_and_names_the_resource),
    };
    return cmocka_run_group_tests_name("gateway", tests, set_up, tear_down);
}
