/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines are put together under one lock and written in one piece where the
 * disk takes them. What was written in part is continued where it stopped, so
 * a full disk tears no line once there is room again.
 */
#include "guard/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/status.h"
#include "guard/fold.h"
#include "json/write.h"

/* Above this it is worth a system call. */
#define WRITE_SIZE 32768
/* What one text of a stranger may take, in bytes before escaping. */
#define TEXT_MAX 256

struct vl_audit {
    pthread_mutex_t lock;
    const struct vl_clock *clock;
    char *path;     /* "" discards */
    int fd;         /* -1 without a path */
    bool is_stream; /* standard error: there is nothing to open anew */
    struct vl_buf buf;
    uint64_t lost, untold; /* in all; not yet told in the trail */
    bool failing;
    bool mid_line; /* the file has the first part of what is buffered first */
    struct vl_fold fold;
};

static const char *const names[VL_AUDIT_KIND_COUNT] = {
    [VL_AUDIT_AUTH_CHALLENGE] = "auth.challenge",
    [VL_AUDIT_BEARER_REJECT] = "bearer.reject",
    [VL_AUDIT_REQUEST_REJECT] = "request.reject",
    [VL_AUDIT_CLIENT_REGISTER] = "client.register",
    [VL_AUDIT_CLIENT_REJECT] = "client.reject",
    [VL_AUDIT_AUTHORIZE_START] = "authorize.start",
    [VL_AUDIT_AUTHORIZE_REJECT] = "authorize.reject",
    [VL_AUDIT_CONSENT_SHOW] = "consent.show",
    [VL_AUDIT_CONSENT_APPROVE] = "consent.approve",
    [VL_AUDIT_CONSENT_DENY] = "consent.deny",
    [VL_AUDIT_UPSTREAM_REDIRECT] = "upstream.redirect",
    [VL_AUDIT_CALLBACK_OK] = "callback.ok",
    [VL_AUDIT_CALLBACK_FAIL] = "callback.fail",
    [VL_AUDIT_CODE_ISSUE] = "code.issue",
    [VL_AUDIT_CODE_REDEEM] = "code.redeem",
    [VL_AUDIT_CODE_REJECT] = "code.reject",
    [VL_AUDIT_CODE_REPLAY] = "code.replay",
    [VL_AUDIT_TOKEN_ISSUE] = "token.issue",
    [VL_AUDIT_TOKEN_REFRESH] = "token.refresh",
    [VL_AUDIT_TOKEN_REUSE] = "token.reuse",
    [VL_AUDIT_TOKEN_REJECT] = "token.reject",
    [VL_AUDIT_TOKEN_REVOKE] = "token.revoke",
    [VL_AUDIT_CREDENTIAL_RENEW] = "credential.renew",
    [VL_AUDIT_CREDENTIAL_FAIL] = "credential.fail",
    [VL_AUDIT_RBAC_ALLOW] = "rbac.allow",
    [VL_AUDIT_RBAC_DENY] = "rbac.deny",
    [VL_AUDIT_TOOL_START] = "tool.start",
    [VL_AUDIT_TOOL_END] = "tool.end",
    [VL_AUDIT_TOOL_CANCEL] = "tool.cancel",
    [VL_AUDIT_GRAPH_OK] = "graph.ok",
    [VL_AUDIT_GRAPH_THROTTLE] = "graph.throttle",
    [VL_AUDIT_GRAPH_FAIL] = "graph.fail",
    [VL_AUDIT_SESSION_OPEN] = "session.open",
    [VL_AUDIT_SESSION_CLOSE] = "session.close",
    [VL_AUDIT_SESSION_HIJACK_ATTEMPT] = "session.hijack_attempt",
    [VL_AUDIT_CONFIG_LOAD] = "config.load",
    [VL_AUDIT_CONFIG_WARN] = "config.warn",
};

const char *
vl_audit_kind_name(enum vl_audit_kind kind)
{
    return kind < VL_AUDIT_KIND_COUNT ? names[kind] : "?";
}

/* @spec S-98: readable by its owner alone, and nobody can lead us elsewhere. */
static valet_status
check_file(const char *path, int fd, bool *ret_torn, valet_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot stat %s: %s", path,
                       strerror(errno));
    if (!S_ISREG(st.st_mode))
        return vl_fail(err, VALET_DENIED, "", "%s is not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return vl_fail(err, VALET_DENIED, "", "%s belongs to another user",
                       path);
    if (st.st_mode & 077)
        return vl_fail(err, VALET_DENIED, "",
                       "%s is open to others (mode %03o): chmod 600 it", path,
                       st.st_mode & 0777u);
    /* A crash or a full disk may have left half a line. */
    char last = '\n';
    *ret_torn = st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
                last != '\n';
    return VALET_OK;
}

static valet_status
open_file(const char *path, int *ret_fd, bool *ret_torn, valet_error *err)
{
    /* NONBLOCK: a pipe in its place must not hang us before it is refused. */
    int flags =
        O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = open(path, flags, 0600);
    if (fd < 0 && errno == ELOOP)
        return vl_fail(err, VALET_DENIED, "", "%s is a symbolic link", path);
    if (fd < 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot open %s: %s", path,
                       strerror(errno));
    valet_status status = check_file(path, fd, ret_torn, err);
    if (status != VALET_OK)
        (void)close(fd);
    else
        *ret_fd = fd;
    return status;
}

valet_status
vl_audit_open(const char *path, const struct vl_clock *clock,
              struct vl_audit **ret, valet_error *err)
{
    int fd = -1;
    bool torn = false;
    if (*path)
        VL_TRY(open_file(path, &fd, &torn, err));
    struct vl_audit *audit = vl_alloc(sizeof *audit);
    VL_ASSERT(pthread_mutex_init(&audit->lock, NULL) == 0);
    audit->clock = clock;
    audit->path = vl_strdup(path);
    audit->fd = fd;
    audit->buf = vl_buf_of(VL_AUDIT_BACKLOG);
    if (torn)
        vl_buf_addc(&audit->buf, '\n');
    *ret = audit;
    return VALET_OK;
}

struct vl_audit *
vl_audit_open_stderr(const struct vl_clock *clock)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    struct vl_audit *audit;
    VL_ASSERT(vl_audit_open("", clock, &audit, NULL) == VALET_OK);
    if (fd < 0) /* it is closed: nobody reads it */
        return audit;
    free(audit->path);
    audit->path = vl_strdup("standard error");
    audit->fd = fd;
    audit->is_stream = true;
    return audit;
}

/* With the lock held. A failure keeps the rest for the next time. */
static void
write_out(struct vl_audit *audit)
{
    while (vl_buf_size(&audit->buf)) {
        struct vl_str rest = vl_buf_str(&audit->buf);
        ssize_t put = write(audit->fd, rest.p, rest.n);
        if (put < 0 && errno == EINTR)
            continue;
        audit->failing = put <= 0;
        if (put <= 0)
            return;
        audit->mid_line = rest.p[put - 1] != '\n';
        vl_buf_consume(&audit->buf, (size_t)put);
    }
}

/* With the lock held, before another file is written: the rest of a line whose
 * beginning stands in the old one is no line of the new one. */
static void
drop_rest_of_line(struct vl_audit *audit)
{
    if (!audit->mid_line)
        return;
    vl_buf_consume(&audit->buf,
                   vl_str_index(vl_buf_str(&audit->buf), '\n') + 1);
    audit->mid_line = false;
    audit->lost++;
    audit->untold++;
}

valet_status
vl_audit_reopen(struct vl_audit *audit, valet_error *err)
{
    if (!*audit->path || audit->is_stream)
        return VALET_OK;
    int fd = -1;
    bool torn = false;
    (void)pthread_mutex_lock(&audit->lock);
    /* What is buffered belongs to the old file; if that takes no more, the
     * new one gets it. */
    write_out(audit);
    valet_status status = open_file(audit->path, &fd, &torn, err);
    if (status == VALET_OK) {
        int old = audit->fd;
        audit->fd = fd;
        (void)close(old);
        drop_rest_of_line(audit);
        /* Ends what a crash left in a file that was there already; should
         * even that fail, the next line is told apart no worse than before. */
        if (torn && write(fd, "\n", 1) < 0)
            audit->failing = true;
    }
    (void)pthread_mutex_unlock(&audit->lock);
    return status;
}

/* @spec S-98: text of strangers stays one field of one line. The JSON writer
 * escapes controls and quotes and replaces what is no UTF-8. */
static void
add_text(struct vl_json_out *out, const char *key, const char *text, size_t max)
{
    if (!text || !*text)
        return;
    char clean[TEXT_MAX + 1];
    size_t n = strnlen(text, max < TEXT_MAX ? max : TEXT_MAX);
    memcpy(clean, text, n);
    /* Do not cut within a character. */
    if (n == TEXT_MAX)
        for (size_t back = 0; back < 3; back++)
            if (((unsigned char)text[n] & 0xc0) == 0x80)
                n--;
    clean[n] = '\0';
    vl_str_tame(clean);
    vl_json_add_z(out, key, clean);
}

static void
add_event(struct vl_buf *line, const struct vl_audit *audit,
          const struct vl_audit_event *event, uint64_t repeated)
{
    char when[VL_TIME_ISO_SIZE];
    vl_time_iso(vl_clock_now(audit->clock), when);
    struct vl_json_out out = {line, false};
    vl_json_open(&out, '{');
    vl_json_add_z(&out, "time", when);
    vl_json_add_z(&out, "event", vl_audit_kind_name(event->kind));
    vl_json_add_z(&out, "outcome", event->refused ? "refused" : "ok");
    add_text(&out, "reason", event->reason, TEXT_MAX);
    if (event->user) {
        add_text(&out, "tenant", event->user->tid, VL_GUID_SIZE);
        add_text(&out, "user", event->user->oid, VL_GUID_SIZE);
    }
    if (event->client)
        add_text(&out, "client", event->client->text, VL_CLIENT_ID_SIZE - 1);
    add_text(&out, "session", event->session, TEXT_MAX);
    add_text(&out, "tool", event->tool, TEXT_MAX);
    add_text(&out, "peer", event->peer, TEXT_MAX);
    add_text(&out, "correlation", event->correlation, TEXT_MAX);
    add_text(&out, "upstream_correlation", event->upstream_correlation,
             TEXT_MAX);
    if (event->ms > 0)
        vl_json_add_int(&out, "ms", event->ms);
    if (repeated)
        vl_json_add_int(&out, "repeated", (int64_t)repeated);
    if (audit->untold)
        vl_json_add_int(&out, "lost", (int64_t)audit->untold);
    vl_json_close(&out, '}');
    vl_buf_addc(line, '\n');
}

/* The longest line: ten texts, each byte of which may become six. */
#define LINE_MAX_SIZE (12 * TEXT_MAX * 6)

/* With the lock held; `repeated` is 0 but for lines that stand for many. */
static void
put_event(struct vl_audit *audit, const struct vl_audit_event *event,
          uint64_t repeated)
{
    if (VL_AUDIT_BACKLOG - vl_buf_size(&audit->buf) < LINE_MAX_SIZE)
        write_out(audit);
    /* Asked before, so that a line is there whole or not at all. */
    if (VL_AUDIT_BACKLOG - vl_buf_size(&audit->buf) < LINE_MAX_SIZE ||
        !vl_buf_reserve(&audit->buf, LINE_MAX_SIZE)) {
        audit->buf.failed = false;
        audit->lost += repeated ? repeated : 1;
        audit->untold += repeated ? repeated : 1;
        return;
    }
    add_event(&audit->buf, audit, event, repeated);
    audit->untold = 0;
}

static void
tell_repeated(const struct vl_audit_event *event, uint64_t repeated, void *ctx)
{
    put_event(ctx, event, repeated);
}

/* With the lock held. */
static void
settle_if_over(struct vl_audit *audit, int64_t now)
{
    if (vl_fold_is_over(&audit->fold, now))
        vl_fold_settle(&audit->fold, tell_repeated, audit);
}

bool
vl_audit_is_kept(const struct vl_audit *audit)
{
    return audit && *audit->path;
}

void
vl_audit(struct vl_audit *audit, const struct vl_audit_event *event)
{
    if (!vl_audit_is_kept(audit))
        return;
    (void)pthread_mutex_lock(&audit->lock);
    int64_t now = vl_clock_now(audit->clock);
    settle_if_over(audit, now);
    if (!vl_fold_take(&audit->fold, event, now)) {
        put_event(audit, event, 0);
        if (event->refused || vl_buf_size(&audit->buf) >= WRITE_SIZE)
            write_out(audit);
    }
    (void)pthread_mutex_unlock(&audit->lock);
}

void
vl_audit_flush(struct vl_audit *audit)
{
    if (!audit || !*audit->path)
        return;
    (void)pthread_mutex_lock(&audit->lock);
    settle_if_over(audit, vl_clock_now(audit->clock));
    write_out(audit);
    (void)pthread_mutex_unlock(&audit->lock);
}

void
vl_audit_close(struct vl_audit *audit)
{
    if (!audit)
        return;
    if (*audit->path) {
        vl_fold_settle(&audit->fold, tell_repeated, audit);
        write_out(audit);
    }
    if (audit->fd >= 0)
        (void)close(audit->fd);
    vl_buf_done(&audit->buf);
    (void)pthread_mutex_destroy(&audit->lock);
    free(audit->path);
    free(audit);
}

uint64_t
vl_audit_lost(struct vl_audit *audit)
{
    (void)pthread_mutex_lock(&audit->lock);
    uint64_t lost = audit->lost;
    (void)pthread_mutex_unlock(&audit->lock);
    return lost;
}

bool
vl_audit_is_failing(struct vl_audit *audit)
{
    (void)pthread_mutex_lock(&audit->lock);
    bool failing = audit->failing;
    (void)pthread_mutex_unlock(&audit->lock);
    return failing;
}
