/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/local/whom.h"

#include <limits.h>

#include "core/installed.h"
#include "core/principal.h"
#include "core/status.h"

/* --- what holds --- */

static const char *
choose(const char *typed, const char *variable, const char *kept)
{
    const char *set = variable ? vl_environment(variable) : NULL;
    return typed ? typed : set && set[0] ? set : kept;
}

/* The Azure SDKs write it with a slash at its end. */
static const char *
without_slash(struct vl_arena *arena, const char *url)
{
    struct vl_str s = vl_str_z(url);
    if (!vl_str_ends(s, VL_STR("/")))
        return url;
    return vl_arena_cstr(arena, vl_str_head(s, s.n - 1));
}

static valet_status
settle(struct vl_whom *whom, valet_error *err)
{
    VL_TRY(vl_settings_read(&whom->kept, err));
    const struct vl_settings *kept = &whom->kept;
    whom->now = (struct vl_settings){
        .arena = vl_arena_of(4 * PATH_MAX),
        .tenant = choose(whom->tenant, "AZURE_TENANT_ID", kept->tenant),
        .client_id =
            choose(whom->client_id, "AZURE_CLIENT_ID", kept->client_id),
        .authority_host = choose(whom->authority_host, "AZURE_AUTHORITY_HOST",
                                 kept->authority_host),
        .ca_file = choose(whom->ca_file, NULL, kept->ca_file),
        .cache_file =
            choose(whom->cache_file, "MCP_VALET_CACHE_FILE", kept->cache_file),
    };
    whom->now.authority_host =
        without_slash(&whom->now.arena, whom->now.authority_host);
    if (whom->secret_service)
        whom->now.cache_file = NULL;
    return VALET_OK;
}

/* --- the client --- */

/* @spec S-22: a person at a shell is of one tenant at a time. */
static bool
is_many(const char *tenant)
{
    static const char *const names[] = {"common", "organizations", "consumers"};
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_ieq(vl_str_z(tenant), vl_str_z(names[i])))
            return true;
    return false;
}

static valet_status
miss(valet_error *err, const char *what, const char *option,
     const char *variable)
{
    return vl_fail(err, VALET_INVALID, "not_configured",
                   "%s is not known: give %s, or set %s, or sign in once with "
                   "mcp-valet login %s …, which remembers it",
                   what, option, variable, option);
}

static valet_status
make_client(struct vl_whom *whom, valet_error *err)
{
    vl_auto(vl_buf) modules = vl_buf_of(PATH_MAX);
    const struct vl_settings *now = &whom->now;
    vl_modules_of_helper(&modules);
    VL_TRY(vl_buf_check(&modules, err));
    const valet_client_options options = {
        .kind = VALET_CLIENT_PUBLIC,
        .client_id = now->client_id,
        .tenant = now->tenant,
        .authority_host = now->authority_host,
        .cache =
            now->cache_file ? VALET_CACHE_FILE : VALET_CACHE_SECRET_SERVICE,
        .cache_file = now->cache_file,
        .modules = vl_buf_cstr(&modules),
        .ca_file = now->ca_file,
        .capabilities = whom->capabilities,
    };
    return valet_client_new(&options, &whom->client, err);
}

valet_status
vl_whom_find(struct vl_whom *whom, valet_error *err)
{
    if (whom->cache_file && whom->secret_service)
        return vl_fail(err, VALET_INVALID, "",
                       "tokens are kept by --cache-file or by "
                       "--secret-service, not by both");
    VL_TRY(settle(whom, err));
    if (!whom->now.client_id)
        return miss(err, "the application's (client) id", "--client-id ID",
                    "AZURE_CLIENT_ID");
    if (is_many(whom->now.tenant))
        return vl_fail(err, VALET_INVALID, "",
                       "%s is no tenant: give the id or a domain of the one "
                       "that is meant",
                       whom->now.tenant);
    /* Some authorities have one tenant alone. */
    valet_status status = make_client(whom, err);
    if (status != VALET_OK && !whom->now.tenant)
        return miss(err, "the tenant", "--tenant TENANT", "AZURE_TENANT_ID");
    return status;
}

int
vl_whom_open(struct vl_whom *whom)
{
    valet_error err = {0};
    if (vl_whom_find(whom, &err) == VALET_OK)
        return VL_EXIT_OK;
    vl_complain("%s", err.message);
    return VL_EXIT_USAGE;
}

void
vl_whom_close(struct vl_whom *whom)
{
    vl_whom_done(whom);
    whom->client = NULL;
    whom->kept = whom->now = (struct vl_settings){.arena = vl_arena_of(0)};
}

void
vl_whom_done(struct vl_whom *whom)
{
    valet_client_free(whom->client);
    vl_settings_done(&whom->now);
    vl_settings_done(&whom->kept);
}

const char *
vl_whom_place(const struct vl_whom *whom)
{
    return whom->now.cache_file ? whom->now.cache_file : "the Secret Service";
}

/* --- for later --- */

/* The next command may be given in another folder. */
static valet_status
make_absolute(struct vl_arena *arena, const char **path, valet_error *err)
{
    char real[PATH_MAX];
    if (!*path)
        return VALET_OK;
    const char *copy =
        realpath(*path, real) ? vl_arena_cstr(arena, vl_str_z(real)) : NULL;
    if (!copy)
        return vl_fail(err, VALET_NOT_FOUND, "", "cannot find %s", *path);
    *path = copy;
    return VALET_OK;
}

valet_status
vl_whom_remember(struct vl_whom *whom, const char *tenant_id, valet_error *err)
{
    struct vl_settings *now = &whom->now;
    VL_TRY(make_absolute(&now->arena, &now->ca_file, err));
    VL_TRY(make_absolute(&now->arena, &now->cache_file, err));
    /* With the id of a domain's tenant nobody need be asked for it again. */
    if (now->tenant && tenant_id && !vl_guid_is_valid(vl_str_z(now->tenant)))
        now->tenant = tenant_id;
    return vl_settings_eq(now, &whom->kept) ? VALET_OK
                                            : vl_settings_write(now, err);
}

/* --- in a command line --- */

static bool
is_plain(const char *text)
{
    static const char signs[] = "@%+=:,./_-";
    for (const char *c = text; *c; c++)
        if (!vl_is_letter(*c) && !vl_is_digit(*c) && !strchr(signs, *c))
            return false;
    return text[0] != '\0';
}

void
vl_add_option(struct vl_buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    vl_buf_addf(out, " %s ", name);
    if (is_plain(value)) {
        vl_buf_addz(out, value);
        return;
    }
    vl_buf_addc(out, '\'');
    for (const char *c = value; *c; c++)
        if (*c == '\'')
            vl_buf_addz(out, "'\\''");
        else
            vl_buf_addc(out, *c);
    vl_buf_addc(out, '\'');
}

void
vl_whom_add_options(const struct vl_whom *whom, struct vl_buf *out)
{
    vl_add_option(out, "--tenant", whom->tenant);
    vl_add_option(out, "--client-id", whom->client_id);
    vl_add_option(out, "--authority-host", whom->authority_host);
    vl_add_option(out, "--ca-file", whom->ca_file);
    vl_add_option(out, "--cache-file", whom->cache_file);
    if (whom->secret_service)
        vl_buf_addz(out, " --secret-service");
}
