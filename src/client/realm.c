/* SPDX-License-Identifier: Apache-2.0 */
#include "client/realm.h"

#include "core/principal.h"

static void
on_ahead_ended(void *ctx)
{
    vl_engine_look(ctx);
}

static struct vl_realm *
make(struct vl_engine *engine, struct vl_str tenant)
{
    const struct vl_client_config *config = &engine->client->config;
    const struct vl_clock *clock = engine->client->clock;
    struct vl_realm *realm = vl_alloc(sizeof *realm);
    vl_auto(vl_buf) name = vl_buf_of(VL_CLIENT_TEXT_MAX);
    vl_buf_add(&name, tenant);
    *realm = (struct vl_realm){.tenant = vl_strdup(vl_buf_cstr(&name))};
    realm->instance = vl_instance_of_tenant(&config->instance, realm->tenant);
    realm->authority = vl_authority_new(engine->loop, engine->fetcher, clock,
                                        &realm->instance);
    realm->desk = (struct vl_grant_desk){
        .fetcher = engine->fetcher,
        .authority = realm->authority,
        .clock = clock,
        .throttle = engine->throttle,
        .auth = &config->auth,
        .client_id = config->client_id,
        .capabilities = config->capabilities,
    };
    realm->acquirer = (struct vl_acquirer){
        .desk = &realm->desk,
        .loop = engine->loop,
        .cache = engine->cache,
        .keep = engine->keep,
        .host = vl_engine_host(engine),
        .ahead_ended = on_ahead_ended,
        .ctx = engine,
    };
    vl_acquirer_init(&realm->acquirer);
    if (vl_guid_is_valid(tenant))
        vl_realm_is(realm, realm->tenant);
    vl_list_add_last(&engine->realms, &realm->node);
    return realm;
}

struct vl_realm *
vl_realm_get(struct vl_engine *engine, struct vl_str tenant)
{
    if (!tenant.n)
        tenant = vl_str_z(engine->client->config.instance.tenant);
    VL_LIST_EACH (node, &engine->realms) {
        struct vl_realm *realm = VL_CONTAINER(node, struct vl_realm, node);
        if (vl_str_ieq(vl_str_z(realm->tenant), tenant))
            return realm;
    }
    return make(engine, tenant);
}

void
vl_realm_is(struct vl_realm *realm, const char *tenant_id)
{
    (void)snprintf(realm->tenant_id, sizeof realm->tenant_id, "%s", tenant_id);
    realm->acquirer.tenant_id = vl_str_z(realm->tenant_id);
}

void
vl_realm_free(struct vl_realm *realm)
{
    vl_list_remove(&realm->node);
    vl_acquirer_done(&realm->acquirer);
    vl_authority_free(realm->authority);
    free(realm->tenant);
    free(realm);
}
