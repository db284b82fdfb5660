/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients read before anything else, written once at start. Clients look
 * in different places: the well-known name alone, with the path of the issuer
 * or of a resource after it, or appended to that path. All of them get the
 * same document. What is not there is 404: clients then try the next place,
 * which they do not after a 401 or 5xx (@spec AS-04 RS-08).
 */
#include "guard/policy.h"
#include "issuer/desk.h"
#include "oauth/error.h"
#include "oauth/metadata.h"

#define WELL_KNOWN    "/.well-known/"
#define SERVER_NAME   WELL_KNOWN "oauth-authorization-server"
#define OPENID_NAME   WELL_KNOWN "openid-configuration"
#define RESOURCE_NAME WELL_KNOWN "oauth-protected-resource"

struct vl_desk_document {
    struct vl_buf body;
    size_t uses; /* paths it stands under */
};

static struct vl_str
path_of(const char *text)
{
    struct vl_url url;
    if (vl_url_parse(vl_str_z(text), &url, NULL) != VALET_OK)
        return (struct vl_str){NULL, 0};
    return vl_str_ends(url.path, VL_STR("/"))
               ? vl_str_head(url.path, url.path.n - 1)
               : url.path;
}

static void
put(struct vl_issuer *issuer, struct vl_str front, struct vl_str back,
    struct vl_desk_document *document)
{
    vl_auto(vl_buf) path = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_add(&path, front);
    vl_buf_add(&path, back);
    /* The first one stays: the root's document before an alias. */
    if (!path.failed && !vl_map_find(&issuer->documents, vl_buf_str(&path))) {
        (void)vl_map_put(&issuer->documents, vl_buf_str(&path), document);
        document->uses++;
    }
}

static struct vl_desk_document *
new_document(void)
{
    struct vl_desk_document *document = vl_alloc(sizeof *document);
    document->body = vl_buf_of(VL_LIMIT_DOCUMENT);
    return document;
}

static void
put_server(struct vl_issuer *issuer, const char *name, bool oidc_shaped)
{
    const struct vl_issuer_config *config = issuer->config;
    struct vl_desk_document *document = new_document();
    vl_metadata_write_server(&document->body,
                             &(struct vl_server_metadata){
                                 .issuer = vl_str_z(config->issuer),
                                 .scopes = vl_policy_known_scopes(),
                                 .can_register = config->registration_dynamic,
                                 .oidc_shaped = oidc_shaped});
    put(issuer, vl_str_z(name), (struct vl_str){NULL, 0}, document);
    put(issuer, vl_str_z(name), issuer->base, document);
    put(issuer, issuer->base, vl_str_z(name), document);
    for (size_t i = 0; i < config->resource_count; i++) {
        struct vl_str path = path_of(config->resources[i]);
        put(issuer, vl_str_z(name), path, document);
        put(issuer, path, vl_str_z(name), document);
    }
    if (config->alias)
        put(issuer, vl_str_z(name), path_of(config->alias), document);
}

/* @spec RS-06 RS-08 */
static void
put_resource(struct vl_issuer *issuer, const char *resource, bool is_default)
{
    struct vl_desk_document *document = new_document();
    struct vl_str path = path_of(resource);
    vl_metadata_write_resource(&document->body,
                               &(struct vl_resource_metadata){
                                   .resource = vl_str_z(resource),
                                   .issuer = vl_str_z(issuer->config->issuer),
                                   .scopes = vl_policy_known_scopes()});
    put(issuer, VL_STR(RESOURCE_NAME), path, document);
    if (is_default) {
        put(issuer, VL_STR(RESOURCE_NAME), (struct vl_str){NULL, 0}, document);
        put(issuer, VL_STR(RESOURCE_NAME), issuer->base, document);
    }
    if (document->uses == 0) { /* two resources with one path */
        vl_buf_done(&document->body);
        free(document);
    }
}

void
vl_documents_init(struct vl_issuer *issuer)
{
    vl_map_init(&issuer->documents);
    put_server(issuer, SERVER_NAME, false);
    put_server(issuer, OPENID_NAME, true);
    for (size_t i = 0; i < issuer->config->resource_count; i++)
        put_resource(issuer, issuer->config->resources[i], i == 0);
    /* A client checks that the document names the URL it was given. */
    if (issuer->config->alias)
        put_resource(issuer, issuer->config->alias, false);
}

static void
drop(struct vl_str path, void *value, void *ctx)
{
    struct vl_desk_document *document = value;
    (void)path, (void)ctx;
    if (--document->uses > 0)
        return;
    vl_buf_done(&document->body);
    free(document);
}

void
vl_documents_done(struct vl_issuer *issuer)
{
    vl_map_each(&issuer->documents, drop, NULL);
    vl_map_done(&issuer->documents);
}

/* @spec rule 4.4.13: with and without a final slash alike. */
static const struct vl_desk_document *
find(const struct vl_issuer *issuer, struct vl_str path)
{
    if (vl_str_ends(path, VL_STR("/")))
        path.n--;
    return vl_map_find(&issuer->documents, path);
}

bool
vl_documents_owns(const struct vl_issuer *issuer, struct vl_str path)
{
    return vl_str_starts(path, VL_STR(WELL_KNOWN)) ||
           find(issuer, path) != NULL;
}

void
vl_documents_reply(struct vl_issuer *issuer, struct vl_exchange *x)
{
    const struct vl_http_request *in = vl_exchange_request(x);
    const struct vl_desk_document *document = find(issuer, in->path);
    struct vl_reply reply = {.status = 404, .type = "application/json"};
    if (!document) {
        reply.body = VL_STR("{\"error\":\"not_found\"}");
        vl_oauth_headers(&reply, NULL);
    } else if (!vl_str_eqz(in->method, "GET") &&
               !vl_str_eqz(in->method, "HEAD")) {
        reply.status = 405;
        reply.body = VL_STR("{\"error\":\"invalid_request\"}");
        vl_oauth_headers(&reply, NULL);
        vl_reply_add(&reply, "Allow", VL_STR("GET, HEAD"));
    } else {
        reply.status = 200;
        reply.body = vl_buf_str(&document->body);
        vl_oauth_headers(&reply, "public, max-age=300");
    }
    vl_exchange_reply(x, &reply);
}
