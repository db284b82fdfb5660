/* SPDX-License-Identifier: Apache-2.0
 *
 * An API that is asked what it makes of tokens: options as NAME=VALUE (lists
 * by repeating the name), a token a line on standard input, a verdict a line
 * on standard output. "refresh" in place of a token fetches the keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "valet/validate.h"

enum { LIST_MAX = 8, LINE_MAX_SIZE = 40000 };

struct list {
    const char *items[LIST_MAX + 1];
    size_t count;
};

static struct list tenants, audiences, clients, scopes, app_roles;

static const char *
add(struct list *list, const char *value)
{
    if (list->count == LIST_MAX)
        abort();
    list->items[list->count++] = value;
    return value;
}

static const char *const *
get(const struct list *list)
{
    return list->count ? list->items : NULL;
}

/* The value of NAME=VALUE; NULL when it is another name. */
static const char *
value_of(const char *arg, const char *name)
{
    size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static void
read_option(const char *arg, valet_validator_options *options)
{
    const char *value;
    if ((value = value_of(arg, "tenant")))
        (void)add(&tenants, value);
    else if ((value = value_of(arg, "audience")))
        (void)add(&audiences, value);
    else if ((value = value_of(arg, "client")))
        (void)add(&clients, value);
    else if ((value = value_of(arg, "scope")))
        (void)add(&scopes, value);
    else if ((value = value_of(arg, "app_role")))
        (void)add(&app_roles, value);
    else if ((value = value_of(arg, "authority_host")))
        options->authority_host = value;
    else if ((value = value_of(arg, "issuer")))
        options->issuer = value;
    else if ((value = value_of(arg, "jwks_uri")))
        options->jwks_uri = value;
    else if ((value = value_of(arg, "ca_file")))
        options->ca_file = value;
    else
        abort();
}

static void
answer(valet_validator *validator, const char *text)
{
    valet_token token;
    valet_error err = {0};
    valet_status status;
    if (strcmp(text, "refresh") == 0) {
        status = valet_validator_refresh(validator, &err);
        (void)printf("%s %s\n", valet_status_name(status), err.message);
        return;
    }
    status = valet_validate(validator, text, strlen(text), &token, &err);
    if (status != VALET_OK) {
        (void)printf("%s %s\n", valet_status_name(status), err.code);
        return;
    }
    (void)printf("ok v%d %s tid=%s oid=%s client=%s scopes=%s\n",
                 token.entra_version,
                 token.kind == VALET_TOKEN_USER ? "user" : "app",
                 token.tenant_id ? token.tenant_id : "",
                 token.object_id ? token.object_id : "",
                 token.client_id ? token.client_id : "",
                 token.scopes ? token.scopes : "");
    valet_token_done(&token);
}

int
main(int argc, char **argv)
{
    static char line[LINE_MAX_SIZE];
    valet_validator_options options = {.fetch_timeout_ms = 5000};
    valet_validator *validator;
    valet_error err = {0};
    for (int i = 1; i < argc; i++)
        read_option(argv[i], &options);
    options.tenants = get(&tenants);
    options.audiences = get(&audiences);
    options.clients = get(&clients);
    options.scopes = get(&scopes);
    options.app_roles = get(&app_roles);
    if (valet_validator_new(&options, &validator, &err) != VALET_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    (void)printf("{\"event\":\"ready\"}\n");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(validator, line);
        (void)fflush(stdout);
    }
    valet_validator_free(validator);
    return 0;
}
