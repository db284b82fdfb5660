/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept is read often and changed seldom: whether others have changed it
 * is seen at a file, without a lock.
 */
#include <sys/stat.h>

#include "keep/driver.h"

struct vl_keep_mark
vl_keep_now(const struct vl_keep *keep)
{
    struct stat st;
    if (!keep->seen) /* in memory: nobody else has it */
        return (struct vl_keep_mark){.inode = keep->changes};
    if (stat(keep->seen, &st) != 0)
        return (struct vl_keep_mark){.inode = 0};
    return (struct vl_keep_mark){
        .seconds = st.st_mtim.tv_sec,
        .nanoseconds = st.st_mtim.tv_nsec,
        .size = st.st_size,
        .device = st.st_dev,
        .inode = st.st_ino,
    };
}

struct vl_keep_mark
vl_keep_known(const struct vl_keep *keep)
{
    return keep->known;
}

bool
vl_keep_is_same(struct vl_keep_mark a, struct vl_keep_mark b)
{
    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds &&
           a.size == b.size && a.device == b.device && a.inode == b.inode;
}
