/* SPDX-License-Identifier: Apache-2.0
 *
 * What this server proves itself to Entra ID with (@spec S-04).
 */
#include "core/status.h"
#include "gateway/private.h"

valet_status
vl_credential_read(const struct vl_conf *conf, struct vl_signer **ret,
                   valet_error *err)
{
    valet_error why = {0};
    struct vl_str pem = vl_secret_reveal(&conf->client_certificate);
    *ret = NULL;
    if (!conf->client_certificate_file)
        return VALET_OK;
    valet_status status = vl_signer_of_pem(pem, pem, ret, &why);
    return status == VALET_OK
               ? VALET_OK
               : vl_fail(err, status, "", "entra.client_certificate_file: %s",
                         why.message);
}

valet_status
vl_credential_check(const struct vl_conf *conf, valet_error *err)
{
    struct vl_signer *signer = NULL;
    VL_TRY(vl_credential_read(conf, &signer, err));
    vl_signer_free(signer);
    return VALET_OK;
}

struct vl_client_auth
vl_credential_of(const struct vl_conf *conf, const struct vl_signer *signer)
{
    return signer ? (struct vl_client_auth){.kind = VL_AUTH_CERTIFICATE,
                                            .certificate = signer}
                  : (struct vl_client_auth){.kind = VL_AUTH_SECRET,
                                            .secret = &conf->client_secret};
}
