/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/status.h"
#include "core/sys.h"

/* Long enough not to burn the core that the holder needs. */
#define PAUSE_MS 4

static valet_status
open_file(const char *path, int *ret, valet_error *err)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                  0600);
    if (fd < 0 && errno == ELOOP)
        return vl_fail(err, VALET_DENIED, "", "%s is a symbolic link", path);
    if (fd < 0)
        return vl_fail(err,
                       errno == ENOENT || errno == ENOTDIR ? VALET_NOT_FOUND
                       : errno == EACCES                   ? VALET_DENIED
                                                           : VALET_INTERNAL,
                       "", "cannot open %s: %s", path, strerror(errno));
    /* Who may open it may lock it, and keep us waiting. */
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077)) {
        (void)close(fd);
        return vl_fail(err, VALET_DENIED, "",
                       "%s is not a file of ours alone (mode 0600)", path);
    }
    *ret = fd;
    return VALET_OK;
}

valet_status
vl_keep_lock_take(const char *path, bool alone, int64_t timeout_ms,
                  struct vl_keep_lock *ret, valet_error *err)
{
    int fd = -1;
    VL_TRY(open_file(path, &fd, err));
    int64_t end = vl_mono_now() + timeout_ms;
    while (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        bool busy = errno == EWOULDBLOCK || errno == EINTR;
        if (!busy || vl_mono_now() >= end) {
            int error = errno;
            (void)close(fd);
            return busy ? vl_fail(err, VALET_RETRY, "",
                                  "another process holds %s", path)
                        : vl_fail(err, VALET_INTERNAL, "", "cannot lock %s: %s",
                                  path, strerror(error));
        }
        const struct timespec pause = {0, PAUSE_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
    ret->fd = fd;
    return VALET_OK;
}

/* Later than before whatever the clock says, and how coarse it is: two changes
 * in a moment are two. */
void
vl_keep_lock_mark(const struct vl_keep_lock *lock)
{
    struct stat st;
    struct timespec now, times[2] = {{.tv_nsec = UTIME_OMIT}};
    if (fstat(lock->fd, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return;
    times[1] = now;
    if (now.tv_sec < st.st_mtim.tv_sec || (now.tv_sec == st.st_mtim.tv_sec &&
                                           now.tv_nsec <= st.st_mtim.tv_nsec)) {
        times[1] = st.st_mtim;
        if (++times[1].tv_nsec == 1000000000) {
            times[1].tv_nsec = 0;
            times[1].tv_sec++;
        }
    }
    (void)futimens(lock->fd, times);
}

void
vl_keep_lock_done(struct vl_keep_lock *lock)
{
    if (lock->fd >= 0)
        (void)close(lock->fd);
    lock->fd = -1;
}
