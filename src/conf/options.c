/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/options.h"

#include "conf/conf.h"
#include "core/limits.h"

#define SECONDS(n) ((int64_t)(n)*1000)
#define DAYS(n)    SECONDS((n)*86400LL)
#define IN(field)  offsetof(struct vl_conf, field)
#define TABLE(t)   .items = (t), .item_count = VL_COUNT(t)

static const char *const client_types[] = {"confidential", "public", NULL};
static const char *const builtins[] = {"graph", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug",
                                         NULL};
static const char *const log_formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct vl_option entra[] = {
    {.path = "entra.tenant_id", .type = VL_OPTION_TENANT, .is_required = true,
     .example = "contoso.onmicrosoft.com",
     .env = {"AZURE_TENANT_ID", "FR_TENANT_ID"}, .at = IN(tenant_id),
     .help = "Your tenant: the Directory (tenant) ID, or one of its domains. "
             "Nobody else can sign in."},
    {.path = "entra.client_id", .type = VL_OPTION_GUID, .is_required = true,
     .example = "11111111-2222-4333-8444-555555555555",
     .env = {"AZURE_CLIENT_ID", "FR_API_CLIENT_ID"}, .at = IN(client_id),
     .help = "The Application (client) ID of the app registration. Its Web "
             "redirect URI is {public_url}/auth/callback."},
    {.path = "entra.client_type", .type = VL_OPTION_CHOICE,
     .fallback = "confidential", .choices = client_types,
     .at = IN(client_type),
     .help = "What the app registration is. A server is a confidential "
             "client: it keeps a secret or a key of its own."},
    {.path = "entra.client_secret_file", .type = VL_OPTION_PATH,
     .example = "client-secret", .at = IN(client_secret_file),
     .help = "File with the client secret in one line; only its owner may "
             "read it (chmod 600)."},
    {.path = "entra.client_certificate_file", .type = VL_OPTION_PATH,
     .example = "client-certificate.pem", .at = IN(client_certificate_file),
     .help = "PEM file with a certificate and its RSA key, in place of a "
             "secret; only its owner may read it (chmod 600). The certificate "
             "alone goes to the app registration: the key leaves this machine "
             "neither when it is set up nor when it is used."},
    {.path = "entra.client_secret_env", .type = VL_OPTION_ENV_NAME,
     .example = "AZURE_CLIENT_SECRET",
     .env = {"AZURE_CLIENT_SECRET", "FR_API_CLIENT_SECRET"},
     .at = IN(client_secret_env),
     .help = "Name of the environment variable with the client secret, for "
             "development. Other programs of the same user can read it there; "
             "prefer client_secret_file."},
    {.path = "entra.authority_host", .type = VL_OPTION_HOST_URL,
     .fallback = "https://login.microsoftonline.com",
     .env = {"AZURE_AUTHORITY_HOST"}, .at = IN(authority_host),
     .help = "Where people sign in; differs in national clouds."},
    {.path = "entra.graph_url", .type = VL_OPTION_HOST_URL,
     .fallback = "https://graph.microsoft.com", .at = IN(graph_url),
     .help = "Microsoft Graph; differs in national clouds. Nothing else, but "
             "a loopback, as people's tokens are sent there."},
    {.path = "entra.scopes", .type = VL_OPTION_SCOPES,
     .fallback = "openid profile offline_access User.Read",
     .min = 1, .max = 32, .at = IN(entra_scopes),
     .help = "What is asked of Entra ID for a user; openid is needed. Clients "
             "do not choose it."},
};

static const struct vl_option server[] = {
    {.path = "servers.*.builtin", .type = VL_OPTION_CHOICE,
     .is_required = true, .example = "graph", .choices = builtins,
     .at = offsetof(struct vl_conf_server, kind),
     .help = "A server that is part of this program: graph has the tool "
             "getUserDetails."},
    {.path = "servers.*.select", .type = VL_OPTION_PROPERTIES,
     .fallback = "displayName,mail,userPrincipalName", .min = 1, .max = 32,
     .at = offsetof(struct vl_conf_server, graph_select),
     .help = "The properties of a user that getUserDetails gives to clients, "
             "and no others."},
};

static const struct vl_option client[] = {
    {.path = "clients.*.id", .type = VL_OPTION_CLIENT_ID, .is_required = true,
     .example = "my-agent", .at = offsetof(struct vl_conf_client, id),
     .help = "The client_id that the client sends."},
    {.path = "clients.*.name", .type = VL_OPTION_LINE, .is_required = true,
     .example = "My agent", .at = offsetof(struct vl_conf_client, name),
     .help = "Shown to people who are asked for their consent."},
    {.path = "clients.*.redirect_uris", .type = VL_OPTION_REDIRECT_URIS,
     .is_required = true, .example = "http://127.0.0.1:33418/",
     .min = 1, .max = VL_LIMIT_REDIRECT_URIS,
     .at = offsetof(struct vl_conf_client, redirect_uris),
     .count_at = offsetof(struct vl_conf_client, redirect_uri_count),
     .help = "Where codes may be sent: https, http on a loopback (any port), "
             "or a scheme of an app."},
};

static const struct vl_option registration[] = {
    {.path = "registration.dynamic", .type = VL_OPTION_BOOL,
     .fallback = "false", .at = IN(registration_dynamic),
     .help = "Whether unknown MCP clients may register themselves at "
             "/register (RFC 7591)."},
    {.path = "registration.max", .type = VL_OPTION_COUNT, .fallback = "1000",
     .min = 1, .max = 100000, .at = IN(registration_max),
     .help = "Registered clients in all."},
    {.path = "registration.per_address_per_hour", .type = VL_OPTION_COUNT,
     .fallback = "20", .min = 1, .max = 10000,
     .at = IN(registration_per_address),
     .help = "Registrations that one address may make in an hour."},
    {.path = "registration.unused_after", .type = VL_OPTION_DURATION,
     .fallback = "30d", .min = SECONDS(60), .max = DAYS(365),
     .at = IN(registration_unused_ms),
     .help = "A registered client that nobody signed in with is removed after "
             "this time."},
};

static const struct vl_option tokens[] = {
    {.path = "tokens.access_lifetime", .type = VL_OPTION_DURATION,
     .fallback = "10m", .min = SECONDS(1), .max = SECONDS(3600),
     .at = IN(access_token_ms),
     .help = "How long an access token of a client is good."},
    {.path = "tokens.refresh_lifetime", .type = VL_OPTION_DURATION,
     .fallback = "30d", .min = SECONDS(1), .max = DAYS(365),
     .at = IN(refresh_token_ms),
     .help = "A session that is not used for so long ends."},
    {.path = "tokens.session_lifetime", .type = VL_OPTION_DURATION,
     .fallback = "90d", .min = SECONDS(1), .max = DAYS(365),
     .at = IN(session_max_ms),
     .help = "Every session ends after this time; people sign in again."},
};

static const struct vl_option store[] = {
    {.path = "store.path", .type = VL_OPTION_PATH, .fallback = "mcp-valet.db",
     .at = IN(store_path),
     .help = "Database file for sessions and clients; what is secret in it is "
             "encrypted."},
};

static const struct vl_option keys[] = {
    {.path = "keys.path", .type = VL_OPTION_PATH, .fallback = "mcp-valet.keys",
     .at = IN(key_path),
     .help = "File with the keys that the database is encrypted with; only "
             "its owner may read it. Keep it apart from backups of the "
             "database."},
};

static const struct vl_option limits[] = {
    {.path = "limits.connections", .type = VL_OPTION_COUNT,
     .fallback = "10000", .min = 1, .max = VL_LIMIT_CONNECTIONS,
     .at = IN(max_connections), .help = "Open connections in all."},
    {.path = "limits.connections_per_address", .type = VL_OPTION_COUNT,
     .fallback = "1000", .min = 1, .max = 100000,
     .at = IN(max_connections_per_address),
     .help = "Open connections from one address. An IPv6 network of 64 bits "
             "counts as one address, here and below; behind a reverse proxy "
             "that is not one of trusted_proxies everybody counts as one."},
    {.path = "limits.requests_per_minute", .type = VL_OPTION_COUNT,
     .fallback = "600", .min = 1, .max = 1000000,
     .at = IN(requests_per_minute),
     .help = "Requests that one address may send to each of the endpoints of "
             "the sign-in, such as /authorize and /token, in a minute. Calls "
             "of MCP servers are not counted."},
    {.path = "limits.pending_sign_ins_per_address", .type = VL_OPTION_COUNT,
     .fallback = "300", .min = 1, .max = 1000000,
     .at = IN(flows_per_address),
     .help = "Sign-ins that one address may begin in ten minutes, which is "
             "how long one may take."},
    {.path = "limits.sessions_per_user", .type = VL_OPTION_COUNT,
     .fallback = "50", .min = 1, .max = 1000000,
     .at = IN(sessions_per_user),
     .help = "Sessions that a user may have with all clients together. When "
             "there are more, the oldest end."},
    {.path = "limits.graph_cache", .type = VL_OPTION_DURATION,
     .fallback = "60s", .min = 0, .max = SECONDS(3600),
     .at = IN(graph_cache_ms),
     .help = "How long a profile that Microsoft Graph gave is remembered, in "
             "memory and for its user alone. So much later it may be noticed "
             "that Entra ID has ended a sign-in; with 0s Microsoft Graph is "
             "asked each time."},
};

static const struct vl_option logs[] = {
    {.path = "log.level", .type = VL_OPTION_CHOICE, .fallback = "info",
     .choices = log_levels, .at = IN(log_level),
     .help = "The least severe lines that are written to stderr."},
    {.path = "log.format", .type = VL_OPTION_EITHER, .fallback = "text",
     .choices = log_formats, .at = IN(log_json),
     .help = "Lines for people, or one JSON object a line."},
};

static const struct vl_option tls[] = {
    {.path = "tls.certificate_file", .type = VL_OPTION_PATH,
     .example = "certificate.pem", .at = IN(tls_certificate_file),
     .help = "The certificate for the host of public_url, in PEM, and after it "
             "those of its issuers."},
    {.path = "tls.key_file", .type = VL_OPTION_PATH,
     .example = "certificate.key", .at = IN(tls_key_file),
     .help = "The key of the certificate, in PEM without a passphrase; only "
             "its owner may read it (chmod 600). Both may be symbolic links; "
             "SIGHUP reads them again."},
};

static const struct vl_option outbound[] = {
    {.path = "outbound.ca_file", .type = VL_OPTION_PATH,
     .example = "private-ca.pem", .at = IN(outbound_ca_file),
     .help = "Certificates, in PEM, of authorities that are trusted besides "
             "the system's when Entra ID and Microsoft Graph are called: for "
             "networks whose proxies look into TLS."},
};

static const struct vl_option audit[] = {
    {.path = "audit.path", .type = VL_OPTION_PATH, .example = "audit.jsonl",
     .at = IN(audit_path),
     .help = "File that sign-ins, tool calls and refusals are appended to, as "
             "one JSON object a line. Without it there is none."},
};

static const struct vl_option options[] = {
    {.path = "listen", .type = VL_OPTION_LISTEN, .fallback = "localhost:3001",
     .env = {"PORT"}, .at = IN(listen_host), .count_at = IN(listen_port),
     .help = "Where to listen: HOST:PORT. localhost means 127.0.0.1 and ::1; "
             "port 0 takes a free one. Other addresses than the loopbacks "
             "need tls or trusted_proxies. PORT sets the port alone."},
    {.path = "public_url", .type = VL_OPTION_ORIGIN,
     .example = "https://mcp.example.com", .at = IN(public_url),
     .help = "The URL under which clients and browsers reach this server. "
             "Without it: localhost and the port of listen, with https if "
             "tls is given, else http."},
    {.path = "workers", .type = VL_OPTION_COUNT, .fallback = "0",
     .min = 0, .max = 64, .at = IN(workers),
     .help = "Threads that serve; 0 is one for each processor core."},
    {.path = "tls", .type = VL_OPTION_SECTION, TABLE(tls),
     .help = "TLS 1.2 and 1.3 for clients and browsers."},
    {.path = "trusted_proxies", .type = VL_OPTION_NETWORKS,
     .example = "10.0.0.5", .max = VL_CONF_PROXIES_MAX,
     .at = IN(trusted_proxies), .count_at = IN(trusted_proxy_count),
     .help = "Addresses or networks of the reverse proxies before this "
             "server. What they say in X-Forwarded-For or Forwarded is "
             "believed, and their connections are not counted as those of one "
             "address. Without tls nobody else may connect, but this machine."},
    {.path = "entra", .type = VL_OPTION_SECTION, TABLE(entra),
     .help = "The app registration in Microsoft Entra ID."},
    {.path = "servers", .type = VL_OPTION_NAMED, TABLE(server),
     .fallback = "graph: {builtin: graph}", .example = "graph",
     .min = 1, .max = 6, .item_size = sizeof(struct vl_conf_server),
     .at = IN(servers), .count_at = IN(server_count),
     .help = "The MCP servers, by name: each is reached at /NAME/mcp, the "
             "first also at /mcp."},
    {.path = "clients", .type = VL_OPTION_RECORDS, TABLE(client),
     .max = 200, .item_size = sizeof(struct vl_conf_client),
     .at = IN(clients), .count_at = IN(client_count),
     .help = "MCP clients that are known beforehand."},
    {.path = "registration", .type = VL_OPTION_SECTION, TABLE(registration),
     .help = "MCP clients that register themselves."},
    {.path = "required_scopes", .type = VL_OPTION_SCOPES,
     .fallback = "mcp.tools.read", .min = 1, .max = 16,
     .at = IN(required_scopes),
     .help = "Scopes a client's token must have to reach the MCP servers. "
             "User.Read is another name for mcp.tools.read."},
    {.path = "open_scopes", .type = VL_OPTION_SCOPES,
     .example = "notes.read", .max = 16, .at = IN(open_scopes),
     .help = "For a program that serves its own tools with libvalet: the "
             "permissions of these tools that everybody who signs in may give "
             "to a client. Every other one is for people who have an app role "
             "of its name in Entra ID."},
    {.path = "outbound", .type = VL_OPTION_SECTION, TABLE(outbound),
     .help = "How others are called."},
    {.path = "allowed_origins", .type = VL_OPTION_ORIGINS,
     .example = "https://app.example.com", .max = 32,
     .at = IN(allowed_origins), .count_at = IN(allowed_origin_count),
     .help = "Web pages, besides those of public_url, whose scripts may call "
             "the MCP servers."},
    {.path = "tokens", .type = VL_OPTION_SECTION, TABLE(tokens),
     .help = "How long the tokens live that clients get."},
    {.path = "store", .type = VL_OPTION_SECTION, TABLE(store),
     .help = "Where sessions are kept."},
    {.path = "keys", .type = VL_OPTION_SECTION, TABLE(keys),
     .help = "What the store is encrypted with."},
    {.path = "limits", .type = VL_OPTION_SECTION, TABLE(limits),
     .help = "What one server may be made to carry."},
    {.path = "log", .type = VL_OPTION_SECTION, TABLE(logs),
     .help = "What operators read."},
    {.path = "audit", .type = VL_OPTION_SECTION, TABLE(audit),
     .help = "What auditors read."},
};
/* clang-format on */

const struct vl_option *
vl_options(size_t *ret_count)
{
    *ret_count = VL_COUNT(options);
    return options;
}

const char *
vl_option_key(const struct vl_option *option)
{
    const char *dot = strrchr(option->path, '.');
    return dot ? dot + 1 : option->path;
}

const struct vl_option *
vl_option_find(const struct vl_option *table, size_t count, struct vl_str key)
{
    for (size_t i = 0; i < count; i++)
        if (vl_str_eqz(key, vl_option_key(&table[i])))
            return &table[i];
    return NULL;
}
