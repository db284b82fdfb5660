/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a stranger answers: as the document of a resource, as that of an
 * authorization server, as a registration, as a token, and as a challenge. What
 * is taken of it keeps the rules.
 */
#include "access/address.h"
#include "access/answer.h"
#include "access/documents.h"
#include "access/registration.h"
#include "oauth/scope.h"
#include "oauth/words.h"

#define SERVER "https://a.example/mcp"
#define ISSUER "https://as.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_address(const char *address, const struct vl_url *server)
{
    if (address)
        VL_ASSERT(vl_address_check(vl_str_z(address), "it", server, NULL) ==
                  VALET_OK);
}

static void
read_resource(struct vl_str text, const struct vl_url *server)
{
    const char *issuer;
    vl_auto(vl_site) site;
    vl_site_init(&site);
    if (vl_document_read_resource(text, server, &site, &issuer, NULL) !=
        VALET_OK)
        return;
    VL_ASSERT(vl_resource_covers(vl_str_z(site.resource), server));
    check_address(issuer, server);
    if (!site.resource_scopes)
        return;
    struct vl_str rest = vl_str_z(site.resource_scopes), scope;
    while (vl_str_split(&rest, ' ', &scope))
        VL_ASSERT(vl_scope_is_valid(scope));
}

static void
read_server(struct vl_str text, const struct vl_url *server, bool is_guessed)
{
    struct vl_document_of of = {server, ISSUER, is_guessed};
    vl_auto(vl_site) site;
    vl_site_init(&site);
    if (vl_document_read_server(text, &of, &site, NULL) != VALET_OK)
        return;
    VL_ASSERT(vl_str_starts(vl_str_z(site.issuer), VL_STR(ISSUER)));
    VL_ASSERT(site.token_endpoint);
    VL_ASSERT(!site.authorization_endpoint == !!site.no_sign_in);
    check_address(site.authorization_endpoint, server);
    check_address(site.token_endpoint, server);
    check_address(site.registration_endpoint, server);
}

static void
read_answers(struct vl_str text)
{
    struct vl_site site = {.issuer = ISSUER};
    valet_error err;
    vl_auto(vl_access_client) client = {.id = NULL};
    vl_auto(vl_access_tokens) tokens = {.scope = NULL};
    if (vl_registration_read(&site, 201, text, "http://localhost/", &client,
                             &err) == VALET_OK)
        VL_ASSERT(client.id && client.id[0] && vl_proof_name(client.proof));
    (void)!vl_registration_read(&site, 400, text, "", &client, &err);
    if (vl_token_read(&site, 200, text, 1, &tokens, &err) == VL_REDEEM_FINE)
        VL_ASSERT(!vl_secret_is_empty(&tokens.access) &&
                  vl_oauth_is_token(vl_secret_reveal(&tokens.access)) &&
                  vl_oauth_is_token(vl_secret_reveal(&tokens.refresh)));
    else
        VL_ASSERT(vl_secret_is_empty(&tokens.access));
    VL_ASSERT(vl_token_read(&site, 400, text, 1, &tokens, &err) !=
              VL_REDEEM_FINE);
}

static void
read_challenge(struct vl_str text)
{
    struct vl_url url;
    struct vl_headers headers = {.count = 0};
    struct vl_site_challenge challenge;
    VL_ASSERT(vl_headers_add(&headers, VL_STR("WWW-Authenticate"), text));
    vl_site_challenge_init(&challenge);
    vl_site_challenge_read(&headers, &challenge);
    struct vl_str metadata = vl_buf_str(&challenge.resource_metadata);
    struct vl_str scope = vl_buf_str(&challenge.scope);
    VL_ASSERT(!metadata.n || vl_url_parse(metadata, &url, NULL) == VALET_OK);
    VL_ASSERT(!scope.n || vl_scope_is_valid(scope));
    VL_ASSERT(challenge.is_there ||
              (!metadata.n && !scope.n && !vl_buf_size(&challenge.error)));
    vl_site_challenge_done(&challenge);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_url server;
    VL_ASSERT(vl_url_parse(VL_STR(SERVER), &server, NULL) == VALET_OK);
    read_resource(text, &server);
    read_server(text, &server, false);
    read_server(text, &server, true);
    read_answers(text);
    read_challenge(text);
    return 0;
}
