/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/command/command.h"
#include "apps/stdio/doorman_inside.h"
#include "core/str.h"
#include "core/sys.h"

/* How often what is to be done is said again: clients give up on calls of
 * which they hear nothing, after a minute or so. */
#define TELL_MS 4000
/* Of a client that may have lost interest in the address: then another call's
 * gets it. */
#define OFFER_MS 30000

/* --- what the person is told --- */

static void
tell_all(struct vl_doorman *doorman)
{
    VL_LIST_EACH (node, &doorman->visits) {
        struct vl_visit *visit = VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage != VL_STAGE_SILENT && visit->hooks.tell)
            visit->hooks.tell(doorman->tell, visit->hooks.ctx);
    }
}

void
vl_door_say(struct vl_doorman *doorman, const char *text)
{
    (void)snprintf(doorman->tell, sizeof doorman->tell, "%s", text);
    vl_str_tame(doorman->tell);
    vl_timer_start(doorman->again, TELL_MS);
    tell_all(doorman);
}

/* --- the person --- */

static const char *
method_name(unsigned method)
{
    return method == VALET_METHOD_BROKER    ? "broker"
           : method == VALET_METHOD_BROWSER ? "browser"
                                            : "device code";
}

/* The address is offered to one client at a time: it works once. */
void
vl_door_offer(struct vl_doorman *doorman)
{
    VL_LIST_EACH (node, &doorman->visits) {
        struct vl_visit *visit = VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage != VL_STAGE_PERSON || !visit->hooks.open ||
            visit->was_offered)
            continue;
        visit->was_offered = true;
        doorman->offered_at = vl_mono_now();
        visit->hooks.open(doorman->url, visit->hooks.ctx);
        return;
    }
}

void
vl_door_on_again(void *ctx)
{
    struct vl_doorman *doorman = ctx;
    if (!vl_door_has_any(doorman, VL_STAGE_PROGRAM) &&
        !vl_door_has_any(doorman, VL_STAGE_PERSON))
        return;
    vl_timer_start(doorman->again, TELL_MS);
    tell_all(doorman);
    if (doorman->url && vl_mono_now() - doorman->offered_at > OFFER_MS)
        vl_door_offer(doorman);
}

void
vl_door_set_url(struct vl_doorman *doorman, const char *url)
{
    free(doorman->url);
    doorman->url = url ? vl_strdup(url) : NULL;
}

/* By its client; the sign-in waits. */
static valet_status
on_open(const char *url, void *ctx, valet_error *err)
{
    struct vl_doorman *doorman = ctx;
    (void)err;
    vl_door_set_url(doorman, url);
    vl_door_offer(doorman);
    return VALET_OK;
}

static bool
can_open(const struct vl_doorman *doorman)
{
    VL_LIST_EACH (node, &doorman->visits) {
        const struct vl_visit *visit =
            VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage == VL_STAGE_PERSON && visit->hooks.open)
            return true;
    }
    return false;
}

static void
tell_code(struct vl_doorman *doorman, const valet_progress *progress)
{
    char text[VL_DOOR_TELL_SIZE];
    (void)snprintf(text, sizeof text,
                   "To sign in, open %s on any device and type the code %s "
                   "there",
                   progress->url, progress->user_code);
    vl_complain("%s", text);
    vl_door_say(doorman, text);
}

/* @spec S-41: the code is on standard error and in the call's progress. */
static void
on_progress(const valet_progress *progress, void *ctx)
{
    struct vl_doorman *doorman = ctx;
    if (progress->failed) {
        vl_complain("not by %s: %s", method_name(progress->method),
                    progress->failed);
    } else if (progress->method == VALET_METHOD_DEVICE_CODE) {
        tell_code(doorman, progress);
    } else if (progress->method == VALET_METHOD_BROKER) {
        vl_complain("the broker of this machine is asked to sign in");
        vl_door_say(doorman,
                    "Waiting for the sign-in in the window of this machine's "
                    "broker");
    } else if (doorman->by_client) {
        vl_door_say(doorman,
                    "Waiting for the sign-in at the address that the client "
                    "is asked to open");
    } else {
        vl_complain("to sign in, a browser is opened at %s", progress->url);
        vl_door_say(doorman,
                    "Waiting for the sign-in in the browser of this machine");
    }
}

static void
on_signed_in(valet_status status, valet_auth_result *result,
             const valet_entra_error *error, void *ctx)
{
    struct vl_doorman *doorman = ctx;
    doorman->sign_in = NULL;
    vl_door_set_url(doorman, NULL);
    if (status == VALET_OK)
        vl_complain("signed in by %s",
                    result->source == VALET_SOURCE_DEVICE_CODE
                        ? "device code"
                        : valet_source_name(result->source));
    if (status == VALET_OK && result->not_kept)
        vl_complain("the sign-in could not be kept: %s", result->not_kept);
    vl_door_dismiss_all(doorman, VL_STAGE_PERSON, status, result, error);
    valet_auth_result_done(result);
}

static const char *
find_claims(const struct vl_doorman *doorman)
{
    VL_LIST_EACH (node, &doorman->visits) {
        const struct vl_visit *visit =
            VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage == VL_STAGE_PERSON && visit->claims)
            return visit->claims;
    }
    return NULL;
}

/* Of the time that a person is waited for, what the question about the program
 * has left: the client waits for all of it. */
int
vl_door_time_left(const struct vl_doorman *doorman, enum vl_stage stage)
{
    int64_t whole = doorman->config.timeout_s ? doorman->config.timeout_s
                                              : VL_DOOR_TIMEOUT_S;
    int64_t since = vl_mono_now();
    VL_LIST_EACH (node, &doorman->visits) {
        const struct vl_visit *visit =
            VL_CONTAINER(node, struct vl_visit, node);
        if (visit->stage == stage && visit->since < since)
            since = visit->since;
    }
    int64_t left = whole - (vl_mono_now() - since) / 1000;
    return left > 1 ? (int)left : 1;
}

/* @spec S-34 W-40: one sign-in for all who wait, and for who joins them. */
void
vl_door_sign_in(struct vl_doorman *doorman)
{
    const struct vl_doorman_config *config = &doorman->config;
    unsigned methods = config->methods;
    doorman->by_client =
        can_open(doorman) && (!methods || methods == VALET_METHOD_BROWSER);
    const valet_request request = {
        .flow = VALET_FLOW_SIGN_IN,
        .scopes = config->scopes,
        .account = config->account,
        .claims = find_claims(doorman),
        .methods = doorman->by_client ? VALET_METHOD_BROWSER : methods,
        .timeout_s = vl_door_time_left(doorman, VL_STAGE_PERSON),
        .tell = on_progress,
        .open = doorman->by_client ? on_open : NULL,
        .ctx = doorman,
    };
    doorman->declined = false;
    valet_acquire_start(config->client, &request, on_signed_in, doorman,
                        &doorman->sign_in);
    vl_door_say(doorman, "Waiting for a sign-in");
}
