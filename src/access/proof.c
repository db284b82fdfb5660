/* SPDX-License-Identifier: Apache-2.0 */
#include "access/proof.h"

#include "core/enc.h"
#include "core/status.h"
#include "http/url.h"
#include "jose/assertion.h"

/* A key of 4096 bits in PEM is 3.3 kB, its certificate may lie beside it. */
#define KEY_FILE_MAX 16384
/* Long enough for two clocks that differ, and for one request. */
#define ASSERTION_S 300
/* Of a host, in a sentence. */
#define SHOWN_MAX 80

void
vl_access_client_done(struct vl_access_client *client)
{
    free(client->id);
    free(client->redirect_uri);
    free(client->key_file);
    vl_secret_done(&client->secret);
    *client = (struct vl_access_client){.id = NULL};
}

struct vl_str
vl_issuer_host(const char *issuer)
{
    struct vl_url url;
    if (vl_url_parse(vl_str_z(issuer), &url, NULL) != VALET_OK)
        return VL_STR("the authorization server");
    return vl_str_head(url.host, SHOWN_MAX);
}

/*
 * @spec CL-10 EX-03. Who says nothing takes Basic (RFC 8414 section 2). Who has
 * neither secret nor key can send nothing but its name, and many servers that
 * take public clients do not list it.
 */
unsigned
vl_access_proof(const struct vl_site *site, bool has_secret, bool has_key)
{
    static const unsigned of_secret[] = {VL_PROOF_BASIC, VL_PROOF_POST,
                                         VL_PROOF_NONE};
    unsigned known = site->proofs;
    if (has_key && (!known || (known & VL_PROOF_PRIVATE_KEY_JWT)))
        return VL_PROOF_PRIVATE_KEY_JWT;
    if (!has_secret)
        return has_key ? 0 : VL_PROOF_NONE;
    for (size_t i = 0; i < VL_COUNT(of_secret); i++)
        if (!known || (known & of_secret[i]))
            return of_secret[i];
    return 0;
}

/* RFC 6749 section 2.3.1: each is escaped as in a form, then both are put
 * together. */
static valet_status
add_basic(const struct vl_access_client *client, struct vl_buf *header,
          valet_error *err)
{
    vl_auto(vl_buf) pair = vl_buf_of_secret(VL_PROOF_HEADER_MAX);
    vl_enc_percent(&pair, vl_str_z(client->id));
    vl_buf_addc(&pair, ':');
    vl_enc_percent(&pair, vl_secret_reveal(&client->secret));
    VL_TRY(vl_buf_check(&pair, err));
    vl_buf_addz(header, "Basic ");
    vl_enc_base64(header, vl_buf_str(&pair));
    return vl_buf_check(header, err);
}

static valet_status
read_key(const char *path, struct vl_signer **ret, valet_error *err)
{
    valet_error why = {0};
    vl_auto(vl_buf) pem = vl_buf_of_secret(KEY_FILE_MAX);
    VL_TRY(vl_file_read_linked(path, &pem, err));
    valet_status status = vl_signer_of_key(vl_buf_str(&pem), ret, &why);
    if (status == VALET_OK)
        return VALET_OK;
    return vl_fail(err, status, "", "%.120s: %s", path, why.message);
}

/* EX-03: what it says it can verify, if it says so. */
static valet_status
check_algorithm(const struct vl_site *site, const struct vl_signer *signer,
                valet_error *err)
{
    const char *algorithm = vl_signer_algorithm(signer);
    bool is_listed =
        strcmp(algorithm, "ES256") == 0 ? site->signs_es256 : site->signs_rs256;
    if (is_listed || (!site->signs_es256 && !site->signs_rs256))
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "",
                   VL_STR_FMT " takes no signatures by %s, which the key makes",
                   VL_STR_ARG(vl_issuer_host(site->issuer)), algorithm);
}

/* @spec EX-02 EX-04: the issuer is the audience, so that no other server can
 * use what it was sent. */
static valet_status
add_signed(const struct vl_site *site, const struct vl_access_client *client,
           const struct vl_signer *signer, struct vl_buf *form,
           valet_error *err)
{
    vl_auto(vl_buf) token = vl_buf_of_secret(VL_LIMIT_JWT);
    struct vl_assertion assertion = {
        .client_id = vl_str_z(client->id),
        .audience = vl_str_z(site->issuer),
        .now_s = vl_clock_now(&vl_clock_system) / 1000,
        .lifetime_s = ASSERTION_S,
    };
    VL_TRY(check_algorithm(site, signer, err));
    VL_TRY(vl_assertion_write(signer, &assertion, &token, err));
    vl_form_add(form, "client_assertion_type",
                VL_STR("urn:ietf:params:oauth:client-assertion-type:"
                       "jwt-bearer"));
    vl_form_add(form, "client_assertion", vl_buf_str(&token));
    return VALET_OK;
}

static valet_status
add_assertion(const struct vl_site *site, const struct vl_access_client *client,
              struct vl_buf *form, valet_error *err)
{
    struct vl_signer *signer;
    if (!client->key_file)
        return vl_fail(err, VALET_INVALID, "", "there is no key to sign with");
    VL_TRY(read_key(client->key_file, &signer, err));
    valet_status status = add_signed(site, client, signer, form, err);
    vl_signer_free(signer);
    return status;
}

valet_status
vl_proof_add(const struct vl_site *site, const struct vl_access_client *client,
             struct vl_buf *form, struct vl_buf *header, valet_error *err)
{
    if (!client->id)
        return vl_fail(err, VALET_INVALID, "", "there is no client id");
    if (client->proof == VL_PROOF_BASIC)
        return add_basic(client, header, err);
    vl_form_add(form, "client_id", vl_str_z(client->id));
    switch (client->proof) {
    case VL_PROOF_NONE:
        return VALET_OK;
    case VL_PROOF_POST:
        vl_form_add(form, "client_secret", vl_secret_reveal(&client->secret));
        return VALET_OK;
    case VL_PROOF_PRIVATE_KEY_JWT:
        return add_assertion(site, client, form, err);
    default:
        return vl_fail(err, VALET_INVALID, "",
                       VL_STR_FMT " takes no proof that this client has",
                       VL_STR_ARG(vl_issuer_host(site->issuer)));
    }
}
