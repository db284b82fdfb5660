/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limits.h"
#include "core/status.h"
#include "mcp/busy.h"
#include "mcp/task_inside.h"

/* All tasks of one person; made with the first, gone with the last. */
struct vl_mcp_task_user {
    struct vl_user user;
    struct vl_list over; /* what was over first, first */
    size_t count, size;
};

struct vl_mcp_task_rules
vl_mcp_task_rules(void)
{
    return (struct vl_mcp_task_rules){
        .max = VL_LIMIT_MCP_TASKS,
        .max_per_user = VL_LIMIT_MCP_TASKS_PER_USER,
        .max_size = VL_LIMIT_MCP_TASKS_SIZE,
        .max_size_per_user = VL_LIMIT_MCP_TASKS_SIZE_PER_USER,
        .max_result = VL_LIMIT_MCP_TASK_RESULT,
        .ttl_ms = VL_LIMIT_MCP_TASK_MS,
        .keep_ms = VL_LIMIT_MCP_TASK_KEEP_MS,
        .poll_ms = VL_LIMIT_MCP_TASK_POLL_MS,
    };
}

void
vl_mcp_tasks_init(struct vl_mcp_tasks *tasks,
                  const struct vl_mcp_task_rules *rules)
{
    *tasks = (struct vl_mcp_tasks){.rules = *rules};
    vl_map_init(&tasks->by_id);
    vl_map_init(&tasks->users);
    vl_list_init(&tasks->working);
    vl_list_init(&tasks->over);
}

bool
vl_mcp_task_is_over(const struct vl_mcp_task *task)
{
    return task->status >= VL_MCP_TASK_COMPLETED;
}

/* --- the table --- */

static struct vl_mcp_task_user *
enter_user(struct vl_mcp_tasks *tasks, const struct vl_user *whom)
{
    char room[VL_MCP_USER_KEY_SIZE];
    struct vl_str key = vl_mcp_user_key(whom, room);
    struct vl_mcp_task_user *user = vl_map_find(&tasks->users, key);
    if (!user) {
        user = vl_alloc(sizeof *user);
        user->user = *whom;
        vl_list_init(&user->over);
        (void)vl_map_put(&tasks->users, key, user);
    }
    user->count++;
    return user;
}

static void
leave_user(struct vl_mcp_tasks *tasks, struct vl_mcp_task_user *user)
{
    if (--user->count)
        return;
    char room[VL_MCP_USER_KEY_SIZE];
    (void)vl_map_take(&tasks->users, vl_mcp_user_key(&user->user, room));
    free(user);
}

static void
forget_outcome(struct vl_mcp_task *task)
{
    vl_mcp_task_refund(task, vl_buf_size(&task->outcome));
    vl_buf_done(&task->outcome);
}

/* How much of it is kept: not half a character. */
static size_t
cut(const char *message)
{
    size_t n = strnlen(message, VL_LIMIT_MCP_TASK_MESSAGE + 1);
    if (n <= VL_LIMIT_MCP_TASK_MESSAGE)
        return n;
    n = VL_LIMIT_MCP_TASK_MESSAGE;
    while (n > 0 && ((unsigned char)message[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static void
set_message(struct vl_mcp_task *task, const char *message)
{
    char *copy = NULL;
    if (message && *message) {
        size_t n = cut(message);
        copy = vl_alloc(n + 1);
        memcpy(copy, message, n);
        copy[n] = '\0';
    }
    if (task->message)
        vl_wipe(task->message, strlen(task->message));
    free(task->message);
    task->message = copy;
}

/* It has to be over. */
static void
drop(struct vl_mcp_task *task)
{
    struct vl_mcp_tasks *tasks = task->table;
    VL_ASSERT(vl_mcp_task_is_over(task));
    (void)vl_map_take(&tasks->by_id, vl_str_z(task->id));
    vl_list_remove(&task->in_table);
    vl_list_remove(&task->in_user);
    VL_LIST_EACH (it, &task->watchers)
        vl_list_remove(it);
    vl_mcp_task_forget_questions(task);
    forget_outcome(task);
    set_message(task, NULL);
    VL_ASSERT(task->size == 0);
    leave_user(tasks, task->user);
    tasks->count--;
    free(task);
}

/* False when nothing of this user, or of anybody (NULL), is over. */
static bool
drop_oldest(struct vl_mcp_tasks *tasks, struct vl_mcp_task_user *user)
{
    struct vl_list *over = user ? &user->over : &tasks->over;
    if (vl_list_is_empty(over))
        return false;
    drop(user ? VL_CONTAINER(over->next, struct vl_mcp_task, in_user)
              : VL_CONTAINER(over->next, struct vl_mcp_task, in_table));
    return true;
}

bool
vl_mcp_task_charge(struct vl_mcp_task *task, size_t n)
{
    struct vl_mcp_tasks *tasks = task->table;
    const struct vl_mcp_task_rules *rules = &tasks->rules;
    VL_ASSERT(!vl_mcp_task_is_over(task));
    /* What can never fit does not push others out. */
    if (n > rules->max_size_per_user || n > rules->max_size)
        return false;
    while (task->user->size > rules->max_size_per_user - n)
        if (!drop_oldest(tasks, task->user))
            return false;
    while (tasks->size > rules->max_size - n)
        if (!drop_oldest(tasks, NULL))
            return false;
    task->size += n;
    task->user->size += n;
    tasks->size += n;
    return true;
}

void
vl_mcp_task_refund(struct vl_mcp_task *task, size_t n)
{
    VL_ASSERT(task->size >= n);
    task->size -= n;
    task->user->size -= n;
    task->table->size -= n;
}

/* --- its life --- */

void
vl_mcp_task_touch(struct vl_mcp_task *task)
{
    task->updated_ms = vl_clock_now(task->table->rules.clock);
}

/* Over for good. What it was asked and told is needed no more. */
static void
end(struct vl_mcp_task *task, enum vl_mcp_task_status status,
    const char *message)
{
    struct vl_mcp_tasks *tasks = task->table;
    int64_t age = vl_clock_now(tasks->rules.clock) - task->created_ms;
    if (task->ttl_ms < age + tasks->rules.keep_ms)
        task->ttl_ms = age + tasks->rules.keep_ms;
    task->owner = NULL;
    vl_mcp_task_forget_questions(task);
    set_message(task, message);
    vl_list_remove(&task->in_table);
    vl_list_add_last(&tasks->over, &task->in_table);
    vl_list_add_last(&task->user->over, &task->in_user);
    vl_mcp_task_become(task, status);
}

/* Like end(), and whoever works on it hears of it, last of all. */
static void
give_up(struct vl_mcp_task *task, enum vl_mcp_task_status status,
        const char *message, bool forget)
{
    void (*cancel)(void *owner) = task->table->rules.cancel;
    void *owner = task->owner;
    end(task, status, message);
    if (forget)
        drop(task);
    if (owner)
        cancel(owner);
}

static struct vl_mcp_task *
first_working(const struct vl_mcp_tasks *tasks)
{
    return VL_CONTAINER(tasks->working.next, struct vl_mcp_task, in_table);
}

static bool
is_expired(const struct vl_mcp_task *task, int64_t now)
{
    return now - task->created_ms >= task->ttl_ms;
}

/* @spec SB-20: those at work were all given the same time, so the oldest are
 * the first to be late. */
static void
fail_late(struct vl_mcp_tasks *tasks, int64_t now)
{
    while (!vl_list_is_empty(&tasks->working) &&
           is_expired(first_working(tasks), now))
        give_up(first_working(tasks), VL_MCP_TASK_FAILED,
                "the task took too long", false);
}

void
vl_mcp_tasks_sweep(struct vl_mcp_tasks *tasks)
{
    int64_t now = vl_clock_now(tasks->rules.clock);
    fail_late(tasks, now);
    VL_LIST_EACH (it, &tasks->over) {
        struct vl_mcp_task *task =
            VL_CONTAINER(it, struct vl_mcp_task, in_table);
        if (is_expired(task, now))
            drop(task);
    }
}

void
vl_mcp_tasks_done(struct vl_mcp_tasks *tasks)
{
    while (!vl_list_is_empty(&tasks->working))
        give_up(first_working(tasks), VL_MCP_TASK_CANCELLED,
                "the server is stopping", true);
    while (drop_oldest(tasks, NULL))
        ;
    vl_map_done(&tasks->by_id);
    vl_map_done(&tasks->users);
}

static struct vl_mcp_task *
find_of_family(const struct vl_list *list, const char *family)
{
    VL_LIST_EACH (it, list) {
        struct vl_mcp_task *task =
            VL_CONTAINER(it, struct vl_mcp_task, in_table);
        if (strcmp(task->principal.session, family) == 0)
            return task;
    }
    return NULL;
}

void
vl_mcp_tasks_end_family(struct vl_mcp_tasks *tasks, const char *family)
{
    struct vl_mcp_task *task;
    /* Owners may do anything when they are told: begin again after each. */
    while ((task = find_of_family(&tasks->working, family)))
        give_up(task, VL_MCP_TASK_CANCELLED, "the sign-in has ended", true);
    while ((task = find_of_family(&tasks->over, family)))
        drop(task);
}

/* @spec EX-12 SB-20 SB-24: it is in the table before anybody hears of it. */
valet_status
vl_mcp_task_new(struct vl_mcp_tasks *tasks,
                const struct vl_principal *principal, const char *permission,
                void *owner, struct vl_mcp_task **ret, valet_error *err)
{
    int64_t now = vl_clock_now(tasks->rules.clock);
    fail_late(tasks, now);
    /* Counted now, so that it does not go with its last task. */
    struct vl_mcp_task_user *user = enter_user(tasks, &principal->user);
    if ((user->count > tasks->rules.max_per_user &&
         !drop_oldest(tasks, user)) ||
        (tasks->count >= tasks->rules.max && !drop_oldest(tasks, NULL))) {
        leave_user(tasks, user);
        return vl_fail(err, VALET_LIMIT, "", "too many tasks are at work");
    }
    struct vl_mcp_task *task = vl_alloc(sizeof *task);
    *task = (struct vl_mcp_task){
        .principal = *principal,
        .permission = permission,
        .owner = owner,
        .created_ms = now,
        .updated_ms = now,
        .ttl_ms = tasks->rules.ttl_ms,
        .outcome = vl_buf_of_secret(0),
        .table = tasks,
        .user = user,
    };
    vl_mcp_id_make(tasks->rules.home, task->id);
    vl_list_init(&task->questions);
    vl_list_init(&task->watchers);
    vl_list_init(&task->in_table);
    vl_list_init(&task->in_user);
    vl_list_add_last(&tasks->working, &task->in_table);
    tasks->count++;
    (void)vl_map_put(&tasks->by_id, vl_str_z(task->id), task);
    *ret = task;
    return VALET_OK;
}

/* The sign-in may be another than that which made it; the person and the
 * program may not. */
static bool
is_theirs(const struct vl_mcp_task *task, const struct vl_principal *principal)
{
    const struct vl_principal *maker = &task->principal;
    return strcmp(maker->client.text, principal->client.text) == 0 &&
           strcmp(maker->user.tid, principal->user.tid) == 0 &&
           strcmp(maker->user.oid, principal->user.oid) == 0;
}

/* @spec EX-12 HT-41 SB-24 */
valet_status
vl_mcp_task_find(struct vl_mcp_tasks *tasks, struct vl_str id,
                 const struct vl_principal *principal, struct vl_mcp_task **ret)
{
    int64_t now = vl_clock_now(tasks->rules.clock);
    fail_late(tasks, now);
    struct vl_mcp_task *task = vl_map_find(&tasks->by_id, id);
    if (!task)
        return VALET_NOT_FOUND;
    if (vl_mcp_task_is_over(task) && is_expired(task, now)) {
        drop(task);
        return VALET_NOT_FOUND;
    }
    if (!is_theirs(task, principal))
        return VALET_DENIED;
    *ret = task;
    return VALET_OK;
}

void
vl_mcp_task_cancel(struct vl_mcp_task *task)
{
    if (!vl_mcp_task_is_over(task))
        give_up(task, VL_MCP_TASK_CANCELLED, "cancelled by the client", false);
}

void
vl_mcp_task_set_message(struct vl_mcp_task *task, const char *message)
{
    if (vl_mcp_task_is_over(task))
        return;
    set_message(task, message);
    vl_mcp_task_touch(task);
}

/* False when there is no room for it. */
static bool
keep_outcome(struct vl_mcp_task *task, struct vl_str json)
{
    if (json.n == 0 || json.n > task->table->rules.max_result ||
        !vl_mcp_task_charge(task, json.n))
        return false;
    task->outcome = vl_buf_of_secret(json.n);
    vl_buf_add(&task->outcome, json);
    if (vl_buf_size(&task->outcome) == json.n)
        return true;
    /* No memory. */
    vl_buf_done(&task->outcome);
    vl_mcp_task_refund(task, json.n);
    return false;
}

void
vl_mcp_task_complete(struct vl_mcp_task *task, struct vl_str result,
                     const char *message)
{
    if (vl_mcp_task_is_over(task))
        return;
    /* Its room is the result's now. */
    vl_mcp_task_forget_questions(task);
    if (keep_outcome(task, result))
        end(task, VL_MCP_TASK_COMPLETED, message);
    else
        end(task, VL_MCP_TASK_FAILED, "the result is too long to be kept");
}

void
vl_mcp_task_fail(struct vl_mcp_task *task, struct vl_str error,
                 const char *message)
{
    if (vl_mcp_task_is_over(task))
        return;
    vl_mcp_task_forget_questions(task);
    (void)keep_outcome(task, error);
    end(task, VL_MCP_TASK_FAILED, message);
}
