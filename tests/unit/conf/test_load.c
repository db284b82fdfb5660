/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"
#include "vl_test.h"

#include <sys/stat.h>
#include <unistd.h>

#define GUID  "11111111-2222-4333-8444-555555555555"
#define OTHER "22222222-2222-4333-8444-555555555555"
#define THIRD "33333333-2222-4333-8444-555555555555"

#define ENTRA                                                                  \
    "entra:\n"                                                                 \
    "  tenant_id: contoso.com\n"                                               \
    "  client_id: " GUID "\n"

/* What environment() answers from: name and value in turn, then NULL. */
static const char *const *variables;

static const char *
environment(const char *name)
{
    for (size_t i = 0; variables && variables[i]; i += 2)
        if (strcmp(variables[i], name) == 0)
            return variables[i + 1];
    return NULL;
}

static struct vl_conf *
load(const char *text, const char *const *names_and_values)
{
    struct vl_conf *conf = NULL;
    valet_error err;
    variables = names_and_values;
    if (vl_conf_parse(text ? "c.yaml" : NULL, vl_str_z(text), environment,
                      &conf, &err) != VALET_OK)
        fail_msg("%s", err.message);
    return conf;
}

static void
fills_in_safe_defaults(void **state)
{
    (void)state;
    struct vl_conf *conf = load(ENTRA "  client_secret_env: S\n",
                                (const char *[]){"S", "x", NULL});
    assert_string_equal(conf->listen_host, "localhost");
    assert_int_equal(conf->listen_port, 3001);
    assert_string_equal(conf->public_url, "http://localhost:3001");
    assert_string_equal(conf->authority_host,
                        "https://login.microsoftonline.com");
    assert_string_equal(conf->graph_url, "https://graph.microsoft.com");
    assert_string_equal(conf->entra_scopes,
                        "openid profile offline_access User.Read");
    assert_int_equal(conf->server_count, 1);
    assert_string_equal(conf->servers[0].name, "graph");
    assert_int_equal(conf->servers[0].kind, VL_SERVER_BUILTIN_GRAPH);
    assert_string_equal(conf->graph_select,
                        "displayName,mail,userPrincipalName");
    assert_int_equal(conf->client_count, 0);
    /* @spec S-91: registration is off until it is wanted */
    assert_false(conf->registration_dynamic);
    assert_int_equal(conf->registration_max, 1000);
    assert_int_equal(conf->registration_per_address, 20);
    assert_int_equal(conf->registration_unused_ms, 30 * INT64_C(86400000));
    assert_string_equal(conf->required_scopes, "mcp.tools.read");
    assert_int_equal(conf->access_token_ms, 600000);
    assert_int_equal(conf->refresh_token_ms, 30 * INT64_C(86400000));
    assert_int_equal(conf->session_max_ms, 90 * INT64_C(86400000));
    assert_string_equal(conf->store_path, "mcp-valet.db");
    assert_string_equal(conf->key_path, "mcp-valet.keys");
    assert_string_equal(conf->audit_path, "");
    assert_int_equal(conf->allowed_origin_count, 0);
    assert_int_equal(conf->max_connections, 10000);
    assert_int_equal(conf->max_connections_per_address, 1000);
    assert_int_equal(conf->log_level, VL_LOG_INFO);
    assert_false(conf->log_json);
    vl_conf_free(conf);
}

static void
reads_every_option(void **state)
{
    (void)state;
    struct vl_conf *conf =
        load("listen: \"[::1]:8443\"\n"
             "public_url: https://mcp.example.com:8443\n"
             "entra:\n"
             "  tenant_id: " OTHER "\n"
             "  client_id: " GUID "\n"
             "  client_type: confidential\n"
             "  client_secret_env: S\n"
             "  authority_host: https://login.microsoftonline.us/\n"
             "  graph_url: http://127.0.0.1:3002\n"
             "  scopes:\n"
             "    - openid\n"
             "    - offline_access\n"
             "servers:\n"
             "  first: {builtin: graph, select: [displayName, mail]}\n"
             "  second-2: {builtin: graph, select: \"id, mail\"}\n"
             "clients:\n"
             "  - id: a\n"
             "    name: \"\xe0\xa6\x85 client\"\n"
             "    redirect_uris: [\"http://127.0.0.1/\", \"cursor://x/y\"]\n"
             "  - {id: b, name: B, redirect_uris: [\"https://b.com/\"]}\n"
             "registration:\n"
             "  dynamic: true\n"
             "  max: 7\n"
             "  per_address_per_hour: 3\n"
             "  unused_after: 90s\n"
             "required_scopes: User.Read  mcp.tools.read\n"
             "allowed_origins: [\"https://a.com\", \"http://localhost:6274\"]\n"
             "tokens:\n"
             "  access_lifetime: 1500ms\n"
             "  refresh_lifetime: 2h\n"
             "  session_lifetime: 3d\n"
             "store: {path: /var/lib/a.db}\n"
             "keys: {path: b.keys}\n"
             "audit: {path: c.jsonl}\n"
             "limits: {connections: 50, connections_per_address: 5,"
             " requests_per_minute: 1000000, pending_sign_ins_per_address: 7,"
             " sessions_per_user: 8, graph_cache: 0s}\n"
             "log: {level: debug, format: json}\n",
             (const char *[]){"S", "the-secret", NULL});
    assert_string_equal(conf->listen_host, "::1");
    assert_int_equal(conf->listen_port, 8443);
    assert_string_equal(conf->public_url, "https://mcp.example.com:8443");
    assert_string_equal(conf->tenant_id, OTHER);
    assert_string_equal(conf->authority_host,
                        "https://login.microsoftonline.us");
    assert_string_equal(conf->graph_url, "http://127.0.0.1:3002");
    assert_string_equal(conf->entra_scopes, "openid offline_access");
    assert_str(vl_secret_reveal(&conf->client_secret), "the-secret");
    assert_int_equal(conf->server_count, 2);
    assert_string_equal(conf->servers[0].name, "first");
    assert_string_equal(conf->graph_select, "displayName,mail");
    assert_string_equal(conf->servers[1].name, "second-2");
    assert_string_equal(conf->servers[1].graph_select, "id,mail");
    assert_int_equal(conf->client_count, 2);
    assert_string_equal(conf->clients[0].name, "\xe0\xa6\x85 client");
    assert_int_equal(conf->clients[0].redirect_uri_count, 2);
    assert_string_equal(conf->clients[0].redirect_uris[1], "cursor://x/y");
    assert_string_equal(conf->clients[1].id, "b");
    assert_true(conf->registration_dynamic);
    assert_int_equal(conf->registration_max, 7);
    assert_int_equal(conf->registration_per_address, 3);
    assert_int_equal(conf->registration_unused_ms, 90000);
    /* @spec S-66 */
    assert_string_equal(conf->required_scopes, "User.Read mcp.tools.read");
    assert_int_equal(conf->allowed_origin_count, 2);
    assert_string_equal(conf->allowed_origins[1], "http://localhost:6274");
    assert_int_equal(conf->access_token_ms, 1500);
    assert_int_equal(conf->refresh_token_ms, 7200000);
    assert_int_equal(conf->session_max_ms, 3 * INT64_C(86400000));
    assert_string_equal(conf->store_path, "/var/lib/a.db");
    assert_string_equal(conf->key_path, "b.keys");
    assert_string_equal(conf->audit_path, "c.jsonl");
    assert_int_equal(conf->max_connections, 50);
    assert_int_equal(conf->max_connections_per_address, 5);
    assert_int_equal(conf->requests_per_minute, 1000000);
    assert_int_equal(conf->flows_per_address, 7);
    assert_int_equal(conf->sessions_per_user, 8);
    assert_int_equal(conf->graph_cache_ms, 0);
    assert_int_equal(conf->log_level, VL_LOG_DEBUG);
    assert_true(conf->log_json);
    vl_conf_free(conf);
}

/* @spec S-21 S-92 */
static void
file_wins_over_azure_and_azure_over_the_sample(void **state)
{
    (void)state;
    static const char *const all[] = {"AZURE_TENANT_ID",
                                      OTHER,
                                      "AZURE_CLIENT_ID",
                                      OTHER,
                                      "AZURE_CLIENT_SECRET",
                                      "azure-secret",
                                      "AZURE_AUTHORITY_HOST",
                                      "https://login.partner.example.cn/",
                                      "FR_TENANT_ID",
                                      THIRD,
                                      "FR_API_CLIENT_ID",
                                      THIRD,
                                      "FR_API_CLIENT_SECRET",
                                      "fr-secret",
                                      "FR_PUBLIC_CLIENT_ID",
                                      "not even a GUID",
                                      "PORT",
                                      "8080",
                                      NULL};
    struct vl_conf *conf = load("listen: localhost:1234\n" ENTRA, all);
    assert_string_equal(conf->tenant_id, "contoso.com");
    assert_string_equal(conf->client_id, GUID);
    assert_int_equal(conf->listen_port, 1234);
    assert_str(vl_secret_reveal(&conf->client_secret), "azure-secret");
    vl_conf_free(conf);

    conf = load(NULL, all);
    assert_string_equal(conf->tenant_id, OTHER);
    assert_string_equal(conf->client_id, OTHER);
    assert_string_equal(conf->authority_host,
                        "https://login.partner.example.cn");
    assert_int_equal(conf->listen_port, 8080);
    assert_string_equal(conf->listen_host, "localhost");
    assert_string_equal(conf->public_url, "http://localhost:8080");
    vl_conf_free(conf);

    conf = load("", all + 8);
    assert_string_equal(conf->tenant_id, THIRD);
    assert_string_equal(conf->client_id, THIRD);
    assert_str(vl_secret_reveal(&conf->client_secret), "fr-secret");
    vl_conf_free(conf);
}

/* @spec S-57 S-92 */
static void
warns_of_a_secret_in_the_environment(void **state)
{
    (void)state;
    struct vl_conf *conf =
        load(ENTRA, (const char *[]){"AZURE_CLIENT_SECRET", "",
                                     "FR_API_CLIENT_SECRET", "canary", NULL});
    assert_int_equal(conf->warning_count, 1);
    assert_non_null(strstr(conf->warnings[0], "FR_API_CLIENT_SECRET"));
    assert_null(strstr(conf->warnings[0], "canary"));
    assert_string_equal(conf->client_secret_env, "FR_API_CLIENT_SECRET");
    vl_conf_free(conf);
}

static void
warns_of_a_public_url_that_only_this_computer_reaches(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *url;
        bool warned;
    } cases[] = {
        {"0.0.0.0:3001", "https://localhost:3001", true},
        {"0.0.0.0:3001", "https://[::1]:3001", true},
        {"192.0.2.1:3001", "http://127.0.0.1:3001", true},
        {"0.0.0.0:3001", "https://mcp.example.com", false},
        {"localhost:3001", "https://localhost:3001", false},
        {"127.0.0.1:3001", "https://mcp.example.com", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       ENTRA "  client_secret_env: S\n"
                             "listen: %s\npublic_url: %s\n"
                             "trusted_proxies: [10.0.0.5]\n",
                       cases[i].listen, cases[i].url);
        struct vl_conf *conf = load(text, (const char *[]){"S", "x", NULL});
        /* The other one is about S. */
        if ((conf->warning_count == 2) != cases[i].warned)
            fail_msg("%s %s", cases[i].listen, cases[i].url);
        if (cases[i].warned)
            assert_non_null(strstr(conf->warnings[0], "public_url is a loop"));
        vl_conf_free(conf);
    }
}

static void
refuses_a_bad_variable_by_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *message;
    } cases[] = {
        {"AZURE_TENANT_ID", "common",
         "the environment variable AZURE_TENANT_ID, which stands for "
         "entra.tenant_id, must name one tenant"},
        {"FR_API_CLIENT_ID", "canary",
         "the environment variable FR_API_CLIENT_ID, which stands for "
         "entra.client_id, must be a GUID"},
        {"PORT", "99999",
         "the environment variable PORT, which stands for listen, must end in "
         "a port"},
        {"PORT", "0.0.0.0:80", "the environment variable PORT, which stands"},
        {"AZURE_AUTHORITY_HOST", "http://login.example.com",
         "the environment variable AZURE_AUTHORITY_HOST, which stands for "
         "entra.authority_host, must use https"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        const char *const set[] = {
            cases[i].name, cases[i].value,     "FR_TENANT_ID",
            OTHER,         "FR_API_CLIENT_ID", OTHER,
            NULL};
        struct vl_conf *conf = NULL;
        valet_error err;
        variables = set;
        assert_int_equal(
            vl_conf_parse(NULL, VL_STR(""), environment, &conf, &err),
            VALET_INVALID);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) !=
            0)
            fail_msg("%s", err.message);
        assert_null(strstr(err.message, "canary"));
    }
}

static void
says_what_is_missing_without_a_file(void **state)
{
    (void)state;
    struct vl_conf *conf = NULL;
    valet_error err;
    variables = NULL;
    assert_int_equal(vl_conf_load(NULL, environment, &conf, &err),
                     VALET_INVALID);
    assert_string_equal(err.message,
                        "entra.tenant_id is missing; write it, or set the "
                        "environment variable AZURE_TENANT_ID");
    assert_int_equal(
        vl_conf_load("/nonexistent/c.yaml", environment, &conf, &err),
        VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/c.yaml"));
}

static void
has_no_public_url_before_a_free_port_is_known(void **state)
{
    (void)state;
    struct vl_conf *conf =
        load("listen: \":0\"\n" ENTRA,
             (const char *[]){"AZURE_CLIENT_SECRET", "x", NULL});
    assert_string_equal(conf->public_url, "");
    assert_int_equal(conf->listen_port, 0);
    vl_conf_free(conf);
}

static void
caps_the_default_limit_per_address(void **state)
{
    (void)state;
    struct vl_conf *conf =
        load(ENTRA "limits: {connections: 10}\n",
             (const char *[]){"AZURE_CLIENT_SECRET", "x", NULL});
    assert_int_equal(conf->max_connections_per_address, 10);
    vl_conf_free(conf);
}

static void
leaves_empty_sections_at_their_defaults(void **state)
{
    (void)state;
    struct vl_conf *conf =
        load(ENTRA "  client_secret_env: S\n"
                   "servers:\nclients:\nregistration:\nlog:\naudit: ~\n",
             (const char *[]){"S", "x", NULL});
    assert_int_equal(conf->server_count, 1);
    assert_int_equal(conf->client_count, 0);
    vl_conf_free(conf);
}

/* --- with files --- */

struct folder {
    char path[64], conf[128], secret[128];
};

static void
put_file(const char *path, const char *content, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static struct folder
make_folder(const char *secret, mode_t mode)
{
    struct folder f = {.path = "/tmp/vl-conf-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    (void)snprintf(f.conf, sizeof f.conf, "%s/c.yaml", f.path);
    (void)snprintf(f.secret, sizeof f.secret, "%s/client-secret", f.path);
    put_file(f.conf, ENTRA "  client_secret_file: client-secret\n", 0644);
    put_file(f.secret, secret, mode);
    return f;
}

static void
remove_folder(const struct folder *f)
{
    (void)unlink(f->conf);
    (void)unlink(f->secret);
    (void)rmdir(f->path);
}

static void
reads_the_secret_file_beside_the_configuration(void **state)
{
    (void)state;
    static const char *const contents[] = {"abc~1", "abc~1\n", "abc~1\r\n"};
    static const char *const others[] = {"AZURE_CLIENT_SECRET", "not-this",
                                         NULL};
    variables = others;
    for (size_t i = 0; i < VL_COUNT(contents); i++) {
        struct folder f = make_folder(contents[i], 0600);
        struct vl_conf *conf = NULL;
        assert_ok(vl_conf_load(f.conf, environment, &conf, NULL));
        assert_str(vl_secret_reveal(&conf->client_secret), "abc~1");
        assert_string_equal(conf->client_secret_file, f.secret);
        assert_null(conf->client_secret_env);
        assert_int_equal(conf->warning_count, 0);
        assert_memory_equal(conf->store_path, f.path, strlen(f.path));
        vl_conf_free(conf);
        remove_folder(&f);
    }
}

static void
refuses_secret_files_that_are_open_or_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *content, *reason;
        mode_t mode;
    } cases[] = {
        {"canary\n", "may be read by others", 0644},
        {"canary\n", "may be read by others", 0640},
        {"", "is empty", 0600},
        {"\n", "is empty", 0600},
        {"canary\ncanary\n", "visible ASCII characters", 0600},
        {" canary\n", "visible ASCII characters", 0600},
    };
    variables = NULL;
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct folder f = make_folder(cases[i].content, cases[i].mode);
        struct vl_conf *conf = NULL;
        valet_error err;
        assert_int_equal(vl_conf_load(f.conf, environment, &conf, &err),
                         VALET_INVALID);
        if (!strstr(err.message, cases[i].reason) ||
            !strstr(err.message, "c.yaml:4:23: entra.client_secret_file"))
            fail_msg("%s", err.message);
        assert_null(strstr(err.message, "canary"));
        remove_folder(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_safe_defaults),
        cmocka_unit_test(reads_every_option),
        cmocka_unit_test(file_wins_over_azure_and_azure_over_the_sample),
        cmocka_unit_test(warns_of_a_secret_in_the_environment),
        cmocka_unit_test(warns_of_a_public_url_that_only_this_computer_reaches),
        cmocka_unit_test(refuses_a_bad_variable_by_its_name),
        cmocka_unit_test(says_what_is_missing_without_a_file),
        cmocka_unit_test(has_no_public_url_before_a_free_port_is_known),
        cmocka_unit_test(caps_the_default_limit_per_address),
        cmocka_unit_test(leaves_empty_sections_at_their_defaults),
        cmocka_unit_test(reads_the_secret_file_beside_the_configuration),
        cmocka_unit_test(refuses_secret_files_that_are_open_or_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
