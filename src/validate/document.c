/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/document.h"

#include "core/limits.h"
#include "core/status.h"
#include "http/url.h"
#include "json/read.h"

static valet_status
refuse(valet_error *err, const char *what)
{
    return vl_fail(err, VALET_DENIED, "", "the OpenID configuration %s", what);
}

/* Clear text only on this machine, and only when the issuer is here too. */
static bool
is_safe(const struct vl_url *url, const struct vl_rules *rules)
{
    struct vl_url document;
    if (vl_url_is_https(url))
        return true;
    return vl_url_is_http(url) && vl_url_is_loopback(url) &&
           vl_url_parse(vl_str_z(rules->document_url), &document, NULL) ==
               VALET_OK &&
           vl_url_is_loopback(&document);
}

valet_status
vl_document_read(struct vl_str json, const struct vl_rules *rules,
                 struct vl_buf *ret_uri, valet_error *err)
{
    vl_auto(vl_json) document = {NULL};
    struct vl_url url, origin;
    VL_TRY(vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &document, err));
    struct vl_str uri = vl_json_get_str(document.root, "jwks_uri");
    if (!vl_str_eq(vl_json_get_str(document.root, "issuer"),
                   rules->document_says))
        return refuse(err, "is of another issuer");
    if (!uri.n || vl_url_parse(uri, &url, NULL) != VALET_OK ||
        !is_safe(&url, rules))
        return refuse(err, "has no usable jwks_uri");
    if (rules->key_origin &&
        (vl_url_parse(vl_str_z(rules->key_origin), &origin, NULL) != VALET_OK ||
         !vl_url_same_origin(&url, &origin)))
        return refuse(err, "has its keys on another host than the authority");
    vl_buf_add(ret_uri, uri);
    return vl_buf_check(ret_uri, err);
}
