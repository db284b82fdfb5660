/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/profiles.h"

#include "core/list.h"
#include "core/map.h"

/* Sign-ins that are remembered to have asked. The one that asked longest ago
 * goes when there are more, and what is known of its person with it. */
#define SIGN_INS_MAX 1000

/* @spec W-16 S-62: tenant and object id, as in the store. */
#define USER_SIZE ((size_t)2 * VL_GUID_SIZE)

struct sign_in {
    struct vl_list node; /* the one that asked longest ago first */
    char session[VL_SESSION_ID_SIZE];
    char user[USER_SIZE];
};

struct vl_profiles {
    struct vl_graph *graph;
    bool remembers;
    struct vl_map by_session;
    struct vl_list sign_ins;
};

struct vl_profiles *
vl_profiles_new(const struct vl_graph_config *config)
{
    struct vl_profiles *profiles = vl_alloc(sizeof *profiles);
    profiles->graph = vl_graph_new(config);
    profiles->remembers = config->ttl_ms > 0;
    vl_map_init(&profiles->by_session);
    vl_list_init(&profiles->sign_ins);
    return profiles;
}

static void
drop(struct vl_profiles *profiles, struct sign_in *sign_in)
{
    vl_graph_forget(profiles->graph, vl_str_z(sign_in->user));
    (void)vl_map_take(&profiles->by_session, vl_str_z(sign_in->session));
    vl_list_remove(&sign_in->node);
    free(sign_in);
}

void
vl_profiles_free(struct vl_profiles *profiles)
{
    if (!profiles)
        return;
    VL_LIST_EACH (node, &profiles->sign_ins)
        drop(profiles, VL_CONTAINER(node, struct sign_in, node));
    vl_map_done(&profiles->by_session);
    vl_graph_free(profiles->graph);
    free(profiles);
}

static struct sign_in *
find(const struct vl_profiles *profiles, const char *session)
{
    return vl_map_find(&profiles->by_session, vl_str_z(session));
}

static struct sign_in *
add(struct vl_profiles *profiles, const char *session, const char *user)
{
    struct sign_in *sign_in = vl_alloc(sizeof *sign_in);
    if (vl_map_size(&profiles->by_session) >= SIGN_INS_MAX)
        drop(profiles,
             VL_CONTAINER(profiles->sign_ins.next, struct sign_in, node));
    (void)snprintf(sign_in->session, sizeof sign_in->session, "%s", session);
    (void)snprintf(sign_in->user, sizeof sign_in->user, "%s", user);
    vl_list_init(&sign_in->node);
    (void)vl_map_put(&profiles->by_session, vl_str_z(session), sign_in);
    return sign_in;
}

static void
note(struct vl_profiles *profiles, const char *session, const char *user)
{
    struct sign_in *sign_in = find(profiles, session);
    if (!sign_in)
        sign_in = add(profiles, session, user);
    vl_list_remove(&sign_in->node);
    vl_list_add_last(&profiles->sign_ins, &sign_in->node);
}

struct vl_graph_me *
vl_profiles_ask(struct vl_profiles *profiles, const struct vl_principal *who,
                const struct vl_graph_request *request, vl_graph_done *done,
                void *ctx)
{
    struct vl_graph_request whole = *request;
    char user[USER_SIZE];
    (void)snprintf(user, sizeof user, "%s.%s", who->user.tid, who->user.oid);
    whole.user = vl_str_z(user);
    if (profiles->remembers)
        note(profiles, who->session, user);
    return vl_graph_me_start(profiles->graph, &whole, done, ctx);
}

void
vl_profiles_end(struct vl_profiles *profiles, const char *session)
{
    struct sign_in *sign_in = find(profiles, session);
    if (sign_in)
        drop(profiles, sign_in);
}
