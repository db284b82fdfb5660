/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom the commands of a person ask, and where their tokens are: from the
 * command line, else from the environment, else from what the last sign-in has
 * left (@spec S-21 W-35). Nothing is compiled in.
 */
#ifndef VL_APPS_LOCAL_WHOM_H
#define VL_APPS_LOCAL_WHOM_H

#include "apps/command/command.h"
#include "apps/local/settings.h"
#include "valet/entra.h"

struct vl_whom {
    /* What was typed; borrowed. */
    const char *tenant, *client_id, *authority_host, *ca_file, *cache_file;
    bool secret_service;
    /* What the program can do (valet/entra.h); or NULL. */
    const char *const *capabilities;

    struct vl_settings kept; /* as they were found */
    struct vl_settings now;  /* what holds, and `kept`'s texts */
    valet_client *client;
};

/* Rows of a command's options, and the lines of its usage. */
#define VL_WHOM_OPTIONS(whom)                                                  \
    {.name = "--tenant", .value = &(whom).tenant},                             \
        {.name = "--client-id", .value = &(whom).client_id},                   \
        {.name = "--authority-host", .value = &(whom).authority_host},         \
        {.name = "--ca-file", .value = &(whom).ca_file},                       \
        {.name = "--cache-file", .value = &(whom).cache_file},                 \
    {                                                                          \
        .name = "--secret-service", .flag = &(whom).secret_service             \
    }
#define VL_WHOM_USAGE                                                          \
    "Whom to ask, and where tokens are kept; without these options what the\n" \
    "environment says, else what the last login remembered:\n"                 \
    "  --tenant TENANT       its id or domain (AZURE_TENANT_ID)\n"             \
    "  --client-id ID        the application's id (AZURE_CLIENT_ID)\n"         \
    "  --authority-host URL  another cloud than the public one\n"              \
    "                        (AZURE_AUTHORITY_HOST)\n"                         \
    "  --ca-file FILE        PEM, trusted besides the system's\n"              \
    "  --cache-file FILE     tokens are in this file, encrypted, its key in\n" \
    "                        FILE.key (MCP_VALET_CACHE_FILE) …\n"            \
    "  --secret-service      … or in the Secret Service, as is the default\n"

/*
 * Makes the client; nobody is asked yet. VL_EXIT_OK; else it has been
 * complained about. `whom` goes to vl_whom_done() in any case.
 */
int vl_whom_open(struct vl_whom *whom);
/* The same for who has nobody to complain to. */
valet_status vl_whom_find(struct vl_whom *whom, valet_error *err) VALET_CHECK;
/* After one that failed: what was typed is still there, and it can be tried
 * again. */
void vl_whom_close(struct vl_whom *whom);
void vl_whom_done(struct vl_whom *whom);

/* Remembers what held, for the next commands. `tenant_id` is the id of the
 * tenant that signed the person in. */
valet_status vl_whom_remember(struct vl_whom *whom, const char *tenant_id,
                              valet_error *err) VALET_CHECK;
/* "the Secret Service", or the file. */
const char *vl_whom_place(const struct vl_whom *whom);

/* Adds the options that were typed, as a shell reads them. */
void vl_whom_add_options(const struct vl_whom *whom, struct vl_buf *out);
/* Adds " NAME VALUE", quoted for a shell where it has to be; NULL: nothing. */
void vl_add_option(struct vl_buf *out, const char *name, const char *value);

#endif
