/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules that join several options. Each option by itself has passed the table
 * already.
 */
#include <stdarg.h>

#include "conf/load.h"
#include "conf/syntax.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/network.h"

/* Entra's secrets have 40 characters. */
#define SECRET_SIZE 1024
/* A chain and a key of 4096 bits. */
#define CERTIFICATE_SIZE 65536

static valet_status
fail_for_room(struct vl_conf_loader *loader)
{
    return vl_fail(loader->err, VALET_LIMIT, "",
                   "the configuration is too large to be kept");
}

static void warn(struct vl_conf *conf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
warn(struct vl_conf *conf, const char *format, ...)
{
    char sentence[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    const char *copy = vl_arena_cstr(conf->arena, vl_str_z(sentence));
    if (copy && conf->warning_count < VL_COUNT(conf->warnings))
        conf->warnings[conf->warning_count++] = copy;
}

/* @spec W-21 S-96: no clear text on a network that others share. */
static valet_status
check_listen(struct vl_conf_loader *loader)
{
    struct vl_conf *conf = loader->conf;
    bool certificate = conf->tls_certificate_file != NULL;
    bool key = conf->tls_key_file != NULL;
    conf->listen_is_loopback = strcmp(conf->listen_host, "localhost") == 0 ||
                               vl_address_is_loopback(conf->listen_host);
    if (certificate != key)
        return vl_conf_fail(loader, vl_conf_place(loader, "tls"), "half_tls",
                            "tls needs a certificate and its key; write %s: "
                            "PATH too",
                            key ? "certificate_file" : "key_file");
    if (conf->listen_is_loopback || certificate || conf->trusted_proxy_count)
        return VALET_OK;
    return vl_conf_fail(loader, vl_conf_place(loader, "listen"), "clear_text",
                        "listen must be a loopback address, or tokens would "
                        "travel in clear text; write localhost:%u, or tls "
                        "with certificate_file and key_file, or "
                        "trusted_proxies with the proxy that speaks TLS",
                        conf->listen_port);
}

/* A container whose port is mapped to the loopback of its host has this, and
 * so has a mistake. */
static void
look_at_url(struct vl_conf *conf)
{
    if (!conf->listen_is_loopback &&
        vl_syntax_is_loopback(vl_str_z(conf->public_url)))
        warn(conf, "public_url is a loopback and listen is not: others can "
                   "connect, but only who reaches this server as localhost "
                   "can sign in, and web pages of localhost may call it; "
                   "write the URL that clients use");
}

static valet_status
check_url(struct vl_conf_loader *loader)
{
    struct vl_conf *conf = loader->conf;
    const char *scheme = conf->tls_certificate_file ? "https" : "http";
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_STATE);
    if (conf->public_url && strlen(conf->public_url) > VL_LIMIT_PUBLIC_URL)
        return vl_conf_fail(loader, vl_conf_place(loader, "public_url"),
                            "long_url",
                            "public_url must be at most %d bytes, as it "
                            "begins every address of this server; write a "
                            "shorter one",
                            VL_LIMIT_PUBLIC_URL);
    if (conf->public_url && conf->tls_certificate_file &&
        !vl_str_starts(vl_str_z(conf->public_url), VL_STR("https:")))
        return vl_conf_fail(loader, vl_conf_place(loader, "public_url"),
                            "clear_url",
                            "public_url begins with http, but with tls this "
                            "server is reached over https alone; write "
                            "https://");
    if (conf->public_url) {
        look_at_url(conf);
        return VALET_OK;
    }
    if (!conf->listen_is_loopback)
        return vl_conf_fail(loader, vl_conf_place(loader, "listen"),
                            "no_public_url",
                            "public_url is missing, and a server that others "
                            "reach has no name by itself; write public_url: "
                            "https:// and the host that clients use");
    /* @spec S-58: never taken from a request's Host. */
    if (conf->listen_port)
        vl_buf_addf(&url, "%s://localhost:%u", scheme, conf->listen_port);
    conf->public_url = vl_arena_cstr(conf->arena, vl_buf_str(&url));
    return conf->public_url ? VALET_OK : fail_for_room(loader);
}

/* @spec S-04: each wrong pair of client type and credential by its name. */
static valet_status
check_client_type(struct vl_conf_loader *loader)
{
    const struct vl_conf *conf = loader->conf;
    struct vl_yaml_mark mark = vl_conf_place(loader, "entra.client_type");
    const char *secret =
        vl_conf_written(loader, "entra.client_secret_file")
            ? "client_secret_file"
        : vl_conf_written(loader, "entra.client_certificate_file")
            ? "client_certificate_file"
        : vl_conf_written(loader, "entra.client_secret_env")
            ? "client_secret_env"
            : NULL;
    if (conf->client_type == VL_CLIENT_CONFIDENTIAL)
        return VALET_OK;
    if (secret)
        return vl_conf_fail(loader, mark, "public_with_secret",
                            "entra.client_type is public, but a public client "
                            "cannot keep a secret, and %s names one; write "
                            "client_type: confidential",
                            secret);
    return vl_conf_fail(loader, mark, "public_server",
                        "entra.client_type is public, but a server signs in "
                        "with a secret of its own; write client_type: "
                        "confidential, or use the stdio command for a local "
                        "server");
}

static valet_status
keep_secret(struct vl_conf_loader *loader, const char *path, struct vl_str text)
{
    struct vl_yaml_mark mark = vl_conf_place(loader, path);
    if (vl_str_ends(text, VL_STR("\n")))
        text.n--;
    if (vl_str_ends(text, VL_STR("\r")))
        text.n--;
    if (text.n == 0)
        return vl_conf_fail(loader, mark, "empty_secret",
                            "%s names a client secret that is empty; write "
                            "the secret's value there, in one line",
                            path);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x21 || text.p[i] > 0x7e)
            return vl_conf_fail(loader, mark, "bad_secret",
                                "%s must name a client secret of visible "
                                "ASCII characters without spaces; write its "
                                "Value, alone and in one line",
                                path);
    loader->conf->client_secret = vl_secret_of(text);
    return VALET_OK;
}

static valet_status
read_secret_file(struct vl_conf_loader *loader)
{
    static const char path[] = "entra.client_secret_file";
    vl_auto(vl_buf) text = vl_buf_of_secret(SECRET_SIZE);
    valet_error reason;
    if (vl_file_read(loader->conf->client_secret_file, true, &text, &reason) ==
        VALET_OK)
        return keep_secret(loader, path, vl_buf_str(&text));
    return vl_conf_fail(loader, vl_conf_place(loader, path), "secret_file",
                        "%s: %s; write the path of a file that you alone may "
                        "read",
                        path, reason.message);
}

/* @spec S-57 S-92: accepted for development, and said aloud. */
static valet_status
read_secret_variable(struct vl_conf_loader *loader)
{
    static const char path[] = "entra.client_secret_env";
    const char *name = loader->conf->client_secret_env;
    const char *value = vl_conf_variable(loader, name);
    if (!value)
        return vl_conf_fail(loader, vl_conf_place(loader, path), "no_secret",
                            "%s names an environment variable that is not "
                            "set; set it, or write client_secret_file",
                            path);
    VL_TRY(keep_secret(loader, path, vl_str_z(value)));
    warn(loader->conf,
         "the client secret comes from the environment variable %s, where "
         "other programs of this user can read it; put it into a file and "
         "write entra.client_secret_file",
         name);
    return VALET_OK;
}

/* What is in it is for who knows about certificates. */
static valet_status
read_certificate_file(struct vl_conf_loader *loader)
{
    static const char path[] = "entra.client_certificate_file";
    vl_auto(vl_buf) text = vl_buf_of_secret(CERTIFICATE_SIZE);
    valet_error reason;
    if (vl_file_read(loader->conf->client_certificate_file, true, &text,
                     &reason) != VALET_OK)
        return vl_conf_fail(loader, vl_conf_place(loader, path),
                            "certificate_file",
                            "%s: %s; write the path of a file that you alone "
                            "may read",
                            path, reason.message);
    if (vl_buf_size(&text) == 0)
        return vl_conf_fail(loader, vl_conf_place(loader, path),
                            "empty_certificate",
                            "%s names a file that is empty; write the "
                            "certificate and its key there, as PEM",
                            path);
    loader->conf->client_certificate = vl_secret_of(vl_buf_str(&text));
    return VALET_OK;
}

static valet_status
check_credential(struct vl_conf_loader *loader)
{
    struct vl_conf *conf = loader->conf;
    bool env_written = vl_conf_written(loader, "entra.client_secret_env");
    if (conf->client_certificate_file &&
        (conf->client_secret_file || env_written))
        return vl_conf_fail(
            loader, vl_conf_place(loader, "entra.client_certificate_file"),
            "two_credentials",
            "client_certificate_file and %s are both given, and one of them "
            "would be without effect; write client_certificate_file alone",
            conf->client_secret_file ? "client_secret_file"
                                     : "client_secret_env");
    if (conf->client_certificate_file) {
        conf->client_secret_env = NULL; /* the file wins over AZURE_, FR_ */
        return read_certificate_file(loader);
    }
    if (conf->client_secret_file && env_written)
        return vl_conf_fail(loader,
                            vl_conf_place(loader, "entra.client_secret_env"),
                            "two_secrets",
                            "client_secret_env and client_secret_file are both "
                            "given, and one of them would be without effect; "
                            "write client_secret_file alone");
    if (conf->client_secret_file) {
        conf->client_secret_env = NULL; /* the file wins over AZURE_, FR_ */
        return read_secret_file(loader);
    }
    if (conf->client_secret_env)
        return read_secret_variable(loader);
    return vl_conf_fail(
        loader, vl_conf_place(loader, "entra"), "confidential_without_secret",
        "entra has no credential, but a server is a "
        "confidential client and must prove who it is; write "
        "client_certificate_file: PATH or client_secret_file: PATH");
}

static valet_status
check_entra_scopes(struct vl_conf_loader *loader)
{
    struct vl_conf *conf = loader->conf;
    struct vl_str scopes = vl_str_z(conf->entra_scopes);
    if (!vl_str_has_word(scopes, VL_STR("openid")))
        return vl_conf_fail(loader, vl_conf_place(loader, "entra.scopes"),
                            "no_openid",
                            "entra.scopes lacks openid, without which nobody "
                            "would know who has signed in; write openid too");
    if (!vl_str_has_word(scopes, VL_STR("offline_access")))
        warn(conf, "entra.scopes lacks offline_access: people have to sign "
                   "in again about every hour");
    return VALET_OK;
}

static valet_status
check_tokens(struct vl_conf_loader *loader)
{
    const struct vl_conf *conf = loader->conf;
    if (conf->access_token_ms > conf->refresh_token_ms)
        return vl_conf_fail(
            loader, vl_conf_place(loader, "tokens.access_lifetime"),
            "token_order",
            "tokens.access_lifetime is longer than tokens.refresh_lifetime; "
            "write a shorter one");
    if (conf->refresh_token_ms > conf->session_max_ms)
        return vl_conf_fail(
            loader, vl_conf_place(loader, "tokens.refresh_lifetime"),
            "token_order",
            "tokens.refresh_lifetime is longer than tokens.session_lifetime; "
            "write a shorter one");
    return VALET_OK;
}

static valet_status
check_limits(struct vl_conf_loader *loader)
{
    static const char path[] = "limits.connections_per_address";
    struct vl_conf *conf = loader->conf;
    if (conf->max_connections_per_address <= conf->max_connections)
        return VALET_OK;
    if (vl_conf_written(loader, path))
        return vl_conf_fail(loader, vl_conf_place(loader, path), "limit_order",
                            "%s is larger than limits.connections; write a "
                            "smaller one",
                            path);
    conf->max_connections_per_address = conf->max_connections;
    return VALET_OK;
}

static valet_status
check_clients(struct vl_conf_loader *loader)
{
    const struct vl_conf *conf = loader->conf;
    const struct vl_yaml *list = vl_conf_written(loader, "clients");
    for (size_t i = 1; i < conf->client_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct vl_yaml *id = vl_yaml_find(vl_yaml_at(list, i), "id");
            const struct vl_yaml *other =
                vl_yaml_find(vl_yaml_at(list, j), "id");
            if (strcmp(conf->clients[i].id, conf->clients[j].id) == 0)
                return vl_conf_fail(loader, vl_yaml_mark(id), "duplicate_id",
                                    "the client in line %u has this id "
                                    "already; write another one",
                                    vl_yaml_mark(other).line);
        }
    return VALET_OK;
}

valet_status
vl_conf_check(struct vl_conf_loader *loader)
{
    struct vl_conf *conf = loader->conf;
    conf->graph_select = conf->servers[0].graph_select;
    conf->names_servers = !vl_yaml_is_null(vl_conf_written(loader, "servers"));
    VL_TRY(check_listen(loader));
    VL_TRY(check_url(loader));
    VL_TRY(check_client_type(loader));
    VL_TRY(check_entra_scopes(loader));
    VL_TRY(check_tokens(loader));
    VL_TRY(check_limits(loader));
    VL_TRY(check_clients(loader));
    VL_TRY(vl_conf_check_files(loader));
    if (!conf->audit_path)
        conf->audit_path = "";
    if (!conf->open_scopes)
        conf->open_scopes = "";
    return check_credential(loader);
}
