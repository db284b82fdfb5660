/* SPDX-License-Identifier: Apache-2.0 */
#include "access/access.h"

#include "access/inside.h"
#include "core/enc.h"
#include "core/sys.h"
#include "crypto/digest.h"
#include "http/url.h"

#define TIMEOUT_MS ((int64_t)5 * 60 * 1000)
/* While the token at hand does: another process may have a newer one, or has
 * forgotten all of them. */
#define LOOK_AGAIN_MS 1000
#define TURN_NAME     16 /* of a hash */
/* Nothing is renewed ahead that could not be kept. */
#define REST_UNREAD_MS 30000

/* --- life --- */

static char *
dup_or_null(const char *text)
{
    return text ? vl_strdup(text) : NULL;
}

static struct vl_secret
copy_secret(const struct vl_secret *secret)
{
    return secret ? vl_secret_of(vl_secret_reveal(secret))
                  : (struct vl_secret){NULL, 0};
}

/* A program's tokens are not a person's, and those of one client not another's.
 */
static char *
format_who(const struct vl_access_config *config)
{
    const char *id = config->client_id             ? config->client_id
                     : config->client_metadata_url ? config->client_metadata_url
                                                   : "";
    bool is_program = config->flow == VL_ACCESS_CLIENT_CREDENTIALS;
    size_t size = strlen(id) + sizeof "program ";
    char *who = vl_alloc(size);
    (void)snprintf(who, size, "%s %s", is_program ? "program" : "person", id);
    return who;
}

/* Those who want different servers do not wait for each other. */
static char *
format_turn_path(const struct vl_access_config *config)
{
    unsigned char hash[VL_SHA256_SIZE];
    char name[2 * VL_SHA256_SIZE + 1];
    if (!config->lock_path)
        return NULL;
    vl_sha256(vl_str_z(config->url), hash);
    vl_hex(vl_str_of(hash, sizeof hash), name);
    size_t size = strlen(config->lock_path) + sizeof name + sizeof "..turn";
    char *path = vl_alloc(size);
    (void)snprintf(path, size, "%s.%.*s.turn", config->lock_path, TURN_NAME,
                   name);
    return path;
}

/* @spec CL-11: https, with a path. */
static bool
is_document_url(const char *text)
{
    struct vl_url url;
    return vl_url_parse(vl_str_z(text), &url, NULL) == VALET_OK &&
           vl_url_is_https(&url) && url.path.n > 1;
}

static valet_status
check(const struct vl_access_config *config, struct vl_url *url,
      valet_error *err)
{
    bool is_given = config->flow == VL_ACCESS_GIVEN;
    VL_TRY(vl_url_parse(vl_str_z(config->url), url, err));
    if (is_given && (!config->token || vl_secret_is_empty(config->token)))
        return vl_fail(err, VALET_INVALID, "",
                       "the token that is given is "
                       "empty");
    if (config->flow == VL_ACCESS_CLIENT_CREDENTIALS &&
        (!config->client_id ||
         (!config->client_secret && !config->client_key_file)))
        return vl_fail(err, VALET_INVALID, "",
                       "a program signs in with a client id, and a secret or "
                       "a key");
    if (config->client_id && config->client_metadata_url)
        return vl_fail(err, VALET_INVALID, "",
                       "a client has an id, or a metadata document as its id, "
                       "not both");
    if (config->client_metadata_url &&
        !is_document_url(config->client_metadata_url))
        return vl_fail(err, VALET_INVALID, "",
                       "the address of a client's metadata document is https, "
                       "with a path");
    return VALET_OK;
}

valet_status
vl_access_new(const struct vl_access_config *config, struct vl_access **ret,
              valet_error *err)
{
    struct vl_url url;
    unsigned char random;
    VL_TRY(check(config, &url, err));
    vl_random(&random, sizeof random);
    struct vl_access *access = vl_alloc(sizeof *access);
    *access = (struct vl_access){
        .loop = config->loop,
        .fetcher = config->fetcher,
        .keep = config->keep,
        .flow = config->flow,
        .url = vl_strdup(config->url),
        .client_id = dup_or_null(config->client_id),
        .client_issuer = dup_or_null(config->client_issuer),
        .key_file = dup_or_null(config->client_key_file),
        .metadata_url = dup_or_null(config->client_metadata_url),
        .scope = dup_or_null(config->scope),
        .callback_host =
            config->callback_on_localhost ? "localhost" : "127.0.0.1",
        .client_secret = copy_secret(config->client_secret),
        .given = copy_secret(config->token),
        .callback_port = config->callback_port,
        .turn_path = format_turn_path(config),
        .who = format_who(config),
        .timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_MS,
        .tell = config->tell,
        .open = config->open,
        .ctx = config->ctx,
        .jitter = random % 100,
        .rose = vl_buf_of(VL_ACCESS_SCOPES_MAX),
    };
    access->host = vl_alloc(url.host.n + 1);
    (void)snprintf(access->host, url.host.n + 1, VL_STR_FMT,
                   VL_STR_ARG(url.host));
    vl_site_init(&access->site);
    vl_list_init(&access->asks);
    *ret = access;
    return VALET_OK;
}

static void
free_ask(struct vl_access_ask *ask)
{
    vl_list_remove(&ask->node);
    vl_site_challenge_done(&ask->challenge);
    vl_secret_done(&ask->sent);
    free(ask);
}

void
vl_access_free(struct vl_access *access)
{
    if (!access)
        return;
    if (access->work)
        vl_access_work_free(access->work);
    VL_LIST_EACH (node, &access->asks)
        free_ask(VL_CONTAINER(node, struct vl_access_ask, node));
    vl_site_done(&access->site);
    vl_book_tokens_done(&access->tokens);
    vl_secret_done(&access->client_secret);
    vl_secret_done(&access->given);
    vl_buf_done(&access->rose);
    char *texts[] = {access->url,       access->host,
                     access->client_id, access->client_issuer,
                     access->key_file,  access->metadata_url,
                     access->scope,     access->turn_path,
                     access->who,       access->proven};
    for (size_t i = 0; i < VL_COUNT(texts); i++)
        free(texts[i]);
    access->work = NULL;
    access->is_dead = true;
    if (!access->is_telling)
        free(access);
}

/* --- the token to send --- */

static void
renew_ahead(struct vl_access *access)
{
    if (!access->work && vl_access_is_due(access) &&
        vl_mono_now() >= access->rest_until)
        vl_access_work_start(access, NULL);
}

/* What cannot be read is told to who asks then. */
static void
look(struct vl_access *access)
{
    if (vl_access_look(access, NULL) != VALET_OK)
        access->rest_until = vl_mono_now() + REST_UNREAD_MS;
}

/* What is kept is read when it has changed: to read it takes milliseconds, and
 * may ask the person to unlock their keys. */
static bool
is_worth_a_look(struct vl_access *access)
{
    int64_t now = vl_mono_now();
    if (!access->marked_ms)
        return true;
    if (vl_access_is_alive(access) && now - access->marked_ms < LOOK_AGAIN_MS)
        return false;
    access->marked_ms = now;
    return !vl_keep_is_same(vl_keep_now(access->keep), access->mark);
}

/* While something is at work, it alone reads the book. */
const struct vl_secret *
vl_access_bearer(struct vl_access *access)
{
    if (access->flow == VL_ACCESS_GIVEN)
        return &access->given;
    if (!access->work && is_worth_a_look(access))
        look(access);
    if (!vl_access_is_alive(access))
        return NULL;
    renew_ahead(access);
    return &access->tokens.tokens.access;
}

void
vl_access_worked(struct vl_access *access)
{
    access->has_worked = true;
}

/* --- who asks --- */

struct vl_access_ask *
vl_access_ask(struct vl_access *access, int http_status,
              const struct vl_headers *headers, const struct vl_secret *sent,
              vl_access_done *done, void *ctx)
{
    struct vl_access_ask *ask = vl_alloc(sizeof *ask);
    *ask = (struct vl_access_ask){.access = access,
                                  .http_status = http_status,
                                  .sent = copy_secret(sent),
                                  .done = done,
                                  .ctx = ctx};
    vl_site_challenge_init(&ask->challenge);
    vl_site_challenge_read(headers, &ask->challenge);
    vl_list_add_last(&access->asks, &ask->node);
    if (!access->work)
        vl_access_work_start(access, ask);
    return ask;
}

/* An answer of the token endpoint that is on its way has a token in it that
 * nobody gets a second time: it is waited for, and kept. */
static bool
may_be_ended(const struct vl_access_work *work)
{
    return !work->is_ahead && !work->redeem;
}

void
vl_access_ask_abort(struct vl_access_ask **ask)
{
    struct vl_access_ask *aborted = *ask;
    *ask = NULL;
    if (!aborted)
        return;
    struct vl_access *access = aborted->access;
    free_ask(aborted);
    if (vl_list_is_empty(&access->asks) && access->work &&
        may_be_ended(access->work)) {
        vl_access_work_free(access->work);
        access->work = NULL;
    }
}

static bool
is_same(const struct vl_access_ask *ask, const struct vl_access_work *work)
{
    bool same_token = vl_secret_is_empty(&ask->sent)
                          ? vl_secret_is_empty(&work->sent)
                          : vl_secret_eq(&ask->sent, &work->sent);
    return same_token && ask->http_status == work->http_status &&
           vl_str_eq(vl_buf_str(&ask->challenge.scope),
                     vl_buf_str(&work->challenge.scope));
}

/* A new token is worth a try for everybody; a refusal is about what was asked
 * for. */
void
vl_access_tell(struct vl_access *access, const struct vl_access_work *work,
               const valet_error *err)
{
    VL_LIST_EACH (node, &access->asks) {
        struct vl_access_ask *ask =
            VL_CONTAINER(node, struct vl_access_ask, node);
        if (err && (work->is_ahead || !is_same(ask, work)))
            continue;
        ask->is_done = true;
        if (err)
            ask->err = *err;
        ask->status = err ? err->status : VALET_OK;
    }
}

static struct vl_access_ask *
find_ask(struct vl_access *access, bool is_done)
{
    VL_LIST_EACH (node, &access->asks) {
        struct vl_access_ask *ask =
            VL_CONTAINER(node, struct vl_access_ask, node);
        if (ask->is_done == is_done)
            return ask;
    }
    return NULL;
}

/* A callback may free everything, and ask again. */
void
vl_access_deliver(struct vl_access *access)
{
    struct vl_access_ask *ask = find_ask(access, false);
    if (ask && !access->work)
        vl_access_work_start(access, ask);
    if (access->is_telling)
        return;
    access->is_telling = true;
    while (!access->is_dead && (ask = find_ask(access, true))) {
        struct vl_access_ask told = *ask;
        /* Nothing of what moved is owned by `told`. */
        free_ask(ask);
        told.done(told.status, told.status == VALET_OK ? NULL : &told.err,
                  told.ctx);
    }
    access->is_telling = false;
    if (access->is_dead)
        free(access);
}

/* --- forgetting --- */

valet_status
vl_access_forget(struct vl_keep *keep, const char *url, valet_error *err)
{
    return vl_book_forget(keep, url, err);
}
