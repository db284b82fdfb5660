/* SPDX-License-Identifier: Apache-2.0
 *
 * The way in: addresses, TLS, and the proxies that may speak for others
 * (@spec S-96).
 */
#include "core/status.h"
#include "gateway/private.h"
#include "http/url.h"
#include "io/tls.h"

/* Says which part of the configuration named the file. */
static valet_status
name_option(const char *option, valet_status status, const valet_error *why,
            valet_error *err)
{
    return status == VALET_OK
               ? VALET_OK
               : vl_fail(err, status, "", "%s: %s", option, why->message);
}

valet_status
vl_front_check(const struct vl_conf *conf, valet_error *err)
{
    struct vl_tls *tls = NULL;
    valet_error why = {0};
    valet_status status = VALET_OK;
    if (conf->tls_certificate_file)
        status = vl_tls_new(conf->tls_certificate_file, conf->tls_key_file,
                            &tls, &why);
    if (status != VALET_OK)
        return name_option("tls", status, &why, err);
    vl_tls_free(tls);
    if (conf->outbound_ca_file)
        status = vl_fetch_check_roots(conf->outbound_ca_file, &why);
    return name_option("outbound.ca_file", status, &why, err);
}

/* The host that clients compare the certificate with. */
static void
find_host(const struct vl_conf *conf, char ret[VL_HOST_SIZE])
{
    struct vl_url url;
    struct vl_str host = VL_STR("localhost");
    if (vl_url_parse(vl_str_z(conf->public_url), &url, NULL) == VALET_OK)
        host = url.host;
    (void)snprintf(ret, VL_HOST_SIZE, VL_STR_FMT, VL_STR_ARG(host));
}

static void
judge(const struct vl_conf *conf, struct vl_tls *tls, vl_gateway_tell *tell,
      void *ctx)
{
    char host[VL_HOST_SIZE], sentence[1024];
    const char *out_of_date = vl_tls_out_of_date(tls);
    find_host(conf, host);
    if (!vl_tls_covers(tls, host)) {
        (void)snprintf(sentence, sizeof sentence,
                       "the certificate in %s is not for %s, the host of "
                       "public_url: clients will refuse it; have one issued "
                       "for this name",
                       conf->tls_certificate_file, host);
        tell(sentence, ctx);
    }
    if (out_of_date) {
        (void)snprintf(sentence, sizeof sentence,
                       "the certificate in %s %s: clients will refuse it; "
                       "have it renewed, and look at this machine's clock",
                       conf->tls_certificate_file, out_of_date);
        tell(sentence, ctx);
    }
}

void
vl_front_warn(const struct vl_conf *conf, vl_gateway_tell *tell, void *ctx)
{
    struct vl_tls *tls = NULL;
    /* Files that are no good are an error, and told as one. */
    if (!conf->tls_certificate_file ||
        vl_tls_new(conf->tls_certificate_file, conf->tls_key_file, &tls,
                   NULL) != VALET_OK)
        return;
    judge(conf, tls, tell, ctx);
    vl_tls_free(tls);
}

void
vl_front_renew(struct vl_gateway *gateway)
{
    valet_error err = {0};
    if (!gateway->tls)
        return;
    if (vl_tls_reload(gateway->tls, &err) != VALET_OK) {
        vl_log(gateway->log, VL_LOG_ERROR,
               "the certificate stays as it was: %s", err.message);
        return;
    }
    vl_log(gateway->log, VL_LOG_INFO, "read certificate and key again");
    judge(gateway->conf, gateway->tls, vl_gateway_note, gateway);
}

static void
refuse(const char *peer, const char *reason, void *ctx)
{
    const struct vl_gateway *gateway = ctx;
    vl_audit(gateway->audit,
             &(struct vl_audit_event){.kind = VL_AUDIT_REQUEST_REJECT,
                                      .refused = true,
                                      .reason = reason,
                                      .peer = peer});
}

static valet_status
prepare(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    struct vl_http_trust *trust = &gateway->trust;
    *trust = (struct vl_http_trust){.proxies = gateway->proxies,
                                    .proxies_only = !conf->listen_is_loopback &&
                                                    !conf->tls_certificate_file,
                                    .refused = refuse,
                                    .ctx = gateway};
    for (size_t i = 0; i < conf->trusted_proxy_count; i++)
        if (vl_network_parse(vl_str_z(conf->trusted_proxies[i]),
                             &gateway->proxies[trust->proxy_count]))
            trust->proxy_count++;
    return conf->tls_certificate_file
               ? vl_tls_new(conf->tls_certificate_file, conf->tls_key_file,
                            &gateway->tls, err)
               : VALET_OK;
}

void
vl_front_guard(struct vl_gateway *gateway, struct vl_http_server *server)
{
    vl_http_server_trust(server, &gateway->trust);
    if (gateway->tls)
        vl_http_server_secure(server, gateway->tls);
}

/*
 * "localhost" is both loopbacks. A machine without IPv6 has one of them; but a
 * port that is taken on ::1 is an error: whoever has it would get what
 * browsers send to localhost, codes and tokens included.
 */
static valet_status
bind_ipv6(struct vl_gateway *gateway, valet_error *err)
{
    valet_error why = {0};
    valet_status status =
        vl_http_group_listen(gateway->group, "::1", gateway->port, NULL, &why);
    if (status == VALET_OK)
        return VALET_OK;
    if (status == VALET_CONFLICT)
        return vl_fail(err, VALET_CONFLICT, "", "%s", why.message);
    vl_log(gateway->log, VL_LOG_WARN, "not listening on ::1: %s", why.message);
    return VALET_OK;
}

static valet_status
bind_all(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    const char *host = conf->listen_host;
    bool both = strcmp(host, "localhost") == 0;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections = conf->max_connections;
    limits.connections_per_address = conf->max_connections_per_address;
    VL_TRY(vl_http_raise_nofile(limits.connections, err));
    gateway->group = vl_http_group_new(gateway->lane_count, &limits);
    VL_TRY(vl_http_group_listen(gateway->group, both ? "127.0.0.1" : host,
                                conf->listen_port, &gateway->port, err));
    return both ? bind_ipv6(gateway, err) : VALET_OK;
}

valet_status
vl_front_open(struct vl_gateway *gateway, valet_error *err)
{
    const struct vl_conf *conf = gateway->conf;
    VL_TRY(prepare(gateway, err));
    VL_TRY(bind_all(gateway, err));
    if (conf->public_url[0])
        (void)snprintf(gateway->url, sizeof gateway->url, "%s",
                       conf->public_url);
    else /* @spec W-21: what clients use, with the port that was bound */
        (void)snprintf(gateway->url, sizeof gateway->url, "%s://localhost:%u",
                       gateway->tls ? "https" : "http", gateway->port);
    return VALET_OK;
}
