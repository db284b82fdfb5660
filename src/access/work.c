/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt to get a token, as access.h's comment says: what is at hand, what
 * another process has got meanwhile, a refresh, then a sign-in. Whose turn it
 * is goes by a lock that the kernel gives back when its holder dies; who waits
 * for it looks into the book when it comes, and mostly finds what it wanted.
 */
#include "access/inside.h"
#include "core/sys.h"

/* How often it is asked for the turn: a person does not notice. */
#define TURN_PAUSE_MS 200
/* Besides the time that the other has for a sign-in: for what comes before and
 * after it on the network. */
#define TURN_MORE_MS 60000
/* Between two renewals ahead of time that failed: doubled each time. */
#define REST_MS      30000
#define REST_MOST_MS 900000
/* Another process has the turn: its token is there soon. */
#define REST_BUSY_MS 2000

/* --- life --- */

static void
on_timer(void *ctx)
{
    struct vl_access_work *work = ctx;
    work->next(work);
}

void
vl_access_work_later(struct vl_access_work *work, int64_t ms,
                     void (*next)(struct vl_access_work *work))
{
    work->next = next;
    vl_timer_start(work->timer, ms);
}

void
vl_access_work_free(struct vl_access_work *work)
{
    vl_timer_free(work->timer);
    vl_discover_abort(&work->discover);
    vl_register_abort(&work->registration);
    vl_redeem_abort(&work->redeem);
    vl_probe_abort(&work->probe);
    vl_access_sign_in_abort(&work->sign_in);
    vl_access_client_done(&work->client);
    vl_site_challenge_done(&work->challenge);
    vl_secret_done(&work->sent);
    vl_buf_done(&work->scope);
    vl_keep_lock_done(&work->turn);
    free(work);
}

static void
rest(struct vl_access *access, const valet_error *err)
{
    int64_t ms = REST_MS;
    for (unsigned i = 0; i < access->failures && ms < REST_MOST_MS; i++)
        ms *= 2;
    access->failures++;
    ms -= ms / 2 * access->jitter / 100;
    access->rest_until =
        vl_mono_now() + (err->status == VALET_RETRY ? ms : REST_MOST_MS);
}

static void
finish(struct vl_access_work *work, const valet_error *err)
{
    struct vl_access *access = work->access;
    access->work = NULL;
    vl_access_tell(access, work, err);
    vl_access_work_free(work);
    vl_access_deliver(access);
}

void
vl_access_work_done(struct vl_access_work *work)
{
    work->access->failures = 0;
    finish(work, NULL);
}

void
vl_access_work_failed(struct vl_access_work *work, const valet_error *err)
{
    const valet_error copy = *err;
    if (work->is_ahead)
        rest(work->access, &copy);
    finish(work, &copy);
}

/* --- what it is about --- */

/* @spec CL-09: some say it with 401. */
bool
vl_access_work_is_step_up(const struct vl_access_work *work)
{
    return !work->is_ahead && (work->http_status == 403 ||
                               vl_str_eqz(vl_buf_str(&work->challenge.error),
                                          "insufficient_scope"));
}

bool
vl_access_work_is_wanted(const struct vl_access_work *work)
{
    VL_LIST_EACH (node, &work->access->asks)
        if (!VL_CONTAINER(node, struct vl_access_ask, node)->is_done)
            return true;
    return false;
}

/* Is the token at hand the one that the server has refused? */
static bool
is_refused(const struct vl_access_work *work)
{
    return vl_secret_eq(&work->sent, &work->access->tokens.tokens.access);
}

static bool
has_another(const struct vl_access_work *work)
{
    if (!vl_access_is_alive(work->access))
        return false;
    return work->is_ahead ? !vl_access_is_due(work->access) : !is_refused(work);
}

/* A token that was renewed and is refused all the same is not renewed again. */
static bool
can_renew(const struct vl_access_work *work)
{
    const struct vl_access *access = work->access;
    if (!vl_access_can_renew(access) || work->has_renewed ||
        vl_access_work_is_step_up(work))
        return false;
    return !(is_refused(work) && access->origin == VL_ACCESS_RENEWED &&
             !access->has_worked && vl_access_is_alive(access));
}

/* --- the order --- */

static void
deny(struct vl_access_work *work, const char *what)
{
    valet_error err = {0};
    (void)vl_fail(&err, VALET_DENIED, "", "%s %s", work->access->host, what);
    vl_access_work_failed(work, &err);
}

/* @spec CL-09: the same refusal twice ends it. */
static bool
is_hopeless(const struct vl_access_work *work)
{
    const struct vl_access *access = work->access;
    return !vl_access_work_is_step_up(work) && is_refused(work) &&
           access->origin == VL_ACCESS_OBTAINED && !access->has_worked &&
           vl_access_is_alive(access);
}

static bool
is_vain_step_up(const struct vl_access_work *work, struct vl_str challenged,
                valet_error *err)
{
    return vl_access_work_is_step_up(work) &&
           vl_access_check_step_up(work, challenged, err) != VALET_OK;
}

/* @spec CL-13: a client id that was given is of one issuer. */
static valet_status
check_given(const struct vl_access *access, valet_error *err)
{
    vl_auto(vl_book) book = {{NULL}};
    struct vl_str issuer = vl_str_z(access->client_issuer);
    if (!access->client_id)
        return VALET_OK;
    if (!issuer.n) {
        VL_TRY(vl_book_load(access->keep, &book, err));
        issuer = vl_book_given(&book, access->url, access->client_id);
    }
    if (!issuer.n || vl_str_eqz(issuer, access->site.issuer))
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "",
                   "%s now names the authorization server %s, but the client "
                   "id is one of " VL_STR_FMT ": it was not sent there",
                   access->host, access->site.issuer, VL_STR_ARG(issuer));
}

/* What is best, now that the documents are known. */
static void
go_on(struct vl_access_work *work)
{
    struct vl_access *access = work->access;
    valet_error err = {0};
    if (check_given(access, &err) != VALET_OK ||
        is_vain_step_up(work, vl_access_work_challenged(work), &err))
        vl_access_work_failed(work, &err);
    else if (has_another(work))
        vl_access_work_done(work);
    else if (is_hopeless(work))
        deny(work, "refuses the token that its authorization server has "
                   "just given for it");
    else if (can_renew(work))
        vl_access_renew(work);
    else
        vl_access_obtain(work);
}

static void
on_discovered(valet_status status, struct vl_site *site, const valet_error *err,
              void *ctx)
{
    struct vl_access_work *work = ctx;
    struct vl_access *access = work->access;
    work->discover = NULL;
    work->has_discovered = true;
    if (status == VALET_OK) {
        vl_access_learn(access, site);
        go_on(work);
    } else if (status == VALET_RETRY && can_renew(work)) {
        /* What was known before is better than nothing. */
        go_on(work);
    } else {
        vl_access_work_failed(work, err);
    }
}

void
vl_access_work_discover(struct vl_access_work *work)
{
    struct vl_access *access = work->access;
    if (work->has_discovered) {
        go_on(work);
        return;
    }
    work->discover = vl_discover_start(
        access->loop, access->fetcher, access->url,
        vl_buf_cstr(&work->challenge.resource_metadata), on_discovered, work);
}

/* A token that was thought to be good and is refused: perhaps the server has
 * another authorization server now. */
static bool
is_surprise(const struct vl_access_work *work)
{
    return !vl_secret_is_empty(&work->sent) &&
           (!is_refused(work) || vl_access_is_alive(work->access));
}

static void
choose(struct vl_access_work *work)
{
    valet_error err = {0};
    if (vl_buf_size(&work->challenge.scope) &&
        is_vain_step_up(work, vl_buf_str(&work->challenge.scope), &err))
        vl_access_work_failed(work, &err);
    else if (can_renew(work) && !is_surprise(work))
        vl_access_renew(work);
    else
        vl_access_work_discover(work);
}

/* --- the turn --- */

/* Of several who waited for one sign-in the others do not ask the person again,
 * who has just said no. */
static bool
was_refused_meanwhile(const struct vl_access_work *work, valet_error *err)
{
    const struct vl_access *access = work->access;
    vl_auto(vl_book) book = {{NULL}};
    int64_t at = 0;
    return work->has_told &&
           vl_book_load(access->keep, &book, NULL) == VALET_OK &&
           vl_book_refused(&book, access->url, access->who, &at, err) &&
           at >= work->began_ms;
}

static void
have_turn(struct vl_access_work *work)
{
    valet_error err = {0};
    if (vl_access_look(work->access, &err) != VALET_OK)
        vl_access_work_failed(work, &err);
    else if (has_another(work))
        vl_access_work_done(work);
    else if (work->is_ahead && can_renew(work))
        vl_access_renew(work);
    else if (work->is_ahead) /* another process has found that it cannot be */
        finish(work, &err);
    else if (was_refused_meanwhile(work, &err))
        vl_access_work_failed(work, &err);
    else
        choose(work);
}

static void take_turn(struct vl_access_work *work);

static void
wait_for_turn(struct vl_access_work *work, const valet_error *err)
{
    struct vl_access *access = work->access;
    if (work->is_ahead) {
        access->rest_until = vl_mono_now() + REST_BUSY_MS;
        finish(work, err);
        return;
    }
    if (vl_mono_now() >= work->deadline_ms) {
        valet_error late = {0};
        (void)vl_fail(&late, VALET_RETRY, "",
                      "another program of yours has been getting a token for "
                      "%s for too long",
                      access->host);
        vl_access_work_failed(work, &late);
        return;
    }
    if (!work->has_told)
        vl_access_say(access,
                      "Another program of yours is getting a token for the "
                      "same server: waiting for it.",
                      NULL);
    work->has_told = true;
    vl_access_work_later(work, TURN_PAUSE_MS - access->jitter, take_turn);
}

static void
take_turn(struct vl_access_work *work)
{
    valet_error err = {0};
    valet_status status = VALET_OK;
    if (work->access->turn_path)
        status = vl_keep_lock_take(work->access->turn_path, true, 0,
                                   &work->turn, &err);
    if (status == VALET_OK)
        have_turn(work);
    else if (status == VALET_RETRY)
        wait_for_turn(work, &err);
    else
        vl_access_work_failed(work, &err);
}

static void
begin(struct vl_access_work *work)
{
    if (work->access->flow == VL_ACCESS_GIVEN)
        deny(work, "refuses the token that was given");
    else
        take_turn(work);
}

void
vl_access_work_start(struct vl_access *access, const struct vl_access_ask *ask)
{
    struct vl_access_work *work = vl_alloc(sizeof *work);
    *work = (struct vl_access_work){
        .access = access,
        .is_ahead = !ask,
        .turn = {-1},
        .began_ms = vl_clock_now(&vl_clock_system),
        .deadline_ms = vl_mono_now() + access->timeout_ms + TURN_MORE_MS,
        .scope = vl_buf_of(VL_ACCESS_SCOPES_MAX),
    };
    work->timer = vl_timer_new(access->loop, on_timer, work);
    vl_site_challenge_init(&work->challenge);
    if (ask) {
        work->http_status = ask->http_status;
        work->sent = vl_secret_of(vl_secret_reveal(&ask->sent));
        vl_buf_add(&work->challenge.resource_metadata,
                   vl_buf_str(&ask->challenge.resource_metadata));
        vl_buf_add(&work->challenge.scope, vl_buf_str(&ask->challenge.scope));
        vl_buf_add(&work->challenge.error, vl_buf_str(&ask->challenge.error));
    }
    access->work = work;
    vl_access_work_later(work, 0, begin);
}
