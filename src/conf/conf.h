/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration: one YAML file, checked whole before anything starts. One
 * table (conf/options.c) names every option with its type, range, default and
 * help; parser, --help, manual page, sample file and JSON Schema grow from
 * it. Immutable after loading.
 *
 * A mistake is VALET_INVALID with "FILE:LINE:COLUMN: what is wrong; what to
 * write instead". A value that names a secret is a reference to a file or an
 * environment variable, never the secret. Messages quote keys but no values:
 * what stands in the wrong place may be a secret.
 */
#ifndef VL_CONF_CONF_H
#define VL_CONF_CONF_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/secret.h"

/* Of `trusted_proxies:`. */
#define VL_CONF_PROXIES_MAX 32

enum vl_server_kind { VL_SERVER_BUILTIN_GRAPH };

/* One MCP server behind us (`servers:`). */
struct vl_conf_server {
    const char *name; /* of letters, digits, '-' and '_' */
    enum vl_server_kind kind;
    const char *graph_select; /* "displayName,mail,userPrincipalName" */
};

/* One pre-registered MCP client (`clients:`). */
struct vl_conf_client {
    const char *id;
    const char *name;
    const char *const *redirect_uris;
    size_t redirect_uri_count;
};

/* What Entra takes us for. Only a confidential client can be a server. */
enum vl_conf_client_type { VL_CLIENT_CONFIDENTIAL, VL_CLIENT_PUBLIC };

struct vl_conf {
    /* listen, public_url */
    const char *listen_host; /* numeric, or "localhost": both loopbacks */
    unsigned listen_port;
    bool listen_is_loopback;
    /* No trailing slash: http://localhost:3001. "" when it is not given and
     * the port is 0: then http://localhost:PORT with the port that was got
     * (https:// with TLS). */
    const char *public_url;

    unsigned workers; /* 0: as many as there are cores */

    /* Both, or both NULL: no TLS. */
    const char *tls_certificate_file, *tls_key_file;
    const char *const *trusted_proxies; /* as vl_network_parse() takes them */
    size_t trusted_proxy_count;
    const char *outbound_ca_file; /* or NULL */

    /* entra: */
    const char *tenant_id; /* a GUID or a domain, never "common" */
    const char *client_id;
    enum vl_conf_client_type client_type;
    const char *client_secret_file;      /* or NULL */
    const char *client_secret_env;       /* name of the variable, or NULL */
    struct vl_secret client_secret;      /* what one of the two holds */
    const char *client_certificate_file; /* in place of a secret, or NULL */
    struct vl_secret client_certificate; /* what it holds: PEM, unread */
    const char *authority_host;          /* https://login.microsoftonline.com */
    const char *graph_url;               /* https://graph.microsoft.com */
    const char *entra_scopes; /* "openid profile offline_access User.Read" */
    const char *graph_select; /* of the first server, see there */

    struct vl_conf_server *servers; /* the first is the default one */
    size_t server_count;
    bool names_servers; /* it is not the default */
    struct vl_conf_client *clients;
    size_t client_count;
    bool registration_dynamic;
    unsigned registration_max;         /* dynamic registrations in all */
    unsigned registration_per_address; /* per hour */
    int64_t registration_unused_ms;    /* never used ones expire after */

    const char *required_scopes; /* space-separated, as they were written */
    const char *open_scopes;     /* the same; "" is none */
    int64_t access_token_ms, refresh_token_ms, session_max_ms;

    /* Relative ones are taken from the folder of the configuration file. */
    const char *store_path;             /* SQLite file */
    const char *key_path;               /* master keys, see crypto/keyring.h */
    const char *audit_path;             /* JSON lines; "" is none */
    const char *const *allowed_origins; /* of browsers, besides public_url */
    size_t allowed_origin_count;

    unsigned max_connections, max_connections_per_address;
    unsigned requests_per_minute; /* of one address to one endpoint */
    unsigned flows_per_address;   /* sign-ins that are under way */
    unsigned sessions_per_user;
    int64_t graph_cache_ms; /* how long profiles are remembered; 0: not */
    enum vl_log_level log_level;
    bool log_json;

    struct vl_arena *arena; /* owns all the texts */
    /* Sentences for the operator about what was accepted but is unwise, such
     * as a secret from the environment. */
    const char *warnings[8];
    size_t warning_count;
};

/* Where variables come from: getenv in production. */
typedef const char *vl_conf_env(const char *name);

/*
 * Reads and checks the file; `path` NULL: defaults and environment alone.
 * AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST
 * and the sample's FR_TENANT_ID, FR_API_CLIENT_ID, FR_API_CLIENT_SECRET and
 * PORT fill what the file does not say (the file wins, then AZURE_, then FR_).
 */
valet_status vl_conf_load(const char *path, vl_conf_env *env,
                          struct vl_conf **ret, valet_error *err) VALET_CHECK;
/* The same from text; `name` stands for the file in messages. */
valet_status
vl_conf_parse(const char *name, struct vl_str text, vl_conf_env *env,
              struct vl_conf **ret, valet_error *err) VALET_CHECK;
void vl_conf_free(struct vl_conf *conf);

/* Text grown from the option table. */
void vl_conf_help(struct vl_buf *out);   /* for --help: name, default, help */
void vl_conf_sample(struct vl_buf *out); /* a commented YAML file */
void vl_conf_schema(struct vl_buf *out); /* JSON Schema 2020-12 */
void vl_conf_man(struct vl_buf *out);    /* mdoc, for mcp-valet.yaml(5) */

#endif
