/* SPDX-License-Identifier: Apache-2.0
 *
 * What a task asks its client, and was answered. A question has the handler's
 * key, and on the wire another one each time it is asked again.
 */
#include "core/limits.h"
#include "core/status.h"
#include "mcp/task_inside.h"

/* "name", "name.16": no key of a handler has a dot. */
#define KEY_SIZE      65
#define WIRE_KEY_SIZE (KEY_SIZE + 11)

struct question {
    struct vl_list in_task;
    char key[KEY_SIZE];
    unsigned times;        /* it was asked */
    struct vl_buf request; /* JSON; empty: it is not asked */
    struct vl_buf answer;  /* JSON; empty: there is none */
};

static void
write_wire_key(const struct question *question, char ret[WIRE_KEY_SIZE])
{
    if (question->times < 2)
        (void)snprintf(ret, WIRE_KEY_SIZE, "%s", question->key);
    else
        (void)snprintf(ret, WIRE_KEY_SIZE, "%s.%u", question->key,
                       question->times);
}

static bool
is_key(const char *key)
{
    size_t n = strnlen(key, KEY_SIZE);
    for (size_t i = 0; i < n; i++)
        if (!vl_is_letter(key[i]) && !vl_is_digit(key[i]) && key[i] != '_' &&
            key[i] != '-')
            return false;
    return n > 0 && n < KEY_SIZE;
}

static struct question *
find(const struct vl_mcp_task *task, const char *key)
{
    VL_LIST_EACH (it, &task->questions) {
        struct question *question = VL_CONTAINER(it, struct question, in_task);
        if (strcmp(question->key, key) == 0)
            return question;
    }
    return NULL;
}

/* May the task hold so much more? If so it is counted. */
static bool
charge(struct vl_mcp_task *task, size_t n)
{
    if (n > VL_LIMIT_MCP_TASK_INPUTS - task->input_size ||
        !vl_mcp_task_charge(task, n))
        return false;
    task->input_size += n;
    return true;
}

/* Wipes a text that is counted. */
static void
forget(struct vl_mcp_task *task, struct vl_buf *text)
{
    size_t n = vl_buf_size(text);
    task->input_size -= n;
    vl_mcp_task_refund(task, n);
    vl_buf_done(text);
}

static void
drop(struct vl_mcp_task *task, struct question *question)
{
    vl_list_remove(&question->in_task);
    task->question_count--;
    forget(task, &question->request);
    forget(task, &question->answer);
    free(question);
}

void
vl_mcp_task_forget_questions(struct vl_mcp_task *task)
{
    VL_LIST_EACH (it, &task->questions)
        drop(task, VL_CONTAINER(it, struct question, in_task));
}

/* One without text; NULL if there are too many. */
static struct question *
add(struct vl_mcp_task *task, const char *key)
{
    if (task->question_count >= VL_LIMIT_MCP_TASK_QUESTIONS)
        return NULL;
    struct question *question = vl_alloc(sizeof *question);
    *question = (struct question){.request = vl_buf_of_secret(0),
                                  .answer = vl_buf_of_secret(0)};
    (void)snprintf(question->key, sizeof question->key, "%s", key);
    vl_list_init(&question->in_task);
    vl_list_add_last(&task->questions, &question->in_task);
    task->question_count++;
    return question;
}

/* Puts a text, which is copied, in the place of another. */
static bool
put(struct vl_mcp_task *task, struct vl_buf *text, struct vl_str json)
{
    if (!charge(task, json.n))
        return false;
    struct vl_buf copy = vl_buf_of_secret(json.n);
    vl_buf_add(&copy, json);
    if (vl_buf_size(&copy) != json.n) { /* no memory */
        vl_buf_done(&copy);
        task->input_size -= json.n;
        vl_mcp_task_refund(task, json.n);
        return false;
    }
    forget(task, text);
    *text = copy;
    return true;
}

static valet_status
refuse_key(valet_error *err)
{
    return vl_fail(err, VALET_INVALID, "",
                   "a question's key is not 1 to 64 of A-Z a-z 0-9 _ -");
}

static valet_status
refuse_more(valet_error *err)
{
    return vl_fail(err, VALET_LIMIT, "", "the task asks too much");
}

valet_status
vl_mcp_task_ask(struct vl_mcp_task *task, const char *key, const char *method,
                struct vl_str params, valet_error *err)
{
    if (!is_key(key))
        return refuse_key(err);
    if (vl_mcp_task_is_over(task))
        return vl_fail(err, VALET_CONFLICT, "", "the task is over");
    struct question *question = find(task, key);
    if (question && vl_buf_size(&question->request))
        return VALET_OK;
    if (!question)
        question = add(task, key);
    if (!question || question->times >= VL_LIMIT_MCP_TASK_TIMES)
        return refuse_more(err);
    vl_auto(vl_buf) request = vl_buf_of_secret(VL_LIMIT_MCP_TASK_INPUTS);
    struct vl_json_out out = {&request, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "method", method);
    if (params.n)
        vl_json_add_raw(&out, "params", params);
    vl_json_close(&out, '}');
    /* The old answer goes first: its room may be needed. */
    forget(task, &question->answer);
    if (vl_buf_check(&request, NULL) != VALET_OK ||
        !put(task, &question->request, vl_buf_str(&request)))
        return refuse_more(err);
    /* A key that the client answered before the task was made counts for
     * nothing in it: the two name their questions apart (SEP-2663). */
    question->times++;
    return VALET_OK;
}

struct vl_str
vl_mcp_task_answer(struct vl_mcp_task *task, const char *key)
{
    struct question *question = find(task, key);
    if (!question || vl_buf_size(&question->answer) == 0)
        return (struct vl_str){NULL, 0};
    return vl_str_of(vl_buf_cstr(&question->answer),
                     vl_buf_size(&question->answer));
}

static bool
has_open(const struct vl_mcp_task *task)
{
    VL_LIST_EACH (it, &task->questions)
        if (vl_buf_size(&VL_CONTAINER(it, struct question, in_task)->request))
            return true;
    return false;
}

bool
vl_mcp_task_await(struct vl_mcp_task *task)
{
    if (task->status != VL_MCP_TASK_WORKING || !has_open(task))
        return false;
    vl_mcp_task_become(task, VL_MCP_TASK_INPUT_REQUIRED);
    return true;
}

/* --- answers --- */

static const struct json_t *
find_answer(const struct question *question, const struct json_t *responses)
{
    char key[WIRE_KEY_SIZE];
    if (vl_buf_size(&question->request) == 0)
        return NULL;
    write_wire_key(question, key);
    return vl_json_get(responses, key);
}

/* The answer as text, in memory that holds just that. */
static valet_status
write_answer(const struct json_t *answer, struct vl_buf *ret, valet_error *err)
{
    if (vl_json_kind(answer) != VL_JSON_OBJECT)
        return vl_fail(err, VALET_INVALID, "",
                       "an answer in \"inputResponses\" is no object");
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_MCP_TASK_INPUTS);
    vl_json_add_value(&(struct vl_json_out){&text, false}, NULL, answer);
    VL_TRY(vl_buf_check(&text, err));
    *ret = vl_buf_of_secret(vl_buf_size(&text));
    vl_buf_add(ret, vl_buf_str(&text));
    return vl_buf_check(ret, err);
}

/* One for each question; those without an answer stay empty. */
struct answers {
    struct vl_buf texts[VL_LIMIT_MCP_TASK_QUESTIONS];
};

static void
answers_done(struct answers *answers)
{
    for (size_t i = 0; i < VL_COUNT(answers->texts); i++)
        vl_buf_done(&answers->texts[i]);
}

/* All of them before any is taken, and how long they are together. */
static valet_status
write_answers(const struct vl_mcp_task *task, const struct json_t *responses,
              struct answers *ret, size_t *ret_size, valet_error *err)
{
    size_t i = 0;
    *ret_size = 0;
    VL_LIST_EACH (it, &task->questions) {
        const struct json_t *answer =
            find_answer(VL_CONTAINER(it, struct question, in_task), responses);
        if (answer)
            VL_TRY(write_answer(answer, &ret->texts[i], err));
        *ret_size += vl_buf_size(&ret->texts[i]);
        i++;
    }
    return VALET_OK;
}

static void
take_all(struct vl_mcp_task *task, struct answers *answers)
{
    size_t i = 0;
    VL_LIST_EACH (it, &task->questions) {
        struct question *question = VL_CONTAINER(it, struct question, in_task);
        struct vl_buf *text = &answers->texts[i++];
        if (vl_buf_size(text) == 0)
            continue;
        forget(task, &question->request);
        question->answer = vl_buf_take(text);
    }
}

valet_status
vl_mcp_task_take_answers(struct vl_mcp_task *task,
                         const struct json_t *responses, valet_error *err)
{
    if (vl_json_kind(responses) != VL_JSON_OBJECT)
        return vl_fail(err, VALET_INVALID, "",
                       "\"inputResponses\" is no object");
    if (task->status != VL_MCP_TASK_INPUT_REQUIRED)
        return VALET_OK;
    vl_auto(answers) answers = {0};
    size_t size;
    VL_TRY(write_answers(task, responses, &answers, &size, err));
    if (!charge(task, size))
        return vl_fail(err, VALET_LIMIT, "", "the answers are too long");
    take_all(task, &answers);
    if (has_open(task)) {
        if (size)
            vl_mcp_task_touch(task);
        return VALET_OK;
    }
    void (*answered)(struct vl_mcp_task *) = task->table->rules.answered;
    vl_mcp_task_become(task, VL_MCP_TASK_WORKING);
    if (task->owner)
        answered(task);
    return VALET_OK;
}

void
vl_mcp_task_write_questions(struct vl_json_out *out,
                            const struct vl_mcp_task *task)
{
    vl_json_open_key(out, "inputRequests", '{');
    VL_LIST_EACH (it, &task->questions) {
        const struct question *question =
            VL_CONTAINER(it, struct question, in_task);
        char key[WIRE_KEY_SIZE];
        if (vl_buf_size(&question->request) == 0)
            continue;
        write_wire_key(question, key);
        vl_json_add_raw(out, key, vl_buf_str(&question->request));
    }
    vl_json_close(out, '}');
}
