/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/identity.h"

#include <errno.h>
#include <unistd.h>

#include "core/limits.h"
#include "json/write.h"

/* A token at its limit, and the rest. */
#define LINE_MAX_SIZE ((size_t)2 * VL_LIMIT_UPSTREAM_TOKEN + 8192)

struct vl_identity {
    struct vl_watch *watch;
    int fd; /* -1: nobody reads */
    bool gives_token;
    struct vl_buf last; /* that was told, or waits */
    struct vl_buf rest; /* of a line that has begun */
    struct vl_buf next; /* the newest that has not */
};

static void
close_pipe(struct vl_identity *identity)
{
    vl_watch_free(identity->watch);
    identity->watch = NULL;
    if (identity->fd >= 0)
        (void)close(identity->fd);
    identity->fd = -1;
    vl_buf_done(&identity->rest);
    vl_buf_done(&identity->next);
}

/* False: it takes no more now. */
static bool
write_some(struct vl_identity *identity)
{
    struct vl_str rest = vl_buf_str(&identity->rest);
    ssize_t n;
    do {
        n = write(identity->fd, rest.p, rest.n);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        vl_buf_consume(&identity->rest, (size_t)n);
        return true;
    }
    if (n == 0 || errno != EAGAIN)
        close_pipe(identity);
    return false;
}

static void
flush(struct vl_identity *identity)
{
    bool takes = identity->fd >= 0;
    while (takes) {
        if (vl_buf_size(&identity->rest) == 0) {
            vl_buf_done(&identity->rest);
            identity->rest = vl_buf_take(&identity->next);
        }
        if (vl_buf_size(&identity->rest) == 0)
            break;
        takes = write_some(identity);
    }
    if (identity->watch)
        vl_watch_set(identity->watch,
                     vl_buf_size(&identity->rest) ? VL_WATCH_WRITE : 0);
}

static void
on_writable(int events, void *ctx)
{
    (void)events;
    flush(ctx);
}

struct vl_identity *
vl_identity_new(struct vl_loop *loop, int fd, bool gives_token)
{
    struct vl_identity *identity = vl_alloc(sizeof *identity);
    *identity = (struct vl_identity){.fd = fd, .gives_token = gives_token};
    identity->last = vl_buf_of_secret(LINE_MAX_SIZE);
    identity->rest = vl_buf_of_secret(LINE_MAX_SIZE);
    identity->next = vl_buf_of_secret(LINE_MAX_SIZE);
    identity->watch = vl_watch_new(loop, fd, on_writable, identity);
    return identity;
}

static void
add_known(struct vl_json_out *out, const char *key, const char *value)
{
    if (value)
        vl_json_add_z(out, key, value);
}

static void
write_line(struct vl_buf *line, const valet_auth_result *who, bool gives_token)
{
    struct vl_json_out out = {line, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "event", "signed_in");
    add_known(&out, "tenant_id", who->tenant_id);
    add_known(&out, "account_id", who->account_id);
    add_known(&out, "username", who->username);
    add_known(&out, "name", who->name);
    vl_json_add_int(&out, "expires_at", who->expires_at);
    if (gives_token) {
        add_known(&out, "access_token", who->access_token);
        add_known(&out, "token_type", who->token_type);
        add_known(&out, "scopes", who->scopes);
    }
    vl_json_close(&out, '}');
    vl_buf_addc(line, '\n');
}

void
vl_identity_tell(struct vl_identity *identity, const valet_auth_result *who)
{
    vl_auto(vl_buf) line = vl_buf_of_secret(LINE_MAX_SIZE);
    write_line(&line, who, identity->gives_token);
    if (identity->fd < 0 || vl_buf_check(&line, NULL) != VALET_OK ||
        vl_str_eq(vl_buf_str(&line), vl_buf_str(&identity->last)))
        return;
    vl_buf_clear(&identity->last);
    vl_buf_add(&identity->last, vl_buf_str(&line));
    vl_buf_clear(&identity->next);
    vl_buf_add(&identity->next, vl_buf_str(&line));
    flush(identity);
}

void
vl_identity_free(struct vl_identity *identity)
{
    if (!identity)
        return;
    close_pipe(identity);
    vl_buf_done(&identity->last);
    free(identity);
}
