/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity, O_PATH */
#include "core/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/secret.h"
#include "core/status.h"

static int64_t
ms_of(clockid_t id)
{
    struct timespec t;
    VL_ASSERT(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t
system_now(void *ctx)
{
    (void)ctx;
    return ms_of(CLOCK_REALTIME);
}

const struct vl_clock vl_clock_system = {system_now, NULL};

int64_t
vl_clock_now(const struct vl_clock *clock)
{
    return clock->now(clock->ctx);
}

int64_t
vl_mono_now(void)
{
    return ms_of(CLOCK_MONOTONIC);
}

int64_t
vl_awake_or_not_now(void)
{
    return ms_of(CLOCK_BOOTTIME);
}

void
vl_time_iso(int64_t ms, char ret[VL_TIME_ISO_SIZE])
{
    const int64_t last = 253402300799999; /* of the year 9999 */
    ms = ms < 0 ? 0 : ms > last ? last : ms;
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char whole[20];
    VL_ASSERT(gmtime_r(&seconds, &utc));
    VL_ASSERT(strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc));
    (void)snprintf(ret, VL_TIME_ISO_SIZE, "%s.%03uZ", whole,
                   (unsigned)(ms % 1000));
}

void
vl_random(void *bytes, size_t n)
{
    char *p = bytes;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        VL_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

void
vl_random_text(char ret[VL_RANDOM_TEXT_SIZE])
{
    unsigned char bytes[32];
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_RANDOM_TEXT_SIZE);
    vl_random(bytes, sizeof bytes);
    vl_enc_base64url(&text, vl_str_of(bytes, sizeof bytes));
    VL_ASSERT(vl_buf_size(&text) == VL_RANDOM_TEXT_SIZE - 1);
    memcpy(ret, vl_buf_cstr(&text), VL_RANDOM_TEXT_SIZE);
    vl_wipe(bytes, sizeof bytes);
}

static valet_status
check_file(const char *path, int fd, bool owner_only, valet_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot stat %s: %s", path,
                       strerror(errno));
    if (!S_ISREG(st.st_mode))
        return vl_fail(err, VALET_DENIED, "", "%s is not a regular file", path);
    if (owner_only && st.st_uid != geteuid() && st.st_uid != 0)
        return vl_fail(err, VALET_DENIED, "", "%s belongs to another user",
                       path);
    if (owner_only && (st.st_mode & 077))
        return vl_fail(err, VALET_DENIED, "",
                       "%s may be read by others (mode %03o): chmod 600 it",
                       path, st.st_mode & 0777u);
    return VALET_OK;
}

static valet_status
read_all(const char *path, int fd, struct vl_buf *out, valet_error *err)
{
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vl_fail(err, VALET_INTERNAL, "", "cannot read %s: %s", path,
                           strerror(errno));
        vl_buf_add(out, vl_str_of(chunk, (size_t)got));
        explicit_bzero(chunk, (size_t)got);
        if (out->failed)
            return vl_fail(err, VALET_LIMIT, "", "%s is larger than %zu bytes",
                           path, out->max);
        if (got == 0)
            return VALET_OK;
    }
}

/* What it means that a file cannot be opened. */
static valet_status
status_of(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return VALET_NOT_FOUND;
    bool refused = error == ELOOP || error == EACCES || error == EPERM;
    return refused ? VALET_DENIED : VALET_INTERNAL;
}

static valet_status
read_file(const char *path, int flags, bool owner_only, struct vl_buf *out,
          valet_error *err)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return vl_fail(err, status_of(errno), "", "cannot open %s: %s", path,
                       errno == ELOOP && (flags & O_NOFOLLOW)
                           ? "it is a symbolic link"
                           : strerror(errno));
    size_t size = vl_buf_size(out);
    bool failed = out->failed;
    valet_status status = check_file(path, fd, owner_only, err);
    if (status == VALET_OK)
        status = read_all(path, fd, out, err);
    (void)close(fd);
    if (status != VALET_OK) {
        out->n = out->off + size;
        out->failed = failed;
    }
    return status;
}

valet_status
vl_file_read(const char *path, bool owner_only, struct vl_buf *out,
             valet_error *err)
{
    return read_file(path, owner_only ? O_NOFOLLOW : 0, owner_only, out, err);
}

valet_status
vl_file_read_linked(const char *path, struct vl_buf *out, valet_error *err)
{
    return read_file(path, 0, true, out, err);
}

static valet_status
write_all(const char *path, int fd, struct vl_str content, valet_error *err)
{
    while (content.n) {
        ssize_t put = write(fd, content.p, content.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return vl_fail(err, VALET_INTERNAL, "", "cannot write %s: %s", path,
                           strerror(errno));
        content = vl_str_from(content, (size_t)put);
    }
    if (fsync(fd) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot sync %s: %s", path,
                       strerror(errno));
    return VALET_OK;
}

/* "a/b/" of "a/b/c"; nothing of "c". */
static struct vl_str
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return vl_str_of(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* A file survives a power cut when its folder's entry does, too. */
static valet_status
sync_folder(const char *path, valet_error *err)
{
    struct vl_str above = folder_of(path);
    vl_auto(vl_buf) folder = vl_buf_of(PATH_MAX);
    vl_buf_add(&folder, above.n ? above : VL_STR("."));
    VL_TRY(vl_buf_check(&folder, err));
    int fd = open(vl_buf_cstr(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    /* A folder we may write to but not read cannot be synced. */
    if (good || error == EACCES)
        return VALET_OK;
    return vl_fail(err, VALET_INTERNAL, "", "cannot sync the folder of %s: %s",
                   path, strerror(error));
}

static valet_status
fail_create(const char *path, valet_error *err)
{
    return vl_fail(err, errno == EEXIST ? VALET_CONFLICT : VALET_INTERNAL, "",
                   "cannot create %s: %s", path, strerror(errno));
}

/* Writes all of it under another name; `path` is for messages. */
static valet_status
write_aside(const char *aside, const char *path, struct vl_str content,
            valet_error *err)
{
    int fd =
        open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_create(path, err);
    valet_status status = write_all(path, fd, content, err);
    if (close(fd) != 0 && status == VALET_OK)
        status = vl_fail(err, VALET_INTERNAL, "", "cannot write %s: %s", path,
                         strerror(errno));
    if (status != VALET_OK)
        (void)unlink(aside);
    return status;
}

/*
 * Under its own name the file is whole or not there: a process killed half-way
 * leaves no empty key that every later start would refuse, and who loses a
 * race to create it reads all that the winner wrote.
 */
valet_status
vl_file_create(const char *path, struct vl_str content, valet_error *err)
{
    unsigned char bytes[8];
    char suffix[2 * sizeof bytes + 1];
    vl_auto(vl_buf) name = vl_buf_of(PATH_MAX);
    vl_random(bytes, sizeof bytes);
    vl_hex(vl_str_of(bytes, sizeof bytes), suffix);
    vl_buf_add(&name, folder_of(path));
    vl_buf_addf(&name, ".new-%s", suffix);
    VL_TRY(vl_buf_check(&name, err));
    const char *aside = vl_buf_cstr(&name);
    VL_TRY(write_aside(aside, path, content, err));
    /* Unlike rename(2), link(2) never replaces what is there. */
    valet_status status =
        link(aside, path) == 0 ? VALET_OK : fail_create(path, err);
    (void)unlink(aside);
    VL_TRY(status);
    status = sync_folder(path, err);
    if (status != VALET_OK)
        (void)unlink(path);
    return status;
}

valet_status
vl_file_replace(const char *path, const char *aside, struct vl_str content,
                valet_error *err)
{
    (void)unlink(aside); /* of who died half-way */
    VL_TRY(write_aside(aside, path, content, err));
    if (rename(aside, path) != 0) {
        int error = errno;
        (void)unlink(aside);
        return vl_fail(err, VALET_INTERNAL, "", "cannot replace %s: %s", path,
                       strerror(error));
    }
    return sync_folder(path, err);
}

valet_status
vl_folder_make(const char *path, valet_error *err)
{
    char folder[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof folder)
        return vl_fail(err, VALET_LIMIT, "", "the path is too long");
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        (void)snprintf(folder, sizeof folder, "%.*s", (int)i, path);
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return vl_fail(err, VALET_INTERNAL, "", "cannot make %s: %s",
                           folder, strerror(errno));
    }
    return VALET_OK;
}

/* What holds them can neither be read nor written. */
void
vl_hold_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/", O_PATH | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

unsigned
vl_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1; /* more than 1024 of them: workers can be configured */
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}
