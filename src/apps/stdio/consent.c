/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/consent.h"

#include <stdlib.h>
#include <unistd.h>

#include "apps/command/command.h"
#include "apps/stdio/consent_page.h"
#include "apps/stdio/grant.h"
#include "apps/stdio/program.h"
#include "apps/stdio/programs.h"
#include "browser/open.h"
#include "core/status.h"

struct vl_consent_ask {
    struct vl_loop *loop;
    struct vl_timer *timer; /* the answer that is known, or the time for one */
    struct vl_consent_page *page;
    struct vl_opening *opening;
    struct vl_program program;
    struct vl_buf grant; /* as it is remembered */
    enum vl_consent how;
    valet_error outcome;
    bool is_listed;
    vl_consent_done *done;
    void *ctx;
};

/* --- its end --- */

/* The program and what became of it, and nothing else (@spec S-35). */
static void
note(const struct vl_consent_ask *ask, const char *what)
{
    vl_complain("consent: %s: %s",
                ask->program.name[0] ? ask->program.name : "unknown program",
                what);
}

static void
finish(struct vl_consent_ask *ask)
{
    valet_error outcome = ask->outcome;
    bool is_listed = ask->is_listed;
    vl_consent_done *done = ask->done;
    void *ctx = ask->ctx;
    vl_consent_abort(&ask);
    done(outcome.status, &outcome, is_listed, ctx);
}

/* By the loop, since starting does not call back. */
static void
finish_soon(struct vl_consent_ask *ask)
{
    vl_timer_start(ask->timer, 0);
}

static void
on_timer(void *ctx)
{
    struct vl_consent_ask *ask = ctx;
    if (ask->page) {
        note(ask, "not answered");
        (void)vl_fail(&ask->outcome, VALET_DENIED, "program_unknown",
                      "the person has not allowed this program within the "
                      "time for it; call again to be asked again");
    }
    finish(ask);
}

/* --- when nobody can be asked --- */

/* The sentence is what the client shows; what is too long for it is in the
 * log. */
static void
refuse_unasked(struct vl_consent_ask *ask, const char *why)
{
    vl_auto(vl_buf) command = vl_buf_of(VL_GRANT_SIZE + 32);
    vl_buf_addz(&command, "mcp-valet allow ");
    vl_buf_add(&command, vl_buf_str(&ask->grant));
    note(ask, why);
    if (!ask->program.is_sure || ask->how == VL_CONSENT_ALWAYS) {
        (void)vl_fail(&ask->outcome, VALET_DENIED, "program_unknown",
                      "the person has to allow this program each time, and "
                      "cannot be asked: %s",
                      why);
        return;
    }
    vl_complain("to allow this program: %s", vl_buf_cstr(&command));
    (void)vl_fail(&ask->outcome, VALET_DENIED, "program_unknown",
                  "the person has not allowed this program, and cannot be "
                  "asked (%s). To allow it, run: %s",
                  why,
                  vl_buf_size(&command) <= 140
                      ? vl_buf_cstr(&command)
                      : "mcp-valet allow PROGRAM (this server's log has the "
                        "whole command)");
}

static void
on_opened(const valet_error *error, void *ctx)
{
    struct vl_consent_ask *ask = ctx;
    ask->opening = NULL;
    if (!error)
        return;
    vl_consent_page_close(&ask->page);
    refuse_unasked(ask, error->message);
    finish_soon(ask);
}

/* --- asking --- */

static const char *
read_env(const char *name)
{
    return getenv(name);
}

static void
on_answer(bool allowed, void *ctx)
{
    struct vl_consent_ask *ask = ctx;
    valet_error err = {0};
    vl_consent_page_close(&ask->page);
    note(ask, allowed ? "allowed by the person" : "denied by the person");
    if (!allowed)
        (void)vl_fail(&ask->outcome, VALET_DENIED, "program_denied",
                      "the person did not allow this program");
    else if (ask->how == VL_CONSENT_FIRST_USE && ask->program.is_sure)
        ask->is_listed =
            vl_programs_allow(vl_buf_cstr(&ask->grant), &err) == VALET_OK;
    if (err.status != VALET_OK)
        vl_complain("that the program is allowed could not be remembered: %s",
                    err.message);
    finish(ask);
}

static valet_status
show(struct vl_consent_ask *ask, const struct vl_consent_about *about,
     valet_error *err)
{
    const struct vl_consent_words words = {
        .program = ask->program.name,
        .account = about->account,
        .scopes = about->scopes,
        .command = about->command,
        .is_remembered =
            ask->how == VL_CONSENT_FIRST_USE && ask->program.is_sure,
    };
    if (!vl_browser_has_screen(read_env))
        return vl_fail(err, VALET_NOT_FOUND, "", "there is no screen");
    VL_TRY(vl_consent_page_open(ask->loop, &words, on_answer, ask, &ask->page,
                                err));
    return vl_browser_open(ask->loop, read_env,
                           vl_str_z(vl_consent_page_url(ask->page)), on_opened,
                           ask, &ask->opening, err);
}

static void
ask_person(struct vl_consent_ask *ask, const struct vl_consent_about *about)
{
    valet_error err = {0};
    if (show(ask, about, &err) != VALET_OK) {
        vl_consent_page_close(&ask->page);
        refuse_unasked(ask, err.message);
        finish_soon(ask);
        return;
    }
    note(ask, "the person is asked in the browser");
    vl_timer_start(ask->timer, 1000 * (int64_t)about->timeout_s);
}

/* --- what is known --- */

static valet_status
look_up(struct vl_consent_ask *ask, bool *ret_known, valet_error *err)
{
    vl_auto(vl_programs) programs;
    *ret_known = false;
    VL_TRY(vl_programs_read(&programs, err));
    *ret_known = ask->program.is_sure &&
                 vl_programs_has(&programs, vl_buf_cstr(&ask->grant));
    ask->is_listed = *ret_known;
    return VALET_OK;
}

/* What cannot be written down is asked about each time. */
static valet_status
find_program(struct vl_consent_ask *ask, const struct vl_consent_about *about,
             valet_error *err)
{
    VL_TRY(vl_program_find(about->parent ? about->parent : getppid(),
                           &ask->program, err));
    vl_grant_write(&(struct vl_grant){.program = ask->program.name,
                                      .account = about->named_account,
                                      .scopes = about->named_scopes,
                                      .command = about->command},
                   &ask->grant);
    if (vl_buf_check(&ask->grant, NULL) != VALET_OK ||
        !vl_str_is_utf8(vl_buf_str(&ask->grant)))
        ask->program.is_sure = false;
    return VALET_OK;
}

struct vl_consent_ask *
vl_consent_start(struct vl_loop *loop, enum vl_consent how,
                 const struct vl_consent_about *about, vl_consent_done *done,
                 void *ctx)
{
    struct vl_consent_ask *ask = vl_alloc(sizeof *ask);
    valet_error err = {0};
    bool known = how == VL_CONSENT_NEVER;
    *ask = (struct vl_consent_ask){.loop = loop,
                                   .grant = vl_buf_of(VL_GRANT_SIZE),
                                   .how = how,
                                   .done = done,
                                   .ctx = ctx};
    ask->timer = vl_timer_new(loop, on_timer, ask);
    valet_status status = VALET_OK;
    if (!known)
        status = find_program(ask, about, &err);
    if (status == VALET_OK && how == VL_CONSENT_FIRST_USE)
        status = look_up(ask, &known, &err);
    if (status == VALET_OK && !known) {
        ask_person(ask, about);
        return ask;
    }
    if (status != VALET_OK)
        (void)vl_fail(&ask->outcome, VALET_DENIED, "program_unknown", "%s",
                      err.message);
    if (how != VL_CONSENT_NEVER)
        note(ask, status == VALET_OK ? "allowed before" : err.message);
    finish_soon(ask);
    return ask;
}

bool
vl_consent_is_shown(const struct vl_consent_ask *ask)
{
    return ask->page != NULL;
}

void
vl_consent_abort(struct vl_consent_ask **ask)
{
    struct vl_consent_ask *gone = *ask;
    if (!gone)
        return;
    *ask = NULL;
    vl_opening_abort(&gone->opening);
    vl_consent_page_close(&gone->page);
    vl_timer_free(gone->timer);
    vl_buf_done(&gone->grant);
    free(gone);
}
