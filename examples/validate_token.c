/* SPDX-License-Identifier: Apache-2.0
 *
 * An API's side of a call: is this access token good, and whose is it?
 *
 *     cc validate_token.c $(pkg-config --cflags --libs valet)
 *     VALET_TENANT=… VALET_AUDIENCE=… ./a.out < token
 *
 * The token comes on standard input, as in an Authorization header without
 * "Bearer ". Ends with 0 if it is good, 1 if not, 3 if that cannot be told
 * now; 2: the settings are wrong.
 *
 *     VALET_TENANT     whose people may call: the tenant's id
 *     VALET_AUDIENCE   this API's application id (v2 tokens) or its URI (v1)
 *     VALET_SCOPE      what the token has to allow; any scope if unset
 *     VALET_AUTHORITY  another cloud than the public one
 */
#include <stdio.h>
#include <stdlib.h>

#include <valet/validate.h>

enum { GOOD = 0, BAD = 1, SETTINGS = 2, LATER = 3, TOKEN_SIZE = 20000 };

/* A list of one, or NULL: the default, which is the strict choice. */
static const char *const *
only(const char *value, const char *ret[2])
{
    ret[0] = value;
    ret[1] = NULL;
    return value ? ret : NULL;
}

/* A service keeps its validator: it holds the issuer's keys, and any number of
 * threads may ask it. */
static valet_validator *
make_validator(void)
{
    const char *tenants[2], *audiences[2], *scopes[2];
    const valet_validator_options options = {
        .tenants = only(getenv("VALET_TENANT"), tenants),
        .audiences = only(getenv("VALET_AUDIENCE"), audiences),
        .scopes = only(getenv("VALET_SCOPE"), scopes),
        .authority_host = getenv("VALET_AUTHORITY"),
    };
    valet_validator *validator;
    valet_error error = {0};
    if (valet_validator_new(&options, &validator, &error) == VALET_OK)
        return validator;
    fprintf(stderr, "settings: %s\n", error.message);
    return NULL;
}

static int
judge(valet_validator *validator, const char *text, size_t size)
{
    valet_token token;
    valet_error error = {0};
    valet_status status = valet_validate(validator, text, size, &token, &error);
    if (status != VALET_OK) {
        /* For our log. Who sent the token learns no more than 401 or 503. */
        fprintf(stderr, "%s: %s\n", error.code, error.message);
        return status == VALET_RETRY ? LATER : BAD;
    }
    /* Tenant and object id together are who it is, for ever; names are not. */
    printf("%s %s of tenant %s by client %s\n",
           token.kind == VALET_TOKEN_USER ? "person" : "application",
           token.object_id, token.tenant_id, token.client_id);
    const char *name;
    if (valet_token_claim(&token, "name", &name) == VALET_CLAIM_STRING)
        printf("name: %s\n", name);
    if (token.scopes)
        printf("scopes: %s\n", token.scopes);
    valet_token_done(&token);
    return GOOD;
}

int
main(void)
{
    char text[TOKEN_SIZE];
    size_t size = fread(text, 1, sizeof text, stdin);
    if (size > 0 && text[size - 1] == '\n')
        size--;
    valet_validator *validator = make_validator();
    if (!validator)
        return SETTINGS;
    int result = judge(validator, text, size);
    valet_validator_free(validator);
    return result;
}
