/* SPDX-License-Identifier: Apache-2.0
 *
 * What a configuration is refused for, and what the operator is told: the
 * place, the mistake, and what to write instead. Never a value, which may be
 * a secret in the wrong place.
 */
#include <fcntl.h>
#include <unistd.h>

#include "conf/conf.h"
#include "vl_test.h"

#define GUID   "11111111-2222-4333-8444-555555555555"
#define CANARY "s3cret-canary"

/* 200 bytes, the most that are allowed. */
#define LABEL    "abcdefghijklmnopqrstuvwxyz0123456789."
#define LONG_URL "https://" LABEL LABEL LABEL LABEL LABEL "example"

/* Three lines that are right; a case goes on in line 4, inside entra. */
#define ENTRA                                                                  \
    "entra:\n"                                                                 \
    "  tenant_id: contoso.com\n"                                               \
    "  client_id: " GUID "\n"
/* The same with a credential; a case goes on in line 5, at the top. */
#define GOOD ENTRA "  client_secret_env: THE_SECRET\n"

static const char *
environment(const char *name)
{
    if (strcmp(name, "THE_SECRET") == 0)
        return "good-secret";
    if (strcmp(name, "EMPTY_SECRET") == 0)
        return "";
    if (strcmp(name, "BAD_SECRET") == 0)
        return "two\nlines " CANARY;
    return NULL;
}

struct refusal {
    const char *text, *message;
};

static const struct refusal shape[] = {
    {"listn: localhost:1\n", "c.yaml:1:1: there is no option \"listn\" here; "
                             "did you mean listen? Write that, or remove it"},
    {"entra:\n  tenantid: x\n", "c.yaml:2:3: there is no option \"tenantid\" "
                                "here; did you mean entra.tenant_id?"},
    {"tenant_id: x\n", "c.yaml:1:1: there is no option \"tenant_id\" here; "
                       "did you mean entra.tenant_id?"},
    {"zebra_crossing: 1\n",
     "c.yaml:1:1: there is no option \"zebra_crossing\" here; write one that"},
    {"\"a\\nb\": 1\n", "c.yaml:1:1: there is no option \"a?b\" here"},
    {"admin_listen: localhost:1\n", "c.yaml:1:1: there is no option"},
    {"- a\n", "c.yaml:1:1: the file must be a map, not a list; write key: "
              "value lines"},
    {"hello\n", "c.yaml:1:1: the file must be a map, not text"},
    {"entra: yes\n", "c.yaml:1:8: entra must be a map, not text; write key: "
                     "value lines"},
    {"entra: [a]\n", "c.yaml:1:8: entra must be a map, not a list"},
    {"entra:\n  tenant_id: [a]\n",
     "c.yaml:2:14: entra.tenant_id must be one value, not a list; write one "
     "value"},
    {"entra:\n  tenant_id:\n", "c.yaml:2:13: entra.tenant_id has no value; "
                               "write one behind the colon, or remove"},
    {"listen: a\nlog: {}\nlisten: b\n",
     "c.yaml:3:1: this key stands in line 1 already; write it once"},
    {"a: [\n", "c.yaml:2:1: this is not YAML: "},
    {"a: &b 1\n", "c.yaml:1:4: anchors (&) and aliases (*) are not allowed"},
};

static const struct refusal urls[] = {
    {"listen: 3001\n", "c.yaml:1:9: listen must be HOST:PORT with an IP "
                       "address or localhost; write 127.0.0.1:3001"},
    {"listen: localhost:70000\n",
     "c.yaml:1:9: listen must end in a port from 0 to 65535; write for "
     "example localhost:3001"},
    {GOOD "listen: 0.0.0.0:3001\n",
     "c.yaml:5:9: listen must be a loopback address, or tokens would travel "
     "in clear text; write localhost:3001, or tls with certificate_file and "
     "key_file, or trusted_proxies with the proxy that speaks TLS"},
    {GOOD "listen: \"[::]:3001\"\n", "c.yaml:5:9: listen must be a loopback"},
    {GOOD "listen: 0.0.0.0:3001\ntrusted_proxies: []\n",
     "c.yaml:5:9: listen must be a loopback"},
    {GOOD "tls: {certificate_file: a}\n",
     "c.yaml:5:1: tls needs a certificate and its key; write key_file: PATH "
     "too"},
    {GOOD "listen: 0.0.0.0:3001\ntls:\n  key_file: a\n",
     "c.yaml:6:1: tls needs a certificate and its key; write "
     "certificate_file: PATH too"},
    {GOOD "listen: 0.0.0.0:443\ntls: {certificate_file: a, key_file: b}\n",
     "c.yaml:5:9: public_url is missing, and a server that others reach has "
     "no name by itself; write public_url: https:// and the host that"},
    {GOOD "public_url: http://localhost:1\n"
          "tls: {certificate_file: a, key_file: b}\n",
     "c.yaml:5:13: public_url begins with http, but with tls this server is "
     "reached over https alone; write https://"},
    {GOOD "trusted_proxies: 10.0.0.1\n",
     "c.yaml:5:18: trusted_proxies must be a list, not text"},
    {GOOD "trusted_proxies: [10.0.0.0/8, proxy.example.com]\n",
     "c.yaml:5:31: trusted_proxies must be IP addresses, or networks with no "
     "bits set behind the prefix; write for example 10.0.0.5 or 10.0.0.0/8"},
    {GOOD "trusted_proxies: [10.0.0.1/8]\n",
     "c.yaml:5:19: trusted_proxies must be IP addresses"},
    {GOOD "trusted_proxies: [0.0.0.0/0]\n",
     "c.yaml:5:19: trusted_proxies must not name everybody, who could then "
     "claim any address; write the addresses of the proxies"},
    {GOOD "trusted_proxies: [\"::/0\"]\n",
     "c.yaml:5:19: trusted_proxies must not name everybody"},
    {GOOD "trusted_proxies: [0.0.0.0/00]\n",
     "c.yaml:5:19: trusted_proxies must not name everybody"},
    {GOOD "trusted_proxies: [\"::ffff:0.0.0.0/96\"]\n",
     "c.yaml:5:19: trusted_proxies must not name everybody"},
    {GOOD "trusted_proxies: [10.0.0.0/8, \"::/64\"]\n",
     "c.yaml:5:31: trusted_proxies must not name everybody"},
    {GOOD "store: {path: a}\ntls: {certificate_file: a, key_file: b}\n",
     "c.yaml:5:15: store.path is the same file as tls.certificate_file"},
    {"public_url: mcp.example.com\n",
     "c.yaml:1:13: public_url must be a URL in lower case with a host and no "
     "user name; write for example https://mcp.example.com"},
    {"public_url: http://mcp.example.com\n",
     "c.yaml:1:13: public_url must use https, as only localhost, 127.0.0.1 "
     "and [::1] may use http; write https://"},
    {"public_url: http://localhost.example.com\n",
     "c.yaml:1:13: public_url must use https"},
    {"public_url: https://mcp.example.com/\n",
     "c.yaml:1:13: public_url must end after host and port, without a slash, "
     "path, query or fragment; write for example https://mcp.example.com"},
    {"public_url: https://mcp.example.com/x?y\n",
     "c.yaml:1:13: public_url must end after"},
    {"public_url: https://mcp.example.com?y\n",
     "c.yaml:1:13: public_url must end after"},
    {"public_url: https://me@mcp.example.com\n",
     "c.yaml:1:13: public_url must be a URL"},
    {"public_url: https://MCP.example.com\n",
     "c.yaml:1:13: public_url must be a URL in lower case"},
    {"public_url: https://mcp.example.com:443\n",
     "c.yaml:1:13: public_url must not name the port that its scheme has "
     "anyway; remove the port"},
    {"public_url: https://mcp.example.com:99999\n",
     "c.yaml:1:13: public_url must be a URL"},
    {"public_url: https://mcp.example.com:08443\n",
     "c.yaml:1:13: public_url must be a URL"},
    {"public_url: https://mcp.example.com:0\n",
     "c.yaml:1:13: public_url must be a URL"},
    {"public_url: \"https://mcp.example.com:\"\n",
     "c.yaml:1:13: public_url must be a URL"},
    {GOOD "public_url: " LONG_URL "z\n",
     "c.yaml:5:13: public_url must be at most 200 bytes"},
    {"public_url: https://\n", "c.yaml:1:13: public_url must be a URL"},
    {"public_url: https://[::zz]\n", "c.yaml:1:13: public_url must be a URL"},
    {ENTRA "  authority_host: http://login.example.com\n",
     "c.yaml:4:19: entra.authority_host must use https"},
    {ENTRA "  graph_url: https://graph.example.com/v1.0\n",
     "c.yaml:4:14: entra.graph_url must end after host and port"},
    {GOOD "allowed_origins: https://a.example.com\n",
     "c.yaml:5:18: allowed_origins must be a list, not text; write - value "
     "lines"},
    {GOOD "allowed_origins:\n  - https://a.example.com\n  - \"*\"\n",
     "c.yaml:7:5: allowed_origins must be a URL"},
    {GOOD "allowed_origins: [https://a.example.com, [b]]\n",
     "c.yaml:5:42: allowed_origins must be a list of texts, not a list"},
};

/* @spec S-04 S-22 S-57 */
static const struct refusal identity[] = {
    {"log: {}\n", "c.yaml:1:1: entra.tenant_id is missing; write it, or set "
                  "the environment variable AZURE_TENANT_ID"},
    {"# nothing\nentra:\n  client_id: " GUID "\n",
     "c.yaml:2:1: entra.tenant_id is missing"},
    {"entra:\n  tenant_id: contoso.com\n",
     "c.yaml:1:1: entra.client_id is missing; write it, or set the "
     "environment variable AZURE_CLIENT_ID"},
    {"entra: {tenant_id: contoso}\n",
     "c.yaml:1:20: entra.tenant_id must be a GUID or a domain name of the "
     "tenant; write the Directory (tenant) ID"},
    {"entra: {tenant_id: common}\n",
     "c.yaml:1:20: entra.tenant_id must name one tenant: common, "
     "organizations and consumers let people of any organisation sign in; "
     "write the Directory (tenant) ID of yours"},
    {"entra: {tenant_id: Organizations}\n",
     "c.yaml:1:20: entra.tenant_id must name one tenant"},
    {"entra: {tenant_id: consumers}\n",
     "c.yaml:1:20: entra.tenant_id must name one tenant"},
    {"entra: {tenant_id: 9188040d-6c67-4c5b-b112-36a304b66dad}\n",
     "c.yaml:1:20: entra.tenant_id must name one tenant"},
    {"entra: {tenant_id: 127.0.0.1}\n",
     "c.yaml:1:20: entra.tenant_id must be a GUID"},
    {"entra: {tenant_id: a.com/x}\n",
     "c.yaml:1:20: entra.tenant_id must be a GUID"},
    {"entra: {tenant_id: a.com, client_id: " CANARY "}\n",
     "c.yaml:1:38: entra.client_id must be a GUID; write the Application "
     "(client) ID shown on"},
    {ENTRA "  client_type: secret\n",
     "c.yaml:4:16: entra.client_type must be confidential or public; write "
     "confidential"},
    {ENTRA, "c.yaml:1:1: entra has no credential, but a server is a "
            "confidential client and must prove who it is; write "
            "client_certificate_file: PATH or client_secret_file: PATH"},
    {ENTRA "  client_certificate_file: /nowhere/c.pem\n"
           "  client_secret_env: THE_SECRET\n",
     "c.yaml:4:28: client_certificate_file and client_secret_env are both "
     "given, and one of them would be without effect; write "
     "client_certificate_file alone"},
    {ENTRA "  client_certificate_file: /nowhere/c.pem\n"
           "  client_secret_file: /nowhere/secret\n",
     "c.yaml:4:28: client_certificate_file and client_secret_file are both "
     "given"},
    {ENTRA "  client_certificate_file: /nowhere/c.pem\n",
     "c.yaml:4:28: entra.client_certificate_file: "},
    {ENTRA "  client_certificate_file: /dev/null\n",
     "c.yaml:4:28: entra.client_certificate_file: "},
    {ENTRA "  client_type: confidential\n",
     "c.yaml:1:1: entra has no credential"},
    {ENTRA "  client_type: public\n",
     "c.yaml:4:16: entra.client_type is public, but a server signs in with a "
     "secret of its own; write client_type: confidential, or use the stdio "
     "command for a local server"},
    {ENTRA "  client_type: public\n  client_secret_env: THE_SECRET\n",
     "c.yaml:4:16: entra.client_type is public, but a public client cannot "
     "keep a secret, and client_secret_env names one; write client_type: "
     "confidential"},
    {ENTRA "  client_type: public\n  client_secret_file: x\n",
     "c.yaml:4:16: entra.client_type is public, but a public client cannot "
     "keep a secret, and client_secret_file"},
    {ENTRA "  client_secret: " CANARY "\n",
     "c.yaml:4:3: a secret must not stand in this file; put it into a file "
     "of its own (chmod 600) and write client_secret_file: PATH"},
    {"client_secret: " CANARY "\n", "c.yaml:1:1: a secret must not stand"},
    {"AZURE_CLIENT_SECRET: " CANARY "\n", "c.yaml:1:1: a secret must not"},
    {ENTRA "  client_secret_file: x\n  client_secret_env: THE_SECRET\n",
     "c.yaml:5:22: client_secret_env and client_secret_file are both given, "
     "and one of them would be without effect; write client_secret_file"},
    {ENTRA "  client_secret_env: " CANARY "\n",
     "c.yaml:4:22: entra.client_secret_env must be the name of an "
     "environment variable, not the secret; write for example AZURE_"},
    {ENTRA "  client_secret_env: NOT_SET\n",
     "c.yaml:4:22: entra.client_secret_env names an environment variable "
     "that is not set; set it, or write client_secret_file"},
    {ENTRA "  client_secret_env: EMPTY_SECRET\n",
     "c.yaml:4:22: entra.client_secret_env names an environment variable "
     "that is not set"},
    {ENTRA "  client_secret_env: BAD_SECRET\n",
     "c.yaml:4:22: entra.client_secret_env must name a client secret of "
     "visible ASCII characters without spaces; write its Value"},
    {ENTRA "  client_secret_file: /nonexistent/file\n",
     "c.yaml:4:23: entra.client_secret_file: cannot open /nonexistent/file: "
     "No such file or directory; write the path of a file that you alone"},
    {ENTRA "  scopes: User.Read\n  client_secret_env: THE_SECRET\n",
     "c.yaml:4:11: entra.scopes lacks openid, without which nobody would "
     "know who has signed in; write openid too"},
    {ENTRA "  scopes: [openid, \"a b\"]\n",
     "c.yaml:4:20: entra.scopes must be scopes of visible ASCII characters"},
    {ENTRA "  scopes: \"\"\n",
     "c.yaml:4:11: entra.scopes must have 1 to 32 entries; write for example "
     "openid profile"},
    {ENTRA "  scopes: {a: b}\n",
     "c.yaml:4:11: entra.scopes must be a list, not a map"},
};

static const struct refusal others[] = {
    {GOOD "servers: graph\n", "c.yaml:5:10: servers must be a map, not text"},
    {GOOD "servers: {}\n",
     "c.yaml:5:10: servers must have 1 to 6 entries; write"},
    {GOOD "servers: {graph: 1}\n",
     "c.yaml:5:18: each entry of servers must be a map, not text; write "
     "builtin: value lines"},
    {GOOD "servers: {graph: {}}\n",
     "c.yaml:5:11: builtin is missing here; write for example builtin: graph"},
    {GOOD "servers:\n  graph:\n    builtin: grpah\n",
     "c.yaml:7:14: builtin must be graph; write graph"},
    {GOOD "servers:\n  a/b:\n    builtin: graph\n",
     "c.yaml:6:3: servers must have names of 1 to 64 letters, digits, '-' or "
     "'_', as they become part of URLs; write for example graph"},
    {GOOD "servers:\n  graph:\n    builtin: graph\n    select: a b\n",
     "c.yaml:8:13: select must be names of properties of a Graph user; write "
     "for example displayName,mail"},
    {GOOD "servers:\n  graph:\n    bultin: graph\n",
     "c.yaml:7:5: there is no option \"bultin\" here; did you mean "
     "servers.*.builtin?"},
    {GOOD "clients: {}\n", "c.yaml:5:10: clients must be a list, not a map"},
    {GOOD "clients: [a]\n",
     "c.yaml:5:11: each entry of clients must be a map, not text; write "
     "id: value lines"},
    {GOOD "clients:\n  - name: A\n",
     "c.yaml:6:5: id is missing here; write for example id: my-agent"},
    {GOOD "clients:\n  - id: a\n    name: A\n",
     "c.yaml:6:5: redirect_uris is missing here; write for example"},
    {GOOD "clients:\n  - id: a b\n",
     "c.yaml:6:9: id must be 1 to 128 letters, digits, '-', '.' or '_'"},
    {GOOD "clients:\n  - id: a\n    name: \"\"\n",
     "c.yaml:7:11: name must be one line of 1 to 200 bytes; write a short"},
    {GOOD "clients:\n  - {id: a, name: A, redirect_uris: []}\n",
     "c.yaml:6:37: redirect_uris must have 1 to 10 entries; write"},
    {GOOD "clients:\n"
          "  - {id: a, name: A, redirect_uris: [\"https://a.com/\"]}\n"
          "  - {id: b, name: B, redirect_uris: [\"https://b.com/\"]}\n"
          "  - {id: a, name: C, redirect_uris: [\"https://c.com/\"]}\n",
     "c.yaml:8:10: the client in line 6 has this id already; write another"},
    {GOOD "registration: {dynamic: yes}\n",
     "c.yaml:5:25: registration.dynamic must be true or false, without "
     "quotes; write the one that is meant"},
    {GOOD "registration: {dynamic: \"true\"}\n",
     "c.yaml:5:25: registration.dynamic must be true or false"},
    {GOOD "registration: {max: 0}\n",
     "c.yaml:5:21: registration.max must be a whole number from 1 to 100000; "
     "write for example 1000, without quotes"},
    {GOOD "registration: {max: \"5\"}\n",
     "c.yaml:5:21: registration.max must be a whole number"},
    {GOOD "registration: {per_address_per_hour: -1}\n",
     "c.yaml:5:38: registration.per_address_per_hour must be a whole number"},
    {GOOD "registration: {unused_after: 30}\n",
     "c.yaml:5:30: registration.unused_after must be a number and a unit "
     "(ms, s, m, h or d); write for example 30d"},
    {GOOD "required_scopes: []\n",
     "c.yaml:5:18: required_scopes must have 1 to 16 entries; write for "
     "example mcp.tools.read"},
    {GOOD "tokens: {access_lifetime: 2h}\n",
     "c.yaml:5:27: tokens.access_lifetime must be a duration from 1s to 1h; "
     "write for example 10m"},
    {GOOD "tokens: {access_lifetime: 10min}\n",
     "c.yaml:5:27: tokens.access_lifetime must be a number and a unit"},
    {GOOD "tokens: {access_lifetime: 99999999999999999999d}\n",
     "c.yaml:5:27: tokens.access_lifetime must be a number and a unit"},
    {GOOD "tokens: {refresh_lifetime: 5m}\n",
     "c.yaml:5:1: tokens.access_lifetime is longer than "
     "tokens.refresh_lifetime; write a shorter one"},
    {GOOD "tokens: {refresh_lifetime: 91d}\n",
     "c.yaml:5:28: tokens.refresh_lifetime is longer than "
     "tokens.session_lifetime; write a shorter one"},
    {GOOD "store: {path: \"\"}\n",
     "c.yaml:5:15: store.path must be the path of a file, at most 1024 bytes"},
    {GOOD "store: {path: a}\nkeys: {path: a}\n",
     "c.yaml:6:14: keys.path is the same file as store.path; write another"},
    {GOOD "limits: {connections: 1000000}\n",
     "c.yaml:5:23: limits.connections must be a whole number from 1 to 10000"},
    {GOOD "limits: {requests_per_minute: 1000001}\n",
     "c.yaml:5:31: limits.requests_per_minute must be a whole number from 1 to "
     "1000000"},
    {GOOD "limits: {connections_per_address: 100001}\n",
     "c.yaml:5:35: limits.connections_per_address must be a whole number from "
     "1 to 100000"},
    {GOOD "limits: {connections: 5, connections_per_address: 6}\n",
     "c.yaml:5:51: limits.connections_per_address is larger than "
     "limits.connections; write a smaller one"},
    {GOOD "log: {level: loud}\n",
     "c.yaml:5:14: log.level must be error, warn, info or debug; write error"},
    {GOOD "log: {format: xml}\n",
     "c.yaml:5:15: log.format must be text or json; write text"},
};

static void
try_all(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vl_conf *conf = NULL;
        valet_error err = {.message = ""};
        struct vl_str text = vl_test_guarded(vl_str_z(cases[i].text));
        valet_status status =
            vl_conf_parse("c.yaml", text, environment, &conf, &err);
        vl_test_unguard(text);
        if (status != VALET_INVALID || err.status != VALET_INVALID ||
            strncmp(err.message, cases[i].message, strlen(cases[i].message)) !=
                0)
            fail_msg("\n%s  expected: %s\n  but got:  %s", cases[i].text,
                     cases[i].message, err.message);
        assert_null(conf);
        assert_null(strstr(err.message, CANARY));
        assert_null(strchr(err.message, '\n'));
    }
}

static void
refuses_wrong_shapes(void **state)
{
    (void)state;
    try_all(shape, VL_COUNT(shape));
}

static void
refuses_wrong_addresses(void **state)
{
    (void)state;
    try_all(urls, VL_COUNT(urls));
}

static void
refuses_wrong_identities_and_credentials(void **state)
{
    (void)state;
    try_all(identity, VL_COUNT(identity));
}

static void
refuses_wrong_servers_clients_and_numbers(void **state)
{
    (void)state;
    try_all(others, VL_COUNT(others));
}

/* @spec W-17 */
static void
refuses_redirect_uris_that_leak_codes(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        bool is_good;
    } cases[] = {
        {"https://app.example.com/callback?x=1", true},
        {"http://127.0.0.1:33418/", true},
        {"http://localhost/callback", true},
        {"http://[::1]:1234/cb", true},
        {"com.example.app:/callback", true},
        {"cursor://anysphere.cursor-retrieval/oauth/callback", true},
        {"vscode://x/y", true},
        {"http://127.0.0.1:0/", false},
        {"http://127.0.0.1:033418/", false},
        {"https://app.example.com:0443/callback", false},
        {"http://app.example.com/callback", false},
        {"http://localhost.example.com/", false},
        {"https://user@app.example.com/", false},
        {"https://app.example.com/#x", false},
        {"javascript:alert(1)", false},
        {"JavaScript:alert(1)", false},
        {"data:text/html,x", false},
        {"file:///etc/passwd", false},
        {"vbscript:x", false},
        {"myapp:/callback", false},
        {"/callback", false},
        {"https:", false},
        {"https:///x", false},
        {"com.example.app:", false},
        {"https://app.example.com/a b", false},
        {"https://app.example.com\\@evil.example/", false},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char text[512];
        struct vl_conf *conf = NULL;
        valet_error err = {.message = ""};
        (void)snprintf(text, sizeof text,
                       GOOD "clients:\n  - id: a\n    name: A\n"
                            "    redirect_uris: ['%s']\n",
                       cases[i].uri);
        valet_status status =
            vl_conf_parse("c.yaml", vl_str_z(text), environment, &conf, &err);
        if (status != (cases[i].is_good ? VALET_OK : VALET_INVALID))
            fail_msg("%s: %s", cases[i].uri, err.message);
        if (!cases[i].is_good)
            assert_memory_equal(err.message, "c.yaml:8:21: redirect_uris", 26);
        vl_conf_free(conf);
    }
}

static void
accepts_the_longest_public_url(void **state)
{
    (void)state;
    struct vl_conf *conf = NULL;
    assert_ok(vl_conf_parse("c.yaml", VL_STR(GOOD "public_url: " LONG_URL "\n"),
                            environment, &conf, NULL));
    assert_string_equal(conf->public_url, LONG_URL);
    vl_conf_free(conf);
}

/* In `folder`: a file and a second name of it, and a link to the folder. */
static void
make_names(const char *folder)
{
    int at = open(folder, O_RDONLY | O_DIRECTORY);
    int fd = openat(at, "file", O_CREAT | O_WRONLY, 0600);
    assert_true(at >= 0 && fd >= 0);
    assert_int_equal(linkat(at, "file", at, "name", 0), 0);
    assert_int_equal(symlinkat(folder, at, "link"), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(at), 0);
}

static void
knows_one_file_by_all_its_names(void **state)
{
    (void)state;
    static const struct {
        const char *store, *audit;
        bool is_same;
    } cases[] = {
        {"file", "name", true},       {"file", "./file", true},
        {"file", "link/name", true},  {"new", "link/new", true},
        {"new", "./new", true},       {"none/new", "none/new", true},
        {"new", "link/other", false}, {"file", "link/new", false},
        {"file", "new", false},       {"none/new", "new", false},
    };
    char folder[] = "/tmp/vl-conf-XXXXXX";
    assert_non_null(mkdtemp(folder));
    make_names(folder);
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        char text[512];
        struct vl_conf *conf = NULL;
        valet_error err = {.message = ""};
        (void)snprintf(text, sizeof text,
                       GOOD "store: {path: %s/%s}\naudit: {path: %s/%s}\n",
                       folder, cases[i].store, folder, cases[i].audit);
        valet_status status =
            vl_conf_parse("c.yaml", vl_str_z(text), environment, &conf, &err);
        if (status != (cases[i].is_same ? VALET_INVALID : VALET_OK))
            fail_msg("%s %s: %s", cases[i].store, cases[i].audit, err.message);
        if (cases[i].is_same)
            assert_string_equal(err.code, "same_file");
        vl_conf_free(conf);
    }
    int at = open(folder, O_RDONLY | O_DIRECTORY);
    static const char *const names[] = {"file", "name", "link"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        assert_int_equal(unlinkat(at, names[i], 0), 0);
    assert_int_equal(close(at), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void
gives_each_bad_credential_its_own_code(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } cases[] = {
        {ENTRA, "confidential_without_secret"},
        {ENTRA "  client_type: public\n", "public_server"},
        {ENTRA "  client_type: public\n  client_secret_env: THE_SECRET\n",
         "public_with_secret"},
        {ENTRA "  client_type: public\n  client_certificate_file: /x\n",
         "public_with_secret"},
        {ENTRA "  client_certificate_file: /x\n"
               "  client_secret_env: THE_SECRET\n",
         "two_credentials"},
        {ENTRA "  client_certificate_file: /x\n", "certificate_file"},
        {ENTRA "  client_secret: x\n", "inline_secret"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        struct vl_conf *conf = NULL;
        valet_error err;
        assert_int_equal(vl_conf_parse("c.yaml", vl_str_z(cases[i].text),
                                       environment, &conf, &err),
                         VALET_INVALID);
        assert_string_equal(err.code, cases[i].code);
    }
}

static void
keeps_the_end_of_a_sentence_after_a_long_path(void **state)
{
    (void)state;
    char name[600];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct vl_conf *conf = NULL;
    valet_error err;
    assert_int_equal(
        vl_conf_parse(name, VL_STR("listn: 1\n"), environment, &conf, &err),
        VALET_INVALID);
    assert_non_null(strstr(err.message, "ddd:1:1: there is no option"));
    assert_non_null(strstr(err.message, "or remove it"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_wrong_shapes),
        cmocka_unit_test(refuses_wrong_addresses),
        cmocka_unit_test(refuses_wrong_identities_and_credentials),
        cmocka_unit_test(refuses_wrong_servers_clients_and_numbers),
        cmocka_unit_test(refuses_redirect_uris_that_leak_codes),
        cmocka_unit_test(accepts_the_longest_public_url),
        cmocka_unit_test(knows_one_file_by_all_its_names),
        cmocka_unit_test(gives_each_bad_credential_its_own_code),
        cmocka_unit_test(keeps_the_end_of_a_sentence_after_a_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
