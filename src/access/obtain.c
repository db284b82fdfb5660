/* SPDX-License-Identifier: Apache-2.0
 *
 * A new token, by a person at a browser or by the client's own credentials: as
 * which client, for which scopes.
 */
#include "access/entra.h"
#include "access/inside.h"
#include "access/scopes.h"
#include "core/sys.h"
#include "http/url.h"

#define OFFLINE VL_STR("offline_access")
/* A secret that ends while the person signs in is of no use. */
#define SECRET_LEAST_S 600

static void visit(struct vl_access_work *work);

/* --- scopes --- */

/* @spec CL-08: what the challenge says, else all of the metadata, else none. */
struct vl_str
vl_access_work_challenged(const struct vl_access_work *work)
{
    struct vl_str scope = vl_buf_str(&work->challenge.scope);
    return scope.n ? scope : vl_str_z(work->access->site.resource_scopes);
}

/* @spec CL-09 CL-18: with what was asked for before, if the server wants more;
 * and with the way to a refresh token, if there is one. */
static valet_status
choose_scopes(struct vl_access_work *work, valet_error *err)
{
    struct vl_access *access = work->access;
    struct vl_str challenged = vl_access_work_challenged(work);
    vl_buf_clear(&work->scope);
    if (vl_access_work_is_step_up(work)) {
        vl_buf_clear(&access->rose);
        vl_buf_add(&access->rose, challenged);
        if (access->tokens.asked)
            vl_access_scopes_add(&work->scope, vl_str_z(access->tokens.asked));
    }
    if (access->site.is_entra && !access->scope)
        VL_TRY(vl_entra_check_scopes(&access->site, challenged, &work->scope,
                                     err));
    else
        vl_access_scopes_add(
            &work->scope, access->scope ? vl_str_z(access->scope) : challenged);
    if (access->flow == VL_ACCESS_PERSON && vl_buf_size(&work->scope) &&
        access->site.offers_offline_access)
        vl_access_scopes_add(&work->scope, OFFLINE);
    return vl_buf_check(&work->scope, err);
}

/* Scopes that were asked for and are in the token's, or not known not to be,
 * would be asked for in vain; those that a person has left out, once more. */
valet_status
vl_access_check_step_up(const struct vl_access_work *work,
                        struct vl_str challenged, valet_error *err)
{
    const struct vl_access *access = work->access;
    const char *asked = access->tokens.asked,
               *got = access->tokens.tokens.scope;
    if (access->scope &&
        !vl_access_scopes_within(challenged, vl_str_z(access->scope)))
        return vl_fail(err, VALET_DENIED, "insufficient_scope",
                       "%s wants the scope " VL_STR_FMT
                       ", which is not among those that were chosen (--scope)",
                       access->host, VL_STR_ARG(challenged));
    if (!asked ||
        (challenged.n && !vl_access_scopes_within(challenged, vl_str_z(asked))))
        return VALET_OK;
    if (challenged.n && got &&
        !vl_access_scopes_within(challenged, vl_str_z(got)) &&
        !vl_str_eq(challenged, vl_buf_str(&access->rose)))
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "insufficient_scope",
                   "%s refuses this: the sign-in has no right to " VL_STR_FMT
                   ", and to ask for it again would not help",
                   access->host,
                   VL_STR_ARG(challenged.n ? challenged : VL_STR("it")));
}

/* --- the client --- */

/* @spec CL-10 CL-11: one that was given, or whose document is its id. */
bool
vl_access_client_given(const struct vl_access *access,
                       struct vl_access_client *ret)
{
    bool has_secret = !vl_secret_is_empty(&access->client_secret);
    const char *id = access->client_id;
    if (!id && access->site.takes_metadata_url)
        id = access->metadata_url;
    if (!id)
        return false;
    *ret = (struct vl_access_client){
        .id = vl_strdup(id),
        .secret = vl_secret_of(vl_secret_reveal(&access->client_secret)),
        .key_file = access->key_file ? vl_strdup(access->key_file) : NULL,
        .proof = vl_access_proof(&access->site, has_secret,
                                 access->key_file != NULL),
    };
    return true;
}

static bool
is_usable(const struct vl_access_client *client)
{
    int64_t now = vl_clock_now(&vl_clock_system) / 1000;
    return client->redirect_uri &&
           (!client->secret_ends || client->secret_ends > now + SECRET_LEAST_S);
}

/* @spec CL-10: an id that is NULL is to be registered. */
static valet_status
choose_client(struct vl_access_work *work, valet_error *err)
{
    struct vl_access *access = work->access;
    bool is_entra = access->site.is_entra;
    vl_access_client_done(&work->client);
    if (vl_access_client_given(access, &work->client))
        return work->client.proof
                   ? VALET_OK
                   : vl_fail(err, VALET_DENIED, "",
                             "%s takes none of the proofs that this client "
                             "has: give a secret or a key that it knows",
                             access->site.issuer);
    if (vl_access_client_kept(access, NULL, &work->client) &&
        is_usable(&work->client) && access->site.registration_endpoint)
        return VALET_OK;
    vl_access_client_done(&work->client);
    if (access->site.registration_endpoint)
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "",
                   "%s does not let programs register themselves: register "
                   "one there, with the redirect URI %s%s%s, and give its id "
                   "(--client-id)",
                   access->site.issuer, is_entra ? "" : "http://",
                   is_entra
                       ? "http://localhost (mobile and desktop applications)"
                       : access->callback_host,
                   is_entra ? "" : "/callback");
}

/* The client is not known there any more: once more, as a new one. */
static bool
can_register_anew(const struct vl_access_work *work)
{
    return work->client.is_registered && !work->has_registered &&
           work->access->site.registration_endpoint &&
           vl_access_work_is_wanted(work);
}

static void
register_anew(struct vl_access_work *work)
{
    vl_access_sign_in_abort(&work->sign_in);
    vl_access_drop_client(work->access, work->client.id);
    vl_access_client_done(&work->client);
    visit(work);
}

/* @spec CL-09: a few times at most. */
static valet_status
check_often(const struct vl_access *access, valet_error *err)
{
    int64_t oldest = access->sign_ins[VL_ACCESS_SIGN_INS - 1];
    if (!oldest || vl_mono_now() - oldest >= VL_ACCESS_SIGN_INS_MS)
        return VALET_OK;
    return vl_fail(err, VALET_DENIED, "",
                   "there were %d sign-ins to %s within minutes, and it has "
                   "refused each of their tokens in the end",
                   VL_ACCESS_SIGN_INS, access->host);
}

static void
note_sign_in(struct vl_access *access)
{
    int64_t *times = access->sign_ins;
    memmove(times + 1, times, (VL_ACCESS_SIGN_INS - 1) * sizeof *times);
    times[0] = vl_mono_now();
}

/* --- the token endpoint --- */

static void
keep_given(struct vl_access *access)
{
    valet_error err;
    if (access->client_id && !access->client_issuer &&
        vl_book_put_given(access->keep, access->url, access->client_id,
                          access->site.issuer, &err) != VALET_OK)
        vl_access_say(access, err.message, NULL);
}

static void
on_tokens(enum vl_redeem_advice advice, struct vl_access_tokens *tokens,
          const valet_error *why, void *ctx)
{
    struct vl_access_work *work = ctx;
    struct vl_access *access = work->access;
    work->redeem = NULL;
    if (advice == VL_REDEEM_FINE) {
        vl_access_take(access, tokens, VL_ACCESS_OBTAINED,
                       vl_buf_cstr(&work->scope), work->client.id);
        note_sign_in(access);
        keep_given(access);
        vl_access_work_done(work);
    } else if (advice == VL_REDEEM_REGISTER && can_register_anew(work)) {
        register_anew(work);
    } else {
        vl_access_work_failed(work, why);
    }
}

static void
redeem(struct vl_access_work *work, struct vl_str code)
{
    struct vl_access *access = work->access;
    struct vl_redeem_in in = {.site = &access->site,
                              .client = &work->client,
                              .grant = VL_GRANT_CLIENT_CREDENTIALS,
                              .scope = vl_buf_cstr(&work->scope)};
    if (work->sign_in) {
        in.grant = VL_GRANT_CODE;
        in.code = code;
        in.verifier = vl_access_sign_in_verifier(work->sign_in);
        in.redirect_uri = vl_access_sign_in_redirect_uri(work->sign_in);
    }
    work->redeem =
        vl_redeem_start(access->loop, access->fetcher, &in, on_tokens, work);
    vl_access_sign_in_abort(&work->sign_in);
}

/* --- a person --- */

/* Others who wait for this sign-in shall not ask the same person again. */
static void
note_refusal(struct vl_access_work *work, const valet_error *why)
{
    struct vl_access *access = work->access;
    valet_error err;
    if ((why->status == VALET_CANCELLED || why->status == VALET_DENIED) &&
        vl_book_put_refused(access->keep, access->url, access->who,
                            vl_clock_now(&vl_clock_system), why,
                            &err) != VALET_OK)
        vl_access_say(access, err.message, NULL);
}

static void
on_signed_in(valet_status status, struct vl_str code, const valet_error *err,
             void *ctx)
{
    struct vl_access_work *work = ctx;
    if (status == VALET_OK) {
        redeem(work, code);
        return;
    }
    const valet_error why = *err;
    /* The last: it was registered with fewer scopes. */
    bool is_of_client = strcmp(why.code, "invalid_client") == 0 ||
                        strcmp(why.code, "unauthorized_client") == 0 ||
                        strcmp(why.code, "invalid_scope") == 0;
    vl_access_sign_in_abort(&work->sign_in);
    if (is_of_client && can_register_anew(work)) {
        register_anew(work);
        return;
    }
    note_refusal(work, &why);
    vl_access_work_failed(work, &why);
}

static void
show(struct vl_access_work *work)
{
    struct vl_access *access = work->access;
    valet_error err = {0};
    const struct vl_access_visit there = {
        &access->site, work->client.id, vl_buf_cstr(&work->scope),
        vl_access_sign_in_redirect_uri(work->sign_in)};
    valet_status status = check_often(access, &err);
    if (status == VALET_OK)
        status = vl_access_sign_in_go(work->sign_in, &there, &err);
    if (status != VALET_OK)
        vl_access_work_failed(work, &err);
}

static void
on_registered(valet_status status, struct vl_access_client *client,
              const valet_error *why, void *ctx)
{
    struct vl_access_work *work = ctx;
    struct vl_access *access = work->access;
    valet_error err;
    work->registration = NULL;
    work->has_registered = true;
    if (status != VALET_OK) {
        vl_access_work_failed(work, why);
        return;
    }
    vl_access_client_done(&work->client);
    work->client = *client;
    *client = (struct vl_access_client){.id = NULL};
    if (vl_book_put_client(access->keep, access->site.issuer, &work->client,
                           &err) != VALET_OK)
        vl_access_say(access, err.message, NULL);
    show(work);
}

static void
on_probed(bool is_dead, void *ctx)
{
    struct vl_access_work *work = ctx;
    work->probe = NULL;
    if (is_dead && can_register_anew(work))
        register_anew(work);
    else
        show(work);
}

/* Port of the redirect URI that was registered, or 0. */
static unsigned
registered_port(const struct vl_access_client *client)
{
    struct vl_url url;
    return client->redirect_uri && vl_url_parse(vl_str_z(client->redirect_uri),
                                                &url, NULL) == VALET_OK
               ? url.port
               : 0;
}

/* A registered port that is taken: some authorization servers insist on it
 * (though RFC 8252 section 7.3 says otherwise), so a free one is registered. */
static valet_status
listen(struct vl_access_work *work, valet_error *err)
{
    struct vl_access *access = work->access;
    unsigned port = access->callback_port ? access->callback_port
                                          : registered_port(&work->client);
    valet_status status = vl_access_sign_in_new(access, port, on_signed_in,
                                                work, &work->sign_in, err);
    if (status == VALET_CONFLICT && !access->callback_port && port)
        status = vl_access_sign_in_new(access, 0, on_signed_in, work,
                                       &work->sign_in, err);
    if (status == VALET_CONFLICT && access->callback_port)
        return vl_fail(err, VALET_CONFLICT, "",
                       "port %u, which was chosen for sign-ins "
                       "(--callback-port), is another program's now",
                       access->callback_port);
    if (status != VALET_OK)
        return status;
    if (work->client.is_registered &&
        strcmp(work->client.redirect_uri,
               vl_access_sign_in_redirect_uri(work->sign_in)) != 0)
        vl_access_client_done(&work->client);
    return VALET_OK;
}

static bool
is_proven(const struct vl_access_work *work)
{
    const char *proven = work->access->proven;
    return !work->client.is_registered ||
           (proven && strcmp(proven, work->client.id) == 0);
}

/* With work->client: as it, or as a new one. */
static void
visit(struct vl_access_work *work)
{
    struct vl_access *access = work->access;
    valet_error err = {0};
    if (listen(work, &err) != VALET_OK) {
        vl_access_work_failed(work, &err);
        return;
    }
    const char *uri = vl_access_sign_in_redirect_uri(work->sign_in);
    const char *scope = vl_buf_cstr(&work->scope);
    if (!work->client.id)
        work->registration =
            vl_register_start(access->loop, access->fetcher, &access->site, uri,
                              scope, on_registered, work);
    else if (!is_proven(work))
        work->probe =
            vl_probe_start(access->fetcher, &access->site, &work->client, uri,
                           scope, on_probed, work);
    else
        show(work);
}

static valet_status
check_person(const struct vl_access_work *work, valet_error *err)
{
    const struct vl_site *site = &work->access->site;
    if (!vl_access_work_is_wanted(work))
        return vl_fail(err, VALET_CANCELLED, "",
                       "nobody waits for it any more");
    if (!site->authorization_endpoint)
        return vl_fail(err, VALET_DENIED, "", "nobody can sign in at %s%s%s",
                       site->issuer, site->no_sign_in ? ": " : "",
                       site->no_sign_in ? site->no_sign_in : "");
    return VALET_OK;
}

void
vl_access_obtain(struct vl_access_work *work)
{
    bool is_person = work->access->flow == VL_ACCESS_PERSON;
    valet_error err = {0};
    valet_status status = choose_scopes(work, &err);
    if (status == VALET_OK && is_person)
        status = check_person(work, &err);
    if (status == VALET_OK)
        status = choose_client(work, &err);
    if (status != VALET_OK)
        vl_access_work_failed(work, &err);
    else if (is_person)
        visit(work);
    else
        redeem(work, (struct vl_str){NULL, 0});
}
