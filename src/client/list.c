/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is signed in, and signing out.
 */
#include "client/account.h"
#include "core/status.h"
#include "entra/remember.h"

/* Names and ids of as many accounts as a cache has room for. */
#define TEXTS_MAX    4194304
#define ACCOUNTS_MAX VL_LIMIT_CACHE_ENTRIES

struct vl_accounts_inside {
    struct vl_arena arena;
    valet_account accounts[];
};

struct listing {
    struct vl_arena arena;
    valet_account *accounts; /* NULL: they are only counted */
    size_t count;
    bool failed;
};

/* --- the list --- */

static const char *
copy(struct listing *listing, struct vl_str text)
{
    const char *copy = text.n ? vl_arena_cstr(&listing->arena, text) : NULL;
    listing->failed = listing->failed || (text.n && !copy);
    return copy;
}

static bool
visit(const struct vl_cache_account *account, void *ctx)
{
    struct listing *listing = ctx;
    if (listing->accounts)
        listing->accounts[listing->count] = (valet_account){
            .id = copy(listing, account->home_account_id),
            .username = copy(listing, account->username),
            .name = copy(listing, account->name),
            .tenant_id =
                copy(listing, vl_account_tenant(account->home_account_id)),
        };
    listing->count++;
    return true;
}

static valet_status
list(struct vl_engine *engine, void *ctx, valet_error *err)
{
    valet_account_list *ret = ctx;
    struct listing listing = {.arena = vl_arena_of(TEXTS_MAX)};
    VL_TRY(vl_engine_load(engine, err));
    struct vl_str environment =
        vl_cache_environment(engine->cache, vl_engine_host(engine));
    vl_cache_each_account(engine->cache, environment, visit, &listing);
    struct vl_accounts_inside *inside =
        vl_alloc(sizeof *inside + listing.count * sizeof *inside->accounts);
    listing.accounts = inside->accounts;
    listing.count = 0;
    vl_cache_each_account(engine->cache, environment, visit, &listing);
    inside->arena = listing.arena;
    *ret = (valet_account_list){inside->accounts, listing.count, inside};
    if (!listing.failed)
        return VALET_OK;
    valet_account_list_done(ret);
    return vl_fail(err, VALET_LIMIT, "", "the accounts have too much text");
}

valet_status
valet_accounts(valet_client *client, valet_account_list *ret, valet_error *err)
{
    *ret = (valet_account_list){.inside = NULL};
    VL_TRY(vl_client_start(client, err));
    return vl_engine_do(client->engine, list, ret, err);
}

void
valet_account_list_done(valet_account_list *list)
{
    if (list->inside) {
        vl_arena_done(&list->inside->arena);
        free(list->inside);
    }
    *list = (valet_account_list){.inside = NULL};
}

/* --- signing out --- */

struct choice {
    struct vl_str name, id;
    size_t count;
};

static bool
choose(const struct vl_cache_account *account, void *ctx)
{
    struct choice *choice = ctx;
    if (vl_account_is(account, choice->name)) {
        choice->id = account->home_account_id;
        choice->count++;
    }
    return true;
}

static valet_status
sign_out(struct vl_engine *engine, void *ctx, valet_error *err)
{
    struct choice choice = {.name = vl_str_z(ctx)};
    char id[VL_HOME_ACCOUNT_SIZE];
    VL_TRY(vl_engine_load(engine, err));
    struct vl_str environment =
        vl_cache_environment(engine->cache, vl_engine_host(engine));
    vl_cache_each_account(engine->cache, environment, choose, &choice);
    if (choice.count > 1)
        return vl_fail(err, VALET_CONFLICT, "several_accounts",
                       "several accounts have this name: give the id");
    if (choice.count == 0 || choice.id.n >= sizeof id)
        return vl_fail(err, VALET_NOT_FOUND, "no_account",
                       "this account is not signed in");
    /* The id is the cache's, which is about to be changed. */
    (void)snprintf(id, sizeof id, VL_STR_FMT, VL_STR_ARG(choice.id));
    (void)vl_cache_remove_account(engine->cache, vl_str_z(id), environment,
                                  vl_clock_now(engine->client->clock) / 1000);
    return vl_engine_save(engine, err);
}

valet_status
valet_sign_out(valet_client *client, const char *account, valet_error *err)
{
    vl_auto(vl_buf) name = vl_buf_of(VL_CLIENT_TEXT_MAX);
    vl_buf_addz(&name, account);
    if (vl_buf_size(&name) == 0 || vl_buf_check(&name, NULL) != VALET_OK)
        return vl_fail(err, VALET_INVALID, "", "which account is not said");
    VL_TRY(vl_client_start(client, err));
    return vl_engine_do(client->engine, sign_out,
                        (void *)(uintptr_t)vl_buf_cstr(&name), err);
}
