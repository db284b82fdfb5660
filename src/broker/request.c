/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request.h"

#include "json/write.h"

/* The numbers of MSAL's runtime. Brokers after 2.0.1 want the one that belongs
 * to the method. */
enum { CACHED_REFRESH_TOKEN = 1, INTERACTIVE = 6 };

static struct vl_str
redirect_of(struct vl_str redirect_uri)
{
    return redirect_uri.n ? redirect_uri : VL_STR(VL_BROKER_REDIRECT_URI);
}

static void
add_if_told(struct vl_json_out *out, const char *key, struct vl_str value)
{
    if (value.n)
        vl_json_add_str(out, key, value);
}

static void
add_scopes(struct vl_json_out *out, struct vl_str scopes)
{
    struct vl_str scope;
    vl_json_open_key(out, "requestedScopes", '[');
    while (vl_str_split(&scopes, ' ', &scope))
        add_if_told(out, NULL, scope);
    vl_json_close(out, ']');
}

/* Whom the broker's page begins with. */
static struct vl_str
username_of(const struct vl_broker_in *in, const struct json_t *account)
{
    if (account)
        return vl_json_get_str(account, "username");
    return in->login_hint.n ? in->login_hint : in->account;
}

static void
add_parameters(struct vl_json_out *out, const struct vl_broker_in *in,
               const struct json_t *account)
{
    if (account)
        vl_json_add_value(out, "account", account);
    vl_json_open_key(out, "additionalQueryParametersForAuthorization", '{');
    if (in->interactive)
        add_if_told(out, "domain_hint", in->domain_hint);
    vl_json_close(out, '}');
    vl_json_add_str(out, "authority", in->authority);
    vl_json_add_int(out, "authorizationType",
                    in->interactive ? INTERACTIVE : CACHED_REFRESH_TOKEN);
    vl_json_add_str(out, "clientId", in->client_id);
    add_if_told(out, "decodedClaims", in->claims);
    if (in->interactive)
        add_if_told(out, "prompt", in->prompt);
    vl_json_add_str(out, "redirectUri", redirect_of(in->redirect_uri));
    add_scopes(out, in->scopes);
    add_if_told(out, "username", username_of(in, account));
    /* Of which window it is a dialog: of none, since we have none and take no
     * other program's (@spec S-28 W-39). */
    vl_json_add_int(out, "uxContextHandle", -1);
}

void
vl_broker_write_acquire(const struct vl_broker_in *in,
                        const struct json_t *account, struct vl_buf *buf)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    if (account)
        vl_json_add_value(&out, "account", account);
    vl_json_open_key(&out, "authParameters", '{');
    add_parameters(&out, in, account);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
}

void
vl_broker_write_accounts(struct vl_str client_id, struct vl_str redirect_uri,
                         struct vl_buf *buf)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_str(&out, "clientId", client_id);
    vl_json_add_str(&out, "redirectUri", redirect_of(redirect_uri));
    vl_json_close(&out, '}');
}

void
vl_broker_write_version(struct vl_buf *buf)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "msalCppVersion", VALET_VERSION);
    vl_json_close(&out, '}');
}

void
vl_broker_write_cancel(const char *correlation_id, struct vl_buf *buf)
{
    struct vl_json_out out = {buf, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "correlationId", correlation_id);
    vl_json_close(&out, '}');
}
