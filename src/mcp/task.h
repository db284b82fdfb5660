/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks: calls whose client does not wait but comes back for the result (the
 * extension io.modelcontextprotocol/tasks of 2026-07-28, SEP-2663; @spec EX-12
 * HT-41 SB-20 SB-24). This is what they are and how they are told; who may ask
 * is dispatch's, what works on them is the call's. No I/O, one thread.
 *
 *     working ──await──► input_required ──all answered──► working
 *        └──────────┬────────────┘
 *                   └──► completed | failed | cancelled      (for good)
 *
 * The rules that matter:
 * - A task is found by its id *and* the user and client that it was made for,
 *   never by the id alone; another's is answered like one that does not exist.
 *   A later sign-in of the same user with the same client finds it: clients
 *   keep ids across restarts. When a sign-in is revoked its tasks go with it.
 * - "failed" is an error of the protocol; a tool that says "isError" has
 *   "completed". What is over changes no more, and cancelling it is no error.
 * - A key on the wire means one question for as long as the task lives. Who
 *   asks a question again (the answer did not fit) asks under a new key:
 *   "name", then "name.2"; clients drop keys they have seen.
 * - All is bounded (core/limits.h): tasks and bytes, of a user and in all.
 *   Where there is no room the oldest that is over goes, the user's own first;
 *   what is at work stays, and the new one is refused.
 * - ttlMs grows when the task ends, so that its result can be fetched for a
 *   while however long the work took. Who takes longer than it is failed.
 *
 *     task.c        the table, and a task's life
 *     task_input.c  questions and answers
 *     task_tell.c   how a task is told
 */
#ifndef VL_MCP_TASK_H
#define VL_MCP_TASK_H

#include "core/list.h"
#include "core/map.h"
#include "core/principal.h"
#include "core/sys.h"
#include "mcp/id.h"
#include "json/read.h"
#include "json/write.h"

enum vl_mcp_task_status {
    VL_MCP_TASK_WORKING,
    VL_MCP_TASK_INPUT_REQUIRED,
    VL_MCP_TASK_COMPLETED,
    VL_MCP_TASK_FAILED,
    VL_MCP_TASK_CANCELLED,
};

struct vl_mcp_task_user; /* private: the tasks of one person */

struct vl_mcp_task {
    char id[VL_MCP_ID_SIZE];
    struct vl_principal principal;
    const char *permission; /* that its caller had to have */
    /* Who works on it; NULL when nobody does, or does any more. */
    void *owner;
    enum vl_mcp_task_status status;
    char *message; /* for people; or NULL */
    int64_t created_ms, updated_ms, ttl_ms;
    struct vl_buf outcome;    /* JSON: the result, or the error */
    struct vl_list questions; /* in the order in which they were asked */
    struct vl_list watchers;
    /* The rest is the table's. */
    struct vl_mcp_tasks *table;
    struct vl_mcp_task_user *user;
    struct vl_list in_table; /* in `working` or `over` */
    struct vl_list in_user;  /* in its `over`, or nowhere */
    size_t question_count, input_size, size;
};

struct vl_mcp_task_rules {
    /* Tasks: in all; of a user. Bytes of their texts likewise, and of one
     * result. */
    size_t max, max_per_user;
    size_t max_size, max_size_per_user, max_result;
    int64_t ttl_ms;  /* from when it was made */
    int64_t keep_ms; /* at least, from when it was over */
    int64_t poll_ms; /* that clients are told */
    unsigned home;   /* the worker they live on, below 256 */
    const struct vl_clock *clock;
    /*
     * For the owner. All that was asked is answered: work on; the task may be
     * completed at once.
     */
    void (*answered)(struct vl_mcp_task *task);
    /* Nobody wants the result any more: the owner has been let go of, and must
     * not touch the task again, which may be gone. */
    void (*cancel)(void *owner);
};
/* All that stands in core/limits.h; the rest is the caller's. */
struct vl_mcp_task_rules vl_mcp_task_rules(void);

struct vl_mcp_tasks {
    struct vl_mcp_task_rules rules;
    struct vl_map by_id, users;
    struct vl_list working; /* the oldest first */
    struct vl_list over;    /* what was over first, first */
    size_t count, size;
};

void vl_mcp_tasks_init(struct vl_mcp_tasks *tasks,
                       const struct vl_mcp_task_rules *rules);
/* Cancels what is at work, and forgets all. */
void vl_mcp_tasks_done(struct vl_mcp_tasks *tasks);
/* Fails what takes too long, forgets what was kept for long enough. */
void vl_mcp_tasks_sweep(struct vl_mcp_tasks *tasks);
/* Cancels and forgets what was made with tokens of this family. Looks at every
 * task: it happens seldom. */
void vl_mcp_tasks_end_family(struct vl_mcp_tasks *tasks, const char *family);

/* --- for dispatch --- */

/* Can be found as soon as this returns. The permission is borrowed and outlives
 * the table. VALET_LIMIT when the table, or the user's share of it, is full of
 * tasks at work. */
valet_status
vl_mcp_task_new(struct vl_mcp_tasks *tasks,
                const struct vl_principal *principal, const char *permission,
                void *owner, struct vl_mcp_task **ret,
                valet_error *err) VALET_CHECK;
/* VALET_NOT_FOUND; or VALET_DENIED when it is another's, which strangers must
 * not be able to tell from the former. Borrowed until the table's next
 * change. */
valet_status vl_mcp_task_find(struct vl_mcp_tasks *tasks, struct vl_str id,
                              const struct vl_principal *principal,
                              struct vl_mcp_task **ret) VALET_CHECK;
bool vl_mcp_task_is_over(const struct vl_mcp_task *task);
/* Nothing happens if it is over. The task may be gone afterwards. */
void vl_mcp_task_cancel(struct vl_mcp_task *task);
/*
 * `responses`: key → answer, as a client sends them. What is not asked at the
 * moment is ignored. VALET_INVALID if it is no object, or an answer that was
 * asked for is none; VALET_LIMIT if they are too long together: then none of
 * them was taken. Tells the owner if nothing is left to be answered; the task
 * may be over afterwards.
 */
valet_status vl_mcp_task_take_answers(struct vl_mcp_task *task,
                                      const struct json_t *responses,
                                      valet_error *err) VALET_CHECK;

/* How it is told. */
enum vl_mcp_task_form {
    VL_MCP_TASK_CREATED, /* CreateTaskResult: the task, without what is in it */
    VL_MCP_TASK_GOT,     /* GetTaskResult */
    VL_MCP_TASK_NOTIFIED, /* the parameters of notifications/tasks */
};
/* The members, into an object that is open. */
void vl_mcp_task_write(struct vl_json_out *out, const struct vl_mcp_task *task,
                       enum vl_mcp_task_form form);

/* Hears of each change of the status. Inside the call watchers may come and go,
 * nothing else may be done to tasks. Once it is over there is nothing more to
 * hear: then the watcher has left already when it is called. */
struct vl_mcp_task_watcher {
    struct vl_list in_task;
    void (*changed)(struct vl_mcp_task_watcher *watcher,
                    const struct vl_mcp_task *task);
};
/* One that watches a task already must not come again. */
void vl_mcp_task_watch(struct vl_mcp_task *task,
                       struct vl_mcp_task_watcher *watcher);
/* Safe for one that has left. */
void vl_mcp_task_unwatch(struct vl_mcp_task_watcher *watcher);

/* --- for the owner, as long as it has not been let go of --- */

/* How far it is, for people; cut at VL_LIMIT_MCP_TASK_MESSAGE. NULL: nothing.
 * Watchers are not told: progress is no status. */
void vl_mcp_task_set_message(struct vl_mcp_task *task, const char *message);
/*
 * Notes a question, for vl_mcp_task_await(); `params` is JSON. One that waits
 * for its answer already stays as it is; one that was answered is asked again,
 * and the answer dropped. VALET_INVALID for a key that is not 1 to 64 of A-Z
 * a-z 0-9 _ -; VALET_LIMIT for too many, too long, or too often.
 */
valet_status
vl_mcp_task_ask(struct vl_mcp_task *task, const char *key, const char *method,
                struct vl_str params, valet_error *err) VALET_CHECK;
/* The answer to a question as JSON, borrowed until it is asked again or the
 * task is over; {NULL,0}: there is none yet. Text ends in NUL. */
struct vl_str vl_mcp_task_answer(struct vl_mcp_task *task, const char *key);
/* Shows what was asked to the client. False, and nothing happens, when nothing
 * is. */
bool vl_mcp_task_await(struct vl_mcp_task *task);

/* These end it and let go of the owner. `result` is a whole CallToolResult,
 * `error` a whole error object of JSON-RPC; both are copied. `message` (or
 * NULL) is the last one for people. A result that there is no room for makes
 * the task fail. */
void vl_mcp_task_complete(struct vl_mcp_task *task, struct vl_str result,
                          const char *message);
void vl_mcp_task_fail(struct vl_mcp_task *task, struct vl_str error,
                      const char *message);

#endif
