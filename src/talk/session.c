/* SPDX-License-Identifier: Apache-2.0 */
#include "talk/session.h"

#include "core/limits.h"
#include "core/status.h"

struct vl_mcp_owner {
    struct vl_list idle; /* by last use */
    size_t count;        /* of its sessions, idle or not */
    size_t subscribed;   /* resources, of a user's sessions */
    size_t key_size;
    char key[];
};

void
vl_mcp_sessions_init(struct vl_mcp_sessions *sessions,
                     const struct vl_mcp_session_rules *rules)
{
    *sessions = (struct vl_mcp_sessions){.rules = *rules};
    vl_map_init(&sessions->by_id);
    vl_map_init(&sessions->owners);
    vl_map_init(&sessions->users);
    vl_list_init(&sessions->all);
    vl_list_init(&sessions->idle);
}

void
vl_mcp_sessions_done(struct vl_mcp_sessions *sessions)
{
    while (!vl_list_is_empty(&sessions->all))
        vl_mcp_session_end(
            VL_CONTAINER(sessions->all.next, struct vl_mcp_session, in_all),
            "shutdown");
    vl_map_done(&sessions->by_id);
    vl_map_done(&sessions->owners);
    vl_map_done(&sessions->users);
}

/* One more session of whoever has this key; made with the first. */
static struct vl_mcp_owner *
enter_owner(struct vl_map *owners, struct vl_str key)
{
    struct vl_mcp_owner *owner = vl_map_find(owners, key);
    if (!owner) {
        owner = vl_alloc(sizeof *owner + key.n);
        vl_list_init(&owner->idle);
        owner->key_size = key.n;
        memcpy(owner->key, key.p, key.n);
        (void)vl_map_put(owners, key, owner);
    }
    owner->count++;
    return owner;
}

static void
leave_owner(struct vl_map *owners, struct vl_mcp_owner *owner)
{
    if (--owner->count)
        return;
    (void)vl_map_take(owners, vl_str_of(owner->key, owner->key_size));
    free(owner);
}

/* Ids have no NUL in them, so the keys cannot be read in two ways. */
static void
enter_owners(struct vl_mcp_sessions *sessions,
             const struct vl_principal *principal,
             struct vl_mcp_owner **ret_owner, struct vl_mcp_owner **ret_user)
{
    char key[2 * VL_GUID_SIZE + VL_CLIENT_ID_SIZE];
    const char *parts[] = {principal->user.tid, principal->user.oid,
                           principal->client.text};
    size_t n = 0, user_size = 0;
    for (size_t i = 0; i < VL_COUNT(parts); i++) {
        size_t size = strlen(parts[i]) + 1;
        memcpy(key + n, parts[i], size);
        user_size = n;
        n += size;
    }
    *ret_owner = enter_owner(&sessions->owners, vl_str_of(key, n));
    *ret_user = enter_owner(&sessions->users, vl_str_of(key, user_size));
}

/* To the young end of the idle lists. */
static void
become_idle(struct vl_mcp_session *session, int64_t now)
{
    struct vl_mcp_sessions *sessions = session->table;
    session->used_ms = now;
    vl_list_remove(&session->in_idle);
    vl_list_remove(&session->in_owner_idle);
    vl_list_remove(&session->in_user_idle);
    vl_list_add_last(&sessions->idle, &session->in_idle);
    vl_list_add_last(&session->owner->idle, &session->in_owner_idle);
    vl_list_add_last(&session->user->idle, &session->in_user_idle);
}

void
vl_mcp_session_end(struct vl_mcp_session *session, const char *reason)
{
    struct vl_mcp_sessions *sessions = session->table;
    if (!sessions)
        return;
    /* Held, so that it survives what on_end sets off. */
    session->holds++;
    session->table = NULL;
    (void)vl_map_take(&sessions->by_id, vl_str_z(session->id));
    vl_list_remove(&session->in_all);
    vl_list_remove(&session->in_idle);
    vl_list_remove(&session->in_owner_idle);
    vl_list_remove(&session->in_user_idle);
    vl_list_remove(&session->in_missed);
    session->user->subscribed -= vl_map_size(&session->subscribed);
    leave_owner(&sessions->owners, session->owner);
    leave_owner(&sessions->users, session->user);
    session->owner = session->user = NULL;
    sessions->count--;
    sessions->rules.on_end(session, reason, sessions->rules.ctx);
    vl_mcp_session_release(session);
}

void
vl_mcp_sessions_end_family(struct vl_mcp_sessions *sessions, const char *family)
{
    /* on_end may end others too: start again after each. */
    bool found = true;
    while (found) {
        found = false;
        VL_LIST_EACH (it, &sessions->all) {
            struct vl_mcp_session *session =
                VL_CONTAINER(it, struct vl_mcp_session, in_all);
            if (strcmp(session->principal.session, family) != 0)
                continue;
            vl_mcp_session_end(session, "family_end");
            found = true;
            break;
        }
    }
}

/* @spec SB-22 */
static void
end_idle(struct vl_mcp_sessions *sessions, int64_t now)
{
    while (!vl_list_is_empty(&sessions->idle)) {
        struct vl_mcp_session *oldest =
            VL_CONTAINER(sessions->idle.next, struct vl_mcp_session, in_idle);
        if (now - oldest->used_ms < sessions->rules.idle_ms)
            return;
        vl_mcp_session_end(oldest, "idle");
    }
}

void
vl_mcp_sessions_sweep(struct vl_mcp_sessions *sessions)
{
    end_idle(sessions, vl_clock_now(sessions->rules.clock));
}

static bool
end_oldest_of(struct vl_mcp_owner *owner, bool is_user)
{
    if (vl_list_is_empty(&owner->idle))
        return false;
    struct vl_list *first = owner->idle.next;
    vl_mcp_session_end(
        is_user ? VL_CONTAINER(first, struct vl_mcp_session, in_user_idle)
                : VL_CONTAINER(first, struct vl_mcp_session, in_owner_idle),
        "evicted");
    return true;
}

/*
 * For one more session of these two, which is counted already. A client that
 * leaks sessions loses its own, and a user with many clients his own (anybody
 * can register more); only then does the oldest of all go.
 */
static bool
make_room(struct vl_mcp_sessions *sessions, struct vl_mcp_owner *owner,
          struct vl_mcp_owner *user)
{
    if (owner->count > sessions->rules.max_per_owner)
        return end_oldest_of(owner, false);
    if (user->count > sessions->rules.max_per_user)
        return end_oldest_of(user, true);
    if (sessions->count < sessions->rules.max)
        return true;
    if (vl_list_is_empty(&sessions->idle))
        return false;
    vl_mcp_session_end(
        VL_CONTAINER(sessions->idle.next, struct vl_mcp_session, in_idle),
        "evicted");
    return true;
}

valet_status
vl_mcp_sessions_add(struct vl_mcp_sessions *sessions,
                    const struct vl_principal *principal,
                    enum vl_mcp_transport transport,
                    const struct vl_mcp_peer *peer, struct vl_mcp_session **ret,
                    valet_error *err)
{
    int64_t now = vl_clock_now(sessions->rules.clock);
    end_idle(sessions, now);
    /* Counted now, so that they do not go with their last session. */
    struct vl_mcp_owner *owner, *user;
    enter_owners(sessions, principal, &owner, &user);
    if (!make_room(sessions, owner, user)) {
        leave_owner(&sessions->owners, owner);
        leave_owner(&sessions->users, user);
        return vl_fail(err, VALET_LIMIT, "", "too many sessions are busy");
    }
    struct vl_mcp_session *session = vl_alloc(sizeof *session);
    vl_mcp_id_make(sessions->rules.home, session->id);
    session->principal = *principal;
    session->transport = transport;
    session->peer = *peer;
    session->table = sessions;
    session->owner = owner;
    session->user = user;
    vl_list_init(&session->calls);
    vl_list_init(&session->posts);
    vl_list_init(&session->questions);
    vl_map_init(&session->subscribed);
    vl_mcp_history_init(&session->history);
    vl_list_init(&session->in_missed);
    vl_list_init(&session->in_all);
    vl_list_init(&session->in_idle);
    vl_list_init(&session->in_owner_idle);
    vl_list_init(&session->in_user_idle);
    vl_list_add_last(&sessions->all, &session->in_all);
    sessions->count++;
    (void)vl_map_put(&sessions->by_id, vl_str_z(session->id), session);
    become_idle(session, now);
    *ret = session;
    return VALET_OK;
}

/* @spec SB-21 SB-23 W-02 */
valet_status
vl_mcp_sessions_find(struct vl_mcp_sessions *sessions, struct vl_str id,
                     const struct vl_principal *principal,
                     struct vl_mcp_session **ret)
{
    int64_t now = vl_clock_now(sessions->rules.clock);
    end_idle(sessions, now);
    struct vl_mcp_session *session = vl_map_find(&sessions->by_id, id);
    if (!session)
        return VALET_NOT_FOUND;
    if (!vl_principal_same(&session->principal, principal))
        return VALET_DENIED;
    if (session->holds == 0)
        become_idle(session, now);
    if (session->principal.expires_ms < principal->expires_ms)
        session->principal.expires_ms = principal->expires_ms;
    *ret = session;
    return VALET_OK;
}

valet_status
vl_mcp_session_subscribe(struct vl_mcp_session *session, struct vl_str uri)
{
    if (!session->table || vl_map_find(&session->subscribed, uri))
        return VALET_OK;
    if (vl_map_size(&session->subscribed) >= VL_LIMIT_MCP_SUBSCRIPTIONS ||
        session->user->subscribed >= VL_LIMIT_MCP_SUBSCRIPTIONS_PER_USER)
        return VALET_LIMIT;
    (void)vl_map_put(&session->subscribed, uri, session);
    session->user->subscribed++;
    return VALET_OK;
}

void
vl_mcp_session_unsubscribe(struct vl_mcp_session *session, struct vl_str uri)
{
    if (session->table && vl_map_take(&session->subscribed, uri))
        session->user->subscribed--;
}

void
vl_mcp_session_hold(struct vl_mcp_session *session)
{
    if (session->holds++ == 0) {
        vl_list_remove(&session->in_idle);
        vl_list_remove(&session->in_owner_idle);
        vl_list_remove(&session->in_user_idle);
    }
}

void
vl_mcp_session_release(struct vl_mcp_session *session)
{
    VL_ASSERT(session->holds > 0);
    if (--session->holds)
        return;
    if (session->table) {
        become_idle(session, vl_clock_now(session->table->rules.clock));
        return;
    }
    vl_mcp_history_done(&session->history);
    vl_map_done(&session->subscribed);
    free(session);
}
