/* SPDX-License-Identifier: Apache-2.0
 *
 * How long it takes to be given a token that is in the cache, in a program
 * that has asked for it before.
 *
 *     bench-acquire CLIENT_ID TENANT AUTHORITY_HOST CA_FILE CACHE_FILE SCOPE
 *
 * For each line of standard input, a number of milliseconds, it asks for so
 * long and prints one line of JSON: microseconds of CPU time of the process
 * for one call, threads included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "valet/entra.h"

#define BATCH 1000

static valet_client *client;
static valet_request request;

static void
ask(void)
{
    valet_auth_result result;
    valet_entra_error error;
    if (valet_acquire(client, &request, &result, &error) != VALET_OK ||
        result.source != VALET_SOURCE_CACHE ||
        strlen(result.access_token) < 9) {
        (void)fprintf(stderr, "%s: %s\n", error.error.code,
                      error.error.message);
        exit(1);
    }
    valet_auth_result_done(&result);
}

int
main(int argc, char **argv)
{
    valet_error err = {.status = VALET_OK};
    char line[64];
    if (argc != 7)
        return 2;
    const valet_client_options options = {.kind = VALET_CLIENT_PUBLIC,
                                          .client_id = argv[1],
                                          .tenant = argv[2],
                                          .authority_host = argv[3],
                                          .ca_file = argv[4],
                                          .cache = VALET_CACHE_FILE,
                                          .cache_file = argv[5]};
    const char *const scopes[] = {argv[6], NULL};
    request.scopes = scopes;
    if (valet_client_new(&options, &client, &err) != VALET_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    ask();
    while (fgets(line, sizeof line, stdin)) {
        (void)printf("{\"us\":%.4f}\n", measure(ask, BATCH, atof(line)));
        (void)fflush(stdout);
    }
    valet_client_free(client);
    return 0;
}
