/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/doorman_inside.h"
#include "core/status.h"
#include "core/sys.h"

/* --- the end of a visit --- */

static void
release(struct vl_visit *visit)
{
    vl_list_remove(&visit->node);
    valet_acquire_cancel(&visit->silent);
    valet_auth_result_done(&visit->result);
    free(visit->claims);
    free(visit);
}

/* Its callback may free the doorman. */
static void
dismiss(struct vl_visit *visit, valet_status status,
        const valet_auth_result *result, const valet_entra_error *error)
{
    struct vl_visit_hooks hooks = visit->hooks;
    valet_auth_result own = visit->result;
    visit->result = (valet_auth_result){.inside = NULL};
    release(visit);
    hooks.done(status,
               status != VALET_OK ? NULL
               : result           ? result
                                  : &own,
               error, hooks.ctx);
    valet_auth_result_done(&own);
}

/* All of a stage, in the order in which they came. A callback may ask again,
 * leave for others, or free the doorman. */
void
vl_door_dismiss_all(struct vl_doorman *doorman, enum vl_stage stage,
                    valet_status status, const valet_auth_result *result,
                    const valet_entra_error *error)
{
    bool gone = false, *outer = doorman->gone;
    VL_LIST_EACH (node, &doorman->visits) {
        struct vl_visit *visit = VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage != stage)
            continue;
        visit->stage = VL_STAGE_LEAVING;
        vl_list_remove(node);
        vl_list_add_last(&doorman->leaving, node);
    }
    doorman->gone = &gone;
    while (!gone && !vl_list_is_empty(&doorman->leaving))
        dismiss(VL_CONTAINER(doorman->leaving.next, struct vl_visit, node),
                status, result, error);
    if (!gone)
        doorman->gone = outer;
    else if (outer)
        *outer = true;
}

static valet_entra_error
error_of(const valet_error *why, valet_next next)
{
    return (valet_entra_error){
        .error = *why, .next = next, .retry_after_ms = -1};
}

void
vl_door_refuse_all(struct vl_doorman *doorman, enum vl_stage stage,
                   const valet_error *why, valet_next next)
{
    valet_entra_error error = error_of(why, next);
    vl_door_dismiss_all(doorman, stage, why->status, NULL, &error);
}

bool
vl_door_has_any(const struct vl_doorman *doorman, enum vl_stage stage)
{
    VL_LIST_EACH (node, &doorman->visits)
        if (VL_CONTAINER(node, struct vl_visit, node)->stage == stage)
            return true;
    return false;
}

/* --- the program --- */

/* Those whose program may: in they go, or to the sign-in. */
static void
admit(struct vl_doorman *doorman)
{
    bool gone = false, *outer = doorman->gone;
    VL_LIST_EACH (node, &doorman->visits) {
        struct vl_visit *visit = VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage == VL_STAGE_PROGRAM && visit->needs_person)
            visit->stage = VL_STAGE_PERSON;
    }
    doorman->gone = &gone;
    vl_door_dismiss_all(doorman, VL_STAGE_PROGRAM, VALET_OK, NULL, NULL);
    if (gone) {
        if (outer)
            *outer = true;
        return;
    }
    doorman->gone = outer;
    if (vl_door_has_any(doorman, VL_STAGE_PERSON) && !doorman->sign_in)
        vl_door_sign_in(doorman);
}

static void
refuse_program(struct vl_doorman *doorman)
{
    valet_error why;
    (void)vl_fail(&why, VALET_DENIED, "program_denied",
                  "the person did not allow this program to use their "
                  "sign-in");
    vl_door_refuse_all(doorman, VL_STAGE_PROGRAM, &why, VALET_NEXT_GIVE_UP);
}

static void
on_consent(valet_status status, const valet_error *err, bool is_listed,
           void *ctx)
{
    struct vl_doorman *doorman = ctx;
    doorman->asking = NULL;
    doorman->admitted = status == VALET_OK;
    doorman->is_listed = is_listed;
    doorman->is_denied =
        status != VALET_OK && strcmp(err->code, "program_denied") == 0;
    if (doorman->admitted)
        admit(doorman);
    else if (doorman->is_denied)
        refuse_program(doorman);
    else
        vl_door_refuse_all(doorman, VL_STAGE_PROGRAM, err, VALET_NEXT_GIVE_UP);
}

/* @spec S-54 W-43 */
static void
ask_for_program(struct vl_doorman *doorman, const char *account)
{
    const struct vl_doorman_config *config = &doorman->config;
    const struct vl_consent_about about = {
        .account = account ? account : config->account,
        .scopes = config->scopes,
        .command = config->command,
        .named_account = config->account,
        .named_scopes = config->named_scopes,
        .timeout_s = vl_door_time_left(doorman, VL_STAGE_PROGRAM),
        .parent = config->parent,
    };
    doorman->list = vl_programs_look(); /* before it is read */
    doorman->asking = vl_consent_start(config->loop, config->consent, &about,
                                       on_consent, doorman);
    if (vl_consent_is_shown(doorman->asking))
        vl_door_say(doorman,
                    "Waiting for the person to allow this program, in the "
                    "browser of this machine");
}

/* `mcp-valet allow --forget` is heard by who runs already. */
static void
look_at_list(struct vl_doorman *doorman)
{
    if (doorman->admitted && doorman->is_listed &&
        !vl_programs_is_same(doorman->list, vl_programs_look()))
        doorman->admitted = false;
}

static void
go_to_program(struct vl_visit *visit)
{
    struct vl_doorman *doorman = visit->doorman;
    visit->stage = VL_STAGE_PROGRAM;
    look_at_list(doorman);
    if (doorman->config.consent == VL_CONSENT_NEVER)
        doorman->admitted = true;
    if (doorman->admitted)
        admit(doorman);
    else if (doorman->is_denied)
        refuse_program(doorman);
    else if (!doorman->asking)
        ask_for_program(doorman, visit->result.username);
}

/* --- silently --- */

static void on_silent(valet_status status, valet_auth_result *result,
                      const valet_entra_error *error, void *ctx);

static void
ask_silently(struct vl_visit *visit, bool renew, unsigned methods)
{
    const struct vl_doorman_config *config = &visit->doorman->config;
    const valet_request request = {
        .flow = VALET_FLOW_SILENT,
        .scopes = config->scopes,
        .account = config->account,
        .claims = visit->claims,
        .renew = renew,
        .methods = methods,
    };
    valet_acquire_start(config->client, &request, on_silent, visit,
                        &visit->silent);
}

/* @spec S-32: nobody is signed in here; perhaps the broker's own account can
 * serve. Asked only then: a token that was given before comes the short way to
 * those alone who ask for nothing else. */
static bool
may_be_the_brokers(const struct vl_visit *visit, const valet_entra_error *error)
{
    unsigned methods = visit->doorman->config.methods;
    return strcmp(error->error.code, "no_account") == 0 &&
           !visit->asked_broker && (!methods || methods & VALET_METHOD_BROKER);
}

/* @spec S-34: what passes by itself is no reason to ask a person. */
static void
on_silent(valet_status status, valet_auth_result *result,
          const valet_entra_error *error, void *ctx)
{
    struct vl_visit *visit = ctx;
    visit->silent = NULL;
    if (status == VALET_OK) {
        visit->result = *result;
        go_to_program(visit);
        return;
    }
    if (may_be_the_brokers(visit, error)) {
        visit->asked_broker = true;
        ask_silently(visit, false, VALET_METHOD_BROKER);
        return;
    }
    if (error->next != VALET_NEXT_SIGN_IN) {
        dismiss(visit, status, NULL, error);
        return;
    }
    if (error->claims[0]) {
        free(visit->claims);
        visit->claims = vl_strdup(error->claims);
    }
    visit->needs_person = true;
    go_to_program(visit);
}

static void
on_event(int events, void *ctx)
{
    struct vl_doorman *doorman = ctx;
    (void)events;
    valet_client_dispatch(doorman->config.client);
}

static valet_status
watch(struct vl_doorman *doorman, valet_error *err)
{
    int fd = doorman->watch ? -1 : valet_client_fd(doorman->config.client);
    if (!doorman->watch && fd >= 0)
        doorman->watch =
            vl_watch_new(doorman->config.loop, fd, on_event, doorman);
    if (!doorman->watch)
        return vl_fail(err, VALET_LIMIT, "", "no descriptor is left");
    vl_watch_set(doorman->watch, VL_WATCH_READ);
    return VALET_OK;
}

struct vl_visit *
vl_doorman_ask(struct vl_doorman *doorman, bool renew, const char *claims,
               const struct vl_visit_hooks *hooks)
{
    struct vl_visit *visit = vl_alloc(sizeof *visit);
    *visit = (struct vl_visit){
        .doorman = doorman,
        .hooks = *hooks,
        .since = vl_mono_now(),
        .claims = claims && claims[0] ? vl_strdup(claims) : NULL,
    };
    vl_list_add_last(&doorman->visits, &visit->node);
    if (watch(doorman, NULL) != VALET_OK)
        vl_timer_start(doorman->soon, 0);
    else
        ask_silently(visit, renew, 0);
    return visit;
}

/* --- what may not happen inside a call of ours --- */

static void
on_soon(void *ctx)
{
    struct vl_doorman *doorman = ctx;
    valet_error why;
    if (!doorman->watch) {
        (void)vl_fail(&why, VALET_LIMIT, "",
                      "the process has no descriptor left");
        vl_door_refuse_all(doorman, VL_STAGE_SILENT, &why, VALET_NEXT_RETRY);
        return;
    }
    if (doorman->declined) {
        doorman->declined = false;
        (void)vl_fail(&why, VALET_DENIED, "declined",
                      "the person declined to sign in");
        valet_acquire_cancel(&doorman->sign_in);
        vl_door_set_url(doorman, NULL);
        vl_door_refuse_all(doorman, VL_STAGE_PERSON, &why, VALET_NEXT_SIGN_IN);
        return;
    }
    if (doorman->url)
        vl_door_offer(doorman);
}

void
vl_visit_opened(struct vl_visit *visit, bool accepted)
{
    struct vl_doorman *doorman = visit->doorman;
    if (visit->stage != VL_STAGE_PERSON || !visit->was_offered)
        return;
    if (accepted) {
        vl_door_set_url(doorman, NULL); /* nobody else is to open it */
    } else {
        doorman->declined = true;
        vl_timer_start(doorman->soon, 0);
    }
}

void
vl_visit_rehook(struct vl_visit *visit, const struct vl_visit_hooks *hooks)
{
    visit->hooks = *hooks;
}

/* The prompt is taken back when nobody is left whom it is for. */
void
vl_visit_leave(struct vl_visit **visit)
{
    struct vl_visit *gone = *visit;
    if (!gone)
        return;
    *visit = NULL;
    struct vl_doorman *doorman = gone->doorman;
    bool was_offered = gone->was_offered;
    release(gone);
    if (!vl_door_has_any(doorman, VL_STAGE_PROGRAM))
        vl_consent_abort(&doorman->asking);
    if (!vl_door_has_any(doorman, VL_STAGE_PERSON)) {
        valet_acquire_cancel(&doorman->sign_in);
        vl_door_set_url(doorman, NULL);
    } else if (was_offered && doorman->url) {
        vl_timer_start(doorman->soon, 0); /* to the next who can open it */
    }
}

/* --- life --- */

struct vl_doorman *
vl_doorman_new(const struct vl_doorman_config *config)
{
    struct vl_doorman *doorman = vl_alloc(sizeof *doorman);
    *doorman = (struct vl_doorman){.config = *config};
    doorman->again = vl_timer_new(config->loop, vl_door_on_again, doorman);
    doorman->soon = vl_timer_new(config->loop, on_soon, doorman);
    vl_list_init(&doorman->visits);
    vl_list_init(&doorman->leaving);
    return doorman;
}

void
vl_doorman_free(struct vl_doorman *doorman)
{
    if (!doorman)
        return;
    if (doorman->gone)
        *doorman->gone = true;
    VL_LIST_EACH (node, &doorman->visits)
        release(VL_CONTAINER(node, struct vl_visit, node));
    VL_LIST_EACH (left, &doorman->leaving)
        release(VL_CONTAINER(left, struct vl_visit, node));
    vl_consent_abort(&doorman->asking);
    valet_acquire_cancel(&doorman->sign_in);
    vl_watch_free(doorman->watch);
    vl_timer_free(doorman->again);
    vl_timer_free(doorman->soon);
    free(doorman->url);
    free(doorman);
}
