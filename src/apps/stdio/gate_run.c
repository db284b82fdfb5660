/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/gate_run.h"

#include <unistd.h>

#include "apps/command/command.h"
#include "apps/stdio/child.h"
#include "apps/stdio/gate.h"
#include "io/life.h"
#include "io/lines.h"

/* @spec ST-05: for each step. SDK clients give us two steps of two seconds;
 * the server has to be gone before that. */
#define STEP_MS 1500
/* What is left in the pipe of a server that has ended, or is on its way through
 * a program that it has started. */
#define REST_MS 500
/* For a client that does not read its last answers. */
#define FINISH_MS 1000
/* A client that has left so much of what we say is gone. */
#define UNREAD_MAX (3 * VL_GATE_LINE_MAX)
/* So many dropped lines are complained about one by one. */
#define COMPLAINTS 5

struct run {
    const struct vl_gate_run *config;
    struct vl_life life;
    struct vl_lobby lobby;
    struct vl_gate *gate;
    struct vl_gate_child child;
    struct vl_visit *visit; /* for `token_env` */
    /* Crossed: who does not read is not read from. */
    struct vl_lines *inward;  /* from the client to the server */
    struct vl_lines *outward; /* from the server to the client */
    struct vl_timer *rest;
    unsigned dropped;
    bool has_ended;      /* the server */
    bool is_silent;      /* its output is at its end */
    bool is_finished;    /* the end of all was begun */
    bool is_broken;      /* the client takes nothing */
    const char *trouble; /* with the server */
    void (*done)(void *ctx);
    void *done_ctx;
    int code;
};

/* --- the end --- */

static void
call_done(struct run *run)
{
    void (*done)(void *ctx) = run->done;
    run->done = NULL;
    if (done)
        done(run->done_ctx);
}

static void
on_outward_finished(bool all, void *ctx)
{
    (void)all;
    call_done(ctx);
}

/* The server is gone, and all that it has said is on its way. */
static void
finish(struct run *run)
{
    if (run->is_finished)
        return;
    run->is_finished = true;
    vl_timer_stop(run->rest);
    if (run->gate)
        vl_gate_server_ends(run->gate);
    vl_life_stop(&run->life);
    if (run->outward && !run->is_broken)
        vl_lines_finish(run->outward, FINISH_MS, on_outward_finished, run);
    else
        call_done(run);
}

static void
on_rest(void *ctx)
{
    struct run *run = ctx;
    if (run->has_ended) {
        finish(run);
        return;
    }
    vl_complain("%s", run->trouble);
    run->code = VL_EXIT_FAILED;
    vl_life_stop(&run->life);
}

static void
on_inward_finished(bool all, void *ctx)
{
    struct run *run = ctx;
    (void)all;
    /* Its descriptor is the last one: the server sees the end. */
    vl_lines_free(run->inward);
    run->inward = NULL;
}

/* @spec ST-05 ST-06: `life` begins this, once, whatever the reason. */
static void
drain(void (*done)(void *ctx), void *done_ctx, void *ctx)
{
    struct run *run = ctx;
    run->done = done;
    run->done_ctx = done_ctx;
    vl_visit_leave(&run->visit);
    if (run->gate)
        vl_gate_client_ends(run->gate);
    if (run->inward)
        vl_lines_finish(run->inward, STEP_MS, on_inward_finished, run);
    if (run->is_finished)
        return;
    vl_timer_stop(run->rest);
    if (run->has_ended)
        vl_timer_start(run->rest, REST_MS);
    else if (run->child.process)
        vl_child_end(run->child.process, STEP_MS);
    else
        finish(run);
}

static void
on_ended(int code, int signal, void *ctx)
{
    struct run *run = ctx;
    run->has_ended = true;
    if (!run->life.ending) {
        run->code = signal ? 128 + signal : code;
        if (signal)
            vl_complain("the server was ended by signal %d", signal);
        else if (code)
            vl_complain("the server has ended with code %d", code);
    }
    if (run->is_silent)
        finish(run);
    else
        vl_timer_start(run->rest, REST_MS);
}

/* One of its pipes is at its end: most often the server is as well, and its
 * code, which says more, is about to be told. */
static void
await_end(struct run *run, const char *trouble)
{
    run->trouble = trouble;
    if (!run->has_ended && !run->life.ending)
        vl_timer_start(run->rest, REST_MS);
}

/* --- lines --- */

static void
from_client(struct vl_str line, void *ctx)
{
    struct run *run = ctx;
    vl_gate_from_client(run->gate, line);
}

static void
on_too_long(void *ctx)
{
    struct run *run = ctx;
    vl_gate_too_long(run->gate);
}

static void
on_inward_end(bool broken, void *ctx)
{
    struct run *run = ctx;
    if (broken)
        await_end(run, "the server takes no more input, or the client's "
                       "cannot be read");
    else
        vl_life_stop(&run->life);
}

static void
from_server(struct vl_str line, void *ctx)
{
    struct run *run = ctx;
    vl_gate_from_server(run->gate, line);
}

static void
on_dropped(const char *why, void *ctx)
{
    struct run *run = ctx;
    if (run->dropped++ < COMPLAINTS)
        vl_complain("a line of the server was dropped: %s", why);
}

static void
on_server_too_long(void *ctx)
{
    on_dropped("it is longer than 8 MiB", ctx);
}

static void
on_outward_end(bool broken, void *ctx)
{
    struct run *run = ctx;
    run->is_silent = true;
    run->is_broken = broken;
    if (run->has_ended)
        finish(run);
    else if (broken)
        vl_life_stop(&run->life);
    else
        await_end(run, "the server has closed its output");
}

static void
to_server(struct vl_str line, void *ctx)
{
    struct run *run = ctx;
    if (run->inward)
        (void)vl_lines_write(run->inward, line);
}

static void
to_client(struct vl_str line, void *ctx)
{
    struct run *run = ctx;
    if (!run->outward)
        return;
    (void)vl_lines_write(run->outward, line);
    if (vl_lines_waiting(run->outward) > UNREAD_MAX)
        vl_life_stop(&run->life);
}

static valet_status
find_door(struct vl_doorman **ret, valet_error *err, void *ctx)
{
    struct run *run = ctx;
    VL_TRY(vl_lobby_open(&run->lobby, err));
    *ret = run->lobby.doorman;
    return VALET_OK;
}

static void
identify(const valet_auth_result *who, void *ctx)
{
    struct run *run = ctx;
    vl_identity_tell(run->child.identity, who);
}

/* --- the beginning --- */

static valet_status
connect_lines(struct run *run, valet_error *err)
{
    const struct vl_lines_hooks inward = {from_client, on_too_long,
                                          on_inward_end, run};
    const struct vl_lines_hooks outward = {from_server, on_server_too_long,
                                           on_outward_end, run};
    struct vl_gate_child *child = &run->child;
    VL_TRY(vl_lines_new(run->life.loop, STDIN_FILENO, child->to,
                        VL_GATE_LINE_MAX, &inward, &run->inward, err));
    VL_TRY(vl_lines_new(run->life.loop, child->from, STDOUT_FILENO,
                        VL_GATE_LINE_MAX, &outward, &run->outward, err));
    /* They have their own; the server's input ends when theirs is closed. */
    (void)close(child->to);
    (void)close(child->from);
    child->to = child->from = -1;
    return VALET_OK;
}

static valet_status
start_server(struct run *run, const valet_auth_result *who, valet_error *err)
{
    const struct vl_gate_hooks hooks = {find_door, to_server,  to_client,
                                        identify,  on_dropped, run};
    const struct vl_gate_child_spec spec = {
        .command = run->config->command,
        .gives_token = run->config->gives_token,
        .token_env = run->config->token_env,
        .token = who ? who->access_token : NULL,
    };
    VL_TRY(vl_gate_child_start(run->life.loop, &spec, on_ended, run,
                               &run->child, err));
    run->gate = vl_gate_new(&hooks);
    VL_TRY(connect_lines(run, err));
    if (who)
        vl_gate_let_in(run->gate, who);
    return VALET_OK;
}

static void
start_or_end(struct run *run, const valet_auth_result *who)
{
    valet_error err;
    if (start_server(run, who, &err) == VALET_OK)
        return;
    vl_complain("%s", err.message);
    run->code = VL_EXIT_FAILED;
    vl_life_stop(&run->life);
}

static void
on_first_visit(valet_status status, const valet_auth_result *result,
               const valet_entra_error *error, void *ctx)
{
    struct run *run = ctx;
    char why[512];
    run->visit = NULL;
    if (status == VALET_OK) {
        start_or_end(run, result);
        return;
    }
    vl_doorman_explain(status, error, why, sizeof why);
    vl_complain("%s", why);
    run->code = VL_EXIT_FAILED;
    vl_life_stop(&run->life);
}

static void
on_first_tell(const char *text, void *ctx)
{
    (void)ctx;
    vl_complain("%s", text);
}

/* A token for the environment is there before the server, or never: nobody is
 * asked to sign in before they have used anything (@spec S-41). */
static bool
has_token(const struct vl_gate_run *config)
{
    const struct vl_lobby_config *lobby = config->lobby;
    const valet_request request = {.flow = VALET_FLOW_SILENT,
                                   .scopes = lobby->scopes,
                                   .account = lobby->account};
    struct vl_lobby_whom whom;
    valet_auth_result result;
    valet_entra_error refusal = {.error = {.message = ""}};
    if (lobby->whom(&whom, &refusal.error, lobby->ctx) == VALET_OK &&
        valet_acquire(whom.client, &request, &result, &refusal) == VALET_OK) {
        valet_auth_result_done(&result);
        return true;
    }
    vl_complain("%s", refusal.error.message);
    vl_complain("there is no token for %s: sign in first, by mcp-valet login "
                "--scope %s",
                config->token_env, lobby->scopes[0]);
    return false;
}

static valet_status
begin(struct run *run, valet_error *err)
{
    struct vl_doorman *doorman = NULL;
    const struct vl_visit_hooks hooks = {
        .tell = on_first_tell, .done = on_first_visit, .ctx = run};
    VL_TRY(vl_life_watch(&run->life, err));
    run->rest = vl_timer_new(run->life.loop, on_rest, run);
    vl_lobby_init(&run->lobby, run->config->lobby, run->life.loop);
    if (!run->config->token_env)
        return start_server(run, NULL, err);
    VL_TRY(find_door(&doorman, err, run));
    run->visit = vl_doorman_ask(doorman, false, NULL, &hooks);
    return VALET_OK;
}

static void
run_done(struct run *run)
{
    vl_visit_leave(&run->visit);
    vl_gate_free(run->gate);
    vl_lobby_done(&run->lobby);
    vl_lines_free(run->inward);
    vl_lines_free(run->outward);
    vl_gate_child_done(&run->child);
    if (run->life.loop)
        vl_timer_free(run->rest);
    vl_loop_free(run->life.loop);
    if (run->dropped > COMPLAINTS)
        vl_complain("%u lines of the server were dropped", run->dropped);
}

int
vl_gate_run(const struct vl_gate_run *config)
{
    struct run run = {.config = config,
                      .child = {.to = -1, .from = -1},
                      .life = {.drain = drain}};
    valet_error err;
    run.life.ctx = &run;
    if (config->token_env && !has_token(config))
        return VL_EXIT_FAILED;
    valet_status status = vl_loop_new(&run.life.loop, &err);
    if (status == VALET_OK)
        status = begin(&run, &err);
    if (status == VALET_OK) {
        vl_loop_run(run.life.loop);
    } else {
        vl_complain("%s", err.message);
        run.code = VL_EXIT_FAILED;
    }
    run_done(&run);
    return run.code;
}
