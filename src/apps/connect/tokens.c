/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/connect/tokens.h"

#include <limits.h>
#include <stdlib.h>

#include "core/list.h"
#include "core/status.h"
#include "core/sys.h"

/* As often as the doorman of stdio says it. */
#define REMIND_MS 4000

struct vl_connect_tokens {
    struct vl_connect_tokens_config config;
    struct vl_keep *keep;
    struct vl_access *access; /* NULL: not yet, or `why` not */
    valet_error why;
    bool was_opened;
    struct vl_list waits;
    char *told; /* to those who wait; or NULL */
    struct vl_timer *again;
};

/* A message that was refused. */
struct wait {
    struct vl_list node;
    struct vl_connect_tokens *tokens;
    struct vl_remote_retry *retry;
    struct vl_access_ask *ask;
    struct vl_timer *timer; /* for what is known at once */
};

/* --- what the person is told --- */

static void
forget_told(struct vl_connect_tokens *tokens)
{
    free(tokens->told);
    tokens->told = NULL;
    vl_timer_stop(tokens->again);
}

static void
on_again(void *ctx)
{
    struct vl_connect_tokens *tokens = ctx;
    vl_timer_start(tokens->again, REMIND_MS);
    tokens->config.remind(tokens->told, tokens->config.ctx);
}

/* What is told while nobody waits is no news for requests. */
static void
tell(const char *text, const char *url, void *ctx)
{
    struct vl_connect_tokens *tokens = ctx;
    const struct vl_access_config *access = &tokens->config.access;
    if (tokens->config.remind && !vl_list_is_empty(&tokens->waits)) {
        forget_told(tokens);
        tokens->told = vl_strdup(text);
        vl_timer_start(tokens->again, REMIND_MS);
    }
    if (access->tell)
        access->tell(text, url, access->ctx);
}

/* --- access/ --- */

static valet_status
open_access(struct vl_connect_tokens *tokens, valet_error *err)
{
    struct vl_access_config config = tokens->config.access;
    vl_auto(vl_buf) lock = vl_buf_of(PATH_MAX);
    VL_TRY(tokens->config.open(&tokens->keep, &lock, tokens->config.ctx, err));
    VL_TRY(vl_buf_check(&lock, err));
    config.tell = tell;
    config.ctx = tokens;
    config.keep = tokens->keep;
    config.lock_path = vl_buf_size(&lock) ? vl_buf_cstr(&lock) : NULL;
    return vl_access_new(&config, &tokens->access, err);
}

const struct vl_secret *
vl_connect_tokens_bearer(void *ctx)
{
    struct vl_connect_tokens *tokens = ctx;
    if (!tokens->was_opened) {
        tokens->was_opened = true;
        if (open_access(tokens, &tokens->why) != VALET_OK)
            tokens->access = NULL;
    }
    return tokens->access ? vl_access_bearer(tokens->access) : NULL;
}

void
vl_connect_tokens_worked(void *ctx)
{
    struct vl_connect_tokens *tokens = ctx;
    if (tokens->access)
        vl_access_worked(tokens->access);
}

/* --- refusals --- */

static struct vl_remote_retry *
end_wait(struct wait *wait)
{
    struct vl_connect_tokens *tokens = wait->tokens;
    struct vl_remote_retry *retry = wait->retry;
    vl_access_ask_abort(&wait->ask);
    vl_timer_free(wait->timer);
    vl_list_remove(&wait->node);
    free(wait);
    if (vl_list_is_empty(&tokens->waits))
        forget_told(tokens);
    return retry;
}

static void
done(valet_status status, const valet_error *err, void *ctx)
{
    struct wait *wait = ctx;
    wait->ask = NULL;
    vl_remote_retry(end_wait(wait), status, err);
}

static void
refuse(void *ctx)
{
    struct wait *wait = ctx;
    valet_error why = wait->tokens->why;
    vl_remote_retry(end_wait(wait), why.status ? why.status : VALET_INTERNAL,
                    &why);
}

void
vl_connect_tokens_authorize(const struct vl_remote_refusal *refusal,
                            struct vl_remote_retry *retry, void *ctx)
{
    struct vl_connect_tokens *tokens = ctx;
    struct wait *wait = vl_alloc(sizeof *wait);
    wait->tokens = tokens;
    wait->retry = retry;
    vl_list_add_last(&tokens->waits, &wait->node);
    if (tokens->access) {
        wait->ask = vl_access_ask(tokens->access, refusal->status,
                                  refusal->headers, refusal->sent, done, wait);
        return;
    }
    wait->timer = vl_timer_new(tokens->config.access.loop, refuse, wait);
    vl_timer_start(wait->timer, 0);
}

/* --- life --- */

struct vl_connect_tokens *
vl_connect_tokens_new(const struct vl_connect_tokens_config *config)
{
    struct vl_connect_tokens *tokens = vl_alloc(sizeof *tokens);
    tokens->config = *config;
    vl_list_init(&tokens->waits);
    tokens->again = vl_timer_new(config->access.loop, on_again, tokens);
    return tokens;
}

void
vl_connect_tokens_free(struct vl_connect_tokens *tokens)
{
    const valet_error gone = {.status = VALET_CANCELLED};
    if (!tokens)
        return;
    while (!vl_list_is_empty(&tokens->waits))
        vl_remote_retry(
            end_wait(VL_CONTAINER(tokens->waits.next, struct wait, node)),
            VALET_CANCELLED, &gone);
    vl_access_free(tokens->access);
    vl_keep_close(tokens->keep);
    vl_timer_free(tokens->again);
    free(tokens->told);
    free(tokens);
}
