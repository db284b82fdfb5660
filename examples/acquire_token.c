/* SPDX-License-Identifier: Apache-2.0
 *
 * A program on a person's machine gets a token in their name: silently if they
 * signed in before, else by their browser or a code on another device.
 *
 *     cc acquire_token.c $(pkg-config --cflags --libs valet)
 *     VALET_CLIENT_ID=… VALET_TENANT=… ./a.out SCOPE… | validate_token
 *
 * The token goes to standard output: for a pipe, not for eyes. Ends with 0, or
 * with 1 if there is none; 2: the settings are wrong.
 *
 *     VALET_CLIENT_ID   the application's id
 *     VALET_TENANT      the tenant's id or domain
 *     VALET_CACHE_FILE  where sign-ins are kept; in memory alone if unset
 *     VALET_ACCOUNT     whose token, if several people signed in
 *     VALET_AUTHORITY   another cloud than the public one
 */
#include <stdio.h>
#include <stdlib.h>

#include <valet/entra.h>

static valet_client *
make_client(void)
{
    const char *file = getenv("VALET_CACHE_FILE");
    const valet_client_options options = {
        .kind = VALET_CLIENT_PUBLIC,
        .client_id = getenv("VALET_CLIENT_ID"),
        .tenant = getenv("VALET_TENANT"),
        .authority_host = getenv("VALET_AUTHORITY"),
        .cache = file ? VALET_CACHE_FILE : VALET_CACHE_MEMORY,
        .cache_file = file,
    };
    valet_client *client;
    valet_error error = {0};
    if (valet_client_new(&options, &client, &error) == VALET_OK)
        return client;
    fprintf(stderr, "settings: %s\n", error.message);
    return NULL;
}

static void
tell(const valet_progress *progress, void *ctx)
{
    (void)ctx;
    if (progress->failed)
        fprintf(stderr, "not this way: %s\n", progress->failed);
    else if (progress->method == VALET_METHOD_DEVICE_CODE)
        fprintf(stderr, "To sign in, open %s on any device and type %s\n",
                progress->url, progress->user_code);
    else
        fprintf(stderr, "Sign in in the window that opened.\n");
}

static valet_status
get_token(valet_client *client, const char *const *scopes,
          valet_auth_result *ret, valet_entra_error *error)
{
    valet_entra_error silent;
    valet_request request = {.scopes = scopes,
                             .account = getenv("VALET_ACCOUNT")};
    if (valet_acquire(client, &request, ret, &silent) == VALET_OK)
        return VALET_OK;
    *error = silent;
    /* Anything else would not be better after a sign-in. */
    if (silent.next != VALET_NEXT_SIGN_IN)
        return silent.error.status;
    request.flow = VALET_FLOW_SIGN_IN;
    request.claims = silent.claims[0] ? silent.claims : NULL;
    request.tell = tell;
    return valet_acquire(client, &request, ret, error);
}

int
main(int argc, char **argv)
{
    valet_client *client = argc > 1 ? make_client() : NULL;
    if (!client)
        return 2;
    valet_auth_result result;
    valet_entra_error error;
    const char *const *scopes = (const char *const *)argv + 1;
    valet_status status = get_token(client, scopes, &result, &error);
    if (status == VALET_OK) {
        fprintf(stderr, "a token of %s, from %s\n", result.username,
                valet_source_name(result.source));
        printf("%s\n", result.access_token);
        valet_auth_result_done(&result);
    } else {
        fprintf(stderr, "%s; next: %s\n", error.error.message,
                valet_next_name(error.next));
    }
    valet_client_free(client);
    return status == VALET_OK ? 0 : 1;
}
